# SPDX-License-Identifier: Apache-2.0
"""Check-in beyond enrollment: bootstrap tokens, the wait for configuration, Return to Service, missing devices, and who
may take whose place."""

import base64
import os
import plistlib

import pytest
from mdmsim import channel, profile

from . import devices
from .keys import TOPIC

WIFI = plistlib.dumps({"PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": "com.example.wifi",
                       "PayloadUUID": "7D0E1B77-0E3B-4C5C-9B4A-8F3A9E6B7C11", "PayloadDisplayName": "Wi-Fi",
                       "PayloadContent": [{
                           "PayloadType": "com.apple.wifi.managed", "PayloadVersion": 1, "SSID_STR": "Wards",
                           "PayloadIdentifier": "com.example.wifi.1", "EncryptionType": "WPA", "Password": "green sea",
                           "PayloadUUID": "0B0C2E5F-6C4D-4B6C-8F0E-1D6E2F3A4B5C", "PayloadDisplayName": "Wi-Fi"}]})


# bootstrap tokens

@pytest.mark.mpm
def test_row_12_bootstrap_token_none_set_equal_bytes_none_after_enrolling_anew(site, phone):
    token = os.urandom(200)
    reply = phone.send_checkin({"MessageType": "GetBootstrapToken"})
    assert reply.status == 200 and reply.body == b""
    reply = phone.set_bootstrap_token(token)
    assert reply.status == 200 and reply.body == b""
    assert phone.get_bootstrap_token() == token
    devices.enroll(site, phone)
    assert phone.get_bootstrap_token() is None


@pytest.mark.parametrize("message", [{}, {"BootstrapToken": b""}], ids=["missing", "empty"])
def test_2_8_a_bootstrap_token_that_is_missing_or_empty_deletes_the_stored_one(site, phone, message):
    phone.set_bootstrap_token(b"\x00one\xff")
    assert phone.get_bootstrap_token() == b"\x00one\xff"
    assert phone.send_checkin({"MessageType": "SetBootstrapToken", **message}).status == 200
    assert phone.get_bootstrap_token() is None


def test_a_bootstrap_token_survives_the_renewal_of_the_identity(site, phone):
    phone.set_bootstrap_token(b"the bootstrap token")
    client = phone.scep_client({"URL": site.at("/mdm/scep")})
    result = client.renew(phone.certificate, phone.key, new_key=site.keys.take())
    assert result.ok, result.summary()
    phone.set_identity(result.certificate, result.key)
    phone.authenticate()
    phone.token_update()
    assert phone.get_bootstrap_token() == b"the bootstrap token"


def test_a_bootstrap_token_is_sealed_at_rest_and_gone_after_checkout(site, phone):
    token = b"a bootstrap token in the clear"
    phone.set_bootstrap_token(token)
    query = "SELECT bootstrap_token FROM mdm_enrollment WHERE enrollment_id = '%s'" % phone.id
    [[stored]] = site.database.sql(query)
    assert stored.startswith("1:") and "clear" not in stored
    assert token not in base64.b64decode(stored.rsplit(":", 1)[1])
    phone.checkout()
    assert not site.database.sql(query)[0][0]


def test_a_bootstrap_token_opens_only_in_its_own_row(site, new_phone):
    mine, other = new_phone(site), new_phone(site)
    mine.set_bootstrap_token(b"mine")
    site.log.expect("does not open: wrong key, or moved")
    [[sealed]] = site.database.sql("SELECT bootstrap_token FROM mdm_enrollment WHERE enrollment_id = '%s'" % mine.id)
    site.database.sql("UPDATE mdm_enrollment SET bootstrap_token = '%s' WHERE enrollment_id = '%s'"
                      % (sealed, other.id))
    assert other.send_checkin({"MessageType": "GetBootstrapToken"}).status == 500
    assert mine.get_bootstrap_token() == b"mine"


def test_a_bootstrap_token_belongs_to_the_device_channel(site, phone):
    user = phone.user_channel()
    user.token_update()
    assert user.set_bootstrap_token(b"x", check=False).status == 400
    assert user.send_checkin({"MessageType": "GetBootstrapToken"}).status == 400


def test_a_bootstrap_token_that_is_no_data_is_400_and_deletes_nothing(site, phone):
    phone.set_bootstrap_token(b"kept")
    assert phone.send_checkin({"MessageType": "SetBootstrapToken", "BootstrapToken": "text"}).status == 400
    assert phone.get_bootstrap_token() == b"kept"


# topics

def test_a_topic_without_push_certificate_is_taken_with_a_warning_once(site, new_device):
    device = devices.identity(site, new_device(site))
    device.topic = "com.apple.mgmt.External.nobody"
    mark = site.log.size()
    device.authenticate()
    device.token_update()
    device.token_update()
    assert site.show(device.id)["topic"] == device.topic
    assert len([line for line in site.log.text(mark).splitlines() if "MDM0831" in line and device.id in line]) == 1


# unlock tokens

def unlock_token(site, phone):
    return site.database.sql("SELECT unlock_token FROM mdm_enrollment WHERE enrollment_id = '%s'" % phone.id)[0][0]


def test_2_9_a_tokenupdate_without_unlock_token_keeps_it_and_a_new_enrollment_does_not(site, phone):
    stored = unlock_token(site, phone)
    assert stored and stored.startswith("1:")
    message = {"MessageType": "TokenUpdate", "Token": phone.token, "PushMagic": phone.push_magic}
    assert phone.send_checkin(message).status == 200
    assert unlock_token(site, phone) == stored
    devices.identity(site, phone)
    phone.authenticate()
    assert not unlock_token(site, phone)


def test_2_9_an_unlock_token_of_a_user_channel_is_not_stored(site, phone):
    user, stored = phone.user_channel(), unlock_token(site, phone)
    for _ in range(2):
        user.token_update({"UnlockToken": b"of a user"})
        assert not unlock_token(site, user)
    assert unlock_token(site, phone) == stored


def test_an_unlock_token_that_is_no_data_is_400_and_changes_nothing(site, phone):
    stored = unlock_token(site, phone)
    for value in ("text", 5, ["x"]):
        assert phone.token_update({"UnlockToken": value}, check=False).status == 400
    assert unlock_token(site, phone) == stored and site.show(phone.id)["token_update_tally"] == 1


# the wait in Setup Assistant

def test_awaiting_configuration_is_stored_and_shown(site, phone):
    assert "awaiting_configuration" not in site.show(phone.id)
    phone.token_update({"AwaitingConfiguration": True})
    assert site.show(phone.id)["awaiting_configuration"] is True
    phone.token_update({"AwaitingConfiguration": False})
    assert "awaiting_configuration" not in site.show(phone.id)


def test_awaiting_configuration_comes_with_bootstrap_messages_too(site, phone):
    phone.send_checkin({"MessageType": "SetBootstrapToken", "BootstrapToken": b"x", "AwaitingConfiguration": True})
    assert site.show(phone.id)["awaiting_configuration"] is True
    phone.send_checkin({"MessageType": "GetBootstrapToken", "AwaitingConfiguration": False})
    assert "awaiting_configuration" not in site.show(phone.id)


def test_the_profile_names_what_the_server_can_do(site, phone):
    assert phone.profile.mdm["ServerCapabilities"] == ["com.apple.mdm.per-user-connections",
                                                       "com.apple.mdm.bootstraptoken"]


# what is not configured, or not known

@pytest.mark.parametrize("service", ["com.apple.maid", "com.apple.watch.pairing", "com.example.other"])
def test_2_8_gettoken_that_is_not_set_up_is_400(site, phone, service):
    parameters = {"PhoneUDID": phone.udid, "WatchUDID": "W", "SecurityToken": "S"}
    mark = site.log.size()
    assert phone.get_token(service, parameters).status == 400
    if service != "com.example.other":
        assert "MDMGetTokenKeyFile" in site.log.text(mark)


def test_2_8_declarations_without_a_server_for_them_are_404(site, phone):
    assert phone.declarative("tokens").status == 404
    assert phone.declarative("declaration/configuration/x").status == 404


def test_an_unknown_message_type_is_400_and_named_in_the_log(site, phone):
    mark = site.log.size()
    assert phone.send_checkin({"MessageType": "Frob\nnicate\x85" + "x" * 500}).status == 400
    line = [one for one in site.log.text(mark).splitlines() if "Frob" in one]
    assert len(line) == 1 and "Frob?nicate" in line[0] and "x" * 100 not in line[0]


# who may say what: T2

def messages(channel):
    return {"TokenUpdate": {"Token": b"t" * 32, "PushMagic": "magic"}, "CheckOut": {}, "UserAuthenticate": {},
            "SetBootstrapToken": {"BootstrapToken": b"x"}, "GetBootstrapToken": {},
            "DeclarativeManagement": {"Endpoint": "tokens"}, "ReturnToService": {},
            "GetToken": {"TokenServiceType": "com.apple.maid"}, "Authenticate": {"SerialNumber": channel.device.serial}}


@pytest.mark.parametrize("kind", ["TokenUpdate", "CheckOut", "UserAuthenticate", "SetBootstrapToken",
                                  "GetBootstrapToken", "DeclarativeManagement", "ReturnToService", "GetToken",
                                  "Authenticate"])
def test_t2_another_devices_certificate_gets_nothing_with_any_message(site, new_phone, kind):
    mine, other = new_phone(site), new_phone(site)
    user = other.user_channel()
    user.token_update()
    new_user = other.user_channel()
    other.set_bootstrap_token(b"secret of the other")
    before = site.show(other.id), site.show(user.id)
    with other.as_identity(mine.certificate, mine.key):
        for channel in (other, user, new_user):
            reply = channel.send_checkin({"MessageType": kind, **messages(channel)[kind]})
            expected = (400, 403) if kind == "Authenticate" and channel is not other else (403,)
            assert reply.status in expected, (channel.id, reply, reply.text)
            assert b"secret" not in reply.body
    after = site.show(other.id), site.show(user.id)
    for was, now in zip(before, after):
        lagging = {"last_seen_at": None, "last_ip": None}
        assert {**was, **lagging} == {**now, **lagging}
    assert site.show(new_user.id) is None
    assert other.get_bootstrap_token() == b"secret of the other"


@pytest.mark.parametrize("kind", ["SetBootstrapToken", "GetBootstrapToken", "DeclarativeManagement", "ReturnToService",
                                  "GetToken", "TokenUpdate"])
def test_a_device_that_left_gets_nothing_with_any_message(site, phone, kind):
    phone.checkout()
    assert phone.send_checkin({"MessageType": kind, **messages(phone)[kind]}).status == 403


@pytest.mark.parametrize("kind", ["DeclarativeManagement", "GetToken", "CheckOut"])
def test_a_user_channel_that_never_began_gets_nothing(site, phone, kind):
    user = phone.user_channel()
    assert user.send_checkin({"MessageType": kind, **messages(user)[kind]}).status == 403
    assert site.show(user.id) is None


# who may take whose place: T3

def taken_over(site, thief):
    return thief.authenticate(check=False).status


def test_t3_a_challenge_without_a_person_does_not_take_a_persons_device(site, phone, new_device):
    phone.set_bootstrap_token(b"kept")
    thief = new_device(site, udid=phone.udid)
    for challenge in (site.challenge(), site.challenge("--subject", "some other device")):
        payload = {"URL": site.at("/mdm/scep"), "Challenge": challenge, "Keysize": 2048,
                   "Subject": [[["CN", "some other device"]]]}
        thief.scep_enrol(payload, key=site.keys.take())
        assert taken_over(site, thief) == 403
    shown = site.show(phone.id)
    assert shown["state"] == "enrolled" and shown["user"] == devices.USER
    assert phone.get_bootstrap_token() == b"kept"


def test_t3_a_challenge_made_for_the_device_lets_it_enroll_anew(site, phone, new_device):
    same = new_device(site, udid=phone.udid, serial=phone.serial)
    devices.identity(site, same)
    same.authenticate()
    same.token_update()
    assert site.show(phone.id)["token_update_tally"] == 1
    assert phone.idle().status == 403 and same.idle().status == 200


def test_t3_a_challenge_made_for_the_serial_number_does_too(site, phone, new_device):
    same = new_device(site, udid=phone.udid, serial=phone.serial)
    payload = {"URL": site.at("/mdm/scep"), "Challenge": site.challenge("--subject", phone.serial), "Keysize": 2048,
               "Subject": [[["CN", phone.serial]]]}
    same.scep_enrol(payload, key=site.keys.take())
    assert taken_over(site, same) == 200


def test_t3_the_serial_number_that_counts_is_the_one_we_know(site, phone, new_device):
    thief = new_device(site, udid=phone.udid, serial="C0THIEF000")
    payload = {"URL": site.at("/mdm/scep"), "Challenge": site.challenge("--subject", thief.serial), "Keysize": 2048,
               "Subject": [[["CN", thief.serial]]]}
    thief.scep_enrol(payload, key=site.keys.take())
    assert taken_over(site, thief) == 403


def test_t3_a_person_does_not_take_a_device_that_was_enrolled_for_nobody(site, new_device):
    kiosk = new_device(site)
    payload = {"URL": site.at("/mdm/scep"), "Challenge": site.challenge(), "Keysize": 2048,
               "Subject": [[["CN", "a kiosk"]]]}
    kiosk.scep_enrol(payload, key=site.keys.take())
    kiosk.authenticate()
    kiosk.token_update()
    thief = new_device(site, udid=kiosk.udid, serial=kiosk.serial)
    thief.fetch_profile(site.at("/mdm/enroll"), devices.USER, devices.PASSWORD)
    thief.install_certificates(thief.profile)
    thief.scep_enrol(thief.profile.scep, key=site.keys.take())
    assert taken_over(site, thief) == 403
    assert "user" not in site.show(kiosk.id) and kiosk.idle().status == 200
    # an administrator's word, or its own CheckOut, makes way
    site.ctl("certificate", "revoke", "%032x" % kiosk.certificate.serial_number)
    assert taken_over(site, thief) == 200


def refusals(site, device):
    query = ("SELECT object, detail FROM mdm_event WHERE kind = 'identity.refused' AND enrollment_id = '%s' ORDER BY id"
             % device.id)
    return [tuple(row) for row in site.database.sql(query)]


def test_t2_and_t3_leave_an_event_with_the_certificate_that_was_used(site, new_phone, new_device):
    mine, other = new_phone(site), new_phone(site)
    serial = "%032x" % mine.certificate.serial_number
    with other.as_identity(mine.certificate, mine.key):
        assert other.idle().status == 403
        assert other.send_checkin({"MessageType": "GetBootstrapToken"}).status == 403
        assert other.authenticate(check=False).status == 403
    found = refusals(site, other)
    assert [one[0] for one in found] == [serial] * 3 and "bound to another enrollment" in found[0][1]
    thief = devices.identity(site, new_device(site), site.challenge())
    with other.as_identity(thief.certificate, thief.key):
        assert other.authenticate(check=False).status == 403
        assert other.idle().status == 403
    found = refusals(site, other)[3:]
    assert found[0][0] == "%032x" % thief.certificate.serial_number and "challenge" in found[0][1]
    # who is nobody here, or only too late, is in the log alone: events are no place for strangers to write to
    stranger = channel.other_identity()
    with other.as_identity(*stranger):
        assert other.idle().status == 403
    old = other.certificate, other.key
    devices.enroll(site, other)
    with other.as_identity(*old):
        assert other.idle().status == 403
    assert refusals(site, other)[3:] == found


def test_t3_once_the_device_has_left_anybody_who_may_enroll_may_enroll_it(site, phone, new_device):
    phone.checkout()
    heir = new_device(site, udid=phone.udid)
    payload = {"URL": site.at("/mdm/scep"), "Challenge": site.challenge(), "Keysize": 2048,
               "Subject": [[["CN", "any"]]]}
    heir.scep_enrol(payload, key=site.keys.take())
    assert taken_over(site, heir) == 200


def test_t25_a_destructive_command_does_not_outlive_its_enrollment(site, phone):
    erase, body = devices.command("EraseDevice")
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    devices.enroll(site, phone)
    assert phone.connect() == []
    assert "Cancelled" in str(site.show_command(erase))


# missing devices

def make_missing(site, phone):
    site.database.sql("UPDATE mdm_enrollment SET state = 6 WHERE enrollment_id = '%s'" % phone.id)
    assert site.show(phone.id)["state"] == "missing"


def test_a_missing_device_is_refused_until_its_tokenupdate_brings_it_back(site, phone):
    make_missing(site, phone)
    assert phone.idle().status == 403
    assert phone.send_checkin({"MessageType": "GetBootstrapToken"}).status == 403
    phone.new_token()
    phone.token_update()
    shown = site.show(phone.id)
    assert shown["state"] == "enrolled" and shown["token_update_tally"] == 2
    assert phone.idle().status == 200
    events = "SELECT kind FROM mdm_event WHERE enrollment_id = '%s' ORDER BY id" % phone.id
    kinds = [kind for [kind] in site.database.sql(events)]
    assert kinds[-1] == "enrollment.returned"


def test_a_missing_device_may_enroll_anew_or_check_out(site, new_phone):
    one, other = new_phone(site), new_phone(site)
    make_missing(site, one)
    make_missing(site, other)
    devices.enroll(site, one)
    assert site.show(one.id)["state"] == "enrolled"
    other.checkout()
    assert site.show(other.id)["state"] == "left"


def test_a_missing_device_does_not_come_back_with_another_devices_certificate(site, new_phone):
    mine, other = new_phone(site), new_phone(site)
    make_missing(site, other)
    with other.as_identity(mine.certificate, mine.key):
        assert other.token_update(check=False).status == 403
    assert site.show(other.id)["state"] == "missing"


# Return to Service

@pytest.fixture
def returning(make_site):
    """A site that gives Wi-Fi and a fresh enrollment profile to devices that return to service."""
    site = make_site()
    site.write("wifi.mobileconfig", WIFI.decode())
    site.own.update({"MDMReturnToServiceWiFiFile": site.path("wifi.mobileconfig"), "MDMReturnToServiceProfile": "on"})
    site.start()
    site.upload_push_certificate()
    return site


@pytest.mark.once
def test_return_to_service_gives_wifi_profile_and_bootstrap_token(returning, new_phone):
    phone = new_phone(returning)
    given = phone.return_to_service()
    assert given["Enabled"] is True and given["WiFiProfileData"] == WIFI and "BootstrapToken" not in given
    phone.set_bootstrap_token(b"bootstrap")
    given = phone.return_to_service()
    assert set(given) == {"Enabled", "WiFiProfileData", "MDMProfileData", "BootstrapToken"}
    assert given["BootstrapToken"] == b"bootstrap"
    found = profile.Profile(given["MDMProfileData"], phone.signer_ca_file)
    assert found.mdm["Topic"] == TOPIC and found.scep["Subject"][-1] == [["CN", phone.udid]]
    # the device is erased, says nothing, and comes back by itself as the same person's
    erase, body = devices.command("EraseDevice")
    assert returning.enqueue(phone.id, body, nopush=True).status == 200
    phone.install(found, key=returning.keys.take())
    shown = returning.show(phone.id)
    assert shown["state"] == "enrolled" and shown["user"] == devices.USER and shown["token_update_tally"] == 1
    assert phone.connect() == [] and phone.get_bootstrap_token() is None
    assert "Cancelled" in str(returning.show_command(erase))


def test_return_to_service_where_nothing_is_configured_is_only_enabled(site, phone):
    assert phone.return_to_service() == {"Enabled": True}
    user = phone.user_channel()
    user.token_update()
    assert user.send_checkin({"MessageType": "ReturnToService"}).status == 400


@pytest.mark.once
def test_a_wifi_file_that_is_no_profile_is_named_at_configtest(make_site):
    site = make_site()
    site.write("wifi.mobileconfig", "no profile")
    site.own["MDMReturnToServiceWiFiFile"] = site.path("wifi.mobileconfig")
    site.log.expect("MDM0100")
    status, text = site.prepare().configtest()
    assert status != 0 and "MDMReturnToServiceWiFiFile" in text
