# SPDX-License-Identifier: Apache-2.0
"""Sites that enroll devices over the air, and the way of a person and a phone through them."""

import datetime

from mdmsim import ota, web

from . import devices
from .site import PASSWORD, USER, Site

LOCATIONS = """\
  <Location "/mdm/enroll/device">
    SetHandler mdm-enroll
    AuthType None
    Require all granted
  </Location>
"""
WIFI = """\
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>com.example.wifi</string>
<key>PayloadUUID</key><string>6D0A3C1E-5D0B-4B9C-9E55-0C2E4B1A7F01</string>
<key>PayloadContent</key><array><dict>
<key>PayloadType</key><string>com.apple.wifi.managed</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>com.example.wifi.ward</string>
<key>PayloadUUID</key><string>6D0A3C1E-5D0B-4B9C-9E55-0C2E4B1A7F02</string>
<key>SSID_STR</key><string>Ward 7</string><key>Password</key><string>%s</string>
</dict></array></dict></plist>
"""

EPOCH = datetime.datetime(1970, 1, 1)

_maker = []


def maker():
    """The maker of the devices of this run; making its keys takes a moment."""
    if not _maker:
        _maker.append(ota.Maker())
    return _maker[0]


def prepare(site, **directives):
    """Make a site, not yet started, enroll over the air."""
    site.own.update({"MDMDeviceCAFile": maker().write(site.path("device-ca.pem")), **directives})
    site.locations += LOCATIONS
    return site


def make_site(*args, **options):
    """A site of the caller's own, as Site; running, with a push certificate."""
    site = prepare(Site(*args, **options))
    site.start()
    site.upload_push_certificate()
    return site


def first_profile(site, user=USER, password=PASSWORD):
    """A person, signed in by Apache, downloads the first profile: the Reply."""
    return site.http.get(site.at("/mdm/enroll"), {"Authorization": web.basic_auth(user, password)})


def begin(site, phone, user=USER, chain=(), identity=None):
    """A person downloads the first profile on a phone: an OverTheAir that has begun."""
    reply = first_profile(site, user)
    assert reply.status == 200, reply.text
    started = ota.OverTheAir(phone, identity or maker().device(phone.udid), chain)
    started.begin(reply.body)
    return started


def identified(site, phone, **options):
    """As begin, then phase 2 and SCEP."""
    started = begin(site, phone, **options)
    started.describe()
    started.identify(key=site.keys.take())
    return started


def enroll(site, phone, **options):
    """All phases, and what comes after them."""
    started = identified(site, phone, **options)
    started.fetch_final()
    started.install(**({"key": site.keys.take()} if started.final.mdm is not None else {}))
    return started


def device_of(site, **options):
    return devices.device_of(site, **options)
