# SPDX-License-Identifier: Apache-2.0
"""Who a device is: a certificate of our own table, bound to one enrollment, by TLS or Mdm-Signature. Whoever
cannot prove any gets 400, whose certificate may not speak for the enrollment 403, never 401; a line in the log, and
nothing changes."""

import datetime
import plistlib

import pytest
from cryptography.hazmat.primitives import hashes
from mdmsim import channel, pki

from . import devices
from .site import PASSWORD, USER

MODES = ["tls", "signature", "both"]


def refused(reply, status=403):
    assert reply.status == status, reply
    assert "WWW-Authenticate" not in reply.headers
    assert not reply.body.startswith(b"<?xml")
    return True


@pytest.mark.mpm
@pytest.mark.parametrize("mode", MODES)
def test_a_device_proves_itself_by(site, new_phone, mode):
    phone = new_phone(site, identity_mode=mode)
    assert site.show(phone.id)["state"] == "enrolled"
    command_uuid, body = devices.command()
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    assert [one.uuid for one in phone.connect()] == [command_uuid]


def test_row_08_without_any_proof_400(site, phone):
    assert refused(phone.idle(identity="none"), 400)
    assert refused(phone.token_update(check=False, identity="none"), 400)
    assert refused(phone.checkout(check=False, identity="none"), 400)
    assert site.show(phone.id)["state"] == "enrolled"


def test_row_08_an_unknown_certificate_is_403_by_both_ways(site, phone):
    certificate, key = channel.other_identity()
    with phone.as_identity(certificate, key):
        for mode in MODES:
            assert refused(phone.idle(identity=mode))
            assert refused(phone.authenticate(check=False, identity=mode))
            assert refused(phone.token_update(check=False, identity=mode))
    assert site.show(phone.id)["state"] == "enrolled"


def test_a_certificate_that_only_looks_like_ours_is_403(site, phone):
    imitation = pki.Authority()
    imitation.name = phone.certificate.issuer
    certificate, key = imitation.issue(phone.certificate.subject, usage="client", key=site.keys.take())
    with phone.as_identity(certificate, key):
        assert refused(phone.idle(identity="signature"))
        # mod_ssl may end the handshake itself: it knows our CA's certificate when the device sends it along
        try:
            assert refused(phone.idle(identity="tls"))
        except OSError:
            pass


def test_a_certificate_of_the_ca_that_is_not_in_the_table_is_403(site, phone):
    """Made with the CA's own key, as somebody with a backup of it would: not issued by us."""
    with open(site.state_dir + "/ca.key") as source:
        ca_key = pki.load_key(source.read())
    stolen = pki.Authority()
    stolen.key, stolen.name = ca_key, phone.certificate.issuer
    certificate, key = stolen.issue(phone.certificate.subject, usage="client", key=site.keys.take())
    with phone.as_identity(certificate, key):
        for mode in MODES:
            assert refused(phone.idle(identity=mode))


@pytest.mark.mpm
def test_row_09_another_devices_certificate_is_403_and_nothing_changes(site, new_phone):
    mine, other = new_phone(site), new_phone(site)
    command_uuid, body = devices.command("DeviceLock")
    assert site.enqueue(other.id, body, nopush=True).status == 200
    before = site.show(other.id)
    mark = site.log.size()
    with other.as_identity(mine.certificate, mine.key):
        for mode in MODES:
            assert refused(other.idle(identity=mode))
            assert refused(other.send_report({"Status": "Acknowledged", "CommandUUID": command_uuid}, identity=mode))
            assert refused(other.authenticate(check=False, identity=mode))
            assert refused(other.token_update(check=False, identity=mode))
            assert refused(other.checkout(check=False, identity=mode))
    site.log.wait(r"\[mdm:(warn|info|notice)\].*", mark)
    after = site.show(other.id)
    assert {key: value for key, value in after.items() if not key.startswith("last_")} == \
        {key: value for key, value in before.items() if not key.startswith("last_")}
    assert [one.uuid for one in other.connect()] == [command_uuid]


def test_a_refusal_is_an_event_in_the_log(site, phone):
    mark = site.log.size()
    certificate, key = channel.other_identity()
    with phone.as_identity(certificate, key):
        phone.idle()
    match = site.log.wait(r"\[mdm:(warn|notice|info)\] .*", mark)
    assert "client 127.0.0.1" in match.group(0)


@pytest.mark.mpm
def test_a_revoked_certificate_is_403_at_once(site, phone):
    assert phone.idle().status == 200
    site.ctl("certificate", "revoke", "%032x" % phone.certificate.serial_number, "--reason", "keyCompromise")
    for mode in MODES:
        assert refused(phone.idle(identity=mode))
    assert refused(phone.token_update(check=False))


def test_an_expired_certificate_of_ours_is_403(site, phone):
    fingerprint = phone.certificate.fingerprint(hashes.SHA256()).hex()
    site.database.sql("UPDATE mdm_certificate SET not_after = 1000000 WHERE fingerprint = '%s'" % fingerprint)
    assert refused(phone.idle())


def test_row_08_a_certificate_proves_nothing_before_authenticate(site, new_device):
    device = devices.identity(site, new_device(site))
    assert refused(device.idle())
    assert refused(device.token_update(check=False))
    assert site.show(device.id) is None
    assert device.authenticate().status == 200


def test_row_08_a_signature_over_another_body_is_400(site, phone):
    other = plistlib.dumps({**phone.identifiers(), "Status": "Idle", "x": "y"})
    assert refused(phone.send_report({"Status": "Idle"}, identity="none", signature=phone.sign(other)), 400)


@pytest.mark.parametrize("signature", ["", "x", "!!!!", "AAAA", "MIIB" * 500, "A" * 60000])
def test_row_08_an_unreadable_signature_is_refused(site, phone, signature):
    reply = phone.send_report({"Status": "Idle"}, identity="none", signature=signature)
    assert refused(reply, 400)


def test_row_08_a_broken_signature_is_400(site, phone):
    body = plistlib.dumps({**phone.identifiers(), "Status": "Idle"})
    for options in ({"break_signature": True}, {"break_digest": True}):
        reply = phone.put(phone.server_url, body, {"Content-Type": channel.CONNECT_TYPE}, identity="none",
                          signature=phone.sign(body, **options))
        assert refused(reply, 400)


@pytest.mark.parametrize("options", [
    {"signing_time": None}, {"digest": "sha1"}, {"digest": "sha512"}, {"ber": True},
    {"minutes_behind": 20}],
    ids=["no-signing-time", "sha1", "sha512", "ber", "clock-20-minutes-behind"])
def test_signatures_as_devices_make_them(site, phone, options):
    if "minutes_behind" in options:
        behind = datetime.timedelta(minutes=options["minutes_behind"])
        options = {"signing_time": datetime.datetime.utcnow() - behind}
    body = plistlib.dumps({**phone.identifiers(), "Status": "Idle"})
    reply = phone.put(phone.server_url, body, {"Content-Type": channel.CONNECT_TYPE}, identity="none",
                      signature=phone.sign(body, **options))
    assert reply.status == 200, reply


def test_a_tls_certificate_decides_and_a_signature_beside_it_proves_nothing(site, new_phone):
    mine, other = new_phone(site), new_phone(site)
    body = plistlib.dumps({**mine.identifiers(), "Status": "Idle"})
    with other.as_identity(other.certificate, other.key):
        foreign = other.sign(body)
    reply = mine.put(mine.server_url, body, {"Content-Type": channel.CONNECT_TYPE}, identity="tls",
                     signature=foreign)
    assert reply.status == 200
    assert refused(mine.put(mine.server_url, body, {"Content-Type": channel.CONNECT_TYPE}, identity="none",
                            signature=foreign))


def test_renewal_over_scep_lets_the_device_go_on(site, phone):
    """The new certificate belongs to the same enrollment once the device has shown it at Authenticate."""
    command_uuid, body = devices.command()
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    client = phone.scep_client({"URL": site.at("/mdm/scep")})
    result = client.renew(phone.certificate, phone.key, new_key=site.keys.take())
    assert result.ok, result.summary()
    phone.set_identity(result.certificate, result.key)
    phone.authenticate()
    phone.token_update()
    assert [one.uuid for one in phone.connect()] == [command_uuid]


def test_row_09_re_enrollment_with_a_new_identity_ends_the_old_one(site, phone):
    old = phone.certificate, phone.key
    devices.enroll(site, phone)
    assert phone.idle().status == 200
    with phone.as_identity(*old):
        assert refused(phone.idle())
        assert refused(phone.token_update(check=False))
    assert site.show(phone.id)["state"] == "enrolled"


def test_another_persons_identity_does_not_take_over_an_enrollment(site, phone, new_device):
    """A UDID is no secret: whoever gets an identity of their own must not become somebody else's device with it."""
    thief = new_device(site, udid=phone.udid)
    thief.fetch_profile(site.at("/mdm/enroll"), "other", PASSWORD)
    thief.install_certificates(thief.profile)
    thief.scep_enrol(thief.profile.scep, key=site.keys.take())
    assert refused(thief.authenticate(check=False))
    assert refused(thief.token_update(check=False))
    assert site.show(phone.id)["user"] == USER
    assert phone.idle().status == 200


def test_once_the_old_certificate_is_revoked_another_person_may_enroll_the_device(site, phone, new_device):
    site.ctl("certificate", "revoke", "%032x" % phone.certificate.serial_number)
    heir = devices.enroll(site, new_device(site, udid=phone.udid), "other")
    assert site.show(heir.id)["user"] == "other"
    assert heir.idle().status == 200


def test_proxy_headers_prove_nothing(site, phone):
    import urllib.parse
    text = pki.pem(phone.certificate)
    for name, value in (("X-Client-Cert", urllib.parse.quote(text)), ("SSL_CLIENT_CERT", urllib.parse.quote(text)),
                        ("Client-Cert", ":" + "".join(text.split("\n")[1:-2]) + ":")):
        body = plistlib.dumps({**phone.identifiers(), "Status": "Idle"})
        assert refused(phone.put(phone.server_url, body, {name: value}, identity="none"), 400)


def test_row_02_never_401_to_a_device(site, phone):
    replies = [phone.idle(identity="none"), phone.put(phone.server_url, b"", identity="none"),
               phone.put(phone.checkin_url, b"x", identity="none"),
               phone.put(phone.server_url, b"x", {"Authorization": "Basic eDp5"}, identity="none"),
               phone.client("none").get(phone.server_url)]
    assert not [one for one in replies if one.status == 401]
