# SPDX-License-Identifier: Apache-2.0
"""GetToken: JSON Web Tokens for Managed Apple Accounts, and pairing tokens for watches. The signature is checked by
another implementation."""

import base64
import json
import re
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

SERVER_UUID = "5B2F4C9E-7A1D-4E3B-9C8F-0D6A1B2C3D4E"


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


@pytest.fixture(scope="module")
def token_key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def giving(make_site, token_key):
    site = make_site(directives={"MDMGetTokenServerUUID": SERVER_UUID})
    site.own["MDMGetTokenKeyFile"] = site.write("get-token.key", pem(token_key), 0o600)
    site.start()
    site.upload_push_certificate()
    return site


def decode(part):
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


@pytest.mark.once
def test_a_managed_apple_account_gets_a_jwt(giving, new_phone, token_key):
    phone = new_phone(giving)
    assert "com.apple.mdm.token" in phone.profile.mdm["ServerCapabilities"]
    user = phone.user_channel()
    user.token_update()
    ids = set()
    for channel in (phone, phone, user):
        reply = channel.get_token("com.apple.maid")
        assert reply.status == 200 and list(reply.plist) == ["TokenData"]
        header, claims, signature = reply.plist["TokenData"].split(b".")
        token_key.public_key().verify(decode(signature), header + b"." + claims, padding.PKCS1v15(), hashes.SHA256())
        assert json.loads(decode(header)) == {"alg": "RS256", "typ": "JWT"}
        said = json.loads(decode(claims))
        assert set(said) == {"iss", "iat", "jti", "service_type"}
        assert said["iss"] == SERVER_UUID and said["service_type"] == "com.apple.maid"
        assert isinstance(said["iat"], int) and abs(said["iat"] - time.time()) < 60
        assert re.fullmatch(r"[0-9A-F]{8}-([0-9A-F]{4}-){3}[0-9A-F]{12}", said["jti"])
        ids.add(said["jti"])
        assert signature.decode() not in giving.log.text()
    assert len(ids) == 3


@pytest.mark.once
def test_a_watch_pairing_token_tells_nothing_and_is_another_each_time(giving, new_phone):
    phone = new_phone(giving)
    parameters = {"PhoneUDID": phone.udid, "WatchUDID": "00008006-00D4FACE", "SecurityToken": "c2VjdXJpdHk="}
    first, second = (phone.get_token("com.apple.watch.pairing", parameters).plist["TokenData"] for _ in "12")
    assert first != second
    for token in (first, second):
        sealed = base64.b64decode(token.rsplit(b":", 1)[1])
        for value in parameters.values():
            assert value.encode() not in token and value.encode() not in sealed
    assert phone.get_token("com.apple.watch.pairing", {**parameters, "PhoneUDID": "another"}).status == 403
    for missing in parameters:
        some = {key: value for key, value in parameters.items() if key != missing}
        assert phone.get_token("com.apple.watch.pairing", some).status == 400
    assert phone.get_token("com.apple.watch.pairing").status == 400


@pytest.mark.once
def test_an_unknown_service_is_400(giving, new_phone):
    phone = new_phone(giving)
    assert phone.get_token("com.example.other").status == 400
    assert phone.send_checkin({"MessageType": "GetToken"}).status == 400
    assert phone.send_checkin({"MessageType": "GetToken", "TokenServiceType": 5}).status == 400


@pytest.mark.once
@pytest.mark.parametrize("uuid, key, mode, says", [
    (None, "rsa", 0o600, "MDMGetTokenServerUUID"), (SERVER_UUID, None, 0o600, "MDMGetTokenKeyFile"),
    (SERVER_UUID, "rsa", 0o644, "chmod"), (SERVER_UUID, "ec", 0o600, "RSA")])
def test_what_cannot_work_stops_the_start(make_site, token_key, uuid, key, mode, says):
    site = make_site(directives={"MDMGetTokenServerUUID": uuid})
    if key:
        text = pem(token_key if key == "rsa" else ec.generate_private_key(ec.SECP256R1()))
        site.own["MDMGetTokenKeyFile"] = site.write("get-token.key", text, mode)
    site.log.expect("MDM010[01]")
    status, text = site.prepare().configtest()
    if status == 0:
        with pytest.raises(AssertionError):
            site.start()
        text = site.log.text()
    assert says in text
