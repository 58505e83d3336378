# SPDX-License-Identifier: Apache-2.0
"""mdmctl: the CA, challenges, certificates; its exit statuses and what it prints."""

import os
import re
import stat
import subprocess

import pytest
from cryptography import x509
from mdmsim import pki, scep

from .site import MDMCTL


def run(*args):
    return subprocess.run([MDMCTL, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def test_ca_init_makes_three_files_for_root_alone(tmp_path):
    folder = tmp_path / "state"
    done = run("--state-dir", str(folder), "ca", "init", "--organization", "Ümlaut & Söhne", "--days", "100")
    assert done.returncode == 0, done.stderr
    assert {one.name for one in folder.iterdir()} == {"ca.pem", "ca.key", "seal.key"}
    for name in ("ca.key", "seal.key"):
        info = (folder / name).stat()
        assert stat.S_IMODE(info.st_mode) == 0o600 and info.st_uid == os.geteuid()
    ca = pki.load_certificate((folder / "ca.pem").read_text())
    assert pki.same_key(ca, pki.load_key((folder / "ca.key").read_text()))
    assert 99 <= (ca.not_valid_after - ca.not_valid_before).days <= 101
    assert "Ümlaut & Söhne" in ca.subject.rfc4514_string().replace("\\", "")
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    verify = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", str(folder / "ca.pem"),
                             str(folder / "ca.pem")], capture_output=True, text=True)
    assert verify.returncode == 0, verify.stderr


def test_ca_init_never_replaces_a_ca(tmp_path):
    folder = str(tmp_path / "state")
    assert run("--state-dir", folder, "ca", "init").returncode == 0
    before = (tmp_path / "state" / "ca.key").read_bytes(), (tmp_path / "state" / "seal.key").read_bytes()
    again = run("--state-dir", folder, "ca", "init")
    assert again.returncode != 0 and "already" in again.stderr
    assert before == ((tmp_path / "state" / "ca.key").read_bytes(), (tmp_path / "state" / "seal.key").read_bytes())


@pytest.mark.parametrize("args", [[], ["nonsense"], ["ca"], ["ca", "nonsense"], ["db"], ["challenge"],
                                  ["certificate", "revoke"], ["--nonsense"], ["db", "status"],
                                  ["--database", "nonsense", "db", "status"],
                                  ["--database", "oracle:x", "db", "status"],
                                  ["--database", "sqlite3:/nonexistent/x.db", "db", "status"]], ids=" ".join)
def test_wrong_calls_end_with_a_message_and_not_0(args):
    done = run(*args)
    assert done.returncode not in (0, -11, -6), done
    assert done.stderr.strip() or done.stdout.strip()


def test_help_and_version():
    assert run("--help").returncode == 0
    assert "challenge" in run("--help").stdout


@pytest.mark.mpm
def test_challenge_new_prints_the_challenge_alone(site):
    done = site.ctl("challenge", "new")
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,}\n", done.stdout)
    assert site.ctl("challenge", "new").stdout != done.stdout


def test_a_challenge_is_stored_as_a_hash_only(site):
    challenge = site.challenge()
    assert challenge not in str(site.database.sql("SELECT * FROM mdm_challenge"))


def test_certificates_are_listed_shown_and_revoked(site, phone):
    serial = "%032x" % phone.certificate.serial_number
    listed = site.ctl("certificate", "list").stdout
    assert serial in listed.lower()
    shown = site.ctl("certificate", "show", serial).stdout
    assert phone.udid in shown or phone.common_name in shown
    text = re.search(r"-----BEGIN.*END CERTIFICATE-----", shown, re.S).group(0)
    assert pki.der(pki.load_certificate(text)) == pki.der(phone.certificate)
    lost = site.ctl("certificate", "revoke", serial, "--reason", "lost in the lift", check=False)
    assert lost.returncode == 1 and "cessationOfOperation" in lost.stderr
    site.ctl("certificate", "revoke", serial, "--reason", "keyCompromise")
    shown = site.ctl("certificate", "show", serial).stdout
    assert "revoked" in shown.lower() and "keyCompromise" in shown
    assert phone.idle().status == 403
    again = site.ctl("certificate", "revoke", serial, check=False)
    assert again.returncode != 0


def test_an_unknown_serial_is_an_error(site):
    for action in ("show", "revoke"):
        for serial in ("00ff", "zz", "", "' OR 1=1"):
            done = site.ctl("certificate", action, serial, check=False)
            assert done.returncode not in (0, -11, -6), done


def test_a_challenges_lifetime_is_kept(site):
    challenge = site.challenge("--lifetime", "2h")
    assert challenge
    for bad in ("0", "-1h", "soon"):
        assert site.ctl("challenge", "new", "--lifetime", bad, check=False).returncode != 0


def test_mdmctl_refuses_a_key_file_that_others_can_read(make_site):
    site = make_site().start()
    assert site.api("GET", "/v1/enrollments").status == 200
    site.challenge()
    os.chmod(os.path.join(site.state_dir, "seal.key"), 0o644)
    done = site.ctl("challenge", "new", check=False)
    if done.returncode == 0:
        # a challenge needs no sealing: then the key must not have been read
        assert "seal.key" not in done.stderr
    os.chmod(os.path.join(site.state_dir, "seal.key"), 0o600)
    assert scep.PKCS_REQ
