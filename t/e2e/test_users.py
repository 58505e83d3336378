# SPDX-License-Identifier: Apache-2.0
"""Persons: what a sign-in says of them, what files and the API say, and what follows from a change."""

import json
import time
import urllib.parse

import pytest

from . import desired, devices
from .browser import Browser
from .directory import READER, READER_PASSWORD, Directory
from .site import LOCATIONS, PASSWORD, USER

JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}


def users_path(login):
    return "/v1/users/" + urllib.parse.quote(login, safe="")


def change(site, method, login, **body):
    return site.api(method, users_path(login), json.dumps(body).encode(), JSON)


def user(site, login):
    reply = site.api("GET", users_path(login))
    return reply.json if reply.status == 200 else None


def events(site, login, kind="user.%"):
    return [row for row in site.database.sql("SELECT kind, actor, detail FROM mdm_event WHERE object = '%s' AND "
                                             "kind LIKE '%s' ORDER BY id" % (login, kind))]


def hold_fan_out(site, held=True):
    """Marks stay as long as somebody else has the job of working them off."""
    site.database.sql("INSERT INTO mdm_job (name, due_at, lease_owner, lease_until, position) VALUES ('fanout', 0, 'a test', "
                      "%(until)d, NULL) ON CONFLICT (name) DO UPDATE SET lease_owner = 'a test', lease_until = %(until)d"
                      % {"until": (time.time() + 86400) * 1000000 if held else 0})


def marked(site, device):
    return site.database.sql("SELECT COUNT(*) FROM mdm_recheck r JOIN mdm_enrollment e ON e.id = r.enrollment "
                             "WHERE e.enrollment_id = '%s'" % device.id)[0][0] not in (0, "0")


# ---- the API

def test_a_user_is_made_changed_and_shown(site):
    assert site.api("GET", "/v1/users/ada").status == 404
    made = change(site, "PUT", "ada", display_name="Ada L", email="ada@example.com",
                  attributes={"title": "Engineer", "role": ["dev", "lead"]})
    assert made.status == 201 and made.json["source"] == "api" and made.json["disabled"] is False, made.text
    assert made.json["attributes"] == {"title": "Engineer", "role": ["dev", "lead"]}
    patched = change(site, "PATCH", "ada", email=None, attributes={"role": None, "floor": "3"})
    assert patched.status == 200 and "email" not in patched.json
    assert patched.json["attributes"] == {"title": "Engineer", "floor": "3"}
    assert patched.json["display_name"] == "Ada L"
    put = change(site, "PUT", "ada", attributes={"floor": "3"})
    assert put.status == 200 and "display_name" not in put.json and put.json["attributes"] == {"floor": "3"}
    assert user(site, "ada") == put.json
    assert [row[0] for row in events(site, "ada")] == ["user.created", "user.changed", "user.changed"]
    assert change(site, "PUT", "ada", attributes={"floor": "3"}).json == put.json
    assert len(events(site, "ada")) == 3, "the same again is no event"


def test_disabling_a_user_is_an_event_and_marks_the_devices(own_site, new_phone, new_device):
    site = own_site
    phone, other = new_phone(site), devices.enroll(site, new_device(site), "other", PASSWORD)
    desired.settled(site)
    hold_fan_out(site)
    assert change(site, "PUT", USER, disabled=True).json["disabled"] is True
    assert [row[0] for row in events(site, USER)] == ["user.created", "user.disabled"]
    assert marked(site, phone) and not marked(site, other)
    assert [one["login"] for one in site.api("GET", "/v1/users?disabled=true").json["users"]] == [USER]
    assert site.api("GET", "/v1/users?disabled=false").json["users"] == []
    assert site.api("GET", "/v1/users?disabled=maybe").status == 400
    assert site.database.sql("SELECT login FROM mdm_enrollment WHERE enrollment_id = '%s'" % phone.id) == [[USER]]
    hold_fan_out(site, False)
    desired.settled(site)
    hold_fan_out(site)
    assert not marked(site, phone)
    assert change(site, "PATCH", USER, disabled=False).json["disabled"] is False
    assert events(site, USER)[-1][0] == "user.enabled" and marked(site, phone)
    hold_fan_out(site, False)
    desired.settled(site)


def test_what_is_for_a_user_goes_while_he_is_disabled(own_site, new_phone):
    site, phone = own_site, new_phone(own_site)
    assert change(site, "PUT", USER).status == 201
    profile = desired.profile(site, "wifi", desired.wifi("fixed-CANARY"))
    desired.assign(site, "wifi", user=USER)
    for disabled, done in ((False, "InstallProfile"), (True, "RemoveProfile"), (False, "InstallProfile")):
        assert change(site, "PATCH", USER, disabled=disabled).status == 200
        desired.settled(site)
        assert [one.request_type for one in phone.connect()] == [done, "ProfileList"]
        assert (profile["identifier"] in phone.profiles) is not disabled


def test_pages_of_users(site):
    for login in ("page-a", "page-b", "päge-c"):
        assert change(site, "PUT", login).status == 201
    seen, cursor = [], "pagd"
    while cursor:
        page = site.api("GET", "/v1/users?limit=1&cursor=" + urllib.parse.quote(cursor)).json
        seen += [one["login"] for one in page["users"]]
        cursor = page.get("next_cursor")
    assert seen[:3] == ["page-a", "page-b", "päge-c"]


@pytest.mark.parametrize("body, key, remedy", [
    (b"no json", "in line 1", "mend it there"), (b"[]", "the JSON is no object", "begin it with {"),
    (b'{"name": "x"}', "no member 'name'", "display_name, email, disabled and attributes can be given"),
    (b'{"attributes": {"mail": "x"}}', "'mail' cannot be the name of an attribute", "take another name"),
    (b'{"attributes": {"a b": "x"}}', "'a b' cannot be the name of an attribute", "a letter, then letters, digits"),
    (b'{"attributes": {"title": 3}}', "attributes.title must be", "a text or null, not an integer"),
    (b'{"attributes": {"title": ["x", 3]}}', "attributes.title[1] must be", "a text, not an integer"),
    (b'{"attributes": {"title": [""]}}', "attributes.title[0] is empty", "give it a text, or leave it out"),
    (b'{"attributes": "x"}', "attributes must be", "an object of texts and lists of texts, not a string"),
    (b'{"disabled": 1}', "disabled must be", "true or false, not an integer"),
    (b'{"email": "a\\nb"}', "email must be", "UTF-8 text without control characters"),
    (b'{"display_name": "%s"}' % (b"x" * 1025), "display_name must not be", "longer than 1024 bytes"),
    (b'{"email": "a\\u0000b"}', "in line 1", "mend it there"),
    (b'{"display_name": "\xff"}', "in line 1", "mend it there"),
    (json.dumps({"attributes": {"a%d" % n: "x" * 1000 for n in range(60)}}).encode(), "attributes must not be",
     "more than 32768 bytes together"),
], ids=range(15))
def test_what_cannot_be_said_is_refused(site, body, key, remedy):
    for method in ("PUT", "PATCH"):
        reply = site.api(method, "/v1/users/refused", body, JSON)
        assert reply.status in (400, 413) and reply.json["error"].startswith('user "refused": '), reply.text
        assert key in reply.json["error"] and remedy in reply.json["error"], reply.text
    assert user(site, "refused") is None


def test_logins_have_limits(site):
    assert change(site, "PUT", "x" * 255).status == 201
    longer = change(site, "PUT", "x" * 256)
    assert longer.status == 400 and longer.json["error"] == \
        'user "%s...": the login must have 1 to 255 bytes, not 256' % ("x" * 60)
    assert site.api("PUT", "/v1/users/a%09b", b"{}", JSON).status == 400
    assert site.api("DELETE", "/v1/users/ada").status == 405


# ---- files

def upload(site, text):
    return site.api("POST", "/v1/users/import", text.encode() if isinstance(text, str) else text, CSV)


def test_a_file_of_users_by_the_api(site):
    done = upload(site, "\ufefflogin,display_name,mail,department\r\ncsv-1,\"One, A\",one@example.com,Sales\r\n"
                        "csv-2,Two,,\r\n")
    assert done.status == 200 and done.json == {"new": 2, "changed": 0, "unchanged": 0}, done.text
    assert user(site, "csv-1")["display_name"] == "One, A"
    assert user(site, "csv-1")["attributes"] == {"department": "Sales"}
    assert upload(site, "login,department\ncsv-1,Sales\ncsv-2,Care\ncsv-3,Care\n").json == {
        "new": 1, "changed": 1, "unchanged": 1}
    assert user(site, "csv-2")["display_name"] == "Two", "columns that are not in the file stay"


def test_a_file_is_taken_whole_or_not(site):
    refused = upload(site, "login,department\nall-1,Sales\nall-2,Sales,Extra\n")
    assert refused.status == 400 and refused.json["error"].startswith("line 3: 3 fields"), refused.text
    assert user(site, "all-1") is None
    assert "give as many" in refused.json["error"]
    refused = upload(site, "login,disabled\nall-1,no\nall-2,perhaps\n")
    assert refused.status == 400 and refused.json["error"] == \
        'line 3: user "all-2": disabled must be yes or no, not "perhaps"'
    assert upload(site, "login,department\nall-1,Sales\nall-1,Care\n").status == 400
    assert upload(site, b"login,department\nall-1,M\xfcller\n").status == 400
    assert upload(site, "").status == 400
    assert user(site, "all-1") is None
    big = "login,department\n" + "".join("all-%d,%s\n" % (n, "x" * 900) for n in range(20000))
    assert upload(site, big).status == 413
    assert user(site, "all-1") is None


def test_mdmctl_imports_lists_and_changes_users(site, tmp_path):
    file = tmp_path / "people.csv"
    file.write_bytes(b"login,display_name,title\r\nctl-1,\"Ctl \"\"One\"\"\",Nurse\r\nctl-2,Two,Doctor\r\n")
    assert site.ctl("user", "import", str(file)).stdout == "2 new, 0 changed, 0 unchanged\n"
    assert site.ctl("user", "import", str(file)).stdout == "0 new, 0 changed, 2 unchanged\n"
    assert json.loads(site.ctl("user", "show", "ctl-1").stdout)["display_name"] == 'Ctl "One"'
    assert site.ctl("user", "set", "ctl-1", "title=", "mail=c@example.com").stdout == "ctl-1 is changed\n"
    assert user(site, "ctl-1")["attributes"] == {} and user(site, "ctl-1")["email"] == "c@example.com"
    assert user(site, "ctl-1")["source"] == "mdmctl"
    assert site.ctl("user", "disable", "ctl-2").stdout == "ctl-2 is changed\n"
    assert 'ctl-2  Two  -  {"title":"Doctor"}  disabled' in site.ctl("user", "list", "--disabled").stdout
    assert "ctl-1" not in site.ctl("user", "list", "--disabled").stdout
    assert "ctl-1" in site.ctl("user", "list").stdout
    site.ctl("user", "enable", "ctl-2")
    assert user(site, "ctl-2")["disabled"] is False
    file.write_bytes(b"login,title\nctl-1,Nurse\nctl-9\n")
    failed = site.ctl("user", "import", str(file), check=False)
    assert failed.returncode == 1 and "line 3: 1 fields" in failed.stderr
    assert site.ctl("user", "disable", "nobody", check=False).returncode == 1
    assert user(site, "nobody") is None
    assert site.ctl("user", "set", "ctl-1", "title", check=False).returncode == 2
    assert site.ctl("user", "set", "ctl-1", "job title=x", check=False).returncode == 1


# ---- the sign-in

def enroll_location(lines, auth=""):
    start = LOCATIONS.index("  </Location>")
    return (LOCATIONS[:start] + "".join("    %s\n" % line.replace("%", "%%") for line in lines) + LOCATIONS[start:])


def fetch_profile(site, login=USER, password=PASSWORD, headers=None):
    from mdmsim import web
    return site.http.request("GET", site.at("/mdm/enroll?profile"), None,
                             {"Authorization": web.basic_auth(login, password), **(headers or {})}, redirects=0)


def test_what_apache_knows_of_a_person_becomes_attributes(make_site):
    site = make_site()
    site.locations = enroll_location([
        "SetEnv GIVEN_NAME Joy", "SetEnv EMPTY ''", 'MDMUserAttribute display_name "%{GIVEN_NAME}e Nurse"',
        "MDMUserAttribute mail %{req:X-Mail}", "MDMUserAttribute title %{EMPTY}e",
        "MDMUserAttribute title %{req:X-Title}", "MDMUserAttribute department %{EMPTY}e",
        "MDMUserAttribute login_name %{REMOTE_USER}", "MDMUserAttribute role %{NOT_SET}e"])
    site.start().upload_push_certificate()
    claims = {"X-Mail": "joy@example.com", "X-Title": "Head nurse"}
    assert fetch_profile(site, password="wrong", headers=claims).status == 401
    assert user(site, USER) is None, "nobody has signed in"
    assert fetch_profile(site, headers=claims).status == 200
    joy = user(site, USER)
    assert joy["display_name"] == "Joy Nurse" and joy["email"] == "joy@example.com" and joy["source"] == "sign-in"
    assert joy["attributes"] == {"title": "Head nurse", "login_name": USER}
    assert events(site, USER) == [["user.created", USER, "sign-in: display_name, email, login_name, title"]]
    assert change(site, "PATCH", USER, attributes={"department": "Ward 3"}).status == 200
    assert fetch_profile(site, headers={"X-Title": ""}).status == 200
    assert user(site, USER)["attributes"] == {"title": "Head nurse", "login_name": USER, "department": "Ward 3"}
    assert user(site, USER)["email"] == "joy@example.com", "empty values change nothing"
    assert len(events(site, USER)) == 2
    assert fetch_profile(site, headers={"X-Title": "Matron"}).status == 200
    assert user(site, USER)["attributes"]["title"] == "Matron"


def test_values_that_cannot_be_are_left_out(make_site):
    site = make_site()
    site.locations = enroll_location(["MDMUserAttribute title %{req:X-Title}",
                                          "MDMUserAttribute floor %{req:X-Floor}"])
    site.start().upload_push_certificate()
    assert fetch_profile(site, headers={"X-Title": "x" * 1025, "X-Floor": "3"}).status == 200
    assert user(site, USER)["attributes"] == {"floor": "3"}
    site.log.wait(r"MDM1000: MDMUserAttribute title of nurse.joy is left out: title must not be longer than 1024 bytes")
    assert fetch_profile(site, headers={"X-Title": "M\xfcller"}).status == 200
    assert user(site, USER)["attributes"] == {"floor": "3"}


def test_a_disabled_user_cannot_enroll(own_site, new_phone):
    site = own_site
    phone = new_phone(site)
    assert change(site, "PUT", USER, disabled=True).status == 201
    refused = fetch_profile(site)
    assert refused.status == 403 and "disabled" in refused.text
    assert phone.connect() == [], "his devices stay managed: what is taken from them is for policies to say"
    assert change(site, "PATCH", USER, disabled=False).status == 200
    assert fetch_profile(site).status == 200
    other = USER.upper()
    assert change(site, "PUT", other, disabled=True).json["disabled_by"] == "api"
    refused = fetch_profile(site)
    assert refused.status == 403 and other + " is disabled" in refused.text, "directories know no case"
    assert "disabled_by" not in change(site, "PATCH", other, disabled=False).json
    assert fetch_profile(site).status == 200


@pytest.mark.once
def test_wrong_attributes_are_named_at_configtest(make_site):
    site = make_site().prepare()
    for line, words in [("MDMUserAttribute title %{req:X", "MDMUserAttribute title: cannot understand '%{req:X'"),
                        ("MDMUserAttribute title %{nonsense:X}", "MDMUserAttribute title: cannot understand"),
                        ("MDMUserAttribute 'job title' %{X}e", "'job title' cannot be the name of an attribute"),
                        ("MDMUserAttribute disabled %{X}e", "'disabled' cannot be the name of an attribute"),
                        ("MDMUserAttribute title", "MDMUserAttribute takes two arguments")]:
        site.locations = enroll_location([line])
        code, text = site.configtest()
        assert code != 0 and words in text, text


@pytest.mark.once
def test_ldap_attributes_at_the_sign_in_page(make_site, keys):
    people = {"nurse.joy": ("let me in", "nurse"), "dr.house": ("vicodin-4-me", "doctor")}
    directory = Directory(people, {"mobile": ["nurse.joy"]}).start()
    try:
        site = make_site()
        site.modules += ["ldap", "authnz_ldap"]
        site.server_extra = "LDAPCacheEntries 0\nLDAPOpCacheEntries 0\n"
        start = LOCATIONS.index('  <Location "/mdm/scep">')
        site.locations = """\
  <Location "/mdm/enroll">
    SetHandler mdm-enroll
    MDMAuthProvider ldap
    AuthLDAPURL "%s/ou=people,dc=example,dc=com?uid,employeeType,cn?sub"
    AuthLDAPBindDN "%s"
    AuthLDAPBindPassword "%s"
    Require valid-user
    MDMUserAttribute role %%%%{AUTHENTICATE_EMPLOYEETYPE}e
    MDMUserAttribute display_name %%%%{AUTHENTICATE_CN}e
  </Location>
""" % (directory.url, READER, READER_PASSWORD) + LOCATIONS[start:]
        site.start()
        browser = Browser(keys.tls_ca_file)
        page = browser.open(site.at("/mdm/enroll"))
        assert browser.submit(page, user="dr.house", password="wrong").status == 401
        assert user(site, "dr.house") is None
        browser = Browser(keys.tls_ca_file)
        page = browser.open(site.at("/mdm/enroll"))
        assert browser.submit(page, user="dr.house", password="vicodin-4-me").status == 200
        assert user(site, "dr.house")["attributes"] == {"role": "doctor"}
        assert user(site, "dr.house")["display_name"] == "dr.house"
    finally:
        directory.close()
