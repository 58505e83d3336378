# SPDX-License-Identifier: Apache-2.0
"""What is done to ten thousand enrollments at once: one command for all, and their pushes. The pushes go to
nghttpd and to the mock of t/sim; h2load, in the place of httpd, sends the same requests to the same server."""

import contextlib
import os
import re
import shutil
import socket
import sqlite3
import statistics
import struct
import subprocess
import time
import types
import uuid

from e2e.httpd import free_port, wait_until
from e2e.postgresql import BINDIR
from e2e.site import API_KEY
from mdmsim import web
from mdmsim.apns_control import ApnsProcess

from . import rig, scripts, seed

STREAMS = 100
LATE = 0.05                 # seconds until the late mock answers


class Commits:
    """Counts the transactions that a database has written: call it for the sum since it was made."""

    def __init__(self, database):
        self.database, self.seen, self.salts, self.sum = database, 0, None, 0
        self.start = self()

    def __call__(self):
        if self.database.kind == "pgsql":
            text = self.database.cluster.sql("postgres", "SELECT pg_snapshot_xmax(pg_current_snapshot())")[0][0]
            return int(text)
        count, salts = self._wal()
        self.sum += count - self.seen if salts == self.salts else count
        self.seen, self.salts = count, salts
        return self.sum

    def _wal(self):
        """Commit frames in SQLite's write-ahead log, and which log it is."""
        try:
            with open(self.database.file + "-wal", "rb") as source:
                data = source.read()
        except FileNotFoundError:
            data = b""
        if len(data) < 32:
            return 0, None
        size, salts, count = struct.unpack_from(">I", data, 8)[0] + 24, data[16:24], 0
        for at in range(32, len(data) - 23, size):
            if data[at + 8:at + 16] != salts:
                break
            count += data[at + 4:at + 8] != b"\0\0\0\0"
        return count, salts


def _lane(author, target, body=b""):
    one = scripts.request("PUT", target, body, Authorization=web.basic_auth("nanomdm", API_KEY))
    return scripts.write(os.path.join(author.folder, "bulk"), [(None, None, [one])])


def enqueue(bench, ids, times=3):
    """One command for all ids, a few times: the median of the seconds."""
    script = _lane(bench.author, "/mdm/api/v1/enqueue/%s?nopush=1" % ",".join(ids), scripts.Author.command())
    runs, commits = [], []
    bench.site.forget_peaks()
    for _ in range(times):
        bench.quiet()
        before = bench.commits()
        runs.append(bench.rig.load(script, 0, 1))
        commits.append(bench.commits() - before)
        if runs[-1]["status"] != {"200": 1}:
            raise SystemExit("bench: enqueue to %d: %s" % (len(ids), runs[-1]["status"]))
    middle = {name: statistics.median(one[name] for one in runs)
              for name in ("seconds", "httpd_seconds", "database_seconds", "statements")}
    return types.SimpleNamespace(count=len(ids), commits=min(commits), peak=bench.site.peak(), **middle)


# ---- servers that take pushes

class Nghttpd:
    """nghttpd with a file for each push token, so that a push is answered 200."""

    title = "nghttpd"

    def __init__(self, keys, folder):
        self.ca_file, self.port = keys.tls_ca_file, free_port()
        self.url = "https://localhost:%d" % self.port
        self.client_url = self.url
        tokens = os.path.join(folder, "pushes", "3", "device")
        os.makedirs(tokens, exist_ok=True)
        for n in range(seed.TOKENS):
            open(os.path.join(tokens, seed.token(n).hex()), "w").close()
        self.process = process = subprocess.Popen(
            ["nghttpd", "-d", os.path.join(folder, "pushes"), "-a", "127.0.0.1", "-m", str(STREAMS), str(self.port),
             keys.server_key_file, keys.server_file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = process.pid
        wait_until(self._listens, what="nghttpd to listen")

    @staticmethod
    def opened():
        """How many connections there were: not known."""
        return 0

    def _listens(self):
        if self.process.poll() is not None:
            raise SystemExit("bench: nghttpd does not run")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Mock(ApnsProcess):
    """The mock of t/sim, which also takes h2load, that can show no certificate."""

    title = "the mock of APNs"

    def __init__(self, keys, topic, delay=0):
        super().__init__(keys.push_ca_file, ["--client-cert", "optional", "--anonymous-topic", topic,
                                             "--max-concurrent-streams", str(STREAMS)])
        self.start()
        if delay:
            self.title += ", %d ms late" % (1000 * delay)
            self.answer(200, delay=delay, default=True)

    def opened(self):
        """How many connections there were."""
        return self.stats()["connections_opened"]


def need_programs():
    for program, package in (("nghttpd", "nghttp2-server"), ("h2load", "nghttp2-client")):
        if not shutil.which(program):
            raise SystemExit("bench: %s is missing (Debian package: %s)" % (program, package))


def h2load(bench, server, count):
    """Requests/s of h2load over one connection."""
    body = os.path.join(bench.folder, "push.json")
    with open(body, "w") as out:
        out.write('{"mdm":"%s"}' % scripts.NEW)
    command = ["h2load", "-n", str(count), "-c", "1", "-m", str(STREAMS), "-t", "1", "-d", body, "-H",
               "apns-topic: " + bench.site.topic, "-H", "apns-push-type: mdm", "-H", "content-type: application/json",
               "-H", "apns-id: 3f5e4a6c-0d1b-4c7e-9a35-6b8f1e2d7c40", "-H", "apns-expiration: 1900000000", "-H",
               "apns-priority: 10", "%s/3/device/%s" % (server.url, seed.token(0).hex())]
    with rig.on_core(bench.rig.server_core):
        said = subprocess.run(command, capture_output=True, text=True, timeout=600).stdout
    found = re.search(r"finished in \S+, ([0-9.]+) req/s", said)
    if not found or not re.search(r"%d succeeded, 0 failed" % count, said):
        raise SystemExit("bench: h2load against %s: %s" % (server.title, said[-600:]))
    return float(found.group(1))


class Asker:
    """Asks a database for a number again and again over one connection, which costs it little."""

    def __init__(self, database):
        self.process = self.connection = None
        if database.kind == "sqlite3":
            self.connection = sqlite3.connect(database.file, timeout=20)
            return
        self.process = subprocess.Popen(
            [os.path.join(BINDIR, "psql"), "-h", database.cluster.folder, "-U", "mdm", "-d", database.name, "-qXAt"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, statement):
        if self.connection:
            return int(self.connection.execute(statement).fetchone()[0])
        self.process.stdin.write(statement + ";\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self):
        if self.connection:
            self.connection.close()
        else:
            self.process.stdin.close()
            self.process.wait(10)
            self.process.stdout.close()


# One wish that is left, from the end where the sent ones are not: a count of all would be work for the database, too.
LEFT = "SELECT COUNT(*) FROM (SELECT 1 FROM mdm_push WHERE due_at > 0 AND wanted_at > 0 ORDER BY due_at DESC LIMIT 1) x"


def _all_sent(ask, count, look, timeout=600):
    """Look every 50 ms; returns when the last push was written down, by the clock of time.monotonic()."""
    limit = time.monotonic() + timeout
    while ask(LEFT):
        if time.monotonic() > limit:
            raise SystemExit("bench: %d pushes are not sent after %d s" % (count, timeout))
        look()
        time.sleep(0.05)
    look()
    end = time.monotonic()
    sent = ask("SELECT COUNT(*) FROM mdm_push WHERE last_reason = 'Success' AND last_wish = wish")
    if sent != count:
        raise SystemExit("bench: %d of %d pushes arrived" % (sent, count))
    return end


def _want(bench, ids):
    """Wishes for all at once, where the worker finds them: what an API call costs is measured elsewhere."""
    end = seed.BASE + len(bench.background.ids)
    # this one change is larger than any of the module, which tries again a second later
    bench.site.log.expect("pushes wait for the database")
    bench.site.database.sql("UPDATE mdm_push SET due_at = %d, wanted_at = %d, wish = wish + 1 WHERE enrollment >= %d "
                            "AND enrollment < %d" % (seed.now(), seed.now(), end - len(ids), end))


def _call(site, path, body=b""):
    reply = site.api("PUT", path, body)
    if reply.status != 200:
        raise SystemExit("bench: %s: %s" % (path, reply))
    return reply


def _prepare(bench, server):
    site = bench.site
    site.stop()
    site.own["MDMAPNSURL"], site.own["MDMAPNSCAFile"] = server.url, server.ca_file
    bench.start()
    bench.quiet()
    site.database.sql("UPDATE mdm_push SET due_at = 0, last_reason = NULL")


def push(bench, server, ids):
    """Wake all ids through a server: pushes/s from the first wake-up to the last one written down as sent. h2load does
    the same before and after."""
    site = bench.site
    _prepare(bench, server)
    marks = [rig.tree_seconds(server.pid)]

    def mark():
        marks.append(rig.tree_seconds(server.pid))
    h2loads = [h2load(bench, server, len(ids))]
    mark()
    opened = server.opened()
    _want(bench, ids)
    usage, sizes = rig.Usage(bench.rig), []
    start = time.monotonic()
    _call(site, "/v1/push/" + ids[0])
    with contextlib.closing(Asker(site.database)) as ask:
        end = _all_sent(ask, len(ids), lambda: sizes.append(site.resident()))
        httpd, database = usage.taken()
    mark()
    opened = server.opened() - opened
    h2loads.append(h2load(bench, server, len(ids)))
    mark()
    return types.SimpleNamespace(
        title=server.title, count=len(ids), rate=len(ids) / (end - start), httpd=httpd, database=database,
        opened=opened, sizes=(sizes[len(sizes) // 10], sizes[len(sizes) // 2], sizes[-1]),
        h2load=statistics.mean(h2loads), server=marks[2] - marks[1],
        server_h2load=(marks[1] - marks[0] + marks[3] - marks[2]) / 2)


def single(bench, server, ids, count=40):
    """Commands for one device each while the others of ids are woken: how long the calls take, without and with the
    others, and how long until the push arrives."""
    site, chosen = bench.site, ids[-count:]
    _prepare(bench, server)

    def enqueue_one(one):
        body = scripts.Author.command().replace(scripts.NEW.encode(), str(uuid.uuid4()).upper().encode())
        start = time.time()
        reply = _call(site, "/v1/enqueue/" + one, body)
        return start, time.time() - start, reply.json["status"][one]["push_result"]
    alone = [enqueue_one(one) for one in chosen[:count // 2]]
    with contextlib.closing(Asker(site.database)) as ask:
        _want(bench, ids)
        site.database.sql("UPDATE mdm_push SET due_at = 0, wanted_at = 0 WHERE enrollment >= %d"
                          % (seed.BASE + len(bench.background.ids) - count))
        _call(site, "/v1/push/" + ids[0])
        time.sleep(0.3)
        beside = []
        for one in chosen[count // 2:]:
            beside.append(enqueue_one(one))
            time.sleep(0.05)
        left = ask("SELECT COUNT(*) FROM mdm_push WHERE due_at > 0 AND wanted_at > 0")
        while ask(LEFT):
            time.sleep(0.1)
    arrived = {one.apns_id: one.time for one in server.pushes()}
    return types.SimpleNamespace(
        title=server.title, others=len(ids) - count, left=left, alone=[1000 * took for _, took, _ in alone],
        beside=[1000 * took for _, took, _ in beside],
        waits=[1000 * (arrived[apns_id] - start) for start, _, apns_id in beside])


def pushes(bench, ids, count):
    """The figures of the servers, and those of single wishes beside a crowd."""
    found, makers = [], [lambda: Nghttpd(bench.keys, bench.folder), lambda: Mock(bench.keys, bench.site.topic),
                         lambda: Mock(bench.keys, bench.site.topic, LATE)]
    for make in makers:
        with rig.on_core(bench.rig.load_core):
            server = make()
        with contextlib.closing(types.SimpleNamespace(close=server.stop)):
            late = make is makers[-1]
            found.append(push(bench, server, ids[-count:] if not late else ids[-count // 10:]))
            if late:
                server.clear(answers=False)
                beside = single(bench, server, ids[-10000:])
    return found, beside
