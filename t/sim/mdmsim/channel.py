# SPDX-License-Identifier: Apache-2.0
"""One MDM channel (a device's, or a user's on it): check-in messages, the connect cycle, the identity shown
with each message. Device and UserChannel build on it."""

import base64
import hashlib
import os
import plistlib
import re
import threading
import uuid

from . import answers, cms, pki, profile, profiles, web

CHECKIN_TYPE = "application/x-apple-aspen-mdm-checkin"
CONNECT_TYPE = "application/x-apple-aspen-mdm; charset=UTF-8"
# how a message proves who sent it
IDENTITY_MODES = ("tls", "signature", "both", "none")


class Executed:
    """One command as the device saw it: uuid, request_type, command, raw (octets served), report (sent)."""

    def __init__(self, raw, report):
        self.raw = raw
        plist = plistlib.loads(raw)
        self.uuid, self.command = plist["CommandUUID"], plist["Command"]
        self.request_type, self.report = self.command["RequestType"], report
        self.status = report["Status"]

    def __repr__(self):
        return "<Executed %s %s: %s>" % (self.request_type, self.uuid, self.status)


class Channel:
    """What device and user channels share. self.device is the Device with identity, URLs and facts."""

    def __init__(self, device):
        self.device = device
        self.token, self.push_magic = os.urandom(32), str(uuid.uuid4()).upper()
        self.scripts = answers.Scripts()
        self.executed = []
        self.profiles, self.leaving = profiles.Profiles(), False
        self.busy = threading.RLock()

    def identifiers(self):
        """The keys that name this channel in every message."""
        raise NotImplementedError

    @property
    def id(self):
        """The enrollment id as the server's API names it."""
        return ":".join(value for key, value in self.identifiers().items()
                        if key in ("UDID", "EnrollmentID", "UserID", "EnrollmentUserID"))

    def script(self, request_type, answer, times=None, command_uuid=None):
        """Answer commands of this type ("*" for all) so, `times` times (None: always). See answers.Scripts."""
        self.scripts.add(request_type, answer, times, command_uuid)

    def new_token(self):
        """Another push token and magic, as after a restore; send them with token_update()."""
        self.token, self.push_magic = os.urandom(32), str(uuid.uuid4()).upper()

    # messages

    def put(self, url, body, headers=None, identity=None, signature=None):
        """PUT octets with the identity of the device and return the Reply: the base of all messages.

        identity: None for the device's usual mode, else one of IDENTITY_MODES. signature: a ready value for
        Mdm-Signature instead of the right one (wrong ones are the point)."""
        device = self.device
        mode = identity or device.identity_mode
        headers = dict(headers or {})
        if signature is not None:
            headers["Mdm-Signature"] = signature
        elif mode in ("signature", "both"):
            headers.setdefault("Mdm-Signature", device.sign(body))
        headers.setdefault("User-Agent", "MDM/1.0")
        return device.client(mode).put(url, body, headers)

    def send_checkin(self, message, **options):
        """Send a check-in message (a dict; Topic and identifiers are added when absent)."""
        body = {"Topic": self.device.topic, **self.identifiers(), **message}
        headers = {"Content-Type": CHECKIN_TYPE}
        return self.put(self.device.checkin_url, plistlib.dumps(body), headers, **options)

    def send_report(self, report, **options):
        """Send a connect message (a dict with Status; identifiers are added when absent)."""
        body = plistlib.dumps({**self.identifiers(), **report})
        return self.put(self.device.server_url, body, {"Content-Type": CONNECT_TYPE}, **options)

    def token_update(self, extra=None, check=True, **options):
        """TokenUpdate. check: raise HttpError unless the answer is 200."""
        message = {"MessageType": "TokenUpdate", "Token": self.token, "PushMagic": self.push_magic,
                   **self.token_extras(), **(extra or {})}
        return self._checked("TokenUpdate", self.send_checkin(message, **options), check)

    def token_extras(self):
        return {}

    def checkout(self, check=True, **options):
        return self._checked("CheckOut", self.send_checkin({"MessageType": "CheckOut"}, **options), check)

    def set_bootstrap_token(self, token, check=True, **options):
        reply = self.send_checkin({"MessageType": "SetBootstrapToken", "BootstrapToken": token}, **options)
        return self._checked("SetBootstrapToken", reply, check)

    def get_bootstrap_token(self, check=True, **options):
        """The escrowed token, or None."""
        reply = self.send_checkin({"MessageType": "GetBootstrapToken"}, **options)
        return (self._checked("GetBootstrapToken", reply, check).plist or {}).get("BootstrapToken")

    def declarative(self, endpoint, data=None, **options):
        """DeclarativeManagement for an endpoint ("tokens", "status", ...); data: JSON octets. Returns the Reply."""
        message = {"MessageType": "DeclarativeManagement", "Endpoint": endpoint}
        if data is not None:
            message["Data"] = data
        return self.send_checkin(message, **options)

    def get_token(self, service, parameters=None, **options):
        """GetToken; the Reply, whose plist has TokenData."""
        message = {"MessageType": "GetToken", "TokenServiceType": service}
        if parameters is not None:
            message["TokenParameters"] = parameters
        return self.send_checkin(message, **options)

    @staticmethod
    def _checked(what, reply, check=True):
        if check and not reply.ok:
            raise web.HttpError(what, reply)
        return reply

    # the connect cycle

    def idle(self, **options):
        """Report Idle once and return the Reply (its body is a command or empty)."""
        return self.send_report({"Status": "Idle"}, **options)

    def answer_to(self, raw):
        """The report (dict) this channel would send for a served command."""
        served = plistlib.loads(raw)
        return answers.answer(self, served["Command"], served["CommandUUID"])

    def connect(self, limit=1000):
        """Idle, then execute commands until the server sends none. Returns the list of Executed.

        limit: stop after so many commands in one connection. Raises HttpError on an answer other than 200."""
        done = []
        with self.busy:
            reply = self._checked("connect", self.idle())
            while reply.body and len(done) < limit:
                raw = reply.body
                report = self.answer_to(raw)
                executed = Executed(raw, report)
                done.append(executed)
                self.executed.append(executed)
                reply = self._checked("report", self.send_report(report))
                if self.leaving:
                    self.leaving = False
                    self.checkout()
                    break
        return done

    # profiles

    def open_profile(self, raw):
        """A profile as a user's channel gets it: encrypted to nobody."""
        return profiles.read(raw, None, self.device.signer_ca_file or None)

    def is_enrollment_profile(self, identifier):
        return False

    def install_command_profile(self, raw):
        """Execute InstallProfile; the members of the report, an ErrorChain when the profile cannot be had."""
        try:
            found = self.open_profile(raw)
        except (profile.ProfileError, plistlib.InvalidFileException, ValueError) as problem:
            return answers.error(4001, "MCInstallationErrorDomain", "Profile not readable: %s" % problem)
        refusal = self.profiles.refusal(found)
        if refusal is None and profiles.is_enrollment(found):
            return self.install_enrollment_profile(found)
        if refusal is None:
            self.profiles.put(found, supervised=self.device.supervised)
        return refusal or {}

    def install_enrollment_profile(self, found):
        return answers.error(4001, "MCInstallationErrorDomain", "Only a device can enroll.")


class UserChannel(Channel):
    """A user on a device: made by Device.user_channel()."""

    def __init__(self, device, user_id, short_name=None, long_name=None):
        super().__init__(device)
        self.user_id, self.short_name, self.long_name = user_id, short_name, long_name
        self.auth_token = None

    def send_checkin(self, message, **options):
        return super().send_checkin({**self.proof(), **message}, **options)

    def send_report(self, report, **options):
        return super().send_report({**self.proof(), **report}, **options)

    def proof(self):
        """The AuthToken of a network user who has signed in, for every message."""
        return {} if self.auth_token is None else {"AuthToken": self.auth_token}

    def identifiers(self):
        found = self.device.identifiers()
        if self.device.enrollment_id:
            found["EnrollmentUserID"] = self.user_id
        else:
            found["UserID"] = self.user_id
        if self.short_name is not None:
            found["UserShortName"] = self.short_name
        if self.long_name is not None:
            found["UserLongName"] = self.long_name
        return found

    def user_authenticate(self, digest_response=None, **options):
        message = {"MessageType": "UserAuthenticate"}
        if digest_response is not None:
            message["DigestResponse"] = digest_response
        return self.send_checkin(message, **options)

    def sign_in(self, name, password):
        """A network user's login: challenge, digest, AuthToken. Returns the AuthToken, "" after a wrong password."""
        challenge = self._checked("UserAuthenticate", self.user_authenticate()).plist["DigestChallenge"]
        reply = self.user_authenticate(digest_response(challenge, name, password) if challenge else "")
        token = (self._checked("UserAuthenticate", reply).plist or {}).get("AuthToken", "")
        self.auth_token = token or None
        return token


def digest_response(challenge, name, password, uri="/", method="PUT"):
    """The Digest response (RFC 2617, no qop) to a challenge, as a Mac makes it."""
    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()
    params = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    secret = md5("%s:%s:%s" % (name, params["realm"], password))
    response = md5("%s:%s:%s" % (secret, params["nonce"], md5(method + ":" + uri)))
    return 'Digest username="%s",realm="%s",nonce="%s",uri="%s",response="%s"' % (
        name, params["realm"], params["nonce"], uri, response)


def mdm_signature(body, certificate, key, digest="sha256", signing_time=True, **options):
    """The value of an Mdm-Signature header for a body; options as for cms.sign."""
    raw = cms.sign(body, certificate, key, digest, detached=True, signing_time=signing_time, **options)
    return base64.b64encode(raw).decode()


def other_identity(subject="CN=stranger", issuer=None):
    """A certificate and key that the server never issued, for tests of refusals."""
    if issuer is None:
        key = pki.new_key()
        return pki.self_signed(subject, key), key
    return issuer.issue(subject, usage="client")
