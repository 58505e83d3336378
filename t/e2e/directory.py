# SPDX-License-Identifier: Apache-2.0
"""A company directory: Debian's slapd as a process of the tests on a free loopback port, with a few people and
groups. Groups know their members; people know their groups only where a test writes memberOf. More than 500 entries are
handed out in pages alone."""

import os
import shutil
import socket
import subprocess
import tempfile

from .httpd import end_with_parent, free_port, wait_until

SLAPD = "/usr/sbin/slapd"
BASE = "dc=example,dc=com"
READER, READER_PASSWORD = "cn=reader," + BASE, "only-for-reading"
ADMIN, ADMIN_PASSWORD = "cn=admin," + BASE, "for-the-tests"

CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
attributetype ( 1.3.6.1.4.1.99999.1 NAME 'disabledHere' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.3 NAME 'memberOf' EQUALITY distinguishedNameMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
objectclass ( 1.3.6.1.4.1.99999.2 NAME 'testPerson' SUP top AUXILIARY MAY ( disabledHere $ memberUid $ memberOf ) )
%(tls)s
pidfile %(folder)s/slapd.pid
argsfile %(folder)s/slapd.args
disallow bind_anon
require authc
database mdb
maxsize 104857600
sizelimit size=500 size.prtotal=unlimited
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw for-the-tests
directory %(folder)s/db
overlay ppolicy
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""

TREE = """\
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example Hospital

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups

dn: cn=reader,dc=example,dc=com
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: only-for-reading
"""

PERSON = """
dn: uid=%(uid)s,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: %(uid)s
cn: %(uid)s
sn: %(uid)s
employeeType: %(kind)s
userPassword: %(password)s
"""

GROUP = """
dn: cn=%(name)s,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: %(name)s
"""


def program(path, package):
    found = shutil.which(path)
    assert found, "%s is missing: install Debian's package %s" % (path, package)
    return found


class Directory:
    """people: {uid: (password, employeeType)}; groups: {name: [uid]}. url is ldap://127.0.0.1:port, or ldaps: when tls is
    (certificate file, key file)."""

    def __init__(self, people, groups, tls=None):
        self.folder = tempfile.mkdtemp(prefix="mdm-e2e-ldap-")
        os.mkdir(os.path.join(self.folder, "db"), 0o700)
        self.port, self.process = free_port(), None
        self.url = "%s://127.0.0.1:%d" % ("ldaps" if tls else "ldap", self.port)
        lines = "TLSCertificateFile %s\nTLSCertificateKeyFile %s" % tls if tls else ""
        self.tls = tls
        self.conf = self._write("slapd.conf", CONF % {"folder": self.folder, "tls": lines})
        tree = TREE + "".join(PERSON % {"uid": uid, "password": password, "kind": kind}
                              for uid, (password, kind) in people.items())
        for name, members in groups.items():
            tree += GROUP % {"name": name} + "".join("member: uid=%s,ou=people,%s\n" % (uid, BASE) for uid in members)
        subprocess.run([program("/usr/sbin/slapadd", "slapd"), "-f", self.conf, "-l", self._write("tree.ldif", tree)],
                       check=True, capture_output=True, text=True)

    def _write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def start(self):
        self.process = subprocess.Popen([program(SLAPD, "slapd"), "-f", self.conf, "-h", self.url + "/", "-d", "0"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(os.path.join(self.folder, "slapd.log"), "ab"),
                                        preexec_fn=end_with_parent)
        wait_until(self._serves, what="slapd to serve")
        return self

    def _serves(self):
        assert self.process.poll() is None, "slapd has ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)):
                return False
        return bool(self.tls) or self.search("(uid=nobody)").returncode == 0

    def search(self, words):
        """ldapsearch by the reader: another client's word that the directory works."""
        return subprocess.run([program("ldapsearch", "ldap-utils"), "-LLL", "-x", "-H", self.url, "-D", READER, "-w",
                               READER_PASSWORD, "-b", BASE, words, "dn"], capture_output=True, text=True)

    def _change(self, ldif, *options):
        subprocess.run([program("ldapmodify", "ldap-utils"), "-x", "-H", self.url, "-D", ADMIN, "-w", ADMIN_PASSWORD,
                        *options], input=ldif, check=True, capture_output=True, text=True)

    def add(self, ldif):
        self._change(ldif, "-a")

    def modify(self, ldif):
        self._change(ldif)

    def add_person(self, uid, *lines):
        """A person without a password; lines such as "title: Nurse"."""
        self.add("dn: %s\nobjectClass: inetOrgPerson\nobjectClass: testPerson\nuid: %s\ncn: %s\nsn: %s\n%s" % (
            self.dn(uid), uid, uid, uid, "".join(line + "\n" for line in lines)))

    def remove(self, uid):
        self._change("dn: %s\nchangetype: delete\n" % self.dn(uid))

    def set(self, dn, attribute, *values):
        """Replace the values of an attribute; none: it goes."""
        self.modify("dn: %s\nchangetype: modify\nreplace: %s\n%s" % (
            dn, attribute, "".join("%s: %s\n" % (attribute, value) for value in values)))

    @staticmethod
    def dn(uid):
        return "uid=%s,ou=people,%s" % (uid, BASE)

    @staticmethod
    def group(name):
        return "cn=%s,ou=groups,%s" % (name, BASE)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
