# SPDX-License-Identifier: Apache-2.0
"""docs/profiles.md walked through as its reader does: its commands are run as they stand there, and simulated phones get
what it says that they get."""

import json
import os
import re
import subprocess
import textwrap

from . import desired, devices
from .document import SOURCE

GUIDE = os.path.join(SOURCE, "docs", "profiles.md")
HOST = "https://mdm.example.com/mdm/api"
WIFI = "com.apple.wifi.managed"


def commands():
    """The commands of the document, in its order."""
    with open(GUIDE, encoding="utf-8") as text:
        blocks = re.findall(r"(?:^    .*\n)+", text.read(), re.M)
    return [textwrap.dedent(one) for one in blocks if one.startswith("    curl ")]


class Reader:
    """Types what stands in the document; only host, port and the CA of the web site are ours."""

    def __init__(self, site, home):
        self.site, self.left = site, commands()
        self.home = str(home)
        with open(os.path.join(self.home, ".netrc"), "w", encoding="utf-8") as out:
            out.write("machine 127.0.0.1 login nanomdm password %s\n" % devices.API_KEY)
        with open(os.path.join(self.home, ".curlrc"), "w", encoding="utf-8") as out:
            out.write('cacert = "%s"\nsilent\nshow-error\nfail-with-body\n' % site.keys.tls_ca_file)

    def next(self, word, device=None, assignment=None):
        """Run the next command, which has this word in it, for what its reader would name; its JSON."""
        text = self.left.pop(0)
        assert HOST in text and word in text, "%r is not in the next command: %s" % (word, text)
        assert (device is None) == ("/DEVICE/" not in text), text
        assert (assignment is None) == (re.search(r"\bID\b", text) is None), text
        text = re.sub(r"\bID\b", assignment or "", text.replace("/DEVICE/", "/%s/" % device))
        done = subprocess.run(["bash", "-c", text.replace(HOST, self.site.at("/mdm/api"))], capture_output=True, text=True,
                              env={**os.environ, "HOME": self.home}, timeout=60, check=False)
        assert done.returncode == 0, "%s\n%s%s" % (text, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None


def people(site, names):
    """Sign-ins for them, with the password of all tests."""
    with open(site.path("htpasswd"), encoding="utf-8") as source:
        text = source.read()
    digest = text.splitlines()[0].partition(":")[2]
    site.write("htpasswd", text + "".join("%s:%s\n" % (name, digest) for name in names))


def test_the_guide_from_nothing_to_a_changed_password(make_site, new_device, tmp_path, apns):
    site = make_site().start()
    site.upload_push_certificate()
    people(site, ["anna", "bert"])
    mine, hers = (devices.enroll(site, new_device(site), user=user) for user in ("bert", "anna"))
    reader = Reader(site, tmp_path)
    assert len(reader.left) == 17

    def work():
        desired.settled(site)
        for phone in (mine, hers):
            phone.connect()
    reader.next("v1/users/anna")
    assert reader.next("groups/sales-phones/preview")["joins"]["count"] == 1
    reader.next("groups/sales-phones")
    desired.settled(site)
    reader.next("secrets/sales-wifi")
    profile = reader.next("profiles/sales-wifi")
    said = reader.next("assignments/preview")
    assert said["install"] == {"count": 1, "enrollments": [hers.id]} and said["looked"] == 1
    made = reader.next("assignments")
    assert made["group"] == "sales-phones"
    apns.wait_pushes(1, magic=hers.push_magic)
    work()
    identifier = profile["identifier"]
    assert hers.profiles.payload(identifier, WIFI)["Password"] == "a first password"
    assert identifier not in mine.profiles
    change = reader.next("changes")["changes"][0]
    assert (change["kind"], change["object"], change["changed"], change["done"]) == ("profile", "sales-wifi", 1, True)
    found = reader.next("profiles/sales-wifi/devices")
    assert found["counts"]["states"] == {"verified": 1}, found
    of_hers, = reader.next("enrollments/", device=found["devices"][0]["enrollment_id"])["profiles"]
    assert (of_hers["profile"], of_hers["state"]) == ("sales-wifi", "verified")
    assert of_hers["reason"].startswith("member of the group sales-phones"), of_hers

    said = reader.next('"secret"')
    assert said["replace"] == {"count": 1, "enrollments": [hers.id]}
    before = hers.profiles[identifier]["PayloadUUID"]
    assert reader.next("secrets/sales-wifi")["generation"] == 2
    work()
    assert hers.profiles.payload(identifier, WIFI)["Password"] == "a second password"
    assert hers.profiles[identifier]["PayloadUUID"] != before
    assert [one["enrollment_id"] for one in reader.next("state=verified")["devices"]] == [hers.id]

    assert reader.next("rollout", assignment=made["id"])["looked"] == 1
    assert reader.next("rollout", assignment=made["id"])["rollout"]["steps"] == [1, 5, 20, 100]
    assert reader.next("versions/1/restore")["version"] == 1
    work()
    assert reader.next("-X DELETE")["assignments"] == 1
    work()
    assert identifier not in hers.profiles
    assert set(desired.rows(site, "sales-wifi").values()) == {9}, "removed, as the list has confirmed"
    assert reader.left == []
