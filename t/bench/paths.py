# SPDX-License-Identifier: Apache-2.0
"""The paths that are measured, and how: each in rounds, every round between two of a static file."""

import statistics

from e2e.httpd import wait_until
from e2e.site import API_KEY
from mdmsim import web

from . import scripts


class Figures:
    """What the rounds of a path gave, per second or per unit of work (one round through its requests)."""

    def __init__(self, rounds, statics, requests, peak):
        self.rate = statistics.median(one["requests"] / one["seconds"] for one in rounds) / requests
        self.requests = requests
        self.static = statistics.median(one["requests"] / one["seconds"] for one in statics)
        self.p50 = statistics.median(one["p50_us"] for one in rounds) / 1000.0
        self.p99 = statistics.median(one["p99_us"] for one in rounds) / 1000.0
        units = sum(one["requests"] for one in rounds) / requests
        self.statements = sum(one["statements"] for one in rounds) / units
        self.rsa = sum(one["rsa"] for one in rounds) / units
        self.httpd = 1e6 * sum(one["httpd_seconds"] for one in rounds) / units
        self.database = 1e6 * sum(one["database_seconds"] for one in rounds) / units
        self.static_cost = 1e6 * sum(one["httpd_seconds"] for one in statics) \
            / sum(one["requests"] for one in statics)
        self.peak = peak

    @property
    def ratio(self):
        """Requests per second as a part of those of the static file."""
        return self.rate * self.requests / self.static

    @property
    def cost_ratio(self):
        """The processor time of the static file as a part of that of the path: what the ratio would be on a core
        that nobody else uses."""
        return self.static_cost * self.requests / (self.httpd + self.database)


class Path:
    """One path. script(bench) gives the script; requests: of one unit of work; turns(bench): how often each
    connection goes through its script, written anew for each round (None: as often as the time allows, with the
    same script); prepare(bench): run before each round."""

    def __init__(self, name, title, script, requests=1, turns=None, prepare=None):
        self.name, self.title, self.script, self.requests = name, title, script, requests
        self.turns, self.prepare = turns, prepare

    def measure(self, bench):
        site, rig, author = bench.site, bench.rig, bench.author
        script = None if self.turns else self.script(bench)
        self._run(bench, script, warm=True)
        site.forget_peaks()
        rounds, statics, static = [], [], None
        for _ in range(bench.rounds):
            rounds.append(self._run(bench, script))
            if static is None:
                static = author.static(round(rounds[0]["body_bytes"] / rounds[0]["requests"]))
            statics.append(self._checked(rig.load(static, bench.seconds / 2)))
        return Figures(rounds, statics, self.requests, site.peak())

    def _run(self, bench, script, warm=False):
        if self.prepare:
            self.prepare(bench)
        if script is None:
            script = self.script(bench)
        seconds = 0 if self.turns else bench.seconds / 4 if warm else bench.seconds
        turns = self.turns(bench) if self.turns else 0
        return self._checked(bench.rig.load(script, seconds, turns, self.requests))

    def _checked(self, figures):
        wrong = {status: count for status, count in figures["status"].items() if status != "200"}
        if wrong or figures["failed"] or figures["dry"]:
            raise SystemExit("bench: %s: answers %s, %d failed, %d without a command"
                             % (self.title, figures["status"], figures["failed"], figures["dry"]))
        return figures


def cycles(bench):
    return bench.scaled(60)


def fill_queues(request_type):
    """As many commands for each device as a round takes away. All are of one size, and so are their answers."""
    def fill(bench):
        ids = ",".join(bench.fleet.udids)
        one = scripts.request("PUT", "/mdm/api/v1/enqueue/%s?nopush=1" % ids, scripts.Author.command(request_type),
                              Authorization=web.basic_auth("nanomdm", API_KEY))
        path = scripts.write(bench.folder + "/fill", [(None, None, [one])])
        figures = bench.rig.load(path, 0, cycles(bench))
        if figures["status"] != {"200": cycles(bench)}:
            raise SystemExit("bench: the queues were not filled: %s" % figures["status"])
    return fill


PATHS = [
    Path("idle", "Idle, nothing queued", lambda bench: bench.author.idle()),
    Path("cycle", "Command cycle (Idle, command, result)", lambda bench: bench.author.cycle(), 2, cycles,
         fill_queues("DeviceConfigured")),
    Path("facts", "The same, with facts in the result", lambda bench: bench.author.cycle(), 2, cycles,
         fill_queues("DeviceInformation")),
    Path("token-update", "TokenUpdate", lambda bench: bench.author.token_update()),
    Path("enroll", "Re-enrollment (Authenticate, TokenUpdate)", lambda bench: bench.author.enroll(), 2),
    Path("enqueue", "Enqueue to one enrollment", lambda bench: bench.author.enqueue(bench.background.ids)),
    Path("profile", "Enrollment profile", lambda bench: bench.author.profile()),
    Path("scep", "SCEP PKIOperation", lambda bench: bench.author.scep(bench.scaled(6)), 1, lambda bench: 1),
]


def quiet(bench):
    """Wait until nothing writes to the database any more."""
    seen = [bench.commits(), 0]

    def still():
        count = bench.commits()
        seen[1] = seen[1] + 1 if count == seen[0] else 0
        seen[0] = count
        return seen[1] > 100
    wait_until(still, 60, "the database to be at rest")
