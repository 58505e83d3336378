# SPDX-License-Identifier: Apache-2.0
"""A simulated iPhone: signs in for its enrollment profile, gets an identity over SCEP, checks in, executes
commands, leaves. All state can be saved to a folder and loaded again."""

import contextlib
import json
import os
import random
import shutil
import tempfile
import uuid

from . import answers, pki, profile, profiles, scep, web
from .channel import IDENTITY_MODES, Channel, UserChannel, mdm_signature

PROFILE_TYPE = "application/x-apple-aspen-config"
SAVED = ("udid", "enrollment_id", "serial", "name", "model", "model_name", "os_version", "build_version",
         "imei", "iccid", "mac", "topic", "server_url", "checkin_url", "push_magic", "identity_mode",
         "identity_fixed", "state", "enrolled_with", "supervised")


class EnrollError(Exception):
    """Enrollment stopped; the text says at which step and why."""


class Device(Channel):
    """One simulated device and its device channel.

    ca_file: whom to trust for https (False: anyone). signer_ca_file: whom to trust as profile signer, default
    ca_file. identity_mode: "tls", "signature", "both", "none"; None follows the profile (TLS certificate, and
    Mdm-Signature when SignMessage is set). enrollment_id: set for User Enrollment, replaces the UDID in
    messages. Any of the other identifiers may be given. state_dir: where save() writes; a temporary folder
    otherwise. Use close(), or the device as a context manager, to end connections and temporary files."""

    def __init__(self, ca_file=None, signer_ca_file=None, identity_mode=None, udid=None, serial=None,
                 enrollment_id=None, name=None, model="iPhone15,2", model_name="iPhone", os_version="18.1",
                 build_version="22B83", state_dir=None, timeout=30, keep=200, key_bits=None,
                 supervised=False):
        super().__init__(self)
        if identity_mode not in (None, *IDENTITY_MODES):
            raise ValueError("identity_mode is one of %s" % (IDENTITY_MODES,))
        number = random.SystemRandom()
        self.udid = udid or "%08X-%016X" % (0x00008120, number.getrandbits(64))
        self.serial = serial or "".join(number.choice("BCDFGHJKLMNPQRTVWXYZ0123456789") for _ in range(10))
        self.enrollment_id = enrollment_id
        self.name = name or "iPhone " + self.serial[-4:]
        self.model, self.model_name = model, model_name
        self.os_version, self.build_version = os_version, build_version
        self.imei = "35 328510 %06d 0" % number.randrange(10 ** 6)
        self.iccid = "8949 0200 0010 %04d 0000" % number.randrange(10 ** 4)
        self.mac = "a4:83:e7:%02x:%02x:%02x" % tuple(number.randrange(256) for _ in range(3))
        self.ca_file, self.signer_ca_file = ca_file, signer_ca_file if signer_ca_file is not None else ca_file
        self.identity_fixed = identity_mode is not None
        self.identity_mode = identity_mode or "tls"
        self.key_bits, self.timeout, self.keep = key_bits, timeout, keep
        self.topic = self.server_url = self.checkin_url = None
        self.state, self.enrolled_with = "new", None
        self.supervised = supervised
        self.profile, self.scep_result = None, None
        self.certificate = self.key = None
        self.unlock_token = os.urandom(48)
        self.lost_mode, self.passcode, self.bypass_code = False, True, "0YQX-%s" % os.urandom(6).hex().upper()
        self.users = {}
        self._temporary = None
        if state_dir is None:
            self._temporary = state_dir = tempfile.mkdtemp(prefix="mdmsim-device-")
        self.state_dir = str(state_dir)
        os.makedirs(self.state_dir, mode=0o700, exist_ok=True)
        self.plain_http = web.Client(ca_file, timeout=timeout, keep=keep)
        self.identity_http = web.Client(ca_file, timeout=timeout, keep=keep)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End connections and remove the temporary folder, if it was one."""
        self.plain_http.close()
        self.identity_http.close()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)

    # who the device is

    def identifiers(self):
        return {"EnrollmentID": self.enrollment_id} if self.enrollment_id else {"UDID": self.udid}

    def facts(self):
        """All answers of DeviceInformation; replace on an instance for other devices."""
        return answers.plausible_facts(self)

    @property
    def common_name(self):
        found = self.certificate.subject.get_attributes_for_oid(pki.SHORT_NAMES["CN"])
        return found[0].value if found else ""

    def user_channel(self, user_id=None, short_name=None, long_name=None):
        """The channel of a user (made on first use); it has its own token, scripts and queue."""
        user_id = user_id or str(uuid.uuid4()).upper()
        if (user_id, short_name) not in self.users:
            self.users[user_id, short_name] = UserChannel(self, user_id, short_name, long_name)
        return self.users[user_id, short_name]

    def set_identity(self, certificate, key):
        """Use this certificate and key from now on (after SCEP; or a wrong one, for tests)."""
        self.certificate, self.key = certificate, key
        cert_file = pki.write_pem(os.path.join(self.state_dir, "identity.pem"), certificate)
        key_file = pki.write_pem(os.path.join(self.state_dir, "identity.key"), key, private=True)
        self.identity_http.use_client_cert(cert_file, key_file)

    @contextlib.contextmanager
    def as_identity(self, certificate, key):
        """For a with block, be another identity."""
        before = self.certificate, self.key
        self.set_identity(certificate, key)
        try:
            yield self
        finally:
            self.set_identity(*before)

    def client(self, mode):
        """The HTTP client for an identity mode: with or without the TLS client certificate."""
        return self.identity_http if mode in ("tls", "both") else self.plain_http

    def sign(self, body, **options):
        """The right Mdm-Signature for a body; options as for channel.mdm_signature."""
        return mdm_signature(body, self.certificate, self.key, **options)

    @property
    def log(self):
        """The last Replies (with their requests), with the TLS identity and without."""
        return list(self.plain_http.log) + list(self.identity_http.log)

    # enrollment

    def fetch_profile(self, url, user=None, password=None, headers=None):
        """GET the enrollment profile, check type and signature; sets and returns .profile."""
        headers = dict(headers or {})
        if user is not None:
            headers["Authorization"] = web.basic_auth(user, password or "")
        reply = self.plain_http.get(url, headers)
        if not reply.ok:
            raise web.HttpError("enrollment profile", reply)
        if reply.content_type != PROFILE_TYPE:
            raise EnrollError("the profile came as %r, not %s" % (reply.content_type, PROFILE_TYPE))
        self.profile = profile.Profile(reply.body, self.signer_ca_file or None)
        return self.profile

    def install_certificates(self, found):
        """Trust the certificates of a profile and take over the settings of its MDM payload."""
        if found.mdm is None:
            raise EnrollError("the profile has no MDM payload")
        for client in (self.plain_http, self.identity_http):
            if found.certificates and self.ca_file is not False:
                client.trust("".join(pki.pem(one) for one in found.certificates))
        self.topic, self.server_url = found.mdm["Topic"], found.mdm["ServerURL"]
        self.checkin_url = found.mdm.get("CheckInURL", self.server_url)
        if not self.identity_fixed:
            self.identity_mode = "both" if found.mdm.get("SignMessage") else "tls"

    def scep_client(self, payload):
        return scep.ScepClient(payload["URL"], ca_name=payload.get("Name"), http=self.plain_http,
                               fingerprint=payload.get("CAFingerprint"))

    def scep_enrol(self, payload, **options):
        """Run SCEP as a SCEP payload says, with a fresh key; sets the identity and returns the Result.

        The request goes out in BER with indefinite lengths, as Apple's devices send it."""
        client = self.scep_client(payload)
        caps = client.get_ca_caps()
        client.get_ca_cert()
        if "AES" not in caps and "SCEPStandard" not in caps:
            raise EnrollError("the SCEP server announces no AES: %s" % caps)
        method = "POST" if {"POSTPKIOperation", "SCEPStandard"} & set(caps) else "GET"
        options = {"subject": payload.get("Subject") or [[["CN", self.udid]]], "method": method,
                   "challenge": payload.get("Challenge"), "ber": True,
                   **options}
        if options.get("key") is None:
            options["key"] = pki.new_key(self.key_bits or payload.get("Keysize", 1024))
        result = client.enrol(**options)
        self.scep_result = result
        if not result.ok:
            raise EnrollError("SCEP refused: %s" % result.summary())
        if not pki.same_key(result.certificate, result.key):
            raise EnrollError("SCEP issued a certificate for another key")
        self.set_identity(result.certificate, result.key)
        return result

    def authenticate(self, extra=None, check=True, **options):
        message = {"MessageType": "Authenticate", "DeviceName": self.name, "Model": self.model,
                   "ModelName": self.model_name, "OSVersion": self.os_version,
                   "BuildVersion": self.build_version, "ProductName": self.model}
        if not self.enrollment_id:
            message.update({"SerialNumber": self.serial, "IMEI": self.imei})
        message.update(extra or {})
        return self._checked("Authenticate", self.send_checkin(message, **options), check)

    def token_extras(self):
        return {"AwaitingConfiguration": False, **({} if self.enrollment_id else
                                                   {"UnlockToken": self.unlock_token})}

    def install(self, found, **scep_options):
        """Install an enrollment profile: certificates, SCEP, Authenticate, TokenUpdate."""
        self.install_certificates(found)
        if found.scep is None:
            raise EnrollError("the profile has no SCEP payload")
        self.scep_enrol(found.scep, **scep_options)
        self.authenticate()
        self.token_update()
        self.profiles.put(found, supervised=self.supervised)
        self.state = "enrolled"
        self.save()

    def enroll(self, url, user=None, password=None, require_trusted=True):
        """Sign in, fetch the profile and install it. Returns the Profile.

        require_trusted: refuse a profile that is not signed by someone in signer_ca_file."""
        found = self.fetch_profile(url, user, password)
        if require_trusted and self.signer_ca_file is not False and not found.trusted:
            raise EnrollError("the profile is not signed by a trusted signer: %s"
                              % (found.problem or "it is not signed"))
        self.new_token()
        self.enrolled_with = url
        self.install(found)
        return found

    def checkout(self, check=True, **options):
        """Leave: send CheckOut and forget the managed profiles."""
        reply = super().checkout(check, **options)
        if reply.ok:
            for channel in (self, *self.users.values()):
                channel.profiles.forget_managed()
            self.state = "left"
            self.save()
        return reply

    def return_to_service(self, check=True, **options):
        """Ask what to return to service with; the ReturnToService dictionary."""
        reply = self.send_checkin({"MessageType": "ReturnToService"}, **options)
        self._checked("ReturnToService", reply, check)
        return (reply.plist or {}).get("ReturnToService")

    def open_profile(self, raw):
        return profiles.read(raw, (self.certificate, self.key), self.signer_ca_file or None)

    def is_enrollment_profile(self, identifier):
        return any(one.get("PayloadType") == profiles.ENROLLMENT_TYPE
                   for one in self.profiles.contents.get(identifier, []))

    def install_enrollment_profile(self, found):
        """An enrollment profile that comes as a command renews the identity."""
        self.install(found)
        return {}

    def remove_enrollment_profile(self, tell=True):
        """A person leaves management in Settings; tell: the device can say so, with CheckOut."""
        if tell:
            return self.checkout()
        for channel in (self, *self.users.values()):
            channel.profiles.forget_managed()
        self.state = "left"
        return None

    # state on disk

    def save(self):
        """Write the state to state_dir (identity.pem, identity.key and trust.pem stand beside it)."""
        state = {name: getattr(self, name) for name in SAVED}
        state["token"], state["unlock_token"] = self.token.hex(), self.unlock_token.hex()
        state["trust"] = self.plain_http.ca_pem
        state["profiles"] = self.profiles.saved()
        state["users"] = [{"user_id": one.user_id, "short_name": one.short_name, "long_name": one.long_name,
                           "token": one.token.hex(), "push_magic": one.push_magic,
                           "profiles": one.profiles.saved()}
                          for one in self.users.values()]
        path = os.path.join(self.state_dir, "state.json")
        with open(path + ".new", "w", opener=lambda p, f: os.open(p, f, 0o600)) as out:
            json.dump(state, out, indent=1)
        os.replace(path + ".new", path)

    @classmethod
    def load(cls, state_dir, **options):
        """The device saved in a folder; options as for Device()."""
        with open(os.path.join(state_dir, "state.json")) as source:
            state = json.load(source)
        fixed = options.pop("identity_mode", None)
        device = cls(state_dir=state_dir, **options)
        for name in SAVED:
            setattr(device, name, state[name])
        device.token = bytes.fromhex(state["token"])
        device.unlock_token = bytes.fromhex(state["unlock_token"])
        device.profiles = profiles.Profiles.loaded(state["profiles"])
        for user in state["users"]:
            channel = device.user_channel(user["user_id"], user["short_name"], user["long_name"])
            channel.token, channel.push_magic = bytes.fromhex(user["token"]), user["push_magic"]
            channel.profiles = profiles.Profiles.loaded(user["profiles"])
        if fixed:
            device.identity_mode, device.identity_fixed = fixed, True
        if state["trust"]:
            device.plain_http.trust(state["trust"])
            device.identity_http.trust(state["trust"])
        cert_file = os.path.join(state_dir, "identity.pem")
        if os.path.exists(cert_file):
            with open(cert_file) as cert, open(os.path.join(state_dir, "identity.key")) as key:
                device.set_identity(pki.load_certificate(cert.read()), pki.load_key(key.read()))
        return device
