# SPDX-License-Identifier: Apache-2.0
"""What devices answer becomes facts, items and secrets in escrow, each of which the API shows."""

from . import devices


def order(site, phone, request_type, **keys):
    """Queue a command, let the device execute it, and return what it executed."""
    command_uuid, body = devices.command(request_type, **keys)
    reply = site.enqueue(phone.id, body, nopush=True)
    assert reply.status == 200, reply.text
    done = [one for one in phone.connect() if one.uuid == command_uuid]
    assert len(done) == 1
    return done[0]


def get(site, phone, path, wanted=200):
    reply = site.api("GET", "/v1/enrollments/%s/%s" % (phone.id, path))
    assert reply.status == wanted, reply.text
    return reply.json


def facts(site, phone):
    return {one["name"]: one["value"] for one in get(site, phone, "facts?limit=1000")["facts"]}


def items(site, phone, kind):
    return {one["identifier"]: one for one in get(site, phone, "items/" + kind)["items"]}


def events(site, phone, kind):
    return site.database.sql("SELECT actor, object FROM mdm_event WHERE enrollment_id = '%s' AND kind = '%s'"
                             % (phone.id, kind))


def test_device_information_becomes_facts_with_a_history(site, phone):
    assert get(site, phone, "facts") == {"enrollment_id": phone.id, "facts": [], "seen": {}}
    order(site, phone, "DeviceInformation", Queries=["OSVersion", "DeviceName", "IsSupervised", "BatteryLevel"])
    known = facts(site, phone)
    assert known == {"OSVersion": "18.1", "DeviceName": phone.name, "IsSupervised": False, "BatteryLevel": 0.83}
    phone.os_version = "18.2"
    order(site, phone, "DeviceInformation", Queries=["OSVersion"])
    assert facts(site, phone) == {**known, "OSVersion": "18.2"}
    assert site.show(phone.id)["os_version"] == "18.2"
    past = get(site, phone, "facts/OSVersion/history")["history"]
    assert [one["value"] for one in past] == ["18.2", "18.1"]
    first = get(site, phone, "facts/OSVersion/history?limit=1")
    assert get(site, phone, "facts/OSVersion/history?cursor=" + first["next_cursor"])["history"] == past[1:]
    assert get(site, phone, "facts/BatteryLevel/history")["history"] == []
    assert set(get(site, phone, "facts")["seen"]) == {"DeviceInformation"}


def test_security_info_and_lists(site, phone):
    order(site, phone, "SecurityInfo")
    known = facts(site, phone)
    assert known["SecurityInfo.PasscodePresent"] is True
    assert known["SecurityInfo.ManagementStatus.UserApprovedEnrollment"] is True
    order(site, phone, "InstalledApplicationList")
    ward = items(site, phone, "application")["com.example.ward"]
    assert (ward["name"], ward["version"], ward["detail"]["BundleSize"]) == ("Ward", "2.1", 31457280)
    order(site, phone, "CertificateList")
    [certificate] = items(site, phone, "certificate").values()
    assert certificate["name"] == phone.common_name and certificate["detail"]["IsIdentity"] is True
    assert int(certificate["detail"]["SerialNumber"], 16) == phone.certificate.serial_number
    order(site, phone, "AvailableOSUpdates")
    assert items(site, phone, "os_update")["iOSUpdate22C152"]["version"] == "18.2"
    order(site, phone, "ProfileList")
    assert set(items(site, phone, "profile")) == set(phone.profiles)
    assert get(site, phone, "items/profile")["seen_at"]
    assert "seen_at" not in get(site, phone, "items/user")
    assert "application" in get(site, phone, "items/things", 404)["error"]


def test_an_application_that_is_removed_goes(site, phone):
    def listed(*names):
        phone.script("InstalledApplicationList", {"InstalledApplicationList": [
            {"Identifier": name, "Name": name, "ShortVersion": "1"} for name in names]}, 1)
        return order(site, phone, "InstalledApplicationList")

    listed("a", "b")
    before = items(site, phone, "application")
    listed("b", "c")
    after = items(site, phone, "application")
    assert set(before) == {"a", "b"} and set(after) == {"b", "c"} and before["b"] == after["b"]


def test_odd_answers_teach_nothing_and_break_nothing(site, phone):
    site.log.expect("MDM0900")
    site.log.expect("MDM0902")
    phone.script("DeviceInformation", {"QueryResponses": "none"}, 1)
    phone.script("ProfileList", {"ProfileList": {"a": 1}}, 1)
    phone.script("InstalledApplicationList", {"InstalledApplicationList": [
        1, "x", {"Name": "nameless"}, {"Identifier": "x" * 600}, {"Identifier": "good"}, {"Identifier": "good"},
        {"Identifier": "huge", "Name": "n", "Blob": "y" * 70000}]}, 1)
    for request_type in ("DeviceInformation", "ProfileList", "InstalledApplicationList"):
        order(site, phone, request_type)
    assert facts(site, phone) == {} and set(items(site, phone, "application")) == {"good"}


def test_a_bypass_code_is_kept_sealed_and_given_to_whom_is_on_record(site, phone):
    path = "/v1/enrollments/%s/escrow/ActivationLockBypassCode/reveal" % phone.id
    assert site.api("POST", path).status == 404
    order(site, phone, "ActivationLockBypassCode")
    assert [one["kind"] for one in get(site, phone, "escrow")["escrow"]] == ["ActivationLockBypassCode"]
    assert phone.bypass_code not in str(facts(site, phone))
    [[uuid]] = site.database.sql("SELECT uuid FROM mdm_command WHERE request_type = 'ActivationLockBypassCode' AND id IN "
                                 "(SELECT command FROM mdm_result WHERE enrollment = (SELECT id FROM mdm_enrollment "
                                 "WHERE enrollment_id = '%s'))" % phone.id)
    [shown] = site.show_command(uuid)["enrollments"]
    assert shown["response"]["ActivationLockBypassCode"] == "in escrow"
    [[value]] = site.database.sql("SELECT value FROM mdm_escrow WHERE kind = 'ActivationLockBypassCode' AND enrollment = "
                                  "(SELECT id FROM mdm_enrollment WHERE enrollment_id = '%s')" % phone.id)
    assert phone.bypass_code not in value
    assert events(site, phone, "escrow.revealed") == []
    assert site.api("GET", path).status == 405
    assert site.api("POST", path).json["value"] == phone.bypass_code
    assert events(site, phone, "escrow.revealed") == [["nanomdm", "ActivationLockBypassCode"]]
    assert phone.bypass_code not in site.log.text()


def test_facts_end_with_an_enrollment_and_escrow_does_not(site, phone):
    order(site, phone, "DeviceInformation")
    order(site, phone, "InstalledApplicationList")
    order(site, phone, "ActivationLockBypassCode")
    phone.checkout()
    assert facts(site, phone) and items(site, phone, "application")
    devices.enroll(site, phone)
    assert facts(site, phone) == {} and items(site, phone, "application") == {}
    assert get(site, phone, "facts")["seen"] == {}
    assert get(site, phone, "facts/OSVersion/history")["history"]
    assert len(get(site, phone, "escrow")["escrow"]) == 1


def test_nobody_has_facts_who_is_not_enrolled(site):
    for path in ("facts", "facts/OSVersion/history", "items/profile", "escrow"):
        assert site.api("GET", "/v1/enrollments/nobody/" + path).status == 404
