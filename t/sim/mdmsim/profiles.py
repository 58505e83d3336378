# SPDX-License-Identifier: Apache-2.0
"""The configuration profiles that a channel holds: what installs, replaces, lists and removes them, and what people
do to them by hand."""

import base64
import copy
import plistlib
import uuid

from . import pki, profile

ENROLLMENT_TYPE = "com.apple.mdm"


def entry(found, managed=True, supervised=True):
    """What ProfileList says of a profile (a profile.Profile, or the dictionary of a plain one)."""
    plist = found if isinstance(found, dict) else found.plist
    payloads = plist.get("PayloadContent", []) if isinstance(found, dict) else found.payloads
    listed = {"PayloadIdentifier": plist.get("PayloadIdentifier", ""), "PayloadUUID": plist.get("PayloadUUID", ""),
              "PayloadVersion": plist.get("PayloadVersion", 1),
              "PayloadDisplayName": plist.get("PayloadDisplayName", ""),
              "HasRemovalPasscode": "HasRemovalPasscode" in plist or any(
                  one.get("PayloadType") == "com.apple.profileRemovalPassword" for one in payloads),
              "IsEncrypted": "EncryptedPayloadContent" in plist,
              "PayloadRemovalDisallowed": bool(plist.get("PayloadRemovalDisallowed")) and supervised,
              "IsManaged": managed,
              "PayloadContent": [_payload_entry(one) for one in payloads]}
    for name in ("PayloadDescription", "PayloadOrganization"):
        if name in plist:
            listed[name] = plist[name]
    signers = getattr(found, "signers", [])
    if signers:
        listed["SignerCertificates"] = [pki.der(one) for one in signers]
    return listed


def _payload_entry(payload):
    names = ("PayloadUUID", "PayloadDisplayName", "PayloadDescription", "PayloadOrganization")
    return {"PayloadType": payload.get("PayloadType", ""), "PayloadVersion": payload.get("PayloadVersion", 1),
            "PayloadIdentifier": payload.get("PayloadIdentifier", ""),
            **{name: payload[name] for name in names if name in payload}}


class Profiles(dict):
    """By PayloadIdentifier: what ProfileList says of each.

    contents: by identifier, the list of payload dictionaries as installed, decrypted. history: identifiers and UUIDs
    in the order of installs, as ("install" or "remove", identifier, uuid). lists_managed: False leaves IsManaged out,
    as macOS does. refused: PayloadTypes and identifiers that are not installed, with the answer."""

    def __init__(self, found=()):
        super().__init__(found)
        self.contents, self.history, self.refused, self.lists_managed = {}, [], {}, True

    def put(self, found, managed=True, supervised=True):
        """Install or replace a profile."""
        listed = entry(found, managed, supervised)
        identifier = listed["PayloadIdentifier"]
        self[identifier] = listed
        self.contents[identifier] = copy.deepcopy(
            found.get("PayloadContent", []) if isinstance(found, dict) else found.payloads)
        self.history.append(("install", identifier, listed["PayloadUUID"]))
        return listed

    def take_away(self, identifier):
        """Remove one; KeyError when it is not there."""
        gone = super().pop(identifier)
        self.contents.pop(identifier, None)
        self.history.append(("remove", identifier, gone["PayloadUUID"]))
        return gone

    def payload(self, identifier, kind):
        """The payload of a type in an installed profile, as it was delivered and decrypted."""
        return next(one for one in self.contents[identifier] if one.get("PayloadType") == kind)

    def forget_managed(self):
        """All that came by management goes with it; what a person has installed stays."""
        for identifier in [name for name, listed in self.items() if listed.get("IsManaged", True)]:
            self.take_away(identifier)

    def listing(self, managed_only=False):
        """The array of an answer to ProfileList."""
        found = []
        for listed in self.values():
            if managed_only and not listed.get("IsManaged", True):
                continue
            listed = copy.deepcopy(listed)
            if not self.lists_managed:
                listed.pop("IsManaged", None)
            found.append(listed)
        return found

    # by hand

    def remove_by_hand(self, identifier, force=False):
        """In Settings a person removes a profile. PermissionError when that is disallowed, unless forced."""
        if self[identifier].get("PayloadRemovalDisallowed") and not force:
            raise PermissionError("the profile %s cannot be removed by hand" % identifier)
        return self.take_away(identifier)

    def backup(self):
        """All that is installed, for restore()."""
        return copy.deepcopy((dict(self), self.contents))

    def restore(self, saved, identifier=None):
        """A backup comes back: all of it, or one of its profiles as it was then."""
        entries, contents = copy.deepcopy(saved)
        if identifier is None:
            self.clear()
            self.contents.clear()
        for name in [identifier] if identifier else list(entries):
            self[name], self.contents[name] = entries[name], contents.get(name, [])

    def add(self, identifier, managed=False, payload_type="com.apple.webClip.managed", **keys):
        """A profile that did not come from the server under test: a person's, or (managed) another server's."""
        return self.put({"PayloadIdentifier": identifier, "PayloadUUID": str(uuid.uuid4()).upper(),
                         "PayloadDisplayName": identifier, "PayloadType": "Configuration", "PayloadVersion": 1,
                         "PayloadContent": [{"PayloadType": payload_type, "PayloadIdentifier": identifier + ".1",
                                             "PayloadUUID": str(uuid.uuid4()).upper(), "PayloadVersion": 1}], **keys},
                        managed)

    def refuse(self, what, answer):
        """Answer installs of a profile of this identifier, or with a payload of this type, so; None: no more."""
        if answer is None:
            self.refused.pop(what, None)
        else:
            self.refused[what] = answer

    def refusal(self, found):
        for what in (found.identifier, *(one.get("PayloadType") for one in found.payloads)):
            if what in self.refused:
                return copy.deepcopy(self.refused[what])
        return None

    # on disk

    def saved(self):
        """All of it as JSON takes it."""
        whole = plistlib.dumps({"entries": dict(self), "contents": self.contents}, fmt=plistlib.FMT_BINARY)
        return base64.b64encode(whole).decode()

    @classmethod
    def loaded(cls, text):
        whole = plistlib.loads(base64.b64decode(text))
        found = cls(whole["entries"])
        found.contents = whole["contents"]
        return found


def is_enrollment(found):
    return any(one.get("PayloadType") == ENROLLMENT_TYPE for one in found.payloads)


def read(raw, identity, ca_file=None):
    """A profile as InstallProfile brings it: its signature is checked, its payloads are decrypted with the identity.

    Raises profile.ProfileError or ValueError when it is none, is changed, or is for another key."""
    found = profile.Profile(raw, ca_file, identity)
    if not found.identifier or not found.plist.get("PayloadUUID"):
        raise profile.ProfileError("the profile has no PayloadIdentifier or PayloadUUID")
    return found
