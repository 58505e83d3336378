# SPDX-License-Identifier: Apache-2.0
"""What changes of desired state cost: a library of profiles and groups for all enrollments, then a new value of a
secret, a new version, a rule with others in it; and what devices' requests notice of it."""

import contextlib
import json
import random
import re
import threading
import time
import types
import uuid

from . import bulk, rig, seed

JSON = {"Content-Type": "application/json"}
PROFILES, GROUPS, GROUPS_EACH = 200, 300, 5


def call(site, method, path, body=None, wanted=(200, 201)):
    reply = site.api(method, "/v1/" + path, None if body is None else json.dumps(body).encode(), JSON)
    if reply.status not in wanted:
        raise SystemExit("bench: %s %s: %s %s" % (method, path, reply.status, reply.text[:300]))
    return reply.json


class Changes:
    """The changes of a site."""

    def __init__(self, bench):
        self.bench, self.site = bench, bench.site
        self.ask = bulk.Asker(self.site.database)

    def wait(self, timeout=1800):
        """Until nothing is under way any more."""
        limit = time.monotonic() + timeout
        while self.ask("SELECT (SELECT COUNT(*) FROM mdm_change WHERE finished_at = 0) + (SELECT COUNT(*) FROM "
                       "mdm_recheck)"):
            if time.monotonic() > limit:
                raise SystemExit("bench: the fan-out does not come to its end")
            time.sleep(0.05)

    def settle(self):
        """All that is queued was done, and every list has shown it."""
        for statement in ("DELETE FROM mdm_queue", "UPDATE mdm_push SET due_at = 0, wanted_at = 0",
                          "UPDATE mdm_desired SET state = 4, sent_uuid = want_uuid, command = 0 WHERE state = 1",
                          "DELETE FROM mdm_desired WHERE state >= 8"):
            self._insist(statement)
        self.bench.background.tables.settle()

    def _insist(self, statement, tries=20):
        """The worker may be at these rows, too, in another order."""
        for one in range(tries):
            try:
                return self.site.database.sql(statement)
            except AssertionError as problem:
                if "deadlock" not in str(problem) or one == tries - 1:
                    raise

    def statements(self, mark):
        return sum(int(one) for one in re.findall(r"a turn with (\d+) statements", self.site.log.text(mark)))

    def run(self, title, act, concerned):
        """Do something and wait until it has reached everybody; the figures."""
        self.settle()
        self.bench.quiet()
        self.site.forget_peaks()
        mark, commits, usage = self.site.log.size(), self.bench.commits(), rig.Usage(self.bench.rig)
        start = time.monotonic()
        act()
        self.wait()
        seconds = time.monotonic() - start
        httpd, database = usage.taken()
        queued = self.ask("SELECT COUNT(*) FROM mdm_queue")
        if queued != concerned:
            raise SystemExit("bench: %s: %d commands for %d enrollments" % (title, queued, concerned))
        return types.SimpleNamespace(
            title=title, seconds=seconds, httpd=httpd, database=database, commits=self.bench.commits() - commits,
            statements=self.statements(mark), changed=queued, peak=self.site.peak(),
            looked=self.ask("SELECT looked FROM mdm_change ORDER BY id DESC LIMIT 1"))


def wifi(number, password):
    return {"display_name": "Profile %d" % number, "payloads": [
        {"type": "com.apple.wifi.managed", "SSID_STR": "Site %d" % number, "HIDDEN_NETWORK": False, "AutoJoin": True,
         "EncryptionType": "WPA2", "ProxyType": "None", "Password": password}]}


def build(bench, changes, some, moved):
    """Groups, profiles, assignments, and all of it done."""
    site, ids, at = bench.site, bench.background.ids, seed.now()
    dice, tables = random.Random(11), bench.background.tables
    groups = [(seed.BASE + n, "group-%d" % n, at) for n in range(GROUPS - 2)]
    tables.insert("mdm_group", ("id", "name", "created_at"), groups + [(seed.BASE + GROUPS, "some", at)])
    members = [(dice.choice(groups)[0], seed.BASE + n) for n in range(len(ids)) for _ in range(GROUPS_EACH)]
    members = sorted(set(members)) + [(seed.BASE + GROUPS, seed.BASE + n) for n in range(some)]
    tables.insert("mdm_member", ("collection", "enrollment", "reason", "added_at"),
                  ((group, enrollment, "put in by the bench", at) for group, enrollment in members))
    tables.insert("mdm_fact", ("enrollment", "name", "value", "source", "changed_at"),
                  ((seed.BASE + n, "ModemFirmwareVersion", '"%d"' % (n // moved), "DeviceInformation", at)
                   for n in range(len(ids))))
    tables.settle()
    for secret in ("rotated", "steady"):
        call(site, "PUT", "secrets/" + secret, {"value": str(uuid.uuid4())})
    for n in range(PROFILES - 2):
        call(site, "PUT", "profiles/profile-%d" % n, wifi(n, "${secret.steady}"))
    call(site, "PUT", "profiles/some", wifi(1000, "${secret.rotated}"))
    call(site, "PUT", "profiles/stores", wifi(1001, "${secret.steady}"))
    call(site, "PUT", "groups/stores", {"kind": "rule", "rule": {"fact": "device.ModemFirmwareVersion", "op": "in",
                                                                 "value": ["1", "2"]}})
    for n in range(PROFILES - 2):
        call(site, "POST", "assignments", {"profile": "profile-%d" % n, "group": "group-%d" % n})
    call(site, "POST", "assignments", {"profile": "some", "group": "some"})
    call(site, "POST", "assignments", {"profile": "stores", "group": "stores"})
    changes.wait()
    changes.settle()
    return types.SimpleNamespace(enrollments=len(ids), profiles=PROFILES, groups=GROUPS, members=len(members),
                                 rows=changes.ask("SELECT COUNT(*) FROM mdm_desired"))


def beside(bench, changes, title, act):
    """Idle requests/s before, and while a change is worked off."""
    changes.settle()
    bench.quiet()
    script = bench.author.idle()
    bench.rig.load(script, 0.5)
    before = [bench.rig.load(script, 2.0) for _ in range(3)]
    rates = [one["requests"] / one["seconds"] for one in before]
    under_way = []
    worker = threading.Thread(target=act)
    worker.start()
    worker.join()
    while changes.ask("SELECT COUNT(*) FROM mdm_change WHERE finished_at = 0") and len(under_way) < 50:
        one = bench.rig.load(script, 0.5)
        # the last one may have been alone for a part of its time
        if changes.ask("SELECT COUNT(*) FROM mdm_change WHERE finished_at = 0") or not under_way:
            under_way.append(one["requests"] / one["seconds"])
    changes.wait()
    return types.SimpleNamespace(title=title, before=sorted(rates)[1], beside=sum(under_way) / len(under_way))


def log_at(bench, level):
    """What a turn of the fan-out took is told at debug; a start anew."""
    bench.site.stop()
    bench.site.loglevel = level
    bench.start()


def measure(bench):
    """(size, [figures of each change], requests of devices)"""
    with rig.on_core(bench.rig.load_core):
        server = bulk.Nghttpd(bench.keys, bench.folder)
    try:
        bench.site.own["MDMAPNSURL"], bench.site.own["MDMAPNSCAFile"] = server.url, server.ca_file
        return measure_beside(bench)
    finally:
        server.stop()


def measure_beside(bench):
    """The same, with a server that takes the pushes."""
    total = len(bench.background.ids)
    some, moved = total // 10, total // 20
    changes = Changes(bench)
    with contextlib.closing(changes.ask):
        log_at(bench, "mdm:warn")
        size = build(bench, changes, some, moved)
        site = bench.site
        log_at(bench, "mdm:debug")

        def rotate():
            call(site, "PUT", "secrets/rotated", {"value": str(uuid.uuid4())})

        def save():
            call(site, "PUT", "profiles/some", wifi(int(time.time()), "${secret.rotated}"))

        def edit(other="3"):
            call(site, "PUT", "groups/stores", {"kind": "rule", "rule": {"fact": "device.ModemFirmwareVersion", "op": "in",
                                                                         "value": ["1", other]}})
        found = [changes.run("a new value of a secret", rotate, some), changes.run("the same once more", rotate, some),
                 changes.run("a new version of a profile", save, some),
                 changes.run("a rule: %d leave, %d join" % (moved, moved), edit, 2 * moved)]
        log_at(bench, "mdm:warn")
        # of this program's statements and the worker's, which retries
        site.log.expect("deadlock detected")
        return size, found, [beside(bench, changes, "a new value of the secret", rotate),
                             beside(bench, changes, "an edited rule", lambda: edit("2"))]
