# SPDX-License-Identifier: Apache-2.0
"""Hostile bodies: too large 413, not an acceptable property list 400, whoever sends them; no state changed and
the children alive. The same bodies go to check-in, connect and the command API."""

import os
import plistlib
import socket
import ssl
import time

import pytest

from . import devices

HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
DOCTYPE = (b'<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" '
           b'"http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n')


def plist(inner, head=HEAD, doctype=DOCTYPE):
    return head + doctype + b'<plist version="1.0">' + inner + b"</plist>"


def nested(depth, kind=b"array"):
    if kind == b"array":
        return plist(b"<array>" * depth + b"</array>" * depth)
    return plist(b"<dict><key>k</key>" * depth + b"<true/>" + b"</dict>" * depth)


IDLE = b"<dict><key>Status</key><string>Idle</string><key>UDID</key><string>%s</string>"
HOSTILE = {
    "empty": b"",
    "text": b"hello",
    "json": b'{"Status":"Idle"}',
    "binary-plist-cut-off": plistlib.dumps({"Status": "Idle", "UDID": "x"}, fmt=plistlib.FMT_BINARY)[:-1],
    "openstep-plist": b'{ Status = Idle; UDID = "x"; }',
    "html": b"<html><body/></html>",
    "nul-bytes": plist(IDLE % b"a\0b" + b"</dict>"),
    "only-nul": b"\0" * 1000,
    "random": os.urandom(2000),
    "cut-off": plist(IDLE % b"x" + b"</dict>")[:-20],
    "unclosed": plist(b"<dict><key>a"),
    "trailing": plist(IDLE % b"x" + b"</dict>") + b"<plist/>",
    "two-roots": plist(IDLE % b"x" + b"</dict><dict/>"),
    "no-root": plist(b""),
    "root-is-array": plist(b"<array/>"),
    "root-is-string": plist(b"<string>Idle</string>"),
    "not-plist": HEAD + IDLE % b"x" + b"</dict>",
    "invalid-utf8": plist(IDLE % b"\xff\xfe" + b"</dict>"),
    "utf16": plist(IDLE % b"x" + b"</dict>", b"").decode().encode("utf-16"),
    "encoding-lie": plist(IDLE % b"x" + b"</dict>", b'<?xml version="1.0" encoding="UTF-16"?>'),
    "strange-encoding": plist(IDLE % b"x" + b"</dict>", b'<?xml version="1.0" encoding="UTF-7"?>'),
    "internal-subset": plist(IDLE % b"x" + b"</dict>", doctype=b"<!DOCTYPE plist [ ]>"),
    "element-declaration": plist(IDLE % b"x" + b"</dict>",
                                 doctype=b"<!DOCTYPE plist [ <!ELEMENT plist ANY> ]>"),
    "internal-entity": plist(IDLE % b"&u;" + b"</dict>", doctype=b'<!DOCTYPE plist [ <!ENTITY u "x"> ]>'),
    "external-entity": plist(IDLE % b"&u;" + b"</dict>",
                             doctype=b'<!DOCTYPE plist [ <!ENTITY u SYSTEM "file:///etc/passwd"> ]>'),
    "parameter-entity": plist(IDLE % b"x" + b"</dict>",
                              doctype=b'<!DOCTYPE plist [ <!ENTITY % p SYSTEM "file:///etc/passwd"> %p; ]>'),
    "undeclared-entity": plist(IDLE % b"&nbsp;" + b"</dict>"),
    "billion-laughs": plist(IDLE % b"&i;" + b"</dict>", doctype=b"<!DOCTYPE plist [<!ENTITY a \"aaaaaaaaaa\">" + b"".join(
        b'<!ENTITY %c "%s">' % (c, (b"&%c;" % (c - 1)) * 10) for c in range(ord("b"), ord("j"))) + b"]>"),
    "xinclude": plist(IDLE % (b'x<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>')
                      + b"</dict>"),
    "depth-65-array": nested(65),
    "depth-65-dict": nested(65, b"dict"),
    "depth-65-in-a-message": plist(IDLE % b"x" + b"<key>a</key>" + b"<array>" * 64 + b"</array>" * 64 + b"</dict>"),
    "depth-100000": nested(100000),
    "duplicate-key": plist(IDLE % b"x" + b"<key>Status</key><string>Acknowledged</string></dict>"),
    "duplicate-key-below": plist(IDLE % b"x" + b"<key>a</key><dict><key>b</key><true/><key>b</key><false/></dict></dict>"),
    "key-without-value": plist(IDLE % b"x" + b"<key>a</key></dict>"),
    "value-without-key": plist(IDLE % b"x" + b"<true/></dict>"),
    "key-in-array": plist(IDLE % b"x" + b"<key>a</key><array><key>b</key></array></dict>"),
    "text-between": plist(IDLE % b"x" + b"text</dict>"),
    "unknown-element": plist(IDLE % b"x" + b"<key>a</key><null/></dict>"),
    "attribute": plist(IDLE % b'x</string><key>a</key><string id="1">' + b"</dict>"),
    "element-in-string": plist(IDLE % b"x<b>y</b>" + b"</dict>"),
    "bad-integer": plist(IDLE % b"x" + b"<key>a</key><integer>1x</integer></dict>"),
    "huge-integer": plist(IDLE % b"x" + b"<key>a</key><integer>99999999999999999999999999</integer></dict>"),
    "bad-real": plist(IDLE % b"x" + b"<key>a</key><real>one</real></dict>"),
    "bad-date": plist(IDLE % b"x" + b"<key>a</key><date>yesterday</date></dict>"),
    "bad-data": plist(IDLE % b"x" + b"<key>a</key><data>!!!</data></dict>"),
    "processing-instruction-bomb": HEAD * 2 + plist(IDLE % b"x" + b"</dict>"),
    "too-many-nodes": plist(IDLE % b"x" + b"<key>a</key><array>" + b"<true/>" * 210000 + b"</array></dict>"),
    "wide-and-slow": plist(b"<dict>" + b"".join(b"<key>%d</key><true/>" % i for i in range(90000)) + b"</dict>"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_property_lists_are_400_on_check_in_and_connect(site, steady_phone, name):
    body = HOSTILE[name].replace(b">x<", b">%s<" % steady_phone.udid.encode(), 1)
    before = site.show(steady_phone.id)
    for url in (steady_phone.server_url, steady_phone.checkin_url):
        for mode in ("tls", "signature"):
            began = time.monotonic()
            reply = steady_phone.put(url, body, identity=mode)
            assert reply.status == 400, (url, mode, reply)
            assert time.monotonic() - began < 5
            assert b"passwd" not in reply.body and b"root:" not in reply.body
    after = site.show(steady_phone.id)
    assert {key: value for key, value in before.items() if not key.startswith("last_")} == \
        {key: value for key, value in after.items() if not key.startswith("last_")}


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - {"empty"}))
def test_hostile_commands_are_refused_by_the_api(site, steady_phone, name):
    reply = site.enqueue(steady_phone.id, HOSTILE[name], nopush=True)
    assert reply.status == 500, reply
    assert reply.json["command_error"]
    assert site.queue_uuids(steady_phone.id) == []


def test_depth_64_is_still_fine(site, steady_phone):
    body = plist(IDLE % steady_phone.udid.encode() + b"<key>a</key>" + b"<array>" * 63 + b"</array>" * 63 + b"</dict>")
    assert steady_phone.put(steady_phone.server_url, body).status == 200


def test_apples_doctype_a_bom_and_comments_are_fine(site, steady_phone):
    inner = IDLE % steady_phone.udid.encode() + b"<!-- a comment --></dict>"
    for body in (plist(inner), b"\xef\xbb\xbf" + plist(inner), plist(inner, doctype=b""),
                 plist(inner, b"")):
        assert steady_phone.put(steady_phone.server_url, body).status == 200, body


# sizes

@pytest.mark.mpm
def test_a_body_over_the_limit_is_413(site, steady_phone):
    big = b"x" * (4 * 1024 * 1024 + 1)
    for url in (steady_phone.server_url, steady_phone.checkin_url):
        assert steady_phone.put(url, big).status == 413
    assert site.api("PUT", "/v1/enqueue/" + steady_phone.id, big).status == 413
    assert steady_phone.idle().status == 200


def test_a_body_just_under_the_limit_is_taken(site, phone):
    command_uuid, body = devices.command()
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    report = {**phone.identifiers(), "Status": "Acknowledged", "CommandUUID": command_uuid,
              "InstalledApplicationList": "y" * (4 * 1024 * 1024 - 2000)}
    assert phone.put(phone.server_url, plistlib.dumps(report)).status == 200
    assert "Acknowledged" in str(site.show_command(command_uuid))[:3000]


def test_mdmlimitrequestbody_of_a_location(site, steady_phone):
    url = site.at("/mdm/connect-small")
    body = plistlib.dumps({**steady_phone.identifiers(), "Status": "Idle"})
    assert steady_phone.put(url, body).status == 200
    assert steady_phone.put(url, body + b" " * 2048).status == 413


class Chunked:
    """A raw TLS connection, for bodies that no library sends."""

    def __init__(self, site, phone):
        context = ssl.create_default_context(cafile=site.keys.tls_ca_file)
        context.load_cert_chain(phone.state_dir + "/identity.pem", phone.state_dir + "/identity.key")
        plain = socket.create_connection(("127.0.0.1", site.port), timeout=20)
        self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.host = "127.0.0.1:%d" % site.port

    def send(self, head, *parts):
        self.socket.sendall(b"PUT /mdm/connect HTTP/1.1\r\nHost: " + self.host.encode() + b"\r\n" + head + b"\r\n")
        try:
            for part in parts:
                self.socket.sendall(part)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            pass

    def status(self):
        data = b""
        try:
            while b"\r\n" not in data:
                more = self.socket.recv(65536)
                if not more:
                    break
                data += more
        except (ConnectionResetError, ssl.SSLError):
            pass
        self.socket.close()
        return int(data.split()[1]) if data.startswith(b"HTTP/") else None


def test_a_chunked_body_over_the_limit_is_413(site, steady_phone):
    raw = Chunked(site, steady_phone)
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    raw.send(b"Transfer-Encoding: chunked\r\n", *([chunk] * 80), b"0\r\n\r\n")
    assert raw.status() in (413, None)
    assert steady_phone.idle().status == 200


def test_a_chunked_body_within_the_limit_is_taken(site, steady_phone):
    raw = Chunked(site, steady_phone)
    body = plistlib.dumps({**steady_phone.identifiers(), "Status": "Idle"})
    parts = [b"%x\r\n%s\r\n" % (len(body[at:at + 7]), body[at:at + 7]) for at in range(0, len(body), 7)]
    raw.send(b"Transfer-Encoding: chunked\r\n", *parts, b"0\r\n\r\n")
    assert raw.status() == 200


def test_a_body_that_ends_early_changes_nothing(site, steady_phone):
    raw = Chunked(site, steady_phone)
    raw.send(b"Content-Length: 5000\r\n", b"<?xml")
    raw.socket.close()
    assert steady_phone.idle().status == 200


def test_a_content_encoding_we_do_not_know_is_refused(site, steady_phone):
    import gzip
    body = plistlib.dumps({**steady_phone.identifiers(), "Status": "Idle"})
    reply = steady_phone.put(steady_phone.server_url, gzip.compress(body), {"Content-Encoding": "gzip"})
    assert reply.status in (400, 415)


def test_refusals_show_neither_values_nor_internals(site, steady_phone):
    body = plistlib.dumps({**steady_phone.identifiers(), "Status": {"secret-value": "s3cr3t"}})
    reply = steady_phone.put(steady_phone.server_url, body)
    assert reply.status == 400
    assert b"s3cr3t" not in reply.body and b"SELECT" not in reply.body


def test_hostile_texts_are_stored_and_shown_as_text(site, new_device):
    device = devices.identity(site, new_device(site, name="<script>alert('x')</script> \"&\u202e\u0007x"[:40]
                                               .replace("\u0007", "")))
    device.authenticate({"Model": "'; DROP TABLE mdm_enrollment; --", "OSVersion": "%s%n\\x00?"})
    device.token_update()
    shown = site.show(device.id)
    assert shown["model"] == "'; DROP TABLE mdm_enrollment; --"
    assert shown["os_version"] == "%s%n\\x00?"
    assert "<script>" in shown["device_name"]
    assert "<script>alert" not in site.http.get(site.at("/mdm-status")).text


@pytest.mark.parametrize("udid", ["a,b", "a/b", "a b", "a%2Cb", "ä€🏥", "../../etc", "'\"<>&", "x" * 255, "?x=1", "#"])
def test_strange_udids_work_like_any_other(site, new_device, udid):
    device = new_device(site, udid=udid + (new_device(site).udid if len(udid) < 20 else ""))
    devices.identity(site, device, site.challenge())
    reply = device.authenticate(check=False)
    assert reply.status in (200, 400)
    if reply.status == 200:
        device.token_update()
        assert device.idle().status == 200
