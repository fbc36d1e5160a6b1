"""A server that answers nonsense: a message is never taken for sent, and never sent on a guess."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping

import pytest

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.sync.imap.smtp import Postman, Unsure

GOOD: Mapping[str, bytes] = {
    "": b"220 here\r\n",
    "EHLO": b"250 here\r\n",
    "MAIL": b"250 fine\r\n",
    "RCPT": b"250 fine\r\n",
    "DATA": b"354 go on\r\n",
    ".": b"250 taken\r\n",
    "QUIT": b"221 bye\r\n",
}


class Server:
    """Says what it is told to say; an empty answer ends the connection."""

    def __init__(self) -> None:
        self.answers = dict(GOOD)
        self.taken = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                self._talk(connection, lines)

    def _talk(self, connection: socket.socket, lines: Iterator[bytes]) -> None:
        connection.sendall(self.answers[""])
        is_message = False
        for line in lines:
            word = line.split()[0].decode().upper() if line.split() else ""
            if is_message and word != ".":
                continue
            self.taken += is_message
            if not self.answers.get(word):
                return
            connection.sendall(self.answers[word])
            is_message = word == "DATA" and self.answers[word].startswith(b"354")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def submit(server: Server) -> list[str]:
    handed: list[str] = []
    postman = Postman(server.url, "ana", "secret", timeout_s=5)
    postman.submit("ana@x.example", ["ion@y.example"], b"Subject: a\r\n\r\nb\r\n",
                   lambda: handed.append("over"))  # fmt: skip
    return handed


def test_the_server_of_these_tests_takes_a_message(server: Server) -> None:
    assert submit(server) == ["over"]
    assert server.taken == 1


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", [b"<html>login first</html>\r\n", b"334 go on\r\n", b"120 \r\n"])
def test_nonsense_before_the_message_stops_it(server: Server, word: str, answer: bytes) -> None:
    server.answers[word] = answer.replace(b"334", b"250") if word == "DATA" else answer
    with pytest.raises(EnvironmentProblem):
        submit(server)
    assert server.taken == 0


@pytest.mark.parametrize("answer", [b"<html></html>\r\n", b"354 more\r\n", b"\r\n", b"2", b""])
def test_nonsense_after_the_message_is_no_yes_and_no_no(server: Server, answer: bytes) -> None:
    server.answers["."] = answer
    with pytest.raises(Unsure):
        submit(server)
    assert server.taken == 1


@pytest.mark.parametrize(("answer", "kind"), [(b"451 later\r\n", EnvironmentProblem),
                                              (b"550 never\r\n", UserError)])  # fmt: skip
def test_a_refusal_after_the_message_is_one(
    server: Server, answer: bytes, kind: type[Exception]
) -> None:
    server.answers["."] = answer
    with pytest.raises(kind):
        submit(server)
