"""A small company with customers, and mail among them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from desktop_crm.core import clock
from desktop_crm.db.engine import Database
from desktop_crm.models import Activity, ActivityParty, Link, MailboxItem, MailMessage
from desktop_crm.services import records
from desktop_crm.services.context import Actor, system_actor
from desktop_crm.sync.engine import Engine
from desktop_crm.sync.exchange.mailbox import ExchangeMailbox
from desktop_crm.sync.memory import CONTACTS, TASKS, MemoryMailbox
from desktop_crm.sync.port import (
    Address,
    Attendee,
    Folder,
    FolderRole,
    MailItem,
    MeetingItem,
    Response,
    Role,
)
from desktop_crm.sync.results import FolderResult, MailboxResult
from tests.ews_server import EwsServer
from tests.support.tables import declared

CRM = Folder("Contacts/CRM", "CRM", FolderRole.CONTACTS)
AT = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


@dataclass
class World:
    """Who works here and whom they deal with; the mailbox is Ana's."""

    actor: Actor
    port: MemoryMailbox
    mailbox: int
    ana: int
    client: int
    contact: int
    deal: int
    lead: int

    def save(self, entity: str, **values: Any) -> int:
        return records.save(self.actor, entity, None, None, values).id

    def sync(self, mailbox: int | None = None, port: Any = None, **options: Any) -> MailboxResult:
        options.setdefault("wait", lambda seconds, cancel: None)
        return Engine(self.actor, mailbox or self.mailbox, port or self.port, **options).run()

    def folder(self, name: str = "Inbox", **options: Any) -> FolderResult:
        result = self.sync(**options)
        assert result.problem is None, result.problem
        return next(f for f in result.folders if f.folder == name)

    def rows(self, model: Any) -> list[Any]:
        with self.actor.db.reading() as connection:
            return list(connection.execute(select(*declared(model.__table__)).order_by(model.id)))

    def links(self) -> list[tuple[str, int, str, str]]:
        """Record type, record id, rule and state of every link."""
        return [(r.record_type, r.record_id, r.rule, r.state) for r in self.rows(Link)]

    @property
    def activities(self) -> list[Any]:
        return self.rows(Activity)

    @property
    def messages(self) -> list[Any]:
        return self.rows(MailMessage)

    @property
    def items(self) -> list[Any]:
        return self.rows(MailboxItem)

    @property
    def parties(self) -> list[Any]:
        return self.rows(ActivityParty)


def mail(message_id: str = "m1@x", **changes: Any) -> MailItem:
    """A message from the client to Ana; `sender`, `to` and `cc` may be plain addresses."""
    values: dict[str, Any] = {
        "message_id": message_id,
        "subject": "Ofertă",
        "sender": "ion@client.example",
        "to": ("ana@firma.example",),
        "sent_at": AT,
        "text": "Bună ziua",
    }
    values.update(changes)
    for name in ("to", "cc", "bcc", "reply_to"):
        people = values.get(name, ())
        values[name] = tuple(Address(p) if isinstance(p, str) else p for p in people)
    if isinstance(values["sender"], str):
        values["sender"] = Address(values["sender"])
    return MailItem(**values)


def meeting(uid: str = "u1", **changes: Any) -> MeetingItem:
    values: dict[str, Any] = {
        "uid": uid,
        "start": AT,
        "end": AT + dt.timedelta(hours=1),
        "subject": "Ședință",
        "location": "Sala 2",
        "text": "Agenda",
        "organizer": Attendee(Address("ana@firma.example", "Ana"), Role.ORGANIZER),
        "attendees": (
            Attendee(Address("ion@client.example", "Ion"), Role.REQUIRED, Response.ACCEPTED),
            Attendee(Address("nobody@nowhere.example"), Role.OPTIONAL),
        ),
    }
    return MeetingItem(**{**values, **changes})


def make_world(db: Database) -> World:
    actor = system_actor(db)

    def save(entity: str, **values: Any) -> int:
        return records.save(actor, entity, None, None, values).id

    ana = save("user", name="Ana", login="ana", email="ana@firma.example")
    stage = save("stage", name="Qualification", probability=20)
    client = save("account", name="Client SRL", domain="client.example")
    contact = save(
        "contact",
        first_name="Ion",
        last_name="Pop",
        account=client,
        emails=[{"address": "ion@client.example", "is_primary": True}],
    )
    deal = save("opportunity", name="Roboți", account=client, contact=contact, stage=stage)
    lead = save(
        "lead",
        subject="Interes",
        first_name="Lia",
        last_name="Nou",
        emails=[{"address": "lia@nou.example", "is_primary": True}],
    )
    mailbox = save("mailbox", name="Ana", kind="folder", address="ana@firma.example", user=ana)
    return World(actor, MemoryMailbox(), mailbox, ana, client, contact, deal, lead)


@pytest.fixture
def moment() -> Iterator[list[dt.datetime]]:
    """The moment it is; a test moves it."""
    now = [AT]
    clock.use_clock(lambda: now[0])
    yield now
    clock.use_clock(None)


@pytest.fixture
def world(sqlite_db: Database) -> World:
    return make_world(sqlite_db)


@pytest.fixture
def plain_world(sqlite_db: Database) -> World:
    return make_world(sqlite_db)


@pytest.fixture
def shared_world(postgres_db: Database) -> World:
    return make_world(postgres_db)


@pytest.fixture
def ews() -> Iterator[EwsServer]:
    server = EwsServer()
    yield server
    server.close()


def mailbox_of(ews: EwsServer, **options: object) -> ExchangeMailbox:
    settings: dict[str, object] = {"login": ews.login, "password": ews.password, "timeout_s": 8.0}
    settings.update(options)
    return ExchangeMailbox(ews.url, "ana@firma.example", **settings)  # type: ignore[arg-type]


@pytest.fixture
def mailbox(ews: EwsServer) -> Iterator[ExchangeMailbox]:
    found = mailbox_of(ews)
    yield found
    found.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest) -> World:
    name = "world" if request.param == "sqlite" else "shared_world"
    world: World = request.getfixturevalue(name)
    world.port = MemoryMailbox(others=(TASKS, CONTACTS, CRM))
    records.save(world.actor, "mailbox", world.mailbox, None, {"two_way": True})
    return world
