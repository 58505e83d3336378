# SPDX-License-Identifier: Apache-2.0
"""Groups: names under which commands reach many."""

import json

from . import desired, devices
from .test_nodes import at_once

JSON = {"Content-Type": "application/json"}
TIMES = 20


def fill(site, name, ids):
    return site.api("PUT", "/v1/groups/%s/members" % name, json.dumps(ids).encode(), JSON)


def members(site, name):
    return sorted(one["enrollment_id"] for one in site.api("GET", "/v1/groups/%s/members" % name).json["members"])


def test_a_group_is_filled_listed_and_deleted(site, phone, new_phone):
    other = new_phone(site)
    made = site.api("PUT", "/v1/groups/first%20floor")
    assert made.status == 201 and made.json["members"] == 0 and made.json["created_by"], made.text
    assert site.api("PUT", "/v1/groups/first%20floor").status == 200
    assert fill(site, "first%20floor", [phone.id, other.id]).json["members"] == 2
    assert members(site, "first%20floor") == sorted([phone.id, other.id])
    assert fill(site, "first%20floor", [phone.id, "nobody"]).status == 404
    assert members(site, "first%20floor") == sorted([phone.id, other.id]), "nothing was changed"
    assert fill(site, "first%20floor", [other.id]).json["members"] == 1
    assert fill(site, "first%20floor", "no list").status == 400
    assert fill(site, "no-such-group", [other.id]).status == 404
    assert site.api("DELETE", "/v1/groups/first%20floor/members/" + phone.id).status == 404
    assert site.api("DELETE", "/v1/groups/first%20floor").status == 204
    assert site.api("DELETE", "/v1/groups/first%20floor").status == 404


def test_of_two_who_fill_a_group_at_once_the_later_has_the_last_word(site, phone, new_phone):
    other = new_phone(site)
    assert site.api("PUT", "/v1/groups/filled").status == 201
    for _ in range(TIMES):
        replies = at_once(4, lambda n: fill(site, "filled", [(phone, other)[n % 2].id]))
        assert [one.status for one in replies] == [200] * 4
        assert len(members(site, "filled")) == 1
    assert site.api("DELETE", "/v1/groups/filled").status == 204


def test_what_is_deleted_at_this_moment_gets_no_members_and_no_profiles(site, phone):
    name = desired.name_of("wifi")
    desired.profile(site, name, desired.wifi("fixed-CANARY"))
    for _ in range(TIMES):
        assert site.api("PUT", "/v1/groups/going").status == 201
        jobs = [lambda: fill(site, "going", [phone.id]), lambda: site.api("DELETE", "/v1/groups/going"),
                lambda: desired.call(site, "POST", "assignments", {"profile": name, "group": "going"})]
        filled, deleted, assigned = [one.status for one in at_once(3, lambda n: jobs[n]())]
        assert filled in (200, 404) and (deleted, assigned) in ((204, 404), (204, 400), (409, 201)), (
            filled, deleted, assigned)
        if assigned == 201:
            made, = desired.call(site, "GET", "assignments?profile=" + name, status=200).json["assignments"]
            desired.call(site, "DELETE", "assignments/" + made["id"], status=204)
            assert site.api("DELETE", "/v1/groups/going").status == 204
    for table, column in (("mdm_member", "collection"), ("mdm_assignment", "CAST(target AS BIGINT)")):
        rows = site.database.sql("SELECT COUNT(*) FROM %s WHERE %s %s NOT IN (SELECT id FROM mdm_group)" % (
            table, "kind = 1 AND" if table == "mdm_assignment" else "", column))
        assert int(rows[0][0]) == 0, table


def test_pages_of_groups_and_members(site, phone, new_phone):
    for name in ("page-a", "page-b", "page-c"):
        assert site.api("PUT", "/v1/groups/" + name).status == 201
    seen, cursor = [], "page-"
    while cursor:
        page = site.api("GET", "/v1/groups?limit=1&cursor=" + cursor).json
        seen += [one["name"] for one in page["groups"]]
        cursor = page.get("next_cursor")
    assert seen[:3] == ["page-a", "page-b", "page-c"]
    others = [new_phone(site) for _ in range(2)]
    fill(site, "page-a", [phone.id] + [one.id for one in others])
    first = site.api("GET", "/v1/groups/page-a/members?limit=2").json
    second = site.api("GET", "/v1/groups/page-a/members?limit=2&cursor=" + first["next_cursor"]).json
    assert len(first["members"]) == 2 and len(second["members"]) == 1


def test_a_command_reaches_the_enrolled_members_of_a_group(site, phone, new_phone):
    other, gone = new_phone(site), new_phone(site)
    site.api("PUT", "/v1/groups/night-shift")
    fill(site, "night-shift", [phone.id, other.id, gone.id])
    gone.checkout()
    body = {"command": {"RequestType": "ProfileList"}, "push": False,
            "targets": {"groups": ["night-shift"], "ids": [phone.id]}}
    reply = site.api("POST", "/v1/commands", json.dumps(body).encode(), JSON)
    assert reply.status == 201 and sorted(reply.json["enrollments"]) == sorted([phone.id, other.id]), reply.text
    for device in (phone, other):
        assert devices.served(device.idle()) == reply.json["command_uuid"]
    body["targets"] = {"groups": ["empty-or-unknown"]}
    refused = site.api("POST", "/v1/commands", json.dumps(body).encode(), JSON)
    assert refused.status in (400, 404) and "empty-or-unknown" in refused.json["error"], refused.text
