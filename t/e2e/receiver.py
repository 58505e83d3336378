# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks on loopback: keeps what comes, answers as told. One thread per connection."""

import http.server
import json
import threading
import time

from .httpd import free_port, wait_until


class Received:
    """One request."""

    def __init__(self, path, headers, body, status):
        self.path, self.headers, self.body, self.status, self.time = path, headers, body, status, time.time()
        self.json = json.loads(body)
        self.topic, self.event_id = self.json["topic"], self.json.get("event_id")
        self.event = self.json.get("checkin_event") or self.json.get("acknowledge_event")
        self.id = self.event["ids"]["id"]


class Receiver:
    """rule(received) gives the status: a number, or None to answer nothing at all."""

    def __init__(self, rule=None, port=None):
        self.rule, self.port, self.server = rule or (lambda one: 200), port or free_port(), None
        self.all, self.lock, self.over = [], threading.Lock(), threading.Event()
        self.url = "http://127.0.0.1:%d/events" % self.port

    def start(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                one = Received(self.path, self.headers, body, None)
                one.status = receiver.rule(one)
                with receiver.lock:
                    receiver.all.append(one)
                if one.status is None:
                    receiver.over.wait(60)
                    self.close_connection = True
                    return
                self.send_response(one.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self.over.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
        self.server = None

    close = stop

    def taken(self, id=None, topic=None):
        """What was answered 200, in order of arrival."""
        with self.lock:
            return [one for one in self.all if one.status == 200 and id in (None, one.id)
                    and topic in (None, one.topic)]

    def wait(self, count, timeout=20, **which):
        wait_until(lambda: len(self.taken(**which)) >= count, timeout, "%d events %s" % (count, which))
        return self.taken(**which)
