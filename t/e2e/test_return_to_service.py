# SPDX-License-Identifier: Apache-2.0
"""Return to Service in EraseDevice: what the command lacks is filled in when the device fetches it."""

import base64
import json
import plistlib

import pytest

from mdmsim import profile

from . import devices
from .test_facts import events, facts, order

JSON = {"Content-Type": "application/json"}
WIFI = plistlib.dumps({"PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": "com.example.wifi",
                       "PayloadUUID": "0C2D5A3E-27B1-4F0E-9A55-6D1F4C8E7B10", "PayloadContent": [
                           {"PayloadType": "com.apple.wifi.managed", "PayloadVersion": 1, "SSID_STR": "ward",
                            "PayloadIdentifier": "com.example.wifi.ward",
                            "PayloadUUID": "0C2D5A3E-27B1-4F0E-9A55-6D1F4C8E7B11"}]})


@pytest.fixture
def returning(make_site):
    site = make_site()
    site.write("wifi.mobileconfig", WIFI.decode())
    site.own.update({"MDMReturnToServiceWiFiFile": site.path("wifi.mobileconfig"), "MDMReturnToServiceProfile": "on"})
    site.start()
    site.upload_push_certificate()
    return site


def erase(site, phone, **service):
    body = {"command": {"RequestType": "EraseDevice", "ReturnToService": {"Enabled": True, **service}},
            "targets": {"ids": [phone.id]}, "push": False}
    reply = site.api("POST", "/v1/commands", json.dumps(body).encode(), JSON)
    assert reply.status in (200, 201, 202), reply.text
    [done] = phone.connect()
    assert done.report["Status"] == "Acknowledged"
    return plistlib.loads(done.raw)["Command"]["ReturnToService"]


def test_an_erased_device_comes_back_by_itself(returning, new_phone):
    phone = new_phone(returning)
    phone.set_bootstrap_token(b"bootstrap")
    order(returning, phone, "DeviceInformation")
    given = erase(returning, phone)
    assert set(given) == {"Enabled", "WiFiProfileData", "MDMProfileData", "BootstrapToken"}
    assert given["Enabled"] is True and given["WiFiProfileData"] == WIFI and given["BootstrapToken"] == b"bootstrap"
    assert returning.show(phone.id)["state"] == "wiped" and facts(returning, phone)
    assert len(events(returning, phone, "return_to_service.given")) == 1
    phone.install(profile.Profile(given["MDMProfileData"], phone.signer_ca_file), key=returning.keys.take())
    shown = returning.show(phone.id)
    assert shown["state"] == "enrolled" and shown["user"] == devices.USER
    assert phone.connect() == [] and facts(returning, phone) == {}


def test_an_erase_that_brings_its_profiles_goes_out_as_it_is(site, phone):
    given = erase(site, phone, WiFiProfileData=base64.b64encode(WIFI).decode())
    assert given == {"Enabled": True, "WiFiProfileData": WIFI}
    assert events(site, phone, "return_to_service.given") == []


def test_a_raw_erase_goes_out_byte_for_byte(site, phone):
    _, body = devices.command("EraseDevice", ReturnToService={"Enabled": True})
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    [done] = phone.connect()
    assert done.raw == body
