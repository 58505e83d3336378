# SPDX-License-Identifier: Apache-2.0
"""Clients that take their time, to read what they asked for or to say what they want: nobody else waits for them, and
no database connection does."""

import base64
import hashlib
import json
import select
import socket
import ssl
import time

import pytest
from mdmsim import web

from .browser import Browser
from .site import PASSWORD, USER
from .test_enroll_page import PAGE, page_site

pytestmark = pytest.mark.once

ONE_CHILD = "StartServers 1\nServerLimit 1\nMaxRequestWorkers 16\nMinSpareThreads 1\nMaxSpareThreads 16\n"
GET_CRL = b"GET /mdm/crl HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
DIGEST = "{SHA}" + base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
SENT_AT_MOST = 64 * 1024 * 1024


def few_connections(site, most):
    """One child with so many connections to the database."""
    site.own.update({"DBDMin": "1", "DBDKeep": str(most), "DBDMax": str(most)})
    site.server_extra = ONE_CHILD
    return site


def line_to(site, window=None):
    """A connection by TLS; one with a window of few bytes to receive."""
    raw = socket.socket()
    if window:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    raw.settimeout(20)
    raw.connect(("127.0.0.1", site.port))
    return ssl.create_default_context(cafile=site.keys.tls_ca_file).wrap_socket(raw, server_hostname="127.0.0.1")


def ask_without_reading(line):
    """Send one GET after the other until the server takes no more."""
    line.setblocking(False)
    sent = 0
    while sent < SENT_AT_MOST:
        try:
            sent += line.send(GET_CRL * 50)
        except ssl.SSLWantWriteError:
            if not select.select([], [line], [], 1)[1]:
                return


def read_answers(line, count):
    """The status of so many answers."""
    found = []
    with line.makefile("rb") as stream:
        for _ in range(count):
            found.append(int(stream.readline().split()[1]))
            length = 0
            for header in iter(stream.readline, b"\r\n"):
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            assert len(stream.read(length)) == length
    return found


def answers_at_once(phone):
    began = time.monotonic()
    assert phone.idle().status == 200
    assert time.monotonic() - began < 2


def test_who_does_not_read_holds_no_database_connection(make_site, new_phone, closing):
    site = few_connections(make_site(mpm="event"), 2).start()
    site.upload_push_certificate()
    phone = new_phone(site)
    for _ in range(2):
        ask_without_reading(closing(line_to(site, 2048)))
    answers_at_once(phone)
    assert site.http.get(site.at("/mdm/crl")).status == 200


@pytest.mark.parametrize("mpm", ["worker", "event", "prefork"])
def test_requests_behind_each_other_do_not_wait_for_each_other(make_site, closing, mpm):
    site = make_site(mpm=mpm)
    few_connections(site, 4)
    if mpm == "prefork":
        site.server_extra = "StartServers 1\nMaxRequestWorkers 1\n"
    site.start()
    line = closing(line_to(site))
    line.sendall(GET_CRL * 8)
    assert read_answers(line, 8) == [200] * 8


def test_who_is_slow_with_a_form_holds_no_database_connection(make_site, new_phone, closing):
    site = few_connections(make_site(mpm="event"), 2).start()
    site.upload_push_certificate()
    phone = new_phone(site)
    site.stop()
    page_site(site).start_again()
    url = site.api("POST", "/v1/invitations", json.dumps({}).encode(), {"Content-Type": "application/json"}).json["url"]
    for _ in range(3):
        closing(line_to(site)).sendall(b"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 100\r\nUser-Agent: Mozilla/5.0 "
                                       b"(iPhone)\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nuser="
                                       % (url[len(site.url):].encode(), site.port))
    time.sleep(0.5)     # there is no sign of a request that waits
    answers_at_once(phone)


def test_passwords_in_the_same_database_need_no_second_connection(make_site, make_database, keys):
    """mod_authn_dbd takes a connection for as long as the request: with that one alone everything has to work."""
    query = ('    AuthDBDUserPWQuery "SELECT \'%s\' FROM mdm_meta WHERE name = \'schema_version\' AND %%%%s <> \'\'"\n'
             % DIGEST)
    site = page_site(make_site(mpm="event", database=make_database("pgsql")),
                     PAGE.replace("MDMAuthProvider file", "MDMAuthProvider dbd").replace(
                         '    AuthUserFile "%(folder)s/htpasswd"\n', query))
    site.locations = site.locations.replace("    Require ip 127.0.0.1\n", "    AuthType Basic\n    AuthName x\n"
                                            "    AuthBasicProvider dbd\n" + query + "    Require valid-user\n")
    site.modules.append("authn_dbd")
    few_connections(site, 1).start()
    invitation = site.api("POST", "/v1/invitations", json.dumps({}).encode(), {"Content-Type": "application/json"}).json
    browser = Browser(keys.tls_ca_file)
    page = browser.submit(browser.open(invitation["url"]), user=USER, password=PASSWORD)
    assert page.status == 200 and page.url == site.at("/mdm/enroll/status"), page
    reply = site.http.get(site.at("/mdm-status?json"), {"Authorization": web.basic_auth(USER, PASSWORD)})
    assert reply.status == 200 and "enrollments" in reply.json
