# SPDX-License-Identifier: Apache-2.0
"""A site that is synchronised with a directory: its directives, its runs, what they leave, and a line between the two that
breaks."""

import json
import socket
import threading
import urllib.parse

from .directory import BASE, READER, READER_PASSWORD
from .httpd import wait_until

JSON = {"Content-Type": "application/json"}
PEOPLE = {"anna": ("x", "sales"), "bert": ("x", "care"), "nurse.joy": ("x", "care")}
GROUPS = {"mobile": ["anna", "nurse.joy"], "empty": ["nobody"]}


def configure(site, url, interval="1d", **more):
    """The directives of a directory; runs come when a test asks for them."""
    site.write("ldap.password", READER_PASSWORD + "\n", 0o600)
    site.own.update({"MDMDirectoryURL": '"%s/ou=people,%s?uid?sub?(objectClass=inetOrgPerson)"' % (url, BASE),
                     "MDMDirectoryBind": '"%s" "%s"' % (READER, site.path("ldap.password")),
                     "MDMDirectoryAttribute": "role employeeType\n  MDMDirectoryAttribute title title\n"
                     "  MDMDirectoryAttribute mail mail\n  MDMDirectoryAttribute display_name cn",
                     "MDMDirectoryInterval": interval, **more})
    return site


def shown(site):
    reply = site.api("GET", "/v1/directory")
    assert reply.status == 200, reply.text
    return reply.json


def runs(state):
    return [state.get(name, {}).get("run") for name in ("report", "failure")]


def settled(site, before):
    """The state once another run has ended, and None before."""
    now = shown(site)
    return None if now["running"] or runs(now) == before or "next_at" not in now else now


def sync(site, confirm=None):
    """Ask for a run, wait for its end: what v1/directory says then."""
    wait_until(lambda: not shown(site)["running"], what="the run before to end")
    before = runs(shown(site))
    body = json.dumps({"confirm": confirm}).encode() if confirm is not None else None
    asked = site.api("POST", "/v1/directory/sync", body, JSON)
    assert asked.status == 202, asked.text
    return wait_until(lambda: settled(site, before), timeout=60, what="a synchronisation")


def started(site):
    """Start, and wait for the first run."""
    site.start()
    return wait_until(lambda: settled(site, [None, None]), timeout=60, what="the first synchronisation")


def user(site, login):
    reply = site.api("GET", "/v1/users/" + urllib.parse.quote(login))
    return reply.json if reply.status == 200 else None


def directory_group(site, name, dn):
    reply = site.api("PUT", "/v1/groups/" + name, json.dumps({"kind": "directory", "directory": dn}).encode(), JSON)
    assert reply.status in (200, 201), reply.text


def members(site, name):
    return sorted(one["enrollment_id"] for one in site.api("GET", "/v1/groups/%s/members" % name).json["members"])


def directory_members(site, name):
    return [row[0] for row in site.database.sql("SELECT m.login FROM mdm_directory_member m JOIN mdm_group g ON g.id = "
                                                "m.collection WHERE g.name = '%s' ORDER BY m.login" % name)]


def events(site, kind):
    return site.database.sql("SELECT object, detail FROM mdm_event WHERE kind = '%s' ORDER BY id" % kind)


def group_report(state, name):
    return [one for one in state["report"]["groups"] if one["name"] == name][0]


class Relay:
    """Between httpd and the directory: lets so many bytes of answers pass on each connection, then closes it, or says
    nothing any more."""

    def __init__(self, port, limit=None, close=True):
        self.target, self.limit, self.close_after = port, limit, close
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url, self.open = "ldap://127.0.0.1:%d" % self.port, []
        self.count = self.now = self.most = 0       # connections so far, at the moment, at once at the most
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self.open += [client, server]
            self.count, self.now = self.count + 1, self.now + 1
            self.most = max(self.most, self.now)
            threading.Thread(target=self._pump_requests, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, self.limit), daemon=True).start()

    def _pump_requests(self, client, server):
        self._pump(client, server, None)
        self.now -= 1

    def _pump(self, source, sink, left):
        try:
            while True:
                data = source.recv(65536)
                if left is not None:
                    data, left = data[:left], left - len(data[:left])
                if data:
                    sink.sendall(data)
                if not data or left == 0:
                    if left == 0 and not self.close_after:
                        return
                    break
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        for one in [self.listener] + self.open:
            one.close()


def add_many(directory, count, start=0):
    for begin in range(start, start + count, 500):
        directory.add("\n".join(
            "dn: %s\nobjectClass: inetOrgPerson\nuid: many-%04d\ncn: many\nsn: many\nemployeeType: many\n" % (
                directory.dn("many-%04d" % n), n) for n in range(begin, min(begin + 500, start + count))))
