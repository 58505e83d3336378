# SPDX-License-Identifier: Apache-2.0
"""How a device's certificate may come: in a header from a listed proxy and from nobody else; as an Mdm-Signature whose
time and digest are judged."""

import base64
import contextlib
import datetime
import http.client
import plistlib
import ssl
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from mdmsim import channel, cms, pki

from . import devices
from .test_configtest import fine, wrong

pytestmark = pytest.mark.once

PROXY, STRANGER = "127.0.0.7", "127.0.0.8"
HEADER = "X-Client-Cert"


def started(site):
    site.start()
    site.upload_push_certificate()
    return site


@pytest.fixture
def proxied(make_site):
    return started(make_site(directives={"MDMClientCertHeader": HEADER, "MDMClientCertProxy": "127.0.0.6/31 ::1"}))


def put(site, source, body, headers, path="/mdm/connect", method="PUT"):
    """From another address of this machine, without a client certificate. Returns (status, body)."""
    context = ssl.create_default_context(cafile=site.keys.tls_ca_file)
    connection = http.client.HTTPSConnection("127.0.0.1", site.port, timeout=20, context=context,
                                             source_address=(source, 0))
    with contextlib.closing(connection):
        connection.putrequest(method, path)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        return reply.status, reply.read()


def idle(phone):
    return plistlib.dumps({**phone.identifiers(), "Status": "Idle"})


def der_of(phone):
    return base64.b64encode(pki.der(phone.certificate)).decode()


def escaped(phone, safe=""):
    return urllib.parse.quote(pki.pem(phone.certificate), safe=safe)


def forms(phone):
    return {"nginx": escaped(phone), "apache": escaped(phone, safe="/+="), "rfc9440": ":" + der_of(phone) + ":",
            "one-line": pki.pem(phone.certificate).strip().replace("\n", " ")}


@pytest.mark.parametrize("form", ["nginx", "apache", "rfc9440", "one-line"])
def test_a_listed_proxy_passes_the_certificate_on(proxied, new_phone, form):
    phone = new_phone(proxied)
    command_uuid, command = devices.command()
    assert proxied.enqueue(phone.id, command, nopush=True).status == 200
    status, body = put(proxied, PROXY, idle(phone), [(HEADER, forms(phone)[form])])
    assert status == 200 and plistlib.loads(body)["CommandUUID"] == command_uuid


def test_nobody_else_does(proxied, new_phone):
    phone = new_phone(proxied)
    for form in forms(phone).values():
        mark = proxied.log.size()
        status, _ = put(proxied, STRANGER, idle(phone), [(HEADER, form), ("X-Forwarded-For", PROXY),
                                                         ("Forwarded", "for=" + PROXY)])
        assert status == 400
        proxied.log.wait("header %s from %s" % (HEADER, STRANGER), mark)


def test_what_mod_remoteip_believes_is_not_asked(make_site, new_phone):
    site = make_site(directives={"MDMClientCertHeader": HEADER, "MDMClientCertProxy": PROXY,
                                 "RemoteIPHeader": "X-Forwarded-For", "RemoteIPInternalProxy": "127.0.0.0/8"})
    site.modules.append("remoteip")
    started(site)
    phone = new_phone(site)
    assert put(site, STRANGER, idle(phone), [(HEADER, forms(phone)["nginx"]), ("X-Forwarded-For", PROXY)])[0] == 400
    # and the real proxy keeps its word when it says who the client is
    assert put(site, PROXY, idle(phone), [(HEADER, forms(phone)["nginx"]), ("X-Forwarded-For", "192.0.2.1")])[0] == 200


def test_the_header_is_read_strictly(proxied, new_phone):
    phone, other = new_phone(proxied), new_phone(proxied)
    pem, der = escaped(phone), der_of(phone)
    wrong_values = [
        "x", "%", pem + "%", pem + "%zz", pem[:-40], pem + pem, pem + escaped(other), pem + ", " + pem, "%00" + pem,
        pem + "%00", pem.replace("CERTIFICATE", "PUBLIC%20KEY"), "x" + pem, pem + "x", ":" + der, der + ":", der,
        ":" + der + ":;x=1", ":" + der + ":, :" + der + ":", "::", ":" + der[:-8] + ":", ": " + der + ":",
        ":" + base64.b64encode(pki.der(phone.certificate) + b"x").decode() + ":", ":!" + der + ":", "A" * 20000]
    for value in wrong_values:
        assert put(proxied, PROXY, idle(phone), [(HEADER, value)])[0] == 400, value
    assert put(proxied, PROXY, idle(phone), [(HEADER, pem), (HEADER, pem)])[0] == 400
    assert put(proxied, PROXY, idle(phone), [])[0] == 400
    assert put(proxied, PROXY, idle(phone), [(HEADER, pem)])[0] == 200


def test_another_devices_header_is_403_and_an_unknown_one_too(proxied, new_phone):
    phone, other = new_phone(proxied), new_phone(proxied)
    assert put(proxied, PROXY, idle(phone), [(HEADER, escaped(other))])[0] == 403
    stranger, _ = channel.other_identity()
    assert put(proxied, PROXY, idle(phone), [(HEADER, urllib.parse.quote(pki.pem(stranger)))])[0] == 403


def test_tls_goes_before_the_header_and_the_header_before_the_signature(make_site, new_phone):
    site = started(make_site(directives={"MDMClientCertHeader": HEADER, "MDMClientCertProxy": "127.0.0.0/8"}))
    phone, other = new_phone(site), new_phone(site)
    body = idle(phone)
    assert phone.put(phone.server_url, body, {HEADER: escaped(other)}, identity="tls").status == 200
    assert phone.put(phone.server_url, body, {HEADER: escaped(other)}, identity="signature").status == 403
    assert phone.put(phone.server_url, body, {HEADER: escaped(phone)}, identity="none", signature="x").status == 200
    # an empty header is none
    assert phone.put(phone.server_url, body, {HEADER: ""}, identity="signature").status == 200


def test_a_device_enrolls_behind_a_proxy(proxied, new_device):
    device = devices.identity(proxied, new_device(proxied))
    for message in ({"MessageType": "Authenticate"}, {"MessageType": "TokenUpdate", "Token": device.token,
                                                      "PushMagic": device.push_magic}):
        body = plistlib.dumps({**device.identifiers(), "Topic": proxied.topic, **message})
        assert put(proxied, PROXY, body, [(HEADER, forms(device)["nginx"]),
                                          ("Content-Type", channel.CHECKIN_TYPE)])[0] == 200
    assert proxied.show(device.id)["state"] == "enrolled"


def test_a_header_needs_its_proxies(make_site):
    site = make_site(directives={"MDMClientCertHeader": HEADER}).prepare()
    wrong(site, "MDMClientCertHeader", "MDMClientCertProxy", "addresses")
    site.own["MDMClientCertProxy"] = "10.0.0.0/8"
    fine(site)
    for value in ("host.example.com", "10.0.0.0/33", "300.1.1.1"):
        site.own["MDMClientCertProxy"] = value
        wrong(site, "MDMClientCertProxy", value)


# Mdm-Signature

def signed(phone, **options):
    body = idle(phone)
    return phone.put(phone.server_url, body, {}, identity="none", signature=phone.sign(body, **options)).status


def ago(**span):
    return datetime.datetime.utcnow() - datetime.timedelta(**span)


def test_the_time_of_a_signature_lies_within_its_certificates_validity(site, phone):
    before, after = phone.certificate.not_valid_before, phone.certificate.not_valid_after
    minute = datetime.timedelta(minutes=1)
    for when, status in ((before - 16 * minute, 400), (before - 14 * minute, 200), (before, 200), (after, 200),
                         (after + 14 * minute, 200), (after + 16 * minute, 400), (None, 200)):
        assert signed(phone, signing_time=when) == status, when
    assert site.log.wait("MDMSignatureTolerance")


def test_mdmsignaturetolerance_is_settable(make_site, new_phone):
    site = started(make_site(directives={"MDMSignatureTolerance": "2h"}))
    phone = new_phone(site)
    assert signed(phone, signing_time=ago(hours=2)) == 200
    assert signed(phone, signing_time=ago(hours=2, minutes=15)) == 400


def test_sha1_can_be_switched_off(make_site, new_phone, site, phone):
    assert signed(phone, digest="sha1") == 200
    strict = started(make_site(directives={"MDMSignatureSHA1": "Off"}))
    device = new_phone(strict)
    assert signed(device, digest="sha1") == 400
    assert signed(device, digest="sha256") == 200


def test_one_signer_only(site, new_phone):
    phone, other = new_phone(site), new_phone(site)
    body = idle(phone)
    signers = [cms.signer_info(body, one.certificate, one.key) for one in (phone, other)]
    for chosen in (signers, signers[::-1], signers[:1] * 2, []):
        value = cms.signed_data(None, chosen, [pki.der(one.certificate) for one in (phone, other)], ["sha256"])
        reply = phone.put(phone.server_url, body, {}, identity="none", signature=base64.b64encode(value).decode())
        assert reply.status == 400, len(chosen)


def test_a_report_without_content_type_is_a_report(site, phone):
    command_uuid, command = devices.command()
    assert site.enqueue(phone.id, command, nopush=True).status == 200
    reply = phone.put(phone.server_url, idle(phone), {}, identity="signature")
    assert devices.served(reply) == command_uuid


# what libraries say of the same certificates

def test_the_forms_are_what_others_make_of_a_certificate(proxied, new_phone):
    phone = new_phone(proxied)
    read = x509.load_pem_x509_certificate(urllib.parse.unquote(escaped(phone)).encode())
    assert read.fingerprint(hashes.SHA256()) == phone.certificate.fingerprint(hashes.SHA256())
