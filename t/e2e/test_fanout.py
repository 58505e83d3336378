# SPDX-License-Identifier: Apache-2.0
"""Exact fan-out: a change reaches those it concerns, once, and nobody else; with simulated devices that install what
they are given."""

import concurrent.futures
import plistlib

from . import desired

MANY = 100


def work(*phones):
    """All of them come for what they have, a few at a time."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda one: one.connect(), phones))


def installs(phone):
    return [one for one in phone.executed if one.request_type == "InstallProfile"]


def test_feature_17_a_new_wifi_password_reaches_ten_of_a_hundred(site, new_phone, apns):
    phones = [new_phone(site) for _ in range(MANY)]
    some, others = phones[:10], phones[10:]
    name, secret = desired.name_of("wifi"), desired.name_of("password")
    desired.secret(site, secret, "first-CANARY")
    profile = desired.profile(site, name, desired.wifi("${secret.%s}" % secret))
    group = desired.group(site, desired.name_of("sales"), [one.id for one in some])
    desired.assign(site, name, group=group)
    desired.settled(site)
    work(*phones)
    desired.settled(site)
    work(*phones)
    for one in some:
        assert one.profiles.payload(profile["identifier"], "com.apple.wifi.managed")["Password"] == "first-CANARY"
    before = {one.id: one.profiles[profile["identifier"]]["PayloadUUID"] for one in some}
    done = {one.id: len(one.executed) for one in phones}
    for one in phones:
        desired.until(lambda one=one: not site.queue_items(one.id))
    apns.clear()

    said = desired.preview(site, secret=secret)
    assert said["replace"]["count"] == 10 and said["looked"] == 10, said
    assert sorted(said["replace"]["enrollments"]) == sorted(one.id for one in some)
    answer = desired.secret(site, secret, "second-CANARY")
    assert answer["enrollments"] == 10
    change = desired.settled(site)
    assert (change["kind"], change["looked"], change["changed"]) == ("secret", 10, 10), change
    for one in some:
        apns.wait_pushes(1, magic=one.push_magic)
    for one in some:
        assert len(site.queue_items(one.id)) == 1
    assert not [one.id for one in others if site.queue_items(one.id)]
    work(*phones)
    for one in some:
        mine = one.executed[done[one.id]:]
        assert [what.request_type for what in mine] == ["InstallProfile", "ProfileList"], mine
        assert one.profiles.payload(profile["identifier"], "com.apple.wifi.managed")["Password"] == "second-CANARY"
        assert one.profiles[profile["identifier"]]["PayloadUUID"] != before[one.id]
        assert len(apns.pushes(magic=one.push_magic)) == 1
    for one in others:
        assert len(one.executed) == done[one.id] and not apns.pushes(magic=one.push_magic)
    assert set(desired.rows(site, name).values()) == {4}, "verified, each by its ProfileList"
    assert len({one.profiles[profile["identifier"]]["PayloadUUID"] for one in some}) == 1
    assert desired.secret(site, secret, "second-CANARY")["outcome"] == "unchanged"


def test_a_phone_that_was_off_gets_only_the_newest(site, phone):
    name, secret = desired.name_of("wifi"), desired.name_of("password")
    desired.secret(site, secret, "one-CANARY")
    profile = desired.profile(site, name, desired.wifi("${secret.%s}" % secret))
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    for value in ("two-CANARY", "three-CANARY"):
        desired.secret(site, secret, value)
        desired.settled(site)
    desired.profile(site, name, desired.wifi("${secret.%s}" % secret, ssid="Renamed"))
    desired.settled(site)
    assert len(site.queue_items(phone.id)) == 1
    phone.connect()
    assert len(installs(phone)) == 1
    payload = phone.profiles.payload(profile["identifier"], "com.apple.wifi.managed")
    assert (payload["Password"], payload["SSID_STR"]) == ("three-CANARY", "Renamed")


def test_the_body_is_of_the_moment_of_its_delivery(site, phone):
    """The value is changed while the device is asked to come: it gets the new one, once."""
    name, secret = desired.name_of("wifi"), desired.name_of("password")
    desired.secret(site, secret, "one-CANARY")
    desired.profile(site, name, desired.wifi("${secret.%s}" % secret))
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    first = plistlib.loads(phone.idle().body)
    again = plistlib.loads(phone.idle().body)
    assert first["CommandUUID"] == again["CommandUUID"], "served again until it is answered"
    desired.secret(site, secret, "two-CANARY")
    desired.settled(site)
    phone.connect()
    assert len(installs(phone)) == 1, "what was given out and superseded does not come again"
    assert installs(phone)[0].uuid != first["CommandUUID"]
    assert desired.until(lambda: desired.rows(site, name) == {phone.id: 4})
    (identifier,) = [one for one in phone.profiles if one.endswith(name)]
    assert phone.profiles.payload(identifier, "com.apple.wifi.managed")["Password"] == "two-CANARY"


def test_the_body_is_built_when_it_is_fetched(site, phone):
    """A value that changes behind the fan-out's back is in the body of the same command: nothing is built ahead."""
    name = desired.name_of("wifi")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="of ${device.serial_number}"))
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    (queued,) = site.queue_uuids(phone.id)

    def fetched():
        command = plistlib.loads(phone.idle().body)
        assert command["CommandUUID"] == queued
        return phone.open_profile(command["Command"]["Payload"])
    before = fetched()
    assert before.payload("com.apple.wifi.managed")["SSID_STR"] == "of " + phone.serial
    site.database.sql("UPDATE mdm_enrollment SET serial_number = 'CHANGED' WHERE enrollment_id = '%s'" % phone.id)
    after = fetched()
    assert after.payload("com.apple.wifi.managed")["SSID_STR"] == "of CHANGED"
    assert after.plist["PayloadUUID"] != before.plist["PayloadUUID"]
    phone.connect()
    assert [one.uuid for one in installs(phone)] == [queued]
    assert phone.profiles[profile["identifier"]]["PayloadUUID"] == after.plist["PayloadUUID"]
    assert desired.rows(site, name) == {phone.id: 4}, "what is wanted is what was given out last"


def test_a_secret_is_in_no_log_and_no_answer(site, phone):
    name, secret = desired.name_of("wifi"), desired.name_of("password")
    desired.secret(site, secret, "deep-CANARY-in-the-profile")
    desired.profile(site, name, desired.wifi("${secret.%s}" % secret))
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    phone.connect()
    for path in ("profiles/" + name, "secrets/" + secret, "changes", "assignments?profile=" + name,
                 "enrollments/%s/queue" % phone.id):
        assert "deep-CANARY" not in desired.call(site, "GET", path, status=200).text
    with open(site.path("access.log"), encoding="utf-8") as source:
        requests = source.read()
    assert "/v1/secrets/" + secret in requests and "deep-CANARY" not in requests + site.log.text()
    for table in ("mdm_command", "mdm_desired", "mdm_event", "mdm_result", "mdm_secret", "mdm_profile_version"):
        assert "deep-CANARY" not in str(site.database.sql("SELECT * FROM " + table))
