# SPDX-License-Identifier: Apache-2.0
"""docs/api.yaml held against the running server: every answer that any test gets from the API must be one that the
document tells of, status, type and members alike; and what the server takes, query and JSON, must be what it describes."""

import copy
import functools
import json
import os
import re
import urllib.parse

import jsonschema
import yaml

SOURCE = os.environ.get("MDM_SRCDIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILE = os.path.join(SOURCE, "docs", "api.yaml")
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


class Undocumented(AssertionError):
    pass


def closed(schema, part=False):
    """The schema with every object closed to members that it does not name; a part of an allOf stays open."""
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    for name in ("properties", "patternProperties"):
        if name in made:
            made[name] = {key: closed(value) for key, value in made[name].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(made.get(name), dict):
            made[name] = closed(made[name])
    if "allOf" in made:
        made["allOf"] = [closed(one, part=True) for one in made["allOf"]]
    for name in ("oneOf", "anyOf"):
        if name in made:
            made[name] = [closed(one) for one in made[name]]
    names = "properties" in made or "allOf" in made
    if names and not part and "additionalProperties" not in made and "unevaluatedProperties" not in made:
        made["unevaluatedProperties"] = False
    return made


class Document:
    def __init__(self, file=FILE):
        with open(file, encoding="utf-8") as text:
            self.tree = yaml.safe_load(text)
        self.everywhere = self.tree.get("x-everywhere", {})
        self.routes = []
        for path, item in self.tree["paths"].items():
            # a list of ids may be empty, and a slash may be part of an id
            pattern = "".join(".*" if part == "{ids}" else "[^/]+" if part.startswith("{") else re.escape(part)
                              for part in re.split(r"({[^}]*})", path))
            self.routes.append((re.compile(pattern), path, item))
        # a literal path comes before one with a parameter in its place
        self.routes.sort(key=lambda route: (route[1].count("{"), -len(route[1])))

    def resolve(self, node):
        """The node with every reference replaced by what it names."""
        if isinstance(node, dict):
            if "$ref" in node:
                found = self.tree
                for part in node["$ref"][2:].split("/"):
                    found = found[part]
                return self.resolve(found)
            return {key: self.resolve(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self.resolve(one) for one in node]
        return copy.copy(node)

    def route(self, path):
        for pattern, name, item in self.routes:
            if pattern.fullmatch(path):
                return name, item
        return None, None

    @functools.lru_cache(maxsize=None)
    def answers(self, name, method):
        """What an operation may answer: status -> media type -> schema, or None for any body."""
        item = self.tree["paths"][name]
        operation = item.get(method) or (item.get("put") or item.get("get") if item.get("x-any-method") else None)
        if operation is None:
            return None
        found = {}
        for source in (self.everywhere, operation["responses"]):
            for status, answer in source.items():
                kinds = self.resolve(answer).get("content") or {}
                found.setdefault(str(status), {}).update(
                    {kind: closed(one.get("schema")) for kind, one in kinds.items()})
        return found

    @functools.lru_cache(maxsize=None)
    def question(self, name, method):
        """What an operation may be asked with: names in the query, schema of a JSON body (None: there is none)."""
        item = self.tree["paths"][name]
        operation = item.get(method) or item.get("put") or item.get("get") or {}
        names = {one["name"] for one in self.resolve(item.get("parameters", []) + operation.get("parameters", []))
                 if one["in"] == "query"}
        kinds = self.resolve(operation.get("requestBody", {})).get("content", {})
        return names, closed(kinds.get("application/json", {}).get("schema"))

    def check_question(self, method, path, body, reply):
        """Raise Undocumented when the server has taken what the document does not tell of."""
        name, _ = self.route(path.split("?")[0])
        if name is None or not 200 <= reply.status < 300:
            return
        said = "%s %s, which is taken (%d)" % (method, path, reply.status)
        names, schema = self.question(name, method.lower())
        for key in urllib.parse.parse_qs(path.partition("?")[2], keep_blank_values=True):
            if key not in names:
                raise Undocumented("%s: docs/api.yaml has no %s in the query" % (said, key))
        if schema is None or not body or not body.lstrip().startswith(b"{"):
            return
        self.validate(said, schema, json.loads(body))

    def check(self, method, path, reply):
        """Raise Undocumented unless the document tells of this answer."""
        name, _ = self.route(path.split("?")[0])
        said = "%s %s: %d %s" % (method, path, reply.status, reply.content_type)
        if name is None:
            if reply.status != 404 and reply.status not in (301, 401, 403, 400):
                raise Undocumented("%s: docs/api.yaml has no such path" % said)
            return
        answers = self.answers(name, method.lower())
        if answers is None:
            if reply.status not in (301, 401, 403, 404, 405):
                raise Undocumented("%s: docs/api.yaml has no such method on %s" % (said, name))
            return
        if str(reply.status) not in answers:
            raise Undocumented("%s: docs/api.yaml has no such status on %s" % (said, name))
        self.check_body(said, answers[str(reply.status)], reply)

    @staticmethod
    def check_body(said, kinds, reply):
        if not reply.body and not kinds:
            return
        if reply.content_type not in kinds:
            raise Undocumented("%s: docs/api.yaml has only %s" % (said, ", ".join(kinds) or "no body"))
        schema = kinds[reply.content_type]
        if reply.content_type != "application/json" or schema is None:
            return
        Document.validate(said, schema, reply.json)

    @staticmethod
    def validate(said, schema, value):
        try:
            jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(value)
        except jsonschema.ValidationError as wrong:
            raise Undocumented("%s: docs/api.yaml says otherwise at %s: %s" % (
                said, "/".join(str(one) for one in wrong.absolute_path) or "the top", wrong.message)) from None


@functools.lru_cache(maxsize=None)
def document():
    return Document()
