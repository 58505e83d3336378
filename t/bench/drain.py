# SPDX-License-Identifier: Apache-2.0
"""Many devices at once: each of them really enrolls (signs in, gets its identity by SCEP, checks in), all are given a
profile, and each comes for it, opens what was encrypted for it and shows it in its list."""

import concurrent.futures
import contextlib
import os
import time
import types

from e2e import devices

from . import bulk, fanout, rig

WORKERS, KEYS = 8, 16
SECRET = "drained"


class Timed:
    """Do something with each device, WORKERS at a time: .times of each, .seconds of all, processor times."""

    def __init__(self, bench, fleet, act):
        self.times = []
        usage, start = rig.Usage(bench.rig), time.monotonic()
        with rig.on_core(bench.rig.load_core), concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for _ in pool.map(lambda one: self._one(act, one), fleet):
                pass
        self.seconds = time.monotonic() - start
        self.httpd, self.database = usage.taken()

    def _one(self, act, device):
        start = time.monotonic()
        act(device)
        self.times.append(time.monotonic() - start)
        # as a phone that goes back to sleep; and thousands of open connections are another measurement
        device.plain_http.close()
        device.identity_http.close()


def size_of(site):
    """Octets of the database, with what has not been folded into it yet."""
    if site.database.kind == "pgsql":
        return int(site.database.sql("SELECT pg_database_size(current_database())")[0][0])
    return sum(os.path.getsize(site.database.file + end) for end in ("", "-wal") if
               os.path.exists(site.database.file + end))


def expect(found, wanted, what):
    if found != wanted:
        raise SystemExit("bench: drain: %s: %s, not %s" % (what, found, wanted))


def give(bench, changes, fleet):
    """A group of all, a profile for it: how many commands are queued when the fan-out has reached everybody."""
    site = bench.site
    fanout.call(site, "PUT", "secrets/" + SECRET, {"value": "a password of many"})
    made = fanout.call(site, "PUT", "profiles/drained", fanout.wifi(1, "${secret.%s}" % SECRET))
    fanout.call(site, "PUT", "groups/drained")
    fanout.call(site, "PUT", "groups/drained/members", [one.id for one in fleet])
    start = time.monotonic()
    fanout.call(site, "POST", "assignments", {"profile": "drained", "group": "drained"})
    changes.wait()
    return made["identifier"], changes.ask("SELECT COUNT(*) FROM mdm_queue"), time.monotonic() - start


def visit(identifier):
    def act(device):
        done = [one.request_type for one in device.connect()]
        expect(done, ["InstallProfile", "ProfileList"], "commands of " + device.id)
        password = device.profiles.payload(identifier, "com.apple.wifi.managed")["Password"]
        expect(password, "a password of many", "the password on " + device.id)
    return act


def run(bench, count):
    site, changes = bench.site, fanout.Changes(bench)
    site.keys.spare(KEYS)
    fleet = [devices.device_of(site) for _ in range(count)]
    try:
        with contextlib.closing(changes.ask):
            changes.settle()
            empty = size_of(site)
            enrolled = Timed(bench, fleet, lambda one: devices.enroll(site, one))
            changes.wait()
            identifier, depth, seconds = give(bench, changes, fleet)
            expect(depth, count, "commands in the queue")
            drained = Timed(bench, fleet, visit(identifier))
            changes.wait()
            expect(changes.ask("SELECT COUNT(*) FROM mdm_queue"), 0, "commands left in the queue")
            expect(changes.ask("SELECT COUNT(*) FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile WHERE "
                               "p.name = 'drained' AND d.state = 4"), count, "verified")
            return types.SimpleNamespace(count=count, enrolled=enrolled, fanout=seconds, depth=depth, drained=drained,
                                         before=empty, after=size_of(site), peak=site.peak())
    finally:
        for one in fleet:
            one.close()


def measure(bench, count):
    with rig.on_core(bench.rig.load_core):
        server = bulk.Nghttpd(bench.keys, bench.folder)
    try:
        bench.site.own["MDMAPNSURL"], bench.site.own["MDMAPNSCAFile"] = server.url, server.ca_file
        bench.site.stop()
        bench.start()
        return run(bench, count)
    finally:
        server.stop()

