# SPDX-License-Identifier: Apache-2.0
"""v1/escrowkeyunlock against a stand-in of Apple's service that demands the topic's push certificate."""

import http.server
import ssl
import threading
import urllib.parse

import pytest

from .keys import TOPIC

FORM = {"topic": TOPIC, "serial": "C02ABC", "productType": "iPhone14,2", "escrowKey": "SECRET-KEY/1 +&", "orgName": "Ärzte & Co",
        "guid": "G-1", "imei": "35 1", "imei2": "35 2", "meid": "A0+1", "other": "ignored"}
TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


class Apple:
    """What it was asked is in asked; what it answers is in answer: (status, headers, body)."""

    def __init__(self, keys):
        self.asked, self.answer = [], (200, {"Content-Type": "application/json"}, b'{"ok":1}')
        apple = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                apple.asked.append((self.path, dict(self.headers), body, self.connection.getpeercert()))
                status, headers, text = apple.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys.server_file, keys.server_key_file)
        context.load_verify_locations(keys.push_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = "https://127.0.0.1:%d/unlock" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def apple(keys, closing):
    return closing(Apple(keys))


@pytest.fixture
def site(make_site, apple, keys):
    site = make_site(directives={"MDMEscrowKeyUnlockURL": apple.url, "MDMAPNSURL": None,
                                 "MDMAPNSCAFile": keys.tls_ca_file}).start()
    site.upload_push_certificate()
    return site


def unlock(site, form=None, **changed):
    form = {**(FORM if form is None else form), **changed}
    return site.api("POST", "/v1/escrowkeyunlock",
                    urllib.parse.urlencode({k: v for k, v in form.items() if v is not None}).encode(), TYPE)


def test_2_6_apples_answer_is_passed_through(site, apple):
    reply = unlock(site)
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "application/json", b'{"ok":1}')
    path, headers, body, who = apple.asked[0]
    assert (("userId", TOPIC),) in who["subject"]
    where = urllib.parse.urlsplit(path)
    assert where.path == "/unlock"
    assert urllib.parse.parse_qs(where.query) == {"serial": ["C02ABC"], "productType": ["iPhone14,2"], "imei": ["35 1"],
                                                   "imei2": ["35 2"], "meid": ["A0+1"]}
    assert urllib.parse.parse_qs(body.decode()) == {"orgName": ["Ärzte & Co"], "guid": ["G-1"],
                                                    "escrowKey": ["SECRET-KEY/1 +&"]}
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    for status, kind, text in ((404, "text/plain", b"no such device"), (400, "text/xml", b"<x/>"), (500, "text/html", b"oh")):
        apple.answer = status, {"Content-Type": kind, "Set-Cookie": "a=b"}, text
        reply = unlock(site)
        assert (reply.status, reply.content_type, reply.body) == (status, kind, text)
        assert "Set-Cookie" not in reply.headers
    events = site.database.sql("SELECT object, detail FROM mdm_event WHERE kind = 'escrowkey.unlock' ORDER BY id")
    assert [list(one) for one in events] == [["C02ABC", "%s: HTTP %d" % (TOPIC, n)] for n in (200, 404, 400, 500)]
    assert "SECRET-KEY" not in site.log.text() and "SECRET" not in str(events)


@pytest.mark.once
def test_2_6_forms_that_lack_something_are_400(site, apple):
    for name in ("topic", "serial", "productType", "escrowKey", "orgName", "guid"):
        for value in (None, ""):
            reply = unlock(site, **{name: value})
            assert reply.status == 400 and name in reply.json["error"], reply
    good = urllib.parse.urlencode({key: value for key, value in FORM.items() if key not in ("imei2", "meid")})
    for bad in ("", "garbage", "%", good + "&imei2=%zz", good + "&meid=%00", good + "&meid=%ff", good + "&meid=" + "x" * 2000,
                good + "&a=b" * 100, "\0" + good, "{}"):
        reply = site.api("POST", "/v1/escrowkeyunlock", bad.encode(), TYPE)
        assert reply.status == 400 and list(reply.json) == ["error"], (bad[-60:], reply)
    assert site.api("POST", "/v1/escrowkeyunlock", b"a=" + b"x" * 20000, TYPE).status == 413
    assert site.api("GET", "/v1/escrowkeyunlock").status == 405
    assert site.api("POST", "/v1/escrowkeyunlock", good.encode(), TYPE, user=None).status == 401
    assert not apple.asked
    assert unlock(site, FORM, imei=None, imei2=None, meid=None).status == 200, "these are optional"
    assert set(urllib.parse.parse_qs(urllib.parse.urlsplit(apple.asked[0][0]).query)) == {"serial", "productType"}


@pytest.mark.once
def test_2_6_failures_of_our_own_are_500(site, apple):
    site.log.expect(r"\[mdm:error\]")
    reply = unlock(site, topic="com.apple.mgmt.External.unknown")
    assert reply.status == 500 and "unknown" in reply.json["error"]
    apple.answer = 200, {}, b"x" * (1024 * 1024 + 1)
    assert unlock(site).status == 500
    apple.close()
    reply = unlock(site)
    assert reply.status == 500 and list(reply.json) == ["error"]
    assert "SECRET" not in reply.text and "SECRET-KEY" not in site.log.text()
