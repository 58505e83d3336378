# SPDX-License-Identifier: Apache-2.0
"""Over-the-air enrollment in three phases, by the real server and a simulated device. openssl, plistlib and
python3-cryptography judge what the server made."""

import hashlib
import plistlib
import subprocess

import pytest
from cryptography import x509
from mdmsim import pki, profile, scep

from . import devices, overtheair
from .keys import TOPIC
from .site import USER

HOUR = 3600 * 1000000


@pytest.fixture(scope="module")
def shared(keys, apns, variant, make_database):
    """One running site for all tests of this file and a variant."""
    mpm, kind = variant
    site = overtheair.make_site(keys, make_database(kind), apns, mpm)
    site.topic = TOPIC
    yield site
    site.close()


@pytest.fixture
def site(shared):
    mark = shared.log.size()
    yield shared
    trouble = shared.log.trouble(mark)
    assert not trouble, "unexpected in the error log:\n" + "\n".join(trouble[:20])


def rows(site, statement):
    return site.database.sql(statement)


def fingerprint(certificate):
    return hashlib.sha256(pki.der(certificate)).hexdigest()


def common_name(certificate):
    return certificate.subject.get_attributes_for_oid(pki.SHORT_NAMES["CN"])[0].value


def openssl(*args):
    return subprocess.run(["openssl", *args], capture_output=True)


@pytest.mark.mpm
@pytest.mark.smoke
def test_a_device_enrolls_over_the_air(site, new_device):
    phone = new_device(site)
    done = overtheair.enroll(site, phone)
    assert done.final.encrypted and done.final.trusted
    shown = site.show(phone.id)
    assert shown["state"] == "enrolled"
    assert shown["user"] == USER


def test_feature_32_a_challenge_traces_the_person_and_works_once(site, new_device):
    started = overtheair.begin(site, new_device(site))
    other = overtheair.begin(site, new_device(site), user="other")
    assert started.challenge != other.challenge
    assert len(started.challenge) >= 32
    kept = {}
    for one in (started, other):
        found = rows(site, "SELECT kind, login, session, expires_at - created_at FROM mdm_challenge "
                           "WHERE sha256 = '%s'" % hashlib.sha256(one.challenge.encode()).hexdigest())
        assert len(found) == 1
        kept[one] = found[0]
    assert kept[started][:2] == ["profile-service", USER]
    assert kept[other][:2] == ["profile-service", "other"]
    assert kept[started][2] != kept[other][2]
    assert 0 < int(kept[started][3]) <= 24 * HOUR
    session = rows(site, "SELECT login, state FROM mdm_session WHERE id = %s" % kept[started][2])
    assert session[0][0] == USER
    raw = started.phase2()
    assert started.post(raw).status == 200
    again = started.post(raw)
    assert again.status == 403
    assert started.challenge not in again.text
    assert started.challenge not in site.log.text()


def test_feature_33_the_devices_facts_are_signed_and_kept(site, new_device):
    phone = new_device(site)
    started = overtheair.begin(site, phone)
    assert set(started.wanted) >= {"UDID", "IMEI", "ICCID", "VERSION", "PRODUCT", "SERIAL", "DEVICE_NAME"}
    found = started.describe()
    assert found.trusted
    kept = rows(site, "SELECT udid, serial_number, imei, iccid, product, version, device_name, state, login "
                      "FROM mdm_session WHERE udid = '%s'" % phone.udid)
    assert [one[:7] for one in kept] == [[phone.udid, phone.serial, phone.imei, phone.iccid, phone.model,
                                          phone.build_version, phone.name]]
    assert kept[0][8] == USER
    events = rows(site, "SELECT kind, actor FROM mdm_event WHERE enrollment_id = '%s'" % phone.udid)
    assert ["enrollment.described", USER] in events


@pytest.mark.once
def test_feature_33_the_device_ca_is_as_old_and_weak_as_apples(site):
    done = openssl("x509", "-in", site.path("device-ca.pem"), "-noout", "-text", "-checkend", "0")
    assert b"1024 bit" in done.stdout and b"sha1WithRSAEncryption" in done.stdout
    assert b"will expire" in done.stdout


@pytest.mark.once
@pytest.mark.parametrize("wrong", ["signature", "digest", "content", "stranger", "namesake", "no attributes"])
def test_feature_33_a_forged_signature_is_refused(site, new_device, wrong):
    phone = new_device(site)
    started = overtheair.begin(site, phone)
    good = started.phase2()
    if wrong == "signature":
        raw = started.phase2(break_signature=True)
    elif wrong == "digest":
        raw = started.phase2(break_digest=True)
    elif wrong == "content":
        raw = good.replace(phone.serial.encode(), b"X" * len(phone.serial))
        assert raw != good
    elif wrong == "stranger":
        key = pki.new_key()
        raw = started.phase2(identity=(pki.self_signed("CN=" + phone.udid, key), key))
    elif wrong == "namesake":
        raw = started.phase2(identity=overtheair.ota.Maker(bits=2048).device(phone.udid))
    else:
        raw = started.phase2(skip=("1.2.840.113549.1.9.4",))
    reply = started.post(raw)
    assert 400 <= reply.status < 500, reply
    assert not rows(site, "SELECT udid FROM mdm_session WHERE udid = '%s'" % phone.udid)
    assert started.post(good).status == 200


@pytest.mark.once
def test_feature_33_newer_devices_and_their_chain_are_accepted(site, new_device):
    maker = overtheair.maker()
    phone, other = new_device(site), new_device(site)
    between = maker.between()
    for one, chain in ((phone, [between[0]]), (other, [between[0], maker.device_ca, maker.middle])):
        identity = maker.device(one.udid, issuer=between, digest="sha256")
        started = overtheair.begin(site, one, chain=chain, identity=identity)
        assert started.post(started.phase2(digest_name="sha256")).status == 200


@pytest.mark.once
def test_feature_33_a_device_is_no_ca(site, new_device):
    """One phone's own identity vouches for nobody else."""
    maker, phone = overtheair.maker(), new_device(site)
    for name in ("CN=some phone", "CN=some phone, O=CA"):
        leaf = maker.between(name, authority=False)
        started = overtheair.begin(site, phone, chain=[leaf[0]],
                                   identity=maker.device(phone.udid, issuer=leaf))
        assert started.post(started.phase2(digest_name="sha256")).status == 403


def test_feature_34_facts_are_shown_and_absent_ones_are_not_reported(site, new_device):
    phone = new_device(site)
    started = overtheair.begin(site, phone)
    started.describe({"ICCID": None, "DEVICE_NAME": None})
    started.identify(key=site.keys.take())
    started.fetch_final({"ICCID": None})
    started.install(key=site.keys.take())
    shown = site.show(phone.id)["device_facts"]
    assert shown == {"udid": phone.udid, "serial_number": phone.serial, "imei": phone.imei, "meid": None,
                     "iccid": None, "product": phone.model, "os_build": phone.build_version,
                     "device_name": None}
    page = site.http.get(site.at("/mdm-status?id=" + phone.id)).text
    for text in (phone.udid, phone.imei, phone.model, phone.build_version, phone.serial):
        assert text in page
    assert page.count("not reported") == 3


@pytest.mark.once
def test_feature_35_the_device_makes_its_key(site, new_device):
    phone = new_device(site)
    started = overtheair.begin(site, phone)
    started.describe()
    key = site.keys.take()
    mark = len(phone.plain_http.log)
    result = started.identify(key=key)
    log = list(phone.plain_http.log)[mark:]
    asked = [one.url.partition("operation=")[2].partition("&")[0] for one in log]
    assert asked == ["GetCACaps", "GetCACert", "PKIOperation"]
    assert pki.same_key(result.certificate, key)
    secret = key.private_numbers().p.to_bytes(128, "big")
    for one in log:
        assert secret not in (one.sent_body or b"") and secret not in one.body


def test_feature_36_the_scep_challenge_is_checked(site, new_device):
    phone = new_device(site)
    started = overtheair.begin(site, phone)
    payload = dict(started.describe().scep)
    client = phone.scep_client(payload)
    good = {"subject": payload["Subject"], "challenge": payload["Challenge"]}

    def refused(**changes):
        result = client.enrol(**{**good, **changes}, key=site.keys.take())
        assert (result.status, result.fail_info) == (scep.FAILURE, scep.BAD_REQUEST), result.summary()
    refused(challenge="0" * 40)
    refused(challenge=None)
    refused(challenge=started.challenge)
    refused(subject="O=Example Hospital, CN=" + phone.udid)
    wishes = {"names": ("mdm.example.com",),
              "extensions": [(x509.BasicConstraints(ca=True, path_length=None), True)]}
    result = client.enrol(**good, key=site.keys.take(), csr_options=wishes)
    assert result.ok, result.summary()
    refused()
    with pytest.raises(x509.ExtensionNotFound):
        result.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert not result.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert [common_name(result.certificate)] == [
        pair[1] for rdn in payload["Subject"] for pair in rdn if pair[0] == "CN"]


def test_feature_36_an_expired_challenge_pays_for_nothing(site, new_device):
    phone = new_device(site)
    started = overtheair.begin(site, phone)
    payload = started.describe().scep
    rows(site, "UPDATE mdm_challenge SET expires_at = 1 WHERE sha256 = '%s'"
         % hashlib.sha256(payload["Challenge"].encode()).hexdigest())
    client = phone.scep_client(payload)
    result = client.enrol(subject=payload["Subject"], challenge=payload["Challenge"], key=site.keys.take())
    assert (result.status, result.fail_info) == (scep.FAILURE, scep.BAD_REQUEST)
    late = overtheair.begin(site, phone)
    rows(site, "UPDATE mdm_challenge SET expires_at = 1 WHERE sha256 = '%s'"
         % hashlib.sha256(late.challenge.encode()).hexdigest())
    assert late.post(late.phase2()).status == 403


def test_feature_37_the_server_keeps_a_copy_of_the_certificate(site, new_device):
    phone = new_device(site)
    started = overtheair.identified(site, phone)
    certificate = phone.certificate
    challenge = hashlib.sha256(started.scep.scep["Challenge"].encode()).hexdigest()
    kept = rows(site, "SELECT serial, not_after, login, challenge, session FROM mdm_certificate "
                      "WHERE fingerprint = '%s'" % fingerprint(certificate))
    assert len(kept) == 1
    assert int(kept[0][0], 16) == certificate.serial_number
    assert int(kept[0][1]) // 1000000 == int((certificate.not_valid_after - overtheair.EPOCH).total_seconds())
    assert kept[0][2:4] == [USER, challenge]
    session = rows(site, "SELECT certificate, udid FROM mdm_session WHERE id = %s" % kept[0][4])
    assert session == [[fingerprint(certificate), phone.udid]]
    for words in (kept[0][0], common_name(certificate)):
        found = site.api("GET", "/v1/certificates?q=" + words).json["certificates"]
        assert [one["serial"] for one in found] == [kept[0][0]]
    assert found[0]["user"] == USER and found[0]["state"] == "valid"
    pem = site.api("GET", "/v1/certificates/%s.pem" % kept[0][0])
    assert pem.status == 200
    assert pki.der(pki.load_certificate(pem.body)) == pki.der(certificate)


@pytest.mark.once
def test_feature_38_the_certificate_comes_back_to_the_device(site, new_device, tmp_path):
    phone = new_device(site)
    overtheair.identified(site, phone)
    result = phone.scep_result
    assert result.ok and result.signature_ok
    assert pki.same_key(result.certificate, phone.key)
    leaf = pki.write_pem(tmp_path / "leaf.pem", result.certificate)
    done = openssl("verify", "-CAfile", site.ca_file, "-purpose", "sslclient", leaf)
    assert done.returncode == 0, done.stderr


def test_feature_39_phase_three_takes_the_issued_identity_and_no_other(site, new_device):
    phone = new_device(site)
    started = overtheair.identified(site, phone)
    assert started.post(started.phase3(identity=started.identity)).status == 403
    assert started.post(started.phase2()).status == 403
    stranger = new_device(site)
    devices.identity(site, stranger)
    assert started.post(started.phase3(identity=(stranger.certificate, stranger.key))).status == 403
    neighbour = new_device(site)
    overtheair.identified(site, neighbour, user="other")
    assert started.post(started.phase3(identity=(neighbour.certificate, neighbour.key))).status == 403
    key = pki.new_key()
    forged = pki.Authority(phone.certificate.issuer).issue(phone.certificate.subject, key=key, usage="client")
    assert started.post(started.phase3(identity=forged)).status == 403
    assert started.post(started.phase3({"SERIAL": neighbour.serial})).status == 403
    assert started.post(started.phase3({"UDID": neighbour.udid})).status == 403
    assert started.fetch_final().mdm is not None


def test_feature_39_the_final_profile_goes_out_once(site, new_device):
    phone = new_device(site)
    started = overtheair.identified(site, phone)
    started.fetch_final()
    again = started.post(started.phase3())
    assert again.status == 301
    assert again.headers["Location"] == site.at("/mdm/enroll")
    assert b"PayloadContent" not in again.body
    assert again.body != started.final.raw


def test_feature_39_a_revoked_identity_gets_nothing(site, new_device):
    phone = new_device(site)
    started = overtheair.identified(site, phone)
    site.ctl("certificate", "revoke", "%032x" % phone.certificate.serial_number)
    assert started.post(started.phase3()).status == 403


def test_feature_39_its_identities_enroll_no_other_device(site, new_device):
    phone, other = new_device(site), new_device(site)
    started = overtheair.identified(site, phone)
    first = phone.certificate, phone.key
    started.fetch_final()
    phone.scep_enrol(started.final.scep, key=site.keys.take())
    other.topic = TOPIC
    for certificate, key in (first, (phone.certificate, phone.key)):
        other.set_identity(certificate, key)
        assert other.authenticate(check=False).status == 403
    assert site.show(other.id) is None
    phone.topic = TOPIC
    phone.authenticate()
    phone.token_update()
    assert site.show(phone.id)["state"] == "enrolled"


def test_t3_over_the_air_a_person_takes_over_what_was_enrolled_for_nobody(site, new_device):
    """The same without the proof of the device's maker is refused: test_checkin_messages.py."""
    kiosk = new_device(site)
    devices.identity(site, kiosk, site.challenge("--subject", kiosk.udid))
    kiosk.topic = TOPIC
    kiosk.authenticate()
    kiosk.token_update()
    assert "user" not in site.show(kiosk.id)
    same = new_device(site, udid=kiosk.udid, serial=kiosk.serial)
    overtheair.enroll(site, same)
    assert site.show(kiosk.id)["user"] == USER and site.show(kiosk.id)["token_update_tally"] == 1
    assert kiosk.idle().status == 403 and same.idle().status == 200


@pytest.mark.once
def test_feature_40_only_the_devices_own_key_opens_the_final_profile(site, new_device, keys):
    phone, neighbour = new_device(site), new_device(site)
    started = overtheair.identified(site, phone)
    overtheair.identified(site, neighbour)
    final = started.fetch_final()
    outer = plistlib.loads(final.content)
    assert final.trusted and final.encrypted
    assert "PayloadContent" not in outer
    assert outer["IsEncrypted"] is True
    for text in (b"com.apple.mdm", final.scep["Challenge"].encode(), TOPIC.encode()):
        assert text not in final.content
    assert final.mdm["Topic"] == TOPIC
    with pytest.raises(profile.ProfileError):
        profile.Profile(final.raw, identity=(neighbour.certificate, neighbour.key))
    with pytest.raises(profile.ProfileError):
        profile.Profile(final.raw, identity=(phone.certificate, neighbour.key))


@pytest.mark.once
def test_feature_41_nothing_is_left_to_do_between_phase_three_and_management(site, new_device):
    phone = new_device(site)
    started = overtheair.begin(site, phone)
    mark = len(phone.plain_http.log)
    started.describe()
    started.identify(key=site.keys.take())
    started.fetch_final()
    started.install(key=site.keys.take())
    asked = [(one.method, one.url) for one in list(phone.plain_http.log)[mark:]]
    pages = [url for method, url in asked if "/mdm/enroll" in url and not url.endswith("/mdm/enroll/device")]
    assert not pages
    assert [method for method, url in asked if url.endswith("/device")] == ["POST", "POST"]
    assert site.show(phone.id)["state"] == "enrolled"


def test_feature_45_the_final_profile_manages_the_device(site, new_device):
    phone = new_device(site)
    started = overtheair.identified(site, phone)
    final = started.fetch_final()
    assert [one["PayloadType"] for one in final.payloads[-2:]] == ["com.apple.security.scep", "com.apple.mdm"]
    mdm = final.mdm
    assert mdm["IdentityCertificateUUID"] == final.payload("com.apple.security.scep")["PayloadUUID"]
    assert mdm["Topic"] == TOPIC == pki.subject_uid(site.keys.push)
    assert mdm["ServerURL"] == site.at("/mdm/connect")
    assert mdm["CheckInURL"] == site.at("/mdm/checkin")
    assert mdm["AccessRights"] == 8191
    assert mdm["SignMessage"] is True
    assert mdm["CheckOutWhenRemoved"] is True
    assert final.scep["Challenge"] != started.scep.scep["Challenge"]
    first = phone.certificate
    started.install(key=site.keys.take())
    assert pki.der(phone.certificate) != pki.der(first)
    assert site.show(phone.id)["state"] == "enrolled"
    uuid, body = devices.command("DeviceInformation")
    site.enqueue(phone.id, body)
    assert [one.uuid for one in phone.connect()] == [uuid]


@pytest.mark.once
def test_feature_45_the_scep_payload_of_phase_two(site, new_device):
    started = overtheair.begin(site, new_device(site))
    found = started.describe()
    assert found.plist["PayloadType"] == "Configuration"
    assert found.plist["PayloadScope"] == "System"
    assert found.mdm is None and not found.encrypted
    wanted = {"URL": site.at("/mdm/scep"), "Key Type": "RSA", "Key Usage": 5, "Keysize": 2048}
    assert {name: found.scep[name] for name in wanted} == wanted
    assert all(isinstance(pair, list) and len(pair) == 2 for rdn in found.scep["Subject"] for pair in rdn)


@pytest.mark.once
def test_feature_46_anchors_travel_in_the_profiles(site, new_device):
    started = overtheair.identified(site, new_device(site))
    final = started.fetch_final()
    anchor = pki.der(site.keys.tls.certificate)
    assert anchor in [pki.der(one) for one in started.scep.certificates]
    assert anchor in [pki.der(one) for one in final.certificates]


@pytest.mark.once
def test_posts_are_all_that_is_served_below_the_page(site):
    for method in ("GET", "PUT", "DELETE"):
        assert site.http.request(method, site.at("/mdm/enroll/device")).status == 405
