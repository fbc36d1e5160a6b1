"""The made-up messages behind the part of Microsoft Graph that reading needs.

``python -m desktop_crm.bench.graph_server COUNT`` serves them as
:mod:`desktop_crm.bench.mail_server` does, in a process of its own.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from desktop_crm.bench import mail_server

PATH: Final = "/v1.0"
_PAGE: Final = re.compile(r"odata\.maxpagesize=(\d+)")
_MESSAGE: Final = re.compile(r"/me/messages/m(\d+)/\$value")
_START: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)


def entry(number: int) -> dict[str, Any]:
    """What a page of changes says of a message."""
    at = (_START + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "id": f"m{number}", "changeKey": f"CQ{number}", "subject": f"Oferta {number}",
        "internetMessageId": f"<m{number}@client.example>", "isRead": True, "isDraft": False,
        "flag": {"flagStatus": "notFlagged"}, "categories": [], "importance": "normal",
        "conversationId": f"AAQk{number - number % 5}", "receivedDateTime": at,
        "sentDateTime": at, "bccRecipients": [],
    }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """A page of changes; or how many requests there were since somebody asked last."""
        parts = urlsplit(self.path)
        if parts.path == "/":
            count, self.server.requests = self.server.requests, 0
            self._answer(str(count).encode())
            return
        self.server.requests += 1
        start = int(parse_qs(parts.query).get("$skiptoken", ["0"])[0])
        limit = int(_PAGE.search(self.headers["Prefer"])[1])  # type: ignore[index]
        # Every folder but the inbox is empty.
        count = self.server.count if "/inbox/" in parts.path else 0
        end = min(start + limit, count)
        kind = "nextLink" if end < count else "deltaLink"
        here = f"http://127.0.0.1:{self.server.server_address[1]}{parts.path}"
        page = {
            "value": [entry(count - 1 - n) for n in range(start, end)],
            f"@odata.{kind}": f"{here}?$skiptoken={max(start, end)}",
        }
        self._answer(json.dumps(page).encode())

    def do_POST(self) -> None:
        """Texts of messages, as many as were asked for."""
        self.server.requests += 1
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answers = []
        for one in asked["requests"]:
            number = int(_MESSAGE.search(one["url"])[1])  # type: ignore[index]
            text = b64encode(mail_server.message(number)).decode()
            head = {"Content-Type": "text/plain"}
            answers.append({"id": one["id"], "status": 200, "headers": head, "body": text})
        self._answer(json.dumps({"responses": answers}).encode())

    def _answer(self, data: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}"
        self.wfile.write(f"{head}\r\n\r\n".encode() + data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    count = 0
    requests = 0


def main() -> None:
    """Serve until the input ends, which it does when the parent goes."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.count = int(sys.argv[1])
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
