"""Answers that replace the right one, for :meth:`EwsServer.fault`."""

from __future__ import annotations

from tests.ews_server import soap
from tests.support.scripted_http import Act, broken_off, lost, reset, says, slow, status

__all__ = ["lost", "reset", "slow", "status"]

XML = "text/xml; charset=utf-8"


def soap_error(operation: str, code: str, extra: str = "") -> Act:
    """Answer an operation with an error in its response message."""
    return raw(soap.envelope(soap.message(operation, soap.error(code, "scripted", extra=extra))))


def soap_fault(code: str, back_off_ms: int = 0) -> Act:
    """Answer with a SOAP fault and HTTP 500, as a throttled server does."""
    fault = soap.envelope(soap.fault(code, "scripted", back_off_ms))
    return says(fault.encode(), 500, XML)


def raw(content: str) -> Act:
    """Answer with a body of its own, wrapped in nothing."""
    return says(content.encode(), kind=XML)


def page(*elements: str, state: str = "1:99", last: bool = True) -> Act:
    """Answer SyncFolderItems with change elements of the test's own."""
    content = soap.sync_page(state, (), last=last, extra="".join(elements))
    return raw(soap.envelope(soap.message("SyncFolderItems", content)))


def _half() -> bytes:
    events = [("Create", f"lost-{n}", "Message") for n in range(4)]
    page = soap.sync_page("1:4", events, last=True)
    content = soap.envelope(soap.message("SyncFolderItems", page))
    return content.encode()[: len(content) * 2 // 3]


half = broken_off(_half())
"""Break off in the middle of a page, the connection closed as if that were all."""

short = broken_off(b"<?xml version='1.0'?><s:Envelope", promised=5000)
"""Promise more bytes than arrive."""
