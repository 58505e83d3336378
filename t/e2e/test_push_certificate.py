# SPDX-License-Identifier: Apache-2.0
"""Push certificates over their life: a new topic that would strand devices is refused, several live side by side when
that is wanted, and the end of one is announced."""

import datetime
import re

import pytest
from mdmsim import pki

from .keys import TOPIC

OTHER = "com.apple.mgmt.External.11111111-2222-4333-8444-555555555555"


def certificate(keys, topic, days=90):
    now = datetime.datetime.utcnow()
    made, key = keys.push_ca.push_certificate(topic, key=keys.take(), not_before=now - datetime.timedelta(days=400),
                                              not_after=now + datetime.timedelta(days=days, hours=1))
    return (pki.pem(made) + pki.pem(key)).encode()


def listed(site):
    reply = site.api("GET", "/v1/pushcerts")
    assert reply.status == 200, reply
    return {one["topic"]: one for one in reply.json["push_certificates"]}


def test_another_topic_is_refused_while_devices_use_one(own_site, new_phone, keys):
    site = own_site
    assert site.api("PUT", "/v1/pushcert", certificate(keys, OTHER)).status == 200, "no device would be stranded"
    site.database.sql("DELETE FROM mdm_push_topic WHERE topic = '%s'" % OTHER)
    new_phone(site)
    new_phone(site)
    for query in ("", "?confirm=", "?confirm=yes", "?confirm=" + TOPIC):
        reply = site.api("PUT", "/v1/pushcert" + query, certificate(keys, OTHER))
        assert reply.status == 409, reply
        assert "2 enrolled devices" in reply.json["error"] and TOPIC in reply.json["error"]
    assert set(listed(site)) == {TOPIC}
    assert site.api("PUT", "/v1/pushcert", certificate(keys, TOPIC)).status == 200, "renewing needs no confirmation"
    assert site.api("PUT", "/v1/pushcert?confirm=" + OTHER, certificate(keys, OTHER)).status == 200
    assert site.api("PUT", "/v1/pushcert", certificate(keys, OTHER)).status == 200, "known by now"
    found = listed(site)
    assert found[TOPIC]["devices"] == 2 and found[OTHER]["devices"] == 0


def test_an_older_certificate_of_the_same_topic_has_to_be_confirmed(own_site, keys):
    site, older = own_site, certificate(keys, TOPIC, 20)
    before = listed(site)
    for query in ("", "?confirm=" + OTHER):
        reply = site.api("PUT", "/v1/pushcert" + query, older)
        assert reply.status == 409 and "older" in reply.json["error"] and TOPIC in reply.json["error"], reply
    lines = certificate(keys, TOPIC, 120).decode()
    wrong = lines[:lines.index("-----BEGIN PRIVATE")] + older.decode()[older.decode().index("-----BEGIN PRIVATE"):]
    reply = site.api("PUT", "/v1/pushcert", wrong.encode())
    assert reply.status == 400 and "key does not belong" in reply.json["error"], reply
    assert listed(site) == before
    assert site.api("PUT", "/v1/pushcert?confirm=" + TOPIC, older).status == 200
    assert listed(site)[TOPIC]["days_left"] == 20


def test_the_list_tells_topics_without_a_certificate(own_site, new_phone, keys):
    site = own_site
    new_phone(site)
    assert listed(site)[TOPIC] == {"topic": TOPIC, "devices": 1, "days_left": 89,
                                   "not_after": keys.push.not_valid_after.strftime("%Y-%m-%dT%H:%M:%SZ")}
    site.database.sql("DELETE FROM mdm_push_topic")
    assert listed(site)[TOPIC] == {"topic": TOPIC, "devices": 1, "days_left": None, "not_after": None}
    assert site.api("POST", "/v1/pushcerts").status == 405


@pytest.mark.parametrize("days, level, stage", [(29, "warn", "30"), (6, "error", "7"), (0, "error", "1"), (-3, "error", "expired")])
@pytest.mark.once
def test_the_end_is_announced(make_site, keys, days, level, stage):
    site = make_site()
    site.start()
    site.log.expect(r"\[mdm:error\].*MDM093[12]")
    assert site.api("PUT", "/v1/pushcert", certificate(keys, TOPIC, days if days >= 0 else 40)).status == 200
    if days < 0:
        site.database.sql("UPDATE mdm_push_topic SET not_after = not_after + (%d - 40) * 86400000000" % days)
    for _ in range(2):
        site.stop()
        mark = site.log.size()
        site.start_again()
        text = site.log.wait(r"\[mdm:.*MDM093[12]: the push certificate " + re.escape(TOPIC) + ".*", mark).group()
        assert "[mdm:%s]" % level in text and "same Apple Account" in text
        assert site.database.sql("SELECT object, detail FROM mdm_event WHERE kind = 'pushcert.expiring'") == [[TOPIC, stage]]
    assert listed(site)[TOPIC]["days_left"] == days
    assert ("(expired)" if days < 0 else "(%d days)" % days) in site.ctl("push", "show").stdout
    page = site.http.get(site.at("/mdm-status")).text
    assert ("has expired" if days < 0 else "expires in %d days" % days) in page and TOPIC in page
