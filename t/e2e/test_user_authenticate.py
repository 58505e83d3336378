# SPDX-License-Identifier: Apache-2.0
"""UserAuthenticate: network users of Macs, without a password and with one."""

import hashlib

import pytest
from mdmsim import channel

from . import devices

REALM = "Example Hospital"


def digest_line(name, password, realm=REALM):
    """As htdigest writes it."""
    return "%s:%s:%s\n" % (name, realm, hashlib.md5(("%s:%s:%s" % (name, realm, password)).encode()).hexdigest())


def made(make_site, mode, lines=None, start=True):
    site = make_site()
    site.own["MDMUserAuthenticate"] = mode
    if lines is not None:
        site.own["MDMUserDigestFile"] = site.write("users.digest", lines, 0o600)
    if start:
        site.start()
        site.upload_push_certificate()
    return site


@pytest.fixture
def digest_site(make_site):
    return made(make_site, "digest", digest_line("other", "x") + digest_line("joy", "se cret \u00e9"))


def test_row_14_declined_is_410(site, phone):
    user = phone.user_channel()
    for response in (None, "", "Digest username=x"):
        assert user.user_authenticate(response).status == 410
    assert site.show(user.id) is None


@pytest.mark.once
def test_row_14_zero_length_has_both_steps(make_site, new_phone):
    site = made(make_site, "zero-length")
    phone = new_phone(site)
    user = phone.user_channel(short_name="joy")
    reply = user.user_authenticate()
    assert reply.status == 200 and reply.plist == {"DigestChallenge": ""}
    assert site.show(user.id)["state"] == "pending"
    assert site.show(user.id)["user_short_name"] == "joy"
    reply = user.user_authenticate("")
    assert reply.status == 200 and reply.body == b""
    user.token_update()
    assert site.show(user.id)["state"] == "enrolled"
    assert user.idle().status == 200
    # a user who left the channel comes back by signing in
    user.checkout()
    assert user.user_authenticate().plist == {"DigestChallenge": ""}
    assert site.show(user.id)["state"] == "pending"
    user.token_update()
    assert site.show(user.id)["state"] == "enrolled"


@pytest.mark.once
def test_a_network_user_signs_in_with_a_password_and_shows_the_token_from_then_on(digest_site, new_phone):
    site = digest_site
    phone = new_phone(site)
    user = phone.user_channel(short_name="joy")
    challenge = user.user_authenticate().plist["DigestChallenge"]
    assert challenge.startswith("Digest ") and 'realm="%s"' % REALM in challenge and "qop" not in challenge
    assert site.show(user.id) is None
    token = user.sign_in("joy", "se cret \u00e9")
    assert len(token) >= 32 and site.show(user.id)["state"] == "pending"
    user.token_update()
    uuid, body = devices.command()
    assert site.enqueue(user.id, body, nopush=True).status == 200
    for wrong in (None, "", "x" * len(token), token[:-1]):
        user.auth_token = wrong
        assert user.idle().status == 403
        assert user.token_update(check=False).status == 403
        assert user.declarative("tokens").status == 403
        assert user.checkout(check=False).status == 403
    user.auth_token = token
    assert [one.uuid for one in user.connect()] == [uuid]
    assert site.show(user.id)["token_update_tally"] == 1
    # the device channel needs none
    assert phone.idle().status == 200
    [[stored]] = site.database.sql("SELECT auth_token FROM mdm_enrollment WHERE enrollment_id = '%s'" % user.id)
    assert stored == hashlib.sha256(token.encode()).hexdigest()
    # the next sign-in ends the token before
    second = user.sign_in("joy", "se cret \u00e9")
    assert second and second != token
    assert user.idle().status == 200
    user.auth_token = token
    assert user.idle().status == 403
    # and so does a new enrollment of the device
    devices.enroll(site, phone)
    user.auth_token = None
    user.token_update()
    assert token not in site.log.text() and second not in site.log.text()


@pytest.mark.once
def test_what_is_wrong_gets_an_empty_token_and_no_channel(digest_site, new_phone):
    site = digest_site
    phone, twin = new_phone(site), new_phone(site)
    user, stranger = phone.user_channel(), twin.user_channel()
    challenge = user.user_authenticate().plist["DigestChallenge"]
    good = channel.digest_response(challenge, "joy", "se cret \u00e9")
    nonce = challenge.split('nonce="')[1].split('"')[0]
    old = "%d%s" % (int(nonce.split("-")[0]) - 10 ** 9, nonce[nonce.index("-"):])
    wrong = [channel.digest_response(challenge, "joy", "wrong"), channel.digest_response(challenge, "nobody", "x"),
             channel.digest_response(challenge, "joy", "se cret \u00e9", uri="/other"),
             channel.digest_response(challenge, "joy", "se cret \u00e9", method="GET"),
             channel.digest_response(challenge.replace(REALM, "elsewhere"), "joy", "se cret \u00e9"),
             channel.digest_response(challenge.replace(nonce, old), "joy", "se cret \u00e9"),
             channel.digest_response(challenge.replace(nonce, "1-2"), "joy", "se cret \u00e9"),
             good.replace('response="', 'response="0'), good[:-40], good + ',qop="auth"', good + "," + good[7:],
             "", "Digest", "Digest ", "Basic am95Og==", "Digest username=", 'Digest username="',
             "Digest " + "a=b," * 2000]
    for response in wrong:
        reply = user.user_authenticate(response)
        assert reply.status == 200 and reply.plist == {"AuthToken": ""}, response
    # the challenge is for one channel
    assert stranger.user_authenticate(good).plist == {"AuthToken": ""}
    assert site.show(user.id) is None and site.show(stranger.id) is None
    assert user.user_authenticate(good).plist["AuthToken"]
    kinds = [kind for [kind] in site.database.sql("SELECT kind FROM mdm_event WHERE enrollment_id = '%s'" % user.id)]
    assert kinds.count("user.refused") == len(wrong) and kinds.count("user.authenticated") == 1
    assert "se cret" not in site.log.text()


@pytest.mark.once
def test_nobody_signs_in_on_a_device_with_anothers_certificate(digest_site, new_phone):
    mine, other = new_phone(digest_site), new_phone(digest_site)
    user = other.user_channel()
    with other.as_identity(mine.certificate, mine.key):
        assert user.user_authenticate().status == 403
    mine.checkout()
    assert mine.user_channel().user_authenticate().status == 403
    assert mine.send_checkin({"MessageType": "UserAuthenticate"}).status in (400, 403)
    assert other.send_checkin({"MessageType": "UserAuthenticate"}).status == 400


@pytest.mark.once
@pytest.mark.parametrize("lines, says", [
    (None, "needs MDMUserDigestFile"), ("", "names nobody"), ("# nobody\n", "names nobody"),
    ("joy:secret\n", "line 1"), (digest_line("a", "b") + digest_line("a", "b", "other"), "line 2"),
    (digest_line("a", "b", 'quo"te'), "quotes")])
def test_a_digest_file_that_cannot_work_stops_the_start(make_site, lines, says):
    site = made(make_site, "digest", lines, start=False)
    site.log.expect("MDM010[01]")
    site.prepare()
    status, text = site.configtest()
    if status == 0:
        with pytest.raises(AssertionError):
            site.start()
        text = site.log.text()
    assert says in text
