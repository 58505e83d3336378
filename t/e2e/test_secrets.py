# SPDX-License-Identifier: Apache-2.0
"""Secrets stay where they belong: not in the logs (at the loudest level), not readable in the database."""

import base64
import glob
import hashlib
import json
import plistlib
import re
import urllib.parse

import pytest
from mdmsim import ota, pki, profile, scep

from . import devices, overtheair
from .browser import Browser
from .httpd import wait_until
from .keys import TOPIC
from .site import API_KEY, LOCATIONS, PASSWORD, USER, Site

PAGE = """\
  <Location "/mdm/enroll">
    SetHandler mdm-enroll
    MDMAuthProvider file
    AuthUserFile "%(folder)s/htpasswd"
    Require user nurse.joy
  </Location>
""" + LOCATIONS[LOCATIONS.index('  <Location "/mdm/scep">'):]


def everything_once(site, phone):
    """One of everything that carries a secret; returns the secrets as texts."""
    command_uuid, body = devices.command("InstallProfile", Payload=b"wifi-passphrase-CANARY1")
    site.enqueue(phone.id, body)
    phone.connect()
    other_uuid, body = devices.command("ClearPasscode", UnlockToken=phone.unlock_token)
    site.enqueue(phone.id, body)
    phone.script("ClearPasscode", {"Status": "Acknowledged", "Recovery": "result-CANARY2"}, 1)
    phone.connect()
    phone.token_update()
    challenge = site.challenge()
    key = site.keys.push_pem.decode().split("PRIVATE KEY-----")[1].split("-----")[0].split()[11]
    return {"profile payload": base64.b64encode(b"wifi-passphrase-CANARY1").decode(), "result": "result-CANARY2",
            "push magic": phone.push_magic, "push token": phone.token.hex(),
            "push token (base64)": base64.b64encode(phone.token).decode(),
            "unlock token": base64.b64encode(phone.unlock_token).decode()[:40],
            "challenge": challenge, "scep challenge of the profile": phone.profile.scep["Challenge"],
            "push key": key, "api key": API_KEY, "password": PASSWORD}


def dump_of(database):
    if database.kind == "sqlite3":
        return b"".join(open(name, "rb").read() for name in glob.glob(database.folder + "/*"))
    tables = [row[0] for row in database.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return "".join(str(database.sql("SELECT * FROM " + one)) for one in tables).encode()


def nowhere_in_the_database(site, secrets, known):
    dump = dump_of(site.database)
    assert known.encode() in dump, "the dump is one"
    for what, secret in secrets.items():
        assert secret.encode() not in dump, what


def nowhere_in_the_logs(site, secrets):
    text = "".join(open(name, errors="replace").read() for name in glob.glob(site.path("*.log")))
    assert "/mdm/" in text and "[mdm:" in text, "these are logs"
    for what, secret in secrets.items():
        for form in {secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret)}:
            assert form not in text, what


@pytest.fixture(scope="module")
def loud(keys, apns, variant, make_database):
    """A site with a sign-in page that enrolls over the air, and says all that it can say."""
    site = Site(keys, make_database(variant[1]), apns, variant[0],
                loglevel="mdm:trace8 dbd:trace8 authn_file:trace8 authz_core:trace8 ssl:info")
    site.locations, site.topic = PAGE, TOPIC
    site.own["MDMDeviceCAFile"] = overtheair.maker().write(site.path("device-ca.pem"))
    site.start().upload_push_certificate()
    yield site
    site.close()


def over_the_air(site, phone):
    """From an invitation over the page to an enrolled device; returns the secrets of the way."""
    reply = site.api("POST", "/v1/invitations", json.dumps({"uses": 2}).encode())
    url = reply.json["url"]
    browser, secrets = Browser(site.keys.tls_ca_file), {"token": url.rsplit("/", 1)[1]}
    page = browser.open(url, Referer=url)
    wrong = browser.submit(page, {"Referer": url}, user=USER, password="wr0ng-CANARY9")
    assert wrong.status in (401, 403), wrong
    page = browser.submit(browser.open(url), {"Referer": url}, user=USER, password=PASSWORD)
    assert page.status == 200, page
    secrets.update(("cookie " + name, value) for name, (value, _) in browser.cookies.items())
    page = browser.open(site.at("/mdm/enroll/profile"), Referer=url)
    started = ota.OverTheAir(phone, overtheair.maker().device(phone.udid))
    started.begin(page.body)
    secrets.update({"wrong password": "wr0ng-CANARY9", "password": PASSWORD, "challenge 2": started.challenge})
    started.describe()
    started.identify(key=site.keys.take())
    started.fetch_final()
    started.install(key=site.keys.take())
    for what, found in (("phase 2", started), ("phone", phone)):
        payload = getattr(getattr(found, "profile", None), "scep", None)
        if payload:
            secrets["scep challenge, " + what] = payload["Challenge"]
    site.api("DELETE", "/v1/invitations/" + reply.json["id"])
    assert browser.open(url).status == 410
    assert browser.open(url[:-1] + ("A" if url[-1] != "A" else "B")).status == 404
    return secrets


def by_get(site):
    """SCEP by GET, once well and once with a challenge that is used up."""
    challenge = site.challenge()
    client = scep.ScepClient(site.at("/mdm/scep"), ca_file=site.keys.tls_ca_file)
    seen = []
    for _ in range(2):
        result = client.enrol(subject="CN=by-get", challenge=challenge, key=site.keys.take(), method="GET")
        seen.append(result.ok)
        secret = base64.b64encode(result.message.raw).decode()[200:280]
    assert seen == [True, False]
    return {"challenge by GET": challenge, "message": secret}


def test_no_secret_of_an_enrollment_is_in_the_logs_or_the_database(loud, new_device):
    phone = new_device(loud)
    secrets = {"api key": API_KEY, "push magic": phone.push_magic or "-none-", "push token": phone.token.hex(),
               "unlock token": base64.b64encode(phone.unlock_token).decode()[:40],
               **over_the_air(loud, phone), **by_get(loud)}
    secrets.update({"push magic": phone.push_magic, "push token, later": phone.token.hex()})
    secrets["device key"] = pki.pem(phone.key).splitlines()[3] if getattr(phone, "key", None) else "-none-"
    nowhere_in_the_logs(loud, secrets)
    nowhere_in_the_database(loud, secrets, phone.udid)


def test_a_request_that_waits_is_sealed_with_its_challenge(make_site):
    site = make_site(directives={"MDMSCEPApproval": "manual"}).start()
    challenge = site.challenge()
    client = scep.ScepClient(site.at("/mdm/scep"), ca_file=site.keys.tls_ca_file)
    result = client.enrol(subject="CN=waiting", challenge=challenge, key=site.keys.take())
    assert not result.ok
    (csr, digest), = site.database.sql("SELECT csr, challenge FROM mdm_request")
    assert "BEGIN" not in csr and "BEGIN CERTIFICATE REQUEST" not in dump_of(site.database).decode("latin-1")
    assert digest == hashlib.sha256(challenge.encode()).hexdigest()
    secrets = {"challenge": challenge, "in base64": base64.b64encode(challenge.encode()).decode()[4:40]}
    nowhere_in_the_database(site, secrets, digest)
    nowhere_in_the_logs(site, secrets)


def test_the_request_line_keeps_what_is_no_secret(loud):
    token = "A" * 22
    for path in ("/mdm/enroll/i/" + token, "/mdm/enroll/i/" + token + "x", "/mdm/scep?operation=GetCACert&message=CA",
                 "/mdm/scep?message=QUJDRA%3D%3D&operation=Nothing&x=1"):
        loud.http.get(loud.at(path))
    wanted = {"GET /mdm/enroll/i/... HTTP/1.1", "GET /mdm/enroll/i/" + token + "x HTTP/1.1",
              "GET /mdm/scep?operation=GetCACert&message=CA HTTP/1.1",
              "GET /mdm/scep?message=...&operation=Nothing&x=1 HTTP/1.1"}

    def lines():
        with open(loud.path("access.log")) as log:
            return {line.split('"')[1] for line in log if line.endswith("\n")}
    wait_until(lambda: wanted <= lines(), what="the access log")
    assert not any(token + " " in line or "QUJDRA" in line for line in lines())


def test_a_request_that_httpd_refuses_shows_no_token_either(make_site):
    """Its headers are too long: it is logged before a module has seen it."""
    site = make_site(directives={"LimitRequestFieldSize": "8190"}).start()
    token = "T" * 22
    reply = site.http.get(site.at("/mdm/enroll/i/" + token), {"Referer": site.at("/mdm/enroll/i/" + token),
                                                              "Cookie": "a=" + "x" * 9000})
    assert reply.status == 400

    def line():
        with open(site.path("access.log")) as log:
            return log.read()
    wait_until(lambda: '" 400 ' in line(), what="the access log")
    assert "GET /mdm/enroll/i/..." in line() and token not in line()


def test_no_secret_is_in_the_logs_at_trace8(site, phone):
    secrets = everything_once(site, phone)
    phone.put(phone.server_url, plistlib.dumps({**phone.identifiers(), "Status": "x", "P": "body-CANARY3"}))
    text = site.log.text() + open(site.path("access.log")).read()
    for what, secret in {**secrets, "body": "body-CANARY3"}.items():
        assert secret not in text, what
    assert "Authorization" not in text


def test_no_secret_is_readable_in_the_database(site, phone):
    secrets = everything_once(site, phone)
    nowhere_in_the_database(site, secrets, phone.udid)


def test_log_lines_cannot_be_forged_by_a_device(site, phone):
    mark = site.log.size()
    for text in ("X\n[mdm:error] forged line\r", "X &#13;&#10;[mdm:error] forged line", "&#27;[31mX"):
        for url, name in ((phone.server_url, "CommandUUID"), (phone.checkin_url, "MessageType"),
                          (phone.server_url, "UDID")):
            keys = {"Status": "Acknowledged", "UDID": phone.udid, name: "EVIL"}
            phone.put(url, plistlib.dumps(keys).replace(b"EVIL", text.encode()))
    text = site.log.text(mark)
    assert not re.search(r"^\[mdm:error\]", text, re.M)
    assert "\x1b" not in text
