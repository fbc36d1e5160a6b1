"""A server on this machine that answers by script over real HTTP, with faults on demand."""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

Connection = socket.socket | tuple[bytes, socket.socket]
Act = Callable[["ScriptedHandler"], bool]
"""What is done with one request; False when the right answer follows after all."""

ANY = ""
"""Matches every request."""


@dataclass
class Fault:
    """An answer that replaces the right one, where the pattern is found."""

    pattern: str
    act: Act
    times: int


class ScriptedServer:
    """Listens on a port of its own until it is closed.

    Faults are queued with `fault` and consumed in order. With a `certificate` and its key it
    speaks TLS; with a `people_authority` clients must show a certificate of that authority.
    """

    def __init__(
        self,
        handler: type[ScriptedHandler],
        certificate: tuple[Path, Path] | None = None,
        people_authority: Path | None = None,
    ) -> None:
        self.faults: deque[Fault] = deque()
        self.closing = threading.Event()
        self._answering = 0
        self._answered = threading.Condition()
        self._listener = _Listener(("127.0.0.1", 0), handler)
        self._listener.script = self
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            if people_authority is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(people_authority)
            self._listener.socket = context.wrap_socket(self._listener.socket, server_side=True)
            scheme = "https"
        self.root = f"{scheme}://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        """Stop listening and close every connection; what makes a client wait does so no longer."""
        self.closing.set()
        self._listener.shutdown()
        self._listener.hang_up()
        self._listener.server_close()
        self._thread.join()

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Count a request as long as it is worked on, also when its client waits no longer."""
        with self._answered:
            self._answering += 1
        try:
            yield
        finally:
            with self._answered:
                self._answering -= 1
                self._answered.notify_all()

    def settle(self) -> None:
        """Wait until everything that was asked is done."""
        with self._answered:
            assert self._answered.wait_for(lambda: not self._answering, timeout=10)

    def fault(self, pattern: str, act: Act, times: int = 1) -> None:
        """Answer the next requests in which the pattern is found by `act` instead."""
        self.faults.append(Fault(pattern, act, times))

    def next_fault(self, what: str) -> Act | None:
        """Take the fault that stands first in the queue, if it is for this request."""
        if not self.faults or not re.search(self.faults[0].pattern, what):
            return None
        first = self.faults[0]
        first.times -= 1
        if first.times <= 0:
            self.faults.popleft()
        return first.act


class _Listener(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = False
    block_on_close = True
    script: ScriptedServer

    def __init__(self, address: tuple[str, int], handler: type[ScriptedHandler]) -> None:
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


class ScriptedHandler(BaseHTTPRequestHandler):
    """One connection; what it serves says what is answered."""

    protocol_version = "HTTP/1.1"
    timeout = 5
    # Headers and content are two packets: the second would wait 40 ms for the answer to the first.
    disable_nagle_algorithm = True
    server: _Listener

    @property
    def script(self) -> Any:  # the server the handler was written for
        """The server that is asked."""
        return self.server.script

    def do_GET(self) -> None:
        with self.script.answering():
            self.asked("GET")

    def do_POST(self) -> None:
        with self.script.answering():
            self.asked("POST")

    def do_PATCH(self) -> None:
        with self.script.answering():
            self.asked("PATCH")

    def do_PUT(self) -> None:
        with self.script.answering():
            self.asked("PUT")

    def do_DELETE(self) -> None:
        with self.script.answering():
            self.asked("DELETE")

    def asked(self, method: str) -> None:
        """Answer one request, or meet the fault that is due."""
        raise NotImplementedError

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def content(self) -> bytes:
        """What came with the request; read once."""
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def send(self, status: int, data: bytes, kind: str = "text/html", **headers: str) -> None:
        """Send one answer; underscores in the names of headers stand for dashes."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)


# --- faults --------------------------------------------------------------------------------------


def says(data: bytes, status: int = 200, kind: str = "text/html", **headers: str) -> Act:
    """Answer with what the test says."""

    def act(handler: ScriptedHandler) -> bool:
        handler.send(status, data, kind, **headers)
        return True

    return act


def status(code: int, **headers: str) -> Act:
    """Answer with an HTTP status and a page no program understands."""
    return says(b"<html>no</html>", code, **headers)


def broken_off(data: bytes, promised: int | None = None) -> Act:
    """Break off after these bytes: as if that were all, or with more of them promised."""

    def act(handler: ScriptedHandler) -> bool:
        handler.send_response(200)
        name, value = ("Connection", "close")
        if promised is not None:
            name, value = ("Content-Length", str(promised))
        handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection = True
        return True

    return act


def reset(handler: ScriptedHandler) -> bool:
    """Close the connection without a word."""
    handler.close_connection = True
    return True


def lost(handler: ScriptedHandler) -> bool:
    """Do what was asked, and lose the answer on the way back."""
    handler.wfile = BytesIO()  # what is written there arrives nowhere
    handler.close_connection = True
    return False


def slow(seconds: float) -> Act:
    """Let the client wait, then answer rightly."""

    def act(handler: ScriptedHandler) -> bool:
        handler.script.closing.wait(seconds)
        return False

    return act
