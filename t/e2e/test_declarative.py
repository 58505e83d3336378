# SPDX-License-Identifier: Apache-2.0
"""DeclarativeManagement: passed on to another server, as NanoMDM's -dm does it."""

import base64
import hashlib
import hmac
import http.server
import json
import re
import threading

import pytest

from .httpd import wait_until

SEND, RECEIVE = b"key of what is sent", b"key of what comes back"


class Server(http.server.ThreadingHTTPServer):
    """Another declarative management server: answers what a test tells it, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self, sign=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.sign, self.asked, self.answers = sign, [], {}
        self.go_on = threading.Event()
        self.go_on.set()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    @property
    def url(self):
        return "http://127.0.0.1:%d/ddm/" % self.server_port

    def close(self):
        self.go_on.set()
        self.shutdown()
        self.server_close()
        self.thread.join()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, dict(self.headers.items()), body))
        assert self.server.go_on.wait(25)
        status, answer = self.server.answers.get(self.path, (404, b"no such thing"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        if status in (301, 302):
            self.send_header("Location", "http://127.0.0.1:%d/ddm/tokens" % self.server.server_port)
        if self.server.sign:
            self.send_header("X-Hmac-Signature", mac(self.server.sign, answer))
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_GET

    def log_message(self, *_):
        pass


def mac(key, body):
    return base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()


@pytest.fixture
def server(closing):
    return closing(Server())


@pytest.fixture
def declaring(make_site, server):
    """A site with that server, no HMAC."""
    site = make_site(directives={"MDMDeclarativeURL": server.url})
    site.start()
    site.upload_push_certificate()
    return site


@pytest.mark.once
def test_row_16_get_or_put_headers_and_bodies(declaring, server, new_phone):
    phone = new_phone(declaring)
    user = phone.user_channel()
    user.token_update()
    tokens = json.dumps({"SyncTokens": {"DeclarationsToken": "a", "Timestamp": "2026-01-31T08:00:00Z"}}).encode()
    server.answers["/ddm/tokens"] = 200, tokens
    reply = phone.declarative("tokens")
    assert reply.status == 200 and reply.body == tokens and reply.content_type == "application/json"
    method, path, headers, body = server.asked.pop()
    assert (method, path, body) == ("GET", "/ddm/tokens", b"")
    assert headers["X-Enrollment-ID"] == phone.udid and headers["X-Enrollment-Type"] == "Device"
    assert "X-Enrollment-ParentID" not in headers and "X-Hmac-Signature" not in headers
    assert re.fullmatch("[0-9a-f]{16}", headers["X-Trace-ID"])
    # a user channel, with its parent
    assert user.declarative("tokens").status == 200
    headers = server.asked.pop()[2]
    assert headers["X-Enrollment-ID"] == user.id and headers["X-Enrollment-Type"] == "User"
    assert headers["X-Enrollment-ParentID"] == phone.udid
    # a status report
    report = json.dumps({"StatusItems": {"device": {"model": {"family": "iPhone \u00e9"}}}, "Errors": []}).encode()
    server.answers["/ddm/status"] = 200, b""
    reply = phone.declarative("status", report)
    assert reply.status == 200 and reply.body == b""
    method, path, headers, body = server.asked.pop()
    assert (method, path, body) == ("PUT", "/ddm/status", report)
    assert headers["Content-Type"] == "application/json"
    # declarations, whatever they are called
    for name, seen in (("com.example.one-2_x", "com.example.one-2_x"), ("a b?c#d", "a%20b%3Fc%23d"),
                       ("a:b@c", "a%3Ab%40c")):
        server.answers["/ddm/declaration/configuration/" + seen] = 200, b"{}"
        assert phone.declarative("declaration/configuration/" + name).body == b"{}", name


@pytest.mark.once
def test_2_8_a_declaration_that_is_gone_is_404_and_other_failures_are_no_401(declaring, server, new_phone):
    phone = new_phone(declaring)
    declaring.log.expect("declarative management server", "answers with more than")
    assert phone.declarative("declaration/asset/gone").status == 404
    assert phone.declarative("tokens").status == 502
    for status in (401, 403, 500, 302, 301, 201):
        server.answers["/ddm/tokens"] = status, b"secret words"
        reply = phone.declarative("tokens")
        assert reply.status == 502 and b"secret" not in reply.body, (status, reply)
    server.answers["/ddm/tokens"] = 200, b"x" * (4 * 1024 * 1024 + 1)
    assert phone.declarative("tokens").status == 502
    server.answers["/ddm/tokens"] = 200, b"x" * (4 * 1024 * 1024)
    assert len(phone.declarative("tokens").body) == 4 * 1024 * 1024
    assert phone.idle().status == 200


@pytest.mark.once
@pytest.mark.parametrize("endpoint", ["", "/tokens", "../tokens", "declaration/../../x", "declaration/./x", "a//b",
                                      "tokens/", "http://127.0.0.1:1/x", "x\ny", "x\\y", "..", "x" * 2000, 5, None],
                         ids=lambda one: repr(one)[:30])
def test_an_endpoint_that_would_lead_elsewhere_is_400(declaring, server, new_phone, endpoint):
    phone = new_phone(declaring)
    message = {"MessageType": "DeclarativeManagement"}
    if endpoint is not None:
        message["Endpoint"] = endpoint
    assert phone.send_checkin(message).status == 400
    assert server.asked == []


@pytest.mark.once
@pytest.mark.parametrize("data", ["{}", 5, True, ["{}"], {"a": "b"}], ids=repr)
def test_data_that_is_none_is_400_and_no_question(declaring, server, new_phone, data):
    server.answers = {"/ddm/tokens": (200, b"{}"), "/ddm/status": (200, b"")}
    phone = new_phone(declaring)
    for endpoint in ("status", "tokens"):
        assert phone.declarative(endpoint, data).status == 400
    assert server.asked == []


@pytest.mark.once
def test_a_server_that_is_down_is_502_and_harms_nobody(declaring, server, new_phone):
    phone = new_phone(declaring)
    server.shutdown()
    server.server_close()
    declaring.log.expect("127.0.0.1")
    assert phone.declarative("tokens").status == 502
    assert phone.declarative("declaration/asset/x").status == 502
    assert phone.idle().status == 200


@pytest.mark.once
def test_who_waits_for_the_other_server_holds_no_database_connection(make_site, server, new_phone):
    site = make_site(mpm="event", directives={"MDMDeclarativeURL": server.url, "DBDMin": "1", "DBDKeep": "2",
                                              "DBDMax": "2"})
    site.server_extra = ("StartServers 1\nServerLimit 1\nMaxRequestWorkers 16\nMinSpareThreads 1\n"
                         "MaxSpareThreads 16\n")
    site.start()
    site.upload_push_certificate()
    slow, quick = [new_phone(site) for _ in range(4)], new_phone(site)
    server.answers["/ddm/tokens"] = 200, b"{}"
    server.go_on.clear()
    replies = []
    threads = [threading.Thread(target=lambda one=one: replies.append(one.declarative("tokens"))) for one in slow]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(server.asked) == len(slow), what="all questions")
    assert quick.idle().status == 200 and site.show(quick.id)["state"] == "enrolled"
    assert replies == []
    server.go_on.set()
    for thread in threads:
        thread.join()
    assert [reply.body for reply in replies] == [b"{}"] * len(slow)


@pytest.mark.once
def test_row_16_hmac_both_ways(make_site, closing, new_phone):
    server = closing(Server(RECEIVE))
    site = make_site(directives={"MDMDeclarativeURL": server.url})
    site.own["MDMDeclarativeKeyFile"] = site.write("send.key", SEND.decode() + "\n", 0o600)
    site.own["MDMDeclarativeAnswerKeyFile"] = site.write("receive.key", RECEIVE.decode() + "\n", 0o600)
    site.start()
    site.upload_push_certificate()
    phone = new_phone(site)
    server.answers = {"/ddm/tokens": (200, b"{\"a\": 1}"), "/ddm/status": (200, b"")}
    assert phone.declarative("tokens").body == b"{\"a\": 1}"
    assert server.asked[-1][2]["X-Hmac-Signature"] == mac(SEND, b"")
    assert phone.declarative("status", b"{}").status == 200
    assert server.asked[-1][2]["X-Hmac-Signature"] == mac(SEND, b"{}")
    site.log.expect("X-Hmac-Signature")
    for key in (None, SEND):
        server.sign = key
        reply = phone.declarative("tokens")
        assert reply.status == 502 and b"{" not in reply.body
    assert SEND.decode() not in site.log.text() and RECEIVE.decode() not in site.log.text()


@pytest.mark.once
def test_key_files_must_be_closed_to_others(make_site):
    site = make_site(directives={"MDMDeclarativeURL": "http://127.0.0.1:1/"})
    site.own["MDMDeclarativeKeyFile"] = site.write("send.key", "key\n", 0o644)
    site.log.expect("MDM0100")
    status, text = site.prepare().configtest()
    assert status != 0 and "chmod" in text and "send.key" in text
