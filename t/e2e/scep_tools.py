# SPDX-License-Identifier: Apache-2.0
"""What the SCEP tests share: a client, a PKCSReq in one call, sites of several kinds, and the openssl command
line as a second judge. Fixtures come into a test module by import."""

import contextlib
import os
import subprocess

import pytest
from mdmsim import cms, pki, scep, web

from .httpd import free_port

SUBJECT = "O=Example Hospital, CN=%s"


@pytest.fixture
def client(site, closing):
    return client_of(site, closing)


@pytest.fixture
def ask(site, client):
    """ask(common_name, **options): a PKCSReq with a fresh challenge unless options say otherwise."""
    return asker(site, client)


def client_of(site, closing):
    return scep.ScepClient(site.at("/mdm/scep"), http=closing(web.Client(site.keys.tls_ca_file, timeout=60)))


def asker(site, client):
    def call(common_name="device", **options):
        if "challenge" not in options:
            options["challenge"] = site.challenge()
        options.setdefault("key", site.keys.take())
        return client.enrol(SUBJECT % common_name, **options)
    return call


def ca_of(site):
    with open(site.ca_file) as source:
        return pki.load_certificate(source.read())


def refused(result, *infos):
    """A CertRep that refuses, well signed; failInfo badRequest unless infos name others."""
    assert result.http_status == 200, result.summary()
    assert result.status == scep.FAILURE, result.summary()
    assert result.signature_ok and result.certificate is None
    assert result.fail_info in (infos or (scep.BAD_REQUEST,)), result.summary()
    return True


def turned_away(result, *infos):
    """Refused by a CertRep, or by a 4xx where none can be built."""
    assert result.certificate is None, result.summary()
    return 400 <= result.http_status < 500 or refused(result, *infos)


def issued(site):
    """How many certificates the CA has issued."""
    return int(site.database.sql("SELECT COUNT(*) FROM mdm_certificate")[0][0])


@contextlib.contextmanager
def nothing_issued(site):
    before = issued(site)
    yield
    assert issued(site) == before, "a certificate was issued"


def alive(client):
    assert "SCEPStandard" in client.get_ca_caps()
    return True


def request_of(site, common_name, challenge, key=None):
    """(DER of a PKCS#10, its self-signed certificate, its key)"""
    key = key or site.keys.take()
    subject = SUBJECT % common_name
    return pki.der(pki.request(key, subject, challenge)), pki.self_signed(subject, key), key


def message_of(site, client, common_name, challenge, key=None, **options):
    """A PKCSReq that is not sent yet."""
    csr, signer, key = request_of(site, common_name, challenge, key)
    return scep.build(csr, signer, key, client.recipient, **options)


def bundle(sealed, infos, certificates):
    """The raw message around SignerInfos and certificates that a test makes itself."""
    return cms.signed_data(sealed, infos, [pki.der(one) for one in certificates], ["sha256"])


def plain_http(site, port=None):
    """A second virtual host of the site that serves SCEP without TLS, for clients that know no other; returns
    its URL. Call before the start."""
    port = port or free_port()
    extra = "".join("%s %s\n" % (name, value) for name, value in site.own.items() if name.startswith("MDMSCEP"))
    site.prepare()
    site.server_extra += ("Listen 127.0.0.1:%d\n<VirtualHost 127.0.0.1:%d>\n%s\nMDMEngine on\n"
                          "MDMServerURL https://127.0.0.1:1\nMDMStateDir %s\n%s"
                          "<Location /mdm/scep>\nSetHandler mdm-scep\n</Location>\n</VirtualHost>\n"
                          % (port, port, site.database.directives(), site.state_dir, extra))
    return "http://127.0.0.1:%d/mdm/scep" % port


def run(*args, ok=True, **options):
    """A program's (exit status, output, errors); fails when it is missing, and unless ok is None also when its
    status is not what ok says."""
    done = subprocess.run([str(one) for one in args], capture_output=True, timeout=120, **options)
    if ok is not None:
        assert (done.returncode == 0) == ok, "%s: %s%s" % (" ".join(map(str, args)), done.stdout[-2000:].decode(
            "utf-8", "replace"), done.stderr[-2000:].decode("utf-8", "replace"))
    return done


def need(program, package):
    """The program's path; a test that lacks it fails with the name of its package."""
    assert os.path.exists(program), "%s is missing: install %s" % (program, package)
    return program
