# SPDX-License-Identifier: Apache-2.0
"""What administrators buy an MDM server for, row by row: each numbered row has a test that carries its number in its
name. Those that belong to no other file are here, and a row that loses its test makes this file fail."""

import base64
import contextlib
import functools
import json
import os
import plistlib
import re
import subprocess
import time

from . import desired, devices, synchronised
from .directory import Directory

ROWS = [*range(1, 9), *range(11, 28), *range(28, 47), *range(56, 62)]


def test_every_row_has_a_test_named_after_it():
    folder, carried = os.path.dirname(os.path.abspath(__file__)), set()
    for name in sorted(os.listdir(folder)):
        if name.startswith("test_") and name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8") as source:
                for numbers in re.findall(r"^def test_feature_(\d\d(?:_and_\d\d)*)", source.read(), re.M):
                    carried.update(int(one) for one in numbers.split("_and_"))
    assert [row for row in ROWS if row not in carried] == []


def security_info(compliant):
    return {"Status": "Acknowledged", "SecurityInfo": {"PasscodePresent": True, "PasscodeCompliant": True,
                                                       "PasscodeCompliantWithProfiles": compliant}}


def test_feature_06_a_passcode_policy_and_who_does_not_comply(site, phone, new_phone):
    good, policy = new_phone(site), desired.name_of("passcode")
    made = desired.profile(site, policy, {"type": "com.apple.mobiledevice.passwordpolicy", "forcePIN": True,
                                          "minLength": 6})
    lax = desired.name_of("lax")
    desired.call(site, "PUT", "groups/" + lax, {"kind": "rule", "rule": {
        "fact": "device.SecurityInfo.PasscodeCompliantWithProfiles", "op": "is", "value": False}})
    desired.assign(site, policy, group=desired.group(site, desired.name_of("all"), [phone.id, good.id]))
    desired.settled(site)
    for device, compliant in ((phone, False), (good, True)):
        assert [one.request_type for one in device.connect()] == ["InstallProfile", "ProfileList"]
        payload, = device.profiles.contents[made["identifier"]]
        assert payload["minLength"] == 6 and payload["forcePIN"] is True
        _, body = devices.command("SecurityInfo")
        site.enqueue(device.id, body, nopush=True)
        device.script("SecurityInfo", security_info(compliant), times=1)
        assert [one.request_type for one in device.connect()] == ["SecurityInfo"]

    def members():
        return [one["enrollment_id"] for one in desired.call(site, "GET", "groups/%s/members" % lax).json["members"]]
    desired.until(lambda: members() == [phone.id], what="the lax phone in its group")

    def shown(query):
        return site.http.get(site.at("/mdm-status" + query))
    report = shown("?json").json
    # other tests of this site may have left such phones
    assert phone.id in [one["enrollment_id"] for one in report["passcodes_not_compliant"]] and good.id not in str(
        report["passcodes_not_compliant"])
    others = report["passcodes"]["not_compliant"] - 1
    assert any("not comply with the passcode policy" in one for one in report["alerts"])
    assert "MDMPasscodesNotCompliant: %d\n" % (others + 1) in shown("?auto").text
    alarm = 'role="alert">The passcode of this device does not comply'
    assert alarm in shown("?id=" + phone.id).text and alarm not in shown("?id=" + good.id).text
    assert "does not comply with its profiles since" in shown("?id=" + phone.id).text
    assert "complies with its profiles" in shown("?id=" + good.id).text
    # it complies again, and leaves
    _, body = devices.command("SecurityInfo")
    site.enqueue(phone.id, body, nopush=True)
    phone.script("SecurityInfo", security_info(True), times=1)
    phone.connect()
    desired.until(lambda: members() == [], what="nobody in the group")
    assert shown("?json").json["passcodes"] == {"not_compliant": others} and alarm not in shown("?id=" + phone.id).text


def test_feature_08_a_lost_phone_is_wiped_once_and_leaves_its_history(make_site, new_phone, apns):
    site = make_site(directives={"MDMApproval": "EraseDevice", "MDMAPIKeyFile": None})
    guard = ('SetHandler mdm-api\n    AuthType Basic\n    AuthName api\n    AuthBasicProvider file\n'
             '    AuthUserFile "%(folder)s/htpasswd"\n    Require valid-user')
    site.locations = site.locations.replace("SetHandler mdm-api", guard)
    site.start()
    people = {"user": devices.USER, "key": devices.PASSWORD}, {"user": "other", "key": devices.PASSWORD}
    assert site.api("PUT", "/v1/pushcert", site.keys.push_pem, **people[0]).status == 200
    phone = new_phone(site)

    def call(who, method, path, body=None):
        return site.api(method, "/v1/" + path, None if body is None else json.dumps(body).encode(), desired.JSON,
                        **people[who])
    assert call(0, "PUT", "profiles/kept", {"display_name": "Kept", "payloads": [desired.wifi("secret")]}).status == 201
    assert call(0, "POST", "assignments", {"profile": "kept", "enrollment": phone.id}).status == 201
    desired.until(lambda: desired.rows(site, "kept") == {phone.id: 1}, what="the profile to be wanted")
    phone.connect()
    apns.clear()
    begun = time.time() * 1e6
    ordered = call(0, "POST", "commands", {"command": {"RequestType": "EraseDevice"}, "targets": {"ids": [phone.id]},
                                        "note": "left in the 17:42 to Bern"})
    assert ordered.status == 201 and ordered.json["state"] == "held"
    assert phone.connect() == []
    assert call(1, "POST", "commands/%s/approve" % ordered.json["command_uuid"]).status == 200
    assert apns.wait_pushes(1, magic=phone.push_magic)
    assert [one.request_type for one in phone.connect(limit=1)] == ["EraseDevice"]
    assert call(0, "GET", "enrollments/" + phone.id).json["state"] == "wiped"
    assert desired.rows(site, "kept") == {phone.id: 10}
    assert call(0, "POST", "push/" + phone.id).status == 500
    assert phone.send_report({"Status": "Idle"}).status == 403
    trail = {row[0]: row[1:] for row in site.database.sql("SELECT kind, actor, enrollment_id, object, detail, at FROM "
                                                          "mdm_event ORDER BY id")}
    uuid, why = ordered.json["command_uuid"], "left in the 17:42 to Bern"
    assert trail["command.held"][:4] == [devices.USER, phone.id, uuid, "EraseDevice: " + why]
    assert trail["command.approved"][:3:2] == ["other", uuid]
    assert trail["enrollment.wiped"][:4] == [devices.USER, phone.id, uuid, why]
    assert begun <= int(trail["command.held"][4]) <= int(trail["enrollment.wiped"][4]) <= time.time() * 1e6
    assert call(0, "GET", "commands/" + uuid).json["note"] == why


def test_feature_18_many_devices_drain_one_profile(site, new_phone, capsys):
    phones = [new_phone(site) for _ in range(30)]
    name = desired.name_of("many")
    desired.secret(site, "wifi", "of many")
    made = desired.profile(site, name)
    desired.settled(site)
    desired.assign(site, name, group=desired.group(site, name, [one.id for one in phones]))
    change = desired.settled(site)
    assert change["changed"] == len(phones)
    times = []
    for phone in phones:
        start = time.monotonic()
        assert [one.request_type for one in phone.connect()] == ["InstallProfile", "ProfileList"]
        times.append(time.monotonic() - start)
        assert desired.installed(phone, made)
    times.sort()
    with capsys.disabled():
        print("\n%d devices, p50 %.3f s, slowest %.3f s" % (len(times), times[len(times) // 2], times[-1]))
    assert desired.rows(site, name) == {one.id: 4 for one in phones}
    assert desired.figure(site, "SELECT COUNT(*) FROM mdm_queue q JOIN mdm_enrollment e ON e.id = q.enrollment WHERE "
                                "e.enrollment_id IN (%s)" % ", ".join("'%s'" % one.id for one in phones)) == 0


DEEPEST = 64        # containers within each other: MDM_PLIST_MAX_DEPTH


def within(source, depth):
    """A profile like `source`, with containers in a payload that make the whole so many deep."""
    extra = {"PayloadType": "com.example.unknown", "PayloadVersion": 1, "PayloadIdentifier": "org.example.unknown",
             "PayloadUUID": "5E0E4F4A-0000-4000-8000-00000000DDDD", "Any": []}
    marked = plistlib.dumps({**source, "PayloadContent": [extra]})
    return marked.replace(b"<array/>", b"<array>" * (depth - 3) + b"</array>" * (depth - 3))


def test_feature_19_a_profile_is_an_xml_property_list(site):
    name = desired.name_of("xml")
    source = {"PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": "org.example." + name,
              "PayloadUUID": "5E0E4F4A-0000-4000-8000-00000000AAAA", "PayloadDisplayName": "XML & more <é>",
              "PayloadContent": [{"PayloadType": "com.apple.webClip.managed", "PayloadVersion": 1,
                                  "PayloadIdentifier": "org.example.clip", "Label": "a", "URL": "https://example.org/",
                                  "PayloadUUID": "5E0E4F4A-0000-4000-8000-00000000BBBB", "IsRemovable": True}]}
    text = plistlib.dumps(source)
    assert b"<!DOCTYPE plist PUBLIC" in text
    first = site.api("PUT", "/v1/profiles/" + name, text)
    assert first.status == 201 and first.json["version"] == 1, first.text
    # what has been written is written likewise again: no new version
    for again in (text, plistlib.dumps(source, fmt=plistlib.FMT_BINARY), plistlib.dumps(source, sort_keys=False)):
        reply = site.api("PUT", "/v1/profiles/" + name, again)
        assert reply.status == 200 and reply.json["version"] == 1, reply.text
    tricks = ((text.replace(b'"http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
                            b'"http://www.apple.com/DTDs/PropertyList-1.0.dtd" [<!ENTITY x "y">]>').replace(b"XML", b"&x;"),
               "internal subset"),
              (within(source, DEEPEST + 1), "there are too many levels"), (text[:-20], "line"))
    for trick, word in tricks:
        assert trick != text
        reply = site.api("PUT", "/v1/profiles/" + name, trick)
        assert reply.status == 400 and word in reply.json["error"], reply.text
    assert site.api("PUT", "/v1/profiles/" + name, text + b" " * (40 << 20)).status == 413
    assert site.api("GET", "/v1/profiles/" + name).json["version"] == 1
    reply = site.api("POST", "/v1/profiles/%s/check" % name, within(source, DEEPEST))
    assert reply.status == 200, "refused for its depth alone: " + reply.text


def test_feature_26_a_script_pushes_a_profile_with_curl(site, phone, tmp_path, apns):
    made = plistlib.dumps({"PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": "org.example.script",
                           "PayloadUUID": "5E0E4F4A-0000-4000-8000-00000000CCCC", "PayloadContent": []})
    order = {"command": {"RequestType": "InstallProfile", "Payload": base64.b64encode(made).decode()},
             "targets": {"ids": [phone.id]}}
    (tmp_path / "order.json").write_text(json.dumps(order))

    def curl(path, *options):
        done = subprocess.run(["curl", "-sS", "--fail-with-body", "--cacert", site.keys.tls_ca_file, "-u",
                               "nanomdm:" + devices.API_KEY, *options, site.at("/mdm/api/v1/" + path)],
                              capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)
    apns.clear()
    batch = curl("commands", "--json", "@%s" % (tmp_path / "order.json"))["command_uuid"]
    assert apns.wait_pushes(1, magic=phone.push_magic)
    assert [one.uuid for one in phone.connect()] == [batch]
    assert "org.example.script" in phone.profiles
    assert curl("commands/" + batch)["counts"] == {"acknowledged": 1}


@contextlib.contextmanager
def without(site, directive, value=None):
    """For a with block: a directive that is not set, or says something else."""
    before = dict(site.own)
    site.own[directive] = value
    yield
    site.own = before


@contextlib.contextmanager
def without_file(path):
    os.rename(path, path + ".away")
    yield
    os.rename(path + ".away", path)


@contextlib.contextmanager
def without_database(site, module=False):
    modules, database = list(site.modules), site.database
    site.database = None
    if module:
        site.modules.remove("dbd")
    yield
    site.modules, site.database = modules, database


def test_feature_61_one_httpd_has_all_parts_and_configtest_names_what_is_missing(make_site, new_phone, apns):
    directory = Directory(synchronised.PEOPLE, synchronised.GROUPS).start()
    try:
        site = synchronised.configure(make_site(), directory.url)
        synchronised.started(site)
        site.upload_push_certificate()
        phone = new_phone(site)
        synchronised.directory_group(site, "mobile", directory.group("mobile"))
        synchronised.sync(site)
        apns.clear()
        made = desired.profile(site, "wifi", desired.wifi("fixed-CANARY"))
        desired.assign(site, "wifi", group="mobile")
        assert apns.wait_pushes(1, magic=phone.push_magic)
        phone.connect()
        assert desired.installed(phone, made) and phone.id in site.http.get(site.at("/mdm-status?id=" + phone.id)).text
    finally:
        directory.close()
    site.stop()
    status, text = site.configtest()
    assert status == 0, text
    state = functools.partial(os.path.join, site.state_dir)
    for missing, words in (
            (without(site, "MDMServerURL"), ("MDMServerURL", "not set", "https://")),
            (without_database(site), ("DBDriver", "not set")),
            (without_database(site, module=True), ("mod_dbd.c", "a2enmod dbd")),
            (without(site, "MDMStateDir"), ("MDMStateDir", "not set", "mdmctl")),
            (without_file(state("ca.pem")), ("MDMCACertificateFile", state("ca.pem"), "mdmctl")),
            (without_file(state("ca.key")), ("MDMCAKeyFile", state("ca.key"), "mdmctl")),
            (without_file(state("seal.key")), ("MDMSealKeyFile", state("seal.key"), "mdmctl")),
            (without(site, "MDMAPNSCAFile", "/nowhere.pem"), ("MDMAPNSCAFile", "/nowhere.pem")),
            (without(site, "MDMDirectoryURL"), ("MDMDirectoryURL", "not set", "ldaps://")),
            (without_file(site.path("ldap.password")), ("MDMDirectoryBind", site.path("ldap.password"))),
            (without_file(site.path("api.key")), ("MDMAPIKeyFile", site.path("api.key")))):
        with missing:
            status, text = site.configtest()
        assert status != 0 and any(all(word in line for word in words) for line in text.splitlines()), (words, text)
    assert site.configtest()[0] == 0
