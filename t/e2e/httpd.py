# SPDX-License-Identifier: Apache-2.0
"""A private httpd in the foreground: started on a free loopback port, watched through its error log, ended by
its process id. Nothing here knows what the configuration is about."""

import ctypes
import glob
import itertools
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

HTTPD = os.environ.get("MDM_HTTPD", "/usr/sbin/apache2")
MODULES_DIR = os.environ.get("MDM_MODULES_DIR", "/usr/lib/apache2/modules")
LOWEST_PORT, HIGHEST_PORT = 11000, 32000
_ports = itertools.count(random.randrange(HIGHEST_PORT))
RUNNING = re.compile(r"resuming normal operations")
SIGNAL = "<signal handler called>"
NAMED_FRAME, OUR_FRAME = re.compile(r"\bin [A-Za-z_][\w.@]* \("), re.compile(r"mdm_|mod_mdm")
CRASH = re.compile(r"AH0005[12]:|reslist_cleanup: Assertion")
# what must never stand in an error log unless a test expects it
TROUBLE = re.compile(r"^\[[^\]]*\] \[mdm:(error|crit|alert|emerg)\]|AH0005[12]:|AddressSanitizer|runtime error:"
                     r"|Assertion")


def end_with_parent():
    """In the new process: be terminated when the tests are killed (prctl PR_SET_PDEATHSIG); dump core."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


def wait_until(condition, timeout=20, what="the condition"):
    """Poll until condition() is true and return its value; AssertionError after the timeout."""
    limit = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < limit, "waited %s s for %s" % (timeout, what)
        time.sleep(0.01)


def free_port():
    """Below the ports that the kernel gives to clients, so that nobody takes it before the server starts."""
    while True:
        port = LOWEST_PORT + next(_ports) % (HIGHEST_PORT - LOWEST_PORT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def built_in():
    """The modules compiled into this httpd, without mod_ and .c."""
    shown = subprocess.run([HTTPD, "-l"], capture_output=True, text=True, check=True).stdout
    return {line.strip()[4:-2] for line in shown.splitlines() if line.strip().startswith("mod_")}


def load_lines(names):
    """LoadModule lines for modules that are not compiled in."""
    have = built_in()
    return "".join('LoadModule %s_module "%s/mod_%s.so"\n' % (name, MODULES_DIR, name)
                   for name in names if name not in have)


class Log:
    """An error log read as it grows."""

    def __init__(self, path):
        self.path = path
        self.expected = []
        self.excused = []

    def text(self, start=0):
        try:
            with open(self.path, "rb") as source:
                source.seek(start)
                return source.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def size(self):
        return os.path.getsize(self.path) if os.path.exists(self.path) else 0

    def expect(self, *patterns):
        """These regular expressions may match lines that would count as trouble."""
        self.expected += [re.compile(pattern) for pattern in patterns]

    def trouble(self, start=0):
        """Lines that speak of trouble nobody expected."""
        return [line for line in self.text(start).splitlines() if TROUBLE.search(line)
                and line not in self.excused and not any(pattern.search(line) for pattern in self.expected)]

    def wait(self, pattern, start=0, timeout=20):
        """Wait for a line that matches; returns the match."""
        return wait_until(lambda: re.search(pattern, self.text(start)), timeout, "%r in the log" % pattern)


class Httpd:
    """One running httpd. make_conf(port) writes the configuration and returns its path."""

    def __init__(self, make_conf, log, folder):
        self.make_conf, self.log, self.folder = make_conf, log, folder
        self.port, self.process = None, None

    def start(self, port=None, attempts=5):
        """Start and wait until it serves. A port that somebody took is replaced."""
        for attempt in range(attempts):
            self.port = port or free_port()
            mark = self.log.size()
            conf = self.make_conf(self.port)
            self.process = subprocess.Popen(
                [HTTPD, "-f", conf, "-DFOREGROUND"], stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                stdout=open(os.path.join(self.folder, "console.log"), "ab"), start_new_session=True,
                preexec_fn=end_with_parent)
            if self._wait_serving(mark):
                return self
            said = self.log.text(mark) + self.console()
            if "Address already in use" not in said or attempt + 1 == attempts:
                raise AssertionError("httpd did not start:\n" + said[-4000:])
        return self

    def crashes(self, frames=8):
        """Where crashed children stood, as far as there are core files and gdb to read them: a text for each."""
        found = []
        for core in glob.glob(os.path.join(self.folder, "run", "core*")):
            if shutil.which("gdb"):
                found.append(subprocess.run(["gdb", "-batch", "-ex", "bt", "-ex", "thread apply all bt %d" % frames,
                                             HTTPD, core], capture_output=True, text=True).stdout)
            os.unlink(core)
        return found

    def _excuse_the_mpm(self, mark):
        """TERM that meets a busy child can crash httpd itself: prefork frees its pools in the signal handler, event
        closes sockets that its workers are about to close. Such lines are excused when every stack can be read and
        none shows the module's own code at work where it crashed."""
        lines = [line for line in self.log.text(mark).splitlines() if CRASH.search(line)]
        stacks = self.crashes(30) if lines else []
        # without a stack, or with one that names no function, nothing is known, and nothing is excused
        if stacks and all(is_httpds_own(part) for text in stacks for part in crashed_parts(text)):
            self.log.excused += lines

    def console(self):
        return Log(os.path.join(self.folder, "console.log")).text()

    def _wait_serving(self, mark, timeout=30):
        """The port is open long before the keys are read; the log says when all is well."""
        limit = time.monotonic() + timeout
        while time.monotonic() < limit and self.process.poll() is None:
            if RUNNING.search(self.log.text(mark)):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                        return True
            time.sleep(0.02)
        if self.process.poll() is None:
            self.kill()
        return False

    @property
    def pid(self):
        return self.process.pid

    def children(self):
        """Process ids of the children, youngest last."""
        try:
            with open("/proc/%d/task/%d/children" % (self.pid, self.pid)) as source:
                return [int(word) for word in source.read().split()]
        except FileNotFoundError:
            return []

    def graceful(self, timeout=30):
        """Graceful restart; returns when the new generation is up."""
        mark = self.log.size()
        self.process.send_signal(signal.SIGUSR1)
        self.log.wait(RUNNING, mark, timeout)

    def kill_child(self, pid):
        """kill -9 of one child; returns when httpd has replaced it."""
        before = set(self.children())
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in self.children() and set(self.children()) - before or
                   (pid not in self.children() and len(self.children()) >= 1),
                   what="a child in the place of %d" % pid)

    def kill(self):
        """kill -9 of the parent and, as a power cut would, of its children."""
        children = self.children()
        for pid in [self.pid] + children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(20)
        wait_until(lambda: not any(alive(pid) for pid in children), what="the children to be gone")

    def stop(self, timeout=30):
        """TERM, then wait. Returns the exit status."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        children, mark = self.children(), self.log.size()
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("httpd did not end within %d s of TERM" % timeout)
        wait_until(lambda: not any(alive(pid) for pid in children), what="the children to be gone")
        self._excuse_the_mpm(mark)
        return self.process.returncode


def crashed_parts(text):
    """Of gdb's stacks those that can have crashed: the current thread, and what ran in or above a signal handler.
    What the handler of TERM interrupted is no part of it."""
    for stack in text.split("\nThread ")[:1] + [one for one in text.split("\nThread ")[1:] if SIGNAL in one]:
        yield stack.rpartition(SIGNAL)[0] or stack


def is_httpds_own(part):
    """Whether a crashed stack can be read, and shows nothing of the module."""
    frames = [line for line in part.splitlines() if line.startswith("#")]
    return any(NAMED_FRAME.search(one) for one in frames) and not any(OUR_FRAME.search(one) for one in frames)


def alive(pid):
    """Whether a process exists and is not a zombie."""
    try:
        with open("/proc/%d/stat" % pid) as source:
            return source.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False
