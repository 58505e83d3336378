# SPDX-License-Identifier: Apache-2.0
"""Proof and drift: a profile counts only when the device has listed it; what is not as it should be is mended, a few
times; what is not ours is left alone."""

import datetime
import json
import plistlib

import pytest

from mdmsim import answers, profile as simulated_profile

from . import desired, devices
from .httpd import wait_until

LDAP = {"type": "com.apple.ldap.account", "LDAPAccountHostName": "ldap.example.com", "LDAPAccountUseSSL": True}
APN = {"type": "com.apple.cellular", "AttachAPN": {"Name": "internet.example"}}
REFUSED = answers.error(4001, "MCInstallationErrorDomain", "Profile Installation Failed")


@pytest.fixture
def ward(make_site):
    """A site with short waits, where nobody is asked without a reason."""
    site = make_site(directives={"MDMProfileRetry": "1s 1s 1s", "MDMProfileCheck": "off"})
    site.start()
    site.upload_push_certificate()
    return site


def wifi(**keys):
    return desired.wifi("CANARY-password", **keys)


def given(site, *phones, payloads=(), **keys):
    """A profile that these phones have, verified; its name and identifier."""
    name = desired.name_of("wifi")
    saved = desired.profile(site, name, *(payloads or [wifi()]), **keys)
    for phone in phones:
        desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    for phone in phones:
        phone.connect()
        assert state(site, phone, name) == "verified"
    return name, saved["identifier"]


def shown(site, phone):
    return desired.call(site, "GET", "enrollments/%s/profiles" % phone.id, status=200).json


def row(site, phone, name):
    return next((one for one in shown(site, phone)["profiles"] if one["profile"] == name), {})


def state(site, phone, name):
    return row(site, phone, name).get("state")


def others(site, phone):
    return {one["identifier"]: one["kind"] for one in shown(site, phone)["others"]}


def check(site, phone):
    """Ask the device what it has, and let it answer."""
    reply = desired.call(site, "POST", "enrollments/%s/profiles/check" % phone.id, {}, 200).json
    assert reply["enrollment_id"] == phone.id
    return phone.connect()


def events(site, phone, *kinds):
    return [one for one in site.database.sql(
        "SELECT kind, object, detail FROM mdm_event WHERE enrollment_id = '%s' ORDER BY id" % phone.id)
        if one[0] in kinds]


def types(done):
    return [one.request_type for one in done]


def comes_for(phone, request_type, **options):
    """The device comes until it has been given such a command."""
    found = []

    def came():
        found.extend(phone.connect())
        return request_type in types(found)
    wait_until(came, what="%s for %s" % (request_type, phone.id), **options)
    return found


# ---- what the seed names

def test_feature_16_versions_and_who_has_which(site, new_phone):
    phones = [new_phone(site) for _ in range(3)]
    name, identifier = given(site, phones[0])
    desired.assign(site, name, enrollment=phones[1].id, version=1)
    desired.profile(site, name, wifi(ssid="Renamed"), note="the floor has moved")
    desired.assign(site, name, enrollment=phones[2].id)
    desired.settled(site)
    phones[2].profiles.refuse(identifier, REFUSED)
    for phone in phones:
        phone.connect()
    page = desired.call(site, "GET", "profiles/%s/devices" % name, status=200).json
    assert page["version"] == 2
    assert page["counts"]["versions"] == {"1": {"verified": 1}, "2": {"verified": 1, "failed": 1}}
    assert page["counts"]["states"] == {"verified": 2, "failed": 1}
    assert [one["enrollment_id"] for one in page["devices"]] == [one.id for one in phones]
    failed = desired.call(site, "GET", "profiles/%s/devices?state=failed&limit=1" % name, status=200).json
    assert [one["enrollment_id"] for one in failed["devices"]] == [phones[2].id] and failed["next_cursor"]
    assert "Profile Installation Failed" in failed["devices"][0]["error"]
    assert in_hours(failed["devices"][0]["next_try_at"]) == 1, "MDMProfileRetry of a site that does not set it"
    shown, = [one for one in site.http.get(site.at("/mdm-status?json")).json["profile_versions"]
              if one["profile"] == name]
    assert shown == {"profile": name, "version": 2, "installed": {"2": 1, "1": 1}, "waiting": 0, "failed": 1,
                     "drifted": 0, "blocked": 0, "removing": 0}
    text = site.http.get(site.at("/mdm-status")).text
    assert ("<tr><td>%s</td><td>2</td><td>1 on v2, 1 on v1</td><td>0</td><td>1</td>" % name) in text
    desired.call(site, "GET", "profiles/%s/devices?state=odd" % name, status=400)
    desired.call(site, "GET", "profiles/absent/devices", status=404)
    versions = desired.call(site, "GET", "profiles/%s/versions" % name, status=200).json["versions"]
    assert [(one["version"], one.get("note"), one["created_by"]) for one in versions] == [
        (2, "the floor has moved", "nanomdm"), (1, None, "nanomdm")]
    diff = desired.call(site, "GET", "profiles/%s/versions/2/diff" % name, status=200).json
    assert [one["path"] for one in diff["changes"]] == ["PayloadContent[0].SSID_STR"]


def test_feature_17_verified_only_after_a_list_has_shown_it(site, phone):
    name = desired.name_of("wifi")
    desired.profile(site, name, wifi())
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    assert state(site, phone, name) == "pending"
    install = phone.idle()
    assert state(site, phone, name) == "sent"
    following = phone.send_report(phone.answer_to(install.body))
    assert state(site, phone, name) == "acked" and "verified_at" not in row(site, phone, name)
    assert plistlib.loads(following.body)["Command"] == {"RequestType": "ProfileList"}, "in the same session"
    assert not phone.send_report(phone.answer_to(following.body)).body
    found = row(site, phone, name)
    assert found["state"] == "verified" and found["verified_at"] and found["observed"]["uuid"] == found["want_uuid"]


def test_feature_20_several_payloads_are_one_install(site, phone):
    name = desired.name_of("many")
    saved = desired.profile(site, name, wifi(), LDAP, APN)
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    done = phone.connect()
    assert types(done) == ["InstallProfile", "ProfileList"]
    assert [one["PayloadType"] for one in phone.profiles.contents[saved["identifier"]]] == [
        "com.apple.wifi.managed", "com.apple.ldap.account", "com.apple.cellular"]
    assert row(site, phone, name)["observed"]["payload_types"] == [
        "com.apple.wifi.managed", "com.apple.ldap.account", "com.apple.cellular"]


def end_assignments(site, name):
    for one in desired.call(site, "GET", "assignments?profile=" + name, status=200).json["assignments"]:
        reply = desired.call(site, "DELETE", "assignments/%s" % one["id"])
        assert reply.status in (200, 204), reply.text
    desired.settled(site)


def test_feature_21_a_removal_takes_all_payloads_along(site, phone):
    name, identifier = given(site, phone, payloads=[wifi(), LDAP])
    end_assignments(site, name)
    done = phone.connect()
    assert types(done) == ["RemoveProfile", "ProfileList"] and done[0].command["Identifier"] == identifier
    listed = done[1].report["ProfileList"]
    assert identifier not in [one["PayloadIdentifier"] for one in listed]
    assert "com.apple.ldap.account" not in str(listed)
    found = row(site, phone, name)
    assert found["state"] == "removed" and "observed" not in found


def test_feature_22_removal_disallowed(site, new_phone):
    school, private = new_phone(site, supervised=True), new_phone(site)
    name, identifier = given(site, school, private, PayloadRemovalDisallowed=True)
    assert row(site, school, name)["observed"]["removal_disallowed"] is True
    assert "drift" not in row(site, school, name)
    page = site.http.get(site.at("/mdm-status?id=" + school.id)).text
    assert "Removal disallowed" in page and identifier in page
    with pytest.raises(PermissionError):
        school.profiles.remove_by_hand(identifier)
    found = row(site, private, name)
    assert found["observed"]["removal_disallowed"] is False
    assert (found["state"], found["drift"]) == ("verified", "flags"), "reported, not mended"
    # and told whoever saves it
    desired.ask_supervision(site, school, private)
    (told,) = desired.profile(site, name, wifi(), PayloadRemovalDisallowed=True)["device_warnings"]
    assert told["text"].startswith("PayloadRemovalDisallowed: ignored by this device: on iOS it needs supervision")
    assert (told["severity"], told["enrollments"]) == ("warn", 1)
    end_assignments(site, name)
    for phone in (school, private):
        assert "RemoveProfile" in types(phone.connect()) and state(site, phone, name) == "removed"


def test_feature_24_delivered_encrypted_to_this_device_alone(site, new_phone):
    phone, other = new_phone(site), new_phone(site)
    name, identifier = given(site, phone)
    (install,) = [one for one in phone.executed if one.request_type == "InstallProfile"]
    raw = install.command["Payload"]
    found = simulated_profile.Profile(raw, site.keys.tls_ca_file, (phone.certificate, phone.key))
    assert found.signed and found.trusted and found.encrypted and found.payload("com.apple.wifi.managed")
    assert b"CANARY-password" not in found.content
    with pytest.raises((simulated_profile.ProfileError, ValueError)):
        simulated_profile.Profile(raw, site.keys.tls_ca_file, (other.certificate, other.key))
    assert row(site, phone, name)["observed"]["encrypted"] is True


def test_feature_56_managed_ones_are_ours_the_others_are_shown(site, phone):
    name, identifier = given(site, phone)
    phone.profiles.add("com.person.game")
    phone.profiles.add("net.before.wifi", managed=True)
    check(site, phone)
    assert row(site, phone, name)["observed"]["managed"] is True
    (enrollment,) = [one for one, kind in others(site, phone).items() if kind == "enrollment"]
    assert others(site, phone) == {enrollment: "enrollment", "com.person.game": "unmanaged",
                                   "net.before.wifi": "foreign"}
    assert shown(site, phone)["enrollment_profile"] == enrollment and shown(site, phone)["listed_at"]
    assert check(site, phone)[0].request_type == "ProfileList" and {"com.person.game", "net.before.wifi"} <= set(
        phone.profiles), "neither is touched"
    phone.profiles.lists_managed = False
    check(site, phone)
    assert others(site, phone)["net.before.wifi"] == "unknown"
    assert row(site, phone, name)["state"] == "verified" and row(site, phone, name)["observed"]["managed"] is None


def test_feature_57_a_new_version_replaces_without_a_gap(site, phone):
    name, identifier = given(site, phone)
    before, done = phone.profiles[identifier]["PayloadUUID"], len(phone.profiles.history)
    desired.profile(site, name, wifi(ssid="Renamed"))
    desired.settled(site)
    assert types(phone.connect()) == ["InstallProfile", "ProfileList"]
    assert [one[:2] for one in phone.profiles.history[done:]] == [("install", identifier)]
    assert phone.profiles[identifier]["PayloadUUID"] != before
    assert row(site, phone, name)["state"] == "verified" and row(site, phone, name)["version"] == 2


def test_feature_58_removed_only_when_a_list_lacks_it(site, phone):
    name, identifier = given(site, phone)
    end_assignments(site, name)
    removal = phone.idle()
    assert plistlib.loads(removal.body)["Command"]["RequestType"] == "RemoveProfile"
    following = phone.send_report(phone.answer_to(removal.body))
    assert state(site, phone, name) == "removing", "an acknowledgement is no proof"
    phone.send_report(phone.answer_to(following.body))
    assert state(site, phone, name) == "removed"


def test_feature_59_what_goes_with_the_enrollment(site, new_phone):
    phone = new_phone(site)
    name, identifier = given(site, phone)
    phone.profiles.add("com.person.game")
    _, body = devices.command()
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    serial = site.show(phone.id)["identity"]["certificate"]
    phone.remove_enrollment_profile()
    assert set(phone.profiles) == {"com.person.game"}
    found = shown(site, phone)
    assert [one["state"] for one in found["profiles"]] == ["gone"] and found["others"] == []
    assert site.queue_items(phone.id) == [] and site.show(phone.id)["state"] == "left"
    assert site.database.sql("SELECT COUNT(*) FROM mdm_enrollment WHERE enrollment_id = '%s' AND push_token IS NOT NULL"
                             % phone.id)[0][0] in (0, "0")
    assert site.api("GET", "/v1/certificates/" + serial).json["state"] == "revoked"
    installed = [one for one in phone.executed if one.request_type == "InstallProfile"][0]
    assert site.show_command(installed.uuid)["enrollments"][0]["status"] == "Acknowledged", "history stays"
    devices.enroll(site, phone)
    desired.settled(site)
    phone.connect()
    assert state(site, phone, name) == "verified", "it enrolls anew, and gets it anew"


def in_hours(moment):
    """The hours until then, without the chance that is in a remedy's wait: an eighth at most."""
    left = datetime.datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ") - datetime.datetime.utcnow()
    return next((hours for hours in (1, 6, 24) if -60 <= left.total_seconds() - 3600 * hours <= 450 * hours), left)


def test_remedies_come_after_an_hour_six_and_a_day_unless_it_is_said_otherwise(make_site, new_phone):
    site = make_site(directives={"MDMProfileCheck": "off"}).start()
    site.upload_push_certificate()
    site.log.expect("it is given up")
    phone, name = new_phone(site), desired.name_of("wifi")
    phone.profiles.refuse("com.apple.wifi.managed", REFUSED)
    desired.profile(site, name, wifi())
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    waits = []
    for _ in range(4):
        comes_for(phone, "InstallProfile", timeout=90)
        found = row(site, phone, name)
        assert found["state"] == "failed"
        waits.append(in_hours(found["next_try_at"]) if "next_try_at" in found else None)
        site.database.sql("UPDATE mdm_desired SET next_try_at = 1 WHERE next_try_at > 0")
    assert waits == [1, 6, 24, None]


# ---- drift

def test_k_of_n_that_lose_a_profile_are_found_and_mended(ward, new_phone):
    phones = [new_phone(ward) for _ in range(6)]
    name, identifier = given(ward, *phones)
    for phone in phones[:2]:
        phone.profiles.remove_by_hand(identifier)
    for phone in phones:
        check(ward, phone)
    counts = desired.call(ward, "GET", "profiles/%s/devices" % name, status=200).json["counts"]["states"]
    assert counts == {"drifted": 2, "verified": 4}
    alerts = ward.http.get(ward.at("/mdm-status?json")).json
    assert alerts["profiles"] == {"drifted": 2, "failed": 0, "blocked": 0}
    assert any(one.startswith("2 profiles are not on their devices as they should be") for one in alerts["alerts"])
    found = row(ward, phones[0], name)
    assert (found["drift"], found["tries"]) == ("drifted", 0) and found["next_try_at"] and found["first_failed_at"]
    assert ward.show(phones[0].id)["stuck_reason"] == "error"
    for phone in phones[:2]:
        assert "InstallProfile" in types(comes_for(phone, "InstallProfile"))
        assert state(ward, phone, name) == "verified" and "drift" not in row(ward, phone, name)
        assert [one[0] for one in events(ward, phone, "profile.drifted", "profile.repaired")] == [
            "profile.drifted", "profile.repaired"]
    for phone in phones[2:]:
        assert phone.connect() == [] and not events(ward, phone, "profile.drifted")


def test_a_restored_backup_is_brought_up_to_date(ward, new_phone):
    phone = new_phone(ward)
    kept, identifier = given(ward, phone)
    gone, gone_identifier = given(ward, phone)
    backup = phone.profiles.backup()
    desired.profile(ward, kept, wifi(ssid="Renamed"))
    end_assignments(ward, gone)
    phone.connect()
    assert (state(ward, phone, kept), state(ward, phone, gone)) == ("verified", "removed")
    phone.profiles.restore(backup)
    check(ward, phone)
    assert (state(ward, phone, kept), row(ward, phone, kept)["drift"]) == ("drifted", "stale")
    assert (state(ward, phone, gone), row(ward, phone, gone)["drift"]) == ("removing", "extra")
    wait_until(lambda: phone.connect() is not None and state(ward, phone, kept) == "verified"
               and state(ward, phone, gone) == "removed", what="both to be mended")
    assert phone.profiles.payload(identifier, "com.apple.wifi.managed")["SSID_STR"] == "Renamed"
    assert gone_identifier not in phone.profiles


def test_a_profile_of_the_library_that_nothing_says_should_be_there(ward, new_phone):
    """By a command of one's own: it is removed, a copy that a person has installed is not."""
    one, other = new_phone(ward), new_phone(ward)
    name = desired.name_of("wifi")
    saved = desired.profile(ward, name, wifi())
    given(ward, one, other)
    one.profiles.add(saved["identifier"], managed=True)
    other.profiles.add(saved["identifier"])
    check(ward, one)
    check(ward, other)
    assert row(ward, one, name)["drift"] == "extra" and row(ward, other, name) == {}
    comes_for(one, "RemoveProfile")
    assert state(ward, one, name) == "removed" and saved["identifier"] not in one.profiles
    assert other.connect() == [] and saved["identifier"] in other.profiles


def test_what_fails_always_is_given_up_with_one_event(ward, new_phone):
    phone = new_phone(ward)
    name = desired.name_of("wifi")
    ward.log.expect("it is given up")
    phone.profiles.refuse("com.apple.wifi.managed", REFUSED)
    desired.profile(ward, name, wifi())
    desired.assign(ward, name, enrollment=phone.id)
    desired.settled(ward)
    installs = types(phone.connect()).count("InstallProfile")
    found = row(ward, phone, name)
    assert found["state"] == "failed" and found["next_try_at"] and found["first_failed_at"]
    assert found["error"] == "Profile Installation Failed (MCInstallationErrorDomain 4001)"

    def given_up():
        nonlocal installs
        installs += types(phone.connect()).count("InstallProfile")
        return "next_try_at" not in row(ward, phone, name) and row(ward, phone, name)["state"] == "failed"
    wait_until(given_up, what="the last remedy")
    assert installs == 4, "once, and three times more"
    assert row(ward, phone, name)["first_failed_at"] == found["first_failed_at"]
    assert len(events(ward, phone, "profile.failed")) == 1
    assert check(ward, phone)[0].request_type == "ProfileList" and phone.connect() == [], "no loop"
    status = ward.http.get(ward.at("/mdm-status?json")).json
    assert any("has failed on a device" in one for one in status["alerts"]), status["alerts"]
    assert [(one["enrollment_id"], one["reason"]) for one in status["stuck"]] == [(phone.id, "error")]
    assert "Profile Installation Failed" in ward.show(phone.id)["stuck"]
    phone.profiles.refuse("com.apple.wifi.managed", None)
    desired.profile(ward, name, wifi(ssid="Renamed"))
    desired.settled(ward)
    phone.connect()
    assert state(ward, phone, name) == "verified" and row(ward, phone, name)["tries"] == 0


def test_notnow_keeps_an_install_for_later(ward, new_phone):
    phone = new_phone(ward)
    name = desired.name_of("wifi")
    desired.profile(ward, name, wifi())
    desired.assign(ward, name, enrollment=phone.id)
    desired.settled(ward)
    phone.script("InstallProfile", "NotNow", times=1)
    assert [one.status for one in phone.connect()] == ["NotNow"]
    assert state(ward, phone, name) == "sent" and ward.show(phone.id)["stuck_reason"] == "not_now"
    assert [one.status for one in phone.connect()] == ["Acknowledged", "Acknowledged"]
    assert state(ward, phone, name) == "verified"


def test_a_missing_enrollment_profile_is_an_alarm_once(ward, new_phone):
    phone = new_phone(ward)
    ward.log.expect("lists no enrollment profile")
    check(ward, phone)
    own = shown(ward, phone)["enrollment_profile"]
    kept = phone.profiles.backup()
    phone.profiles.take_away(own)
    for _ in range(2):
        check(ward, phone)
    assert shown(ward, phone)["enrollment_profile"] == "missing"
    assert len(events(ward, phone, "enrollment_profile.missing")) == 1
    alerts = ward.http.get(ward.at("/mdm-status?json")).json["alerts"]
    assert any(one.startswith("1 device lists no enrollment profile") for one in alerts), alerts
    phone.profiles.restore(kept)
    check(ward, phone)
    assert [one[0] for one in events(ward, phone, "enrollment_profile.missing", "enrollment_profile.returned")] == [
        "enrollment_profile.missing", "enrollment_profile.returned"]
    assert phone.connect() == []


def test_a_user_channel_has_lists_of_its_own(ward, new_phone):
    phone = new_phone(ward)
    user = phone.user_channel(short_name="anna", long_name="Anna")
    user.token_update()
    name = desired.name_of("wifi")
    saved = desired.profile(ward, name, wifi(), scope="User")
    desired.assign(ward, name, enrollment=phone.id)
    desired.settled(ward)
    assert types(user.connect()) == ["InstallProfile", "ProfileList"]
    assert saved["identifier"] in user.profiles and saved["identifier"] not in phone.profiles
    found = row(ward, user, name)
    assert found["state"] == "verified" and "drift" not in found, "a user's profile is encrypted to nobody"
    user.profiles.remove_by_hand(saved["identifier"])
    check(ward, user)
    assert state(ward, user, name) == "drifted"
    phone.checkout()
    assert state(ward, user, name) == "gone"


def test_a_user_channel_comes_and_goes_with_its_device(ward, new_phone):
    """As its Mac joins and leaves a group to which a profile for users is assigned, by hand and by a rule for devices."""
    phone = new_phone(ward)
    user = phone.user_channel(short_name="anna", long_name="Anna")
    user.token_update()
    name, macs = desired.name_of("wifi"), desired.group(ward, desired.name_of("macs"))
    saved = desired.profile(ward, name, wifi(), scope="User")
    desired.assign(ward, name, group=macs)
    desired.settled(ward)

    def effect(body):
        said = desired.call(ward, "POST", "groups/%s/preview" % macs, body, 200).json["effect"]
        return said["install"]["enrollments"], said["remove"]["enrollments"]

    def moves(method, path, request_type, body=None):
        desired.call(ward, method, "groups/" + path, body, 200)
        desired.settled(ward)
        assert types(user.connect()) == [request_type, "ProfileList"] and phone.connect() == []
    assert user.connect() == [] and effect({"members": [phone.id]}) == ([user.id], [])
    moves("PUT", "%s/members/%s" % (macs, phone.id), "InstallProfile")
    assert saved["identifier"] in user.profiles and effect({"members": []}) == ([], [user.id])
    moves("DELETE", "%s/members/%s" % (macs, phone.id), "RemoveProfile")
    assert saved["identifier"] not in user.profiles
    moves("PUT", macs + "/members", "InstallProfile", [phone.id])
    moves("PUT", macs + "/members", "RemoveProfile", [])

    macs = desired.name_of("macs")
    nobody, everybody = {"device.type": "none"}, {"device.type": "Device"}
    desired.call(ward, "PUT", "groups/" + macs, {"kind": "rule", "rule": nobody}, 201)
    desired.assign(ward, name, group=macs)
    desired.settled(ward)
    assert effect({"rule": everybody}) == ([user.id], [])
    moves("PUT", macs, "InstallProfile", {"kind": "rule", "rule": everybody})
    assert effect({"rule": nobody}) == ([], [user.id])
    moves("PUT", macs, "RemoveProfile", {"kind": "rule", "rule": nobody})


def test_a_new_system_is_a_reason_to_look(ward, new_phone):
    phone = new_phone(ward)

    def ask():
        _, body = devices.command("DeviceInformation", Queries=["OSVersion", "BuildVersion"])
        assert ward.enqueue(phone.id, body, nopush=True).status == 200
        return types(phone.connect())
    assert ask() == ["DeviceInformation"] and ask() == ["DeviceInformation"]
    phone.os_version, phone.build_version = "18.2", "22C152"
    assert ask() == ["DeviceInformation", "ProfileList"], "in the same session"
    assert ask() == ["DeviceInformation"]


def test_everybody_is_asked_once_in_a_round(make_site, new_phone, apns):
    site = make_site(directives={"MDMProfileCheck": "6s"})
    site.start()
    site.upload_push_certificate()
    phones, idle = [new_phone(site) for _ in range(3)], new_phone(site)
    name, identifier = given(site, *phones)
    phones[0].profiles.remove_by_hand(identifier)
    for phone in phones:
        done = comes_for(phone, "ProfileList")
        assert set(types(done)) == {"ProfileList"}
        assert apns.wait_pushes(1, magic=phone.push_magic)
    assert state(site, phones[0], name) == "drifted" and state(site, phones[1], name) == "verified"
    assert site.queue_items(idle.id) == [] and not apns.pushes(magic=idle.push_magic), "nothing should hold for it"


def test_refusals_say_what_is_wrong(site, new_phone):
    desired.call(site, "GET", "enrollments/absent/profiles", status=404)
    desired.call(site, "POST", "enrollments/absent/profiles/check", {}, 404)
    desired.call(site, "GET", "enrollments/absent/profiles/check", status=405)
    phone = new_phone(site)
    first = desired.call(site, "POST", "enrollments/%s/profiles/check" % phone.id, {}, 200).json
    again = desired.call(site, "POST", "enrollments/%s/profiles/check" % phone.id, {}, 200).json
    assert first["queued"] and first["command_uuid"] and not again["queued"] and "command_uuid" not in again
    assert site.queue_uuids(phone.id) == [first["command_uuid"]]
    phone.connect()
    phone.checkout()
    reply = desired.call(site, "POST", "enrollments/%s/profiles/check" % phone.id, {}, 400)
    assert "is not enrolled (left)" in json.loads(reply.text)["error"]
