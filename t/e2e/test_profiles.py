# SPDX-License-Identifier: Apache-2.0
"""The library of profiles: what is taken, versions and roll-back, differences, downloads, farewells. Oracles: plistlib
and openssl."""

import concurrent.futures
import contextlib
import copy
import hashlib
import json
import plistlib
import subprocess
import uuid
from urllib.parse import quote

import pytest
from mdmsim import web

from .httpd import wait_until
from .test_directory_broken import Hold

JSON = {"Content-Type": "application/json"}
ASPEN = {"Content-Type": "application/x-apple-aspen-config"}
WIFI = {"PayloadType": "com.apple.wifi.managed", "PayloadVersion": 1, "PayloadIdentifier": "com.example.wifi.one",
        "PayloadUUID": "2B7C1F0A-50C3-4C0F-9B1F-0B6C9D4D7A11", "AutoJoin": True, "EncryptionType": "WPA2",
        "HIDDEN_NETWORK": False, "Password": "literal-CANARY", "ProxyType": "None", "SSID_STR": "Example & Söhne"}


def name_of(prefix):
    return "%s-%s" % (prefix, uuid.uuid4().hex[:8])


def profile_of(identifier=None, payloads=(WIFI,), **keys):
    made = {"PayloadType": "Configuration", "PayloadVersion": 1, "PayloadUUID": str(uuid.uuid4()).upper(),
            "PayloadDisplayName": "Wi-Fi", "PayloadContent": [dict(one) for one in payloads], **keys}
    if identifier:
        made["PayloadIdentifier"] = identifier
    return made


def put(site, name, body, headers=ASPEN, query=""):
    if isinstance(body, dict):
        body = json.dumps(body).encode() if headers is JSON else plistlib.dumps(body)
    return site.api("PUT", "/v1/profiles/%s%s" % (name, query), body, headers)


def get(site, path, status=200):
    reply = site.api("GET", "/v1/profiles/" + path)
    assert reply.status == status, reply.text
    return reply.json


def openssl(*args, data):
    done = subprocess.run(["openssl", *args], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def opened(site, reply):
    """The property list in a download, its signature checked up to the CA that devices trust."""
    assert reply.status == 200 and reply.content_type == "application/x-apple-aspen-config", reply.text
    return plistlib.loads(openssl("cms", "-verify", "-inform", "DER", "-CAfile", site.keys.tls_ca_file, "-purpose",
                                  "any", data=reply.body))


def typed(value):
    """A value with the types of all that is in it: True is not 1, and octets are no text."""
    if isinstance(value, dict):
        return dict, {key: typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return list, [typed(one) for one in value]
    return type(value), value


def same_content(made, source):
    """Equal key for key and type for type, but for the PayloadUUID of the whole."""
    left, right = dict(made), dict(source)
    assert uuid.UUID(left.pop("PayloadUUID")) != uuid.UUID(right.pop("PayloadUUID"))
    assert typed(left) == typed(right)


def test_feature_23_every_form_of_a_file_comes_back_signed(site):
    name, source = name_of("forms"), profile_of("com.example." + name_of("forms"))
    xml = plistlib.dumps(source)
    made = put(site, name, xml)
    assert made.status == 201 and made.json["version"] == 1 and made.json["outcome"] == "created", made.text
    assert made.json["identifier"] == source["PayloadIdentifier"] and made.json["types"] == [WIFI["PayloadType"]]
    signed = openssl("smime", "-sign", "-nodetach", "-outform", "DER", "-binary", "-signer", site.keys.server_file,
                     "-inkey", site.keys.server_key_file, data=xml)
    for body in (xml, plistlib.dumps(source, fmt=plistlib.FMT_BINARY), signed, b"\xef\xbb\xbf" + xml):
        again = put(site, name, body)
        assert again.status == 200 and again.json["outcome"] == "unchanged", again.text
    reply = site.api("GET", "/v1/profiles/%s/download" % name)
    same_content(opened(site, reply), source)
    same = opened(site, site.api("GET", "/v1/profiles/%s/download" % name))
    assert same["PayloadUUID"] == opened(site, reply)["PayloadUUID"]


def test_feature_25_a_download_is_a_signed_file_that_devices_and_tools_take(site):
    name = name_of("download")
    put(site, name, profile_of())
    reply = site.api("GET", "/v1/profiles/%s/download" % name)
    assert reply.status == 200 and reply.headers["Content-Type"] == "application/x-apple-aspen-config"
    assert reply.headers["Content-Disposition"] == 'attachment; filename="%s.mobileconfig"' % name
    assert "no-store" in reply.headers["Cache-Control"]
    assert opened(site, reply)["PayloadContent"][0]["SSID_STR"] == WIFI["SSID_STR"]


def test_feature_03_wifi_of_json_round_trips_key_for_key(site):
    name = name_of("json")
    keys = {key: value for key, value in WIFI.items() if not key.startswith("Payload")}
    body = {"display_name": "Wi-Fi", "description": "For all", "scope": "System", "note": "first",
            "payloads": [{"type": WIFI["PayloadType"], **keys}]}
    made = put(site, name, body, JSON)
    assert made.status == 201, made.text
    assert made.json["identifier"].endswith(".p." + name) and made.json["display_name"] == "Wi-Fi"
    assert put(site, name, body, JSON).json["outcome"] == "unchanged"
    download = opened(site, site.api("GET", "/v1/profiles/%s/download" % name))
    payload = download["PayloadContent"][0]
    assert typed({key: payload[key] for key in keys}) == typed(keys)
    assert payload["PayloadIdentifier"].startswith(made.json["identifier"] + ".") and uuid.UUID(payload["PayloadUUID"])
    shown = get(site, name)
    assert shown["profile"]["payloads"][0]["SSID_STR"] == WIFI["SSID_STR"]
    assert shown["profile"]["payloads"][0]["Password"] == "********"
    assert get(site, name + "/versions")["versions"][0]["note"] == "first"


def test_what_is_shown_can_be_put_again(site):
    name = name_of("shown")
    own = {"PayloadType": "com.example.own", "type": "mine", "real": 2.0, "whole": 2, "small": 1e-7, "bytes": b"\0"}
    put(site, name, profile_of(payloads=(own,)))
    shown = get(site, name)["profile"]
    assert shown["payloads"][0]["type"] == "mine" and shown["payloads"][0]["PayloadType"] == "com.example.own"
    again = put(site, name, shown, JSON)
    assert again.status == 200 and again.json["outcome"] == "unchanged", again.text


def test_feature_16_versions_differences_and_roll_back(site):
    name = name_of("versions")
    put(site, name, profile_of(), query="?note=the%20first")
    second = dict(WIFI, AutoJoin=False, Password="other-CANARY", DomainName="example.org")
    del second["HIDDEN_NETWORK"]
    clip = {"PayloadType": "com.apple.webClip.managed", "PayloadIdentifier": "com.example.clip", "PayloadVersion": 1,
            "PayloadUUID": str(uuid.uuid4()), "Label": "Intranet", "URL": "https://intranet.example.org/"}
    changed = put(site, name, profile_of(payloads=(second, clip)))
    assert changed.status == 200 and changed.json["outcome"] == "changed" and changed.json["version"] == 2, changed.text
    versions = get(site, name + "/versions")["versions"]
    assert [(one["version"], one["current"], one.get("note")) for one in versions] == [
        (2, True, None), (1, False, "the first")]
    assert versions[0]["created_by"] and versions[0]["created_at"] >= versions[1]["created_at"]
    digests = [get(site, "%s/versions/%d" % (name, n))["digest"] for n in (1, 2)]
    assert digests[1] == changed.json["digest"] != digests[0]
    cursor = get(site, name + "/versions?limit=1")["next_cursor"]
    assert [one["version"] for one in get(site, name + "/versions?limit=1&cursor=" + cursor)["versions"]] == [1]
    reply = site.api("GET", "/v1/profiles/%s/versions/2/diff" % name)
    assert "CANARY" not in reply.text
    changes = {one["path"]: one for one in reply.json["changes"]}
    assert set(changes) == {"PayloadContent[0].AutoJoin", "PayloadContent[0].DomainName", "PayloadContent[0].Password",
                            "PayloadContent[0].HIDDEN_NETWORK", "PayloadContent[1]"}
    assert changes["PayloadContent[0].AutoJoin"] == {"change": "changed", "path": "PayloadContent[0].AutoJoin",
                                                     "from": True, "to": False}
    assert changes["PayloadContent[0].Password"]["from"] == changes["PayloadContent[0].Password"]["to"] == "********"
    assert changes["PayloadContent[1]"]["change"] == "added"
    assert changes["PayloadContent[1]"]["to"]["Label"] == "Intranet"
    back = get(site, name + "/versions/1/diff?with=2")
    assert {one["path"]: one["change"] for one in back["changes"]}["PayloadContent[1]"] == "removed"
    assert get(site, name + "/versions/1/diff?with=1")["changes"] == []
    restored = site.api("POST", "/v1/profiles/%s/versions/1/restore" % name)
    assert restored.status == 200 and restored.json["version"] == 1 and restored.json["outcome"] == "changed"
    assert site.api("POST", "/v1/profiles/%s/versions/1/restore" % name).json["outcome"] == "unchanged"
    assert opened(site, site.api("GET", "/v1/profiles/%s/download" % name))["PayloadContent"][0]["AutoJoin"] is True
    old = opened(site, site.api("GET", "/v1/profiles/%s/download?version=2" % name))
    assert old["PayloadContent"][1]["Label"] == "Intranet"
    assert put(site, name, profile_of(payloads=(clip,))).json["version"] == 3
    events = [row[0] for row in site.database.sql("SELECT kind FROM mdm_event WHERE object = '%s' ORDER BY id" % name)]
    assert [one for one in events if one != "profile.downloaded"] == [
        "profile.created", "profile.saved", "profile.restored", "profile.saved"]
    (profile,), = site.database.sql("SELECT id FROM mdm_profile WHERE name = '%s'" % name)
    assert len(site.database.sql("SELECT id FROM mdm_change WHERE kind = 'profile' AND object = '%s'" % profile)) == 3


def test_no_answer_tells_whether_a_guessed_password_is_right(site):
    name = name_of("guess")
    source = profile_of("com.example." + name)
    replies = [put(site, name, source), put(site, name, source),
               site.api("POST", "/v1/profiles/%s/check" % name, plistlib.dumps(source), ASPEN),
               site.api("POST", "/v1/profiles/%s/versions/1/restore" % name),
               site.api("GET", "/v1/profiles?limit=1000"),
               *[site.api("GET", "/v1/profiles/" + name + path)
                 for path in ("", "/versions", "/versions/1", "/versions/1/diff?with=1")]]
    del source["PayloadUUID"]
    guessed = hashlib.sha256(plistlib.dumps(source, sort_keys=True)).hexdigest()
    for reply in replies:
        assert reply.status in (200, 201) and guessed not in reply.text, reply.text


@pytest.mark.parametrize("change, said", [
    ({"PayloadType": "Profile Service"}, "PayloadType"),
    ({"PayloadContent": {}}, "PayloadContent"),
    ({"PayloadContent": []}, "PayloadContent"),
    ({"EncryptedPayloadContent": b"0"}, "encrypted"),
    ({"PayloadScope": "Galaxy"}, "PayloadScope"),
    ({"PayloadContent": [{"PayloadType": "com.apple.mdm", "Topic": "x"}]}, "com.apple.mdm"),
    ({"PayloadContent": [dict(WIFI, SSID_STR=7)]}, "SSID_STR"),
    ({"PayloadContent": [dict(WIFI, Pasword="x")]}, "Pasword"),
    ({"PayloadContent": [dict(WIFI, Password="${secret.no-such}")]}, "PUT v1/secrets/no-such"),
    ({"PayloadContent": [dict(WIFI, Password="${user.mail")]}, "PayloadContent[0].Password"),
    ({"PayloadContent": [dict(WIFI, Password="${device.serail}")]}, "serial_number"),
    ({"PayloadDisplayName": "${secret.no-such}"}, "PayloadDisplayName"),
    ({"PayloadContent": [WIFI, WIFI]}, "two payloads have the PayloadUUID"),
])
def test_refusals_name_object_key_and_remedy_and_leave_nothing(site, change, said):
    name = name_of("refused")
    for method, path in (("POST", "/check"), ("PUT", "")):
        reply = site.api(method, "/v1/profiles/%s%s" % (name, path), plistlib.dumps({**profile_of(), **change}), ASPEN)
        assert reply.status == 400 and reply.json["error"].startswith('profile "%s": ' % name), reply.text
        assert said in reply.json["error"], reply.text
        assert "literal-CANARY" not in reply.text
    get(site, name, 404)
    assert site.database.sql("SELECT kind FROM mdm_event WHERE object = '%s'" % name) == []


def test_all_findings_are_told_at_once(site):
    wrong = dict(WIFI, SSID_STR=7, Pasword="x")
    reply = put(site, name_of("findings"), profile_of(payloads=(wrong,)))
    assert reply.status == 400 and len(reply.json["findings"]) >= 2, reply.text
    assert {one.get("key") for one in reply.json["findings"]} >= {"SSID_STR", "Pasword"}


@pytest.mark.parametrize("body", [b"", b"nonsense", b"0\x80nonsense", b"bplist00garbage", b"<plist><dict>"])
def test_what_is_no_property_list_is_refused(site, body):
    name = name_of("nonsense")
    reply = put(site, name, body)
    assert reply.status == 400 and reply.json["error"].startswith('profile "%s": ' % name), reply.text


def test_identifiers_are_for_good(site):
    name, identifier = name_of("identifier"), "com.example." + name_of("identifier")
    assert put(site, name, profile_of(identifier)).status == 201
    other = put(site, name, profile_of(identifier + ".other"))
    assert other.status == 409 and identifier in other.json["error"], other.text
    taken = put(site, name_of("identifier"), profile_of(identifier))
    assert taken.status == 409 and name in taken.json["error"], taken.text
    own = put(site, name_of("identifier"), profile_of()).json["identifier"]
    enrollment = own[:own.rindex(".p.")]
    for one in (enrollment, enrollment.upper(), enrollment + ".mdm", enrollment + ".p." + name):
        reply = put(site, name_of("identifier"), profile_of(one))
        assert reply.status == 400 and "PayloadIdentifier" in reply.json["error"], reply.text


def test_a_check_says_what_a_save_would_do(site):
    name = name_of("check")
    body = plistlib.dumps(profile_of())
    said = site.api("POST", "/v1/profiles/%s/check" % name, body, ASPEN)
    assert said.status == 200 and said.json["outcome"] == "created" and said.json["version"] == 1, said.text
    get(site, name, 404)
    put(site, name, body)
    assert site.api("POST", "/v1/profiles/%s/check" % name, body, ASPEN).json["outcome"] == "unchanged"
    other = plistlib.dumps(profile_of(payloads=(dict(WIFI, AutoJoin=False),)))
    assert site.api("POST", "/v1/profiles/%s/check" % name, other, ASPEN).json["outcome"] == "changed"
    assert get(site, name)["version"] == 1


def test_variables_in_a_download(site, phone):
    name = name_of("variables")
    payload = dict(WIFI, Password="p-${device.serial_number}-$${x}", DomainName="${user.login}",
                   DisplayedOperatorName="${user.title} </string> of ${device.udid}")
    made = put(site, name, profile_of(payloads=(payload,)))
    assert made.status == 201, made.text
    assert set(made.json["variables"]) == {"user.login", "user.title", "device.serial_number", "device.udid"}
    refused = site.api("GET", "/v1/profiles/%s/download" % name)
    assert refused.status == 400 and "?enrollment=" in refused.json["error"], refused.text
    assert site.api("GET", "/v1/profiles/%s/download?enrollment=none" % name).status == 404
    assert site.api("GET", "/v1/profiles/%s/download?user=no-such-user" % name).status == 404
    lacks = site.api("GET", "/v1/profiles/%s/download?enrollment=%s" % (name, phone.id))
    assert lacks.status == 400 and "title" in lacks.json["error"], lacks.text
    person = name_of("anna")
    site.database.sql("INSERT INTO mdm_user (login, display_name, email, attributes, source, disabled, created_at, "
                      "changed_at, synced_at) VALUES ('%s', 'Anna', 'anna@example.org', '{\"title\":\"<Nurse> & "
                      "${secret.x}\"}', 'api', 0, 1, 1, 0)" % person)
    made = opened(site, site.api("GET", "/v1/profiles/%s/download?user=%s&enrollment=%s" % (name, person, phone.id)))
    payload = made["PayloadContent"][0]
    assert payload["DomainName"] == person and payload["Password"].endswith("-${x}")
    assert payload["DisplayedOperatorName"] == "<Nurse> & ${secret.x} </string> of " + phone.id
    assert site.database.sql("SELECT detail FROM mdm_event WHERE kind = 'profile.downloaded' AND object = '%s'"
                             % name) == [["version 1 for " + person]]


def test_variables_of_a_user_channel_are_those_of_its_device(site, phone):
    name, user = name_of("channel"), phone.user_channel()
    user.token_update()
    payload = dict(WIFI, SSID_STR="${device.enrollment_id}|${device.udid}|${device.serial_number}|${user.login}")
    assert put(site, name, profile_of(payloads=(payload,))).status == 201
    rendered = [opened(site, site.api("GET", "/v1/profiles/%s/download?enrollment=%s" % (name, quote(one.id, safe=""))))
                ["PayloadContent"][0]["SSID_STR"].split("|") for one in (phone, user)]
    assert rendered[0][0] == phone.id and rendered[1][0] == user.id != phone.id
    assert rendered[0][1:] == rendered[1][1:] and rendered[0][1] == phone.id and all(rendered[0])


def test_an_archived_profile_is_gone_and_can_come_back(site):
    name = name_of("archive")
    put(site, name, profile_of())
    gone = site.api("DELETE", "/v1/profiles/" + name)
    assert gone.status == 200 and gone.json == {"name": name, "assignments": 0, "enrollments": 0}, gone.text
    get(site, name, 404)
    assert site.api("DELETE", "/v1/profiles/" + name).status == 404
    assert site.api("POST", "/v1/profiles/%s/versions/1/restore" % name).status == 404
    assert name not in [one["name"] for one in site.api("GET", "/v1/profiles?limit=1000").json["profiles"]]
    back = put(site, name, profile_of())
    assert back.status == 201 and back.json["version"] == 2, back.text
    assert len(get(site, name + "/versions")["versions"]) == 2


def test_pages_and_routes_of_profiles(site):
    names = sorted(name_of("page") for _ in range(3))
    for one in names:
        assert put(site, one, profile_of()).status == 201
    seen, cursor = [], "page-"
    while cursor and len(seen) < 500:
        page = site.api("GET", "/v1/profiles?limit=1&cursor=" + cursor).json
        seen += [one["name"] for one in page["profiles"]]
        cursor = page.get("next_cursor")
    assert [one for one in seen if one in names] == names
    odd = site.api("PUT", "/v1/profiles/a%20b", b"x", ASPEN)
    assert odd.status == 400 and odd.json["error"].startswith('profile "a b": the name must have'), odd.text
    for method, path, status, said in (
            ("GET", "versions/0", 400, "versions must be the number of a version, from 1"),
            ("GET", "versions/9", 404, "there is no version 9"), ("POST", "versions/9/restore", 404, "there is no version 9"),
            ("GET", "versions/1/diff", 400, "with: there is no version before the first: name one to compare it with"),
            ("GET", "versions/1/diff?with=x", 400, "with must be the number of a version, from 1"),
            ("GET", "download?version=9", 404, "version: there is no version 9: give one that there is, or leave it out"),
            ("GET", "devices?state=odd", 400, "state must be one of pending, sent, acked, verified, drifted, failed, "
                                              "blocked, removing, removed, gone")):
        reply = site.api(method, "/v1/profiles/%s/%s" % (names[0], path))
        assert reply.status == status and reply.json["error"] == 'profile "%s": %s' % (names[0], said), reply.text
    assert site.api("GET", "/v1/profiles/%s/nonsense" % names[0]).status == 404
    assert site.api("POST", "/v1/profiles/" + names[0]).status == 405


def at_once(count, call):
    """The answers of so many calls at the same time."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def test_saves_at_the_same_time_make_a_version_each(site):
    name = name_of("race")
    replies = at_once(8, lambda n: put(site, name, profile_of(payloads=(dict(WIFI, SSID_STR="net %d" % n),))))
    assert sorted(one.status for one in replies) == [200] * 7 + [201], [one.text for one in replies]
    assert sorted(one.json["version"] for one in replies) == list(range(1, 9))
    listed = get(site, name + "/versions")["versions"]
    assert len(listed) == 8 and [one["version"] for one in listed if one["current"]] == [8]
    same = at_once(8, lambda n: put(site, name, profile_of(payloads=(dict(WIFI, SSID_STR="the same"),))))
    assert sorted(one.json["outcome"] for one in same) == ["changed"] + ["unchanged"] * 7
    assert {one.json["version"] for one in same} == {9}


def test_a_secret_is_not_deleted_under_a_save(site):
    for turn in range(6):
        name = name_of("race")
        site.api("PUT", "/v1/secrets/" + name, json.dumps({"value": "x"}).encode(), JSON)
        calls = [lambda n: put(site, name, profile_of(payloads=(dict(WIFI, Password="${secret.%s}" % name),))),
                 lambda n: site.api("DELETE", "/v1/secrets/" + name)]
        saved, deleted = at_once(2, lambda n: calls[(n + turn) % 2](n))[::1 if turn % 2 == 0 else -1]
        assert (saved.status, deleted.status) in ((201, 409), (400, 204)), (saved.text, deleted.text)


def apart(site):
    """The site to another client: one client asks one thing at a time."""
    other = copy.copy(site)
    other.http = web.Client(site.keys.tls_ca_file, redirects=0)
    return other


def waiting(site):
    """What sessions wait for that another one holds: "relation", "transactionid" (its rows), "advisory"."""
    return [one[0] for one in site.database.sql("SELECT wait_event FROM pg_stat_activity WHERE datname = current_database() "
                                                "AND wait_event_type = 'Lock'")]


def test_a_restore_under_way_does_not_bring_an_archived_profile_back(site):
    if site.database.kind != "pgsql":
        return        # SQLite has one writer: nothing can come between
    name = name_of("race")
    site.api("PUT", "/v1/secrets/" + name, b'{"value": "x"}', JSON)
    put(site, name, profile_of(payloads=(dict(WIFI, Password="${secret.%s}" % name),)))
    put(site, name, profile_of(payloads=(dict(WIFI, SSID_STR="${device.serial_number}"),)))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with contextlib.closing(Hold(site, "UPDATE mdm_secret SET retired_at = 0 WHERE name = '%s'" % name)):
            restored = pool.submit(apart(site).api, "POST", "/v1/profiles/%s/versions/1/restore" % name)
            wait_until(lambda: "transactionid" in waiting(site), what="the restore to wait for the secret")
            assert site.api("DELETE", "/v1/profiles/" + name).status == 200
        assert restored.result().status == 404, restored.result().text
    get(site, name, 404)
    assert not site.database.sql("SELECT version FROM mdm_profile WHERE name = '%s' AND archived_at = 0" % name)
    assert not site.database.sql("SELECT kind FROM mdm_event WHERE object = '%s' AND kind = 'profile.restored'" % name)


def test_an_assignment_under_way_is_not_left_to_an_archived_profile(site, phone):
    """Held where it is stored: the archive waits for it and ends it."""
    if site.database.kind != "pgsql":
        return
    name = name_of("race")
    put(site, name, profile_of())
    site.database.sql("CREATE FUNCTION held() RETURNS trigger AS 'BEGIN PERFORM pg_advisory_xact_lock(47); RETURN NEW; "
                      "END' LANGUAGE plpgsql; CREATE TRIGGER held BEFORE INSERT ON mdm_assignment FOR EACH ROW EXECUTE "
                      "FUNCTION held()")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        with contextlib.closing(Hold(site, "DO $$BEGIN PERFORM pg_advisory_xact_lock(47); END$$")):
            made = pool.submit(apart(site).api, "POST", "/v1/assignments",
                               json.dumps({"profile": name, "enrollment": phone.id}).encode(), JSON)
            wait_until(lambda: "advisory" in waiting(site), what="the assignment to be stored")
            gone = pool.submit(apart(site).api, "DELETE", "/v1/profiles/" + name)
            wait_until(lambda: gone.done() or "transactionid" in waiting(site), what="the archive")
    site.database.sql("DROP TRIGGER held ON mdm_assignment; DROP FUNCTION held()")
    # it is read once more for the answer, and may be gone by then
    assert made.result().status in (201, 404) and gone.result().status == 200, (made.result(), gone.result())
    assert gone.result().json["assignments"] == 1
    assert not site.database.sql("SELECT a.id FROM mdm_assignment a JOIN mdm_profile p ON p.id = a.profile WHERE "
                                 "p.name = '%s'" % name)


def test_a_new_value_of_a_secret_reaches_a_save_under_way(site):
    if site.database.kind != "pgsql":
        return
    name = name_of("race")

    def give(value):
        return apart(site).api("PUT", "/v1/secrets/" + name, json.dumps({"value": value}).encode(), JSON)
    give("first")
    body = profile_of(payloads=(dict(WIFI, Password="${secret.%s}" % name),))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        with contextlib.closing(Hold(site, "LOCK TABLE mdm_profile IN SHARE MODE")):
            saved = pool.submit(put, apart(site), name, body)
            wait_until(lambda: "relation" in waiting(site), what="the save to have looked at the secret")
            given = pool.submit(give, "second")
            wait_until(lambda: "transactionid" in waiting(site), what="the new value to wait for the save")
    assert (saved.result().status, given.result().status) == (201, 200), (saved.result(), given.result())
    assert [one["profile"] for one in given.result().json["used_by"]] == [name], given.result().text
    assert site.database.sql("SELECT id FROM mdm_change WHERE kind = 'secret' AND object = '%s'" % name)


def test_large_profiles(site):
    name = name_of("large")
    reply = put(site, name, profile_of(Filler=b"x" * 4 * 1024 * 1024))
    assert reply.status == 413, reply.text
    for own in ({"list": [0] * 250000}, {"text": "&" * 2000000}):
        reply = put(site, name, {"payloads": [{"type": "com.acme.x", **own}]}, JSON)
        assert reply.status == 413 and "a profile has at most" in reply.json["error"], reply.text
        get(site, name, 404)
    clip = {"PayloadType": "com.apple.webClip.managed", "PayloadVersion": 1, "Label": "Intranet",
            "URL": "https://intranet.example.org/", "Icon": b"\x89PNG" * 500000}
    assert put(site, name, profile_of(payloads=(clip,))).status == 201
    assert opened(site, site.api("GET", "/v1/profiles/%s/download" % name))["PayloadContent"][0]["Icon"] == clip["Icon"]
