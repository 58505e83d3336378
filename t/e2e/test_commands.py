# SPDX-License-Identifier: Apache-2.0
"""Orders at v1/commands: every command that the server's table has is sent, fetched by a device and read with plistlib;
what is wrong in an order is told with the path of its key."""

import base64
import datetime
import json
import os
import plistlib
import re
import time
import uuid

import pytest

from . import devices
from .apple_commands import commands
from .document import SOURCE

PROFILE = plistlib.dumps({"PayloadType": "Configuration", "PayloadIdentifier": "org.example.ward", "PayloadVersion": 1,
                          "PayloadUUID": "0D3F7C1A-6F57-4B4B-A0C7-6F8E2C2F31AA", "PayloadContent": []})
DATA = bytes(range(256))
TEXT = "Ward <3> & \"Zoë\" 🩺"

# Values that a rule wants; all others are made of the types.
SAMPLES = {"PIN": "123456", "ManifestURL": "https://example.org/ward.plist", "Payload": PROFILE,
           "WiFiProfileData": PROFILE, "MDMProfileData": PROFILE}
# Of these keys a command has one at a time.
ONE_OF = {
    "DeleteUser": ["UserName", "DeleteAllUsers"],
    "InstallApplication": ["iTunesStoreID", "Identifier", "ManifestURL"],
    "InstallEnterpriseApplication": ["Manifest", "ManifestURL"],
    "InstallMedia": ["iTunesStoreID", "MediaURL"],
    "RemoveMedia": ["iTunesStoreID", "PersistentID"],
    "RotateFileVaultKey": ["FileVaultUnlock.Password", "FileVaultUnlock.PrivateKeyExport"],
}
# Keys that a command wants although none is required by itself; a passcode's token is the device's own otherwise.
LEAST = {"ClearPasscode": ["UnlockToken"], "EnableLostMode": ["Message"], "ScheduleOSUpdate": ["Updates.ProductKey"],
         "RotateFileVaultKey": ["NewCertificate", "FileVaultUnlock.PrivateKeyExportPassword"]}
DOUBT = re.compile(r": (there is no \w+ in iOS|\w+ needs (iOS \d|a supervised device))")
ANY = {"text": TEXT, "number": 7, "real": 1.5, "yes": True, "no": False, "list": [1, "two", {"three": 3}],
       "data": DATA, "date": datetime.datetime(2026, 1, 31, 23, 59, 59)}


def as_json(value):
    """A value as a caller writes it, within a dictionary of any keys."""
    if isinstance(value, bytes):
        return {"$data": base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime):
        return {"$date": value.strftime("%Y-%m-%dT%H:%M:%SZ")}
    if isinstance(value, dict):
        return {name: as_json(one) for name, one in value.items()}
    return [as_json(one) for one in value] if isinstance(value, list) else value


class Maker:
    """Makes an order of a type's description, and what the device must get."""

    def __init__(self, described, full, one_of=None):
        self.type, self.full, self.keys = described["request_type"], full, described["keys"]
        self.but = [name for name in ONE_OF.get(self.type, []) if name != one_of]
        self.least = LEAST.get(self.type, []) + ([one_of] if one_of else [])

    def is_wanted(self, key, path):
        if path in self.but:
            return False
        return self.full or key["required"] or any(one == path or one.startswith(path + ".") for one in self.least)

    def members(self, keys, path=""):
        sent, got = {}, {}
        for key in keys:
            here = path + key["name"]
            if self.is_wanted(key, here):
                sent[key["name"]], got[key["name"]] = self.value(key, here)
            elif "default" in key and here not in self.but:
                got[key["name"]] = key["default"]
        return sent, got

    def value(self, key, path):
        """(JSON, what plistlib reads)"""
        kind, values = key["type"], key.get("values")
        if kind == "array":
            return self.array(key["keys"][0], path)
        if kind == "dictionary" and "keys" in key:
            return self.members(key["keys"], path + ".")
        if kind == "dictionary":
            return as_json(ANY), ANY
        if kind == "data":
            value = SAMPLES.get(key["name"], DATA)
            return base64.b64encode(value).decode(), value
        value = SAMPLES.get(key["name"]) or {"string": TEXT, "integer": 7, "boolean": True}[kind]
        value = values[-1] if values else value
        return value, value

    def array(self, item, path):
        if item["type"] == "item":
            made = [self.members(one.get("keys", []), path + ".") for one in item["keys"]]
            return tuple([{"Item": one["name"], **pair[n]} for one, pair in zip(item["keys"], made)] for n in (0, 1))
        if item["type"] == "string" and item.get("values"):
            return item["values"], item["values"]
        made = [self.value(item, path) for _ in range(2)]
        return [one[0] for one in made], [one[1] for one in made]

    def make(self):
        sent, got = self.members(self.keys)
        return {"RequestType": self.type, **sent}, {"RequestType": self.type, **got}


def same(a, b):
    """Equal in values and in types: true is not 1."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    return len(a) == len(b) and all(map(same, a, b)) if isinstance(a, list) else a == b


def order(site, body, key=None, content_type="application/json", expected=201):
    headers = {"Content-Type": content_type, **({"Idempotency-Key": key} if key else {})}
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = site.api("POST", "/v1/commands", octets, headers)
    assert reply.status == expected, reply.text
    return reply


def send(site, command, *ids, **more):
    return order(site, {"command": command, "targets": {"ids": list(ids)}, "push": False, **more}).json


def described(site):
    names = [one["request_type"] for one in site.api("GET", "/v1/commands/types").json["types"]]
    return [site.api("GET", "/v1/commands/types/" + name).json for name in names]


def is_for_users_only(one):
    systems = set(one["since"]) - {"macos"} if not one["shared_ipad_only"] else set()
    shared = one["shared_ipad_channels"]
    return "device" not in one["macos_channels"] + shared and ("user" in shared or not systems)


def test_every_command_arrives_as_it_was_asked_for(site, new_phone):
    phone = new_phone(site)
    user = phone.user_channel()
    user.token_update()
    types, wanted, last = described(site), {}, []
    assert len(types) >= 68 and types == sorted(types, key=lambda one: one["request_type"])
    for one in types:
        channel = user if is_for_users_only(one) else phone
        for full in (True, False):
            for only in ONE_OF.get(one["request_type"], [None]):
                command, got = Maker(one, full, only).make()
                if command["RequestType"] == "EraseDevice":
                    last.append((command, got))      # the device is gone when it has been answered
                    continue
                made = send(site, command, channel.id, encrypt=False)
                assert made["enrollments"] == [channel.id], made
                # the phone is asked for everything, also what belongs to other systems
                assert all(DOUBT.search(text) for text in made.get("warnings", [])), made
                wanted[made["command_uuid"]] = got
    executed = phone.connect() + user.connect()
    for command, got in last:
        other = new_phone(site)
        wanted[send(site, command, other.id)["command_uuid"]] = got
        executed += other.connect(limit=1)
    for one in executed:
        assert same(one.command, wanted[one.uuid]), (one.command, wanted[one.uuid])
    assert len(executed) == len(wanted) and {one.uuid for one in executed} == set(wanted)
    assert {one.request_type for one in executed} == {one["request_type"] for one in types}


def test_the_types_say_what_a_console_needs(site):
    lock = site.api("GET", "/v1/commands/types/DeviceLock").json
    assert lock["access_right"] == 4 and lock["destructive"] is True and lock["supervised"] == []
    assert lock["since"] == {"ios": "4.0", "macos": "10.7", "visionos": "2.0", "watchos": "10.0"}
    assert [key["name"] for key in lock["keys"]] == ["Message", "PhoneNumber", "PIN"]
    assert site.api("GET", "/v1/commands/types/Nothing").status == 404
    assert site.api("GET", "/v1/commands/types/").status == 404


# (command, what the answer says)
WRONG = [
    ([], "command: expected an object, got an array"),
    ({}, "command: the key RequestType is missing"),
    ({"RequestType": 1}, "command: the key RequestType is missing"),
    ({"RequestType": "Devicelock"}, "there is no command Devicelock; did you mean DeviceLock?"),
    ({"RequestType": "Format"}, "RequestType: there is no command Format"),
    ({"RequestType": "ProfileList", "ManagedOnly": 1}, "ManagedOnly: expected true or false, got an integer"),
    ({"RequestType": "ProfileList", "ManagedOnly": None}, "ManagedOnly: expected true or false, got null"),
    ({"RequestType": "ProfileList", "managedOnly": True}, "unknown key managedOnly; did you mean ManagedOnly?"),
    ({"RequestType": "DeviceLock", "PIN": "12345"}, "PIN: expected six digits"),
    ({"RequestType": "DeviceLock", "PIN": "secret"}, "PIN: expected six digits"),
    ({"RequestType": "DeviceLock", "PIN": 123456}, "PIN: expected a string, got an integer"),
    ({"RequestType": "DeviceLock", "Message": "a\u0001b"}, "Message: expected a string without control characters"),
    ({"RequestType": "EraseDevice", "PIN": "1234567"}, "PIN: expected six digits"),
    ({"RequestType": "EraseDevice", "ObliterationBehavior": "Now"}, "ObliterationBehavior: expected one of"),
    ({"RequestType": "EraseDevice", "ReturnToService": {}}, "ReturnToService: the key Enabled is missing (boolean)"),
    ({"RequestType": "EraseDevice", "ReturnToService": {"Enabled": True, "WiFiProfileData": "QUJD"}},
     "ReturnToService.WiFiProfileData: expected the base64 of a profile"),
    ({"RequestType": "EnableLostMode"}, "EnableLostMode: expected Message or PhoneNumber"),
    ({"RequestType": "EnableLostMode", "Footnote": "x"}, "EnableLostMode: expected Message or PhoneNumber"),
    ({"RequestType": "InstallApplication"}, "exactly one of iTunesStoreID, Identifier and ManifestURL"),
    ({"RequestType": "InstallApplication", "iTunesStoreID": 1, "Identifier": "a"}, "exactly one of iTunesStoreID"),
    ({"RequestType": "InstallApplication", "iTunesStoreID": "1"}, "iTunesStoreID: expected an integer, got a string"),
    ({"RequestType": "InstallApplication", "iTunesStoreID": -1}, "iTunesStoreID: expected an integer from 0"),
    ({"RequestType": "InstallApplication", "iTunesStoreID": 1, "ManagementFlags": 2},
     "ManagementFlags: expected one of 1, 4, 5"),
    ({"RequestType": "InstallApplication", "ManifestURL": "http://example.org/x"},
     "ManifestURL: expected a URL that begins with https://"),
    ({"RequestType": "InstallEnterpriseApplication"}, "exactly one of Manifest and ManifestURL"),
    ({"RequestType": "InstallProfile"}, "InstallProfile: the key Payload is missing (base64 data)"),
    ({"RequestType": "InstallProfile", "Payload": "***"}, "Payload: expected base64 data, got a string that is none"),
    ({"RequestType": "InstallProfile", "Payload": ["x"]}, "Payload: expected base64 data as a string, got an array"),
    ({"RequestType": "InstallProfile", "Payload": "QUJD"}, "Payload: expected the base64 of a profile"),
    ({"RequestType": "Settings"}, "Settings: the key Settings is missing (array)"),
    ({"RequestType": "Settings", "Settings": {}}, "Settings: expected an array, got an object"),
    ({"RequestType": "Settings", "Settings": []}, "Settings: expected at least one item"),
    ({"RequestType": "Settings", "Settings": [{}]}, "Settings[0]: the key Item is missing (string)"),
    ({"RequestType": "Settings", "Settings": [{"Item": "Blutooth"}]},
     "Settings[0].Item: there is no setting Blutooth; did you mean Bluetooth?"),
    ({"RequestType": "Settings", "Settings": [{"Item": "Bluetooth", "Enabled": True}, {"Item": "DeviceName"}]},
     "Settings[1]: the key DeviceName is missing (string)"),
    ({"RequestType": "Settings", "Settings": [{"Item": "DeviceName", "DeviceName": 5}]},
     "Settings[0].DeviceName: expected a string, got an integer"),
    ({"RequestType": "Settings", "Settings": [{"Item": "Wallpaper", "Image": "QUJD", "Where": 4}]},
     "Settings[0].Where: expected one of 1, 2, 3"),
    ({"RequestType": "DeviceInformation", "Queries": ["SerialNumber", "OSVerson"]},
     "Queries[1]: there is no query OSVerson; did you mean OSVersion?"),
    ({"RequestType": "DeviceInformation", "Queries": []}, "Queries: expected at least one item"),
    ({"RequestType": "ScheduleOSUpdate", "Updates": [{"InstallAction": "Default"}]},
     "Updates[0]: expected ProductKey or ProductVersion"),
    ({"RequestType": "ScheduleOSUpdate", "Updates": [{"ProductVersion": "18.1", "InstallAction": "Now"}]},
     "Updates[0].InstallAction: expected one of"),
    ({"RequestType": "DeleteUser"}, "exactly one of UserName and DeleteAllUsers: true"),
    ({"RequestType": "RotateFileVaultKey", "KeyType": "personal", "FileVaultUnlock": {}},
     "FileVaultUnlock: expected exactly one of Password and PrivateKeyExport"),
    ({"RequestType": "RotateFileVaultKey", "KeyType": "institutional", "FileVaultUnlock": {"Password": "x"}},
     "the key NewCertificate is missing"),
]


@pytest.mark.once
def test_wrong_commands_are_refused_with_the_path_of_the_key(site, steady_phone):
    for command, said in WRONG:
        reply = order(site, {"command": command, "targets": {"ids": [steady_phone.id]}}, expected=400)
        assert said in reply.json["error"], (command, reply.json)
    assert site.queue_uuids(steady_phone.id) == []


# (members beside command and targets.ids, what the answer says)
WRONG_ORDERS = [
    ({"target": {}}, "there is no member target; there are command, command_plist, targets, "),
    ({"targets": None}, "targets: expected an object with ids, serials, users or groups"),
    ({"targets": {"id": ["x"]}}, "targets: there is no member id; there are ids, serials, users, groups"),
    ({"targets": {"ids": "x"}}, "targets.ids: expected an array"),
    ({"targets": {"ids": [1]}}, "targets.ids[0]: expected a string"),
    ({"command": None}, "command: expected an object with RequestType and its keys"),
    ({"command_plist": "QUJD"}, "command_plist: has a CommandUUID of its own"),
    ({"command": None, "command_plist": "***"}, "command_plist: expected base64 data as a string"),
    ({"command_uuid": ""}, "command_uuid: expected"),
    ({"command_uuid": "u" * 128}, "command_uuid: expected 1 to 127 printable characters"),
    ({"priority": 101}, "priority: expected an integer from -100 to 100"),
    ({"priority": "1"}, "priority: expected an integer from -100 to 100"),
    ({"not_before": "tomorrow"}, "not_before: expected a time such as"),
    ({"not_after": 5}, "not_after: expected a time such as"),
    ({"push": "no"}, "push: expected true or false"),
    ({"encrypt": 0}, "encrypt: expected true or false"),
    ({"supersede_key": ""}, "supersede_key: expected a string"),
    ({"note": 5}, "note: expected a string of 1 to 255 bytes"),
    ({"note": "n" * 256}, "note: expected a string of 1 to 255 bytes"),
]


@pytest.mark.once
def test_wrong_orders_are_refused(site, steady_phone):
    for more, said in WRONG_ORDERS:
        body = {"command": {"RequestType": "ProfileList"}, "targets": {"ids": [steady_phone.id]}, **more}
        reply = order(site, body, expected=400)
        assert said in reply.json["error"], (more, reply.json)
    for octets in (b"", b"{", b"[]", b'"text"', b"\xff"):
        order(site, octets, expected=400)
    assert site.queue_uuids(steady_phone.id) == []


@pytest.mark.once
def test_only_json_is_taken(site, steady_phone):
    body = {"command": {"RequestType": "ProfileList"}, "targets": {"ids": [steady_phone.id]}, "push": False}
    for wrong in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp"):
        assert "application/json" in order(site, body, content_type=wrong, expected=415).json["error"]
    assert site.queue_uuids(steady_phone.id) == []
    order(site, body, content_type="application/json; charset=utf-8")
    assert len(steady_phone.connect()) == 1


@pytest.mark.once
def test_values_are_never_shown_in_errors_nor_in_the_log(site, steady_phone):
    secret, mark = "S3cr3t-" + uuid.uuid4().hex, site.log.size()
    for command in ({"RequestType": "DeviceLock", "PIN": secret},
                    {"RequestType": "InstallProfile", "Payload": secret + "!"},
                    {"RequestType": "EraseDevice", "ObliterationBehavior": secret}):
        assert secret not in order(site, {"command": command, "targets": {"ids": [steady_phone.id]}}, expected=400).text
    send(site, {"RequestType": "VerifyRecoveryLock", "Password": secret}, steady_phone.id)
    assert steady_phone.connect()[0].command["Password"] == secret
    assert secret not in site.log.text(mark)


def test_a_plist_of_the_callers_own_arrives_byte_for_byte(site, steady_phone):
    command_uuid = str(uuid.uuid4())
    raw = (b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><!-- mine --><dict>\r\n\t<key>Command</key>'
           b'<dict><key>RequestType</key><string>NewFromApple</string><key>Level</key><integer>-3</integer></dict>'
           b'<key>CommandUUID</key><string>%s</string></dict></plist>' % command_uuid.encode())
    made = order(site, {"command_plist": base64.b64encode(raw).decode(), "targets": {"ids": [steady_phone.id]}}).json
    assert made["command_uuid"] == command_uuid and made["request_type"] == "NewFromApple"
    assert made["warnings"] == ["NewFromApple is no command that this server knows"]
    assert [one.raw for one in steady_phone.connect()] == [raw]
    order(site, {"command_plist": base64.b64encode(raw).decode(), "targets": {"ids": [steady_phone.id]}}, expected=409)


def test_a_key_orders_once(site, steady_phone):
    key, body = str(uuid.uuid4()), {"command": {"RequestType": "ProfileList"}, "targets": {"ids": [steady_phone.id]}}
    first = order(site, body, key).json
    again = order(site, body, key, expected=200).json
    assert again["repeated"] is True and again["command_uuid"] == first["command_uuid"]
    order(site, {**body, "priority": 5}, key, expected=409)
    assert [one.uuid for one in steady_phone.connect()] == [first["command_uuid"]]
    for wrong in ("a b", "k" * 256):
        assert "Idempotency-Key" in order(site, body, wrong, expected=400).json["error"]


def test_what_devices_said_of_themselves_is_held_against_a_command(site, new_phone):
    phones = [new_phone(site, os_version="9.3.5") for _ in range(3)] + [new_phone(site), new_phone(site)]
    ids = [one.id for one in phones]
    body = {"command": {"RequestType": "EnableLostMode", "Message": "Lost"}, "targets": {"ids": ids}, "push": False}
    assert "warnings" not in order(site, body).json, "nobody has said whether it is supervised"
    for one in phones:
        assert one.connect()
    site.database.sql("INSERT INTO mdm_fact (enrollment, name, value, source, changed_at) "
                      "SELECT id, 'IsSupervised', CASE WHEN enrollment_id = '%s' THEN 'true' ELSE 'false' END, "
                      "'DeviceInformation', 1 FROM mdm_enrollment WHERE enrollment_id IN ('%s')"
                      % (ids[4], "', '".join(ids)))
    first = min(ids[:3])
    assert order(site, body).json["warnings"] == [
        "%s and 2 like it: EnableLostMode needs a supervised device, and it is not supervised" % first,
        "%s: EnableLostMode needs a supervised device, and it is not supervised" % ids[3]]
    body["command"] = {"RequestType": "LOMSetupRequest"}
    assert all(one.endswith(": there is no LOMSetupRequest in iOS") for one in order(site, body).json["warnings"])
    body["targets"]["ids"] = ids[:1]
    body["command"] = {"RequestType": "RefreshCellularPlans", "eSIMServerURL": "https://example.org"}
    needs = site.api("GET", "/v1/commands/types/RefreshCellularPlans").json["since"]["ios"]
    assert order(site, body).json["warnings"] == [
        ids[0] + ": RefreshCellularPlans needs iOS %s, and it has 9.3.5" % needs]


def test_a_users_channel_gets_no_commands_for_devices(site, steady_phone):
    user = steady_phone.user_channel()
    user.token_update()
    body = {"command": {"RequestType": "DeviceLock"}, "targets": {"ids": [steady_phone.id, user.id]}}
    reply = order(site, body, expected=400)
    assert "targets.ids[1]: %s is a user channel, and DeviceLock is for devices only" % user.id in reply.json["error"]
    made = send(site, {"RequestType": "NSExtensionMappings"}, steady_phone.id)
    assert made["warnings"][0] == "%s is a device, and NSExtensionMappings is for user channels only" % steady_phone.id
    assert [one.request_type for one in steady_phone.connect()] == ["NSExtensionMappings"]


def test_commands_have_their_time(site, steady_phone):
    def at(seconds):
        moment = datetime.datetime.fromtimestamp(int(time.time()) + seconds, datetime.timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    later = send(site, {"RequestType": "ProfileList"}, steady_phone.id, not_before=at(3600))
    urgent = [send(site, {"RequestType": "ProfileList"}, steady_phone.id, priority=number, not_after=at(3600))
              for number in (-1, 7, 0)]
    shown = site.show_command(urgent[1]["command_uuid"])
    assert shown["priority"] == 7 and "not_after" in shown
    assert [one.uuid for one in steady_phone.connect()] == [urgent[number]["command_uuid"] for number in (1, 2, 0)]
    assert site.api("DELETE", "/v1/commands/" + later["command_uuid"]).status == 200


def test_devices_are_named_by_serial_number_and_woken(site, new_phone, apns):
    phone = new_phone(site)
    body = {"command": {"RequestType": "ProfileList"}, "targets": {"serials": [phone.serial]},
            "command_uuid": "mine-" + phone.udid}
    made = order(site, body).json
    assert made["enrollments"] == [phone.id] and made["command_uuid"] == "mine-" + phone.udid
    assert apns.wait_pushes(1, magic=phone.push_magic)
    assert devices.served(phone.idle()) == made["command_uuid"]
    order(site, body, expected=409)
    for targets in ({"ids": ["nobody"]}, {"serials": ["NOSERIAL"]}, {"ids": []}, {}):
        order(site, {"command": {"RequestType": "ProfileList"}, "targets": targets}, expected=400)


def test_profiles_are_encrypted_unless_told_otherwise(site, steady_phone):
    profile = plistlib.dumps({**plistlib.loads(PROFILE), "PayloadContent": [
        {"PayloadType": "com.apple.wifi.managed", "PayloadIdentifier": "org.example.ward.wifi", "PayloadVersion": 1,
         "PayloadUUID": str(uuid.uuid4()), "SSID_STR": "Ward", "Password": "CANARY"}]})
    command = {"RequestType": "InstallProfile", "Payload": base64.b64encode(profile).decode()}
    send(site, command, steady_phone.id)
    send(site, command, steady_phone.id, encrypt=False)
    sealed, plain = [one.command["Payload"] for one in steady_phone.connect()]
    assert plain == profile
    assert b"<key>EncryptedPayloadContent</key>" in sealed and b"CANARY" not in sealed


@pytest.mark.once
def test_the_examples_in_the_manual_are_taken(site, steady_phone):
    with open(os.path.join(SOURCE, "docs", "commands.md"), encoding="utf-8") as text:
        examples = re.findall(r"^send '(.*?)'$", text.read(), re.DOTALL | re.MULTILINE)
    assert len(examples) >= 16
    assert site.api("PUT", "/v1/groups/ward-3").status == 201
    assert site.api("PUT", "/v1/groups/ward-3/members/" + steady_phone.id).status == 200
    files = {"wifi.mobileconfig": PROFILE, "command.plist": devices.command("ProfileList")[1]}
    for one in examples:
        one = re.sub(r"'\"\$\(base64 -w0 ([a-z.]+)\)\"'", lambda m: base64.b64encode(files[m.group(1)]).decode(), one)
        order(site, {**json.loads(one.replace("DEVICE", steady_phone.id)), "push": False})
    assert site.api("DELETE", "/v1/enrollments/%s/queue" % steady_phone.id).status == 200
    assert site.api("DELETE", "/v1/groups/ward-3").status == 204


def test_missing_rights_are_told_of_each_part_of_a_command(make_site, new_phone):
    site = make_site(directives={"MDMAccessRights": "3"}).start()
    site.upload_push_certificate()
    phone = new_phone(site)

    def lacking(command):
        made = send(site, command, phone.id)
        return [re.match(r"(\w+) needs the access right (\d+), ", one).groups() for one in made.get("warnings", [])]
    assert lacking({"RequestType": "ProfileList"}) == []
    assert lacking({"RequestType": "SecurityInfo"}) == [("SecurityInfo", "1024")]
    assert lacking({"RequestType": "DeviceInformation", "Queries": ["UDID", "OSVersion", "WiFiMAC"]}) \
        == [("OSVersion", "16"), ("WiFiMAC", "32")]
    assert lacking({"RequestType": "Settings", "Settings": [
        {"Item": "PersonalHotspot", "Enabled": True}, {"Item": "Bluetooth", "Enabled": True},
        {"Item": "ApplicationConfiguration", "Identifier": "org.example.ward"}]}) \
        == [("Settings", "2048"), ("PersonalHotspot", "32"), ("ApplicationConfiguration", "4096")]
    keys = site.api("GET", "/v1/commands/types/DeviceInformation").json["keys"]
    queries = {one["name"]: one for one in keys[0]["keys"][0]["queries"]}
    assert queries["IMEI"] == {"name": "IMEI", "access_right": 16,
                               "since": {"macos": None, "tvos": None, "visionos": None, "watchos": None}}
    settings = site.api("GET", "/v1/commands/types/Settings").json["keys"][0]["keys"][0]["keys"]
    assert {one["name"]: one["access_right"] for one in settings if "access_right" in one} \
        == {"PersonalHotspot": 32, "ApplicationConfiguration": 4096, "ApplicationAttributes": 4096}


def test_the_table_says_of_each_command_what_apple_says(site):
    letters = {"ios": "i", "macos": "m", "tvos": "t", "visionos": "v", "watchos": "w"}
    said = {}
    for one in described(site):
        keys = {key["name"]: (key["type"], key["required"]) for key in one["keys"]}
        said[one["request_type"]] = ({letters[system]: version for system, version in one["since"].items()},
                                     {letters[system] for system in one["supervised"]}, keys)
    apple = commands()
    # the server has it, and puts it in
    apple["ClearPasscode"][2]["UnlockToken"] = ("data", False)
    assert set(said) == set(apple)
    for name in apple:
        assert said[name] == apple[name], name
