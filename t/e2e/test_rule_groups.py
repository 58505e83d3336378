# SPDX-License-Identifier: Apache-2.0
"""Rule groups: saved, tried before they are saved, refused with the place that is wrong; what fixed lists keep; and the
numbered rows about sets of devices."""

import json
import time

import pytest

JSON = {"Content-Type": "application/json"}

# a fleet that costs nothing: enrolled, and heard of just now
FLEET = """\
INSERT INTO mdm_enrollment (id, enrollment_id, type, parent, state, login, os_version, topic, token_update_tally,
    created_at, enrolled_at, left_at, last_seen_at, token_at)
SELECT n, 'FLEET-' || n, 'Device', 0, 2, CASE WHEN n %% 2 = 0 THEN 'even' ELSE 'odd' END, '17.' || (n %% 20),
    'com.apple.mgmt.External.none', 1, %(now)d, %(now)d, 0, %(now)d, %(now)d FROM (%(numbers)s) s;
INSERT INTO mdm_push (enrollment, due_at, wanted_at, wish, attempts, lease_owner, lease, lease_tally, dead_tally,
    last_at, last_reason, last_wish)
SELECT n, 0, 0, 0, 0, NULL, 0, 0, 0, 0, NULL, 0 FROM (%(numbers)s) s
"""
NUMBERS = {"sqlite3": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n FROM c",
           "pgsql": "SELECT n FROM generate_series(1, %d) AS g(n)"}
NEW = {"fact": "device.OSVersion", "op": "at_least", "value": "17.10"}


def fleet(site, count):
    for statement in (FLEET % {"numbers": NUMBERS[site.database.kind] % count, "now": time.time() * 1e6}).split(";\n"):
        site.database.sql(statement)


def call(site, method, path, body=None, status=None):
    reply = site.api(method, "/v1/groups/" + path, None if body is None else json.dumps(body).encode(), JSON)
    if status is not None:
        assert reply.status == status, reply.text
    return reply.json if reply.body else None


def rule_group(site, name, rule, status=201):
    return call(site, "PUT", name, {"kind": "rule", "rule": rule}, status)


def count(site, what):
    return int(site.database.sql("SELECT COUNT(*) FROM " + what)[0][0])


def test_a_rule_is_kept_as_it_was_written(site):
    rule = {"all": [{"user.title": "no such title"}, {"not": NEW}]}
    made = rule_group(site, "kept", rule)
    assert made["kind"] == "rule" and made["rule"] == rule and made["members"] == 0 and made["created_by"]
    assert "changed_by" not in made and "directory" not in made
    assert rule_group(site, "kept", rule, 200)["rule"] == rule
    assert "changed_by" not in call(site, "GET", "kept"), "the same again is no change"
    changed = rule_group(site, "kept", {"user.title": "another"}, 200)
    assert changed["rule"] == {"user.title": "another"} and changed["changed_by"] and changed["changed_at"]
    kinds = [row[0] for row in site.database.sql("SELECT kind FROM mdm_event WHERE object = 'kept' ORDER BY id")]
    assert kinds == ["group.created", "group.changed"]
    listed = {one["name"]: one for one in site.api("GET", "/v1/groups?limit=1000").json["groups"]}
    assert listed["kept"]["kind"] == "rule"
    call(site, "DELETE", "kept", status=204)
    call(site, "GET", "kept", status=404)


@pytest.mark.parametrize("body, words", [
    ({"kind": "rule"}, "rule: a group of kind rule has one"),
    ({"rule": {"user.title": "x"}}, "rule: a group of kind rule has one"),
    ({"kind": "dynamic"}, "kind: a group is static, rule or directory"),
    ({"kind": "directory"}, "directory: a group of kind directory"),
    ({"kind": "directory", "directory": "nurses"}, "is no distinguished name"),
    ({"kind": "static", "members": []}, "there is no member members; there are kind, rule, directory"),
    ({"kind": "rule", "rule": {"all": [{"user.title": "x"}, {"device.OSVersoin": "17"}]}},
     "the rule at all[1]: nothing is ever known of device.OSVersoin; did you mean OSVersion?"),
    ({"kind": "rule", "rule": {"fact": "user.title", "op": "like", "value": "x"}}, "the rule at op: there is no operator"),
    ({"kind": "rule", "rule": {"device.OSVersion": 17.10}}, "a version is a text"),
])
def test_what_is_wrong_is_named_and_nothing_is_made(site, body, words):
    refused = call(site, "PUT", "never-made", body, 400)
    assert words in refused["error"], refused
    call(site, "GET", "never-made", status=404)


def test_kinds_stay_and_nobody_is_put_into_a_rule(site, phone):
    rule_group(site, "ruled", {"user.title": "no such title"})
    call(site, "PUT", "listed", status=201)
    for name, body in (("ruled", None), ("ruled", {}), ("ruled", {"kind": "directory", "directory": "cn=x"}),
                       ("listed", {"kind": "rule", "rule": NEW})):
        assert "stays so" in call(site, "PUT", name, body, 409)["error"]
    assert "its rule decides" in call(site, "PUT", "ruled/members", [phone.id], 409)["error"]
    assert "its rule decides" in call(site, "PUT", "ruled/members/" + phone.id, status=409)["error"]
    assert "its rule decides" in call(site, "DELETE", "ruled/members/" + phone.id, status=409)["error"]
    call(site, "POST", "listed/preview", {"rule": NEW}, 409)
    made = call(site, "PUT", "sales-of-the-directory", {"kind": "directory", "directory": "cn=sales,dc=example"}, 201)
    assert made["directory"] == "cn=sales,dc=example" and "synced_at" not in made
    assert "the directory decides" in call(site, "PUT", "sales-of-the-directory/members", [], 409)["error"]
    for name in ("ruled", "listed", "sales-of-the-directory"):
        call(site, "DELETE", name, status=204)


def test_a_preview_counts_all_and_names_some(own_site):
    site = own_site
    fleet(site, 1200)
    events = count(site, "mdm_event")
    seen = call(site, "POST", "to-be/preview?limit=2", {"rule": NEW}, 200)
    assert seen["joins"]["count"] == 600 and seen["leaves"] == {"count": 0, "enrollments": []} and seen["stays"] == 0
    assert seen["joins"]["enrollments"] == [
        {"enrollment_id": "FLEET-%d" % n, "reason": "because device.OSVersion 17.%d is at least 17.10" % n}
        for n in (10, 11)]
    rest = call(site, "POST", "to-be/preview?limit=1000&cursor=" + seen["next_cursor"], {"rule": NEW}, 200)
    assert len(rest["joins"]["enrollments"]) == 598 and "next_cursor" not in rest and rest["joins"]["count"] == 600
    call(site, "POST", "to-be/preview?cursor=nobody", {"rule": NEW}, 404)
    assert "there are is," in call(site, "POST", "to-be/preview", {"rule": {"fact": "user.x", "op": "?"}}, 400)["error"]
    call(site, "POST", "to-be/preview", {}, 400)
    call(site, "GET", "to-be", status=404)
    assert count(site, "mdm_event") == events and not count(site, "mdm_group") and not count(site, "mdm_change")


def test_an_assigned_group_is_not_deleted(site):
    rule_group(site, "assigned", {"user.title": "no such title"})
    clip = {"type": "com.apple.webClip.managed", "Label": "Ward", "URL": "https://example.org/", "IsRemovable": True}
    profile = {"display_name": "Ward", "payloads": [clip]}
    reply = site.api("PUT", "/v1/profiles/of-a-group", json.dumps(profile).encode(), JSON)
    assert reply.status == 201, reply.text
    site.database.sql(
        "INSERT INTO mdm_assignment (id, profile, version, kind, target, exclude, priority, condition_id, rollout_state, "
        "rollout_step, rollout_version, rollout_from, rollout_at, created_at, changed_at) SELECT 77, p.id, 0, 1, "
        "CAST(g.id AS TEXT), 0, 0, 0, 0, 0, 0, 0, 0, 1, 1 FROM mdm_profile p, mdm_group g "
        "WHERE p.name = 'of-a-group' AND g.name = 'assigned'")
    refused = call(site, "DELETE", "assigned", status=409)
    assert "of-a-group" in refused["error"] and "delete those first" in refused["error"]
    call(site, "GET", "assigned", status=200)
    site.database.sql("DELETE FROM mdm_assignment WHERE id = 77")
    call(site, "DELETE", "assigned", status=204)


def test_feature_13_a_group_is_managed_as_a_set(own_site, new_phone):
    site, phones = own_site, [new_phone(own_site) for _ in range(3)]
    fleet(site, 47)
    ids = ["FLEET-%d" % n for n in range(1, 48)] + [one.id for one in phones]
    call(site, "PUT", "ward-3", status=201)
    assert call(site, "PUT", "ward-3/members", ids, 200)["members"] == 50
    body = {"command": {"RequestType": "ProfileList"}, "targets": {"groups": ["ward-3"]}, "push": False}
    ordered = site.api("POST", "/v1/commands", json.dumps(body).encode(), JSON)
    assert ordered.status == 201 and sorted(ordered.json["enrollments"]) == sorted(ids), ordered.text
    command = ordered.json["command_uuid"]
    assert count(site, "mdm_queue q JOIN mdm_command c ON c.id = q.command WHERE c.uuid = '%s'" % command) == 50
    assert count(site, "mdm_command WHERE request_type = 'ProfileList'") == 1
    for one in phones[:2]:
        assert [done.uuid for done in one.connect()] == [command]
    table = site.api("GET", "/v1/commands/%s?limit=100" % command).json
    states = {row["enrollment_id"]: row["status"] for row in table["enrollments"]}
    assert set(states) == set(ids) and table["counts"] == {"acknowledged": 2, "queued": 48}, table["counts"]
    assert [states[one.id] for one in phones] == ["Acknowledged", "Acknowledged", "queued"]
