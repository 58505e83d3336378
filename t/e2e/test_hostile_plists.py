# SPDX-License-Identifier: Apache-2.0
"""A table of hostile property lists, in XML and binary, and JSON, to every endpoint that takes any: an answer of 400
within 5 seconds (413 to what is too large), no growth of the children, no crash, and the site goes on. (NanoMDM's enqueue
answers 500 to what is no command; so do we, with command_error.) But for what is hostile in them the lists are good ones,
which the endpoints take."""

import base64
import itertools
import json
import plistlib
import re
import struct
import time

import pytest
from mdmsim import channel, web

from . import devices
from .site import API_KEY
from .test_bad_input import HOSTILE, IDLE, plist

pytestmark = pytest.mark.once

SECONDS, GROWTH = 5, 50 * 1024 * 1024
LARGE = {"pushcert": 65536}         # bytes; 4 MiB for all others
EXTRA = "what is hostile"


def message_of(phone, command_uuid="hostile"):
    """A message that is good at check-in and at connect, and a command: with EXTRA, which nobody reads."""
    return {"Status": "Idle", "MessageType": "GetBootstrapToken", "CommandUUID": command_uuid,
            "Command": {"RequestType": "ProfileList"}, "UDID": phone.udid, "a": EXTRA}


PROFILE = {"PayloadType": "Configuration", "PayloadContent": [{"PayloadType": "com.example.any", "Status": "Idle",
                                                               "a": EXTRA}]}


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


class Tree:
    """A property list with EXTRA in it, in both forms."""

    def __init__(self, tree):
        self.tree = tree

    def filled(self, value, tree=None):
        """With an ordinary value instead."""
        tree = self.tree if tree is None else tree
        if isinstance(tree, dict):
            return {key: self.filled(value, one) for key, one in tree.items()}
        if isinstance(tree, list):
            return [self.filled(value, one) for one in tree]
        return value if tree is EXTRA else tree

    def binary(self, extra, *more):
        """By hand, with an encoded object instead: number 1, and more objects from number 2 on."""
        objects = [b"", extra, *more]

        def add(value):
            if value is EXTRA:
                return 1
            if isinstance(value, str):
                objects.append(text(value.encode()))
            elif isinstance(value, list):
                objects.append(refs(0xa0, *[add(one) for one in value]))
            else:
                objects.append(refs(0xd0, *[add(one) for one in value], *[add(one) for one in value.values()]))
            return len(objects) - 1
        add(self.tree)
        objects[0] = objects.pop()
        return bplist(objects)

    def xml(self, body):
        """Of an idle message with something hostile in it, the keys of this tree around that."""
        whole = plistlib.dumps({key: value for key, value in self.tree.items() if key != "UDID"}, sort_keys=False)
        inner = whole.split(b"<dict>", 1)[1].rsplit(b"</dict>", 1)[0]
        before, after = re.split(rb"<key>a</key>\s*<string>%s</string>\s*" % EXTRA.encode(), inner)
        begin, end = IDLE.split(b"<key>UDID")[0], b"</dict></plist>"
        udid = self.tree.get("UDID", "x").encode()
        if begin not in body:
            return body
        return body.replace(begin, b"<dict>" + before, 1).replace(end, after + end, 1).replace(b">x<", b">%s<" % udid, 1)


def binary_lists(tree):
    good, spoiled = plistlib.dumps(tree.filled(True), fmt=plistlib.FMT_BINARY), tree.binary
    return {
        "only-magic": b"bplist00",
        "no-trailer": good[:-32],
        "cut-in-the-middle": good[:len(good) // 2],
        "cut-by-one": good[:-1],
        "other-version": good.replace(b"bplist00", b"bplist15"),
        "trailing-byte": good + b"\0",
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
        "circle-in-a-message": spoiled(refs(0xa0, 0)),
        "laughs": bplist([refs(0xa0, *[i + 1] * 10) for i in range(60)] + [text(b"boom")]),
        "laughs-in-a-message": spoiled(refs(0xa0, *[2] * 14), *[refs(0xa0, *[i + 3] * 14) for i in range(40)], text(b"ha")),
        "laughs-of-dictionaries": bplist([refs(0xd0, 61, 62, 63, i + 1, i + 1, i + 1) for i in range(60)]
                                         + [b"\x09", text(b"a"), text(b"b"), text(b"c")]),
        "large-texts": bplist([refs(0xa0, *[1] * 200), b"\x5f\x12" + struct.pack(">I", 3000000) + b"x" * 3000000]),
        "large-data": bplist([refs(0xa0, *[1] * 200), b"\x4f\x12" + struct.pack(">I", 3000000) + b"\0" * 3000000]),
        "large-wide-texts": bplist([refs(0xa0, *[1] * 200), b"\x6f\x12" + struct.pack(">I", 1000000) + b"\x20\xac" * 1000000]),
        "levels": bplist([b"\xa1" + struct.pack(">H", i + 1) for i in range(70)] + [b"\x09"], ref_size=2),
        "levels-in-a-message": spoiled(refs(0xa0, 2), *[refs(0xa0, i + 3) for i in range(63)], b"\x09"),
        "levels-100000": bplist([b"\xa1" + struct.pack(">I", i + 1) for i in range(100000)] + [b"\x09"], ref_size=4),
        "values-210000": bplist([b"\xaf\x12" + struct.pack(">I", 210000) + b"\0\0\0\1" * 210000, b"\x09"], ref_size=4),
        "key-twice": spoiled(refs(0xd0, 2, 2, 3, 3), text(b"k"), text(b"v")),
        "key-twice-two-forms": spoiled(refs(0xd0, 2, 3, 4, 4), text(b"k"), b"\x61\0k", text(b"v")),
        "key-is-a-number": spoiled(refs(0xd0, 2, 2), b"\x10\1"),
        "key-is-the-dictionary": bplist([refs(0xd0, 0, 0)]), "key-is-a-dictionary": spoiled(refs(0xd0, 1, 1)),
        "uid": spoiled(b"\x80\1"),
        "set": spoiled(b"\xc1\1"),
        "null": spoiled(b"\0"),
        "fill": spoiled(b"\x0f"),
        "unknown-type": spoiled(b"\x70"),
        "integer-128-bits": spoiled(b"\x14" + b"\xff" * 16),
        "integer-of-256-bytes": spoiled(b"\x18" + b"\0" * 256),
        "not-a-number": spoiled(b"\x23\x7f\xf8\0\0\0\0\0\0"),
        "infinite": spoiled(b"\x23\xff\xf0\0\0\0\0\0\0"),
        "date-infinite": spoiled(b"\x33\x7f\xf0\0\0\0\0\0\0"),
        "date-year-10000000": spoiled(b"\x33\x43\x30\0\0\0\0\0\0"),
        "nul-in-text": spoiled(text(b"a\0b")),
        "escape-in-text": spoiled(text(b"a\x1bb")),
        "not-ascii": spoiled(text(b"a\xe4b")),
        "lone-surrogate": spoiled(b"\x61\xd8\x00"),
        "surrogates-swapped": spoiled(b"\x62\xdc\x00\xd8\x00"),
        "text-beyond-the-end": spoiled(b"\x5f\x13\x7f\xff\xff\xff\xff\xff\xff\xff"),
        "text-count-wraps": spoiled(b"\x6f\x13\x80\0\0\0\0\0\0\1"),
        "array-beyond-the-end": spoiled(b"\xaf\x13\x20\0\0\0\0\0\0\0"),
        "dictionary-count-wraps": spoiled(b"\xdf\x13\x80\0\0\0\0\0\0\1"),
        "count-is-negative": spoiled(b"\x5f\x13" + b"\xff" * 8),
        "count-is-a-text": spoiled(b"\x5f\x51a"),
        "root-is-an-array": bplist([refs(0xa0, 1), b"\x09"]),
        "root-is-a-text": bplist([text(b"Idle")]),
    }


def order(more=b"", command=b'{"RequestType": "ProfileList"}', targets=b'{"ids": ["ID"]}'):
    return b'{"command": %s, "targets": %s, "push": false%s}' % (command, targets, more)


JSON_GARBAGE = {
    "empty": b"", "text": b"hello", "cut-off": order()[:-1], "nul": order(b', "supersede_key": "a\\u0000"'), "array": b"[]",
    "array-around": b"[%s]" % order(), "number": order(b', "priority": 1e999999'), "nan": order(b', "priority": NaN'),
    "twice": order(command=b'{"RequestType": "DeviceInformation", "RequestType": "ProfileList"}'),
    "twice-at-the-top": order(b', "targets": {"ids": ["ID"]}'), "depth": b"[" * 100000, "null": b"null",
    "depth-closed": order(b', "supersede_key": ' + b'{"a":' * 50000 + b"1" + b"}" * 50000),
    "surrogate": order(b', "supersede_key": "\\ud800"'), "not-utf8": order(b', "supersede_key": "\xff"'),
    "trailing": order() + b" {}", "bom": b"\xef\xbb\xbf" + order(),
    "huge-number": order(b', "priority": ' + b"9" * 100000),
    "wide": order(command=json.dumps({"RequestType": {str(i): i for i in range(100000)}}).encode()),
    "unknown-key": order(b', "request_type": "DeviceLock"'), "command-is-an-array": order(command=b"[]"),
    "type-is-a-number": order(command=b'{"RequestType": 1}'), "targets-are-a-text": order(targets=b'"ID"'),
    "ids-are-a-text": order(targets=b'{"ids": "ID"}'), "ids-of-all-types": order(targets=b'{"ids": ["ID", -1, null, {}]}'),
    "push-is-a-text": order(b', "encrypt": "no"'), "key-is-a-number": order(b', "supersede_key": 5'),
    "plist-is-a-number": order(b', "command_plist": 5').replace(b'"command":', b'"a":'),
    "plist-and-command": order(b', "command_plist": "%s"' % base64.b64encode(plistlib.dumps(
        {"CommandUUID": "x", "Command": {"RequestType": "ProfileList"}}))),
}
WRONG = {"integer": 1, "boolean": True, "array": ["x"], "dictionary": {"x": "y"}, "data": b"x", "empty": "", "real": 1.5}


def hostile(tree):
    return {**{"xml-" + name: tree.xml(body) for name, body in HOSTILE.items()},
            **{"binary-" + name: body for name, body in binary_lists(tree).items()}}


def tree_for(target, phone, *command_uuid):
    return Tree(PROFILE if target == "profile" else message_of(phone, *command_uuid))


@pytest.fixture(scope="module")
def targets():
    """name -> function(site, phone, body) -> Reply."""
    def device(url, mode, headers):
        return lambda site, phone, body: phone.put(getattr(phone, url), body, headers, identity=mode)

    def api(method, path, user="nanomdm", content_type=None):
        def send_it(site, phone, body):
            headers = {"Authorization": web.basic_auth(user, API_KEY)}
            if content_type:
                headers["Content-Type"] = content_type
            return site.http.request(method, site.at(path % {"id": phone.id}), body, headers)
        return send_it

    def command_plist(site, phone, body):
        wrapped = {"command_plist": base64.b64encode(body).decode(), "targets": {"ids": [phone.id]}, "push": False}
        return found["commands"](site, phone, json.dumps(wrapped).encode())
    found = {"enqueue": api("PUT", "/mdm/api/v1/enqueue/%(id)s?nopush=1"), "pushcert": api("PUT", "/mdm/api/v1/pushcert"),
             "commands": api("POST", "/mdm/api/v1/commands", content_type="application/json"),
             "migration": api("PUT", "/migration"), "micromdm": api("POST", "/mdm/api/v1/commands/%(id)s", "micromdm"),
             "profile": api("PUT", "/mdm/api/v1/profiles/hostile", content_type="application/x-apple-aspen-config"),
             "command_plist": command_plist}
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
        expected = 413 if len(body) > LARGE.get(target_name, 4 * 1024 * 1024) else 400
        assert reply.status == expected, (name, target_name, reply, reply.text[:300])
    assert b"root:" not in reply.body


TARGETS = ["checkin-tls", "checkin-signature", "connect-tls", "connect-signature", "checkin-at-connect-tls",
           "checkin-at-connect-signature", "enqueue", "command_plist", "micromdm", "migration", "profile"]


@pytest.mark.parametrize("target", TARGETS + ["commands", "pushcert"])
def test_every_hostile_list_at_every_endpoint(steady_site, targets, target):
    site, phone = steady_site
    with Watch(site, phone):
        for name, body in hostile(tree_for(target, phone)).items():
            if (target, name) != ("enqueue", "xml-empty"):
                send(site, phone, targets[target], name, body, target)
    assert site.api("GET", "/v1/profiles/hostile").status == 404


def test_the_same_lists_with_nothing_hostile_in_them_are_taken(steady_site, targets):
    site, phone = steady_site
    good = plist(IDLE % b"x" + b"<key>a</key><true/></dict>")
    numbers = itertools.count()
    for target in TARGETS:
        for form in (lambda tree: tree.xml(good), lambda tree: tree.binary(b"\x09"),
                     lambda tree: plistlib.dumps(tree.filled(True), fmt=plistlib.FMT_BINARY)):
            body = form(tree_for(target, phone, "good-%d" % next(numbers)))
            reply = targets[target](site, phone, body)
            assert reply.status in (200, 201), (target, reply, reply.text)
    assert targets["commands"](site, phone, order().replace(b"ID", phone.id.encode())).status == 201
    assert len(site.queue_uuids(phone.id)) == 10 and len(phone.connect()) == 10


@pytest.fixture
def steady_site(site, new_phone):
    return site, new_phone(site)


def test_json_garbage(steady_site, targets):
    site, phone = steady_site
    with Watch(site, phone):
        for name, body in JSON_GARBAGE.items():
            body = body.replace(b"ID", phone.id.encode())
            for target in ("commands", "pushcert", "migration", "connect-tls", "checkin-tls"):
                send(site, phone, targets[target], name, body, target)


MESSAGES = {
    "Authenticate": {"MessageType": "Authenticate", "Topic": "com.apple.mgmt.x"},
    "TokenUpdate": {"MessageType": "TokenUpdate", "Topic": "com.apple.mgmt.x", "PushMagic": "m", "Token": b"t"},
    "CheckOut": {"MessageType": "CheckOut"}, "SetBootstrapToken": {"MessageType": "SetBootstrapToken"},
    "DeclarativeManagement": {"MessageType": "DeclarativeManagement", "Endpoint": "tokens"},
    "Unknown": {"MessageType": "Unknown"},
}
IDENTIFIERS = ["UDID", "EnrollmentID", "UserID", "EnrollmentUserID", "UserShortName", "UserLongName"]
CHECKED = {"Authenticate": ["Topic", "SerialNumber", "OSVersion"], "Unknown": [], "CheckOut": [],
           "TokenUpdate": ["Topic", "PushMagic", "Token", "UnlockToken"], "SetBootstrapToken": ["BootstrapToken"],
           "DeclarativeManagement": ["Endpoint", "Data"]}
# An empty text is an identifier that is not there; a server that hands a device over may not have told its topic.
GOOD = {("Token", "data"), ("UnlockToken", "data"), ("BootstrapToken", "data"), ("Data", "data"), ("Topic", "empty"),
        *((key, "empty") for key in IDENTIFIERS[1:] + ["SerialNumber", "OSVersion"])}


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY], ids=["xml", "binary"])
def test_wrong_types(steady_site, targets, form):
    site, phone = steady_site

    def bodies():
        for name, message in MESSAGES.items():
            for key in ["MessageType"] + IDENTIFIERS + CHECKED[name]:
                for kind, value in WRONG.items():
                    if (key, kind) not in GOOD:
                        yield key, "%s-%s-%s" % (name, key, kind), {**phone.identifiers(), **message, key: value}
    with Watch(site, phone):
        for key, name, tree in bodies():
            body = plistlib.dumps(tree, fmt=form)
            # what is handed over is not passed on to a server for declarations
            for target in ["checkin-tls", "checkin-at-connect-signature"] + ["migration"] * (key not in ("Endpoint", "Data")):
                send(site, phone, targets[target], name, body, target)
        for key, (kind, value) in itertools.product(IDENTIFIERS + ["Status", "CommandUUID"], WRONG.items()):
            if (key, kind) not in GOOD:
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
    bodies = hostile(tree_for("connect-tls", phone))
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
