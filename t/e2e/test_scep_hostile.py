# SPDX-License-Identifier: Apache-2.0
"""SCEP messages made to harm (D): each answered with 4xx or a refusal within five seconds, nothing issued, and
the server alive after each."""

import base64
import os
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from mdmsim import cms, der, pki, scep

from .scep_tools import (SUBJECT, alive, ask, client, message_of, nothing_issued, request_of,  # noqa: F401
                         refused)

OAEP, PBES = "1.2.840.113549.1.1.7", "1.2.840.113549.1.9.16.3.9"
ECDH, AES_WRAP = "1.3.132.1.11.1", "2.16.840.1.101.3.4.1.5"
AUTH_ENVELOPED = "1.2.840.113549.1.9.16.1.23"


class Making:
    """One message in the making: its parts can be had, and put together otherwise."""

    def __init__(self, site, client):
        self.recipient = client.recipient
        self.csr, self.signer, self.key = request_of(site, "hostile", site.challenge())

    def attributes(self, **other):
        made = {"type": cms.attribute(scep.MESSAGE_TYPE, der.printable("19")),
                "transaction": cms.attribute(scep.TRANSACTION_ID, der.printable("hostile")),
                "nonce": cms.attribute(scep.SENDER_NONCE, der.octets(b"n" * 16)), **other}
        return [one for one in made.values() if one is not None]

    def issuer_and_serial(self):
        return der.sequence(self.recipient.issuer.public_bytes(), der.integer(self.recipient.serial_number))

    def sealed(self, *infos):
        return cms.envelope(self.csr, self.recipient, recipient_infos=list(infos))

    def signed(self, sealed=None, digests=("sha256",), certificates=None, attributes=None, key=None, signer=None,
               infos=None, **options):
        sealed = cms.envelope(self.csr, self.recipient) if sealed is None else sealed
        signer = signer or self.signer
        if infos is None:
            infos = [cms.signer_info(sealed, signer, key or self.key, **options,
                                     attributes=self.attributes() if attributes is None else attributes)]
        shown = [signer] if certificates is None else certificates
        return cms.signed_data(sealed, infos, [pki.der(one) for one in shown], digests)


def algorithm(oid, *parameters):
    return der.sequence(der.oid(oid), *parameters)


def kari(m):
    point = der.tlv(0xA1, algorithm("1.2.840.10045.2.1"), der.tlv(0x03, b"\0\4" + b"p" * 64))
    keys = der.sequence(der.sequence(m.issuer_and_serial(), der.octets(b"k" * 24)))
    return m.signed(m.sealed(der.tlv(0xA1, der.integer(3), der.tlv(0xA0, point), algorithm(ECDH), keys)))


def oaep(m):
    return m.signed(m.sealed(der.sequence(der.integer(0), m.issuer_and_serial(), algorithm(OAEP),
                                          der.octets(b"k" * 256))))


def pwri(m):
    return m.signed(m.sealed(der.tlv(0xA3, der.integer(0), algorithm(PBES, algorithm(AES_WRAP)),
                                     der.octets(b"k" * 24))))


def kekri(m):
    return m.signed(m.sealed(der.tlv(0xA2, der.integer(4), der.sequence(der.octets(b"id")), algorithm(AES_WRAP),
                                     der.octets(b"k" * 24))))


def recipients(count):
    def make(m):
        one = der.sequence(der.integer(0), m.issuer_and_serial(), algorithm(cms.RSA_ENCRYPTION, der.null()),
                           der.octets(m.recipient.public_key().encrypt(b"k" * 16, cms.padding.PKCS1v15())[:32]))
        return m.signed(m.sealed(*[one] * count))
    return make


def length_lie(m):
    raw = m.signed()
    return raw[:2] + (len(raw) + 5000).to_bytes(2, "big") + raw[4:]


def other_type(oid):
    def make(m):
        return der.sequence(der.oid(oid), der.tlv(0xA0, der.read(m.signed())[1].content))
    return make


def auth_enveloped(m):
    sealed = der.read(cms.envelope(m.csr, m.recipient))
    return m.signed(der.sequence(der.oid(AUTH_ENVELOPED), sealed[1].raw))


class BigKey:
    """An RSA key of 16 kbit out of the primes of eight smaller ones: good signatures at no long search."""

    def __init__(self, keys):
        numbers = [one.private_numbers() for one in keys]
        primes, e = [prime for one in numbers for prime in (one.p, one.q)], 65537
        n, phi = 1, 1
        for prime in primes:
            n, phi = n * prime, phi * (prime - 1)
        self.public, d = rsa.RSAPublicNumbers(e, n).public_key(), pow(e, -1, phi)
        self.n, self.primes = n, [(prime, d % (prime - 1), n // prime) for prime in primes]

    def sign(self, data, _, kind):
        prefix = bytes.fromhex("3031300d060960864801650304020105000420")
        size = (self.n.bit_length() + 7) // 8
        hashed = prefix + cms.digest("sha256", data)
        block = int.from_bytes(b"\0\1" + b"\xff" * (size - 3 - len(hashed)) + b"\0" + hashed, "big")
        value = sum(pow(block, d, prime) * rest * pow(rest, -1, prime) for prime, d, rest in self.primes) % self.n
        return value.to_bytes(size, "big")


def big_signer(m):
    keys = [m.key] + [pki.new_key() for _ in range(7)]
    big, name = BigKey(keys), pki.name(SUBJECT % "big")
    now = m.signer.not_valid_before
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(big.public)
                   .serial_number(77).not_valid_before(now).not_valid_after(m.signer.not_valid_after)
                   .sign(m.key, hashes.SHA256()))
    return m.signed(key=big, signer=certificate)


def doubled(m):
    return m.signed(attributes=m.attributes(again=cms.attribute(scep.TRANSACTION_ID, der.printable("other"))))


def mistyped(m):
    return m.signed(attributes=m.attributes(type=cms.attribute(scep.MESSAGE_TYPE, der.integer(19)),
                                            nonce=cms.attribute(scep.SENDER_NONCE, der.printable("n" * 16))))


def no_values(m):
    return m.signed(attributes=m.attributes(type=cms.attribute(scep.MESSAGE_TYPE)))


def two_values(m):
    return m.signed(attributes=m.attributes(type=cms.attribute(scep.MESSAGE_TYPE, der.printable("19"),
                                                               der.printable("17"))))


HOSTILE = {
    "d01-empty-digest-algorithms": lambda m: m.signed(digests=()),
    "d02-key-agreement-without-parameters": kari,
    "d03-oaep-without-parameters": oaep,
    "d04-password-recipient": pwri,
    "d04-kek-recipient": kekri,
    "d05-no-recipient": recipients(0),
    "d06-1000-recipients": recipients(300),
    "d07-no-signer": lambda m: m.signed(infos=[]),
    "d08-no-certificate": lambda m: m.signed(certificates=[]),
    "d09-no-attributes": lambda m: m.signed(attributes=[], skip=None, signing_time=None),
    "d10-no-content": lambda m: cms.sign(None, m.signer, m.key, attributes=m.attributes()),
    "d11-content-is-no-envelope": lambda m: m.signed(m.csr),
    "d12-envelope-alone": lambda m: cms.envelope(m.csr, m.recipient),
    "d13-envelope-holds-no-request": lambda m: m.signed(cms.envelope(pki.der(m.signer), m.recipient)),
    "d13-envelope-holds-nothing": lambda m: m.signed(cms.envelope(b"", m.recipient)),
    "d14-32000-levels": lambda m: b"\x30\x80" * 32000,
    "d14-40000-levels": lambda m: b"\x30\x80" * 40000,
    "d15-length-lie": length_lie,
    "d16-trailing-bytes": lambda m: m.signed() + b"trailing",
    "d17-doubled-attribute": doubled,
    "d17-two-values": two_values,
    "d18-mistyped-attributes": mistyped,
    "d19-empty-attribute": no_values,
    "d20-random": lambda m: os.urandom(4000),
    "d21-zeros": lambda m: bytes(5000),
    "d22-text": lambda m: b"-----BEGIN PKCS7-----\n" + base64.encodebytes(m.signed()),
    "d23-other-content-type": other_type("1.2.840.113549.1.7.5"),
    "d24-authenticated-envelope": auth_enveloped,
    "d25-signer-key-of-16-kbit": big_signer,
}


@pytest.mark.mpm
@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_d00_hostile_cms(site, client, name):
    making = Making(site, client)
    raw = HOSTILE[name](making)
    with nothing_issued(site):
        begin = time.monotonic()
        reply = client.post(raw)
        assert time.monotonic() - begin < 5
    if reply.status == 200:
        message = scep.Message(raw, making.signer, making.key, "hostile", b"n" * 16)
        if name == "d18-mistyped-attributes":
            message.sender_nonce = None
        result = scep.Result(reply, message, client.authorities)
        assert result.status == scep.FAILURE and result.certificate is None, result.summary()
    else:
        assert 400 <= reply.status < 500, reply.status
    assert alive(client)


@pytest.mark.once
def test_d00_the_same_parts_put_together_rightly_are_served(site, client):
    making = Making(site, client)
    message = scep.Message(b"", making.signer, making.key, "hostile", b"n" * 16)
    assert scep.Result(client.post(making.signed()), message, client.authorities).ok


@pytest.mark.once
@pytest.mark.parametrize("body", [b"", b"x", b"0" * 5000, b"\x30\x80" * 3000, b"\x30\x84\xff\xff\xff\xff",
                                  b"<?xml version='1.0'?><plist/>"], ids=range(6))
def test_d30_what_is_no_message_is_400(client, body):
    assert client.post(body).status == 400


@pytest.mark.once
def test_d30_get_without_a_message_or_with_bad_base64_is_400(site, client):
    for message in ("", "%%%", "AAAA", "Zm9v" * 10, "A", "=", "é"):
        assert site.http.get(client.query("PKIOperation", message=message)).status == 400, message
    for query in ("", "&message", "&message=%FF", "&message=%"):
        assert site.http.get(client.query("PKIOperation") + query).status == 400, query


@pytest.mark.once
def test_d31_64_truncations_do_no_harm(site, client):
    raw = message_of(site, client, "cut", site.challenge()).raw
    with nothing_issued(site):
        for number in range(64):
            assert client.post(raw[:len(raw) * number // 64]).status == 400
    assert alive(client)


@pytest.mark.once
def test_d32_256_flipped_bits_do_no_harm(site, client):
    message = message_of(site, client, "flipped", "not-a-challenge")
    with nothing_issued(site):
        for number in range(256):
            at, bit = len(message.raw) * number // 256, number % 8
            raw = message.raw[:at] + bytes((message.raw[at] ^ 1 << bit,)) + message.raw[at + 1:]
            reply = client.post(raw)
            assert reply.status in (200, 400), (at, bit, reply.status)
    assert alive(client)


@pytest.mark.once
def test_d33_a_message_over_64_kb_is_413(site, client):
    assert client.post(b"\x30" * 65537).status == 413
    assert client.post(b"\x30" * 65536).status == 400
    assert site.http.get(client.query("PKIOperation", message="A" * 70000)).status in (413, 414)
    assert alive(client)


def strange_names():
    cn = "2.5.4.3"
    one = lambda value: der.sequence(der.set_of(der.sequence(der.oid(cn), value)))  # noqa: E731
    return {"60-kb": one(der.utf8("x" * 40000)), "nul": one(der.utf8("a\0b")),
            "crlf": one(der.utf8("a\r\nSet-Cookie: x")),
            "markup": one(der.utf8("<script>alert(1)</script>")), "quote": one(der.utf8("'; DROP TABLE x; --\"")),
            "not-utf-8": one(der.tlv(0x0C, b"\xff\xfe")), "bmp": one(der.tlv(0x1E, "Zoë".encode("utf-16-be"))),
            "bidi": one(der.utf8("a\u202eb")), "integer": one(der.integer(5)), "empty": der.sequence(),
            "1000-rdns": der.sequence(*[der.set_of(der.sequence(der.oid(cn), der.utf8("x")))] * 1000)}


@pytest.mark.once
@pytest.mark.parametrize("name", sorted(strange_names()))
def test_d34_strange_subjects_are_refused_or_safely_encoded(site, client, name):
    key = site.keys.take()
    csr = pki.raw_request(key, strange_names()[name], pki.challenge_attribute(site.challenge()))
    result = client.enrol(SUBJECT % "signer", csr=csr, key=key)
    if result.ok:
        shown = site.ctl("certificate", "show", "%032x" % result.certificate.serial_number).stdout
        assert "\r" not in shown and "\0" not in shown
    else:
        assert refused(result, scep.BAD_REQUEST, scep.BAD_MESSAGE_CHECK)
    if name in ("60-kb", "nul", "crlf", "1000-rdns"):
        assert not result.ok
    assert alive(client)


@pytest.mark.once
def test_d34_2000_other_names_are_refused_or_left_out(ask, client):
    few = ask(csr_options={"names": ["h%d.example.com" % number for number in range(100)]})
    many = ask(csr_options={"names": ["h%d.example.com" % number for number in range(2000)]})
    for result in (few, many):
        assert refused(result, scep.BAD_REQUEST, scep.BAD_MESSAGE_CHECK) if not result.ok else \
            b"example.com" not in pki.der(result.certificate)
    assert alive(client)
