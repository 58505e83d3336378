# SPDX-License-Identifier: Apache-2.0
"""What the other tests of NanoMDM's API leave out, row by row, and the shapes of the requests that its tools really send:
nanocmd, kmfddm, nano2nano, cmdapi, curl. Numbers are those of the list of its behaviours."""

import http.client
import json
import plistlib
import ssl
import subprocess
import time
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from mdmsim import web

from . import devices
from .devices import API_KEY, command, served
from .httpd import wait_until
from .keys import TOPIC
from .receiver import Receiver
from .site import LOCATIONS

pytestmark = pytest.mark.once

BASE = "/mdm/api"


def raw(site, text, body=b""):
    """Send octets as they are over a connection of their own: (status, headers, body)."""
    host = urllib.parse.urlsplit(site.url)
    connection = http.client.HTTPSConnection(host.hostname, host.port, timeout=30,
                                             context=ssl.create_default_context(cafile=site.keys.tls_ca_file))
    try:
        connection.connect()
        head = text.replace("\n", "\r\n") + "Host: %s\r\nAuthorization: %s\r\nConnection: close\r\n\r\n" % (
            host.netloc, web.basic_auth("nanomdm", API_KEY))
        connection.sock.sendall(head.encode() + body)
        answer = http.client.HTTPResponse(connection.sock, method=text.split()[0])
        answer.begin()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def chunked(body, size=100):
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in parts) + b"0\r\n\r\n"


# 2.2: rules of all routes

def test_2_2_a_refusal_has_nanomdms_headers_and_body(site):
    reply = site.api("GET", "/v1/push/x", key="wrong")
    assert reply.status == 401 and reply.body == b"Unauthorized\n"
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="nanomdm"'


def test_2_2_errors_of_the_routes_are_text_with_the_reason_phrase(site):
    for method, path, status, text in (("GET", "/v1/nothing", 404, b"Not Found\n"),
                                       ("DELETE", "/v1/pushcert", 405, b"Method Not Allowed\n")):
        reply = site.api(method, path)
        assert (reply.status, reply.body) == (status, text)
        assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_2_2_json_has_tabs_nanomdms_order_and_a_final_newline(site, phone):
    uuid, body = command("ProfileList")
    text = site.enqueue(phone.id, body).text
    result = json.loads(text)["status"][phone.id]["push_result"]
    assert text == ('{\n\t"status": {\n\t\t"%s": {\n\t\t\t"push_result": "%s"\n\t\t}\n\t},\n\t"command_uuid": "%s",\n'
                    '\t"request_type": "ProfileList"\n}\n' % (phone.id, result, uuid))


@pytest.mark.parametrize("path", ["/v1//push/%s", "//v1/push/%s", "/v1/x/../push/%s", "/v1/./push/%s"])
def test_2_2_an_unclean_path_is_taken_as_the_clean_one(site, phone, path):
    status, _, body = raw(site, "GET %s%s HTTP/1.1\n" % (BASE, path % phone.id))
    assert status == 200 and list(json.loads(body)["status"]) == [phone.id]


def test_2_2_a_slash_and_a_colon_may_be_part_of_an_id(site, phone):
    user = phone.user_channel(short_name="a/b")
    user.token_update()
    for path in ("a/b:c", "a%2Fb%3Ac"):
        reply = site.api("GET", "/v1/push/" + path)
        assert reply.status == 500 and list(reply.json["status"]) == ["a/b:c"]
    assert site.api("GET", "/v1/push/" + urllib.parse.quote(user.id, safe="")).status == 200


def test_2_2_ids_are_decoded_once_and_nothing_is_trimmed(site):
    reply = site.api("GET", "/v1/push/a%252Cb,%20c%20,,+d")
    assert list(reply.json["status"]) == sorted(["a%2Cb", " c ", "", "+d"])


# 2.3

def test_row_21_a_device_that_left_is_told_in_push_error(site, phone):
    assert phone.checkout().status == 200
    reply = site.api("GET", "/v1/push/" + phone.id)
    assert reply.status == 500 and reply.json["status"][phone.id]["push_error"]


def test_2_3_a_body_of_a_push_is_ignored(site, phone):
    reply = site.api("PUT", "/v1/push/" + phone.id, b"<anything>" * 1000)
    assert reply.status == 200


# 2.3: all that may happen to an id in one call

def test_row_05_good_gone_and_unknown_ids_in_one_call_are_207(site, phone, new_phone, apns):
    gone, refused = new_phone(site), new_phone(site)
    for device, status, reason in ((gone, 410, "Unregistered"), (refused, 400, "BadDeviceToken")):
        apns.answer(status, reason, magic=device.push_magic, timestamp=time.time() + 5)
        assert site.api("GET", "/v1/push/" + device.id).status == 200, "Apple has not said so yet"
        wait_until(lambda: site.show(device.id)["push"]["dead"], what="Apple's word about the token")
    reply = site.api("GET", "/v1/push/%s,%s,%s,nobody" % (phone.id, gone.id, refused.id))
    assert reply.status == 207
    found = reply.json["status"]
    assert list(found[phone.id]) == ["push_result"]
    assert [list(found[one]) for one in (gone.id, refused.id, "nobody")] == [["push_error"]] * 3


# 2.4

def test_2_4_no_push_is_true_beside_the_error_when_nothing_is_there(site, phone):
    reply = site.api("PUT", "/v1/enqueue/%s?nopush=0" % phone.id, b"")
    assert reply.status == 500 and list(reply.json) == ["no_push", "command_error"]


def test_row_07_some_pushes_that_cannot_go_are_207_and_the_command_stays(site, new_device, phone):
    poor = devices.identity(site, new_device(site))
    poor.topic = "com.apple.mgmt.External.none"
    site.log.expect("com.apple.mgmt.External.none")
    poor.authenticate()
    poor.token_update()
    uuid, body = command()
    reply = site.enqueue([poor.id, phone.id], body)
    assert reply.status == 207 and reply.json["command_uuid"] == uuid
    assert reply.json["status"][poor.id]["push_error"] and reply.json["status"][phone.id]["push_result"]
    assert site.queue_uuids(phone.id) == [uuid] == site.queue_uuids(poor.id)


def test_2_4_without_an_id_or_a_command_there_is_the_error_alone(site, phone):
    uuid, body = command()
    for path, content in (("/v1/enqueue/", body), ("/v1/enqueue/?nopush=1", body), ("/v1/enqueue/", b""),
                          ("/v1/enqueue/%s?nopush=1" % phone.id, b"nonsense")):
        reply = site.api("PUT", path, content)
        assert reply.status == 500 and list(reply.json) == ["command_error"], (path, reply.text)
    assert site.show_command(uuid) is None


def test_2_4_a_binary_command_is_taken(site, phone):
    uuid, body = command()
    reply = site.enqueue(phone.id, plistlib.dumps(plistlib.loads(body), fmt=plistlib.FMT_BINARY))
    assert reply.status == 200 and reply.json["command_uuid"] == uuid
    assert served(phone.idle()) == uuid


# 2.5

def unknown_blocks(keys):
    key = keys.push_key
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    good = keys.push_pem.decode()
    return [good + request.public_bytes(serialization.Encoding.PEM).decode(), public.decode() + good,
            good.replace(" CERTIFICATE-", " TRUSTED CERTIFICATE-"), good + good.replace(" CERTIFICATE-", " NOTHING-")]


def test_2_5_blocks_of_unknown_types_are_400(site, keys):
    for text in unknown_blocks(keys):
        reply = site.api("PUT", "/v1/pushcert", text.encode())
        assert reply.status == 400 and list(reply.json) == ["error"], text
    assert site.api("PUT", "/v1/pushcert", keys.push_pem).status == 200


def test_2_5_text_around_the_blocks_is_no_harm(site, keys):
    reply = site.api("PUT", "/v1/pushcert", b"Bag Attributes\n  friendlyName: x\n" + keys.push_pem + b"\nend\n")
    assert reply.status == 200 and reply.json["topic"] == TOPIC


# 2.7

def test_2_7_version_has_no_final_newline(site):
    assert site.api("DELETE", "/version", user=None).text == json.dumps(
        site.api("GET", "/version", user=None).json, separators=(",", ":"))


# 2.8

@pytest.mark.parametrize("kind, checkin", [
    ("application/x-apple-aspen-mdm-checkin", True), ("application/x-apple-aspen-mdm-checkin; charset=utf-8", True),
    ("application/x-apple-aspen-mdm", False), ("text/plain", False), (None, False)])
def test_2_8_one_url_tells_check_in_by_the_prefix_of_the_type(site, phone, kind, checkin):
    phone.set_bootstrap_token(b"escrowed")
    uuid, body = command()
    site.enqueue(phone.id, body, nopush=True)
    both = plistlib.dumps({"MessageType": "GetBootstrapToken", "Status": "Idle", "UDID": phone.udid, "Topic": phone.topic})
    reply = phone.put(site.at("/mdm/connect"), both, {"Content-Type": kind} if kind else {})
    assert reply.status == 200
    assert reply.plist.get("BootstrapToken") == (b"escrowed" if checkin else None)
    assert reply.plist.get("CommandUUID") == (None if checkin else uuid)


def test_2_8_no_identifiers_and_no_status_are_400(site, phone):
    for message in ({"Status": "Idle"}, {"UDID": phone.udid}, {"UDID": phone.udid, "Status": ""}):
        assert phone.put(site.at("/mdm/connect"), plistlib.dumps(message)).status == 400, message


def test_2_8_other_methods_are_405_and_never_401(site, phone):
    for method in ("GET", "DELETE"):
        reply = phone.client("tls").request(method, site.at("/mdm/connect"))
        assert reply.status == 405 and reply.body == b"Method Not Allowed\n"


def test_2_8_query_parameters_are_no_hindrance(site, phone):
    body = plistlib.dumps({"Status": "Idle", "UDID": phone.udid})
    assert phone.put(site.at("/mdm/connect?a=1&a=2&b"), body).status == 200


def test_2_8_the_answers_that_have_no_body_have_none(site, new_device):
    device = devices.identity(site, new_device(site))
    for reply in (device.authenticate(), device.token_update(), device.idle(), device.checkout()):
        assert reply.status == 200 and reply.body == b""


# 2.9

def test_2_9_the_old_certificate_ends_where_the_new_one_begins(site, phone):
    """One of NanoMDM's storages lets every certificate that an id ever had in, the other only the newest."""
    old = phone.certificate, phone.key
    devices.enroll(site, phone)
    with phone.as_identity(*old):
        assert phone.idle().status == 403
    assert phone.idle().status == 200


# 3

def test_row_13_the_tally_is_1_then_2_and_1_after_enrolling_anew(make_site, new_phone, closing):
    receiver = closing(Receiver().start())
    site = make_site(directives={"MDMWebhookURL": receiver.url}).start()
    site.upload_push_certificate()
    phone = new_phone(site)
    phone.token_update()
    devices.enroll(site, phone)
    told = receiver.wait(3, topic="mdm.TokenUpdate", id=phone.id)
    assert [one.event["token_update_tally"] for one in told] == [1, 2, 1]


# what the tools send

def test_2_1_nanocmd_puts_and_pushes_up_to_thirty_ids(site, phone):
    users = [phone.user_channel() for _ in range(30)]
    for one in users:
        one.token_update()
    ids = ",".join(one.id for one in users)
    uuid, body = command()
    status, _, answer = raw(site, "PUT %s/v1/enqueue/%s HTTP/1.1\nUser-Agent: Go-http-client/1.1\nAccept-Encoding: gzip\n"
                            "Content-Length: %d\n" % (BASE, ids, len(body)), body)
    assert status == 200 and len(json.loads(answer)["status"]) == 30
    status, _, answer = raw(site, "GET %s/v1/push/%s HTTP/1.1\nUser-Agent: Go-http-client/1.1\n" % (BASE, ids))
    assert status == 200 and len(json.loads(answer)["status"]) == 30


def test_2_1_kmfddm_second_call_with_an_empty_body_is_a_push(site, phone):
    for head in ("Content-Length: 0\n", "Transfer-Encoding: chunked\n", ""):
        status, _, answer = raw(site, "PUT %s/v1/enqueue/%s HTTP/1.1\n%s" % (BASE, phone.id, head),
                                b"0\r\n\r\n" if "chunked" in head else b"")
        assert status == 200 and list(json.loads(answer)) == ["status"], head
    assert site.queue_uuids(phone.id) == []


def test_2_1_cmdapi_gets_with_a_body(site, phone):
    uuid, body = command()
    status, _, answer = raw(site, "GET %s/v1/enqueue/%s HTTP/1.1\nContent-Length: %d\n" % (BASE, phone.id, len(body)), body)
    assert status == 200 and json.loads(answer)["command_uuid"] == uuid
    uuid, body = command()
    status, _, answer = raw(site, "GET %s/v1/enqueue/%s HTTP/1.1\nTransfer-Encoding: chunked\n" % (BASE, phone.id),
                            chunked(body))
    assert status == 200 and json.loads(answer)["command_uuid"] == uuid


def test_2_1_e2e_package_posts_with_nopush(site, phone):
    uuid, body = command()
    status, headers, answer = raw(site, "POST %s/v1/enqueue/%s?nopush=1 HTTP/1.1\nContent-Length: %d\n" % (
        BASE, phone.id, len(body)), body)
    assert status == 200 and headers["Content-Type"] == "application/json"
    assert json.loads(answer) == {"no_push": True, "command_uuid": uuid, "request_type": "DeviceInformation"}


def curl(site, path, body, *options):
    done = subprocess.run(["curl", "-sS", "--cacert", site.keys.tls_ca_file, "-u", "nanomdm:" + API_KEY, *options,
                           "-w", "\n%{http_code}", site.at(BASE + path)], input=body, capture_output=True, timeout=30)
    assert done.returncode == 0, done
    text, _, status = done.stdout.decode().rpartition("\n")
    return int(status), text


def test_2_1_curl_uploads_without_length_or_type(site, phone, keys):
    uuid, body = command()
    status, text = curl(site, "/v1/enqueue/" + phone.id, body, "-T", "-")
    assert status == 200 and json.loads(text)["command_uuid"] == uuid
    status, text = curl(site, "/v1/pushcert", keys.push_pem, "-T", "-")
    assert status == 200 and json.loads(text)["topic"] == TOPIC
    status, text = curl(site, "/v1/push/" + phone.id, b"")
    assert status == 200 and list(json.loads(text)) == ["status"]


def test_http_1_0_will_do(site, phone):
    uuid, body = command()
    status, text = curl(site, "/v1/enqueue/" + phone.id, body, "--http1.0", "--no-alpn", "-X", "PUT", "--data-binary", "@-")
    assert status == 200 and json.loads(text)["command_uuid"] == uuid


def test_2_1_curl_waits_for_100_continue_with_a_large_body(site, phone):
    uuid, body = command("InstallProfile", Payload=b"x" * 300000)
    status, text = curl(site, "/v1/enqueue/%s?encrypt=no&nopush=1" % phone.id, body, "-X", "PUT", "-H",
                        "Expect: 100-continue", "--expect100-timeout", "20", "--data-binary", "@-")
    assert status == 200 and json.loads(text)["command_uuid"] == uuid


def test_row_18_no_webhook_is_told_of_what_is_handed_over(make_site, new_device, closing):
    receiver = closing(Receiver().start())
    site = make_site(directives={"MDMWebhookURL": receiver.url})
    site.locations = LOCATIONS + '  <Location "/migration">\n    SetHandler mdm-migration\n  </Location>\n'
    site.start()
    site.upload_push_certificate()
    moved, other = new_device(site), devices.enroll(site, new_device(site))
    body = plistlib.dumps({"MessageType": "Authenticate", "UDID": moved.udid, "Topic": moved.topic,
                           "SerialNumber": moved.serial})
    assert raw(site, "PUT /migration HTTP/1.1\nContent-Length: %d\n" % len(body), body)[0] == 200
    other.idle()
    receiver.wait(1, topic="mdm.Connect")
    assert not receiver.taken(id=moved.udid) and site.show(moved.udid)


def test_2_1_nano2nano_puts_raw_messages_without_a_type(make_site, new_device):
    site = make_site()
    site.locations = LOCATIONS + '  <Location "/migration">\n    SetHandler mdm-migration\n  </Location>\n'
    site.start()
    device = new_device(site)
    device.new_token()
    for message in ({"MessageType": "Authenticate", "UDID": device.udid, "Topic": device.topic,
                     "SerialNumber": device.serial},
                    {"MessageType": "TokenUpdate", "UDID": device.udid, "Topic": device.topic, "Token": device.token,
                     "PushMagic": device.push_magic}):
        body = plistlib.dumps(message)
        status, _, answer = raw(site, "PUT /migration HTTP/1.1\nUser-Agent: Go-http-client/1.1\nContent-Length: %d\n"
                                "Accept-Encoding: gzip\n" % len(body), body)
        assert status == 200 and answer == b""
    assert site.show(device.id)["state"] == "enrolled"
    status, _, answer = raw(site, "PUT /migration HTTP/1.1\nTransfer-Encoding: chunked\n", chunked(body))
    assert status == 200 and site.show(device.id)["token_update_tally"] >= 1
