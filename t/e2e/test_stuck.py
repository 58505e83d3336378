# SPDX-License-Identifier: Apache-2.0
"""Why a device does not get what waits for it: each reason, brought about as it comes about, in one sentence."""

import datetime
import json

import pytest

from . import desired, devices
from .httpd import wait_until

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def ward(make_site):
    site = make_site(directives={"MDMApproval": "DeviceLock", "MDMPushRetry": "1s 1s", "MDMNotNowRetry": "1h"})
    site.start()
    site.upload_push_certificate()
    return site


def why(site, phone):
    shown = site.show(phone.id)
    return shown.get("stuck_reason"), shown.get("stuck", "")


def order(site, phone, request_type="DeviceInformation", nopush=False):
    uuid, body = devices.command(request_type)
    reply = site.enqueue(phone.id, body, nopush=nopush)
    assert reply.status in (200, 207), reply.text
    return uuid


def test_nothing_is_said_of_a_device_that_gets_all(ward, new_phone):
    phone = new_phone(ward)
    assert why(ward, phone) == (None, "")
    order(ward, phone, nopush=True)
    phone.connect()
    assert why(ward, phone) == (None, "")
    assert ward.http.get(ward.at("/mdm-status?json")).json["stuck"] == []


def test_a_device_that_has_left(ward, new_phone):
    phone = new_phone(ward)
    phone.checkout()
    reason, text = why(ward, phone)
    assert reason == "left" and text.startswith("It has left management on ") and "enrolls again at" in text


def test_an_identity_that_does_not_count(ward, new_phone):
    phone = new_phone(ward)
    serial = ward.show(phone.id)["identity"]["certificate"]
    assert ward.api("POST", "/v1/certificates/%s/revoke" % serial, b"{}", JSON).status == 200
    reason, text = why(ward, phone)
    assert reason == "identity" and "was revoked on" in text


def test_another_push_topic(ward, new_phone):
    phone = new_phone(ward)
    ward.log.expect("can not be woken: there is no push certificate", "NoCertificate")
    phone.topic = "com.apple.mgmt.External.other"
    phone.token_update()
    reason, text = why(ward, phone)
    assert reason == "topic" and "com.apple.mgmt.External.other" in text


def test_a_dead_push_token(ward, new_phone, apns):
    phone = new_phone(ward)
    apns.answer(410, "Unregistered", magic=phone.push_magic)
    order(ward, phone)
    wait_until(lambda: why(ward, phone)[0] == "token", what="APNs to call the token dead")
    assert "(Unregistered)" in why(ward, phone)[1]


def test_apns_does_not_take_the_push(ward, new_phone, apns):
    phone = new_phone(ward)
    apns.answer(500, "InternalServerError", magic=phone.push_magic, times=1000)
    order(ward, phone)
    wait_until(lambda: why(ward, phone)[0] == "push", what="the push to fail")
    assert "InternalServerError" in why(ward, phone)[1]
    apns.clear(answers=True)


def test_a_device_that_is_woken_and_does_not_come(ward, new_phone, apns):
    phone = new_phone(ward)
    order(ward, phone)
    wait_until(lambda: why(ward, phone)[0] == "silent", what="the device not to come")
    text = why(ward, phone)[1]
    assert text.startswith("It was woken on ") and "1 commands wait for it" in text
    listed = ward.http.get(ward.at("/mdm-status?json")).json["stuck"]
    assert [(one["enrollment_id"], one["reason"]) for one in listed] == [(phone.id, "silent")]
    page = ward.http.get(ward.at("/mdm-status")).text
    assert "<h2>Stuck</h2>" in page and "It was woken on" in page
    phone.connect()
    wait_until(lambda: why(ward, phone) == (None, ""), what="the device to be heard")


def test_a_locked_device(ward, new_phone):
    phone = new_phone(ward)
    phone.script("DeviceInformation", "NotNow")
    order(ward, phone, nopush=True)
    assert [one.status for one in phone.connect()] == ["NotNow"]
    reason, text = why(ward, phone)
    assert reason == "not_now" and "NotNow to DeviceInformation" in text


def test_a_second_person_and_a_time(ward, new_phone):
    phone = new_phone(ward)
    order(ward, phone, "DeviceLock")
    reason, text = why(ward, phone)
    assert reason == "waiting" and text == "1 commands wait for the approval of a second person"
    other = new_phone(ward)
    later = (datetime.datetime.utcnow() + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = {"command": {"RequestType": "DeviceInformation", "Queries": ["UDID"]}, "targets": {"ids": [other.id]},
             "not_before": later}
    reply = ward.api("POST", "/v1/commands", json.dumps(asked).encode(), JSON)
    assert reply.status == 201, reply.text
    reason, text = why(ward, other)
    assert reason == "waiting" and "not to go out before" in text


def test_a_wave_of_a_rollout_that_has_not_come(ward, new_phone):
    name = desired.name_of("wifi")
    phones = [new_phone(ward) for _ in range(8)]
    desired.profile(ward, name, desired.wifi("fixed-CANARY"))
    group = desired.group(ward, desired.name_of("some"), [phone.id for phone in phones])
    made = desired.assign(ward, name, group=group, rollout={"steps": [1, 100]})
    desired.settled(ward)
    waiting = [phone for phone in phones if phone.id not in desired.rows(ward, name)]
    assert waiting, "of eight one percent"
    for phone in waiting:
        reason, text = why(ward, phone)
        assert reason == "waiting" and "profile %s (assignment %s)" % (name, made["id"]) in text, text
        assert "1 % of the devices, step 1 of 2" in text and "held" in text
    desired.call(ward, "POST", "assignments/%s/stop" % made["id"], status=200)
    assert "has stopped there: stopped by nanomdm" in why(ward, waiting[0])[1]
    out = desired.assign(ward, name, enrollment=waiting[0].id, exclude=True)
    assert why(ward, waiting[0]) == (None, "")
    desired.call(ward, "DELETE", "assignments/" + out["id"], status=204)
    desired.call(ward, "POST", "assignments/%s/resume" % made["id"], status=200)
    desired.call(ward, "POST", "assignments/%s/advance" % made["id"], status=200)
    desired.settled(ward)
    for phone in phones:
        phone.connect()
        assert why(ward, phone) == (None, "")
