# SPDX-License-Identifier: Apache-2.0
"""The status page: HTML for people, ?auto and ?json for machines, a section in mod_status' page."""

import html.parser

import pytest

from . import devices


class Checker(html.parser.HTMLParser):
    """Counts tags and finds out whether they nest."""

    VOID = {"meta", "br", "link", "hr", "img", "input", "!doctype", "col"}

    def __init__(self):
        super().__init__()
        self.stack, self.problems, self.tags = [], [], {}

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.problems.append(tag)


@pytest.fixture
def page(site):
    def get(query=""):
        reply = site.http.get(site.at("/mdm-status" + query))
        assert reply.status == 200, reply
        return reply
    return get


@pytest.mark.mpm
@pytest.mark.smoke
def test_the_page_is_well_formed_html(site, phone, page):
    reply = page()
    assert reply.content_type == "text/html"
    checker = Checker()
    checker.feed(reply.text)
    assert not checker.problems and not checker.stack
    assert checker.tags.get("table")


def test_the_page_shows_what_the_operator_needs(site, phone, page):
    site.enqueue(phone.id, devices.command()[1])
    text = page().text.lower()
    for word in ("enrolled", "command", "push", "certificate", "days"):
        assert word in text, word


def test_auto_is_lines_of_name_and_number(site, phone, page):
    reply = page("?auto")
    assert reply.content_type == "text/plain"
    lines = [line.partition(": ") for line in reply.text.splitlines() if line]
    assert lines and all(separator for _, separator, _ in lines)
    assert any("nroll" in name and value.strip().isdigit() and int(value) > 0 for name, _, value in lines)


@pytest.mark.mpm
def test_json_has_the_same_figures(site, phone, page):
    reply = page("?json")
    assert reply.content_type == "application/json"
    assert "enrolled" in str(reply.json)


def test_the_figures_follow_what_happens(site, new_phone, page):
    def count():
        return next(int(value) for name, _, value in (line.partition(": ") for line in page("?auto").text.splitlines())
                    if "enrolled" in name.lower() and "Device" in name or name.lower().endswith("enrolled"))
    before = count()
    new_phone(site)
    assert count() == before + 1


def test_mod_statuss_page_has_a_section(site, phone):
    text = site.http.get(site.at("/server-status")).text
    assert "mod_mdm" in text or "MDM" in text
    auto = site.http.get(site.at("/server-status?auto")).text
    assert "MDM" in auto or "mdm" in auto


def test_the_last_deviceinformation_is_on_the_page(site, phone, page):
    site.enqueue(phone.id, devices.command()[1], nopush=True)
    phone.connect()
    assert phone.serial in page().text or phone.os_version in page().text


def test_an_enrollment_that_cannot_be_shown_says_why(make_site):
    site = make_site().start()
    assert site.http.get(site.at("/mdm-status?id=nobody")).status == 404
    assert site.http.get(site.at("/mdm-status?id=%FF")).status == 400
    site.log.expect(r"\[mdm:error\]", r"\[dbd:", r"\[dbd_")
    site.database.sql("ALTER TABLE mdm_enrollment RENAME TO gone")
    reply = site.http.get(site.at("/mdm-status?id=nobody"))
    assert reply.status == 503 and reply.text == "the database is not available\n", reply.text
    for query in ("", "?json", "?auto"):
        reply = site.http.get(site.at("/mdm-status" + query))
        assert reply.status == 200 and "gone" not in reply.text and "STMT_" not in reply.text, reply.text


def test_nothing_secret_is_on_the_page(site, phone, page):
    for query in ("", "?auto", "?json"):
        text = page(query).text
        for secret in (phone.push_magic, phone.token.hex(), "PRIVATE KEY"):
            assert secret not in text


def test_the_page_carries_no_script_and_is_not_cached(site, page):
    reply = page()
    assert "<script" not in reply.text.lower()
    assert "no-store" in reply.headers.get("Cache-Control", "") or "no-cache" in reply.headers.get("Cache-Control", "")


def test_other_methods_are_405(site):
    for method in ("POST", "PUT", "DELETE"):
        assert site.http.request(method, site.at("/mdm-status")).status == 405
