# SPDX-License-Identifier: Apache-2.0
"""A mock of Apple's push service: HTTP/2 over TLS with client certificates, scripted answers, wake-ups.

ApnsMock runs it in a thread of this process; ApnsProcess (apns_control) as a program of its own, which is what
a measurement wants."""

import asyncio
import collections
import os
import shutil
import socket
import ssl
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from cryptography import x509

from . import apns_control, h2server, pki
from .apns_rules import STATUS_OF, Answer, Push, Rules, check
from .apns_wake import Waker

PARTIAL_CHAIN = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN: a certificate may be its own trust anchor


class ApnsMock:
    """The mock. Start it with start() or as a context manager.

    client_ca: PEM file (or list of them) with the CAs, or the certificates themselves, that clients must show.
    tls_cert, tls_key: the server's; made fresh when absent, and ca_file is then what clients must trust.
    client_cert: "required", or "optional" (a push without certificate is refused with 403, unless
    anonymous_topic names the topic such clients may use: for load generators that can show none).
    wake_url: woken on every accepted push whose magic has no URL of its own; on_push: called with each
    accepted Push in a thread of the mock. keep: how many pushes are remembered (some
    2 kB each); the counts go on."""

    def __init__(self, client_ca=(), tls_cert=None, tls_key=None, port=0, control_port=0,
                 client_cert="required", anonymous_topic=None, max_concurrent_streams=1000,
                 wake_url=None, on_push=None, hosts=("localhost", "127.0.0.1"), keep=200000,
                 alpn=("h2",)):
        self.rules, self.lock = Rules(), threading.Lock()
        self.max_concurrent_streams, self.slow_window, self.on_push = max_concurrent_streams, None, on_push
        self.anonymous_topic = anonymous_topic
        self.port, self.control_port, self.keep = port, control_port, keep
        self.connections, self._open = [], {}
        self.violations = []
        self._folder = tempfile.mkdtemp(prefix="mdmsim-apns-")
        if tls_cert is None:
            tls_cert, tls_key, self.ca_file = self._make_certificate(hosts)
        else:
            self.ca_file = tls_cert
        self._context = self._tls(tls_cert, tls_key, client_ca, client_cert, alpn)
        self.waker = Waker(wake_url)
        self._callbacks = ThreadPoolExecutor(8) if on_push else None
        self._arrived = threading.Condition(self.lock)
        self._waiting = 0
        self._thread = None
        self._reset_counts()

    def _make_certificate(self, hosts):
        authority = pki.Authority("O=Mock, CN=Mock push service CA")
        certificate, key = authority.server_certificate(hosts)
        return (pki.write_pem(os.path.join(self._folder, "server.pem"), certificate),
                pki.write_pem(os.path.join(self._folder, "server.key"), key, private=True),
                pki.write_pem(os.path.join(self._folder, "ca.pem"), authority.certificate))

    @staticmethod
    def _tls(cert, key, client_ca, client_cert, alpn):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(cert, key)
        context.set_alpn_protocols(list(alpn))
        context.verify_mode = {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL}[client_cert]
        context.verify_flags |= PARTIAL_CHAIN
        for path in [client_ca] if isinstance(client_ca, (str, os.PathLike)) else client_ca:
            context.load_verify_locations(cafile=path)
        return context

    def _reset_counts(self):
        self._pushes = collections.deque(maxlen=self.keep)
        self._statuses = collections.Counter()
        self._received, self._pings, self._first, self._last = 0, 0, None, None

    # life

    def start(self):
        started = threading.Event()
        problems = []
        self._thread = threading.Thread(target=self._run, args=(started, problems), daemon=True)
        self._thread.start()
        started.wait()
        if problems:
            raise problems[0]
        return self

    def _run(self, started, problems):
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._listen())
        except Exception as problem:
            problems.append(problem)
            started.set()
            return
        started.set()
        self.loop.run_forever()
        self.loop.run_until_complete(self._end())
        self.loop.close()

    async def _listen(self):
        self._server = await self.loop.create_server(
            lambda: h2server.Connection(self, self.max_concurrent_streams, lambda: self.slow_window), "127.0.0.1", self.port,
            ssl=self._context, backlog=512, family=socket.AF_INET)
        self.port = self._server.sockets[0].getsockname()[1]
        self._control = await apns_control.serve(self, self.control_port)
        self.control_port = self._control.sockets[0].getsockname()[1]
        self.url = "https://localhost:%d" % self.port
        self.control_url = "http://127.0.0.1:%d" % self.control_port
        self.waker.start()

    async def _end(self):
        self._server.close()
        self._control.close()
        for connection in self._live():
            connection.abort()
        pending = asyncio.all_tasks() - {asyncio.current_task()}
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    def stop(self):
        if self._thread is not None and self._thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(10)
        if self._callbacks:
            self._callbacks.shutdown(wait=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def ready(self):
        """What a user of the program needs to know, as a dict."""
        return {"url": self.url, "port": self.port, "control": self.control_url,
                "control_port": self.control_port, "ca_file": self.ca_file, "pid": os.getpid()}

    # the tests' side; every method may be called from any thread

    def pushes(self, magic=None, token=None):
        """The received pushes as Push objects, refused ones too."""
        with self.lock:
            return [one for one in self._pushes if magic in (None, one.magic) and token in (None, one.token)]

    def wait_pushes(self, count=1, timeout=20, magic=None, token=None):
        """Wait for so many pushes (of this device); returns them, AssertionError after timeout seconds."""
        end = time.monotonic() + timeout
        with self._arrived:
            self._waiting += 1
            try:
                while True:
                    found = [one for one in self._pushes
                             if magic in (None, one.magic) and token in (None, one.token)]
                    if len(found) >= count:
                        return found
                    if not self._arrived.wait(end - time.monotonic()) and time.monotonic() >= end:
                        raise AssertionError("%d of %d pushes within %s s" % (len(found), count, timeout))
            finally:
                self._waiting -= 1

    def answer(self, status=None, reason=None, token=None, magic=None, times=None, default=False, **options):
        """Script an answer; see apns_rules.Answer for options and Rules.add for the targets."""
        answer = Answer(status, reason, **options)
        with self.lock:
            self.rules.add(answer, token, magic, times, default)

    def clear(self, pushes=True, answers=True, wakes=False):
        """Forget pushes and counts, scripted answers, wake URLs."""
        with self.lock:
            if pushes:
                self._reset_counts()
                self.violations = []
            if answers:
                self.rules.clear()
            if wakes:
                self.waker.urls = {}

    def connection_list(self):
        """One dict per connection since the start: number, topic, opened, closed, tls, requests, most_streams."""
        for connection in list(self._open.values()):
            self._note(connection)
        return [dict(note) for note in self.connections]

    def stats(self):
        connections = self.connection_list()
        with self.lock:
            span = (self._last - self._first) if self._first else 0
            return {"pushes": self._received, "statuses": {str(k): v for k, v in self._statuses.items()},
                    "rate": round(self._received / span, 1) if span > 0 else None, "seconds": round(span, 3),
                    "connections_opened": len(connections), "connections_open": len(self._live()),
                    "max_streams_seen": max((one["most_streams"] for one in connections), default=0),
                    "pings": self._pings, "violations": list(self.violations),
                    "wakes": self.waker.count, "wake_failures": self.waker.failures,
                    "rules": self.rules.as_list(), "cpu_seconds": round(time.process_time(), 3)}

    def register_wake(self, magic, url):
        """POST to this URL when a push with this magic is accepted."""
        self.waker.urls[magic] = url

    def trust_client(self, pem_text):
        """Accept client certificates by (or equal to) these as well, on new connections."""
        self._context.load_verify_locations(cadata=pem_text)

    def _live(self):
        """The connections in use; one that only waits for the peer's TLS goodbye is not."""
        return [one for one in list(self._open.values()) if not one.closing]

    def _in_loop(self, call):
        done, out = threading.Event(), []

        def run():
            try:
                out.append(call())
            finally:
                done.set()
        if threading.current_thread() is self._thread:
            return call()
        self.loop.call_soon_threadsafe(run)
        done.wait(10)
        return out[0] if out else None

    def goaway(self, reason="Shutdown", code=0):
        """Send GOAWAY on every connection; it closes when its requests are answered. Returns how many."""
        debug = Answer(reason=reason).response_body() if reason else b""
        return self._in_loop(lambda: len([one.goaway(code=code, debug=debug) for one in self._live()]))

    def drop_connections(self):
        """Cut every connection at once. Returns how many."""
        return self._in_loop(lambda: len([one.abort() for one in self._live()]))

    def limit_streams(self, count):
        """Change SETTINGS_MAX_CONCURRENT_STREAMS for present and new connections."""
        def change():
            self.max_concurrent_streams = count
            for one in self._live():
                one.change_limit(count)
        self._in_loop(change)

    def limit_window(self, octets, seconds):
        """New connections: every stream begins without a window and gets so many octets each so many seconds, 0: never
        any. Without seconds: windows as usual. Present connections that have begun so get another pace."""
        def change():
            self.slow_window = (octets, seconds) if seconds else None
            for one in self._live():
                if one.slow_window and seconds:
                    one.slow_window = self.slow_window
        self._in_loop(change)

    # the connections' side (h2server.Connection calls these in the loop's thread)

    def connection_opened(self, connection):
        connection.topic = self.anonymous_topic
        if connection.peer_certificate:
            connection.topic = pki.subject_uid(x509.load_der_x509_certificate(connection.peer_certificate))
        with self.lock:
            connection.number = len(self.connections) + 1
            self.connections.append({"number": connection.number, "topic": connection.topic,
                                     "opened": time.time(), "closed": None, "tls": connection.tls_version,
                                     "requests": 0, "most_streams": 0})
            self._open[connection.number] = connection

    def connection_refused(self, _connection, why):
        self.violations.append(why)

    def connection_closed(self, connection):
        if self._open.pop(getattr(connection, "number", None), None):
            self._note(connection)["closed"] = time.time()

    def _note(self, connection):
        note = self.connections[connection.number - 1]
        note["requests"], note["most_streams"] = connection.requests, connection.most_streams
        return note

    def protocol_violation(self, connection, text):
        self.violations.append("connection %d: %s" % (connection.number, text))

    def pinged(self, _connection):
        self._pings += 1

    def request(self, connection, stream, headers, body):
        push = Push()
        push.time, push.connection, push.stream = time.time(), connection.number, stream
        push.action = "answer"
        push.reason = reason = check(headers, body, connection.topic, push)
        answer = None
        if reason is not None:
            answer = Answer(STATUS_OF[reason], reason)
            self.violations.append("push refused: " + reason)
        with self.lock:
            if answer is None and self.rules.active:
                answer = self.rules.take(push.token, push.magic)
            push.status = 200
            if answer is not None:
                push.action = answer.action
                push.status = answer.status if answer.action in ("answer", "answer-goaway") else None
                push.reason = answer.reason
            self._count(push)
        if answer is None:
            connection.respond(stream, 200, (("apns-id", push.apns_id),))
            self._accepted(push)
        elif answer.delay:
            self.loop.call_later(answer.delay, self._act, connection, stream, push, answer)
        else:
            self._act(connection, stream, push, answer)

    def _count(self, push):
        if self._first is None:
            self._first = push.time
        self._last = push.time
        self._received += 1
        self._statuses[push.status or push.action] += 1
        self._pushes.append(push)
        if self._waiting:
            self._arrived.notify_all()

    def _act(self, connection, stream, push, answer):
        if connection.closing or answer.action == "silence":
            return
        if answer.action == "reset":
            connection.reset(stream, answer.code)
        elif answer.action == "close":
            connection.abort()
        elif answer.action == "goaway":
            connection.goaway(stream - 2 if stream > 2 else 0, debug=answer.response_body())
        else:
            connection.respond(stream, answer.status, answer.response_headers(push.apns_id),
                               answer.response_body())
            if answer.action == "answer-goaway":
                connection.goaway(stream, debug=b'{"reason":"Shutdown"}')
            if answer.status == 200:
                self._accepted(push)

    def _accepted(self, push):
        if self.waker.wanted:
            self.waker.wake(push)
        if self._callbacks:
            self._callbacks.submit(self.on_push, push)
