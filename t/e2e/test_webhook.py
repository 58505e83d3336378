# SPDX-License-Identifier: Apache-2.0
"""Webhooks: what receivers made for NanoMDM are told, in which order, and that nothing is lost on the way."""

import base64
import hashlib
import hmac
import os
import plistlib
import re
import signal
import ssl
import time

import pytest

from . import devices
from .httpd import wait_until
from .receiver import Receiver

KEY = "a key for events, long and random"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")


@pytest.fixture
def receiver(closing):
    return closing(Receiver().start())


ONE_PROCESS = "StartServers 1\nServerLimit 1\nThreadsPerChild 16\nMaxRequestWorkers 16\nMinSpareThreads 1\n"


def with_webhook(make_site, *lines, server_extra="", **directives):
    """A running site that sends its events as the lines of MDMWebhookURL say."""
    site = make_site(directives=directives)
    site.server_extra = server_extra
    site.locations += "".join("\n" + "  MDMWebhookURL %s" % line for line in lines)
    site.start()
    site.upload_push_certificate()
    return site


def waiting(site):
    return int(site.database.sql("SELECT COUNT(*) FROM mdm_webhook_outbox")[0][0])


def unmanaged(phone):
    """A network user signs in to the device; the server wants to manage none (410)."""
    return phone.user_channel("11111111-2222-4333-8444-555555555555").user_authenticate()


def without_moment(one):
    """The event without what is different each time, which is looked at here."""
    event = dict(one.json)
    assert re.match(r"[0-9a-f]{16}\Z", event.pop("event_id"))
    assert DATE.match(event.pop("created_at"))
    return event


def test_row_19_the_events_of_an_enrollment_are_nanomdms(make_site, new_device, receiver):
    """Row 19: the members per topic; row 13: the tally; in order; compact; signed."""
    site = with_webhook(make_site, receiver.url)
    site.stop()
    site.own["MDMWebhookKeyFile"] = site.write("webhook.key", KEY + "\n", 0o600)
    site.start_again()
    phone = devices.enroll(site, new_device(site))
    phone.checkin_url += "?a=1&b=x%20y&a=2&c=%FF&d"
    phone.authenticate()
    phone.token_update()
    phone.server_url += "?to=me"
    assert phone.idle().status == 200
    phone.checkout()
    all_of_it = receiver.wait(6, id=phone.id)
    assert [one.topic for one in all_of_it] == ["mdm.Authenticate", "mdm.TokenUpdate", "mdm.Authenticate",
                                                "mdm.TokenUpdate", "mdm.Connect", "mdm.CheckOut"]
    ids, params = {"id": phone.id, "type": "Device"}, {"a": "1", "b": "x y", "d": ""}
    for number, one in enumerate(all_of_it):
        assert one.headers["Content-Type"] == "application/json; charset=utf-8"
        assert "Transfer-Encoding" not in one.headers and "Expect" not in one.headers
        mac = hmac.new(KEY.encode(), one.body, hashlib.sha256).digest()
        assert one.headers["X-Hmac-Signature"] == base64.b64encode(mac).decode()
        assert not one.body.endswith(b"\n") and b": " not in one.body
        event = without_moment(one)
        payload = plistlib.loads(base64.b64decode(one.event["raw_payload"]))
        expected = {"udid": phone.udid, "ids": ids, "raw_payload": one.event["raw_payload"]}
        if number > 1:
            expected["url_params"] = params
        if one.topic == "mdm.Connect":
            assert payload["Status"] == "Idle"
            expected.update(status="Idle", url_params={"to": "me"})
            assert event == {"topic": "mdm.Connect", "acknowledge_event": expected}
            continue
        assert payload["MessageType"] == one.topic[4:]
        if one.topic == "mdm.TokenUpdate":
            expected["token_update_tally"] = 1
        assert event == {"topic": one.topic, "checkin_event": expected}
    assert len({one.event_id for one in all_of_it}) == 6
    assert all("trace id " + one.event_id in site.log.text() for one in all_of_it)
    wait_until(lambda: not waiting(site), what="an empty outbox")


def test_row_19_answers_commands_users_and_failures_are_told(make_site, new_phone, receiver):
    site = with_webhook(make_site, receiver.url)
    phone = new_phone(site)
    phone.token_update()
    uuid, body = devices.command()
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    phone.connect()
    user = phone.user_channel()
    user.token_update()
    assert unmanaged(phone).status == 410
    assert phone.send_checkin({"MessageType": "GetToken", "TokenServiceType": "com.apple.maid"}).status >= 400
    told = receiver.wait(1, topic="mdm.GetToken")
    answer = [one for one in receiver.taken(topic="mdm.Connect") if one.event["status"] == "Acknowledged"][0]
    assert set(answer.event) == {"udid", "status", "command_uuid", "raw_payload", "ids"}
    assert answer.event["command_uuid"] == uuid
    tallies = [one.event["token_update_tally"] for one in receiver.taken(topic="mdm.TokenUpdate", id=phone.id)]
    assert tallies == [1, 2]
    person = receiver.wait(1, topic="mdm.TokenUpdate", id=user.id)[0]
    assert person.event["ids"] == {"id": user.id, "type": "User", "parent_id": phone.id}
    refused = receiver.wait(1, topic="mdm.UserAuthenticate")[0]
    assert set(refused.event) == {"udid", "raw_payload", "ids"}
    assert told[0].event["ids"]["id"] == phone.id


def test_part_3_members_of_every_kind_of_enrollment_and_of_the_other_topics(make_site, new_phone, receiver):
    site = with_webhook(make_site, receiver.url)
    byod, ipad = new_phone(site, enrollment_id="ENR-HOOK-1"), new_phone(site)
    person = byod.user_channel("PERSON-1")
    pupil = ipad.user_channel("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "joy")
    enr, udid = {"enrollment_id": "ENR-HOOK-1"}, {"udid": ipad.udid}
    known = {byod: (enr, {"id": "ENR-HOOK-1", "type": "User Enrollment (Device)"}),
             person: (enr, {"id": "ENR-HOOK-1:PERSON-1", "type": "User Enrollment", "parent_id": "ENR-HOOK-1"}),
             ipad: (udid, {"id": ipad.udid, "type": "Device"}),
             pupil: (udid, {"id": ipad.udid + ":joy", "type": "Shared iPad", "parent_id": ipad.udid})}

    def told(channel, topic, **more):
        sent, ids = known[channel]
        event = dict(receiver.wait(1, id=ids["id"], topic=topic)[0].event)
        assert base64.b64decode(event.pop("raw_payload")) in [reply.sent_body for reply in channel.device.log]
        assert event == {**sent, "ids": ids, **more}
    for one in (person, pupil):
        one.token_update()
    for one in known:
        assert one.idle().status == 200
        told(one, "mdm.TokenUpdate", token_update_tally=1)
        told(one, "mdm.Connect", status="Idle")
    ipad.set_bootstrap_token(b"token")
    ipad.get_bootstrap_token()
    for one in (byod, pupil):
        assert one.send_checkin({"MessageType": "DeclarativeManagement", "Endpoint": "tokens"}).status == 404
    for one, topic in ((ipad, "SetBootstrapToken"), (ipad, "GetBootstrapToken"), (byod, "DeclarativeManagement"),
                       (pupil, "DeclarativeManagement")):
        told(one, "mdm." + topic)
    assert ipad.send_report({"Status": "Idle", "EnrollmentID": "both"}).status == 200
    both = receiver.wait(2, id=ipad.id, topic="mdm.Connect")[1].event
    assert both["udid"] == both["ids"]["id"] == ipad.udid and both["enrollment_id"] == "both"


def test_part_3_a_message_of_a_wrong_certificate_is_not_told(make_site, new_phone, new_device, receiver):
    site = with_webhook(make_site, receiver.url)
    phone, other = new_phone(site), new_phone(site)
    receiver.wait(4)
    phone.udid, kept = other.udid, phone.udid
    assert phone.idle().status >= 400
    phone.udid = kept
    assert phone.idle().status == 200
    receiver.wait(5)
    wait_until(lambda: not waiting(site), what="an empty outbox")
    assert len(receiver.all) == 5


def test_part_3_topics_and_two_receivers(make_site, new_phone, receiver, closing):
    second = closing(Receiver().start())
    site = with_webhook(make_site, receiver.url + " mdm.Authenticate mdm.CheckOut", second.url + "/2?secret=1")
    phone = new_phone(site)
    phone.checkout()
    assert [one.topic for one in receiver.wait(2)] == ["mdm.Authenticate", "mdm.CheckOut"]
    assert len(second.wait(3)) == 3 and second.all[0].path == "/events/2?secret=1"
    assert "X-Hmac-Signature" not in second.all[0].headers


def test_part_3_a_receiver_that_is_down_gets_everything_later_in_order(make_site, new_phone, closing):
    """Across a stop of httpd, too."""
    receiver, other = closing(Receiver()), closing(Receiver().start())
    site = with_webhook(make_site, receiver.url, other.url)
    phones = [new_phone(site), new_phone(site)]
    for _ in range(3):
        for phone in phones:
            assert phone.idle().status == 200
    other.wait(10)
    wait_until(lambda: waiting(site) == 10, what="ten events that wait")
    site.stop()
    receiver.start()
    site.start_again()
    receiver.wait(10)
    for phone in phones:
        assert [one.topic for one in receiver.taken(id=phone.id)] == ["mdm.Authenticate", "mdm.TokenUpdate"] + \
            ["mdm.Connect"] * 3
        assert [one.event_id for one in receiver.taken(id=phone.id)] == [one.event_id for one in other.taken(id=phone.id)]
    wait_until(lambda: not waiting(site), what="an empty outbox")


@pytest.mark.once
def test_the_api_tells_what_waits(make_site, new_phone, receiver, closing):
    down = closing(Receiver())
    site = with_webhook(make_site, down.url.replace("//", "//user:secret@") + "?key=secret mdm.Authenticate", receiver.url)
    assert [one["waiting"] for one in site.api("GET", "/v1/webhooks").json["webhooks"]] == [0, 0]
    new_phone(site)
    receiver.wait(2)
    wait_until(lambda: "last_error" in site.api("GET", "/v1/webhooks").json["webhooks"][0], what="a failure")
    shown = site.api("GET", "/v1/webhooks")
    first, second = shown.json["webhooks"]
    assert first["url"] == down.url and first["topics"] == ["mdm.Authenticate"] and "secret" not in shown.text
    assert first["waiting"] == 1 and first["oldest"].endswith("Z")
    assert second["url"] == receiver.url and "topics" not in second
    assert "secret" not in site.log.text()


@pytest.mark.once
def test_without_a_receiver_nothing_is_stored_and_no_trace_id_made(site, steady_phone):
    mark = site.log.size()
    assert steady_phone.idle().status == 200
    assert "trace id" not in site.log.text(mark) and not waiting(site)
    assert site.api("GET", "/v1/webhooks").json == {"webhooks": []}


@pytest.mark.parametrize("status", [500, 503])
def test_part_3_retries_keep_the_order_of_one_enrollment_and_hold_up_no_other(make_site, new_phone, closing, status):
    failing = {}

    def rule(one):
        if one.id != failing.get("id"):
            return 200
        failing["tries"].append(one.event_id)
        return status if len(failing["tries"]) < 3 else 200
    receiver = closing(Receiver(rule).start())
    site = with_webhook(make_site, receiver.url)
    bad, good = new_phone(site), new_phone(site)
    receiver.wait(4)
    failing.update(id=bad.id, tries=[])
    for phone in (bad, good, good, good, bad, bad):
        assert phone.idle().status == 200
    receiver.wait(5, id=good.id)
    receiver.wait(5, id=bad.id)
    assert len(set(failing["tries"][:3])) == 1 and len(set(failing["tries"])) == 3
    ends = [one.time for one in receiver.taken(id=good.id)]
    assert max(ends) < receiver.taken(id=bad.id)[2].time


@pytest.mark.once
def test_part_3_an_enrollment_that_is_always_put_off_holds_up_no_other(make_site, new_phone, closing):
    """503 says that the receiver is down. Said of one event again and again, it is not for the others. One process, so
    that no other's sender, which knows nothing of it, helps out."""
    tries, bad = [], []

    def rule(one):
        if [one.id] != bad:
            return 200
        tries.append(one.time)
        return 503
    receiver = closing(Receiver(rule).start())
    site = with_webhook(make_site, receiver.url, server_extra=ONE_PROCESS)
    put_off, good = new_phone(site), new_phone(site)
    receiver.wait(4)
    bad.append(put_off.id)
    assert put_off.idle().status == 200
    for wanted in (4, 5):
        wait_until(lambda: len(tries) >= wanted, 60, "%d tries" % wanted)
        sent = time.time()
        assert good.idle().status == 200
        assert receiver.wait(wanted - 1, id=good.id)[-1].time - sent < 5, "the gap is eight seconds and more by now"
    wait_until(lambda: waiting(site) == 1, what="one event that waits")


@pytest.mark.once
def test_part_3_a_receiver_that_refuses_a_topic_gets_the_others(make_site, new_phone, closing):
    """As NanoCMD: 500 to every check-in but three. The event is given up after some tries, and what follows goes on."""
    liked = ("mdm.Authenticate", "mdm.TokenUpdate", "mdm.CheckOut", "mdm.Connect")
    receiver = closing(Receiver(lambda one: 200 if one.topic in liked else 500).start())
    site = with_webhook(make_site, receiver.url)
    phone, other = new_phone(site), new_phone(site)
    receiver.wait(4)
    assert phone.send_checkin({"MessageType": "SetBootstrapToken", "BootstrapToken": b"token"}).status == 200
    assert phone.idle().status == 200
    for _ in range(3):
        assert other.idle().status == 200
    receiver.wait(5, id=other.id, timeout=5)
    receiver.wait(3, id=phone.id, timeout=60)
    refused = [one for one in receiver.all if one.status == 500]
    assert len(refused) == 5 and len({one.event_id for one in refused}) == 1
    wait_until(lambda: not waiting(site), what="an empty outbox")
    assert site.log.text().count("is given up") == 1
    assert site.database.sql("SELECT COUNT(*) FROM mdm_event WHERE kind = 'webhook.given_up'")[0][0] in (1, "1")


def test_part_3_events_are_given_up_after_their_lifetime(make_site, new_phone, closing):
    receiver = closing(Receiver())
    site = with_webhook(make_site, receiver.url, MDMWebhookLifetime="4s")
    phone = new_phone(site)
    wait_until(lambda: waiting(site) == 2, what="two events")
    wait_until(lambda: not waiting(site), 30, "an empty outbox")
    assert "are given up: they have waited for MDMWebhookLifetime" in site.log.text()
    receiver.start()
    assert phone.idle().status == 200
    assert [one.topic for one in receiver.wait(1, timeout=30)] == ["mdm.Connect"]


def test_part_3_a_silent_receiver_holds_up_nobody(make_site, new_phone, receiver, closing, apns):
    silent = closing(Receiver(lambda one: None).start())
    site = with_webhook(make_site, silent.url, receiver.url)
    phone = new_phone(site)
    wait_until(lambda: silent.all, what="a request that is never answered")
    for _ in range(5):
        assert phone.idle().status == 200
    receiver.wait(7, timeout=5)
    apns.clear()
    assert site.enqueue(phone.id, devices.command()[1]).status == 200
    apns.wait_pushes(1, magic=phone.push_magic, timeout=5)


def owner(site):
    rows = site.database.sql("SELECT lease_owner FROM mdm_webhook_outbox WHERE lease_owner IS NOT NULL")
    return int(rows[0][0].split(":")[1]) if rows else None


@pytest.mark.once
def test_part_3_a_crash_of_the_worker_loses_nothing(make_site, new_phone, closing):
    """Killed between the claim and the end: the event comes again, with the same event_id."""
    state = {"quiet": True}
    receiver = closing(Receiver(lambda one: None if state["quiet"] else 200).start())
    site = with_webhook(make_site, receiver.url)
    phone = new_phone(site)
    wait_until(lambda: receiver.all, what="a request under way")
    pid = wait_until(lambda: owner(site), what="a claim")
    state["quiet"] = False
    os.kill(pid, signal.SIGKILL)
    # a minute passes: the lease ends
    site.database.sql("UPDATE mdm_webhook_outbox SET due_at = due_at - 60000000 WHERE lease_owner IS NOT NULL")
    assert [one.topic for one in receiver.wait(2, timeout=60)] == ["mdm.Authenticate", "mdm.TokenUpdate"]
    assert receiver.all[0].event_id == receiver.taken()[0].event_id
    assert phone.idle().status == 200
    receiver.wait(3)
    site.log.expected.append(r"AH00052")


@pytest.mark.once
def test_a_receiver_whose_certificate_nobody_knows_gets_nothing(make_site, new_phone, keys, closing):
    """The system's CAs decide, and keys.tls_ca_file is none of them."""
    receiver = closing(Receiver().start())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys.server_file, keys.server_key_file)
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    site = with_webhook(make_site, receiver.url.replace("http:", "https:"))
    phone = new_phone(site)
    site.log.wait("takes no events, they wait: .*certificate")
    assert phone.idle().status == 200
    assert waiting(site) == 3 and not receiver.all
    shown = site.api("GET", "/v1/webhooks").json["webhooks"][0]
    assert shown["waiting"] == 3 and "certificate" in shown["last_error"]
