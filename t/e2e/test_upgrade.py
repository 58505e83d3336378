# SPDX-License-Identifier: Apache-2.0
"""From each older schema version, as schemaN.*.sql in this folder keeps it, to the present one: what comes out is what a
new database has, rows stay, and a mdmctl that dies half-way leaves the one or the other, never something between."""

import copy
import os
import shutil
import signal
import subprocess
import time
import uuid

import pytest

from .httpd import wait_until
from .site import MDMCTL, RUN_USER

HERE = os.path.dirname(os.path.abspath(__file__))
TIMES = 20
OLD = (1, 2, 3, 4)

ROWS = """
INSERT INTO mdm_meta (name, value) VALUES ('schema_version', '1'), ('instance_id', 'I-1'), ('created_at', '1');
INSERT INTO mdm_certificate (fingerprint, serial, subject, not_before, not_after, issued_at, enrollment, login,
    request_sha256, revoked_at, revoked_reason, replaced_by, pem)
VALUES ('f1', '0a', 'CN=one', 1, 4102444800000000, 2, 7, 'anna', 'r1', 0, NULL, NULL, 'PEM'),
    ('f2', '0b', 'CN=two', 1, 4102444800000000, 3, 0, NULL, NULL, 5, 'lost', NULL, 'PEM');
INSERT INTO mdm_challenge (sha256, kind, login, common_name, created_at, expires_at, used_at)
VALUES ('c1', 'scep', 'anna', 'one', 1, 4102444800000000, 0);
INSERT INTO mdm_command (id, uuid, request_type, created_by, created_at, body)
VALUES (9, 'U-9', 'DeviceInformation', 'api', 1, 'sealed');
INSERT INTO mdm_queue (command, enrollment, priority, notnow, tries, queued_at, sent_at) VALUES (9, 7, 0, 0, 0, 1, 0);
"""


def script(database, text):
    """Run many statements."""
    text = "\n".join(line.split("--")[0] for line in text.splitlines())
    if database.kind == "pgsql":
        database.sql(text)
        return
    for statement in text.split(";"):
        if statement.strip():
            database.sql(statement)


def old(database, number=1):
    with open(os.path.join(HERE, "schema%d.%s.sql" % (number, database.kind))) as schema:
        script(database, schema.read() + ROWS.replace("'schema_version', '1'", "'schema_version', '%d'" % number))
    if database.kind == "sqlite3" and os.geteuid() == 0:
        shutil.chown(database.file, RUN_USER)
    database.ready = True
    return database


def squeeze(text):
    return " ".join((text or "").replace("(", " ( ").replace(")", " ) ").split())


def shape_sqlite3(database):
    found = {}
    for (table,) in database.sql("SELECT name FROM sqlite_master WHERE type = 'table'"):
        found[table] = [row[1:] for row in database.sql("PRAGMA table_xinfo(%s)" % table)]
        found[table, "kind"] = [row[3:] for row in database.sql("PRAGMA table_list(%s)" % table)]
        for row in database.sql("PRAGMA index_list(%s)" % table):
            found[table, row[1]] = row[2:], database.sql("PRAGMA index_xinfo(%s)" % row[1])
    for name, sql in database.sql("SELECT name, sql FROM sqlite_master WHERE type = 'index'"):
        found[name, "sql"] = squeeze(sql)
    return found


def shape_pgsql(database):
    columns = database.sql(
        "SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default, collation_name "
        "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position")
    indexes = database.sql("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname")
    options = database.sql("SELECT relname, reloptions FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = "
                           "'public'::regnamespace ORDER BY relname")
    rules = database.sql("SELECT conrelid::regclass::text, contype, pg_get_constraintdef(oid) FROM pg_constraint "
                         "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2, 3")
    return {"columns": columns, "indexes": indexes, "options": options, "rules": rules}


def shape(database):
    return shape_sqlite3(database) if database.kind == "sqlite3" else shape_pgsql(database)


def version(database):
    return int(database.sql("SELECT value FROM mdm_meta WHERE name = 'schema_version'")[0][0])


@pytest.fixture
def fresh(make_site, make_database, variant):
    """The shape of a new database."""
    site = make_site(database=make_database(variant[1]))
    site.make_ca()
    site.ctl("db", "init")
    return shape(site.database), version(site.database)


@pytest.mark.parametrize("number", OLD)
def test_an_upgraded_database_is_like_a_new_one(make_site, make_database, variant, fresh, number):
    wanted, newest = fresh
    assert newest == OLD[-1] + 1
    site = make_site(database=old(make_database(variant[1]), number))
    site.make_ca()
    assert shape(site.database) != wanted
    status = site.ctl("db", "status", check=False)
    assert status.returncode == 1 and "db upgrade" in status.stdout
    site.ctl("db", "upgrade")
    assert version(site.database) == newest
    found = shape(site.database)
    assert found.keys() == wanted.keys()
    for name in wanted:
        assert found[name] == wanted[name], name
    assert site.ctl("db", "upgrade").returncode == 0, "once more is no failure"
    rows = site.database.sql("SELECT fingerprint, login, issuer, session FROM mdm_certificate ORDER BY fingerprint")
    assert [[str(one or "") for one in row] for row in rows] == [["f1", "anna", "", "0"], ["f2", "", "", "0"]] \
        or rows == [["f1", "anna", None, 0], ["f2", None, None, 0]]
    assert "CN=two" in site.ctl("certificate", "list").stdout
    assert site.challenge()


def test_an_upgrade_takes_who_changed_a_user_last_for_who_disabled_him(make_site, make_database, variant):
    database = old(make_database(variant[1]), 4)
    database.sql("INSERT INTO mdm_user (login, attributes, source, disabled, created_at, changed_at, synced_at) VALUES "
                 "('anna', '{}', 'api', 1, 1, 1, 0), ('bert', '{}', 'directory', 1, 1, 1, 0), "
                 "('carl', '{}', 'directory', 0, 1, 1, 0)")
    site = make_site(database=database)
    site.make_ca()
    site.ctl("db", "upgrade")
    rows = database.sql("SELECT login, disabled_by FROM mdm_user ORDER BY login")
    assert [[one or "" for one in row] for row in rows] == [["anna", "api"], ["bert", "directory"], ["carl", ""]]


def test_httpd_waits_for_the_upgrade_and_then_needs_no_restart(make_site, make_database, variant):
    site = make_site(database=old(make_database(variant[1])))
    site.make_ca()
    site.log.expect(r"\[mdm:error\]", r"\[mdm:crit\]")
    site.httpd.start()
    reply = site.api("GET", "/v1/enrollments")
    assert reply.status == 503 and "db upgrade" in reply.text
    site.log.wait(r"\[mdm:(error|crit)\].*mdmctl.*db upgrade")
    assert version(site.database) == 1, "httpd changes no tables by itself"
    site.ctl("db", "upgrade")
    wait_until(lambda: site.api("GET", "/v1/enrollments").status == 200, what="the new tables to be found")


def test_two_upgrades_at_once_are_one(make_site, make_database, variant, fresh):
    wanted, newest = fresh
    site = make_site(database=old(make_database(variant[1])))
    site.make_ca()
    running = [subprocess.Popen(upgrade(site), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for _ in range(4)]
    for one in running:
        out = one.communicate()
        assert one.returncode == 0, out
    assert version(site.database) == newest and shape(site.database) == wanted


def upgrade(site, database=None):
    database = database or site.database
    return [MDMCTL, "--state-dir", site.state_dir, "--database",
            "%s:%s" % (database.kind, database.params), "db", "upgrade"]


def another(make_database, model):
    """A copy of the old database."""
    if model.kind == "sqlite3":
        made = make_database(model.kind)
        shutil.copy2(model.file, made.file)
        return made
    made = copy.copy(model)
    made.name = "mdm_" + uuid.uuid4().hex[:12]
    made.params = made.cluster.params(made.name)
    made.cluster.sql("postgres", 'CREATE DATABASE "%s" TEMPLATE "%s"' % (made.name, model.name))
    return made


def test_a_killed_upgrade_leaves_the_old_or_the_new(make_site, make_database, variant, fresh):
    wanted, newest = fresh
    model = old(make_database(variant[1]))
    shapes = {number: shape(old(make_database(variant[1]), number)) for number in OLD}
    shapes[newest] = wanted
    site = make_site(database=model)
    site.make_ca()
    whole = another(make_database, model)
    start = time.monotonic()
    subprocess.run(upgrade(site, whole), check=True, capture_output=True)
    length, ended, killed = time.monotonic() - start, set(), None
    for i in range(TIMES):
        one = another(make_database, model)
        child = subprocess.Popen(upgrade(site, one), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # the moment of the kill is what varies here; nothing is waited for
        time.sleep(length * (i + 1) / TIMES)
        child.send_signal(signal.SIGKILL)
        child.wait()
        at = wait_until_settled(one)
        assert shape(one) == shapes[at], "killed after %d/%d" % (i + 1, TIMES)
        ended.add(at)
        killed = one if at < newest else killed
    assert 1 in ended
    # the one whose upgrade was killed last before it was done
    subprocess.run(upgrade(site, killed), check=True, capture_output=True)
    assert version(killed) == newest and shape(killed) == wanted


def wait_until_settled(database):
    """The version, once no server process of the dead mdmctl works for it any more."""
    if database.kind == "pgsql":
        wait_until(lambda: database.sql("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '%s' "
                                        "AND pid <> pg_backend_pid()" % database.name) == [["0"]],
                   what="the dead client's session to end")
    return version(database)
