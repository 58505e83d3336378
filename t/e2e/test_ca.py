# SPDX-License-Identifier: Apache-2.0
"""The life of the identity CA: roll-over, retirement, import, an RA in its place; and who signs profiles."""

import datetime
import ipaddress
import os
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from mdmsim import cms, pki, profile, scep, web

from .devices import enroll
from .httpd import wait_until
from .scep_tools import SUBJECT, asker, client_of
from .site import MDMCTL, PASSWORD, USER

pytestmark = pytest.mark.once
DAY = datetime.timedelta(days=1)
USES = ("digital_signature", "key_encipherment", "key_cert_sign", "crl_sign")


def certificate(name, key, issuer=None, issuer_key=None, ca=True, uses=USES, begin=-1, end=3650):
    """A certificate such as a company's own PKI makes; begin and end are days from now."""
    now = datetime.datetime.utcnow()
    usage = {one: one in uses for one in (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")}
    return (x509.CertificateBuilder().subject_name(pki.name(name))
            .issuer_name(issuer.subject if issuer else pki.name(name)).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now + begin * DAY)
            .not_valid_after(now + end * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                           critical=False)
            .sign(issuer_key or key, hashes.SHA256()))


def ctl(folder, *args):
    return subprocess.run([MDMCTL, "--state-dir", str(folder), "ca", *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def in_state(site, name):
    with open(os.path.join(site.state_dir, name)) as source:
        return pki.load_certificate(source.read())


def put_next(site, key, begin):
    made = certificate("O=Example Hospital, CN=Next CA", key, begin=begin)
    pki.write_pem(os.path.join(site.state_dir, "next-ca.pem"), made)
    pki.write_pem(os.path.join(site.state_dir, "next-ca.key"), key, private=True)
    return made


def fingerprint(one, kind="sha256"):
    digits = cms.digest(kind, pki.der(one)).hex().upper()
    return ":".join(digits[at:at + 2] for at in range(0, len(digits), 2))


def profile_of(site, **options):
    reply = site.http.get(site.at("/mdm/enroll"), headers={"Authorization": web.basic_auth(USER, PASSWORD)})
    assert reply.status == 200, reply
    return profile.Profile(reply.body, site.keys.tls_ca_file, **options)


# ---- roll-over

def openssl_next(site, tmp_path):
    """GetNextCACert, opened by openssl alone: the names of the certificates in it."""
    raw = site.http.get(site.at("/mdm/scep?operation=GetNextCACert")).body
    (tmp_path / "next.der").write_bytes(raw)
    subprocess.run(["openssl", "cms", "-verify", "-inform", "DER", "-in", str(tmp_path / "next.der"), "-CAfile",
                    os.path.join(site.state_dir, "ca.pem"), "-purpose", "any", "-binary", "-out",
                    str(tmp_path / "inner.der")], check=True, capture_output=True)
    return subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-in", str(tmp_path / "inner.der"), "-print_certs",
                           "-noout"], check=True, capture_output=True, text=True).stdout


def signs_its_list(site, ca, tmp_path):
    """Whether the revocation list of this CA is served and signed by it; openssl judges."""
    raw = site.http.get(site.at("/mdm/crl/" + fingerprint(ca).replace(":", "").lower())).body
    (tmp_path / "list.crl").write_bytes(raw)
    (tmp_path / "list-ca.pem").write_text(pki.pem(ca))
    done = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", str(tmp_path / "list.crl"), "-CAfile",
                           str(tmp_path / "list-ca.pem"), "-noout"], capture_output=True, text=True)
    return "verify OK" in done.stdout + done.stderr


def test_a_roll_over_from_announcement_to_retirement(make_site, new_phone, closing, tmp_path):
    site = make_site().start()
    site.upload_push_certificate()
    phone = new_phone(site)
    old = in_state(site, "ca.pem")

    said = site.ctl("ca", "next", "--in", "6s", "--days", "400").stdout
    coming = in_state(site, "next-ca.pem")
    assert coming.subject != old.subject and "Example Hospital" in coming.subject.rfc4514_string()
    assert coming.not_valid_before.strftime("%Y-%m-%d %H:%M:%S") in said
    assert (coming.not_valid_after - coming.not_valid_before).days == 400
    site.httpd.graceful()

    client = client_of(site, closing)
    assert [pki.der(one) for one in client.get_ca_cert()] == [pki.der(old)]
    assert [pki.der(one) for one in client.get_next_ca_cert()] == [pki.der(coming)]
    assert "Device Identity CA 2" in openssl_next(site, tmp_path)
    before = asker(site, client)("before")
    assert before.ok and before.certificate.issuer == old.subject
    assert datetime.datetime.utcnow() < coming.not_valid_before, "the machine is too slow for this test"
    shown = site.ctl("ca", "show").stdout
    assert shown.index("present CA") < shown.index("next CA")
    assert fingerprint(old) in shown and fingerprint(coming, "sha1") in shown and "identities  2" in shown

    # the clock alone switches
    wait_until(lambda: client_of(site, closing).get_ca_cert()[0].subject == coming.subject, 20, "the switch")
    client = client_of(site, closing)
    client.get_ca_cert()
    after = asker(site, client)("after")
    assert after.ok and after.certificate.issuer == coming.subject
    assert phone.idle().status == 200, "a device of the old CA goes on"
    assert signs_its_list(site, old, tmp_path) and signs_its_list(site, coming, tmp_path)
    renewed = client.renew(before.certificate, before.key, new_key=site.keys.take())
    assert renewed.ok and renewed.certificate.issuer == coming.subject
    client.authorities = [old, coming]
    late = asker(site, client)("late", recipient=old)
    assert late.ok and late.certificate.issuer == coming.subject, late.summary()
    held = profile_of(site)
    trusted = [payload["PayloadContent"] for payload in held.plist["PayloadContent"]
               if payload["PayloadType"] == "com.apple.security.root"]
    assert pki.der(old) in trusted and pki.der(coming) in trusted
    assert held.scep["CAFingerprint"] == cms.digest("sha1", pki.der(coming))
    assert enroll(site, new_phone(site)).certificate.issuer == coming.subject

    refused = site.ctl("ca", "retire", check=False)
    assert refused.returncode == 1 and "still in force" in refused.stderr and "--force" in refused.stderr
    assert in_state(site, "ca.pem") == old
    site.ctl("ca", "retire", "--force")
    assert sorted(name for name in os.listdir(site.state_dir)) == sorted([
        "ca.key", "ca.pem", "seal.key"] + ["old-ca-%s.%s" % (coming.not_valid_before.strftime("%Y-%m-%d"), kind)
                                           for kind in ("key", "pem")])
    assert in_state(site, "ca.pem") == coming
    site.httpd.graceful()
    assert client_of(site, closing).get_ca_cert()[0] == coming
    assert phone.idle().status == 200


def test_the_next_ca_takes_over_in_time(tmp_path):
    state = tmp_path / "state"
    assert ctl(state, "init", "--days", "100").returncode == 0
    for args in (["--in", "101d"], ["--at", "2020-01-01"], ["--at", "soon"], ["--in", "-1d"], ["--in", "1d", "--at",
                                                                                              "2099-01-01"]):
        done = ctl(state, "next", *args)
        assert done.returncode in (1, 2) and done.stderr, args
        assert not (state / "next-ca.pem").exists()
    when = (datetime.datetime.utcnow() + 20 * DAY).strftime("%Y-%m-%d")
    assert ctl(state, "next", "--at", when).returncode == 0
    made = pki.load_certificate((state / "next-ca.pem").read_text())
    assert made.not_valid_before.strftime("%Y-%m-%d %H:%M") == when + " 00:00"
    kept = (state / "next-ca.key").read_bytes()
    assert ctl(state, "next").returncode == 1 and (state / "next-ca.key").read_bytes() == kept
    early = ctl(state, "retire", "--force")
    assert early.returncode == 1 and "cannot be retired before" in early.stderr
    # stopped between key and certificate, it goes on with the key
    (state / "next-ca.pem").unlink()
    assert ctl(state, "next", "--in", "5d").returncode == 0
    assert (state / "next-ca.key").read_bytes() == kept
    assert pki.same_key(pki.load_certificate((state / "next-ca.pem").read_text()), pki.load_key(kept.decode()))


@pytest.mark.parametrize("stopped", ["before", "after the copies", "after the certificate"])
def test_a_retirement_that_was_stopped_leaves_a_site_that_starts(make_site, closing, stopped):
    site = make_site()
    site.prepare()
    coming = put_next(site, site.keys.take(), -1)
    state = site.state_dir
    if stopped != "before":
        for kind in ("pem", "key"):
            os.link(os.path.join(state, "ca." + kind),
                    os.path.join(state, "old-ca-%s.%s" % (coming.not_valid_before.strftime("%Y-%m-%d"), kind)))
    if stopped == "after the certificate":
        os.rename(os.path.join(state, "next-ca.pem"), os.path.join(state, "ca.pem"))
    site.start()
    client = client_of(site, closing)
    assert client.get_ca_cert() == [coming]
    assert asker(site, client)("between").certificate.issuer == coming.subject
    site.ctl("ca", "retire", "--force")
    assert not [name for name in os.listdir(state) if name.startswith("next")]
    assert pki.same_key(coming, pki.load_key(open(os.path.join(state, "ca.key")).read()))
    site.httpd.graceful()
    assert asker(site, client)("afterwards").ok
    again = site.ctl("ca", "retire", "--force", check=False)
    assert again.returncode == 1 and "no next CA" in again.stderr


def test_a_next_ca_that_is_none_is_named_by_configtest(make_site, keys):
    site = make_site()
    site.prepare()
    path = os.path.join(site.state_dir, "next-ca.pem")
    pki.write_pem(path, certificate("CN=No CA", keys.take(), ca=False))
    status, text = site.configtest()
    assert status != 0 and path in text and "next-ca.key" in text and "not a CA certificate" in text


def test_a_ca_that_ends_soon_is_told_with_the_remedy(make_site, keys):
    site = make_site()
    site.prepare()
    key = keys.take()
    pki.write_pem(os.path.join(site.state_dir, "ca.pem"), certificate("CN=Ends soon", key, end=20))
    os.unlink(os.path.join(site.state_dir, "ca.key"))
    pki.write_pem(os.path.join(site.state_dir, "ca.key"), key, private=True)
    site.start().upload_push_certificate()

    def alerts():
        return " ".join(site.http.get(site.at("/mdm-status?json")).json["alerts"])
    assert "identity CA expires" in alerts() and "mdmctl ca next" in alerts()
    site.ctl("ca", "next", "--in", "10d")
    site.httpd.graceful()
    assert "identity CA" not in alerts()


# ---- the RA

def ra_site(make_site):
    site = make_site()
    site.prepare()
    site.ctl("ca", "ra", "--days", "300")
    ra = os.path.join(site.state_dir, "ra.pem")
    site.own["MDMSCEPRAFile"] = "%s %s" % (ra, os.path.join(site.state_dir, "ra.key"))
    return site


def test_with_an_ra_the_ca_key_does_not_decrypt(make_site, closing, new_phone):
    site = ra_site(make_site)
    ca, ra = in_state(site, "ca.pem"), in_state(site, "ra.pem")
    verified = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", os.path.join(site.state_dir, "ca.pem"),
                               os.path.join(site.state_dir, "ra.pem")], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stderr
    assert not ra.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert (ra.not_valid_after - datetime.datetime.utcnow()).days in (299, 300)
    again = site.ctl("ca", "ra", check=False)
    assert again.returncode == 1 and "already" in again.stderr
    site.start().upload_push_certificate()
    client = client_of(site, closing)
    client.get_ca_cert()
    client.authorities = [ra, ca]
    result = asker(site, client)("by-the-ra", recipient=ra)
    assert result.ok and result.certificate.issuer == ca.subject, result.summary()
    assert result.signer.matches(ra)
    wrong = asker(site, client)("to-the-ca", recipient=ca)
    assert wrong.status == scep.FAILURE and not wrong.certificates, wrong.summary()
    phone = new_phone(site)
    assert phone.certificate.issuer == ca.subject and phone.idle().status == 200
    assert profile_of(site).scep["CAFingerprint"] == cms.digest("sha1", pki.der(ra))


@pytest.mark.parametrize("kind,words", [("of another CA", "not issued by"), ("for signing alone", "keyEncipherment"),
                                        ("EC", "RSA")])
def test_an_ra_that_cannot_work_is_named_by_configtest(make_site, keys, kind, words):
    site = make_site()
    site.prepare()
    ca_key = pki.load_key(open(os.path.join(site.state_dir, "ca.key")).read())
    ca, key = in_state(site, "ca.pem"), ec.generate_private_key(ec.SECP256R1()) if kind == "EC" else keys.take()
    made = certificate("CN=RA", key, None if kind == "of another CA" else ca, None if kind == "of another CA" else ca_key,
                       ca=False, uses=("digital_signature",) if "alone" in kind else USES[:2])
    pki.write_pem(site.path("ra.pem"), made)
    pki.write_pem(site.path("ra.key"), key, private=True)
    site.own["MDMSCEPRAFile"] = "%s %s" % (site.path("ra.pem"), site.path("ra.key"))
    status, text = site.configtest()
    assert status != 0
    assert any("MDMSCEPRAFile" in line and site.path("ra.pem") in line and words in line for line in text.splitlines())


# ---- import

@pytest.fixture(scope="module")
def company(keys):
    """A root, and a subordinate CA under it: (root, subordinate, its key)."""
    root_key, key = pki.new_key(), pki.new_key()
    root = certificate("O=Example, CN=Company root", root_key)
    return root, certificate("O=Example, CN=Company device CA", key, root, root_key), key


def encrypted(key, password):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.BestAvailableEncryption(password.encode()))


def write(path, contents, mode=0o600):
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("form", ["pem", "encrypted pem", "pkcs12"])
def test_a_subordinate_ca_is_imported_and_issues(make_site, closing, company, tmp_path, form):
    root, subordinate, key = company
    site = make_site()
    word = write(tmp_path / "password", "s3cret wörd\n")
    if form == "pkcs12":
        bag = pkcs12.serialize_key_and_certificates(b"ca", key, subordinate, [root], serialization.BestAvailableEncryption(
            "s3cret wörd".encode()))
        args = ["--pkcs12", write(tmp_path / "ca.p12", bag), "--password-file", word]
    else:
        chain = write(tmp_path / "chain.pem", pki.pem(root) + pki.pem(subordinate))
        pem = pki.pem(key) if form == "pem" else encrypted(key, "s3cret wörd")
        args = ["--certificate", chain, "--key", write(tmp_path / "ca.key", pem)]
        args += ["--key-password-file", word] if form != "pem" else []
    done = ctl(site.state_dir, "import", *args)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert in_state(site, "ca.pem") == subordinate
    assert os.stat(os.path.join(site.state_dir, "ca.key")).st_mode & 0o777 == 0o600
    again = ctl(site.state_dir, "import", *args)
    assert again.returncode == 1 and "already" in again.stderr
    if form != "pem":
        return
    site.start().upload_push_certificate()
    client = client_of(site, closing)
    assert client.get_ca_cert() == [subordinate]
    result = asker(site, client)("company")
    assert result.ok and result.certificate.issuer == subordinate.subject
    held = {payload["PayloadContent"]: payload["PayloadType"] for payload in profile_of(site).plist["PayloadContent"]
            if payload["PayloadType"] in profile.CERTIFICATE_TYPES}
    assert held[pki.der(subordinate)] == "com.apple.security.pkcs1"
    assert held[pki.der(root)] == "com.apple.security.root"


def test_a_ca_that_cannot_decrypt_is_imported_with_a_warning(tmp_path, keys):
    key = keys.take()
    cert = write(tmp_path / "c.pem", pki.pem(certificate("CN=Signs alone", key, uses=USES[2:])))
    done = ctl(tmp_path / "state", "import", "--certificate", cert, "--key", write(tmp_path / "c.key", pki.pem(key)))
    assert done.returncode == 0 and "mdmctl ca ra" in done.stderr


@pytest.mark.parametrize("what,words", [
    ("no CA", "keyCertSign"), ("small", "RSA"), ("EC", "RSA"), ("expired", "not valid"), ("other key", "belongs"),
    ("open key", "chmod"), ("wrong password", "password")])
def test_what_is_no_ca_is_not_imported(tmp_path, keys, what, words):
    key = pki.new_key(1024) if what == "small" else ec.generate_private_key(ec.SECP256R1()) if what == "EC" else keys.take()
    cert = certificate("CN=Candidate", key, ca=what != "no CA", end=-0.5 if what == "expired" else 10)
    kept = pki.new_key() if what == "other key" else key
    pem = encrypted(kept, "right") if what == "wrong password" else pki.pem(kept)
    args = ["--certificate", write(tmp_path / "c.pem", pki.pem(cert)),
            "--key", write(tmp_path / "c.key", pem, 0o644 if what == "open key" else 0o600)]
    if what == "wrong password":
        args += ["--key-password-file", write(tmp_path / "word", "wrong")]
    done = ctl(tmp_path / "state", "import", *args)
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert not (tmp_path / "state" / "ca.pem").exists() and not (tmp_path / "state" / "ca.key").exists()


# ---- who signs profiles

def tls_site(make_site, leaf, key, *chain):
    """A site whose web server shows this certificate."""
    site = make_site()
    site.server_file, site.server_key_file = site.path("tls.pem"), site.path("tls.key")
    show(site, leaf, key, *chain)
    return site


def show(site, leaf, key, *chain):
    pki.write_pem(site.server_file, leaf, *chain)
    pki.write_pem(site.server_key_file, key, private=True)


def under_root(keys, kind="rsa", end=300):
    """A certificate for a web site under an intermediate of the TLS root: (certificate, key, intermediate)."""
    middle_key, key = keys.take(), ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else keys.take()
    middle = certificate("O=Example, CN=Intermediate", middle_key, keys.tls.certificate, keys.tls.key)
    leaf = certificate("O=Example, CN=The web site", key, middle, middle_key, ca=False, uses=USES[:1], end=end)
    return leaf, key, middle


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_the_web_sites_certificate_signs_with_its_chain(make_site, keys, kind):
    leaf, key, middle = under_root(keys, kind)
    site = tls_site(make_site, leaf, key, middle)
    site.start().upload_push_certificate()
    found = profile_of(site)
    assert found.trusted, found.problem
    assert found.signers[0] == leaf and middle in cms.SignedData(found.raw).certificates

    # a renewed certificate counts from the graceful restart on
    again, key, middle = under_root(keys, kind)
    show(site, again, key, middle)
    site.httpd.graceful()
    site.http.close()
    assert profile_of(site).signers[0] == again


def test_of_two_certificates_of_a_web_site_the_rsa_one_signs(make_site, keys):
    leaf, key, middle = under_root(keys, "ec")
    site = make_site()
    pki.write_pem(site.path("ec.pem"), leaf, middle)
    pki.write_pem(site.path("ec.key"), key, private=True)
    site.own["SSLCertificateFile"], site.own["SSLCertificateKeyFile"] = site.path("ec.pem"), site.path("ec.key")
    site.start().upload_push_certificate()
    assert profile_of(site).signers[0] == pki.load_certificate(open(keys.server_file).read())


def test_a_signer_that_ends_soon_is_told_in_the_log_and_on_the_status_page(make_site, keys):
    site = tls_site(make_site, *under_root(keys, end=10))
    site.start().upload_push_certificate()
    site.log.wait(r"mdm:warn.*MDM0753.*The web site.*expires in 9 days")
    alerts = site.http.get(site.at("/mdm-status?json")).json["alerts"]
    assert any("certificate that signs profiles expires in 9 days" in alert for alert in alerts), alerts
    # a signer of its own ends that
    signer, key = keys.tls.issue("O=Example, CN=Profile signer", key=keys.take())
    pki.write_pem(site.path("signer.pem"), signer, key, private=True)
    site.own["MDMProfileSignerFile"] = site.path("signer.pem")
    site._write_conf(site.port)
    site.httpd.graceful()
    found = profile_of(site)
    assert found.trusted and found.signers[0] == signer
    assert not [one for one in site.http.get(site.at("/mdm-status?json")).json["alerts"] if "signs profiles" in one]
