# SPDX-License-Identifier: Apache-2.0
"""SCEP clients of others against the built-in CA: strongSwan's pki, certmonger (its helper, and its daemon), and
openssl as the judge of what they got."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from cryptography.x509.oid import NameOID
from mdmsim import cms, pki, scep

from .httpd import end_with_parent, wait_until
from .scep_tools import SUBJECT, ask, ca_of, client, need, plain_http, run  # noqa: F401

SCEP_SUBMIT = "/usr/lib/certmonger/scep-submit"
CERTMONGER = "/usr/sbin/certmonger"


@pytest.fixture(scope="module")
def plain(keys, apns, variant, make_database):
    """A site that serves SCEP by plain http as well: these clients cannot be told whom to trust for https."""
    from .conftest import _made
    site = _made(keys, make_database(variant[1]), apns, variant[0])
    site.scep_url = plain_http(site)
    site.start()
    yield site
    site.close()


def common_name(certificate):
    return certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


# ---- strongSwan

def strongswan(*args, **options):
    need("/usr/bin/pki", "strongswan-pki")
    return run("/usr/bin/pki", *args, **options)


def swan(site, folder, *args, ok=True):
    """pki --scep with the CA of pki --scepca; its output."""
    if not [one for one in os.listdir(folder) if one.startswith("ca")]:
        strongswan("--scepca", "--url", site.scep_url, "--caout", "ca.pem", "--outform", "pem", "--force", cwd=folder)
    ca = next(one for one in os.listdir(folder) if one.startswith("ca"))
    with open(os.path.join(folder, ca)) as source:
        assert pki.der(pki.load_certificate(source.read())) == pki.der(ca_of(site))
    return strongswan("--scep", "--url", site.scep_url, "--cacert-enc", ca, "--cacert-sig", ca, "--cacert", ca,
                      "--outform", "pem", *args, cwd=folder, ok=ok).stdout


def new_key(folder, name):
    made = strongswan("--gen", "--type", "rsa", "--size", "2048", "--outform", "pem").stdout
    (folder / name).write_bytes(made)
    return pki.load_key(made)


@pytest.mark.once
def test_strongswan_gets_the_ca_enrolls_and_renews(plain, tmp_path):
    dn = "O=Example Hospital, CN=swan"
    first_key, second_key = new_key(tmp_path, "a.key"), new_key(tmp_path, "b.key")
    found = swan(plain, tmp_path, "--in", "a.key", "--dn", dn, "--password", plain.challenge())
    first = pki.load_certificate(found)
    assert common_name(first) == "swan" and pki.same_key(first, first_key)
    (tmp_path / "a.crt").write_bytes(found)
    renewed = pki.load_certificate(swan(plain, tmp_path, "--in", "b.key", "--dn", dn, "--cert", "a.crt", "--key",
                                        "a.key"))
    assert renewed.subject == first.subject and pki.same_key(renewed, second_key)
    assert renewed.serial_number != first.serial_number


@pytest.mark.once
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_strongswan_with_algorithms_of_its_choice(plain, tmp_path, digest):
    new_key(tmp_path, "a.key")
    assert swan(plain, tmp_path, "--in", "a.key", "--dn", "CN=chosen", "--password", plain.challenge(), "--cipher",
                "aes", "--digest", digest)


@pytest.mark.once
def test_strongswan_with_a_wrong_password_gets_nothing(plain, tmp_path):
    new_key(tmp_path, "a.key")
    assert not swan(plain, tmp_path, "--in", "a.key", "--dn", "CN=wrong", "--password", "wrong", ok=False)


# ---- certmonger

def submit(*args, **options):
    return run(need(SCEP_SUBMIT, "certmonger"), *args, **options)


@pytest.mark.once
def test_certmongers_helper_reads_capabilities_and_ca(plain):
    caps = submit("-u", plain.scep_url, "-c").stdout.decode().split()
    assert {"AES", "SHA-256", "SHA-512", "POSTPKIOperation", "Renewal", "SCEPStandard"} <= set(caps)
    shown = submit("-u", plain.scep_url, "-C").stdout.decode()
    assert [pki.der(one) for one in pki.load_certificates(shown)] == [pki.der(ca_of(plain))]


@pytest.mark.once
def test_certmongers_helper_sends_a_pkioperation(plain, tmp_path):
    key, name = plain.keys.take(), SUBJECT % "helper"
    signer = pki.self_signed(name, key)
    message = scep.build(pki.der(pki.request(key, name, plain.challenge())), signer, key, ca_of(plain))
    pem = subprocess.run(["openssl", "base64"], input=message.raw, capture_output=True, check=True).stdout.decode()
    (tmp_path / "message").write_text("-----BEGIN PKCS7-----\n%s-----END PKCS7-----\n" % pem)
    pki.write_pem(tmp_path / "ca.pem", ca_of(plain))
    done = submit("-u", plain.scep_url, "-p", "-r", "ca.pem", "-N", "ca.pem", "-n", tmp_path / "message", cwd=tmp_path)
    inner = re.search(r"-----BEGIN PKCS7-----.*?-----END PKCS7-----", done.stdout.decode(), re.S).group(0)
    raw = subprocess.run(["openssl", "base64", "-d"], input="\n".join(inner.split("\n")[1:-1]).encode() + b"\n",
                         capture_output=True, check=True).stdout
    if cms.der.read(raw)[0].oid() == cms.ENVELOPED_DATA:
        raw = cms.EnvelopedData(raw).open(signer, key)
    assert pki.same_key(cms.SignedData(raw).certificates[0], key)


class Certmonger:
    """certmonger's daemon with folders and a socket of its own, without a message bus."""

    def __init__(self):
        self.folder = folder = pathlib.Path(tempfile.mkdtemp(prefix="mdm-cm-"))
        names = {one: str(folder / one.lower()) for one in ("REQUESTS_DIR", "CAS_DIR", "TMPDIR", "CONFIG_DIR",
                                                            "LOCAL_CA_DIR")}
        for one in names.values():
            os.mkdir(one, 0o700)
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder), "LC_ALL": "C",
                    "XDG_RUNTIME_DIR": names["TMPDIR"], **{"CERTMONGER_" + one: value for one, value in names.items()}}
        socket = folder / "socket"
        self.process = subprocess.Popen(
            [need(CERTMONGER, "certmonger"), "-s", "-L", "-P", str(socket), "-n", "-B", "-d", "2"], env=self.env,
            stdin=subprocess.DEVNULL, stdout=open(folder / "log", "wb"), stderr=subprocess.STDOUT,
            preexec_fn=end_with_parent)
        self.env["CERTMONGER_PVT_ADDRESS"] = "unix:path=%s" % socket
        wait_until(socket.exists, what="certmonger's socket")

    def getcert(self, *args, **options):
        return run("/usr/bin/getcert", *args, env=self.env, cwd=self.folder, **options).stdout.decode()

    def certificate(self):
        """The certificate that is there; None while it is being written."""
        text = (self.folder / "a.crt").read_text()
        return pki.load_certificate(text) if "-----END" in text else None

    def wait(self, state, timeout=30):
        def reached():
            shown = self.getcert("list", ok=None)
            assert "CA_REJECTED" not in shown or state == "CA_REJECTED", shown
            return "status: " + state in shown
        wait_until(reached, timeout, "certmonger to be " + state)

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.mark.once
def test_certmongers_daemon_comes_to_monitoring_and_renews(plain, closing):
    daemon = closing(Certmonger())
    daemon.getcert("add-scep-ca", "-c", "hospital", "-u", plain.scep_url, "-N", plain.ca_file, "-r", plain.ca_file)
    daemon.getcert("request", "-c", "hospital", "-k", daemon.folder / "a.key", "-f", daemon.folder / "a.crt", "-N",
                   "CN=monitored,O=Example Hospital", "-L", plain.challenge(), "-I", "mine")
    daemon.wait("MONITORING")
    first, key = daemon.certificate(), pki.load_key((daemon.folder / "a.key").read_text())
    assert common_name(first) == "monitored" and pki.same_key(first, key)
    run("openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", plain.ca_file, daemon.folder / "a.crt")
    daemon.getcert("resubmit", "-i", "mine")
    wait_until(lambda: daemon.certificate() not in (None, first), 60, "a renewed certificate")
    daemon.wait("MONITORING")


@pytest.mark.once
def test_certmongers_daemon_with_a_wrong_password_is_rejected(plain, closing):
    daemon = closing(Certmonger())
    daemon.getcert("add-scep-ca", "-c", "hospital", "-u", plain.scep_url, "-N", plain.ca_file, "-r", plain.ca_file)
    daemon.getcert("request", "-c", "hospital", "-k", daemon.folder / "a.key", "-f", daemon.folder / "a.crt",
                   "-N", "CN=wrong", "-L", "wrong")
    daemon.wait("CA_REJECTED")
    assert not os.path.exists(daemon.folder / "a.crt")


# ---- openssl

@pytest.mark.once
def test_openssl_opens_the_reply_to_a_message_it_made(site, client, tmp_path):
    """Key, request, envelope and signature by openssl cms; only SCEP's attributes are put in by hand."""
    challenge = site.challenge()
    (tmp_path / "req.cnf").write_text("[req]\nprompt=no\ndistinguished_name=dn\nattributes=at\n[dn]\n"
                                      "O=Example Hospital\nCN=by-openssl\n[at]\nchallengePassword=%s\n" % challenge)
    run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-config", "req.cnf",
        "-outform", "DER", "-out", "csr.der", cwd=tmp_path)
    run("openssl", "req", "-x509", "-key", "key.pem", "-config", "req.cnf", "-days", "1", "-out", "self.pem",
        cwd=tmp_path)
    run("openssl", "cms", "-encrypt", "-binary", "-outform", "DER", "-aes-256-cbc", "-in", "csr.der", "-out", "env.der",
        site.ca_file, cwd=tmp_path)
    signer = pki.load_certificate((tmp_path / "self.pem").read_text())
    key = pki.load_key((tmp_path / "key.pem").read_text())
    d = cms.der
    raw = cms.sign((tmp_path / "env.der").read_bytes(), signer, key, "sha512", attributes=[
        cms.attribute(scep.MESSAGE_TYPE, d.printable("19")), cms.attribute(scep.TRANSACTION_ID, d.printable("openssl")),
        cms.attribute(scep.SENDER_NONCE, d.octets(b"n" * 16))])
    (tmp_path / "reply.der").write_bytes(client.post(raw).body)
    run("openssl", "cms", "-verify", "-inform", "DER", "-in", "reply.der", "-CAfile", site.ca_file, "-certfile",
        site.ca_file, "-purpose", "any", "-binary", "-out", "env2.der", cwd=tmp_path)
    run("openssl", "cms", "-decrypt", "-inform", "DER", "-in", "env2.der", "-recip", "self.pem", "-inkey", "key.pem",
        "-binary", "-out", "p7.der", cwd=tmp_path)
    shown = run("openssl", "pkcs7", "-inform", "DER", "-in", "p7.der", "-print_certs", cwd=tmp_path).stdout.decode()
    (tmp_path / "leaf.pem").write_text(shown)
    assert shown.count("BEGIN CERTIFICATE") == 1 and "by-openssl" in shown
    run("openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", site.ca_file, "leaf.pem", cwd=tmp_path)


@pytest.mark.once
def test_openssl_verifies_the_crl_of_getcrl(site, ask, client, tmp_path):
    own = ask("crl-reader")
    crl = client.get_crl(own.certificate.serial_number, own.certificate, own.key).crls[0]
    (tmp_path / "crl.der").write_bytes(crl.public_bytes(pki.serialization.Encoding.DER))
    done = run("openssl", "crl", "-inform", "DER", "-in", "crl.der", "-CAfile", site.ca_file, "-noout", "-crlnumber",
               "-nextupdate", cwd=tmp_path)
    assert b"verify OK" in done.stderr and b"crlNumber" in done.stdout
