# SPDX-License-Identifier: Apache-2.0
"""Restarts and crashes: graceful, kill -9 of a child, kill -9 of everything. What was acknowledged is there
afterwards; what was not finished is served again."""

import random
import threading
import time

import pytest
from mdmsim import web

from . import devices
from .httpd import wait_until

# requests cut off by a crash end so, or with a 5xx
CUT_OFF = (OSError, web.http.client.HTTPException)


def drain(phone):
    """Connect until nothing is left; the UUIDs in order."""
    return [one.uuid for one in phone.connect()]


@pytest.mark.mpm
def test_a_graceful_restart_keeps_working_and_loses_nothing(own_site, new_phone, apns):
    site = own_site
    phone = new_phone(site)
    before, body = devices.command()
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    for _ in range(3):
        site.httpd.graceful()
        assert phone.idle().status == 200
    after, body = devices.command()
    apns.clear()
    assert site.enqueue(phone.id, body).status == 200
    apns.wait_pushes(1, magic=phone.push_magic)
    assert drain(phone) == [before, after]


def test_a_graceful_restart_reads_a_new_ca_and_new_directives(make_site, new_device):
    site = make_site().start()
    site.upload_push_certificate()
    site.own["MDMOrganization"] = '"New Name"'
    site._write_conf(site.port)
    site.httpd.graceful()
    device = new_device(site)
    wait_until(lambda: device.fetch_profile(site.at("/mdm/enroll"), devices.USER, devices.PASSWORD)
               .plist["PayloadOrganization"] == "New Name", what="the new configuration")


class Load(threading.Thread):
    """An administrator and devices at work. Records what was acknowledged."""

    def __init__(self, site, phones):
        super().__init__(daemon=True)
        self.site, self.phones, self.over = site, phones, threading.Event()
        self.accepted, self.answered, self.refused, self.failures = [], [], [], []
        self.http = web.Client(site.keys.tls_ca_file, timeout=20)

    def step(self):
        phone = random.choice(self.phones)
        command_uuid, body = devices.command("ProfileList")
        reply = self.site.api("PUT", "/v1/enqueue/%s?nopush=1" % phone.id, body, http=self.http)
        if reply.status == 200:
            self.accepted.append((phone.id, command_uuid))
        else:
            self.refused.append(reply.status)
        reply = phone.idle()
        if reply.status == 200 and reply.body:
            report = phone.answer_to(reply.body)
            if phone.send_report(report).status == 200:
                self.answered.append((phone.id, report["CommandUUID"]))

    def run(self):
        while not self.over.is_set():
            try:
                self.step()
            except CUT_OFF:
                self.http.close()
            except Exception as problem:
                self.failures.append(problem)
                return

    def end(self):
        self.over.set()
        self.join(60)
        self.http.close()
        assert not self.failures, self.failures


def nothing_lost(site, load):
    """Every acknowledged command is answered or still comes; none comes after its acknowledged answer."""
    answered = set(load.answered)
    assert len(load.accepted) > 20, "the load did nothing"
    for phone in load.phones:
        mine = [one for owner, one in load.accepted if owner == phone.id]
        rest = drain(phone)
        assert len(rest) == len(set(rest))
        again = [one for one in rest if (phone.id, one) in answered]
        assert not again, "served after an acknowledged answer: %s" % again
        lost = [one for one in mine if one not in rest and (phone.id, one) not in answered
                and not finished(site, phone.id, one)]
        assert not lost, "lost: %s" % lost


def finished(site, enrollment_id, command_uuid):
    """Answered in the database, although the device never saw the answer to its report."""
    shown = site.show_command(command_uuid)
    return shown and any(one["enrollment_id"] == enrollment_id and one["status"] == "Acknowledged"
                         for one in shown["enrollments"])


@pytest.mark.mpm
def test_kill_9_of_children_under_load_loses_nothing_acknowledged(own_site, new_phone):
    site = own_site
    site.log.expect("AH0005[12]:")
    load = Load(site, [new_phone(site) for _ in range(3)])
    load.start()
    for _ in range(4):
        mark = len(load.accepted)
        wait_until(lambda: len(load.accepted) >= mark + 8 or not load.is_alive(), 60, "progress")
        site.httpd.kill_child(random.choice(site.httpd.children()))
    mark = len(load.accepted)
    wait_until(lambda: len(load.accepted) >= mark + 5 or not load.is_alive(), 60, "progress")
    load.end()
    nothing_lost(site, load)


@pytest.mark.mpm
def test_kill_9_of_everything_under_load_loses_nothing_acknowledged(own_site, new_phone):
    site = own_site
    load = Load(site, [new_phone(site) for _ in range(3)])
    load.start()
    for _ in range(3):
        mark = len(load.accepted)
        wait_until(lambda: len(load.accepted) >= mark + 8 or not load.is_alive(), 60, "progress")
        site.httpd.kill()
        site.start_again()
    mark = len(load.accepted)
    wait_until(lambda: len(load.accepted) >= mark + 5 or not load.is_alive(), 60, "progress")
    load.end()
    nothing_lost(site, load)


def test_graceful_restarts_under_load_fail_no_request(own_site, new_phone):
    site = own_site
    load = Load(site, [new_phone(site) for _ in range(3)])
    load.start()
    for _ in range(4):
        mark = len(load.accepted)
        wait_until(lambda: len(load.accepted) >= mark + 8 or not load.is_alive(), 60, "progress")
        site.httpd.graceful()
    load.end()
    assert not load.refused, load.refused
    nothing_lost(site, load)


@pytest.mark.mpm
def test_pushes_go_on_after_the_child_that_pushes_was_killed(own_site, new_phone, apns):
    site = own_site
    site.log.expect("AH0005[12]:")
    phone = new_phone(site)
    for _ in range(2):
        for pid in site.httpd.children():
            site.httpd.kill_child(pid)
        apns.clear()
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            try:
                reply = site.enqueue(phone.id, devices.command()[1])
                break
            except CUT_OFF:
                site.http.close()
        assert reply.status == 200
        apns.wait_pushes(1, magic=phone.push_magic, timeout=30)


@pytest.mark.mpm
def test_a_stop_is_quick_and_clean(own_site, new_phone):
    phone = new_phone(own_site)
    own_site.enqueue(phone.id, devices.command()[1])
    began = time.monotonic()
    assert own_site.httpd.stop() == 0
    assert time.monotonic() - began < 8


@pytest.mark.mpm
def test_a_stop_is_quick_while_apns_does_not_answer(make_site, keys, new_phone):
    from mdmsim.apns import ApnsMock
    with ApnsMock(client_ca=keys.push_ca_file) as mock:
        site = make_site(apns=mock).start()
        site.upload_push_certificate()
        phone = new_phone(site)
        mock.clear()
        mock.answer(action="silence", default=True)
        site.enqueue(phone.id, devices.command()[1])
        mock.wait_pushes(1, magic=phone.push_magic)
        began = time.monotonic()
        site.httpd.stop()
        assert time.monotonic() - began < 8


def test_two_virtual_hosts_have_two_databases(make_site, make_database, variant, new_phone, closing):
    """Two sites in one httpd, told apart by name: what one knows the other does not."""
    site = make_site()
    other_database = make_database(variant[1])
    if variant[1] == "pgsql":
        site.prepare()
        import subprocess
        from .site import MDMCTL
        subprocess.run([MDMCTL, "--state-dir", site.state_dir, "--database", "pgsql:" + other_database.params,
                        "db", "init"], check=True, capture_output=True)
    other = {**site.own, "MDMOrganization": '"Second Clinic"'}
    site.extra_hosts = [("localhost", other_database, other)]
    site.start()
    site.upload_push_certificate()
    phone = new_phone(site)
    assert site.show(phone.id)["state"] == "enrolled"
    there = closing(web.Client(site.keys.tls_ca_file, redirects=0))
    headers = {"Authorization": web.basic_auth("nanomdm", devices.API_KEY)}
    base = "https://localhost:%d" % site.port
    assert there.get(base + "/mdm/api/v1/enrollments/" + phone.id, headers).status == 404
    assert there.get(base + "/mdm/api/v1/enrollments", headers).json["enrollments"] == []
    reply = there.request("PUT", base + "/mdm/api/v1/pushcert", site.keys.push_pem, headers)
    assert reply.status == 200, reply
    second = closing(devices.device_of(site))
    second.fetch_profile(base + "/mdm/enroll", devices.USER, devices.PASSWORD)
    assert second.profile.plist["PayloadOrganization"] == "Second Clinic"
    assert second.profile.mdm["ServerURL"].startswith(base)
    second.install(second.profile, key=site.keys.take())
    assert there.get(base + "/mdm/api/v1/enrollments/" + second.id, headers).status == 200
    assert site.show(second.id) is None
    # an identity of one site is nobody on the other, although the CA is the same
    phone.server_url = base + "/mdm/connect"
    assert phone.idle().status == 403


@pytest.mark.once
def test_the_worker_mpm_works_too(make_site, new_phone, apns):
    site = make_site(mpm="worker").start()
    site.upload_push_certificate()
    phone = new_phone(site)
    command_uuid, body = devices.command()
    assert site.enqueue(phone.id, body).status == 200
    apns.wait_pushes(1, magic=phone.push_magic)
    assert drain(phone) == [command_uuid]
    site.httpd.graceful()
    assert phone.idle().status == 200
