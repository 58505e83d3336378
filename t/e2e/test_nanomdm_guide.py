# SPDX-License-Identifier: Apache-2.0
"""docs/nanomdm.md walked through as its reader does: the site is made of the configuration that stands there, a NanoMDM
server's database is imported, and its devices go on at the URLs they know."""

import os
import re
import textwrap

import pytest
from mdmsim import pki, web

from .devices import API_KEY, command, device_of, served
from .document import SOURCE
from .test_nanomdm_import import nano, run_import

__all__ = ["nano"]

pytestmark = pytest.mark.once

GUIDE = os.path.join(SOURCE, "docs", "nanomdm.md")


def blocks():
    """The pieces of httpd.conf in the document, as they stand there."""
    with open(GUIDE, encoding="utf-8") as text:
        found = re.findall(r"^ *```apache\n(.*?)^ *```$", text.read(), re.S | re.M)
    return [textwrap.dedent(one) for one in found]


def as_written(site):
    """Make the site's configuration from the document: only names of files, of the host and of the database are ours."""
    text = blocks()[0]
    given = dict(re.findall(r"^(MDM\w+) +(\S+)$", text, re.M))
    locations = text[text.index("<Location"):]
    rest = re.findall(r"^((?!MDM|DB|SSLVerify)\w+ +.*)$", text[:text.index("<Location")], re.M)
    assert {"MDMEngine", "MDMStateDir", "MDMServerURL", "MDMConnectURL", "MDMCheckInURL", "MDMAPIKeyFile"} <= set(given)
    assert given["MDMConnectURL"] == given["MDMServerURL"] + "/mdm"
    site.own.update({name: value for name, value in given.items() if name not in site.own and name != "MDMServerURL"})
    site.locations = "\n".join(rest + [locations.replace("%", "%%")])
    site.given = given
    return site


def urls_of_this_run(site):
    """The document's URLs with the port of this run, which is known only when httpd is about to start."""
    write = site.httpd.make_conf

    def make_conf(port):
        for name in ("MDMConnectURL", "MDMCheckInURL"):
            site.own[name] = site.given[name].replace(site.given["MDMServerURL"], "https://127.0.0.1:%d" % port)
        return write(port)
    site.httpd.make_conf = make_conf


def call(site, method, path, body=None, user="nanomdm"):
    return site.http.request(method, site.at(path), body, {"Authorization": web.basic_auth(user, API_KEY)})


def test_the_guide_moves_a_server(make_site, nano, keys, apns, closing):
    site = as_written(make_site())
    urls_of_this_run(site)
    site.start()
    phone = closing(device_of(site))
    phone.server_url = phone.checkin_url = site.at("/mdm")
    nano.identify(phone, keys.take(), 2)
    nano.add_device(phone, tally=2)
    nano.insert("push_certs", topic=site.topic, cert_pem=pki.pem(keys.push), key_pem=pki.pem(keys.push_key))
    first = command()
    nano.add_command(first[1], first[0], phone.id)

    done = run_import(site, nano)
    assert done.returncode == 0, done.stderr
    assert call(site, "GET", "/version").json["version"]
    assert call(site, "GET", "/v1/pushcert?topic=" + site.topic).status == 200
    assert call(site, "GET", "/v1/push/" + phone.id).status == 200
    assert apns.wait_pushes(1, magic=phone.push_magic)
    phone.identity_mode = "signature"
    assert served(phone.idle()) == first[0]
    assert [one.uuid for one in phone.connect()] == [first[0]]
    uuid, body = command()
    assert call(site, "PUT", "/v1/enqueue/" + phone.id, body).status == 200
    assert [one.uuid for one in phone.connect()] == [uuid]
    assert phone.token_update().status == 200, "check-in and reports have one URL"
    shown = call(site, "GET", "/v1/enrollments/" + phone.id).json
    assert shown["token_update_tally"] == 3


def test_the_guides_other_way_nano2nano(make_site, keys, closing):
    from .test_migration import authenticate, hand_over, token_update
    authority = pki.Authority("O=Old server, CN=Old CA")
    site = as_written(make_site())
    second = dict(re.findall(r"^(MDM\w+) +(\S+)$", blocks()[1], re.M))
    assert set(second) == {"MDMIdentityCAFile", "MDMRetroactiveIdentity"}
    site.own.update(second)
    site.own["MDMIdentityCAFile"] = site.write("old-scep-ca.pem", pki.pem(authority.certificate))
    urls_of_this_run(site)
    site.start()
    assert call(site, "PUT", "/v1/pushcert", keys.push_pem).status == 200
    phone = closing(device_of(site))
    phone.server_url = phone.checkin_url = site.at("/mdm")
    phone.new_token()
    phone.set_identity(*authority.issue("CN=" + phone.udid, key=keys.take(), usage="client"))
    for message in (authenticate(phone), token_update(phone, phone.topic)):
        assert hand_over(site, message).status == 200
    uuid, body = command()
    assert call(site, "PUT", "/v1/enqueue/" + phone.id, body).status == 200
    assert served(phone.idle()) == uuid
