# SPDX-License-Identifier: Apache-2.0
"""MDMDeviceAuth: a Location of mod_proxy for enrolled devices only, with a small server behind it."""

import http.server
import re
import threading

import pytest
from mdmsim import channel

from . import devices
from .httpd import free_port

LOCATIONS = """
  <Location "/assets/">
    MDMDeviceAuth On
    ProxyPass "http://127.0.0.1:%(upstream)d/files/"
  </Location>
  <Location "/nothing/">
    MDMDeviceAuth On
    ProxyPass "http://127.0.0.1:%(nobody)d/"
  </Location>
  <Location "/both/">
    MDMDeviceAuth On
    Require ip 127.0.0.1
    RequestHeader set X-Seen yes
    ProxyPass "http://127.0.0.1:%(upstream)d/both/"
  </Location>
  <Location "/closed/">
    MDMDeviceAuth On
    Require all denied
  </Location>
  <Location "/open/">
    ProxyPass "http://127.0.0.1:%(upstream)d/open/"
  </Location>
"""


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/break"):
            self.close_connection = True
            return
        self.server.asked.append((self.command, self.path, list(self.headers.items()), body))
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"the file")

    do_POST = do_PUT = do_HEAD = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def upstream():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    server.daemon_threads, server.asked = True, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def site(make_site, upstream):
    site = make_site()
    site.modules += ["proxy", "proxy_http"]
    site.locations += LOCATIONS % {"upstream": upstream.server_address[1], "nobody": free_port()}
    site.start()
    site.upload_push_certificate()
    return site


def ask(phone, path, mode="signature", method="GET", body=None, headers=None, signature=None):
    """A request as Apple's devices make it: signed over no content."""
    headers = dict(headers or {})
    if mode == "signature":
        headers["Mdm-Signature"] = signature or phone.sign(b"")
    url = phone.server_url.replace("/mdm/connect", path)
    return phone.client(mode).request(method, url, body, headers)


def values(asked, name):
    return [value for key, value in asked[2] if key.lower() == name.lower()]


def refused(reply, status=400):
    assert reply.status == status, reply
    assert "WWW-Authenticate" not in reply.headers and b"the file" not in reply.body
    return True


@pytest.mark.mpm
@pytest.mark.parametrize("mode", ["tls", "signature"])
def test_row_17_an_enrolled_device_gets_in_and_the_server_behind_is_told_who_it_is(site, upstream, new_phone, mode):
    phone = new_phone(site)
    reply = ask(phone, "/assets/a%20b.pkg?x=1&y=%2F", mode)
    assert (reply.status, reply.body) == (200, b"the file")
    method, path, _, _ = asked = upstream.asked[-1]
    assert (method, path) == ("GET", "/files/a%20b.pkg?x=1&y=%2F")
    assert values(asked, "X-Enrollment-ID") == [phone.id]
    assert re.fullmatch("[0-9a-f]{16}", values(asked, "X-Trace-ID")[0])
    assert not values(asked, "Mdm-Signature")
    ask(phone, "/assets/x", mode)
    assert values(asked, "X-Trace-ID") != values(upstream.asked[-1], "X-Trace-ID")
    lines = [line for line in open(site.path("access.log")) if "/assets/" in line]
    assert {line.split()[-2] for line in lines} == {"1"}


def test_what_a_client_says_of_itself_is_dropped(site, upstream, new_phone):
    phone = new_phone(site)
    reply = ask(phone, "/assets/x", headers={"X-Enrollment-ID": "other", "x-enrollment-id ".strip(): "another",
                                             "X_Enrollment_ID": "a third", "X-Trace-ID": "mine", "X-Other": "kept"})
    assert reply.status == 200
    names = [(name, value) for name, value in upstream.asked[-1][2] if "nrollment" in name]
    assert names == [("X-Enrollment-ID", phone.id)]
    assert values(upstream.asked[-1], "X-Trace-ID") != ["mine"] and values(upstream.asked[-1], "X-Other") == ["kept"]


def test_row_17_without_a_certificate_that_counts_400(site, upstream, new_phone, new_device):
    phone = new_phone(site)
    assert refused(ask(phone, "/assets/x", "none"))
    assert refused(ask(phone, "/assets/x", signature="garbage"))
    assert refused(ask(phone, "/assets/x", signature=phone.sign(b"other content")))
    with phone.as_identity(*channel.other_identity()):
        assert refused(ask(phone, "/assets/x", "tls")) and refused(ask(phone, "/assets/x"))
    fresh = devices.identity(site, new_device(site))
    assert refused(ask(fresh, "/assets/x"))
    fresh.authenticate()
    assert refused(ask(fresh, "/assets/x"))
    fresh.token_update()
    assert ask(fresh, "/assets/x").status == 200
    assert len(upstream.asked) == 1


def test_an_enrollment_that_ended_and_a_revoked_certificate_get_400(site, upstream, new_phone):
    left, revoked = new_phone(site), new_phone(site)
    left.checkout()
    site.ctl("certificate", "revoke", "%032x" % revoked.certificate.serial_number)
    for mode in ("tls", "signature"):
        assert refused(ask(left, "/assets/x", mode)) and refused(ask(revoked, "/assets/x", mode))
    assert not upstream.asked


@pytest.mark.once
def test_a_signature_comes_without_a_body(site, upstream, new_phone):
    phone = new_phone(site)
    for signature in (phone.sign(b""), phone.sign(b"body")):
        assert refused(ask(phone, "/assets/x", method="PUT", body=b"body", signature=signature))
    assert not upstream.asked
    reply = ask(phone, "/assets/x", "tls", method="PUT", body=b"body")
    assert reply.status == 200 and upstream.asked[-1][3] == b"body"
    assert ask(phone, "/assets/x", method="HEAD").status == 200


@pytest.mark.once
def test_row_17_the_server_behind_being_down_is_mod_proxys_to_answer(site, upstream, new_phone):
    """503 when nobody listens there, 502 when the answer breaks off; those who may not ask learn of neither."""
    site.log.expect(r"proxy")
    phone = new_phone(site)
    assert ask(phone, "/assets/break").status == 502
    assert ask(phone, "/nothing/x").status == 503
    assert refused(ask(phone, "/nothing/x", "none"))


@pytest.mark.once
def test_other_checks_count_in_addition(site, upstream, new_phone):
    phone = new_phone(site)
    assert ask(phone, "/both/x").status == 200
    assert values(upstream.asked[-1], "X-Seen") == ["yes"]
    assert refused(ask(phone, "/closed/x"), 403)
    assert refused(ask(phone, "/both/x", "none"))


@pytest.mark.once
def test_other_locations_are_not_touched(site, upstream, new_phone):
    phone = new_phone(site)
    assert ask(phone, "/open/x", headers={"X-Enrollment-ID": "as it is"}).status == 200
    assert values(upstream.asked[-1], "X-Enrollment-ID") == ["as it is"]
    assert ask(phone, "/open/x", "none").status == 200


@pytest.mark.once
def test_an_identifier_that_no_header_can_carry_is_refused(site, upstream, new_device):
    device = devices.identity(site, new_device(site))
    device.udid = "a\r\nX-Admin: yes"
    if device.authenticate(check=False).status == 200:
        device.token_update()
    assert refused(ask(device, "/assets/x"))
    assert not upstream.asked


@pytest.mark.once
def test_a_header_of_a_listed_proxy_will_do(site, upstream, new_phone):
    import urllib.parse
    from mdmsim import pki
    site.own.update({"MDMClientCertHeader": "X-Client-Cert", "MDMClientCertProxy": "127.0.0.1"})
    site.stop()
    site.start_again()
    phone = new_phone(site)
    value = urllib.parse.quote(pki.pem(phone.certificate))
    assert ask(phone, "/assets/x", "none", headers={"X-Client-Cert": value}).status == 200
    assert ask(phone, "/assets/x", "none", method="POST", body=b"x", headers={"X-Client-Cert": value}).status == 200


@pytest.mark.once
def test_while_the_database_is_away_503(site, upstream, new_phone):
    import os
    phone = new_phone(site)
    assert ask(phone, "/assets/x").status == 200
    site.log.expect(r".")
    site.stop()
    os.rename(site.database.folder, site.database.folder + ".away")
    try:
        site.start_again()
        reply = ask(phone, "/assets/x")
        assert refused(reply, 503) and reply.headers["Retry-After"]
    finally:
        site.stop()
        os.rename(site.database.folder + ".away", site.database.folder)
        site.start_again()
    assert ask(phone, "/assets/x").status == 200
    assert len(upstream.asked) == 2
