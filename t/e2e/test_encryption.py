# SPDX-License-Identifier: Apache-2.0
"""Profiles encrypted to the device that fetches them: the openssl program opens them with that device's key and
with no other; and what goes out as it came in."""

import os
import plistlib
import subprocess
import urllib.parse
import uuid

import pytest

from mdmsim import pki, profile

from . import devices

WIFI = {"PayloadType": "com.apple.wifi.managed", "PayloadVersion": 1, "PayloadIdentifier": "org.example.wifi.1",
        "PayloadUUID": "6A8D2A0C-6E0B-4C55-9B55-2F1D4C7E9A35", "SSID_STR": "Ward <3> & Ünïts",
        "Password": "wifi-passphrase-CANARY-4711", "AutoJoin": True, "Extra": [1, 2.5, b"\x00\xff", {}]}


def profile_of(**changes):
    return {"PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": "org.example.wifi",
            "PayloadUUID": str(uuid.uuid4()).upper(), "PayloadDisplayName": "Wi-Fi",
            "PayloadScope": "System", "PayloadContent": [WIFI], **changes}


def enqueue(site, target, payload, encrypt=None, **keys):
    """Queue an InstallProfile; returns (CommandUUID, the octets enqueued)."""
    command_uuid, body = devices.command("InstallProfile", Payload=payload, **keys)
    path = "/v1/enqueue/%s?nopush=1" % urllib.parse.quote(target.id, safe=":")
    reply = site.api("PUT", path + ("&encrypt=" + encrypt if encrypt else ""), body)
    assert reply.status == 200, reply.text
    assert reply.json == {"no_push": True, "command_uuid": command_uuid, "request_type": "InstallProfile"}
    return command_uuid, body


def fetch(target):
    """The octets and the dictionary of the command that waits."""
    reply = target.idle()
    assert reply.status == 200 and reply.body
    return reply.body, plistlib.loads(reply.body)


def done(target, command_uuid):
    reply = target.send_report({"Status": "Acknowledged", "CommandUUID": command_uuid})
    assert reply.status == 200 and not reply.body


def outer(site, raw):
    """The signed outside of a profile: its signature has to hold and to be the site's."""
    content, _signers, trusted, problem = profile.open_signed(raw, site.keys.tls_ca_file)
    assert trusted, problem
    return plistlib.loads(content)


def decrypt(folder, data, key, certificate=None):
    """`openssl cms -decrypt`: (exit status, octets)."""
    source = folder / "enveloped.der"
    source.write_bytes(data)
    command = ["openssl", "cms", "-decrypt", "-inform", "DER", "-binary", "-in", str(source), "-inkey",
               pki.write_pem(str(folder / "key.pem"), key, private=True)]
    if certificate is not None:
        command += ["-recip", pki.write_pem(str(folder / "cert.pem"), certificate)]
    ran = subprocess.run(command, capture_output=True)
    return ran.returncode, ran.stdout


def test_feature_24_and_40_only_the_devices_key_opens_the_profile(site, phone, new_phone, tmp_path):
    other = new_phone(site)
    assert not pki.same_key(other.certificate, phone.key)
    wanted = profile_of()
    command_uuid, _body = enqueue(site, phone, plistlib.dumps(wanted))
    raw, served = fetch(phone)
    assert served["CommandUUID"] == command_uuid and served["Command"]["RequestType"] == "InstallProfile"
    assert b"CANARY" not in raw and b"org.example.wifi.1" not in served["Command"]["Payload"]
    got = outer(site, served["Command"]["Payload"])
    assert got["IsEncrypted"] is True and "PayloadContent" not in got
    assert {key: value for key, value in got.items() if key not in ("IsEncrypted", "EncryptedPayloadContent")} == \
        {key: value for key, value in wanted.items() if key != "PayloadContent"}
    data = got["EncryptedPayloadContent"]
    status, content = decrypt(tmp_path, data, phone.key, phone.certificate)
    assert status == 0 and plistlib.loads(content) == [WIFI]
    status, content = decrypt(tmp_path, data, other.key, other.certificate)
    assert status != 0 and b"CANARY" not in content
    status, content = decrypt(tmp_path, data, other.key)    # without a hint which recipient: random octets, or none
    assert b"CANARY" not in content and b"plist" not in content
    done(phone, command_uuid)


def test_feature_24_the_cipher_is_aes_256_and_the_recipient_the_identity(site, phone, tmp_path):
    command_uuid, _body = enqueue(site, phone, plistlib.dumps(profile_of()))
    (tmp_path / "e.der").write_bytes(outer(site, fetch(phone)[1]["Command"]["Payload"])["EncryptedPayloadContent"])
    text = subprocess.run(["openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", str(tmp_path / "e.der")],
                          capture_output=True, text=True, check=True).stdout
    assert "aes-256-cbc" in text
    assert "%X" % phone.certificate.serial_number in text.upper() or str(phone.certificate.serial_number) in text
    assert text.count("ktri") == 1
    done(phone, command_uuid)


def test_feature_24_the_device_installs_what_was_encrypted(site, phone):
    enqueue(site, phone, plistlib.dumps(profile_of()))
    assert [one.status for one in phone.connect()] == ["Acknowledged"]
    assert "org.example.wifi" in phone.profiles


def test_a_signed_profile_is_taken_out_of_its_signature_and_encrypted(site, phone, tmp_path):
    signer = pki.Authority("CN=Somebody else")
    (tmp_path / "plain").write_bytes(plistlib.dumps(profile_of()))
    signed = subprocess.run(
        ["openssl", "cms", "-sign", "-nodetach", "-binary", "-outform", "DER", "-in", str(tmp_path / "plain"),
         "-signer", pki.write_pem(str(tmp_path / "s.pem"), signer.certificate),
         "-inkey", pki.write_pem(str(tmp_path / "s.key"), signer.key, private=True)],
        capture_output=True, check=True).stdout
    command_uuid, _body = enqueue(site, phone, signed)
    got = outer(site, fetch(phone)[1]["Command"]["Payload"])
    status, content = decrypt(tmp_path, got["EncryptedPayloadContent"], phone.key, phone.certificate)
    assert status == 0 and plistlib.loads(content) == [WIFI]
    done(phone, command_uuid)
    command_uuid, body = enqueue(site, phone, signed, "no")
    assert fetch(phone)[0] == body
    done(phone, command_uuid)


@pytest.mark.parametrize("payload", [
    b"no profile at all", b"", b"\x30\x82\x01\x00broken", b"<plist><dict/></plist>",
    plistlib.dumps([WIFI]), plistlib.dumps(profile_of(PayloadContent={"a": 1})),
    plistlib.dumps({**profile_of(), "IsEncrypted": True}),
    plistlib.dumps({"PayloadType": "Configuration", "IsEncrypted": True, "EncryptedPayloadContent": b"0"})],
    ids=["text", "nothing", "broken DER", "empty", "array", "content not an array", "encrypted by name", "broken inside"])
@pytest.mark.once
def test_what_is_no_readable_profile_goes_out_as_it_came(site, steady_phone, payload):
    command_uuid, body = enqueue(site, steady_phone, payload)
    assert fetch(steady_phone)[0] == body
    done(steady_phone, command_uuid)


def test_encrypt_no_delivers_the_bytes_enqueued(site, phone):
    command_uuid, body = enqueue(site, phone, plistlib.dumps(profile_of()), "no")
    assert fetch(phone)[0] == body
    done(phone, command_uuid)


@pytest.mark.once
def test_encrypt_is_yes_or_no(site, steady_phone):
    _command_uuid, body = devices.command("InstallProfile", Payload=plistlib.dumps(profile_of()))
    reply = site.api("PUT", "/v1/enqueue/%s?encrypt=maybe" % steady_phone.id, body)
    assert reply.status == 500 and "encrypt" in reply.json["command_error"]
    assert not site.queue_uuids(steady_phone.id)


@pytest.mark.once
def test_a_users_channel_gets_the_profile_as_it_is(site, phone):
    user = phone.user_channel()
    user.token_update()
    command_uuid, body = enqueue(site, user, plistlib.dumps(profile_of()))
    assert fetch(user)[0] == body
    done(user, command_uuid)


def test_one_command_for_two_devices_is_encrypted_to_each(site, phone, new_phone, tmp_path):
    other = new_phone(site)
    command_uuid, body = devices.command("InstallProfile", Payload=plistlib.dumps(profile_of()), Extra="ä & <b>")
    assert site.enqueue([phone.id, other.id], body, nopush=True).status == 200
    for one, stranger in ((phone, other), (other, phone)):
        served = fetch(one)[1]
        assert served["CommandUUID"] == command_uuid and served["Command"]["Extra"] == "ä & <b>"
        data = outer(site, served["Command"]["Payload"])["EncryptedPayloadContent"]
        status, content = decrypt(tmp_path, data, one.key, one.certificate)
        assert status == 0 and plistlib.loads(content) == [WIFI]
        assert decrypt(tmp_path, data, stranger.key, stranger.certificate)[0] != 0
        done(one, command_uuid)


@pytest.mark.once
def test_a_big_profile_is_encrypted_whole(site, phone, tmp_path):
    big = {**WIFI, "Extra": os.urandom(900000)}
    command_uuid, _body = enqueue(site, phone, plistlib.dumps(profile_of(PayloadContent=[big] * 2)))
    got = outer(site, fetch(phone)[1]["Command"]["Payload"])
    status, content = decrypt(tmp_path, got["EncryptedPayloadContent"], phone.key, phone.certificate)
    assert status == 0 and plistlib.loads(content) == [big] * 2
    done(phone, command_uuid)


@pytest.mark.once
def test_encryption_can_be_switched_off(make_site, new_phone):
    site = make_site(directives={"MDMProfileEncryption": "off"}).start()
    site.upload_push_certificate()
    phone = new_phone(site)
    command_uuid, body = enqueue(site, phone, plistlib.dumps(profile_of()))
    assert fetch(phone)[0] == body


@pytest.mark.once
def test_old_devices_can_have_triple_des(make_site, new_phone, tmp_path):
    site = make_site(directives={"MDMProfileEncryption": "des3"}).start()
    site.upload_push_certificate()
    phone = new_phone(site)
    enqueue(site, phone, plistlib.dumps(profile_of()))
    data = outer(site, fetch(phone)[1]["Command"]["Payload"])["EncryptedPayloadContent"]
    (tmp_path / "e.der").write_bytes(data)
    text = subprocess.run(["openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", str(tmp_path / "e.der")],
                          capture_output=True, text=True, check=True).stdout
    assert "des-ede3-cbc" in text
    status, content = decrypt(tmp_path, data, phone.key, phone.certificate)
    assert status == 0 and plistlib.loads(content) == [WIFI]
