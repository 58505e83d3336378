# SPDX-License-Identifier: Apache-2.0
"""A loopback HTTP server that stands for the device's side of a push: POST /wake makes a channel connect.
One server can serve many channels; the body {"magic": …} picks one, as a push does."""

import http.server
import json
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


class WakeServer:
    """Wakes channels. on_event(name, channel, details) hears "woken", "connected" and "failed".

    Wake-ups that come while a channel is connecting are joined into one more connection."""

    def __init__(self, *channels, on_event=None, threads=8, port=0):
        self.on_event = on_event or (lambda name, channel, details: None)
        self._channels, self._state = {}, {}
        self._changed = threading.Condition()
        self._pool = ThreadPoolExecutor(threads)
        self.failures = []
        self._server = _Server(("127.0.0.1", port), _handler_for(self))
        self.url = "http://127.0.0.1:%d/wake" % self._server.server_port
        for channel in channels:
            self.add(channel)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._pool.shutdown(wait=True)

    def add(self, channel):
        """Serve another channel (its push magic is looked up at each wake-up, so it may change)."""
        with self._changed:
            self._channels[id(channel)] = channel
            self._state[id(channel)] = {"running": False, "again": False, "count": 0}

    def register(self, control_url):
        """Tell an APNs mock (its control URL) to wake our channels by their magic."""
        for channel in list(self._channels.values()):
            body = json.dumps({"magic": channel.push_magic, "url": self.url}).encode()
            call = urllib.request.Request(control_url.rstrip("/") + "/wake", body, method="POST")
            urllib.request.urlopen(call, timeout=10).close()

    def wake(self, magic=None):
        """Wake the channel with this magic (all, when None). Returns how many were woken."""
        woken = 0
        with self._changed:
            for key, channel in self._channels.items():
                if magic is not None and channel.push_magic != magic:
                    continue
                woken += 1
                state = self._state[key]
                state["again"] = state["running"]
                if not state["running"]:
                    state["running"] = True
                    self._pool.submit(self._connect, key, channel)
        return woken

    def _connect(self, key, channel):
        state = self._state[key]
        while True:
            self.on_event("woken", channel, {})
            try:
                done = channel.connect()
                self.on_event("connected", channel, {"executed": done})
            except Exception as problem:  # a device that fails must not take the others along
                self.failures.append(problem)
                self.on_event("failed", channel, {"problem": str(problem)})
            with self._changed:
                state["count"] += 1
                again, state["again"] = state["again"], False
                state["running"] = again
                self._changed.notify_all()
            if not again:
                return

    def count(self, channel):
        """How many connections this channel has made after wake-ups."""
        with self._changed:
            return self._state[id(channel)]["count"]

    def wait(self, channel, count=1, timeout=20):
        """Wait until the channel has connected `count` times and is at rest. Returns whether it has."""
        state = self._state[id(channel)]
        with self._changed:
            return self._changed.wait_for(lambda: state["count"] >= count and not state["running"], timeout)


def _handler_for(server):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                magic = json.loads(data).get("magic") if data else None
            except ValueError:
                magic = None
            woken = server.wake(magic)
            self.send_response(202 if woken else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass
    return Handler
