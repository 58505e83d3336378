# SPDX-License-Identifier: Apache-2.0
"""A CA key that stays in a PKCS#11 token: SoftHSM, through OpenSSL's engine."""

import glob
import os
import shutil
import subprocess
import tempfile

import pytest
from mdmsim import pki, scep

from .httpd import wait_until
from .scep_tools import asker, client_of
from .site import RUN_USER

pytestmark = pytest.mark.once
PIN, LABEL = "4711-geheim", "mdm"


def needed(found, package):
    assert found, "missing for this test: install the Debian package " + package
    return found


def own(folder, user, mode=0o700):
    """Give a folder and all in it to a user; only root can."""
    for path, _, names in os.walk(folder):
        os.chmod(path, mode)
        if os.geteuid() == 0:
            for one in [path] + [os.path.join(path, name) for name in names]:
                shutil.chown(one, user)


class Token:
    """A SoftHSM token with an RSA key named "ca"; SOFTHSM2_CONF leads to it."""

    def __init__(self, folder, key):
        self.folder, self.tokens = folder, os.path.join(folder, "tokens")
        os.mkdir(self.tokens)
        self.conf = self.write("softhsm2.conf", "directories.tokendir = %s\nobjectstore.backend = file\n"
                               "log.level = ERROR\nslots.removable = false\n" % self.tokens, 0o644)
        self.pin_file = self.write("pin", PIN + "\n")
        module = needed(glob.glob("/usr/lib/*/softhsm/libsofthsm2.so"), "softhsm2")[0]
        needed(glob.glob("/usr/lib/*/engines-3/pkcs11.so"), "libengine-pkcs11-openssl")
        self.uri = "pkcs11:token=%s;object=ca;type=private?module-path=%s" % (LABEL, module)
        self.util("--init-token", "--free", "--label", LABEL, "--so-pin", "12345678", "--pin", PIN)
        self.util("--import", self.write("key.pem", pki.pem(key)), "--token", LABEL, "--label", "ca", "--id", "01",
                  "--pin", PIN)
        os.unlink(os.path.join(folder, "key.pem"))
        own(self.tokens, RUN_USER)

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(path, "w", opener=lambda p, f: os.open(p, f, mode)) as out:
            out.write(text)
        return path

    def util(self, *args):
        needed(shutil.which("softhsm2-util"), "softhsm2")
        subprocess.run(["softhsm2-util", *args], check=True, capture_output=True,
                       env={**os.environ, "SOFTHSM2_CONF": self.conf})


@pytest.fixture
def token(monkeypatch):
    """To be named before make_site, so that sites end before it: children may start, and open it, until the end."""
    folder = tempfile.mkdtemp(prefix="mdm-e2e-token-")
    os.chmod(folder, 0o755)
    made = Token(folder, pki.new_key())
    monkeypatch.setenv("SOFTHSM2_CONF", made.conf)
    yield made
    shutil.rmtree(folder, ignore_errors=True)


def token_site(make_site, token, **options):
    site = make_site(**options)
    done = site.ctl("ca", "init", "--organization", "Example Hospital", "--key", token.uri, "--pin-file",
                    token.pin_file)
    assert "ca.pem" in done.stdout
    own(token.tokens, RUN_USER)
    site.own["MDMCAKeyPINFile"] = token.pin_file
    return site


@pytest.mark.parametrize("mpm,named", [("event", "by directive"), ("prefork", "in ca.key")])
def test_a_device_enrolls_with_a_ca_key_in_a_token(token, make_site, new_phone, closing, tmp_path, mpm, named):
    site = token_site(make_site, token, mpm=mpm)
    key_file = os.path.join(site.state_dir, "ca.key")
    assert open(key_file).read() == token.uri + "\n", "no key outside the token"
    if named == "by directive":
        os.unlink(key_file)
        site.own["MDMCAKeyFile"] = '"%s"' % token.uri
    status, text = site.configtest()
    assert status == 0, text
    site.start().upload_push_certificate()
    phone = new_phone(site)
    assert phone.idle().status == 200
    (tmp_path / "device.pem").write_text(pki.pem(phone.certificate))
    verified = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", os.path.join(site.state_dir, "ca.pem"),
                               str(tmp_path / "device.pem")], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stderr
    site.httpd.graceful()
    assert asker(site, client_of(site, closing))("after-a-graceful-restart").ok
    for child in site.httpd.children()[-2:]:
        site.httpd.kill_child(child)
    assert asker(site, client_of(site, closing))("after-a-crash").ok
    assert PIN not in site.log.text()


def test_a_roll_over_to_a_key_in_a_token(token, make_site, closing):
    site = make_site().start()
    site.ctl("ca", "next", "--in", "3s", "--key", token.uri, "--pin-file", token.pin_file)
    own(token.tokens, RUN_USER)
    coming = pki.load_certificate(open(os.path.join(site.state_dir, "next-ca.pem")).read())
    site.own["MDMCAKeyPINFile"] = token.pin_file
    site._write_conf(site.port)
    site.httpd.graceful()
    wait_until(lambda: client_of(site, closing).get_ca_cert() == [coming], 20, "the switch")
    result = asker(site, client_of(site, closing))("new")
    assert result.ok and result.certificate.issuer == coming.subject
    site.ctl("ca", "retire", "--force", "--pin-file", token.pin_file)
    site.httpd.graceful()
    assert asker(site, client_of(site, closing))("retired").ok


@pytest.mark.parametrize("what", ["pin", "key", "certificate"])
def test_a_token_that_does_not_open_stops_the_start(token, make_site, keys, what):
    site = token_site(make_site, token)
    if what == "pin":
        token.write("pin", "wrong\n")
    elif what == "certificate":
        shutil.copy(os.path.join(keys.folder, "tls-ca.pem"), os.path.join(site.state_dir, "ca.pem"))
    else:
        site.own["MDMCAKeyFile"] = '"%s"' % token.uri.replace("object=ca", "object=other")
    site.log.expect(r"\[mdm:")
    with pytest.raises(AssertionError):
        site.httpd.start()
    text = site.log.text()
    assert "MDMCAKeyFile" in text and "cannot start" in text, text
    assert PIN not in text


def test_a_pin_in_the_uri_is_refused(token, make_site):
    site = token_site(make_site, token)
    site.own["MDMCAKeyFile"] = '"%s&pin-value=%s"' % (token.uri, PIN)
    site.log.expect(r"\[mdm:")
    with pytest.raises(AssertionError):
        site.httpd.start()
    assert "must not name its PIN" in site.log.text() and PIN not in site.log.text()


def test_a_pin_file_that_others_can_read_is_named_by_configtest(token, make_site):
    site = token_site(make_site, token)
    os.chmod(token.pin_file, 0o644)
    status, text = site.configtest()
    assert status != 0 and "MDMCAKeyPINFile" in text and "chmod 600" in text


def test_a_token_that_the_childrens_user_may_not_read_stops_the_start(token, make_site):
    if os.geteuid() != 0:
        return
    site = token_site(make_site, token)
    own(token.tokens, "root")
    site.log.expect(r"\[mdm:")
    with pytest.raises(AssertionError):
        site.httpd.start()
    assert "user of the children" in site.log.text()


def test_a_token_that_goes_away_is_told_and_kills_nobody(token, make_site, closing):
    site = token_site(make_site, token)
    site.log.expect(r"\[mdm:error\]")
    site.start()
    os.rename(token.tokens, token.tokens + ".gone")
    for child in site.httpd.children():
        site.httpd.kill_child(child)
    site.log.wait(r"MDM0750.*this child cannot issue")
    client = client_of(site, closing)
    assert client.get_ca_cert()
    refused = asker(site, client)("nobody")
    assert not refused.certificates and refused.status in (None, scep.FAILURE), refused.summary()
