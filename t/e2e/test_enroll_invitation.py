# SPDX-License-Identifier: Apache-2.0
"""What an invitation opens: for whom, how often, for which device, and what is said when it is over."""

import hashlib
import json

import pytest
from mdmsim import profile

from . import devices
from . import keys as keyring
from .browser import WINDOWS, Browser
from .site import PASSWORD, USER, Site
from .test_enroll_page import OTHERS, PAGE, page_site

PLAIN = '  <Location "/mdm/enroll">\n    SetHandler mdm-enroll\n  </Location>\n'
EVERYBODY = PAGE.replace("Require user nurse.joy", "Require valid-user")


def started(keys, apns, variant, make_database, location):
    site = page_site(Site(keys, make_database(variant[1]), apns, variant[0]), location)
    site.topic = keyring.TOPIC
    site.start().upload_push_certificate()
    return site


@pytest.fixture(scope="module")
def with_page(keys, apns, variant, make_database):
    """A site with a sign-in page."""
    site = started(keys, apns, variant, make_database, EVERYBODY)
    yield site
    site.close()


@pytest.fixture(scope="module")
def without_page(keys, apns, variant, make_database):
    """A site where only an invitation says who somebody is."""
    site = started(keys, apns, variant, make_database, PLAIN)
    yield site
    site.close()


@pytest.fixture
def browse(keys):
    return lambda **options: Browser(keys.tls_ca_file, **options)


def invite(site, **wanted):
    reply = site.api("POST", "/v1/invitations", json.dumps(wanted).encode(), {"Content-Type": "application/json"})
    assert reply.status in (200, 201), reply.text
    assert reply.json["url"].startswith(site.at("/mdm/enroll/i/"))
    return reply.json


def get_profile(browser, site):
    page = browser.open(site.at("/mdm/enroll/profile"))
    assert page.status == 200, page
    return profile.Profile(page.body, site.ca_file)


@pytest.mark.mpm
def test_feature_29_a_link_works_once_and_is_over_then(with_page, browse):
    url, browser = invite(with_page, uses=1)["url"], browse()
    page = browser.open(url)
    assert page.status == 200 and page.markup.all("input", type="password")
    assert browser.open(url).status == 200                  # looking takes no use
    page = browser.submit(page, user=USER, password=PASSWORD)
    assert page.status == 200 and page.url == with_page.at("/mdm/enroll/status")
    other = browse().open(url)
    assert other.status == 410 and "ask for a new one" in other.text
    assert not other.markup.all("form") and not other.markup.all("a")
    # who has used it finds the way on
    again = browser.open(url)
    assert again.status == 410
    assert again.markup.all("a", href="/mdm/enroll/status")


def fail_commits(site, table):
    """What inserts into the table fails when it is committed; undone by the SQL that is returned."""
    site.database.sql("CREATE TABLE no_parent (id INTEGER PRIMARY KEY)")
    site.database.sql("CREATE TABLE no_child (id INTEGER REFERENCES no_parent (id) DEFERRABLE INITIALLY DEFERRED)")
    if site.database.kind == "pgsql":
        site.database.sql("CREATE RULE uncommitted AS ON INSERT TO %s DO ALSO INSERT INTO no_child VALUES (1)" % table)
        return "DROP RULE uncommitted ON " + table
    site.database.sql("CREATE TRIGGER uncommitted AFTER INSERT ON %s BEGIN INSERT INTO no_child VALUES (1); END" % table)
    return "DROP TRIGGER uncommitted"


def test_feature_29_who_did_not_learn_that_the_link_was_used_goes_on_with_it(with_page, browse):
    site, browser = with_page, browse()
    made, other = invite(site, uses=2), browse()
    assert other.submit(other.open(made["url"]), user=USER, password=PASSWORD).status == 200
    page = browser.open(made["url"])
    site.log.expect("cannot commit")
    undo = fail_commits(site, "mdm_session")
    try:
        assert browser.submit(page, user=USER, password=PASSWORD).status == 503
    finally:
        for statement in (undo, "DROP TABLE no_child", "DROP TABLE no_parent"):
            site.database.sql(statement)
    # as if only the answer had been lost: what the other one has stored is what this one did
    cookie = browser.cookies["__Secure-mdm-session"][0]
    site.database.sql("UPDATE mdm_session SET sha256 = '%s' WHERE invitation = %s"
                      % (hashlib.sha256(cookie.encode()).hexdigest(), made["id"]))
    site.database.sql("UPDATE mdm_invitation SET uses_left = 0 WHERE id = %s" % made["id"])
    again = browser.open(made["url"])
    assert again.status == 410 and again.markup.all("a", href="/mdm/enroll/status")


def test_feature_29_wrong_passwords_take_no_use(with_page, browse):
    url = invite(with_page, uses=1)["url"]
    assert browse().submit(browse().open(url), user=USER, password=PASSWORD).status == 403
    browser = browse()
    page = browser.submit(browser.open(url), user=USER, password="wrong")
    assert page.status == 401 and page.markup.all("form", action=page.url[len(with_page.url):])
    assert browser.submit(page, user=USER, password=PASSWORD).status == 200


@pytest.mark.parametrize("change", ["expires_at = 1", "revoked_at = 1", "uses_left = 0"])
def test_feature_29_one_that_is_over_says_so(with_page, browse, change):
    made, browser = invite(with_page), browse()
    page = browser.open(made["url"])
    with_page.database.sql("UPDATE mdm_invitation SET %s WHERE id = %s" % (change, made["id"]))
    assert browser.open(made["url"]).status == 410
    assert browser.submit(page, user=USER, password=PASSWORD).status == 410
    assert "__Secure-mdm-session" not in browser.cookies


def test_feature_29_its_address_is_not_in_the_error_log(with_page, browse):
    url, mark = invite(with_page, uses=1)["url"], with_page.log.size()
    browser = browse()
    page = browser.submit(browser.open(url), user=USER, password="wrong")
    browser.submit(page, user=USER, password=PASSWORD)
    assert browser.open(url).status == 410
    with_page.log.wait("MDM0110.*/i/", mark)
    assert url.rsplit("/", 1)[1] not in with_page.log.text(mark)


def test_feature_29_unknown_ones_are_not_found(with_page, browse):
    for token in ("x", "A" * 22, "..%2f", "%27"):
        page = browse().open(with_page.at("/mdm/enroll/i/" + token))
        assert page.status == 404, token
    page = browse(agent=WINDOWS).open(invite(with_page)["url"])
    assert page.status == 200 and "on the device" in page.text


def test_feature_29_one_for_a_person_lets_only_that_person_in(with_page, browse):
    url, browser = invite(with_page, user="other", uses=2)["url"], browse()
    page = browser.open(url)
    assert page.field("user") == "other"
    assert "readonly" in page.markup.all("input", name="user")[0]
    assert browser.submit(page, user=USER, password=PASSWORD).status == 403
    assert "__Secure-mdm-session" not in browser.cookies
    assert browser.submit(page, password=PASSWORD).status == 200


@pytest.mark.mpm
def test_feature_29_where_nobody_signs_in_the_invited_person_is_known(without_page, browse, new_device):
    site, browser, phone = without_page, browse(), new_device(without_page)
    page = browser.open(invite(site, user="nurse.joy", uses=1)["url"])
    assert page.status == 200 and "nurse.joy" in page.text
    assert not page.markup.all("input", type="password")
    assert browser.submit(page).url == site.at("/mdm/enroll/status")
    phone.new_token()
    phone.install(get_profile(browser, site), key=site.keys.take())
    assert site.show(phone.id)["user"] == "nurse.joy"
    assert "All done" in browser.open(site.at("/mdm/enroll/status")).text


def test_feature_29_an_invitation_for_nobody_opens_no_closed_door(without_page, browse):
    mark = without_page.log.size()
    without_page.log.expect(r"\[mdm:error\].*MDMAuthProvider")
    page = browse().open(invite(without_page)["url"])
    assert page.status == 403 and not page.markup.all("form")
    without_page.log.wait("MDM0140", mark)


def test_feature_29_one_for_a_device_enrolls_no_other(without_page, browse, new_device):
    site, browser = without_page, browse()
    right, wrong = new_device(site), new_device(site)
    page = browser.open(invite(site, user=USER, serial_number=right.serial, uses=2)["url"])
    browser.submit(page)
    found = get_profile(browser, site)
    wrong.install_certificates(found)
    wrong.scep_enrol(found.scep, key=site.keys.take())
    assert wrong.authenticate(check=False).status == 403
    assert site.show(wrong.id) is None
    browser.submit(page)
    right.new_token()
    right.install(get_profile(browser, site), key=site.keys.take())
    assert site.show(right.id)["state"] == "enrolled"


def test_t3_an_invitation_for_its_serial_number_lets_a_person_have_what_was_enrolled_for_nobody(without_page, browse,
                                                                                                new_device):
    site, kiosk = without_page, new_device(without_page)
    devices.identity(site, kiosk, site.challenge("--subject", kiosk.udid))
    kiosk.authenticate()
    kiosk.token_update()
    for serial, status in (("C0ANOTHER", 403), (kiosk.serial, 200)):
        same = new_device(site, udid=kiosk.udid, serial=serial)
        browser = browse()
        browser.submit(browser.open(invite(site, user=USER, serial_number=serial)["url"]))
        found = get_profile(browser, site)
        same.install_certificates(found)
        same.scep_enrol(found.scep, key=site.keys.take())
        assert same.authenticate(check=False).status == status, serial
    same.token_update()
    assert site.show(kiosk.id)["user"] == USER and kiosk.idle().status == 403
