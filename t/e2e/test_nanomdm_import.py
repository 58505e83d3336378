# SPDX-License-Identifier: Apache-2.0
"""mdmctl nanomdm import: from a PostgreSQL database with NanoMDM's tables, every enrollment works on here without
enrolling anew: it shows its old identity, is pushed to, and gets the commands that waited for it there."""

import datetime
import os
import plistlib

import pytest

from mdmsim import pki

from . import desired
from .devices import command, device_of, served
from .httpd import wait_until

pytestmark = pytest.mark.mpm

# As much of NanoMDM's tables as a server of that kind always has.
TABLES = """
CREATE TABLE devices (id VARCHAR(255) PRIMARY KEY, identity_cert TEXT, serial_number VARCHAR(127),
    unlock_token BYTEA, authenticate TEXT NOT NULL, authenticate_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    token_update_at TIMESTAMP, bootstrap_token_b64 TEXT);
CREATE TABLE users (id VARCHAR(255) PRIMARY KEY, device_id VARCHAR(255) NOT NULL, user_short_name VARCHAR(255),
    user_long_name VARCHAR(255));
CREATE TABLE enrollments (id VARCHAR(255) PRIMARY KEY, device_id VARCHAR(255) NOT NULL, user_id VARCHAR(255),
    type VARCHAR(31) NOT NULL, topic VARCHAR(255) NOT NULL, push_magic VARCHAR(127) NOT NULL,
    token_hex VARCHAR(255) NOT NULL, enabled BOOLEAN NOT NULL DEFAULT TRUE, token_update_tally INTEGER NOT NULL DEFAULT 1,
    last_seen_at TIMESTAMP NOT NULL, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE commands (command_uuid VARCHAR(127) PRIMARY KEY, request_type VARCHAR(63) NOT NULL, command TEXT NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE command_results (id VARCHAR(255), command_uuid VARCHAR(127), status VARCHAR(31) NOT NULL,
    result TEXT NOT NULL, PRIMARY KEY (id, command_uuid));
CREATE TABLE enrollment_queue (id VARCHAR(255), command_uuid VARCHAR(127), active BOOLEAN NOT NULL DEFAULT TRUE,
    priority SMALLINT NOT NULL DEFAULT 0, PRIMARY KEY (id, command_uuid));
CREATE TABLE push_certs (topic VARCHAR(255) PRIMARY KEY, cert_pem TEXT NOT NULL, key_pem TEXT NOT NULL);
"""


def quoted(value):
    return "NULL" if value is None else "'%s'" % str(value).replace("'", "''")


class NanoMDM:
    """The database of a NanoMDM server with devices of a CA of its own."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        cluster.create(name)
        self.run(TABLES)

    def run(self, sql):
        return self.cluster.sql(self.name, sql)

    def insert(self, table, **values):
        self.run("INSERT INTO %s (%s) VALUES (%s)" % (table, ", ".join(values),
                                                      ", ".join(quoted(one) for one in values.values())))

    def identify(self, device, key, serial):
        """An identity as another server's CA issues it, with a small serial number."""
        device.set_identity(pki.self_signed("CN=" + device.udid, key, serial=serial), key)

    def add_device(self, device, enabled=True, tally=1, unlock=None, bootstrap=None, kind="Device"):
        device.new_token()
        message = {"MessageType": "Authenticate", **device.identifiers(), "SerialNumber": device.serial,
                   "Topic": device.topic, "Model": device.model, "OSVersion": "17.5", "DeviceName": "Old phone"}
        self.insert("devices", id=device.id, serial_number=device.serial,
                    identity_cert=device.certificate and pki.pem(device.certificate),
                    unlock_token=unlock and "\\x" + unlock.hex(), bootstrap_token_b64=bootstrap,
                    authenticate=plistlib.dumps(message).decode(), authenticate_at="2026-05-04 03:02:00",
                    token_update_at="2026-05-04 03:02:01")
        self.add_enrollment(device, device.id, kind, enabled, tally)

    def add_enrollment(self, channel, device_id, kind, enabled=True, tally=1, user_id=None):
        self.insert("enrollments", id=user_id or channel.id, device_id=device_id, user_id=user_id, type=kind,
                    topic=channel.device.topic if user_id else channel.topic, push_magic=channel.push_magic,
                    token_hex=channel.token.hex(), enabled=enabled, token_update_tally=tally,
                    last_seen_at="2026-05-04 03:02:01")

    def heard(self, channel, **values):
        """It sent something there, a moment ago."""
        values = {**values, "last_seen_at": None}
        self.run("UPDATE enrollments SET %s WHERE id = '%s'" % (", ".join(
            "%s = %s" % (name, "CURRENT_TIMESTAMP" if name == "last_seen_at" else quoted(value))
            for name, value in values.items()), channel.id))

    def add_command(self, body, uuid, *ids, done=()):
        self.insert("commands", command_uuid=uuid, request_type="DeviceInformation", command=body.decode())
        for one in ids:
            self.insert("enrollment_queue", id=one, command_uuid=uuid)
        for one, status in done:
            self.insert("command_results", id=one, command_uuid=uuid, status=status, result="<?xml")


@pytest.fixture
def nano(cluster):
    made = NanoMDM(cluster, "nano_" + os.urandom(6).hex())
    yield made
    cluster.sql("postgres", 'DROP DATABASE "%s" WITH (FORCE)' % made.name)


def unlock_token_of(site, phone):
    """What comes with a ClearPasscode."""
    uuid, body = command("ClearPasscode")
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    [done] = phone.connect()
    assert done.uuid == uuid
    return plistlib.loads(done.raw)["Command"]["UnlockToken"]


def run_import(site, nano):
    return site.ctl("nanomdm", "import", "--from", "pgsql:" + nano.cluster.params(nano.name), check=False)


def test_devices_of_nanomdm_work_on_here(make_site, nano, keys, apns, closing):
    site = make_site().start()
    desired.call(site, "PUT", "groups/taken-over", {"kind": "rule", "rule": {"fact": "device.type", "op": "in",
                                                             "value": ["Device", "User"]}})
    phone = closing(device_of(site))
    mac = closing(device_of(site, model="MacBookPro18,1"))
    gone = closing(device_of(site))
    for number, one in enumerate((phone, mac, gone)):
        nano.identify(one, keys.take(), number + 2)
    nano.add_device(phone, tally=3, unlock=b"\x01\x02unlock")
    nano.add_device(mac, bootstrap="Ym9vdHN0cmFw")
    nano.add_device(gone, enabled=False)
    user = mac.user_channel(short_name="anna", long_name="Anna A.")
    user.new_token()
    nano.insert("users", id=user.id, device_id=mac.udid, user_short_name="anna", user_long_name="Anna A.")
    nano.add_enrollment(user, mac.udid, "User", user_id=user.id)
    nano.insert("push_certs", topic=site.topic, cert_pem=pki.pem(keys.push),
                key_pem=pki.pem(keys.push_key))
    first, second, ended, for_user = command(), command(), command(), command("ProfileList")
    nano.add_command(first[1], first[0], phone.id, mac.id)
    nano.add_command(second[1], second[0], phone.id, gone.id, done=[(phone.id, "NotNow")])
    nano.add_command(ended[1], ended[0], phone.id, done=[(phone.id, "Acknowledged")])
    nano.add_command(for_user[1], for_user[0], user.id)

    done = run_import(site, nano)
    assert done.returncode == 0, done.stderr
    assert "push certificates: 1" in done.stdout
    assert "enrollments: 4 taken over (1 of them disabled), 0 were here" in done.stdout
    desired.until(lambda: desired.call(site, "GET", "groups/taken-over").json["members"] == 3)
    assert "open commands: 3, for 4 enrollments" in done.stdout

    shown = site.show(phone.id)
    assert shown["state"] == "enrolled" and shown["token_update_tally"] == 3 and shown["serial_number"] == phone.serial
    assert shown["os_version"] == "17.5" and shown["device_name"] == "Old phone" and shown["topic"] == site.topic
    assert site.show(gone.id)["state"] == "left"
    assert site.show(user.id)["user_short_name"] == "anna" and site.show(user.id)["type"] == "User"
    assert site.queue_uuids(phone.id) == [first[0], second[0]] and site.queue_uuids(user.id) == [for_user[0]]

    assert mac.get_bootstrap_token() == b"bootstrap"
    for mode in ("tls", "signature"):
        phone.identity_mode = mac.identity_mode = mode
        assert served(phone.idle()) == first[0], mode
    assert phone.connect() and site.queue_uuids(phone.id) == []
    assert unlock_token_of(site, phone) == b"\x01\x02unlock"
    assert served(mac.idle()) == first[0] and served(user.idle()) == for_user[0]
    gone.identity_mode = "tls"
    site.log.expect(r"refused a message of %s" % gone.id)
    assert gone.idle().status == 403
    assert site.api("GET", "/v1/push/" + phone.id).json["status"][phone.id].get("push_result")
    assert apns.wait_pushes(1, magic=phone.push_magic)

    again = run_import(site, nano)
    assert again.returncode == 0 and "enrollments: 0 taken over (0 of them disabled), 4 were here" in again.stdout
    assert "open commands: 0" in again.stdout


def test_all_kinds_of_enrollments_are_taken_over(make_site, nano, keys, closing):
    site = make_site().start()
    pad, own = closing(device_of(site)), closing(device_of(site, enrollment_id="ENR-0123456789"))
    at_pad = pad.user_channel("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "joy@example.com", "Nurse Joy")
    at_own = own.user_channel()
    nano.insert("push_certs", topic=site.topic, cert_pem=pki.pem(keys.push), key_pem=pki.pem(keys.push_key))
    kinds = {pad: "Device", at_pad: "Shared iPad", own: "User Enrollment (Device)", at_own: "User Enrollment"}
    ids = {pad: pad.udid, at_pad: pad.udid + ":joy@example.com", own: "ENR-0123456789",
           at_own: "ENR-0123456789:" + at_own.user_id}
    for number, (device, user) in enumerate(((pad, at_pad), (own, at_own))):
        nano.identify(device, keys.take(), number + 2)
        device.identity_mode = "tls"
        nano.add_device(device, kind=kinds[device])
        user.new_token()
        nano.insert("users", id=ids[user], device_id=ids[device], user_short_name=user.short_name)
        nano.add_enrollment(user, ids[device], kinds[user], user_id=ids[user])
    done = run_import(site, nano)
    assert done.returncode == 0 and "enrollments: 4 taken over (0 of them disabled)" in done.stdout, done.stderr
    for one, kind in kinds.items():
        uuid, body = command("ProfileList")
        assert site.show(ids[one])["type"] == kind and site.show(ids[one])["state"] == "enrolled"
        assert site.enqueue(ids[one], body, nopush=True).status == 200
        assert served(one.idle()) == uuid and one.token_update().status == 200
        assert site.show(ids[one])["token_update_tally"] == 2


def test_what_cannot_be_taken_over_is_named_and_the_rest_is(make_site, nano, keys, closing):
    site = make_site().start()
    good, bad, bare = (closing(device_of(site)) for _ in range(3))
    for number, one in enumerate((good, bad)):
        nano.identify(one, keys.take(), number + 2)
    for one in (good, bad, bare):
        nano.add_device(one)
    nano.run("UPDATE enrollments SET token_hex = 'no hex' WHERE id = '%s'" % bad.udid)
    nano.insert("push_certs", topic="com.apple.mgmt.other", cert_pem="-----BEGIN CERTIFICATE-----", key_pem="-----")
    uuid, body = command()
    nano.add_command(body, uuid, good.id, bad.id)
    nano.add_command(b"<?xml no plist", "broken", good.id)
    done = run_import(site, nano)
    assert done.returncode == 1
    for name in (bad.udid, "com.apple.mgmt.other", "broken"):
        assert name in done.stderr, done.stderr
    assert "enrollments: 2 taken over" in done.stdout and "left out: 3" in done.stdout
    assert "1 enrollments have no certificate there" in done.stdout and "MDMRetroactiveIdentity" in done.stdout
    assert site.show(bad.id) is None and site.queue_uuids(good.id) == [uuid]


def test_what_happened_there_since_comes_with_the_next_import(make_site, nano, keys, apns, closing):
    site = make_site().start()
    phone, left, here, quiet = (closing(device_of(site)) for _ in range(4))
    for number, one in enumerate((phone, left, here, quiet)):
        nano.identify(one, keys.take(), number + 2)
        nano.add_device(one, tally=3, unlock=b"first", bootstrap="Ym9vdA==")
        one.identity_mode = "tls"
    nano.insert("push_certs", topic=site.topic, cert_pem=pki.pem(keys.push), key_pem=pki.pem(keys.push_key))
    answered, pruned, taken_back = (command() for _ in range(3))
    refused = command("RemoveProfile", Identifier="com.example.old")
    for uuid, body in (answered, pruned, refused, taken_back):
        nano.add_command(body, uuid, phone.id, quiet.id)
    assert run_import(site, nano).returncode == 0
    old = phone.certificate, phone.key

    # there: one enrolls anew, one leaves; commands are answered, some with all traces removed
    nano.identify(phone, keys.take(), 77)
    phone.new_token()
    nano.run("UPDATE devices SET identity_cert = '%s', bootstrap_token_b64 = NULL, unlock_token = 'second' WHERE id = '%s'"
             % (pki.pem(phone.certificate), phone.id))
    nano.heard(phone, token_hex=phone.token.hex(), push_magic=phone.push_magic, token_update_tally=1)
    nano.heard(left, enabled="f", token_update_tally=0)
    for uuid, status in ((answered[0], "Acknowledged"), (refused[0], "NotNow")):
        nano.insert("command_results", id=phone.id, command_uuid=uuid, status=status, result="<?xml")
    nano.run("DELETE FROM enrollment_queue WHERE id = '%s' AND command_uuid = '%s'" % (phone.id, pruned[0]))
    nano.run("UPDATE enrollment_queue SET active = FALSE WHERE id = '%s' AND command_uuid = '%s'"
             % (phone.id, taken_back[0]))
    later = command()
    nano.add_command(later[1], later[0], phone.id)
    # here: one has come by already, and has another push token
    here.new_token()
    assert here.token_update().status == 200 and here.idle().status == 200
    wait_until(lambda: site.show(here.id)["last_seen_at"] > "2026-05-05", what="last_seen_at")

    done = run_import(site, nano)
    assert done.returncode == 0, done.stderr
    assert "enrollments: 0 taken over (0 of them disabled), 4 were here" in done.stdout
    assert "brought up to date: 2 enrollments" in done.stdout and "ended there meanwhile: 3 commands" in done.stdout
    assert site.show(phone.id)["token_update_tally"] == 1 and site.show(left.id)["state"] == "left"
    assert site.queue_uuids(phone.id) == [refused[0], later[0]]
    assert site.queue_uuids(quiet.id) == [one[0] for one in (answered, pruned, refused, taken_back)]
    assert [one.uuid for one in phone.connect()] == [refused[0], later[0]]
    assert phone.get_bootstrap_token() is None and unlock_token_of(site, phone) == b"second"
    site.log.expect("refused a message of")
    with phone.as_identity(*old):
        assert phone.idle().status == 403
    assert left.idle().status == 403
    assert here.idle().status == 200 and here.get_bootstrap_token() == b"boot"
    apns.clear()
    ids = ",".join(one.id for one in (phone, here, quiet))
    assert site.api("GET", "/v1/push/" + ids).status == 200
    for one in (phone, here, quiet):
        assert apns.wait_pushes(1, magic=one.push_magic)[-1].token == one.token.hex()
    again = run_import(site, nano)
    assert "brought up to date: 0 enrollments" in again.stdout and "ended there meanwhile: 0 commands" in again.stdout


def test_what_destroys_has_an_end_here(make_site, nano, keys, closing):
    """NanoMDM knows none: an erase that waited there must not reach a device that comes back after years."""
    site = make_site().start()
    phone = closing(device_of(site))
    nano.identify(phone, keys.take(), 2)
    nano.add_device(phone)
    erase, ask = command("EraseDevice"), command()
    for uuid, body in (erase, ask):
        nano.add_command(body, uuid, phone.id)
    before = datetime.datetime.now(datetime.timezone.utc)
    assert run_import(site, nano).returncode == 0
    assert set(site.queue_uuids(phone.id)) == {erase[0], ask[0]}
    end = datetime.datetime.fromisoformat(site.show_command(erase[0])["not_after"].replace("Z", "+00:00"))
    assert datetime.timedelta(days=90, minutes=-1) < end - before < datetime.timedelta(days=90, minutes=5)
    assert "not_after" not in site.show_command(ask[0])


def test_who_is_between_authenticate_and_tokenupdate_goes_on_here(make_site, nano, keys, closing):
    site = make_site().start()
    mac, phone = closing(device_of(site, model="MacBookPro18,1")), closing(device_of(site))
    for number, one in enumerate((mac, phone)):
        nano.identify(one, keys.take(), number + 2)
        one.identity_mode = "tls"
    nano.add_device(mac)
    user = mac.user_channel(short_name="anna")
    user.new_token()
    nano.insert("users", id=user.id, device_id=mac.udid, user_short_name="anna")
    nano.add_enrollment(user, mac.udid, "User", user_id=user.id, enabled=False, tally=0)
    nano.add_device(phone, enabled=False, tally=0)
    nano.run("UPDATE devices SET authenticate_at = '2026-05-04 03:02:02' WHERE id = '%s'" % phone.id)
    done = run_import(site, nano)
    assert done.returncode == 0 and "3 taken over (2 of them disabled)" in done.stdout
    for one in (user, phone):
        assert site.show(one.id)["state"] == "pending"
        assert one.token_update().status == 200
        assert site.show(one.id)["state"] == "enrolled" and site.show(one.id)["token_update_tally"] == 1


@pytest.mark.once
def test_a_database_without_the_tables_is_told(make_site, cluster):
    site = make_site()
    site.make_ca()
    site.ctl("db", "init")
    done = site.ctl("nanomdm", "import", "--from", "pgsql:" + cluster.params("postgres"), check=False)
    assert done.returncode == 1 and "push_certs" in done.stderr
    assert site.ctl("nanomdm", "import", check=False).returncode == 2
    assert site.ctl("nanomdm", "import", "--from", "mysql:x", check=False).returncode == 2
