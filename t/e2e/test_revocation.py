# SPDX-License-Identifier: Apache-2.0
"""How an identity ends: revoked by API, by mdmctl, by CheckOut, by an acknowledged erase, by its successor; and
how others learn of it: the CRL and OCSP, judged by the openssl command line."""

import base64
import datetime
import os
import re
import subprocess
import threading
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID
from mdmsim import channel, pki

from . import devices
from .httpd import free_port, wait_until
from .revocation import Party, openssl, serial_of


REASONS = {"unspecified": None, "keyCompromise": "Key Compromise", "cACompromise": "CA Compromise",
           "affiliationChanged": "Affiliation Changed", "superseded": "Superseded",
           "cessationOfOperation": "Cessation Of Operation", "privilegeWithdrawn": "Privilege Withdrawn",
           "aACompromise": "AA Compromise"}

PLAIN = """
Listen 127.0.0.1:%(port)d
<VirtualHost 127.0.0.1:%(port)d>
  AllowEncodedSlashes NoDecode
  SSLProxyEngine on
  SSLProxyCACertificateFile "%(ca)s"
  ProxyPass "/mdm/crl" "%(url)scrl"
  ProxyPass "/mdm/ocsp" "%(url)socsp" nocanon
</VirtualHost>
"""


@pytest.fixture
def party(site):
    return Party(site)


def row(site, device):
    """(revoked_at, reason) of a device's present certificate."""
    return site.database.sql("SELECT revoked_at, revoked_reason FROM mdm_certificate WHERE serial = '%s'"
                             % serial_of(device))[0]


def reason_of(site, device):
    revoked_at, reason = row(site, device)
    return reason if int(revoked_at) else None


def events(site, where):
    return site.database.sql("SELECT actor, source_ip, enrollment_id, object, detail FROM mdm_event "
                             "WHERE kind = 'certificate.revoked' AND %s ORDER BY id" % where)


def revoke(site, device, reason=None):
    body = b"" if reason is None else b'{"reason": "%s"}' % reason.encode()
    return site.api("POST", "/v1/certificates/%s/revoke" % serial_of(device), body)


def entry(text, device):
    """The entry of a device in a printed CRL, or None."""
    found = re.search(r"Serial Number: %s\n(.*?)(?=    Serial Number:|    Signature Algorithm)"
                      % serial_of(device).upper(), text, re.S)
    return found.group(1) if found else None


def peak(site, forget=False):
    """The most memory that a child has used, in bytes; since the last time that was to be forgotten."""
    most = 0
    for pid in site.httpd.children():
        if forget:
            with open("/proc/%d/clear_refs" % pid, "w") as out:
                out.write("5")
        with open("/proc/%d/status" % pid) as source:
            most = max(most, int(re.search(r"VmHWM:\s*(\d+)", source.read()).group(1)) * 1024)
    return most


def renew(site, phone):
    """A renewed identity by SCEP, taken into use."""
    client = phone.scep_client({"URL": site.at("/mdm/scep")})
    result = client.renew(phone.certificate, phone.key, new_key=site.keys.take())
    assert result.ok, result.summary()
    return result


# causes

@pytest.mark.smoke
@pytest.mark.mpm
def test_the_api_revokes(site, phone, party):
    assert phone.idle().status == 200
    assert party.verify(phone.certificate)[0]
    assert party.status(phone.certificate) == "good"
    reply = revoke(site, phone, "keyCompromise")
    assert reply.status == 200, reply.text
    assert reply.json["state"] == "revoked" and reply.json["revoked_reason"] == "keyCompromise"
    assert reply.json["revoked_at"] and reply.json["enrollment_id"] == phone.id
    assert phone.idle().status == 403
    assert "Key Compromise" in entry(party.crl(), phone)
    ok, said = party.verify(phone.certificate)
    assert not ok and "certificate revoked" in said
    assert party.status(phone.certificate) == "revoked"
    actor, source, enrollment, serial, detail = events(site, "object = '%s'" % serial_of(phone))[0]
    assert (actor, source, enrollment, detail) == ("nanomdm", "127.0.0.1", phone.id, "keyCompromise")
    again = revoke(site, phone)
    assert again.status == 409 and "already" in again.json["error"]


def test_mdmctl_revokes(site, phone, party):
    serial = ":".join(re.findall("..", serial_of(phone).upper()))
    site.ctl("certificate", "revoke", serial, "--reason", "privilegeWithdrawn")
    assert phone.idle().status == 403
    assert "Privilege Withdrawn" in entry(party.crl(), phone)
    assert events(site, "object = '%s'" % serial_of(phone))[0][0] == "mdmctl"


@pytest.mark.mpm
def test_checkout_revokes(site, phone, party):
    before = party.crl_number()
    phone.checkout()
    assert reason_of(site, phone) == "cessationOfOperation"
    assert "Cessation Of Operation" in entry(party.crl(), phone)
    assert party.crl_number() == before + 1
    actor, source, _, _, detail = events(site, "enrollment_id = '%s'" % phone.id)[0]
    assert (actor, source) == (devices.USER, "127.0.0.1") and detail.startswith("cessationOfOperation")
    assert phone.checkout().status == 200
    assert len(events(site, "enrollment_id = '%s'" % phone.id)) == 1
    assert phone.authenticate(check=False).status == 403
    devices.enroll(site, phone)
    assert phone.idle().status == 200


def test_a_user_channels_checkout_revokes_nothing(site, phone):
    user = phone.user_channel()
    user.token_update()
    assert user.checkout().status == 200
    assert reason_of(site, phone) is None
    assert phone.idle().status == 200


def test_an_acknowledged_erase_revokes(site, phone, party):
    uuid, body = devices.command("EraseDevice")
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    assert devices.served(phone.idle()) == uuid
    assert reason_of(site, phone) is None
    assert phone.send_report({"Status": "Acknowledged", "CommandUUID": uuid}).status == 200
    assert reason_of(site, phone) == "cessationOfOperation"
    assert party.status(phone.certificate) == "revoked"
    assert events(site, "enrollment_id = '%s'" % phone.id)


@pytest.mark.mpm
def test_a_used_renewal_supersedes(site, phone, party):
    result = renew(site, phone)
    old = phone.certificate, phone.key
    assert phone.idle().status == 200 and reason_of(site, phone) is None
    phone.set_identity(result.certificate, result.key)
    phone.authenticate()
    assert party.status(old[0]) == "good"
    phone.token_update()
    assert reason_of(site, phone) is None
    with phone.as_identity(*old):
        assert reason_of(site, phone) == "superseded"
        assert phone.idle().status == 403
        assert "Superseded" in entry(party.crl(), phone)
        shown = site.api("GET", "/v1/certificates/" + serial_of(phone)).json
        assert shown["state"] == "replaced" and shown["revoked_reason"] == "superseded"
        assert "replaced" in site.ctl("certificate", "show", serial_of(phone)).stdout
    assert "superseded" in events(site, "enrollment_id = '%s'" % phone.id)[0][4]
    assert phone.idle().status == 200


def test_a_tokenupdate_with_the_same_identity_revokes_nothing(site, phone, party):
    number = party.crl_number()
    phone.token_update()
    phone.token_update()
    assert party.crl_number() == number


@pytest.mark.once
@pytest.mark.parametrize("reason", ["certificateHold", "removeFromCRL", "lost", "KeyCompromise", ""])
def test_other_reasons_are_refused(site, steady_phone, reason):
    reply = revoke(site, steady_phone, reason)
    assert reply.status == 400 and "keyCompromise" in reply.json["error"]
    done = site.ctl("certificate", "revoke", serial_of(steady_phone), "--reason", reason, check=False)
    assert done.returncode == 1 and "keyCompromise" in done.stderr
    assert steady_phone.idle().status == 200


@pytest.mark.once
def test_each_reason_of_rfc_5280_is_in_crl_and_ocsp(site, new_device, party):
    made = {}
    for reason in REASONS:
        made[reason] = devices.identity(site, new_device(site))
        assert revoke(site, made[reason], reason).status == 200
    text = party.crl()
    for reason, printed in REASONS.items():
        found = entry(text, made[reason])
        assert found is not None
        assert ("Reason Code" in found) == (printed is not None)
        assert printed is None or printed in found
    request = party.request(*[one.certificate for one in made.values()])
    answer = party.judge(party.post(request), request=request)
    assert answer.count("Cert Status: revoked") == len(REASONS)
    assert sorted(re.findall(r"Revocation Reason: .* \((0x[0-9a-f]+)\)", answer)) == \
        sorted(hex(code) for code in (1, 2, 3, 4, 5, 9, 10))


# the list

def test_the_crl_is_a_version_2_list_of_its_ca(site, party):
    text = party.crl()
    assert "Version 2 (0x1)" in text and "sha256WithRSAEncryption" in text
    with open(site.ca_file) as source:
        ca = pki.load_certificate(source.read())
    crl = x509.load_der_x509_crl(party.get_crl().body)
    assert crl.issuer == ca.subject
    assert crl.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_KEY_IDENTIFIER).value.key_identifier == \
        ca.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_KEY_IDENTIFIER).value.digest
    assert crl.next_update - crl.last_update == datetime.timedelta(days=7)
    assert party.get_crl("/" + ca.fingerprint(hashes.SHA256()).hex()).body == party.get_crl().body
    assert party.get_crl("/" + "0" * 64).status == 404


def cost_of(site, path):
    """Statements and RSA operations of the last request for the path. httpd logs it after its answer."""
    def lines():
        with open(site.path("access.log")) as log:
            return [one for one in log if path in one and one.endswith("\n")]
    return wait_until(lines, what="the access log")[-1].split()[-2:]


@pytest.mark.mpm
def test_the_crl_is_signed_once_and_kept(site, party):
    number = party.crl_number()
    assert party.crl_number() == number
    reply = party.get_crl("?cost")
    assert cost_of(site, "/mdm/crl?cost") == ["1", "0"]
    assert party.get_crl().headers["ETag"] == reply.headers["ETag"]


def test_caches_may_keep_the_crl_and_ask_again(site, party):
    reply = party.get_crl()
    age = int(re.search(r"max-age=(\d+)", reply.headers["Cache-Control"]).group(1))
    assert 0 < age <= 3600 and "no-store" not in reply.headers["Cache-Control"]
    assert reply.headers["Last-Modified"] and reply.headers["Expires"]
    again = party.get_crl(headers={"If-None-Match": reply.headers["ETag"]})
    assert again.status == 304 and not again.body
    head = site.http.request("HEAD", site.at("/mdm/crl"))
    assert head.status == 200 and not head.body and head.headers["Content-Length"] == str(len(reply.body))
    assert site.http.request("POST", site.at("/mdm/crl"), b"x").status == 405


def test_the_crl_is_signed_anew_at_half_of_its_life(site, party):
    number = party.crl_number()
    site.database.sql("UPDATE mdm_crl SET this_update = this_update - 302300000000, "
                      "next_update = next_update - 302300000000")
    assert party.crl_number() == number
    site.database.sql("UPDATE mdm_crl SET this_update = this_update - 200000000, "
                      "next_update = next_update - 200000000")
    assert party.crl_number() == number + 1
    crl = x509.load_der_x509_crl(party.get_crl().body)
    assert datetime.datetime.utcnow() - crl.last_update < datetime.timedelta(seconds=60)


@pytest.mark.mpm
def test_many_at_once_get_one_number(site, party, new_device):
    device = devices.identity(site, new_device(site))
    number = party.crl_number()
    assert revoke(site, device).status == 200
    bodies, lock = set(), threading.Lock()

    def fetch():
        done = subprocess.run(["curl", "-sSf", "--cacert", site.keys.tls_ca_file, site.at("/mdm/crl")],
                              capture_output=True)
        with lock:
            bodies.add(done.stdout)
    threads = [threading.Thread(target=fetch) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(bodies) == 1
    assert party.crl_number() == number + 1
    assert entry(party.crl(), device) is not None


@pytest.mark.once
def test_a_short_life_is_the_crls_life(make_site):
    site = make_site(directives={"MDMCRLLifetime": "20s"}).start()
    crl = x509.load_der_x509_crl(Party(site).get_crl().body)
    assert crl.next_update - crl.last_update == datetime.timedelta(seconds=20)


def test_what_expired_long_ago_leaves_the_crl(site, party, new_device):
    device = devices.identity(site, new_device(site))
    revoke(site, device)
    assert entry(party.crl(), device) is not None
    site.database.sql("UPDATE mdm_certificate SET not_after = 1000000 WHERE serial = '%s'" % serial_of(device))
    site.database.sql("UPDATE mdm_crl SET stale = 1")
    assert entry(party.crl(), device) is None


def test_certificates_that_name_no_issuer_count_to_the_first_ca(site, party, new_device):
    device = devices.identity(site, new_device(site))
    site.database.sql("UPDATE mdm_certificate SET issuer = NULL WHERE serial = '%s'" % serial_of(device))
    assert party.status(device.certificate) == "good"
    revoke(site, device)
    assert entry(party.crl(), device) is not None
    assert party.status(device.certificate) == "revoked"


# OCSP

@pytest.mark.smoke
def test_openssl_asks_the_responder_itself(site, phone, party):
    done = openssl("ocsp", "-url", site.at("/mdm/ocsp"), "-issuer", site.ca_file, "-CAfile", site.ca_file, "-cert",
                   party.certificate(phone.certificate))
    assert "Response verify OK" in done.stderr and ": good" in done.stdout
    assert "WARNING: no nonce" not in done.stderr


@pytest.mark.once
@pytest.mark.parametrize("digest", ["-sha1", "-sha256", "-sha384", "-sha512"])
def test_ocsp_knows_certificates_by_several_digests(site, steady_phone, party, digest):
    assert party.status(steady_phone.certificate, options=[digest]) == "good"


def test_ocsp_answers_for_several_certificates_with_the_nonce(site, phone, new_device, party):
    other, third = devices.identity(site, new_device(site)), channel.other_identity()[0]
    revoke(site, other, "affiliationChanged")
    request = party.request(phone.certificate, other.certificate, third)
    text = party.judge(party.post(request), request=request, mixed=True)
    assert [text.count("Cert Status: " + one) for one in ("good", "revoked", "unknown")] == [1, 1, 1]
    nonces = re.findall(r"OCSP Nonce:\s*\n\s*([0-9A-F]+)", text)
    asked = openssl("ocsp", "-reqin", party.path("asked.der"), "-req_text").stdout
    assert nonces == re.findall(r"OCSP Nonce:\s*\n\s*([0-9A-F]+)", asked) and len(nonces) == 1


def test_another_cas_certificate_is_unknown(site, steady_phone, party):
    other = pki.Authority()
    issuer = party.certificate(other.certificate)
    request = party.request(steady_phone.certificate, issuer=issuer)
    text = party.judge(party.post(request), request=request, mixed=True)
    assert "Cert Status: unknown" in text and "Cert Status: good" not in text


def test_ocsp_by_get(site, phone, party):
    for turn in range(3):
        request = party.request(phone.certificate, nonce=False)
        for quote in (True, False):
            reply = party.get(request, quote)
            assert ": good" in party.judge(reply, phone.certificate)
    age = int(re.search(r"max-age=(\d+)", reply.headers["Cache-Control"]).group(1))
    assert 0 < age <= 3600 and reply.headers["Expires"] and reply.headers["Last-Modified"] and reply.headers["ETag"]
    with_nonce = party.get(party.request(phone.certificate))
    assert "no-store" in with_nonce.headers["Cache-Control"]


def test_ocsp_by_get_with_slashes_of_base64(site, steady_phone, party):
    """Serial numbers until one request has a slash, and one has two in a row, which httpd would join."""
    model = party.request(steady_phone.certificate, nonce=False)
    serial = bytes.fromhex(serial_of(steady_phone))
    assert model.count(serial) == 1
    seen = set()
    while len(seen) < 2:
        body = model.replace(serial, bytes([0x41]) + os.urandom(15))
        text = base64.b64encode(body).decode()
        kind = "//" if "//" in text else "/" if "/" in text else None
        if kind and kind not in seen:
            seen.add(kind)
            for quote in (True, False):
                assert "Cert Status: unknown" in party.judge(party.get(body, quote), request=body)


def test_ocsp_costs_one_statement_and_one_signature(site, steady_phone, party):
    party.site.http.post(site.at("/mdm/ocsp?cost"), party.request(steady_phone.certificate))
    assert cost_of(site, "/mdm/ocsp?cost") == ["1", "1"]


@pytest.mark.once
def test_garbage_gets_error_answers(site, steady_phone, party):
    request = party.request(steady_phone.certificate)
    for body in (b"", b"0", b"\x30\x80", b"\x00" * 100, request + b"\x00", b"<html>" * 500, b"\x30" * 1000):
        assert party.error(party.post(body)) == "malformedrequest"
    step = max(1, len(request) // 64)
    for length in range(0, len(request), step):
        assert party.error(party.post(request[:length])) == "malformedrequest"
    for place in range(0, len(request)):
        bent = bytearray(request)
        bent[place] ^= 0x55
        reply = party.post(bytes(bent))
        assert reply.status == 200
    assert party.post(b"\x30" * 70000).status == 413
    assert site.http.get(site.at("/mdm/ocsp")).status == 200
    assert site.http.get(site.at("/mdm/ocsp/MEUCIQD")).status == 200
    assert site.http.get(site.at("/mdm/ocsp/" + "MA" * 2000)).status == 200
    assert site.http.request("PUT", site.at("/mdm/ocsp"), request).status == 405


@pytest.mark.once
def test_a_path_of_many_beginnings_is_malformed_at_little_cost(make_site):
    """Every slash may be where a request begins; the end of the path makes none of them one."""
    site = make_site().start()
    party = Party(site)
    assert party.error(site.http.get(site.at("/mdm/ocsp/M"))) == "malformedrequest"
    before = peak(site, forget=True)
    for beginning in ("M", "MA", "MAAA", "MIIf", "MIIABCDEFGH"):
        path = ("/" + beginning) * (8000 // (len(beginning) + 1))
        for ending in ("%41", "!", "==="):
            assert party.error(site.http.get(site.at("/mdm/ocsp" + path + ending))) == "malformedrequest"
    assert peak(site) < before + 8 * 1024 * 1024


@pytest.mark.once
@pytest.mark.parametrize("length", [0, 33, 100])
def test_a_nonce_of_another_length_is_malformed(site, steady_phone, party, length):
    assert party.error(party.post(_with_nonce(site, steady_phone, b"\x04" + bytes([length]) + b"n" * length))) \
        == "malformedrequest"


@pytest.mark.once
@pytest.mark.parametrize("length", [1, 32])
def test_a_nonce_of_1_to_32_octets_is_echoed(site, steady_phone, party, length):
    request = _with_nonce(site, steady_phone, b"\x04" + bytes([length]) + b"n" * length)
    text = party.judge(party.post(request), request=request)
    assert ("6E" * length) in re.sub(r"[^0-9A-F]", "", text.split("OCSP Nonce:")[1][:200]) or length > 16


@pytest.mark.once
def test_too_many_certificates_are_malformed(site, steady_phone, party):
    request = party.request(*[steady_phone.certificate] * 17)
    assert party.error(party.post(request)) == "malformedrequest"
    request = party.request(*[steady_phone.certificate] * 16)
    assert party.judge(party.post(request), request=request).count("Cert Status: good") == 16


def _with_nonce(site, device, value):
    with open(site.ca_file) as source:
        ca = pki.load_certificate(source.read())
    oid = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.2")
    builder = ocsp.OCSPRequestBuilder().add_certificate(device.certificate, ca, hashes.SHA1())
    return builder.add_extension(x509.UnrecognizedExtension(oid, value), False).build().public_bytes(Encoding.DER)


@pytest.mark.once
def test_around_a_roll_over_each_ca_has_its_own_list_and_answers(make_site, new_device):
    site = make_site().start()
    party = Party(site)
    first = devices.identity(site, new_device(site))
    with open(site.ca_file) as source:
        old = pki.load_certificate(source.read())
    site.ctl("ca", "next", "--in", "2s", "--days", "400")
    site.httpd.graceful()
    next_file = os.path.join(site.state_dir, "next-ca.pem")
    with open(next_file) as source:
        coming = pki.load_certificate(source.read())
    of_old, of_coming = ("/" + one.fingerprint(hashes.SHA256()).hex() for one in (old, coming))
    wait_until(lambda: x509.load_der_x509_crl(party.get_crl().body).issuer == coming.subject, 20, "the switch")
    device = new_device(site)
    device.signer_ca_file = next_file
    second = devices.identity(site, device)
    assert second.certificate.issuer == coming.subject
    for one in (first, second):
        assert revoke(site, one, "superseded").status == 200
    old_list, new_list = party.crl(of_old), party.crl(of_coming, next_file)
    assert entry(old_list, first) is not None and entry(old_list, second) is None
    assert entry(new_list, second) is not None and entry(new_list, first) is None
    assert party.get_crl().body == party.get_crl(of_coming).body
    for one, ca_file in ((first, site.ca_file), (second, next_file)):
        request = party.request(one.certificate, issuer=ca_file)
        assert "Cert Status: revoked" in party.judge(party.post(request), request=request, ca_file=ca_file)
    crossed = party.request(issuer=next_file, options=["-serial", "0x" + serial_of(first)])
    assert "Cert Status: unknown" in party.judge(party.post(crossed), request=crossed, ca_file=next_file)


@pytest.mark.once
def test_a_plain_host_may_pass_them_on(make_site, new_device):
    """As docs/operations.md says, for clients that do no TLS: openssl asks over http://."""
    site = make_site()
    port, behind = free_port(), free_port()
    site.modules += ["proxy", "proxy_http"]
    site.server_extra += PLAIN % {"port": port, "ca": site.keys.tls_ca_file,
                                  "url": "https://127.0.0.1:%d/mdm/" % behind}
    site.start(behind)
    device = devices.identity(site, new_device(site))
    party = Party(site)
    url = "http://127.0.0.1:%d/mdm/" % port
    done = openssl("ocsp", "-url", url + "ocsp", "-issuer", site.ca_file, "-CAfile", site.ca_file, "-cert",
                   party.certificate(device.certificate))
    assert "Response verify OK" in done.stderr and ": good" in done.stdout
    for _ in range(8):
        body = party.request(device.certificate, nonce=False, options=["-sha256"])
        text = urllib.parse.quote(base64.b64encode(body).decode(), safe="")
        answer = subprocess.run(["curl", "-sSf", url + "ocsp/" + text], check=True, capture_output=True).stdout
        party.write("proxied.der", answer)
        assert "Response verify OK" in openssl("ocsp", "-respin", party.path("proxied.der"), "-CAfile",
                                               site.ca_file).stderr
    crl = subprocess.run(["curl", "-sSf", url + "crl"], check=True, capture_output=True).stdout
    assert crl == party.get_crl().body


# what certificates say about it

@pytest.mark.once
def test_certificates_name_crl_and_ocsp(make_site, new_phone):
    site = make_site(directives={"MDMCRLURL": "http://crl.example.com/mdm/crl",
                                 "MDMOCSPURL": "http://ocsp.example.com/mdm/ocsp"}).start()
    site.upload_push_certificate()
    certificate = new_phone(site).certificate
    points = certificate.extensions.get_extension_for_oid(ExtensionOID.CRL_DISTRIBUTION_POINTS).value
    with open(site.ca_file) as source:
        ca = pki.load_certificate(source.read()).fingerprint(hashes.SHA256()).hex()
    assert [one.value for point in points for one in point.full_name] == ["http://crl.example.com/mdm/crl/" + ca]
    access = certificate.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
    assert [(one.access_method, one.access_location.value) for one in access] == \
        [(AuthorityInformationAccessOID.OCSP, "http://ocsp.example.com/mdm/ocsp")]


def test_without_urls_certificates_name_none(site, steady_phone):
    names = [one.oid for one in steady_phone.certificate.extensions]
    assert ExtensionOID.CRL_DISTRIBUTION_POINTS not in names
    assert ExtensionOID.AUTHORITY_INFORMATION_ACCESS not in names


# certificates in the API

def test_features_37_the_copy_is_found_shown_and_downloaded(site, phone):
    reply = site.api("GET", "/v1/certificates/" + serial_of(phone))
    assert reply.status == 200 and reply.content_type == "application/json"
    shown = reply.json
    assert shown["serial"] == serial_of(phone) and shown["state"] == "valid"
    assert shown["fingerprint"] == phone.certificate.fingerprint(hashes.SHA256()).hex()
    assert shown["user"] == devices.USER and shown["enrollment_id"] == phone.id and shown["challenge"]
    with open(site.ca_file) as source:
        ca = pki.load_certificate(source.read())
    assert shown["issuer"] == ca.fingerprint(hashes.SHA256()).hex()
    assert pki.der(pki.load_certificate(shown["pem"])) == pki.der(phone.certificate)
    for reply in (site.api("GET", "/v1/certificates/%s.pem" % serial_of(phone)),
                  site.api("GET", "/v1/certificates/" + serial_of(phone).upper(),
                           headers={"Accept": "application/x-pem-file"})):
        assert reply.status == 200 and reply.content_type == "application/x-pem-file"
        assert pki.der(pki.load_certificate(reply.text)) == pki.der(phone.certificate)
    for words in (serial_of(phone)[:9], phone.common_name[3:20].lower(), phone.common_name.upper()):
        found = site.api("GET", "/v1/certificates?q=" + words).json["certificates"]
        assert [one["serial"] for one in found] == [serial_of(phone)], words
        assert "pem" not in found[0] and found[0]["enrollment_id"] == phone.id
    mine = site.api("GET", "/v1/certificates?limit=1000&q=" + devices.USER).json["certificates"]
    assert serial_of(phone) in [one["serial"] for one in mine]
    assert site.api("GET", "/v1/certificates?q=%25%25").json["certificates"] == []
    assert site.api("GET", "/v1/certificates?q=" + "x" * 201).status == 400


def test_paging_loses_none_of_the_same_moment(own_site, new_device):
    site = own_site
    made = {serial_of(devices.identity(site, new_device(site))) for _ in range(7)}
    site.database.sql("UPDATE mdm_certificate SET issued_at = 1700000000000000")
    for search in ("", "&q=Example"):
        found, cursor, pages = [], "", 0
        while cursor is not None:
            reply = site.api("GET", "/v1/certificates?limit=2%s%s" % (search, "&cursor=" + cursor if cursor else ""))
            assert reply.status == 200
            found += [one["serial"] for one in reply.json["certificates"]]
            cursor, pages = reply.json.get("next_cursor"), pages + 1
        assert sorted(found) == sorted(made) and pages == 4
    listed = site.ctl("certificate", "list").stdout
    assert all(one in listed for one in made)


@pytest.mark.once
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                                     {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_other_web_sites_cannot_have_a_browser_revoke(site, steady_phone, headers):
    path = "/v1/certificates/%s/revoke" % serial_of(steady_phone)
    assert site.api("POST", path, b"", headers).status == 403
    assert site.api("GET", "/v1/certificates/" + serial_of(steady_phone), headers=headers).status == 200
    assert steady_phone.idle().status == 200


@pytest.mark.once
@pytest.mark.parametrize("kind", ["fetch", "origin"])
def test_a_page_of_the_same_site_may_revoke(site, phone, kind):
    headers = {"Sec-Fetch-Site": "same-origin"} if kind == "fetch" else {"Origin": site.url}
    assert site.api("POST", "/v1/certificates/%s/revoke" % serial_of(phone), b"", headers).status == 200


@pytest.mark.once
def test_the_routes_refuse_what_they_are_not(site, steady_phone):
    serial = serial_of(steady_phone)
    assert site.api("GET", "/v1/certificates", user=None).status == 401
    assert site.api("POST", "/v1/certificates/%s/revoke" % serial, b"{}", user=None).status == 401
    assert site.api("GET", "/v1/certificates/00ff").status == 404
    assert site.api("POST", "/v1/certificates/00ff/revoke", b"").status == 404
    assert site.api("GET", "/v1/certificates/%s/revoke" % serial).status == 405
    assert site.api("DELETE", "/v1/certificates/" + serial).status == 405
    for body in (b"x", b'{"reason": 1}', b'{"reason": "keyCompromise", "x": 1}', b"[]", b"{" * 5000):
        assert site.api("POST", "/v1/certificates/%s/revoke" % serial, body).status in (400, 413)
    for cursor in ("x", "1", "-", "0-aa", "9" * 30, "5-" + "a" * 65):
        assert site.api("GET", "/v1/certificates?cursor=" + cursor).status == 400
    assert steady_phone.idle().status == 200
