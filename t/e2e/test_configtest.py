# SPDX-License-Identifier: Apache-2.0
"""`httpd -t` names directive, file and remedy for everything that is missing, unreadable, open to others or
contradictory; a start does the same and does not come up."""

import os
import subprocess

import pytest
from mdmsim import pki

pytestmark = pytest.mark.once


@pytest.fixture
def site(make_site):
    return make_site().prepare()


def wrong(site, *words):
    """configtest fails and one line has all the words; returns the whole text."""
    status, text = site.configtest()
    assert status != 0, text
    assert "Segmentation" not in text
    assert any(all(word in line for word in words) for line in text.splitlines()), (words, text)
    return text


def fine(site):
    status, text = site.configtest()
    assert status == 0, text
    assert "MDM" not in text, text


def test_a_good_site_passes_in_silence(site):
    fine(site)


def test_without_mdmserverurl(site):
    site.own["MDMServerURL"] = None
    wrong(site, "MDMServerURL", "not set", "https://")


@pytest.mark.parametrize("value", ["http://mdm.example.com", "mdm.example.com", "https://", '""',
                                   "https://mdm.example.com/?x=1", "https://user@mdm.example.com"])
def test_a_server_url_that_devices_would_refuse(site, value):
    site.own["MDMServerURL"] = value
    wrong(site, "MDMServerURL")


def test_a_server_url_with_a_slash_at_the_end_is_fine(site):
    site.own["MDMServerURL"] = "https://mdm.example.com/"
    fine(site)


def test_without_mdmstatedir(site):
    site.own["MDMStateDir"] = None
    wrong(site, "MDMStateDir", "mdmctl")


def test_a_state_dir_that_is_missing(site):
    site.own["MDMStateDir"] = site.path("nowhere")
    wrong(site, "MDMStateDir", site.path("nowhere"), "mdmctl")


def test_a_state_dir_that_is_a_file(site):
    site.own["MDMStateDir"] = site.path("htpasswd")
    wrong(site, "MDMStateDir", site.path("htpasswd"))


def test_a_state_dir_that_others_can_write(site):
    os.chmod(site.state_dir, 0o777)
    wrong(site, "MDMStateDir", site.state_dir, "chmod")


@pytest.mark.parametrize("name,directive", [("ca.pem", "MDMCACertificateFile"), ("ca.key", "MDMCAKeyFile"),
                                            ("seal.key", "MDMSealKeyFile")])
def test_a_missing_state_file(site, name, directive):
    os.unlink(os.path.join(site.state_dir, name))
    wrong(site, directive, os.path.join(site.state_dir, name), "mdmctl")


@pytest.mark.parametrize("name,directive", [("ca.key", "MDMCAKeyFile"), ("seal.key", "MDMSealKeyFile")])
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o660])
def test_a_key_that_others_can_read(site, name, directive, mode):
    path = os.path.join(site.state_dir, name)
    os.chmod(path, mode)
    wrong(site, directive, path, "chmod")


def test_a_key_that_belongs_to_somebody_else(site):
    if os.geteuid() != 0:
        return
    path = os.path.join(site.state_dir, "ca.key")
    os.chown(path, 33, 33)
    wrong(site, "MDMCAKeyFile", path, "chown")


def test_a_key_that_is_a_folder(site):
    path = site.path("folder")
    os.mkdir(path, 0o700)
    site.own["MDMCAKeyFile"] = path
    wrong(site, "MDMCAKeyFile", path)


def test_an_api_key_file_that_others_can_read_or_that_is_missing(site):
    os.chmod(site.path("api.key"), 0o644)
    wrong(site, "MDMAPIKeyFile", site.path("api.key"), "chmod")
    os.unlink(site.path("api.key"))
    wrong(site, "MDMAPIKeyFile", site.path("api.key"), "0600")


@pytest.mark.parametrize("directive", ["MDMTrustFile", "MDMAPNSCAFile", "MDMCACertificateFile",
                                       "MDMProfileSignerFile"])
@pytest.mark.parametrize("kind", ["missing", "no-pem", "empty"])
def test_certificate_files_that_are_none(site, directive, kind):
    path = site.path("cert.pem")
    if kind != "missing":
        site.write("cert.pem", "" if kind == "empty" else "no certificate\n", 0o600)
    site.own[directive] = path
    wrong(site, directive, path)


def test_a_ca_certificate_that_is_no_ca(site, keys):
    site.own["MDMCACertificateFile"] = keys.server_file
    wrong(site, "MDMCACertificateFile", keys.server_file, "CA")


def test_a_signer_key_that_others_can_read(site, keys):
    path = site.write("signer.key", pki.pem(keys.push_key), 0o644)
    site.own["MDMProfileSignerFile"] = "%s %s" % (keys.server_file, path)
    wrong(site, "MDMProfileSignerFile", path, "chmod")


def fails_to_start(site, *words):
    from .httpd import Httpd
    site.log.expect(r"\[mdm:")
    with pytest.raises(AssertionError):
        Httpd(site._write_conf, site.log, site.folder).start(attempts=1)
    text = site.log.text() + site.httpd.console()
    assert any(all(word in line for word in words) for line in text.splitlines()), (words, text)


def test_a_ca_key_of_another_certificate_stops_the_start(site, keys):
    path = site.write("other.key", pki.pem(keys.push_key), 0o600)
    site.own["MDMCAKeyFile"] = path
    fails_to_start(site, "MDMCAKeyFile", path, "MDMCACertificateFile")


def test_a_signer_key_of_another_certificate_stops_the_start(site, keys):
    path = site.write("other.key", pki.pem(keys.push_key), 0o600)
    site.own["MDMProfileSignerFile"] = "%s %s" % (keys.server_file, path)
    fails_to_start(site, "MDMProfileSignerFile", path)


@pytest.mark.parametrize("text", ["", "\n", "short\n", "\0" + 31 * "x", 31 * "x" + "\0"])
def test_an_api_key_that_cannot_be_sent_stops_the_start(site, text):
    site.write("api.key", text, 0o600)
    fails_to_start(site, "MDMAPIKeyFile", site.path("api.key"))


@pytest.mark.parametrize("name", ["ca.key", "seal.key"])
@pytest.mark.parametrize("text", ["", "garbage\n"])
def test_a_spoiled_key_file_stops_the_start(site, name, text):
    path = os.path.join(site.state_dir, name)
    with open(path, "w") as out:
        out.write(text)
    fails_to_start(site, path)


def test_what_configtest_refuses_does_not_start_either(site):
    os.chmod(os.path.join(site.state_dir, "ca.key"), 0o644)
    fails_to_start(site, "MDMCAKeyFile", "chmod")


@pytest.mark.parametrize("module,word", [("dbd", "dbd"), ("ssl", "ssl")])
def test_a_module_that_is_missing(site, module, word):
    from . import site as site_module
    site.modules.remove(module)
    if module == "ssl":
        host = site_module.HOST
        try:
            site_module.HOST = "\n".join(line for line in host.splitlines() if "SSL" not in line)
            server = site_module.SERVER
            site_module.SERVER = "\n".join(line for line in server.splitlines() if "SSL" not in line) + "\n"
            wrong(site, word, "a2enmod")
        finally:
            site_module.HOST, site_module.SERVER = host, server
    else:
        site.database, database = None, site.database
        try:
            wrong(site, word, "a2enmod")
        finally:
            site.database = database


def test_without_dbdriver(site):
    site.database, database = None, site.database
    try:
        wrong(site, "DBDriver", "not set")
    finally:
        site.database = database


@pytest.mark.parametrize("params,far", [
    ("host=db.example.com dbname=mdm", True), ("dbname=mdm host = '10.1.2.3' connect_timeout=10", True),
    ("hostaddr=10.1.2.3", True), ("host=db.example.com tcp_user_timeout=20000", False), ("host=/run/postgresql", False),
    ("host=localhost", False), ("host=127.0.0.1", False), ("dbname=mdm", False), ("dbname=host", False)])
def test_a_postgresql_server_in_the_network_needs_an_end_to_waiting(site, params, far):
    site.database.kind, site.database.directives = "pgsql", lambda: '  DBDriver pgsql\n  DBDParams "%s"' % params
    status, text = site.configtest()
    assert status == 0 and ("tcp_user_timeout=20000" in text and "DBDParams" in text) == far, text


def test_a_sqlite_file_in_a_folder_that_is_missing(site):
    site.database.params = "/nowhere/at/all/mdm.db"
    wrong(site, "DBDParams", "/nowhere/at/all", "install -d")


def test_a_sqlite_file_in_a_folder_that_httpds_children_cannot_write(site):
    os.chmod(site.database.folder, 0o555)
    if os.geteuid() == 0:
        os.chown(site.database.folder, 0, 0)
    wrong(site, "DBDParams", site.database.folder, "cannot write")


@pytest.mark.parametrize("directive,value", [
    ("MDMAccessRights", "0"), ("MDMAccessRights", "8192"), ("MDMAccessRights", "2"), ("MDMAccessRights", "x"),
    ("MDMIdentityLifetime", "soon"), ("MDMIdentityLifetime", "0"), ("MDMIdentityLifetime", "-1d"),
    ("MDMChallengeLifetime", "1y"), ("MDMPushExpiration", ""), ("MDMPushInterval", "0"), ("MDMNotNowRetry", "x"),
    ("MDMLastSeenInterval", "-5s"), ("MDMAPNSURL", "http://api.push.apple.com"), ("MDMAPNSURL", "api.push.apple.com"),
    ("MDMConnectURL", "http://x.example.com/c"), ("MDMCheckInURL", "ftp://x"), ("MDMSCEPURL", "nonsense"),
    ("MDMLimitRequestBody", "0"), ("MDMLimitRequestBody", "x"), ("MDMLimitRequestBody", "99999999999"),
    ("MDMSignMessage", "maybe"), ("MDMEngine", "perhaps"), ("MDMOrganization", '""'),
    ("MDMProfileIdentifier", '""'),
    ("MDMProfileRetry", "x"), ("MDMProfileRetry", "0"), ("MDMProfileRetry", "1h -6h"), ("MDMProfileRetry", "1h off"),
    ("MDMProfileRetry", ""), ("MDMProfileRetry", "1h " * 30), ("MDMProfileCheck", "x"), ("MDMProfileCheck", "0"),
    ("MDMProfileCheck", "-1d"), ("MDMProfileCheck", "1d 2d")])
def test_values_that_make_no_sense(site, directive, value):
    site.own[directive] = value
    wrong(site, directive)


@pytest.mark.parametrize("directive,value", [("MDMIdentityLifetime", "825d"), ("MDMChallengeLifetime", "15min"),
                                             ("MDMPushExpiration", "2h"), ("MDMPushInterval", "10s"),
                                             ("MDMSCEPURL", "http://scep.example.com/scep"),
                                             ("MDMAccessRights", "3"), ("MDMLimitRequestBody", "1048576"),
                                             ("MDMProfileRetry", "90s"), ("MDMProfileRetry", "1h 6h 24h"),
                                             ("MDMProfileRetry", "off"), ("MDMProfileCheck", "7d"),
                                             ("MDMProfileCheck", "Off")])
def test_values_that_do(site, directive, value):
    site.own[directive] = value
    fine(site)


def test_with_the_engine_off_nothing_is_demanded(site):
    site.own = {"MDMEngine": "off", "MDMServerURL": None}
    fine(site)


def test_an_expired_ca_is_a_clear_line_in_the_log_and_on_the_status_page(site):
    import datetime
    key_path = os.path.join(site.state_dir, "ca.key")
    with open(key_path) as source:
        key = pki.load_key(source.read())
    authority = pki.Authority("O=Example Hospital, CN=Old CA")
    authority.key = key
    now = datetime.datetime.utcnow()
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    old = (x509.CertificateBuilder().subject_name(authority.name).issuer_name(authority.name)
           .public_key(key.public_key()).serial_number(5).not_valid_before(now - datetime.timedelta(days=9))
           .not_valid_after(now - datetime.timedelta(days=1))
           .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
           .sign(key, hashes.SHA256()))
    pki.write_pem(os.path.join(site.state_dir, "ca.pem"), old)
    site.log.expect(r"\[mdm:error\].*expired")
    site.httpd.start()
    site.log.wait(r"\[mdm:error\].*ca\.pem.*expired")
    assert "expired" in site.http.get(site.at("/mdm-status")).text.lower()


def test_a_second_site_is_checked_under_its_own_name(site):
    site.extra_hosts = [("second.example.com", site.database, {"MDMEngine": "on", "MDMStateDir": "/nonexistent/mdm"})]
    wrong(site, "MDMStateDir", "/nonexistent/mdm")


def test_the_module_shows_its_directives(site):
    from .httpd import HTTPD
    done = subprocess.run([HTTPD, "-L", "-f", site._write_conf(1)], capture_output=True, text=True)
    assert "MDMServerURL" in done.stdout and "Public https URL" in done.stdout
