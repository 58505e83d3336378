# SPDX-License-Identifier: Apache-2.0
"""Over-the-air enrollment around its good way: sites that configure without managing, the sign-in page,
invitations, two at once, a device that looks at its server's certificate, and messages meant to harm."""

import concurrent.futures
import json
import os
import plistlib
import random
import ssl
import subprocess
import time

import pytest
from mdmsim import cms, der, ota, pki, web

from . import devices, overtheair
from .browser import Browser
from .httpd import free_port
from .keys import TOPIC
from .site import LOCATIONS, PASSWORD, USER, Site

SECRET = "bandage-7f3c9e12"
PAGE = """\
  <Location "/mdm/enroll">
    SetHandler mdm-enroll
    MDMAuthProvider file
    AuthUserFile "%(folder)s/htpasswd"
    Require user nurse.joy
  </Location>
"""
PLAIN = """\
Listen 127.0.0.1:%d
<VirtualHost 127.0.0.1:%d>
  ServerName 127.0.0.1
%s
  MDMEngine on
  MDMStateDir "%s"
  MDMServerURL https://127.0.0.1
  <Location "/mdm/enroll/device">
    SetHandler mdm-enroll
  </Location>
</VirtualHost>
"""


@pytest.fixture(scope="module")
def managed(keys, apns, variant, make_database):
    """A site whose own page signs in; it needs no opening for devices."""
    site = Site(keys, make_database(variant[1]), apns, variant[0])
    site.locations = PAGE + LOCATIONS[LOCATIONS.index('  <Location "/mdm/scep">'):]
    site.own["MDMDeviceCAFile"] = overtheair.maker().write(site.path("device-ca.pem"))
    site.topic = TOPIC
    site.start().upload_push_certificate()
    yield site
    site.close()


@pytest.fixture
def browser(keys):
    return Browser(keys.tls_ca_file)


def sign_in(browser, site, path="/mdm/enroll"):
    page = browser.submit(browser.open(site.at(path)), user=USER, password=PASSWORD)
    assert page.status == 200, page
    return page


def begin(browser, site, phone, path="/mdm/enroll"):
    """Sign in on the page and download the first profile."""
    sign_in(browser, site, path)
    return again(browser, site, phone)


def again(browser, site, phone):
    page = browser.open(site.at("/mdm/enroll/profile"))
    assert page.status == 200, page
    started = ota.OverTheAir(phone, overtheair.maker().device(phone.udid))
    started.begin(page.body)
    return started


def progress(browser, site):
    return json.loads(browser.open(site.at("/mdm/enroll/status"), Accept="application/json").body)


def state(browser, site):
    found = progress(browser, site)
    assert found["method"] == "profile-service"
    assert found["done"] == (found["state"] == "done")
    return found["state"]


# the page of the person

@pytest.mark.mpm
def test_the_page_follows_the_device_to_the_end(managed, browser, new_device):
    phone = new_device(managed)
    sign_in(browser, managed)
    assert state(browser, managed) == "signed-in"
    started = again(browser, managed, phone)
    assert state(browser, managed) == "offered"
    started.describe()
    assert state(browser, managed) == "described"
    started.identify(key=managed.keys.take())
    assert state(browser, managed) == "identified"
    started.fetch_final()
    assert state(browser, managed) == "delivered"
    started.install(key=managed.keys.take())
    assert state(browser, managed) == "done"
    assert managed.show(phone.id)["state"] == "enrolled"


def test_the_person_can_download_again_until_a_device_has_answered(managed, browser, new_device):
    phone = new_device(managed)
    first = begin(browser, managed, phone)
    second = again(browser, managed, phone)
    assert first.challenge != second.challenge
    second.describe()
    assert browser.open(managed.at("/mdm/enroll/profile")).status == 403
    assert first.post(first.phase2()).status == 403


def test_an_invitation_for_one_device_is_for_no_other(managed, browser, new_device):
    wanted, other = new_device(managed), new_device(managed)
    reply = managed.api("POST", "/v1/invitations", json.dumps({"serial_number": wanted.serial}).encode())
    assert reply.status in (200, 201), reply.text
    path = "/mdm/enroll/i/" + reply.json["url"].rsplit("/", 1)[1]
    wrong = begin(browser, managed, other, path)
    refused = wrong.post(wrong.phase2())
    assert refused.status == 403
    assert "another device" in refused.text
    kept = managed.database.sql("SELECT actor, object, detail FROM mdm_event WHERE enrollment_id = '%s' "
                                "AND kind = 'enrollment.refused'" % other.udid)
    assert kept == [[USER, other.serial, "the invitation is for another device"]]
    assert wrong.post(wrong.phase2()).status == 403
    right = again(browser, managed, wanted)
    right.describe()
    right.identify(key=managed.keys.take())
    right.fetch_final()
    right.install(key=managed.keys.take())
    assert managed.show(wanted.id)["state"] == "enrolled"
    assert managed.show(other.id) is None


def test_two_answers_at_once_count_once(managed, browser, new_device):
    phone = new_device(managed)
    started = begin(browser, managed, phone)

    def race(raw, count=8):
        def post(_):
            with_own = web.Client(managed.keys.tls_ca_file, redirects=0)
            try:
                return with_own.post(started.url, raw)
            finally:
                with_own.close()
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return list(pool.map(post, range(count)))
    replies = race(started.phase2())
    assert sorted(one.status for one in replies) == [200] + [403] * 7
    started.scep = started._profile("phase 2", next(one for one in replies if one.status == 200))
    started.identify(key=managed.keys.take())
    replies = race(started.phase3())
    assert sorted(one.status for one in replies) == [200] + [301] * 7


# without management

@pytest.fixture(scope="module")
def unmanaged(keys, apns, variant, make_database):
    """A site that configures Wi-Fi and manages nothing."""
    site = overtheair.prepare(Site(keys, make_database(variant[1]), apns, variant[0]))
    site.topic = TOPIC
    site.own["MDMConfigurationProfileFile"] = site.write("wifi.mobileconfig", overtheair.WIFI % SECRET)
    site.start()
    yield site
    site.close()


@pytest.mark.mpm
def test_feature_43_without_mdm_the_device_is_unmanaged(unmanaged, new_device, apns):
    site, phone = unmanaged, new_device(unmanaged)
    done = overtheair.enroll(site, phone)
    wifi, = [one for one in done.final.payloads if one["PayloadType"] == "com.apple.wifi.managed"]
    assert wifi["Password"] == SECRET
    assert SECRET.encode() not in done.final.content
    assert done.final.mdm is None
    shown = site.show(phone.udid)
    assert (shown["state"], shown["user"], shown["serial_number"]) == ("unmanaged", USER, phone.serial)
    assert "/mdm/enroll" in shown["hint"]
    assert shown["device_facts"]["imei"] == phone.imei
    page = site.http.get(site.at("/mdm-status?id=" + phone.udid)).text
    assert "unmanaged" in page and "enroll again" in page and site.at("/mdm/enroll") in page
    listed = site.api("GET", "/v1/enrollments?limit=1000").json["enrollments"]
    assert [one["state"] for one in listed if one["enrollment_id"] == phone.udid] == ["unmanaged"]
    assert SECRET not in site.log.text()


def test_feature_43_nothing_can_be_sent_to_it(unmanaged, new_device, apns):
    site, phone = unmanaged, new_device(unmanaged)
    overtheair.enroll(site, phone)
    uuid, body = devices.command("DeviceLock")
    assert site.enqueue(phone.udid, body).status >= 400
    assert site.queue_uuids(phone.udid) == []
    assert site.show_command(uuid) is None
    assert site.api("GET", "/v1/push/" + phone.udid).status >= 400
    phone.topic = TOPIC
    assert phone.idle().status == 403
    assert phone.token_update(check=False).status == 403


def test_feature_43_new_settings_come_with_a_new_enrollment(unmanaged, new_device):
    site, phone = unmanaged, new_device(unmanaged)
    overtheair.enroll(site, phone)
    first = phone.certificate
    overtheair.enroll(site, phone, user="other")
    shown = site.show(phone.udid)
    assert (shown["state"], shown["user"]) == ("unmanaged", "other")
    kept = site.database.sql("SELECT replaced_by FROM mdm_certificate WHERE serial = '%032x'"
                             % first.serial_number)
    assert kept[0][0]


def test_feature_43_managing_it_later_takes_it_over(unmanaged, new_device):
    site, phone = unmanaged, new_device(unmanaged)
    overtheair.enroll(site, phone)
    devices.identity(site, phone)
    phone.authenticate()
    phone.token_update()
    assert site.show(phone.udid)["state"] == "enrolled"
    overtheair.enroll(site, phone)
    assert site.show(phone.udid)["state"] == "enrolled", "a managed device stays one"


# the device looks at the server

@pytest.mark.once
def test_feature_46_an_unknown_authority_is_refused(managed, new_device):
    phone = new_device(managed, timeout=10)
    phone.plain_http.ca_file = managed.keys.push_ca_file
    with pytest.raises(ssl.SSLCertVerificationError):
        phone.plain_http.get(managed.at("/mdm/enroll"))


@pytest.mark.once
def test_feature_46_a_wrong_host_name_is_refused(make_site, keys, new_device):
    certificate, key = keys.tls.server_certificate(("elsewhere.example.com",), key=keys.take())
    site = make_site()
    site.server_file = keys.write("elsewhere.pem", certificate)
    site.server_key_file = keys.write("elsewhere.key", key, private=True)
    overtheair.prepare(site).start()
    phone = new_device(site)
    with pytest.raises(ssl.SSLCertVerificationError, match="(?i)mismatch|not valid for"):
        phone.plain_http.get(site.at("/mdm/enroll"))


@pytest.mark.once
def test_feature_46_plain_http_is_refused(make_site, new_device):
    site, port = overtheair.prepare(make_site()), free_port()
    site.server_extra = PLAIN % (port, port, site.database.directives(), site.state_dir)
    site.start().upload_push_certificate()
    started = overtheair.begin(site, new_device(site))
    good, started.url = started.url, "http://127.0.0.1:%d/mdm/enroll/device" % port
    raw = started.phase2()
    reply = started.post(raw)
    assert reply.status == 403 and "https" in reply.text
    started.url = good
    assert started.post(raw).status == 200


# messages meant to harm

def hostile(started):
    """(name, octets) of messages that must be refused."""
    good, number = started.phase2(), random.Random(7)
    certificate, key = started.identity
    udid = started.phone.udid
    yield "nothing", b""
    yield "text", b"hello"
    yield "a property list", plistlib.dumps(started.attributes())
    for at in (1, 20, len(good) // 3, len(good) // 2, len(good) - 1):
        yield "cut at %d" % at, good[:at]
    for _ in range(40):
        at = number.randrange(len(good))
        yield "octet %d" % at, good[:at] + bytes((good[at] ^ 1 << number.randrange(8),)) + good[at + 1:]
    yield "something behind", good + b"\0"
    yield "64 kB of zeros", bytes(65536)
    yield "deep ASN.1", b"\x30\x80" * 30000
    yield "without content", cms.sign(None, certificate, key)
    yield "detached", cms.sign(plistlib.dumps({"UDID": udid}), certificate, key, detached=True)
    yield "no certificate", started.signed({"UDID": udid}, started.identity, certificates=[])
    yield "no signer", cms.signed_data(b"x", [], [pki.der(certificate)])
    node = der.read(good)[1][0].children[-1].children[0].raw
    yield "two signers", cms.signed_data(plistlib.dumps({"UDID": udid}), [node, node], [pki.der(certificate)],
                                         ["sha256"])
    for name, content in (
            ("entities", b'<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "aa"><!ENTITY b "&a;&a;&a;">]>'
                         b"<plist><dict><key>UDID</key><string>&b;</string></dict></plist>"),
            ("a file", b'<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
                       b"<plist><dict><key>UDID</key><string>&a;</string></dict></plist>"),
            ("deep", b"<plist>" + b"<array>" * 5000 + b"</array>" * 5000 + b"</plist>"),
            ("many", b"<plist><dict>" + b"<key>a</key><true/>" * 2500 + b"</dict></plist>"),
            ("huge", plistlib.dumps({"UDID": "A" * 40000})),
            ("number", plistlib.dumps({"UDID": 7})),
            ("list", plistlib.dumps([udid])),
            ("binary", plistlib.dumps({"UDID": udid}, fmt=plistlib.FMT_BINARY))):
        yield "content: " + name, started.signed(content, started.identity)
    yield "challenge of no text", started.phase2({"CHALLENGE": 7})
    yield "challenge of octets", started.phase2({"CHALLENGE": b"\xff\0"})
    yield "huge challenge", started.phase2({"CHALLENGE": "A" * 30000})
    yield "huge name", started.phase2({"DEVICE_NAME": "A" * 256})


@pytest.mark.once
def test_feature_33_hostile_messages_are_refused_and_do_no_harm(managed, browser, new_device):
    phone = new_device(managed)
    started = begin(browser, managed, phone)
    good, children = started.phase2(), managed.httpd.children()
    for name, raw in hostile(started):
        mark = time.monotonic()
        reply = started.post(raw)
        assert 400 <= reply.status < 500, (name, reply)
        assert time.monotonic() - mark < 5, name
    reply = phone.plain_http.request("POST", started.url, bytes(70000))
    assert reply.status == 413
    assert managed.httpd.children() == children
    assert not managed.database.sql("SELECT udid FROM mdm_session WHERE udid = '%s'" % phone.udid)
    assert started.post(good, "text/plain").status == 200


@pytest.mark.once
def test_the_challenge_may_come_as_data_and_the_message_in_ber(managed, browser, new_device):
    phone = new_device(managed)
    started = begin(browser, managed, phone)
    assert started.post(started.phase2({"CHALLENGE": started.challenge.encode()}, ber=True)).status == 200


@pytest.mark.once
def test_secrets_stay_out_of_the_log(managed, browser, new_device):
    phone = new_device(managed)
    started = begin(browser, managed, phone)
    started.describe()
    started.identify(key=managed.keys.take())
    started.fetch_final()
    started.install(key=managed.keys.take())
    text = managed.log.text() + open(managed.path("access.log")).read()
    challenges = started.challenge, started.scep.scep["Challenge"], started.final.scep["Challenge"]
    for secret in (*challenges, PASSWORD):
        assert secret not in text


# configuration

@pytest.mark.once
@pytest.mark.parametrize("directive,content,words", [
    ("MDMDeviceCAFile", None, ("No such file",)),
    ("MDMDeviceCAFile", "no certificate", ("PEM",)),
    ("MDMConfigurationProfileFile", None, ("No such file",)),
    ("MDMConfigurationProfileFile", "no profile", ("file.txt: ",)),
    ("MDMConfigurationProfileFile", "<plist><dict/></plist>", ("not Configuration",)),
    ("MDMConfigurationProfileFile", overtheair.WIFI.replace("com.apple.wifi.managed", "com.apple.mdm"),
     ("MDM payload",))])
def test_configtest_names_files_that_cannot_work(make_site, directive, content, words):
    site = make_site().prepare()
    site.own[directive] = site.path("file.txt")
    if content is not None:
        site.write("file.txt", content)
    status, text = site.configtest()
    assert status != 0
    assert "Segmentation" not in text
    assert any(all(word in line for word in (directive, *words)) for line in text.splitlines()), text


@pytest.mark.once
def test_configtest_tells_what_belongs_together(make_site, keys):
    site = make_site().prepare()
    site.own["MDMConfigurationProfileFile"] = site.write("wifi.mobileconfig", overtheair.WIFI % "x")
    status, text = site.configtest()
    assert status != 0 and "there is no MDMDeviceCAFile" in text
    site.own["MDMDeviceCAFile"] = keys.server_file
    status, text = site.configtest()
    assert status != 0 and "no CA's" in text
    site.own["MDMDeviceCAFile"] = overtheair.maker().write(site.path("device-ca.pem"))
    status, text = site.configtest()
    assert status == 0, text


@pytest.mark.once
def test_feature_43_a_signed_profile_file_is_as_good(make_site, keys, new_device):
    site = make_site()
    plain = site.write("wifi.mobileconfig", overtheair.WIFI % SECRET)
    signed = site.path("signed.mobileconfig")
    subprocess.run(["openssl", "cms", "-sign", "-binary", "-nodetach", "-in", plain, "-outform", "DER",
                    "-signer", keys.server_file, "-inkey", keys.server_key_file, "-out", signed], check=True)
    os.chmod(signed, 0o644)
    overtheair.prepare(site, MDMConfigurationProfileFile=signed, MDMProfileEncryption="off").start()
    phone = new_device(site)
    done = overtheair.enroll(site, phone)
    assert not done.final.encrypted
    assert [one["SSID_STR"] for one in done.final.payloads] == ["Ward 7"]
