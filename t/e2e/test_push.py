# SPDX-License-Identifier: Apache-2.0
"""Push: what goes to APNs, how soon, how often again, and that no wish is lost."""

import re
import time

import pytest
from mdmsim import pki
from mdmsim.apns import ApnsMock

from . import devices
from .httpd import wait_until
from .keys import TOPIC

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def push_now(site, *ids):
    reply = site.api("GET", "/v1/push/" + ",".join(ids))
    assert reply.status == 200, reply.text
    return reply.json


def rest(site, ids):
    """Wait until no push is wanted for these enrollments any more; repetitions far ahead do not count."""
    wanted = ",".join("'%s'" % one for one in ids)
    wait_until(lambda: not int(site.database.sql(
        "SELECT count(*) FROM mdm_push p JOIN mdm_enrollment e ON e.id = p.enrollment "
        "WHERE p.due_at > 0 AND p.wanted_at > 0 AND e.enrollment_id IN (%s)" % wanted)[0][0]), what="no push to be due")


@pytest.fixture
def quiet_phone(site, phone, apns):
    """An enrolled phone without a push on its way."""
    apns.clear()
    return phone


@pytest.fixture
def mock_site(make_site, keys):
    """A site with an APNs mock of its own: (site, mock)."""
    with ApnsMock(client_ca=keys.push_ca_file) as mock:
        site = make_site(apns=mock).start()
        site.upload_push_certificate()
        yield site, mock


@pytest.mark.mpm
@pytest.mark.smoke
def test_row_06_the_request_to_apns(site, quiet_phone, apns):
    before = time.time()
    answer = push_now(site, quiet_phone.id)
    push = apns.wait_pushes(1, magic=quiet_phone.push_magic)[0]
    headers = push.header_dict()
    assert headers[":method"] == "POST"
    assert headers[":path"] == "/3/device/" + quiet_phone.token.hex()
    assert headers["apns-topic"] == TOPIC
    assert headers["apns-push-type"] == "mdm"
    assert headers["apns-priority"] == "10"
    assert UUID.match(headers["apns-id"])
    assert 6.9 * 86400 < int(headers["apns-expiration"]) - before < 7.1 * 86400
    assert push.body == b'{"mdm":"%s"}' % quiet_phone.push_magic.encode()
    assert answer["status"][quiet_phone.id]["push_result"] == headers["apns-id"]
    assert not apns.stats()["violations"]


@pytest.mark.mpm
def test_an_enqueue_wakes_the_device_at_once(site, quiet_phone, apns):
    delays = []
    for _ in range(5):
        apns.clear()
        reply = site.enqueue(quiet_phone.id, devices.command()[1])
        returned = time.time()
        assert reply.status == 200, reply.text
        push = apns.wait_pushes(1, magic=quiet_phone.push_magic)[0]
        delays.append(push.time - returned)
        rest(site, [quiet_phone.id])
    assert min(delays) < 0.15, delays
    assert sorted(delays)[2] < 0.5, delays


def test_the_enqueue_answers_without_waiting_for_apns(site, quiet_phone, apns):
    apns.answer(200, magic=quiet_phone.push_magic, times=1, delay=3)
    began = time.monotonic()
    reply = site.enqueue(quiet_phone.id, devices.command()[1])
    assert reply.status == 200
    assert time.monotonic() - began < 1.5
    apns.wait_pushes(1, magic=quiet_phone.push_magic)
    assert UUID.match(reply.json["status"][quiet_phone.id]["push_result"])


def test_nopush_wakes_nobody(site, quiet_phone, new_phone, apns):
    other = new_phone(site)
    assert site.enqueue(quiet_phone.id, devices.command()[1], nopush=True).status == 200
    push_now(site, other.id)
    apns.wait_pushes(1, magic=other.push_magic)
    assert not apns.pushes(magic=quiet_phone.push_magic)


def test_wishes_of_one_enrollment_are_one_push(mock_site, new_phone):
    """Ten commands while APNs does not answer: one more push when it does, not ten."""
    site, mock = mock_site
    phone = new_phone(site)
    mock.answer(503, magic=phone.push_magic, times=1, retry_after=2)
    push_now(site, phone.id)
    mock.wait_pushes(1, magic=phone.push_magic)
    for _ in range(10):
        assert site.enqueue(phone.id, devices.command()[1]).status == 200
    mock.wait_pushes(2, magic=phone.push_magic)
    rest(site, [phone.id])
    assert len(mock.pushes(magic=phone.push_magic)) <= 5


@pytest.mark.parametrize("status,reason", [(500, "InternalServerError"), (503, "ServiceUnavailable"),
                                           (503, "Shutdown"), (429, "TooManyRequests")])
def test_a_push_is_tried_again_after(site, quiet_phone, apns, status, reason):
    apns.answer(status, reason, magic=quiet_phone.push_magic, times=1)
    push_now(site, quiet_phone.id)
    first, second = apns.wait_pushes(2, magic=quiet_phone.push_magic, timeout=60)[:2]
    assert first.status == status and second.status == 200
    rest(site, [quiet_phone.id])


def test_retries_grow_apart(site, quiet_phone, apns):
    apns.answer(500, magic=quiet_phone.push_magic, times=3)
    push_now(site, quiet_phone.id)
    times = [one.time for one in apns.wait_pushes(4, magic=quiet_phone.push_magic, timeout=90)]
    gaps = [after - before for before, after in zip(times, times[1:])]
    assert gaps[0] > 0.2 and gaps[-1] > gaps[0], gaps


@pytest.mark.parametrize("action", ["reset", "close", "goaway"])
def test_a_broken_connection_is_made_again(mock_site, new_phone, action):
    site, mock = mock_site
    phone = new_phone(site)
    rest(site, [phone.id])
    mock.clear()
    mock.answer(action=action, magic=phone.push_magic, times=1)
    push_now(site, phone.id)
    wait_until(lambda: [one for one in mock.pushes(magic=phone.push_magic) if one.status == 200], 60,
               "the push to be accepted")


def dead(site, phone, apns, *answer, **options):
    """Push, let APNs answer so from now on, and wait until the server has learnt it."""
    apns.answer(*answer, magic=phone.push_magic, **options)
    push_now(site, phone.id)
    apns.wait_pushes(1, magic=phone.push_magic)
    rest(site, [phone.id])
    apns.clear(pushes=False)


@pytest.mark.mpm
@pytest.mark.parametrize("reason", ["Unregistered", "ExpiredToken"])
def test_410_ends_pushing_until_the_next_tokenupdate(site, quiet_phone, new_phone, apns, reason):
    phone = quiet_phone
    dead(site, phone, apns, 410, reason, timestamp=time.time() + 5)
    before = len(apns.pushes(magic=phone.push_magic))
    reply = site.api("GET", "/v1/push/" + phone.id)
    assert reply.status == 500
    assert reply.json["status"][phone.id]["push_error"]
    queued = site.enqueue(phone.id, devices.command()[1])
    assert queued.status == 500 and queued.json["status"][phone.id]["push_error"]
    assert len(site.queue_uuids(phone.id)) == 1, "the command stays queued"
    # another push went out meanwhile, so this one would have
    other = new_phone(site)
    push_now(site, other.id)
    apns.wait_pushes(1, magic=other.push_magic)
    assert len(apns.pushes(magic=phone.push_magic)) == before
    phone.new_token()
    phone.token_update()
    apns.wait_pushes(1, magic=phone.push_magic)


def test_a_410_about_an_older_life_of_the_token_does_not_end_pushing(site, quiet_phone, apns):
    apns.answer(410, magic=quiet_phone.push_magic, times=1, timestamp=time.time() - 86400)
    push_now(site, quiet_phone.id)
    assert apns.wait_pushes(2, magic=quiet_phone.push_magic)[1].status == 200


def test_baddevicetoken_ends_pushing_too(site, quiet_phone, apns):
    dead(site, quiet_phone, apns, 400, "BadDeviceToken")
    assert site.api("GET", "/v1/push/" + quiet_phone.id).status == 500


def test_a_tokenupdate_with_commands_waiting_wakes_the_device(site, quiet_phone, apns):
    assert site.enqueue(quiet_phone.id, devices.command()[1], nopush=True).status == 200
    quiet_phone.new_token()
    quiet_phone.token_update()
    apns.wait_pushes(1, magic=quiet_phone.push_magic)


def test_a_refused_certificate_is_an_error_in_the_log_and_on_the_status_page(make_site, keys, new_phone):
    with ApnsMock(client_ca=keys.push_ca_file) as mock:
        site = make_site(apns=mock).start()
        site.upload_push_certificate()
        phone = new_phone(site)
        rest(site, [phone.id])
        site.log.expect(r"\[mdm:error\]")
        mock.answer(403, "BadCertificate", magic=phone.push_magic, times=1)
        mark = site.log.size()
        push_now(site, phone.id)
        site.log.wait(r"\[mdm:error\].*BadCertificate", mark)
        wait_until(lambda: "BadCertificate" in site.http.get(site.at("/mdm-status")).text,
                   what="the reason on the status page")


def test_many_pushes_share_one_connection(mock_site, new_phone):
    site, mock = mock_site
    phones = [new_phone(site) for _ in range(8)]
    users = [phone.user_channel() for phone in phones for _ in range(4)]
    for user in users:
        user.token_update()
    ids = [one.id for one in phones + users]
    rest(site, ids)
    mock.clear()
    push_now(site, *ids)
    mock.wait_pushes(len(ids))
    assert len({one.token for one in mock.pushes()}) == len(ids)
    assert mock.stats()["connections_opened"] == 1


@pytest.mark.mpm
def test_a_wish_made_while_apns_is_down_survives_a_restart(make_site, keys, new_phone):
    """APNs down, enqueue, stop httpd, start httpd, APNs up: the push arrives."""
    mock = ApnsMock(client_ca=keys.push_ca_file).start()
    ca_text = open(mock.ca_file).read()
    site = make_site(apns=mock)
    site.own["MDMAPNSCAFile"] = site.write("apns-ca.pem", ca_text)
    certificate, key = keys.write("apns.pem", pki.load_certificate(open(mock.ca_file).read())), None
    site.start().upload_push_certificate()
    phone = new_phone(site)
    rest(site, [phone.id])
    port, tls = mock.port, (mock._folder + "/server.pem", mock._folder + "/server.key")
    server_file = keys.write("apns-server.pem", pki.load_certificate(open(tls[0]).read()))
    server_key = keys.write("apns-server.key", pki.load_key(open(tls[1]).read()), private=True)
    mock.stop()
    site.log.expect(r"\[mdm:error\].*(APNs|push)")
    assert site.enqueue(phone.id, devices.command()[1]).status == 200
    site.stop()
    site.start_again()
    with ApnsMock(client_ca=keys.push_ca_file, tls_cert=server_file, tls_key=server_key, port=port) as again:
        assert again.wait_pushes(1, magic=phone.push_magic, timeout=60)


def test_a_new_certificate_for_the_topic_is_used_without_a_restart(mock_site, keys, new_phone):
    site, mock = mock_site
    phone = new_phone(site)
    push_now(site, phone.id)
    mock.wait_pushes(1, magic=phone.push_magic)
    rest(site, [phone.id])
    mock.clear()
    certificate, key = keys.push_ca.push_certificate(TOPIC, key=keys.take())
    assert site.api("PUT", "/v1/pushcert", (pki.pem(certificate) + pki.pem(key)).encode()).status == 200
    push_now(site, phone.id)
    mock.wait_pushes(1, magic=phone.push_magic)
    assert mock.stats()["connections_opened"] >= 2


def test_an_apns_whose_certificate_does_not_chain_gets_nothing(make_site, keys, new_phone):
    with ApnsMock(client_ca=keys.push_ca_file) as mock:
        site = make_site(apns=mock, directives={"MDMAPNSCAFile": keys.tls_ca_file})
        site.log.expect(r"\[mdm:error\]")
        site.start().upload_push_certificate()
        phone = new_phone(site)
        mark = site.log.size()
        push_now(site, phone.id)
        site.log.wait(r"\[mdm:(error|warn|notice|info)\].*(certificate|SSL)", mark)
        assert not mock.pushes()


@pytest.mark.smoke
@pytest.mark.mpm
def test_the_whole_loop_enqueue_push_connect_result(site, phone, apns):
    from mdmsim.wake import WakeServer
    with WakeServer(phone) as waker:
        apns.register_wake(phone.push_magic, waker.url)
        command_uuid, body = devices.command()
        assert site.enqueue(phone.id, body).status == 200
        wait_until(lambda: "Acknowledged" in str(site.show_command(command_uuid)), what="the result")
        assert not waker.failures
    assert phone.serial in str(site.show_command(command_uuid))
