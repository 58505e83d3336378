# SPDX-License-Identifier: Apache-2.0
"""Connect: the cycle of report and next command, and the rules of the queue."""

import plistlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from . import devices


@pytest.fixture
def queue(site, phone):
    """queue(count): so many commands for the phone; returns their UUIDs in order."""
    def add(count=1, request_type="DeviceInformation", target=None):
        made = []
        for _ in range(count):
            command_uuid, body = devices.command(request_type)
            reply = site.enqueue((target or phone).id, body, nopush=True)
            assert reply.status == 200, reply.text
            made.append(command_uuid)
        return made
    return add


def idle(phone):
    return devices.served(phone.idle())


def report(phone, command_uuid, status, **keys):
    """Report a status; the UUID of the next command or None."""
    return devices.served(phone.send_report({"Status": status, "CommandUUID": command_uuid, **keys}))


def error(phone, command_uuid, status="Error"):
    return report(phone, command_uuid, status, ErrorChain=[
        {"ErrorCode": 12021, "ErrorDomain": "MCMDMErrorDomain", "LocalizedDescription": "Geht nicht „jetzt“",
         "USEnglishDescription": "Not <possible>"}, {"ErrorCode": -1, "ErrorDomain": "X"}])


def test_idle_with_nothing_queued_is_200_with_no_bytes(phone):
    reply = phone.idle()
    assert reply.status == 200
    assert reply.body == b""


@pytest.mark.mpm
@pytest.mark.smoke
def test_commands_come_in_the_order_they_were_queued(phone, queue):
    wanted = queue(5)
    assert [one.uuid for one in phone.connect()] == wanted
    assert idle(phone) is None


def test_row_11_the_bytes_served_are_the_bytes_enqueued(site, phone):
    body = (b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" '
            b'"http://www.apple.com/DTDs/PropertyList-1.0.dtd">\r\n<plist version="1.0">\n\t<dict>  <key>Command</key>'
            b'<dict><key>RequestType</key><string>Settings</string><key>X</key><string>\xc3\xa4 &amp; &lt; &#x20ac; '
            b"\xf0\x9f\x8f\xa5 'q' \\ %% $1 ? ;--</string></dict>\n<key>CommandUUID</key><string>bytes-%s</string>"
            b"</dict></plist>  \n\n" % phone.udid.encode())
    reply = site.enqueue(phone.id, body, nopush=True)
    assert reply.status == 200, reply.text
    served = phone.idle()
    assert served.body == body
    assert served.headers["Content-Length"] == str(len(body))
    assert "xml" in served.content_type


def test_a_big_command_arrives_whole(site, phone):
    command_uuid, body = devices.command("InstallProfile", Payload=bytes(range(256)) * 6000)
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    assert phone.idle().body == body


@pytest.mark.mpm
def test_row_10_idle_twice_serves_the_same_command(phone, queue):
    first, _second = queue(2)
    assert [idle(phone), idle(phone), idle(phone)] == [first] * 3


@pytest.mark.mpm
@pytest.mark.parametrize("status", ["Acknowledged", "Error", "CommandFormatError"])
def test_row_10_a_final_answer_finishes_a_command_and_brings_the_next(site, phone, queue, status):
    first, second = queue(2)
    assert idle(phone) == first
    assert (report(phone, first, status) if status == "Acknowledged" else error(phone, first, status)) == second
    assert idle(phone) == second
    shown = site.show_command(first)
    assert status in str(shown)
    if status != "Acknowledged":
        assert "12021" in str(shown) and "Geht nicht „jetzt“" in str(shown)


def test_an_answer_before_the_command_was_served_counts_too(phone, queue):
    first, second, third = queue(3)
    assert report(phone, second, "Acknowledged") == first
    assert report(phone, first, "Acknowledged") == third


# NotNow

def test_row_10_right_after_notnow_only_commands_not_yet_refused_come(phone, queue):
    one, two, three = queue(3)
    assert idle(phone) == one
    assert report(phone, one, "NotNow") == two
    assert report(phone, two, "NotNow") == three
    assert report(phone, three, "NotNow") is None


def test_row_10_after_any_other_answer_the_refused_ones_come_first_again(phone, queue):
    one, two, three = queue(3)
    assert idle(phone) == one
    assert report(phone, one, "NotNow") == two
    assert report(phone, two, "NotNow") == three
    assert report(phone, three, "Acknowledged") == one
    assert report(phone, one, "Acknowledged") == two
    assert report(phone, two, "Acknowledged") is None


def test_after_an_error_too(phone, queue):
    one, two, _three = queue(3)
    assert report(phone, one, "NotNow") == two
    assert error(phone, two) == one


@pytest.mark.mpm
def test_a_new_session_starts_with_the_refused_ones(phone, queue):
    one, two = queue(2)
    assert idle(phone) == one
    assert report(phone, one, "NotNow") == two
    assert report(phone, two, "NotNow") is None
    assert idle(phone) == one
    assert report(phone, one, "NotNow") == two
    assert idle(phone) == one


def test_notnow_again_and_again_never_loses_a_command(phone, queue):
    only, = queue(1)
    for _ in range(12):
        assert idle(phone) == only
        assert report(phone, only, "NotNow") is None
    assert idle(phone) == only
    assert report(phone, only, "Acknowledged") is None
    assert idle(phone) is None


def test_notnow_is_shown_in_the_queue(site, phone, queue):
    one, two = queue(2)
    report(phone, one, "NotNow")
    shown = {item["command_uuid"]: item for item in site.queue_items(phone.id)}
    assert shown[one]["status"] == "notnow" and shown[one]["tries"] == 1
    assert shown[two]["status"] in ("queued", "sent")


def test_a_notnow_is_followed_by_a_later_wakeup(make_site, new_phone, apns):
    site = make_site(directives={"MDMNotNowRetry": "1s"}).start()
    site.upload_push_certificate()
    phone = new_phone(site)
    command_uuid, body = devices.command()
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    before = len(apns.pushes(magic=phone.push_magic))
    assert idle(phone) == command_uuid
    assert report(phone, command_uuid, "NotNow") is None
    assert len(apns.pushes(magic=phone.push_magic)) == before, "not before the time is up"
    apns.wait_pushes(before + 1, magic=phone.push_magic, timeout=15)


# repeated, unknown, strange

@pytest.mark.mpm
def test_row_20_a_repeated_result_is_200_and_disturbs_nothing(site, phone, queue):
    one, two, three = queue(3)
    assert report(phone, one, "Acknowledged") == two
    assert report(phone, one, "Acknowledged") == two
    assert report(phone, one, "Error") == two
    assert report(phone, one, "NotNow") == two
    assert "Acknowledged" in str(site.show_command(one))
    assert report(phone, two, "Acknowledged") == three
    assert report(phone, three, "Acknowledged") is None


@pytest.mark.parametrize("status", ["Acknowledged", "Error", "CommandFormatError", "NotNow"])
def test_row_20_an_unknown_uuid_is_200_and_disturbs_nothing(phone, queue, status):
    one, two = queue(2)
    assert report(phone, "no-such-command", status) == one
    assert idle(phone) == one
    assert report(phone, one, "Acknowledged") == two


def test_another_devices_command_cannot_be_answered(site, phone, new_phone, queue):
    other = new_phone(site)
    one, = queue(1)
    assert report(other, one, "Acknowledged") is None
    assert idle(phone) == one


def test_one_command_for_two_devices_is_finished_for_each_alone(site, phone, new_phone):
    other = new_phone(site)
    command_uuid, body = devices.command()
    assert site.enqueue([phone.id, other.id], body, nopush=True).status == 200
    assert [one.uuid for one in phone.connect()] == [command_uuid]
    assert idle(other) == command_uuid
    assert error(other, command_uuid) is None
    states = {item["enrollment_id"]: item["status"] for item in site.show_command(command_uuid)["enrollments"]}
    assert states == {phone.id: "Acknowledged", other.id: "Error"}


def test_the_answer_is_kept_with_what_the_device_said(site, phone, queue):
    one, = queue(1)
    phone.connect()
    assert phone.serial in str(site.show_command(one))


def test_an_erased_device_gets_nothing_any_more(site, phone, queue):
    erase, = queue(1, "EraseDevice")
    lock, = queue(1, "DeviceLock")
    assert idle(phone) == erase
    assert report(phone, erase, "Acknowledged") is None
    assert site.show(phone.id)["state"] == "wiped"
    assert phone.idle().status == 403
    devices.enroll(site, phone)
    assert phone.connect() == []
    assert "Cancelled" in str(site.show_command(lock))


def test_a_user_channel_that_acknowledges_an_erase_speaks_for_the_device(site, phone, queue):
    user = phone.user_channel()
    user.token_update()
    lock, = queue(1, "DeviceLock")
    erase, body = devices.command("EraseDevice")
    assert site.enqueue(user.id, body, nopush=True).status == 200
    assert idle(user) == erase
    assert report(user, erase, "Acknowledged") is None
    assert site.show(phone.id)["state"] == site.show(user.id)["state"] == "wiped"
    assert "Cancelled" in str(site.show_command(lock))
    assert phone.idle().status == 403 and user.idle().status == 403


def test_an_answered_erase_is_never_served_again(site, phone, queue):
    erase, = queue(1, "EraseDevice")
    assert idle(phone) == erase
    assert error(phone, erase) is None
    assert idle(phone) is None
    assert site.show(phone.id)["state"] == "enrolled"


def test_the_same_result_twice_at_once_is_stored_once(site, phone, queue, closing):
    from mdmsim import web
    one, two = queue(2)
    body = plistlib.dumps({**phone.identifiers(), "Status": "Acknowledged", "CommandUUID": one})
    signature = phone.sign(body)

    def send(_):
        http = web.Client(site.keys.tls_ca_file)
        try:
            return http.put(phone.server_url, body, {"Mdm-Signature": signature})
        finally:
            http.close()
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(send, range(6)))
    assert [devices.served(reply) for reply in replies] == [two] * 6
    assert len(site.show_command(one)["enrollments"]) == 1


# wrong messages

@pytest.mark.parametrize("message", [
    {}, {"Status": ""}, {"Status": 5}, {"Status": ["Idle"]}, {"Status": "Acknowledged"},
    {"Status": "Acknowledged", "CommandUUID": ""}, {"Status": "Acknowledged", "CommandUUID": 7},
    {"Status": "Error", "CommandUUID": ["x"]}, {"Status": "NotNow"}, {"Status": "x" * 200, "CommandUUID": "x"},
    {"Status": "Acknowledged", "CommandUUID": "x" * 300}], ids=lambda one: str(one)[:50])
def test_reports_with_missing_or_mistyped_keys_are_400(site, phone, queue, message):
    one, = queue(1)
    assert phone.send_report(message).status == 400
    assert idle(phone) == one


@pytest.mark.parametrize("chain", ["text", 5, [], {}, ["x", 5], [{"ErrorCode": "x"}], [{}] * 50,
                                   [{"ErrorCode": 2 ** 62, "LocalizedDescription": "<script>"}]],
                         ids=lambda one: str(one)[:30])
def test_odd_error_chains_do_not_stop_the_queue(site, phone, queue, chain):
    one, two = queue(2)
    assert report(phone, one, "Error", ErrorChain=chain) == two


def test_last_seen_is_written_within_the_interval(site, phone):
    from .httpd import wait_until
    before = site.show(phone.id).get("last_seen_at")
    phone.idle()
    wait_until(lambda: site.show(phone.id).get("last_seen_at") not in (None, before), what="last_seen_at to move")
