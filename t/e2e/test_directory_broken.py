# SPDX-License-Identifier: Apache-2.0
"""Runs of a synchronisation that do not come to their end: killed, or without a database half-way. What is written stays,
the next run does the rest, and between them they report everything once."""

import subprocess

import pytest

from .directory import Directory
from .httpd import wait_until
from .synchronised import (GROUPS, PEOPLE, Relay, add_many, configure, directory_group, directory_members, events,
                           group_report, shown, started, sync, user)

LOGINS = ["many-%04d" % n for n in range(600)]


@pytest.fixture
def directory():
    made = Directory(PEOPLE, GROUPS).start()
    yield made
    made.close()


def fill(directory):
    add_many(directory, len(LOGINS))
    directory.set(directory.group("mobile"), "member", *map(directory.dn, LOGINS))


def lease_ends(site):
    """As two minutes after the process that had it."""
    site.database.sql("UPDATE mdm_job SET lease_until = 1 WHERE name = 'directory'")


def kill_children(site):
    for pid in site.httpd.children():
        site.httpd.kill_child(pid)


def told(site):
    """How many have joined and left the group mobile by the audit trail."""
    words = [row[1].split() for row in events(site, "directory.group") if row[0] == "mobile"]
    return [sum(int(one[0]) for one in words), sum(int(one[2]) for one in words)]


def test_a_database_that_fails_half_way_is_made_up_for(make_site, directory):
    fill(directory)
    site = configure(make_site(), directory.url)
    started(site)
    site.log.expect(r"MDM1003", r"here it ends")
    directory_group(site, "mobile", directory.group("mobile"))
    fails(site, "many-0400")
    state = sync(site)
    assert "report" in state and state["failure"], state
    assert directory_members(site, "mobile") == LOGINS[:256]
    assert [one["name"] for one in state["broken_off"][0]["groups"]] == ["mobile"]
    assert state["broken_off"][0]["groups"][0]["joined"] == 256
    fails_no_more(site)
    state = sync(site)
    assert directory_members(site, "mobile") == LOGINS and told(site) == [600, 0]
    assert group_report(state, "mobile")["joined"] == 344 and "broken_off" not in state
    assert state["report"]["broken_off"][0]["groups"][0]["joined"] == 256
    assert len(state["report"]["broken_off"][0]["groups"][0]["joins"]) == 100
    assert "broken_off" not in sync(site)["report"], "it is told once"


def fails(site, login):
    """No membership of this login can be written."""
    if site.database.kind == "pgsql":
        site.database.sql("CREATE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS "
                          "$$ BEGIN RAISE EXCEPTION 'here it ends'; END $$")
        site.database.sql("CREATE TRIGGER ending BEFORE INSERT ON mdm_directory_member FOR EACH ROW WHEN "
                          "(NEW.login = '%s') EXECUTE FUNCTION ends()" % login)
    else:
        site.database.sql("CREATE TRIGGER ending BEFORE INSERT ON mdm_directory_member WHEN NEW.login = '%s' BEGIN "
                          "SELECT RAISE(ABORT, 'here it ends'); END" % login)


def fails_no_more(site):
    site.database.sql("DROP TRIGGER ending" + (" ON mdm_directory_member" if site.database.kind == "pgsql" else ""))


def test_a_group_that_is_deleted_between_two_steps_leaves_nothing(make_site, directory):
    fill(directory)
    site = configure(make_site(), directory.url)
    started(site)
    directory_group(site, "mobile", directory.group("mobile"))
    ends_with(site, LOGINS[255])
    assert "changed meanwhile" in group_report(sync(site), "mobile")["error"]
    assert site.database.sql("SELECT login FROM mdm_directory_member") == []


def ends_with(site, login):
    """With the step that writes this login its group is deleted."""
    work = ("DELETE FROM mdm_group WHERE id = NEW.collection; "
            "DELETE FROM mdm_directory_member WHERE collection = NEW.collection;")
    when = "AFTER INSERT ON mdm_directory_member FOR EACH ROW WHEN (NEW.login = '%s')" % login
    if site.database.kind == "pgsql":
        site.database.sql("CREATE FUNCTION deletes() RETURNS trigger LANGUAGE plpgsql AS "
                          "$$ BEGIN %s RETURN NULL; END $$" % work)
        site.database.sql("CREATE TRIGGER deleting %s EXECUTE FUNCTION deletes()" % when)
    else:
        site.database.sql("CREATE TRIGGER deleting %s BEGIN %s END" % (when, work))


def test_a_kill_while_the_directory_answers_changes_nothing(make_site, directory, closing):
    relay = closing(Relay(directory.port))
    site = configure(make_site(), relay.url)
    started(site)
    before = len(relay.open)
    directory.remove("bert")
    directory.add_person("zoe")
    relay.limit, relay.close_after = 300, False
    assert site.api("POST", "/v1/directory/sync").status == 202
    wait_until(lambda: len(relay.open) > before, what="the run to ask the directory")
    kill_children(site)
    assert user(site, "bert")["synced_at"] and not user(site, "zoe")
    relay.limit = None
    lease_ends(site)
    state = wait_until(lambda: not shown(site)["running"] and user(site, "zoe") and shown(site), 60, "the next run")
    assert state["report"]["users"]["missing_logins"] == ["bert"] and state["report"]["users"]["new"] == 1
    assert state["report"]["requested_by"] == "nanomdm", "what was asked for is not forgotten"
    assert "broken_off" not in state["report"]


class Hold:
    """A row that another transaction has written and not committed: whoever wants to write the same waits."""

    def __init__(self, site, statement):
        self.process = subprocess.Popen(["psql", site.database.params, "-XAtq"], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.process.stdin.write("BEGIN;\n%s;\nSELECT 'held';\n" % statement)
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == "held"

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(20)


def test_a_kill_half_way_into_a_group_is_made_up_for(make_site, directory, closing):
    site = make_site()
    if site.database.kind != "pgsql":
        return        # SQLite has one writer: nothing can be held half-way there
    fill(directory)
    configure(site, directory.url)
    started(site)
    directory_group(site, "mobile", directory.group("mobile"))
    hold = closing(Hold(site, "INSERT INTO mdm_directory_member (collection, login, synced_at) SELECT id, 'many-0400', 1 "
                              "FROM mdm_group WHERE name = 'mobile'"))
    assert site.api("POST", "/v1/directory/sync").status == 202
    wait_until(lambda: len(directory_members(site, "mobile")) == 256, 60, "the first step")
    kill_children(site)
    hold.close()
    lease_ends(site)
    state = wait_until(lambda: not shown(site)["running"] and "broken_off" in shown(site)["report"] and shown(site), 60,
                       "the next run")
    assert directory_members(site, "mobile") == LOGINS and told(site) == [600, 0]
    assert group_report(state, "mobile")["joined"] == 344
    assert state["report"]["broken_off"][0]["groups"][0]["joined"] == 256


def test_of_two_nodes_one_at_a_time_synchronises(make_site, directory, closing):
    relay = closing(Relay(directory.port))
    first = configure(make_site(), relay.url, interval="1s")
    started(first)
    configure(make_site(database=first.database), relay.url, interval="1s").start()
    before = len(events(first, "directory.synced"))
    wait_until(lambda: len(events(first, "directory.synced")) >= before + 5, 60, "five runs")
    assert relay.most == 1, "two runs at the same time"
    assert relay.count <= len(events(first, "directory.synced")) + 1, "a run that reported nothing"


def test_another_node_takes_over_from_one_that_dies(make_site, directory, closing):
    relay = closing(Relay(directory.port))
    first = configure(make_site(), relay.url)
    started(first)
    second = configure(make_site(database=first.database), relay.url).start()
    directory.add_person("zoe")
    count = relay.count
    relay.limit, relay.close_after = 300, False
    assert second.api("POST", "/v1/directory/sync").status == 202
    wait_until(lambda: relay.count > count, 60, "a run that waits")
    assert second.api("POST", "/v1/directory/sync").status == first.api("POST", "/v1/directory/sync").status == 409
    owner = first.database.sql("SELECT lease_owner FROM mdm_job WHERE name = 'directory'")[0][0]
    dead, alive = (first, second) if int(owner.split(":")[1]) in first.httpd.children() else (second, first)
    dead.httpd.kill()
    relay.limit = None
    lease_ends(alive)
    wait_until(lambda: not shown(alive)["running"] and user(alive, "zoe"), 60, "the other node's run")
    assert shown(alive)["report"]["users"]["new"] == 1
    dead.start_again()
