# SPDX-License-Identifier: Apache-2.0
"""Groups within groups, and who the directory has disabled, as OpenLDAP and Active Directory tell of them."""

import json

import pytest

from . import desired
from .directory import BASE, Directory
from .small_directory import SmallDirectory
from .synchronised import (GROUPS, JSON, PEOPLE, add_many, configure, directory_group, directory_members, events,
                           group_report, members, started, sync, user)


@pytest.fixture
def directory():
    made = Directory(PEOPLE, GROUPS).start()
    yield made
    made.close()


def add_group(directory, name, *members):
    directory.add("dn: %s\nobjectClass: groupOfNames\ncn: %s\n%s" % (
        directory.group(name), name, "".join("member: %s\n" % one for one in members)))


def test_the_members_of_groups_within_groups_count(make_site, directory):
    dn, group = directory.dn, directory.group
    add_group(directory, "nurses", dn("nurse.joy"))
    add_group(directory, "ward", dn("bert"), group("nurses").upper(), group("staff"), dn("stranger"))
    add_group(directory, "staff", dn("anna"), group("ward"), group("staff"), group("gone"))
    add_group(directory, "alone", group("alone"))
    site = configure(make_site(), directory.url)
    started(site)
    for name in ("staff", "ward", "nurses", "alone"):
        directory_group(site, name, group(name))
    state = sync(site)
    assert directory_members(site, "staff") == directory_members(site, "ward") == ["anna", "bert", "nurse.joy"]
    assert directory_members(site, "nurses") == ["nurse.joy"] and directory_members(site, "alone") == []
    assert group_report(state, "staff")["unknown"] == 2, "a stranger, and a group that is gone"
    directory.set(group("nurses"), "member", dn("bert"))
    state = sync(site)
    assert group_report(state, "staff")["leaves"] == group_report(state, "ward")["leaves"] == ["nurse.joy"]
    assert group_report(state, "nurses")["joins"] == ["bert"]


@pytest.mark.once
def test_groups_within_groups_can_be_left_alone(make_site, directory):
    add_group(directory, "staff", directory.dn("anna"), directory.group("mobile"))
    site = configure(make_site(), directory.url, MDMDirectoryNested="off")
    started(site)
    directory_group(site, "staff", directory.group("staff"))
    assert group_report(sync(site), "staff")["unknown"] == 1 and directory_members(site, "staff") == ["anna"]


def test_a_filter_says_who_is_disabled(make_site, directory):
    site = configure(make_site(), directory.url, MDMDirectoryDisabled='"(|(title=Gone)(employeeType=former))"')
    directory.set(directory.dn("bert"), "title", "Gone")
    assert started(site)["report"]["users"]["disabled"] == 1
    assert user(site, "bert")["disabled"] is True and user(site, "anna")["disabled"] is False
    directory.set(directory.dn("anna"), "employeeType", "former")
    directory.set(directory.dn("bert"), "title")
    state = sync(site)
    assert state["report"]["users"]["disabled"] == state["report"]["users"]["enabled"] == 1, state
    assert user(site, "anna")["disabled"] is True and user(site, "bert")["disabled"] is False
    assert [row[0] for row in events(site, "user.disabled")] == ["bert", "anna"]
    assert [row[0] for row in events(site, "user.enabled")] == ["bert"]


@pytest.mark.once
@pytest.mark.parametrize("attribute, values", [
    ("userAccountControl", {"anna": "512", "bert": "514", "joy": "66050"}),
    ("pwdAccountLockedTime", {"anna": None, "bert": "000001010000Z", "joy": "000001010000Z", "zoe": "20260101000000Z"}),
    ("nsAccountLock", {"anna": None, "bert": "TRUE", "joy": "true", "zoe": "false"})])
def test_attributes_of_directories_say_who_is_disabled(make_site, closing, attribute, values):
    entries = {"uid=%s,ou=people,%s" % (login, BASE): {"uid": [login], attribute: [value] if value else []}
               for login, value in values.items()}
    site = configure(make_site(), closing(SmallDirectory(entries)).url)
    site.own["MDMDirectoryAttribute"] += "\n  MDMDirectoryAttribute disabled " + attribute
    assert started(site)["report"]["notes"] == []
    assert [login for login in values if user(site, login)["disabled"]] == ["bert", "joy"]


def test_openldap_tells_whom_an_administrator_has_locked(make_site, directory):
    site = configure(make_site(), directory.url)
    site.own["MDMDirectoryAttribute"] += "\n  MDMDirectoryAttribute disabled pwdAccountLockedTime"
    directory.set(directory.dn("bert"), "pwdAccountLockedTime", "000001010000Z")
    directory.set(directory.dn("anna"), "pwdAccountLockedTime", "20260101000000Z")
    assert started(site)["report"]["notes"] == []
    assert user(site, "bert")["disabled"] is True and user(site, "anna")["disabled"] is False
    directory.set(directory.dn("bert"), "pwdAccountLockedTime")
    assert sync(site)["report"]["users"]["enabled"] == 1


def leaves(site, group):
    return site.database.sql("SELECT enrollment_id, detail FROM mdm_event WHERE kind = 'group.left' AND object = '%s'" %
                             group)


def test_what_a_disabled_user_loses_is_reported(make_site, directory, new_phone):
    site = configure(make_site(), directory.url, MDMDirectoryDisabled='"(title=Gone)"')
    started(site)
    site.upload_push_certificate()
    phone = new_phone(site)       # of nurse.joy
    directory_group(site, "mobile", directory.group("mobile"))
    rule = {"kind": "rule", "rule": {"all": [{"user.role": "care"}, {"not": {"user.disabled": True}}]}}
    assert site.api("PUT", "/v1/groups/care", json.dumps(rule).encode(), JSON).status == 201
    profile = desired.profile(site, "wifi", desired.wifi("fixed-CANARY"))
    desired.assign(site, "wifi", group="care")
    sync(site)
    desired.settled(site)
    phone.connect()
    assert desired.installed(phone, profile) and members(site, "care") == members(site, "mobile") == [phone.id]
    directory.set(directory.dn("nurse.joy"), "title", "Gone")
    assert sync(site)["report"]["users"]["disabled"] == 1
    desired.settled(site)
    assert members(site, "care") == [] and members(site, "mobile") == [phone.id], "the directory still has her in it"
    assert leaves(site, "care") == [[phone.id, "because user.disabled is true"]], leaves(site, "care")
    done = phone.connect()
    assert [one.request_type for one in done] == ["RemoveProfile", "ProfileList"] and not desired.installed(phone, profile)
    shown = site.show_command(done[0].uuid)
    assert shown["enrollments"][0]["status"] == "Acknowledged", shown
    site.api("PATCH", "/v1/users/anna", b'{"disabled": true}', JSON)
    directory.set(directory.group("mobile"), "member", directory.dn("anna"))
    sync(site)
    desired.settled(site)
    assert leaves(site, "mobile") == [[phone.id, "because nurse.joy is not in " + directory.group("mobile")]]


@pytest.mark.once
def test_a_run_that_would_disable_most_needs_a_word(make_site, directory):
    add_many(directory, 20)
    site = configure(make_site(), directory.url, MDMDirectoryDisabled='"(employeeType=former)"')
    started(site)
    site.log.expect(r"MDM1003")
    for n in range(15):
        directory.set(directory.dn("many-%04d" % n), "employeeType", "former")
    state = sync(site)
    assert "of 23 users 0 are not found in the directory any more and 15 would be disabled" in state["failure"]["error"]
    assert user(site, "many-0001")["disabled"] is False
    assert sync(site, confirm=True)["report"]["users"]["disabled"] == 15


@pytest.mark.once
def test_how_much_a_run_may_take_away_is_for_the_administrator_to_say(make_site, directory):
    add_many(directory, 12)
    everybody = [directory.dn("many-%04d" % n) for n in range(12)]
    directory.set(directory.group("mobile"), "member", *everybody)
    site = configure(make_site(), directory.url, MDMDirectoryLimit="20 2")
    started(site)
    directory_group(site, "mobile", directory.group("mobile"))
    sync(site)
    directory.set(directory.group("mobile"), "member", *everybody[2:])
    assert group_report(sync(site), "mobile")["left"] == 2, "a sixth"
    directory.set(directory.group("mobile"), "member", *everybody[5:])
    assert "3 of 10 members would leave" in group_report(sync(site), "mobile")["error"]
    assert len(directory_members(site, "mobile")) == 10
    site.own["MDMDirectoryLimit"] = "100"
    site.stop()
    site.start_again()
    directory.set(directory.group("mobile"), "member", directory.dn("stranger"))
    assert group_report(sync(site), "mobile")["left"] == 10
