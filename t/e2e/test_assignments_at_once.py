# SPDX-License-Identifier: Apache-2.0
"""Assignments that are saved at the same moment, on one node and on two: of equal ones there is one, and of two that
cannot both hold the later is refused as if it had come alone."""

import itertools

import pytest

from . import desired
from .test_nodes import at_once, pair

TIMES = 20


def cellular(apn="internet"):
    return {"type": "com.apple.cellular", "APNs": [{"Name": apn}]}


def posts(sites, bodies):
    """All at once, taking turns among the sites; the replies."""
    jobs = list(zip(itertools.cycle(sites), bodies))
    return at_once(len(jobs), lambda n: desired.call(jobs[n][0], "POST", "assignments", jobs[n][1]))


def equal_ones(sites, phone):
    site = sites[0]
    name = desired.name_of("wifi")
    desired.profile(site, name, desired.wifi("fixed-CANARY"))
    replies = posts(sites, [{"profile": name, "enrollment": phone.id}] * TIMES)
    assert sorted(one.status for one in replies) == [201] + [409] * (TIMES - 1), [one.text for one in replies]
    assert all("already" in one.json["error"] for one in replies if one.status == 409)
    assert len(desired.call(site, "GET", "assignments?profile=" + name, status=200).json["assignments"]) == 1
    desired.settled(site)
    assert desired.rows(site, name) == {phone.id: 1}


def conflicting_ones(sites, phone):
    site = sites[0]
    names = [desired.name_of("cellular") for _ in range(TIMES // 2)]
    for name in names:
        desired.profile(site, name, cellular())
    replies = posts(sites, [{"profile": name, "enrollment": phone.id} for name in names])
    assert sorted(one.status for one in replies) == [201] + [409] * (len(names) - 1), [one.text for one in replies]
    assert all("com.apple.cellular" in one.json["error"] for one in replies if one.status == 409)
    desired.settled(site)
    assert [len(desired.rows(site, name)) for name in names].count(1) == 1
    made = next(one.json["id"] for one in replies if one.status == 201)

    # the same by changes of the priority: who is saved last sees the other
    others = [name for name in names if name != next(r.json["profile"] for r in replies if r.status == 201)]
    ids = [desired.assign(site, name, enrollment=phone.id, priority=n + 1)["id"] for n, name in enumerate(others)]
    changed = at_once(len(ids), lambda n: desired.call(sites[n % len(sites)], "PATCH", "assignments/" + ids[n],
                                                       {"priority": 50}))
    assert sorted(one.status for one in changed) == [200] + [409] * (len(ids) - 1), [one.text for one in changed]
    for one in (made, *ids):
        desired.call(site, "DELETE", "assignments/" + one, status=204)
    desired.settled(site)


def different_ones(sites, phones):
    """Whoever is in nobody's way is saved, however many save at a time."""
    site = sites[0]
    names = [desired.name_of("wifi") for _ in range(TIMES)]
    for name in names:
        desired.profile(site, name, desired.wifi("fixed-CANARY", ssid=name))
    replies = posts(sites, [{"profile": name, "enrollment": phones[n % len(phones)].id} for n, name in enumerate(names)])
    assert [one.status for one in replies] == [201] * TIMES, [one.text for one in replies]


def members_of_one(sites, phone):
    """Two who change different things of one assignment: both hold."""
    site = sites[0]
    name = desired.name_of("wifi")
    for ssid in "One", "Two":
        desired.profile(site, name, desired.wifi("fixed-CANARY", ssid=ssid))
    path = "assignments/" + desired.assign(site, name, enrollment=phone.id)["id"]
    for n in range(1, TIMES):
        wanted = {"priority": n, "version": 1 + n % 2}
        replies = at_once(2, lambda i: desired.call(sites[i % len(sites)], "PATCH", path,
                                                      dict([list(wanted.items())[i]])))
        assert [one.status for one in replies] == [200, 200], [one.text for one in replies]
        shown = desired.call(site, "GET", path, status=200).json
        assert {key: shown[key] for key in wanted} == wanted


def test_at_once_on_one_node(site, phone, new_phone):
    equal_ones([site], phone)
    conflicting_ones([site], phone)
    members_of_one([site], phone)
    different_ones([site], [phone, new_phone(site)])


@pytest.mark.once
def test_at_once_on_two_nodes(make_site, make_database, new_phone):
    first, second = pair(make_site, make_database)
    second.start()
    phone = new_phone(first)
    equal_ones([first, second], phone)
    conflicting_ones([first, second], phone)
    members_of_one([first, second], phone)
    different_ones([first, second], [phone])
