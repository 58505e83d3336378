# SPDX-License-Identifier: Apache-2.0
"""Commands taken back, answered late, waiting for a second person; groups."""

import datetime
import json
import time

import pytest

from . import devices
from .httpd import wait_until

JSON = {"Content-Type": "application/json"}


def order(site, phone, request_type="ProfileList", **how):
    body = {"command": {"RequestType": request_type}, "targets": {"ids": [phone.id]}, **how}
    reply = site.api("POST", "/v1/commands", json.dumps(body).encode(), JSON)
    assert reply.status == 201, reply.text
    return reply.json["command_uuid"]


def at(seconds):
    """(UNIX time, text) so many seconds from now, rounded up."""
    moment = int(time.time()) + 1 + seconds
    return moment, datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def enqueue(site, phone, request_type="DeviceInformation"):
    command_uuid, body = devices.command(request_type)
    reply = site.enqueue(phone.id, body, nopush=True)
    assert reply.status == 200, reply.text
    return command_uuid


def status_of(site, command_uuid):
    shown = site.api("GET", "/v1/commands/" + command_uuid).json
    return [one["status"] for one in shown["enrollments"]], shown["counts"]


def test_a_cancelled_command_is_never_served(site, phone):
    command_uuid = enqueue(site, phone)
    reply = site.api("DELETE", "/v1/commands/" + command_uuid)
    assert reply.status == 200 and reply.json == {"cancelled": 1, "not_cancellable": []}
    assert phone.connect() == []
    assert status_of(site, command_uuid) == (["Cancelled"], {"cancelled": 1})
    assert site.api("DELETE", "/v1/commands/" + command_uuid).status == 409
    assert site.api("DELETE", "/v1/commands/unknown").status == 404


def test_the_answer_to_a_command_cancelled_too_late_counts(make_site, new_phone):
    # what was handed out is noted by time: here so late that the command can still be cancelled
    site = make_site(directives={"MDMLastSeenInterval": "1h"}).start()
    site.upload_push_certificate()
    phone = new_phone(site)
    command_uuid = enqueue(site, phone)
    assert devices.served(phone.idle()) == command_uuid
    assert site.api("DELETE", "/v1/commands/" + command_uuid).status == 200
    assert status_of(site, command_uuid) == (["Cancelled"], {"cancelled": 1})
    assert devices.served(phone.send_report({"Status": "Acknowledged", "CommandUUID": command_uuid})) is None
    assert status_of(site, command_uuid) == (["Acknowledged"], {"acknowledged": 1})
    # and only once
    assert devices.served(phone.send_report({"Status": "Error", "CommandUUID": command_uuid, "ErrorChain": []})) is None
    assert status_of(site, command_uuid)[0] == ["Acknowledged"]


def test_what_went_out_cannot_be_cancelled(site, phone, new_phone):
    other = new_phone(site)
    command_uuid, body = devices.command("DeviceInformation")
    assert site.enqueue([phone.id, other.id], body, nopush=True).status == 200
    assert devices.served(phone.idle()) == command_uuid
    wait_until(lambda: site.queue_items(phone.id)[0]["status"] == "sent", what="the command to be noted as sent")
    reply = site.api("DELETE", "/v1/commands/%s?enrollment_id=%s" % (command_uuid, phone.id))
    assert reply.status == 409, reply.text
    reply = site.api("DELETE", "/v1/commands/" + command_uuid)
    assert reply.json == {"cancelled": 1, "not_cancellable": [phone.id]}
    assert status_of(site, command_uuid)[1] == {"sent": 1, "cancelled": 1}
    assert site.api("DELETE", "/v1/enrollments/%s/queue" % phone.id).status == 409
    assert devices.served(phone.idle()) == command_uuid, "it is still his"
    assert other.connect() == []


def test_a_command_for_later_wakes_its_device_then(site, phone, apns):
    apns.clear()
    moment, text = at(2)
    command_uuid = order(site, phone, not_before=text)
    assert status_of(site, command_uuid) == (["scheduled"], {"scheduled": 1}) or time.time() >= moment
    assert devices.served(phone.idle()) is None or time.time() >= moment
    push = apns.wait_pushes(1, magic=phone.push_magic)[0]
    assert moment <= push.time < moment + 5
    assert devices.served(phone.idle()) == command_uuid


def test_a_command_that_is_over_its_time_is_expired(site, phone):
    moment, text = at(1)
    command_uuid = order(site, phone, not_after=text, push=False)
    wait_until(lambda: status_of(site, command_uuid)[0] == ["Expired"], what="the command to expire")
    assert time.time() >= moment and status_of(site, command_uuid)[1] == {"expired": 1}
    assert phone.connect() == []
    # a device that had it and answers now is believed
    assert devices.served(phone.send_report({"Status": "Acknowledged", "CommandUUID": command_uuid})) is None
    assert status_of(site, command_uuid)[0] == ["Acknowledged"]


@pytest.mark.parametrize("leave", ["checkout", "authenticate"])
def test_t25_nothing_is_delivered_after_a_new_enrollment(site, phone, leave):
    user = phone.user_channel()
    user.token_update()
    erase, lock = enqueue(site, phone, "EraseDevice"), enqueue(site, phone, "DeviceLock")
    of_user = enqueue(site, user, "ProfileList")
    scheduled = order(site, phone, not_before=at(3600)[1])
    assert devices.served(phone.idle()) == erase
    wait_until(lambda: site.queue_items(phone.id)[0]["status"] == "sent", what="the erase to be noted as sent")
    if leave == "checkout":
        phone.checkout()
    devices.enroll(site, phone)
    user.token_update()
    assert phone.connect() == [] and user.connect() == []
    assert site.queue_items(phone.id) == []
    for one in (erase, lock, of_user, scheduled):
        assert status_of(site, one)[0] == ["Cancelled"], one
    shown = json.dumps(site.show_command(erase))
    assert "assumed done" in shown and "assumed done" not in json.dumps(site.show_command(lock))
    # an answer from before changes nothing, least of all that of the erase
    for one in (lock, erase):
        assert devices.served(phone.send_report({"Status": "Acknowledged", "CommandUUID": one})) is None
        assert status_of(site, one)[0] == ["Cancelled"]
    assert site.show(phone.id)["state"] == "enrolled"


def test_t25_an_erase_that_was_being_stored_while_the_device_enrolled_anew_is_not_delivered(site, phone):
    erase, harmless = enqueue(site, phone, "EraseDevice"), enqueue(site, phone, "ProfileList")
    open_rows = ("FROM mdm_queue q JOIN mdm_command c ON c.id = q.command WHERE c.uuid IN ('%s', '%s')"
                 % (erase, harmless))
    rows = site.database.sql("SELECT q.command, q.enrollment, q.queued_at " + open_rows)
    assert len(rows) == 2
    devices.enroll(site, phone)
    # as a transaction leaves it that began before and ended after the device's Authenticate
    for command, enrollment, queued_at in rows:
        site.database.sql("DELETE FROM mdm_result WHERE command = %s AND enrollment = %s" % (command, enrollment))
        site.database.sql("INSERT INTO mdm_queue (command, enrollment, priority, notnow, tries, queued_at, sent_at) "
                          "VALUES (%s, %s, 0, 0, 0, %s, 0)" % (command, enrollment, queued_at))
    assert [one.uuid for one in phone.connect()] == [harmless]
    assert status_of(site, erase)[0] == ["Cancelled"]
    assert "enrolled anew" in json.dumps(site.show_command(erase))
    ordered_now = enqueue(site, phone, "EraseDevice")
    assert devices.served(phone.idle()) == ordered_now


def test_a_queue_is_cleared_for_one_enrollment(site, phone, new_phone):
    other = new_phone(site)
    first, second = enqueue(site, phone), enqueue(site, phone)
    kept = enqueue(site, other)
    reply = site.api("DELETE", "/v1/enrollments/%s/queue" % phone.id)
    assert reply.status == 200 and reply.json["cancelled"] == 2
    assert phone.connect() == []
    assert devices.served(other.idle()) == kept
    assert [status_of(site, one)[0] for one in (first, second)] == [["Cancelled"]] * 2


def test_groups_have_members(site, phone):
    assert site.api("PUT", "/v1/groups/nurses").status in (200, 201)
    assert site.api("PUT", "/v1/groups/nurses/members/" + phone.id).json["members"] >= 1
    assert phone.id in [one["enrollment_id"] for one in site.api("GET", "/v1/groups/nurses/members").json["members"]]
    assert site.api("PUT", "/v1/groups/nurses/members/nobody").status == 404
    assert "nurses" in [one["name"] for one in site.api("GET", "/v1/groups").json["groups"]]
    assert site.api("DELETE", "/v1/groups/nurses/members/" + phone.id).status == 200
    assert site.api("DELETE", "/v1/groups/nurses").status == 204
    assert site.api("GET", "/v1/groups/nurses").status == 404
