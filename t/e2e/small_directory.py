# SPDX-License-Identifier: Apache-2.0
"""A small LDAP server (RFC 4511) that does what slapd cannot be made to do: long lists in ranges, as Active Directory has
them, answers that are cut short, refused, or referred elsewhere. It knows bind and search, looks at no filter, and no page
ends before the last entry."""

import socket
import threading

SUCCESS, TIME_LIMIT, SIZE_LIMIT, REFERRAL, NO_SUCH_OBJECT, INSUFFICIENT_ACCESS, BUSY = 0, 3, 4, 10, 32, 50, 51
BASE, SUBTREE = 0, 2


def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    head = bytes([size]) if size < 128 else bytes([0x84]) + size.to_bytes(4, "big")
    return bytes([tag]) + head + body


def text(value, tag=4):
    return tlv(tag, value if isinstance(value, bytes) else value.encode())


def number(value, tag=2):
    return tlv(tag, bytes([value]))


def result(tag, code, referral=None):
    more = [tlv(0xa3, text(referral))] if referral else []
    return tlv(tag, number(code, 10), text(""), text(""), *more)


def take(data):
    """One element: tag, its body, what follows."""
    size, at = data[1], 2
    if size & 0x80:
        at += size & 0x7f
        size = int.from_bytes(data[2:at], "big")
    return data[0], data[at:at + size], data[at + size:]


def is_whole(data):
    more = data[1] & 0x7f if len(data) > 1 and data[1] & 0x80 else 0
    if len(data) < 2 + more:
        return False
    size = int.from_bytes(data[2:2 + more], "big") if more else data[1]
    return len(data) >= 2 + more + size


def elements(body):
    found = []
    while body:
        tag, inner, body = take(body)
        found.append((tag, inner))
    return found


class Search:
    """What is asked for: base and scope, the names of attributes, the filter as the bytes it came in."""

    def __init__(self, body):
        parts = elements(body)
        self.base, self.scope = parts[0][1].decode(), parts[1][1][0]
        self.filter = parts[6][1]
        self.attributes = [inner.decode() for _, inner in elements(parts[7][1])]

    def start_of(self, name):
        """Where the list of an attribute is to go on."""
        for one in self.attributes:
            if one.lower().startswith(name.lower() + ";range="):
                return int(one.split("=")[1].split("-")[0])
        return 0

    def wants(self, name):
        """Whoever asks for an attribute gets it in all its languages too."""
        return any(one.split(";")[0].lower() == name.split(";")[0].lower() for one in self.attributes)


class SmallDirectory:
    """entries: {dn: {attribute: [value]}}. Lists longer than `step` come in ranges. answer may be replaced by a test: it
    takes a Search and gives ([(dn, {attribute: [value]})], code)."""

    def __init__(self, entries, step=1500):
        self.entries, self.step, self.answer = entries, step, self.found
        self.searches, self.referral, self.open = [], None, []
        self.broken = None            # the name of an entry whose attributes are no list
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "ldap://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def found(self, search):
        if search.scope == BASE:
            entry = self.entries.get(search.base)
            return ([(search.base, self.part(entry, search))], SUCCESS) if entry is not None else ([], NO_SUCH_OBJECT)
        return [(dn, self.part(entry, search)) for dn, entry in self.entries.items() if "uid" in entry], SUCCESS

    def part(self, entry, search):
        """The attributes that are wanted, long ones by the range that is wanted."""
        shown = {}
        for name, values in entry.items():
            start = search.start_of(name)
            if not search.wants(name):
                continue
            if len(values) <= self.step:
                shown[name] = values
                continue
            some = values[start:start + self.step]
            end = "*" if start + len(some) == len(values) else str(start + len(some) - 1)
            shown["%s;range=%d-%s" % (name, start, end)] = some
        return shown

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        held = b""
        try:
            while True:
                data = client.recv(65536)
                if not data:
                    return
                held += data
                while is_whole(held):
                    _, message, held = take(held)
                    self._reply(client, elements(message))
        except OSError:
            pass

    def _reply(self, client, parts):
        message_id, (tag, body) = tlv(2, parts[0][1]), parts[1]
        if tag == 0x60:
            client.sendall(tlv(0x30, message_id, result(0x61, SUCCESS)))
        elif tag == 0x63:
            search = Search(body)
            self.searches.append(search)
            entries, code = self.answer(search)
            for dn, attributes in entries:
                lists = [tlv(0x30, text(name), tlv(0x31, *map(text, values))) for name, values in attributes.items()]
                shown = tlv(0x30, *lists) if dn != self.broken else tlv(0x30, b"\x30\x7fmember")
                client.sendall(tlv(0x30, message_id, tlv(0x64, text(dn), shown)))
            client.sendall(tlv(0x30, message_id, result(0x65, code, self.referral if code == REFERRAL else None)))
        elif tag == 0x42:
            client.close()

    def close(self):
        for one in [self.listener] + self.open:
            one.close()
