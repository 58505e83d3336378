# SPDX-License-Identifier: Apache-2.0
"""The query for enrollments that NanoMDM is about to get."""

import json
import urllib.parse

import pytest
from cryptography import x509


def query(site, filter=None, params="", status=200, **options):
    body = {key: value for key, value in (("filter", filter), ("options", options)) if value}
    reply = site.api("POST", "/v1/enrollments/query" + params, json.dumps(body).encode())
    assert reply.status == status, reply.text
    return reply.json


def test_2_10_a_query_filters_enrollments(site, new_phone):
    phone, other = new_phone(site), new_phone(site)
    user = phone.user_channel(short_name="anna", long_name="Anna A.")
    user.token_update()
    other.checkout()
    told = query(site, {"ids": [phone.id]})["enrollments"]
    # when it was seen is written down by and by
    assert told == [{"id": phone.id, "type": "Device", "device": {"serial_number": phone.serial}, "enabled": True,
                     "token_update_tally": 1, **{key: told[0][key] for key in told[0] if key == "last_seen"}}]

    def found(**filter):
        return [one["id"] for one in query(site, filter)["enrollments"]]
    mine = sorted([phone.id, user.id])
    assert found(serials=[phone.serial]) == mine and found(serials=[phone.serial], types=["User"]) == [user.id]
    assert found(user_short_names=["anna"], serials=[phone.serial, other.serial]) == [user.id]
    assert found(ids=[phone.id, other.id], enabled=True) == [phone.id]
    assert found(ids=[phone.id, other.id], enabled=False) == [other.id]
    assert found(ids=["no such", '"]', "%", "'"]) == [] and found(ids=[], serials=[phone.serial]) == mine
    told = query(site, {"ids": [user.id]})["enrollments"][0]
    assert told["user"] == {"user_short_name": "anna", "user_long_name": "Anna A."}
    assert told["device"] == {"serial_number": phone.serial}


def test_2_10_pages_and_certificates(site, new_phone):
    phones = {one.id: one for one in (new_phone(site) for _ in range(3))}
    wanted, seen, cursor = {"ids": sorted(phones)}, [], ""
    for _ in range(4):
        page = query(site, wanted, "?limit=1" + cursor, include_device_cert=True)
        seen += page["enrollments"]
        if "next_cursor" not in page:
            break
        cursor = "&cursor=" + urllib.parse.quote(page["next_cursor"])
    assert [one["id"] for one in seen] == sorted(phones)
    for one in seen:
        assert x509.load_pem_x509_certificate(one["device"]["device_cert"].encode()) == phones[one["id"]].certificate
    assert [one["id"] for one in query(site, wanted, "?limit=2&offset=1")["enrollments"]] == sorted(phones)[1:]


@pytest.mark.parametrize("body, params", [
    ({"filter": []}, ""), ({"filter": {"ids": "x"}}, ""), ({"filter": {"ids": [1]}}, ""), ({"filter": {"id": ["x"]}}, ""),
    ({"filter": {"enabled": 1}}, ""), ({"options": {"include_unlock_token": True}}, ""), ({"options": {"x": True}}, ""),
    ({"options": {"include_device_cert": "yes"}}, ""), ({"where": {}}, ""), ({}, "?limit=0"), ({}, "?limit=x"),
    ({}, "?offset=-1")], ids=range(12))
def test_2_10_what_is_no_query_is_refused(site, body, params):
    reply = site.api("POST", "/v1/enrollments/query" + params, json.dumps(body).encode())
    assert reply.status == 400 and reply.json["error"], reply.text


def test_2_10_needs_a_key_and_post(site):
    assert site.http.request("POST", site.at("/mdm/api/v1/enrollments/query"), b"{}").status == 401
    assert site.api("GET", "/v1/enrollments/query").status == 405
