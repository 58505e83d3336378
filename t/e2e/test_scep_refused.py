# SPDX-License-Identifier: Apache-2.0
"""SCEP requests that must not get what they ask for (C): each wrong in one part, each refused with the failInfo
that says so, none of them a certificate."""

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from mdmsim import cms, der, pki, scep, web

from .scep_tools import (SUBJECT, alive, ask, bundle, ca_of, client, issued, message_of,  # noqa: F401
                         nothing_issued, refused, request_of, turned_away)

CAUTIOUS = (scep.BAD_REQUEST, scep.BAD_MESSAGE_CHECK)


# ---- challenges

@pytest.mark.mpm
def test_c01_without_a_challenge_nothing_is_issued(site, ask):
    with nothing_issued(site):
        assert refused(ask(challenge=None)) and refused(ask(challenge=""))


def test_c02_a_wrong_cut_or_extended_challenge_issues_nothing(site, ask, client):
    challenge = site.challenge()
    with nothing_issued(site):
        for text in ("wrong", challenge[:-1], challenge + "0", challenge.upper() + " ", " " + challenge, "A" * 10000,
                     challenge + "\0", challenge[:10] + "\0" + challenge[10:], "' OR 1=1 --", "%"):
            assert refused(ask(challenge=text), *CAUTIOUS), text
    assert ask(challenge=challenge).ok, "a wrong one has used the right one up"


@pytest.mark.once
def test_c02_two_challenges_in_one_request_issue_nothing(site, client):
    key, challenge = site.keys.take(), site.challenge()
    one = pki.challenge_attribute(challenge)
    twice = der.sequence(der.oid("1.2.840.113549.1.9.7"), der.tlv(der.SET, der.utf8(challenge), der.utf8("x")))
    with nothing_issued(site):
        assert refused(client.enrol(csr=pki.raw_request(key, SUBJECT % "x", one, one), key=key), *CAUTIOUS)
        assert refused(client.enrol(csr=pki.raw_request(key, SUBJECT % "x", twice), key=key), *CAUTIOUS)


def test_c02_a_challenge_for_another_name_or_over_issues_nothing(site, ask):
    bound, over = site.challenge("--subject", "bound"), site.challenge("--lifetime", "1h")
    site.database.sql("UPDATE mdm_challenge SET expires_at = 1 WHERE sha256 = '%s'"
                      % cms.digest("sha256", over.encode()).hex())
    with nothing_issued(site):
        assert refused(ask("other", challenge=bound)) and refused(ask("over", challenge=over))
    assert ask("bound", challenge=bound).ok


@pytest.mark.mpm
def test_c03_a_used_challenge_issues_nothing(site, ask):
    challenge = site.challenge()
    assert ask("first", challenge=challenge).ok
    with nothing_issued(site):
        assert refused(ask("second", challenge=challenge))


def at_once(sites, clients, messages):
    """Send each message on a connection of its own, in turn to each site; their Results."""
    def send(numbered):
        number, message = numbered
        http = web.Client(sites[0].keys.tls_ca_file, timeout=60)
        client = clients[number % len(clients)]
        try:
            reply = http.post(client.query("PKIOperation"), message.raw, {"Content-Type": "application/x-pki-message"})
            return scep.Result(reply, message, client.authorities)
        finally:
            http.close()
    with ThreadPoolExecutor(len(messages)) as pool:
        return list(pool.map(send, enumerate(messages)))


@pytest.mark.mpm
def test_c04_of_twenty_at_once_with_one_challenge_one_gets_a_certificate(site, client):
    client.get_ca_cert()
    challenge, before = site.challenge(), issued(site)
    results = at_once([site], [client], [message_of(site, client, "race-%d" % n, challenge) for n in range(20)])
    assert [one.http_status for one in results] == [200] * 20
    assert len([one for one in results if one.ok]) == 1 and issued(site) == before + 1
    assert len([one for one in results if one.status == scep.FAILURE]) == 19


def test_c04_also_across_two_servers_with_one_database(make_site, closing):
    first = make_site().start()
    second = make_site(database=first.database).start()
    clients = [scep.ScepClient(one.at("/mdm/scep"), first.keys.tls_ca_file) for one in (first, second)]
    for one in clients:
        one.get_ca_cert()
    assert first.httpd.pid != second.httpd.pid
    challenge = first.challenge()
    results = at_once([first, second], clients,
                      [message_of(first, clients[0], "far-%d" % n, challenge) for n in range(20)])
    assert [one.http_status for one in results] == [200] * 20
    assert len([one for one in results if one.ok]) == 1 and issued(first) == 1


# ---- messages

@pytest.mark.once
def test_c05_updatereq_is_never_issued(site, ask, client):
    known = ask("known")
    with nothing_issued(site):
        assert turned_away(ask(message_type=scep.UPDATE_REQ))
        assert turned_away(ask(message_type=scep.UPDATE_REQ, challenge=None))
        assert turned_away(client.renew(known.certificate, known.key, message_type=scep.UPDATE_REQ,
                                        new_key=site.keys.take()))


@pytest.mark.once
@pytest.mark.parametrize("kind", [0, 1, 2, 3, 16, 23, 99, -1, "x", "019", "19 ", "", "0x13", "4294967315", "9" * 50])
def test_c06_other_message_types_are_refused(site, ask, client, kind):
    with nothing_issued(site):
        assert turned_away(ask(message_type=kind))
    assert alive(client)


@pytest.mark.once
def test_c07_renewalreq_with_a_self_signed_signer_is_refused(site, client):
    key = site.keys.take()
    with nothing_issued(site):
        assert refused(client.enrol(SUBJECT % "x", key=key, challenge=None, message_type=scep.RENEWAL_REQ))
        assert refused(client.enrol(SUBJECT % "x", key=key, challenge=site.challenge(),
                                    message_type=scep.RENEWAL_REQ))


@pytest.mark.once
@pytest.mark.parametrize("kind", [scep.RENEWAL_REQ, scep.PKCS_REQ])
def test_c08_renewal_by_a_foreign_ca_even_with_our_name_is_refused(site, ask, client, kind):
    ours, stranger, imitation = ask("twin").certificate, pki.Authority(), pki.Authority()
    imitation.name = ours.issuer
    with nothing_issued(site):
        for authority in (stranger, imitation):
            certificate, key = authority.issue(SUBJECT % "twin", key=site.keys.take())
            assert refused(client.renew(certificate, key, new_key=site.keys.take(), message_type=kind), *CAUTIOUS)


@pytest.mark.once
@pytest.mark.parametrize("kind", [scep.RENEWAL_REQ, scep.PKCS_REQ])
def test_c09_renewal_under_another_subject_is_refused(site, ask, client, kind):
    first = ask("renew-a")
    with nothing_issued(site):
        for subject in (SUBJECT % "renew-b", "CN=renew-a", SUBJECT % "renew-a, OU=x"):
            assert refused(client.renew(first.certificate, first.key, new_key=site.keys.take(), subject=subject,
                                        message_type=kind), *CAUTIOUS)


@pytest.mark.once
def test_c10_renewal_showing_a_certificate_without_its_key_is_refused(site, ask, client):
    first, other = ask("shown"), pki.new_key()
    with nothing_issued(site):
        assert refused(client.renew(first.certificate, other, new_key=other), *CAUTIOUS)


@pytest.mark.once
def test_c11_a_request_to_be_a_ca_gets_no_ca_certificate(ask):
    wish = (x509.BasicConstraints(ca=True, path_length=None), True)
    result = ask(csr_options={"extensions": [wish]})
    assert refused(result) if not result.ok else \
        not result.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.once
@pytest.mark.parametrize("usage", ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.3", "2.5.29.37.0"],
                         ids=["serverAuth", "codeSigning", "anyEKU"])
def test_c12_other_usages_are_left_out(ask, usage):
    result = ask(csr_options={"extensions": [(x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage)]), True)],
                              "names": ("www.example.com",)})
    if not result.ok:
        assert refused(result)
        return
    found = result.certificate.extensions
    assert list(found.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not [one for one in found if isinstance(one.value, x509.SubjectAlternativeName)]


@pytest.mark.once
@pytest.mark.parametrize("extensions", [
    [("1.2.3.4.5", True, b"\x05\0")],
    [("2.5.29.19", True, b"\x30\x03\x01\x01\xff"), ("2.5.29.19", True, b"\x30\0")],
    [("2.5.29.15", True, b"junk")]], ids=["unknown-critical", "doubled", "junk"])
def test_c13_strange_extensions_are_refused_or_left_out(site, client, extensions):
    key = site.keys.take()
    csr = pki.raw_request(key, SUBJECT % "x", pki.challenge_attribute(site.challenge()),
                          pki.extensions_attribute(*extensions))
    result = client.enrol(csr=csr, key=key)
    if result.ok:
        oids = [one.oid.dotted_string for one in result.certificate.extensions]
        assert "1.2.3.4.5" not in oids and oids.count("2.5.29.19") == 1
        assert not result.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    else:
        assert refused(result)


@pytest.mark.once
def test_c14_a_request_whose_own_signature_is_bad_is_refused(site, ask):
    with nothing_issued(site):
        assert refused(ask(break_csr=True), *CAUTIOUS)


@pytest.mark.once
def test_c15_a_request_for_another_key_than_the_signers_is_refused(site, ask):
    with nothing_issued(site):
        assert refused(ask(csr_key=pki.new_key()))


@pytest.mark.once
def test_c15_mdmscepsigner_any_lets_a_proxy_sign(make_site, closing):
    site = make_site(directives={"MDMSCEPSigner": "any"}).start()
    client = scep.ScepClient(site.at("/mdm/scep"), site.keys.tls_ca_file)
    proxy, devices = site.keys.take(), [site.keys.take() for _ in range(2)]
    for key in devices:
        result = client.enrol(SUBJECT % "behind-a-proxy", challenge=site.challenge(), key=proxy, csr_key=key)
        assert result.ok and pki.same_key(result.certificate, key), result.summary()
    assert refused(client.enrol(SUBJECT % "x", challenge="wrong", key=proxy, csr_key=devices[0]))


@pytest.mark.once
def test_c16_a_bad_message_signature_is_badmessagecheck(site, ask):
    with nothing_issued(site):
        assert refused(ask(break_signature=True), scep.BAD_MESSAGE_CHECK)


@pytest.mark.once
def test_c17_a_bad_message_digest_is_badmessagecheck(site, ask):
    with nothing_issued(site):
        assert refused(ask(break_digest=True), scep.BAD_MESSAGE_CHECK)


@pytest.mark.once
def test_c18_an_envelope_for_another_recipient_is_refused(site, ask):
    with nothing_issued(site):
        assert refused(ask(recipient=pki.Authority().certificate), *CAUTIOUS)


@pytest.mark.once
def test_c19_bad_rsa_padding_and_bad_content_padding_look_alike(site, client):
    """Bleichenbacher: the same answer, and about the same time; the median over some tries, with a wide margin for
    a busy machine. What keeps the time equal is that both are decrypted to the end."""
    client.get_ca_cert()
    times = {}
    for name in ("break_padding", "break_rsa") * 12:
        message = message_of(site, client, name, site.challenge() if not times else "any", **{name: True})
        begin = time.monotonic()
        result = client.send(message)
        times.setdefault(name, []).append(time.monotonic() - begin)
        assert refused(result, scep.BAD_MESSAGE_CHECK)
        times.setdefault("text", set()).add(result.fail_text)
    assert len(times["text"]) == 1, times["text"]
    first, second = (statistics.median(times[name]) for name in ("break_padding", "break_rsa"))
    assert abs(first - second) < max(0.5 * max(first, second), 0.005), times


@pytest.mark.once
@pytest.mark.parametrize("digest", ["md5", "sha1"])
def test_c20_weak_digests_are_badalg(site, ask, digest):
    with nothing_issued(site):
        assert refused(ask(digest=digest), scep.BAD_ALG)


@pytest.mark.once
def test_c20_a_request_signed_by_md5_is_refused(site, client):
    key = site.keys.take()
    csr = pki.raw_request(key, SUBJECT % "md5", pki.challenge_attribute(site.challenge()), digest="md5")
    with nothing_issued(site):
        assert refused(client.enrol(csr=csr, key=key), scep.BAD_ALG, scep.BAD_REQUEST)


@pytest.mark.once
def test_c21_des_cbc_is_badalg(site, ask):
    with nothing_issued(site):
        assert refused(ask(cipher="des"), scep.BAD_ALG)


@pytest.mark.once
def test_c22_rsa_1024_is_refused(site, ask):
    with nothing_issued(site):
        assert refused(ask(key=pki.new_key(1024)), scep.BAD_REQUEST, scep.BAD_ALG)


@pytest.mark.once
@pytest.mark.parametrize("missing", ["messageType", "senderNonce", "transactionID"])
def test_c23_a_missing_attribute_is_refused(site, ask, missing):
    with nothing_issued(site):
        assert turned_away(ask(omit=(missing,)))


@pytest.mark.once
@pytest.mark.parametrize("text", ["t" * 30000, "", "a\0b", "'; DROP TABLE mdm_certificate; --", "<b>", "a\r\nb"],
                         ids=["long", "empty", "nul", "sql", "markup", "crlf"])
def test_c24_strange_transaction_ids_are_refused(site, ask, text):
    with nothing_issued(site):
        assert turned_away(ask(transaction_id=text))


@pytest.mark.once
def test_c24_a_transaction_id_of_100_kb_is_413(site, ask):
    with nothing_issued(site):
        assert ask(transaction_id="t" * 100000).http_status == 413


@pytest.mark.once
@pytest.mark.parametrize("nonce", [b"", b"n" * 65, b"n" * 30000], ids=["empty", "65", "30000"])
def test_c25_strange_nonces_are_refused(site, ask, nonce):
    with nothing_issued(site):
        assert turned_away(ask(sender_nonce=nonce))


@pytest.mark.once
def test_c25_a_nonce_of_100_kb_is_413(ask):
    assert ask(sender_nonce=b"n" * 100000).http_status == 413


# ---- polling and fetching

@pytest.mark.mpm
def test_c26_polling_for_an_unknown_transaction_is_badcertid(site, client):
    key = site.keys.take()
    result = client.poll("nobody", SUBJECT % "x", pki.self_signed(SUBJECT % "x", key), key)
    assert refused(result, scep.BAD_CERT_ID)


@pytest.mark.mpm
def test_c27_getcert_brings_ones_own_certificate(ask, client):
    own = ask("own")
    result = client.get_cert(own.certificate.serial_number, own.certificate, own.key)
    assert result.ok, result.summary()
    assert [pki.der(one) for one in result.certificates] == [pki.der(own.certificate)]


@pytest.mark.once
def test_c28_getcert_for_an_unknown_serial_or_anothers_is_badcertid(ask, client):
    own, other = ask("own"), ask("other")
    texts = set()
    for serial in (12345, 0, -5, 2 ** 200, other.certificate.serial_number):
        result = client.get_cert(serial, own.certificate, own.key)
        assert refused(result, scep.BAD_CERT_ID, *CAUTIOUS)
        if serial in (12345, other.certificate.serial_number):
            assert result.fail_info == scep.BAD_CERT_ID
            texts.add(result.fail_text)
    assert len(texts) == 1, "what exists must look like what does not"
    result = client.get_cert(own.certificate.serial_number, own.certificate, own.key, issuer=pki.name("CN=Other"))
    assert refused(result, scep.BAD_CERT_ID)


@pytest.mark.once
def test_c29_getcert_by_a_stranger_learns_nothing(site, ask, client):
    own, key = ask("own"), site.keys.take()
    stranger = pki.self_signed(SUBJECT % "own", key)
    answers = [client.get_cert(serial, stranger, key) for serial in (own.certificate.serial_number, 12345)]
    assert all(refused(one) for one in answers) and answers[0].fail_text == answers[1].fail_text
    site.ctl("certificate", "revoke", "%032x" % own.certificate.serial_number)
    assert refused(client.get_cert(own.certificate.serial_number, own.certificate, own.key))


def test_c30_getcrl_brings_a_crl_of_the_ca(site, ask, client):
    own, gone = ask("own"), ask("gone")
    site.ctl("certificate", "revoke", "%032x" % gone.certificate.serial_number)
    result = client.get_crl(own.certificate.serial_number, own.certificate, own.key)
    assert result.ok and not result.certificates, result.summary()
    crl = result.crls[0]
    assert crl.is_signature_valid(ca_of(site).public_key()) and crl.issuer == ca_of(site).subject
    assert crl.get_revoked_certificate_by_serial_number(gone.certificate.serial_number)
    assert not crl.get_revoked_certificate_by_serial_number(own.certificate.serial_number)
    assert refused(client.get_crl(1, own.certificate, own.key, issuer=pki.name("CN=Other")), scep.BAD_CERT_ID,
                   scep.BAD_REQUEST)


# ---- the server's own trouble

@pytest.mark.once
def test_a_database_that_is_away_is_503_with_retry_after(make_site, closing):
    site = make_site()
    site.prepare()
    key = site.keys.take()
    message = scep.build(pki.der(pki.request(key, SUBJECT % "away", site.challenge())),
                         pki.self_signed(SUBJECT % "away", key), key, ca_of(site))
    os.rename(site.database.folder, site.database.folder + ".away")
    site.log.expect("database", "MDM0110", "AH00630", "AH00633")
    site.start()
    client = scep.ScepClient(site.at("/mdm/scep"), site.keys.tls_ca_file)
    assert client.get_ca_caps() and client.get_ca_cert()
    reply = client.post(message.raw)
    assert reply.status == 503 and int(reply.headers["Retry-After"]) > 0
    os.rename(site.database.folder + ".away", site.database.folder)
    assert client.send(message).ok, "the challenge was not lost"


# ---- more than one

@pytest.mark.once
def test_c31_two_signerinfos_are_refused(site, client):
    csr, signer, key = request_of(site, "two", site.challenge())
    sealed = cms.envelope(csr, client.recipient)
    attributes = [cms.attribute(scep.MESSAGE_TYPE, der.printable("19")),
                  cms.attribute(scep.TRANSACTION_ID, der.printable("two")),
                  cms.attribute(scep.SENDER_NONCE, der.octets(b"n" * 16))]
    one = cms.signer_info(sealed, signer, key, attributes=attributes)
    with nothing_issued(site):
        for infos in ([one, one], [one, cms.signer_info(sealed, signer, key)]):
            reply = client.post(bundle(sealed, infos, [signer]))
            message = scep.Message(b"", signer, key, "two", b"n" * 16)
            assert turned_away(scep.Result(reply, message, client.authorities))


@pytest.mark.once
def test_c32_a_second_certificate_in_the_message_is_no_recipient_of_the_reply(site, client):
    csr, signer, key = request_of(site, "shown-two", site.challenge())
    other = pki.self_signed(SUBJECT % "other", site.keys.take())
    for shown in ([signer, other], [other, signer]):
        result = client.send(scep.build(csr, signer, key, client.recipient, certificates=shown))
        if result.ok:
            assert result.recipients == [(signer.issuer.public_bytes(), signer.serial_number)]
