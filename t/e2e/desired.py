# SPDX-License-Identifier: Apache-2.0
"""What tests about desired state share: profiles, groups and assignments by a line each, and waiting until the server
has worked off what it has to."""

import contextlib
import json
import time
import uuid

JSON = {"Content-Type": "application/json"}


def name_of(prefix):
    return "%s-%s" % (prefix, uuid.uuid4().hex[:8])


def call(site, method, path, body=None, status=None):
    reply = site.api(method, "/v1/" + path, None if body is None else json.dumps(body).encode(), JSON)
    if status is not None:
        assert reply.status == status, "%s %s: %s %s" % (method, path, reply.status, reply.text)
    return reply


def group(site, name, ids=()):
    call(site, "PUT", "groups/" + name)
    if ids:
        call(site, "PUT", "groups/%s/members" % name, list(ids), 200)
    return name


def wifi(password="${secret.wifi}", ssid="Sales", **keys):
    return {"type": "com.apple.wifi.managed", "SSID_STR": ssid, "HIDDEN_NETWORK": False, "AutoJoin": True,
            "EncryptionType": "WPA2", "ProxyType": "None", "Password": password, **keys}


def profile(site, name, *payloads, **keys):
    reply = call(site, "PUT", "profiles/" + name, {"display_name": name, "payloads": list(payloads or [wifi()]), **keys})
    assert reply.status in (200, 201), reply.text
    return reply.json


def secret(site, name, value):
    reply = call(site, "PUT", "secrets/" + name, {"value": value})
    assert reply.status in (200, 201), reply.text
    return reply.json


def assign(site, name, status=201, **keys):
    return call(site, "POST", "assignments", {"profile": name, **keys}, status).json


@contextlib.contextmanager
def assigned(site, name, **keys):
    """For a with block; for targets that other tests have, too."""
    made = assign(site, name, **keys)
    settled(site)
    try:
        yield made
    finally:
        call(site, "DELETE", "assignments/" + made["id"])
        settled(site)


def preview(site, **body):
    return call(site, "POST", "assignments/preview", body, 200).json


def settled(site, timeout=60):
    """Wait until no change and no mark is left; the newest change."""
    ends = time.monotonic() + timeout
    while True:
        page = call(site, "GET", "changes?limit=1", status=200).json
        if not page["open"] and not page["marked"]:
            return page["changes"][0] if page["changes"] else None
        assert time.monotonic() < ends, page
        time.sleep(0.05)


def until(check, timeout=60, what=""):
    """The first true value of check()."""
    ends = time.monotonic() + timeout
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < ends, what or check
        time.sleep(0.05)


def ask_supervision(site, *phones):
    """Let the server learn which of them are supervised; it does not ask by itself."""
    for phone in phones:
        call(site, "POST", "commands", {"command": {"RequestType": "DeviceInformation", "Queries": ["IsSupervised"]},
                                        "push": False, "targets": {"ids": [phone.id]}}, 201)
        phone.connect()


def rows(site, name):
    """state by enrollment id, of a profile."""
    found = site.database.sql("SELECT e.enrollment_id, d.state FROM mdm_desired d JOIN mdm_enrollment e ON e.id = "
                              "d.enrollment JOIN mdm_profile p ON p.id = d.profile WHERE p.name = '%s'" % name)
    return {one[0]: int(one[1]) for one in found}


def installed(device, site_profile):
    """What the device holds under the profile's identifier, or None."""
    return device.profiles.get(site_profile["identifier"])


def many_rows(site, count, group_name, first=7_000_000_000):
    """So many enrollments that nobody plays, as rows, in a group. Their ids are "ROW-<number>"."""
    group(site, group_name)
    numbers = {"sqlite3": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)" % count,
               "pgsql": "WITH n(i) AS (SELECT * FROM generate_series(1, %d))" % count}[site.database.kind]
    site.database.sql(
        "INSERT INTO mdm_enrollment (id, enrollment_id, type, parent, state, topic, token_update_tally, created_at, "
        "enrolled_at, left_at, last_seen_at, token_at, product_name, os_version) %s SELECT %d + i, 'ROW-' || i, 'Device', 0, "
        "2, '%s', 1, %d, %d, 0, %d, %d, 'iPhone15,2', '18.1' FROM n"
        % (numbers, first, site.topic, *[int(time.time() * 1000000)] * 4))
    site.database.sql(
        "INSERT INTO mdm_push (enrollment, due_at, wanted_at, wish, attempts, lease_owner, lease, lease_tally, dead_tally, "
        "last_at, last_reason, last_wish) %s SELECT %d + i, 0, 0, 0, 0, NULL, 0, 0, 1, 0, NULL, 0 FROM n"
        % (numbers, first))
    site.database.sql(
        "INSERT INTO mdm_member (collection, enrollment, reason, added_at) %s SELECT (SELECT id FROM mdm_group WHERE name = "
        "'%s'), %d + i, 'a row', 1 FROM n" % (numbers, group_name, first))
    site.database.grown()


def figure(site, statement):
    return int(site.database.sql(statement)[0][0])
