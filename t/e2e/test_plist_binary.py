# SPDX-License-Identifier: Apache-2.0
"""Binary property lists at every endpoint that takes property lists, and what is kept of them."""

import plistlib
import uuid

import pytest
from mdmsim import channel

from . import devices


def binary(tree):
    return plistlib.dumps(tree, fmt=plistlib.FMT_BINARY)


def checkin(device, message, **options):
    body = binary({**device.identifiers(), "Topic": device.topic, **message})
    return device.put(device.checkin_url, body, {"Content-Type": channel.CHECKIN_TYPE}, **options)


@pytest.mark.mpm
@pytest.mark.parametrize("mode", ["tls", "signature"])
def test_a_device_speaks_binary_only(site, new_device, mode):
    device = devices.identity(site, new_device(site, identity_mode=mode))
    device.new_token()
    assert checkin(device, {"MessageType": "Authenticate", "DeviceName": "Größe 🏥 & <x>"}).status == 200
    assert checkin(device, {"MessageType": "TokenUpdate", "Token": device.token,
                            "PushMagic": device.push_magic}).status == 200
    assert site.show(device.id)["device_name"] == "Größe 🏥 & <x>"
    command_uuid, command = devices.command()
    assert site.enqueue(device.id, command, nopush=True).status == 200
    idle = binary({**device.identifiers(), "Status": "Idle"})
    assert devices.served(device.put(device.server_url, idle)) == command_uuid
    report = binary({**device.identifiers(), "Status": "Acknowledged", "CommandUUID": command_uuid,
                     "QueryResponses": {"DeviceName": "Größe 🏥 & <x>", "data": b"\0\xff", "n": [1, 1.5, True]}})
    assert device.put(device.server_url, report).body == b""
    assert site.queue_uuids(device.id) == []
    assert checkin(device, {"MessageType": "CheckOut"}).status == 200
    assert site.show(device.id)["state"] == "left"


def test_the_answer_is_kept_as_text(site, phone):
    command_uuid, command = devices.command()
    assert site.enqueue(phone.id, command, nopush=True).status == 200
    phone.idle()
    report = {**phone.identifiers(), "Status": "Acknowledged", "CommandUUID": command_uuid,
              "QueryResponses": {"DeviceName": "Größe 🏥 & <x>", "data": b"\0\xff", "n": [1, 1.5, True]}}
    assert phone.put(phone.server_url, binary(report)).status == 200
    shown = str(site.show_command(command_uuid))
    assert "Acknowledged" in shown and "Größe 🏥 & <x>" in shown


def test_an_error_chain_is_read(site, phone):
    command_uuid, command = devices.command()
    assert site.enqueue(phone.id, command, nopush=True).status == 200
    phone.idle()
    chain = [{"ErrorCode": 12021, "ErrorDomain": "MCMDMErrorDomain", "LocalizedDescription": "Nein."}]
    report = {**phone.identifiers(), "Status": "Error", "CommandUUID": command_uuid, "ErrorChain": chain}
    assert phone.put(phone.server_url, binary(report)).status == 200
    assert "12021" in str(site.show_command(command_uuid))


def test_a_command_may_be_enqueued_in_binary_and_is_delivered_in_xml(site, phone):
    command_uuid = str(uuid.uuid4()).upper()
    command = {"CommandUUID": command_uuid,
               "Command": {"RequestType": "InstallProfile", "Payload": b"\0\1\2" * 100, "Größe": ["x", "x", {"x": "x"}]}}
    reply = site.enqueue(phone.id, binary(command), nopush=True)
    assert reply.status == 200, reply.text
    reply = phone.idle()
    assert reply.body.startswith(b"<?xml") and plistlib.loads(reply.body) == command


def test_a_large_answer_with_shared_values(site, phone):
    """Encoders write equal texts once: 20000 keys in a body of 300 kB."""
    command_uuid, command = devices.command("InstalledApplicationList")
    assert site.enqueue(phone.id, command, nopush=True).status == 200
    phone.idle()
    apps = [{"Identifier": "com.example.app%d" % i, "Name": "An app with a name", "Version": "1.0", "BundleSize": i}
            for i in range(5000)]
    report = {**phone.identifiers(), "Status": "Acknowledged", "CommandUUID": command_uuid,
              "InstalledApplicationList": apps}
    assert phone.put(phone.server_url, binary(report)).status == 200
    assert site.queue_uuids(phone.id) == []
