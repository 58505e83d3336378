# SPDX-License-Identifier: Apache-2.0
"""Apple or a receiver of webhooks is away, in each way that a peer can be away: devices do not notice, and afterwards
everything is delivered."""

import select
import socket
import threading
import time

import pytest
from mdmsim.apns import ApnsMock

from . import devices
from .httpd import free_port, wait_until
from .receiver import Receiver

ROUNDS = 40
SLOW = 0.1


class Line:
    """The way to a server on loopback, which can be disturbed: a relay that passes on what both sides say."""

    def __init__(self, to_port):
        self.to_port, self.port, self.mode, self.listener = to_port, free_port(), "refuse", None
        self.sockets, self.threads, self.over = [], [], False
        self.lock, self.tried = threading.Lock(), 0

    def set(self, mode):
        """pass; refuse: nobody listens; nonsense: no TLS; stall: nothing is said; half-open: what stands stays silent."""
        self.mode = mode
        if mode in ("refuse", "nonsense", "stall"):
            self.cut()
        if mode == "refuse" and self.listener:
            self.listener.close()
            self.listener = None
        if mode != "refuse" and not self.listener:
            self.listener = socket.create_server(("127.0.0.1", self.port))
            self.listener.settimeout(0.05)
            threading.Thread(target=self.listen, args=(self.listener,), daemon=True).start()

    def cut(self):
        with self.lock:
            for one in self.sockets:
                one.close()
            self.sockets.clear()

    def listen(self, listener):
        while not self.over:
            try:
                here = listener.accept()[0]
            except TimeoutError:
                continue
            except OSError:
                return
            self.tried += 1
            with self.lock:
                self.sockets.append(here)
            if self.mode == "nonsense":
                here.sendall(b"220 this is something else\r\n" * 10)
                here.close()
            elif self.mode == "pass":
                there = socket.create_connection(("127.0.0.1", self.to_port))
                with self.lock:
                    self.sockets.append(there)
                threading.Thread(target=self.relay, args=(here, there), daemon=True).start()

    def relay(self, here, there):
        try:
            while not self.over:
                for one in select.select([here, there], [], [], 0.05)[0]:
                    data = one.recv(65536)
                    if not data:
                        raise OSError
                    if self.mode == "pass":
                        (there if one is here else here).sendall(data)
        except (OSError, ValueError):
            here.close()
            there.close()

    def close(self):
        self.over = True
        self.cut()
        if self.listener:
            self.listener.close()


@pytest.fixture
def scene(make_site, keys, closing):
    """A site whose APNs and whose receiver of webhooks are at the end of lines."""
    with ApnsMock(client_ca=keys.push_ca_file) as mock:
        receiver = closing(Receiver().start())
        lines = closing(Line(int(mock.url.rsplit(":", 1)[1]))), closing(Line(receiver.port))
        for line in lines:
            line.set("pass")
        site = make_site(apns=mock, directives={"MDMAPNSURL": "https://127.0.0.1:%d" % lines[0].port})
        site.locations += "\n  MDMWebhookURL http://127.0.0.1:%d/events" % lines[1].port
        site.log.expect(r"MDM06\d\d")
        site.start()
        site.upload_push_certificate()
        yield site, mock, receiver, lines
        for line in lines:
            line.close()


def percentile(phones, measured=95):
    """Seconds within which so many of a hundred requests of devices are answered, several devices at a time."""
    times, wrong = [], []

    def ask(phone):
        try:
            for _ in range(ROUNDS):
                began = time.monotonic()
                reply = phone.idle()
                times.append(time.monotonic() - began)
                assert reply.status == 200, reply
        except Exception as problem:
            wrong.append(problem)
    threads = [threading.Thread(target=ask, args=(phone,)) for phone in phones]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not wrong, wrong
    return sorted(times)[len(times) * measured // 100]


@pytest.mark.once
@pytest.mark.parametrize("mode", ["refuse", "nonsense", "stall", "half-open", "closed window"])
def test_devices_do_not_notice_that_apns_is_away(scene, new_phone, mode):
    site, mock, receiver, (line, _) = scene
    phones = [new_phone(site) for _ in range(3)]
    wished = []
    for phone in phones:
        assert site.enqueue(phone.id, devices.command("ProfileList")[1]).status == 200
        mock.wait_pushes(1, magic=phone.push_magic)
        phone.connect()
    usual = percentile(phones)
    mock.clear()
    tried = line.tried
    if mode == "closed window":
        mock.limit_window(0, 1)
        line.cut()
    else:
        line.set(mode)
    for phone in phones:
        wished.append(devices.command("ProfileList"))
        began = time.monotonic()
        assert site.enqueue(phone.id, wished[-1][1]).status == 200
        assert time.monotonic() - began < 1
    if mode in ("nonsense", "stall", "closed window"):
        wait_until(lambda: line.tried > tried, what="a try to get through")
    assert percentile(phones) <= max(2 * usual, SLOW)
    mock.limit_window(0, 0)
    line.set("pass")
    line.cut()
    for phone in phones:
        mock.wait_pushes(1, magic=phone.push_magic, timeout=60)
    assert [[one.uuid for one in phone.connect()] for phone in phones] == [[one] for one, _ in wished]
    receiver.wait(1, topic="mdm.Connect")


@pytest.mark.once
@pytest.mark.parametrize("mode", ["refuse", "stall", "half-open"])
def test_neither_devices_nor_pushes_notice_that_a_receiver_is_away(scene, new_phone, mode):
    site, mock, receiver, (_, line) = scene
    phones = [new_phone(site) for _ in range(3)]
    receiver.wait(6)
    usual = percentile(phones)
    receiver.wait(6 + 3 * ROUNDS)
    line.set(mode)
    assert percentile(phones) <= max(2 * usual, SLOW)
    mock.clear()
    for phone in phones:
        assert site.enqueue(phone.id, devices.command("ProfileList")[1]).status == 200
        mock.wait_pushes(1, magic=phone.push_magic, timeout=5)
    line.set("pass")
    line.cut()
    receiver.wait(6 + 6 * ROUNDS, timeout=60)
    events = {one.event_id: one.json["created_at"] for one in receiver.taken(id=phones[0].id)}
    assert list(events.values()) == sorted(events.values())
