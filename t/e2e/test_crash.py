# SPDX-License-Identifier: Apache-2.0
"""kill -9 while everything is at work: orders that are repeated after a cut-off, orders that wait for a second person
or for their time, wipes, pushes, webhooks. What was acknowledged is there afterwards, nothing comes after its final
answer, nothing was done twice."""

import datetime
import json
import random
import threading
import time
import uuid

from mdmsim import web

from . import devices
from .httpd import wait_until
from .receiver import Receiver
from .test_restart import CUT_OFF

PLAIN, LATER, HELD = "ProfileList", "SecurityInfo", "CertificateList"
SECOND_PERSON = """
  <Location "/mdm/api-second">
    SetHandler mdm-api
    AuthType Basic
    AuthName "Second person"
    AuthBasicProvider file
    AuthUserFile "%(folder)s/htpasswd"
    Require valid-user
  </Location>
"""
# leases of what a killed process had in hand, in microseconds and more
LEASES = 120 * 10 ** 6


class Worker(threading.Thread):
    """Steps until it is told to end; a step that a crash cut off is taken again by whoever wrote it."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.site, self.over, self.problem = site, threading.Event(), None

    def insist(self, request):
        """Until there is an answer that is none of a crash: request() again."""
        limit = time.monotonic() + 60
        while True:
            try:
                reply = request()
                if reply.status < 500:
                    return reply
            except CUT_OFF:
                self.hang_up()
            assert time.monotonic() < limit, "no answer for a minute"
            time.sleep(0.02)

    def run(self):
        try:
            while not self.over.is_set():
                self.step()
        except Exception as problem:
            self.problem = problem

    def end(self):
        self.over.set()
        self.join(90)
        assert not self.is_alive() and not self.problem, repr(self.problem)
        self.hang_up()


class Order:
    """What an administrator asked for, and got."""

    def __init__(self, phone, request_type, push):
        self.phone, self.type, self.push = phone, request_type, push
        self.begun, self.not_before, self.approved, self.uuid = time.time(), 0, 0, None


class Administrator(Worker):
    """Orders commands, each under a key of its own, and has some approved."""

    def __init__(self, site, phones):
        super().__init__(site)
        self.phones, self.orders, self.to_erase = phones, [], []
        self.http = web.Client(site.keys.tls_ca_file, timeout=20, redirects=0)

    def hang_up(self):
        self.http.close()

    def order(self, phone, request_type, push):
        made = Order(phone, request_type, push)
        body = {"command": {"RequestType": request_type}, "targets": {"ids": [phone.id]}, "push": push}
        if request_type == LATER:
            made.not_before = int(made.begun) + random.choice((1, 2, 3))
            moment = datetime.datetime.fromtimestamp(made.not_before, datetime.timezone.utc)
            body["not_before"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        reply = self.insist(lambda: self.site.api("POST", "/v1/commands", json.dumps(body).encode(), headers,
                                                  http=self.http))
        assert reply.status in (200, 201), reply.text
        made.uuid = reply.json["command_uuid"]
        if request_type in (HELD, "EraseDevice"):
            made.approved = time.time()
            self.approve(made.uuid)
        self.orders.append(made)

    def approve(self, command_uuid):
        url = self.site.at("/mdm/api-second/v1/commands/%s/approve" % command_uuid)
        headers = {"Authorization": web.basic_auth(devices.USER, devices.PASSWORD)}
        reply = self.insist(lambda: self.http.request("POST", url, b"", headers))
        # 409: the answer to the same request was cut off
        assert reply.status in (200, 409), reply.text

    def step(self):
        if self.to_erase:
            self.order(self.to_erase.pop(), "EraseDevice", True)
        self.order(random.choice(self.phones), random.choice((PLAIN, PLAIN, LATER, HELD)), random.random() < 0.5)


class Person(Worker):
    """A device: asks, answers, and holds against the server what comes after its final answer. One that is doomed gets
    nothing but its end."""

    def __init__(self, site, phone, doomed=False):
        super().__init__(site)
        self.phone, self.doomed, self.erased = phone, doomed, False
        self.served, self.answered, self.idles = {}, set(), 0

    def hang_up(self):
        self.phone.identity_http.close()

    def take(self, reply):
        """What a reply brings; None when nothing."""
        assert reply.status == 200, reply
        if not reply.body:
            return None
        report = self.phone.answer_to(reply.body)
        assert report["CommandUUID"] not in self.answered, "served after its final answer"
        self.served.setdefault(report["CommandUUID"], time.time())
        return report

    def step(self):
        reply = self.insist(self.phone.idle)
        if self.erased:
            assert reply.status == 403, "something is said to a device that is erased: %r" % reply
            self.over.wait(0.1)
            return
        self.idles += 1
        report = self.take(reply)
        while report:
            reply = self.insist(lambda: self.phone.send_report(report))
            if self.doomed:
                # 403: the answer to the same report was cut off
                assert reply.status == 403 or not reply.body, reply
                self.erased = True
                return
            self.answered.add(report["CommandUUID"])
            report = self.take(reply)
        self.over.wait(0.02)


class Scene:
    """A site with everything on, its devices and administrators."""

    def __init__(self, make_site, new_phone, receiver):
        self.receiver = receiver
        site = self.site = make_site(directives={"MDMApproval": HELD + " EraseDevice"})
        site.locations += SECOND_PERSON + "\n  MDMWebhookURL " + receiver.url
        site.log.expect("AH0005[12]:")
        site.start()
        site.upload_push_certificate()
        self.people = [Person(site, new_phone(site)) for _ in range(3)]
        self.doomed = [Person(site, new_phone(site), True) for _ in range(2)]
        phones = [one.phone for one in self.people]
        self.bosses = [Administrator(site, phones) for _ in range(2)]
        for boss, one in zip(self.bosses, self.doomed):
            boss.to_erase.append(one.phone)
        self.all = self.people + self.doomed + self.bosses

    def start(self):
        for one in self.all:
            one.start()

    @property
    def orders(self):
        return [order for boss in self.bosses for order in boss.orders]

    def progress(self, count):
        """Wait until so many more orders have been accepted."""
        mark = len(self.orders)
        wait_until(lambda: len(self.orders) >= mark + count or not all(one.is_alive() for one in self.all), 60,
                   "progress")

    def end(self):
        for one in self.bosses:
            one.end()
        last = max([order.not_before for order in self.orders])
        wanted = {order.uuid for order in self.orders if order.type != "EraseDevice"}
        wait_until(lambda: time.time() > last, 10, "the last command's time")
        wait_until(lambda: wanted <= self.answered() or any(one.problem for one in self.all), 30,
                   "every command to be answered")
        wait_until(lambda: all(one.erased for one in self.doomed) or any(one.problem for one in self.all), 30,
                   "the wipes")
        for one in self.people + self.doomed:
            one.end()

    def answered(self):
        return set().union(*(person.answered.copy() for person in self.people))

    # what must be true afterwards

    def check(self, apns):
        assert len(self.orders) > 30, "there was no load"
        self.check_commands()
        self.check_wipes()
        self.leases_end()
        self.check_pushes(apns)
        self.check_events()

    def check_commands(self):
        by_uuid = {order.uuid: order for order in self.orders}
        assert len(by_uuid) == len(self.orders), "two orders became one command"
        for one in self.people + self.doomed:
            assert set(one.served) <= set(by_uuid), "an order became two commands"
            for command_uuid, at in one.served.items():
                order = by_uuid[command_uuid]
                assert order.phone is one.phone
                assert at >= order.not_before and at >= order.approved, "served before its time: %s" % order.type
        for order in self.orders:
            shown = self.site.show_command(order.uuid)
            assert [row["status"] for row in shown["enrollments"]] == ["Acknowledged"], shown
        for one in self.people:
            assert one.phone.connect() == [] and self.site.queue_uuids(one.phone.id) == []

    def check_wipes(self):
        for one in self.doomed:
            assert self.site.show(one.phone.id)["state"] == "wiped"
            assert one.phone.idle().status == 403

    def leases_end(self):
        for table in ("mdm_webhook_outbox", "mdm_push"):
            self.site.database.sql("UPDATE %s SET due_at = due_at - %d WHERE lease_owner IS NOT NULL AND due_at > %d"
                                   % (table, LEASES, LEASES))

    def count(self, of):
        return int(self.site.database.sql("SELECT COUNT(*) FROM " + of)[0][0])

    def drain(self, of, what):
        """Wait until no row is left, as long as they become fewer."""
        left = self.count(of)
        while left:
            wait_until(lambda: self.count(of) < left, 60, "fewer than %d %s" % (left, what))
            left = self.count(of)

    def check_pushes(self, apns):
        self.drain("mdm_push WHERE due_at > 0 AND lease_owner IS NOT NULL", "pushes under way")
        # one that is erased before its push went out is not woken any more
        for one in self.people:
            begun = max([order.begun for order in self.orders if order.push and order.phone is one.phone], default=0)
            wait_until(lambda: not begun or any(push.time >= begun for push in apns.pushes(magic=one.phone.push_magic)),
                       60, "the push of an order")

    def check_events(self):
        self.drain("mdm_webhook_outbox", "events in the outbox")
        for one in self.people + self.doomed:
            events = {}
            for event in self.receiver.taken(id=one.phone.id):
                events.setdefault(event.event_id, event)
            moments = [event.json["created_at"] for event in events.values()]
            assert moments == sorted(moments), "events of an enrollment out of order"
            told = [event.event for event in events.values() if event.topic == "mdm.Connect"]
            reports = [event["command_uuid"] for event in told if event["status"] == "Acknowledged"]
            idles = [event for event in told if event["status"] == "Idle"]
            assert one.answered <= set(reports), "an answer was not told"
            assert not one.erased or set(reports) == set(one.served), "the wipe was not told"
            assert len(idles) >= one.idles, "%d of %d idles were told" % (len(idles), one.idles)
            assert [event.topic for event in events.values()][:2] == ["mdm.Authenticate", "mdm.TokenUpdate"]


def test_children_that_die_each_second_lose_nothing(make_site, new_phone, apns, closing):
    scene = Scene(make_site, new_phone, closing(Receiver().start()))
    scene.start()
    for _ in range(10):
        scene.progress(2)
        began = time.monotonic()
        scene.site.httpd.kill_child(random.choice(scene.site.httpd.children()))
        scene.bosses[0].over.wait(max(0, 1 - (time.monotonic() - began)))
    scene.progress(5)
    scene.end()
    scene.check(apns)


def test_a_power_cut_loses_nothing(make_site, new_phone, apns, closing):
    scene = Scene(make_site, new_phone, closing(Receiver().start()))
    scene.start()
    scene.progress(20)
    scene.site.httpd.kill()
    scene.site.start_again()
    scene.progress(20)
    scene.end()
    scene.check(apns)
