# SPDX-License-Identifier: Apache-2.0
"""What a simulated device answers to MDM commands: a table by RequestType, and scripts that override it."""

import datetime

from . import pki


def error_chain(code=12021, domain="MCMDMErrorDomain", text="The command is not possible now."):
    return [{"ErrorCode": code, "ErrorDomain": domain, "LocalizedDescription": text,
             "USEnglishDescription": text}]


def device_information(device, command):
    """The answers for the queries asked, out of the facts of the device; unknown ones are left out."""
    facts = device.facts()
    wanted = command.get("Queries")
    return {"QueryResponses": {name: value for name, value in facts.items()
                               if not wanted or name in wanted}}


def security_info(device, _command):
    return {"SecurityInfo": {
        "HardwareEncryptionCaps": 3, "PasscodePresent": device.passcode, "PasscodeCompliant": True,
        "PasscodeCompliantWithProfiles": True, "PasscodeLockGracePeriod": 0,
        "PasscodeLockGracePeriodEnforced": 0,
        "ManagementStatus": {"EnrolledViaDEP": False, "UserApprovedEnrollment": True,
                             "IsUserEnrollment": bool(device.enrollment_id)}}}


def profile_list(channel, command):
    only = bool(command.get("ManagedOnly")) or bool(channel.device.enrollment_id)
    return {"ProfileList": channel.profiles.listing(only)}


def install_profile(channel, command):
    return channel.install_command_profile(command.get("Payload", b""))


def remove_profile(channel, command):
    """An unmanaged profile is not the server's to remove; with the enrollment profile the device leaves."""
    identifier = command.get("Identifier")
    if identifier not in channel.profiles:
        return error(12024, "MCProfileErrorDomain", "The profile “%s” is not installed." % identifier)
    if not channel.profiles[identifier].get("IsManaged", True):
        return error(12025, "MCProfileErrorDomain", "The profile “%s” is not managed." % identifier)
    if channel.is_enrollment_profile(identifier):
        channel.leaving = True
    else:
        channel.profiles.take_away(identifier)
    return {}


def certificate_list(device, _command):
    if device.certificate is None:
        return {"CertificateList": []}

    return {"CertificateList": [{"CommonName": device.common_name, "IsIdentity": True,
                                 "Data": pki.der(device.certificate)}]}


def installed_applications(_device, _command):
    return {"InstalledApplicationList": [
        {"Identifier": "com.example.ward", "Name": "Ward", "ShortVersion": "2.1", "Version": "214",
         "BundleSize": 31457280, "DynamicSize": 1048576, "Installing": False}]}


def lost_mode(on):
    def answer_it(device, command):
        if on and not (command.get("Message") or command.get("PhoneNumber")):
            return error(12066, text="Lost mode needs a message or a phone number.")
        if not on and not device.lost_mode:
            return error(12067, text="The device is not in lost mode.")
        device.lost_mode = on
        return {}
    return answer_it


def in_lost_mode(answer_it):
    """What a device does only while it is in lost mode."""
    def only_then(device, command):
        return answer_it(device, command) if device.lost_mode else error(12067, text="The device is not in lost mode.")
    return only_then


def device_location(_device, _command):
    return {"Latitude": 52.5163, "Longitude": 13.3777, "HorizontalAccuracy": 12.0, "VerticalAccuracy": 4.0,
            "Altitude": 36.5, "Speed": 0.0, "Course": -1.0, "Timestamp": "2026-01-05T03:00:00Z"}


def clear_passcode(device, command):
    if command.get("UnlockToken") != device.unlock_token:
        return error(5013, "MCPasscodeErrorDomain", "The unlock token is not this device's.")
    device.passcode = False
    return {}


def error(code=12021, domain="MCMDMErrorDomain", text="The command is not possible now."):
    """An Error answer, for scripts: device.script("RemoveProfile", answers.error(12024))."""
    return {"Status": "Error", "ErrorChain": error_chain(code, domain, text)}


TABLE = {
    "DeviceInformation": device_information,
    "SecurityInfo": security_info,
    "CertificateList": certificate_list,
    "InstalledApplicationList": installed_applications,
    "ManagedApplicationList": lambda _device, _command: {"ManagedApplicationList": {}},
    "ProvisioningProfileList": lambda _device, _command: {"ProvisioningProfileList": []},
    "Restrictions": lambda _device, _command: {"GlobalRestrictions": {}},
    "UserList": lambda _device, _command: {"Users": []},
    "EnableLostMode": lost_mode(True),
    "DisableLostMode": lost_mode(False),
    "PlayLostModeSound": in_lost_mode(lambda _device, _command: {}),
    "DeviceLocation": in_lost_mode(device_location),
    "ClearPasscode": clear_passcode,
    "ActivationLockBypassCode": lambda device, _command: {"ActivationLockBypassCode": device.bypass_code},
    "AvailableOSUpdates": lambda _device, _command: {"AvailableOSUpdates": [
        {"ProductKey": "iOSUpdate22C152", "HumanReadableName": "iOS 18.2", "ProductName": "iOS", "Version": "18.2",
         "Build": "22C152", "DownloadSize": 1.5e9, "InstallSize": 3.0e9, "IsCritical": False, "RestartRequired": True}]},
    "OSUpdateStatus": lambda _device, _command: {"OSUpdateStatus": []},
    "DeviceLock": lambda _device, _command: {"MessageResult": "Success"},
    "Settings": lambda _device, command: {"Settings": [
        {"Item": item.get("Item", ""), "Status": "Acknowledged"} for item in command.get("Settings", [])]},
}


# of the channel that is asked: a user's profiles are not the device's
CHANNEL_TABLE = {
    "ProfileList": profile_list,
    "InstallProfile": install_profile,
    "RemoveProfile": remove_profile,
}


class Scripts:
    """Overrides of the table: the first that fits and is not used up decides.

    An answer is "Acknowledged", "NotNow", "Error" or "CommandFormatError", a dict merged into the report, or a
    function (device, command, command_uuid) that gives one of these."""

    def __init__(self):
        self._entries = []

    def add(self, request_type, answer, times=None, command_uuid=None):
        self._entries.append([request_type, command_uuid, answer, times])

    def clear(self):
        self._entries = []

    def take(self, device, command, command_uuid):
        """The scripted answer as a dict, or None."""
        for entry in self._entries:
            request_type, wanted_uuid, answer, times = entry
            if request_type not in (None, "*", command.get("RequestType")):
                continue
            if wanted_uuid not in (None, command_uuid) or times == 0:
                continue
            if times is not None:
                entry[3] = times - 1
            if callable(answer):
                answer = answer(device, command, command_uuid)
            if isinstance(answer, dict):
                return dict(answer)
            found = {"Status": answer}
            if answer in ("Error", "CommandFormatError"):
                found["ErrorChain"] = error_chain()
            return found
        return None


def answer(channel, command, command_uuid):
    """The body of the report for one command, without identifiers."""
    device = channel.device
    scripted = channel.scripts.take(device, command, command_uuid)
    report = {"Status": "Acknowledged"}
    if scripted is None or scripted.get("Status", "Acknowledged") == "Acknowledged":
        kind = command.get("RequestType")
        if kind in CHANNEL_TABLE:
            report.update(CHANNEL_TABLE[kind](channel, command))
        elif kind in TABLE:
            report.update(TABLE[kind](device, command))
    report.update(scripted or {})
    report["CommandUUID"] = command_uuid
    return report


def plausible_facts(device):
    """Facts of a phone for DeviceInformation."""
    return {
        "UDID": device.udid, "SerialNumber": device.serial, "DeviceName": device.name,
        "ModelName": device.model_name, "Model": "MTLR3LL/A", "ModelNumber": "MTLR3LL/A",
        "ProductName": device.model, "OSVersion": device.os_version, "BuildVersion": device.build_version,
        "IMEI": device.imei, "BatteryLevel": 0.83, "DeviceCapacity": 128.0, "AvailableDeviceCapacity": 91.5,
        "WiFiMAC": device.mac, "BluetoothMAC": device.mac[:-2] + "ff", "CellularTechnology": 1,
        "IsSupervised": device.supervised, "IsActivationLockEnabled": False, "IsDeviceLocatorServiceEnabled": False,
        "IsCloudBackupEnabled": False, "IsMDMLostModeEnabled": device.lost_mode, "IsRoaming": False,
        "AwaitingConfiguration": False, "PasscodePresent": True, "TimeZone": "Europe/Berlin",
        "LastCloudBackupDate": datetime.datetime(2026, 1, 5, 3, 0, 0),
        "ServiceSubscriptions": [{"Slot": "CTSubscriptionSlotOne", "ICCID": device.iccid,
                                  "IMEI": device.imei, "IsDataPreferred": True, "IsRoaming": False,
                                  "IsVoicePreferred": True}],
    }
