# SPDX-License-Identifier: Apache-2.0
"""The fan-out under kill -9 and on two nodes: whatever happens in the middle of it, each enrollment concerned has its
one install, and nobody has two."""

import os
import signal
import threading

import pytest

from . import desired
from .test_nodes import pair

ROWS = 6000


def wait_for(site, looked):
    """Until the change under way has looked at more than so many. @return whether it has not come to its end yet"""
    def far():
        found = site.database.sql("SELECT looked, finished_at FROM mdm_change ORDER BY id DESC LIMIT 1")[0]
        return int(found[0]) > looked and (int(found[1]) or -1)
    return desired.until(far) < 0


def exact(site, installs, commands):
    """Every row has the one command that its desired row names, and no other."""
    assert desired.figure(site, "SELECT COUNT(*) FROM mdm_desired WHERE state = 1") == installs
    assert desired.figure(site, "SELECT COUNT(*) FROM mdm_queue") == installs
    assert desired.figure(site, "SELECT COUNT(*) FROM mdm_queue q JOIN mdm_desired d ON d.enrollment = q.enrollment AND "
                                "d.command = q.command") == installs
    assert desired.figure(site, "SELECT COUNT(*) FROM mdm_command WHERE request_type = 'InstallProfile'") == commands


def kill_worker(site):
    """kill -9 of all children, among them the one with the worker's thread; the parent makes new ones."""
    for pid in site.httpd.children():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def test_a_killed_worker_leaves_nothing_out_and_does_nothing_twice(make_site):
    site = make_site().start()
    site.upload_push_certificate()
    site.log.expect("AH00052", "exit signal Killed", "child pid")
    name, secret = desired.name_of("wifi"), desired.name_of("password")
    desired.secret(site, secret, "first-CANARY")
    desired.profile(site, name, desired.wifi("${secret.%s}" % secret))
    desired.many_rows(site, ROWS, "all")
    desired.assign(site, name, group="all")
    kills = 0
    for part in (1, 2, 3):
        if wait_for(site, part * ROWS // 8):
            kill_worker(site)
            kills += 1
    assert kills, "it was done before anybody could kill it"
    change = desired.settled(site, timeout=180)
    assert (change["looked"], change["changed"]) == (ROWS, ROWS), change
    exact(site, ROWS, 1)

    # the same while older installs are superseded
    desired.secret(site, secret, "second-CANARY")
    wait_for(site, ROWS // 8)
    kill_worker(site)
    change = desired.settled(site, timeout=180)
    assert (change["kind"], change["looked"], change["changed"]) == ("secret", ROWS, ROWS), change
    exact(site, ROWS, 2)
    assert desired.figure(site, "SELECT COUNT(*) FROM mdm_result WHERE status = 'Superseded'") == ROWS


@pytest.mark.once
def test_two_nodes_are_one_fan_out(make_site, make_database):
    first, second = pair(make_site, make_database)
    second.start()
    secrets = [desired.name_of("password") for _ in range(4)]
    names = [desired.name_of("wifi") for _ in secrets]
    desired.many_rows(first, ROWS // 4, "all")
    for node, name, secret in zip((first, second, first, second), names, secrets):
        desired.secret(node, secret, "first-CANARY")
        desired.profile(node, name, desired.wifi("${secret.%s}" % secret))

    # both nodes are told of work at the same time, again and again
    def order(node, mine):
        for name in mine:
            desired.assign(node, name, group="all")
    threads = [threading.Thread(target=order, args=(first, names[:2])),
               threading.Thread(target=order, args=(second, names[2:]))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    desired.settled(second, timeout=120)
    changes = desired.call(first, "GET", "changes?limit=4").json["changes"]
    assert [(one["looked"], one["changed"]) for one in changes] == [(ROWS // 4, ROWS // 4)] * 4, changes
    exact(first, 4 * (ROWS // 4), 4)
