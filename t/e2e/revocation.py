# SPDX-License-Identifier: Apache-2.0
"""A relying party: asks a site for its CRL and its OCSP answers, and has the openssl command line judge them."""

import base64
import os
import re
import subprocess
import urllib.parse

from mdmsim import pki

REQUEST_TYPE, RESPONSE_TYPE = "application/ocsp-request", "application/ocsp-response"


def openssl(*args, check=True):
    done = subprocess.run(["openssl", *args], capture_output=True, text=True)
    if check:
        assert done.returncode == 0, "openssl %s: %s%s" % (" ".join(args), done.stdout, done.stderr)
    return done


def serial_of(device):
    return "%032x" % device.certificate.serial_number


class Party:
    """Files of one relying party, in a folder of the site."""

    def __init__(self, site):
        self.site, self.folder = site, site.path("party")
        os.makedirs(self.folder, exist_ok=True)
        self.count = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as out:
            out.write(data)
        return self.path(name)

    def certificate(self, certificate):
        self.count += 1
        return self.write("cert-%d.pem" % self.count, pki.pem(certificate).encode())

    # the list

    def get_crl(self, path="", headers=None):
        return self.site.http.get(self.site.at("/mdm/crl" + path), headers)

    def crl(self, path="", ca_file=None):
        """The list as openssl prints it, its signature checked."""
        reply = self.get_crl(path)
        assert reply.status == 200 and reply.content_type == "application/pkix-crl", reply
        file = self.write("list.crl", reply.body)
        done = openssl("crl", "-inform", "DER", "-in", file, "-noout", "-text", "-CAfile",
                       ca_file or self.site.ca_file)
        assert "verify OK" in done.stderr
        return done.stdout

    def crl_number(self, path=""):
        return int(re.search(r"CRL Number:\s*(\d+|0x[0-9A-F]+)", self.crl(path)).group(1), 0)

    def verify(self, certificate):
        """`openssl verify -crl_check` with the list of now: (ok, what it says)."""
        self.crl()
        crl = self.path("list.pem")
        openssl("crl", "-inform", "DER", "-in", self.path("list.crl"), "-out", crl)
        done = openssl("verify", "-crl_check", "-CAfile", self.site.ca_file, "-CRLfile", crl,
                       self.certificate(certificate), check=False)
        return done.returncode == 0, done.stdout + done.stderr

    # OCSP

    def request(self, *certificates, issuer=None, nonce=True, options=()):
        """An OCSP request in DER, by openssl."""
        args = ["ocsp", "-issuer", issuer or self.site.ca_file, *options]
        for one in certificates:
            args += ["-cert", self.certificate(one)]
        file = self.path("request.der")
        openssl(*args, "-nonce" if nonce else "-no_nonce", "-reqout", file)
        with open(file, "rb") as source:
            return source.read()

    def post(self, body, headers=None):
        return self.site.http.post(self.site.at("/mdm/ocsp"), body, {"Content-Type": REQUEST_TYPE, **(headers or {})})

    def get(self, body, quote=True):
        text = base64.b64encode(body).decode()
        return self.site.http.get(self.site.at("/mdm/ocsp/" + (urllib.parse.quote(text, safe="") if quote else text)))

    def judge(self, reply, *certificates, request=None, issuer=None, mixed=False, ca_file=None):
        """What openssl makes of an answer: signature, times, with `request` also the nonce; returns its text.
        mixed: it is about several CAs, of which the signer cannot be the issuer: openssl is told to trust it."""
        assert reply.status == 200 and reply.content_type == RESPONSE_TYPE, reply
        file = self.write("answer.der", reply.body)
        args = ["ocsp", "-respin", file, "-VAfile" if mixed else "-CAfile",
                ca_file or self.site.ca_file]
        if request:
            args += ["-reqin", self.write("asked.der", request), "-resp_text"]
        else:
            args += ["-no_nonce", "-issuer", issuer or self.site.ca_file]
        for one in certificates:
            args += ["-cert", self.certificate(one)]
        done = openssl(*args, check=False)
        assert done.returncode == 0 and "Response verify OK" in done.stderr, done.stdout + done.stderr
        return done.stdout + done.stderr

    def error(self, reply):
        """The name of the error in an answer that is one."""
        assert reply.status == 200 and reply.content_type == RESPONSE_TYPE, reply
        done = openssl("ocsp", "-respin", self.write("answer.der", reply.body), "-noverify", check=False)
        return re.search(r"Responder Error: (\w+)", done.stdout + done.stderr).group(1)

    def status(self, certificate, **options):
        """good, revoked or unknown, by a request over HTTP of openssl's own making."""
        request = self.request(certificate, **options)
        text = self.judge(self.post(request), request=request)
        return re.search(r"Cert Status: (\w+)", text).group(1)
