# SPDX-License-Identifier: Apache-2.0
"""Tests of the simulators, against openssl, curl and python3-h2; no part of the module is needed."""

import base64
import json
import os
import plistlib
import signal
import socket
import ssl
import subprocess
import sys
import time

import h2.config
import h2.connection
import h2.events
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from fake_mdm import TOPIC, FakeMdm  # noqa: E402
from mdmsim import answers, channel, cms, der, pki, scep, web  # noqa: E402
from mdmsim.apns import ApnsMock  # noqa: E402
from mdmsim.apns_control import ApnsControl, ApnsProcess  # noqa: E402
from mdmsim.apns_rules import DOCUMENTED  # noqa: E402
from mdmsim.device import Device, EnrollError  # noqa: E402
from mdmsim.wake import WakeServer  # noqa: E402


def openssl(*arguments, data=None, check=True):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True)
    if check:
        assert done.returncode == 0, done.stderr.decode()
    return done


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    """A CA with its files: .certificate .key .cert_file .key_file."""
    folder = tmp_path_factory.mktemp("ca")
    made = pki.Authority()
    made.cert_file = pki.write_pem(folder / "ca.pem", made.certificate)
    made.key_file = pki.write_pem(folder / "ca.key", made.key, private=True)
    return made


@pytest.fixture(scope="module")
def someone():
    key = pki.new_key()
    return pki.self_signed("O=Test, CN=phone", key), key


# DER and CMS

def test_der_reads_back_what_it_writes():
    for value in (0, 1, 127, 128, 255, 256, -1, -129, 1 << 127):
        assert der.read(der.integer(value)).integer() == value
    for dotted in ("1.2.840.113549.1.1.1", "2.16.840.1.113733.1.9.2", "2.999.1", "0.9.2342.19200300.100.1.1"):
        assert der.read(der.oid(dotted)).oid() == dotted
    assert der.read(der.octets_chunked(b"x" * 1000)).octets() == b"x" * 1000
    assert der.read(der.indefinite(der.SEQUENCE, der.integer(5), der.null()))[0].integer() == 5


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x05\x01", b"\x30\x80\x02\x01\x05", b"\x05\x00\x00"])
def test_der_refuses_broken_input(data):
    with pytest.raises(ValueError):
        der.read(data).children


@pytest.mark.parametrize("ber", [False, True])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_openssl_verifies_our_signed_data(someone, tmp_path, digest, ber):
    certificate, key = someone
    raw = cms.sign(b"content" * 200, certificate, key, digest, ber=ber)
    out = openssl("cms", "-verify", "-inform", "DER", "-noverify", "-binary", data=raw).stdout
    assert out == b"content" * 200
    broken = cms.sign(b"content", certificate, key, digest, ber=ber, break_signature=True)
    assert openssl("cms", "-verify", "-inform", "DER", "-noverify", data=broken, check=False).returncode
    broken = cms.sign(b"content", certificate, key, digest, ber=ber, break_digest=True)
    assert openssl("cms", "-verify", "-inform", "DER", "-noverify", data=broken, check=False).returncode


@pytest.mark.parametrize("ber", [False, True])
@pytest.mark.parametrize("cipher", ["des3", "aes128", "aes192", "aes256"])
def test_openssl_opens_our_enveloped_data(ca, cipher, ber):
    raw = cms.envelope(b"secret" * 300, ca.certificate, cipher, ber)
    out = openssl("cms", "-decrypt", "-inform", "DER", "-recip", ca.cert_file, "-inkey", ca.key_file, data=raw)
    assert out.stdout == b"secret" * 300


def test_single_des_is_what_openssl_calls_des(ca):
    raw = cms.envelope(b"secret", ca.certificate, "des")
    out = openssl("cms", "-decrypt", "-inform", "DER", "-recip", ca.cert_file, "-inkey", ca.key_file,
                  "-provider", "legacy", "-provider", "default", data=raw)
    assert out.stdout == b"secret"
    assert cms.EnvelopedData(raw).cipher == "des"


def test_we_read_openssls_cms(ca, tmp_path):
    signed = openssl("cms", "-sign", "-nodetach", "-binary", "-outform", "DER", "-signer", ca.cert_file,
                     "-inkey", ca.key_file, data=b"hello").stdout
    found = cms.SignedData(signed)
    assert found.content == b"hello" and found.certificates == [ca.certificate]
    assert found.signers[0].matches(ca.certificate) and found.signers[0].sorted
    assert found.signers[0].verify(ca.certificate, b"hello")
    assert not found.signers[0].verify(ca.certificate, b"hullo")
    sealed = openssl("cms", "-encrypt", "-binary", "-stream", "-outform", "DER", "-aes256", ca.cert_file,
                     data=b"hello" * 1000).stdout
    opened = cms.EnvelopedData(sealed)
    assert opened.cipher == "aes256" and opened.open(ca.certificate, ca.key) == b"hello" * 1000


# SCEP requests

@pytest.mark.parametrize("cipher,digest,ber", [("aes128", "sha256", False), ("aes256", "sha512", False),
                                               ("aes128", "sha256", True)])
def test_openssl_opens_our_scep_request(ca, someone, cipher, digest, ber):
    certificate, key = someone
    csr = pki.der(pki.request(key, "O=Test, CN=phone", "the challenge", names=["phone.example.com"]))
    message = scep.build(csr, certificate, key, ca.certificate, cipher=cipher, digest=digest, ber=ber)
    sealed = openssl("cms", "-verify", "-inform", "DER", "-noverify", "-binary", data=message.raw).stdout
    opened = openssl("cms", "-decrypt", "-inform", "DER", "-recip", ca.cert_file, "-inkey", ca.key_file,
                     data=sealed).stdout
    assert opened == csr
    text = openssl("req", "-inform", "DER", "-noout", "-text", "-verify", data=opened).stdout.decode()
    assert "the challenge" in text and "CN = phone" in text and "DNS:phone.example.com" in text
    shown = openssl("cms", "-cmsout", "-print", "-inform", "DER", "-noout", data=message.raw).stdout.decode()
    for oid, value in ((scep.MESSAGE_TYPE, "PRINTABLESTRING:19"), (scep.SENDER_NONCE, "OCTET STRING:"),
                       (scep.TRANSACTION_ID, "PRINTABLESTRING:" + message.transaction_id)):
        assert oid in shown and value in shown


def test_scep_requests_can_lack_attributes(ca, someone):
    certificate, key = someone
    message = scep.build(b"x", certificate, key, ca.certificate, omit=("transactionID", "senderNonce"),
                         message_type="019")
    found = cms.SignedData(message.raw).signers[0].attributes
    assert scep.TRANSACTION_ID not in found and scep.SENDER_NONCE not in found
    assert found[scep.MESSAGE_TYPE][0].text() == "019"


@pytest.fixture
def fake():
    with FakeMdm() as server:
        yield server


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_scep_client_enrols(fake, method):
    client = scep.ScepClient(fake.url + "/scep", ca_name="fake")
    assert "AES" in client.get_ca_caps()
    assert client.get_ca_cert() == [fake.ca.certificate]
    result = client.enrol("O=Test, CN=phone", fake.challenge, method=method)
    assert result.ok, result.summary()
    assert pki.same_key(result.certificate, result.key)
    assert result.signature_ok and result.cipher == "aes128" and result.attributes_sorted
    assert len(result.recipients) == 1


def test_scep_client_reports_refusals(fake):
    result = scep.ScepClient(fake.url + "/scep").enrol(challenge="wrong")
    assert (result.ok, result.status, result.fail_info) == (False, scep.FAILURE, scep.BAD_REQUEST)
    assert result.signature_ok and result.certificate is None


def test_scep_client_notices_a_wrong_answer(fake, monkeypatch):
    other = pki.Authority("CN=Other")
    right = fake.certrep
    monkeypatch.setattr(fake, "certrep", lambda raw: right(raw)[:-3] + b"xyz")
    assert not scep.ScepClient(fake.url + "/scep").enrol(challenge=fake.challenge).ok
    with pytest.raises(scep.ScepError):
        scep.ScepClient(fake.url + "/scep", fingerprint=cms.digest("sha256", pki.der(other.certificate))).get_ca_cert()


# the device

def verify_signature(header, body, tmp_path):
    (tmp_path / "body").write_bytes(body)
    return openssl("cms", "-verify", "-inform", "DER", "-content", str(tmp_path / "body"), "-binary", "-noverify",
                   data=base64.b64decode(header), check=False).returncode == 0


@pytest.mark.parametrize("options", [{}, {"signing_time": None}, {"digest": "sha1"}])
def test_openssl_verifies_the_mdm_signature(someone, tmp_path, options):
    header = channel.mdm_signature(b"the \r\n body\n", *someone, **options)
    assert "\n" not in header
    assert verify_signature(header, b"the \r\n body\n", tmp_path)
    assert not verify_signature(header, b"another body", tmp_path)


@pytest.fixture
def phone(fake, tmp_path):
    signer = pki.write_pem(tmp_path / "signer.pem", fake.ca.certificate)
    with Device(signer_ca_file=signer, state_dir=tmp_path / "phone") as device:
        device.enroll(fake.url + "/enroll", "alice", "secret")
        yield device


def test_device_enrolls(fake, phone, tmp_path):
    assert phone.profile.signed and phone.profile.trusted and phone.profile.signers == [fake.ca.certificate]
    assert phone.identity_mode == "both" and phone.topic == TOPIC and phone.state == "enrolled"
    (path, authenticate), (_, update) = fake.messages
    assert path == "/checkin" and authenticate["MessageType"] == "Authenticate"
    assert authenticate["UDID"] == phone.udid and authenticate["SerialNumber"] == phone.serial
    assert update["Token"] == phone.token and update["PushMagic"] == phone.push_magic
    assert all(verify_signature(*one, tmp_path) for one in fake.signatures)


def test_device_needs_a_trusted_profile_and_the_right_password(fake, tmp_path, ca):
    with Device(signer_ca_file=ca.cert_file) as device:
        with pytest.raises(EnrollError, match="trusted"):
            device.enroll(fake.url + "/enroll", "alice", "secret")
        with pytest.raises(web.HttpError, match="401"):
            device.enroll(fake.url + "/enroll", "alice", "wrong")
        assert not fake.messages
        device.enroll(fake.url + "/enroll", "alice", "secret", require_trusted=False)
        folder = device.state_dir
    assert not os.path.exists(folder)


def test_device_executes_commands(fake, phone):
    wanted = [fake.queue("DeviceInformation", Queries=["OSVersion", "SerialNumber", "Nonsense"]),
              fake.queue("RemoveProfile", Identifier="absent"), fake.queue("DeviceLock"),
              fake.queue("InstallProfile", Payload=plistlib.dumps(
                  {"PayloadIdentifier": "a.b", "PayloadUUID": "U", "PayloadContent": []})),
              fake.queue("ProfileList"), fake.queue("Whatever")]
    done = phone.connect()
    assert [one.uuid for one in done] == wanted
    assert done[0].report["QueryResponses"] == {"OSVersion": "18.1", "SerialNumber": phone.serial}
    assert done[1].status == "Error" and done[1].report["ErrorChain"][0]["ErrorCode"] == 12024
    listed = [one["PayloadIdentifier"] for one in done[4].report["ProfileList"]]
    assert listed == ["org.fake.mdm", "a.b"]
    assert [one.status for one in done[2:]] == ["Acknowledged"] * 4
    assert plistlib.loads(done[5].raw)["CommandUUID"] == wanted[5]
    assert phone.connect() == []


def test_device_follows_scripts(fake, phone):
    first = fake.queue("DeviceLock")
    phone.script("DeviceLock", "NotNow", times=1)
    assert [one.status for one in phone.connect()] == ["NotNow"]
    assert [(one.uuid, one.status) for one in phone.connect()] == [(first, "Acknowledged")]
    phone.script("*", answers.error(7, "D", "no"), times=1)
    phone.script("*", "CommandFormatError", times=1)
    phone.script("*", lambda device, command, uuid: {"Extra": command["RequestType"]}, times=1)
    for _ in range(4):
        fake.queue("SecurityInfo")
    done = phone.connect()
    assert [one.status for one in done] == ["Error", "CommandFormatError", "Acknowledged", "Acknowledged"]
    assert done[0].report["ErrorChain"][0]["ErrorDomain"] == "D"
    assert done[2].report["Extra"] == "SecurityInfo" and "SecurityInfo" in done[2].report


def test_device_state_survives(fake, phone, tmp_path):
    user = phone.user_channel("USER-1", "alice", "Alice")
    user.token_update()
    phone.save()
    again = Device.load(phone.state_dir)
    assert (again.udid, again.token, again.push_magic) == (phone.udid, phone.token, phone.push_magic)
    assert again.certificate == phone.certificate and pki.same_key(again.certificate, again.key)
    assert again.user_channel("USER-1", "alice").token == user.token
    again.checkout()
    assert fake.messages[-1][1] == {"MessageType": "CheckOut", "Topic": TOPIC, "UDID": phone.udid}
    assert Device.load(phone.state_dir).state == "left"


def test_device_channels_and_identities(fake, phone, tmp_path, ca):
    user = phone.user_channel("USER-1", "alice", "Alice")
    user.idle()
    assert fake.messages[-1][1] == {"Status": "Idle", "UDID": phone.udid, "UserID": "USER-1",
                                    "UserShortName": "alice", "UserLongName": "Alice"}
    assert user.id == phone.udid + ":USER-1" and phone.id == phone.udid
    phone.idle(identity="none")
    assert fake.signatures[-1][0] is None
    phone.idle(signature="bm9uc2Vuc2U=")
    assert fake.signatures[-1][0] == "bm9uc2Vuc2U="
    own = phone.certificate
    with phone.as_identity(*channel.other_identity("CN=stranger")):
        phone.idle()
    assert phone.certificate == own
    found = cms.SignedData(base64.b64decode(fake.signatures[-1][0])).certificates[0]
    assert found.subject.rfc4514_string() == "CN=stranger"
    with Device(enrollment_id="E1", signer_ca_file=False) as byod:
        byod.enroll(fake.url + "/enroll", "alice", "secret")
        assert byod.id == "E1" and byod.user_channel("U2").id == "E1:U2"
        sent = fake.messages[-2][1]
        assert sent["EnrollmentID"] == "E1" and "UDID" not in sent and "SerialNumber" not in sent


def test_device_renews_by_an_enrollment_profile(fake, phone):
    before = phone.certificate
    _, _, raw = fake.profile({"Authorization": web.basic_auth("alice", "secret")})
    fake.queue("InstallProfile", Payload=raw)
    assert [one.status for one in phone.connect()] == ["Acknowledged"]
    assert phone.certificate != before
    assert [one[1].get("MessageType") for one in fake.messages[-3:-1]] == ["Authenticate", "TokenUpdate"]


def test_device_reports_refused_messages(fake, phone):
    fake.refuse["TokenUpdate"] = 503
    with pytest.raises(web.HttpError) as caught:
        phone.token_update()
    assert caught.value.reply.status == 503
    assert phone.token_update(check=False).status == 503


# the push service

PUSH = "com.apple.mgmt.External.t1"


@pytest.fixture(scope="module")
def push_identity(ca, tmp_path_factory):
    folder = tmp_path_factory.mktemp("push")
    certificate, key = ca.push_certificate(PUSH)
    return pki.write_pem(folder / "push.pem", certificate), pki.write_pem(folder / "push.key", key)


@pytest.fixture(scope="module")
def running(ca):
    with ApnsMock(client_ca=ca.cert_file) as mock:
        yield mock


@pytest.fixture
def apns(running):
    running.clear(wakes=True)
    running.limit_streams(1000)
    return running


def curl(mock, identity, *more, token="00ffaa", body='{"mdm":"M1"}', topic=PUSH, kind="mdm", path=None, check=True):
    """Push with curl; returns (status, headers, body text)."""
    command = ["curl", "-sS", "-i", "--max-time", "20", "--http2", "--cacert", mock.ca_file, "--data-binary", body]
    if identity:
        command += ["--cert", identity[0], "--key", identity[1]]
    for name, value in (("apns-topic", topic), ("apns-push-type", kind)):
        command += ["-H", "%s: %s" % (name, value)] if value else []
    done = subprocess.run(command + list(more) + [mock.url + (path or "/3/device/" + token)],
                          capture_output=True, text=True)
    if not check:
        return done
    assert done.returncode == 0, done.stderr
    head, _, text = done.stdout.partition("\n\n" if "\n\n" in done.stdout else "\r\n\r\n")
    lines = head.splitlines()
    assert lines[0].startswith("HTTP/2 ")
    return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line), text


def test_apns_accepts_a_push(apns, push_identity):
    wanted = "8fc5e9f0-9a0b-4d3c-8a3e-0123456789ab"
    status, headers, body = curl(apns, push_identity, "-H", "apns-id: " + wanted)
    assert (status, headers["apns-id"], body) == (200, wanted, "")
    status, headers, _ = curl(apns, push_identity, body='{"mdm":"M\\u0032"}')
    assert status == 200 and len(headers["apns-id"]) == 36
    first, second = apns.pushes()
    assert (first.token, first.magic, first.topic, first.status) == ("00ffaa", "M1", PUSH, 200)
    assert second.magic == "M2" and first.connection != second.connection
    assert first.header_dict()["apns-push-type"] == "mdm"
    assert apns.stats()["statuses"] == {"200": 2} and not apns.violations
    assert apns.pushes(magic="M2") == [second]


@pytest.mark.parametrize("wrong,status,reason", [
    ({"topic": "com.apple.mgmt.External.t2"}, 400, "TopicDisallowed"), ({"topic": None}, 400, "MissingTopic"),
    ({"kind": "alert"}, 400, "InvalidPushType"), ({"token": "00FFAA"}, 400, "BadDeviceToken"),
    ({"token": "abc"}, 400, "BadDeviceToken"), ({"token": ""}, 400, "MissingDeviceToken"),
    ({"path": "/4/device/00"}, 404, "BadPath"), ({"body": ""}, 400, "PayloadEmpty"),
    ({"body": '{"mdm":"M","aps":{}}'}, 400, "PayloadEmpty"),
    ({"body": '{"mdm":"%s"}' % ("x" * 4096)}, 413, "PayloadTooLarge")])
def test_apns_refuses_wrong_requests(apns, push_identity, wrong, status, reason):
    got, _, body = curl(apns, push_identity, **wrong)
    assert (got, json.loads(body)) == (status, {"reason": reason})
    assert apns.violations == ["push refused: " + reason]
    assert apns.pushes()[0].reason == reason


def test_apns_refuses_wrong_headers_and_methods(apns, push_identity):
    for more, reason in ((("-X", "PUT"), "MethodNotAllowed"), (("-H", "apns-priority: 7"), "BadPriority"),
                         (("-H", "apns-id: X"), "BadMessageId"), (("-H", "apns-expiration: soon"), "BadExpirationDate"),
                         (("-H", "apns-topic: " + PUSH), "DuplicateHeaders")):
        assert json.loads(curl(apns, push_identity, *more)[2])["reason"] == reason


@pytest.mark.parametrize("status,reason", [(s, r) for s, reasons in DOCUMENTED.items() for r in reasons])
def test_apns_gives_every_documented_answer(apns, push_identity, status, reason):
    apns.answer(reason=reason, timestamp=1700000000, retry_after=120 if status == 503 else None)
    got, headers, body = curl(apns, push_identity)
    content = json.loads(body)
    assert (got, content["reason"]) == (status, reason)
    assert content.get("timestamp") == (1700000000000 if status == 410 else None)
    assert headers.get("retry-after") == ("120" if status == 503 else None)
    assert curl(apns, push_identity)[0] == 200


def test_apns_rules_have_targets(apns, push_identity):
    apns.answer(503, default=True)
    apns.answer(410, token="aa", times=1)
    apns.answer(429, magic="M9", times=2)
    apns.answer(500, times=2)
    assert [curl(apns, push_identity, token="aa")[0] for _ in range(4)] == [410, 500, 500, 503]
    assert [curl(apns, push_identity, body='{"mdm":"M9"}')[0] for _ in range(3)] == [429, 429, 503]
    apns.clear()
    assert curl(apns, push_identity)[0] == 200


def test_apns_can_misbehave(apns, push_identity):
    apns.answer(action="reset")
    assert curl(apns, push_identity)[0] == 200  # a refused stream may be sent again, which curl does by itself
    apns.answer(action="reset", code=2)
    assert "INTERNAL_ERROR" in curl(apns, push_identity, check=False).stderr
    apns.answer(action="close")
    assert curl(apns, push_identity, check=False).returncode in (16, 52, 55, 56, 92)
    apns.answer(action="silence")
    assert curl(apns, push_identity, "--max-time", "1", check=False).returncode == 28
    apns.answer(delay=0.3)
    started = time.monotonic()
    assert curl(apns, push_identity)[0] == 200
    assert time.monotonic() - started > 0.3
    assert [one.action for one in apns.pushes()] == ["reset", "answer", "reset", "close", "silence", "answer"]


def test_apns_demands_a_certificate_it_knows(apns, ca, tmp_path):
    assert curl(apns, None, check=False).returncode != 0
    stranger = pki.Authority("CN=Other")
    certificate, key = stranger.push_certificate(PUSH)
    identity = pki.write_pem(tmp_path / "c.pem", certificate), pki.write_pem(tmp_path / "c.key", key)
    assert curl(apns, identity, check=False).returncode != 0
    apns.trust_client(pki.pem(certificate))
    assert curl(apns, identity)[0] == 200


def test_apns_with_optional_certificate_and_without_h2(ca, push_identity):
    with ApnsMock(client_ca=ca.cert_file, client_cert="optional") as mock:
        assert json.loads(curl(mock, None)[2])["reason"] == "MissingProviderToken"
        assert curl(mock, push_identity)[0] == 200
        assert curl(mock, push_identity, "--http1.1", check=False).returncode != 0
        assert "no ALPN protocol h2" in mock.violations


class H2Client:
    """A client on python3-h2, for what curl cannot show."""

    def __init__(self, mock, identity):
        context = ssl.create_default_context(cafile=mock.ca_file)
        context.load_cert_chain(*identity)
        context.set_alpn_protocols(["h2"])
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", mock.port), timeout=10),
                                          server_hostname="localhost")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.events, self.ended = [], False
        self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def push(self, stream, token="aa", extra=(), body=b'{"mdm":"M1"}'):
        self.h2.send_headers(stream, [(":method", "POST"), (":scheme", "https"), (":authority", "localhost"),
                                      (":path", "/3/device/" + token), ("apns-topic", PUSH),
                                      ("apns-push-type", "mdm"), *extra])
        self.h2.send_data(stream, body, end_stream=True)

    def until(self, enough):
        """Read until enough(events) or the connection ends."""
        while not enough(self.events) and not self.ended:
            data = self.socket.recv(65536)
            self.ended = not data
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self.events.append(event)
            self.flush()
        return self

    def frames(self):
        """Read to the end of the connection past python3-h2, which takes nothing after a GOAWAY.

        Gives (type, stream, payload) of every frame."""
        data = b""
        while piece := self.socket.recv(65536):
            data += piece
        found = []
        while data:
            size = int.from_bytes(data[:3], "big")
            found.append((data[3], int.from_bytes(data[5:9], "big"), data[9:9 + size]))
            data = data[9 + size:]
        return found

    def count(self, kind):
        return len([one for one in self.events if isinstance(one, kind)])

    def pushes_done(self, count):
        return self.until(lambda events: self.count(h2.events.StreamEnded) >= count)


@pytest.fixture
def client(apns, push_identity):
    made = H2Client(apns, push_identity)
    yield made
    made.socket.close()


def test_apns_answers_many_streams_on_one_connection(apns, client):
    apns.answer(500, default=True)
    for number in range(3000):
        client.push(2 * number + 1, extra=[("apns-id", "00000000-0000-0000-0000-%012d" % number)])
        if number % 50 == 49:
            client.flush()
            client.pushes_done(number + 1)
    assert client.count(h2.events.StreamEnded) == 3000 and not apns.violations
    assert apns.stats()["statuses"] == {"500": 3000} and len({one.connection for one in apns.pushes()}) == 1


def test_apns_reads_continued_header_blocks_and_pings(apns, client):
    client.h2.ping(b"12345678")
    client.push(1, extra=[("x-long", "x" * 40000)])
    client.flush()
    client.pushes_done(1).until(lambda events: client.count(h2.events.PingAckReceived))
    assert apns.pushes()[0].status == 200 and apns.stats()["pings"] == 1
    assert len(apns.pushes()[0].header_dict()["x-long"]) == 40000


def test_apns_goes_away(apns, client):
    apns.answer(reason="Shutdown", magic="M2", action="goaway")
    apns.answer(delay=0.2, magic="M1")
    for stream, body in ((1, b'{"mdm":"M1"}'), (3, b'{"mdm":"M2"}')):
        client.push(stream, body=body)
    client.flush()
    found = client.frames()
    (_, _, goaway), = [one for one in found if one[0] == 7]
    assert goaway[:8] == bytes((0, 0, 0, 1, 0, 0, 0, 0)) and json.loads(goaway[8:]) == {"reason": "Shutdown"}
    assert [stream for kind, stream, _ in found if kind == 1] == [1]


def test_apns_ends_connections_on_demand(apns, push_identity):
    one = H2Client(apns, push_identity)
    one.push(1)
    one.flush()
    one.pushes_done(1)
    assert apns.goaway("BadCertificate") == 1
    one.until(lambda events: False)
    assert one.count(h2.events.ConnectionTerminated) == 1
    two = H2Client(apns, push_identity)
    two.push(1)
    two.flush()
    two.pushes_done(1)
    assert apns.drop_connections() == 1
    with pytest.raises((OSError, AssertionError)):
        two.until(lambda events: False)
        raise AssertionError("closed")
    assert two.count(h2.events.ConnectionTerminated) == 0


def test_apns_limits_streams(apns, push_identity):
    apns.limit_streams(1)
    apns.answer(action="silence")
    one = H2Client(apns, push_identity)
    one.until(lambda events: one.count(h2.events.RemoteSettingsChanged))
    assert one.h2.remote_settings.max_concurrent_streams == 1
    one.push(1)
    one.flush()
    apns.wait_pushes(1)
    one.h2.remote_settings[3] = 100
    one.h2.remote_settings.acknowledge()
    one.push(3)
    one.flush()
    one.until(lambda events: one.count(h2.events.StreamReset))
    reset = [event for event in one.events if isinstance(event, h2.events.StreamReset)][0]
    assert (reset.stream_id, reset.error_code) == (3, 7)
    assert "more than 1 concurrent streams" in apns.violations[0]
    one.socket.close()


def test_apns_control_port(apns, push_identity):
    control = ApnsControl(apns.control_url)
    control.answer(reason="Unregistered", token="aa", timestamp=1700000000)
    assert curl(apns, push_identity, token="aa")[0] == 410
    found = control.wait_pushes(1, magic="M1")[0]
    assert (found.token, found.status, found.reason) == ("aa", 410, "Unregistered")
    assert control.stats()["statuses"] == {"410": 1}
    assert control.connection_list()[-1]["requests"] == 1
    with pytest.raises(ValueError):
        control.answer(action="nonsense")
    with pytest.raises(AssertionError):
        control.wait_pushes(2, timeout=0.1)
    control.clear()
    assert control.pushes() == []


def test_a_push_wakes_the_device(apns, push_identity, fake, phone):
    uuid = fake.queue("DeviceInformation")
    with WakeServer(phone) as wake:
        wake.register(apns.control_url)
        curl(apns, push_identity, body=json.dumps({"mdm": "someone else"}))
        curl(apns, push_identity, body=json.dumps({"mdm": phone.push_magic}))
        assert wake.wait(phone, 1)
        assert not wake.failures and wake.count(phone) == 1
    assert phone.executed[-1].uuid == uuid


def test_a_push_calls_back(ca, push_identity):
    seen = []
    with ApnsMock(client_ca=ca.cert_file, on_push=seen.append) as mock:
        curl(mock, push_identity)
    assert [one.magic for one in seen] == ["M1"]


# the programs

def start_device(*arguments):
    return subprocess.Popen([sys.executable, os.path.join(HERE, "device"), *arguments], stdout=subprocess.PIPE,
                            text=True, env={**os.environ, "MDM_USER": "alice", "MDM_PASSWORD": "secret"})


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_programs_work_together(ca, push_identity, fake, tmp_path):
    signer = pki.write_pem(tmp_path / "signer.pem", fake.ca.certificate)
    common = ["--state-dir", str(tmp_path / "phone"), "--signer-ca-file", signer]
    ready = tmp_path / "ready.json"
    with ApnsProcess(ca.cert_file, ["--ready-file", str(ready), "--copy-ca", str(tmp_path / "tls.pem")]) as mock:
        assert json.loads(ready.read_text())["url"] == mock.url
        assert (tmp_path / "tls.pem").read_text().startswith("-----BEGIN CERT")
        first = fake.queue("ProfileList")
        process = start_device("run", *common, "--enroll-url", fake.url + "/enroll", "--apns-control",
                               mock.control_url, "--checkout")
        shown = []
        while not shown or shown[-1]["event"] != "ready":
            shown.append(json.loads(process.stdout.readline()))
        assert [one["event"] for one in shown] == ["enrolled", "command", "connected", "ready"]
        assert shown[1]["uuid"] == first and shown[0]["profile_trusted"]
        magic = [one for _, one in fake.messages if one.get("PushMagic")][0]["PushMagic"]
        second = fake.queue("DeviceLock")
        curl(mock, push_identity, body=json.dumps({"mdm": magic}))
        while shown[-1]["event"] != "command" or shown[-1]["uuid"] != second:
            shown.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGTERM)
        rest = lines(process.communicate(timeout=20)[0])
        assert process.returncode == 0 and [one["event"] for one in rest][-2:] == ["left", "stopped"]
    assert fake.messages[-1][1]["MessageType"] == "CheckOut"


def test_the_device_program_step_by_step(fake, tmp_path):
    common = ["--state-dir", str(tmp_path / "phone"), "--insecure"]

    def run(command, *more):
        process = start_device(command, *common, *more)
        return lines(process.communicate(timeout=20)[0]), process.returncode

    shown, code = run("connect")
    assert code == 1 and shown[0]["event"] == "failed"
    shown, code = run("enroll", "--enroll-url", fake.url + "/enroll", "--udid", "U-1", "--serial", "S1")
    assert code == 0 and shown[0]["udid"] == "U-1" and shown[0]["identity_mode"] == "both"
    fake.queue("DeviceLock")
    assert run("connect", "--answer", "DeviceLock=NotNow*1")[0][0]["status"] == "NotNow"
    assert run("connect")[0][0]["status"] == "Acknowledged"
    assert len(run("token-update")[0][0]["token"]) == 64
    assert run("show")[0][0]["serial"] == "S1"
    assert run("checkout")[0][0]["event"] == "left"
    shown, code = run("enroll", "--enroll-url", fake.url + "/enroll", "--password", "wrong")
    assert code == 1 and "401" in shown[0]["problem"]
