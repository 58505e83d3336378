# SPDX-License-Identifier: Apache-2.0
"""What is measured on: a site whose httpd (and PostgreSQL) runs on one core, the load on another, and what the
system says about their processor time and memory."""

import contextlib
import json
import os
import re
import subprocess
import time

from e2e.httpd import wait_until
from e2e.site import API_KEY, Site

TICK = os.sysconf("SC_CLK_TCK")
LOAD = os.path.join(os.environ.get("MDM_BUILDDIR", "."), "t", "bench", "load")
# more threads in a child than there are connections: a child without a free one closes those at rest
CHILDREN = "StartServers 2\nServerLimit 2\nThreadsPerChild 64\nMinSpareThreads 1\nMaxSpareThreads 128\n" \
           "MaxRequestWorkers 128\n"


def cores():
    """(core of the server, core of the load)"""
    free = sorted(os.sched_getaffinity(0))
    if len(free) < 2:
        raise SystemExit("bench: needs two cores, one for the server and one for the load")
    return free[0], free[1]


@contextlib.contextmanager
def on_core(core):
    """Processes started within run on this core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as source:
            return [int(word) for word in source.read().split()]
    except FileNotFoundError:
        return []


def _seconds(pid, fields):
    try:
        with open("/proc/%d/stat" % pid) as source:
            words = source.read().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return sum(int(words[field - 3]) for field in fields) / TICK


def tree_seconds(pid):
    """Processor time of a process, of its children, and of those that have ended."""
    return _seconds(pid, (14, 15, 16, 17)) + sum(_seconds(child, (14, 15)) for child in _children(pid))


def _memory(pid, field):
    try:
        with open("/proc/%d/status" % pid) as source:
            return int(re.search(field + r":\s+(\d+)", source.read()).group(1)) / 1024.0
    except (FileNotFoundError, AttributeError):
        return 0.0


class BenchSite(Site):
    """A site as an administrator would run it, with one access log that tells what each request cost."""

    def __init__(self, keys, database, apns, topic, **directives):
        super().__init__(keys, database, apns, "event", {"MDMLastSeenInterval": "10s", "MDMPushInterval": "5s",
                                                         **directives}, loglevel="mdm:warn")
        self.topic = topic

    def _write_conf(self, port):
        path = super()._write_conf(port)
        with open(path) as source:
            text = source.read()
        text = re.sub(r"(?m)^CustomLog .*$", 'CustomLog "%s" "%%%%>s %%%%{mdm-statements}n %%%%{mdm-rsa}n"'
                      .replace("%%%%", "%%") % self.path("cost.log"), text)
        text = re.sub(r"(?m)^StartServers(?s:.*?)MaxRequestWorkers \d+\n", CHILDREN, text)
        return self.write(os.path.basename(path), text)

    def forget_peaks(self):
        """Begin anew with the peaks of memory (what the kernel does for root only)."""
        for child in self.httpd.children():
            with contextlib.suppress(OSError), open("/proc/%d/clear_refs" % child, "w") as out:
                out.write("5")

    def peak(self):
        """The largest resident size of a child, in MB."""
        return max((_memory(child, "VmHWM") for child in self.httpd.children()), default=0.0)

    def resident(self):
        """The largest resident size of a child now: that of the child that pushes, while many are pushed."""
        return max((_memory(child, "VmRSS") for child in self.httpd.children()), default=0.0)


class Usage:
    """Processor seconds of httpd and of the database since the making of this object."""

    def __init__(self, rig):
        self.rig, self.before = rig, self._now(rig)

    @staticmethod
    def _now(rig):
        return tree_seconds(rig.site.httpd.pid), tree_seconds(rig.postmaster) if rig.postmaster else 0.0

    def taken(self):
        now = self._now(self.rig)
        return now[0] - self.before[0], now[1] - self.before[1]


class Rig:
    """A running site with the two cores, and the load generator."""

    def __init__(self, site, server_core, load_core):
        self.site, self.server_core, self.load_core = site, server_core, load_core
        self.postmaster = None
        cluster = getattr(site.database, "cluster", None)
        if cluster:
            with open(os.path.join(cluster.data, "postmaster.pid")) as source:
                self.postmaster = int(source.readline())

    def load(self, script, seconds=0.0, rounds=0, unit=1):
        """Run a script, a unit of work being so many requests: the figures of the load generator, with processor time and cost of the requests."""
        with on_core(self.load_core):
            process = subprocess.Popen([LOAD, str(self.site.port), script, str(unit), "%g" % seconds, str(rounds)],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout.readline().strip() != "ready":
                raise SystemExit("bench: the load generator did not connect:\n" + self.site.log.text()[-2000:])
            mark, usage = os.path.getsize(self.site.path("cost.log")), Usage(self)
            process.stdin.write("go\n")
            process.stdin.flush()
            line = process.stdout.readline()
            httpd_seconds, database_seconds = usage.taken()
            if process.wait(60) != 0 or not line:
                raise SystemExit("bench: the load generator failed:\n" + self.site.log.text()[-2000:])
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdin.close()
            process.stdout.close()
        figures = json.loads(line)
        figures["httpd_seconds"], figures["database_seconds"] = httpd_seconds, database_seconds
        figures["statements"], figures["rsa"] = self.costs(mark, figures["requests"])
        return figures

    def costs(self, mark, count):
        """Statements and RSA operations of the requests logged since mark: sums."""
        path, statements, rsa = self.site.path("cost.log"), 0, 0

        def logged():
            with open(path) as source:
                source.seek(mark)
                return source.read().splitlines()
        wait_until(lambda: len(logged()) >= count, what="%d lines in the access log" % count)
        for line in logged():
            words = line.split()
            statements += int(words[1]) if words[1].isdigit() else 0
            rsa += int(words[2]) if words[2].isdigit() else 0
        return statements, rsa


def rsa_per_second(core, seconds=2):
    """What one core makes of RSA-2048 private operations, by openssl's own measure."""
    with on_core(core):
        shown = subprocess.run(["openssl", "speed", "-seconds", str(seconds), "rsa2048"], capture_output=True, text=True,
                               check=True).stdout
    return float(re.search(r"(?m)^rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)", shown).group(1))


def sync_seconds(folder, tries=20):
    """How long the disk below a folder takes to write a page for good: the median."""
    path, taken = os.path.join(folder, "sync-probe"), []
    with open(path, "wb", buffering=0) as out:
        for _ in range(tries):
            start = time.perf_counter()
            out.write(b"x" * 4096)
            os.fdatasync(out.fileno())
            taken.append(time.perf_counter() - start)
    os.unlink(path)
    return sorted(taken)[tries // 2]


__all__ = ["API_KEY", "BenchSite", "Rig", "Usage", "cores", "on_core", "rsa_per_second", "sync_seconds",
           "tree_seconds"]
