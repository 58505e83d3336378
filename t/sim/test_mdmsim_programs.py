# SPDX-License-Identifier: Apache-2.0
"""Tests of the programs `device` and `apns`."""

import json
import os
import signal
import subprocess
import sys

from mdmsim import pki
from mdmsim.apns_control import ApnsProcess
from pushing import curl

HERE = os.path.dirname(os.path.abspath(__file__))


def start_device(*arguments):
    return subprocess.Popen([sys.executable, os.path.join(HERE, "device"), *arguments], stdout=subprocess.PIPE,
                            text=True, env={**os.environ, "MDM_USER": "alice", "MDM_PASSWORD": "secret"})


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_programs_work_together(ca, push_identity, fake, tmp_path):
    signer = pki.write_pem(tmp_path / "signer.pem", fake.ca.certificate)
    common = ["--state-dir", str(tmp_path / "phone"), "--signer-ca-file", signer]
    ready = tmp_path / "ready.json"
    with ApnsProcess(ca.cert_file, ["--ready-file", str(ready), "--copy-ca", str(tmp_path / "tls.pem")]) as mock:
        assert json.loads(ready.read_text())["url"] == mock.url
        assert (tmp_path / "tls.pem").read_text().startswith("-----BEGIN CERT")
        first = fake.queue("ProfileList")
        process = start_device("run", *common, "--enroll-url", fake.url + "/enroll", "--apns-control",
                               mock.control_url, "--checkout")
        shown = []
        while not shown or shown[-1]["event"] != "ready":
            shown.append(json.loads(process.stdout.readline()))
        assert [one["event"] for one in shown] == ["enrolled", "command", "connected", "ready"]
        assert shown[1]["uuid"] == first and shown[0]["profile_trusted"]
        magic = [one for _, one in fake.messages if one.get("PushMagic")][0]["PushMagic"]
        second = fake.queue("DeviceLock")
        curl(mock, push_identity, body=json.dumps({"mdm": magic}))
        while shown[-1]["event"] != "command" or shown[-1]["uuid"] != second:
            shown.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGTERM)
        rest = lines(process.communicate(timeout=20)[0])
        assert process.returncode == 0 and [one["event"] for one in rest][-2:] == ["left", "stopped"]
    assert fake.messages[-1][1]["MessageType"] == "CheckOut"


def test_the_device_program_step_by_step(fake, tmp_path):
    common = ["--state-dir", str(tmp_path / "phone"), "--insecure"]

    def run(command, *more):
        process = start_device(command, *common, *more)
        return lines(process.communicate(timeout=20)[0]), process.returncode

    shown, code = run("connect")
    assert code == 1 and shown[0]["event"] == "failed"
    shown, code = run("enroll", "--enroll-url", fake.url + "/enroll", "--udid", "U-1", "--serial", "S1")
    assert code == 0 and shown[0]["udid"] == "U-1" and shown[0]["identity_mode"] == "both"
    fake.queue("DeviceLock")
    assert run("connect", "--answer", "DeviceLock=NotNow*1")[0][0]["status"] == "NotNow"
    assert run("connect")[0][0]["status"] == "Acknowledged"
    assert len(run("token-update")[0][0]["token"]) == 64
    assert run("show")[0][0]["serial"] == "S1"
    assert run("checkout")[0][0]["event"] == "left"
    shown, code = run("enroll", "--enroll-url", fake.url + "/enroll", "--password", "wrong")
    assert code == 1 and "401" in shown[0]["problem"]
