# SPDX-License-Identifier: Apache-2.0
"""Assignments: to groups, users and single devices, with exclusions and priorities; what is refused; what leaving does."""

from . import desired, devices

CELLULAR = {"type": "com.apple.cellular", "AttachAPN": {"Name": "attach", "AuthenticationType": "CHAP"},
            "APNs": [{"Name": "internet", "ProxyPort": 8080}]}
APN = {"type": "com.apple.apn.managed", "DefaultsDomainName": "com.apple.managedCarrier",
       "DefaultsData": {"apns": [{"apn": "old.internet", "username": "everybody", "proxyPort": 8080}]}}


def holds(phone, profile):
    phone.connect()
    return profile["identifier"] in phone.profiles


def effect(site, phone, name):
    """What the API says of a profile on a phone."""
    shown = desired.call(site, "GET", "enrollments/%s/profiles" % phone.id, status=200).json["profiles"]
    return next((one for one in shown if one["profile"] == name), {})


def test_feature_21_an_unassigned_profile_goes_and_the_list_confirms_it(site, phone):
    name = desired.name_of("bundle")
    clip = {"type": "com.apple.webClip.managed", "Label": "Intranet", "URL": "https://intranet.example.org/"}
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"), clip)
    made = desired.assign(site, name, enrollment=phone.id)
    assert made["profile"] == name and made["enrollment"] == phone.id and made["version"] is None, made
    desired.settled(site)
    assert holds(phone, profile) and effect(site, phone, name)["reason"] == "named by the assignment"
    assert len(phone.profiles.contents[profile["identifier"]]) == 2
    assert desired.rows(site, name) == {phone.id: 4}
    assert desired.call(site, "DELETE", "assignments/" + made["id"]).status == 204
    desired.settled(site)
    assert desired.rows(site, name) == {phone.id: 8}
    executed = phone.connect()
    assert [one.request_type for one in executed] == ["RemoveProfile", "ProfileList"]
    assert profile["identifier"] not in phone.profiles
    assert desired.rows(site, name) == {phone.id: 9}
    assert desired.call(site, "GET", "assignments/" + made["id"]).status == 404


def test_feature_20_many_payloads_are_one_install(site, phone):
    name = desired.name_of("many")
    ldap = {"type": "com.apple.ldap.account", "LDAPAccountHostName": "ldap.example.org", "LDAPAccountUseSSL": True,
            "LDAPAccountDescription": "People"}
    desired.profile(site, name, desired.wifi("fixed-CANARY"), ldap)
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    executed = phone.connect()
    assert [one.request_type for one in executed] == ["InstallProfile", "ProfileList"]
    assert desired.rows(site, name) == {phone.id: 4}


def test_targets_exclusions_and_the_version_of_the_highest_priority(site, new_phone):
    first, second, third = (new_phone(site) for _ in range(3))
    everyone = desired.group(site, desired.name_of("everyone"), [first.id, second.id, third.id])
    few = desired.group(site, desired.name_of("few"), [second.id])
    name = desired.name_of("wifi")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="One"))
    desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="Two"))
    desired.assign(site, name, group=everyone)
    desired.assign(site, name, group=few, version=1, priority=5)
    desired.assign(site, name, enrollment=third.id, exclude=True)
    desired.settled(site)
    for phone in (first, second, third):
        phone.connect()
    assert {phone: effect(site, phone, name).get("reason") for phone in (first, second)} == {
        first: "member of the group " + everyone, second: "member of the group " + few}
    assert effect(site, third, name).get("state") in (None, "removed"), "it was assigned before it was excluded"
    ssid = {phone: phone.profiles.payload(profile["identifier"], "com.apple.wifi.managed")["SSID_STR"]
            for phone in (first, second)}
    assert ssid == {first: "Two", second: "One"}
    assert profile["identifier"] not in third.profiles
    # an exclusion that goes lets it in
    for one in desired.call(site, "GET", "assignments?profile=" + name, status=200).json["assignments"]:
        if one["exclude"]:
            assert one["enrollment"] == third.id
            desired.call(site, "DELETE", "assignments/" + one["id"], status=204)
        elif one.get("group") == few:
            changed = desired.call(site, "PATCH", "assignments/" + one["id"], {"version": None}, 200).json
            assert changed["version"] is None and changed["priority"] == 5
    desired.settled(site)
    for phone in (first, second, third):
        phone.connect()
        assert phone.profiles.payload(profile["identifier"], "com.apple.wifi.managed")["SSID_STR"] == "Two"


def test_who_loses_a_profile_is_told_by_what(site, new_phone):
    named, grouped = new_phone(site), new_phone(site)
    group = desired.group(site, desired.name_of("guests"), [grouped.id])
    name = desired.name_of("wifi")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"))
    desired.assign(site, name, group=desired.group(site, desired.name_of("all"), [named.id, grouped.id]))
    desired.settled(site)
    assert holds(named, profile) and holds(grouped, profile)
    desired.assign(site, name, enrollment=named.id, exclude=True)
    desired.assign(site, name, group=group, exclude=True)
    desired.settled(site)
    assert effect(site, named, name)["reason"] == "excluded: named by the assignment"
    assert effect(site, grouped, name)["reason"] == "excluded: member of the group " + group
    assert not holds(named, profile) and not holds(grouped, profile)


def test_a_user_has_it_on_all_his_devices(site, new_phone):
    mine, other = new_phone(site), new_phone(site)
    name = desired.name_of("mail")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"))
    with desired.assigned(site, name, user=devices.USER):
        assert holds(mine, profile) and holds(other, profile), "both were enrolled by this user"
        assert effect(site, mine, name)["reason"] == "device of the user " + devices.USER
    assert not holds(mine, profile) and not holds(other, profile)


def test_what_is_kept_from_a_user_stays_so_while_the_user_is_disabled(site, phone):
    name = desired.name_of("wifi")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"))
    desired.assign(site, name, user=devices.USER, exclude=True)
    assert desired.call(site, "PATCH", "users/" + devices.USER, {"disabled": True}).json["disabled"] is True
    try:
        desired.assign(site, name, group=desired.group(site, desired.name_of("some"), [phone.id]))
        desired.settled(site)
        assert not holds(phone, profile) and desired.rows(site, name) == {}
    finally:
        desired.call(site, "PATCH", "users/" + devices.USER, {"disabled": False}, 200)
    desired.settled(site)
    assert not holds(phone, profile)


def test_a_new_device_gets_what_is_for_its_user_at_once(site, new_phone):
    name = desired.name_of("first-day")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"))
    new_phone(site)
    with desired.assigned(site, name, user=devices.USER):
        phone = new_phone(site)
        desired.until(lambda: phone.id in desired.rows(site, name))
        assert holds(phone, profile)


def refusal_of(reply, object_, key, remedy):
    """Whether a sentence begins with the object, and then names the key and what to do."""
    said = reply.json["error"]
    return said.startswith(object_) and key in said[len(object_):] and remedy in said[len(object_):]


def test_what_is_wrong_is_refused_and_nothing_is_left(site, phone):
    name = desired.name_of("wifi")
    desired.profile(site, name, desired.wifi("fixed-CANARY"))
    group = desired.group(site, desired.name_of("empty"))
    before = site.database.sql("SELECT COUNT(*) FROM mdm_assignment")
    unnamed, named = "new assignment: ", 'assignment of profile "%s": ' % name
    to = {"profile": name, "group": group}
    for body, status, object_, key, remedy in (
            ({"profile": "no-such", "group": group}, 404, 'assignment of profile "no-such": ', "profile: there is no",
             "save it first, or mend the name"),
            ({"group": group}, 400, unnamed, "profile is missing", "give the name of one"),
            ({"profile": 7}, 400, unnamed, "profile must be a text", "not an integer"),
            ({"profile": "x" * 256}, 400, 'assignment of profile "%s...": ' % ("x" * 60), "profile must",
             "at most 255 bytes"),
            ({"profile": name}, 400, named, "no target", "give one of group, user and enrollment"),
            ({"profile": name, "group": "no-such"}, 404, named, "group: there is no group no-such", "make it first"),
            ({"profile": name, "user": "no-such"}, 404, named, "user: there is no user no-such", "mend the login"),
            ({"profile": name, "enrollment": "no-such"}, 404, named, "enrollment: ", "enroll it first"),
            ({**to, "enrollment": phone.id}, 400, named, "group and enrollment: ", "leave one out"),
            ({**to, "version": 9}, 404, named, "version: there is no version 9", "give one that there is"),
            ({**to, "version": "1"}, 400, named, "version must be a number from 1 to ", "not a string"),
            ({**to, "priority": 5000}, 400, named, "priority must be", "a number from -1000 to 1000"),
            ({**to, "exclude": 1}, 400, named, "exclude must be", "true or false, not an integer"),
            ({**to, "exclude": True, "version": 1}, 400, named, "exclude: ", "leave them out"),
            ({"profile": name, "grup": group}, 400, named, "no member grup", "it has profile, one of group, user and"),
            ({**to, "rollout": 5}, 400, named, "rollout must be", "an object with steps, hold and stop_at, not an int"),
            ({**to, "rollout": {"steps": [5, 1, 100]}}, 400, named, "rollout.steps must be", "such as [1, 5, 20, 100]"),
            ({**to, "rollout": {"steps": [5]}}, 400, named, "rollout.steps must be", "ends with 100"),
            ({**to, "rollout": {"steps": [100], "hold": "soon"}}, 400, named, "rollout.hold must be", "such as 30min"),
            ({**to, "rollout": {"steps": [100], "stop_at": 100}}, 400, named, "rollout.stop_at must be", "from 0 to 99"),
            ({**to, "rollout": {"steps": [100], "until": 1}}, 400, named, "rollout has no member until", "it has steps")):
        reply = desired.call(site, "POST", "assignments", body)
        assert reply.status == status and refusal_of(reply, object_, key, remedy), (body, reply.text)
        reply = desired.call(site, "POST", "assignments/preview", body)
        assert reply.status == status and refusal_of(reply, "preview: " + object_, key, remedy), (body, reply.text)
    reply = site.api("POST", "/v1/assignments", b'{"profile": }', desired.JSON)
    assert reply.status == 400 and refusal_of(reply, unnamed, "in line 1", "mend it there"), reply.text
    assert site.database.sql("SELECT COUNT(*) FROM mdm_assignment") == before
    made = desired.assign(site, name, group=group)
    named = "assignment %s: " % made["id"]
    as_made = desired.call(site, "GET", "assignments/" + made["id"], status=200).json
    for body, status, key, remedy in (
            ({"priority": "1"}, 400, "priority must be", "a number from -1000 to 1000, not a string"),
            ({"version": 9}, 404, "version: there is no version 9", "give one that there is"),
            ({"rollout": {"steps": []}}, 400, "rollout.steps must be", "such as [1, 5, 20, 100]"),
            ({"group": group}, 400, "no member group", "for the rest make a new assignment")):
        reply = desired.call(site, "PATCH", "assignments/" + made["id"], body)
        assert reply.status == status and refusal_of(reply, named, key, remedy), (body, reply.text)
    reply = desired.call(site, "POST", "assignments/%s/stop" % made["id"])
    assert reply.status == 409 and refusal_of(reply, named[:-2], "rollout", "give it one with PATCH"), reply.text
    assert desired.call(site, "GET", "assignments/" + made["id"], status=200).json == as_made
    double = desired.call(site, "POST", "assignments", {"profile": name, "group": group, "exclude": True})
    assert double.status == 409 and "already" in double.json["error"], double.text
    for path in ("assignments/1", "assignments/nothing", "changes/1", "changes/nothing"):
        assert desired.call(site, "GET", path).status == 404
    assert desired.call(site, "POST", "assignments/1/advance").status == 404
    assert desired.call(site, "POST", "assignments/1/jump").status == 404


def delivered(phone, profile, payload):
    """Whether the phone was given the keys of this payload, each as it was saved."""
    got, keys = phone.profiles.payload(profile["identifier"], payload["type"]), set(payload) - {"type"}
    return {key: got[key] for key in keys} == {key: payload[key] for key in keys}


def test_feature_05_two_cellular_profiles_for_one_device_are_refused_at_save(site, phone):
    one, two = desired.name_of("cellular-one"), desired.name_of("apn-two")
    profiles = {name: desired.profile(site, name, apn) for name, apn in ((one, CELLULAR), (two, APN))}
    desired.assign(site, one, enrollment=phone.id)
    refused = desired.call(site, "POST", "assignments", {"profile": two, "enrollment": phone.id})
    assert refused.status == 409 and "com.apple.cellular" in refused.json["error"], refused.text
    assert one in refused.json["error"] and two in refused.json["error"] and "priority" in refused.json["error"]
    desired.settled(site)
    assert desired.rows(site, two) == {}
    phone.connect()
    assert delivered(phone, profiles[one], CELLULAR)
    # with a higher priority it takes the place, and says why the other is not there
    desired.assign(site, two, enrollment=phone.id, priority=10)
    desired.settled(site)
    executed = phone.connect()
    assert [what.request_type for what in executed] == ["RemoveProfile", "InstallProfile", "ProfileList"]
    assert desired.rows(site, two) == {phone.id: 4}
    assert delivered(phone, profiles[two], APN) and profiles[one]["identifier"] not in phone.profiles
    reason = site.database.sql("SELECT d.reason FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile WHERE "
                               "p.name = '%s'" % one)[0][0]
    assert two in reason and "com.apple.cellular" in reason
    # to be made equal is refused as well, though it is blocked by the other already
    three = desired.name_of("cellular-three")
    desired.profile(site, three, CELLULAR)
    late = desired.assign(site, three, enrollment=phone.id, priority=1)
    desired.settled(site)
    assert desired.rows(site, three) == {phone.id: 7}
    refused = desired.call(site, "PATCH", "assignments/" + late["id"], {"priority": 10})
    assert refused.status == 409 and "priority" in refused.json["error"], refused.text


def test_feature_12_one_device_singly(site, phone, new_phone, apns):
    other = new_phone(site)
    name, both = desired.name_of("single"), desired.name_of("both")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"))
    shared = desired.profile(site, both, desired.wifi("fixed-CANARY", ssid="Both"))
    desired.assign(site, both, group=desired.group(site, both, [phone.id, other.id]))
    assert all(apns.wait_pushes(1, magic=one.push_magic) for one in (phone, other))
    desired.settled(site)
    assert holds(phone, shared) and holds(other, shared)
    apns.clear()
    kept = desired.call(site, "GET", "enrollments/%s/profiles" % other.id).json

    def enrollment():
        shown = site.show(other.id)
        shown["push"].pop("repushes")
        # what its own visit leaves is written a moment later
        return {key: value for key, value in shown.items() if key not in ("last_seen_at", "last_ip")}
    seen = enrollment()

    def alone(*expected):
        """The phone is called and has these to do; the other has nothing, is not called and is as it was."""
        desired.settled(site)
        assert apns.wait_pushes(1, magic=phone.push_magic)
        assert [one.request_type for one in phone.connect()] == list(expected)
        assert not site.queue_items(other.id) and not apns.pushes(magic=other.push_magic)
        assert desired.call(site, "GET", "enrollments/%s/profiles" % other.id).json == kept
        assert enrollment() == seen
        apns.clear()

    made = desired.assign(site, name, enrollment=phone.id)
    alone("InstallProfile", "ProfileList")
    assert profile["identifier"] in phone.profiles
    order = {"command": {"RequestType": "DeviceInformation", "Queries": ["OSVersion"]}, "targets": {"ids": [phone.id]}}
    assert desired.call(site, "POST", "commands", order, 201).json["enrollments"] == [phone.id]
    alone("DeviceInformation")
    desired.call(site, "POST", "enrollments/%s/profiles/check" % phone.id, {}, 200)
    alone("ProfileList")
    desired.call(site, "POST", "push/" + phone.id, status=200)
    alone()
    desired.call(site, "DELETE", "assignments/" + made["id"], status=204)
    alone("RemoveProfile", "ProfileList")
    assert profile["identifier"] not in phone.profiles
    desired.assign(site, both, enrollment=phone.id, exclude=True)
    alone("RemoveProfile", "ProfileList")
    assert shared["identifier"] not in phone.profiles and shared["identifier"] in other.profiles
    assert other.connect() == []


def test_feature_24_only_the_device_can_open_it(site, phone):
    name = desired.name_of("sealed")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"))
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    executed = phone.connect()
    raw = executed[0].payload["Payload"] if hasattr(executed[0], "payload") else executed[0].command["Payload"]
    assert b"fixed-CANARY" not in raw and b"EncryptedPayloadContent" in raw
    assert phone.profiles[profile["identifier"]]["IsEncrypted"] is True


def test_every_change_is_an_event(site, phone):
    name = desired.name_of("told")
    desired.profile(site, name, desired.wifi("fixed-CANARY"))
    made = desired.assign(site, name, enrollment=phone.id)
    desired.call(site, "PATCH", "assignments/" + made["id"], {"priority": 3}, 200)
    desired.call(site, "DELETE", "assignments/" + made["id"], status=204)
    kinds = [one[0] for one in site.database.sql("SELECT kind FROM mdm_event WHERE object = '%s' AND kind LIKE "
                                                 "'assignment%%' ORDER BY id" % name)]
    assert kinds == ["assignment.created", "assignment.changed", "assignment.deleted"]
