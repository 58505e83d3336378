# SPDX-License-Identifier: Apache-2.0
"""A whole MDM site in a temporary folder: CA made by mdmctl, database, configuration, a running httpd; and the
administrator's side of it: API calls, mdmctl, SQL. Devices come from devices.py."""

import base64
import hashlib
import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
import time
import urllib.parse
import uuid

from mdmsim import web

from .document import document
from .httpd import Httpd, Log, load_lines

MODULE = os.environ.get("MDM_MODULE", "")
MDMCTL = os.environ.get("MDM_CTL_BIN", "mdmctl")
RUN_USER = "www-data" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
USER, PASSWORD, API_KEY = "nurse.joy", "let me in", "9f2c5a4e7b1d4c3e8a6f0b2d"
PLAIN_MODULES = ["authn_core", "authn_file", "authz_core", "authz_user", "authz_host", "auth_basic",
                 "slotmem_shm", "socache_shmcb", "watchdog", "status", "env", "headers"]

MPM = {
    "event": "StartServers 2\nServerLimit 8\nThreadsPerChild 16\nMinSpareThreads 8\nMaxSpareThreads 64\n"
             "MaxRequestWorkers 64\n",
    "prefork": "StartServers 4\nMinSpareServers 4\nMaxSpareServers 24\nMaxRequestWorkers 48\n",
}
MPM["worker"] = MPM["event"]

SERVER = """\
ServerRoot "%(folder)s"
ServerName 127.0.0.1
PidFile "%(folder)s/httpd.pid"
DefaultRuntimeDir "%(folder)s/run"
CoreDumpDirectory "%(folder)s/run"
Mutex "file:%(folder)s/run" default
ErrorLog "%(folder)s/error.log"
LogLevel warn mpm_%(mpm)s:notice core:notice %(loglevel)s
CustomLog "%(folder)s/access.log" "%%h %%u \\"%%r\\" %%>s %%D %%{mdm-statements}n %%{mdm-rsa}n"
%(identity)s
Listen 127.0.0.1:%(port)d
Timeout 30
KeepAliveTimeout 3
MaxKeepAliveRequests 0
LimitRequestLine 1048576
LimitRequestFieldSize 65536
GracefulShutdownTimeout 10
ExtendedStatus On
SSLSessionCache none
SSLRandomSeed startup builtin
SSLRandomSeed connect builtin
"""

HOST = """\
<VirtualHost 127.0.0.1:%(port)d>
  ServerName %(name)s
  DocumentRoot "%(folder)s/htdocs"
  SSLEngine on
  SSLCertificateFile "%(server_file)s"
  SSLCertificateKeyFile "%(server_key_file)s"
  SSLVerifyClient optional_no_ca
%(database)s
%(directives)s
%(locations)s
</VirtualHost>
"""

LOCATIONS = """\
  <Location "/mdm/enroll">
    SetHandler mdm-enroll
    AuthType Basic
    AuthName "Example Hospital"
    AuthBasicProvider file
    AuthUserFile "%(folder)s/htpasswd"
    Require valid-user
  </Location>
  <Location "/mdm/enroll-open">
    SetHandler mdm-enroll
  </Location>
  <Location "/mdm/scep">
    SetHandler mdm-scep
  </Location>
  <Location "/mdm/checkin">
    SetHandler mdm-checkin
  </Location>
  <Location "/mdm/connect">
    SetHandler mdm-connect
  </Location>
  <Location "/mdm/connect-small">
    SetHandler mdm-connect
    MDMLimitRequestBody 2048
  </Location>
  <Location "/mdm/crl">
    SetHandler mdm-crl
  </Location>
  <Location "/mdm/ocsp">
    SetHandler mdm-ocsp
  </Location>
  AllowEncodedSlashes NoDecode
  <Location "/mdm/api">
    SetHandler mdm-api
  </Location>
  <Location "/mdm-status">
    SetHandler mdm-status
    Require ip 127.0.0.1
  </Location>
  <Location "/server-status">
    SetHandler server-status
  </Location>
"""


class Site:
    """One site. Change the attributes before start(): directives (dict), locations, modules, mpm, hosts.

    database: a Database. extra_hosts: more virtual hosts, as (name, Database, dict of directives)."""

    def __init__(self, keys, database, apns, mpm="event", directives=None, loglevel="mdm:trace8"):
        self.keys, self.database, self.apns, self.mpm, self.loglevel = keys, database, apns, mpm, loglevel
        # pytest's own folders are closed to other users; httpd's children must get in
        self.folder = tempfile.mkdtemp(prefix="mdm-e2e-")
        os.chmod(self.folder, 0o755)
        self.state_dir = os.path.join(self.folder, "state")
        self.modules = list(PLAIN_MODULES) + ["dbd", "ssl"]
        self.locations, self.server_extra, self.extra_hosts = LOCATIONS, "", []
        self.own = {"MDMEngine": "on", "MDMOrganization": '"Example Hospital"', "MDMStateDir": self.state_dir,
                    "MDMTrustFile": keys.tls_ca_file, "MDMAPIKeyFile": self.path("api.key"),
                    "MDMAPNSURL": apns.url if apns else None, "MDMPushInterval": "1s",
                    "MDMAPNSCAFile": apns.ca_file if apns else None, "MDMLastSeenInterval": "1s",
                    **(directives or {})}
        self.server_file, self.server_key_file = keys.server_file, keys.server_key_file
        self.log = Log(self.path("error.log"))
        self.httpd = Httpd(self._write_conf, self.log, self.folder)
        self.http = web.Client(keys.tls_ca_file, redirects=0)
        self.server_name = "127.0.0.1"
        self._make_files()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", opener=lambda p, f: os.open(p, f, mode)) as out:
            out.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def _make_files(self):
        for name in ("run", "htdocs"):
            os.makedirs(self.path(name), mode=0o755)
        if os.geteuid() == 0:
            shutil.chown(self.path("run"), RUN_USER)
        digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
        self.write("htpasswd", "%s:{SHA}%s\nother:{SHA}%s\n" % (USER, digest, digest))
        self.write("api.key", API_KEY + "\n", 0o600)
        os.makedirs(self.state_dir, mode=0o700)

    def _write_conf(self, port):
        self.port = port
        values = {"folder": self.folder, "port": port, "loglevel": self.loglevel, "mpm": self.mpm,
                  "server_file": self.server_file, "server_key_file": self.server_key_file,
                  "identity": "User %s\nGroup #%d\n" % (RUN_USER, pwd.getpwnam(RUN_USER).pw_gid)
                  if os.geteuid() == 0 else ""}
        conf = load_lines(["mpm_" + self.mpm] + self.modules)
        conf += 'LoadModule mdm_module "%s"\n' % MODULE + SERVER % values + MPM[self.mpm] + self.server_extra
        hosts = [(self.server_name, self.database, self.own)] + self.extra_hosts
        for name, database, directives in hosts:
            lines = {"MDMServerURL": "https://%s:%d" % (name, port), **directives}
            conf += HOST % {**values, "name": name, "database": database.directives() if database else "",
                            "locations": self.locations % values,
                            "directives": "".join("  %s %s\n" % (key, value) for key, value in lines.items()
                                                  if value is not None)}
        return self.write("httpd.conf", conf)

    # life

    def make_ca(self):
        """The CA files, by mdmctl; made once in a run, because that takes a second or two, and copied."""
        model = os.path.join(self.keys.folder, "state")
        if not os.path.exists(model):
            os.makedirs(model, mode=0o700)
            subprocess.run([MDMCTL, "--state-dir", model, "ca", "init", "--organization", "Example Hospital"],
                           check=True, capture_output=True)
        for name in os.listdir(model):
            if not os.path.exists(os.path.join(self.state_dir, name)):
                shutil.copy2(os.path.join(model, name), self.state_dir)
        self.ca_file = os.path.join(self.state_dir, "ca.pem")

    def prepare(self):
        """CA and database, without starting."""
        self.make_ca()
        if self.database.kind == "pgsql" and not self.database.ready:
            self.ctl("db", "init")
            self.database.ready = True
        return self

    def start(self, port=None):
        self.prepare()
        self.httpd.start(port)
        self.database.opened()
        return self

    def start_again(self):
        """Start on the port it had, as an administrator does after a stop or a crash."""
        self.http.close()
        self.httpd.start(self.port)
        self.database.opened()
        return self

    def stop(self):
        self.http.close()
        self.httpd.stop()

    def close(self):
        """Stop, look through the log, remove the folder."""
        try:
            self.stop()
            trouble = self.log.trouble()
            assert not trouble, "unexpected in the error log:\n" + "\n".join(trouble[:20] + self.httpd.crashes())
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def configtest(self):
        """What `httpd -t` says: (exit status, text)."""
        from .httpd import HTTPD
        conf = self._write_conf(1)
        mark = self.log.size()
        done = subprocess.run([HTTPD, "-t", "-f", conf], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr + self.log.text(mark)

    # URLs

    @property
    def url(self):
        return "https://127.0.0.1:%d" % self.port

    def at(self, path):
        return self.url + path

    # the administrator

    def ctl(self, *args, check=True, text_in=None):
        """Run mdmctl with this site's options; returns the CompletedProcess."""
        options = ["--state-dir", self.state_dir]
        if self.database:
            options += ["--database", "%s:%s" % (self.database.kind, self.database.params)]
        done = subprocess.run([MDMCTL, *options, *args], capture_output=True, text=True, input=text_in)
        if check:
            assert done.returncode == 0, "mdmctl %s: %s%s" % (" ".join(args), done.stdout, done.stderr)
        return done

    def challenge(self, *args):
        """A one-time SCEP challenge from mdmctl."""
        return self.ctl("challenge", "new", *args).stdout.strip()

    def api(self, method, path, body=None, headers=None, user="nanomdm", key=API_KEY, http=None):
        """Call the API below /mdm/api; user None sends no credentials. The answer must be one that docs/api.yaml tells of."""
        headers = dict(headers or {})
        if user is not None:
            headers["Authorization"] = web.basic_auth(user, key)
        reply = (http or self.http).request(method, self.at("/mdm/api" + path), body, headers, redirects=0)
        document().check(method, path, reply)
        document().check_question(method, path, body, reply)
        return reply

    def upload_push_certificate(self):
        reply = self.api("PUT", "/v1/pushcert", self.keys.push_pem)
        assert reply.status == 200, reply.text
        return reply

    def enqueue(self, ids, body=None, nopush=False, method="PUT"):
        """Enqueue a command (plist octets); ids is one id, or a list."""
        ids = [ids] if isinstance(ids, str) else ids
        path = "/v1/enqueue/" + ",".join(urllib.parse.quote(one, safe=":") for one in ids)
        return self.api(method, path + ("?nopush=1" if nopush else ""), body)

    def queue_items(self, enrollment_id):
        """The open commands of an enrollment, from the API."""
        reply = self.api("GET", "/v1/enrollments/%s/queue" % urllib.parse.quote(enrollment_id, safe=":"))
        assert reply.status == 200, reply
        return reply.json["commands"]

    def queue_uuids(self, enrollment_id):
        return [item["command_uuid"] for item in self.queue_items(enrollment_id)]

    def show(self, enrollment_id):
        """An enrollment from the API, or None."""
        reply = self.api("GET", "/v1/enrollments/" + urllib.parse.quote(enrollment_id, safe=":"))
        return reply.json if reply.status == 200 else None

    def show_command(self, command_uuid):
        reply = self.api("GET", "/v1/commands/" + command_uuid)
        return reply.json if reply.status == 200 else None


class Sqlite:
    """A SQLite database below a folder that httpd's user may write to."""

    kind = "sqlite3"

    def __init__(self, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="mdm-e2e-db-")
        os.chmod(self.folder, 0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, RUN_USER)
        self.params = self.file = os.path.join(self.folder, "mdm.db")
        self.ready = True

    def directives(self):
        return '  DBDriver sqlite3\n  DBDParams "%s"' % self.params

    def sql(self, statement):
        connection = sqlite3.connect(self.file, timeout=20)
        try:
            with connection:
                return [list(row) for row in connection.execute(statement)]
        finally:
            connection.close()

    def opened(self):
        """Wait a little for httpd to open it. Whoever comes first makes the file of shared memory: when that is root, it is
        root's for a moment, and who opens it in that moment may only read."""
        ends = time.monotonic() + 1
        while os.geteuid() == 0 and not os.path.exists(self.file + "-shm") and time.monotonic() < ends:
            time.sleep(0.01)

    def grown(self):
        """So many rows have been put in that a server at work would have looked at them by now."""

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Pgsql:
    """A database of the cluster."""

    kind = "pgsql"

    def __init__(self, cluster):
        self.cluster, self.name = cluster, "mdm_" + uuid.uuid4().hex[:12]
        cluster.create(self.name)
        self.params, self.ready = cluster.params(self.name), False

    def directives(self):
        return '  DBDriver pgsql\n  DBDParams "%s"' % self.params

    def sql(self, statement):
        return self.cluster.sql(self.name, statement)

    def opened(self):
        pass

    def grown(self):
        self.sql("ANALYZE")

    def close(self):
        pass


def dump(value):
    return json.dumps(value, indent=1, default=str)
