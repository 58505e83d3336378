# SPDX-License-Identifier: Apache-2.0
"""SCEP requests that wait for an administrator (MDMSCEPApproval manual): PENDING, CertPoll, approval and denial by
API and mdmctl."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from mdmsim import cms, der, pki, scep, web

from .scep_tools import SUBJECT, asker, client_of, issued, message_of, nothing_issued, refused


@pytest.fixture(scope="module")
def manual_site(keys, apns, variant, make_database):
    from .conftest import _made
    mpm, kind = variant
    made = _made(keys, make_database(kind), apns, mpm, directives={"MDMSCEPApproval": "manual"})
    made.start()
    assert made.api("GET", "/v1/requests").json == {"requests": []}
    yield made
    made.close()


@pytest.fixture
def client(manual_site, closing):
    return client_of(manual_site, closing)


@pytest.fixture
def ask(manual_site, client):
    """ask(common_name, **options): a PKCSReq with a transaction of its own."""
    call, count = asker(manual_site, client), iter(range(1000))

    def numbered(common_name="waiting", **options):
        options.setdefault("transaction_id", "%s-%d-%d" % (common_name, next(count), id(client) % 100000))
        return call(common_name, **options)
    return numbered


def pending(result):
    assert result.http_status == 200 and result.status == scep.PENDING, result.summary()
    assert not result.problem and result.certificate is None and result.fail_info is None
    return True


def waiting(site, state="pending"):
    reply = site.api("GET", "/v1/requests?limit=1000&state=" + state)
    assert reply.status == 200, reply.text
    return reply.json["requests"]


def id_of(site, result):
    return next(one["id"] for one in waiting(site) if one["transaction_id"] == result.transaction_id)


def poll(client, result, **options):
    return client.poll(result.transaction_id, SUBJECT % "waiting", result.message.signer, result.message.key, **options)


@pytest.mark.mpm
def test_more_pending_then_approved_by_the_api_then_polled(manual_site, ask, client):
    site = manual_site
    with nothing_issued(site):
        result = ask()
        assert pending(result) and pending(poll(client, result))
    shown = site.api("GET", "/v1/requests/" + id_of(site, result)).json
    assert shown["state"] == "pending" and "CN=waiting" in shown["subject"] and shown["source_ip"] == "127.0.0.1"
    reply = site.api("POST", "/v1/requests/%s/approve" % shown["id"])
    assert reply.status == 200 and reply.json["state"] == "approved" and reply.json["decided_by"] == "nanomdm"
    polled, before = poll(client, result), issued(site)
    assert polled.ok and pki.same_key(polled.certificate, result.key), polled.summary()
    again = poll(client, result)
    assert again.ok and pki.der(again.certificate) == pki.der(polled.certificate) and issued(site) == before
    row = site.api("GET", "/v1/requests/" + shown["id"]).json
    assert row["state"] == "issued" and row["certificate"]
    kinds = [one[0] for one in site.database.sql("SELECT kind FROM mdm_event WHERE object = '%s' ORDER BY id"
                                                 % shown["id"])]
    assert kinds == ["request.pending", "request.approved"]


def test_more_pending_has_no_envelope_and_no_failinfo(ask):
    result = ask()
    assert pending(result)
    assert scep.FAIL_INFO not in result.signer.attributes and scep.RECIPIENT_NONCE in result.signer.attributes
    assert not cms.SignedData(result.raw).content


def test_more_pending_a_repeated_pkcsreq_is_as_good_as_a_poll(manual_site, ask, client):
    """Apple's clients send the PKCSReq again, with the challenge that is used up."""
    site, key, challenge = manual_site, manual_site.keys.take(), manual_site.challenge()
    first = ask(key=key, challenge=challenge, transaction_id="apple")
    assert pending(first) and pending(client.send(first.message))
    assert pending(ask(key=key, challenge=challenge, transaction_id="apple"))
    assert len([one for one in waiting(site) if one["transaction_id"] == "apple"]) == 1
    site.ctl("request", "approve", id_of(site, first))
    got = ask(key=key, challenge=challenge, transaction_id="apple")
    assert got.ok and pki.same_key(got.certificate, key)
    assert pki.der(client.send(first.message).certificate) == pki.der(got.certificate)


def test_more_pending_then_denied_is_badrequest(manual_site, ask, client):
    site = manual_site
    result = ask()
    number = id_of(site, result)
    said = site.ctl("request", "deny", number).stdout
    assert "denied" in said and "CN=waiting" in said
    with nothing_issued(site):
        assert refused(poll(client, result)) and refused(client.send(result.message))
    for verb in ("approve", "deny"):
        assert site.ctl("request", verb, number, check=False).returncode != 0
        assert site.api("POST", "/v1/requests/%s/%s" % (number, verb)).status == 409
    assert [one["id"] for one in waiting(site, "denied") if one["id"] == number]


def test_more_pending_after_a_denial_a_new_challenge_begins_anew(manual_site, ask, client):
    site, key = manual_site, manual_site.keys.take()
    first = ask(key=key, transaction_id="anew")
    site.ctl("request", "deny", id_of(site, first))
    assert refused(ask(key=key, transaction_id="anew", challenge="wrong"))
    assert pending(ask(key=key, transaction_id="anew"))
    site.ctl("request", "approve", id_of(site, first))
    got = poll(client, first)
    assert got.ok
    site.ctl("certificate", "revoke", "%032x" % got.certificate.serial_number)
    assert refused(poll(client, first))
    assert pending(ask(key=key, transaction_id="anew"))


def test_more_pending_needs_a_challenge_and_uses_it_up(manual_site, ask):
    challenge = manual_site.challenge()
    before = len(waiting(manual_site))
    assert refused(ask(challenge="wrong")) and refused(ask(challenge=None))
    assert len(waiting(manual_site)) == before
    assert pending(ask(challenge=challenge)) and refused(ask(challenge=challenge))
    assert len(waiting(manual_site)) == before + 1


def test_more_pending_is_told_to_the_key_that_asked_alone(manual_site, ask, client):
    result, stranger = ask(), pki.new_key()
    other = pki.self_signed(SUBJECT % "waiting", stranger)
    answer = client.poll(result.transaction_id, SUBJECT % "waiting", other, stranger)
    assert refused(answer, scep.BAD_CERT_ID)
    assert refused(client.poll("unknown", SUBJECT % "waiting", result.message.signer, result.message.key),
                   scep.BAD_CERT_ID)


def test_more_pending_twenty_polls_at_once_get_one_certificate(manual_site, ask, client):
    site, result = manual_site, ask()
    site.api("POST", "/v1/requests/%s/approve" % id_of(site, result))
    signer, key, before = result.message.signer, result.message.key, issued(site)
    content = der.sequence(client.recipient.subject.public_bytes(), signer.subject.public_bytes())
    messages = [scep.build(content, signer, key, client.recipient, scep.CERT_POLL, result.transaction_id)
                for _ in range(20)]

    def one(message):
        http = web.Client(site.keys.tls_ca_file, timeout=60)
        try:
            return scep.Result(http.post(client.query("PKIOperation"), message.raw), message, client.authorities)
        finally:
            http.close()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(one, messages))
    assert all(one.ok for one in results), [one.summary() for one in results if not one.ok]
    assert len({pki.der(one.certificate) for one in results}) == 1 and issued(site) == before + 1


@pytest.mark.once
def test_more_pending_twins_wait_once(manual_site, client):
    site = manual_site
    client.get_ca_cert()
    message = message_of(site, client, "twin", site.challenge(), transaction_id="twin")

    def one(_):
        http = web.Client(site.keys.tls_ca_file, timeout=60)
        try:
            return scep.Result(http.post(client.query("PKIOperation"), message.raw), message, client.authorities)
        finally:
            http.close()
    with ThreadPoolExecutor(4) as pool:
        assert all(pending(one) for one in pool.map(one, range(4)))
    assert len([one for one in waiting(site) if one["transaction_id"] == "twin"]) == 1


def test_more_renewals_do_not_wait(manual_site, ask, client):
    site, result = manual_site, ask("renewed")
    site.ctl("request", "approve", id_of(site, result))
    first = poll(client, result)
    for kind in (scep.RENEWAL_REQ, scep.PKCS_REQ):
        again = client.renew(first.certificate, result.key, new_key=site.keys.take(), message_type=kind)
        assert again.ok, again.summary()


def test_more_renewal_of_a_device_identity_does_not_wait(manual_site, ask):
    """A challenge that the server made for a device it knows, as in a profile for renewal."""
    site, challenge = manual_site, manual_site.challenge()
    digest = cms.digest("sha256", challenge.encode()).hex()
    site.database.sql("UPDATE mdm_challenge SET enrollment = 4711 WHERE sha256 = '%s'" % digest)
    result = ask("device", challenge=challenge)
    assert result.ok, result.summary()
    found = site.database.sql("SELECT enrollment FROM mdm_certificate WHERE challenge = '%s'" % digest)
    assert int(found[0][0]) == 4711


@pytest.mark.once
def test_requests_are_listed_in_pages(manual_site, ask):
    site = manual_site
    mine = [ask("page").transaction_id for _ in range(3)]
    found, cursor = [], None
    for _ in range(1000):
        page = site.api("GET", "/v1/requests?limit=2" + ("&cursor=" + cursor if cursor else "")).json
        found += [one["transaction_id"] for one in page["requests"]]
        cursor = page.get("next_cursor")
        if not cursor:
            break
    assert [one for one in found if one in mine] == mine and len(found) == len(set(found))


@pytest.mark.once
def test_wrong_calls_of_the_requests_api(manual_site, ask):
    site, number = manual_site, id_of(manual_site, ask())
    for path, status in (("/v1/requests/1", 404), ("/v1/requests/x", 404), ("/v1/requests/%s/burn" % number, 404),
                         ("/v1/requests/99999999999999999999999", 404), ("/v1/requests?state=nonsense", 400)):
        assert site.api("GET", path).status == status, path
    assert site.api("POST", "/v1/requests/1/approve").status == 404
    assert site.api("GET", "/v1/requests/%s/approve" % number).status == 405
    assert site.api("POST", "/v1/requests/" + number).status == 405
    assert site.api("POST", "/v1/requests/%s/approve" % number, key="wrong").status == 401
    assert site.api("GET", "/v1/requests/" + number).json["state"] == "pending"


@pytest.mark.once
def test_mdmctl_lists_requests(manual_site, ask):
    site, result = manual_site, ask("listed")
    number = id_of(site, result)
    line = next(one for one in site.ctl("request", "list", "--state", "pending").stdout.splitlines()
                if one.startswith(number))
    assert "pending" in line and "127.0.0.1" in line and "CN=listed" in line
    assert number in site.ctl("request", "list").stdout
    assert number not in site.ctl("request", "list", "--state", "denied").stdout
    for words in (["approve"], ["approve", "x"], ["list", "--state", "x"], ["burn", number], ["approve", "1"], []):
        assert site.ctl("request", *words, check=False).returncode != 0, words


@pytest.mark.once
def test_the_waiting_requests_secrets_are_sealed(manual_site, ask):
    site, challenge = manual_site, manual_site.challenge()
    result = ask(challenge=challenge)
    number = id_of(site, result)
    stored = site.database.sql("SELECT csr FROM mdm_request WHERE id = %s" % number)[0][0]
    assert re.match(r"1:[0-9a-f]+:", stored) and "BEGIN" not in stored
    shown = site.api("GET", "/v1/requests/" + number).text
    assert "csr" not in shown and challenge not in shown
