# SPDX-License-Identifier: Apache-2.0
"""The person's side of an enrollment: the sign-in page, who may see what, and the page that turns to done."""

import base64
import concurrent.futures
import hashlib
import json
import re
import time

import pytest
from mdmsim import profile

from . import keys as keyring
from .browser import ANDROID, CHROME_ON_IPHONE, IPHONE, MAC, WINDOWS, Browser
from .httpd import free_port
from .site import LOCATIONS, PASSWORD, USER, Site

PROFILE = "application/x-apple-aspen-config"
PAGE = """\
  <Location "/mdm/enroll">
    SetHandler mdm-enroll
    MDMAuthProvider file
    AuthUserFile "%(folder)s/htpasswd"
    Require user nurse.joy
  </Location>
"""
OTHERS = LOCATIONS[LOCATIONS.index('  <Location "/mdm/scep">'):]
TERMS = "Be <kind> & \"careful\".\nKeep it safe: ä.\n"


def page_site(site, location=PAGE, **directives):
    site.locations = location + OTHERS
    site.own.update({"MDMSignInLimit": "1000 15min", **directives})
    return site


@pytest.fixture(scope="module")
def running(keys, apns, variant, make_database):
    site = page_site(Site(keys, make_database(variant[1]), apns, variant[0]))
    site.topic = keyring.TOPIC
    site.start().upload_push_certificate()
    yield site
    site.close()


@pytest.fixture
def browse(keys):
    return lambda **options: Browser(keys.tls_ca_file, **options)


def sign_in(browser, site, user=USER, password=PASSWORD, path="/mdm/enroll", **fields):
    return browser.submit(browser.open(site.at(path)), user=user, password=password, **fields)


def progress(browser, site):
    return json.loads(browser.open(site.at("/mdm/enroll/status"), Accept="application/json").body)


def events(site, kind):
    return site.database.sql("SELECT actor, COALESCE(object, ''), COALESCE(detail, '') FROM mdm_event "
                             "WHERE kind = '%s'" % kind)


# row 28: the URL

@pytest.mark.once
@pytest.mark.parametrize("agent", [IPHONE, MAC])
def test_feature_28_a_device_of_apple_gets_the_page(running, browse, agent):
    page = browse(agent=agent).open(running.at("/mdm/enroll"))
    assert page.status == 200
    assert page.markup.all("input", type="password")
    assert "Example Hospital" in page.text


@pytest.mark.once
@pytest.mark.parametrize("agent, said", [(WINDOWS, "on the device"), (ANDROID, "on the device"),
                                         (CHROME_ON_IPHONE, "in Safari"), ("curl/8.0", "on the device")])
def test_feature_28_other_agents_get_a_short_explanation(running, browse, agent, said):
    page = browse(agent=agent).open(running.at("/mdm/enroll"))
    assert page.status == 200
    assert said in page.text and running.at("/mdm/enroll") in page.text
    assert not page.markup.all("form")


@pytest.mark.once
def test_feature_28_plain_http_points_to_https(make_site, browse):
    site, port = page_site(make_site()), free_port()
    site.server_extra = """\
Listen 127.0.0.1:%d
<VirtualHost 127.0.0.1:%d>
  ServerName 127.0.0.1
%s
  MDMEngine on
  MDMStateDir "%s"
  MDMServerURL https://127.0.0.1
%s</VirtualHost>
""" % (port, port, site.database.directives(), site.state_dir, PAGE % {"folder": site.folder})
    site.start()
    browser, url = browse(), "http://127.0.0.1:%d/mdm/enroll" % port
    for path in ("", "/profile", "/status"):
        page = browser.open(url + path)
        assert page.status == 403
        assert "https://127.0.0.1/mdm/enroll" in page.text
        assert not page.headers.get("Set-Cookie")
    fields = "user=%s&password=%s" % (USER, PASSWORD)
    page = browser.send("POST", url, fields, {"Content-Type": "application/x-www-form-urlencoded"})
    assert page.status == 403


@pytest.mark.once
def test_feature_28_another_host_is_explained(running, browse):
    page = browse().open(running.at("/mdm/enroll"), Host="elsewhere.example.com")
    assert page.status == 421
    assert running.at("/mdm/enroll") in page.text
    assert not page.markup.all("form")


# row 30: the form

def test_feature_30_the_form_works_without_script_and_asks_nothing_of_others(running, browse):
    page = browse().open(running.at("/mdm/enroll"))
    assert not re.search(rb"<script|javascript:|\son\w+=|src=|@import|url\(", page.body, re.I)
    assert page.markup.all("html", lang="en")
    assert page.markup.all("meta", name="viewport")
    user, = page.markup.all("input", name="user")
    password, = page.markup.all("input", name="password")
    assert user["autocomplete"] == "username" and user["autocapitalize"] == "none" and "autofocus" in user
    assert password["autocomplete"] == "current-password" and password["type"] == "password"
    assert {one["for"] for one in page.markup.all("label")} == {user["id"], password["id"]}


@pytest.mark.once
def test_feature_30_headers_close_the_page(running, browse):
    page = browse().open(running.at("/mdm/enroll"))
    policy = page.headers["Content-Security-Policy"]
    style = re.search(rb"<style>(.*?)</style>", page.body, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "style-src 'sha256-%s'" % digest in policy and "unsafe" not in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["X-Frame-Options"] == "DENY"


@pytest.mark.once
def test_feature_30_cookies_are_kept_from_scripts_other_sites_and_other_paths(running, browse):
    browser = browse()
    assert sign_in(browser, running).status == 200
    assert len(browser.cookies) == 2
    for name, (_, rules) in browser.cookies.items():
        assert name.startswith("__Secure-")
        assert "secure" in rules and "httponly" in rules
        assert rules["samesite"] == "Strict" and rules["path"] == "/mdm/enroll" and "domain" not in rules


@pytest.mark.once
@pytest.mark.parametrize("change", [
    {"token": None}, {"token": ""}, {"token": "0" * 64}, {"headers": {"Cookie": ""}},
    {"headers": {"Cookie": "__Secure-mdm-form=" + "0" * 32}}, {"headers": {"Origin": "https://evil.example"}},
    {"headers": {"Origin": "null"}}, {"headers": {"Sec-Fetch-Site": "cross-site"}},
    {"headers": {"Sec-Fetch-Site": "same-site"}}])
def test_feature_30_a_forged_post_signs_nobody_in(running, browse, change):
    browser = browse()
    page = browser.submit(browser.open(running.at("/mdm/enroll")), user=USER, password=PASSWORD, redirects=0, **change)
    assert page.status == 403
    assert "__Secure-mdm-session" not in browser.cookies
    assert page.markup.all("form")


@pytest.mark.once
def test_feature_30_a_token_is_no_good_in_another_browser(running, browse):
    mine, theirs = browse(), browse()
    token = theirs.open(running.at("/mdm/enroll")).field("token")
    assert sign_in(mine, running, token=token, redirects=0).status == 403


@pytest.mark.once
def test_feature_30_bad_forms_are_refused(running, browse):
    browser = browse()
    token = browser.open(running.at("/mdm/enroll")).field("token")
    url, form = running.at("/mdm/enroll"), {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.send("POST", url, "{}", {"Content-Type": "application/json"}).status == 415
    assert browser.send("POST", url, "a=" + "b" * 20000, form).status == 413
    assert browser.send("PUT", url, "a=b", form).status == 405
    for user in ("%00", "%ff", "a%0ab", "", "%zz", "a" * 300):
        page = browser.send("POST", url, "user=%s&password=x&token=%s" % (user, token), form)
        assert page.status == 401, user
    assert browser.send("POST", url, "user=nurse.joy&password=&token=%s" % token, form).status == 401


@pytest.mark.mpm
def test_feature_30_failed_sign_ins_are_limited_per_account_and_address(make_site, browse):
    site = page_site(make_site(), MDMSignInLimit="3 10min").start()
    here = browse()
    for _ in range(3):
        assert sign_in(here, site, password="wrong").status == 401
    page = sign_in(here, site)
    assert page.status == 429 and 0 < int(page.headers["Retry-After"]) <= 601
    assert "__Secure-mdm-session" not in here.cookies
    # another address: the account is closed there, too; another account is not
    there = browse(source="127.0.0.2")
    assert sign_in(there, site, user=" Nurse.Joy ").status == 429
    assert sign_in(there, site, user="somebody").status == 401
    # the first address is closed for any account
    assert sign_in(here, site, user="somebody").status == 429


@pytest.mark.mpm
def test_feature_30_many_at_once_do_not_slip_through(make_site, browse):
    site = page_site(make_site(), MDMSignInLimit="4 1d").start()

    def attempt(number):
        return sign_in(browse(source="127.0.0.%d" % (number + 10)), site, password="wrong").status
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        found = sorted(pool.map(attempt, range(12)))
    assert found == [401] * 4 + [429] * 8


@pytest.mark.once
def test_feature_30_a_good_sign_in_clears_the_account_and_time_clears_all(make_site, browse):
    site = page_site(make_site(), MDMSignInLimit="3 3s").start()
    browser = browse()
    for _ in range(2):
        assert sign_in(browser, site, password="wrong").status == 401
    assert sign_in(browser, site).status == 200
    other = browse(source="127.0.0.3")
    for _ in range(3):
        assert sign_in(other, site, password="wrong").status == 401
    page = sign_in(other, site)
    assert page.status == 429
    limit = time.monotonic() + 20
    while sign_in(browse(source="127.0.0.4"), site).status == 429:
        assert time.monotonic() < limit


# row 31: who is let in

@pytest.mark.mpm
def test_feature_31_good_credentials_go_on(running, browse):
    browser = browse()
    page = sign_in(browser, running)
    assert page.status == 200 and page.url == running.at("/mdm/enroll/status")
    assert page.markup.all("a", href="/mdm/enroll/profile")
    assert progress(browser, running) == {"state": "signed-in", "method": "direct", "done": False}
    assert [USER, "", "direct"] in events(running, "enrollment.signed-in")


@pytest.mark.once
def test_feature_31_bad_ones_get_the_same_page_with_401(running, browse):
    mark, browser = running.log.size(), browse()
    page = sign_in(browser, running, password="not-the-pass-word")
    assert page.status == 401
    assert "WWW-Authenticate" not in page.headers
    assert page.markup.all("input", type="password") and page.field("user") == USER
    assert page.field("password") == ""
    assert "__Secure-mdm-session" not in browser.cookies
    assert "not-the-pass-word" not in running.log.text(mark)


@pytest.mark.once
def test_feature_31_what_was_typed_comes_back_as_text_only(running, browse):
    typed = "\"><script>alert(1)</script>&'\u2028"
    page = sign_in(browse(), running, user=typed, password="wrong")
    assert page.status == 401 and page.field("user") == typed
    assert not page.markup.all("script")


@pytest.mark.once
def test_feature_31_nothing_tells_whether_an_account_exists(running, browse):
    def failure(user):
        browser = browse()
        first = browser.open(running.at("/mdm/enroll"))
        start = time.monotonic()
        page = browser.submit(first, user=user, password="wrong")
        return page, time.monotonic() - start, first.field("token")
    one, one_time, one_token = failure(USER)
    two, two_time, two_token = failure("ghost.zoe")
    assert one.status == two.status == 401
    assert (one.body.replace(one_token.encode(), b"T")
            == two.body.replace(b"ghost.zoe", USER.encode()).replace(two_token.encode(), b"T"))
    # a step is a quarter of a second; a busy machine can miss one
    assert abs(one_time - two_time) < 1


@pytest.mark.once
def test_feature_31_what_require_says_of_a_person_is_asked_after_the_password(running, browse):
    browser = browse()
    page = sign_in(browser, running, user="other")
    assert page.status == 403 and "not allowed" in page.text
    assert "__Secure-mdm-session" not in browser.cookies
    assert sign_in(browse(), running, user="other", password="wrong").status == 401


@pytest.mark.once
def test_feature_31_require_all_denied_stays_denied(make_site, browse):
    site = page_site(make_site(), PAGE.replace("Require user nurse.joy", "Require all denied")).start()
    assert browse().open(site.at("/mdm/enroll")).status == 403
    assert not browse().open(site.at("/mdm/enroll")).markup.all("form")


@pytest.mark.once
def test_feature_31_an_address_that_is_not_let_in_gets_no_page(make_site, browse):
    rules = "<RequireAll>\n Require ip 127.0.0.1\n Require valid-user\n </RequireAll>"
    site = page_site(make_site(), PAGE.replace("Require user nurse.joy", rules)).start()
    assert browse(source="127.0.0.9").open(site.at("/mdm/enroll")).status == 403
    assert sign_in(browse(), site, user="other").status == 200


@pytest.mark.once
def test_feature_31_an_unknown_provider_stops_the_configuration(make_site):
    site = page_site(make_site(), PAGE.replace("MDMAuthProvider file", "MDMAuthProvider ldapp"))
    status, text = site.prepare().configtest()
    assert status != 0 and "MDMAuthProvider" in text and "ldapp" in text


@pytest.mark.once
def test_feature_31_without_provider_and_without_apache_it_is_closed(make_site, browse):
    site = page_site(make_site(), '  <Location "/mdm/enroll">\n    SetHandler mdm-enroll\n  </Location>\n').start()
    site.log.expect(r"\[mdm:error\].*MDMAuthProvider")
    page = browse().open(site.at("/mdm/enroll"))
    assert page.status == 403 and not page.markup.all("form")


# terms

def test_terms_must_be_accepted_and_are_remembered(make_site, browse):
    site = make_site()
    page_site(site, MDMTermsFile=site.write("terms.txt", TERMS)).start().upload_push_certificate()
    browser, digest = browse(), hashlib.sha256(TERMS.encode()).hexdigest()
    page = browser.open(site.at("/mdm/enroll"))
    assert "Be <kind> & \"careful\"." in page.text and b"<kind>" not in page.body
    box, = page.markup.all("input", type="checkbox")
    assert box["value"] == digest and "required" in box and "checked" not in box
    for bad in (None, "on", "0" * 64):
        page = browser.submit(page, user=USER, password=PASSWORD, terms=bad)
        assert page.status == 422 and "accept" in page.text
    assert events(site, "terms.accepted") == []
    assert browser.submit(page, user=USER, password=PASSWORD, terms=digest).status == 200
    assert events(site, "terms.accepted") == [[USER, digest, ""]]


@pytest.mark.once
def test_terms_that_are_no_text_stop_the_start(make_site):
    site = make_site()
    site.log.expect(r"cannot start")
    page_site(site, MDMTermsFile=site.path("missing.txt")).prepare()
    status, text = site.configtest()
    assert status != 0 and "MDMTermsFile" in text and "missing.txt" in text


# sessions

def test_each_sign_in_has_a_cookie_of_its_own(running, browse):
    browser = browse()
    sign_in(browser, running)
    first = browser.cookies["__Secure-mdm-session"][0]
    sign_in(browser, running)
    assert browser.cookies["__Secure-mdm-session"][0] != first
    # a cookie that somebody else put there is not taken over
    browser.cookies["__Secure-mdm-session"] = ("A" * 43, {"path": "/mdm/enroll"})
    sign_in(browser, running)
    assert browser.cookies["__Secure-mdm-session"][0] != "A" * 43
    assert first not in str(running.database.sql("SELECT * FROM mdm_session"))


def test_without_the_cookie_there_is_neither_profile_nor_progress(running, browse):
    mine = browse()
    sign_in(mine, running)
    for cookie in ("", "__Secure-mdm-session=", "__Secure-mdm-session=" + "A" * 43, "__Secure-mdm-session=x' OR 1"):
        for path in ("/mdm/enroll/status", "/mdm/enroll/profile"):
            page = browse().open(running.at(path), Cookie=cookie)
            assert page.status == 403 and PROFILE not in page.type
            assert USER not in page.text


def test_an_expired_session_is_over(running, browse):
    browser = browse()
    sign_in(browser, running)
    digest = hashlib.sha256(browser.cookies["__Secure-mdm-session"][0].encode()).hexdigest()
    running.database.sql("UPDATE mdm_session SET expires_at = 1 WHERE sha256 = '%s'" % digest)
    assert browser.open(running.at("/mdm/enroll/status")).status == 403


@pytest.mark.once
def test_there_are_no_other_pages(running, browse):
    for path in ("/mdm/enroll/x", "/mdm/enroll/profile/x", "/mdm/enroll/i/", "/mdm/enroll/i/a/b"):
        assert browse().open(running.at(path)).status == 404


# the whole way

def get_profile(browser, site):
    page = browser.open(site.at("/mdm/enroll/profile"))
    assert page.status == 200 and page.type == PROFILE, page
    return profile.Profile(page.body, site.ca_file)


@pytest.mark.mpm
@pytest.mark.smoke
def test_feature_42_the_page_turns_to_done_by_the_devices_own_word_in_this_browser_only(running, browse, new_device):
    browser, phone = browse(), new_device(running)
    other = browse()
    sign_in(browser, running)
    sign_in(other, running)
    found = get_profile(browser, running)
    assert progress(browser, running)["state"] == "offered"
    phone.new_token()
    phone.install_certificates(found)
    phone.scep_enrol(found.scep, key=running.keys.take())
    assert progress(browser, running)["state"] == "identified"
    phone.authenticate()
    page = browser.open(running.at("/mdm/enroll/status"))
    assert progress(browser, running)["state"] == "identified"
    assert page.markup.all("meta", **{"http-equiv": "refresh"})
    phone.token_update()
    assert progress(browser, running) == {"state": "done", "method": "direct", "done": True}
    page = browser.open(running.at("/mdm/enroll/status"))
    assert "enrolled" in page.text and not page.markup.all("meta", **{"http-equiv": "refresh"})
    assert progress(other, running)["state"] == "signed-in"
    assert browse().open(running.at("/mdm/enroll/status")).status == 403
    shown = running.show(phone.id)
    assert shown["state"] == "enrolled" and shown["user"] == USER


def test_a_sign_in_is_good_for_one_device(running, browse, new_device):
    browser, first, second = browse(), new_device(running), new_device(running)
    sign_in(browser, running)
    one, two = get_profile(browser, running), get_profile(browser, running)
    assert one.scep["Challenge"] != two.scep["Challenge"]
    first.new_token()
    first.install(one, key=running.keys.take())
    assert browser.open(running.at("/mdm/enroll/profile")).status == 403
    second.install_certificates(two)
    second.scep_enrol(two.scep, key=running.keys.take())
    assert second.authenticate(check=False).status == 403
    assert running.show(second.id) is None
    assert progress(browser, running)["state"] == "done"


# Apache's own sign-in in front

BASIC = PAGE.replace("MDMAuthProvider file", 'AuthType Basic\n    AuthName "Example Hospital"\n'
                     "    AuthBasicProvider file").replace("Require user nurse.joy", "Require valid-user")


@pytest.mark.once
def test_apaches_own_sign_in_goes_before_the_page(make_site, browse):
    site = page_site(make_site(), BASIC).start()
    site.upload_push_certificate()
    browser = browse()
    basic = {"Authorization": "Basic " + base64.b64encode(("%s:%s" % (USER, PASSWORD)).encode()).decode()}
    assert browser.open(site.at("/mdm/enroll")).status == 401
    page = browser.open(site.at("/mdm/enroll"), **basic)
    assert page.status == 200 and USER in page.text and not page.markup.all("input", type="password")
    page = browser.submit(page, headers=basic, redirects=0)
    assert page.status == 303
    assert browser.open(site.at("/mdm/enroll/status"), **basic).status == 200
    assert browser.open(site.at("/mdm/enroll/profile"), **basic).type == PROFILE
    # scripts and Configurator go the short way
    for headers in ({"Accept": PROFILE}, {"User-Agent": "curl/8.0"}):
        assert browser.open(site.at("/mdm/enroll"), **basic, **headers).type == PROFILE
    assert browser.open(site.at("/mdm/enroll?profile"), **basic).type == PROFILE
