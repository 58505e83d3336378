# SPDX-License-Identifier: Apache-2.0
"""What the push service answers: the documented refusals, the checks on a request, scripted answers."""

import json
import re
import time
import uuid

DOCUMENTED = {
    400: ("BadCollapseId", "BadDeviceToken", "BadExpirationDate", "BadMessageId", "BadPriority", "BadTopic",
          "DeviceTokenNotForTopic", "DuplicateHeaders", "IdleTimeout", "InvalidPushType", "MissingDeviceToken",
          "MissingTopic", "PayloadEmpty", "TopicDisallowed"),
    403: ("BadCertificate", "BadCertificateEnvironment", "ExpiredProviderToken", "Forbidden",
          "InvalidProviderToken", "MissingProviderToken", "UnrelatedKeyIdInToken"),
    404: ("BadPath",), 405: ("MethodNotAllowed",), 410: ("ExpiredToken", "Unregistered"),
    413: ("PayloadTooLarge",), 429: ("TooManyProviderTokenUpdates", "TooManyRequests"),
    500: ("InternalServerError",), 503: ("ServiceUnavailable", "Shutdown"),
}
STATUS_OF = {reason: status for status, reasons in DOCUMENTED.items() for reason in reasons}
ACTIONS = ("answer", "silence", "reset", "close", "goaway", "answer-goaway")
PATH = re.compile(rb"/3/device/([0-9a-f]+)\Z")
UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
PREFIX, SUFFIX = b'{"mdm":"', b'"}'


class Answer:
    """One scripted answer.

    status, reason: as documented (status alone takes the first reason of it, reason alone its status).
    timestamp: for 410, seconds since the epoch (default now). retry_after: seconds, as a header. headers, body:
    more headers, another body (text). delay: seconds before the answer. action: "answer"; "silence" (never
    answer); "reset" (RST_STREAM with code, default REFUSED_STREAM); "close" (drop the connection); "goaway"
    (GOAWAY with the reason, this request not processed); "answer-goaway" (answer it, then GOAWAY)."""

    def __init__(self, status=None, reason=None, timestamp=None, retry_after=None, headers=None, body=None,
                 delay=0, action="answer", code=7):
        if action not in ACTIONS:
            raise ValueError("action is one of %s" % ", ".join(ACTIONS))
        if reason and status is None:
            status = STATUS_OF.get(reason)
        self.status = int(status or 200)
        if reason is None and self.status in DOCUMENTED:
            reason = DOCUMENTED[self.status][0]
        self.reason, self.delay, self.action, self.code = reason, float(delay or 0), action, int(code)
        self.timestamp, self.retry_after = timestamp, retry_after
        self.headers, self.body = dict(headers or {}), body

    def response_headers(self, apns_id):
        found = [("apns-id", apns_id)]
        if self.retry_after is not None:
            found.append(("retry-after", self.retry_after))
        return found + [(name.lower(), value) for name, value in self.headers.items()]

    def response_body(self):
        if self.body is not None:
            return self.body.encode()
        if self.status == 200:
            return b""
        content = {"reason": self.reason}
        if self.status == 410:
            content["timestamp"] = int((self.timestamp or time.time()) * 1000)
        return json.dumps(content, separators=(",", ":")).encode()


class Rules:
    """Which answer a push gets: rules for its token or magic, then those for the next pushes, then the default.

    A rule with times is gone after so many pushes. active is False while nothing is scripted."""

    def __init__(self):
        self.clear()

    def clear(self):
        self._targeted, self._next, self._default = {}, [], None
        self.active = False

    def add(self, answer, token=None, magic=None, times=None, default=False):
        """token, magic: for pushes of one device. default: for all that no other rule takes. Otherwise for the
        next `times` pushes (default 1). Rules for the same target are used up in order."""
        self.active = True
        if token is not None or magic is not None:
            self._targeted.setdefault(token if token is not None else "magic:" + magic, []).append([answer, times])
        elif default:
            self._default = answer
        else:
            self._next.append([answer, times or 1])

    def take(self, token, magic):
        for key in (token, "magic:" + (magic or "")):
            queue = self._targeted.get(key)
            if queue:
                return self._use(queue)
        return self._use(self._next) if self._next else self._default

    @staticmethod
    def _use(queue):
        answer, times = queue[0]
        if times is not None:
            queue[0][1] = times - 1
            if times <= 1:
                queue.pop(0)
        return answer

    def as_list(self):
        """For display: how many rules wait per target."""
        shown = {key: len(queue) for key, queue in self._targeted.items() if queue}
        return {"targets": shown, "next": sum(times for _, times in self._next),
                "default": self._default.status if self._default else None}


class Push:
    """One received request. reason is None when the mock accepted it."""

    __slots__ = ("token", "magic", "topic", "headers", "body", "time", "connection", "stream", "apns_id",
                 "status", "reason", "action")

    def as_dict(self):
        shown = {name: getattr(self, name) for name in self.__slots__ if name not in ("headers", "body")}
        shown["headers"] = self.header_dict()
        shown["body"] = self.body.decode("utf-8", "replace")
        return shown

    def header_dict(self):
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers}

    def __repr__(self):
        return "<Push %s… %s: %s>" % (self.token[:8], self.magic, self.status or self.action)


def magic_of(body):
    """The push magic of a body that is exactly {"mdm": text}, else None."""
    if body.startswith(PREFIX) and body.endswith(SUFFIX):
        inner = body[8:-2]
        if inner and b'"' not in inner and b"\\" not in inner:
            try:
                return inner.decode()
            except UnicodeDecodeError:
                return None
    try:
        found = json.loads(body)
    except ValueError:
        return None
    if not isinstance(found, dict) or list(found) != ["mdm"] or not isinstance(found["mdm"], str):
        return None
    return found["mdm"] or None


def check(headers, body, certificate_topic, push):
    """Check a request as the service documents it and fill the Push. Returns the reason to refuse, or None."""
    named = dict(headers)
    push.headers, push.body = headers, body
    push.magic = magic_of(body)
    push.topic = named.get(b"apns-topic", b"").decode("latin-1")
    given_id = named.get(b"apns-id")
    push.apns_id = given_id.decode("latin-1") if given_id else str(uuid.uuid4())
    path = named.get(b":path", b"")
    match = PATH.match(path)
    push.token = match.group(1).decode() if match else path.rpartition(b"/")[2].decode("latin-1")
    if len(named) != len(headers):
        return "DuplicateHeaders"
    if named.get(b":method") != b"POST":
        return "MethodNotAllowed"
    if match is None or len(push.token) % 2:
        if not path.startswith(b"/3/device"):
            return "BadPath"
        return "BadDeviceToken" if push.token not in ("", "device") else "MissingDeviceToken"
    return _check_headers(named, given_id, push, certificate_topic) or _check_body(body, push)


def _check_headers(named, given_id, push, certificate_topic):
    if not push.topic:
        return "MissingTopic"
    if certificate_topic is None:
        return "MissingProviderToken"
    if push.topic != certificate_topic:
        return "TopicDisallowed"
    if named.get(b"apns-push-type") != b"mdm":
        return "InvalidPushType"
    if given_id is not None and not UUID.match(given_id):
        return "BadMessageId"
    if named.get(b"apns-priority", b"10") not in (b"10", b"5", b"1"):
        return "BadPriority"
    if not named.get(b"apns-expiration", b"0").isdigit():
        return "BadExpirationDate"
    return None


def _check_body(body, push):
    if not body:
        return "PayloadEmpty"
    if len(body) > 4096:
        return "PayloadTooLarge"
    # the service has no word for a body that is not {"mdm": magic}; this is the nearest
    return None if push.magic else "PayloadEmpty"
