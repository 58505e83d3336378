# SPDX-License-Identifier: Apache-2.0
"""Clear Passcode: the unlock token that a device gave is added when the command goes out to that device."""

import json
import plistlib

from . import devices
from .test_facts import events, order

JSON = {"Content-Type": "application/json"}


def test_the_token_of_the_device_is_added(site, phone, new_phone):
    other = new_phone(site)
    command_uuid, body = devices.command("ClearPasscode")
    assert site.enqueue([phone.id, other.id], body, nopush=True).status == 200
    for one in (phone, other):
        [done] = one.connect()
        assert plistlib.loads(done.raw)["Command"]["UnlockToken"] == one.unlock_token
        assert done.report["Status"] == "Acknowledged" and not one.passcode
        assert [[object_] for _, object_ in events(site, one, "unlock_token.used")] == [[command_uuid]]
    reply = site.api("GET", "/v1/commands/" + command_uuid)
    assert phone.unlock_token.hex() not in reply.text and phone.unlock_token.hex() not in site.log.text()


def test_the_checked_command_needs_no_token_either(site, phone):
    body = {"command": {"RequestType": "ClearPasscode"}, "targets": {"ids": [phone.id]}, "push": False}
    reply = site.api("POST", "/v1/commands", json.dumps(body).encode(), JSON)
    assert reply.status in (200, 201, 202), reply.text
    [done] = phone.connect()
    assert done.report["Status"] == "Acknowledged" and not phone.passcode


def test_a_token_that_is_given_is_left_alone(site, phone):
    done = order(site, phone, "ClearPasscode", UnlockToken=b"another")
    assert plistlib.loads(done.raw)["Command"]["UnlockToken"] == b"another"
    assert done.report["Status"] == "Error" and phone.passcode
    assert events(site, phone, "unlock_token.used") == []


def test_without_a_token_the_command_is_withdrawn_and_says_why(site, phone):
    site.log.expect("MDM0820")
    site.database.sql("UPDATE mdm_enrollment SET unlock_token = NULL WHERE enrollment_id = '%s'" % phone.id)
    command_uuid, body = devices.command("ClearPasscode")
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    assert phone.connect() == []
    shown = site.show_command(command_uuid)["enrollments"][0]
    assert shown["status"] == "Cancelled" and "unlock token" in str(shown["error_chain"])
