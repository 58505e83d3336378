# SPDX-License-Identifier: Apache-2.0
"""Secrets stay where they belong: not in the logs (at the loudest level), not readable in the database."""

import base64
import plistlib
import re

from . import devices
from .site import API_KEY, PASSWORD


def everything_once(site, phone):
    """One of everything that carries a secret; returns the secrets as texts."""
    command_uuid, body = devices.command("InstallProfile", Payload=b"wifi-passphrase-CANARY1")
    site.enqueue(phone.id, body)
    phone.connect()
    other_uuid, body = devices.command("ClearPasscode", UnlockToken=phone.unlock_token)
    site.enqueue(phone.id, body)
    phone.script("ClearPasscode", {"Status": "Acknowledged", "Recovery": "result-CANARY2"}, 1)
    phone.connect()
    phone.token_update()
    challenge = site.challenge()
    key = site.keys.push_pem.decode().split("PRIVATE KEY-----")[1].split("-----")[0].split()[11]
    return {"profile payload": base64.b64encode(b"wifi-passphrase-CANARY1").decode(), "result": "result-CANARY2",
            "push magic": phone.push_magic, "push token": phone.token.hex(),
            "push token (base64)": base64.b64encode(phone.token).decode(),
            "unlock token": base64.b64encode(phone.unlock_token).decode()[:40],
            "challenge": challenge, "scep challenge of the profile": phone.profile.scep["Challenge"],
            "push key": key, "api key": API_KEY, "password": PASSWORD}


def test_no_secret_is_in_the_logs_at_trace8(site, phone):
    secrets = everything_once(site, phone)
    phone.put(phone.server_url, plistlib.dumps({**phone.identifiers(), "Status": "x", "P": "body-CANARY3"}))
    text = site.log.text() + open(site.path("access.log")).read()
    for what, secret in {**secrets, "body": "body-CANARY3"}.items():
        assert secret not in text, what
    assert "Authorization" not in text


def test_no_secret_is_readable_in_the_database(site, phone):
    secrets = everything_once(site, phone)
    if site.database.kind == "sqlite3":
        import glob
        dump = b"".join(open(name, "rb").read() for name in glob.glob(site.database.folder + "/*"))
    else:
        tables = [row[0] for row in site.database.sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        dump = "".join(str(site.database.sql("SELECT * FROM " + one)) for one in tables).encode()
    assert phone.udid.encode() in dump, "the dump is one"
    for what, secret in secrets.items():
        assert secret.encode() not in dump, what


def test_log_lines_cannot_be_forged_by_a_device(site, phone):
    mark = site.log.size()
    for text in ("X\n[mdm:error] forged line\r", "X &#13;&#10;[mdm:error] forged line", "&#27;[31mX"):
        for url, name in ((phone.server_url, "CommandUUID"), (phone.checkin_url, "MessageType"),
                          (phone.server_url, "UDID")):
            keys = {"Status": "Acknowledged", "UDID": phone.udid, name: "EVIL"}
            phone.put(url, plistlib.dumps(keys).replace(b"EVIL", text.encode()))
    text = site.log.text(mark)
    assert not re.search(r"^\[mdm:error\]", text, re.M)
    assert "\x1b" not in text
