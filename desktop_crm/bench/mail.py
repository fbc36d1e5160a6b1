"""Benchmark 11: mail from a server to stored, linked and searchable rows.

Beside it stock exchangelib, which reads the same fields of the same messages and stores nothing,
and bare lxml, which turns the same answers into tuples.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import requests
from exchangelib import Account, Configuration, Version
from exchangelib.folders import Inbox
from exchangelib.properties import DistinguishedFolderId, Mailbox
from exchangelib.protocol import CachingProtocol
from exchangelib.transport import NOAUTH
from exchangelib.version import EXCHANGE_2013_SP1
from lxml import etree

from desktop_crm.bench import graph_server, mail_server
from desktop_crm.bench.guards import resident
from desktop_crm.bench.postgres_server import NoServer, kept_server
from desktop_crm.bench.postgres_server import Server as PostgresServer
from desktop_crm.bench.rows import Row, compared, seconds, unmeasured
from desktop_crm.core.paths import cache_dir
from desktop_crm.db import migrate
from desktop_crm.db.engine import Database
from desktop_crm.services import records
from desktop_crm.services.context import system_actor
from desktop_crm.sync.engine import Engine
from desktop_crm.sync.exchange.items import MAIL_FIELDS
from desktop_crm.sync.exchange.mailbox import ExchangeMailbox
from desktop_crm.sync.graph.mailbox import GraphMailbox
from desktop_crm.sync.port import Mailbox as Port

COUNT: Final = 1_000
GOAL: Final = 2.3
RUNS: Final = 5
MOST_REQUESTS: Final = 3
"""Requests for each folder of a round in which nothing changed."""

MANY: Final = int(os.environ.get("BENCH_MAIL_COUNT", "50000"))
"""Messages of the mailbox whose sync must not grow the process."""

MOST_MB: Final = 40
_MB: Final = 1_048_576
_NAMES: Final = {"mail": "Exchange", "graph": "Microsoft Graph"}
_CHUNK: Final = 100
_TYPES: Final = "{http://schemas.microsoft.com/exchange/services/2006/types}"
_SAME_FIELDS: Final = (
    "mime_content", "item_class", "subject", "sensitivity", "datetime_received", "size",
    "categories", "importance", "in_reply_to", "is_draft", "datetime_sent", "conversation_id",
    "author", "sender", "to_recipients", "cc_recipients", "bcc_recipients", "reply_to",
    "message_id", "references", "is_read",
)  # fmt: skip
_TITLE: Final = "1,000 messages stored, linked and searchable"


class Server:
    """The served mailbox of a count of messages."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None  # noqa: S101  opened as a pipe
        self._root = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        self.url = f"{self._root}/EWS/Exchange.asmx"
        self.graph = self._root + graph_server.PATH

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def requests(self) -> int:
        """How many there were since the last time this was asked."""
        with urllib.request.urlopen(self._root) as answer:  # noqa: S310  the own loopback address
            return int(answer.read())


@contextmanager
def serving(count: int, kind: str = "mail") -> Iterator[Server]:
    """A server as a process of its own, so that its work is not counted; `mail` or `graph`."""
    process = subprocess.Popen(  # noqa: S603  this interpreter with a module of this package
        [sys.executable, "-m", f"desktop_crm.bench.{kind}_server", str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    served = Server(process)
    try:
        yield served
    finally:
        served.stop()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def run() -> list[Row]:
    """Rows of the benchmark on SQLite, on PostgreSQL where there is a server, and their guards."""
    with serving(COUNT) as server:
        with tempfile.TemporaryDirectory() as name:
            template = Path(name) / "empty.db"
            mailbox = prepared(f"sqlite:///{template}")

            def fresh() -> Database:
                path = Path(tempfile.mkstemp(dir=name, suffix=".db")[1])
                shutil.copy(template, path)
                return migrate.open_current(f"sqlite:///{path}")

            rows = _timed(server, mailbox, fresh)
            rows.append(_empty_round(server, mailbox, fresh))
            with serving(COUNT, "graph") as graph:
                rows.append(_empty_round(graph, mailbox, fresh, graph_port))
        rows += _on_server(server)
    return [*rows, _memory("mail"), _memory("graph")]


def _on_server(server: Server) -> list[Row]:
    try:
        with kept_server(cache_dir()) as postgres:
            return _timed_there(server, postgres)
    except NoServer as missing:
        return [unmeasured(11, _TITLE, str(missing), "postgresql")]


def _timed_there(server: Server, postgres: PostgresServer) -> list[Row]:
    template = f"{postgres.prefix}_mail"
    postgres.drop_database(template)
    mailbox = prepared(postgres.create_database(template))
    names = [f"{template}_{turn}" for turn in range(RUNS + 1)]
    left = iter(names)
    try:
        return _timed(
            server,
            mailbox,
            lambda: migrate.open_current(postgres.create_database(next(left), template)),
        )
    finally:
        for name in (*names, template):
            postgres.drop_database(name)


def prepared(url: str) -> int:
    """A database for the runs to start from; the key of its mailbox."""
    with closing(migrate.create(url)) as db:
        return prepare(db)


def prepare(db: Database) -> int:
    """A small company that knows half of those who write, and its mailbox."""
    actor = system_actor(db)

    def save(entity: str, **values: Any) -> int:  # noqa: ANN401  values of any field
        return records.save(actor, entity, None, None, values).id

    user = save("user", name="Ana", login="ana", email="ana@firma.example")
    stage = save("stage", name="Qualification", probability=20)
    for number in range(0, mail_server.SENDERS, 2):
        address = mail_server.sender(number)
        emails = [{"address": address, "is_primary": True}]
        if number % 20 == 0:
            account = save("account", name=f"Client {number} SRL", domain=address.partition("@")[2])
        contact = save(
            "contact", first_name="Ion", last_name=f"Pop {number}", account=account, emails=emails
        )
        if number % 4 == 0:
            name = f"Linie {number}"
            save("opportunity", name=name, account=account, contact=contact, stage=stage)
    return save("mailbox", name="Ana", kind="exchange", address="ana@firma.example", user=user)


def exchange_port(server: Server) -> ExchangeMailbox:
    """The product's adapter on the served mailbox."""
    return ExchangeMailbox(server.url, "ana@firma.example", login="ana", password="-")  # noqa: S106


class _Token:
    """A token that was given by hand."""

    def token(self, *, renew: bool = False) -> str:
        return "a-token"


def graph_port(server: Server) -> GraphMailbox:
    """The product's adapter of Microsoft 365 on a mailbox that is served as Graph."""
    return GraphMailbox("ana@firma.example", tokens=_Token(), service=server.graph)


def synchronised(
    db: Database, server: Server, mailbox: int, port: Callable[[Server], Port] = exchange_port
) -> None:
    """One pass over the mailbox.

    Raises:
        CrmError: something stopped it.
    """
    result = Engine(system_actor(db), mailbox, port(server)).run()
    if result.problem is not None:
        raise result.problem


def _timed(server: Server, mailbox: int, fresh: Callable[[], Database]) -> list[Row]:
    """Medians of the three ways, taken in turns after one turn to warm up."""
    taken: list[tuple[float, ...]] = []
    dialect = ""
    for _ in range(RUNS + 1):
        with closing(fresh()) as db:
            dialect = db.dialect
            mine = seconds(partial(synchronised, db, server, mailbox))
        others = (partial(stock, server), partial(stock, server, _SAME_FIELDS))
        bare = partial(tuples, server)
        taken.append((mine, *(seconds(one) for one in (*others, bare))))
    mine_s, stock_s, same_s, bare_s = (
        statistics.median(one) for one in zip(*taken[1:], strict=True)
    )
    against = f"{_TITLE}, against stock exchangelib storing nothing"
    row = compared(11, against, (mine_s, stock_s), GOAL, database=dialect, at_least=True)
    beside = (
        ("beside stock exchangelib told to read no other fields", same_s, same_s / mine_s),
        ("beside lxml to tuples", bare_s, mine_s / bare_s),
    )
    return [
        row,
        *(
            Row(11, dialect, f"{_TITLE}, {text}", mine_s, limit, ratio, None, ok=True)
            for text, limit, ratio in beside
        ),
    ]


def stock(server: Server, fields: Sequence[str] | None = None) -> None:
    """Stock exchangelib: the ids by sync, then the messages.

    Args:
        server: the served mailbox.
        fields: what to read of each message; None for what it reads unless told otherwise.

    Raises:
        ValueError: it read another number of messages.
    """
    account = Account(
        "ana@firma.example",
        autodiscover=False,
        config=Configuration(
            service_endpoint=server.url,
            auth_type=NOAUTH,
            version=Version(build=EXCHANGE_2013_SP1, api_version="Exchange2013_SP1"),
        ),
    )
    inbox = Inbox(
        root=account.root,
        _distinguished_id=DistinguishedFolderId(
            id="inbox", mailbox=Mailbox(email_address=account.primary_smtp_address)
        ),
    )
    found = [(item.id, item.changekey) for _, item in inbox.sync_items(only_fields=["subject"])]
    count = sum(1 for item in account.fetch(found, folder=inbox, only_fields=fields))
    account.protocol.close()
    CachingProtocol.clear_cache()
    if count != COUNT:
        raise ValueError(f"stock exchangelib read {count} messages")


def tuples(server: Server) -> None:
    """The limit of reading: the same answers, parsed by lxml into tuples of their texts."""
    session = requests.Session()
    shape = "".join(f'<t:FieldURI FieldURI="{uri}"/>' for uri in MAIL_FIELDS)
    rows: list[tuple[str | None, ...]] = []
    for start in range(0, COUNT, _CHUNK):
        numbers = range(start, min(start + _CHUNK, COUNT))
        ids = "".join(f'<t:ItemId Id="{mail_server.item_id(n)}"/>' for n in numbers)
        body = f"<m:GetItem>{shape}{ids}</m:GetItem>"
        answer = session.post(server.url, data=body.encode(), timeout=60)
        root = etree.fromstring(answer.content)
        rows += [
            tuple(child.text for child in message) for message in root.iter(f"{_TYPES}Message")
        ]
    session.close()
    if len(rows) != COUNT:
        raise ValueError(f"lxml read {len(rows)} messages")


def _empty_round(
    server: Server,
    mailbox: int,
    fresh: Callable[[], Database],
    port: Callable[[Server], Port] = exchange_port,
) -> Row:
    with closing(fresh()) as db:
        synchronised(db, server, mailbox, port)
        synchronised(db, server, mailbox, port)
        with closing(port(server)) as box:
            folders = len(box.folders())
            server.requests()
            synchronised(db, server, mailbox, port)
            name = type(box).__name__.removesuffix("Mailbox")
    asked = server.requests() / folders
    return Row(
        "round", "", f"{name}: requests for each folder of a round in which nothing changed", asked,
        None, None, MOST_REQUESTS, ok=asked < MOST_REQUESTS, unit="requests",
    )  # fmt: skip


def _memory(kind: str) -> Row:
    operation = f"memory of reading a mailbox of {MANY:,} messages, {_NAMES[kind]}"
    done = subprocess.run(  # noqa: S603  this interpreter with this module
        [sys.executable, "-m", "desktop_crm.bench.mail", str(MANY), kind],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = done.stdout.split()
    if done.returncode or len(found) != 2:
        return unmeasured("mailmemory", operation, "the process that measures ended early")
    before, after = (int(number) for number in found)
    grown = (after - before) / _MB
    whole = f"{operation}; the whole process {after / _MB:.0f} MB"
    return Row(
        "mailmemory", "sqlite", whole, grown, None, None, MOST_MB, ok=grown <= MOST_MB, unit="MB"
    )


def main() -> None:
    """Print what the process takes after the first thousand messages, and after all."""
    count, kind = int(sys.argv[1]), sys.argv[2]
    port = graph_port if kind == "graph" else exchange_port
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'many.db'}"
        mailbox = prepared(url)
        with closing(migrate.open_current(url)) as db:
            for number in (COUNT, count):
                with serving(number, kind) as server:
                    synchronised(db, server, mailbox, port)
                print(resident(), flush=True)


if __name__ == "__main__":
    main()
