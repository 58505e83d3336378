# SPDX-License-Identifier: Apache-2.0
"""Identities of another CA (MDMIdentityCAFile), as devices bring them from another server."""

import datetime
import plistlib
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from mdmsim import pki
from mdmsim import profile as found_profile

from . import devices
from .httpd import wait_until
from .test_configtest import wrong

MODES = ["tls", "signature"]


@pytest.fixture
def other_ca():
    return pki.Authority("O=Old server, CN=Old SCEP CA")


@pytest.fixture
def migrated(make_site, other_ca, tmp_path):
    site = make_site(directives={"MDMRetroactiveIdentity": "On"})
    site.own["MDMIdentityCAFile"] = site.write("old-ca.pem", pki.pem(other_ca.certificate))
    site.start()
    site.upload_push_certificate()
    return site


def bring(device, authority, **options):
    """A device with an identity of that CA, as the other server gave it."""
    options = {"usage": "client", **options}
    device.set_identity(*authority.issue("CN=" + device.udid, **options))
    device.new_token()
    return device


def imported(site, device):
    """As an import leaves it: an enrollment, reachable, whose identity is not known."""
    bring_again = device.certificate, device.key
    devices.enroll(site, device)
    fingerprint = device.certificate.fingerprint(hashes.SHA256()).hex()
    site.database.sql("UPDATE mdm_enrollment SET certificate = NULL WHERE enrollment_id = '%s'" % device.id)
    site.database.sql("DELETE FROM mdm_certificate WHERE fingerprint = '%s'" % fingerprint)
    device.set_identity(*bring_again)
    return device


def hex_serial(certificate):
    number = certificate.serial_number
    return number.to_bytes((number.bit_length() + 8) // 8, "big").lstrip(b"\0").hex()


def revoke(site, certificate):
    site.ctl("certificate", "revoke", hex_serial(certificate))


def events(site):
    return [row[0] for row in site.database.sql("SELECT kind FROM mdm_event ORDER BY id")]


@pytest.mark.parametrize("mode", MODES)
def test_authenticate_brings_it_in_like_a_fresh_one(migrated, other_ca, new_device, mode):
    device = bring(new_device(migrated, identity_mode=mode), other_ca)
    assert device.idle().status == 403
    device.authenticate()
    device.token_update()
    assert migrated.show(device.id)["state"] == "enrolled"
    command_uuid, command = devices.command()
    assert migrated.enqueue(device.id, command, nopush=True).status == 200
    assert [one.uuid for one in device.connect()] == [command_uuid]
    assert "identity.accepted" in events(migrated)


def test_one_connect_brings_the_identity_of_an_imported_enrollment_in(migrated, other_ca, new_device):
    device = imported(migrated, bring(new_device(migrated), other_ca))
    command_uuid, command = devices.command()
    assert migrated.enqueue(device.id, command, nopush=True).status == 200
    assert devices.served(device.idle()) == command_uuid
    assert "identity.associated" in events(migrated)
    assert [one.uuid for one in device.connect()] == [command_uuid]
    # it is the only one from then on
    second = other_ca.issue("CN=" + device.udid, usage="client")
    with device.as_identity(*second):
        assert device.idle().status == 403
        assert device.token_update(check=False).status == 403
    assert device.idle().status == 200


def test_a_user_channel_may_be_the_first_to_speak(migrated, other_ca, new_device):
    device = imported(migrated, bring(new_device(migrated), other_ca))
    user = device.user_channel()
    user.new_token()
    assert user.token_update().status == 200
    assert device.idle().status == 200
    assert migrated.show(user.id)["state"] == "enrolled"


@pytest.mark.once
def test_retroactive_association_is_off_unless_switched_on(make_site, other_ca, new_device):
    site = make_site()
    site.own["MDMIdentityCAFile"] = site.write("old-ca.pem", pki.pem(other_ca.certificate))
    site.start()
    site.upload_push_certificate()
    device = imported(site, bring(new_device(site), other_ca))
    assert device.idle().status == 403
    assert device.token_update(check=False).status == 403
    device.authenticate()
    device.token_update()
    assert device.idle().status == 200


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:SHA1")
def test_only_certificates_that_chain_to_the_named_cas_come_in(migrated, other_ca, new_device, keys):
    device = imported(migrated, bring(new_device(migrated), other_ca))
    now, day = datetime.datetime.utcnow(), datetime.timedelta(days=1)
    imitation = pki.Authority("O=Old server, CN=Old SCEP CA")
    refused = {
        "another CA of the same name": imitation.issue("CN=x", usage="client"),
        "for servers": other_ca.issue("CN=x", usage="server"),
        "expired": other_ca.issue("CN=x", usage="client", not_before=now - 9 * day, not_after=now - day),
        "not yet valid": other_ca.issue("CN=x", usage="client", not_before=now + day, not_after=now + 9 * day),
        "the CA itself": (other_ca.certificate, other_ca.key),
        "self-signed": (pki.self_signed("CN=x", other_ca.key), other_ca.key),
        "SHA-1": sha1_certificate(other_ca),
    }
    for why, identity in refused.items():
        with device.as_identity(*identity):
            for message in (device.idle, lambda **o: device.authenticate(check=False, **o)):
                assert message(identity="signature").status in (400, 403), why
    assert device.idle().status == 200


def sha1_certificate(authority):
    key = pki.new_key()
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(pki.name("CN=x")).issuer_name(authority.name)
               .public_key(key.public_key()).serial_number(77)
               .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=9)))
    return builder.sign(authority.key, hashes.SHA1()), key


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("curve", [ec.SECP256R1, ec.SECP384R1])
def test_an_identity_from_acme_has_an_elliptic_key(migrated, other_ca, new_device, mode, curve):
    """It signs, and nothing can be encrypted to it: profiles go out as they are queued."""
    device = bring(new_device(migrated, identity_mode=mode), other_ca, key=ec.generate_private_key(curve()))
    device.authenticate()
    device.token_update()
    profile = plistlib.dumps({"PayloadType": "Configuration", "PayloadContent": [{"PayloadType": "com.example.x"}]})
    uuid, body = devices.command("InstallProfile", Payload=profile)
    assert migrated.enqueue(device.id, body, nopush=True).status == 200
    reply = device.idle()
    assert devices.served(reply) == uuid and plistlib.loads(reply.body)["Command"]["Payload"] == profile


@pytest.mark.once
def test_an_elliptic_identity_is_renewed_into_one_of_ours(migrated, other_ca, new_device):
    device = bring(new_device(migrated), other_ca, key=ec.generate_private_key(ec.SECP256R1()))
    device.authenticate()
    device.token_update()
    now, fingerprint = int(time.time()), device.certificate.fingerprint(hashes.SHA256()).hex()
    migrated.database.sql("UPDATE mdm_certificate SET issued_at = %d, not_after = %d WHERE fingerprint = '%s'"
                          % ((now - 90 * 86400) * 1000000, (now + 3 * 86400) * 1000000, fingerprint))
    migrated.httpd.graceful()               # a new worker looks at once
    wait_until(lambda: migrated.database.sql("SELECT due_at FROM mdm_renewal"), what="a plan")
    migrated.database.sql("UPDATE mdm_renewal SET due_at = 1")
    migrated.httpd.graceful()
    wait_until(lambda: migrated.queue_uuids(device.id), what="a renewal in the queue")
    renewed = found_profile.Profile(plistlib.loads(device.idle().body)["Command"]["Payload"], device.signer_ca_file)
    assert renewed.trusted and not renewed.encrypted and renewed.mdm["Topic"] == device.topic
    device.install(renewed, key=migrated.keys.take())
    assert migrated.show(device.id)["state"] == "enrolled" and migrated.show(device.id)["token_update_tally"] == 2
    assert device.idle().status == 200


def test_without_an_extended_key_usage_it_is_for_clients_too(migrated, other_ca, new_device):
    device = bring(new_device(migrated), other_ca, usage=None)
    device.authenticate()
    device.token_update()
    assert device.idle().status == 200


def test_it_does_not_push_an_identity_of_ours_aside(migrated, other_ca, new_phone):
    phone = new_phone(migrated)
    ours = phone.certificate, phone.key
    with phone.as_identity(*other_ca.issue("CN=" + phone.udid, usage="client")):
        assert phone.authenticate(check=False).status == 403
        assert phone.idle().status == 403
    assert phone.idle().status == 200
    revoke(migrated, ours[0])
    bring(phone, other_ca)
    phone.authenticate()
    phone.token_update()
    assert phone.idle().status == 200


def test_it_is_bound_to_one_enrollment(migrated, other_ca, new_device):
    one = bring(new_device(migrated), other_ca)
    one.authenticate()
    one.token_update()
    other = imported(migrated, bring(new_device(migrated), other_ca))
    with other.as_identity(one.certificate, one.key):
        assert other.idle().status == 403
        assert other.authenticate(check=False).status == 403
    assert other.idle().status == 200


def test_it_is_revoked_like_ours_but_not_listed_in_our_crl(migrated, other_ca, new_device):
    device = bring(new_device(migrated), other_ca)
    device.authenticate()
    device.token_update()
    revoke(migrated, device.certificate)
    assert device.idle().status == 403
    reply = migrated.http.get(migrated.at("/mdm/crl"))
    crl = x509.load_der_x509_crl(reply.body)
    assert crl.get_revoked_certificate_by_serial_number(device.certificate.serial_number) is None


def test_a_serial_number_of_ours_is_no_obstacle(migrated, other_ca, new_phone, new_device):
    phone, device = new_phone(migrated), new_device(migrated)
    key = migrated.keys.take()
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(pki.name("CN=x")).issuer_name(other_ca.name)
               .public_key(key.public_key()).serial_number(phone.certificate.serial_number)
               .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=9)))
    device.set_identity(builder.sign(other_ca.key, hashes.SHA256()), key)
    device.new_token()
    device.authenticate()
    device.token_update()
    assert device.idle().status == 200
    revoke(migrated, phone.certificate)
    assert device.idle().status == 200 and phone.idle().status == 403
    serial = "%s-%s" % (hex_serial(device.certificate), device.certificate.fingerprint(hashes.SHA256()).hex()[:16])
    migrated.ctl("certificate", "revoke", serial)
    assert device.idle().status == 403


def test_the_usual_path_costs_no_statement_more(migrated, new_phone):
    phone = new_phone(migrated)
    phone.idle()
    phone.idle()
    lines = [line for line in open(migrated.path("access.log")) if "/mdm/connect" in line]
    assert {line.split()[-2] for line in lines[-2:]} == {"1"}, lines[-2:]


@pytest.mark.once
def test_our_own_ca_in_that_file_opens_nothing(make_site, new_device):
    site = make_site(directives={"MDMRetroactiveIdentity": "On"}).prepare()
    site.own["MDMIdentityCAFile"] = site.ca_file
    site.start()
    with open(site.state_dir + "/ca.key") as source:
        stolen = pki.Authority()
        stolen.key = pki.load_key(source.read())
    with open(site.ca_file, "rb") as source:
        stolen.name = pki.load_certificate(source.read()).subject
    device = bring(new_device(site), stolen)
    assert device.authenticate(check=False, identity="signature").status == 403


@pytest.mark.once
def test_the_file_holds_cas(make_site, other_ca):
    site = make_site().prepare()
    leaf, _ = other_ca.issue("CN=x", usage="client")
    site.own["MDMIdentityCAFile"] = site.write("leaf.pem", pki.pem(leaf))
    wrong(site, "MDMIdentityCAFile", "no CA")
    site.own["MDMIdentityCAFile"] = site.path("missing.pem")
    wrong(site, "MDMIdentityCAFile", "missing.pem")
