# SPDX-License-Identifier: Apache-2.0
"""The mock's way to wake simulated devices: a small POST per accepted push, a few at a time."""

import asyncio
import json
import urllib.parse


class Waker:
    """Posts {"magic", "token"} to the URL registered for a magic, or to the common one."""

    def __init__(self, url=None, workers=16):
        self.url, self.urls, self.workers = url, {}, workers
        self.count = self.failures = 0
        self._queue = None

    @property
    def wanted(self):
        return bool(self.url or self.urls)

    def start(self):
        self._queue = asyncio.Queue()
        self._tasks = [asyncio.ensure_future(self._work()) for _ in range(self.workers)]

    def wake(self, push):
        url = self.urls.get(push.magic, self.url)
        if url:
            self._queue.put_nowait((url, push.magic, push.token))

    async def _work(self):
        while True:
            url, magic, token = await self._queue.get()
            try:
                await asyncio.wait_for(self._post(url, magic, token), 10)
                self.count += 1
            except (OSError, ValueError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                self.failures += 1

    @staticmethod
    async def _post(url, magic, token):
        parts = urllib.parse.urlsplit(url)
        body = json.dumps({"magic": magic, "token": token}).encode()
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        try:
            head = ("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                    "Content-Length: %d\r\nConnection: close\r\n\r\n"
                    % (parts.path or "/", parts.netloc, len(body)))
            writer.write(head.encode() + body)
            status = await reader.readuntil(b"\r\n")
            if status.split()[1][:1] != b"2":
                raise ValueError("wake answered " + status.decode("latin-1").strip())
        finally:
            writer.close()
