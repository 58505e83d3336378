# SPDX-License-Identifier: Apache-2.0
"""docs/api.yaml itself: well formed, and every path in it is one that the server has. That each answer is as it says is
checked wherever a test calls the API (document.py)."""

import re

import jsonschema
import pytest

from .document import METHODS, document

pytestmark = pytest.mark.once

VALUES = {"decision": "approve", "ids": "none", "id": "none", "uuid": "none", "serial": "00", "name": "none"}


def operations():
    for path, item in document().tree["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def test_the_document_is_well_formed():
    tree = document().tree
    assert tree["openapi"].startswith("3.1.")
    document().resolve(tree["paths"])
    document().resolve(tree["components"])
    for schema in tree["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(document().resolve(schema))
    for path, method, operation in operations():
        assert operation.get("summary"), (path, method)
        assert any(str(status).startswith("2") or status in ("301",) for status in operation["responses"]), (path, method)


def test_every_path_parameter_is_declared():
    tree = document().tree
    for path, item in tree["paths"].items():
        named = re.findall(r"{([^}]*)}", path)
        for method in METHODS:
            if method in item:
                declared = document().resolve(item.get("parameters", []) + item[method].get("parameters", []))
                assert {one["name"] for one in declared if one["in"] == "path"} == set(named), (path, method)


def test_the_server_has_every_path_and_asks_who_calls(make_site):
    site = make_site().start()
    for path, method, operation in operations():
        filled = re.sub(r"{([^}]*)}", lambda m: VALUES.get(m.group(1), "none"), path)
        reply = site.api(method.upper(), filled, user=None)
        expected = 200 if operation.get("security") == [] else 401
        assert reply.status == expected, (path, method, reply)
        reply = site.api(method.upper(), filled, user=operation.get("x-user", "nanomdm"))
        assert reply.status not in (405, 501), (path, method, reply)
        assert not (reply.status == 404 and reply.content_type == "text/plain"), "%s %s is unknown" % (method, path)


def test_a_path_that_is_not_there_is_not_found(make_site):
    site = make_site().start()
    for path in ("/v1/nothing", "/v1/", "/v2/enrollments", "/nothing"):
        assert site.api("GET", path).status == 404, path
