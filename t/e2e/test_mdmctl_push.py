# SPDX-License-Identifier: Apache-2.0
"""mdmctl push: from the key to the file for Apple's portal, and back into the database."""

import base64
import os
import plistlib
import stat
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from mdmsim import pki

from .keys import TOPIC
from .test_push_certificate import OTHER


@pytest.fixture
def site(make_site):
    return make_site().start()


def read(site, name):
    with open(os.path.join(site.state_dir, name), "rb") as file:
        return file.read()


def request(site, *options):
    site.ctl("push", "csr", "--organization", "Bücher & Co", *options)
    return x509.load_pem_x509_csr(read(site, "push.csr"))


def issue(site, keys, topic, name="apple.pem"):
    """What Apple makes of the request."""
    made, _ = keys.push_ca.push_certificate(topic, key=pki.load_key(read(site, "push.key")))
    return site.write(name, pki.pem(made))


def test_from_the_request_to_the_database(site, keys, new_phone):
    csr = request(site)
    assert csr.is_signature_valid and csr.public_key().key_size == 2048
    assert "Bücher" in csr.subject.rfc4514_string()
    key = os.path.join(site.state_dir, "push.key")
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    before = read(site, "push.key")
    request(site)
    assert read(site, "push.key") == before, "never overwritten"
    done = site.ctl("push", "import", issue(site, keys, TOPIC))
    assert TOPIC in done.stdout
    assert not os.path.exists(key), "the next request gets a key of its own"
    assert site.api("GET", "/v1/pushcert?topic=" + TOPIC).status == 200
    assert "PRIVATE" not in str(site.database.sql("SELECT * FROM mdm_push_topic"))
    site.ctl("push", "import", site.path("apple.pem"))
    new_phone(site)
    shown = site.ctl("push", "show").stdout
    assert TOPIC in shown and "(89 days)" in shown and "1 devices" in shown

    request(site)
    assert read(site, "push.key") != before
    other = issue(site, keys, OTHER, "other.pem")
    for options in ((), ("--confirm", TOPIC)):
        refused = site.ctl("push", "import", other, *options, check=False)
        assert refused.returncode == 1 and "1 enrolled device" in refused.stderr and "--confirm" in refused.stderr
    assert {TOPIC} == {line.split()[0] for line in site.ctl("push", "show").stdout.splitlines()}
    site.ctl("push", "import", other, "--confirm", OTHER)
    assert {TOPIC, OTHER} == {line.split()[0] for line in site.ctl("push", "show").stdout.splitlines()}


@pytest.mark.once
def test_the_file_for_apples_portal(site, keys):
    root = pki.Authority("CN=Example root")
    vendor, key = root.issue("CN=Vendor", key=keys.take())
    cert, chain = site.write("vendor.pem", pki.pem(vendor)), site.write("root.pem", pki.pem(root.certificate))
    key_file = site.write("vendor.key", pki.pem(key), 0o600)
    options = ("--vendor-cert", cert, "--vendor-key", key_file, "--chain", chain)
    csr = request(site, *options)
    found = plistlib.loads(base64.b64decode(read(site, "push.request"), validate=True))
    assert set(found) == {"PushCertRequestCSR", "PushCertCertificateChain", "PushCertSignature"}
    der = base64.b64decode(found["PushCertRequestCSR"], validate=True)
    assert der == pki.der(csr)
    vendor.public_key().verify(base64.b64decode(found["PushCertSignature"], validate=True), der, padding.PKCS1v15(),
                               hashes.SHA256())
    assert [pki.der(one) for one in pki.load_certificates(found["PushCertCertificateChain"])] == [
        pki.der(vendor), pki.der(root.certificate)]
    checked = subprocess.run(["openssl", "req", "-verify", "-noout"], input=read(site, "push.csr"), capture_output=True)
    assert checked.returncode == 0, checked.stderr
    for wrong in (options[:4], ("--vendor-cert", chain, "--vendor-key", key_file),
                  ("--vendor-cert", cert, "--vendor-key", key_file, "--chain", cert)):
        done = site.ctl("push", "csr", *wrong, check=False)
        assert done.returncode == 1 and done.stderr, wrong
    os.chmod(key_file, 0o644)
    assert "chmod" in site.ctl("push", "csr", *options, check=False).stderr


@pytest.mark.once
def test_wrong_calls(site, keys):
    for words in (("push",), ("push", "import"), ("push", "nonsense"), ("push", "csr", "--vendor-cert", "x"),
                  ("push", "csr", "x"), ("push", "csr", "--chain", "x"), ("push", "show", "x")):
        assert site.ctl(*words, check=False).returncode == 2, words
    request(site)
    made, _ = keys.push_ca.push_certificate(TOPIC, key=keys.take())
    for text, words in ((pki.pem(made), "another key"), ("garbage", ""), (pki.pem(keys.push_ca.certificate), "")):
        done = site.ctl("push", "import", site.write("bad.pem", text), check=False)
        assert done.returncode == 1 and words in done.stderr and done.stderr.strip()
    assert site.ctl("push", "import", "/nonexistent", check=False).returncode == 1
    assert site.ctl("push", "show").stdout == ""
