# SPDX-License-Identifier: Apache-2.0
"""A table of hostile property lists, in XML and binary, and JSON, to every endpoint that takes any: an answer of 4xx
within 5 seconds, no growth of the children, no crash, and the site goes on. (NanoMDM's enqueue answers 500 to what is
no command; so do we, with command_error.)"""

import json
import plistlib
import struct
import time

import pytest
from mdmsim import channel, web

from . import devices
from .site import API_KEY
from .test_bad_input import HOSTILE, IDLE, plist

pytestmark = pytest.mark.once

SECONDS, GROWTH = 5, 50 * 1024 * 1024


def bplist(objects, ref_size=1, root=0, offset_size=4, **trailer):
    """A binary property list of encoded objects. trailer: fields with other values than the right ones."""
    out, offsets = b"bplist00", []
    for one in objects:
        offsets.append(len(out))
        out += one
    values = {"offset_size": offset_size, "ref_size": ref_size, "count": len(objects), "root": root, "table": len(out),
              **trailer}
    for at in offsets:
        out += at.to_bytes(offset_size, "big")
    return out + b"\0" * 6 + struct.pack(">BBQQQ", *(values[name] & 0xffffffffffffffff if name in ("count", "root", "table")
                                                      else values[name] & 0xff for name in values))


def text(value):
    return bytes([0x50 | len(value)]) + value if len(value) < 15 else b"\x5f\x11" + struct.pack(">H", len(value)) + value


def refs(kind, *numbers):
    count = len(numbers) // (2 if kind == 0xd0 else 1)
    return (bytes([kind | count]) if count < 15 else bytes([kind | 15, 0x12]) + struct.pack(">I", count)) + bytes(numbers)


def idle_with(extra, *more):
    """{Status: Idle, UDID: x, a: extra} by hand."""
    return bplist([refs(0xd0, 1, 3, 5, 2, 4, 6), text(b"Status"), text(b"Idle"), text(b"UDID"), text(b"x"), text(b"a"),
                   extra, *more])


GOOD = plistlib.dumps({"Status": "Idle", "UDID": "x"}, fmt=plistlib.FMT_BINARY)
BINARY = {
    "only-magic": b"bplist00",
    "no-trailer": GOOD[:-32],
    "cut-in-the-middle": GOOD[:len(GOOD) // 2],
    "cut-by-one": GOOD[:-1],
    "other-version": GOOD.replace(b"bplist00", b"bplist15"),
    "trailing-byte": GOOD + b"\0",
    "no-objects": bplist([]),
    "root-beyond": bplist([b"\x09"], root=1),
    "root-huge": bplist([b"\x09"], root=2 ** 64 - 1),
    "count-huge": bplist([b"\x09"], count=2 ** 63),
    "count-wraps": bplist([b"\x09"], count=2 ** 62 + 1),
    "table-beyond": bplist([b"\x09"], table=2 ** 40),
    "table-wraps": bplist([b"\x09"], table=2 ** 64 - 8),
    "table-in-header": bplist([b"\x09"], table=0),
    "offset-size-0": bplist([b"\x09"], offset_size=1).replace(b"\0\0\0\0\0\0\x01\x01", b"\0\0\0\0\0\0\x00\x01"),
    "ref-size-0": bplist([refs(0xa0, 0)], ref_size=0),
    "ref-size-255": bplist([refs(0xa0, 0)], ref_size=255),
    "self": bplist([refs(0xa0, 0)]),
    "self-ten-times": bplist([refs(0xa0, *[0] * 10)]),
    "circle-of-three": bplist([refs(0xa0, 1), refs(0xd0, 3, 2), refs(0xa0, 0), text(b"k")]),
    "circle-in-a-message": idle_with(refs(0xa0, 0)),
    "laughs": bplist([refs(0xa0, *[i + 1] * 10) for i in range(60)] + [text(b"boom")]),
    "laughs-in-a-message": idle_with(refs(0xa0, *[7] * 14), *[refs(0xa0, *[i + 8] * 14) for i in range(40)], text(b"ha")),
    "laughs-of-dictionaries": bplist([refs(0xd0, 61, 62, 63, i + 1, i + 1, i + 1) for i in range(60)]
                                     + [b"\x09", text(b"a"), text(b"b"), text(b"c")]),
    "large-texts": bplist([refs(0xa0, *[1] * 200), b"\x5f\x12" + struct.pack(">I", 3000000) + b"x" * 3000000]),
    "large-data": bplist([refs(0xa0, *[1] * 200), b"\x4f\x12" + struct.pack(">I", 3000000) + b"\0" * 3000000]),
    "large-wide-texts": bplist([refs(0xa0, *[1] * 200), b"\x6f\x12" + struct.pack(">I", 1000000) + b"\x20\xac" * 1000000]),
    "levels": bplist([b"\xa1" + struct.pack(">H", i + 1) for i in range(70)] + [b"\x09"], ref_size=2),
    "levels-100000": bplist([b"\xa1" + struct.pack(">I", i + 1) for i in range(100000)] + [b"\x09"], ref_size=4),
    "values-210000": bplist([b"\xaf\x12" + struct.pack(">I", 210000) + b"\0\0\0\1" * 210000, b"\x09"], ref_size=4),
    "key-twice": bplist([refs(0xd0, 1, 1, 2, 2), text(b"Status"), text(b"Idle")]),
    "key-twice-two-forms": bplist([refs(0xd0, 1, 2, 3, 3), text(b"k"), b"\x61\0k", text(b"v")]),
    "key-is-a-number": bplist([refs(0xd0, 1, 1), b"\x10\1"]),
    "key-is-the-dictionary": bplist([refs(0xd0, 0, 0)]),
    "uid": idle_with(b"\x80\1"),
    "set": idle_with(b"\xc1\1"),
    "null": idle_with(b"\0"),
    "fill": idle_with(b"\x0f"),
    "unknown-type": idle_with(b"\x70"),
    "integer-128-bits": idle_with(b"\x14" + b"\xff" * 16),
    "integer-of-256-bytes": idle_with(b"\x18" + b"\0" * 256),
    "not-a-number": idle_with(b"\x23\x7f\xf8\0\0\0\0\0\0"),
    "infinite": idle_with(b"\x23\xff\xf0\0\0\0\0\0\0"),
    "date-infinite": idle_with(b"\x33\x7f\xf0\0\0\0\0\0\0"),
    "date-year-10000000": idle_with(b"\x33\x43\x30\0\0\0\0\0\0"),
    "nul-in-text": idle_with(text(b"a\0b")),
    "escape-in-text": idle_with(text(b"a\x1bb")),
    "not-ascii": idle_with(text(b"a\xe4b")),
    "lone-surrogate": idle_with(b"\x61\xd8\x00"),
    "surrogates-swapped": idle_with(b"\x62\xdc\x00\xd8\x00"),
    "text-beyond-the-end": idle_with(b"\x5f\x13\x7f\xff\xff\xff\xff\xff\xff\xff"),
    "text-count-wraps": idle_with(b"\x6f\x13\x80\0\0\0\0\0\0\1"),
    "array-beyond-the-end": idle_with(b"\xaf\x13\x20\0\0\0\0\0\0\0"),
    "dictionary-count-wraps": idle_with(b"\xdf\x13\x80\0\0\0\0\0\0\1"),
    "count-is-negative": idle_with(b"\x5f\x13" + b"\xff" * 8),
    "count-is-a-text": idle_with(b"\x5f\x51a"),
    "root-is-an-array": bplist([refs(0xa0, 1), b"\x09"]),
    "root-is-a-text": bplist([text(b"Idle")]),
}
JSON_GARBAGE = {
    "empty": b"", "text": b"hello", "cut-off": b'{"request_type": "Device', "nul": b'{"a": "\\u0000"}', "array": b"[]",
    "number": b"1e999999", "twice": b'{"request_type": "DeviceLock", "request_type": "EraseDevice"}',
    "depth": b"[" * 100000, "depth-closed": b'{"a":' * 50000 + b"1" + b"}" * 50000, "surrogate": b'{"a": "\\ud800"}',
    "not-utf8": b'{"a": "\xff"}', "trailing": b"{} {}", "bom": b"\xef\xbb\xbf{}", "huge-number": b'{"a": ' + b"9" * 100000 + b"}",
    "wide": json.dumps({"request_type": {str(i): i for i in range(100000)}}).encode(), "nan": b'{"a": NaN}',
    "wrong-types": b'{"request_type": 1, "targets": "x", "command": []}', "null": b"null",
    "negative": b'{"request_type": "DeviceLock", "targets": {"ids": [-1, null, {}]}}',
}
WRONG = {"integer": 1, "boolean": True, "array": ["x"], "dictionary": {"x": "y"}, "data": b"x", "empty": "", "real": 1.5}


def hostile():
    return {**{"xml-" + name: body for name, body in HOSTILE.items()},
            **{"binary-" + name: body for name, body in BINARY.items()}}


@pytest.fixture(scope="module")
def targets():
    """name -> function(site, phone, body) -> Reply."""
    def device(url, mode, headers):
        return lambda site, phone, body: phone.put(getattr(phone, url), body.replace(b">x<", b">%s<" % phone.udid.encode(), 1),
                                                   headers, identity=mode)

    def api(method, path, user="nanomdm"):
        return lambda site, phone, body: site.http.request(method, site.at(path % {"id": phone.id}), body,
                                                           {"Authorization": web.basic_auth(user, API_KEY)})
    found = {"enqueue": api("PUT", "/mdm/api/v1/enqueue/%(id)s?nopush=1"), "pushcert": api("PUT", "/mdm/api/v1/pushcert"),
             "commands": api("POST", "/mdm/api/v1/commands"), "migration": api("PUT", "/migration"),
             "micromdm": api("POST", "/mdm/api/v1/commands/%(id)s", "micromdm")}
    for mode in ("tls", "signature"):
        found["checkin-" + mode] = device("checkin_url", mode, {"Content-Type": channel.CHECKIN_TYPE})
        found["connect-" + mode] = device("server_url", mode, {})
        found["checkin-at-connect-" + mode] = device("server_url", mode, {"Content-Type": channel.CHECKIN_TYPE})
    return found


@pytest.fixture
def site(make_site):
    site = make_site()
    site.locations += '  <Location "/migration">\n    SetHandler mdm-migration\n  </Location>\n'
    site.start()
    site.upload_push_certificate()
    return site


def resident(site):
    """Bytes of memory of each child."""
    found = {}
    for pid in site.httpd.children():
        with open("/proc/%d/status" % pid) as source:
            found[pid] = int([line for line in source if line.startswith("VmRSS")][0].split()[1]) * 1024
    return found


class Watch:
    """Children that stay and do not grow, in a with block."""

    def __init__(self, site, phone):
        self.site, self.phone = site, phone

    def __enter__(self):
        self.before = resident(self.site)
        self.shown = {key: value for key, value in self.site.show(self.phone.id).items() if not key.startswith("last_")}

    def __exit__(self, kind, *_):
        if kind:
            return
        after = resident(self.site)
        assert set(after) == set(self.before), "children came or went"
        growth = {pid: after[pid] - self.before[pid] for pid in after}
        assert max(growth.values()) < GROWTH, growth
        assert self.site.queue_uuids(self.phone.id) == []
        assert self.shown == {key: value for key, value in self.site.show(self.phone.id).items()
                              if not key.startswith("last_")}
        assert self.phone.idle().status == 200
        assert not self.site.log.trouble()


def send(site, phone, target, name, body, target_name):
    began = time.monotonic()
    reply = target(site, phone, body)
    took = time.monotonic() - began
    assert took < SECONDS, "%s to %s took %.1f seconds" % (name, target_name, took)
    if target_name == "enqueue":
        assert reply.status == 500 and reply.json["command_error"], (name, reply)
    else:
        assert 400 <= reply.status < 500 and reply.status != 401, (name, target_name, reply)
    assert b"root:" not in reply.body


@pytest.mark.parametrize("target", ["checkin-tls", "checkin-signature", "connect-tls", "connect-signature",
                                    "checkin-at-connect-tls", "checkin-at-connect-signature", "enqueue", "pushcert",
                                    "commands", "migration", "micromdm"])
def test_every_hostile_list_at_every_endpoint(steady_site, targets, target):
    site, phone = steady_site
    with Watch(site, phone):
        for name, body in hostile().items():
            if (target, name) != ("enqueue", "xml-empty"):
                send(site, phone, targets[target], name, body, target)


@pytest.fixture
def steady_site(site, new_phone):
    return site, new_phone(site)


def test_json_garbage(steady_site, targets):
    site, phone = steady_site
    with Watch(site, phone):
        for name, body in JSON_GARBAGE.items():
            for target in ("commands", "pushcert", "migration", "connect-tls", "checkin-tls"):
                send(site, phone, targets[target], name, body, target)


MESSAGES = {
    "Authenticate": {"MessageType": "Authenticate", "Topic": "com.apple.mgmt.x"},
    "TokenUpdate": {"MessageType": "TokenUpdate", "Topic": "com.apple.mgmt.x", "PushMagic": "m", "Token": b"t"},
    "Unknown": {"MessageType": "Unknown"},
}
CHECKED = {"Authenticate": ["UDID", "MessageType", "Topic"], "Unknown": ["UDID", "MessageType"],
           "TokenUpdate": ["UDID", "MessageType", "Topic", "PushMagic", "Token"]}


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY], ids=["xml", "binary"])
def test_wrong_types(steady_site, targets, form):
    site, phone = steady_site

    def bodies():
        for name, message in MESSAGES.items():
            for key in CHECKED[name]:
                for kind, value in WRONG.items():
                    if (key, kind) not in (("Token", "data"), ("Topic", "empty")):
                        yield key, "%s-%s-%s" % (name, key, kind), {**phone.identifiers(), **message, key: value}
    with Watch(site, phone):
        for key, name, tree in bodies():
            body = plistlib.dumps(tree, fmt=form)
            # a topic may be missing in what another server hands over
            for target in ["checkin-tls", "checkin-at-connect-signature"] + ["migration"] * (key != "Topic"):
                send(site, phone, targets[target], name, body, target)
        for key in ("UDID", "Status", "CommandUUID"):
            for kind, value in WRONG.items():
                report = {**phone.identifiers(), "Status": "Acknowledged", "CommandUUID": "x", key: value}
                send(site, phone, targets["connect-tls"], key + kind, plistlib.dumps(report, fmt=form), "connect")
        for key in ("CommandUUID", "Command", "RequestType"):
            for kind, value in WRONG.items():
                command = {"CommandUUID": "x", "Command": {"RequestType": "DeviceLock"}}
                (command["Command"] if key == "RequestType" else command)[key] = value
                send(site, phone, targets["enqueue"], key + kind, plistlib.dumps(command, fmt=form), "enqueue")


def test_the_same_again_and_again_does_not_grow(steady_site, targets):
    """The largest of the lists, many times over all children."""
    site, phone = steady_site
    worst = ["binary-values-210000", "binary-large-texts", "binary-laughs", "xml-too-many-nodes", "xml-wide-and-slow",
             "xml-billion-laughs"]
    bodies = hostile()
    with Watch(site, phone):
        for _ in range(10):
            for name in worst:
                send(site, phone, targets["connect-tls"], name, bodies[name], "connect")


def test_what_is_just_within_the_limits_is_read(steady_site, targets):
    site, phone = steady_site
    full = {**phone.identifiers(), "Status": "Idle", "a": [True] * 199000}
    deep = plist(IDLE % phone.udid.encode() + b"<key>a</key>" + b"<array>" * 63 + b"</array>" * 63 + b"</dict>")
    bodies = [plistlib.dumps(full, fmt=plistlib.FMT_BINARY), plistlib.dumps(full), deep,
              plistlib.dumps(plistlib.loads(deep), fmt=plistlib.FMT_BINARY)]

    def everything():
        for body in bodies * 10:
            assert targets["connect-tls"](site, phone, body).status == 200
        return resident(site)
    before, after = everything(), everything()      # what threads keep for reuse they have after the first round
    assert max(after[pid] - before[pid] for pid in after) < GROWTH, (before, after)
    assert devices.served(phone.idle()) is None
