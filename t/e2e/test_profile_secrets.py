# SPDX-License-Identifier: Apache-2.0
"""Secrets that profiles name: generations, who uses them, and that no value is ever seen again."""

import base64
import json
import plistlib

import pytest

from .site import Site
from .test_profiles import ASPEN, JSON, WIFI, at_once, name_of, opened, profile_of, put
from .test_secrets import nowhere_in_the_database, nowhere_in_the_logs


def give(site, name, value):
    return site.api("PUT", "/v1/secrets/" + name, json.dumps({"value": value}).encode(), JSON)


def test_generations_uses_and_farewell(site):
    name, profile = name_of("wifi"), name_of("uses")
    made = give(site, name, "first")
    assert made.status == 201 and made.json == {"name": name, "generation": 1, "outcome": "created", "used_by": [],
                                                "enrollments": 0}, made.text
    assert give(site, name, "first").json["outcome"] == "unchanged"
    put(site, profile, profile_of(payloads=(dict(WIFI, Password="${secret.%s}" % name),)))
    changed = give(site, name, "second")
    assert changed.status == 200 and changed.json["generation"] == 2 and changed.json["outcome"] == "changed"
    assert changed.json["used_by"] == [{"profile": profile, "version": 1, "current": True}]
    shown = site.api("GET", "/v1/secrets/" + name)
    assert [one["generation"] for one in shown.json["generations"]] == [2, 1]
    assert "retired_at" in shown.json["generations"][1] and "retired_at" not in shown.json["generations"][0]
    assert "first" not in shown.text and "second" not in shown.text
    listed = [one for one in site.api("GET", "/v1/secrets?limit=1000").json["secrets"] if one["name"] == name]
    assert listed[0]["generation"] == 2 and listed[0]["profiles"] == 1
    assert len(site.database.sql("SELECT id FROM mdm_change WHERE kind = 'secret' AND object = '%s'" % name)) == 1
    refused = site.api("DELETE", "/v1/secrets/" + name)
    assert refused.status == 409 and profile in refused.json["error"], refused.text
    put(site, profile, profile_of(payloads=(WIFI,)))
    assert site.api("DELETE", "/v1/secrets/" + name).status == 204
    assert site.api("GET", "/v1/secrets/" + name).status == 404
    back = site.api("POST", "/v1/profiles/%s/versions/1/restore" % profile)
    assert back.status == 400 and name in back.json["error"], back.text


def test_a_download_has_the_present_value_and_another_uuid(site):
    text, blob, profile = name_of("text"), name_of("blob"), name_of("values")
    give(site, text, "pa<ss> & word")
    give(site, blob, base64.b64encode(b"\0\1\2").decode())
    certificate = {"PayloadType": "com.apple.security.pkcs12", "PayloadVersion": 1,
                   "PayloadIdentifier": "com.example.p12", "PayloadUUID": "6E8E1A1B-7D4B-4F8F-8E35-3B8F1B6C2A10",
                   "PayloadContent": "${secret.%s:data}" % blob,
                   "Password": "a${secret.%s}b" % text}
    made = put(site, profile, profile_of(payloads=(certificate,)))
    assert made.status == 201 and made.json["secrets"] == sorted([text, blob]), made.text
    before = opened(site, site.api("GET", "/v1/profiles/%s/download" % profile))
    assert before["PayloadContent"][0]["PayloadContent"] == b"\0\1\2"
    assert before["PayloadContent"][0]["Password"] == "apa<ss> & wordb"
    give(site, text, "other")
    after = opened(site, site.api("GET", "/v1/profiles/%s/download" % profile))
    assert after["PayloadContent"][0]["Password"] == "aotherb" and after["PayloadUUID"] != before["PayloadUUID"]
    give(site, text, "pa<ss> & word")
    again = opened(site, site.api("GET", "/v1/profiles/%s/download" % profile))
    assert again == before
    refused = give(site, blob, "not base64!")
    assert refused.status == 400 and profile in refused.json["error"] and "not base64!" not in refused.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"value": 7}', b'{"value": ""}', b'{"value": "a\\u0000b"}',
                                  b'{"value": "bell\\u0007"}', b'{"value": "CANARY", "other": 1}'])
def test_what_is_no_value_is_refused(site, body):
    name = name_of("refused")
    reply = site.api("PUT", "/v1/secrets/" + name, body, JSON)
    assert reply.status == 400 and reply.json["error"].startswith('secret "%s": ' % name), reply.text
    assert "CANARY" not in reply.text


def test_limits_and_names_of_secrets(site):
    name = name_of("large")
    assert give(site, name, "x" * 65536).status == 201
    assert give(site, name, "x" * 65537).status == 413
    assert give(site, name, "y" * 1000000).status == 413
    assert site.api("GET", "/v1/secrets/" + name).json["generation"] == 1
    assert give(site, "a/b", "x").status == 400
    assert give(site, ".x", "x").status == 400
    assert site.api("POST", "/v1/secrets/" + name).status == 405
    assert site.api("DELETE", "/v1/secrets/" + name_of("none")).status == 404


def test_values_given_at_the_same_time_are_a_generation_each(site):
    name = name_of("race")
    replies = at_once(6, lambda n: give(site, name, "value %d" % n))
    assert sorted(one.json["generation"] for one in replies) == list(range(1, 7)), [one.text for one in replies]
    shown = site.api("GET", "/v1/secrets/" + name).json["generations"]
    assert [one["generation"] for one in shown if "retired_at" not in one] == [6]


@pytest.fixture(scope="module")
def loud(keys, apns, variant, make_database):
    site = Site(keys, make_database(variant[1]), apns, variant[0],
                loglevel="mdm:trace8 dbd:trace8 core:trace8 http:trace8")
    site.start()
    yield site
    site.close()


def test_no_value_is_seen_again(loud):
    """Literal ones in a profile and named ones, taken and refused, shown, compared, downloaded, rotated."""
    secrets = {"first": "canary-FIRST-31", "second": "canary-SECOND-32", "literal": "canary-LITERAL-33",
               "refused": "canary-REFUSED-34 \a", "in data": base64.b64encode(b"canary-DATA-35").decode()}
    seen, name, profile = [], name_of("canary"), name_of("canary")
    for value in (secrets["first"], secrets["refused"], secrets["second"]):
        seen.append(give(loud, name, value))
    seen.append(give(loud, name + "-data", secrets["in data"]))
    seen.append(loud.api("PUT", "/v1/secrets/" + name, b'{"value": "%s"' % secrets["first"].encode(), JSON))
    for payload in (dict(WIFI, Password=secrets["literal"]), dict(WIFI, Password="x${secret.%s}" % name),
                    dict(WIFI, Password="${secret.%s}" % name), dict(WIFI, Password=secrets["literal"], SSID_STR=5)):
        seen.append(put(loud, profile, profile_of(payloads=(payload,))))
        seen.append(loud.api("POST", "/v1/profiles/%s/check" % profile, plistlib.dumps(profile_of(payloads=(payload,))),
                             ASPEN))
    seen.append(loud.api("POST", "/v1/profiles/%s/versions/1/restore" % profile))
    seen.append(give(loud, name, secrets["first"]))
    for path in ("", "/versions", "/versions/1", "/versions/2", "/versions/3/diff?with=1", "/versions/1/diff?with=2"):
        seen.append(loud.api("GET", "/v1/profiles/" + profile + path))
    for path in ("/v1/secrets", "/v1/secrets/" + name, "/v1/profiles"):
        seen.append(loud.api("GET", path))
    download = opened(loud, loud.api("GET", "/v1/profiles/%s/download?version=3" % profile))
    assert download["PayloadContent"][0]["Password"] == secrets["first"], "the value is in use"
    assert {reply.status for reply in seen} == {200, 201, 400}
    for reply in seen:
        for what, value in secrets.items():
            assert value.strip(" \a") not in reply.text, what
    values = {what: value.strip(" \a") for what, value in secrets.items()}
    nowhere_in_the_database(loud, values, profile)
    nowhere_in_the_logs(loud, values)
