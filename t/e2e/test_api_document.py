# SPDX-License-Identifier: Apache-2.0
"""docs/api.yaml itself: well formed, and every path in it is one that the server has. That each answer is as it says is
checked wherever a test calls the API (document.py)."""

import os
import re

import jsonschema
import pytest

from .document import METHODS, SOURCE, document

pytestmark = pytest.mark.once

# Members that OpenAPI 3.1 gives each kind of object; "x-..." may be anywhere. (kind of a member's value; of a map's values;
# of a list's items)
KINDS = {
    "openapi": {"openapi": 0, "info": "info", "servers": ["server"], "paths": {"*": "path"}, "components": "components",
                "security": 0, "tags": 0},
    "info": {"title": 0, "summary": 0, "description": 0, "version": 0, "license": "license"},
    "license": {"name": 0, "identifier": 0, "url": 0},
    "server": {"url": 0, "description": 0, "variables": 0},
    "components": {"schemas": {"*": "schema"}, "responses": {"*": "response"}, "parameters": {"*": "parameter"},
                   "requestBodies": {"*": "body"}, "headers": {"*": "header"},
                   "securitySchemes": {"*": "scheme"}},
    "scheme": {"type": 0, "description": 0, "name": 0, "in": 0, "scheme": 0},
    "path": {"summary": 0, "description": 0, "parameters": ["parameter"], "servers": ["server"],
             **{method: "operation" for method in METHODS}},
    "operation": {"tags": 0, "summary": 0, "description": 0, "operationId": 0, "parameters": ["parameter"],
                  "requestBody": "body", "responses": {"*": "response"}, "deprecated": 0, "security": 0,
                  "servers": ["server"]},
    "body": {"description": 0, "content": {"*": "media"}, "required": 0},
    "response": {"description": 0, "headers": {"*": "header"}, "content": {"*": "media"}},
    "parameter": {"name": 0, "in": 0, "description": 0, "required": 0, "schema": "schema", "example": 0, "style": 0,
                  "explode": 0, "deprecated": 0},
    "header": {"description": 0, "required": 0, "schema": "schema", "example": 0, "deprecated": 0},
    "media": {"schema": "schema", "example": 0, "examples": 0},
    "schema": {"type": 0, "description": 0, "title": 0, "format": 0, "enum": 0, "const": 0, "default": 0, "example": 0,
               "examples": 0, "pattern": 0, "minLength": 0, "maxLength": 0, "minimum": 0, "maximum": 0, "minItems": 0,
               "maxItems": 0, "uniqueItems": 0, "required": 0, "items": "schema", "properties": {"*": "schema"},
               "patternProperties": {"*": "schema"}, "additionalProperties": "schema", "propertyNames": "schema",
               "unevaluatedProperties": "schema", "minProperties": 0, "contentEncoding": 0, "contentMediaType": 0,
               "allOf": ["schema"], "oneOf": ["schema"], "anyOf": ["schema"], "deprecated": 0, "readOnly": 0,
               "writeOnly": 0},
}
NEEDED = {"openapi": {"openapi", "info"}, "info": {"title", "version"}, "response": {"description"}, "server": {"url"},
          "parameter": {"name", "in", "schema"}, "operation": {"responses"}, "body": {"content"}, "scheme": {"type"}}

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


def faults(node, kind, at=""):
    """What in the document is none of OpenAPI's."""
    if isinstance(kind, list):
        for number, one in enumerate(node):
            yield from faults(one, kind[0], "%s[%d]" % (at, number))
    elif isinstance(kind, dict):
        for name, one in node.items():
            yield from faults(one, kind["*"], "%s/%s" % (at, name))
    elif node is None or (not isinstance(node, dict) and not (kind == "schema" and isinstance(node, bool))):
        yield "%s: is no %s" % (at, kind)
    elif isinstance(node, dict) and "$ref" in node:
        if set(node) - {"$ref", "summary", "description"}:
            yield "%s: members beside $ref" % at
    elif isinstance(node, dict):
        for name in sorted(NEEDED.get(kind, set()) - set(node)):
            yield "%s: lacks %s" % (at, name)
        for name, one in node.items():
            if name.startswith("x-"):
                continue
            if name not in KINDS[kind]:
                yield "%s: %s is no member of a %s" % (at, name, kind)
            elif KINDS[kind][name]:
                yield from faults(one, KINDS[kind][name], "%s/%s" % (at, name))


def test_every_object_has_the_members_that_openapi_knows():
    assert list(faults(document().tree, "openapi")) == []


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


def test_the_document_has_every_path_of_the_server():
    found = {}
    for name in ("mod_mdm_api.c", "mod_mdm_api_facts.c"):
        with open(os.path.join(SOURCE, "mod_mdm", "httpd", name), encoding="utf-8") as text:
            found[name] = text.read()
    paths = {re.sub("{[^}]*}", "*", path) for path in document().tree["paths"]}
    heads = re.findall(r'{ "(\w+)", mdm_api_\w+, ([01]) }', found["mod_mdm_api.c"])
    parts = re.findall(r'{ "(/\w+/?)", (NULL|"[^"]*"), \w+, \w+ }', found["mod_mdm_api_facts.c"])
    assert len(heads) >= 18 and len(parts) >= 5
    for head, exact in heads:
        assert any(path == "/v1/" + head if exact == "1" else path.startswith("/v1/%s/" % head) for path in paths), head
    for before, after in parts:
        rest = "" if after == "NULL" else "*" + after.strip('"')
        assert "/v1/enrollments/*" + before + rest in paths, before


def test_a_path_that_is_not_there_is_not_found(make_site):
    site = make_site().start()
    for path in ("/v1/nothing", "/v1/", "/v2/enrollments", "/nothing"):
        assert site.api("GET", path).status == 404, path
