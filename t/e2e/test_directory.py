# SPDX-License-Identifier: Apache-2.0
"""Synchronisation with the company's directory: a real OpenLDAP server, its people, its groups and its bad days."""

import json
import time

import pytest

from . import desired
from .directory import BASE, READER, Directory
from .httpd import wait_until
from .synchronised import (GROUPS, JSON, PEOPLE, Relay, add_many, configure, directory_group, directory_members, events,
                           group_report, members, settled, shown, started, sync, user)


@pytest.fixture
def directory():
    made = Directory(PEOPLE, GROUPS).start()
    yield made
    made.close()


@pytest.mark.mpm
def test_people_and_their_attributes_come_from_the_directory(make_site, directory):
    directory.add_person("zoe", "title: Matron", "mail: zoe@example.com", "employeeType: care", "employeeType: admin")
    site = configure(make_site(), directory.url)
    first = started(site)
    assert first["report"]["users"]["found"] == 4 and first["report"]["users"]["new"] == 4, first
    zoe = user(site, "zoe")
    assert zoe["attributes"] == {"role": ["admin", "care"], "title": "Matron"} and zoe["email"] == "zoe@example.com"
    assert zoe["source"] == "directory" and zoe["synced_at"] and zoe["display_name"] == "zoe"
    assert events(site, "directory.synced")
    site.api("PATCH", "/v1/users/zoe", b'{"attributes": {"badge": "7", "title": "wrong"}}', JSON)
    directory.set(directory.dn("zoe"), "mail")
    second = sync(site)
    assert second["report"]["users"]["changed"] == 1 and second["report"]["users"]["new"] == 0
    assert second["report"]["requested_by"] == "nanomdm"
    zoe = user(site, "zoe")
    assert zoe["attributes"] == {"role": ["admin", "care"], "title": "Matron", "badge": "7"}, "what is its own stays"
    assert "email" not in zoe, "what the directory does not say any more goes"
    again = sync(site)["report"]["users"]
    assert again["changed"] == again["new"] == again["missing"] == 0 and again["found"] == 4


def test_who_is_gone_is_reported_once_and_can_be_disabled(make_site, directory):
    site = configure(make_site(), directory.url, MDMDirectoryMissing="disable")
    started(site)
    directory.remove("bert")
    state = sync(site)
    assert state["report"]["users"]["missing"] == 1 and state["report"]["users"]["missing_logins"] == ["bert"]
    assert state["report"]["users"]["disabled"] == 1 and user(site, "bert")["disabled"] is True
    assert "synced_at" not in user(site, "bert")
    assert [row[0] for row in events(site, "user.missing")] == ["bert"] == [row[0] for row in
                                                                          events(site, "user.disabled")]
    assert sync(site)["report"]["users"]["missing"] == 0
    directory.add_person("bert", "employeeType: care")
    assert sync(site)["report"]["users"]["changed"] == 1
    assert user(site, "bert")["disabled"] is False, "the directory had disabled him, and has him again"
    site.api("PATCH", "/v1/users/bert", b'{"disabled": true}', JSON)
    sync(site)
    assert user(site, "bert")["disabled"] is True, "an administrator's word stays"


def test_who_is_enabled_again_is_whom_the_directory_disabled(make_site, directory):
    site = configure(make_site(), directory.url, MDMDirectoryMissing="disable")
    started(site)

    def turn(login, body):
        reply = site.api("PATCH", "/v1/users/" + login, json.dumps(body).encode(), JSON)
        assert reply.status == 200, reply.text

    turn("bert", {"disabled": True})
    directory.set(directory.dn("bert"), "title", "Matron")
    assert sync(site)["report"]["users"]["changed"] == 1
    assert user(site, "bert")["source"] == "directory" and user(site, "bert")["disabled_by"] == "api"
    for login in ("bert", "anna"):
        directory.remove(login)
    assert sync(site)["report"]["users"]["disabled"] == 1, "the one was so before"
    turn("anna", {"attributes": {"badge": "7"}})
    assert user(site, "anna")["source"] == "api" and user(site, "anna")["disabled_by"] == "directory"
    for login in ("bert", "anna"):
        directory.add_person(login, "employeeType: care")
    assert sync(site)["report"]["users"]["enabled"] == 1
    assert user(site, "bert")["disabled"] is True, "an administrator had disabled him"
    assert user(site, "anna")["disabled"] is False and "disabled_by" not in user(site, "anna")


def test_who_is_gone_is_kept_unless_told_otherwise(make_site, directory):
    site = configure(make_site(), directory.url)
    started(site)
    directory.remove("bert")
    assert sync(site)["report"]["users"]["disabled"] == 0
    assert user(site, "bert")["disabled"] is False


def test_members_of_groups_by_each_kind_of_list(make_site, directory):
    directory.add("dn: cn=unique,ou=groups,%s\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: %s\n"
                  "uniqueMember: UID=Anna, ou=People, %s\n" % (BASE, directory.dn("bert"), BASE))
    directory.add("dn: cn=posix,ou=groups,%s\nobjectClass: posixGroup\ncn: posix\ngidNumber: 7\nmemberUid: anna\n"
                  "memberUid: stranger\n" % BASE)
    directory.add_person("mona", "memberOf: cn=Hidden, ou=groups,%s" % BASE)
    site = configure(make_site(), directory.url)
    started(site)
    for name in ("mobile", "unique", "posix", "hidden", "absent"):
        directory_group(site, name, "cn=%s,ou=groups,%s" % (name, BASE))
    state = sync(site)
    assert directory_members(site, "mobile") == ["anna", "nurse.joy"]
    assert directory_members(site, "unique") == ["anna", "bert"], "names are equal whatever their case and blanks"
    assert directory_members(site, "posix") == ["anna"] and group_report(state, "posix")["unknown"] == 1
    assert directory_members(site, "hidden") == ["mona"], "the entry is not there, its members say so"
    assert "there is no entry" in group_report(state, "absent")["error"] or "No such object" in group_report(
        state, "absent")["error"]
    assert group_report(state, "mobile")["joins"] == ["anna", "nurse.joy"]
    directory.set(directory.group("mobile"), "member", directory.dn("anna"), directory.dn("bert"))
    state = sync(site)
    assert group_report(state, "mobile")["joins"] == ["bert"] and group_report(state, "mobile")["leaves"] == ["nurse.joy"]
    assert directory_members(site, "mobile") == ["anna", "bert"]
    assert events(site, "directory.group")[-1] == ["mobile", "1 joined, 1 left: +bert -nurse.joy"]
    assert group_report(sync(site), "mobile")["joined"] == 0


def test_a_directory_group_moves_devices(make_site, directory, new_phone):
    site = configure(make_site(), directory.url)
    started(site)
    site.upload_push_certificate()
    phone = new_phone(site)       # of nurse.joy
    directory_group(site, "mobile", directory.group("mobile"))
    sync(site)
    wait_until(lambda: members(site, "mobile") == [phone.id], what="the phone to be in the group")
    directory.set(directory.group("mobile"), "member", directory.dn("anna"))
    sync(site)
    wait_until(lambda: members(site, "mobile") == [], what="the phone to leave the group")


def test_feature_14_a_role_added_in_the_directory_moves_the_devices_at_the_next_sync(make_site, directory, new_phone):
    site = configure(make_site(), directory.url)
    started(site)
    site.upload_push_certificate()
    phone = new_phone(site)       # of nurse.joy
    rule = {"kind": "rule", "rule": {"user.role": "sales"}}
    assert site.api("PUT", "/v1/groups/sales", json.dumps(rule).encode(), JSON).status == 201
    profile = desired.profile(site, "wifi", desired.wifi("fixed-CANARY"))
    desired.assign(site, "wifi", group="sales")
    desired.settled(site)
    assert members(site, "sales") == [] and phone.connect() == []
    directory.set(directory.dn("nurse.joy"), "employeeType", "care", "sales")
    sync(site)
    desired.settled(site)
    assert members(site, "sales") == [phone.id]
    assert [one.request_type for one in phone.connect()] == ["InstallProfile", "ProfileList"]
    assert profile["identifier"] in phone.profiles
    sync(site)
    desired.settled(site)
    assert phone.connect() == [], "a run that finds nothing new leaves devices alone"
    directory.set(directory.dn("nurse.joy"), "employeeType", "care")
    sync(site)
    desired.settled(site)
    assert members(site, "sales") == []
    assert [one.request_type for one in phone.connect()] == ["RemoveProfile", "ProfileList"]


def test_feature_15_a_designation_of_the_directory_combines_with_a_role(make_site, directory, new_phone):
    site = configure(make_site(), directory.url)
    started(site)
    site.upload_push_certificate()
    phone = new_phone(site)
    rule = {"kind": "rule", "rule": {"all": [{"user.title": "Matron"}, {"not": {"user.role": "sales"}}]}}
    assert site.api("PUT", "/v1/groups/matrons", json.dumps(rule).encode(), JSON).status == 201
    directory.set(directory.dn("nurse.joy"), "title", "Matron")
    sync(site)
    wait_until(lambda: members(site, "matrons") == [phone.id], what="the phone to be in the group")
    directory.set(directory.dn("nurse.joy"), "employeeType", "sales")
    sync(site)
    wait_until(lambda: members(site, "matrons") == [], what="the phone to leave the group")


def test_a_directory_that_is_down_changes_nothing_and_says_so(make_site, directory):
    site = configure(make_site(), directory.url)
    started(site)
    site.log.expect(r"MDM1003")
    before = user(site, "anna")
    directory.stop()
    state = sync(site)
    assert "Can't contact LDAP server" in state["failure"]["error"] and directory.url in state["failure"]["error"]
    assert user(site, "anna") == before and len(events(site, "directory.failed")) == 1
    again = sync(site)
    assert again["failure"] != state["failure"] and len(events(site, "directory.failed")) == 1, "told once"
    directory.start()
    state = sync(site)
    assert "failure" not in state and state["report"]["users"]["found"] == 3


def test_a_wrong_password_is_named(make_site, directory):
    site = configure(make_site(), directory.url)
    site.write("ldap.password", "wrong\n", 0o600)
    site.log.expect(r"MDM1003")
    state = started(site)
    assert "Invalid credentials" in state["failure"]["error"] and READER in state["failure"]["error"]
    assert "wrong" not in site.log.text() and "wrong" not in json.dumps(state)


def test_an_answer_that_breaks_off_changes_nothing(make_site, directory, closing):
    add_many(directory, 1200)
    relay = closing(Relay(directory.port, limit=100000))
    site = configure(make_site(), relay.url)
    site.log.expect(r"MDM1003")
    state = started(site)
    assert "report" not in state and "search below" in state["failure"]["error"]
    assert site.api("GET", "/v1/users").json["users"] == []
    relay.limit = None
    assert sync(site)["report"]["users"]["found"] == 1203


def test_two_thousand_people_come_in_pages(make_site, directory):
    add_many(directory, 2000)
    directory.set(directory.group("mobile"), "member", *(directory.dn("many-%04d" % n) for n in range(2000)))
    site = configure(make_site(), directory.url)
    assert started(site)["report"]["users"]["new"] == 2003
    directory_group(site, "mobile", directory.group("mobile"))
    state = sync(site)
    assert group_report(state, "mobile")["members"] == 2000 and len(directory_members(site, "mobile")) == 2000
    assert len(group_report(state, "mobile")["joins"]) == 100
    assert user(site, "many-1999")["attributes"] == {"role": "many"}


def test_an_answer_that_would_empty_everything_needs_a_word(make_site, directory):
    add_many(directory, 20)
    site = configure(make_site(), directory.url)
    started(site)
    site.log.expect(r"MDM1003")
    for n in range(20):
        directory.remove("many-%04d" % n)
    state = sync(site)
    assert "of 23 users 20 are not found" in state["failure"]["error"] and "confirm" in state["failure"]["error"]
    assert user(site, "many-0001")["synced_at"]
    assert sync(site, confirm=False)["failure"]
    state = sync(site, confirm=True)
    assert "failure" not in state and state["report"]["users"]["missing"] == 20


def test_a_group_that_would_be_empty_needs_a_word(make_site, directory):
    add_many(directory, 12)
    directory.set(directory.group("mobile"), "member", *(directory.dn("many-%04d" % n) for n in range(12)))
    site = configure(make_site(), directory.url)
    started(site)
    directory_group(site, "mobile", directory.group("mobile"))
    assert group_report(sync(site), "mobile")["members"] == 12
    directory.set(directory.group("mobile"), "member", directory.dn("stranger"))
    assert "12 of 12 members would leave" in group_report(sync(site), "mobile")["error"]
    assert len(directory_members(site, "mobile")) == 12
    assert group_report(sync(site, confirm=True), "mobile")["left"] == 12
    assert directory_members(site, "mobile") == []


def test_strange_entries_are_passed_over_and_noted(make_site, directory):
    directory.add("dn: cn=two,ou=people,%s\nobjectClass: inetOrgPerson\ncn: two\nsn: two\nuid: two-1\nuid: two-2\n" % BASE)
    directory.add("dn: cn=again,ou=people,%s\nobjectClass: inetOrgPerson\ncn: again\nsn: again\nuid: anna\n" % BASE)
    directory.add_person("longish", "title: " + "x" * 1200)
    site = configure(make_site(), directory.url)
    report = started(site)["report"]
    assert report["users"]["skipped"] == 2 and report["users"]["found"] == 4
    notes = "\n".join(report["notes"])
    assert "2 values of uid" in notes and "another entry has the login anna" in notes and "longer than 1024" in notes
    assert user(site, "longish")["attributes"] == {}


def stopped_in_time(site):
    began = time.monotonic()
    site.stop()
    return time.monotonic() - began < 8


def test_a_stop_does_not_wait_for_a_silent_directory(make_site, directory, closing):
    relay = closing(Relay(directory.port, limit=200, close=False))
    site = configure(make_site(), relay.url)
    site.start()
    wait_until(lambda: shown(site)["running"], what="the run to begin")
    assert stopped_in_time(site)
    relay.limit = None
    site.start_again()
    wait_until(lambda: shown(site).get("report"), timeout=60, what="the run after the restart")


def test_a_stop_does_not_wait_for_a_handshake(make_site, directory, closing):
    relay = closing(Relay(directory.port, limit=0, close=False))
    site = configure(make_site(), relay.url.replace("ldap:", "ldaps:"))
    site.log.expect(r"MDM1003")
    site.start()
    wait_until(lambda: relay.open, what="a connection")
    assert stopped_in_time(site)
    site.start_again()
    state = wait_until(lambda: shown(site).get("failure"), timeout=60, what="the attempts to end")
    assert "it has not answered within 10 seconds" in state["error"]


@pytest.mark.once
def test_tls_is_verified(make_site, keys):
    directory = Directory(PEOPLE, GROUPS, tls=(keys.server_file, keys.server_key_file)).start()
    try:
        site = configure(make_site(), directory.url, MDMDirectoryCA='"%s"' % keys.tls_ca_file)
        assert started(site)["report"]["users"]["found"] == 3
        other = configure(make_site(), directory.url)
        other.log.expect(r"MDM1003")
        state = started(other)
        assert "report" not in state and "contact" in state["failure"]["error"], "a CA that nobody named is not trusted"
        assert other.api("GET", "/v1/users").json["users"] == []
    finally:
        directory.close()


@pytest.mark.once
def test_starttls_is_verified_too(make_site, keys):
    directory = Directory(PEOPLE, GROUPS, tls=(keys.server_file, keys.server_key_file))
    directory.url, directory.tls = directory.url.replace("ldaps", "ldap"), None
    directory.start()
    try:
        site = configure(make_site(), directory.url, MDMDirectoryCA='"%s"' % keys.tls_ca_file)
        site.own["MDMDirectoryURL"] += " starttls"
        assert started(site)["report"]["users"]["found"] == 3
        other = configure(make_site(), directory.url)
        other.own["MDMDirectoryURL"] += " starttls"
        other.log.expect(r"MDM1003")
        assert "STARTTLS" in started(other)["failure"]["error"]
    finally:
        directory.close()


@pytest.mark.once
def test_one_of_two_nodes_synchronises(make_site, directory):
    first = configure(make_site(), directory.url, interval="1s")
    started(first)
    second = configure(make_site(database=first.database), directory.url, interval="1s")
    second.start()
    count = len(events(first, "directory.synced"))
    wait_until(lambda: len(events(first, "directory.synced")) >= count + 3, timeout=60, what="three more runs")
    times = [row[0] for row in first.database.sql("SELECT at FROM mdm_event WHERE kind = 'directory.synced' "
                                                  "ORDER BY at")]
    assert all(later - earlier > 900000 for earlier, later in zip(times, times[1:])), times


def test_without_a_directory_there_is_none(site):
    reply = site.api("GET", "/v1/directory")
    assert reply.status == 404 and "MDMDirectoryURL" in reply.json["error"]
    assert site.api("POST", "/v1/directory/sync").status == 404
    assert site.api("POST", "/v1/directory/other").status == 404


@pytest.mark.once
def test_bad_wishes_are_refused(make_site, directory):
    site = configure(make_site(), directory.url)
    started(site)
    for body in (b"[]", b'{"confirm": 1}', b'{"other": true}', b"x" * 5000):
        assert site.api("POST", "/v1/directory/sync", body, JSON).status in (400, 413)
    assert site.api("GET", "/v1/directory/sync").status == 405


@pytest.mark.once
def test_wrong_directives_are_named_at_configtest(make_site):
    good = "ldaps://ldap.example.com/ou=people,dc=example,dc=com?uid"
    for lines, words in [({"MDMDirectoryURL": "https://ldap.example.com/"}, "is no LDAP URL"),
                         ({"MDMDirectoryURL": "ldaps://ldap.example.com/"}, "the base behind the host"),
                         ({"MDMDirectoryURL": "ldap://ldap.example.com/dc=example"}, "in the clear"),
                         ({"MDMDirectoryURL": good + " starttls"}, "ldaps: is TLS already"),
                         ({"MDMDirectoryURL": good + " tls"}, "'tls' is none of starttls, plain"),
                         ({"MDMDirectoryURL": good, "MDMDirectoryBind": "nobody /x"}, "no distinguished name"),
                         ({"MDMDirectoryURL": good, "MDMDirectoryBind": "cn=x /nonexistent"}, "MDMDirectoryBind"),
                         ({"MDMDirectoryURL": good, "MDMDirectoryCA": "/nonexistent"}, "MDMDirectoryCA"),
                         ({"MDMDirectoryAttribute": "title title"}, "MDMDirectoryURL"),
                         ({"MDMDirectoryAttribute": "'job title' title"}, "cannot be the name"),
                         ({"MDMDirectoryAttribute": "title 'a b'"}, "is no name of an LDAP attribute"),
                         ({"MDMDirectoryMissing": "forget"}, "none of keep, disable"),
                         ({"MDMDirectoryDisabled": "title=x"}, "is no LDAP filter"),
                         ({"MDMDirectoryDisabled": "'(&(title=x)'"}, "is no LDAP filter"),
                         ({"MDMDirectoryLimit": "101"}, "1 to 100"), ({"MDMDirectoryLimit": "50 few"}, "a number from 1"),
                         ({"MDMDirectoryInterval": "often"}, "is not a time")]:
        site = make_site(directives=lines).prepare()
        code, text = site.configtest()
        assert code != 0 and words in text, (lines, text)
