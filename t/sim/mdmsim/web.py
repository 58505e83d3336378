# SPDX-License-Identifier: Apache-2.0
"""The HTTP client of a simulated device: one kept connection per host, an own idea of whom to trust,
an optional TLS client certificate, and a record of the octets that went both ways."""

import base64
import collections
import http.client
import json
import plistlib
import ssl
import threading
import urllib.parse

BROKEN = (http.client.RemoteDisconnected, http.client.CannotSendRequest, http.client.BadStatusLine,
          ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Reply:
    """An HTTP answer with the request that caused it (method, url, sent_headers, sent_body)."""

    def __init__(self, status, headers, body, method="", url="", sent_headers=None, sent_body=None):
        self.status, self.headers, self.body = status, headers, body
        self.method, self.url, self.sent_headers, self.sent_body = method, url, sent_headers, sent_body

    @property
    def ok(self):
        return self.status == 200

    @property
    def content_type(self):
        return (self.headers.get("Content-Type") or "").split(";")[0].strip().lower()

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def plist(self):
        """The body as a property list; None when it is empty."""
        return plistlib.loads(self.body) if self.body else None

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "<Reply %s %s: %d, %d octets %s>" % (self.method, self.url, self.status, len(self.body),
                                                    self.content_type)


class HttpError(Exception):
    """An answer other than the one the device needed; .reply has it."""

    def __init__(self, what, reply):
        super().__init__("%s: HTTP %d %s" % (what, reply.status, reply.text[:300].strip()))
        self.reply = reply


def basic_auth(user, password):
    return "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()


class Client:
    """Requests over kept connections, one at a time (a lock guards them).

    ca_file: whom to trust for https, None for the system's store, False to accept any certificate.
    ca_pem: more certificates to trust, as PEM text. keep: how many Replies stay in .log.
    max_tls: "1.2" to stay below TLS 1.3. redirects: how many to follow."""

    def __init__(self, ca_file=None, ca_pem="", client_cert=None, timeout=30, keep=200, max_tls=None,
                 redirects=5):
        self.ca_file, self.ca_pem, self.client_cert = ca_file, ca_pem, client_cert
        self.timeout, self.max_tls, self.redirects = timeout, max_tls, redirects
        self.log = collections.deque(maxlen=keep)
        self.connections_opened = 0
        self._lock = threading.RLock()
        self._open = {}
        self._context = None

    def use_client_cert(self, cert_file, key_file=None):
        """From now on present this certificate (PEM file) to https servers that ask; None for none."""
        with self._lock:
            self.close()
            self.client_cert = (cert_file, key_file) if cert_file else None
            self._context = None

    def trust(self, pem_text):
        """Trust further certificates, as a device does with those of its profiles."""
        with self._lock:
            self.close()
            self.ca_pem += pem_text
            self._context = None

    def close(self):
        with self._lock:
            for connection in self._open.values():
                connection.close()
            self._open.clear()

    def _tls(self):
        if self._context is None:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.ca_file is False:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            elif self.ca_pem:
                context.load_verify_locations(cadata=self.ca_pem)
            # a server certificate given as its own trust anchor is enough
            context.verify_flags |= 0x80000
            if self.max_tls == "1.2":
                context.maximum_version = ssl.TLSVersion.TLSv1_2
            if self.client_cert:
                context.load_cert_chain(*self.client_cert)
            self._context = context
        return self._context

    def _connection(self, scheme, host, port):
        where = (scheme, host, port)
        if where not in self._open:
            self.connections_opened += 1
            if scheme == "https":
                self._open[where] = http.client.HTTPSConnection(host, port, timeout=self.timeout,
                                                                context=self._tls())
            else:
                self._open[where] = http.client.HTTPConnection(host, port, timeout=self.timeout)
        return self._open[where]

    def _exchange(self, method, parts, body, headers):
        """Send once; a kept connection that the server has closed meanwhile is opened again."""
        where = (parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        for attempt in (0, 1):
            kept = where in self._open
            connection = self._connection(*where)
            try:
                connection.request(method, target, body=body, headers=headers)
                answer = connection.getresponse()
                data = answer.read()
            except Exception as error:
                connection.close()
                self._open.pop(where, None)
                if kept and attempt == 0 and isinstance(error, BROKEN):
                    continue
                raise
            if answer.will_close:
                connection.close()
                self._open.pop(where, None)
            return answer, data

    def request(self, method, url, body=None, headers=None, redirects=None):
        """Send a request and return the Reply, whatever its status. The body goes out as it is."""
        headers = dict(headers or {})
        with self._lock:
            answer, data = self._exchange(method, urllib.parse.urlsplit(url), body, headers)
            reply = Reply(answer.status, answer.headers, data, method, url, headers, body)
            self.log.append(reply)
        left = self.redirects if redirects is None else redirects
        if reply.status in (301, 302, 303, 307, 308) and reply.headers.get("Location") and left > 0:
            target = urllib.parse.urljoin(url, reply.headers["Location"])
            return self.request(method, target, body, headers, left - 1)
        return reply

    def get(self, url, headers=None):
        return self.request("GET", url, headers=headers)

    def put(self, url, body, headers=None):
        return self.request("PUT", url, body, headers)

    def post(self, url, body, headers=None):
        return self.request("POST", url, body, headers)
