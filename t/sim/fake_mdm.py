# SPDX-License-Identifier: Apache-2.0
"""The least MDM server that a simulated device can enroll with: only for the tests of the simulators."""

import base64
import http.server
import plistlib
import threading
import urllib.parse
import uuid

from cryptography import x509

from mdmsim import cms, der, pki, scep

TOPIC = "com.apple.mgmt.External.fake"


class FakeMdm:
    """Plain HTTP on loopback. commands: the queue, (uuid, Command) pairs; messages: what devices sent."""

    def __init__(self):
        self.ca = pki.Authority("O=Fake, CN=Fake CA")
        self.challenge, self.commands, self.messages = "right-challenge", [], []
        self.signatures, self.refuse = [], {}
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def queue(self, request_type, **arguments):
        self.commands.append((str(uuid.uuid4()), {"RequestType": request_type, **arguments}))
        return self.commands[-1][0]

    # answers: (status, content type, body)

    def profile(self, headers):
        if headers.get("Authorization") != "Basic " + base64.b64encode(b"alice:secret").decode():
            return 401, "text/plain", b"sign in"
        payloads = [
            {"PayloadType": "com.apple.security.root", "PayloadUUID": "C",
             "PayloadContent": pki.der(self.ca.certificate)},
            {"PayloadType": "com.apple.security.scep", "PayloadUUID": "S", "PayloadContent": {
                "URL": self.url + "/scep", "Name": "fake", "Challenge": self.challenge, "Keysize": 2048,
                "CAFingerprint": cms.digest("sha1", pki.der(self.ca.certificate)),
                "Subject": [[["O", "Fake"]], [["CN", "phone"]]]}},
            {"PayloadType": "com.apple.mdm", "PayloadUUID": "M", "IdentityCertificateUUID": "S", "Topic": TOPIC,
             "ServerURL": self.url + "/connect", "CheckInURL": self.url + "/checkin", "SignMessage": True}]
        body = plistlib.dumps({"PayloadType": "Configuration", "PayloadVersion": 1, "PayloadUUID": "P",
                               "PayloadIdentifier": "org.fake.mdm", "PayloadContent": payloads})
        return 200, "application/x-apple-aspen-config", cms.sign(body, self.ca.certificate, self.ca.key)

    def scep(self, query, body):
        operation = query["operation"]
        if operation == "GetCACaps":
            return 200, "text/plain", b"AES\nSHA-256\nPOSTPKIOperation\nSCEPStandard\n"
        if operation == "GetCACert":
            return 200, "application/x-x509-ca-cert", pki.der(self.ca.certificate)
        return 200, "application/x-pki-message", self.certrep(body or base64.b64decode(query["message"]))

    def certrep(self, raw):
        message = cms.SignedData(raw)
        signer, certificate = message.signers[0], message.certificates[0]
        assert signer.verify(certificate, message.content)
        request = x509.load_der_x509_csr(cms.EnvelopedData(message.content).open(self.ca.certificate, self.ca.key))
        attribute = [one.value for one in request.attributes]
        attributes = [cms.attribute(scep.MESSAGE_TYPE, der.printable("3")),
                      cms.attribute(scep.TRANSACTION_ID, signer.attributes[scep.TRANSACTION_ID][0].raw),
                      cms.attribute(scep.RECIPIENT_NONCE, signer.attributes[scep.SENDER_NONCE][0].raw)]
        if self.challenge.encode() not in attribute:
            attributes += [cms.attribute(scep.PKI_STATUS, der.printable("2")),
                           cms.attribute(scep.FAIL_INFO, der.printable("2"))]
            return cms.sign(None, self.ca.certificate, self.ca.key, attributes=attributes)
        issued, _ = self.ca.issue(request.subject, public_key=request.public_key(), usage="client")
        attributes.append(cms.attribute(scep.PKI_STATUS, der.printable("0")))
        inner = cms.signed_data(None, certificates=[pki.der(issued)])
        return cms.sign(cms.envelope(inner, certificate), self.ca.certificate, self.ca.key, attributes=attributes)

    def device_message(self, path, headers, body):
        message = plistlib.loads(body)
        self.messages.append((path, message))
        self.signatures.append((headers.get("Mdm-Signature"), body))
        kind = message.get("MessageType") or message["Status"]
        if kind in self.refuse:
            return self.refuse[kind], "text/plain", b"refused"
        if path == "/checkin":
            return 200, "text/plain", b""
        if message["Status"] not in ("Idle", "NotNow"):
            self.commands = [one for one in self.commands if one[0] != message["CommandUUID"]]
        if self.commands and message["Status"] != "NotNow":
            found = {"CommandUUID": self.commands[0][0], "Command": self.commands[0][1]}
            return 200, "application/xml", plistlib.dumps(found)
        return 200, "application/xml", b""


def _handler(fake):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urllib.parse.urlsplit(self.path)
            if parts.path == "/enroll":
                status, kind, data = fake.profile(self.headers)
            elif parts.path == "/scep":
                status, kind, data = fake.scep(dict(urllib.parse.parse_qsl(parts.query)), body)
            else:
                status, kind, data = fake.device_message(parts.path, self.headers, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = _answer

        def log_message(self, *_):
            pass
    return Handler
