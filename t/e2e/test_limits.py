# SPDX-License-Identifier: Apache-2.0
"""What an administrator sets bounds to: open commands, the life of destructive orders and of history, the pace of
pushes; and whom an order of commands names."""

import json
from datetime import datetime, timedelta, timezone

from . import devices
from .httpd import wait_until

JSON = {"Content-Type": "application/json"}


def order(site, request_type, targets, **members):
    body = {"command": {"RequestType": request_type}, "targets": targets, "push": False, **members}
    return site.api("POST", "/v1/commands", json.dumps(body).encode(), JSON)


def bounded(make_site, **own):
    site = make_site()
    site.own.update(own)
    site.start()
    site.upload_push_certificate()
    return site


def not_after(site, reply):
    assert reply.status == 201, reply.text
    text = site.show_command(reply.json["command_uuid"]).get("not_after")
    return text and datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_a_destructive_order_ends_after_its_life(make_site, new_phone):
    site = bounded(make_site, MDMDestructiveLifetime="2h")
    target = {"ids": [new_phone(site).id]}
    now = datetime.now(timezone.utc)
    end = not_after(site, order(site, "EraseDevice", target))
    assert timedelta(hours=2) - timedelta(minutes=1) < end - now < timedelta(hours=2) + timedelta(minutes=1)
    assert not_after(site, order(site, "CertificateList", target)) is None, "what destroys nothing waits for ever"
    own = (now + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert not_after(site, order(site, "EraseDevice", target, not_after=own)) - now > timedelta(hours=8)


def test_a_destructive_order_ends_after_ninety_days_unless_told_otherwise(site, phone):
    end = not_after(site, order(site, "DeviceLock", {"ids": [phone.id]}))
    assert timedelta(days=89) < end - datetime.now(timezone.utc) < timedelta(days=91)


def test_history_is_forgotten_after_its_life(make_site, new_phone):
    site = bounded(make_site, MDMHistoryLifetime="1s")
    phone = new_phone(site)
    command_uuid = order(site, "CertificateList", {"ids": [phone.id]}).json["command_uuid"]
    assert phone.connect()
    assert site.show_command(command_uuid)["counts"] == {"acknowledged": 1}
    waits = order(site, "SecurityInfo", {"ids": [phone.id]}).json["command_uuid"]

    def forgotten():
        # the next look at history is hours away; that it is due is all that is changed here
        site.database.sql("UPDATE mdm_job SET due_at = 1 WHERE name = 'history' AND lease_owner IS NULL")
        return site.api("GET", "/v1/commands/" + command_uuid).status == 404
    wait_until(forgotten, what="history to be forgotten")
    assert site.queue_uuids(phone.id) == [waits], "what is open is no history"


def test_a_full_queue_refuses_with_429_until_there_is_room(make_site, new_phone):
    site = bounded(make_site, MDMQueueLimit="2")
    phone, other = new_phone(site), new_phone(site)
    for _ in range(2):
        assert order(site, "SecurityInfo", {"ids": [phone.id]}).status == 201
    reply = order(site, "CertificateList", {"ids": [phone.id, other.id]})
    assert reply.status == 429 and int(reply.headers["Retry-After"]) > 0, reply
    assert phone.id in reply.json["error"] and "MDMQueueLimit" in reply.json["error"]
    assert not site.queue_uuids(other.id), "nothing is done by halves"
    site.log.expect("commands are open already for " + phone.id)
    assert phone.connect()
    assert order(site, "CertificateList", {"ids": [phone.id, other.id]}).status == 201


def test_a_full_queue_does_not_look_like_a_large_body_to_nanomdms_and_micromdms_clients(make_site, new_phone):
    site = bounded(make_site, MDMQueueLimit="1")
    phone, free = new_phone(site), new_phone(site)
    assert site.enqueue(phone.id, devices.command()[1]).status == 200
    uuid, body = devices.command()
    site.log.expect("commands are open already for " + phone.id)
    reply = site.enqueue("%s,%s" % (free.id, phone.id), body)
    assert reply.status == 500 and "MDMQueueLimit" in reply.json["command_error"], reply
    assert reply.json["command_uuid"] == uuid and "status" not in reply.json and not site.queue_uuids(free.id)
    reply = site.api("POST", "/v1/commands/" + phone.id, body, user="micromdm")
    assert reply.status == 429 and int(reply.headers["Retry-After"]) > 0 and "MDMQueueLimit" in reply.json["error"], reply
    assert phone.connect()
    assert site.api("POST", "/v1/commands/" + phone.id, body, user="micromdm").status == 201
    assert phone.connect()
    assert site.enqueue(phone.id, devices.command()[1]).status == 200


def test_pushes_keep_the_pace_of_their_topic(make_site, new_phone, apns):
    site = bounded(make_site, MDMPushRate="2")
    phones = [new_phone(site) for _ in range(7)]
    apns.clear()
    _, body = devices.command()
    assert site.enqueue(",".join(one.id for one in phones), body).status == 200

    def times():
        return sorted(push.time for one in phones for push in apns.pushes(magic=one.push_magic))
    wait_until(lambda: len(times()) >= 7, what="seven pushes")
    came = times()
    assert came[6] - came[0] > 1.5, "two at once and one each half second then"


def test_an_order_for_a_person_reaches_that_persons_devices(site, phone, new_phone):
    other = new_phone(site)
    site.database.sql("UPDATE mdm_enrollment SET login = 'limits-%s' WHERE enrollment_id = '%s'" % (phone.id, phone.id))
    reply = order(site, "SecurityInfo", {"users": ["limits-" + phone.id]})
    assert reply.status == 201, reply.text
    assert reply.json["command_uuid"] in site.queue_uuids(phone.id)
    assert reply.json["command_uuid"] not in site.queue_uuids(other.id)
    refused = order(site, "SecurityInfo", {"groups": ["limits-" + phone.id]})
    assert refused.status == 400 and "group limits-" in refused.json["error"], refused.text


def test_a_newer_order_takes_the_place_of_one_that_waits(site, phone):
    def ordered(key):
        reply = order(site, "SecurityInfo", {"ids": [phone.id]}, **({"supersede_key": key} if key else {}))
        assert reply.status == 201, reply.text
        return reply.json["command_uuid"]
    plain, first, other = ordered(None), ordered("security"), ordered("another")
    second = ordered("security")
    waiting = site.queue_uuids(phone.id)
    assert first not in waiting and {plain, other, second} <= set(waiting)
    state = site.show_command(first)["enrollments"][0]
    assert state["status"] == "Superseded" and second in str(state["error_chain"]), state
