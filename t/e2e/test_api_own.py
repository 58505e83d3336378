# SPDX-License-Identifier: Apache-2.0
"""Our own JSON: enrollments, queues, commands with their state for each device."""

import re
import urllib.parse

import pytest

from . import desired, devices
from .document import METHODS, document
from .site import USER


def pages(site, limit):
    found, cursor = [], None
    for _ in range(1000):
        query = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        reply = site.api("GET", "/v1/enrollments?" + urllib.parse.urlencode(query))
        assert reply.status == 200
        found.append(reply.json["enrollments"])
        cursor = reply.json.get("next_cursor")
        if not cursor:
            return found
    raise AssertionError("no last page")


def test_enrollments_are_listed(site, phone):
    listed = {one["enrollment_id"]: one for page in pages(site, 500) for one in page}
    assert listed[phone.id]["state"] == "enrolled"
    assert listed[phone.id]["serial_number"] == phone.serial
    assert listed[phone.id]["user"] == USER


def test_the_list_comes_in_pages_without_gaps_or_repeats(site, new_phone):
    mine = {new_phone(site).id for _ in range(3)}
    found = pages(site, 2)
    assert all(len(page) == 2 for page in found[:-1])
    ids = [one["enrollment_id"] for page in found for one in page]
    assert len(ids) == len(set(ids)) and mine <= set(ids)


def lists():
    """(method, path) of all that has a limit, by docs/api.yaml."""
    for path, item in document().tree["paths"].items():
        for method in METHODS:
            declared = document().resolve(item.get("parameters", []) + item.get(method, {}).get("parameters", []))
            if method in item and "limit" in [one["name"] for one in declared]:
                yield method.upper(), path


LIMITS = ("0", "1001", "x", "", "-1", "1x", "%201", "99999999999999999999")


def test_every_list_refuses_a_limit_that_is_none(site, phone):
    desired.profile(site, "limits", desired.wifi("literal"))
    names = {"id": phone.id, "name": "limits", "kind": "application", "fact": "OSVersion", "uuid": "none"}
    tried = [(method, re.sub("{([^}]*)}", lambda found: names[found.group(1)], path)) for method, path in lists()]
    assert len(tried) >= 21
    for method, path in tried:
        for limit in LIMITS:
            reply = site.api(method, path + "?limit=" + limit)
            assert reply.status == 400, (method, path, limit, reply)
            assert reply.json["error"] == "limit must be a number from 1 to 1000", (method, path, limit)


@pytest.mark.parametrize("limit", ["1", "1000", "0100"])
def test_limits_within_their_bounds_are_good(site, phone, limit):
    assert len(site.api("GET", "/v1/enrollments?limit=" + limit).json["enrollments"]) <= int(limit)


def test_one_enrollment(site, phone):
    shown = site.show(phone.id)
    assert shown["enrollment_id"] == phone.id
    for name in ("type", "state", "user", "topic", "serial_number", "model_name", "token_update_tally", "created_at",
                 "enrolled_at"):
        assert shown[name], name


def test_an_unknown_enrollment_or_command_is_404(site):
    assert site.api("GET", "/v1/enrollments/nobody").status == 404
    assert site.api("GET", "/v1/enrollments/nobody/queue").status == 404
    assert site.api("GET", "/v1/commands/nothing").status == 404


@pytest.mark.parametrize("path", ["/v1/enrollments/%FF", "/v1/commands/a%C3", "/v1/push/%C0%80"])
def test_a_path_that_is_no_utf_8_is_400(site, path):
    reply = site.api("GET", path)
    assert reply.status == 400 and "UTF-8" in reply.json["error"]


@pytest.mark.mpm
def test_a_queue_shows_open_commands_in_order(site, phone):
    wanted = []
    for kind in ("DeviceInformation", "ProfileList", "SecurityInfo"):
        command_uuid, body = devices.command(kind)
        assert site.enqueue(phone.id, body, nopush=True).status == 200
        wanted.append((command_uuid, kind))
    shown = site.queue_items(phone.id)
    assert [(one["command_uuid"], one["request_type"]) for one in shown] == wanted
    assert all(one["queued_at"] for one in shown)
    phone.connect(limit=1)
    assert site.queue_uuids(phone.id) == [one[0] for one in wanted[1:]]


def test_a_command_shows_its_state_for_each_device_with_the_result(site, new_phone):
    phones = [new_phone(site) for _ in range(3)]
    command_uuid, body = devices.command()
    assert site.enqueue([one.id for one in phones], body, nopush=True).status == 200
    phones[0].connect()
    phones[1].script("DeviceInformation", "Error")
    phones[1].connect()
    shown = site.show_command(command_uuid)
    assert shown["command_uuid"] == command_uuid and shown["request_type"] == "DeviceInformation"
    states = {one["enrollment_id"]: one for one in shown["enrollments"]}
    assert states[phones[0].id]["status"] == "Acknowledged"
    assert states[phones[0].id]["finished_at"]
    assert phones[0].serial in str(states[phones[0].id])
    assert states[phones[1].id]["status"] == "Error"
    assert states[phones[1].id]["error_chain"][0]["ErrorCode"] == 12021
    assert states[phones[2].id]["status"] == "queued"


def test_an_answer_with_as_many_levels_as_may_be_is_shown(site, phone):
    deep = "bottom"
    for _ in range(63):
        deep = [deep]
    phone.script("DeviceInformation", {"Status": "Acknowledged", "Deep": deep}, times=1)
    command_uuid, body = devices.command()
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    phone.connect()
    assert "bottom" in str(site.show_command(command_uuid)["enrollments"][0]["response"])


def test_who_asked_is_remembered(site, phone):
    command_uuid, body = devices.command()
    site.enqueue(phone.id, body, nopush=True)
    assert site.show_command(command_uuid)["created_by"] == "nanomdm"


def test_no_secret_is_in_any_answer(site, phone):
    command_uuid, body = devices.command("InstallProfile", Payload=b"wifi-password-5ecret")
    site.enqueue(phone.id, body)
    for path in ("/v1/enrollments?limit=1000", "/v1/enrollments/" + phone.id, "/v1/enrollments/%s/queue" % phone.id):
        text = site.api("GET", path).text
        for secret in (phone.token.hex(), phone.push_magic, "BEGIN", phone.unlock_token.hex()):
            assert secret not in text, path


def test_reading_routes_refuse_other_methods(site, phone):
    for path in ("/v1/enrollments", "/v1/enrollments/" + phone.id, "/v1/commands/x"):
        for method in ("PUT", "POST", *(() if "commands" in path else ("DELETE",))):
            assert site.api(method, path).status == 405, (method, path)


def test_answers_are_json_that_nobody_caches_or_sniffs(site, phone):
    reply = site.api("GET", "/v1/enrollments/" + phone.id)
    assert reply.content_type == "application/json"
    assert reply.headers.get("X-Content-Type-Options") == "nosniff"
    assert "no-store" in reply.headers.get("Cache-Control", "")
