# SPDX-License-Identifier: Apache-2.0
"""What works once works once, however many ask at the same time, and of however many servers on one database."""

import concurrent.futures
import json
import re

import pytest
from mdmsim import ota, web

from . import overtheair
from .browser import Browser
from .keys import TOPIC
from .site import LOCATIONS, PASSWORD, USER, Site

AT_ONCE = 20
PAGE = """\
  <Location "/mdm/enroll">
    SetHandler mdm-enroll
    MDMAuthProvider file
    AuthUserFile "%(folder)s/htpasswd"
    Require user nurse.joy
  </Location>
""" + LOCATIONS[LOCATIONS.index('  <Location "/mdm/scep">'):]


@pytest.fixture(scope="module")
def twins(keys, apns, variant, make_database):
    """Two servers on one database, of one CA."""
    database, made = make_database(variant[1]), []
    for _ in range(2):
        site = Site(keys, database, apns, variant[0])
        site.locations, site.topic = PAGE, TOPIC
        site.own.update({"MDMDeviceCAFile": overtheair.maker().write(site.path("device-ca.pem")),
                         "MDMSignInLimit": "1000 15min"})
        made.append(site.start())
    made[0].upload_push_certificate()
    yield made
    for site in made:
        site.close()


def all_at_once(work, items):
    with concurrent.futures.ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(work, items))


@pytest.mark.mpm
def test_one_use_of_an_invitation_lets_one_of_twenty_in(twins):
    made = twins[0].api("POST", "/v1/invitations", json.dumps({"uses": 1}).encode()).json
    path = made["url"][len(twins[0].url):]
    pages = []
    for i in range(AT_ONCE):
        browser = Browser(twins[0].keys.tls_ca_file)
        page = browser.open(twins[i % 2].at(path))
        assert page.status == 200, page
        pages.append((browser, page))
    found = all_at_once(lambda one: one[0].submit(one[1], user=USER, password=PASSWORD), pages)
    assert sorted(page.status for page in found) == [200] + [410] * (AT_ONCE - 1)
    assert twins[1].api("GET", "/v1/invitations/" + made["id"]).json["state"] == "used up"
    sessions = twins[0].database.sql("SELECT COUNT(*) FROM mdm_session WHERE invitation = %s" % made["id"])
    assert int(sessions[0][0]) == 1


def test_one_answer_of_a_device_counts_of_twenty(twins, new_device):
    phone = new_device(twins[0])
    browser = Browser(twins[0].keys.tls_ca_file)
    assert browser.submit(browser.open(twins[0].at("/mdm/enroll")), user=USER, password=PASSWORD).status == 200
    started = ota.OverTheAir(phone, overtheair.maker().device(phone.udid))
    started.begin(browser.open(twins[0].at("/mdm/enroll/profile")).body)
    raw = started.phase2()

    def post(site):
        http = web.Client(site.keys.tls_ca_file, redirects=0)
        try:
            return http.post(site.at(started.url[len(twins[0].url):]), raw)
        finally:
            http.close()
    replies = all_at_once(post, [twins[i % 2] for i in range(AT_ONCE)])
    assert sorted(one.status for one in replies) == [200] + [403] * (AT_ONCE - 1)


@pytest.mark.mpm
def test_one_of_twenty_requests_gets_a_certificate_for_a_challenge(twins, new_device):
    challenge, name = twins[0].challenge(), "CN=race"
    clients = [new_device(twins[i % 2]).scep_client({"URL": twins[i % 2].at("/mdm/scep")}) for i in range(AT_ONCE)]
    keys = [twins[0].keys.take() for _ in clients]
    results = all_at_once(lambda one: one[0].enrol(subject=name, challenge=challenge, key=one[1]),
                          list(zip(clients, keys)))
    assert sorted(one.ok for one in results) == [False] * (AT_ONCE - 1) + [True]
    rows = twins[0].database.sql("SELECT serial FROM mdm_certificate WHERE subject LIKE '%CN=race%'")
    assert len(rows) == 1


def test_a_challenge_of_one_kind_pays_for_no_other(twins, new_device):
    site, phone = twins[0], new_device(twins[0])
    browser = Browser(site.keys.tls_ca_file)
    browser.submit(browser.open(site.at("/mdm/enroll")), user=USER, password=PASSWORD)
    started = ota.OverTheAir(phone, overtheair.maker().device(phone.udid))
    started.begin(browser.open(site.at("/mdm/enroll/profile")).body)
    client = phone.scep_client({"URL": site.at("/mdm/scep")})
    assert not client.enrol(subject="CN=other", challenge=started.challenge, key=site.keys.take()).ok
    assert started.post(started.phase2({"CHALLENGE": site.challenge()})).status == 403
    assert started.post(started.phase2()).status == 200, "neither attempt has used it up"


def test_ended_challenges_are_forgotten_after_a_day(twins):
    site = twins[0]
    day = 24 * 3600 * 1000000
    now = int(site.database.sql("SELECT MAX(created_at) FROM mdm_challenge")[0][0])
    columns = "(sha256, kind, created_at, expires_at, used_at)"
    for name, end in (("old", now - day - 10000000), ("recent", now - day // 2)):
        site.database.sql("INSERT INTO mdm_challenge %s VALUES ('%s', 'scep', 1, %d, 0)" % (columns, name, end))

    def present():
        return {row[0] for row in site.database.sql("SELECT sha256 FROM mdm_challenge")}
    for _ in range(20):
        # one in sixteen who make a challenge cleans up
        for _ in range(16):
            assert re.fullmatch("[0-9a-f]{40}", site.challenge())
        if "old" not in present():
            break
    assert "old" not in present() and "recent" in present()
