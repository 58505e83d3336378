# SPDX-License-Identifier: Apache-2.0
"""The query for enrollments that NanoMDM is about to get."""

import json
import urllib.parse

import pytest
from cryptography import x509

from .httpd import wait_until


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


def statements(site, filter, limit, **options):
    """How many statements such a query takes, by the access log, which httpd writes after its answer. The limit marks
    its line there."""
    mark = "?limit=%d " % limit

    def lines():
        with open(site.path("access.log")) as log:
            return [one.split()[-2] for one in log if mark in one and one.endswith("\n")]
    query(site, filter, mark.strip(), **options)
    return wait_until(lines, what="the access log")


def test_2_10_a_page_takes_one_statement_with_certificates_too(site, new_phone):
    phones = [new_phone(site) for _ in range(3)]
    ids, serials = {"ids": [one.id for one in phones]}, {"serials": [one.serial for one in phones]}
    for number, wanted in enumerate((ids, serials, None)):
        assert statements(site, wanted, 990 + number) == ["1"]
        assert statements(site, wanted, 980 + number, include_device_cert=True) == ["1"]
    for wanted in (ids, serials):
        shown = query(site, wanted, include_device_cert=True)["enrollments"]
        assert sorted(one["id"] for one in shown) == sorted(ids["ids"])
        assert all("BEGIN CERTIFICATE" in one["device"]["device_cert"] for one in shown)
    twice = [phones[0].id, phones[0].id]
    assert [one["id"] for one in query(site, {"ids": twice})["enrollments"]] == twice[:1]
    assert "device_cert" not in query(site, {"ids": twice})["enrollments"][0]["device"]


@pytest.mark.parametrize("body, words", [
    ({"where": {}}, "there is no member where; there are filter, options"),
    ({"filter": {"id": ["x"]}}, "filter: there is no member id; there are ids, serials, user_short_names, types, enabled"),
    ({"options": {"x": True}}, "options: there is no member x; there are include_device_cert, include_unlock_token")])
def test_2_10_a_member_that_is_not_known_is_named(site, body, words):
    assert site.api("POST", "/v1/enrollments/query", json.dumps(body).encode()).json["error"] == words


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
