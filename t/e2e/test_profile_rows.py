# SPDX-License-Identifier: Apache-2.0
"""Numbered behaviours of profiles for people and devices: accounts with their own values, passcodes, what a person does
not have to do, display strings, policies that end."""

import time

import pytest

from . import desired, devices

MAIL, VPN, LDAP = "com.apple.mail.managed", "com.apple.vpn.managed", "com.apple.ldap.account"
EXCHANGE = "com.apple.eas.account"


def given(site, phone, name, *payloads, **keys):
    """Assign a profile with these payloads to a phone and let it come: what it was given, by PayloadType."""
    profile = desired.profile(site, name, *payloads, **keys)
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    phone.connect()
    assert profile["identifier"] in phone.profiles, phone.executed
    return {one["PayloadType"]: one for one in phone.profiles.contents[profile["identifier"]]}


@pytest.fixture
def person(site):
    """The person who enrolled all phones has an address and a department."""
    desired.call(site, "PATCH", "users/" + devices.USER,
                 {"display_name": "Nurse Joy", "email": "joy@example.org", "attributes": {"department": "Ward 3"}})
    desired.settled(site)


def test_feature_01_mail_with_the_address_of_this_user(site, person, phone):
    name = desired.name_of("mail")
    found = given(site, phone, name, {
        "type": MAIL, "EmailAccountType": "EmailTypeIMAP", "EmailAddress": "${user.mail}",
        "EmailAccountName": "${user.display_name}", "IncomingMailServerHostName": "imap.example.org",
        "IncomingMailServerAuthentication": "EmailAuthPassword", "OutgoingMailServerHostName": "smtp.example.org",
        "OutgoingMailServerAuthentication": "EmailAuthPassword", "IncomingMailServerUsername": "${user.login}"}, {
        "type": EXCHANGE, "Host": "eas.example.org", "SSL": True, "UserName": "EXAMPLE\\${user.login}",
        "EmailAddress": "${user.mail}", "MailNumberOfPastDaysToSync": 14})
    mail, exchange = found[MAIL], found[EXCHANGE]
    assert mail["EmailAddress"] == "joy@example.org" and mail["EmailAccountName"] == "Nurse Joy"
    assert mail["IncomingMailServerUsername"] == devices.USER
    assert exchange["EmailAddress"] == "joy@example.org" and exchange["UserName"] == "EXAMPLE\\" + devices.USER
    assert exchange["Host"] == "eas.example.org" and exchange["SSL"] is True
    assert exchange["MailNumberOfPastDaysToSync"] == 14
    # the address changes, and with it what the phone has
    desired.call(site, "PATCH", "users/" + devices.USER, {"email": "joy.new@example.org"}, 200)
    desired.settled(site)
    phone.connect()
    identifier = desired.call(site, "GET", "profiles/" + name).json["identifier"]
    for kind in (MAIL, EXCHANGE):
        assert phone.profiles.payload(identifier, kind)["EmailAddress"] == "joy.new@example.org"


def test_who_lacks_a_value_is_blocked_with_the_reason_until_he_has_it(site, person, phone):
    name = desired.name_of("badge")
    desired.call(site, "PATCH", "users/" + devices.USER, {"attributes": {"badge": "1"}}, 200)
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY", ssid="Badge ${user.badge}"))
    desired.call(site, "PATCH", "users/" + devices.USER, {"attributes": {"badge": None}}, 200)
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    assert phone.connect() == [] and desired.rows(site, name) == {phone.id: 7}
    reason = site.database.sql("SELECT reason FROM mdm_desired WHERE state = 7 ORDER BY changed_at DESC LIMIT 1")[0][0]
    assert "badge" in reason and devices.USER in reason
    desired.call(site, "PATCH", "users/" + devices.USER, {"attributes": {"badge": "47"}}, 200)
    desired.settled(site)
    phone.connect()
    assert phone.profiles.payload(profile["identifier"], "com.apple.wifi.managed")["SSID_STR"] == "Badge 47"


def test_feature_02_vpn_whose_secret_is_nowhere_else(site, phone):
    secret = desired.name_of("shared")
    desired.secret(site, secret, "vpn-shared-CANARY")
    name = desired.name_of("vpn")
    payload = given(site, phone, name, {
        "type": VPN, "UserDefinedName": "Office", "VPNType": "IKEv2",
        "IKEv2": {"RemoteAddress": "vpn.example.org", "RemoteIdentifier": "vpn.example.org", "LocalIdentifier": "",
                  "AuthenticationMethod": "SharedSecret", "SharedSecret": "${secret.%s}" % secret}})[VPN]
    assert payload["IKEv2"]["SharedSecret"] == "vpn-shared-CANARY"
    for path in ("profiles/" + name, "secrets/" + secret, "enrollments/" + phone.id, "enrollments/%s/profiles" % phone.id):
        assert "vpn-shared-CANARY" not in desired.call(site, "GET", path, status=200).text
    for query in ("", "?json", "?id=" + phone.id):
        page = site.http.get(site.at("/mdm-status" + query))
        assert page.status == 200 and "vpn-shared-CANARY" not in page.text, page.text
    assert name in page.text, "the page of this phone"
    with open(site.path("access.log"), encoding="utf-8") as source:
        requests = source.read()
    assert "/v1/secrets/" + secret in requests and "/mdm/connect" in requests
    assert "vpn-shared-CANARY" not in requests + site.log.text()


def test_feature_04_ldap_account(site, person, phone):
    payload = given(site, phone, desired.name_of("ldap"), {
        "type": LDAP, "LDAPAccountDescription": "People", "LDAPAccountHostName": "ldap.example.org",
        "LDAPAccountUseSSL": True, "LDAPAccountUserName": "uid=${user.login},ou=people,dc=example,dc=org",
        "LDAPSearchSettings": [{"LDAPSearchSettingDescription": "All", "LDAPSearchSettingSearchBase": "dc=example,dc=org",
                                "LDAPSearchSettingScope": "LDAPSearchSettingScopeSubtree"}]})[LDAP]
    assert payload["LDAPAccountUserName"] == "uid=%s,ou=people,dc=example,dc=org" % devices.USER
    assert payload["LDAPAccountUseSSL"] is True and len(payload["LDAPSearchSettings"]) == 1


def test_feature_11_the_server_calls_the_device(site, phone, apns):
    name = desired.name_of("wifi")
    desired.profile(site, name, desired.wifi("fixed-CANARY"))
    apns.clear()
    start = time.time()
    desired.assign(site, name, enrollment=phone.id)
    push = apns.wait_pushes(1, magic=phone.push_magic)[0]
    assert push.time - start < 10
    desired.settled(site)
    assert len(apns.pushes(magic=phone.push_magic)) == 1


def test_feature_27_display_strings_reach_the_device(site, phone):
    name = desired.name_of("strings")
    desired.profile(site, name, desired.wifi("fixed-CANARY"), display_name="Wi-Fi of the ward",
                    description="For all of ward 3", organization="Example Hospital")
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    phone.connect()
    listed = next(one for one in phone.profiles.listing() if one["PayloadIdentifier"].endswith(name))
    assert listed["PayloadDisplayName"] == "Wi-Fi of the ward"
    assert listed["PayloadOrganization"] == "Example Hospital"
    enrollment = next(one for one in phone.profiles.listing() if not one["PayloadIdentifier"].endswith(name))
    assert enrollment["PayloadOrganization"] == "Example Hospital"


def test_feature_60_turning_a_policy_off_changes_only_its_members(site, new_phone):
    first, second, third = (new_phone(site) for _ in range(3))
    names = [desired.name_of("policy") for _ in range(2)]
    profiles = [desired.profile(site, name, desired.wifi("fixed-CANARY")) for name in names]
    group = desired.group(site, desired.name_of("members"), [first.id, second.id])
    made = desired.assign(site, names[0], group=group)
    desired.assign(site, names[1], group=desired.group(site, desired.name_of("all"), [first.id, second.id, third.id]))
    desired.settled(site)
    for phone in (first, second, third):
        phone.connect()
    desired.settled(site)
    done = len(third.executed)
    desired.call(site, "DELETE", "assignments/" + made["id"], status=204)
    change = desired.settled(site)
    assert change["changed"] == 2
    for phone in (first, second, third):
        phone.connect()
        assert profiles[0]["identifier"] not in phone.profiles and profiles[1]["identifier"] in phone.profiles
    assert len(third.executed) == done


def test_a_users_channel_gets_what_is_for_users_signed_alone(site, phone):
    user = phone.user_channel(short_name="joy", long_name="Nurse Joy")
    user.token_update()
    name, system = desired.name_of("clip"), desired.name_of("system")
    clip = {"type": "com.apple.webClip.managed", "Label": "Intranet", "URL": "https://intranet.example.org/"}
    profile = desired.profile(site, name, clip, scope="User")
    other = desired.profile(site, system, desired.wifi("fixed-CANARY"))
    group = desired.group(site, desired.name_of("members"), [phone.id])
    for one in (name, system):
        desired.assign(site, one, group=group)
    desired.settled(site)
    user.connect()
    phone.connect()
    assert profile["identifier"] in user.profiles and profile["identifier"] not in phone.profiles
    assert other["identifier"] in phone.profiles and other["identifier"] not in user.profiles
    assert desired.rows(site, name) == {user.id: 4} and desired.rows(site, system) == {phone.id: 4}


def test_a_channel_is_of_the_person_who_enrolled_the_device_last(site, phone):
    user = phone.user_channel(short_name="local")
    user.token_update()
    assert site.show(user.id)["user"] == devices.USER
    first, second = desired.name_of("clip"), desired.name_of("clip")
    clip = {"type": "com.apple.webClip.managed", "Label": "Intranet of ${user.login}", "URL": "https://example.org/"}
    for one in (first, second):
        desired.profile(site, one, clip, scope="User")
    with desired.assigned(site, first, user=devices.USER):
        assert user.id in desired.rows(site, first)
        phone.checkout()
        devices.enroll(site, phone, "other", devices.PASSWORD)
        user.token_update()
        assert site.show(user.id)["user"] == site.show(phone.id)["user"] == "other"
        with desired.assigned(site, second, user="other"):
            assert user.id not in desired.rows(site, first)
            assert [one.request_type for one in user.connect()] == ["InstallProfile", "ProfileList"]
            [given] = [one[0] for one in user.profiles.contents.values()]
            assert given["Label"] == "Intranet of other"


def test_a_channel_named_by_its_own_id(site, phone):
    user, other = phone.user_channel(), phone.user_channel(user_id="A-SECOND-ONE")
    for one in (user, other):
        one.token_update()
    name, system = desired.name_of("clip"), desired.name_of("system")
    clip = {"type": "com.apple.webClip.managed", "Label": "Intranet", "URL": "https://intranet.example.org/"}
    profile = desired.profile(site, name, clip, scope="User")
    assert desired.preview(site, profile=name, enrollment=user.id)["install"]["enrollments"] == [user.id]
    made = desired.assign(site, name, enrollment=user.id)
    desired.settled(site)
    assert desired.rows(site, name) == {user.id: 1}
    user.connect()
    assert profile["identifier"] in user.profiles
    other.connect()
    assert profile["identifier"] not in other.profiles and profile["identifier"] not in phone.profiles
    # all channels of the device but this one
    desired.call(site, "DELETE", "assignments/" + made["id"], status=204)
    desired.assign(site, name, enrollment=phone.id)
    desired.assign(site, name, enrollment=user.id, exclude=True)
    desired.settled(site)
    assert desired.rows(site, name) == {user.id: 8, other.id: 1}

    desired.profile(site, system, desired.wifi("fixed-CANARY"))
    for body in ({"profile": system, "enrollment": user.id}, {"profile": system, "enrollment": user.id, "exclude": True}):
        refused = desired.call(site, "POST", "assignments", body)
        assert refused.status == 400 and "channel" in refused.json["error"] and "scope" in refused.json["error"], refused
