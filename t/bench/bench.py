#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure a site: every path of the device's and the administrator's side, on SQLite and PostgreSQL, with few and
with many enrollments, beside a static file of the same size from the same httpd. Run by "make bench"; prints
Markdown. httpd and the database have one core, the load has another; nothing leaves the machine."""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
import types

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[0:1] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "sim")]

from bench import bulk, drain, fanout, paths, rig, scripts, seed, table  # noqa: E402
from e2e.keys import TOPIC, Keys  # noqa: E402
from e2e.postgresql import Cluster  # noqa: E402
from e2e.site import Pgsql, Sqlite  # noqa: E402

DEVICES = 32


def arguments():
    names = [path.name for path in paths.PATHS]
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--database", choices=("sqlite3", "pgsql"), action="append",
                        help="only this one (repeatable; default: both)")
    parser.add_argument("--paths", metavar="A,B", default=",".join(names + ["bulk", "push"]),
                        help="of %s, bulk, push, fanout, drain (default: all but these two)" % ", ".join(names))
    parser.add_argument("--sizes", metavar="N,M", default="1000,100000", help="enrollments (default: 1000,100000)")
    parser.add_argument("--open", type=int, default=0, help="open commands of each enrollment of the largest size")
    parser.add_argument("--history", type=int, default=0, help="rows of history of each, at most 1000")
    parser.add_argument("--bulk", type=int, default=10000, help="enrollments of a bulk call (default: 10000)")
    parser.add_argument("--devices", type=int, default=10000, help="that enroll and drain (default: 10000)")
    parser.add_argument("--pushes", type=int, default=100000,
                        help="to each server, a tenth of them to the late one (default: 100000)")
    parser.add_argument("--seconds", type=float, default=1.5, help="of a round (default: 1.5)")
    parser.add_argument("--rounds", type=int, default=3, help="of each path (default: 3)")
    parser.add_argument("--quick", action="store_true", help="one short round of everything")
    parser.add_argument("--folder", help="where databases and files go, which is a matter of its disk "
                                         "(default: the folder for temporary files)")
    parser.add_argument("--output", metavar="FILE", help="write what is printed to a file, too")
    chosen = parser.parse_args()
    chosen.paths = chosen.paths.split(",")
    unknown = set(chosen.paths) - set(names) - {"bulk", "push", "fanout", "drain"}
    if unknown:
        parser.error("no such path: " + ", ".join(sorted(unknown)))
    chosen.sizes = sorted(int(one) for one in chosen.sizes.split(","))
    if chosen.quick:
        chosen.seconds, chosen.rounds, chosen.pushes = 0.4, 1, min(chosen.pushes, 10000)
    return chosen


class Bench:
    """One database: its site, its devices, and the figures."""

    def __init__(self, keys, database, folder, options):
        self.keys, self.folder, self.options = keys, folder, options
        self.seconds, self.rounds = options.seconds, options.rounds
        self.server_core, self.load_core = rig.cores()
        # nobody listens there until the pushes are measured
        nobody = types.SimpleNamespace(url="https://localhost:9", ca_file=keys.tls_ca_file)
        self.site = rig.BenchSite(keys, database, nobody, TOPIC)
        self.start()
        self.site.upload_push_certificate()
        self.commits = bulk.Commits(database)
        self.background = seed.Background(self.site)
        self.fleet = seed.Fleet(self.site, folder, DEVICES)
        self.author = scripts.Author(self.site, self.fleet, folder)

    def start(self):
        with rig.on_core(self.server_core):
            if self.site.httpd.process is None:
                self.site.start()
            else:
                self.site.start_again()
        self.rig = rig.Rig(self.site, self.server_core, self.load_core)

    def scaled(self, count):
        """A count that is meant for rounds of the usual length."""
        return max(2, round(count * min(1.0, self.seconds / 1.5)))

    def quiet(self):
        paths.quiet(self)

    def grow(self, total):
        self.background.grow(total)
        if total == self.options.sizes[-1] and (self.options.open or self.options.history):
            self.background.fill(self.options.open, self.options.history)
        if total == self.options.sizes[0]:
            figures = self.rig.load(self.author.enroll(), 0, 1, 2)
            if figures["status"] != {"200": 2 * DEVICES}:
                raise SystemExit("bench: the devices did not enroll: %s" % figures["status"])
            self.fleet.give_history(self.background.filler)
            self.background.tables.settle()

    def measure(self):
        """[(Path, Figures)] of all chosen paths, as it is now."""
        found = []
        for path in paths.PATHS:
            if path.name in self.options.paths:
                found.append((path, path.measure(self)))
                say("%s, %d enrollments, %s: %s/s" % (self.site.database.kind, len(self.background.ids), path.title,
                                                      table.number(found[-1][1].rate)))
        return found

    def close(self):
        self.site.close()


def say(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def run_database(bench, options, out):
    out("## %s\n" % table.DATABASES[bench.site.database.kind])
    found = []
    for size in options.sizes:
        start = time.monotonic()
        bench.grow(size)
        say("%d enrollments are there after %.0f s" % (size, time.monotonic() - start))
        found.append(bench.measure())
        if found[-1]:
            out("With %s enrollments:\n" % table.number(size))
            out(table.paths(found[-1]))
        for path, figures in found[-1]:
            if path.name == "scep":
                out(table.scep(figures, rig.rsa_per_second(bench.server_core)))
    if len(found) > 1 and found[0]:
        out("%s enrollments beside %s:\n" % (table.number(options.sizes[-1]), table.number(options.sizes[0])))
        out(table.growth(found[0], found[-1], (options.sizes[0], options.sizes[-1])))
    ids = bench.background.ids[-options.bulk:]
    if "bulk" in options.paths:
        out(table.bulk(bulk.enqueue(bench, ids)))
    if "fanout" in options.paths:
        out(table.fanout(*fanout.measure(bench)))
    if "drain" in options.paths:
        out(table.drain(drain.measure(bench, options.devices)))
    if "push" in options.paths:
        found, beside = bulk.pushes(bench, bench.background.ids, min(options.pushes, len(bench.background.ids)))
        out(table.pushes(found))
        out(table.single(beside))


def machine(folder):
    with open("/proc/cpuinfo") as source:
        names = [line.partition(":")[2].strip() for line in source if line.startswith("model name")]
    return ("%s, %s, %d cores (httpd and the database on one, the load on the other); %d connections with client "
            "certificates, TLS 1.3; a write to disk takes %.1f ms." % (
                time.strftime("%Y-%m-%d"), names[0] if names else platform.machine(), os.cpu_count(), DEVICES,
                1000 * rig.sync_seconds(folder)))


def main():
    options = arguments()
    if {"push", "fanout", "drain"} & set(options.paths):
        bulk.need_programs()
    if options.folder:
        tempfile.tempdir = os.path.abspath(options.folder)
    folder, written = tempfile.mkdtemp(prefix="mdm-bench-"), []
    os.chmod(folder, 0o755)
    cluster = None

    def out(text):
        print(text, flush=True)
        written.append(text)
    start = time.monotonic()
    try:
        keys = Keys(folder, spare=2)
        out(machine(folder) + "\n")
        out(table.LEGEND)
        for kind in options.database or ["sqlite3", "pgsql"]:
            if kind == "pgsql":
                with rig.on_core(rig.cores()[0]):
                    cluster = Cluster(folder, durable=True).start()
            database = Sqlite() if kind == "sqlite3" else Pgsql(cluster)
            bench = Bench(keys, database, folder, options)
            try:
                run_database(bench, options, out)
            finally:
                bench.close()
                database.close()
        out("## For orientation\n\n" + table.orientation(paths.PATHS))
    finally:
        if cluster:
            cluster.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
    if options.output:
        with open(options.output, "w") as target:
            target.write("\n".join(written) + "\n")
    say("done in %.0f s" % (time.monotonic() - start))


if __name__ == "__main__":
    main()
