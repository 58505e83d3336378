# SPDX-License-Identifier: Apache-2.0
"""The fan-out under kill -9 and on two nodes: whatever happens in the middle of it, each enrollment concerned has its
one install, and nobody has two."""

import os
import signal
import threading
import time

import pytest

from . import desired
from .test_nodes import pair

ROWS, OTHERS = 6000, 100
EVERYBODY = {"fact": "device.os_version", "op": "at_least", "value": "18"}
NOBODY = {"fact": "device.os_version", "op": "at_least", "value": "99"}


def wait_for(site, looked):
    """Until the change under way has looked at more than so many. @return whether it has not come to its end yet"""
    def far():
        found = site.database.sql("SELECT looked, finished_at FROM mdm_change ORDER BY id DESC LIMIT 1")[0]
        return int(found[0]) > looked and (int(found[1]) or -1)
    return desired.until(far) < 0


def watch_pushes(site):
    """From now on wanted pushes are seen: they wait for the end of a failure's pause, and are not sent."""
    site.database.sql("UPDATE mdm_push SET dead_tally = 0, attempts = 1, wanted_at = 0, due_at = %d"
                      % ((time.time() + 86400) * 1000000))


def exact(site, installs, commands=None, pushes=None):
    """Every row has the one command that its desired row names, and no other; a push is wanted for as many."""
    assert desired.figure(site, "SELECT COUNT(*) FROM mdm_desired WHERE state = 1") == installs
    assert desired.figure(site, "SELECT COUNT(*) FROM mdm_queue") == installs
    assert desired.figure(site, "SELECT COUNT(*) FROM mdm_queue q JOIN mdm_desired d ON d.enrollment = q.enrollment AND "
                                "d.command = q.command") == installs
    if commands is not None:
        assert desired.figure(site, "SELECT COUNT(*) FROM mdm_command WHERE request_type = 'InstallProfile'") == commands
    if pushes is not None:
        assert desired.figure(site, "SELECT COUNT(*) FROM mdm_push WHERE wanted_at > 0") == pushes
        assert desired.figure(site, "SELECT COUNT(*) FROM mdm_push p JOIN mdm_desired d ON d.enrollment = p.enrollment "
                                    "WHERE p.wanted_at > 0") == pushes, "of others"


def leave_out_others(site):
    """The last of many_rows are in no group."""
    site.database.sql("DELETE FROM mdm_member WHERE enrollment IN (SELECT id FROM mdm_enrollment ORDER BY id DESC LIMIT %d)"
                      % OTHERS)


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
    desired.many_rows(site, ROWS + OTHERS, "all")
    leave_out_others(site)
    watch_pushes(site)
    desired.assign(site, name, group="all")
    kills = 0
    for part in (1, 2, 3):
        if wait_for(site, part * ROWS // 8):
            kill_worker(site)
            kills += 1
    assert kills, "it was done before anybody could kill it"
    change = desired.settled(site, timeout=180)
    assert (change["looked"], change["changed"]) == (ROWS, ROWS), change
    exact(site, ROWS, 1, ROWS)

    # the same while older installs are superseded
    watch_pushes(site)
    desired.secret(site, secret, "second-CANARY")
    assert wait_for(site, ROWS // 8), "it was done before anybody could kill it"
    kill_worker(site)
    change = desired.settled(site, timeout=180)
    assert (change["kind"], change["looked"], change["changed"]) == ("secret", ROWS, ROWS), change
    exact(site, ROWS, 2, ROWS)
    assert desired.figure(site, "SELECT COUNT(*) FROM mdm_result WHERE status = 'Superseded'") == ROWS


def move_all(site, rule):
    """Save a rule that moves all rows. kill -9 in the middle of its sweep, and when nothing but marks are left."""
    desired.call(site, "PUT", "groups/ruled", {"kind": "rule", "rule": rule})
    assert wait_for(site, 0), "the sweep was done before anybody could kill it"
    kill_worker(site)

    def only_marks():
        left = desired.figure(site, "SELECT COUNT(*) FROM mdm_recheck")
        swept = not desired.figure(site, "SELECT COUNT(*) FROM mdm_change WHERE finished_at = 0")
        return swept and (left or -1)
    assert desired.until(only_marks) > 0, "the marks were done before anybody could kill it"
    kill_worker(site)
    change = desired.settled(site, timeout=180)
    assert (change["kind"], change["looked"], change["changed"]) == ("group", ROWS, ROWS), change


def test_a_killed_worker_moves_each_member_of_a_rule_group_once(make_site):
    site = make_site().start()
    site.upload_push_certificate()
    site.log.expect("AH00052", "exit signal Killed", "child pid")
    desired.call(site, "PUT", "groups/ruled", {"kind": "rule", "rule": NOBODY}, 201)
    desired.profile(site, "wifi", desired.wifi("fixed-CANARY"))
    desired.assign(site, "wifi", group="ruled")
    desired.many_rows(site, ROWS, "listed")
    desired.settled(site)
    watch_pushes(site)
    move_all(site, EVERYBODY)
    assert desired.call(site, "GET", "groups/ruled").json["members"] == ROWS
    exact(site, ROWS, pushes=ROWS)

    move_all(site, NOBODY)
    assert desired.call(site, "GET", "groups/ruled").json["members"] == 0
    exact(site, 0)
    assert desired.figure(site, "SELECT COUNT(*) FROM mdm_result WHERE status = 'Superseded'") == ROWS
    told = [one[0] for one in site.database.sql("SELECT detail FROM mdm_event WHERE kind = 'group.left'")]
    assert sum(int(one.split(":")[0]) for one in told) == ROWS, "each has left once"


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
