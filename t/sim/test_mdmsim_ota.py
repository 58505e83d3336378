# SPDX-License-Identifier: Apache-2.0
"""The simulated Profile Service against openssl: the maker's CAs are as odd as Apple's, the answers are real
CMS, and only the right key opens what is encrypted."""

import plistlib
import subprocess

import pytest
from mdmsim import cms, ota, pki, profile
from mdmsim.device import Device


@pytest.fixture(scope="module")
def maker():
    return ota.Maker()


@pytest.fixture
def way(maker):
    with Device(ca_file=False, key_bits=2048) as phone:
        started = ota.OverTheAir(phone, maker.device(phone.udid))
        started.wanted = ["UDID", "SERIAL", "IMEI", "MEID", "VERSION", "PRODUCT", "COLOUR"]
        started.challenge = "c" * 40
        yield started


def openssl(*args):
    return subprocess.run(["openssl", *args], capture_output=True)


def verified(tmp_path, raw, authority):
    """openssl's exit status and the content of a signed message."""
    (tmp_path / "m.der").write_bytes(raw)
    ca = pki.write_pem(tmp_path / "ca.pem", authority)
    done = openssl("cms", "-verify", "-inform", "DER", "-in", str(tmp_path / "m.der"), "-CAfile", ca,
                   "-purpose", "any", "-partial_chain", "-no_check_time", "-auth_level", "0", "-binary")
    return done.returncode, done.stdout


def test_the_device_ca_is_old_and_weak(maker, tmp_path):
    device_ca = maker.write(tmp_path / "ca.pem")
    text = openssl("x509", "-noout", "-text", "-checkend", "0", "-in", device_ca).stdout
    for part in (b"1024 bit", b"sha1WithRSAEncryption", b"will expire",
                 b"CN = Apple iPhone Certification Authority"):
        assert part in text
    middle = pki.write_pem(tmp_path / "middle.pem", maker.root, maker.middle)
    done = openssl("verify", "-no_check_time", "-auth_level", "0", "-CAfile", middle, device_ca)
    assert done.returncode == 0


def test_answers_are_signed_and_say_what_was_asked(way, maker, tmp_path):
    status, content = verified(tmp_path, way.phase2(), maker.device_ca)
    assert status == 0
    phone = way.phone
    assert plistlib.loads(content) == {
        "UDID": phone.udid, "SERIAL": phone.serial, "IMEI": phone.imei, "VERSION": phone.build_version,
        "PRODUCT": phone.model, "CHALLENGE": way.challenge}
    assert verified(tmp_path, way.phase2(), ota.Maker().device_ca)[0] != 0
    assert verified(tmp_path, way.phase2(break_signature=True), maker.device_ca)[0] != 0
    assert verified(tmp_path, way.phase2(break_digest=True), maker.device_ca)[0] != 0


def test_a_ca_between_comes_along(way, maker, tmp_path):
    between = maker.between()
    way.identity, way.chain = maker.device(way.phone.udid, issuer=between, digest="sha256"), [between[0]]
    assert verified(tmp_path, way.phase2(), maker.device_ca)[0] == 0
    way.chain = []
    assert verified(tmp_path, way.phase2(), maker.device_ca)[0] != 0


def test_only_the_right_key_opens_an_encrypted_profile(maker):
    identity, other = maker.device("one", key=pki.new_key()), maker.device("two", key=pki.new_key())
    payloads = [{"PayloadType": "com.apple.wifi.managed", "PayloadUUID": "u"}]
    raw = plistlib.dumps({"PayloadType": "Configuration", "IsEncrypted": True, "EncryptedPayloadContent":
                          cms.envelope(plistlib.dumps(payloads), identity[0], cipher="aes256")})
    found = profile.Profile(raw, identity=identity)
    assert found.encrypted and found.payloads == payloads
    for wrong in (None, other, (identity[0], other[1])):
        with pytest.raises(profile.ProfileError):
            profile.Profile(raw, identity=wrong)
