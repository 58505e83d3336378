# SPDX-License-Identifier: Apache-2.0
"""Rollouts: in steps, by hand and by time, stopped by failures with one event, resumed; whoever's turn has not come
keeps what he has."""

import re

import pytest

from . import desired
from .test_nodes import pair

PHONES = 10
FAILED = {"Status": "Error", "ErrorChain": [{"ErrorCode": 4001, "ErrorDomain": "MCInstallationErrorDomain",
                                             "LocalizedDescription": "no", "USEnglishDescription": "no"}]}


@pytest.fixture
def phones(site, new_phone):
    return [new_phone(site) for _ in range(PHONES)]


def who_has(phones, profile, ssid):
    for phone in phones:
        phone.connect()
    return {phone.id for phone in phones if profile["identifier"] in phone.profiles
            and phone.profiles.payload(profile["identifier"], "com.apple.wifi.managed")["SSID_STR"] == ssid}


def events(site, name):
    return [one[0] for one in site.database.sql("SELECT kind FROM mdm_event WHERE object = '%s' AND kind LIKE "
                                                "'rollout%%' ORDER BY id" % name)]


def show(site, made):
    return desired.call(site, "GET", "assignments/" + made["id"], status=200).json["rollout"]


def test_steps_by_hand_and_a_new_version_begins_again(site, phones):
    name = desired.name_of("wifi")
    group = desired.group(site, desired.name_of("some"), [phone.id for phone in phones])
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="One"))
    wanted = {"steps": [40, 80, 100], "stop_at": 20}
    said = desired.preview(site, profile=name, group=group, rollout=wanted)
    assert said["install"]["count"] + said["waiting"]["count"] == PHONES
    made = desired.assign(site, name, group=group, rollout=wanted)
    assert (made["rollout"]["state"], made["rollout"]["step"], made["rollout"]["percent"]) == ("held", 1, 40)
    desired.settled(site)
    first = who_has(phones, profile, "One")
    assert first == set(said["install"]["enrollments"]), "those that the preview has named"
    assert len(first) + desired.preview(site, delete=made["id"])["waiting"]["count"] <= PHONES
    advanced = desired.call(site, "POST", "assignments/%s/advance" % made["id"], status=200).json["rollout"]
    assert (advanced["step"], advanced["percent"]) == (2, 80)
    desired.settled(site)
    second = who_has(phones, profile, "One")
    assert first <= second
    assert desired.call(site, "POST", "assignments/%s/advance" % made["id"], status=200).json["rollout"]["state"] == "done"
    desired.settled(site)
    assert who_has(phones, profile, "One") == {phone.id for phone in phones}
    refused = desired.call(site, "POST", "assignments/%s/advance" % made["id"])
    assert refused.status == 409 and "done" in refused.json["error"]

    desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="Two"))
    desired.settled(site)
    assert (show(site, made)["state"], show(site, made)["step"], show(site, made)["version"]) == ("held", 1, 2)
    assert who_has(phones, profile, "Two") == first, "the same ones are first again"
    assert who_has(phones, profile, "One") == {phone.id for phone in phones} - first
    for _ in range(2):
        desired.call(site, "POST", "assignments/%s/advance" % made["id"], status=200)
    desired.settled(site)
    assert who_has(phones, profile, "Two") == {phone.id for phone in phones}
    assert events(site, name) == ["rollout.step"] * 4


def test_a_secret_is_rolled_out_in_steps_too(site, phones):
    name, secret = desired.name_of("wifi"), desired.name_of("password")
    group = desired.group(site, desired.name_of("some"), [phone.id for phone in phones])
    desired.secret(site, secret, "one-CANARY")
    profile = desired.profile(site, name, desired.wifi("${secret.%s}" % secret))
    made = desired.assign(site, name, group=group, rollout={"steps": [50, 100]})
    desired.call(site, "POST", "assignments/%s/advance" % made["id"], status=200)
    desired.settled(site)
    for phone in phones:
        phone.connect()
    desired.secret(site, secret, "two-CANARY")
    desired.settled(site)

    def passwords():
        for phone in phones:
            phone.connect()
        return [phone.profiles.payload(profile["identifier"], "com.apple.wifi.managed")["Password"] for phone in phones]
    reached = passwords()
    assert set(reached) <= {"one-CANARY", "two-CANARY"} and show(site, made)["state"] == "held"
    # something else is looked at meanwhile: whoever waits goes on waiting
    desired.group(site, desired.name_of("other"), [phone.id for phone in phones])
    desired.settled(site)
    assert passwords() == reached
    desired.call(site, "POST", "assignments/%s/advance" % made["id"], status=200)
    desired.settled(site)
    assert passwords() == ["two-CANARY"] * PHONES


def test_time_takes_the_steps(site, phones):
    name = desired.name_of("wifi")
    group = desired.group(site, desired.name_of("some"), [phone.id for phone in phones])
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="One"))
    made = desired.assign(site, name, group=group, rollout={"steps": [10, 50, 100], "hold": "2"})
    assert made["rollout"]["state"] == "running" and made["rollout"]["next_at"], made
    desired.until(lambda: show(site, made)["state"] == "done")
    desired.settled(site)
    assert who_has(phones, profile, "One") == {phone.id for phone in phones}
    assert events(site, name) == ["rollout.step"] * 2


def test_failures_stop_it_and_it_is_told_once(site, phones):
    name = desired.name_of("wifi")
    group = desired.group(site, desired.name_of("some"), [phone.id for phone in phones])
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="One"))
    site.log.expect("MDM1071")
    for phone in phones:
        phone.profiles.refuse(profile["identifier"], FAILED)
    made = desired.assign(site, name, group=group, rollout={"steps": [60, 100], "hold": "1h", "stop_at": 10})
    desired.settled(site)
    reached = set(desired.rows(site, name))
    assert 0 < len(reached) < PHONES, "of ten, sixty percent by their ids"
    for phone in phones:
        phone.connect()
    desired.until(lambda: show(site, made)["state"] == "stopped")
    # the worker may look before the last of them has come
    assert re.match(r"failed on [1-9] of %d " % len(reached), show(site, made)["reason"])
    refused = desired.call(site, "POST", "assignments/%s/advance" % made["id"])
    assert refused.status == 409 and "resume" in refused.json["error"]
    assert set(desired.rows(site, name)) == reached and events(site, name) == ["rollout.stopped"]

    # it is mended by a new version, which begins again
    for phone in phones:
        phone.profiles.refuse(profile["identifier"], None)
    desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="Two"))
    desired.settled(site)
    assert show(site, made)["state"] == "running"
    assert who_has(phones, profile, "Two") == reached
    desired.call(site, "POST", "assignments/%s/stop" % made["id"], status=200)
    assert show(site, made)["reason"] == "stopped by nanomdm"
    assert desired.call(site, "POST", "assignments/%s/stop" % made["id"]).status == 409
    desired.call(site, "POST", "assignments/%s/resume" % made["id"], status=200)
    desired.call(site, "POST", "assignments/%s/advance" % made["id"], status=200)
    desired.settled(site)
    assert who_has(phones, profile, "Two") == {phone.id for phone in phones}


def test_a_rollout_can_be_given_and_taken_away(site, phone):
    name = desired.name_of("wifi")
    desired.profile(site, name, desired.wifi("fixed-CANARY"))
    made = desired.assign(site, name, enrollment=phone.id)
    changed = desired.call(site, "PATCH", "assignments/" + made["id"], {"rollout": {"steps": [1, 100]}}, 200).json
    assert changed["rollout"]["state"] == "held"
    desired.settled(site)
    phone.connect()
    assert desired.rows(site, name) == {phone.id: 4}, "who has it keeps it"
    changed = desired.call(site, "PATCH", "assignments/" + made["id"], {"rollout": None}, 200).json
    assert changed["rollout"] is None
    assert desired.call(site, "POST", "assignments/%s/stop" % made["id"]).status == 409
    refused = desired.call(site, "PATCH", "assignments/" + made["id"], {"group": "other"})
    assert refused.status == 400 and "group" in refused.json["error"]


def failing(site, phones):
    """A rollout whose profile fails on every device it reaches, stopped by that; its name and its assignment."""
    name = desired.name_of("wifi")
    group = desired.group(site, desired.name_of("some"), [phone.id for phone in phones])
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"))
    for phone in phones:
        phone.profiles.refuse(profile["identifier"], FAILED)
    made = desired.assign(site, name, group=group, rollout={"steps": [60, 100], "hold": "1h", "stop_at": 10})
    desired.settled(site)
    for phone in phones:
        phone.connect()
    return name, made


def test_what_fails_everywhere_is_told_once_over_a_restart(own_site, new_phone):
    site = own_site
    site.log.expect("MDM1071")
    phones = [new_phone(site) for _ in range(PHONES)]
    name, made = failing(site, phones)
    desired.until(lambda: show(site, made)["state"] == "stopped")
    reached = desired.rows(site, name)
    for _ in range(2):
        site.stop()
        site.start_again()
        # each node looks at its rollouts at its first turn; a change that is done has had one
        desired.group(site, desired.name_of("other"), [phones[0].id])
        desired.profile(site, desired.name_of("another"), desired.wifi("fixed-CANARY"))
        desired.settled(site)
        for phone in phones:
            phone.connect()
    assert show(site, made)["state"] == "stopped" and desired.rows(site, name) == reached
    assert events(site, name) == ["rollout.stopped"] and site.log.text().count("MDM1071") == 1
    assert sum(name in one for one in site.http.get(site.at("/mdm-status?json")).json["alerts"]) == 1


@pytest.mark.once
def test_what_fails_everywhere_is_told_once_by_two_nodes(make_site, make_database, new_phone):
    nodes = pair(make_site, make_database)
    nodes[1].start()
    for node in nodes:
        node.log.expect("MDM1071")
    phones = [new_phone(nodes[n % 2]) for n in range(PHONES)]
    name, made = failing(nodes[0], phones)
    desired.until(lambda: show(nodes[1], made)["state"] == "stopped")
    nodes[0].stop()
    nodes[0].start_again()
    for node in nodes:
        desired.group(node, desired.name_of("other"), [phones[0].id])
        desired.settled(node)
    assert show(nodes[1], made)["state"] == "stopped" and events(nodes[1], name) == ["rollout.stopped"]
    assert sum(node.log.text().count("MDM1071") for node in nodes) == 1
