# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL cluster for the time of the tests: own folder, own socket, no TCP port.
As root it runs as the user postgres, because the server refuses to run as root."""

import os
import pwd
import shutil
import subprocess

BINDIR = os.environ.get("MDM_PG_BINDIR", "/usr/lib/postgresql/15/bin")


class Cluster:
    """One cluster below folder. Connections need no password: the socket's folder is ours. durable: it would survive a
    loss of power, too."""

    def __init__(self, folder, durable=False):
        self.folder = os.path.join(folder, "pg")
        self.data = os.path.join(self.folder, "data")
        self.owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        os.makedirs(self.folder, mode=0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.owner)
        if not os.path.exists(os.path.join(BINDIR, "initdb")):
            raise AssertionError("no PostgreSQL server in %s (Debian package: postgresql)" % BINDIR)
        self._run("initdb", "-D", self.data, "-A", "trust", "-U", "mdm", "--no-sync", "-E", "UTF8",
                  "--locale=C.UTF-8")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as conf:
            conf.write("listen_addresses = ''\nunix_socket_directories = '%s'\nmax_connections = 200\n"
                       "shared_buffers = 32MB\nlog_min_messages = warning\n" % self.folder)
            if not durable:
                # processes are killed here, never the machine
                conf.write("fsync = off\nfull_page_writes = off\nautovacuum_naptime = 10min\n")

    def _run(self, program, *args):
        command = [os.path.join(BINDIR, program), *args]
        if os.geteuid() == 0:
            command = ["runuser", "-u", self.owner, "--"] + command
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, "%s: %s" % (program, done.stdout + done.stderr)
        return done.stdout

    def start(self):
        # pg_ctl must not inherit pipes that the server would keep open
        command = [os.path.join(BINDIR, "pg_ctl"), "-D", self.data, "-w", "-t", "60", "-l",
                   os.path.join(self.folder, "server.log"), "start"]
        if os.geteuid() == 0:
            command = ["runuser", "-u", self.owner, "--"] + command
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, cwd="/", check=True)
        return self

    def stop(self, mode="fast"):
        if os.path.exists(os.path.join(self.data, "postmaster.pid")):
            self._run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-m", mode, "stop")

    def params(self, database):
        """A libpq connection string."""
        return "host=%s dbname=%s user=mdm" % (self.folder, database)

    def create(self, database):
        self.sql("postgres", 'CREATE DATABASE "%s"' % database)

    def sql(self, database, statement):
        """Run a statement; rows as lists of text."""
        out = self._run("psql", "-h", self.folder, "-U", "mdm", "-d", database, "-XAt", "-F", "\x1f", "-v",
                        "ON_ERROR_STOP=1", "-c", statement)
        return [line.split("\x1f") for line in out.splitlines()]
