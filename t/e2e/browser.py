# SPDX-License-Identifier: Apache-2.0
"""A person's browser without script: pages, cookies by the rules of RFC 6265, links and forms."""

import html.parser
import http.client
import ssl
import urllib.parse

IPHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
          "Version/18.1 Mobile/15E148 Safari/604.1")
MAC = ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
       "Safari/605.1.15")
CHROME_ON_IPHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                    "CriOS/130.0.6723.90 Mobile/15E148 Safari/604.1")
WINDOWS = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
           "Safari/537.36")
ANDROID = ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile "
           "Safari/537.36")
VOID = {"meta", "input", "br", "hr", "link", "img"}


class Markup(html.parser.HTMLParser):
    """The tags of a page in order, as (name, attributes); and its text. Well-formed, or an AssertionError."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self._open = [], [], []
        self.feed(text)
        self.close()
        assert not self._open, "tags left open: %s" % self._open
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open and self._open.pop() == tag, "</%s> closes nothing" % tag

    def handle_data(self, data):
        if not self._open or self._open[-1] != "style":
            self.texts.append(data)

    def all(self, tag, **wanted):
        return [attrs for name, attrs in self.tags if name == tag
                and all(attrs.get(key) == value for key, value in wanted.items())]


class Page:
    """An answer: status, headers, body and, of a page, its markup."""

    def __init__(self, url, status, headers, body):
        self.url, self.status, self.headers, self.body = url, status, headers, body
        self.type = (headers.get("Content-Type") or "").split(";")[0]
        self.markup = Markup(body.decode()) if self.type == "text/html" else None

    @property
    def text(self):
        return self.markup.text if self.markup else self.body.decode("utf-8", "replace")

    def field(self, name):
        found = self.markup.all("input", name=name)
        return found[0].get("value", "") if found else None

    def form(self):
        """(URL, hidden and preset fields) of the only form."""
        form, = self.markup.all("form")
        assert form["method"] == "post"
        fields = {one["name"]: one.get("value", "") for one in self.markup.all("input") if one.get("name")
                  and one.get("type") != "checkbox"}
        return urllib.parse.urljoin(self.url, form["action"]), fields

    def __repr__(self):
        return "<Page %s: %d %s>" % (self.url, self.status, self.text[:200])


class Browser:
    """One browser with its own cookies. source: address it connects from."""

    def __init__(self, ca_file, agent=IPHONE, source=None):
        self.context = ssl.create_default_context(cafile=ca_file)
        self.context.verify_flags |= 0x80000
        self.agent, self.source, self.cookies = agent, source, {}

    def send(self, method, url, body=None, headers=None, redirects=3):
        parts = urllib.parse.urlsplit(url)
        headers = {"User-Agent": self.agent, "Accept": "text/html,*/*;q=0.8", **(headers or {})}
        headers = {key: value for key, value in headers.items() if value is not None}
        cookies = self._cookies(parts)
        if cookies and "Cookie" not in headers:
            headers["Cookie"] = cookies
        source = (self.source, 0) if self.source else None
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=30, context=self.context,
                                                     source_address=source)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30, source_address=source)
        try:
            connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body, headers)
            answer = connection.getresponse()
            page = Page(url, answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        for line in page.headers.get_all("Set-Cookie") or []:
            self._keep(line, parts)
        if page.status in (301, 302, 303) and redirects:
            return self.send("GET", urllib.parse.urljoin(url, page.headers["Location"]), redirects=redirects - 1)
        return page

    def open(self, url, **headers):
        return self.send("GET", url, headers=headers)

    def submit(self, page, headers=None, redirects=3, **fields):
        """Send the page's form as a browser does; a field that is None is left out."""
        url, given = page.form()
        fields = {key: value for key, value in {**given, **fields}.items() if value is not None}
        parts = urllib.parse.urlsplit(url)
        return self.send("POST", url, urllib.parse.urlencode(fields),
                         {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin",
                          "Origin": "%s://%s" % (parts.scheme, parts.netloc), **(headers or {})}, redirects)

    def _keep(self, line, parts):
        words = [word.strip() for word in line.split(";")]
        name, _, value = words[0].partition("=")
        rules = {word.partition("=")[0].lower(): word.partition("=")[2] for word in words[1:]}
        if name.startswith("__Secure-"):
            assert "secure" in rules and parts.scheme == "https"
        self.cookies[name] = (value, rules)

    def _cookies(self, parts):
        return "; ".join("%s=%s" % (name, value) for name, (value, rules) in self.cookies.items()
                         if ("secure" not in rules or parts.scheme == "https")
                         and (parts.path == rules["path"] or parts.path.startswith(rules["path"].rstrip("/") + "/")))
