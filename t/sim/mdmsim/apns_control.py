# SPDX-License-Identifier: Apache-2.0
"""The mock's control port (plain HTTP with JSON, loopback) and its clients: ApnsControl speaks to a running
mock, ApnsProcess also starts one as a program. Both have the methods of ApnsMock."""

import asyncio
import json
import os
import subprocess
import sys
import time
import types
import urllib.error
import urllib.parse
import urllib.request

PROGRAM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "apns")


async def serve(mock, port):
    """Listen on the control port of a mock."""
    async def handle(reader, writer):
        try:
            while await _one_request(mock, reader, writer):
                pass
        except (OSError, ValueError, IndexError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
    return await asyncio.start_server(handle, "127.0.0.1", port)


async def _one_request(mock, reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    fields = dict(line.lower().split(":", 1) for line in head[1:] if ":" in line)
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    parts = urllib.parse.urlsplit(target)
    query = dict(urllib.parse.parse_qsl(parts.query))
    try:
        status, content = await _dispatch(mock, method, parts.path, query, json.loads(body) if body else {})
    except (ValueError, TypeError, KeyError) as problem:
        status, content = 400, {"error": str(problem)}
    data = json.dumps(content).encode() + b"\n"
    writer.write(b"HTTP/1.1 %d -\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                 % (status, len(data)) + data)
    await writer.drain()
    return fields.get("connection", "").strip() != "close"


async def _dispatch(mock, method, path, query, body):
    handler = _ROUTES.get((method, path))
    if handler is None:
        return 404, {"error": "no such route", "routes": ["%s %s" % route for route in _ROUTES]}
    found = handler(mock, query, body)
    return 200, await found if asyncio.iscoroutine(found) else found


async def _pushes(mock, query, _body):
    """GET /pushes?magic=&token=&wait=N&timeout=S: waits for N pushes, gives what is there after S seconds."""
    end = time.monotonic() + float(query.get("timeout", 20))
    while True:
        found = mock.pushes(query.get("magic"), query.get("token"))
        if len(found) >= int(query.get("wait", 0)) or time.monotonic() >= end:
            return [push.as_dict() for push in found]
        await asyncio.sleep(0.02)


def _answers(mock, _query, body):
    for rule in body if isinstance(body, list) else [body]:
        mock.answer(**rule)
    return {"rules": mock.rules.as_list()}


_ROUTES = {
    ("GET", "/pushes"): _pushes,
    ("GET", "/stats"): lambda mock, query, body: mock.stats(),
    ("GET", "/connections"): lambda mock, query, body: mock.connection_list(),
    ("GET", "/ready"): lambda mock, query, body: mock.ready(),
    ("POST", "/answers"): _answers,
    ("POST", "/clear"): lambda mock, query, body: mock.clear(**body) or {},
    ("POST", "/wake"): lambda mock, query, body: mock.register_wake(body["magic"], body["url"]) or {},
    ("POST", "/trust"): lambda mock, query, body: mock.trust_client(body["pem"]) or {},
    ("POST", "/goaway"): lambda mock, query, body: {"connections": mock.goaway(**body)},
    ("POST", "/drop"): lambda mock, query, body: {"connections": mock.drop_connections()},
    ("POST", "/window"): lambda mock, query, body: mock.limit_window(int(body["octets"]), float(body["seconds"])) or {},
    ("POST", "/streams"): lambda mock, query, body: mock.limit_streams(int(body["max"])) or {},
}


class ApnsControl:
    """The methods of ApnsMock for a mock that runs elsewhere; pushes come as objects with the same names."""

    def __init__(self, control_url):
        self.control_url = control_url.rstrip("/")

    def _call(self, method, path, body=None, timeout=30):
        data = json.dumps(body).encode() if body is not None else None
        call = urllib.request.Request(self.control_url + path, data, method=method)
        try:
            with urllib.request.urlopen(call, timeout=timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            raise ValueError(problem.read().decode()) from None

    def pushes(self, magic=None, token=None, wait=0, timeout=20):
        query = {"magic": magic, "token": token, "wait": wait, "timeout": timeout}
        query = urllib.parse.urlencode({key: value for key, value in query.items() if value is not None})
        found = self._call("GET", "/pushes?" + query, timeout=timeout + 30)
        return [types.SimpleNamespace(**one) for one in found]

    def wait_pushes(self, count=1, timeout=20, magic=None, token=None):
        found = self.pushes(magic, token, count, timeout)
        if len(found) < count:
            raise AssertionError("%d of %d pushes within %s s" % (len(found), count, timeout))
        return found

    def answer(self, status=None, reason=None, token=None, magic=None, times=None, default=False, **options):
        rule = dict(status=status, reason=reason, token=token, magic=magic, times=times, default=default, **options)
        self._call("POST", "/answers", {key: value for key, value in rule.items() if value is not None})

    def clear(self, pushes=True, answers=True, wakes=False):
        self._call("POST", "/clear", {"pushes": pushes, "answers": answers, "wakes": wakes})

    def stats(self):
        return self._call("GET", "/stats")

    def connection_list(self):
        return self._call("GET", "/connections")

    def register_wake(self, magic, url):
        self._call("POST", "/wake", {"magic": magic, "url": url})

    def trust_client(self, pem_text):
        self._call("POST", "/trust", {"pem": pem_text})

    def goaway(self, reason="Shutdown", code=0):
        return self._call("POST", "/goaway", {"reason": reason, "code": code})["connections"]

    def drop_connections(self):
        return self._call("POST", "/drop", {})["connections"]

    def limit_streams(self, count):
        self._call("POST", "/streams", {"max": count})

    def limit_window(self, octets, seconds):
        self._call("POST", "/window", {"octets": octets, "seconds": seconds})


class ApnsProcess(ApnsControl):
    """Starts t/sim/apns with the given options as a child; a context manager, or start() and stop()."""

    def __init__(self, client_ca=(), options=()):
        self._options = list(options)
        for path in [client_ca] if isinstance(client_ca, (str, os.PathLike)) else client_ca:
            self._options += ["--client-ca", str(path)]
        self.process = None

    def start(self):
        self.process = subprocess.Popen([sys.executable, PROGRAM, *self._options], stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(10)
            raise RuntimeError("the APNs mock did not start")
        ready = json.loads(line)
        super().__init__(ready["control"])
        self.url, self.port, self.ca_file = ready["url"], ready["port"], ready["ca_file"]
        self.pid = self.process.pid
        return self

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process.stdout.close()
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
