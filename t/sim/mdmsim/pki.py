# SPDX-License-Identifier: Apache-2.0
"""Keys, certificates and certificate requests made while tests run: test authorities, TLS server
and push certificates, device requests. Nothing here is kept between runs unless a caller saves it."""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID, NameOID

from . import der as asn1

SHORT_NAMES = {
    "CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME, "L": NameOID.LOCALITY_NAME, "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "UID": NameOID.USER_ID, "SERIALNUMBER": NameOID.SERIAL_NUMBER, "E": NameOID.EMAIL_ADDRESS,
    "DC": NameOID.DOMAIN_COMPONENT,
}
DIGESTS = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384,
           "sha512": hashes.SHA512}

SIGNATURE_OIDS = {"md5": "1.2.840.113549.1.1.4", "sha1": "1.2.840.113549.1.1.5", "sha256": "1.2.840.113549.1.1.11"}


def new_key(bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def name(text_or_rdns):
    """A Name from "O=Example, CN=device", or from a SCEP payload's Subject [[["O", "Example"]], …]."""
    if isinstance(text_or_rdns, x509.Name):
        return text_or_rdns
    rdns = text_or_rdns
    if isinstance(rdns, str):
        rdns = [[part.strip().split("=", 1)] for part in rdns.split(",") if part.strip()]
    return x509.Name([
        x509.RelativeDistinguishedName([x509.NameAttribute(_name_oid(kind), value) for kind, value in rdn])
        for rdn in rdns])


def _name_oid(kind):
    return SHORT_NAMES.get(kind.upper()) or x509.ObjectIdentifier(kind)


def pem(obj):
    """PEM text of a certificate, a request or a private key (unencrypted, PKCS#8)."""
    if hasattr(obj, "private_bytes"):
        return obj.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption()).decode()
    return obj.public_bytes(serialization.Encoding.PEM).decode()


def der(obj):
    return obj.public_bytes(serialization.Encoding.DER)


def load_certificate(data):
    data = data.encode() if isinstance(data, str) else data
    if data.lstrip().startswith(b"-----"):
        return x509.load_pem_x509_certificate(data)
    return x509.load_der_x509_certificate(data)


def load_certificates(text):
    """Every certificate of a PEM text."""
    mark = "-----END CERTIFICATE-----"
    return [load_certificate(part[part.index("-----BEGIN"):] + mark) for part in text.split(mark)[:-1]]


def load_key(data):
    return serialization.load_pem_private_key(data.encode() if isinstance(data, str) else data, None)


def same_key(certificate, key):
    """Whether a certificate (or request) and a private key belong together."""
    return certificate.public_key().public_numbers() == key.public_key().public_numbers()


def subject_uid(certificate):
    """The UID of the subject, which in a push certificate is the topic; None without one."""
    found = certificate.subject.get_attributes_for_oid(NameOID.USER_ID)
    return found[0].value if found else None


def _lifetime(builder, not_before, not_after):
    now = datetime.datetime.utcnow()
    return (builder.not_valid_before(not_before or now - datetime.timedelta(hours=1))
            .not_valid_after(not_after or now + datetime.timedelta(days=90)))


def self_signed(subject, key, digest="sha256", not_before=None, not_after=None, serial=None):
    """The throw-away certificate with which a SCEP client signs its first request."""
    subject = name(subject)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
               .public_key(key.public_key()).serial_number(serial or x509.random_serial_number())
               .add_extension(_key_usage(), critical=True))
    return _lifetime(builder, not_before, not_after).sign(key, DIGESTS[digest]())


def _key_usage(ca=False):
    return x509.KeyUsage(digital_signature=True, content_commitment=False, key_encipherment=True,
                         data_encipherment=False, key_agreement=False, key_cert_sign=ca, crl_sign=ca,
                         encipher_only=False, decipher_only=False)


def request(key, subject, challenge=None, digest="sha256", names=(), extensions=(), challenge_tag=None):
    """A PKCS#10 request; names are DNS names, extensions are (extension, critical) pairs.

    challenge_tag is the ASN.1 string type of the challenge as a cryptography _ASN1Type, or None for UTF8."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(name(subject))
    if challenge is not None:
        value = challenge.encode() if isinstance(challenge, str) else challenge
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, value, _tag=challenge_tag)
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host) for host in names]), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, DIGESTS[digest]())


def raw_request(key, subject, *attributes, digest="sha256"):
    """A PKCS#10 request (DER) with its attributes as they are given, encoded and in this order."""
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    subject = subject if isinstance(subject, bytes) else name(subject).public_bytes()
    body = asn1.sequence(asn1.integer(0), subject, spki, asn1.tlv(0xA0, *attributes))
    signature = key.sign(body, padding.PKCS1v15(), DIGESTS[digest]())
    algorithm = asn1.sequence(asn1.oid(SIGNATURE_OIDS[digest]), asn1.null())
    return asn1.sequence(body, algorithm, asn1.tlv(0x03, b"\0", signature))


def challenge_attribute(value, kind=asn1.utf8):
    """A challengePassword attribute; kind encodes its text."""
    return asn1.sequence(asn1.oid("1.2.840.113549.1.9.7"), asn1.set_of(kind(value)))


def extensions_attribute(*extensions):
    """An extensionRequest attribute of (OID, critical, value octets)."""
    return asn1.sequence(asn1.oid("1.2.840.113549.1.9.14"), asn1.set_of(asn1.sequence(*[
        asn1.sequence(asn1.oid(one), *([asn1.tlv(0x01, b"\xff")] if critical else []), asn1.octets(value))
        for one, critical, value in extensions])))


class Authority:
    """A root CA for tests."""

    def __init__(self, subject="O=Test, CN=Test root", bits=2048):
        self.key = new_key(bits)
        self.name = name(subject)
        builder = (x509.CertificateBuilder().subject_name(self.name).issuer_name(self.name)
                   .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                   .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                   .add_extension(_key_usage(ca=True), critical=True))
        self.certificate = _lifetime(builder, None, None).sign(self.key, hashes.SHA256())

    def issue(self, subject, key=None, usage=None, hosts=(), not_before=None, not_after=None, public_key=None):
        """Issue a certificate; usage is "client", "server" or None. Returns (certificate, key)."""
        if public_key is None:
            key = key or new_key()
            public_key = key.public_key()
        builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(self.name)
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                   .add_extension(_key_usage(), critical=True))
        if usage:
            wanted = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}
            builder = builder.add_extension(x509.ExtendedKeyUsage([wanted[usage]]), critical=False)
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        return _lifetime(builder, not_before, not_after).sign(self.key, hashes.SHA256()), key

    def push_certificate(self, topic="com.apple.mgmt.External.00000000-0000-0000-0000-000000000001", **options):
        """A certificate shaped like Apple's push certificates. Returns (certificate, key)."""
        return self.issue([[["UID", topic]], [["CN", "APSP:" + topic.rsplit(".", 1)[-1]]], [["C", "US"]]],
                          usage="client", **options)

    def server_certificate(self, hosts=("localhost", "127.0.0.1"), **options):
        return self.issue("CN=" + hosts[0], usage="server", hosts=hosts, **options)


def _general_name(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def write_pem(path, *objects, private=False):
    """Write objects as one PEM file and return its path as text; private files are for the owner alone."""
    with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600 if private else 0o644)) as out:
        out.write("".join(pem(obj) for obj in objects))
    return str(path)
