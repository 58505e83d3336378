# SPDX-License-Identifier: Apache-2.0
"""Invitations by API and mdmctl: 29 of the feature rows. What they open is in the tests of the enrollment pages."""

import base64
import re
import subprocess
from datetime import datetime, timedelta, timezone

import pytest

URL = r"https://127\.0\.0\.1:\d+/mdm/enroll/i/([A-Za-z0-9_-]{22})"


def zbar(file):
    """What zbarimg (Debian package: zbar-tools) reads in a picture."""
    done = subprocess.run(["zbarimg", "-q", "--raw", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout.strip()


def read_png(folder, png):
    file = folder / "code.png"
    file.write_bytes(png)
    return zbar(file)


def read_svg(folder, svg):
    """Painted by rsvg-convert (Debian package: librsvg2-bin)."""
    drawn = subprocess.run(["rsvg-convert"], input=svg.encode(), capture_output=True)
    assert drawn.returncode == 0, drawn.stderr
    return read_png(folder, drawn.stdout)


def invite(site, headers=None, **wanted):
    import json
    return site.api("POST", "/v1/invitations", json.dumps(wanted).encode() if wanted else b"",
                    headers=headers or {})


def seconds_left(json):
    at = datetime.strptime(json["expires_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return (at - datetime.now(timezone.utc)) / timedelta(seconds=1)


def test_29_an_invitation_has_an_address_and_a_qr_code_of_it(site, tmp_path):
    reply = invite(site)
    assert reply.status == 201, reply
    made = reply.json
    assert re.fullmatch(URL, made["url"])
    assert made["uses"] == made["uses_left"] == 1 and made["state"] == "valid" and made["created_by"]
    assert "user" not in made and "serial_number" not in made
    assert 7 * 86400 - 60 < seconds_left(made) <= 7 * 86400
    assert read_svg(tmp_path, made["qr"]["svg"]) == made["url"]
    assert read_png(tmp_path, base64.b64decode(made["qr"]["png"])) == made["url"]
    assert reply.headers["location"] == "/mdm/api/v1/invitations/" + made["id"]
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.once
def test_29_the_picture_alone(site, tmp_path):
    for kind, read in (("image/png", lambda body: read_png(tmp_path, body)),
                       ("image/svg+xml", lambda body: read_svg(tmp_path, body.decode()))):
        reply = invite(site, headers={"Accept": kind}, uses=2)
        assert reply.status == 201 and reply.headers["content-type"] == kind
        url = read(reply.body)
        assert re.fullmatch(URL, url) and reply.headers["link"] == '<%s>; rel="related"' % url


def test_29_for_a_person_and_a_device_with_uses_and_an_end(site):
    made = invite(site, user="jörg", serial_number="C02XK1", uses=25, lifetime="12h").json
    assert (made["user"], made["serial_number"], made["uses"]) == ("jörg", "C02XK1", 25)
    assert 12 * 3600 - 60 < seconds_left(made) <= 12 * 3600
    shown = site.api("GET", "/v1/invitations/" + made["id"])
    assert shown.status == 200
    assert shown.json == {name: value for name, value in made.items() if name not in ("url", "qr")}


def test_29_the_token_is_shown_once_and_stored_as_a_hash(site):
    made = invite(site).json
    token = re.fullmatch(URL, made["url"]).group(1)
    rows = str(site.database.sql("SELECT * FROM mdm_invitation"))
    assert token not in rows and made["id"] in rows
    assert token not in site.api("GET", "/v1/invitations").text
    assert len(base64.urlsafe_b64decode(token + "==")) == 16
    assert invite(site).json["url"] != made["url"]


def test_29_lists_are_newest_first_in_pages(site):
    ids = [invite(site, user="page%d" % i).json["id"] for i in range(5)]
    page = site.api("GET", "/v1/invitations?limit=2").json
    assert [one["id"] for one in page["invitations"]] == ids[:2:-1]
    page = site.api("GET", "/v1/invitations?limit=3&cursor=" + page["next_cursor"]).json
    assert [one["id"] for one in page["invitations"]] == ids[2::-1]
    assert site.api("GET", "/v1/invitations?cursor=x").status == 400


def test_29_a_revoked_invitation_stays_revoked(site):
    made = invite(site).json
    path = "/v1/invitations/" + made["id"]
    reply = site.api("DELETE", path)
    assert reply.status == 200 and reply.json["state"] == "revoked" and reply.json["revoked_at"]
    assert site.api("DELETE", path).status == 410
    assert site.api("GET", path).json["state"] == "revoked"
    events = site.database.sql("SELECT kind FROM mdm_event WHERE object = '%s' ORDER BY id" % made["id"])
    assert events == [["invitation.created"], ["invitation.revoked"]]


@pytest.mark.once
def test_29_states_are_told(site):
    def state(change):
        made = invite(site).json
        site.database.sql("UPDATE mdm_invitation SET %s WHERE id = %s" % (change, made["id"]))
        return site.api("GET", "/v1/invitations/" + made["id"]).json["state"]

    assert state("uses_left = 0") == "used up"
    assert state("expires_at = 1") == "expired"


@pytest.mark.once
@pytest.mark.parametrize("body, why", [
    (b'{"uses": 0}', "uses"), (b'{"uses": 1000001}', "uses"), (b'{"uses": "2"}', "uses"), (b'{"uses": 1.5}', "uses"),
    (b'{"lifetime": "soon"}', "lifetime"), (b'{"lifetime": "0d"}', "lifetime"), (b'{"lifetime": 7}', "lifetime"),
    (b'{"lifetime": "4000d"}', "ten years"), (b'{"user": 1}', "user"), (b'{"user": "a\\nb"}', "control"),
    (b'{"user": "' + b"x" * 256 + b'"}', "255"), (b'{"serial": "C02"}', "serial"), (b"[]", ""), (b"{", "")])
def test_29_a_wrong_wish_is_refused_by_name(site, body, why):
    before = len(site.api("GET", "/v1/invitations?limit=1000").json["invitations"])
    reply = site.api("POST", "/v1/invitations", body)
    assert reply.status == 400 and why in reply.json["error"], reply
    assert len(site.api("GET", "/v1/invitations?limit=1000").json["invitations"]) == before


@pytest.mark.once
def test_29_who_may(site):
    assert site.api("POST", "/v1/invitations", b"", user=None).status == 401
    assert site.api("POST", "/v1/invitations", b"", key="wrong").status == 401
    for path in ("0", "x", "-1", "9" * 30, "9223372036854775807", "12/x"):
        assert site.api("GET", "/v1/invitations/" + path).status == 404
    assert site.api("PUT", "/v1/invitations", b"").status == 405
    assert site.api("POST", "/v1/invitations/1", b"").status == 405


def test_29_mdmctl_prints_the_address_alone(site, tmp_path):
    png, svg = tmp_path / "i.png", tmp_path / "i.svg"
    enroll = site.at("/mdm/enroll")
    png.write_bytes(b"one of before")
    png.chmod(0o644)
    done = site.ctl("invitation", "new", "--enroll-url", enroll, "--user", "anna", "--serial", "C02", "--uses", "3",
                    "--lifetime", "1h", "--qr-png", str(png), "--qr-svg", str(svg))
    url = done.stdout[:-1]
    assert done.stdout.endswith("\n") and re.fullmatch(URL, url)
    assert zbar(png) == url and read_svg(tmp_path, svg.read_text()) == url
    assert png.stat().st_mode & 0o777 == svg.stat().st_mode & 0o777 == 0o600
    line = site.ctl("invitation", "list").stdout.splitlines()[0]
    assert "valid" in line and "3 of 3" in line and "anna" in line and "C02" in line
    number = line.split()[0]
    shown = site.api("GET", "/v1/invitations/" + number).json
    assert shown["created_by"] == "mdmctl" and 3500 < seconds_left(shown) <= 3600
    site.ctl("invitation", "revoke", number)
    assert site.ctl("invitation", "revoke", number, check=False).returncode == 1
    assert "revoked" in site.ctl("invitation", "list").stdout.splitlines()[0]


@pytest.mark.once
def test_29_an_invitation_without_its_picture_is_told_all_the_same(site, tmp_path):
    done = site.ctl("invitation", "new", "--enroll-url", site.at("/mdm/enroll"), "--qr-png",
                    str(tmp_path / "missing" / "i.png"), check=False)
    assert done.returncode == 1 and "i.png cannot be written" in done.stderr
    assert re.fullmatch(URL, done.stdout[:-1])


@pytest.mark.once
@pytest.mark.parametrize("args", [["new"], ["new", "--enroll-url", "http://x/"], ["revoke"], ["revoke", "x"], [],
                                  ["new", "--enroll-url", "https://x/y", "--lifetime", "x"],
                                  ["new", "--enroll-url", "https://x/y", "--uses", "0"]], ids=" ".join)
def test_29_mdmctl_refuses_what_it_does_not_understand(site, args):
    done = site.ctl("invitation", *args, check=False)
    assert done.returncode in (1, 2) and done.stderr.strip() and not done.stdout
