# SPDX-License-Identifier: Apache-2.0
"""Enrolling with a sign-in against a company's directory: a real OpenLDAP server, by httpd's own LDAP modules."""

import json
import os
import re
import urllib.parse

import pytest
from mdmsim import ota, profile

from . import overtheair
from .browser import Browser
from .directory import READER, READER_PASSWORD, Directory
from .site import LOCATIONS

SOURCE = os.environ.get("MDM_SRCDIR", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PEOPLE = {"nurse.joy": ("let me in", "nurse"), "dr.house": ("vicodin-4-me", "doctor"),
          "visitor": ("just looking", "guest"), "jörg*": ("ümlaut (pass)", "nurse")}
OTHERS = LOCATIONS[LOCATIONS.index('  <Location "/mdm/scep">'):]
LDAP = ["ldap", "authnz_ldap"]
# the directory's word counts each time
UNCACHED = "LDAPCacheEntries 0\nLDAPOpCacheEntries 0\nLDAPRetries 1\n"
LOCATION = """\
  <Location "/mdm/enroll">
    SetHandler mdm-enroll
    MDMAuthProvider %(providers)s
    AuthLDAPURL "%(url)s/ou=people,dc=example,dc=com?uid?sub?%(filter)s"
    AuthLDAPBindDN "%(reader)s"
    AuthLDAPBindPassword "%(password)s"
    AuthUserFile "%%(folder)s/htpasswd"
    %(require)s
  </Location>
"""

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def directory():
    made = Directory(PEOPLE, {"mobile": ["nurse.joy", "jörg*"], "doctors": ["dr.house"]}).start()
    yield made
    made.close()


def location(directory, require="Require valid-user", filter="(objectClass=inetOrgPerson)", providers="ldap"):
    return LOCATION % {"providers": providers, "url": directory.url, "filter": filter, "require": require,
                       "reader": READER, "password": READER_PASSWORD}


def ldap_site(site, text):
    site.modules += LDAP
    site.locations = text + OTHERS
    site.server_extra = UNCACHED
    site.own["MDMSignInLimit"] = "100 15min"
    return site


@pytest.fixture
def sign_in(keys):
    """sign_in(site, user, password): the page that follows, and the browser."""
    def attempt(site, user, password):
        browser = Browser(keys.tls_ca_file)
        page = browser.open(site.at("/mdm/enroll"))
        return browser.submit(page, user=user, password=password), browser
    return attempt


def status(sign_in, site, user, password=None):
    return sign_in(site, user, password or PEOPLE[user][0])[0].status


def test_feature_31_the_directory_decides(make_site, directory, sign_in):
    site = ldap_site(make_site(), location(directory)).start()
    assert status(sign_in, site, "nurse.joy") == 200
    assert status(sign_in, site, "visitor") == 200
    assert status(sign_in, site, "jörg*") == 200
    bad = [sign_in(site, user, password)[0] for user, password in
           [("nurse.joy", "wrong"), ("ghost", "let me in"), ("*", "let me in"), ("nurse*", "let me in"),
            ("nurse.joy)(uid=*", "let me in"), ("nurse.joy", ""), ("nurse.joy", " ")]]
    assert [page.status for page in bad] == [401] * len(bad)
    assert len({re.sub(r' value="[^"]*"', "", page.body.decode()) for page in bad}) == 1


def test_feature_31_a_group_of_the_directory_may_enroll(make_site, directory, sign_in):
    site = ldap_site(make_site(), location(directory, "Require ldap-group cn=mobile,ou=groups,dc=example,dc=com"))
    site.start()
    assert status(sign_in, site, "nurse.joy") == 200
    page, browser = sign_in(site, "dr.house", "vicodin-4-me")
    assert page.status == 403 and "not allowed" in page.text
    assert "__Secure-mdm-session" not in browser.cookies
    assert status(sign_in, site, "dr.house", "wrong") == 401


def test_feature_31_an_attribute_of_the_directory_decides(make_site, directory, sign_in):
    site = ldap_site(make_site(), location(directory, 'Require ldap-attribute employeeType="doctor"')).start()
    assert status(sign_in, site, "dr.house") == 200
    assert status(sign_in, site, "nurse.joy") == 403


def test_feature_31_a_filter_hides_the_others(make_site, directory, sign_in):
    site = ldap_site(make_site(), location(directory, filter="(employeeType=nurse)")).start()
    assert status(sign_in, site, "nurse.joy") == 200
    assert status(sign_in, site, "dr.house") == 401


def test_feature_31_providers_are_asked_in_turn(make_site, directory, sign_in):
    site = ldap_site(make_site(), location(directory, providers="ldap file")).start()
    assert status(sign_in, site, "other", "let me in") == 200      # in the file only
    assert status(sign_in, site, "visitor") == 200                 # in the directory only
    assert status(sign_in, site, "visitor", "let me in") == 401


def test_feature_31_with_the_directory_down_nobody_gets_in(make_site, directory, sign_in):
    site = ldap_site(make_site(), location(directory, providers="ldap file")).start()
    site.log.expect(r"\[mdm:error\].*is the directory down")
    assert status(sign_in, site, "nurse.joy") == 200
    directory.stop()
    try:
        for user, password in [("nurse.joy", "let me in"), ("nurse.joy", "wrong"), ("ghost", "x"),
                               ("other", "let me in")]:
            page, browser = sign_in(site, user, password)
            assert page.status == 503, (user, page)
            assert int(page.headers["Retry-After"]) > 0
            assert "__Secure-mdm-session" not in browser.cookies
    finally:
        directory.start()
    assert status(sign_in, site, "nurse.joy") == 200


def test_who_is_disabled_gets_in_by_no_other_case(make_site, directory, sign_in):
    site = ldap_site(make_site(), location(directory)).start()
    logins = ["nurse.joy", "Nurse.Joy", " nurse.joy", "NURSE.JOY  ", "jörg*", "JÖRG*"]
    people = {"nurse.joy": logins[:4], "jörg*": logins[4:]}
    for login in people:
        reply = site.api("PUT", "/v1/users/" + urllib.parse.quote(login, safe=""), b'{"disabled": true}',
                         {"Content-Type": "application/json"})
        assert reply.status == 201, reply.text
    for login, forms in people.items():
        for form in forms:
            page, browser = sign_in(site, form, PEOPLE[login][0])
            assert page.status == 403 and "__Secure-mdm-session" not in browser.cookies, (form, page)
    assert status(sign_in, site, "dr.house") == 200
    assert site.database.sql("SELECT login FROM mdm_session") == [["dr.house"]]


def test_feature_31_what_was_no_failure_of_the_person_is_not_counted(make_site, directory, sign_in):
    site = ldap_site(make_site(), location(directory))
    site.own["MDMSignInLimit"] = "2 15min"
    site.start()
    site.log.expect(r"\[mdm:error\].*is the directory down")
    directory.stop()
    try:
        assert [status(sign_in, site, "nurse.joy") for _ in range(4)] == [503] * 4
    finally:
        directory.start()
    assert status(sign_in, site, "nurse.joy") == 200


def readme_lines():
    """The lines that the README shows."""
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as source:
        text = source.read()
    found = re.search(r"## Enroll with a sign-in page against LDAP\n.*?```apache\n(.*?)```", text, re.S)
    assert found, "the README shows no lines for LDAP"
    return found.group(1)


def test_feature_31_the_lines_of_the_readme_enroll_a_device(make_site, directory, sign_in, new_device):
    lines = readme_lines()
    assert len(lines.strip().splitlines()) == 11
    site = make_site()
    for name, text in (("ldap.password", READER_PASSWORD), ("terms.txt", "Take care of it.")):
        site.write(name, text + "\n", 0o644)
    lines = lines.replace("ldaps://ldap.example.com", directory.url).replace("/etc/apache2/mdm", site.folder)
    ldap_site(site, lines.replace("%", "%%"))
    site.start().upload_push_certificate()
    page, browser = sign_in(site, "nurse.joy", "let me in")
    assert page.status == 422
    box, = page.markup.all("input", type="checkbox")
    assert browser.submit(page, user="dr.house", password="vicodin-4-me", terms=box["value"]).status == 403
    page = browser.submit(page, user=" Nurse.Joy", password="let me in", terms=box["value"])
    assert page.status == 200 and page.url.endswith("/status")
    phone = new_device(site)
    phone.new_token()
    phone.install(profile.Profile(browser.open(site.at("/mdm/enroll/profile")).body, site.ca_file),
                  key=site.keys.take())
    assert "All done" in browser.open(site.at("/mdm/enroll/status")).text
    assert site.show(phone.id)["user"] == "nurse.joy"


def test_feature_32_over_the_air_by_the_page_and_the_directory(make_site, directory, sign_in, new_device):
    site = overtheair.prepare(make_site())
    ldap_site(site, location(directory))
    site.start().upload_push_certificate()
    page, browser = sign_in(site, "nurse.joy", "let me in")
    assert page.status == 200
    phone = new_device(site)
    way = ota.OverTheAir(phone, overtheair.maker().device(phone.udid))
    seen = []

    def state():
        seen.append(json.loads(browser.open(site.at("/mdm/enroll/status"), Accept="application/json").body)["state"])
    state()
    way.begin(browser.open(site.at("/mdm/enroll/profile")).body)
    state()
    way.describe()
    state()
    way.identify(key=site.keys.take())
    state()
    way.fetch_final()
    state()
    way.install(key=site.keys.take())
    state()
    assert seen == ["signed-in", "offered", "described", "identified", "delivered", "done"]
    assert site.show(phone.id)["user"] == "nurse.joy"


def test_the_module_that_brings_a_provider_has_to_be_loaded(make_site, directory):
    site = make_site()
    site.locations = location(directory) + OTHERS
    result, text = site.prepare().configtest()
    assert result != 0
    assert "MDMAuthProvider" in text and "ldap" in text
