# SPDX-License-Identifier: Apache-2.0
"""Tests of the mock push service, driven by curl and python3-h2."""

import json
import time

import h2.events
import pytest
from mdmsim import pki
from mdmsim.apns import ApnsMock
from mdmsim.apns_control import ApnsControl
from mdmsim.apns_rules import DOCUMENTED
from mdmsim.wake import WakeServer
from pushing import PUSH, H2Client, curl


@pytest.fixture(scope="module")
def running(ca):
    with ApnsMock(client_ca=ca.cert_file) as mock:
        yield mock


@pytest.fixture
def apns(running):
    running.clear(wakes=True)
    running.limit_streams(1000)
    return running


def test_apns_accepts_a_push(apns, push_identity):
    wanted = "8fc5e9f0-9a0b-4d3c-8a3e-0123456789ab"
    status, headers, body = curl(apns, push_identity, "-H", "apns-id: " + wanted)
    assert (status, headers["apns-id"], body) == (200, wanted, "")
    status, headers, _ = curl(apns, push_identity, body='{"mdm":"M\\u0032"}')
    assert status == 200 and len(headers["apns-id"]) == 36
    first, second = apns.pushes()
    assert (first.token, first.magic, first.topic, first.status) == ("00ffaa", "M1", PUSH, 200)
    assert second.magic == "M2" and first.connection != second.connection
    assert first.header_dict()["apns-push-type"] == "mdm"
    assert apns.stats()["statuses"] == {"200": 2} and not apns.violations
    assert apns.pushes(magic="M2") == [second]


@pytest.mark.parametrize("wrong,status,reason", [
    ({"topic": "com.apple.mgmt.External.t2"}, 400, "TopicDisallowed"), ({"topic": None}, 400, "MissingTopic"),
    ({"kind": "alert"}, 400, "InvalidPushType"), ({"token": "00FFAA"}, 400, "BadDeviceToken"),
    ({"token": "abc"}, 400, "BadDeviceToken"), ({"token": ""}, 400, "MissingDeviceToken"),
    ({"path": "/4/device/00"}, 404, "BadPath"), ({"body": ""}, 400, "PayloadEmpty"),
    ({"body": '{"mdm":"M","aps":{}}'}, 400, "PayloadEmpty"),
    ({"body": '{"mdm":"%s"}' % ("x" * 4096)}, 413, "PayloadTooLarge")])
def test_apns_refuses_wrong_requests(apns, push_identity, wrong, status, reason):
    got, _, body = curl(apns, push_identity, **wrong)
    assert (got, json.loads(body)) == (status, {"reason": reason})
    assert apns.violations == ["push refused: " + reason]
    assert apns.pushes()[0].reason == reason


def test_apns_refuses_wrong_headers_and_methods(apns, push_identity):
    for more, reason in ((("-X", "PUT"), "MethodNotAllowed"), (("-H", "apns-priority: 7"), "BadPriority"),
                         (("-H", "apns-id: X"), "BadMessageId"),
                         (("-H", "apns-expiration: soon"), "BadExpirationDate"), (("-H", "apns-topic: " + PUSH), "DuplicateHeaders")):
        assert json.loads(curl(apns, push_identity, *more)[2])["reason"] == reason


@pytest.mark.parametrize("status,reason", [(s, r) for s, reasons in DOCUMENTED.items() for r in reasons])
def test_apns_gives_every_documented_answer(apns, push_identity, status, reason):
    apns.answer(reason=reason, timestamp=1700000000, retry_after=120 if status == 503 else None)
    got, headers, body = curl(apns, push_identity)
    content = json.loads(body)
    assert (got, content["reason"]) == (status, reason)
    assert content.get("timestamp") == (1700000000000 if status == 410 else None)
    assert headers.get("retry-after") == ("120" if status == 503 else None)
    assert curl(apns, push_identity)[0] == 200


def test_apns_rules_have_targets(apns, push_identity):
    apns.answer(503, default=True)
    apns.answer(410, token="aa", times=1)
    apns.answer(429, magic="M9", times=2)
    apns.answer(500, times=2)
    assert [curl(apns, push_identity, token="aa")[0] for _ in range(4)] == [410, 500, 500, 503]
    assert [curl(apns, push_identity, body='{"mdm":"M9"}')[0] for _ in range(3)] == [429, 429, 503]
    apns.clear()
    assert curl(apns, push_identity)[0] == 200


def test_apns_can_misbehave(apns, push_identity):
    apns.answer(action="reset")
    assert curl(apns, push_identity)[0] == 200  # a refused stream may be sent again, which curl does by itself
    apns.answer(action="reset", code=2)
    assert "INTERNAL_ERROR" in curl(apns, push_identity, check=False).stderr
    apns.answer(action="close")
    assert curl(apns, push_identity, check=False).returncode not in (0, 28)
    apns.answer(action="silence")
    assert curl(apns, push_identity, "--max-time", "1", check=False).returncode == 28
    apns.answer(delay=0.3)
    started = time.monotonic()
    assert curl(apns, push_identity)[0] == 200
    assert time.monotonic() - started > 0.3
    assert [one.action for one in apns.pushes()] == ["reset", "answer", "reset", "close", "silence", "answer"]


def test_apns_demands_a_certificate_it_knows(apns, ca, tmp_path):
    assert curl(apns, None, check=False).returncode != 0
    stranger = pki.Authority("CN=Other")
    certificate, key = stranger.push_certificate(PUSH)
    identity = pki.write_pem(tmp_path / "c.pem", certificate), pki.write_pem(tmp_path / "c.key", key)
    assert curl(apns, identity, check=False).returncode != 0
    apns.trust_client(pki.pem(certificate))
    assert curl(apns, identity)[0] == 200


def test_apns_with_optional_certificate_and_without_h2(ca, push_identity):
    with ApnsMock(client_ca=ca.cert_file, client_cert="optional") as mock:
        assert json.loads(curl(mock, None)[2])["reason"] == "MissingProviderToken"
        assert curl(mock, push_identity)[0] == 200
        assert curl(mock, push_identity, "--http1.1", check=False).returncode != 0
        assert "no ALPN protocol h2" in mock.violations


@pytest.fixture
def client(apns, push_identity):
    made = H2Client(apns, push_identity)
    yield made
    made.socket.close()


def test_apns_answers_many_streams_on_one_connection(apns, client):
    apns.answer(500, default=True)
    for number in range(3000):
        client.push(2 * number + 1, extra=[("apns-id", "00000000-0000-0000-0000-%012d" % number)])
        if number % 50 == 49:
            client.flush()
            client.pushes_done(number + 1)
    assert client.count(h2.events.StreamEnded) == 3000 and not apns.violations
    assert apns.stats()["statuses"] == {"500": 3000} and len({one.connection for one in apns.pushes()}) == 1


def test_apns_reads_continued_header_blocks_and_pings(apns, client):
    client.h2.ping(b"12345678")
    client.push(1, extra=[("x-long", "x" * 40000)])
    client.flush()
    client.pushes_done(1).until(lambda events: client.count(h2.events.PingAckReceived))
    assert apns.pushes()[0].status == 200 and apns.stats()["pings"] == 1
    assert len(apns.pushes()[0].header_dict()["x-long"]) == 40000


def test_apns_goes_away(apns, client):
    apns.answer(reason="Shutdown", magic="M2", action="goaway")
    apns.answer(delay=0.2, magic="M1")
    for stream, body in ((1, b'{"mdm":"M1"}'), (3, b'{"mdm":"M2"}')):
        client.push(stream, body=body)
    client.flush()
    found = client.frames()
    (_, _, goaway), = [one for one in found if one[0] == 7]
    assert goaway[:8] == bytes((0, 0, 0, 1, 0, 0, 0, 0)) and json.loads(goaway[8:]) == {"reason": "Shutdown"}
    assert [stream for kind, stream, _ in found if kind == 1] == [1]


def test_apns_ends_connections_on_demand(apns, push_identity):
    one = H2Client(apns, push_identity)
    one.push(1)
    one.flush()
    one.pushes_done(1)
    assert apns.goaway("BadCertificate") == 1
    one.until(lambda events: False)
    assert one.count(h2.events.ConnectionTerminated) == 1
    two = H2Client(apns, push_identity)
    two.push(1)
    two.flush()
    two.pushes_done(1)
    assert apns.drop_connections() == 1
    with pytest.raises((OSError, AssertionError)):
        two.until(lambda events: False)
        raise AssertionError("closed")
    assert two.count(h2.events.ConnectionTerminated) == 0


def test_apns_limits_streams(apns, push_identity):
    apns.limit_streams(1)
    apns.answer(action="silence")
    one = H2Client(apns, push_identity)
    one.until(lambda events: one.count(h2.events.RemoteSettingsChanged))
    assert one.h2.remote_settings.max_concurrent_streams == 1
    one.push(1)
    one.flush()
    apns.wait_pushes(1)
    one.h2.remote_settings[3] = 100
    one.h2.remote_settings.acknowledge()
    one.push(3)
    one.flush()
    one.until(lambda events: one.count(h2.events.StreamReset))
    reset = [event for event in one.events if isinstance(event, h2.events.StreamReset)][0]
    assert (reset.stream_id, reset.error_code) == (3, 7)
    assert "more than 1 concurrent streams" in apns.violations[0]
    one.socket.close()


def test_apns_control_port(apns, push_identity):
    control = ApnsControl(apns.control_url)
    control.answer(reason="Unregistered", token="aa", timestamp=1700000000)
    assert curl(apns, push_identity, token="aa")[0] == 410
    found = control.wait_pushes(1, magic="M1")[0]
    assert (found.token, found.status, found.reason) == ("aa", 410, "Unregistered")
    assert control.stats()["statuses"] == {"410": 1}
    assert control.connection_list()[-1]["requests"] == 1
    with pytest.raises(ValueError):
        control.answer(action="nonsense")
    with pytest.raises(AssertionError):
        control.wait_pushes(2, timeout=0.1)
    control.clear()
    assert control.pushes() == []


def test_a_push_wakes_the_device(apns, push_identity, fake, phone):
    uuid = fake.queue("DeviceInformation")
    with WakeServer(phone) as wake:
        wake.register(apns.control_url)
        curl(apns, push_identity, body=json.dumps({"mdm": "someone else"}))
        curl(apns, push_identity, body=json.dumps({"mdm": phone.push_magic}))
        assert wake.wait(phone, 1)
        assert not wake.failures and wake.count(phone) == 1
    assert phone.executed[-1].uuid == uuid


def test_a_push_calls_back(ca, push_identity):
    seen = []
    with ApnsMock(client_ca=ca.cert_file, on_push=seen.append) as mock:
        curl(mock, push_identity)
    assert [one.magic for one in seen] == ["M1"]
