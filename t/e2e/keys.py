# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates of one test run. Making RSA keys is slow, so devices take theirs in turn from a few."""

import itertools
import os
import threading

from mdmsim import pki

TOPIC = "com.apple.mgmt.External.3f5e4a6c-0d1b-4c7e-9a35-6b8f1e2d7c40"


class Keys:
    """Written below folder: tls-ca.pem, server.pem, server.key, apns.pem, apns.key, push-ca.pem, push.pem."""

    def __init__(self, folder, spare=10):
        self.folder = folder
        self.tls = pki.Authority("O=Example Hospital, CN=Example TLS root")
        self.push_ca = pki.Authority("O=Example, CN=Example push root")
        self._spare = [pki.new_key() for _ in range(spare)]
        self._next, self._lock = itertools.cycle(self._spare), threading.Lock()
        server, server_key = self.tls.server_certificate(("127.0.0.1", "localhost", "mdm2.example.com"))
        self.tls_ca_file = self.write("tls-ca.pem", self.tls.certificate)
        self.server_file = self.write("server.pem", server)
        self.server_key_file = self.write("server.key", server_key, private=True)
        self.push_ca_file = self.write("push-ca.pem", self.push_ca.certificate)
        self.push, self.push_key = self.push_ca.push_certificate(TOPIC, key=self.take())

    def write(self, name, *objects, private=False):
        return pki.write_pem(os.path.join(self.folder, name), *objects, private=private)

    def spare(self, count):
        """Have so many keys to take from."""
        with self._lock:
            self._spare += [pki.new_key() for _ in range(count - len(self._spare))]
            self._next = itertools.cycle(self._spare)

    def take(self):
        """A key; the same one comes again after a while."""
        with self._lock:
            return next(self._next)

    @property
    def push_pem(self):
        """What an administrator uploads: certificate and key."""
        return (pki.pem(self.push) + pki.pem(self.push_key)).encode()
