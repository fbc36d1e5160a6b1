"""Speaks the part of Microsoft Graph that a client of one mailbox uses, with faults on demand.

It follows the reference of Graph 1.0: delta links, `@removed`, page sizes by the Prefer header,
`$batch` with bodies in base64, etags, dateTimeTimeZone in UTC.
"""

from __future__ import annotations

import base64
import json
import re
from collections import deque
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.graph_server.authority import Authority
from tests.graph_server.routes import Reply, Request, answer, problem
from tests.graph_server.store import Store
from tests.support.scripted_http import ScriptedHandler, ScriptedServer


class GraphServer(ScriptedServer):
    """A service for one mailbox and the sign-in of its owner; a fault names a path.

    `calls` records method and path of what was answered, `parts` those inside batches; inside a
    batch `part_fault` answers one part.
    """

    def __init__(
        self,
        address: str = "ana@firma.example",
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.store = Store(address)
        self.authority = Authority(address)
        self.calls: list[str] = []
        self.parts: list[str] = []
        self.bodies: list[bytes] = []
        self.prefers: list[str] = []
        self.generation = 1
        self.page_limit = 1000
        self.after_sending = "sentitems"
        self.uploads: dict[str, tuple[dict[str, Any], bytearray]] = {}
        self.busy: dict[str, list[tuple[str, str, str]]] = {}
        self.part_faults: dict[str, deque[Reply]] = {}
        super().__init__(Handler, certificate)
        self.url = f"{self.root}/v1.0"
        self.authority.root = self.root

    def part_fault(self, path: str, reply: Reply, times: int = 1) -> None:
        """Answer parts of a batch whose path matches the pattern by a reply of the test's own."""
        self.part_faults.setdefault(path, deque()).extend([reply] * times)

    def part(self, request: Request) -> Reply:
        """Answer one part of a batch."""
        self.parts.append(f"{request.method} {request.path}")
        for pattern, replies in self.part_faults.items():
            if replies and re.search(pattern, request.path):
                return replies.popleft()
        return answer(self, request)


class Handler(ScriptedHandler):
    """One connection."""

    @property
    def graph(self) -> GraphServer:
        """The server that is asked."""
        assert isinstance(self.script, GraphServer)
        return self.script

    def asked(self, method: str) -> None:
        graph = self.graph
        content = self.content()
        parts = urlsplit(self.path)
        act = graph.next_fault(parts.path)
        if not parts.path.startswith("/v1.0/"):
            if act is not None and act(self):
                return
            self.reply(graph.authority.answer(method, self.path, content))
            return
        path = parts.path.removeprefix("/v1.0")
        graph.calls.append(f"{method} {unquote(path)}")
        graph.bodies.append(content)
        graph.prefers.append(self.headers.get("Prefer", ""))
        if act is not None and act(self):
            return
        uploading = path.startswith("/upload/")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not uploading and not graph.authority.accepts(token):
            self.reply(problem(401, "InvalidAuthenticationToken", "Access token has expired."))
            return
        body = _decoded(content, self.headers.get("Content-Type", ""))
        request = Request(
            method, path, _query(parts.query), body, dict(self.headers.items()), self.path
        )
        if path == "/$batch":
            self.reply(self._batch(body))
        else:
            self.reply(answer(graph, request))

    def _batch(self, body: Any) -> Reply:
        wanted = body["requests"]
        assert len(wanted) <= 20, "a batch has at most 20 requests"
        found = []
        for one in wanted:
            parts = urlsplit(one["url"])
            request = Request(
                one["method"], parts.path, _query(parts.query), one.get("body"),
                one.get("headers") or {}, one["url"],
            )  # fmt: skip
            reply = self.graph.part(request)
            shown = reply.body
            if isinstance(shown, bytes):
                shown = base64.b64encode(shown).decode()
            found.append(
                {"id": one["id"], "status": reply.status, "headers": reply.headers, "body": shown}
            )
        # The service answers in any order.
        return Reply(200, {"responses": found[::-1]})

    def reply(self, reply: Reply) -> None:
        """Send one answer."""
        is_json = reply.body is not None and not isinstance(reply.body, bytes)
        data = json.dumps(reply.body).encode() if is_json else reply.body or b""
        kind = "application/json; odata.metadata=minimal" if is_json else "text/plain"
        self.send(reply.status, data, kind, **reply.headers)


def _query(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def _decoded(content: bytes, kind: str) -> Any:
    if not content:
        return None
    return json.loads(content) if "json" in kind else content
