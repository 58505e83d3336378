# SPDX-License-Identifier: Apache-2.0
"""Renewal of identities: the server sends the enrollment profile anew in time, the old identity works until the new
one has been used, nothing is lost, and what ends is shown. Ages are set in the database, not with the clock."""

import plistlib
import time

import pytest

from cryptography.hazmat.primitives import hashes
from mdmsim import profile

from . import devices
from .httpd import wait_until

LIFETIME = 100


@pytest.fixture(scope="module")
def shared(keys, apns, variant, make_database):
    """A running site whose identities live for LIFETIME seconds: the worker looks once in a second."""
    from .conftest import _made
    mpm, kind = variant
    site = _made(keys, make_database(kind), apns, mpm, directives={"MDMIdentityLifetime": "%ds" % LIFETIME})
    site.start()
    site.upload_push_certificate()
    yield site
    site.close()


@pytest.fixture
def young(shared):
    mark = shared.log.size()
    yield shared
    trouble = shared.log.trouble(mark)
    assert not trouble, "unexpected in the error log:\n" + "\n".join(trouble[:20])


def fingerprint(certificate):
    return certificate.fingerprint(hashes.SHA256()).hex()


def one(site, statement):
    return site.database.sql(statement)[0][0]


def age(site, phone, left=30.0, lifetime=LIFETIME):
    """Make the phone's certificate end in so many seconds."""
    now = int(time.time() * 1000000)
    site.database.sql("UPDATE mdm_certificate SET issued_at = %d, not_after = %d WHERE fingerprint = '%s'"
                      % (now + (left - lifetime) * 1000000, now + left * 1000000, fingerprint(phone.certificate)))


def row(site, phone, columns):
    """Columns of the phone's row of mdm_renewal, or None."""
    found = site.database.sql("SELECT %s FROM mdm_renewal WHERE enrollment = (SELECT id FROM mdm_enrollment "
                              "WHERE enrollment_id = '%s')" % (columns, phone.id))
    return [int(value) if str(value).isdigit() else value for value in found[0]] if found else None


def open_renewals(site, phone):
    return [item["command_uuid"] for item in site.queue_items(phone.id) if item["request_type"] == "InstallProfile"]


def hurry(site, phone):
    """The next attempt is due now, and not when it was planned; returns the pause that was planned."""
    planned, last = wait_until(lambda: row(site, phone, "due_at, last_at"), what="a plan")
    site.database.sql("UPDATE mdm_renewal SET due_at = 1 WHERE due_at = %d AND enrollment = (SELECT id FROM "
                      "mdm_enrollment WHERE enrollment_id = '%s')" % (planned, phone.id))
    return planned - last


def wait_renewal(site, phone):
    if not open_renewals(site, phone):
        hurry(site, phone)
    return wait_until(lambda: open_renewals(site, phone), what="a renewal in the queue")[0]


def wait_push(site, phone, count):
    wait_until(lambda: pushes(site, phone) >= count, what="push number %d" % count)


def pushes(site, phone):
    return len(site.apns.pushes(magic=phone.push_magic))


def enrollment(site, phone, columns):
    return site.database.sql("SELECT %s FROM mdm_enrollment WHERE enrollment_id = '%s'" % (columns, phone.id))[0]


def opened(phone, reply):
    """The enrollment profile in a served command."""
    command = plistlib.loads(reply.body)["Command"]
    assert command["RequestType"] == "InstallProfile"
    return profile.Profile(command["Payload"], phone.signer_ca_file or None, (phone.certificate, phone.key))


def status(site):
    return site.http.get(site.at("/mdm-status?json")).json


@pytest.mark.smoke
def test_feature_44_the_server_renews_and_the_old_identity_works_until_the_new_one_is_used(young, new_phone):
    site, phone = young, new_phone(young)
    old, old_key = phone.certificate, phone.key
    user = phone.user_channel()
    user.token_update()
    first, body = devices.command()
    site.enqueue(phone.id, body, nopush=True)
    before, sealed = pushes(site, phone), enrollment(site, phone, "unlock_token, login")
    age(site, phone)
    renewal = wait_renewal(site, phone)
    wait_push(site, phone, before + 1)
    assert site.queue_uuids(phone.id) == [first, renewal]
    assert site.show(phone.id)["identity"]["renewal"]["attempts"] == 1

    # served after what waited before it, encrypted to the old identity, each time with a fresh challenge
    reply = phone.send_report({"Status": "NotNow", "CommandUUID": first})
    found, again = opened(phone, reply), opened(phone, phone.send_report({"Status": "NotNow", "CommandUUID": first}))
    assert plistlib.loads(reply.body)["CommandUUID"] == renewal
    assert found.encrypted and found.trusted, found.problem
    assert found.identifier == phone.profile.identifier and found.mdm == phone.profile.mdm
    assert found.plist["PayloadUUID"] == phone.profile.plist["PayloadUUID"]
    assert found.scep["Challenge"] != again.scep["Challenge"]
    assert found.scep["Subject"] != phone.profile.scep["Subject"]

    # a new identity that nobody has used changes nothing
    phone.scep_enrol(found.scep, key=site.keys.take())
    new, new_key = phone.certificate, phone.key
    assert new.serial_number != old.serial_number
    phone.set_identity(old, old_key)
    assert phone.idle().status == 200
    assert enrollment(site, phone, "certificate")[0] == fingerprint(old)

    # Authenticate with the new one: both work; TokenUpdate: the binding moves
    phone.set_identity(new, new_key)
    phone.authenticate()
    with phone.as_identity(old, old_key):
        assert phone.idle().status == 200
    phone.token_update()
    assert enrollment(site, phone, "certificate")[0] == fingerprint(new)
    assert devices.served(phone.idle()) == first
    with phone.as_identity(old, old_key):
        assert phone.idle().status == 403
    assert row(site, phone, "enrollment") is None
    assert one(site, "SELECT replaced_by FROM mdm_certificate WHERE fingerprint = '%s'" % fingerprint(old)) == \
        fingerprint(new)

    # queue, tokens, tally, person and user channel are what they were
    assert site.queue_uuids(phone.id) == [first, renewal]
    assert site.show(phone.id)["token_update_tally"] == 2
    assert enrollment(site, phone, "login")[0] == sealed[1] and enrollment(site, phone, "unlock_token")[0]
    assert site.show(user.id)["state"] == "enrolled" and user.idle().status == 200
    reply = phone.send_report({"Status": "Acknowledged", "CommandUUID": first})
    assert reply.status == 200 and not reply.body      # the renewal is withdrawn: it has been done
    assert not site.queue_uuids(phone.id)
    assert "renewed" in str(site.show_command(renewal))


def test_feature_44_a_device_installs_the_renewal_by_itself(young, new_phone):
    site, phone = young, new_phone(young)
    old = phone.certificate
    age(site, phone)
    renewal = wait_renewal(site, phone)
    assert [(one.uuid, one.status) for one in phone.connect()] == [(renewal, "Acknowledged")]
    assert phone.certificate.serial_number != old.serial_number
    assert phone.idle().status == 200
    shown = site.show(phone.id)
    assert shown["state"] == "enrolled" and "renewal" not in shown["identity"]
    assert int(shown["identity"]["certificate"], 16) == phone.certificate.serial_number
    kinds = [found[0] for found in site.database.sql(
        "SELECT kind FROM mdm_event WHERE enrollment_id = '%s' ORDER BY id" % phone.id)]
    for kind in ("identity.renewal", "enrollment.renewing", "enrollment.renewed"):
        assert kinds.count(kind) == 1, (kind, kinds)


def test_a_renewed_identity_is_not_renewed_again(young, new_phone):
    site, phone, clock = young, new_phone(young), new_phone(young)
    age(site, phone)
    wait_renewal(site, phone)
    phone.connect()
    for _ in range(2):                      # that the worker has turned, another device's renewal tells
        age(site, clock)
        wait_renewal(site, clock)
        clock.connect()
    assert row(site, phone, "enrollment") is None and not site.queue_uuids(phone.id)
    assert int(one(site, "SELECT COUNT(*) FROM mdm_result r JOIN mdm_command c ON c.id = r.command WHERE "
                   "c.delivery = 2 AND r.enrollment = (SELECT id FROM mdm_enrollment WHERE enrollment_id = '%s')"
                   % phone.id)) == 1


def test_a_refusal_is_remembered_and_tried_again_later(young, new_phone):
    site, phone = young, new_phone(young)
    phone.script("InstallProfile", {"Status": "Error", "ErrorChain": [
        {"ErrorCode": 4001, "ErrorDomain": "MCInstallationErrorDomain", "LocalizedDescription": "Geht nicht",
         "USEnglishDescription": "No room for <b>profiles</b>"}]}, 3)
    age(site, phone)
    seen = set()
    for attempt in (1, 2, 3):
        seen.add(wait_renewal(site, phone))
        assert len(open_renewals(site, phone)) == 1
        assert [one.status for one in phone.connect()] == ["Error"]
        assert not open_renewals(site, phone)
        assert hurry(site, phone) >= 4000000
        assert row(site, phone, "attempts, last_error") == [attempt, "No room for <b>profiles</b>"]
        assert phone.idle().status == 200
    assert len(seen) == 3
    report = status(site)
    assert any("refuse" in alert for alert in report["alerts"])
    listed = next(item for item in report["ending_identities"] if item["enrollment_id"] == phone.id)
    assert listed["attempts"] == 3 and listed["last_error"] == "No room for <b>profiles</b>"
    assert "No room for &lt;b&gt;" in site.http.get(site.at("/mdm-status")).text
    assert site.show(phone.id)["identity"]["renewal"]["last_error"] == "No room for <b>profiles</b>"
    wait_renewal(site, phone)
    assert [one.status for one in phone.connect()] == ["Acknowledged"]
    assert row(site, phone, "attempts") is None


def test_a_device_that_is_off_is_woken_again_and_never_gets_two(young, new_phone):
    site, phone = young, new_phone(young)
    age(site, phone)
    renewal = wait_renewal(site, phone)
    for attempt in (2, 3):
        assert hurry(site, phone) >= 4000000
        wait_until(lambda: row(site, phone, "attempts")[0] >= attempt, what="attempt %d" % attempt)
    assert open_renewals(site, phone) == [renewal]
    wait_push(site, phone, 2)
    assert [one.status for one in phone.connect()] == ["Acknowledged"]


def test_the_challenge_of_a_renewal_serves_no_other_device(young, new_phone, new_device):
    site, phone, thief = young, new_phone(young), new_device(young)
    age(site, phone)
    wait_renewal(site, phone)
    found = opened(phone, phone.idle())
    thief.scep_enrol(found.scep, key=site.keys.take())
    assert thief.authenticate(check=False).status == 403
    with pytest.raises(Exception, match="(?i)refused"):
        phone.scep_enrol(found.scep, key=site.keys.take())
    assert phone.idle().status == 200


def test_a_device_that_leaves_is_not_renewed(young, new_phone):
    site, phone, clock = young, new_phone(young), new_phone(young)
    age(site, phone)
    wait_renewal(site, phone)
    phone.checkout()
    assert row(site, phone, "enrollment") is None
    age(site, clock)
    wait_renewal(site, clock)
    assert row(site, phone, "enrollment") is None
    assert phone.id not in str(status(site)["ending_identities"])


def test_feature_44_an_expired_identity_is_listed_and_alarmed_and_has_a_way_back(young, new_phone):
    site, phone = young, new_phone(young)
    before = status(site)["identities"]["expired"]
    old = phone.certificate
    age(site, phone, -5)
    assert phone.idle().status == 403
    report = status(site)
    assert report["identities"]["expired"] == before + 1
    assert any("expired identity" in alert for alert in report["alerts"])
    listed = next(item for item in report["ending_identities"] if item["enrollment_id"] == phone.id)
    assert listed["expired"] is True and listed["serial_number"] == phone.serial
    assert "(expired)" in site.http.get(site.at("/mdm-status")).text
    devices.enroll(site, phone)
    assert phone.certificate.serial_number != old.serial_number and phone.idle().status == 200
    assert phone.id not in str(status(site)["ending_identities"])
    assert site.show(phone.id)["state"] == "enrolled"


def test_what_expires_while_it_is_tried_is_left_alone(young, new_phone):
    site, phone, clock = young, new_phone(young), new_phone(young)
    age(site, phone)
    wait_renewal(site, phone)
    age(site, phone, -1)
    attempts = row(site, phone, "attempts")
    age(site, clock)
    wait_renewal(site, clock)
    assert row(site, phone, "attempts") == attempts
    assert open_renewals(site, phone)


@pytest.mark.once
def test_without_the_push_certificate_or_after_a_restart_the_plan_goes_on(make_site, new_phone):
    site = make_site(directives={"MDMIdentityLifetime": "%ds" % LIFETIME}).start()
    site.upload_push_certificate()
    phone = new_phone(site)
    site.stop()
    age(site, phone)
    site.start_again()
    renewal = wait_renewal(site, phone)
    site.httpd.graceful()
    assert open_renewals(site, phone) == [renewal]
    assert [one.status for one in phone.connect()] == ["Acknowledged"]


FLEET = 10000
SEED = """\
INSERT INTO mdm_enrollment (id, enrollment_id, type, parent, state, certificate, topic, token_update_tally,
    created_at, enrolled_at, left_at, last_seen_at, token_at)
SELECT n, 'FLEET-' || n, 'Device', 0, 2, 'f' || n, 'com.apple.mgmt.External.none', 1, 1, 1, 0, %(now)d, 1
FROM (%(numbers)s) s;
INSERT INTO mdm_push (enrollment, due_at, wanted_at, wish, attempts, lease_owner, lease, lease_tally, dead_tally,
    last_at, last_reason, last_wish)
SELECT n, 0, 0, 0, 0, NULL, 0, 0, 0, 0, NULL, 0 FROM (%(numbers)s) s;
INSERT INTO mdm_certificate (fingerprint, serial, subject, not_before, not_after, issued_at, enrollment, revoked_at, pem)
SELECT 'f' || n, 's' || n, 'CN=' || n, %(issued)d, %(ends)d + n %% 7, %(issued)d, n, 0, '' FROM (%(numbers)s) s;
"""
NUMBERS = {"sqlite3": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n FROM c",
           "pgsql": "SELECT n FROM generate_series(1, %d) AS g(n)"}


def test_a_wave_of_ten_thousand_devices_spreads_and_loses_nothing(make_site):
    site = make_site().start()
    site.upload_push_certificate()
    site.stop()
    day = 86400 * 1000000
    now = int(time.time() * 1000000)
    for statement in (SEED % {"numbers": NUMBERS[site.database.kind] % FLEET, "issued": now - 245 * day, "now": now,
                              "ends": now + 120 * day}).split(";\n"):
        if statement.strip():
            site.database.sql(statement)
    site.database.grown()
    site.start_again()

    def count(what):
        return int(one(site, "SELECT COUNT(*) FROM " + what))
    wait_until(lambda: count("mdm_renewal") == FLEET, timeout=240, what="the plan of the fleet")
    due = sorted(int(found[0]) for found in site.database.sql("SELECT due_at FROM mdm_renewal"))
    spread = (365 * day / 3) / 8
    assert due[0] >= now and due[-1] <= time.time() * 1000000 + spread
    assert due[-1] - due[0] > spread * 0.9
    minutes = {}
    for at in due:
        minutes[at // 60000000] = minutes.get(at // 60000000, 0) + 1
    assert max(minutes.values()) <= FLEET // 1000, "too many in one minute"
    assert count("mdm_queue") <= 10

    site.database.sql("UPDATE mdm_renewal SET due_at = 1 WHERE attempts = 0")
    site.httpd.graceful()                   # a new worker looks at once
    wait_until(lambda: count("mdm_queue") == FLEET, timeout=240, what="the fleet's commands")
    assert count("(SELECT DISTINCT enrollment FROM mdm_queue) d") == FLEET
    assert count("mdm_renewal WHERE attempts = 1") == FLEET
    assert count("mdm_command WHERE delivery = 2") < FLEET // 10
    soonest = int(one(site, "SELECT MIN(due_at) FROM mdm_renewal"))
    assert soonest > time.time() * 1000000 + 1800 * 1000000
