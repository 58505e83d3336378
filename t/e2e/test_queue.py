# SPDX-License-Identifier: Apache-2.0
"""Commands taken back, answered late, waiting for a second person; groups."""

from . import devices


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


def test_the_answer_to_a_command_cancelled_too_late_counts(site, phone):
    command_uuid = enqueue(site, phone)
    assert devices.served(phone.idle()) == command_uuid
    if site.api("DELETE", "/v1/commands/" + command_uuid).status == 200:
        assert status_of(site, command_uuid)[0] == ["Cancelled"]
    assert devices.served(phone.send_report({"Status": "Acknowledged", "CommandUUID": command_uuid})) is None
    assert status_of(site, command_uuid) == (["Acknowledged"], {"acknowledged": 1})


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
