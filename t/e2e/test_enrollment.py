# SPDX-License-Identifier: Apache-2.0
"""Enrollment: the signed-in user's GET of the enrollment URL and what the profile says."""

import subprocess

import pytest
from mdmsim import pki, profile, web

from . import devices
from .keys import TOPIC
from .site import PASSWORD, USER


def fetch(site, path="/mdm/enroll", user=USER, password=PASSWORD, method="GET"):
    headers = {"Authorization": web.basic_auth(user, password)} if user else {}
    return site.http.request(method, site.at(path), None, headers)


def profile_of(site, user=USER):
    reply = fetch(site, user=user)
    assert reply.status == 200, reply.text
    return profile.Profile(reply.body, site.ca_file)


def test_without_sign_in_apache_asks_for_it(site):
    reply = fetch(site, user=None)
    assert reply.status == 401
    assert "Example Hospital" in reply.headers["WWW-Authenticate"]
    assert b"PayloadContent" not in reply.body


def test_with_a_wrong_password_nothing_is_given(site):
    assert fetch(site, password="wrong").status == 401


def test_a_location_without_authentication_refuses_and_says_why(site):
    site.log.expect(r"\[mdm:error\].*(AuthType|user|auth)")
    reply = fetch(site, "/mdm/enroll-open", user=None)
    assert reply.status == 403
    assert b"PayloadContent" not in reply.body


def test_credentials_that_apache_did_not_check_open_no_door(site):
    site.log.expect(r"\[mdm:error\].*(AuthType|user|auth)")
    assert fetch(site, "/mdm/enroll-open").status == 403


def test_post_is_no_way_to_get_a_profile_or_is_405(site):
    assert fetch(site, method="PUT").status == 405
    assert fetch(site, method="DELETE").status == 405


def test_the_answer_is_a_configuration_profile_that_nobody_caches(site):
    reply = fetch(site)
    assert reply.status == 200
    assert reply.content_type == "application/x-apple-aspen-config"
    assert "no-store" in reply.headers.get("Cache-Control", "")
    assert ".mobileconfig" in reply.headers.get("Content-Disposition", "")


def test_head_tells_the_type_and_costs_no_challenge(site):
    reply = fetch(site, method="HEAD")
    assert reply.status in (200, 405)
    assert reply.body == b""


@pytest.mark.mpm
def test_the_profile_is_signed_with_the_certificate_of_the_web_site(site, tmp_path, keys):
    (tmp_path / "p.der").write_bytes(fetch(site).body)
    done = subprocess.run(["openssl", "cms", "-verify", "-inform", "DER", "-in", str(tmp_path / "p.der"), "-CAfile",
                           keys.tls_ca_file, "-purpose", "any", "-out", str(tmp_path / "p.plist")],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert b"<plist" in (tmp_path / "p.plist").read_bytes()


def test_the_root_of_the_profile(site):
    plist = profile_of(site).plist
    assert plist["PayloadType"] == "Configuration"
    assert plist["PayloadVersion"] == 1
    assert plist["PayloadOrganization"] == "Example Hospital"
    assert plist["PayloadIdentifier"] and plist["PayloadUUID"] and plist["PayloadDisplayName"]


def test_every_payload_has_the_keys_that_apple_requires(site):
    payloads = profile_of(site).payloads
    for one in payloads:
        assert one["PayloadVersion"] == 1
        assert one["PayloadType"] and one["PayloadIdentifier"] and one["PayloadUUID"]
    assert len({one["PayloadUUID"] for one in payloads}) == len(payloads)
    assert len({one["PayloadIdentifier"] for one in payloads}) == len(payloads)


def test_the_certificates_are_the_identity_ca_and_those_of_mdmtrustfile(site):
    found = {pki.der(one) for one in profile_of(site).certificates}
    with open(site.ca_file) as source:
        assert pki.der(pki.load_certificate(source.read())) in found
    assert pki.der(site.keys.tls.certificate) in found


def test_the_mdm_payload(site):
    mdm = profile_of(site).mdm
    assert mdm["Topic"] == TOPIC
    assert mdm["ServerURL"] == site.at("/mdm/connect")
    assert mdm["CheckInURL"] == site.at("/mdm/checkin")
    assert mdm["AccessRights"] == 8191
    assert mdm["SignMessage"] is True
    assert mdm["CheckOutWhenRemoved"] is True
    assert "com.apple.mdm.per-user-connections" in mdm["ServerCapabilities"]
    assert mdm.get("UseDevelopmentAPNS", False) is False


def test_the_scep_payload(site):
    found = profile_of(site)
    scep = found.scep
    assert scep["URL"] == site.at("/mdm/scep")
    assert scep["Keysize"] == 2048
    assert scep["Key Type"] == "RSA"
    assert scep["Key Usage"] == 5
    assert len(scep["Challenge"]) >= 22
    assert all(isinstance(pair, list) and len(pair) == 2 for rdn in scep["Subject"] for pair in rdn)
    assert [pair for rdn in scep["Subject"] for pair in rdn if pair[0] == "CN"][0][1]
    assert found.mdm["IdentityCertificateUUID"] == found.payload("com.apple.security.scep")["PayloadUUID"]


def test_identifiers_are_stable_and_challenges_are_fresh(site):
    first, second = profile_of(site), profile_of(site)
    assert first.identifier == second.identifier
    assert ([(one["PayloadIdentifier"], one["PayloadType"]) for one in first.payloads]
            == [(one["PayloadIdentifier"], one["PayloadType"]) for one in second.payloads])
    assert first.scep["Challenge"] != second.scep["Challenge"]


def test_the_default_identifier_is_the_reversed_host_name(site):
    assert profile_of(site).identifier == "1.0.0.127.mdm"


def test_directives_show_in_the_profile(make_site):
    site = make_site(directives={
        "MDMProfileIdentifier": "com.example.enroll", "MDMSignMessage": "off", "MDMAccessRights": "3",
        "MDMSCEPURL": "http://scep.example.com/scep", "MDMCheckInURL": "https://mdm.example.com/in",
        "MDMConnectURL": "https://mdm.example.com/out?x"[:27], "MDMOrganization": '"A <b> & \\"C\\" Ümlaut"'})
    site.start().upload_push_certificate()
    found = profile_of(site)
    assert found.identifier == "com.example.enroll"
    assert found.mdm.get("SignMessage", False) is False
    assert found.mdm["AccessRights"] == 3
    assert found.scep["URL"] == "http://scep.example.com/scep"
    assert found.mdm["CheckInURL"] == "https://mdm.example.com/in"
    assert found.mdm["ServerURL"] == "https://mdm.example.com/out"
    assert found.plist["PayloadOrganization"] == 'A <b> & "C" Ümlaut'


def test_a_profile_signer_of_its_own_signs_with_its_chain(make_site, keys):
    signer, key = keys.tls.issue("O=Example Hospital, CN=Profile signer", key=keys.take())
    site = make_site()
    site.write("signer.pem", pki.pem(signer))
    site.write("signer.key", pki.pem(key), 0o600)
    site.own["MDMProfileSignerFile"] = "%s %s" % (site.path("signer.pem"), site.path("signer.key"))
    site.start().upload_push_certificate()
    found = profile.Profile(fetch(site).body, keys.tls_ca_file)
    assert found.trusted, found.problem
    assert found.signers[0].serial_number == signer.serial_number


def test_without_a_push_certificate_nobody_enrolls_and_the_log_says_why(make_site):
    site = make_site().start()
    site.log.expect(r"\[mdm:error\].*push certificate")
    reply = fetch(site)
    assert reply.status == 503
    assert b"push certificate" in reply.body.lower()
    assert b"PayloadContent" not in reply.body
    site.log.wait("push certificate")
    assert "push certificate" in site.http.get(site.at("/mdm-status")).text.lower()


def test_the_newest_push_certificate_gives_the_topic(own_site, keys):
    other = "com.apple.mgmt.External.11111111-2222-3333-4444-555555555555"
    certificate, key = keys.push_ca.push_certificate(other, key=keys.take())
    reply = own_site.api("PUT", "/v1/pushcert", (pki.pem(certificate) + pki.pem(key)).encode())
    assert reply.status == 200, reply.text
    assert profile_of(own_site).mdm["Topic"] == other


def test_mdmpushtopic_decides_the_topic_of_new_enrollments(make_site, keys):
    site = make_site(directives={"MDMPushTopic": TOPIC}).start()
    site.upload_push_certificate()
    certificate, key = keys.push_ca.push_certificate(
        "com.apple.mgmt.External.11111111-2222-3333-4444-555555555555", key=keys.take())
    assert site.api("PUT", "/v1/pushcert", (pki.pem(certificate) + pki.pem(key)).encode()).status == 200
    assert profile_of(site).mdm["Topic"] == TOPIC


@pytest.mark.mpm
@pytest.mark.smoke
def test_a_device_enrolls(site, new_device):
    phone = devices.enroll(site, new_device(site))
    shown = site.show(phone.id)
    assert shown["state"] == "enrolled"
    assert shown["user"] == USER
    assert shown["serial_number"] == phone.serial
    assert shown["type"] == "Device"


def test_the_user_who_signed_in_is_the_one_in_the_table(site, new_device):
    phone = devices.enroll(site, new_device(site), "other")
    assert site.show(phone.id)["user"] == "other"
