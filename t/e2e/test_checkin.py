# SPDX-License-Identifier: Apache-2.0
"""Check-in: Authenticate, TokenUpdate, CheckOut, on device and user channels."""

import contextlib
import os
import plistlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from mdmsim import channel, web

from . import devices
from .keys import TOPIC

SHARED_IPAD_USER = "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"


def queued(site, phone, request_type="DeviceInformation"):
    command_uuid, body = devices.command(request_type)
    reply = site.enqueue(phone.id, body, nopush=True)
    assert reply.status == 200, reply.text
    return command_uuid


@pytest.mark.mpm
def test_authenticate_then_tokenupdate(site, new_device):
    device = devices.identity(site, new_device(site))
    reply = device.authenticate()
    assert reply.body == b""
    assert site.show(device.id)["state"] == "pending"
    reply = device.token_update()
    assert reply.body == b""
    shown = site.show(device.id)
    assert shown["state"] == "enrolled"
    assert shown["token_update_tally"] == 1
    assert shown["topic"] == TOPIC


def test_authenticate_stores_what_the_device_says_about_itself(site, phone):
    shown = site.show(phone.id)
    assert shown["serial_number"] == phone.serial
    assert shown["model_name"] == phone.model_name
    assert shown["device_name"] == phone.name
    assert shown["os_version"] == phone.os_version
    assert shown["build_version"] == phone.build_version
    assert shown["imei"] == phone.imei


def test_authenticate_twice_is_harmless(site, new_device):
    device = devices.identity(site, new_device(site))
    device.authenticate()
    device.authenticate()
    device.token_update()
    assert site.show(device.id)["token_update_tally"] == 1


def test_the_same_message_many_times_at_once_is_taken_by_all(site, new_device):
    """A device that does not wait for an answer sends again; a failed Authenticate would end its installation."""
    device = devices.identity(site, new_device(site))
    device.new_token()
    user = device.user_channel()

    def send(message, who):
        body = plistlib.dumps({**who.identifiers(), "Topic": TOPIC, **message})
        http = web.Client(site.keys.tls_ca_file)
        with contextlib.closing(http):
            return http.put(device.checkin_url, body, {"Mdm-Signature": device.sign(body)}).status
    token = {"MessageType": "TokenUpdate", "Token": device.token, "PushMagic": device.push_magic}
    with ThreadPoolExecutor(6) as pool:
        for message, who in (({"MessageType": "Authenticate"}, device), (token, device), (token, user)):
            assert list(pool.map(send, [message] * 6, [who] * 6)) == [200] * 6
    assert site.show(device.id)["token_update_tally"] == site.show(user.id)["token_update_tally"] == 6
    assert device.idle().status == 200


def test_each_tokenupdate_counts(site, phone):
    phone.new_token()
    phone.token_update()
    assert site.show(phone.id)["token_update_tally"] == 2


def test_a_tokenupdate_replaces_token_and_magic(site, phone, apns):
    phone.new_token()
    phone.token_update()
    assert site.api("GET", "/v1/push/" + phone.id).status == 200
    push = apns.wait_pushes(1, magic=phone.push_magic)[0]
    assert push.token == phone.token.hex()


def test_tokens_of_other_lengths_are_taken(site, phone, apns):
    phone.token, phone.push_magic = b"\x00\xff" * 50, "not a uuid & <odd> \"quoted\" é"
    phone.token_update()
    assert site.api("GET", "/v1/push/" + phone.id).status == 200
    push = apns.wait_pushes(1, token=phone.token.hex())[0]
    assert push.magic == phone.push_magic


def test_a_content_type_with_charset_or_none_at_all_is_taken(site, phone):
    body = plistlib.dumps({**phone.identifiers(), "Topic": TOPIC, "MessageType": "TokenUpdate", "Token": phone.token,
                           "PushMagic": phone.push_magic})
    for headers in ({"Content-Type": channel.CHECKIN_TYPE + "; charset=UTF-8"}, {}):
        assert phone.put(phone.checkin_url, body, headers).status == 200


@pytest.mark.mpm
def test_checkout_ends_the_enrollment(site, phone):
    command_uuid = queued(site, phone)
    reply = phone.checkout()
    assert reply.body == b""
    shown = site.show(phone.id)
    assert shown["state"] == "left"
    assert site.queue_uuids(phone.id) == []
    assert "Cancelled" in str(site.show_command(command_uuid))
    assert phone.idle().status == 403


def test_row_21_after_checkout_nothing_can_be_queued_and_nothing_is_pushed(site, phone, apns):
    phone.checkout()
    assert site.enqueue(phone.id, devices.command()[1]).status == 500
    reply = site.api("GET", "/v1/push/" + phone.id)
    assert reply.status == 500
    assert reply.json["status"][phone.id]["push_error"]
    assert not apns.pushes(magic=phone.push_magic)


def test_after_checkout_the_device_may_enroll_again_and_gets_no_old_commands(site, phone):
    queued(site, phone)
    phone.checkout()
    devices.enroll(site, phone)
    assert phone.connect() == []
    shown = site.show(phone.id)
    assert shown["state"] == "enrolled" and shown["token_update_tally"] == 1


def test_a_repeated_checkout_is_answered_200(site, phone):
    phone.checkout()
    assert phone.send_checkin({"MessageType": "CheckOut"}).status == 200
    assert site.show(phone.id)["state"] == "left"


def test_a_new_enrollment_clears_queue_and_tally(site, phone):
    phone.token_update()
    old = queued(site, phone)
    devices.enroll(site, phone)
    assert phone.connect() == []
    shown = site.show(phone.id)
    assert shown["token_update_tally"] == 1
    assert "Cancelled" in str(site.show_command(old))


def test_2_9_before_the_first_tokenupdate_nothing_is_pushed_or_queued(site, new_device, apns):
    device = devices.identity(site, new_device(site))
    device.authenticate()
    assert site.enqueue(device.id, devices.command()[1]).status == 500
    reply = site.api("GET", "/v1/push/" + device.id)
    assert reply.status == 500 and reply.json["status"][device.id]["push_error"]
    assert device.idle().body == b""


def test_a_renewed_identity_keeps_queue_and_tally(site, phone):
    command_uuid = queued(site, phone)
    client = phone.scep_client({"URL": site.at("/mdm/scep")})
    result = client.renew(phone.certificate, phone.key, new_key=site.keys.take())
    assert result.ok, result.summary()
    old = phone.certificate, phone.key
    phone.set_identity(result.certificate, result.key)
    phone.authenticate()
    phone.token_update()
    assert site.show(phone.id)["token_update_tally"] == 2
    assert [one.uuid for one in phone.connect()] == [command_uuid]
    with phone.as_identity(*old):
        assert phone.idle().status == 403


# user channels

@pytest.mark.mpm
def test_row_15_a_user_channel_has_its_own_enrollment_and_queue(site, phone):
    user = phone.user_channel(short_name="joy", long_name="Nurse Joy")
    user.token_update()
    assert user.id == "%s:%s" % (phone.udid, user.user_id)
    shown = site.show(user.id)
    assert shown["type"] == "User"
    assert shown["user_short_name"] == "joy" and shown["user_long_name"] == "Nurse Joy"
    mine, theirs = queued(site, phone), queued(site, user)
    assert [one.uuid for one in user.connect()] == [theirs]
    assert [one.uuid for one in phone.connect()] == [mine]


def test_a_shared_ipads_user_is_named_by_the_short_name(site, phone):
    user = phone.user_channel(SHARED_IPAD_USER, "joy@example.com")
    user.token_update()
    shown = site.show("%s:joy@example.com" % phone.udid)
    assert shown["type"] == "Shared iPad" and shown["state"] == "enrolled"


def test_user_enrollment_is_named_by_the_enrollment_id(site, new_phone):
    phone = new_phone(site, enrollment_id="ENR-" + "0123456789ABCDEF")
    shown = site.show("ENR-0123456789ABCDEF")
    assert shown["type"] == "User Enrollment (Device)" and shown["state"] == "enrolled"
    user = phone.user_channel()
    user.token_update()
    assert site.show("ENR-0123456789ABCDEF:" + user.user_id)["type"] == "User Enrollment"


def test_a_user_channel_of_a_device_that_is_not_enrolled_is_refused(site, new_device):
    device = devices.identity(site, new_device(site))
    device.authenticate()
    assert device.user_channel().token_update(check=False).status == 403


def test_a_user_channel_below_another_device_is_refused(site, new_phone):
    mine, other = new_phone(site), new_phone(site)
    user = other.user_channel()
    with other.as_identity(mine.certificate, mine.key):
        assert user.token_update(check=False).status == 403
    assert site.show(user.id) is None


def test_2_9_users_with_the_device_leave_at_its_checkout(site, phone):
    user = phone.user_channel()
    user.token_update()
    phone.checkout()
    assert site.show(user.id)["state"] == "left"
    assert site.enqueue(user.id, devices.command()[1]).status == 500


def test_2_9_a_users_checkout_ends_only_that_channel(site, phone):
    user = phone.user_channel()
    user.token_update()
    assert user.checkout().status == 200
    assert site.show(user.id)["state"] == "left"
    assert site.show(phone.id)["state"] == "enrolled"


def test_2_9_a_user_who_has_left_comes_back_by_a_tokenupdate(site, phone):
    user = phone.user_channel(short_name="joy")
    user.token_update()
    user.token_update()
    queued(site, user)
    user.checkout()
    user.new_token()
    assert user.token_update().status == 200
    shown = site.show(user.id)
    assert shown["state"] == "enrolled" and shown["token_update_tally"] == 1 and shown["user_short_name"] == "joy"
    assert shown["user"] == site.show(phone.id)["user"] and user.connect() == []
    command_uuid = queued(site, user)
    assert [one.uuid for one in user.connect()] == [command_uuid]
    # but not without its device
    user.checkout()
    phone.checkout()
    assert user.token_update(check=False).status == 403
    assert site.show(user.id)["state"] == "left"


def test_2_9_queues_of_users_end_with_a_new_enrollment_of_the_device(site, phone):
    user = phone.user_channel()
    user.token_update()
    queued(site, user)
    devices.enroll(site, phone)
    assert site.show(user.id)["state"] == "pending"
    user.token_update()
    assert user.connect() == []


def test_userauthenticate_is_410_so_that_network_users_stay_unmanaged(site, phone):
    assert phone.user_channel().user_authenticate().status == 410


# what is wrong with a message

@pytest.mark.parametrize("message", [
    {}, {"MessageType": "Nonsense"}, {"MessageType": 5}, {"MessageType": ""}, {"MessageType": ["TokenUpdate"]},
    {"MessageType": "authenticate"}], ids=str)
def test_unknown_messages_are_400(site, phone, message):
    assert phone.send_checkin(message).status == 400


@pytest.mark.parametrize("spoiled", [
    {"Token": None}, {"PushMagic": None}, {"Topic": None}, {"Token": b""}, {"PushMagic": ""}, {"Token": "text"},
    {"PushMagic": 7}, {"PushMagic": b"data"}, {"Topic": ["x"]}, {"Token": [b"x"]}], ids=str)
def test_a_tokenupdate_with_missing_or_mistyped_keys_is_400_and_changes_nothing(site, phone, spoiled):
    message = {"MessageType": "TokenUpdate", "Topic": TOPIC, "Token": phone.token, "PushMagic": phone.push_magic,
               **phone.identifiers(), **spoiled}
    body = plistlib.dumps({key: value for key, value in message.items() if value is not None})
    assert phone.put(phone.checkin_url, body).status == 400
    assert site.show(phone.id)["token_update_tally"] == 1


@pytest.mark.parametrize("topic", ["", "com.example.other", None, 5])
def test_authenticate_with_a_topic_that_is_none_is_400(site, new_device, topic):
    device = devices.identity(site, new_device(site))
    message = {"MessageType": "Authenticate", "Topic": topic, **device.identifiers()}
    body = plistlib.dumps({key: value for key, value in message.items() if value is not None})
    assert device.put(device.checkin_url, body).status == 400
    assert site.show(device.id) is None


@pytest.mark.parametrize("ids", [{}, {"UDID": ""}, {"UDID": 5}, {"UDID": ["x"]}, {"UDID": b"x"}, {"EnrollmentID": ""},
                                 {"UDID": "x" * 300}, {"UserID": "only-a-user"}, {"UDID": 5, "EnrollmentID": "x"},
                                 {"UDID": "x", "EnrollmentID": 5},
                                 {"UDID": "x", "UserID": SHARED_IPAD_USER},
                                 {"UDID": "x", "UserID": SHARED_IPAD_USER, "UserShortName": ""}],
                         ids=lambda one: str(one)[:30])
def test_a_message_without_proper_identifiers_is_400(site, phone, ids):
    body = plistlib.dumps({"MessageType": "TokenUpdate", "Topic": TOPIC, "Token": b"x", "PushMagic": "x", **ids})
    assert phone.put(phone.checkin_url, body).status == 400


@pytest.mark.parametrize("enrollment_id", [None, "ENR-IDENTIFIERS"], ids=["UDID", "EnrollmentID"])
def test_an_identifier_that_is_no_string_does_not_make_it_another_channels_message(site, new_phone, enrollment_id):
    """A user channel whose UserID were taken as absent would be the device's."""
    phone = new_phone(site, enrollment_id=enrollment_id)
    for key in ("UDID", "EnrollmentID", "UserID", "EnrollmentUserID", "UserShortName", "UserLongName"):
        for value in (5, True, 1.5, ["x"], {"x": "y"}, b"x"):
            ids = {**phone.identifiers(), key: value}
            for message in ({"MessageType": "TokenUpdate", "Token": b"other", "PushMagic": "other"},
                            {"MessageType": "Authenticate"}, {"MessageType": "CheckOut"}):
                assert phone.send_checkin({**ids, **message}).status == 400, (key, value, message)
            assert phone.send_report({**ids, "Status": "Idle"}).status == 400, (key, value)
    shown = site.show(phone.id)
    assert shown["state"] == "enrolled" and shown["token_update_tally"] == 1 and phone.idle().status == 200


@pytest.mark.parametrize("key", ["SerialNumber", "DeviceName", "Model", "ModelName", "ProductName", "OSVersion",
                                 "BuildVersion", "IMEI", "MEID"])
def test_what_a_device_says_of_itself_is_strings(site, new_device, key):
    device = devices.identity(site, new_device(site))
    for value in (5, True, ["x"], b"x"):
        assert device.authenticate({key: value}, check=False).status == 400
    assert site.show(device.id) is None
    device.authenticate()


def test_a_udid_is_worth_more_than_an_enrollment_id(site, phone):
    both = {"EnrollmentID": "ENR-BOTH", "EnrollmentUserID": "nobody"}
    message = {"MessageType": "TokenUpdate", "Token": phone.token, "PushMagic": phone.push_magic, **both}
    assert phone.send_checkin(message).status == 200
    assert site.show(phone.id)["token_update_tally"] == 2 and site.show(phone.id)["type"] == "Device"
    user = phone.user_channel()
    assert user.send_checkin(message).status == 200
    assert site.show(user.id)["type"] == "User" and site.show("ENR-BOTH") is None


def test_an_empty_udid_is_none(site, new_phone):
    phone = new_phone(site, enrollment_id="ENR-EMPTY-UDID")
    reply = phone.put(phone.server_url, plistlib.dumps({"Status": "Idle", "UDID": "", "EnrollmentID": phone.id}))
    assert reply.status == 200


@pytest.mark.parametrize("key", ["UDID", "EnrollmentID"])
def test_a_device_cannot_take_the_name_of_a_user_channel(site, phone, new_device, key):
    """UDID:UserID is the name of a channel: no device may be called so, neither before nor after the channel begins."""
    user, later = phone.user_channel(), phone.user_channel()
    user.token_update()
    mine = devices.identity(site, new_device(site))
    for name in (user.id, later.id):
        body = {"MessageType": "Authenticate", "Topic": TOPIC, key: name}
        for url in (mine.checkin_url, mine.server_url):
            assert mine.put(url, plistlib.dumps(body), {"Content-Type": channel.CHECKIN_TYPE}).status == 400
    assert site.show(later.id) is None
    assert site.show(user.id)["type"] == "User" and site.show(user.id)["state"] == "enrolled"
    assert user.idle().status == 200 and later.token_update().status == 200


LONG = "".join("%x" % (number * number) for number in range(30000))[:100000]


@pytest.mark.parametrize("key", ["SerialNumber", "DeviceName", "Model", "ModelName", "ProductName", "OSVersion",
                                 "BuildVersion", "IMEI", "MEID", "Topic", "UserLongName", "UserShortName"])
def test_texts_beyond_any_measure_are_400_and_no_fault_of_the_database(site, new_device, key):
    device = devices.identity(site, new_device(site))
    message = {"MessageType": "Authenticate", "Topic": TOPIC, **device.identifiers()}
    for text, status in ((LONG, 400), (LONG[:1025], 400), (LONG[:1024], 200)):
        text = TOPIC + text[len(TOPIC):] if key == "Topic" else text
        reply = device.put(device.checkin_url, plistlib.dumps({**message, key: text}))
        assert reply.status == status, (len(text), reply)
        assert bool(site.show(device.id)) == (status == 200)


def test_authenticate_on_a_user_channel_is_400(site, phone):
    assert phone.user_channel().send_checkin({"MessageType": "Authenticate"}).status == 400


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD", "PATCH", "OPTIONS"])
def test_other_methods_than_put_and_post_are_405(site, phone, method):
    for url in (phone.checkin_url, phone.server_url):
        reply = phone.client("tls").request(method, url)
        assert reply.status in ((405, 200) if method == "OPTIONS" else (405,)), reply
