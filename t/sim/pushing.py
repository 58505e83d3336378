# SPDX-License-Identifier: Apache-2.0
"""Ways to push for the tests of the mock: with curl, and with python3-h2 for what curl cannot show."""

import socket
import ssl
import subprocess

import h2.config
import h2.connection
import h2.events

PUSH = "com.apple.mgmt.External.t1"


def curl(mock, identity, *more, token="00ffaa", body='{"mdm":"M1"}', topic=PUSH, kind="mdm", path=None, check=True):
    """Push with curl; returns (status, headers, body text)."""
    command = ["curl", "-sS", "-i", "--max-time", "20", "--http2", "--cacert", mock.ca_file, "--data-binary", body]
    if identity:
        command += ["--cert", identity[0], "--key", identity[1]]
    for name, value in (("apns-topic", topic), ("apns-push-type", kind)):
        command += ["-H", "%s: %s" % (name, value)] if value else []
    done = subprocess.run(command + list(more) + [mock.url + (path or "/3/device/" + token)],
                          capture_output=True, text=True)
    if not check:
        return done
    assert done.returncode == 0, done.stderr
    head, _, text = done.stdout.partition("\n\n" if "\n\n" in done.stdout else "\r\n\r\n")
    lines = head.splitlines()
    assert lines[0].startswith("HTTP/2 ")
    return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line), text


class H2Client:
    """A client on python3-h2, for what curl cannot show."""

    def __init__(self, mock, identity):
        context = ssl.create_default_context(cafile=mock.ca_file)
        context.load_cert_chain(*identity)
        context.set_alpn_protocols(["h2"])
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", mock.port), timeout=10),
                                          server_hostname="localhost")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.events, self.ended = [], False
        self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def push(self, stream, token="aa", extra=(), body=b'{"mdm":"M1"}'):
        self.h2.send_headers(stream, [(":method", "POST"), (":scheme", "https"), (":authority", "localhost"),
                                      (":path", "/3/device/" + token), ("apns-topic", PUSH),
                                      ("apns-push-type", "mdm"), *extra])
        self.h2.send_data(stream, body, end_stream=True)

    def until(self, enough):
        """Read until enough(events) or the connection ends."""
        while not enough(self.events) and not self.ended:
            data = self.socket.recv(65536)
            self.ended = not data
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self.events.append(event)
            self.flush()
        return self

    def frames(self):
        """Read to the end of the connection past python3-h2, which takes nothing after a GOAWAY.

        Gives (type, stream, payload) of every frame."""
        data = b""
        while piece := self.socket.recv(65536):
            data += piece
        found = []
        while data:
            size = int.from_bytes(data[:3], "big")
            found.append((data[3], int.from_bytes(data[5:9], "big"), data[9:9 + size]))
            data = data[9 + size:]
        return found

    def count(self, kind):
        return len([one for one in self.events if isinstance(one, kind)])

    def pushes_done(self, count):
        return self.until(lambda events: self.count(h2.events.StreamEnded) >= count)
