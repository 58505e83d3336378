# SPDX-License-Identifier: Apache-2.0
"""Rule groups: saved, tried before they are saved, refused with the place that is wrong; what fixed lists keep; and the
numbered rows about sets of devices."""

import json
import time

import pytest

from . import desired, devices
from .site import PASSWORD, USER

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
    site.database.grown()


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


@pytest.mark.parametrize("body, key, remedy", [
    ({"kind": "rule"}, "rule is missing", 'such as {"user.title": "Nurse"}'),
    ({"rule": {"user.title": "x"}}, "rule: a group of kind static has none", "give it the kind rule"),
    ({"kind": "dynamic"}, "kind must be", "static, rule or directory, not dynamic"),
    ({"kind": 1}, "kind must be", "static, rule or directory, not an integer"),
    ({"kind": "directory"}, "directory is missing", "the distinguished name of its entry there"),
    ({"directory": "cn=x"}, "directory: a group of kind static has none", "give it the kind directory"),
    ({"kind": "directory", "directory": 1}, "directory must be", "a distinguished name, not an integer"),
    ({"kind": "directory", "directory": "nurses"}, "directory: ", 'no distinguished name, such as "cn=nurses,ou='),
    ({"kind": "static", "members": []}, "there is no member members", "there are kind, rule, directory"),
    ({"kind": "rule", "rule": {"all": [{"user.title": "x"}, {"device.OSVersoin": "17"}]}},
     "the rule at all[1]: nothing is ever known of device.OSVersoin", "did you mean OSVersion?"),
    ({"kind": "rule", "rule": {"fact": "user.title", "op": "like", "value": "x"}}, "the rule at op: there is no oper",
     "there are is, is_not"),
    ({"kind": "rule", "rule": {"fact": "user.title", "op": "is"}}, "the rule at value: there is no value", "give one"),
    ({"kind": "rule", "rule": {"device.OSVersion": 17.10}}, "the rule at device.OSVersion: ",
     'a version is a text ("17.10")'),
])
def test_what_is_wrong_is_named_and_nothing_is_made(site, body, key, remedy):
    refused = call(site, "PUT", "never-made", body, 400)["error"]
    assert refused.startswith('group "never-made": ') and key in refused and remedy in refused, refused
    if body.get("kind") == "rule":
        assert call(site, "POST", "never-made/preview", body, 400)["error"].startswith('group "never-made": ')
    call(site, "GET", "never-made", status=404)


def test_what_is_wrong_with_members_is_named_and_nobody_is_put_in(site, phone):
    call(site, "PUT", "wrong-members", status=201)
    for body, status, words in (
            ({}, 400, 'group "wrong-members": the body must be a JSON list of enrollment ids'),
            ([phone.id, 7], 400, 'group "wrong-members": [1] of the body must be an enrollment id, not an integer'),
            ([phone.id, "n" * 300], 404, "the group wrong-members is not changed: there is no enrollment %s... (1 of "
                                         "them): leave out those that are not enrolled" % ("n" * 60))):
        assert call(site, "PUT", "wrong-members/members", body, status)["error"] == words
    assert call(site, "GET", "wrong-members")["members"] == 0
    call(site, "DELETE", "wrong-members", status=204)
    longer = call(site, "PUT", "g" * 128, status=400)["error"]
    assert longer == 'group "%s...": the name must have 1 to 127 bytes' % ("g" * 60)


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
    desired.profile(site, "of-a-group", desired.wifi("fixed-CANARY"))
    with desired.assigned(site, "of-a-group", group="assigned"):
        refused = call(site, "DELETE", "assigned", status=409)
        assert "of-a-group" in refused["error"] and "delete those first" in refused["error"]
        call(site, "GET", "assigned", status=200)
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


def attributes(site, login, **changed):
    reply = site.api("PATCH", "/v1/users/" + login, json.dumps({"attributes": changed}).encode(), JSON)
    assert reply.status in (200, 201), reply.text
    desired.settled(site)


def reasons(site, name, query=""):
    members = call(site, "GET", name + "/members" + query, status=200)["members"]
    return {one["enrollment_id"]: one["reason"] for one in members}


def requests(phone):
    return [one.request_type for one in phone.connect()]


def two_people(site, new_device):
    """A phone of each of the two persons who can sign in, and a profile that is assigned to nobody."""
    phones = [devices.enroll(site, new_device(site), user, PASSWORD) for user in (USER, "other")]
    for login in (USER, "other"):
        site.api("PUT", "/v1/users/" + login, b"{}", JSON)
    return (*phones, desired.profile(site, "wifi", desired.wifi("fixed-CANARY")))


def test_feature_14_a_role_of_a_user_brings_its_devices_what_is_for_the_role(own_site, new_device):
    site = own_site
    mine, others, profile = two_people(site, new_device)
    rule_group(site, "sales", {"user.role": "sales"})
    desired.assign(site, "wifi", group="sales")
    desired.settled(site)
    assert not requests(mine) and not requests(others) and not reasons(site, "sales")
    attributes(site, USER, role=["night", "sales"])
    assert reasons(site, "sales") == {mine.id: "because user.role is sales"}
    assert requests(mine) == ["InstallProfile", "ProfileList"] and profile["identifier"] in mine.profiles
    assert not requests(others)
    attributes(site, USER, role=["night", "sales"], floor="3")
    assert not requests(mine), "what no rule looks at changes nothing"
    attributes(site, "other", role="sales")
    attributes(site, USER, role="night")
    assert reasons(site, "sales") == {others.id: "because user.role is sales"}
    assert requests(mine) == ["RemoveProfile", "ProfileList"] and profile["identifier"] not in mine.profiles
    assert requests(others) == ["InstallProfile", "ProfileList"]
    assert "wifi" in call(site, "DELETE", "sales", status=409)["error"]


def test_feature_15_title_and_department_combine_by_and_or_not(own_site, new_device):
    site = own_site
    mine, others, profile = two_people(site, new_device)
    fleet(site, 600)
    attributes(site, USER, title="Nurse", department="Surgery")
    attributes(site, "other", title="Nurse", department="Pharmacy")
    attributes(site, "even", title="Doctor", department="Surgery")
    surgery = {"all": [{"any": [{"user.title": "Nurse"}, {"user.title": "Doctor"}]},
                       {"user.department": "Surgery"}, {"not": {"user.disabled": True}}]}
    seen = call(site, "POST", "surgery/preview", {"rule": surgery}, 200)
    assert seen["joins"]["count"] == 301
    rule_group(site, "surgery", surgery)
    assert int(desired.settled(site)["changed"]) >= 301
    assert call(site, "GET", "surgery")["members"] == 301 and "moving" not in call(site, "GET", "surgery")
    assert reasons(site, "surgery", "?limit=1000")[mine.id] == \
        "because user.title is Nurse and user.department is Surgery and user.disabled false is not true"
    desired.assign(site, "wifi", group="surgery")
    desired.settled(site)
    assert requests(mine) == ["InstallProfile", "ProfileList"] and not requests(others)
    # who is disabled is no member while it lasts
    for disabled, expected in ((True, "RemoveProfile"), (False, "InstallProfile")):
        desired.call(site, "PATCH", "users/" + USER, {"disabled": disabled}, 200)
        desired.settled(site)
        assert (mine.id in reasons(site, "surgery", "?limit=1000")) is not disabled
        assert requests(mine) == [expected, "ProfileList"] and not requests(others)
    left = site.database.sql("SELECT enrollment_id, detail FROM mdm_event WHERE kind = 'group.left' ORDER BY id DESC")[0]
    assert left == [mine.id, "because user.disabled is true"], left
    # another rule: the preview says who, and so it happens
    nurses = {"all": [{"user.title": "Nurse"}, {"not": {"user.department": "Surgery"}}]}
    seen = call(site, "POST", "surgery/preview?limit=1000", {"rule": nurses}, 200)
    assert seen["joins"] == {"count": 1, "enrollments": [{
        "enrollment_id": others.id,
        "reason": "because user.title is Nurse and user.department Pharmacy is not Surgery"}]}
    assert seen["leaves"]["count"] == 301 and seen["stays"] == 0
    left = {one["enrollment_id"]: one["reason"] for one in seen["leaves"]["enrollments"]}
    assert left[mine.id] == "because user.department is Surgery" and left["FLEET-2"] == \
        "because user.title Doctor is not Nurse"
    rule_group(site, "surgery", nurses, 200)
    desired.settled(site)
    assert list(reasons(site, "surgery")) == [others.id]
    assert requests(mine) == ["RemoveProfile", "ProfileList"] and requests(others) == ["InstallProfile", "ProfileList"]
    assert profile["identifier"] in others.profiles


def test_a_fact_that_a_rule_looks_at_moves_the_device(own_site, new_phone):
    site, phone = own_site, new_phone(own_site)
    rule_group(site, "new", {"fact": "device.os_version", "op": "at_least", "value": "18.2"})
    desired.profile(site, "wifi", desired.wifi("fixed-CANARY"))
    desired.assign(site, "wifi", group="new")
    desired.settled(site)
    assert not requests(phone) and not reasons(site, "new")
    phone.os_version = "18.10"
    order = {"command": {"RequestType": "DeviceInformation", "Queries": ["OSVersion"]}, "targets": {"ids": [phone.id]}}
    assert site.api("POST", "/v1/commands", json.dumps(order).encode(), JSON).status == 201
    assert requests(phone) == ["DeviceInformation"]
    desired.settled(site)
    assert reasons(site, "new") == {phone.id: "because device.os_version 18.10 is at least 18.2"}
    assert requests(phone) == ["InstallProfile", "ProfileList"]
    # who leaves management leaves such groups, and returns by enrolling again
    phone.checkout()
    assert not reasons(site, "new") and call(site, "GET", "new")["members"] == 0
    devices.enroll(site, phone)
    desired.until(lambda: reasons(site, "new"))
    desired.settled(site)
    assert requests(phone) == ["InstallProfile", "ProfileList"]


def test_who_begins_to_enroll_anew_is_out_until_he_is_enrolled(own_site, new_device):
    """A missing one, which anybody may enroll."""
    site, phone = own_site, devices.enroll(own_site, new_device(own_site))
    rule_group(site, "mine", {"user.login": USER})
    desired.settled(site)
    assert list(reasons(site, "mine")) == [phone.id]
    site.database.sql("UPDATE mdm_enrollment SET state = 6 WHERE enrollment_id = '%s'" % phone.id)
    phone.fetch_profile(site.at("/mdm/enroll"), "other", PASSWORD)
    phone.scep_enrol(phone.profile.scep, key=site.keys.take())
    phone.authenticate()
    assert site.show(phone.id)["state"] == "pending" and not reasons(site, "mine")
    phone.new_token()
    phone.token_update()
    desired.settled(site)
    assert site.show(phone.id)["user"] == "other" and not reasons(site, "mine")


def test_who_is_put_in_or_taken_out_by_hand_is_looked_at(own_site, new_phone):
    site, first, second = own_site, new_phone(own_site), new_phone(own_site)
    desired.profile(site, "wifi", desired.wifi("fixed-CANARY"))
    desired.group(site, "hands", [first.id])
    desired.assign(site, "wifi", group="hands")
    desired.settled(site)
    assert requests(first) == ["InstallProfile", "ProfileList"] and not requests(second)
    call(site, "PUT", "hands/members/" + second.id, status=200)
    desired.settled(site)
    assert requests(second) == ["InstallProfile", "ProfileList"] and not requests(first)
    call(site, "DELETE", "hands/members/" + first.id, status=200)
    desired.settled(site)
    assert requests(first) == ["RemoveProfile", "ProfileList"] and not requests(second)
    call(site, "PUT", "hands/members", [first.id], 200)
    desired.settled(site)
    assert requests(first) == ["InstallProfile", "ProfileList"] and requests(second) == ["RemoveProfile", "ProfileList"]
