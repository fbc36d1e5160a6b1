"""Speaks the part of Microsoft Graph that a client of one mailbox uses, with faults on demand.

It follows the reference of Graph 1.0: delta links, `@removed`, page sizes by the Prefer header,
`$batch` with bodies in base64, etags, dateTimeTimeZone in UTC.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import socketserver
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.graph_server.authority import Authority
from tests.graph_server.routes import Reply, Request, answer, problem
from tests.graph_server.store import Store

Connection = socket.socket | tuple[bytes, socket.socket]


@dataclass
class Fault:
    """An answer that replaces the right one."""

    path: str
    act: Callable[[Handler], bool]
    times: int = 1


class GraphServer:
    """A service for one mailbox and the sign-in of its owner.

    `calls` records method and path of what was answered, `parts` those inside batches. Faults are
    queued with `fault` and consumed in order; inside a batch `part_fault` answers one part.
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
        self.faults: deque[Fault] = deque()
        self.part_faults: dict[str, deque[Reply]] = {}
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.graph = self
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.root = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{self.root}/v1.0"
        self.authority.root = self.root
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        """Stop listening and close every connection."""
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def fault(self, path: str, act: Callable[[Handler], bool], times: int = 1) -> None:
        """Answer the next requests whose path matches the pattern by `act` instead.

        When `act` returns False the right answer follows after all (a delay, for example).
        """
        self.faults.append(Fault(path, act, times))

    def part_fault(self, path: str, reply: Reply, times: int = 1) -> None:
        """Answer parts of a batch whose path matches the pattern by a reply of the test's own."""
        self.part_faults.setdefault(path, deque()).extend([reply] * times)

    def next_fault(self, path: str) -> Callable[[Handler], bool] | None:
        """Take the fault that stands first in the queue, if it is for this path."""
        if not self.faults or not re.search(self.faults[0].path, path):
            return None
        first = self.faults[0]
        first.times -= 1
        if first.times <= 0:
            self.faults.popleft()
        return first.act

    def part(self, request: Request) -> Reply:
        """Answer one part of a batch."""
        self.parts.append(f"{request.method} {request.path}")
        for pattern, replies in self.part_faults.items():
            if replies and re.search(pattern, request.path):
                return replies.popleft()
        return answer(self, request)


class _Server(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = False
    block_on_close = True
    graph: GraphServer

    def __init__(self, address: tuple[str, int], handler: type[Handler]) -> None:
        self._open: set[Connection] = set()
        super().__init__(address, handler)

    def process_request(self, request: Connection, client_address: object) -> None:
        """Remember the connection, so that closing need not wait for the client."""
        self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Connection) -> None:
        """Forget the connection."""
        self._open.discard(request)
        super().close_request(request)

    def hang_up(self) -> None:
        """Close what clients keep open."""
        for connection in list(self._open):
            assert isinstance(connection, socket.socket)  # datagrams do not come here
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = 5
    server: _Server

    lose = False
    """Whether the next answer is lost on its way."""

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._any("GET")

    def do_POST(self) -> None:
        self._any("POST")

    def do_PATCH(self) -> None:
        self._any("PATCH")

    def do_PUT(self) -> None:
        self._any("PUT")

    def do_DELETE(self) -> None:
        self._any("DELETE")

    def _any(self, method: str) -> None:
        graph = self.server.graph
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
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
            reply = self.server.graph.part(request)
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
        if self.lose:
            self.close_connection = True
            return
        is_json = reply.body is not None and not isinstance(reply.body, bytes)
        data = json.dumps(reply.body).encode() if is_json else reply.body or b""
        self.send_response(reply.status)
        self.send_header(
            "Content-Type", "application/json; odata.metadata=minimal" if is_json else "text/plain"
        )
        self.send_header("Content-Length", str(len(data)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _query(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def _decoded(content: bytes, kind: str) -> Any:
    if not content:
        return None
    return json.loads(content) if "json" in kind else content


def status(code: int, error: str = "", **headers: str) -> Callable[[Handler], bool]:
    """Answer with an HTTP status, and an error of Graph where one is given."""

    def act(handler: Handler) -> bool:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if error:
            reply = problem(code, error, "scripted")
            handler.reply(Reply(code, reply.body, told))
        else:
            handler.reply(Reply(code, b"<html>no</html>", told))
        return True

    return act


def says(body: Any) -> Callable[[Handler], bool]:
    """Answer with a body of the test's own."""

    def act(handler: Handler) -> bool:
        handler.reply(Reply(200, body))
        return True

    return act


def half(handler: Handler) -> bool:
    """Break off in the middle of the JSON, the connection closed as if that were all."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(b'{"value": [{"id": "AAkALg", "isRead": tr')
    handler.close_connection = True
    return True


def short(handler: Handler) -> bool:
    """Promise more bytes than arrive."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"value": []}')
    handler.close_connection = True
    return True


def reset(handler: Handler) -> bool:
    """Close the connection without a word."""
    handler.close_connection = True
    return True


def lost(handler: Handler) -> bool:
    """Do what was asked, and let the answer get lost on its way."""
    handler.lose = True
    return False


def slow(seconds: float) -> Callable[[Handler], bool]:
    """Let the client wait, then answer rightly."""

    def act(handler: Handler) -> bool:
        time.sleep(seconds)
        return False

    return act
