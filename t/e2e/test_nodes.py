# SPDX-License-Identifier: Apache-2.0
"""Two httpd nodes on one PostgreSQL: one command for one Idempotency-Key however many ask at once, every push sent,
nothing served after its final answer."""

import datetime
import json
import re
import threading
import time
import uuid

import pytest

from . import devices
from .httpd import wait_until
from .receiver import Receiver

AT_ONCE = 100


def pair(make_site, make_database, webhook=None):
    """Two sites with the same keys and the same database, of which the first runs."""
    database = make_database("pgsql")
    first = make_site(database=database, mpm="event")
    second = make_site(database=database, mpm="event")
    second.state_dir = second.own["MDMStateDir"] = first.state_dir
    for one in (first, second):
        one.locations += "\n  MDMWebhookURL " + webhook if webhook else ""
    first.start()
    first.upload_push_certificate()
    return first, second


@pytest.fixture
def nodes(make_site, make_database):
    first, second = pair(make_site, make_database)
    return first, second.start()


pytestmark = pytest.mark.once


def at_once(count, call):
    """call(number) in so many threads that start together; what they return."""
    barrier, found, wrong = threading.Barrier(count), [None] * count, []

    def run(number):
        barrier.wait()
        try:
            found[number] = call(number)
        except Exception as problem:
            wrong.append(problem)
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    assert not wrong, wrong
    return found


def order(site, phone, key, http=None):
    body = {"command": {"RequestType": "ProfileList"}, "targets": {"ids": [phone.id]}, "push": False}
    return site.api("POST", "/v1/commands", json.dumps(body).encode(),
                    {"Content-Type": "application/json", "Idempotency-Key": key}, http=http)


def test_one_idempotency_key_a_hundred_times_at_once_is_one_command(nodes, new_phone):
    phone = new_phone(nodes[0])
    key = str(uuid.uuid4())
    replies = at_once(AT_ONCE, lambda number: order(nodes[number % 2], phone, key))
    assert {reply.status for reply in replies} == {200, 201}, [reply.text for reply in replies][:5]
    assert sum(reply.status == 201 for reply in replies) == 1
    made = {reply.json["command_uuid"] for reply in replies}
    assert len(made) == 1 and nodes[0].queue_uuids(phone.id) == list(made)
    again = order(nodes[1], phone, key)
    assert again.status == 200 and again.json["command_uuid"] in made
    assert order(nodes[1], phone, str(uuid.uuid4())).status == 201


def test_what_one_node_queues_the_other_serves_and_ends(nodes, new_phone):
    first, second = nodes
    phone = new_phone(first)
    here, there = first.at("/mdm/connect"), second.at("/mdm/connect")
    for _ in range(20):
        command_uuid, body = devices.command("ProfileList")
        assert second.enqueue(phone.id, body, nopush=True).status == 200
        phone.server_url = here
        assert devices.served(phone.idle()) == command_uuid
        phone.server_url = there
        assert devices.served(phone.idle()) == command_uuid, "served until it is answered"
        assert phone.send_report({"Status": "Acknowledged", "CommandUUID": command_uuid}).status == 200
        for url in (here, there):
            phone.server_url = url
            assert phone.idle().body == b"", "served after its final answer"


def test_the_same_final_answer_at_both_nodes_ends_the_command_once(nodes, new_phone, closing):
    first, second = nodes
    phone = new_phone(first)
    twins = [closing(devices.device_of(site, udid=phone.udid, serial=phone.serial)) for site in nodes]
    for twin in twins:
        twin.set_identity(phone.certificate, phone.key)
        twin.identity_mode = "tls"
    for _ in range(10):
        mine, body = devices.command("ProfileList")
        other, next_body = devices.command("ProfileList")
        assert first.enqueue(phone.id, body, nopush=True).status == 200
        assert first.enqueue(phone.id, next_body, nopush=True).status == 200
        replies = at_once(2, lambda number: twins[number].send_report({"Status": "Acknowledged", "CommandUUID": mine}))
        assert [devices.served(reply) for reply in replies] == [other, other]
        states = first.show_command(mine)["enrollments"]
        assert [one["status"] for one in states] == ["Acknowledged"]
        assert phone.send_report({"Status": "Acknowledged", "CommandUUID": other}).status == 200


def test_pushes_of_both_nodes_arrive_once_each_even_when_one_dies(nodes, new_phone, apns):
    first, second = nodes
    phones = [new_phone(first) for _ in range(6)]
    apns.clear()
    for number, phone in enumerate(phones * 3):
        _, body = devices.command("ProfileList")
        assert nodes[number % 2].enqueue(phone.id, body).status == 200
        if number == 9:
            first.httpd.kill()
            nodes = (second, second)
    for phone in phones:
        assert apns.wait_pushes(1, magic=phone.push_magic)
    ids = [one.apns_id for phone in phones for one in apns.pushes(magic=phone.push_magic)]
    assert len(ids) == len(set(ids)), "a wish was sent twice"
    wait_until(lambda: second.database.sql("SELECT COUNT(*) FROM mdm_push WHERE due_at > 0 AND last_reason IS NULL")
               == [["0"]], what="every push to be sent")


def test_what_comes_into_its_time_is_released_by_one_node(nodes, new_phone, apns):
    first, second = nodes
    phones = [new_phone(first) for _ in range(6)]
    apns.clear()
    at = int(time.time()) + 2
    body = {"command": {"RequestType": "ProfileList"}, "targets": {"ids": [phone.id for phone in phones]},
            "not_before": datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")}
    reply = second.api("POST", "/v1/commands", json.dumps(body).encode(), {"Content-Type": "application/json"})
    assert reply.status == 201, reply.text
    assert phones[0].idle().body == b"" or time.time() >= at
    pushes = [apns.wait_pushes(1, magic=phone.push_magic)[0] for phone in phones]
    assert min(push.time for push in pushes) >= at, "woken before there was anything to fetch"
    for number, phone in enumerate(phones):
        phone.server_url = nodes[number % 2].at("/mdm/connect")
        assert [one.uuid for one in phone.connect()] == [reply.json["command_uuid"]]
    wait_until(lambda: sum(released(site) for site in nodes) == len(phones), what="both logs to tell")
    assert all(len(apns.pushes(magic=phone.push_magic)) == 1 for phone in phones)


def released(site):
    return sum(int(one) for one in re.findall(r"(\d+) queued commands have come into their time", site.log.text()))


def test_both_nodes_send_each_event_once_and_in_order(make_site, make_database, new_phone, closing):
    receiver = closing(Receiver().start())
    nodes = pair(make_site, make_database, receiver.url)
    nodes[1].start()
    phones = [new_phone(nodes[number % 2]) for number in range(4)]
    for number in range(10):
        for phone in phones:
            phone.server_url = nodes[number % 2].at("/mdm/connect")
            assert phone.idle().status == 200
    receiver.wait(12 * len(phones))
    wait_until(lambda: nodes[0].database.sql("SELECT COUNT(*) FROM mdm_webhook_outbox") == [["0"]],
               what="an empty outbox")
    ids = [one.event_id for one in receiver.all]
    assert len(ids) == len(set(ids)) == 12 * len(phones)
    for phone in phones:
        moments = [one.json["created_at"] for one in receiver.taken(id=phone.id)]
        assert moments == sorted(moments)


def test_the_events_of_a_dead_node_wait_for_its_lease_and_go_on(make_site, make_database, new_phone, closing):
    state = {"silent": True}
    receiver = closing(Receiver(lambda one: None if state["silent"] else 200).start())
    first, second = pair(make_site, make_database, receiver.url)
    phone = new_phone(first)
    wait_until(lambda: receiver.all, what="a request under way")
    first.httpd.kill()
    state["silent"] = False
    second.start()
    other = new_phone(second)
    receiver.wait(2, id=other.id)
    assert not receiver.taken(id=phone.id), "the lease of the dead node was not kept"
    second.database.sql("UPDATE mdm_webhook_outbox SET due_at = due_at - 60000000 WHERE lease_owner IS NOT NULL")
    assert [one.topic for one in receiver.wait(2, id=phone.id)] == ["mdm.Authenticate", "mdm.TokenUpdate"]
    phone.server_url = second.at("/mdm/connect")
    assert phone.idle().status == 200
    receiver.wait(3, id=phone.id)
