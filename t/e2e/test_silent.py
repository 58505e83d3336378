# SPDX-License-Identifier: Apache-2.0
"""Devices that are not heard of any more: silent at first, missing when Apple calls their token dead too, back when they
come back."""

from . import desired, devices
from .httpd import wait_until


def silent_site(make_site, after="2s"):
    site = make_site()
    site.own["MDMSilentAfter"] = after
    site.start()
    site.upload_push_certificate()
    return site


def test_a_silent_device_is_noted_and_heard_again(make_site, new_phone):
    site = silent_site(make_site)
    phone = new_phone(site)
    assert "silent_since" not in site.show(phone.id)
    wait_until(lambda: "silent_since" in site.show(phone.id), what="the silence to be noted")
    assert site.show(phone.id)["state"] == "enrolled" and "Not heard of since" in site.show(phone.id)["hint"]
    _, body = devices.command()
    assert site.enqueue(phone.id, body, nopush=True).status == 200, "it is managed as before"

    def speaks():
        assert phone.idle().status == 200
        return "silent_since" not in site.show(phone.id)
    wait_until(speaks, what="the device to be heard")
    kinds = [row[0] for row in site.database.sql("SELECT kind FROM mdm_event WHERE enrollment_id = '%s' ORDER BY id"
                                                 % phone.id)]
    assert "enrollment.silent" in kinds and "enrollment.heard" in kinds


def test_a_silent_device_with_a_dead_token_is_missing_until_it_returns(make_site, new_phone, apns):
    site = silent_site(make_site)
    phone, uuid_body = new_phone(site), devices.command()
    apns.answer(410, "Unregistered", magic=phone.push_magic)
    assert site.enqueue(phone.id, uuid_body[1], nopush=True).status == 200
    wait_until(lambda: site.show(phone.id)["state"] == "missing", what="the missed CheckOut to be noticed")
    state = site.show_command(uuid_body[0])["enrollments"][0]
    assert state["status"] == "Cancelled" and "missing" in str(state["error_chain"])
    assert site.api("GET", "/v1/push/" + phone.id).json["status"][phone.id]["push_error"]
    site.log.expect("refused a message of " + phone.id)
    assert phone.idle().status == 403, "nothing is left to fetch"
    phone.new_token()
    assert phone.token_update().status == 200
    assert site.show(phone.id)["state"] == "enrolled" and phone.idle().status == 200


def test_rules_tell_a_missing_device_from_one_that_is_there(make_site, new_phone, apns):
    site = silent_site(make_site, "5s")
    for name, state in (("here", "enrolled"), ("lost", "missing")):
        desired.call(site, "PUT", "groups/" + name, {"kind": "rule", "rule": {"device.state": state}}, 201)
    phone = new_phone(site)
    apns.answer(410, "Unregistered", magic=phone.push_magic)

    def is_in(*groups):
        return [name for name in ("here", "lost")
                if desired.call(site, "GET", "groups/%s/members" % name, status=200).json["members"]] == list(groups)
    wait_until(lambda: is_in("here"), what="the new device to be in its group")
    wait_until(lambda: site.show(phone.id)["state"] == "missing", what="the device to be missing")
    wait_until(lambda: is_in("lost"), what="the missing device to be among the lost")
    phone.new_token()
    assert phone.token_update().status == 200
    wait_until(lambda: is_in("here"), what="the device to be back")


def test_what_was_unassigned_while_it_was_missing_is_removed_when_it_returns(make_site, new_phone, apns):
    site = silent_site(make_site, "5s")
    phone, profiles, assigned = new_phone(site), {}, {}
    for name in ("kept", "given-up"):
        profiles[name] = desired.profile(site, name, desired.wifi("fixed-CANARY"))["identifier"]
        assigned[name] = desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    apns.answer(410, "Unregistered", magic=phone.push_magic)
    assert [one.request_type for one in phone.connect()] == ["InstallProfile", "InstallProfile", "ProfileList"]
    wait_until(lambda: site.show(phone.id)["state"] == "missing", what="the device to be missing")
    assert {desired.rows(site, name)[phone.id] for name in profiles} == {10}
    desired.call(site, "DELETE", "assignments/" + assigned["given-up"]["id"], status=204)
    desired.settled(site)
    phone.new_token()
    assert phone.token_update().status == 200
    desired.settled(site)
    assert [one.request_type for one in phone.connect()] == ["RemoveProfile", "ProfileList"], "and no new install"
    assert profiles["kept"] in phone.profiles and profiles["given-up"] not in phone.profiles
    assert (desired.rows(site, "kept")[phone.id], desired.rows(site, "given-up")[phone.id]) == (4, 9)
