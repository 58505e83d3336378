# SPDX-License-Identifier: Apache-2.0
"""The database: made at first use, of the right version, gone and back again. No failure of it is ever an empty
200, which a device would take for "nothing to do"."""

import os
import shutil
import tempfile

import pytest
from mdmsim import web

from . import devices
from .httpd import wait_until
from .postgresql import Cluster
from .site import PASSWORD, USER, Pgsql


@pytest.fixture
def fragile_site(make_site, variant, closing):
    """A running site whose database can be taken away without harm to others."""
    database = None
    if variant[1] == "pgsql":
        folder = tempfile.mkdtemp(prefix="mdm-e2e-pg-")
        os.chmod(folder, 0o755)
        cluster = Cluster(folder).start()
        closing(Ended(cluster))
        database = Pgsql(cluster)
    site = make_site(database=database).start()
    site.upload_push_certificate()
    return site


class Ended:
    def __init__(self, cluster):
        self.cluster = cluster

    def close(self):
        self.cluster.stop("immediate")
        shutil.rmtree(os.path.dirname(self.cluster.folder), ignore_errors=True)


def tells_nothing(site, reply):
    """What a driver says names hosts, users and files; it is for the error log."""
    place = site.database.folder if site.database.kind == "sqlite3" else site.database.cluster.folder
    return place not in reply.text and "STMT_" not in reply.text


def all_down(site, phone):
    """Every path that needs the database answers 503 with Retry-After."""
    for reply in (phone.idle(), phone.token_update(check=False), phone.authenticate(check=False),
                  phone.checkout(check=False),
                  phone.send_report({"Status": "Acknowledged", "CommandUUID": "x"}),
                  site.http.get(site.at("/mdm/enroll"), {"Authorization": web.basic_auth(USER, PASSWORD)}),
                  site.enqueue(phone.id, devices.command()[1]), site.api("GET", "/v1/enrollments"),
                  site.api("GET", "/v1/profiles"),
                  site.api("PUT", "/v1/pushcert", site.keys.push_pem)):
        assert reply.status == 503 or (reply.status == 500 and "/api/" in reply.url), reply
        if reply.status == 503:
            assert int(reply.headers["Retry-After"]) > 0, reply
        assert reply.body, reply
        assert tells_nothing(site, reply), reply.text


def take_away(site):
    """Make the database unreachable; returns how to bring it back."""
    if site.database.kind == "pgsql":
        site.database.cluster.stop("immediate")
        return site.database.cluster.start
    folder = site.database.folder
    site.stop()
    os.rename(folder, folder + ".away")
    site.httpd.start(site.port)

    def back():
        os.rename(folder + ".away", folder)
        if os.path.exists(folder + "/mdm.db.new"):
            os.unlink(folder + "/mdm.db.new")
    return back


@pytest.mark.mpm
def test_database_down_is_503_with_retry_after_and_nothing_is_lost(fragile_site, new_phone):
    site = fragile_site
    phone = new_phone(site)
    command_uuid, body = devices.command()
    assert site.enqueue(phone.id, body, nopush=True).status == 200
    site.log.expect(r"\[mdm:error\]", r"\[mdm:crit\]")
    back = take_away(site)
    try:
        all_down(site, phone)
        page = site.http.get(site.at("/mdm-status"))
        assert page.status in (200, 503) and page.body
        for query in ("", "?json", "?auto"):
            assert tells_nothing(site, site.http.get(site.at("/mdm-status" + query)))
    finally:
        back()
    wait_until(lambda: phone.idle().status == 200, 30, "the database to be found again")
    assert devices.served(phone.idle()) == command_uuid
    phone.connect()
    assert phone.idle().body == b""


def test_pushes_go_on_when_the_database_is_back(fragile_site, new_phone, apns):
    site = fragile_site
    phone = new_phone(site)
    site.log.expect(r"\[mdm:error\]", r"\[mdm:crit\]")
    back = take_away(site)
    assert phone.idle().status == 503
    back()
    wait_until(lambda: phone.idle().status == 200, 30, "the database to be found again")
    apns.clear()
    assert site.enqueue(phone.id, devices.command()[1]).status == 200
    apns.wait_pushes(1, magic=phone.push_magic, timeout=30)


def set_version(site, version):
    site.database.sql("UPDATE mdm_meta SET value = '%s' WHERE name = 'schema_version'" % version)


def test_a_newer_schema_version_is_refused_with_the_command_that_helps(own_site, new_phone):
    site, version = own_site, "99"
    phone = new_phone(site)
    site.stop()
    right = site.database.sql("SELECT value FROM mdm_meta WHERE name = 'schema_version'")[0][0]
    set_version(site, version)
    site.log.expect(r"\[mdm:error\]", r"\[mdm:crit\]")
    mark = site.log.size()
    site.start_again()
    reply = phone.idle()
    assert reply.status == 503 and reply.headers["Retry-After"]
    line = site.log.wait(r"\[mdm:(error|crit)\].*mdmctl.*", mark).group(0)
    assert "db status" in line and "newer" in line
    done = site.ctl("db", "status", check=False)
    assert done.returncode != 0
    assert version in done.stdout + done.stderr
    site.stop()
    set_version(site, right)
    site.start_again()
    assert phone.idle().status == 200


@pytest.mark.once
def test_an_empty_sqlite_database_gets_its_tables_at_first_use(make_site):
    site = make_site()
    assert not os.path.exists(site.database.file)
    site.start()
    assert site.api("GET", "/v1/enrollments").json["enrollments"] == []
    assert "schema_version" in str(site.database.sql("SELECT * FROM mdm_meta"))


@pytest.mark.once
def test_sqlite_is_in_wal_mode_with_full_durability(make_site):
    site = make_site().start()
    assert site.api("GET", "/v1/enrollments").status == 200
    assert site.database.sql("PRAGMA journal_mode")[0][0] == "wal"


def test_a_postgresql_database_without_tables_is_refused_with_the_command_that_helps(make_site, variant):
    site = make_site()
    if variant[1] != "pgsql":
        # SQLite makes its tables itself
        assert site.ctl("--version", check=False).returncode is not None
        return
    site.make_ca()
    site.log.expect(r"\[mdm:error\]", r"\[mdm:crit\]")
    site.httpd.start()
    assert site.api("GET", "/v1/enrollments").status == 503
    site.log.wait(r"\[mdm:(error|crit)\].*mdmctl.*db init")
    site.ctl("db", "init")
    wait_until(lambda: site.api("GET", "/v1/enrollments").status == 200, what="the tables to be found")


def test_mdmctl_db_status_and_init(make_site):
    site = make_site()
    site.make_ca()
    site.ctl("db", "init")
    done = site.ctl("db", "status")
    assert "up to date" in done.stdout
    again = site.ctl("db", "init", check=False)
    assert again.returncode != 0 and "already" in (again.stdout + again.stderr)
    assert site.ctl("db", "upgrade", check=False).returncode == 0, "nothing to do is no failure"


@pytest.mark.once
def test_mdmctl_as_root_leaves_the_database_to_httpds_user(make_site, new_phone):
    site = make_site().start()
    site.upload_push_certificate()
    site.challenge()
    site.ctl("certificate", "list")
    new_phone(site)
    site.stop()
    site.challenge()
    site.start_again()
    assert new_phone(site).idle().status == 200


@pytest.mark.once
def test_a_full_disk_is_503_and_is_over_when_there_is_room(make_site, new_phone, tmp_path):
    import subprocess
    from .site import RUN_USER, Sqlite
    if os.geteuid() != 0:
        return
    folder = tmp_path / "small"
    folder.mkdir()
    # the way must be open to httpd's user
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and "pytest" in str(parent):
            os.chmod(parent, 0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0755", "tmpfs", str(folder)], check=True)
    site = None
    try:
        (folder / "db").mkdir()
        site = make_site(database=Sqlite(str(folder / "db")))
        site.start()
        site.upload_push_certificate()
        phone = new_phone(site)
        site.log.expect(r"\[mdm:error\]", r"\[mdm:crit\]")
        accepted, status = [], 200
        for _ in range(200):
            command_uuid, body = devices.command("InstallProfile", Payload=os.urandom(100000))
            reply = site.enqueue(phone.id, body, nopush=True)
            status = reply.status
            if status != 200:
                break
            accepted.append(command_uuid)
        assert status in (503, 500) and accepted, (status, len(accepted))
        assert phone.idle().status in (200, 503)
        subprocess.run(["mount", "-o", "remount,size=60m", str(folder)], check=True)
        wait_until(lambda: site.enqueue(phone.id, devices.command()[1], nopush=True).status == 200,
                   what="room to be used")
        assert [one.uuid for one in phone.connect()][:len(accepted)] == accepted
    finally:
        if site:
            site.stop()
        subprocess.run(["umount", str(folder)], check=True)
    assert RUN_USER
