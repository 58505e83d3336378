# SPDX-License-Identifier: Apache-2.0
"""Commands that need a second person: held until somebody else decides, whoever of them restarts what."""

import json

import pytest

from . import devices
from .httpd import wait_until
from .site import PASSWORD, USER

OTHER = "other"
JSON = {"Content-Type": "application/json"}
GUARD = """SetHandler mdm-api
    AuthType Basic
    AuthName api
    AuthBasicProvider file
    AuthUserFile "%(folder)s/htpasswd"
    Require valid-user"""


@pytest.fixture
def ward(make_site):
    """A site where Apache tells people apart, and EraseDevice needs two of them."""
    site = make_site(directives={"MDMAPIKeyFile": None, "MDMApproval": "EraseDevice DeviceLock"})
    site.locations = site.locations.replace("SetHandler mdm-api", GUARD)
    site.start()
    reply = site.api("PUT", "/v1/pushcert", site.keys.push_pem, user=USER, key=PASSWORD)
    assert reply.status == 200, reply.text
    return site


def call(site, user, method, path, body=None):
    return site.api(method, path, json.dumps(body).encode() if body is not None else None, JSON if body else None,
                    user=user, key=PASSWORD)


def order(site, phone, user=USER, request_type="EraseDevice", **more):
    reply = call(site, user, "POST", "/v1/commands",
                 {"command": {"RequestType": request_type}, "targets": {"ids": [phone.id]}, **more})
    assert reply.status == 201 and reply.json["state"] == "held" and "status" not in reply.json, reply.text
    return reply.json["command_uuid"]


def held(site):
    return [one["command_uuid"] for one in call(site, OTHER, "GET", "/v1/commands?state=held").json["commands"]]


def test_a_second_person_lets_a_command_go(ward, new_phone, apns):
    phone = new_phone(ward)
    apns.clear()
    command_uuid = order(ward, phone, note="lost on the train")
    listed, = call(ward, OTHER, "GET", "/v1/commands?state=held").json["commands"]
    assert listed["command_uuid"] == command_uuid and listed["note"] == "lost on the train"
    assert phone.connect() == [] and not apns.pushes(magic=phone.push_magic)
    for verb in ("approve", "deny"):
        refused = call(ward, USER, "POST", "/v1/commands/%s/%s" % (command_uuid, verb))
        assert refused.status == 403 and USER in refused.json["error"], refused.text
    shown = call(ward, USER, "GET", "/v1/commands/" + command_uuid).json
    assert shown["approval"] == "wanted" and shown["counts"] == {"held": 1} and shown["note"] == "lost on the train"
    ward.stop()
    ward.start_again()
    assert phone.connect() == [] and held(ward) == [command_uuid]
    given = call(ward, OTHER, "POST", "/v1/commands/%s/approve" % command_uuid)
    assert given.json == {"command_uuid": command_uuid, "approval": "given", "decided_by": OTHER, "enrollments": 1}
    assert apns.wait_pushes(1, magic=phone.push_magic)
    assert held(ward) == []
    assert call(ward, OTHER, "POST", "/v1/commands/%s/deny" % command_uuid).status == 409
    assert devices.served(phone.idle()) == command_uuid
    trail = ward.database.sql("SELECT kind, actor, detail FROM mdm_event WHERE kind LIKE 'command.%' ORDER BY id")
    assert [row[:2] for row in trail] == [["command.held", USER], ["command.approved", OTHER]]
    assert trail[0][2] == "EraseDevice: lost on the train"


def test_a_login_in_another_case_is_no_second_person(ward, new_phone):
    with open(ward.path("htpasswd"), encoding="utf-8") as source:
        text = source.read()
    digest = text.splitlines()[0].partition(":")[2]
    twins = [USER.upper(), USER.title()]
    ward.write("htpasswd", text + "".join("%s:%s\n" % (one, digest) for one in twins))
    phone = new_phone(ward)
    command_uuid = order(ward, phone)
    for twin in twins:
        refused = call(ward, twin, "POST", "/v1/commands/%s/approve" % command_uuid)
        assert refused.status == 403 and "another person" in refused.json["error"], (twin, refused.text)
    assert held(ward) == [command_uuid] and phone.connect() == []
    assert call(ward, OTHER, "POST", "/v1/commands/%s/approve" % command_uuid).status == 200
    assert devices.served(phone.idle()) == command_uuid


def test_what_is_denied_ends(ward, new_phone):
    phone = new_phone(ward)
    command_uuid = order(ward, phone, request_type="DeviceLock")
    given = call(ward, OTHER, "POST", "/v1/commands/%s/deny" % command_uuid)
    assert given.status == 200 and given.json["approval"] == "denied", given.text
    assert phone.connect() == []
    shown = call(ward, USER, "GET", "/v1/commands/" + command_uuid).json
    assert shown["counts"] == {"cancelled": 1} and shown["decided_by"] == OTHER
    assert call(ward, OTHER, "POST", "/v1/commands/nothing/approve").status == 404


def test_a_raw_command_is_held_like_any_other(ward, new_phone):
    phone = new_phone(ward)
    command_uuid, body = devices.command("EraseDevice")
    reply = ward.api("PUT", "/v1/enqueue/" + phone.id, body, user=USER, key=PASSWORD)
    assert reply.status == 200, reply.text
    assert phone.connect() == [] and held(ward) == [command_uuid]
    free, body = devices.command("DeviceInformation")
    assert ward.api("PUT", "/v1/enqueue/" + phone.id, body, user=USER, key=PASSWORD).status == 200
    assert [one.uuid for one in phone.connect()] == [free]
    # an ordinary command needs nobody
    assert call(ward, OTHER, "POST", "/v1/commands/%s/approve" % free).status == 409


@pytest.mark.once
def test_all_who_have_the_key_are_one_person(make_site, new_phone):
    site = make_site(directives={"MDMApproval": "EraseDevice"}).start()
    site.upload_push_certificate()
    phone = new_phone(site)
    command_uuid, body = devices.command("EraseDevice")
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    refused = site.api("POST", "/v1/commands/%s/approve" % command_uuid)
    assert refused.status == 403 and "key" in refused.json["error"], refused.text
    assert phone.connect() == []


def restart(site, **directives):
    site.stop()
    site.own.update(directives)
    site.start(site.port)


# What somebody with the database, but without the sealing key, could write. (table, what is set)
TAMPERED = [
    [("mdm_queue", "held = 0")],
    [("mdm_command", "approval = 0"), ("mdm_queue", "held = 0")],
    [("mdm_command", "approval = 2, decided_by = '%s', decided_at = 1" % OTHER), ("mdm_queue", "held = 0")],
    [("mdm_command", "request_type = 'ProfileList', approval = 0"), ("mdm_queue", "held = 0")],
    [("mdm_command", "delivery = 1, approval = 0"), ("mdm_queue", "held = 0")],
    [("mdm_command", "created_by = '%s', approval = 2, decided_by = '%s'" % (OTHER, USER)), ("mdm_queue", "held = 0")],
]


def tamper(site, command_uuid, changes):
    ids = {"mdm_command": "id", "mdm_queue": "command"}
    for table, change in changes:
        site.database.sql("UPDATE %s SET %s WHERE %s = (SELECT id FROM mdm_command WHERE uuid = '%s')"
                          % (table, change, ids[table], command_uuid))


def test_no_row_of_the_database_lets_a_held_command_go(ward, new_phone):
    ward.log.expect("MDM0888")
    for changes in TAMPERED:
        phone = new_phone(ward)
        command_uuid = order(ward, phone)
        tamper(ward, command_uuid, changes)
        assert phone.connect() == [], changes
        assert held(ward) == [command_uuid], changes
        shown = call(ward, USER, "GET", "/v1/commands/" + command_uuid).json
        assert shown["approval"] == "wanted" and shown["counts"] == {"held": 1} and "decided_by" not in shown, changes
        refused = call(ward, USER, "POST", "/v1/commands/%s/approve" % command_uuid)
        assert refused.status == 403, (changes, refused.text)
        # it is still the one that was ordered, and may go when somebody else says so
        assert call(ward, OTHER, "POST", "/v1/commands/%s/approve" % command_uuid).status == 200
        assert devices.served(phone.idle()) == command_uuid


def test_who_ordered_is_not_taken_from_the_row(ward, new_phone):
    phone = new_phone(ward)
    command_uuid = order(ward, phone)
    tamper(ward, command_uuid, [("mdm_command", "created_by = '%s'" % OTHER)])
    refused = call(ward, USER, "POST", "/v1/commands/%s/approve" % command_uuid)
    assert refused.status == 403 and USER in refused.json["error"], refused.text
    assert phone.connect() == []


def test_nobody_approves_what_he_was_not_shown(ward, new_phone):
    phone = new_phone(ward)
    command_uuid = order(ward, phone)
    tamper(ward, command_uuid, [("mdm_command", "request_type = 'ProfileList'")])
    refused = call(ward, OTHER, "POST", "/v1/commands/%s/approve" % command_uuid)
    assert refused.status == 403 and "EraseDevice" in refused.json["error"], refused.text
    assert phone.connect() == []
    assert call(ward, OTHER, "POST", "/v1/commands/%s/deny" % command_uuid).status == 200
    assert phone.connect() == []


def test_an_approval_counts_for_its_own_command_alone(ward, new_phone):
    ward.log.expect("MDM0888")
    phone = new_phone(ward)
    approved, other = order(ward, phone), order(ward, phone, request_type="DeviceLock")
    assert call(ward, OTHER, "POST", "/v1/commands/%s/approve" % approved).status == 200
    columns = "approval = 2, decided_by = '%s', approver = (SELECT a.approver FROM mdm_command a WHERE a.uuid = '%s')"
    tamper(ward, other, [("mdm_command", columns % (OTHER, approved)), ("mdm_queue", "held = 0")])
    ward.database.sql("DELETE FROM mdm_queue WHERE command = (SELECT id FROM mdm_command WHERE uuid = '%s')" % approved)
    assert phone.connect() == [] and held(ward) == [other]


def test_what_was_ordered_before_needs_a_second_person_from_then_on(ward, new_phone):
    ward.log.expect("MDM0888")
    phone = new_phone(ward)
    restart(ward, MDMApproval="DeviceLock")
    erase, body = devices.command("EraseDevice")
    information, other_body = devices.command("DeviceInformation")
    for one in (body, other_body):
        assert ward.api("PUT", "/v1/enqueue/%s?nopush=1" % phone.id, one, user=USER, key=PASSWORD).status == 200
    assert devices.served(phone.idle()) == erase
    restart(ward, MDMApproval="EraseDevice")
    # what comes after it is not held up
    assert [one.uuid for one in phone.connect()] == [information]
    assert held(ward) == [erase]
    assert call(ward, OTHER, "POST", "/v1/commands/%s/approve" % erase).status == 200
    assert devices.served(phone.idle()) == erase


def test_what_was_put_off_and_is_held_then_can_be_denied(ward, new_phone):
    ward.log.expect("MDM0888")
    phone = new_phone(ward)
    first, body = devices.command("RemoveProfile", Identifier="org.example.wifi")
    second, other_body = devices.command("RemoveProfile", Identifier="org.example.vpn")
    for one in (body, other_body):
        assert ward.api("PUT", "/v1/enqueue/%s?nopush=1" % phone.id, one, user=USER, key=PASSWORD).status == 200
    assert devices.served(phone.idle()) == first
    assert devices.served(phone.send_report({"Status": "NotNow", "CommandUUID": first})) == second
    wait_until(lambda: ward.database.sql("SELECT 1 FROM mdm_queue WHERE sent_at > 0"), what="a hand-out to be noted")
    assert devices.served(phone.send_report({"Status": "NotNow", "CommandUUID": second})) is None
    restart(ward, MDMApproval="RemoveProfile")
    assert phone.connect() == [] and sorted(held(ward)) == sorted([first, second])
    denied = call(ward, OTHER, "POST", "/v1/commands/%s/deny" % first)
    assert denied.status == 200 and denied.json["enrollments"] == 1, denied.text
    taken_back = call(ward, USER, "DELETE", "/v1/commands/" + second)
    assert taken_back.status == 200 and taken_back.json == {"cancelled": 1, "not_cancellable": []}, taken_back.text
    assert not ward.database.sql("SELECT 1 FROM mdm_queue")
