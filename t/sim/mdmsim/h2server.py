# SPDX-License-Identifier: Apache-2.0
"""The server side of HTTP/2 (RFC 9113) for small requests and answers, as an asyncio protocol.

Frames are handled here directly, with python3-hpack for header blocks: the mock is loaded with tens of
thousands of pushes and must not be what limits a measurement. Requests go to app.request(connection, stream,
headers, body) as soon as they are complete; headers is a list of (name, value) octets in the order sent."""

import asyncio
import struct

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 6, 7, 8, 9, 11
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 32
MAX_FRAME, WINDOW, BODY_LIMIT, HEADER_LIMIT = 16384, 1 << 20, 65536, 65536
_STATUS_INDEX = {200: b"\x88", 204: b"\x89", 400: b"\x8c", 404: b"\x8d", 500: b"\x8e"}
_HEAD = struct.Struct(">HBBBI")


def frame(kind, flags, stream, payload=b""):
    size = len(payload)
    return _HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream) + payload


def _string(value):
    size = len(value)
    if size < 127:
        return bytes((size,)) + value
    out, rest = bytearray((127,)), size - 127
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out) + value


def header_block(status, headers):
    """HPACK without any use of the dynamic table."""
    block = [_STATUS_INDEX.get(status) or b"\x08\x03%d" % status]
    for name, value in headers:
        block += (b"\0", _string(name.encode()), _string(str(value).encode()))
    return b"".join(block)


class Violation(Exception):
    """The peer broke the protocol; the connection ends with this error code."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, app, max_streams=1000, slow_window=None):
        """slow_window: asked when the connection is made for None or (octets, seconds); streams then begin without a window
        and get so many octets each so often."""
        self.app, self.max_streams, self.slow_window, self._ask_window = app, max_streams, None, slow_window
        self.streams, self.answering = {}, set()
        self.last_stream = self.requests = self.most_streams = 0
        self.goaway_at, self.closing = None, False
        self._in, self._out, self._held = b"", [], []
        self._greeted = self._limits_known = self._reading = False
        self._block = None
        self._received, self._send_window = 0, 65535
        # until the client has acknowledged the settings, its streams begin with the window that RFC 9113 says
        self._first_window, self._granted = 65535, {}
        self._decoder = hpack.Decoder(max_header_list_size=HEADER_LIMIT)

    # asyncio's side

    def connection_made(self, transport):
        self.transport = transport
        tls = transport.get_extra_info("ssl_object")
        self.peer_certificate = tls.getpeercert(True) if tls else None
        self.tls_version = tls.version() if tls else None
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            self.app.connection_refused(self, "no ALPN protocol h2")
            transport.close()
            return
        self.app.connection_opened(self)
        self.slow_window = self._ask_window() if self._ask_window else None
        window = 0 if self.slow_window else WINDOW
        self._send(frame(SETTINGS, 0, 0, struct.pack(">HIHI", 3, self.max_streams, 4, window)))
        if self.slow_window:
            self._open_windows()
        else:
            self._send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", WINDOW - 65535)))

    def connection_lost(self, _error):
        self.closing = True
        self.app.connection_closed(self)

    def data_received(self, data):
        if self.closing:
            return
        self._reading = True
        try:
            self._in = self._take(self._in + data if self._in else data)
        except Violation as problem:
            self.app.protocol_violation(self, str(problem))
            self._send(self._goaway_frame(self.last_stream, problem.code, str(problem).encode()))
            self.close()
        finally:
            self._reading = False
            self._flush()

    def _open_windows(self):
        """A little more for every stream, and for the connection what has been used of its window."""
        octets, seconds = self.slow_window
        if self.closing:
            return
        for stream in self.streams if octets else ():
            self._granted[stream] += octets
            self._send(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", octets)))
        if self._received:
            self._send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", self._received)))
            self._received = 0
        asyncio.get_running_loop().call_later(seconds, self._open_windows)

    # sending

    def _send(self, data):
        """Send, or, while a piece of input is worked on, gather for one write."""
        self._out.append(data)
        if not self._reading:
            self._flush()

    def _flush(self):
        if self._out and not self.transport.is_closing():
            self.transport.write(b"".join(self._out))
        self._out.clear()
        if self.closing:
            self.transport.close()

    def respond(self, stream, status, headers=(), body=b"", block=None):
        """Answer a request. block: the finished header block instead of status and headers."""
        if stream not in self.answering:
            return
        self.answering.discard(stream)
        block = block or header_block(status, headers)
        if not body:
            self._send(frame(HEADERS, END_HEADERS | END_STREAM, stream, block))
        else:
            self._send(frame(HEADERS, END_HEADERS, stream, block))
            self._held.append((stream, body))
            self._send_held()
        self._end_if_done()

    def _send_held(self):
        """Send bodies as far as the peer's connection window allows; ours always fit a stream's window."""
        while self._held and len(self._held[0][1]) <= self._send_window:
            stream, body = self._held.pop(0)
            self._send_window -= len(body)
            self._send(frame(DATA, END_STREAM, stream, body))

    def reset(self, stream, code=REFUSED_STREAM):
        self.answering.discard(stream)
        self._send(frame(RST_STREAM, 0, stream, struct.pack(">I", code)))
        self._end_if_done()

    @staticmethod
    def _goaway_frame(last_stream, code, debug):
        return frame(GOAWAY, 0, 0, struct.pack(">II", last_stream, code) + debug)

    def goaway(self, last_stream=None, code=NO_ERROR, debug=b""):
        """Say that streams above last_stream are not processed; close when the others are answered."""
        last_stream = self.last_stream if last_stream is None else last_stream
        self.goaway_at = last_stream
        self.answering = {one for one in self.answering if one <= last_stream}
        self.streams = {one: entry for one, entry in self.streams.items() if one <= last_stream}
        self._send(self._goaway_frame(last_stream, code, debug))
        self._end_if_done()

    def change_limit(self, max_streams):
        self.max_streams, self._limits_known = max_streams, False
        self._send(frame(SETTINGS, 0, 0, struct.pack(">HI", 3, max_streams)))

    def _end_if_done(self):
        if self.goaway_at is not None and not (self.answering or self.streams or self._held):
            self.close()

    def close(self):
        """Close after what has been sent."""
        self.closing = True
        if not self._reading:
            self._flush()

    def abort(self):
        """Drop the connection at once."""
        self.closing = True
        self._out.clear()
        self.transport.abort()

    # receiving

    def _take(self, data):
        """Handle the whole frames in data and return the rest."""
        at, end = 0, len(data)
        if not self._greeted:
            if end < len(PREFACE):
                return data
            if not data.startswith(PREFACE):
                raise Violation(PROTOCOL_ERROR, "no HTTP/2 preface")
            self._greeted, at = True, len(PREFACE)
        unpack = _HEAD.unpack_from
        while end - at >= 9 and not self.closing:
            high, low, kind, flags, stream = unpack(data, at)
            size = high << 8 | low
            if size > MAX_FRAME:
                raise Violation(FRAME_SIZE_ERROR, "frame of %d octets" % size)
            if end - at < 9 + size:
                break
            payload = data[at + 9:at + 9 + size]
            at += 9 + size
            if self._block is not None and kind != CONTINUATION:
                raise Violation(PROTOCOL_ERROR, "header block interrupted")
            handler = _HANDLERS.get(kind)
            if handler is not None:
                handler(self, flags, stream & 0x7FFFFFFF, payload)
        return data[at:]

    @staticmethod
    def _unpad(flags, payload):
        if not flags & PADDED:
            return payload
        if not payload or payload[0] >= len(payload):
            raise Violation(PROTOCOL_ERROR, "wrong padding")
        return payload[1:len(payload) - payload[0]]

    def _on_headers(self, flags, stream, payload):
        payload = self._unpad(flags, payload)
        if flags & WITH_PRIORITY:
            payload = payload[5:]
        if not stream & 1:
            raise Violation(PROTOCOL_ERROR, "HEADERS on stream %d" % stream)
        if flags & END_HEADERS:
            self._header_block(stream, flags & END_STREAM, payload)
        else:
            self._block = (stream, flags & END_STREAM, payload)

    def _on_continuation(self, flags, stream, payload):
        if self._block is None or self._block[0] != stream:
            raise Violation(PROTOCOL_ERROR, "CONTINUATION without HEADERS")
        _, ended, so_far = self._block
        if len(so_far) + len(payload) > HEADER_LIMIT:
            raise Violation(ENHANCE_YOUR_CALM, "header block too long")
        self._block = None
        if flags & END_HEADERS:
            self._header_block(stream, ended, so_far + payload)
        else:
            self._block = (stream, ended, so_far + payload)

    def _header_block(self, stream, ended, block):
        try:
            headers = self._decoder.decode(block, raw=True)
        except (hpack.HPACKError, IndexError, UnicodeDecodeError) as problem:
            raise Violation(COMPRESSION_ERROR, "header block: %s" % problem) from None
        if stream in self.streams:
            # trailers: they must end the stream, and say nothing we need
            if not ended:
                raise Violation(PROTOCOL_ERROR, "trailers do not end stream %d" % stream)
            self._request(stream)
            return
        if stream <= self.last_stream:
            raise Violation(PROTOCOL_ERROR, "stream %d after %d" % (stream, self.last_stream))
        if self.goaway_at is not None and stream > self.goaway_at:
            return
        self.last_stream = stream
        open_now = len(self.streams) + len(self.answering) + 1
        if open_now > self.most_streams:
            self.most_streams = open_now
        if self._limits_known and open_now > self.max_streams:
            self.app.protocol_violation(self, "more than %d concurrent streams" % self.max_streams)
            self.reset(stream)
            return
        self.streams[stream], self._granted[stream] = [headers, b""], self._first_window
        if ended:
            self._request(stream)

    def _on_data(self, flags, stream, payload):
        self._received += len(payload)
        if self.slow_window:
            self._granted[stream] = self._granted.get(stream, 0) - len(payload)
            if payload and self._granted[stream] < 0:
                raise Violation(FLOW_CONTROL_ERROR, "%d octets beyond the window" % -self._granted[stream])
        elif self._received > WINDOW // 2:
            self._send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", self._received)))
            self._received = 0
        entry = self.streams.get(stream)
        if entry is None:
            if stream > self.last_stream and self.goaway_at is None:
                raise Violation(PROTOCOL_ERROR, "DATA on idle stream %d" % stream)
            return
        entry[1] += self._unpad(flags, payload)
        if len(entry[1]) > BODY_LIMIT:
            del self.streams[stream]
            self.reset(stream, ENHANCE_YOUR_CALM)
        elif flags & END_STREAM:
            self._request(stream)

    def _request(self, stream):
        headers, body = self.streams.pop(stream)
        self.answering.add(stream)
        self.requests += 1
        self.app.request(self, stream, headers, body)

    def _on_reset(self, _flags, stream, _payload):
        self.streams.pop(stream, None)
        self.answering.discard(stream)
        self._held = [one for one in self._held if one[0] != stream]
        self._end_if_done()

    def _on_settings(self, flags, _stream, payload):
        if flags & ACK:
            self._limits_known = True
            self._granted = {one: left - self._first_window for one, left in self._granted.items()}
            self._first_window = 0
            return
        if len(payload) % 6:
            raise Violation(FRAME_SIZE_ERROR, "SETTINGS of %d octets" % len(payload))
        self._send(frame(SETTINGS, ACK, 0))

    def _on_ping(self, flags, _stream, payload):
        if not flags & ACK:
            self.app.pinged(self)
            self._send(frame(PING, ACK, 0, payload))

    def _on_window(self, _flags, stream, payload):
        if stream == 0:
            self._send_window += struct.unpack(">I", payload)[0] & 0x7FFFFFFF
            self._send_held()
            self._end_if_done()

    def _on_goaway(self, _flags, _stream, _payload):
        if self.goaway_at is None:
            self.goaway_at = self.last_stream
            self._end_if_done()

    def _on_push_promise(self, _flags, _stream, _payload):
        raise Violation(PROTOCOL_ERROR, "PUSH_PROMISE from a client")


_HANDLERS = {
    DATA: Connection._on_data, HEADERS: Connection._on_headers, RST_STREAM: Connection._on_reset,
    SETTINGS: Connection._on_settings, PING: Connection._on_ping, GOAWAY: Connection._on_goaway,
    WINDOW_UPDATE: Connection._on_window, CONTINUATION: Connection._on_continuation,
    PUSH_PROMISE: Connection._on_push_promise,
}
