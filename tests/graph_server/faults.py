"""Answers that replace the right one, for :meth:`GraphServer.fault`."""

from __future__ import annotations

import json
from typing import Any

from tests.graph_server.routes import problem
from tests.support import scripted_http
from tests.support.scripted_http import Act, broken_off, lost, reset, slow

__all__ = ["lost", "reset", "slow"]

JSON = "application/json"


def says(body: Any, code: int = 200, **headers: str) -> Act:
    """Answer with a body of the test's own."""
    return scripted_http.says(json.dumps(body).encode(), code, JSON, **headers)


def status(code: int, error: str = "", **headers: str) -> Act:
    """Answer with an HTTP status, and an error of Graph where one is given."""
    if error:
        return says(problem(code, error, "scripted").body, code, **headers)
    return scripted_http.status(code, **headers)


half = broken_off(b'{"value": [{"id": "AAkALg", "isRead": tr')
"""Break off in the middle of the JSON, the connection closed as if that were all."""

short = broken_off(b'{"value": []}', promised=5000)
"""Promise more bytes than arrive."""
