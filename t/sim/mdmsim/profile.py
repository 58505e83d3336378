# SPDX-License-Identifier: Apache-2.0
"""An enrollment profile as a device reads it: the signature is checked with the openssl program, the
payloads are found and made easy to reach."""

import os
import plistlib
import subprocess
import tempfile

from . import pki

CERTIFICATE_TYPES = ("com.apple.security.root", "com.apple.security.pkcs1", "com.apple.security.pem")


class ProfileError(Exception):
    pass


def open_signed(data, ca_file=None):
    """Open a CMS-signed profile with `openssl cms -verify`.

    Returns (content, signers, trusted, problem): signers are certificates; trusted tells whether they chain
    to ca_file; problem is openssl's complaint. Raises ProfileError when the signature itself is wrong."""
    with tempfile.TemporaryDirectory(prefix="mdmsim-") as folder:
        source, target, signer = (os.path.join(folder, name) for name in ("in.der", "out.plist", "signer.pem"))
        with open(source, "wb") as out:
            out.write(data)
        base = ["openssl", "cms", "-verify", "-inform", "DER", "-in", source, "-out", target,
                "-signer", signer, "-purpose", "any", "-binary"]
        plain = subprocess.run(base + ["-noverify"], capture_output=True, text=True)
        if plain.returncode:
            raise ProfileError("the profile's signature is wrong: " + plain.stderr.strip())
        with open(target, "rb") as got, open(signer) as who:
            content, signers = got.read(), pki.load_certificates(who.read())
        trusted, problem = False, "no certificate authority to check with was given"
        if ca_file:
            checked = subprocess.run(base + ["-CAfile", ca_file], capture_output=True, text=True)
            trusted, problem = checked.returncode == 0, checked.stderr.strip() if checked.returncode else None
        return content, signers, trusted, problem


def open_encrypted(data, certificate, key):
    """Open an EncryptedPayloadContent with `openssl cms -decrypt`; ProfileError when it is for another key.

    A wrong key yields random octets instead of an error, by design of CMS, so the caller must read them."""
    with tempfile.TemporaryDirectory(prefix="mdmsim-") as folder:
        source = os.path.join(folder, "in.der")
        with open(source, "wb") as out:
            out.write(data)
        done = subprocess.run(
            ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", source, "-binary",
             "-recip", pki.write_pem(os.path.join(folder, "cert.pem"), certificate),
             "-inkey", pki.write_pem(os.path.join(folder, "key.pem"), key, private=True)], capture_output=True)
        if done.returncode:
            raise ProfileError("the profile cannot be decrypted: " + done.stderr.decode().strip())
        return done.stdout


def _payloads(content):
    """The array of payloads that was encrypted."""
    try:
        found = plistlib.loads(content)
    except (ValueError, plistlib.InvalidFileException) as problem:
        raise ProfileError("what was decrypted is no property list: %s" % problem) from None
    return found


class Profile:
    """An enrollment profile.

    raw: octets as served; content: the property list's octets; plist; signed, signers, trusted, problem: the
    signature (see open_signed); scep, mdm: the payload dictionaries; certificates: those it installs; encrypted:
    whether the payloads came encrypted, which are opened with identity, a pair of certificate and key; service:
    the dictionary of a Profile Service payload, or None."""

    def __init__(self, raw, ca_file=None, identity=None):
        self.raw, self.signers, self.trusted, self.problem = raw, [], False, None
        self.signed = not raw.lstrip().startswith((b"<?xml", b"<plist", b"<!DOCTYPE", b"bplist"))
        self.content = raw
        if self.signed:
            self.content, self.signers, self.trusted, self.problem = open_signed(raw, ca_file)
        self.plist = plistlib.loads(self.content)
        self.identifier = self.plist.get("PayloadIdentifier")
        self.encrypted = "EncryptedPayloadContent" in self.plist
        if self.encrypted and identity is None:
            raise ProfileError("the profile is encrypted, and there is no identity to open it with")
        self.payloads = self.plist.get("PayloadContent") or []
        if self.encrypted:
            self.payloads = _payloads(open_encrypted(self.plist["EncryptedPayloadContent"], *identity))
        self.service = self.payloads if self.plist.get("PayloadType") == "Profile Service" else None
        if self.service is not None:
            self.payloads = []
        if not isinstance(self.payloads, list):
            raise ProfileError("PayloadContent is no array")
        self.certificates = [pki.load_certificate(one["PayloadContent"]) for one in self.payloads
                             if one.get("PayloadType") in CERTIFICATE_TYPES]

    def payload(self, kind):
        """The only payload of a type, or None."""
        found = [one for one in self.payloads if one.get("PayloadType") == kind]
        if len(found) > 1:
            raise ProfileError("%d payloads of type %s" % (len(found), kind))
        return found[0] if found else None

    @property
    def mdm(self):
        return self.payload("com.apple.mdm")

    @property
    def scep(self):
        """The inner dictionary of the SCEP payload that the MDM payload names as its identity."""
        found = self.payload("com.apple.security.scep")
        if found is None:
            return None
        if self.mdm and self.mdm.get("IdentityCertificateUUID") != found.get("PayloadUUID"):
            raise ProfileError("IdentityCertificateUUID does not name the SCEP payload")
        return found["PayloadContent"]
