# SPDX-License-Identifier: Apache-2.0
"""A small ASN.1 encoder (DER, and BER with indefinite lengths) and a tolerant reader for both."""

SEQUENCE, SET = 0x30, 0x31


def tlv(tag, *parts):
    """One element with a definite length; tag is the complete identifier octet."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def indefinite(tag, *parts):
    """One constructed element with an indefinite length, as Apple's CMS encoder writes them."""
    return bytes((tag, 0x80)) + b"".join(parts) + b"\0\0"


def sequence(*parts):
    return tlv(SEQUENCE, *parts)


def set_of(*parts):
    """SET OF in DER order."""
    return tlv(SET, *sorted(parts))


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(value):
    return tlv(0x04, value)


def octets_chunked(value, chunk=256):
    """A constructed OCTET STRING of indefinite length, cut into pieces."""
    pieces = [octets(value[i:i + chunk]) for i in range(0, len(value), chunk)]
    return indefinite(0x24, *pieces)


def null():
    return b"\x05\0"


def utf8(text):
    return tlv(0x0C, text.encode())


def printable(text):
    return tlv(0x13, text.encode("latin-1"))


def utc_time(when):
    return tlv(0x17, when.strftime("%y%m%d%H%M%SZ").encode())


def oid(dotted):
    arcs = [int(arc) for arc in dotted.split(".")]
    out = bytearray()
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        septets = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7
            septets.append(0x80 | arc & 0x7F)
        out += bytes(reversed(septets))
    return tlv(0x06, bytes(out))


class Node:
    """One element as read: tag (identifier octet), raw (with header) and content octets."""

    def __init__(self, data, start=0):
        try:
            self._read(data, start)
        except IndexError:
            raise ValueError("ASN.1 element is cut short") from None

    def _read(self, data, start):
        self.tag = data[start]
        first = data[start + 1]
        body = start + 2
        self._children = None
        if first == 0x80:
            self._children, at = [], body
            while data[at:at + 2] != b"\0\0":
                child = Node(data, at)
                self._children.append(child)
                at = child.end
            self.content, self.end = data[body:at], at + 2
        else:
            size = first
            if first & 0x80:
                count = first & 0x7F
                size = int.from_bytes(data[body:body + count], "big")
                body += count
            self.end = body + size
            if self.end > len(data):
                raise ValueError("ASN.1 element is longer than its container")
            self.content = data[body:self.end]
        self.raw = data[start:self.end]

    @property
    def children(self):
        if self._children is None:
            self._children, at = [], 0
            while at < len(self.content):
                child = Node(self.content, at)
                self._children.append(child)
                at = child.end
        return self._children

    def __getitem__(self, index):
        return self.children[index]

    def __len__(self):
        return len(self.children)

    def find(self, tag):
        """The first child with this identifier octet, or None."""
        return next((child for child in self.children if child.tag == tag), None)

    def octets(self):
        """The value of an OCTET STRING (any tag), joined when it comes in pieces."""
        if self.tag & 0x20:
            return b"".join(child.octets() for child in self.children)
        return self.content

    def integer(self):
        return int.from_bytes(self.content, "big", signed=True)

    def text(self):
        return self.content.decode("utf-8", "replace")

    def oid(self):
        arcs, value = [], 0
        for octet in self.content:
            value = value << 7 | octet & 0x7F
            if not octet & 0x80:
                arcs.append(value)
                value = 0
        top = min(arcs[0] // 40, 2)
        return ".".join(str(arc) for arc in [top, arcs[0] - 40 * top] + arcs[1:])


def read(data):
    """Read one element that must fill data."""
    node = Node(data)
    if node.end != len(data):
        raise ValueError("%d octets follow the ASN.1 element" % (len(data) - node.end))
    return node
