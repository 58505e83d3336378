# SPDX-License-Identifier: Apache-2.0
"""CMS (RFC 5652) as far as MDM and SCEP need it: SignedData with attributes, EnvelopedData for one RSA
recipient, readers for both. Written by hand because the tests need wrong messages as well as right ones."""

import datetime
import os

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from . import der, pki

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
ENVELOPED_DATA = "1.2.840.113549.1.7.3"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
ECDSA_OIDS = {"sha1": "1.2.840.10045.4.1", "sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3",
              "sha512": "1.2.840.10045.4.3.4"}

DIGEST_OIDS = {"md5": "1.2.840.113549.2.5", "sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1",
               "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}
CIPHER_OIDS = {"des": "1.3.14.3.2.7", "des3": "1.2.840.113549.3.7", "aes128": "2.16.840.1.101.3.4.1.2",
               "aes192": "2.16.840.1.101.3.4.1.22", "aes256": "2.16.840.1.101.3.4.1.42"}
KEY_SIZES = {"des": 8, "des3": 24, "aes128": 16, "aes192": 24, "aes256": 32}
_DIGEST_NAMES = {value: key for key, value in DIGEST_OIDS.items()}
_CIPHER_NAMES = {value: key for key, value in CIPHER_OIDS.items()}


def digest(kind, data):
    state = hashes.Hash(pki.DIGESTS[kind]())
    state.update(data)
    return state.finalize()


def attribute(oid, *values):
    """One Attribute; values are encoded elements."""
    return der.sequence(der.oid(oid), der.set_of(*values))


def _issuer_and_serial(certificate):
    return der.sequence(certificate.issuer.public_bytes(), der.integer(certificate.serial_number))


def _algorithm(oid, parameters=None):
    return der.sequence(der.oid(oid), der.null() if parameters is None else parameters)


def sign(content, certificate, key, digest_name="sha256", detached=False, certificates=None, ber=False, **options):
    """A SignedData by one signer.

    certificates: what to include, default the signer's alone. ber: indefinite lengths and content in pieces.
    content None with detached False makes eContent absent (SCEP failures). options: those of signer_info."""
    signer = signer_info(content, certificate, key, digest_name, **options)
    included = [certificate] if certificates is None else certificates
    return signed_data(None if detached else content, [signer], [pki.der(one) for one in included],
                       [digest_name], ber)


def signer_info(content, certificate, key, digest_name="sha256", attributes=(), signing_time=True,
                break_signature=False, break_digest=False, skip=()):
    """One SignerInfo, encoded.

    attributes: extra encoded Attributes. signing_time: True for now, a datetime (UTC), or None to leave the
    attribute out. break_signature, break_digest: spoil that part. skip: OIDs of standard attributes to leave
    out; skip None: no signed attributes at all."""
    hashed = digest(digest_name, content or b"")
    if break_digest:
        hashed = bytes((hashed[0] ^ 1,)) + hashed[1:]
    signed = {CONTENT_TYPE: attribute(CONTENT_TYPE, der.oid(DATA)),
              MESSAGE_DIGEST: attribute(MESSAGE_DIGEST, der.octets(hashed))}
    if signing_time:
        when = datetime.datetime.utcnow() if signing_time is True else signing_time
        signed[SIGNING_TIME] = attribute(SIGNING_TIME, der.utc_time(when))
    body = b"".join(sorted([value for oid, value in signed.items() if oid not in (skip or ())] + list(attributes)))
    covered = (content or b"") if skip is None else der.tlv(der.SET, body)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = der.sequence(der.oid(ECDSA_OIDS[digest_name]))
        signature = key.sign(covered, ec.ECDSA(pki.DIGESTS[digest_name]()))
    else:
        algorithm = _algorithm(RSA_ENCRYPTION)
        signature = key.sign(covered, padding.PKCS1v15(), pki.DIGESTS[digest_name]())
    if break_signature:
        signature = signature[:-1] + bytes((signature[-1] ^ 1,))
    return der.sequence(
        der.integer(1), _issuer_and_serial(certificate), _algorithm(DIGEST_OIDS[digest_name]),
        *([] if skip is None else [der.tlv(0xA0, body)]), algorithm, der.octets(signature))


def signed_data(content, signers=(), certificates=(), digests=(), ber=False):
    """Assemble a ContentInfo with SignedData from encoded SignerInfos and certificates."""
    wrap = der.indefinite if ber else der.tlv
    string = der.octets_chunked if ber else der.octets
    inner = [der.oid(DATA)]
    if content is not None:
        inner.append(wrap(0xA0, string(content)))
    parts = [der.integer(1), der.set_of(*[_algorithm(DIGEST_OIDS[one]) for one in digests]),
             wrap(der.SEQUENCE, *inner)]
    if certificates:
        parts.append(wrap(0xA0, *certificates))
    parts.append(wrap(der.SET, *signers))
    return wrap(der.SEQUENCE, der.oid(SIGNED_DATA), wrap(0xA0, wrap(der.SEQUENCE, *parts)))


def _cipher(kind, secret, vector):
    if kind in ("des", "des3"):
        # single DES is Triple DES with one key three times
        return Cipher(algorithms.TripleDES(secret * 3 if kind == "des" else secret), modes.CBC(vector))
    return Cipher(algorithms.AES(secret), modes.CBC(vector))


def envelope(content, recipient, cipher="aes128", ber=False, break_padding=False, extra_recipients=(),
             break_rsa=False, recipient_infos=None):
    """An EnvelopedData for a certificate's RSA key. break_padding spoils the last block of the content, break_rsa
    the padding below RSA. recipient_infos: encoded RecipientInfos in place of the right ones."""
    secret, vector = os.urandom(KEY_SIZES[cipher]), os.urandom(8 if cipher.startswith("des") else 16)
    encryptor = _cipher(cipher, secret, vector).encryptor()
    padder = block_padding.PKCS7(len(vector) * 8).padder()
    padded = padder.update(content) + padder.finalize()
    if break_padding:
        padded = padded[:-1] + b"\xff"
    data = encryptor.update(padded) + encryptor.finalize()
    wrap = der.indefinite if ber else der.tlv
    infos = [der.sequence(der.integer(0), _issuer_and_serial(one), _algorithm(RSA_ENCRYPTION),
                          der.octets(_encrypt(one, secret, break_rsa)))
             for one in (recipient, *extra_recipients)] if recipient_infos is None else recipient_infos
    sealed = wrap(0xA0, *_pieces(data)) if ber else der.tlv(0x80, data)
    inner = wrap(der.SEQUENCE, der.oid(DATA), _algorithm(CIPHER_OIDS[cipher], der.octets(vector)), sealed)
    enveloped = wrap(der.SEQUENCE, der.integer(0), wrap(der.SET, *infos), inner)
    return wrap(der.SEQUENCE, der.oid(ENVELOPED_DATA), wrap(0xA0, enveloped))


def _encrypt(certificate, secret, broken):
    if not broken:
        return certificate.public_key().encrypt(secret, padding.PKCS1v15())
    numbers = certificate.public_key().public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    block = b"\0\x03" + b"\x55" * (size - 3 - len(secret)) + b"\0" + secret
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(size, "big")


def _pieces(data, chunk=512):
    return [der.octets(data[at:at + chunk]) for at in range(0, len(data), chunk)]


class Signer:
    """One SignerInfo as read."""

    def __init__(self, node):
        self.issuer, self.serial = node[1][0].raw, node[1][1].integer()
        self.digest_oid = node[2][0].oid()
        self.digest = _DIGEST_NAMES.get(self.digest_oid)
        rest = node.children[3:]
        self._attributes = rest.pop(0) if rest[0].tag == 0xA0 else None
        self.signature_oid = rest[0][0].oid()
        self.signature = rest[1].octets()
        self.attributes = {}
        for item in self._attributes.children if self._attributes else ():
            self.attributes[item[0].oid()] = item[1].children

    @property
    def sorted(self):
        """Whether the signed attributes stand in DER order."""
        raws = [child.raw for child in self._attributes.children]
        return raws == sorted(raws)

    def matches(self, certificate):
        return (certificate.serial_number == self.serial
                and certificate.issuer.public_bytes() == self.issuer)

    def verify(self, certificate, content):
        """True when the signature by this certificate's key covers content."""
        covered = content
        if self._attributes is not None:
            stated = self.attributes.get(MESSAGE_DIGEST)
            if not stated or stated[0].octets() != digest(self.digest, content):
                return False
            covered = der.tlv(der.SET, self._attributes.content)
        try:
            certificate.public_key().verify(self.signature, covered, padding.PKCS1v15(),
                                            pki.DIGESTS[self.digest]())
        except InvalidSignature:
            return False
        return True


class SignedData:
    """A SignedData as read: content (None when absent), certificates, signers."""

    def __init__(self, data):
        outer = der.read(data)
        if outer[0].oid() != SIGNED_DATA:
            raise ValueError("not a SignedData: " + outer[0].oid())
        body = outer[1][0]
        inner = body[2]
        self.content = inner[1][0].octets() if len(inner) > 1 else None
        certificates = body.find(0xA0)
        self.certificates = [x509.load_der_x509_certificate(node.raw)
                             for node in (certificates.children if certificates else ())]
        crls = body.find(0xA1)
        self.crls = [x509.load_der_x509_crl(node.raw) for node in (crls.children if crls else ())]
        self.signers = [Signer(node) for node in body.children[-1].children]


class EnvelopedData:
    """An EnvelopedData as read: cipher, recipients as (issuer DER, serial) and the means to open it."""

    def __init__(self, data):
        outer = der.read(data)
        if outer[0].oid() != ENVELOPED_DATA:
            raise ValueError("not an EnvelopedData: " + outer[0].oid())
        body = outer[1][0]
        infos, inner = body.find(der.SET), body.find(der.SEQUENCE)
        self._infos = [info for info in infos.children if info.tag == der.SEQUENCE]
        self.recipients = [(info[1][0].raw, info[1][1].integer()) for info in self._infos]
        self.cipher_oid = inner[1][0].oid()
        self.cipher = _CIPHER_NAMES.get(self.cipher_oid)
        self._vector = inner[1][1].octets()
        self._data = inner[2].octets()

    def open(self, certificate, key):
        """The content, decrypted for this certificate; ValueError when it is no recipient."""
        wanted = (certificate.issuer.public_bytes(), certificate.serial_number)
        if wanted not in self.recipients:
            raise ValueError("the certificate is no recipient of this message")
        info = self._infos[self.recipients.index(wanted)]
        secret = key.decrypt(info[3].octets(), padding.PKCS1v15())
        decryptor = _cipher(self.cipher, secret, self._vector).decryptor()
        padded = decryptor.update(self._data) + decryptor.finalize()
        unpadder = block_padding.PKCS7(len(self._vector) * 8).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
