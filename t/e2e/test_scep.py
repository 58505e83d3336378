# SPDX-License-Identifier: Apache-2.0
"""SCEP against the built-in CA: what is announced (A), and what a good request brings (B)."""

import base64
import datetime
import re
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from mdmsim import cms, der, pki, scep, web

from .httpd import wait_until
from .scep_tools import (SUBJECT, ask, ca_of, client, issued, message_of, refused, request_of,  # noqa: F401
                         run)

KNOWN = {"AES", "DES3", "GetNextCACert", "POSTPKIOperation", "Renewal", "SHA-1", "SHA-256", "SHA-384", "SHA-512",
         "SCEPStandard", "Update"}


# ---- what is announced

@pytest.mark.once
def test_a01_getcacaps_is_short_plain_text(site, client):
    reply = site.http.get(client.query("GetCACaps"))
    assert reply.status == 200 and reply.content_type.split(";")[0] == "text/plain"
    assert 0 < len(reply.body) < 1000


@pytest.mark.once
def test_a02_capabilities_are_known_words_one_a_line(site, client):
    lines = site.http.get(client.query("GetCACaps")).body.decode("ascii").split("\n")
    assert lines[-1] == "" and set(lines[:-1]) <= KNOWN and len(set(lines)) == len(lines)


@pytest.mark.once
def test_a03_what_rfc_8894_demands_is_announced_and_nothing_weak(client):
    caps = client.get_ca_caps()
    assert {"AES", "SHA-256", "SHA-512", "POSTPKIOperation", "Renewal", "SCEPStandard"} <= set(caps)
    assert not {"DES3", "SHA-1", "DES", "MD5", "GetNextCACert", "Update"} & set(caps)


@pytest.mark.once
def test_a04_sha_384_is_announced(client):
    assert "SHA-384" in client.get_ca_caps()


@pytest.mark.once
@pytest.mark.parametrize("ident", ["", "any name", "0", "a&b", "x" * 2000])
def test_a05_getcacaps_is_the_same_for_every_ca_ident(site, client, ident):
    assert site.http.get(client.query("GetCACaps", message=ident)).body == \
        site.http.get(client.query("GetCACaps")).body


@pytest.mark.once
def test_a06_getcacert_is_one_der_certificate_and_no_byte_more(site, client):
    reply = site.http.get(client.query("GetCACert", message="any name"))
    assert reply.status == 200 and reply.content_type == "application/x-x509-ca-cert"
    assert reply.body == pki.der(ca_of(site)) and der.read(reply.body)


@pytest.mark.once
def test_a07_the_ca_certificate_may_sign_and_be_encrypted_to(client):
    ca = client.get_ca_cert()[0]
    basic = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = ca.extensions.get_extension_for_class(x509.KeyUsage).value
    assert basic.critical and basic.value.ca
    assert usage.key_cert_sign and usage.crl_sign and usage.digital_signature and usage.key_encipherment


@pytest.mark.once
def test_a08_the_ca_certificate_is_strong_in_date_and_the_pinned_one(site, client):
    ca = client.get_ca_cert()[0]
    now = datetime.datetime.utcnow()
    assert ca.public_key().key_size >= 2048 and ca.signature_hash_algorithm.name in ("sha256", "sha384", "sha512")
    assert ca.not_valid_before < now < ca.not_valid_after
    assert ca.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "Example Hospital"
    pinned = scep.ScepClient(client.url, http=client.http, fingerprint=cms.digest("sha256", pki.der(ca_of(site))))
    assert pinned.get_ca_cert()


@pytest.mark.once
def test_a09_getcacert_with_an_ident_is_served_or_4xx(site, client):
    for ident in ("0", "", "Example", "../x", "%00"):
        status = site.http.get(client.query("GetCACert", message=ident)).status
        assert status == 200 or 400 <= status < 500


@pytest.mark.once
def test_a10_without_a_next_ca_getnextcacert_is_4xx_and_not_announced(site, client):
    assert 400 <= site.http.get(client.query("GetNextCACert")).status < 500
    assert "GetNextCACert" not in client.get_ca_caps()


@pytest.mark.once
def test_a11_unknown_empty_and_no_operations_are_400(site, client):
    for query in ("", "?", "?operation", "?operation=", "?operation=getcacaps", "?operation=Nonsense",
                  "?operation=%FF", "?operation=GetCACert%00", "?message=x"):
        assert site.http.get(client.url + query).status == 400, query
    assert site.http.post(client.query("GetCACaps"), b"").status == 400


@pytest.mark.once
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a12_other_methods_are_405(site, client, method):
    reply = site.http.request(method, client.query("PKIOperation"))
    assert reply.status == 405 and "POST" in reply.headers["Allow"]


@pytest.mark.once
def test_a13_extra_parameters_are_passed_over(site, client):
    assert site.http.get(client.url + "?a=b&operation=GetCACaps&c&=d").status == 200
    assert site.http.get(client.url + "?&&operation=GetCACert&operation=Nonsense").status == 200


@pytest.mark.once
@pytest.mark.parametrize("suffix", ["/pkiclient.exe", "/cgi-bin/pkiclient.exe", "/"])
def test_a14_paths_below_the_location_are_served(site, client, suffix):
    below = scep.ScepClient(client.url + suffix, http=client.http)
    assert below.get_ca_caps()
    assert below.enrol(SUBJECT % "cisco", challenge=site.challenge(), key=site.keys.take()).ok


@pytest.mark.once
def test_more_head_has_the_headers_and_no_body_and_issues_nothing(site, client):
    for operation in ("GetCACaps", "GetCACert"):
        full, head = (site.http.request(method, client.query(operation)) for method in ("GET", "HEAD"))
        assert head.status == 200 and head.body == b"" and head.content_type == full.content_type
    message, before = message_of(site, client, "head", site.challenge()), issued(site)
    query = client.query("PKIOperation", message=base64.b64encode(message.raw).decode())
    assert site.http.request("HEAD", query).status == 400 and issued(site) == before
    assert client.send(message).ok, "HEAD has used the challenge up"


@pytest.mark.once
def test_never_401_and_no_html_for_machines(site, client):
    for reply in (client.post(b"x"), site.http.get(client.url), site.http.request("DELETE", client.url)):
        assert reply.status != 401 and "html" not in (reply.content_type or "")


# ---- what a good request brings

@pytest.mark.mpm
def test_b01_pkcsreq_by_post_succeeds(ask):
    result = ask("phone", cipher="aes128", digest="sha256")
    assert result.ok, result.summary()
    assert result.content_type == "application/x-pki-message" and result.status == scep.SUCCESS
    assert pki.same_key(result.certificate, result.key)


@pytest.mark.once
def test_b02_openssl_verifies_the_one_signature_of_the_reply(site, ask, tmp_path):
    result = ask("openssl")
    (tmp_path / "reply.der").write_bytes(result.raw)
    verify = run("openssl", "cms", "-verify", "-in", "reply.der", "-inform", "DER", "-CAfile", site.ca_file,
                 "-certfile", site.ca_file, "-purpose", "any", "-out", "env.der", cwd=tmp_path)
    assert b"successful" in verify.stderr.lower()
    assert len(cms.SignedData(result.raw).signers) == 1


@pytest.mark.once
def test_b03_types_of_the_attributes(ask):
    attributes = ask().signer.attributes
    for oid, value in ((scep.MESSAGE_TYPE, "3"), (scep.PKI_STATUS, "0"), (scep.TRANSACTION_ID, None)):
        assert len(attributes[oid]) == 1 and attributes[oid][0].tag == 0x13, "a PrintableString"
        assert value in (None, attributes[oid][0].text())
    assert scep.FAIL_INFO not in attributes and scep.FAIL_INFO_TEXT not in attributes


@pytest.mark.once
def test_b04_b05_b06_transaction_and_nonces(ask):
    first, second = ask(transaction_id="Tx-1"), ask(sender_nonce=b"n" * 16)
    assert first.transaction_id == "Tx-1"
    assert second.recipient_nonce == b"n" * 16 and first.recipient_nonce == first.message.sender_nonce
    assert len({first.sender_nonce, second.sender_nonce, first.recipient_nonce, b"n" * 16}) == 4
    assert len(first.sender_nonce) == len(second.sender_nonce) == 16


@pytest.mark.once
def test_b07_content_type_and_digest_are_signed_in_der_order(ask):
    result = ask()
    assert {cms.CONTENT_TYPE, cms.MESSAGE_DIGEST} <= set(result.signer.attributes) and result.attributes_sorted


@pytest.mark.once
def test_b08_the_signature_algorithm_is_plain_rsaencryption(ask):
    assert ask().signature_oid == cms.RSA_ENCRYPTION


@pytest.mark.once
@pytest.mark.parametrize("cipher", ["aes128", "aes192", "aes256"])
def test_b09_the_reply_is_for_the_signer_alone_and_no_weaker_than_the_request(ask, cipher):
    result = ask(cipher=cipher)
    signer = result.message.signer
    assert result.recipients == [(signer.issuer.public_bytes(), signer.serial_number)]
    assert result.cipher == cipher


@pytest.mark.once
def test_b10_inside_is_the_issued_certificate_alone(ask):
    result = ask("alone")
    assert len(result.certificates) == 1 and not result.crls
    inner = cms.SignedData(cms.EnvelopedData(cms.SignedData(result.raw).content)
                           .open(result.message.signer, result.message.key))
    assert inner.signers == [] and inner.content is None


@pytest.mark.once
def test_b11_the_ca_signed_the_certificate(site, ask, tmp_path):
    certificate, ca = ask().certificate, ca_of(site)
    assert certificate.issuer.public_bytes() == ca.subject.public_bytes()
    ca.public_key().verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(),
                           certificate.signature_hash_algorithm)
    leaf = pki.write_pem(tmp_path / "leaf.pem", certificate)
    run("openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", site.ca_file, leaf)


@pytest.mark.once
def test_b12_the_subject_is_the_requests_byte_for_byte(site, client):
    rdns = [der.set_of(der.sequence(der.oid("2.5.4.3"), der.utf8("Zoë"))),
            der.set_of(der.sequence(der.oid("2.5.4.10"), der.printable("Z")),
                       der.sequence(der.oid("2.5.4.11"), der.tlv(0x16, b"ia5"))),
            der.set_of(der.sequence(der.oid("2.5.4.6"), der.printable("DE")))]
    subject, key = der.sequence(*rdns), site.keys.take()
    csr = pki.raw_request(key, subject, pki.challenge_attribute(site.challenge()))
    result = client.enrol(SUBJECT % "signer", csr=csr, key=key)
    assert result.ok, result.summary()
    assert subject in result.certificate.tbs_certificate_bytes


@pytest.mark.once
def test_b13_serials_are_random_and_128_bits_long(ask):
    serials = [ask().certificate.serial_number for _ in range(4)]
    assert len(set(serials)) == 4 and max(one.bit_length() for one in serials) > 112
    assert all(0 < one.bit_length() <= 159 for one in serials)


def test_b14_the_certificate_is_a_client_identity_and_no_more(ask):
    certificate = ask("UDID-1").certificate
    value = certificate.extensions.get_extension_for_class
    usage = value(x509.KeyUsage).value
    assert certificate.version == x509.Version.v3 and certificate.signature_hash_algorithm.name == "sha256"
    assert usage.digital_signature and usage.key_encipherment
    assert not usage.key_cert_sign and not usage.crl_sign
    assert list(value(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not value(x509.BasicConstraints).value.ca and value(x509.BasicConstraints).critical
    assert value(x509.SubjectKeyIdentifier) and value(x509.AuthorityKeyIdentifier)


@pytest.mark.once
def test_b15_the_certificate_is_in_date_for_a_year_but_not_beyond_the_ca(site, ask):
    certificate, now = ask().certificate, datetime.datetime.utcnow()
    assert certificate.not_valid_before <= now - datetime.timedelta(minutes=5)
    assert datetime.timedelta(days=364) < certificate.not_valid_after - now < datetime.timedelta(days=366)
    assert certificate.not_valid_after <= ca_of(site).not_valid_after


def by_get(site, client, encode):
    """A PKCSReq by GET whose base64 has all three special characters, written as encode(text) says."""
    while True:
        message = message_of(site, client, "by-get", site.challenge())
        text = base64.b64encode(message.raw).decode()
        if {"+", "/", "="} <= set(text):
            break
    reply = site.http.get(client.url + "?operation=PKIOperation&message=" + encode(text))
    result = scep.Result(reply, message, client.authorities)
    assert result.ok, result.summary()


@pytest.mark.mpm
def test_b16_get_with_percent_encoded_base64(site, client):
    by_get(site, client, lambda text: urllib.parse.quote(text, safe=""))


@pytest.mark.once
def test_b17_get_with_raw_plus_and_slash(site, client):
    by_get(site, client, lambda text: text.replace("=", "%3D"))
    by_get(site, client, lambda text: text)
    by_get(site, client, lambda text: urllib.parse.quote(text, safe="").replace("%2B", "%20"))


@pytest.mark.once
@pytest.mark.parametrize("end", ["%0A", "%0D%0A"])
def test_b18_get_with_line_breaks(site, client, end):
    by_get(site, client, lambda text: end.join(re.findall(".{1,64}", text)) + end)


@pytest.mark.once
@pytest.mark.parametrize("kind", ["application/octet-stream", None, "text/plain", "application/x-pki-message; a=b"])
def test_b19_post_with_any_content_type(site, client, kind):
    message = message_of(site, client, "type", site.challenge())
    assert client.send(message, content_type=kind).ok


@pytest.mark.once
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_b20_ber_in_pieces_of_indefinite_length(ask, method):
    assert ask(ber=True, method=method).ok


@pytest.mark.once
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_b21_aes_256_with_each_sha_2(ask, digest):
    result = ask(cipher="aes256", digest=digest)
    assert result.ok and result.cipher == "aes256" and result.digest == digest


@pytest.mark.once
def test_b22_triple_des_that_is_not_announced_is_badalg(site, ask):
    assert refused(ask(cipher="des3"), scep.BAD_ALG)


@pytest.mark.once
@pytest.mark.parametrize("tag", [0x0C, 0x13, 0x16, 0x14], ids=["utf8", "printable", "ia5", "teletex"])
def test_b23_challenges_of_each_string_type(site, client, tag):
    key = site.keys.take()
    attribute = pki.challenge_attribute(site.challenge(), lambda text: der.tlv(tag, text.encode()))
    assert client.enrol(csr=pki.raw_request(key, SUBJECT % "type", attribute), key=key).ok


@pytest.mark.once
@pytest.mark.parametrize("last", ["extensions", "challenge"])
def test_b24_attributes_in_either_order(site, client, last):
    key = site.keys.take()
    attributes = [pki.challenge_attribute(site.challenge()),
                  pki.extensions_attribute(("2.5.29.15", True, b"\x03\x02\x05\xa0"))]
    csr = pki.raw_request(key, SUBJECT % "order", *(attributes if last == "extensions" else attributes[::-1]))
    assert client.enrol(csr=csr, key=key).ok


@pytest.mark.once
def test_b25_a_signer_certificate_that_begins_in_30_seconds(site, client):
    csr, _, key = request_of(site, "early", site.challenge())
    soon = datetime.datetime.utcnow() + datetime.timedelta(seconds=30)
    signer = pki.self_signed(SUBJECT % "early", key, not_before=soon)
    assert client.send(scep.build(csr, signer, key, client.recipient)).ok


@pytest.mark.once
def test_b26_a_transaction_id_with_signs_of_base64_is_echoed(ask):
    result = ask(transaction_id="a+b/c==")
    assert result.ok and result.transaction_id == "a+b/c=="


@pytest.mark.once
def test_b27_two_enrolments_have_nothing_in_common(ask):
    first, second = ask("same"), ask("same")
    assert first.certificate.serial_number != second.certificate.serial_number
    assert first.sender_nonce != second.sender_nonce


@pytest.mark.mpm
def test_b28_the_very_same_message_again_gives_the_very_same_certificate(site, ask, client):
    first, before = ask("retry"), issued(site)
    again = client.send(first.message)
    assert first.ok and again.ok, again.summary()
    assert pki.der(again.certificate) == pki.der(first.certificate) and issued(site) == before
    assert again.sender_nonce != first.sender_nonce


def test_b28_also_when_it_comes_several_times_at_once(site, client):
    message = message_of(site, client, "twice", site.challenge())

    def send(_):
        http = web.Client(site.keys.tls_ca_file, timeout=60)
        try:
            return scep.Result(http.post(client.query("PKIOperation"), message.raw), message, client.authorities)
        finally:
            http.close()
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(send, range(4)))
    assert all(one.ok for one in results), [one.summary() for one in results]
    assert len({pki.der(one.certificate) for one in results}) == 1


def costs(site, send):
    """(statements, RSA private operations) of the one request that send() makes, by the access log."""
    def lines():
        with open(site.path("access.log")) as source:
            return [line.split()[-2:] for line in source if "/mdm/scep?operation=PKIOperation" in line]
    before = len(lines())
    assert send().ok
    return tuple(int(one) for one in wait_until(lambda: lines()[before:], what="the access log")[0])


def test_a_pkcsreq_costs_at_most_six_statements_and_three_private_operations(site, client):
    client.get_ca_cert()
    plain, challenge = message_of(site, client, "cost", site.challenge()), site.challenge()
    site.database.sql("UPDATE mdm_challenge SET session = 4711 WHERE sha256 = '%s'"
                      % cms.digest("sha256", challenge.encode()).hex())
    in_session = message_of(site, client, "cost", challenge)
    assert costs(site, lambda: client.send(plain)) == (5, 3)
    assert costs(site, lambda: client.send(in_session)) == (6, 3)
    assert costs(site, lambda: client.send(plain)) == (1, 2), "what was issued is issued no second time"


def test_a_copy_of_each_certificate_is_kept(site, ask):
    certificate = ask("kept-copy").certificate
    shown = site.ctl("certificate", "show", "%032x" % certificate.serial_number).stdout
    assert "kept-copy" in shown and pki.pem(certificate).split("\n")[1] in shown


@pytest.mark.once
def test_the_certificate_remembers_its_ca_and_its_challenge(site, ask):
    challenge = site.challenge()
    serial = "%032x" % ask("paid", challenge=challenge).certificate.serial_number
    row = site.database.sql("SELECT issuer, challenge FROM mdm_certificate WHERE serial = '%s'" % serial)[0]
    assert list(row) == [cms.digest("sha256", pki.der(ca_of(site))).hex(),
                         cms.digest("sha256", challenge.encode()).hex()]
