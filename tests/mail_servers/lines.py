"""Lines to mail servers that fail on order, each between two whole exchanges or amid one.

A line knows where a request and its answer end. So a fault meets one exchange as it is told to,
whatever the pieces are in which the bytes arrive: what was asked for is done or is not, by the
order and not by chance.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import struct
import threading
from abc import ABC, abstractmethod
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, Final

from tests.mail_servers.servers import Servers

ASKED_S: Final = 3
"""Seconds a busy server of calendars asks for."""

_LITERAL: Final = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")
_LIMIT: Final = 1 << 26
_RESETS: Final = struct.pack("ii", 1, 0)


class Speech(ABC):
    """What is said on one connection.

    Attributes:
        greets: whether the server speaks first.
        answers_away: whether a server that is away still says so; else it takes no connection.
    """

    greets: ClassVar[bool] = True
    answers_away: ClassVar[bool] = False

    @abstractmethod
    async def request(self, reader: StreamReader, writer: StreamWriter) -> bytes:
        """One whole request of the program."""

    @abstractmethod
    async def answer(self, reader: StreamReader) -> bytes:
        """The whole answer to it, or the greeting."""

    @abstractmethod
    def refusal(self, fault: str) -> bytes:
        """What a server says in place of doing it; empty when it would not say that of this."""

    def ends(self, _refusal: bytes) -> bool:
        """Whether it hangs up after that."""
        return True

    async def prepare(self, reader: StreamReader, writer: StreamWriter) -> bytes:
        """Begin a connection to the server; its greeting."""
        return await self.answer(reader) if self.greets else b""


class ImapSpeech(Speech):
    """IMAP: a command may hold literals, an answer ends with the command's tag."""

    def __init__(self) -> None:
        self._tag, self._command, self._goes_on = b"*", b"", False

    async def request(self, reader: StreamReader, writer: StreamWriter) -> bytes:
        """A command with its literals, which the server is given in one piece."""
        line = whole = await reader.readuntil(b"\r\n")
        while literal := _LITERAL.search(line):
            if not literal[2]:
                writer.write(b"+ go on\r\n")
                whole = whole[: -len(literal[0])] + b"{%b+}\r\n" % literal[1]
            whole += await reader.readexactly(int(literal[1]))
            line = await reader.readuntil(b"\r\n")
            whole += line
        if not self._goes_on:
            self._tag, _, rest = whole.partition(b" ")
            self._command = rest.split()[0].upper()
        return whole

    async def answer(self, reader: StreamReader) -> bytes:
        """Everything up to the line with the tag, or that asks the program to go on."""
        found = b""
        while True:
            first = line = await reader.readuntil(b"\r\n")
            found += line
            while literal := _LITERAL.search(line):
                found += await reader.readexactly(int(literal[1]))
                line = await reader.readuntil(b"\r\n")
                found += line
            self._goes_on = first.startswith(b"+")
            if self._goes_on or first.startswith(self._tag + b" "):
                return found

    def refusal(self, fault: str) -> bytes:
        """The codes of RFC 5530."""
        signs_in = self._command in (b"AUTHENTICATE", b"LOGIN")
        if fault == "401":
            return self._tag + b" NO [AUTHENTICATIONFAILED] No.\r\n" if signs_in else b""
        if not self._command:
            return b"* BYE [UNAVAILABLE] Try again later.\r\n"
        if self._command in (b"CAPABILITY", b"NOOP", b"LOGOUT"):
            return b""  # there is no such answer to these
        code = {"429": b"LIMIT", "500": b"SERVERBUG"}[fault]
        return self._tag + b" NO [" + code + b"] Not now.\r\n"

    def ends(self, refusal: bytes) -> bool:
        """After a command it goes on."""
        self._goes_on = False
        return refusal.startswith(b"*")


class SmtpSpeech(Speech):
    """SMTP: a command is a line, a message ends with a dot."""

    def __init__(self) -> None:
        self._command = b""

    async def prepare(self, reader: StreamReader, writer: StreamWriter) -> bytes:
        """Protect the connection, so that the program finds it protected."""
        greeting = await self.answer(reader)
        for line in (b"EHLO line.example\r\n", b"STARTTLS\r\n"):
            writer.write(line)
            await self.answer(reader)
        await writer.start_tls(unchecked())
        return greeting

    async def request(self, reader: StreamReader, writer: StreamWriter) -> bytes:
        """A command, or the message."""
        if self._command == b"354":
            self._command = b"."
            return await reader.readuntil(b"\r\n.\r\n")
        line = await reader.readuntil(b"\r\n")
        self._command = line.split()[0].upper()
        return line

    async def answer(self, reader: StreamReader) -> bytes:
        """Lines up to the one without a dash."""
        found = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            found += line
            if line[3:4] != b"-":
                break
        if line.startswith(b"354"):
            self._command = b"354"
        return found

    def refusal(self, fault: str) -> bytes:
        """The codes of RFC 3463 and 4954."""
        if fault == "401":
            return b"535 5.7.8 No.\r\n" if self._command == b"AUTH" else b""
        if fault == "500" or not self._command:
            return b"421 4.3.0 Not now.\r\n"
        return b"454 4.7.0 Not now.\r\n" if self._command == b"AUTH" else b"451 4.7.1 Not now.\r\n"

    def ends(self, refusal: bytes) -> bool:
        """After a command it goes on; what is left of a message would be read as commands."""
        return refusal.startswith(b"421") or self._command == b"."


class HttpSpeech(Speech):
    """HTTP, as far as programs for calendars and their servers speak it."""

    greets = False
    answers_away = True

    async def request(self, reader: StreamReader, writer: StreamWriter) -> bytes:
        """A request with its content."""
        head = await reader.readuntil(b"\r\n\r\n")
        return head + await reader.readexactly(int(_header(head, b"Content-Length") or 0))

    async def answer(self, reader: StreamReader) -> bytes:
        """An answer with its content, which may end with the connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = _header(head, b"Content-Length")
        if head.split()[1] in (b"204", b"304"):
            return head
        return head + await (reader.read() if length is None else reader.readexactly(int(length)))

    def refusal(self, fault: str) -> bytes:
        """A status, and a page no program understands."""
        more = {
            "401": 'WWW-Authenticate: Basic realm="x"\r\n',
            "429": f"Retry-After: {ASKED_S}\r\n",
            "503": f"Retry-After: {ASKED_S}\r\n",
        }
        return (
            f"HTTP/1.1 {fault} No\r\nContent-Length: 2\r\nConnection: close\r\n"
            f"{more.get(fault, '')}\r\nno"
        ).encode()


class Line:
    """One port that leads to one server.

    Attributes:
        away: every connection is refused, from its first byte.
    """

    def __init__(self, lines: Lines, speech: type[Speech], port: int, *, protected: bool) -> None:
        self.away = False
        self._lines, self._speech, self._target = lines, speech, port
        self._protected = protected
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])

    async def listen(self) -> None:
        """Take connections until this is cancelled."""
        loop = asyncio.get_running_loop()
        with self._listener:
            async with asyncio.TaskGroup() as open_ones:
                while True:
                    client, _ = await loop.sock_accept(self._listener)
                    if self.away:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
                        client.close()
                    else:
                        open_ones.create_task(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        broken = (OSError, asyncio.IncompleteReadError)
        with contextlib.suppress(*broken):
            reader, writer = await self._take(client)
            try:
                with contextlib.suppress(*broken):
                    await self._pass_on(reader, writer)
            finally:
                writer.transport.abort()

    async def _take(self, client: socket.socket) -> tuple[StreamReader, StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = StreamReader(_LIMIT)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, client, ssl=self._lines.certified
        )
        return reader, StreamWriter(transport, protocol, reader, loop)

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter) -> None:
        context = unchecked() if self._protected else None
        behind, to_server = await asyncio.open_connection(
            "127.0.0.1", self._target, ssl=context, limit=_LIMIT
        )
        try:
            speech = self._speech()
            answer = await speech.prepare(behind, to_server)
            fault = self._lines.next_fault(speech) if speech.greets else None
            while await self._meet(fault, answer, speech, reader, writer):
                answer = b""
                request = await speech.request(reader, writer)
                fault = self._lines.next_fault(speech)
                if fault not in NOT_DONE:
                    to_server.write(request)
                    answer = await speech.answer(behind)
        finally:
            to_server.transport.abort()

    async def _meet(
        self,
        fault: str | None,
        answer: bytes,
        speech: Speech,
        reader: StreamReader,
        writer: StreamWriter,
    ) -> bool:
        """Say what there is to say; whether the connection goes on."""
        match fault:
            case None:
                writer.write(answer)
                await writer.drain()
                return True
            case "timeout":
                await reader.read()  # until nobody waits any more
            case "half":
                writer.write(answer[: len(answer) // 2])
                await writer.drain()
            case "reset" | "lost":
                _reset(writer)
            case "503" if not speech.answers_away:
                self.away = True
                _reset(writer)
            case _:
                refusal = speech.refusal(fault)
                writer.write(refusal)
                await writer.drain()
                return not speech.ends(refusal)
        return False


NOT_DONE: Final = frozenset({"reset", "401", "429", "500", "503"})
"""Faults before the server has seen what it is asked for."""


class Lines:
    """The three lines of one mailbox, and what happens on them.

    Attributes:
        queue: what the next requests meet, whatever line they take; None lets one pass.
        struck: how often which fault was met.
        requests: how many requests were made, a greeting counted as one.
        certified: proves to programs that they talk to their server.
    """

    def __init__(self, servers: Servers) -> None:
        self.queue: list[str | None] = []
        self.struck: Counter[str] = Counter()
        self.requests = 0
        certificates = servers.dovecot.certificates
        self.certified = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certified.load_cert_chain(certificates.server, certificates.key)
        self._lines = (
            Line(self, ImapSpeech, servers.dovecot.tls_port, protected=True),
            Line(self, SmtpSpeech, servers.smtp.port, protected=False),
            Line(self, HttpSpeech, servers.radicale.port, protected=True),
        )
        self._loop = asyncio.new_event_loop()
        self._work = self._loop.create_task(self._listen())
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def urls(self) -> dict[str, str]:
        """Where a mailbox finds its servers."""
        imap, smtp, dav = (f"s://127.0.0.1:{line.port}" for line in self._lines)
        return {"server": f"imap{imap}", "smtp_server": f"smtp{smtp}", "dav_server": f"http{dav}"}

    def aim(self, faults: Sequence[str | None]) -> None:
        """Meet the next requests with these faults; whoever was away is there again."""
        self.queue[:] = faults
        for line in self._lines:
            line.away = False

    def next_fault(self, speech: Speech) -> str | None:
        """The fault a request meets."""
        self.requests += 1
        name = self.queue.pop(0) if self.queue else None
        if name is None:
            return None
        by_answer = name == "503" and not speech.answers_away
        if name.isdigit() and not by_answer and not speech.refusal(name):
            self.queue.insert(0, name)  # met by a request that can be answered so
            return None
        self.struck[name] += 1
        return name

    def close(self) -> None:
        """Cut everything."""
        self._loop.call_soon_threadsafe(self._work.cancel)
        self._thread.join()

    async def _listen(self) -> None:
        async with asyncio.TaskGroup() as group:
            for line in self._lines:
                group.create_task(line.listen())

    def _run(self) -> None:
        with contextlib.closing(self._loop), contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._work)


def unchecked() -> ssl.SSLContext:
    """Protection towards a server of the test's own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _reset(writer: StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)


def _header(head: bytes, name: bytes) -> bytes | None:
    found = re.search(rb"(?im)^" + name + rb":[ \t]*(\d+)", head)
    return found[1] if found else None
