# SPDX-License-Identifier: Apache-2.0
"""/migration: check-in messages that another server hands over, as nano2nano sends them. The devices of a foreign CA then
go on by themselves."""

import plistlib

import pytest
from mdmsim import pki, web

from . import desired
from .devices import API_KEY, command, device_of, served
from .site import LOCATIONS

OPEN = LOCATIONS + """\
  <Location "/migration">
    SetHandler mdm-migration
  </Location>
"""


@pytest.fixture
def migration(make_site, keys, closing):
    """A site that takes devices over, and the CA that issued their identities."""
    authority = pki.Authority("O=Old server, CN=Old CA")
    site = make_site()
    site.locations = OPEN
    site.own["MDMIdentityCAFile"] = site.write("old-ca.pem", pki.pem(authority.certificate))
    site.own["MDMRetroactiveIdentity"] = "On"
    site.start()
    site.upload_push_certificate()
    site.authority = authority
    return site


def phone_of(site, closing, keys, **options):
    phone = closing(device_of(site, **options))
    phone.new_token()
    phone.set_identity(*site.authority.issue("CN=" + phone.udid, key=keys.take(), usage="client"))
    return phone


def hand_over(site, message, method="PUT", key=API_KEY, user="nanomdm", headers=None):
    body = message if isinstance(message, bytes) else plistlib.dumps(message)
    headers = dict(headers or {})
    if user:
        headers["Authorization"] = web.basic_auth(user, key)
    return site.http.request(method, site.at("/migration"), body, headers)


def authenticate(phone):
    return {"MessageType": "Authenticate", **phone.identifiers(), "Topic": phone.topic, "SerialNumber": phone.serial,
            "DeviceName": "From afar", "Model": phone.model}


def token_update(channel, topic):
    return {"MessageType": "TokenUpdate", **channel.identifiers(), "Topic": topic, "Token": channel.token,
            "PushMagic": channel.push_magic}


def test_row_18_a_device_is_handed_over_and_goes_on(migration, closing, keys, apns):
    site = migration
    phone = phone_of(site, closing, keys)
    desired.call(site, "PUT", "groups/phones", {"kind": "rule", "rule": {"device.type": "Device"}})
    for message in (authenticate(phone), {**token_update(phone, phone.topic), "UnlockToken": b"given there"}):
        reply = hand_over(site, message)
        assert reply.status == 200 and reply.body == b"", reply
    shown = site.show(phone.id)
    assert shown["state"] == "enrolled" and shown["token_update_tally"] == 1 and shown["device_name"] == "From afar"
    desired.until(lambda: desired.call(site, "GET", "groups/phones").json["members"] == 1)
    assert hand_over(site, {"MessageType": "SetBootstrapToken", "UDID": phone.udid,
                            "BootstrapToken": b"escrowed"}).status == 200
    uuid, body = command()
    apns.clear()
    assert site.enqueue(phone.id, body).status == 200
    assert apns.wait_pushes(1, magic=phone.push_magic)
    assert served(phone.idle()) == uuid, "it is known by its first certificate"
    assert [one.uuid for one in phone.connect()] == [uuid]
    assert phone.get_bootstrap_token() == b"escrowed"
    assert site.enqueue(phone.id, command("ClearPasscode")[1], nopush=True).status == 200
    [done] = phone.connect()
    assert plistlib.loads(done.raw)["Command"]["UnlockToken"] == b"given there"
    assert phone.token_update().status == 200 and site.show(phone.id)["token_update_tally"] == 2


def test_once_it_has_an_identity_no_other_will_do(migration, closing, keys):
    site = migration
    phone = phone_of(site, closing, keys)
    for message in (authenticate(phone), token_update(phone, phone.topic)):
        assert hand_over(site, message).status == 200
    assert phone.idle().status == 200
    site.log.expect("refused a message of " + phone.id)
    with phone.as_identity(*site.authority.issue("CN=thief", key=keys.take(), usage="client")):
        assert phone.idle().status == 403
    assert phone.idle().status == 200


def test_2_7_a_user_channel_and_a_checkout_are_handed_over(migration, closing, keys):
    site = migration
    mac = phone_of(site, closing, keys, model="MacBookPro18,1")
    user = mac.user_channel(short_name="anna")
    user.new_token()
    assert hand_over(site, token_update(user, mac.topic)).status == 500, "its device is not here yet"
    for message in (authenticate(mac), token_update(mac, mac.topic), token_update(user, mac.topic)):
        assert hand_over(site, message).status == 200
    assert mac.idle().status == 200 and user.idle().status == 200
    assert hand_over(site, {"MessageType": "CheckOut", "UDID": mac.udid, "Topic": mac.topic}).status == 200
    assert site.show(mac.id)["state"] == "left" and site.show(user.id)["state"] == "left"


def test_2_7_all_kinds_of_enrollments_are_handed_over(migration, closing, keys):
    site = migration
    pad, own = phone_of(site, closing, keys), phone_of(site, closing, keys, enrollment_id="ENR-0123456789")
    at_pad = pad.user_channel("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "joy@example.com")
    at_own = own.user_channel()
    named = {pad: (pad.udid, "Device"), at_pad: (pad.udid + ":joy@example.com", "Shared iPad"),
             own: ("ENR-0123456789", "User Enrollment (Device)"),
             at_own: ("ENR-0123456789:" + at_own.user_id, "User Enrollment")}
    for one, (enrollment_id, kind) in named.items():
        if one in (pad, own):
            assert hand_over(site, authenticate(one)).status == 200
        assert hand_over(site, token_update(one, pad.topic)).status == 200
        shown = site.show(enrollment_id)
        assert shown["type"] == kind and shown["state"] == "enrolled"
        assert one.idle().status == 200


def test_handing_over_twice_changes_nothing_but_tokens(migration, closing, keys):
    site = migration
    phone = phone_of(site, closing, keys)
    for message in (authenticate(phone), token_update(phone, phone.topic)):
        assert hand_over(site, message).status == 200
    uuid, body = command()
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    for message in (authenticate(phone), token_update(phone, phone.topic)):
        assert hand_over(site, message).status == 200
    assert site.queue_uuids(phone.id) == [uuid] and site.show(phone.id)["state"] == "enrolled"


@pytest.mark.parametrize("method", ["PUT", "POST", "GET", "PATCH"])
def test_2_7_any_method_and_any_content_type(migration, closing, keys, method):
    phone = phone_of(migration, closing, keys)
    assert hand_over(migration, authenticate(phone), method, headers={"Content-Type": "text/weird"}).status == 200


def test_row_18_who_has_no_key_hands_nothing_over(migration, closing, keys):
    site = migration
    phone = phone_of(site, closing, keys)
    site.log.expect("a wrong API user or key")
    for options in ({"user": None}, {"key": "wrong"}, {"user": "other"}):
        reply = hand_over(site, authenticate(phone), **options)
        assert reply.status == 401 and "nanomdm" in reply.headers["WWW-Authenticate"]
    assert hand_over(site, authenticate(phone), headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert site.show(phone.id) is None


def test_tokens_that_are_no_data_are_400_and_remove_nothing(migration, closing, keys):
    site = migration
    phone = phone_of(site, closing, keys)
    for message in (authenticate(phone), token_update(phone, phone.topic),
                    {"MessageType": "SetBootstrapToken", "UDID": phone.udid, "BootstrapToken": b"escrowed"}):
        assert hand_over(site, message).status == 200
    for value in ("text", 5, ["x"]):
        assert hand_over(site, {**token_update(phone, phone.topic), "UnlockToken": value}).status == 400
        assert hand_over(site, {"MessageType": "SetBootstrapToken", "UDID": phone.udid,
                                "BootstrapToken": value}).status == 400
    assert site.show(phone.id)["token_update_tally"] == 1 and phone.get_bootstrap_token() == b"escrowed"


@pytest.mark.parametrize("body", [b"", b"nonsense", plistlib.dumps({"MessageType": "Nothing", "UDID": "x"}),
                                  plistlib.dumps({"MessageType": "Authenticate"}), plistlib.dumps(["x"]),
                                  plistlib.dumps({"MessageType": "Authenticate", "UDID": "a:b",
                                                  "Topic": "com.apple.mgmt.x"})])
def test_2_7_what_is_no_message_is_400(migration, body):
    assert hand_over(migration, body).status == 400


def test_2_7_a_token_before_the_device_is_500(migration, closing, keys):
    phone = phone_of(migration, closing, keys)
    reply = hand_over(migration, token_update(phone, phone.topic))
    assert reply.status == 500 and "Authenticate" in reply.text
