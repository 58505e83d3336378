# SPDX-License-Identifier: Apache-2.0
"""SCEP renewals (E): who may have a certificate again, by RenewalReq and by PKCSReq; the CA that comes next; and
times that are off."""

import datetime
import os
import shutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from mdmsim import cms, pki, scep

from .scep_tools import (SUBJECT, alive, ask, asker, ca_of, client, client_of, nothing_issued,  # noqa: F401
                         refused, run)
from .site import MDMCTL

DAY = 86400 * 1000000
CAUTIOUS = (scep.BAD_REQUEST, scep.BAD_MESSAGE_CHECK)


def row_of(site, certificate, columns):
    return list(site.database.sql("SELECT %s FROM mdm_certificate WHERE serial = '%032x'"
                                  % (columns, certificate.serial_number))[0])


@pytest.mark.mpm
def test_e01_renewalreq_signed_by_the_present_certificate(site, ask, client):
    first = ask("renew-me")
    assert "Renewal" in client.get_ca_caps()
    result = client.renew(first.certificate, first.key, new_key=site.keys.take())
    assert result.ok, result.summary()
    assert result.certificate.serial_number != first.certificate.serial_number
    assert result.certificate.subject.public_bytes() == first.certificate.subject.public_bytes()
    assert row_of(site, result.certificate, "challenge")[0] in (None, "")


@pytest.mark.once
def test_e01_a_renewed_certificate_renews_again(site, ask, client):
    result = ask("again")
    for _ in range(3):
        result = client.renew(result.certificate, result.key, new_key=site.keys.take())
        assert result.ok, result.summary()


@pytest.mark.once
def test_e02_the_same_as_pkcsreq(site, ask, client):
    first = ask("as-pkcsreq")
    result = client.renew(first.certificate, first.key, new_key=site.keys.take(), message_type=scep.PKCS_REQ)
    assert result.ok and result.certificate.subject == first.certificate.subject
    same_key = client.renew(first.certificate, first.key, new_key=first.key, message_type=scep.PKCS_REQ)
    assert same_key.ok and same_key.certificate.serial_number != first.certificate.serial_number


@pytest.mark.once
def test_e02_with_a_challenge_the_challenge_decides(site, ask, client):
    first, challenge = ask("by-profile"), site.challenge("--subject", "other-name")
    result = client.enrol(SUBJECT % "other-name", challenge=challenge, signer=first.certificate,
                          signer_key=first.key, key=first.key)
    assert result.ok, result.summary()
    assert row_of(site, result.certificate, "challenge")[0] == cms.digest("sha256", challenge.encode()).hex()
    with nothing_issued(site):
        assert refused(client.enrol(SUBJECT % "other-name", challenge=challenge, signer=first.certificate,
                                    signer_key=first.key, key=first.key))
    old = client.enrol(SUBJECT % "by-profile", challenge="long-used", signer=first.certificate, signer_key=first.key,
                       key=first.key)
    assert old.ok, "a challenge that is over does not spoil a renewal"


@pytest.mark.once
@pytest.mark.parametrize("kind", [scep.RENEWAL_REQ, scep.PKCS_REQ])
def test_e03_an_added_name_is_left_out_or_refused(site, ask, client, kind):
    first = ask("no-more-names")
    result = client.renew(first.certificate, first.key, new_key=site.keys.take(), message_type=kind,
                          csr_options={"names": ("www.example.com",)})
    assert refused(result) if not result.ok else b"www.example.com" not in pki.der(result.certificate)


@pytest.mark.parametrize("kind", [scep.RENEWAL_REQ, scep.PKCS_REQ])
def test_e04_a_revoked_certificate_renews_nothing(site, ask, client, kind):
    first = ask("revoked")
    site.ctl("certificate", "revoke", "%032x" % first.certificate.serial_number)
    with nothing_issued(site):
        assert refused(client.renew(first.certificate, first.key, new_key=site.keys.take(), message_type=kind),
                       *CAUTIOUS)


@pytest.mark.once
def test_e04_nor_is_it_handed_out_again(site, ask, client):
    first = ask("revoked-and-asked-again")
    site.ctl("certificate", "revoke", "%032x" % first.certificate.serial_number)
    assert refused(client.send(first.message))


@pytest.mark.once
def test_e05_alive_afterwards(client):
    assert alive(client)


@pytest.mark.once
@pytest.mark.parametrize("kind", [scep.RENEWAL_REQ, scep.PKCS_REQ])
def test_more_an_expired_certificate_renews_nothing(site, ask, client, kind):
    first = ask("expired")
    site.database.sql("UPDATE mdm_certificate SET not_after = 1 WHERE serial = '%032x'"
                      % first.certificate.serial_number)
    with nothing_issued(site):
        assert refused(client.renew(first.certificate, first.key, new_key=site.keys.take(), message_type=kind))
        assert refused(client.get_cert(first.certificate.serial_number, first.certificate, first.key))


@pytest.mark.once
def test_more_a_certificate_that_was_replaced_renews_nothing(site, ask, client):
    first = ask("replaced")
    site.database.sql("UPDATE mdm_certificate SET replaced_by = 'x' WHERE serial = '%032x'"
                      % first.certificate.serial_number)
    with nothing_issued(site):
        assert refused(client.renew(first.certificate, first.key, new_key=site.keys.take()))


@pytest.mark.once
@pytest.mark.parametrize("days", [-3650, 3650, None])
def test_more_signing_time_is_not_judged(ask, days):
    """RFC 8894 3.2.1.4 calls it deprecated; a device whose clock is off has to enroll to get it set."""
    when = days and datetime.datetime.utcnow() + datetime.timedelta(days=days)
    result = ask(signing_time=when)
    assert result.ok, result.summary()


@pytest.mark.once
def test_more_failinfotext_is_utf_8_and_tells_no_secret(site, ask):
    challenge = site.challenge("--subject", "bound")
    result = ask("Zoë", challenge=challenge)
    assert refused(result) and result.fail_text
    assert result.signer.attributes[scep.FAIL_INFO_TEXT][0].tag == 0x0C, "an UTF8String"
    assert challenge not in result.fail_text and "BEGIN" not in result.fail_text
    assert len(result.signer.attributes[scep.FAIL_INFO]) == 1


def test_more_a_device_has_ten_renewals_in_a_day(site, new_phone, client):
    phone, other = new_phone(site), new_phone(site)
    for _ in range(10):
        assert client.renew(phone.certificate, phone.key, new_key=site.keys.take()).ok
    mark = site.log.size()
    with nothing_issued(site):
        assert refused(client.renew(phone.certificate, phone.key, new_key=site.keys.take()))
    assert phone.id in site.log.wait("MDM0201.*", mark).group(0)
    assert client.renew(other.certificate, other.key, new_key=site.keys.take()).ok
    site.database.sql("UPDATE mdm_certificate SET issued_at = issued_at - %d WHERE enrollment = (SELECT enrollment FROM "
                      "mdm_certificate WHERE serial = '%032x')" % (DAY, phone.certificate.serial_number))
    assert client.renew(phone.certificate, phone.key, new_key=site.keys.take()).ok


def test_more_certificates_of_no_device_are_counted_by_their_subject(site, ask, client):
    first, other = ask("many"), ask("few")
    result = client.renew(first.certificate, first.key, new_key=site.keys.take())
    site.database.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99) INSERT INTO mdm_certificate "
        "(fingerprint, serial, subject, not_before, not_after, issued_at, enrollment, revoked_at, pem, issuer, session) "
        "SELECT c.fingerprint || i, c.serial || i, c.subject, c.not_before, c.not_after, c.issued_at, 0, 0, c.pem, c.issuer, "
        "0 FROM n, mdm_certificate c WHERE c.serial = '%032x'" % result.certificate.serial_number)
    with nothing_issued(site):
        assert refused(client.renew(result.certificate, result.key, new_key=site.keys.take()))
    assert client.renew(other.certificate, other.key, new_key=site.keys.take()).ok


# ---- the CA that comes next

def next_ca(site, **begins):
    """A next CA in the state folder, good from a time on: that of timedelta's arguments from now."""
    key, name = pki.new_key(), pki.name("O=Example Hospital, CN=Next identity CA")
    begin = datetime.datetime.utcnow() + datetime.timedelta(**begins)
    usage = x509.KeyUsage(True, False, True, False, False, True, True, False, False)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(begin)
            .not_valid_after(begin + datetime.timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256()))
    pki.write_pem(os.path.join(site.state_dir, "next-ca.pem"), made)
    pki.write_pem(os.path.join(site.state_dir, "next-ca.key"), key, private=True)
    return made


@pytest.mark.once
def test_a10_more_the_next_ca_is_announced_and_signed_by_the_present_one(make_site, closing):
    site = make_site()
    site.prepare()
    coming = next_ca(site, days=30)
    site.start()
    client = client_of(site, closing)
    assert "GetNextCACert" in client.get_ca_caps()
    assert [pki.der(one) for one in client.get_ca_cert()] == [pki.der(ca_of(site))]
    assert [pki.der(one) for one in client.get_next_ca_cert()] == [pki.der(coming)]
    result = asker(site, client)("before")
    assert result.ok and result.certificate.issuer == ca_of(site).subject


@pytest.mark.once
def test_more_after_the_switch_both_cas_are_good_to_address(make_site, closing):
    site = make_site().start()
    client = client_of(site, closing)
    old_ca, before = client.get_ca_cert()[0], asker(site, client)("before")
    coming = next_ca(site, seconds=-1)
    site.httpd.graceful()
    assert client.recipient == old_ca, "a client that has not asked again"
    late = asker(site, client)("late")
    assert late.ok and late.certificate.issuer == coming.subject, late.summary()
    client.get_ca_cert()
    assert client.authorities == [coming] and "GetNextCACert" not in client.get_ca_caps()
    renewed = client.renew(before.certificate, before.key, new_key=site.keys.take())
    assert renewed.ok and renewed.certificate.issuer == coming.subject, renewed.summary()
    old_crl = client.get_crl(before.certificate.serial_number, before.certificate, before.key, issuer=old_ca.subject)
    assert old_crl.ok and old_crl.crls[0].is_signature_valid(old_ca.public_key())


@pytest.mark.once
def test_more_an_ra_decrypts_and_signs_in_the_cas_place(make_site, closing):
    site = make_site()
    site.prepare()
    with open(os.path.join(site.state_dir, "ca.key")) as source:
        ca = pki.Authority.__new__(pki.Authority)
        ca.key, ca.name = pki.load_key(source.read()), ca_of(site).subject
    ra, key = ca.issue("O=Example Hospital, CN=RA", key=site.keys.take())
    site.own["MDMSCEPRAFile"] = "%s %s" % (pki.write_pem(site.path("state", "ra.pem"), ra),
                                           pki.write_pem(site.path("state", "ra.key"), key, private=True))
    site.start()
    client = client_of(site, closing)
    reply = site.http.get(client.query("GetCACert"))
    assert reply.content_type == "application/x-x509-ca-ra-cert"
    assert {pki.der(one) for one in client.get_ca_cert()} == {pki.der(ra), pki.der(ca_of(site))}
    assert not cms.SignedData(reply.body).signers
    for recipient, good in ((ra, True), (ca_of(site), False)):
        result = asker(site, client)("by-ra", recipient=recipient)
        assert result.signer.matches(ra), "the RA signs"
        assert result.ok if good else refused(result, *CAUTIOUS)
    assert client.enrol(SUBJECT % "x", challenge=site.challenge(), recipient=ra).certificate.issuer == \
        ca_of(site).subject


@pytest.mark.once
def test_more_a_certificate_of_another_site_in_the_same_database_renews_nothing(make_site, closing):
    site = make_site().start()
    other = make_site(database=site.database)
    other.prepare()
    for name in ("ca.pem", "ca.key"):
        os.unlink(os.path.join(other.state_dir, name))
    os.makedirs(other.path("made"), mode=0o700)
    run(MDMCTL, "--state-dir", other.path("made"), "ca", "init")
    for name in ("ca.pem", "ca.key"):
        shutil.copy2(other.path("made", name), other.state_dir)
    other.start()
    first = asker(site, client_of(site, closing))("elsewhere")
    there = client_of(other, closing)
    with nothing_issued(site):
        assert refused(there.renew(first.certificate, first.key, new_key=site.keys.take()))
        assert refused(there.get_cert(first.certificate.serial_number, first.certificate, first.key))
