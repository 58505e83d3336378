# SPDX-License-Identifier: Apache-2.0
"""What the load generator sends: requests as octets, and its script files."""

import os
import plistlib

from e2e.site import API_KEY, PASSWORD, USER
from mdmsim import pki, scep, web
from mdmsim.channel import CHECKIN_TYPE, CONNECT_TYPE

from . import seed

NEW = "NNNNNNNN-NNNN-NNNN-NNNN-NNNNNNNNNNNN"
REPLY = "RRRRRRRR-RRRR-RRRR-RRRR-RRRRRRRRRRRR"


def request(method, target, body=b"", content_type=None, **headers):
    lines = ["%s %s HTTP/1.1" % (method, target), "Host: 127.0.0.1", "User-Agent: MDM/1.0"]
    lines += ["%s: %s" % item for item in headers.items()]
    if content_type:
        lines += ["Content-Type: " + content_type]
    if body or method != "GET":
        lines += ["Content-Length: %d" % len(body)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def write(path, lanes):
    """A script file; lanes are (certificate file or None, key file, list of requests)."""
    with open(path, "wb") as out:
        for certificate, key, requests in lanes:
            out.write(("connection %s %s\n" % (certificate or "-", key or "-")).encode())
            for one in requests:
                out.write(b"request %d\n" % len(one) + one + b"\n")
    return path


class Author:
    """Writes scripts for the devices of a site: each method returns the path of a script."""

    def __init__(self, site, fleet, folder):
        self.site, self.fleet, self.folder, self.made = site, fleet, folder, 0
        self.scep_key = pki.new_key()
        self.scep_signer = pki.self_signed("O=Example Hospital, CN=phone", self.scep_key)

    def _write(self, requests_of):
        """requests_of(number of the device, its UDID) gives the requests of its connection."""
        self.made += 1
        return write(os.path.join(self.folder, "script-%d" % self.made), [
            (self.fleet.files[n], self.fleet.key_file, requests_of(n, udid))
            for n, udid in enumerate(self.fleet.udids)])

    def static(self, size):
        """A file of so many octets, made on the way."""
        folder = self.site.path("htdocs", "bench")
        os.makedirs(folder, mode=0o755, exist_ok=True)
        with open(os.path.join(folder, "%d.bin" % size), "wb") as out:
            out.write(b"x" * size)
        return self._write(lambda n, udid: [request("GET", "/bench/%d.bin" % size)])

    # messages of devices

    def _checkin(self, udid, **message):
        body = plistlib.dumps({"Topic": self.site.topic, "UDID": udid, **message})
        return request("PUT", "/mdm/checkin", body, CHECKIN_TYPE)

    @staticmethod
    def _report(udid, **report):
        return request("PUT", "/mdm/connect", plistlib.dumps({"UDID": udid, **report}), CONNECT_TYPE)

    def _authenticate(self, n, udid):
        return self._checkin(udid, MessageType="Authenticate", DeviceName="iPhone %d" % n, Model="iPhone15,2",
                             ModelName="iPhone", OSVersion="18.1", BuildVersion="22B83", ProductName="iPhone15,2",
                             SerialNumber="F%09d" % n, IMEI="35 328510 000000 0")

    def _token_update(self, n, udid):
        return self._checkin(udid, MessageType="TokenUpdate", Token=seed.token(n), PushMagic=NEW,
                             UnlockToken=b"\x07" * 48, AwaitingConfiguration=False)

    def idle(self):
        return self._write(lambda n, udid: [self._report(udid, Status="Idle")])

    def token_update(self):
        return self._write(lambda n, udid: [self._token_update(n, udid)])

    def enroll(self):
        return self._write(lambda n, udid: [self._authenticate(n, udid), self._token_update(n, udid)])

    def cycle(self):
        """Idle, then the answer to the command that came."""
        answers = {"UDID": "", "SerialNumber": "F000000000", "OSVersion": "18.1", "BuildVersion": "22B83",
                   "ModelName": "iPhone", "DeviceName": "iPhone", "BatteryLevel": 0.75, "DeviceCapacity": 118.0,
                   "WiFiMAC": "a4:83:e7:00:00:00", "IsSupervised": True}
        return self._write(lambda n, udid: [
            self._report(udid, Status="Idle"),
            self._report(udid, Status="Acknowledged", CommandUUID=REPLY, QueryResponses={**answers, "UDID": udid})])

    # others

    @staticmethod
    def command(request_type="DeviceInformation"):
        return plistlib.dumps({"CommandUUID": NEW, "Command": {
            "RequestType": request_type, "Queries": ["UDID", "SerialNumber", "OSVersion", "DeviceName",
                                                            "ModelName", "BatteryLevel", "IsSupervised"]}})

    def enqueue(self, ids):
        """One command for one enrollment a request; each connection has some ids of its own."""
        share = max(1, min(64, len(ids) // len(self.fleet.udids)))
        return self._write(lambda n, udid: [
            request("PUT", "/mdm/api/v1/enqueue/%s?nopush=1" % one, self.command(),
                    Authorization=web.basic_auth("nanomdm", API_KEY)) for one in ids[n * share:(n + 1) * share]])

    def profile(self):
        return self._write(lambda n, udid: [
            request("GET", "/mdm/enroll", Authorization=web.basic_auth(USER, PASSWORD))])

    def scep(self, each):
        """So many SCEP requests for each connection, every one with a challenge of its own."""
        client = scep.ScepClient(self.site.at("/mdm/scep"), http=self.site.http)
        recipient = client.recipient
        challenges = seed.challenges(self.site, each * len(self.fleet.udids))

        def one(udid):
            csr = pki.request(self.scep_key, "O=Example Hospital, CN=" + udid, challenges.pop())
            message = scep.build(pki.der(csr), self.scep_signer, self.scep_key, recipient, ber=True)
            return request("POST", "/mdm/scep?operation=PKIOperation", message.raw, "application/x-pki-message")
        return self._write(lambda n, udid: [one(udid) for _ in range(each)])
