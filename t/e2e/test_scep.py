# SPDX-License-Identifier: Apache-2.0
"""SCEP against the built-in CA: what is announced, what is issued, and everything that is refused."""

import base64
import datetime
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from mdmsim import cms, pki, scep, web

SUBJECT = "O=Example Hospital, CN=%s"


@pytest.fixture
def client(site, closing):
    return scep.ScepClient(site.at("/mdm/scep"), http=closing(web.Client(site.keys.tls_ca_file)))


@pytest.fixture
def ask(site, client):
    """ask(**options): a PKCSReq with a fresh challenge for a CN of its own."""
    def call(common_name="device", **options):
        if "challenge" not in options:
            options["challenge"] = site.challenge()
        options.setdefault("key", site.keys.take())
        return client.enrol(SUBJECT % common_name, **options)
    return call


def ca_of(site):
    with open(site.ca_file) as source:
        return pki.load_certificate(source.read())


def refused(result, *infos):
    """A CertRep that refuses, well signed."""
    assert result.http_status == 200, result.summary()
    assert result.status == scep.FAILURE, result.summary()
    assert result.signature_ok and result.certificate is None
    assert result.fail_info in (infos or (scep.BAD_REQUEST,)), result.summary()
    return True


def test_getcacaps_announces_what_rfc_8894_demands(site, client):
    reply = site.http.get(client.query("GetCACaps"))
    assert reply.status == 200 and reply.content_type == "text/plain"
    caps = client.get_ca_caps()
    assert {"AES", "POSTPKIOperation", "SHA-256", "Renewal", "SCEPStandard"} <= set(caps)
    assert not {"DES", "MD5", "GetNextCACert"} & set(caps)


def test_getcacert_is_the_ca_certificate_in_der(site, client):
    reply = site.http.get(client.query("GetCACert", message="any name"))
    assert reply.status == 200 and reply.content_type == "application/x-x509-ca-cert"
    assert reply.body == pki.der(ca_of(site))


def test_the_ca_is_what_apple_needs(site):
    ca = ca_of(site)
    usage = ca.extensions.get_extension_for_class(x509.KeyUsage).value
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert usage.key_cert_sign and usage.crl_sign and usage.digital_signature and usage.key_encipherment
    assert ca.public_key().key_size >= 2048
    assert ca.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "Example Hospital"


def test_unknown_operations_are_400(site, client):
    for query in ("", "?operation=", "?operation=GetNextCACert", "?operation=getcacaps", "?operation=Nonsense"):
        assert site.http.get(client.url + query).status in (400, 404), query


@pytest.mark.mpm
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_pkcsreq_by(ask, method):
    result = ask("phone-" + method, method=method)
    assert result.ok, result.summary()
    assert result.content_type.startswith("application/x-pki-message")
    assert pki.same_key(result.certificate, result.key)


def test_the_certrep_has_the_form_that_clients_accept(ask):
    result = ask()
    assert result.message_type == scep.CERT_REP
    assert result.recipient_nonce == result.message.sender_nonce
    assert result.transaction_id == result.message.transaction_id
    assert result.attributes_sorted
    assert result.digest == "sha256" and result.cipher in ("aes128", "aes256")
    assert len(result.certificates) == 1, "only the issued certificate may be inside"


def test_the_issued_certificate(site, ask):
    certificate = ask("UDID-1").certificate
    ca = ca_of(site)
    assert certificate.issuer == ca.subject
    ca.public_key().verify(certificate.signature, certificate.tbs_certificate_bytes, cms.padding.PKCS1v15(),
                           certificate.signature_hash_algorithm)
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "UDID-1"
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature and usage.key_encipherment and not usage.key_cert_sign
    eku = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(eku) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not constraints.ca
    now = datetime.datetime.utcnow()
    assert certificate.not_valid_before <= now - datetime.timedelta(minutes=5)
    life = certificate.not_valid_after - now
    assert datetime.timedelta(days=364) < life < datetime.timedelta(days=366)


def test_serials_are_random_and_128_bits_long(ask):
    serials = [ask().certificate.serial_number for _ in range(4)]
    assert len(set(serials)) == 4
    assert max(one.bit_length() for one in serials) > 112
    assert all(0 < one.bit_length() <= 128 for one in serials)


def test_a_copy_of_each_certificate_is_kept(site, ask):
    certificate = ask("kept-copy").certificate
    shown = site.ctl("certificate", "show", "%032x" % certificate.serial_number).stdout
    assert "kept-copy" in shown
    assert pki.pem(certificate).split("\n")[1] in shown


@pytest.mark.parametrize("options", [
    {"cipher": "des3"}, {"cipher": "aes256"}, {"digest": "sha512"}, {"digest": "sha1"}, {"ber": True},
    {"signing_time": None}, {"csr_options": {"names": ("device.example.com",)}}],
    ids=["3des", "aes256", "sha512", "sha1", "ber", "no-signing-time", "with-extensions"])
def test_forms_that_real_clients_send(ask, options):
    result = ask(**options)
    assert result.ok or (options.get("cipher") == "des3" or options.get("digest") == "sha1") and \
        refused(result, scep.BAD_ALG), result.summary()


def test_only_what_we_decide_goes_into_the_certificate(ask):
    ca = (x509.BasicConstraints(ca=True, path_length=None), True)
    result = ask(csr_options={"extensions": [ca]})
    if result.ok:
        assert not result.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    else:
        assert refused(result)


def test_without_a_challenge_nothing_is_issued(site, ask):
    assert refused(ask(challenge=None))
    assert refused(ask(challenge=""))


def test_a_wrong_challenge_issues_nothing(site, ask):
    assert refused(ask(challenge="wrong"))
    assert refused(ask(challenge="A" * 10000), scep.BAD_REQUEST, scep.BAD_MESSAGE_CHECK)


def test_a_challenge_is_good_for_one_certificate(site, ask):
    challenge = site.challenge()
    assert ask("first", challenge=challenge).ok
    assert refused(ask("second", challenge=challenge))


def test_a_refused_request_does_not_use_the_challenge_up(site, ask):
    challenge = site.challenge("--subject", "bound")
    assert refused(ask("other", challenge=challenge))
    assert ask("bound", challenge=challenge).ok


def test_an_expired_challenge_issues_nothing(site, ask):
    challenge = site.challenge("--lifetime", "1s")
    site.database.sql("UPDATE mdm_challenge SET expires_at = 1 WHERE used_at = 0 OR used_at IS NULL")
    assert refused(ask(challenge=challenge))


def test_a_challenge_for_another_name_issues_nothing(site, ask):
    challenge = site.challenge("--subject", "UDID-A")
    assert refused(ask("UDID-B", challenge=challenge))


@pytest.mark.mpm
def test_of_twenty_at_once_with_one_challenge_exactly_one_succeeds(site, client):
    client.get_ca_cert()
    challenge = site.challenge()
    made = []
    for number in range(20):
        key = site.keys.take()
        subject = SUBJECT % ("race-%d" % number)
        made.append(scep.build(pki.der(pki.request(key, subject, challenge)), pki.self_signed(subject, key), key,
                               client.recipient))

    def send(message):
        http = web.Client(site.keys.tls_ca_file, timeout=60)
        try:
            reply = http.post(client.query("PKIOperation"), message.raw,
                              {"Content-Type": "application/x-pki-message"})
            return scep.Result(reply, message, client.authorities)
        finally:
            http.close()
    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(send, made))
    assert [one.http_status for one in results] == [200] * 20
    assert len([one for one in results if one.ok]) == 1
    assert len([one for one in results if one.status == scep.FAILURE]) == 19


@pytest.mark.mpm
def test_the_identical_message_again_gives_the_same_certificate(ask, client):
    first = ask("retry")
    assert first.ok
    again = client.send(first.message)
    assert again.ok, again.summary()
    assert pki.der(again.certificate) == pki.der(first.certificate)


def test_the_identical_message_twice_at_once_gives_the_same_certificate(site, client):
    client.get_ca_cert()
    key = site.keys.take()
    message = scep.build(pki.der(pki.request(key, SUBJECT % "twice", site.challenge())),
                         pki.self_signed(SUBJECT % "twice", key), key, client.recipient)

    def send(_):
        http = web.Client(site.keys.tls_ca_file, timeout=60)
        try:
            return scep.Result(http.post(client.query("PKIOperation"), message.raw), message, client.authorities)
        finally:
            http.close()
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(send, range(4)))
    assert all(one.ok for one in results), [one.summary() for one in results]
    assert len({pki.der(one.certificate) for one in results}) == 1


def test_a_broken_signature_is_badmessagecheck(site, ask):
    assert refused(ask(break_signature=True), scep.BAD_MESSAGE_CHECK)
    assert refused(ask(break_digest=True), scep.BAD_MESSAGE_CHECK)


def test_a_request_that_is_not_signed_by_its_own_key_is_refused(site, ask):
    assert refused(ask(break_csr=True), scep.BAD_REQUEST, scep.BAD_MESSAGE_CHECK)
    assert refused(ask(csr_key=pki.new_key()), scep.BAD_REQUEST, scep.BAD_MESSAGE_CHECK)


def test_weak_keys_and_algorithms_are_refused(site, ask):
    assert refused(ask(key=pki.new_key(1024)), scep.BAD_REQUEST, scep.BAD_ALG)
    assert refused(ask(cipher="des"), scep.BAD_ALG)
    assert refused(ask(digest="md5"), scep.BAD_ALG)


def test_a_message_for_another_ca_is_refused(site, ask):
    stranger = pki.Authority()
    result = ask(recipient=stranger.certificate)
    assert refused(result, scep.BAD_MESSAGE_CHECK, scep.BAD_REQUEST, scep.BAD_CERT_ID)


def test_spoiled_padding_says_no_more_than_any_other_failure(site, ask):
    result = ask(break_padding=True)
    assert refused(result, scep.BAD_MESSAGE_CHECK, scep.BAD_REQUEST)


@pytest.mark.parametrize("kind", [3, 18, 99, "x", "-1", ""])
def test_message_types_we_do_not_serve(site, ask, kind):
    result = ask(message_type=kind)
    assert result.certificate is None
    assert result.http_status == 400 or refused(result, scep.BAD_REQUEST)


@pytest.mark.parametrize("missing", ["messageType", "senderNonce", "transactionID"])
def test_missing_attributes(site, ask, missing):
    result = ask(omit=(missing,))
    assert result.certificate is None
    assert result.http_status == 400 or result.status == scep.FAILURE


@pytest.mark.parametrize("body", [b"", b"x", b"0" * 5000, b"\x30\x80" * 3000, b"\x30\x84\xff\xff\xff\xff",
                                  b"<?xml version='1.0'?><plist/>"])
def test_what_is_no_message_is_400(site, client, body):
    assert client.post(body).status == 400


def test_a_body_over_64_kb_is_413(site, client):
    assert client.post(b"\x30" * 70000).status == 413


def test_get_with_unreadable_base64_is_400(site, client):
    for message in ("", "%%%", "AAAA", "Zm9v" * 10):
        assert site.http.get(client.query("PKIOperation", message=message)).status == 400
    assert site.http.get(client.query("PKIOperation")).status == 400


def test_get_repairs_blanks_that_were_plus_signs(site, client):
    key = site.keys.take()
    while True:
        message = scep.build(pki.der(pki.request(key, SUBJECT % "blank", site.challenge())),
                             pki.self_signed(SUBJECT % "blank", key), key, client.recipient)
        text = base64.b64encode(message.raw).decode()
        if "+" in text:
            break
    reply = site.http.get(client.url + "?operation=PKIOperation&message=" + text.replace("/", "%2F")
                          .replace("=", "%3D").replace("+", "%20"))
    assert scep.Result(reply, message, client.authorities).ok


def test_renewal_is_signed_by_the_present_certificate(site, ask, client):
    first = ask("renew-me")
    result = client.renew(first.certificate, first.key, new_key=site.keys.take())
    assert result.ok, result.summary()
    assert result.certificate.serial_number != first.certificate.serial_number
    assert result.certificate.subject == first.certificate.subject


def test_renewal_under_another_name_is_refused(site, ask, client):
    first = ask("renew-a")
    assert refused(client.renew(first.certificate, first.key, new_key=site.keys.take(),
                                subject=SUBJECT % "renew-b"), scep.BAD_REQUEST, scep.BAD_MESSAGE_CHECK)


def test_renewal_by_a_stranger_is_refused(site, client):
    stranger = pki.Authority()
    certificate, key = stranger.issue(SUBJECT % "stranger", key=site.keys.take())
    assert refused(client.renew(certificate, key, new_key=site.keys.take()), scep.BAD_MESSAGE_CHECK,
                   scep.BAD_REQUEST, scep.BAD_CERT_ID)


def test_renewal_by_a_stranger_with_our_name_is_refused(site, ask, client):
    ours = ask("twin").certificate
    imitation = pki.Authority()
    imitation.name = ours.issuer
    certificate, key = imitation.issue(SUBJECT % "twin", key=site.keys.take())
    assert refused(client.renew(certificate, key, new_key=site.keys.take()), scep.BAD_MESSAGE_CHECK,
                   scep.BAD_REQUEST, scep.BAD_CERT_ID)


def test_a_revoked_certificate_renews_nothing(site, ask, client):
    first = ask("revoked-renewal")
    site.ctl("certificate", "revoke", "%032x" % first.certificate.serial_number)
    assert refused(client.renew(first.certificate, first.key, new_key=site.keys.take()), scep.BAD_MESSAGE_CHECK,
                   scep.BAD_REQUEST, scep.BAD_CERT_ID)


def test_pkcsreq_signed_by_an_issued_certificate_is_at_most_a_renewal(site, ask, client):
    """RFC 8894 tells the two apart by who signs: without a challenge only the same name can be had again."""
    first = ask("no-free-ride")
    result = client.enrol(SUBJECT % "no-free-ride", signer=first.certificate, signer_key=first.key, key=first.key)
    assert result.ok and result.certificate.subject == first.certificate.subject or refused(result)
    assert refused(client.enrol(SUBJECT % "another-name", signer=first.certificate, signer_key=first.key,
                                key=first.key), scep.BAD_REQUEST, scep.BAD_MESSAGE_CHECK)


def test_polling_for_an_unknown_transaction_is_refused(site, client):
    key = site.keys.take()
    result = client.poll("nobody", SUBJECT % "x", pki.self_signed(SUBJECT % "x", key), key)
    assert refused(result, scep.BAD_CERT_ID, scep.BAD_REQUEST)


def test_never_401_and_no_html_for_machines(site, client):
    for reply in (client.post(b"x"), site.http.get(client.url), site.http.request("DELETE", client.url)):
        assert reply.status != 401


def strongswan(*args, **options):
    done = subprocess.run(["pki", *args], capture_output=True, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_strongswan_gets_a_certificate(make_site, tmp_path):
    # the SCEP part of strongSwan's pki cannot be told whom to trust for https
    site = make_site()
    site.server_extra = ""
    site.prepare()
    from .httpd import free_port
    plain = free_port()
    site.server_extra = ("Listen 127.0.0.1:%d\n<VirtualHost 127.0.0.1:%d>\n%s\nMDMEngine on\n"
                         "MDMServerURL https://127.0.0.1:1\nMDMStateDir %s\n"
                         "<Location /mdm/scep>\nSetHandler mdm-scep\n</Location>\n</VirtualHost>\n"
                         % (plain, plain, site.database.directives(), site.state_dir))
    site.start()
    url = "http://127.0.0.1:%d/mdm/scep" % plain
    strongswan("--scepca", "--url", url, "--caout", "ca.der", "--outform", "pem", cwd=tmp_path)
    caout = next(one for one in tmp_path.iterdir() if one.name.startswith("ca"))
    key = strongswan("--gen", "--type", "rsa", "--size", "2048", "--outform", "pem")
    (tmp_path / "key.pem").write_bytes(key)
    challenge = site.challenge()
    found = strongswan("--scep", "--url", url, "--in", "key.pem", "--dn", "O=Example Hospital, CN=swan",
                       "--password", challenge, "--cacert-enc", caout.name, "--cacert-sig", caout.name,
                       "--cacert", caout.name, "--outform", "pem", "--cipher", "aes", "--digest", "sha256",
                       cwd=tmp_path)
    certificate = pki.load_certificate(found)
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "swan"
    assert pki.same_key(certificate, pki.load_key(key))
