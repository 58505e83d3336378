# SPDX-License-Identifier: Apache-2.0
"""Tests of the formats and of the simulated device, against openssl; no part of the module is needed."""

import base64
import os
import plistlib
import subprocess

import pytest
from fake_mdm import TOPIC
from mdmsim import answers, channel, cms, der, pki, scep, web
from mdmsim.device import Device, EnrollError


def openssl(*arguments, data=None, check=True):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True)
    if check:
        assert done.returncode == 0, done.stderr.decode()
    return done


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
    pinned = cms.digest("sha256", pki.der(other.certificate))
    with pytest.raises(scep.ScepError):
        scep.ScepClient(fake.url + "/scep", fingerprint=pinned).get_ca_cert()


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


def profile_of(identifier, payload_type="com.apple.wifi.managed", **keys):
    return {"PayloadIdentifier": identifier, "PayloadUUID": "UUID-" + identifier, "PayloadType": "Configuration",
            "PayloadVersion": 1, "PayloadDisplayName": "Name", **keys,
            "PayloadContent": [{"PayloadType": payload_type, "PayloadIdentifier": identifier + ".1",
                                "PayloadUUID": "inner", "PayloadVersion": 1, "Password": "secret"}]}


def test_device_opens_replaces_and_removes_profiles(fake, phone, ca, someone):
    plain = profile_of("a.b", PayloadRemovalDisallowed=True)
    inner = plistlib.dumps(plain["PayloadContent"])
    sealed = {key: value for key, value in plain.items() if key != "PayloadContent"}
    sealed["EncryptedPayloadContent"] = cms.envelope(inner, phone.certificate, "aes256")
    signed = cms.sign(plistlib.dumps(sealed), *someone)
    fake.queue("InstallProfile", Payload=signed)
    fake.queue("InstallProfile", Payload=signed[:-1] + bytes((signed[-1] ^ 1,)))
    sealed["EncryptedPayloadContent"] = cms.envelope(inner, someone[0], "aes256")
    fake.queue("InstallProfile", Payload=cms.sign(plistlib.dumps(sealed), *someone))
    done = phone.connect()
    assert [one.status for one in done] == ["Acknowledged", "Error", "Error"]
    assert phone.profiles.payload("a.b", "com.apple.wifi.managed")["Password"] == "secret"
    listed = phone.profiles["a.b"]
    assert listed["IsEncrypted"] and listed["IsManaged"] and not listed["PayloadRemovalDisallowed"]
    assert listed["SignerCertificates"] == [pki.der(someone[0])]
    assert [one["PayloadType"] for one in listed["PayloadContent"]] == ["com.apple.wifi.managed"]
    fake.queue("InstallProfile", Payload=plistlib.dumps(profile_of("a.b", PayloadUUID="second")))
    fake.queue("ProfileList")
    fake.queue("RemoveProfile", Identifier="a.b")
    done = phone.connect()
    assert done[1].report["ProfileList"][-1]["PayloadUUID"] == "second"
    assert "a.b" not in phone.profiles
    assert [one[0] for one in phone.profiles.history[-3:]] == ["install", "install", "remove"]


def test_device_profiles_by_hand(fake, phone):
    phone.supervised = True
    fake.queue("InstallProfile", Payload=plistlib.dumps(profile_of("a.b", PayloadRemovalDisallowed=True)))
    fake.queue("InstallProfile", Payload=plistlib.dumps(profile_of("a.c")))
    phone.connect()
    saved = phone.profiles.backup()
    with pytest.raises(PermissionError):
        phone.profiles.remove_by_hand("a.b")
    phone.profiles.remove_by_hand("a.c")
    phone.profiles.add("by.person")
    phone.profiles.add("by.other", managed=True)
    fake.queue("ProfileList", ManagedOnly=True)
    fake.queue("ProfileList")
    fake.queue("RemoveProfile", Identifier="by.person")
    done = phone.connect()
    named = [[one["PayloadIdentifier"] for one in got.report["ProfileList"]] for got in done[:2]]
    assert named == [["org.fake.mdm", "a.b", "by.other"], ["org.fake.mdm", "a.b", "by.person", "by.other"]]
    assert done[2].status == "Error"
    phone.profiles.restore(saved, "a.c")
    assert set(phone.profiles) == {"org.fake.mdm", "a.b", "by.person", "by.other", "a.c"}
    phone.profiles.lists_managed = False
    assert not [one for one in phone.profiles.listing() if "IsManaged" in one]
    phone.profiles.refuse("com.apple.wifi.managed", answers.error(4001, "MCInstallationErrorDomain", "no"))
    fake.queue("InstallProfile", Payload=plistlib.dumps(profile_of("a.d")))
    assert phone.connect()[0].report["ErrorChain"][0]["ErrorCode"] == 4001
    phone.save()
    again = Device.load(phone.state_dir)
    assert again.profiles == phone.profiles and again.profiles.contents == phone.profiles.contents


def test_device_leaves_with_its_enrollment_profile(fake, phone):
    user = phone.user_channel("USER-1", "alice")
    user.profiles.add("of.user", managed=True)
    phone.profiles.add("by.person")
    phone.profiles.add("by.other", managed=True)
    fake.queue("RemoveProfile", Identifier="org.fake.mdm")
    assert [one.status for one in phone.connect()] == ["Acknowledged"]
    assert fake.messages[-1][1]["MessageType"] == "CheckOut"
    assert set(phone.profiles) == {"by.person"} and not user.profiles


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
