# SPDX-License-Identifier: Apache-2.0
"""build/quickstart as a user runs it: a folder, a demo, a second run, a stop; and what it refuses."""

import os
import shlex
import shutil
import socket
import stat
import subprocess
import tempfile

import pytest
from mdmsim import web

from .httpd import alive

SRCDIR = os.environ["MDM_SRCDIR"]
NAMES = {"MDM_URL", "MDM_ENROLL_URL", "MDM_SCEP_URL", "MDM_CHECKIN_URL", "MDM_CONNECT_URL", "MDM_API_URL",
         "MDM_API_USER", "MDM_API_KEY", "MDM_STATUS_URL", "MDM_USER", "MDM_PASSWORD", "MDM_CA_FILE",
         "MDM_TLS_CA_FILE", "MDM_CTL", "MDM_PID"}


class Quickstart:
    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *options, code=0):
        done = subprocess.run([os.path.join(SRCDIR, "build", "quickstart"), "--dir", self.folder, *options],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == code, done.stdout
        return done.stdout

    def env(self):
        with open(os.path.join(self.folder, "site.env")) as source:
            lines = shlex.split(source.read(), comments=True)
        return dict(line.split("=", 1) for line in lines)

    def get(self, url):
        env = self.env()
        http = web.Client(env["MDM_TLS_CA_FILE"], redirects=0)
        try:
            return http.request("GET", url, None, {"Authorization": web.basic_auth(env["MDM_API_USER"],
                                                                                   env["MDM_API_KEY"])})
        finally:
            http.close()


@pytest.fixture
def quickstart():
    # closed to others, and with a blank, as somebody's home may be
    parent = tempfile.mkdtemp(prefix="mdm quickstart-")
    made = Quickstart(os.path.join(parent, "site"))
    yield made
    made("--stop")
    number = subprocess.run(["cksum"], input=made.folder.encode(), capture_output=True, check=True).stdout.split()[0]
    for shared in ("/var/lib/mod_mdm", os.path.expanduser("~/.local/share/mod_mdm")):
        shutil.rmtree(os.path.join(shared, "quickstart-" + number.decode()), ignore_errors=True)
    shutil.rmtree(parent)


def mode(*names):
    return stat.S_IMODE(os.stat(os.path.join(*names)).st_mode)


@pytest.mark.smoke
def test_the_demo_runs_again_and_stops(quickstart):
    said = quickstart("--demo")
    env = quickstart.env()
    assert set(env) == NAMES
    for name in ("MDM_ENROLL_URL", "MDM_STATUS_URL", "MDM_API_KEY", "MDM_PASSWORD"):
        assert env[name] in said, name
    devices = quickstart.get(env["MDM_STATUS_URL"] + "?json").json["devices"]
    assert len(devices) == 1 and devices[0]["device_information"]["SerialNumber"] == devices[0]["serial_number"]

    for name in ("site.env", "httpd.conf", "secrets/api.key", "secrets/password", "tls/server.key", "push/test.key"):
        assert mode(quickstart.folder, name) == 0o600, name
    assert mode(quickstart.folder, "state") == 0o700

    challenge = subprocess.run(shlex.split(env["MDM_CTL"]) + ["challenge", "new"], capture_output=True, text=True)
    assert challenge.returncode == 0 and len(challenge.stdout.split()) == 1

    quickstart()
    assert quickstart.env() == env

    quickstart("--stop")
    assert not alive(int(env["MDM_PID"]))
    for name in ("device", "apns", "httpd"):
        assert not os.path.exists(os.path.join(quickstart.folder, "run", name))


def test_a_killed_site_starts_again_with_all_it_had(quickstart):
    quickstart()
    before = quickstart.env()
    os.kill(int(before["MDM_PID"]), 9)
    quickstart()
    after = quickstart.env()
    assert after["MDM_PID"] != before["MDM_PID"]
    assert {**after, "MDM_PID": ""} == {**before, "MDM_PID": ""}
    assert quickstart.get(after["MDM_API_URL"] + "/v1/enrollments").status == 200


def test_a_port_asked_for_is_not_exchanged(quickstart):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = quickstart("--port", str(port), code=1)
    assert "quickstart: port %d is taken" % port in said


@pytest.mark.parametrize("options, words", [
    (["--nonsense"], "no option --nonsense"), (["--port"], "needs a value"), (["--port", "http"], "not a port"),
    (["--host", "a b"], "neither a host name"), (["--tls-cert", "/nowhere.pem"], "no readable file"),
    (["--apns-url", "http://localhost"], "https://"), (["--database", '/tmp/"x"'], "quotes")])
def test_wrong_options_are_named(quickstart, options, words):
    assert words in quickstart(*options, code=1)
    assert not os.path.exists(quickstart.folder)


def test_a_folder_of_something_else_is_left_alone(quickstart):
    os.mkdir(quickstart.folder)
    with open(os.path.join(quickstart.folder, "mine"), "w") as out:
        out.write("x")
    assert "no folder of quickstart" in quickstart(code=1)
    assert os.listdir(quickstart.folder) == ["mine"]
