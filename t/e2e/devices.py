# SPDX-License-Identifier: Apache-2.0
"""Simulated devices for a site, and the commands they get. Devices use the few keys of the run."""

import plistlib
import uuid

from mdmsim import device as simulated

from .site import API_KEY, PASSWORD, USER

__all__ = ["API_KEY", "PASSWORD", "USER", "command", "device_of", "enroll", "identity", "served"]


def command(request_type="DeviceInformation", command_uuid=None, **keys):
    """A command: (CommandUUID, plist octets)."""
    command_uuid = command_uuid or str(uuid.uuid4()).upper()
    if request_type == "DeviceInformation":
        keys.setdefault("Queries", ["UDID", "SerialNumber", "OSVersion"])
    body = {"CommandUUID": command_uuid, "Command": {"RequestType": request_type, **keys}}
    return command_uuid, plistlib.dumps(body)


def device_of(site, **options):
    """A device that knows the site's URLs but is not enrolled."""
    options = {"key_bits": 2048, **options}
    found = simulated.Device(site.keys.tls_ca_file, **options)
    found.topic = site.topic
    found.server_url, found.checkin_url = site.at("/mdm/connect"), site.at("/mdm/checkin")
    return found


def enroll(site, device, user=USER, password=PASSWORD):
    """The whole way of a person with a phone: sign in, profile, SCEP, Authenticate, TokenUpdate."""
    device.fetch_profile(site.at("/mdm/enroll"), user, password)
    device.new_token()
    device.enrolled_with = site.at("/mdm/enroll")
    device.install(device.profile, key=site.keys.take())
    return device


def identity(site, device, challenge=None):
    """Only an identity over SCEP for a device, with a challenge of mdmctl."""
    challenge = challenge or site.challenge("--subject", device.udid)
    payload = {"URL": site.at("/mdm/scep"), "Challenge": challenge, "Keysize": 2048,
               "Subject": [[["O", "Example Hospital"]], [["CN", device.udid]]]}
    device.scep_enrol(payload, key=site.keys.take())
    return device


def served(reply):
    """The CommandUUID that a connect answer carries, or None."""
    assert reply.status == 200, reply
    return plistlib.loads(reply.body)["CommandUUID"] if reply.body else None
