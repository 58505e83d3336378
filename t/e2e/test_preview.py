# SPDX-License-Identifier: Apache-2.0
"""Previews: what is told before a save is what then happens, on how many and on which devices; nothing is written."""

import pytest

from mdmsim import answers

from . import desired

RESTRICTIONS = "com.apple.applicationaccess"
HOME = {"type": "com.apple.homescreenlayout", "Pages": []}
ACTIONS = ("install", "replace", "remove", "withdraw", "blocked", "waiting")


def state(site):
    """All that a preview must leave alone."""
    return [site.database.sql("SELECT * FROM %s ORDER BY 1, 2" % table)
            for table in ("mdm_assignment", "mdm_desired", "mdm_queue", "mdm_change", "mdm_recheck", "mdm_event",
                          "mdm_command")]


def counts(said):
    return {action: said[action]["count"] for action in ACTIONS if said[action]["count"]}


def new_commands(site, before):
    """(RequestType, enrollment id) of the queue that was not there before."""
    found = site.database.sql("SELECT c.request_type, e.enrollment_id, c.id FROM mdm_queue q JOIN mdm_command c ON c.id = "
                              "q.command JOIN mdm_enrollment e ON e.id = q.enrollment")
    return sorted((row[0], row[1]) for row in found if int(row[2]) > before)


def newest_command(site):
    return desired.figure(site, "SELECT COALESCE(MAX(id), 0) FROM mdm_command")


@pytest.fixture
def three(site, new_phone):
    return [new_phone(site) for _ in range(3)]


def told_and_done(site, said, act):
    """Do what was previewed and hold what happens against what was told."""
    before = newest_command(site)
    act()
    desired.settled(site)
    done = new_commands(site, before)
    installs = sorted(said["install"]["enrollments"] + said["replace"]["enrollments"])
    assert [one for kind, one in done if kind == "InstallProfile"] == installs
    assert [one for kind, one in done if kind == "RemoveProfile"] == sorted(said["remove"]["enrollments"])


def test_a_preview_tells_what_then_happens(site, three):
    first, second, third = three
    name = desired.name_of("wifi")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="One"))
    group = desired.group(site, desired.name_of("some"), [first.id, second.id])
    desired.settled(site)
    before = state(site)
    said = desired.preview(site, profile=name, group=group)
    assert counts(said) == {"install": 2} and said["looked"] == 2, said
    assert state(site) == before, "a preview writes nothing"
    made = []
    told_and_done(site, said, lambda: made.append(desired.assign(site, name, group=group)))
    first.connect()

    # another version: replaced where it is, installed where it is still on its way
    desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="Two"))
    desired.settled(site)
    first.connect()
    said = desired.preview(site, profile=name, version=1)
    assert counts(said) == {"replace": 1, "install": 1}, said
    assert said["replace"]["enrollments"] == [first.id] and said["install"]["enrollments"] == [second.id]
    told_and_done(site, said, lambda: desired.call(site, "POST", "profiles/%s/versions/1/restore" % name, status=200))
    first.connect()
    assert first.profiles.payload(profile["identifier"], "com.apple.wifi.managed")["SSID_STR"] == "One"

    # an exclusion takes it away from one that has it and from one that was to have it
    said = desired.preview(site, profile=name, enrollment=second.id, exclude=True)
    assert counts(said) == {"withdraw": 1}, said
    told_and_done(site, said, lambda: desired.assign(site, name, enrollment=second.id, exclude=True))
    assert not site.queue_items(second.id)
    said = desired.preview(site, delete=made[0]["id"])
    assert counts(said) == {"remove": 1} and said["remove"]["enrollments"] == [first.id], said
    told_and_done(site, said, lambda: desired.call(site, "DELETE", "assignments/" + made[0]["id"], status=204))
    assert third.connect() == []


def test_a_preview_names_the_reason_where_it_cannot_be(site, three):
    first, second, third = three
    apn = {"type": "com.apple.cellular", "APNs": [{"Name": "internet"}]}
    one, two = desired.name_of("cell-one"), desired.name_of("cell-two")
    for each in (one, two):
        desired.profile(site, each, apn)
    group = desired.group(site, desired.name_of("some"), [first.id, second.id, third.id])
    desired.assign(site, one, group=group, priority=5)
    desired.settled(site)
    said = desired.preview(site, profile=two, group=group)
    assert counts(said) == {"blocked": 3}, said
    assert one in said["reasons"][0]["text"] and said["reasons"][0]["enrollments"] == 3
    said = desired.preview(site, profile=two, enrollment=second.id, priority=5)
    assert said["conflict"]["enrollments"] == 1 and two in said["conflict"]["text"], said

def cellular(name="internet"):
    return {"type": "com.apple.cellular", "APNs": [{"Name": name}]}


def test_a_preview_of_a_change_tells_what_then_happens(site, three):
    first, second, _ = three
    name = desired.name_of("wifi")
    desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="One"))
    desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="Two"))
    group = desired.group(site, desired.name_of("some"), [first.id, second.id])
    made = desired.assign(site, name, group=group)
    desired.settled(site)
    first.connect()
    path = "assignments/" + made["id"]
    before = state(site)
    said = desired.preview(site, assignment=made["id"], version=1)
    assert (said["replace"]["enrollments"], said["install"]["enrollments"]) == ([first.id], [second.id]), said
    assert "refused" not in said and state(site) == before, "a preview writes nothing"
    told_and_done(site, said, lambda: desired.call(site, "PATCH", path, {"version": 1}, 200))
    # in steps, from what they have to the current one
    wanted = {"version": None, "rollout": {"steps": [50, 100]}}
    said = desired.preview(site, assignment=made["id"], **wanted)
    assert sum(counts(said).values()) <= 2 and not said["remove"]["count"], said
    told_and_done(site, said, lambda: desired.call(site, "PATCH", path, wanted, 200))


def test_a_preview_of_a_priority_tells_who_changes_places(site, three):
    first, second, _ = three
    one, two = desired.name_of("cell-one"), desired.name_of("cell-two")
    for each in (one, two):
        desired.profile(site, each, cellular())
    group = desired.group(site, desired.name_of("some"), [first.id, second.id])
    desired.assign(site, one, group=group, priority=5)
    made = desired.assign(site, two, group=group, priority=1)
    desired.settled(site)
    first.connect()
    said = desired.preview(site, assignment=made["id"], priority=5)
    refused = desired.call(site, "PATCH", "assignments/" + made["id"], {"priority": 5}, 409).json["error"]
    assert said["refused"] == refused and one in refused and two in refused
    said = desired.preview(site, assignment=made["id"], priority=9)
    assert "refused" not in said
    assert said["install"]["enrollments"] == [first.id, second.id] and said["remove"]["enrollments"] == [first.id], said
    told_and_done(site, said, lambda: desired.call(site, "PATCH", "assignments/" + made["id"], {"priority": 9}, 200))


def test_a_preview_tells_that_the_save_would_be_refused(site, phone):
    name = desired.name_of("wifi")
    desired.profile(site, name, desired.wifi("fixed-CANARY"))
    desired.assign(site, name, enrollment=phone.id)
    body = {"profile": name, "enrollment": phone.id, "exclude": True}
    said = desired.preview(site, **body)
    assert said["refused"] == desired.call(site, "POST", "assignments", body, 409).json["error"]
    assert "already" in said["refused"]


@pytest.mark.parametrize("how", ["archive", "delete"])
def test_a_preview_of_an_end_tells_who_loses_it_and_who_takes_its_place(site, three, how):
    first, second, _ = three
    one, two = desired.name_of("cell-one"), desired.name_of("cell-two")
    for each in (one, two):
        desired.profile(site, each, cellular())
    group = desired.group(site, desired.name_of("some"), [first.id, second.id])
    made = desired.assign(site, one, group=group, priority=5)
    desired.assign(site, two, enrollment=first.id)
    desired.settled(site)
    first.connect()
    assert desired.rows(site, two) == {first.id: 7}, "blocked"
    before = state(site)
    said = desired.preview(site, **({"archive": one} if how == "archive" else {"delete": made["id"]}))
    assert counts(said) == {"install": 1, "remove": 1, "withdraw": 1}, said
    assert said["install"]["enrollments"] == said["remove"]["enrollments"] == [first.id]
    assert said["withdraw"]["enrollments"] == [second.id] and state(site) == before
    path = "profiles/" + one if how == "archive" else "assignments/" + made["id"]
    told_and_done(site, said, lambda: desired.call(site, "DELETE", path))
    assert not site.queue_items(second.id)


def test_a_check_tells_what_saving_the_content_would_do(site, three):
    first, second, third = three
    name, other = desired.name_of("wifi"), desired.name_of("cell")
    desired.profile(site, other, cellular())
    body = {"display_name": name, "payloads": [desired.wifi("fixed-CANARY", ssid="One")]}
    check = "profiles/%s/check" % name
    assert "effect" not in desired.call(site, "POST", check, body, 200).json, "it is new, nobody has it"
    desired.call(site, "PUT", "profiles/" + name, body, 201)
    group = desired.group(site, desired.name_of("some"), [first.id, second.id])
    desired.assign(site, name, group=group, priority=2)
    desired.assign(site, other, enrollment=first.id)
    desired.settled(site)
    first.connect()
    assert counts(desired.call(site, "POST", check, body, 200).json["effect"]) == {}, "it is so already"

    body["payloads"] = [desired.wifi("${user.pager}", ssid="Two"), cellular()]
    before = state(site)
    said = desired.call(site, "POST", check, body, 200).json["effect"]
    assert state(site) == before, "a check writes nothing"
    assert said["blocked"]["count"] == 2 and "pager" in said["reasons"][0]["text"], said
    body["payloads"][0]["Password"] = "fixed-CANARY"
    said = desired.call(site, "POST", check, body, 200).json["effect"]
    assert said["replace"]["enrollments"] == [first.id] and said["install"]["enrollments"] == [second.id], said
    assert said["remove"]["enrollments"] == [first.id], "the other cellular payload has to go"
    told_and_done(site, said, lambda: desired.call(site, "PUT", "profiles/" + name, body, 200))
    first.connect()
    # and back: what was in the way of the other is gone
    body["payloads"] = body["payloads"][:1]
    said = desired.call(site, "POST", check, body, 200).json["effect"]
    both = said["replace"]["enrollments"] + said["install"]["enrollments"]
    assert sorted(both) == sorted([first.id, first.id, second.id]), said
    told_and_done(site, said, lambda: desired.call(site, "PUT", "profiles/" + name, body, 200))
    assert third.connect() == []


def test_a_preview_of_a_group_tells_what_its_profiles_do(site, three):
    first, second, third = three
    name, kept = desired.name_of("wifi"), desired.name_of("kept")
    for each in (name, kept):
        desired.profile(site, each, desired.wifi("fixed-CANARY", ssid=each[:20]))
    group = desired.group(site, desired.name_of("some"), [first.id, second.id])
    desired.assign(site, name, group=group)
    desired.assign(site, kept, group=group)
    desired.assign(site, kept, enrollment=first.id)
    desired.settled(site)
    first.connect()
    path, before = "groups/%s/preview" % group, state(site)
    assert desired.call(site, "POST", path, {"members": ["nobody"]}).status == 404
    assert desired.call(site, "POST", path, {"members": [1]}).status == 400
    said = desired.call(site, "POST", path + "?limit=2", {"members": [third.id]}, 200).json
    assert (said["joins"]["count"], said["leaves"]["count"], said["stays"]) == (1, 2, 0)
    assert [one["enrollment_id"] for one in said["leaves"]["enrollments"]] == [first.id, second.id]
    rest = desired.call(site, "POST", path + "?cursor=" + said["next_cursor"], {"members": [third.id]}, 200).json
    assert [one["enrollment_id"] for one in rest["joins"]["enrollments"]] == [third.id] and "next_cursor" not in rest
    said = said["effect"]
    assert counts(said) == {"install": 2, "remove": 1, "withdraw": 2} and state(site) == before, said
    told_and_done(site, said, lambda: desired.call(site, "PUT", "groups/%s/members" % group, [third.id], 200))

    ruled = desired.name_of("ruled")
    path, rule = "groups/" + ruled, {"kind": "rule", "rule": {"device.enrollment_id": first.id}}
    said = desired.call(site, "POST", path + "/preview", rule, 200).json
    assert said["joins"]["count"] == 1 and counts(said["effect"]) == {}, "nothing is assigned to what is not there yet"
    desired.call(site, "PUT", path, rule, 201)
    desired.assign(site, name, group=ruled)
    desired.settled(site)
    first.connect()
    rule["rule"]["device.enrollment_id"] = second.id
    before = state(site)
    said = desired.call(site, "POST", path + "/preview", rule, 200).json
    assert counts(said["effect"]) == {"install": 1, "remove": 1} and state(site) == before, said
    told_and_done(site, said["effect"], lambda: desired.call(site, "PUT", path, rule, 200))


def notes(found, text):
    """(severity, enrollments) of the sentences with this text in them."""
    return [(note["severity"], note["enrollments"]) for note in found if text in note["text"]]


def test_feature_07_supervised_keys_are_flagged_before_sending(site, new_phone):
    plain, supervised = new_phone(site), new_phone(site, supervised=True)
    desired.ask_supervision(site, plain, supervised)
    group = desired.group(site, desired.name_of("some"), [plain.id, supervised.id])
    name = desired.name_of("restrictions")
    profile = desired.profile(site, name, {"type": RESTRICTIONS, "allowAppInstallation": False,
                                           "allowCamera": False, "ratingApps": 200})
    said = desired.preview(site, profile=name, group=group)
    assert counts(said) == {"install": 2}
    assert notes(said["warnings"], "allowAppInstallation: ignored by this device: on iOS it needs supervision") == [
        ("warn", 1)], said
    made = desired.assign(site, name, group=group)
    assert made["warnings"] == said["warnings"]
    # nobody is left out: a phone that is not supervised ignores the one key, and takes the others
    desired.settled(site)
    for phone in (plain, supervised):
        phone.connect()
        payload = phone.profiles.payload(profile["identifier"], RESTRICTIONS)
        assert payload["allowAppInstallation"] is False and payload["allowCamera"] is False
        assert (type(payload["ratingApps"]), payload["ratingApps"]) == (int, 200)
    assert desired.rows(site, name) == {plain.id: 4, supervised.id: 4}


def test_a_payload_that_a_device_refuses_is_told_at_every_save_and_sent(site, new_phone):
    plain, supervised = new_phone(site), new_phone(site, supervised=True)
    desired.ask_supervision(site, plain, supervised)
    group = desired.group(site, desired.name_of("some"), [plain.id, supervised.id])
    name, refused = desired.name_of("home"), "(com.apple.homescreenlayout): this device cannot have it"
    restrictions = {"type": RESTRICTIONS, "allowCamera": False}
    saved = desired.profile(site, name, restrictions)
    assert saved["device_warnings"] == [], "nobody is to have it"
    assert desired.assign(site, name, group=group)["warnings"] == []
    body = {"display_name": name, "payloads": [{**restrictions, "allowAppInstallation": False}, HOME]}
    checked = desired.call(site, "POST", "profiles/%s/check" % name, body, 200).json
    saved = desired.call(site, "PUT", "profiles/" + name, body, 200).json
    assert saved["outcome"] == "changed" and saved["device_warnings"] == checked["device_warnings"]
    assert [note["severity"] for note in saved["device_warnings"]] == ["refuse", "warn"], saved
    assert notes(saved["device_warnings"], refused) == [("refuse", 1)], saved
    again = desired.call(site, "PUT", "profiles/" + name, body, 200).json
    assert again["outcome"] == "unchanged" and again["device_warnings"] == saved["device_warnings"]

    back = desired.call(site, "POST", "profiles/%s/versions/1/restore" % name, status=200).json
    assert back["device_warnings"] == []
    desired.settled(site)
    said = desired.preview(site, profile=name, version=2)
    assert notes(said["warnings"], refused) == [("refuse", 1)], said
    forth = desired.call(site, "POST", "profiles/%s/versions/2/restore" % name, status=200).json
    assert forth["device_warnings"] == saved["device_warnings"]

    plain.profiles.refuse(HOME["type"], answers.error(4001, "MCInstallationErrorDomain", "Not supervised"))
    desired.settled(site)
    plain.connect()
    supervised.connect()
    assert desired.rows(site, name) == {plain.id: 6, supervised.id: 4}, "what the device says counts"


def test_a_pinned_version_is_not_held_against_what_is_saved(site, new_phone):
    phone = new_phone(site)
    desired.ask_supervision(site, phone)
    name = desired.name_of("home")
    desired.profile(site, name, {"type": RESTRICTIONS, "allowCamera": False})
    desired.assign(site, name, enrollment=phone.id, version=1)
    assert desired.profile(site, name, HOME)["device_warnings"] == []


def test_supervision_that_nobody_knows_is_said(site, new_phone):
    phone = new_phone(site)
    name = desired.name_of("home")
    desired.profile(site, name, HOME)
    said = desired.preview(site, profile=name, enrollment=phone.id)
    assert notes(said["warnings"], "supervision of the device is not known: ask it for IsSupervised") == [("warn", 1)]
    assert len(said["warnings"]) == 1 and HOME["type"] in said["warnings"][0]["text"], said
    assert desired.assign(site, name, enrollment=phone.id)["warnings"] == said["warnings"]
    assert desired.profile(site, name, HOME)["device_warnings"] == said["warnings"]
    plain = desired.name_of("camera")
    desired.profile(site, plain, {"type": RESTRICTIONS, "allowCamera": False})
    assert desired.preview(site, profile=plain, enrollment=phone.id)["warnings"] == [], "it makes no difference there"


def test_previews_of_nonsense_are_refused(site):
    name = desired.name_of("wifi")
    desired.profile(site, name, desired.wifi("fixed-CANARY"))
    for body, status in (({"secret": "no-such"}, 404), ({"delete": "1"}, 404), ({"delete": "1", "profile": name}, 400),
                         ({"profile": name, "version": 7}, 404), ({"profile": name}, 400), ({}, 400),
                         ({"archive": "no-such"}, 404), ({"archive": name, "version": 1}, 400), ({"archive": 1}, 400),
                         ({"assignment": "1", "priority": 1}, 404), ({"assignment": 1}, 400)):
        assert desired.call(site, "POST", "assignments/preview", body).status == status, body
    assert desired.call(site, "GET", "assignments/preview").status == 405


def test_a_preview_of_thousands_stays_small(own_site):
    desired.many_rows(own_site, 5000, "all")
    name = desired.name_of("wifi")
    desired.profile(own_site, name, desired.wifi("fixed-CANARY"))
    said = desired.preview(own_site, profile=name, group="all")
    assert said["install"]["count"] == said["looked"] == 5000 and len(said["install"]["enrollments"]) == 1000
    desired.assign(own_site, name, group="all")
    change = desired.settled(own_site)
    assert change["changed"] == 5000
