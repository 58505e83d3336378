# SPDX-License-Identifier: Apache-2.0
"""A SCEP client (RFC 8894): asks for capabilities and CA, sends PKCSReq, RenewalReq, CertPoll, GetCert and
GetCRL, opens the answers. Every part of a request can be made wrong, for tests of refusals."""

import base64
import os
import urllib.parse

from cryptography import x509

from . import cms, der, pki, web

MESSAGE_TYPE = "2.16.840.1.113733.1.9.2"
PKI_STATUS = "2.16.840.1.113733.1.9.3"
FAIL_INFO = "2.16.840.1.113733.1.9.4"
SENDER_NONCE = "2.16.840.1.113733.1.9.5"
RECIPIENT_NONCE = "2.16.840.1.113733.1.9.6"
TRANSACTION_ID = "2.16.840.1.113733.1.9.7"
FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1"

CERT_REP, RENEWAL_REQ, UPDATE_REQ, PKCS_REQ, CERT_POLL, GET_CERT, GET_CRL = 3, 17, 18, 19, 20, 21, 22
SUCCESS, FAILURE, PENDING = 0, 2, 3
BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST, BAD_TIME, BAD_CERT_ID = range(5)


class ScepError(Exception):
    """The server refused, or its answer cannot be right; .result has what was read, if anything."""

    def __init__(self, text, result=None):
        super().__init__(text)
        self.result = result


class Message:
    """A request ready to send, with what is needed to open the answer."""

    def __init__(self, raw, signer, key, transaction_id, sender_nonce):
        self.raw, self.signer, self.key = raw, signer, key
        self.transaction_id, self.sender_nonce = transaction_id, sender_nonce


def build(content, signer, key, recipient, message_type=PKCS_REQ, transaction_id=None, sender_nonce=None,
          cipher="aes128", digest="sha256", ber=False, omit=(), extra_attributes=(), break_signature=False,
          break_digest=False, break_padding=False, certificates=None, signing_time=True, skip=(),
          extra_recipients=(), break_rsa=False, recipient_infos=None):
    """Build a pkiMessage around content (a PKCS#10 request or another element, encoded).

    signer, key: who signs and will open the answer. recipient: the CA (or RA) certificate.
    message_type: number or any text. omit: names out of messageType, senderNonce, transactionID.
    The other options are those of cms.sign and cms.envelope."""
    if transaction_id is None:
        transaction_id = cms.digest("sha256", pki.der(signer)).hex()
    if sender_nonce is None:
        sender_nonce = os.urandom(16)
    attributes = {"messageType": cms.attribute(MESSAGE_TYPE, der.printable(str(message_type))),
                  "senderNonce": cms.attribute(SENDER_NONCE, der.octets(sender_nonce)),
                  "transactionID": cms.attribute(TRANSACTION_ID, der.printable(transaction_id))}
    sealed = cms.envelope(content, recipient, cipher, ber, break_padding, extra_recipients, break_rsa,
                          recipient_infos)
    raw = cms.sign(sealed, signer, key, digest, ber=ber, break_signature=break_signature,
                   break_digest=break_digest, certificates=certificates, signing_time=signing_time, skip=skip,
                   attributes=[one for name, one in attributes.items() if name not in omit]
                   + list(extra_attributes))
    return Message(raw, signer, key, transaction_id, sender_nonce)


class Result:
    """What a PKIOperation brought.

    http_status, content_type, raw: the HTTP answer. Read from a CertRep (None when there was none):
    status, fail_info, fail_text, message_type, transaction_id, sender_nonce, recipient_nonce, signature_ok
    (against the CA), signature_oid, digest, attributes_sorted, recipients, cipher, certificates, certificate
    (the first), crls. problem: why the answer could not be read or does not answer the request."""

    def __init__(self, reply, message, authorities):
        self.reply, self.message = reply, message
        self.http_status, self.content_type, self.raw = reply.status, reply.content_type, reply.body
        for name in ("status", "fail_info", "fail_text", "message_type", "transaction_id", "sender_nonce",
                     "recipient_nonce", "signature_ok", "signature_oid", "digest", "attributes_sorted",
                     "cipher", "certificate", "problem"):
            setattr(self, name, None)
        self.recipients, self.certificates, self.crls = [], [], []
        if reply.status == 200:
            try:
                self._read(authorities)
            except (ValueError, IndexError, AttributeError, TypeError) as error:
                self.problem = "unreadable CertRep: %s" % error
        else:
            self.problem = "HTTP %d" % reply.status

    @property
    def ok(self):
        """A SUCCESS that is signed by the CA and belongs to the request."""
        return self.status == SUCCESS and not self.problem

    def _read(self, authorities):
        signed = cms.SignedData(self.raw)
        if len(signed.signers) != 1:
            raise ValueError("%d SignerInfos" % len(signed.signers))
        signer = signed.signers[0]
        self._read_attributes(signer)
        judges = [one for one in authorities if signer.matches(one)]
        self.signature_ok = any(signer.verify(one, signed.content or b"") for one in judges)
        if not self.signature_ok:
            self.problem = "CertRep is not signed by the CA"
        elif self.transaction_id != self.message.transaction_id:
            self.problem = "CertRep has another transactionID"
        elif self.recipient_nonce != self.message.sender_nonce:
            self.problem = "recipientNonce is not our senderNonce"
        if self.status == SUCCESS:
            self._open(signed.content)

    def _read_attributes(self, signer):
        def value(oid):
            found = signer.attributes.get(oid)
            return found[0] if found else None

        def number(oid):
            return int(value(oid).text()) if value(oid) is not None else None

        def octets(oid):
            return value(oid).octets() if value(oid) is not None else None

        def text(oid):
            return value(oid).text() if value(oid) is not None else None

        self.signer = signer
        self.signature_oid, self.digest = signer.signature_oid, signer.digest
        self.attributes_sorted = signer.sorted
        self.message_type, self.status = number(MESSAGE_TYPE), number(PKI_STATUS)
        self.fail_info, self.fail_text = number(FAIL_INFO), text(FAIL_INFO_TEXT)
        self.transaction_id = text(TRANSACTION_ID)
        self.sender_nonce, self.recipient_nonce = octets(SENDER_NONCE), octets(RECIPIENT_NONCE)

    def _open(self, content):
        enveloped = cms.EnvelopedData(content)
        self.recipients, self.cipher = enveloped.recipients, enveloped.cipher
        inner = cms.SignedData(enveloped.open(self.message.signer, self.message.key))
        self.certificates, self.crls = inner.certificates, inner.crls
        self.certificate = inner.certificates[0] if inner.certificates else None

    def summary(self):
        """A dict for a log."""
        shown = {name: getattr(self, name) for name in (
            "http_status", "status", "fail_info", "fail_text", "transaction_id", "cipher", "digest", "problem")}
        if self.certificate:
            shown["serial"] = "%x" % self.certificate.serial_number
        return shown


class ScepClient:
    """A SCEP client for one URL. ca_name goes out as the message parameter of GetCACaps and GetCACert."""

    def __init__(self, url, ca_file=None, ca_name=None, http=None, fingerprint=None):
        self.url, self.ca_name, self.fingerprint = url, ca_name, fingerprint
        self.http = http or web.Client(ca_file)
        self.caps, self.authorities = None, None

    def query(self, operation, **parameters):
        """The URL of one operation; parameters are percent-encoded."""
        fields = {"operation": operation, **parameters}
        return self.url + ("&" if "?" in self.url else "?") + urllib.parse.urlencode(fields)

    def _get(self, operation):
        named = {"message": self.ca_name} if self.ca_name is not None else {}
        reply = self.http.get(self.query(operation, **named))
        if not reply.ok:
            raise ScepError("%s: HTTP %d" % (operation, reply.status))
        return reply

    def get_ca_caps(self):
        """The capability keywords as a list."""
        self.caps = [line.strip() for line in self._get("GetCACaps").text.splitlines() if line.strip()]
        return self.caps

    def get_ca_cert(self):
        """The CA certificates, the CA first; checks the pinned fingerprint (SHA-1 or SHA-256, bytes)."""
        reply = self._get("GetCACert")
        if reply.content_type == "application/x-x509-ca-cert":
            found = [x509.load_der_x509_certificate(reply.body)]
        elif reply.content_type == "application/x-x509-ca-ra-cert":
            found = cms.SignedData(reply.body).certificates
        else:
            raise ScepError("GetCACert answered with type %r" % reply.content_type)
        if self.fingerprint:
            kind = "sha1" if len(self.fingerprint) == 20 else "sha256"
            if not any(cms.digest(kind, pki.der(one)) == self.fingerprint for one in found):
                raise ScepError("the CA certificate does not have the pinned fingerprint")
        self.authorities = found
        return found

    @property
    def recipient(self):
        """The certificate to encrypt to: the one whose key usage allows it."""
        if self.authorities is None:
            self.get_ca_cert()
        for one in self.authorities:
            try:
                if one.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment:
                    return one
            except x509.ExtensionNotFound:
                return one
        raise ScepError("no CA certificate allows keyEncipherment")

    def get_next_ca_cert(self):
        """The certificates of the CA to come; ScepError unless a present CA or RA signed the answer."""
        reply = self._get("GetNextCACert")
        if reply.content_type != "application/x-x509-next-ca-cert":
            raise ScepError("GetNextCACert answered with type %r" % reply.content_type)
        signed = cms.SignedData(reply.body)
        if len(signed.signers) != 1 or not any(
                signed.signers[0].matches(one) and signed.signers[0].verify(one, signed.content)
                for one in self.authorities or self.get_ca_cert()):
            raise ScepError("GetNextCACert is not signed by the present CA")
        return cms.SignedData(signed.content).certificates

    def send(self, message, method="POST", content_type="application/x-pki-message"):
        """Send a Message (or raw octets by post()) by POST or GET and read the answer."""
        if method == "GET":
            reply = self.http.get(self.query("PKIOperation", message=base64.b64encode(message.raw).decode()))
        else:
            reply = self.post(message.raw, content_type)
        return Result(reply, message, self.authorities or [])

    def post(self, raw, content_type="application/x-pki-message"):
        """POST octets as a PKIOperation and return the plain Reply: for hostile input."""
        headers = {"Content-Type": content_type} if content_type else {}
        return self.http.post(self.query("PKIOperation"), raw, headers)

    def enrol(self, subject="O=Test, CN=device", challenge=None, key=None, signer=None, signer_key=None,
              method="POST", csr=None, csr_key=None, csr_options=None, break_csr=False, recipient=None,
              **options):
        """PKCSReq with a self-signed signer (or the given one). Returns a Result; result.key is the key.

        csr_key: key of the request when it must differ from the signer's. csr: a request ready made (DER).
        break_csr: spoil the request's own signature. csr_options: for pki.request. options: for build()."""
        if signer is None:
            key = key or pki.new_key()
            signer_key = signer_key or key
            signer = pki.self_signed(subject, signer_key)
        key = csr_key or key or signer_key
        if csr is None:
            csr = pki.der(pki.request(key, subject, challenge, **(csr_options or {})))
        if break_csr:
            csr = csr[:-1] + bytes((csr[-1] ^ 1,))
        authority = self.recipient
        message = build(csr, signer, signer_key, recipient or authority, **options)
        result = self.send(message, method)
        result.key = key
        return result

    def renew(self, certificate, key, new_key=None, message_type=RENEWAL_REQ, **options):
        """RenewalReq: a new key under the subject of the present certificate, which signs the request."""
        options.setdefault("subject", certificate.subject)
        return self.enrol(signer=certificate, signer_key=key, csr_key=new_key or pki.new_key(),
                          message_type=message_type, **options)

    def poll(self, transaction_id, subject, signer, key, **options):
        """CertPoll for an earlier request."""
        content = der.sequence(self.recipient.subject.public_bytes(), pki.name(subject).public_bytes())
        return self._ask(content, CERT_POLL, signer, key, transaction_id=transaction_id, **options)

    def get_cert(self, serial, signer, key, issuer=None, **options):
        """GetCert for a serial number (of this CA unless issuer, a Name, says otherwise)."""
        return self._ask(self._issuer_and_serial(serial, issuer), GET_CERT, signer, key, **options)

    def get_crl(self, serial, signer, key, issuer=None, **options):
        return self._ask(self._issuer_and_serial(serial, issuer), GET_CRL, signer, key, **options)

    def _issuer_and_serial(self, serial, issuer):
        return der.sequence((issuer or self.recipient.subject).public_bytes(), der.integer(serial))

    def _ask(self, content, message_type, signer, key, method="POST", **options):
        return self.send(build(content, signer, key, self.recipient, message_type, **options), method)
