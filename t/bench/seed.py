# SPDX-License-Identifier: Apache-2.0
"""Filling a database without the server: enrollments in the background with certificates, tokens and history, and
the certificates and challenges of the devices that take part."""

import base64
import datetime
import hashlib
import os
import random
import sqlite3
import subprocess
import time
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from e2e.postgresql import BINDIR
from e2e.site import USER
from mdmsim import pki

YEAR = 365 * 86400 * 1000000
BASE = 1 << 40              # ids of the background, below all that the server makes
TOKENS = 64                 # so many different push tokens
HISTORY_COMMANDS = 1000     # finished commands of each device that takes part


class Sealer:
    """Sealed columns as base/mdm_seal.h describes them."""

    def __init__(self, state_dir):
        with open(os.path.join(state_dir, "seal.key")) as source:
            key = bytes.fromhex(source.read().strip())
        self.prefix, self.gcm = "1:%s:" % hashlib.sha256(key).hexdigest()[:8], AESGCM(key)

    def seal(self, plain, where):
        nonce = os.urandom(12)
        return self.prefix + base64.b64encode(nonce + self.gcm.encrypt(nonce, plain, where.encode())).decode()


def now():
    return int(time.time() * 1000000)


def token(number):
    """The push token of a background enrollment."""
    return hashlib.sha256(b"token %d" % (number % TOKENS)).digest()


class Tables:
    """Bulk inserts into the database of a site."""

    def __init__(self, database):
        self.database = database

    def insert(self, table, columns, rows):
        (self._sqlite if self.database.kind == "sqlite3" else self._pgsql)(table, columns, rows)

    def _sqlite(self, table, columns, rows):
        connection = sqlite3.connect(self.database.file, timeout=60)
        try:
            connection.execute("PRAGMA synchronous=OFF")
            with connection:
                connection.executemany("INSERT INTO %s (%s) VALUES (%s)" % (
                    table, ", ".join(columns), ", ".join("?" * len(columns))), rows)
        finally:
            connection.close()

    def _pgsql(self, table, columns, rows):
        command = [os.path.join(BINDIR, "psql"), "-h", self.database.cluster.folder, "-U", "mdm", "-d",
                   self.database.name, "-qX", "-v", "ON_ERROR_STOP=1", "-c",
                   "COPY %s (%s) FROM STDIN" % (table, ", ".join(columns))]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        for row in rows:
            process.stdin.write("\t".join("\\N" if one is None else str(one).replace("\n", "\\n") for one in row)
                                + "\n")
        process.stdin.close()
        if process.wait(300) != 0:
            raise SystemExit("bench: cannot fill " + table)

    def settle(self):
        """What a database in use has done already: statistics, a written log."""
        if self.database.kind == "sqlite3":
            self.database.sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
            self.database.sql(statement)


CERTIFICATE = ("fingerprint", "serial", "subject", "not_before", "not_after", "issued_at", "enrollment", "login",
               "revoked_at", "pem")
ENROLLMENT = ("id", "enrollment_id", "type", "parent", "state", "login", "certificate", "topic", "token_update_tally",
              "created_at", "enrolled_at", "left_at", "last_seen_at", "token_at", "last_ip", "serial_number", "model",
              "model_name", "device_name", "product_name", "os_version", "build_version", "push_token", "push_magic",
              "unlock_token")
PUSH = ("enrollment", "due_at", "wanted_at", "wish", "attempts", "lease", "lease_tally", "dead_tally", "last_at",
        "last_wish")
RESULT = ("command", "enrollment", "request_type", "status", "finished_at", "response")
COMMAND = ("id", "uuid", "request_type", "created_by", "created_at", "body")


class Background:
    """Enrollments that exist and do nothing. ids: the enrollment ids in the order of their making."""

    def __init__(self, site):
        self.site, self.tables, self.ids = site, Tables(site.database), []
        self.sealer, self.random = Sealer(site.state_dir), random.Random(7)
        self.pem = open(site.ca_file).read()
        self.filler = self.sealer.seal(os.urandom(300), "filler")
        self.tables.insert("mdm_command", COMMAND, [
            (BASE + n, str(uuid.UUID(int=self.random.getrandbits(128), version=4)).upper(), "DeviceInformation",
             "nanomdm", now(), self.filler) for n in range(HISTORY_COMMANDS)])

    def grow(self, total):
        """Add enrollments until there are so many."""
        first = len(self.ids)
        self.ids += ["%08X-%016X" % (0x00008101, self.random.getrandbits(64)) for _ in range(first, total)]
        span, at = range(first, total), now()
        prints = {n: hashlib.sha256(b"certificate %d" % n).hexdigest() for n in span}
        insert = self.tables.insert
        insert("mdm_certificate", CERTIFICATE, (
            (prints[n], "%032X" % self.random.getrandbits(128), "O=Example Hospital, CN=" + self.ids[n], at - YEAR,
             at + YEAR, at - n, BASE + n, USER, 0, self.pem) for n in span))
        insert("mdm_enrollment", ENROLLMENT, (self._enrollment(n, prints[n], at) for n in span))
        insert("mdm_push", PUSH, ((BASE + n, 0, 0, 0, 0, 0, 0, 0, 0, 0) for n in span))
        insert("mdm_result", RESULT, ((BASE + n % HISTORY_COMMANDS, BASE + n, "DeviceInformation", "Acknowledged", at,
                                       self.filler) for n in span))
        self.tables.settle()

    def fill(self, open_commands, history):
        """Give each enrollment so many open commands, and so many rows of history; the database multiplies them."""
        sql, short = self.site.database.sql, self.filler[:100]
        if open_commands:
            sql("INSERT INTO mdm_queue (command, enrollment, priority, notnow, tries, queued_at, sent_at) "
                "SELECT c.id, e.id, 0, 0, 0, c.created_at, 0 FROM mdm_enrollment e, "
                "(SELECT id, created_at FROM mdm_command WHERE id >= %d ORDER BY id LIMIT %d) c WHERE e.id >= %d AND "
                "e.id < %d" % (BASE, open_commands, BASE, BASE + len(self.ids)))
        if history:
            sql("INSERT INTO mdm_result (command, enrollment, request_type, status, finished_at, response) "
                "SELECT c.id, e.id, 'DeviceInformation', 'Acknowledged', c.created_at, '%s' FROM mdm_enrollment e, "
                "(SELECT id, created_at FROM mdm_command WHERE id >= %d ORDER BY id LIMIT %d) c WHERE e.id >= %d AND "
                "e.id < %d ON CONFLICT DO NOTHING" % (short, BASE, history, BASE, BASE + len(self.ids)))
        self.tables.settle()

    def _enrollment(self, n, fingerprint, at):
        row, seal = str(BASE + n), self.sealer.seal
        return (BASE + n, self.ids[n], "Device", 0, 2, USER, fingerprint, self.site.topic, 1, at, at, 0, at, at,
                "10.1.2.3", "C%09d" % n, "iPhone15,2", "iPhone", "iPhone %d" % n, "iPhone15,2", "18.1", "22B83",
                seal(token(n), "mdm_enrollment.push_token:" + row),
                seal(str(uuid.uuid4()).upper().encode(), "mdm_enrollment.push_magic:" + row),
                self.filler)


class Fleet:
    """Devices that take part, each with a certificate of the site's CA. They share one key."""

    def __init__(self, site, folder, count):
        self.site, self.tables, self.key = site, Tables(site.database), pki.new_key()
        self.key_file = pki.write_pem(os.path.join(folder, "fleet.key"), self.key, private=True)
        with open(site.ca_file) as ca, open(os.path.join(site.state_dir, "ca.key")) as ca_key:
            self.ca, self.ca_key = pki.load_certificate(ca.read()), pki.load_key(ca_key.read())
        number = random.SystemRandom()
        self.udids = ["%08X-%016X" % (0x00008120, number.getrandbits(64)) for _ in range(count)]
        certificates = [self._issue(udid) for udid in self.udids]
        self.files = [pki.write_pem(os.path.join(folder, "fleet-%d.pem" % n), one)
                      for n, one in enumerate(certificates)]
        self.tables.insert("mdm_certificate", CERTIFICATE, [self._row(one) for one in certificates])

    def _issue(self, udid):
        start = datetime.datetime.utcnow() - datetime.timedelta(hours=1)
        return (x509.CertificateBuilder().subject_name(pki.name("O=Example Hospital, CN=" + udid))
                .issuer_name(self.ca.subject).public_key(self.key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(start)
                .not_valid_after(start + datetime.timedelta(days=365)).sign(self.ca_key, hashes.SHA256()))

    @staticmethod
    def _row(certificate):
        fingerprint, at = hashlib.sha256(pki.der(certificate)).hexdigest(), now()
        return (fingerprint, "%032X" % certificate.serial_number, certificate.subject.rfc4514_string(), at - YEAR,
                at + YEAR, at, 0, USER, 0, pki.pem(certificate))

    def give_history(self, filler):
        """Finished commands for each, after they have enrolled."""
        rows = self.site.database.sql("SELECT id FROM mdm_enrollment WHERE enrollment_id IN (%s)"
                                      % ", ".join("'%s'" % udid for udid in self.udids))
        self.tables.insert("mdm_result", RESULT, (
            (BASE + n, row[0], "DeviceInformation", "Acknowledged", now(), filler)
            for row in rows for n in range(HISTORY_COMMANDS)))


def challenges(site, count):
    """One-time SCEP challenges, written straight into the table."""
    made, at = [os.urandom(20).hex() for _ in range(count)], now()
    Tables(site.database).insert(
        "mdm_challenge", ("sha256", "kind", "login", "created_at", "expires_at", "used_at"),
        [(hashlib.sha256(one.encode()).hexdigest(), "scep", USER, at, at + YEAR, 0) for one in made])
    return made
