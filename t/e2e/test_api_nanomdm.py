# SPDX-License-Identifier: Apache-2.0
"""The API that NanoMDM's clients speak: status codes, JSON, and the oddities they rely on."""

import datetime
import subprocess
import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization
from mdmsim import pki

from . import devices
from .keys import TOPIC
from .site import API_KEY


def members(reply):
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.text.endswith("\n")
    return reply.json


# who may call

@pytest.mark.parametrize("path", ["/v1/pushcert", "/v1/push/x", "/v1/enqueue/x", "/v1/enrollments",
                                  "/v1/enrollments/x", "/v1/enrollments/x/queue", "/v1/commands/x"])
def test_row_02_without_or_with_a_wrong_key_401(site, path):
    for options in ({"user": None}, {"key": "wrong"}, {"user": "admin"}, {"key": ""}, {"key": API_KEY + "x"},
                    {"key": API_KEY[:-1]}):
        reply = site.api("GET", path, **options)
        assert reply.status == 401, (options, reply)
        assert reply.headers["WWW-Authenticate"] == 'Basic realm="nanomdm"'
        assert "no-such" not in reply.text
    for header in ("Basic", "Basic !!!", "Bearer " + API_KEY, "Basic " + "A" * 5000):
        assert site.api("GET", path, user=None, headers={"Authorization": header}).status == 401


def test_row_01_version_needs_no_key_and_takes_any_method(site):
    for method in ("GET", "POST", "PUT"):
        reply = site.api(method, "/version", user=None)
        assert reply.status == 200
        assert reply.headers["Content-Type"] == "application/json"
        assert set(reply.json) == {"version"} and reply.json["version"]


def test_2_2_unknown_routes_are_404(site):
    for path in ("/", "/v1", "/v1/", "/v1/nonsense", "/v2/push/x"):
        assert site.api("GET", path).status == 404, path


def test_apaches_own_authentication_may_guard_the_api_instead(make_site):
    site = make_site(directives={"MDMAPIKeyFile": None})
    site.locations = site.locations.replace("SetHandler mdm-api", """SetHandler mdm-api
    AuthType Basic
    AuthName api
    AuthBasicProvider file
    AuthUserFile "%(folder)s/htpasswd"
    Require user other""")
    site.start()
    from .site import PASSWORD, USER
    assert site.api("GET", "/v1/enrollments", user="other", key=PASSWORD).status == 200
    assert site.api("GET", "/v1/enrollments", user=USER, key=PASSWORD).status == 401
    assert site.api("GET", "/v1/enrollments", user=None).status == 401


def test_2_2_without_a_key_file_and_without_authentication_the_api_is_closed(make_site):
    site = make_site(directives={"MDMAPIKeyFile": None})
    site.log.expect(r"\[mdm:error\]")
    site.start()
    for path in ("/v1/enrollments", "/v1/push/x"):
        assert site.api("GET", path, user=None).status == 403
        assert site.api("GET", path).status == 403


# pushcert

def upload(site, text, method="PUT"):
    return site.api(method, "/v1/pushcert", text.encode() if isinstance(text, str) else text)


def test_row_03_pushcert_put_answers_topic_and_expiry(site, keys):
    reply = upload(site, keys.push_pem)
    assert reply.status == 200
    found = members(reply)
    assert list(found) == ["not_after", "topic"]
    assert found["topic"] == TOPIC
    when = datetime.datetime.strptime(found["not_after"], "%Y-%m-%dT%H:%M:%SZ")
    assert when == keys.push.not_valid_after.replace(microsecond=0)


def test_row_03_pushcert_takes_key_first_glued_blocks_and_old_key_forms(site, keys):
    cert, key = pki.pem(keys.push), pki.pem(keys.push_key)
    old = keys.push_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                      serialization.NoEncryption()).decode()
    for text in (key + cert, cert.strip() + key.strip(), cert + old, "\r\n" + cert.replace("\n", "\r\n") + key):
        assert upload(site, text).status == 200, text


def test_2_5_pushcert_of_the_last_certificate_wins(site, keys):
    assert members(upload(site, pki.pem(keys.tls.certificate) + keys.push_pem.decode()))["topic"] == TOPIC


def bad_certificates(keys):
    cert, key = pki.pem(keys.push), pki.pem(keys.push_key)
    locked = keys.push_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                         serialization.BestAvailableEncryption(b"x")).decode()
    other, _ = keys.push_ca.issue([[["UID", "com.example.app"]]], key=keys.push_key)
    none, _ = keys.push_ca.issue("CN=nobody", key=keys.push_key)
    past = datetime.datetime.utcnow() - datetime.timedelta(days=1)
    expired, _ = keys.push_ca.push_certificate(TOPIC, key=keys.push_key, not_after=past,
                                               not_before=past - datetime.timedelta(days=1))
    return {"empty": "", "garbage": "garbage", "certificate-only": cert, "key-only": key,
            "encrypted-key": cert + locked, "no-uid": pki.pem(none) + key, "other-uid": pki.pem(other) + key,
            "key-of-another": cert + pki.pem(keys.tls.key), "cut": cert[:200] + key, "expired": pki.pem(expired) + key,
            "broken-base64": cert.replace("M", "!") + key, "binary": "\0" * 100}


@pytest.mark.parametrize("name", ["empty", "garbage", "certificate-only", "key-only", "encrypted-key", "no-uid",
                                  "other-uid", "key-of-another", "cut", "expired", "broken-base64", "binary"])
def test_row_03_pushcert_that_cannot_work_is_400(site, keys, name):
    reply = upload(site, bad_certificates(keys)[name])
    assert reply.status == 400, reply
    found = members(reply)
    assert list(found) == ["error"] and len(found["error"]) > 5
    assert "PRIVATE" not in found["error"]


def test_row_04_pushcert_get_shows_topic_and_expiry(site):
    reply = site.api("GET", "/v1/pushcert?topic=" + TOPIC)
    assert reply.status == 200
    assert members(reply)["topic"] == TOPIC
    assert "PRIVATE" not in reply.text
    assert site.api("GET", "/v1/pushcert").status == 400
    assert site.api("GET", "/v1/pushcert?topic=com.apple.mgmt.none").status == 500


def test_row_03_pushcert_by_other_methods_is_405(site, keys):
    for method in ("POST", "DELETE", "PATCH"):
        assert upload(site, keys.push_pem, method).status == 405


# push

def push(site, *ids, method="GET", separator=","):
    return site.api(method, "/v1/push/" + separator.join(urllib.parse.quote(one, safe=":") for one in ids))


def test_row_05_push_of_one_is_200(site, phone):
    reply = push(site, phone.id)
    assert reply.status == 200
    found = members(reply)
    assert list(found) == ["status"]
    assert list(found["status"][phone.id]) == ["push_result"]


def test_2_2_json_is_indented_with_tabs_and_sorted(site, new_phone):
    ids = [new_phone(site).id for _ in range(3)]
    reply = push(site, *ids)
    assert reply.text.startswith('{\n\t"status": {\n\t\t"')
    assert list(reply.json["status"]) == sorted(ids)


def test_row_05_push_of_some_good_and_some_bad_is_207(site, phone):
    reply = push(site, phone.id, "nobody")
    assert reply.status == 207
    found = members(reply)["status"]
    assert found[phone.id]["push_result"] and found["nobody"]["push_error"]


def test_row_05_push_of_only_bad_ids_is_500(site):
    reply = push(site, "nobody", "nothing")
    assert reply.status == 500
    assert set(members(reply)["status"]) == {"nobody", "nothing"}


def test_row_05_push_of_the_same_id_twice_has_one_entry(site, phone):
    reply = push(site, phone.id, phone.id)
    assert reply.status == 200
    assert list(reply.json["status"]) == [phone.id]


def test_2_2_push_of_a_bad_id_twice_is_207_as_nanomdm_counts(site):
    assert push(site, "nobody", "nobody").status == 207


def test_row_05_push_with_a_trailing_comma_has_an_id_named_nothing(site, phone):
    reply = site.api("GET", "/v1/push/%s," % phone.id)
    assert reply.status == 207
    assert set(reply.json["status"]) == {phone.id, ""}


def test_row_05_push_ids_may_be_percent_encoded_commas_too(site, new_phone):
    ids = [new_phone(site).id for _ in range(2)]
    reply = push(site, *ids, separator="%2C")
    assert reply.status == 200 and set(reply.json["status"]) == set(ids)


def test_row_05_push_by_any_method(site, phone):
    for method in ("POST", "PUT"):
        assert push(site, phone.id, method=method).status == 200


@pytest.mark.parametrize("method, path", [("GET", "/v1/push"), ("PUT", "/v1/enqueue")])
def test_row_05_without_ids_500_and_without_slash_301(site, method, path):
    body = devices.command()[1] if method == "PUT" else None
    assert site.api(method, path + "/", body).status == 500
    reply = site.api(method, path, body)
    assert reply.status == 301 and reply.headers["Location"].endswith(path + "/")


def test_row_15_push_of_user_channel_ids_with_a_colon(site, phone):
    user = phone.user_channel()
    user.token_update()
    assert push(site, user.id).status == 200
    assert site.api("GET", "/v1/push/" + user.id.replace(":", "%3A")).status == 200


def test_2_2_push_texts_are_escaped(site):
    reply = site.api("GET", "/v1/push/%3Cb%3E%26")
    assert reply.status == 500
    assert "<b>" not in reply.text and "\\u003cb\\u003e\\u0026" in reply.text
    assert "<b>&" in reply.json["status"]


def test_2_3_push_without_a_certificate_for_the_topic(make_site, new_device):
    site = make_site().start()
    device = devices.identity(site, new_device(site))
    device.authenticate()
    device.token_update()
    site.log.expect(r"\[mdm:error\].*push certificate")
    reply = push(site, device.id)
    assert reply.status == 500
    assert "push_error" in reply.text


# enqueue

def test_row_07_enqueue_good(site, phone):
    command_uuid, body = devices.command("ProfileList")
    reply = site.enqueue(phone.id, body)
    assert reply.status == 200
    found = members(reply)
    assert list(found) == ["status", "command_uuid", "request_type"]
    assert found["command_uuid"] == command_uuid and found["request_type"] == "ProfileList"
    assert found["status"][phone.id]["push_result"]
    assert site.queue_uuids(phone.id) == [command_uuid]


def test_row_07_enqueue_nopush(site, phone):
    command_uuid, body = devices.command("ProfileList")
    reply = site.enqueue(phone.id, body, nopush=True)
    assert reply.status == 200
    assert members(reply) == {"no_push": True, "command_uuid": command_uuid, "request_type": "ProfileList"}
    assert list(reply.json)[0] == "no_push"


def test_row_07_nopush_0_suppresses_too_and_an_empty_one_does_not(site, phone):
    reply = site.api("PUT", "/v1/enqueue/%s?nopush=0" % phone.id, devices.command()[1])
    assert reply.json.get("no_push") is True
    reply = site.api("PUT", "/v1/enqueue/%s?nopush=" % phone.id, devices.command()[1])
    assert "no_push" not in reply.json and reply.json["status"][phone.id]["push_result"]


def test_row_07_enqueue_by_any_method_with_a_body(site, phone):
    wanted = []
    for method in ("PUT", "POST", "GET"):
        command_uuid, body = devices.command()
        reply = site.enqueue(phone.id, body, nopush=True, method=method)
        assert reply.status == 200, reply
        wanted.append(command_uuid)
    assert site.queue_uuids(phone.id) == wanted


def test_row_07_enqueue_chunked_with_expect_as_curl_does(site, phone):
    command_uuid, body = devices.command()
    done = subprocess.run(["curl", "-sS", "--cacert", site.keys.tls_ca_file, "-u", "nanomdm:" + API_KEY, "-T", "-", "-H",
                           "Expect: 100-continue", "-w", "%{http_code}", site.at("/mdm/api/v1/enqueue/" + phone.id)],
                          input=body, capture_output=True, timeout=30)
    assert done.stdout.endswith(b"200"), done
    assert site.queue_uuids(phone.id) == [command_uuid]


def test_row_07_enqueue_with_an_empty_body_acts_as_a_push(site, phone):
    reply = site.enqueue(phone.id, b"")
    assert reply.status == 200
    found = members(reply)
    assert list(found) == ["status"] and found["status"][phone.id]["push_result"]


def test_row_07_enqueue_with_an_empty_body_and_nopush_is_500(site, phone):
    reply = site.enqueue(phone.id, b"", nopush=True)
    assert reply.status == 500
    found = members(reply)
    assert found["no_push"] is True and found["command_error"]


@pytest.mark.parametrize("body", [b"nonsense", devices.command("X", CommandUUID="")[1].replace(
    b"<key>CommandUUID</key>", b"<key>Nothing</key>"), devices.command("")[1], b"<plist/>"],
    ids=["text", "no-uuid", "no-request-type", "empty-plist"])
def test_row_07_enqueue_of_what_is_no_command_is_500_with_an_error_alone(site, phone, body):
    reply = site.enqueue(phone.id, body)
    assert reply.status == 500
    assert set(members(reply)) == {"command_error"}


def test_row_07_enqueue_of_a_taken_uuid_is_500_and_pushes_nobody(site, new_phone, apns):
    one, other = new_phone(site), new_phone(site)
    command_uuid, body = devices.command("ProfileList")
    assert site.enqueue(one.id, body, nopush=True).status == 200
    again = devices.command("DeviceLock", command_uuid)[1]
    for target in (one, other):
        reply = site.enqueue(target.id, again)
        assert reply.status == 500
        found = members(reply)
        assert found["command_error"] and found["command_uuid"] == command_uuid
        assert found["request_type"] == "DeviceLock" and "status" not in found
    assert site.queue_uuids(other.id) == []
    assert not apns.pushes(magic=other.push_magic)


@pytest.mark.mpm
def test_row_07_enqueue_with_an_unknown_id_queues_nothing_for_anyone(site, phone):
    command_uuid, body = devices.command()
    reply = site.enqueue([phone.id, "nobody"], body)
    assert reply.status == 500
    assert members(reply)["command_error"]
    assert site.queue_uuids(phone.id) == []
    assert site.show_command(command_uuid) is None
    assert site.enqueue(phone.id, body, nopush=True).status == 200, "the UUID is still free"


def test_row_07_enqueue_with_the_same_id_twice_queues_nothing(site, phone):
    assert site.enqueue([phone.id, phone.id], devices.command()[1]).status == 500
    assert site.queue_uuids(phone.id) == []


def test_2_4_enqueue_for_many_in_one_call(site, phone):
    users = [phone.user_channel() for _ in range(150)]
    for user in users:
        user.token_update()
    command_uuid, body = devices.command()
    ids = [one.id for one in users]
    reply = site.enqueue(ids, body)
    assert reply.status == 200, reply.text[:500]
    assert len(reply.json["status"]) == 150
    assert devices.served(users[0].idle()) == command_uuid
    assert devices.served(users[-1].idle()) == command_uuid


def test_row_07_enqueue_whose_push_cannot_go_keeps_the_command(make_site, new_device):
    site = make_site().start()
    device = devices.identity(site, new_device(site))
    device.authenticate()
    device.token_update()
    site.log.expect(r"\[mdm:error\].*push certificate")
    command_uuid, body = devices.command()
    reply = site.enqueue(device.id, body)
    assert reply.status == 500 and "push_error" in reply.text
    assert devices.served(device.idle()) == command_uuid
