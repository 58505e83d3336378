# SPDX-License-Identifier: Apache-2.0
"""Answers of a directory that are not all of it: long lists in ranges, limits, referrals. Nobody is thrown out because of
them."""

import pytest

from .directory import BASE
from .small_directory import (BASE as ONE, BUSY, INSUFFICIENT_ACCESS, NO_SUCH_OBJECT, REFERRAL, SIZE_LIMIT, SUCCESS,
                              TIME_LIMIT, SmallDirectory)
from .synchronised import (configure, directory_group, directory_members, group_report, started, sync, user)

STAFF = "cn=staff,ou=groups," + BASE
LOGINS = ["many-%02d" % n for n in range(35)]


def dn(login):
    return "uid=%s,ou=people,%s" % (login, BASE)


@pytest.fixture
def directory(closing):
    entries = {dn(login): {"uid": [login], "title": ["Nurse"]} for login in LOGINS}
    entries[STAFF] = {"objectClass": ["group"], "member": [dn(login) for login in LOGINS]}
    return closing(SmallDirectory(entries, step=10))


def test_a_long_list_comes_in_ranges(make_site, directory):
    site = configure(make_site(), directory.url)
    started(site)
    directory_group(site, "staff", STAFF)
    sync(site)
    assert directory_members(site, "staff") == LOGINS
    assert [one.start_of("member") for one in directory.searches if one.base == STAFF] == [0, 10, 20, 30]


def test_an_attribute_that_is_asked_for_twice_fills_each_use(make_site, directory):
    groups = [STAFF.replace("staff", "group-%02d" % n) for n in range(12)]
    for login in LOGINS:
        directory.entries[dn(login)].update(mail=[login + "@example.com"], memberOf=groups)
    site = configure(make_site(), directory.url, MDMDirectoryAttribute="mail mail\n  MDMDirectoryAttribute name title\n"
                     "  MDMDirectoryAttribute role Title\n  MDMDirectoryAttribute groups memberof")
    site.own["MDMDirectoryURL"] = '"%s/ou=people,%s?Mail"' % (directory.url, BASE)
    started(site)
    directory_group(site, "last", groups[-1])
    sync(site)
    someone = user(site, LOGINS[0] + "@example.com")
    assert someone["email"] == LOGINS[0] + "@example.com", someone
    assert someone["attributes"] == {"name": "Nurse", "role": "Nurse", "groups": groups}
    assert len(directory_members(site, "last")) == len(LOGINS)
    assert [one.attributes for one in directory.searches if one.scope != ONE][-1] == ["Mail", "title", "memberof"]


@pytest.mark.once
def test_a_title_in_another_language_is_not_the_title(make_site, directory):
    directory.entries[dn(LOGINS[0])]["title;lang-de"] = ["Pfleger"]
    directory.entries[dn(LOGINS[1])] = {"uid": [LOGINS[1]], "title;lang-de": ["Pfleger"]}
    site = configure(make_site(), directory.url)
    started(site)
    assert user(site, LOGINS[0])["attributes"] == {"title": "Nurse"} and user(site, LOGINS[1])["attributes"] == {}


def without_the_rest(search, found, code):
    return (found, code) if search.start_of("member") < 20 else ([], code)


def the_same_again(search, found, code):
    return [(name, {"member;range=0-9": list(values.values())[0][:10]} if search.start_of("member") else values)
            for name, values in found], code


def fewer_than_said(search, found, code):
    return [(name, {key: values[:5] if search.start_of("member") else values for key, values in attributes.items()})
            for name, attributes in found], code


def no_range(search, found, code):
    return [(name, {} if search.start_of("member") else attributes) for name, attributes in found], code


@pytest.mark.once
@pytest.mark.parametrize("spoil", [without_the_rest, the_same_again, fewer_than_said, no_range])
def test_a_list_that_breaks_off_throws_nobody_out(make_site, directory, spoil):
    site = configure(make_site(), directory.url)
    started(site)
    directory_group(site, "staff", STAFF)
    sync(site)
    site.log.expect(r"MDM1003")
    directory.answer = lambda search: (spoil(search, *directory.found(search)) if search.base == STAFF
                                       else directory.found(search))
    assert STAFF in sync(site)["failure"]["error"]
    assert directory_members(site, "staff") == LOGINS
    directory.answer = directory.found
    state = sync(site)
    assert "failure" not in state and group_report(state, "staff")["left"] == 0


@pytest.mark.once
@pytest.mark.parametrize("code, words", [(SIZE_LIMIT, "Size limit exceeded"), (TIME_LIMIT, "Time limit exceeded"),
                                         (REFERRAL, "Referral"), (BUSY, "busy")])
def test_half_of_the_people_are_not_taken_for_all(make_site, directory, code, words):
    site = configure(make_site(), directory.url, MDMDirectoryMissing="disable")
    started(site)
    site.log.expect(r"MDM1003")
    directory.answer = lambda search: (directory.found(search)[0][:30], code)
    assert words in sync(site)["failure"]["error"]
    assert user(site, LOGINS[-1])["synced_at"] and not user(site, LOGINS[-1])["disabled"]


@pytest.mark.once
def test_a_group_that_lives_elsewhere_keeps_its_members_and_holds_up_no_other(make_site, directory):
    other = STAFF.replace("staff", "other")
    directory.entries[other] = {"objectClass": ["group"], "member": [dn("many-03")]}
    site = configure(make_site(), directory.url)
    started(site)
    directory_group(site, "staff", STAFF)
    directory_group(site, "other", other)
    sync(site)
    directory.referral = "ldap://elsewhere.example.com/" + STAFF
    directory.answer = lambda search: (([], REFERRAL) if search.scope == ONE and search.base == STAFF
                                       else directory.found(search))
    directory.entries[other]["member"] = [dn("many-04")]
    state = sync(site)
    assert "failure" not in state and "Referral" in group_report(state, "staff")["error"], state
    assert directory_members(site, "staff") == LOGINS and directory_members(site, "other") == ["many-04"]


@pytest.mark.once
@pytest.mark.parametrize("code", [INSUFFICIENT_ACCESS, REFERRAL, SUCCESS])
def test_a_group_within_it_that_cannot_be_read_is_not_taken_for_an_empty_one(make_site, directory, code):
    nurses = STAFF.replace("staff", "nurses")
    directory.entries[nurses] = {"objectClass": ["group"], "member": [dn("many-01"), dn("many-02")]}
    directory.entries[STAFF]["member"] = [dn("many-03"), dn("many-04"), nurses]
    site = configure(make_site(), directory.url)
    started(site)
    directory_group(site, "staff", STAFF)
    assert "note" not in group_report(sync(site), "staff")
    directory.entries[STAFF]["member"] = [dn("many-04"), dn("many-05"), nurses]
    directory.answer = lambda search: ([], code) if search.base == nurses else directory.found(search)
    report = group_report(sync(site), "staff")
    assert nurses in report["note"] and report["left"] == 0 and report["joins"] == ["many-05"], report
    assert directory_members(site, "staff") == ["many-01", "many-02", "many-03", "many-04", "many-05"]
    directory.entries[STAFF]["member"] = [dn("many-03"), nurses]
    report = group_report(sync(site, confirm=True), "staff")
    assert nurses in report["note"] and report["leaves"] == ["many-01", "many-02", "many-04", "many-05"], report
    directory.answer = directory.found
    assert group_report(sync(site), "staff")["joins"] == ["many-01", "many-02"]
    directory.answer = lambda search: ([], NO_SUCH_OBJECT) if search.base == nurses else directory.found(search)
    report = group_report(sync(site), "staff")
    assert "note" not in report and report["leaves"] == ["many-01", "many-02"], report


@pytest.mark.once
def test_an_entry_that_cannot_be_read_is_not_taken_for_an_empty_one(make_site, directory):
    directory.entries[STAFF]["member"] = [dn("many-03")]
    site = configure(make_site(), directory.url)
    started(site)
    directory_group(site, "staff", STAFF)
    sync(site)
    site.log.expect(r"MDM1003")
    directory.broken = STAFF
    state = sync(site)
    assert "Decoding error" in state["failure"]["error"] and STAFF in state["failure"]["error"], state
    directory.broken = dn("many-04")
    assert "Decoding error" in sync(site)["failure"]["error"]
    assert directory_members(site, "staff") == ["many-03"] and user(site, "many-04")["synced_at"]


@pytest.mark.once
def test_an_answer_without_anybody_is_not_believed(make_site, directory):
    for login in LOGINS[2:]:
        del directory.entries[dn(login)]
    site = configure(make_site(), directory.url, MDMDirectoryLimit="100")
    assert started(site)["report"]["users"]["found"] == 2
    site.log.expect(r"MDM1003")
    directory.answer = lambda search: ([], SUCCESS)
    assert "of 2 users 2 are not found" in sync(site)["failure"]["error"]
    assert user(site, LOGINS[0])["synced_at"]
    assert sync(site, confirm=True)["report"]["users"]["missing"] == 2


def with_nobody(site, directory):
    """Started while the directory knows nobody: whom it has then is found for the first time by the next run."""
    directory.answer = lambda search: ([], SUCCESS)
    started(site)
    directory.answer = directory.found
    site.log.expect(r"MDM1003")
    return site


def only_disabled(directory, logins):
    """Answers of a directory that has these disabled, by the filter (title=Gone)."""
    return lambda search: (([(dn(login), {"uid": [login]}) for login in logins], SUCCESS) if b"Gone" in search.filter
                           else directory.found(search))


def test_the_first_run_may_not_disable_those_of_a_file(make_site, directory):
    site = with_nobody(configure(make_site(), directory.url, MDMDirectoryDisabled='"(objectClass=*)"'), directory)
    lines = "login,title\n" + "".join("%s,Nurse\n" % login for login in LOGINS[:20])
    assert site.api("POST", "/v1/users/import", lines.encode(), {"Content-Type": "text/csv"}).json["new"] == 20
    assert "20 would be disabled, of 20 who are not" in sync(site)["failure"]["error"]
    assert not any(user(site, login)["disabled"] for login in LOGINS[:20]) and not user(site, LOGINS[20])
    assert sync(site, confirm=True)["report"]["users"]["disabled"] == 35
    assert user(site, LOGINS[0])["disabled"] is True


def test_those_who_are_disabled_do_not_hide_that_all_others_would_be(make_site, directory):
    site = configure(make_site(), directory.url, MDMDirectoryDisabled='"(title=Gone)"')
    gone = LOGINS[:20]
    directory.answer = only_disabled(directory, gone)
    assert started(site)["report"]["users"]["disabled"] == 20
    gone[:] = LOGINS
    site.log.expect(r"MDM1003")
    assert "15 would be disabled, of 15 who are not" in sync(site)["failure"]["error"]
    assert user(site, LOGINS[-1])["disabled"] is False


def test_an_attribute_that_all_would_lose_needs_a_word(make_site, directory):
    for login in LOGINS:
        directory.entries[dn(login)].update(cn=["Nurse " + login], mail=[login + "@example.com"])
    site = configure(make_site(), directory.url)
    started(site)
    site.log.expect(r"MDM1003")
    for login in LOGINS[:18]:
        for name in ("title", "mail", "cn"):
            del directory.entries[dn(login)][name]
    error = sync(site)["failure"]["error"]
    for name, ldap in ("title", "title"), ("email", "mail"), ("display_name", "cn"):
        assert "of 35 users who have %s 18 would lose it: the directory shows no %s" % (name, ldap) in error, error
    assert user(site, LOGINS[0])["attributes"] == {"title": "Nurse"} and user(site, LOGINS[0])["email"]
    directory.entries[dn(LOGINS[0])].update(title=["Nurse"], mail=["x@example.com"], cn=["x"])
    assert sync(site)["report"]["users"]["changed"] == 18, "not more than half"
    assert user(site, LOGINS[1])["attributes"] == {} and "email" not in user(site, LOGINS[1])
    for login in LOGINS:
        directory.entries[dn(login)].pop("title", None)
    assert "of 18 users who have title 18 would lose it" in sync(site)["failure"]["error"]
    assert sync(site, confirm=True)["report"]["users"]["changed"] == 18


def test_a_filter_that_finds_nobody_any_more_enables_nobody(make_site, directory):
    site = configure(make_site(), directory.url, MDMDirectoryDisabled='"(title=Gone)"')
    gone = LOGINS[:12]
    directory.answer = only_disabled(directory, gone)
    assert started(site)["report"]["users"]["disabled"] == 12
    gone.clear()
    site.log.expect(r"MDM1003")
    assert "of 12 disabled users 12 would be enabled" in sync(site)["failure"]["error"]
    assert user(site, LOGINS[0])["disabled"] is True
    assert sync(site, confirm=True)["report"]["users"]["enabled"] == 12
