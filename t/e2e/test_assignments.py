# SPDX-License-Identifier: Apache-2.0
"""Assignments: to groups, users and single devices, with exclusions and priorities; what is refused; what leaving does."""

from . import desired, devices


def holds(phone, profile):
    phone.connect()
    return profile["identifier"] in phone.profiles


def test_feature_21_an_unassigned_profile_goes_and_the_list_confirms_it(site, phone):
    name = desired.name_of("bundle")
    clip = {"type": "com.apple.webClip.managed", "Label": "Intranet", "URL": "https://intranet.example.org/"}
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"), clip)
    made = desired.assign(site, name, enrollment=phone.id)
    assert made["profile"] == name and made["enrollment"] == phone.id and made["version"] is None, made
    desired.settled(site)
    assert holds(phone, profile)
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


def test_a_user_has_it_on_all_his_devices(site, new_phone):
    mine, other = new_phone(site), new_phone(site)
    name = desired.name_of("mail")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"))
    with desired.assigned(site, name, user=devices.USER):
        assert holds(mine, profile) and holds(other, profile), "both were enrolled by this user"
    assert not holds(mine, profile) and not holds(other, profile)


def test_a_new_device_gets_what_is_for_its_user_at_once(site, new_phone):
    name = desired.name_of("first-day")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"))
    new_phone(site)
    with desired.assigned(site, name, user=devices.USER):
        phone = new_phone(site)
        desired.until(lambda: phone.id in desired.rows(site, name))
        assert holds(phone, profile)


def test_what_is_wrong_is_refused_and_nothing_is_left(site, phone):
    name = desired.name_of("wifi")
    desired.profile(site, name, desired.wifi("fixed-CANARY"))
    group = desired.group(site, desired.name_of("empty"))
    before = site.database.sql("SELECT COUNT(*) FROM mdm_assignment")
    for body, status, word in (
            ({"profile": "no-such"}, 404, "no-such"), ({"group": group}, 400, "profile"),
            ({"profile": name}, 400, "target"), ({"profile": name, "group": "no-such"}, 404, "no-such"),
            ({"profile": name, "user": "no-such"}, 404, "no-such"),
            ({"profile": name, "enrollment": "no-such"}, 404, "no-such"),
            ({"profile": name, "group": group, "enrollment": phone.id}, 400, "one target"),
            ({"profile": name, "group": group, "version": 9}, 404, "9"),
            ({"profile": name, "group": group, "version": "1"}, 400, "version"),
            ({"profile": name, "group": group, "priority": 5000}, 400, "priority"),
            ({"profile": name, "group": group, "exclude": 1}, 400, "exclude"),
            ({"profile": name, "group": group, "exclude": True, "version": 1}, 400, "exclusion"),
            ({"profile": name, "grup": group}, 400, "grup"),
            ({"profile": name, "group": group, "rollout": {"steps": [5, 1, 100]}}, 400, "steps"),
            ({"profile": name, "group": group, "rollout": {"steps": [5]}}, 400, "steps"),
            ({"profile": name, "group": group, "rollout": {"steps": [100], "hold": "soon"}}, 400, "hold"),
            ({"profile": name, "group": group, "rollout": {"steps": [100], "stop_at": 100}}, 400, "stop_at"),
            ({"profile": name, "group": group, "rollout": {"steps": [100], "until": 1}}, 400, "until")):
        reply = desired.call(site, "POST", "assignments", body)
        assert reply.status == status and word in reply.json["error"], (body, reply.text)
    assert site.database.sql("SELECT COUNT(*) FROM mdm_assignment") == before
    desired.assign(site, name, group=group)
    double = desired.call(site, "POST", "assignments", {"profile": name, "group": group, "exclude": True})
    assert double.status == 409 and "already" in double.json["error"], double.text
    for path in ("assignments/1", "assignments/nothing", "changes/1", "changes/nothing"):
        assert desired.call(site, "GET", path).status == 404
    assert desired.call(site, "POST", "assignments/1/advance").status == 404
    assert desired.call(site, "POST", "assignments/1/jump").status == 404


def test_feature_05_two_cellular_profiles_for_one_device_are_refused_at_save(site, phone):
    apn = {"type": "com.apple.cellular", "APNs": [{"Name": "internet"}]}
    one, two = desired.name_of("cellular-one"), desired.name_of("cellular-two")
    for name in (one, two):
        desired.profile(site, name, apn)
    desired.assign(site, one, enrollment=phone.id)
    refused = desired.call(site, "POST", "assignments", {"profile": two, "enrollment": phone.id})
    assert refused.status == 409 and "com.apple.cellular" in refused.json["error"], refused.text
    assert one in refused.json["error"] and two in refused.json["error"] and "priority" in refused.json["error"]
    desired.settled(site)
    assert desired.rows(site, two) == {}
    phone.connect()
    # with a higher priority it takes the place, and says why the other is not there
    desired.assign(site, two, enrollment=phone.id, priority=10)
    desired.settled(site)
    executed = phone.connect()
    assert [what.request_type for what in executed] == ["RemoveProfile", "InstallProfile", "ProfileList"]
    assert desired.rows(site, two) == {phone.id: 4}
    reason = site.database.sql("SELECT d.reason FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile WHERE "
                               "p.name = '%s'" % one)[0][0]
    assert two in reason and "com.apple.cellular" in reason
    # to be made equal is refused as well, though it is blocked by the other already
    three = desired.name_of("cellular-three")
    desired.profile(site, three, apn)
    late = desired.assign(site, three, enrollment=phone.id, priority=1)
    desired.settled(site)
    assert desired.rows(site, three) == {phone.id: 7}
    refused = desired.call(site, "PATCH", "assignments/" + late["id"], {"priority": 10})
    assert refused.status == 409 and "priority" in refused.json["error"], refused.text


def test_feature_12_one_device_singly(site, phone, new_phone):
    other = new_phone(site)
    name = desired.name_of("single")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"))
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    assert holds(phone, profile)
    assert not site.queue_items(other.id) and other.connect() == []


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
