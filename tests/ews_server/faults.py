"""Answers that replace the right one, for :meth:`EwsServer.fault`."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO

from tests.ews_server import soap
from tests.ews_server.server import Handler


def status(code: int, **headers: str) -> Callable[[Handler], bool]:
    """Answer with an HTTP status and a page that is no XML."""

    def act(handler: Handler) -> bool:
        handler.answer(code, "<html>no</html>", **headers)
        return True

    return act


def soap_error(operation: str, code: str, extra: str = "") -> Callable[[Handler], bool]:
    """Answer an operation with an error in its response message."""

    def act(handler: Handler) -> bool:
        failed = soap.error(code, "scripted", extra=extra)
        handler.answer(200, soap.envelope(soap.message(operation, failed)))
        return True

    return act


def soap_fault(code: str, back_off_ms: int = 0) -> Callable[[Handler], bool]:
    """Answer with a SOAP fault and HTTP 500, as a throttled server does."""

    def act(handler: Handler) -> bool:
        handler.answer(500, soap.envelope(soap.fault(code, "scripted", back_off_ms)))
        return True

    return act


def raw(content: str) -> Callable[[Handler], bool]:
    """Answer with a body of its own, wrapped in nothing."""

    def act(handler: Handler) -> bool:
        handler.answer(200, content)
        return True

    return act


def page(*elements: str, state: str = "1:99", last: bool = True) -> Callable[[Handler], bool]:
    """Answer SyncFolderItems with change elements of the test's own."""

    def act(handler: Handler) -> bool:
        content = soap.sync_page(state, (), last=last, extra="".join(elements))
        handler.answer(200, soap.envelope(soap.message("SyncFolderItems", content)))
        return True

    return act


def half(handler: Handler) -> bool:
    """Break off in the middle of a page, the connection closed as if that were all."""
    events = [("Create", f"lost-{n}", "Message") for n in range(4)]
    content = soap.envelope(
        soap.message("SyncFolderItems", soap.sync_page("1:4", events, last=True))
    )
    data = content.encode()[: len(content) * 2 // 3]
    handler.send_response(200)
    handler.send_header("Content-Type", "text/xml")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(data)
    handler.close_connection = True
    return True


def short(handler: Handler) -> bool:
    """Promise more bytes than arrive."""
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b"<?xml version='1.0'?><s:Envelope")
    handler.close_connection = True
    return True


def slow(seconds: float) -> Callable[[Handler], bool]:
    """Let the client wait, then answer rightly."""

    def act(handler: Handler) -> bool:
        time.sleep(seconds)
        return False

    return act


def lost(handler: Handler) -> bool:
    """Do what was asked, and lose the answer on the way back."""
    handler.wfile = BytesIO()  # what is written there arrives nowhere
    handler.close_connection = True
    return False
