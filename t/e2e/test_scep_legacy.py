# SPDX-License-Identifier: Apache-2.0
"""SCEP for old clients (MDMSCEPLegacy): DES, Triple DES and SHA-1 where they are switched on, GET requests as long
as httpd's own limit lets them be, and HTTP/1.0. Off by default: test_scep_refused.py."""

import base64
import re
import socket
import urllib.parse

import pytest
from mdmsim import cms, pki, scep

from .httpd import free_port
from .scep_tools import SUBJECT, asker, client_of, message_of, plain_http, refused


def legacy_site(make_site, words):
    site = make_site(directives={"MDMSCEPLegacy": words})
    site.scep_url = plain_http(site, free_port())
    return site


@pytest.mark.once
def test_b22_more_all_that_is_switched_on_is_served_and_announced(make_site, closing):
    site = legacy_site(make_site, "des des3 sha1").start()
    client = client_of(site, closing)
    ask = asker(site, client)
    assert {"DES3", "SHA-1", "AES", "SHA-256"} <= set(client.get_ca_caps())
    for cipher in ("des3", "des", "aes128", "aes256"):
        for digest in ("sha1", "sha256"):
            result = ask(cipher=cipher, digest=digest)
            assert result.ok, (cipher, digest, result.summary())
            assert result.cipher == cipher and pki.same_key(result.certificate, result.key)
    assert refused(ask(digest="md5"), scep.BAD_ALG)
    key = site.keys.take()
    csr = pki.raw_request(key, SUBJECT % "old", pki.challenge_attribute(site.challenge()), digest="sha1")
    result = client.enrol(csr=csr, key=key, cipher="des3", digest="sha1", ber=True, method="GET")
    assert result.ok and result.certificate.signature_hash_algorithm.name == "sha256", result.summary()


@pytest.mark.once
def test_b22_what_is_not_switched_on_stays_badalg(make_site, closing):
    site = legacy_site(make_site, "des3").start()
    client = client_of(site, closing)
    ask = asker(site, client)
    assert "DES3" in client.get_ca_caps() and "SHA-1" not in client.get_ca_caps()
    assert ask(cipher="des3").ok
    assert refused(ask(cipher="des"), scep.BAD_ALG) and refused(ask(digest="sha1"), scep.BAD_ALG)


def get_line(url, message, length):
    """A GET request target of about so many characters: the message with line breaks, percent-encoded."""
    text = base64.b64encode(message.raw).decode()
    parts = urllib.parse.urlsplit(url)
    target = parts.path + "/cgi-bin/pkiclient.exe?operation=PKIOperation&message="
    lines = re.findall(".{1,64}", text)
    full = target + "%0A".join(urllib.parse.quote(one, safe="+/") for one in lines)
    assert len(full) <= length, "the message alone has %d characters" % len(full)
    return full + "%0A" * ((length - len(full)) // 3)


@pytest.mark.once
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_b18_more_a_get_line_of_8_kb_under_httpds_own_limit(make_site, closing, version, monkeypatch):
    from . import site as sites
    monkeypatch.setattr(sites, "SERVER", sites.SERVER.replace("LimitRequestLine 1048576\n", ""))
    site = legacy_site(make_site, "des des3 sha1").start()
    client = client_of(site, closing)
    message = message_of(site, client, "cisco", site.challenge(), cipher="des", digest="sha1")
    line = "GET %s HTTP/%s" % (get_line(site.scep_url, message, 8190 - len("GET  HTTP/1.0") - 3), version)
    assert 8180 <= len(line) <= 8190
    port = urllib.parse.urlsplit(site.scep_url).port
    with socket.create_connection(("127.0.0.1", port), 20) as link:
        link.sendall((line + "\r\nHost: x\r\nConnection: close\r\n\r\n").encode())
        answer = b"".join(iter(lambda: link.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == b"200", head[:200]
    signed = cms.SignedData(body)
    opened = cms.SignedData(cms.EnvelopedData(signed.content).open(message.signer, message.key))
    assert pki.same_key(opened.certificates[0], message.key)
