# SPDX-License-Identifier: Apache-2.0
"""MicroMDM's routes, as NanoCMD and KMFDDM use them with -micromdm: for the user micromdm and nobody else."""

import base64
import urllib.parse

import pytest

from .devices import API_KEY, command, served

pytestmark = pytest.mark.once


def call(site, method, path, body=None, **options):
    return site.api(method, path, body, **{"user": "micromdm", **options})


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_2_11_a_command_is_queued_and_the_device_woken(site, new_phone, apns, method):
    phone = new_phone(site)
    uuid, body = command("ProfileList")
    reply = call(site, method, "/v1/commands/" + phone.id, body)
    assert reply.status == 201 and reply.headers["Content-Type"] == "application/json"
    assert reply.json == {"payload": {"udid": phone.id, "command_uuid": uuid, "command": {"request_type": "ProfileList"},
                                      "payload": base64.b64encode(body).decode()}}
    assert apns.wait_pushes(1, magic=phone.push_magic)
    assert site.show_command(uuid)["created_by"] == "nanomdm", "one key is one person"
    assert served(phone.idle()) == uuid


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/push/", "/v1/push/"])
def test_2_11_a_push_tells_its_apns_id(site, new_phone, apns, method, path):
    phone = new_phone(site)
    reply = call(site, method, path + phone.id)
    assert reply.status == 200 and reply.json["status"] == "success"
    pushed = apns.wait_pushes(1, magic=phone.push_magic)
    assert pushed and list(reply.json) == ["status", "push_notification_id"] and reply.json["push_notification_id"]


def test_2_11_a_user_channel_is_named_as_everywhere_here(site, phone):
    user = phone.user_channel()
    user.token_update()
    uuid, body = command("ProfileList")
    assert call(site, "POST", "/v1/commands/" + urllib.parse.quote(user.id), body).status == 201
    assert site.queue_uuids(user.id) == [uuid] and site.queue_uuids(phone.id) == []


def test_2_11_delete_empties_the_queue(site, phone):
    for _ in range(2):
        assert call(site, "POST", "/v1/commands/" + phone.id, command()[1]).status == 201
    assert call(site, "DELETE", "/v1/commands/" + phone.id).status == 200
    assert site.queue_uuids(phone.id) == []


def test_what_cannot_be_done_is_said(site, phone):
    uuid, body = command()
    assert call(site, "POST", "/v1/commands/nobody", body).status == 400
    assert call(site, "POST", "/v1/commands/" + phone.id, b"nonsense").status == 400
    assert call(site, "POST", "/v1/commands/" + phone.id, b"").status == 400
    assert call(site, "POST", "/v1/commands/" + phone.id, body).status == 201
    assert call(site, "POST", "/v1/commands/" + phone.id, body).status == 409
    assert call(site, "GET", "/push/nobody").status == 500


def test_who_orders_here_does_not_approve_with_the_same_key(make_site, new_phone):
    site = make_site(directives={"MDMApproval": "EraseDevice"}).start()
    site.upload_push_certificate()
    phone = new_phone(site)
    uuid, body = command("EraseDevice")
    assert call(site, "POST", "/v1/commands/" + phone.id, body).status == 201
    assert site.api("POST", "/v1/commands/%s/approve" % uuid).status == 403
    assert served(phone.idle()) is None


def test_2_11_that_user_gets_nothing_else(site, phone, keys):
    site.log.expect("a wrong API user or key")
    for method, path in (("GET", "/v1/enrollments"), ("GET", "/v1/enrollments/" + phone.id), ("GET", "/v1/webhooks"),
                         ("GET", "/v1/commands"), ("PUT", "/v1/enqueue/" + phone.id), ("GET", "/v1/pushcert"),
                         ("PUT", "/v1/pushcert"), ("GET", "/v1/push/"), ("GET", "/v1/commands/types")):
        reply = call(site, method, path, keys.push_pem if method == "PUT" else None)
        assert reply.status in (403, 405), (method, path, reply)
    for path in ("/v1/commands/" + phone.id, "/push/" + phone.id):
        for wrong in ("", "wrong", API_KEY[:-1]):
            assert call(site, "POST", path, key=wrong).status == 401
    assert site.api("GET", "/push/" + phone.id).status == 404, "it is not nanomdm's path"
