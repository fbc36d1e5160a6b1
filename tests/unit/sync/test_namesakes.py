"""Messages under the identifier of another: whoever writes one into a file reads nothing by it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from desktop_crm.core.errors import NotFound, PermissionDenied
from desktop_crm.services import context, records
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.listing import MailQuery, message_keys
from desktop_crm.services.mail.withdrawing import withdraw
from desktop_crm.sync import writing
from desktop_crm.sync.exclusion import Ours
from desktop_crm.sync.memory import INBOX, SENT, MemoryMailbox
from desktop_crm.sync.namesakes import is_namesake, looks_of
from desktop_crm.sync.port import MailItem
from desktop_crm.sync.writing import Mode
from tests.unit.sync.conftest import AT, World, mail

TEXT = "The board will sell the plant in Arad; nobody else may know."
DAY = dt.timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    name = "shared_world" if request.param == "postgresql" else "plain_world"
    found: World = request.getfixturevalue(name)
    records.save(found.actor, "mailbox", found.mailbox, None, {"sharing": "nobody"})
    return found


def colleague(world: World) -> tuple[Actor, int]:
    """Somebody with every right of a role, and a mailbox of his own."""
    every = {"entity": "*", "read": "all", "create": "all", "edit": "all", "remove": "all"}
    role = world.save("role", name="Radu", rights=[every])
    radu = world.save("user", name="Radu", login="radu", email="radu@firma.example", role=role)
    mailbox = world.save(
        "mailbox", name="Radu", kind="folder", address="radu@firma.example", user=radu
    )
    return context.as_seen_by(world.actor.db, "radu"), mailbox


def sync(world: World, mailbox: int, *items: MailItem) -> MemoryMailbox:
    port = MemoryMailbox()
    for item in items:
        port.put(INBOX, item)
    assert world.sync(mailbox=mailbox, port=port).problem is None
    return port


def secret(**changes: Any) -> MailItem:
    return mail("secret@x", **{"text": TEXT, "subject": "Plant", **changes})


FORGED: dict[str, dict[str, Any]] = {
    "nothing but the id": {"text": "", "subject": "hi", "sender": "x@nowhere.example"},
    "another text": {"text": "hello", "subject": "Plant"},
    "no text": {"text": "", "subject": "Plant"},
    "the first word": {"text": "The", "subject": "Plant"},
    "another day": {"sent_at": AT + DAY},
    "no date": {"sent_at": None, "text": "x"},
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_identifier_opens_nothing(world: World, case: str) -> None:
    radu, mailbox = colleague(world)
    world.port.put(INBOX, secret())
    world.sync()
    (theirs,) = world.messages
    port = sync(world, mailbox, secret(**FORGED[case]))
    for _ in range(2):  # a new enumeration changes nothing
        assert len(world.messages) == 2
        with pytest.raises(NotFound):
            mail_message.message(radu, theirs.activity_id)
        with pytest.raises(PermissionDenied):
            withdraw(radu, [theirs.activity_id])
        assert theirs.activity_id not in message_keys(radu, MailQuery())
        port.forget_tokens()
        assert world.sync(mailbox=mailbox, port=port).problem is None
    assert next(m.body_text for m in world.messages) == TEXT


def test_a_header_alone_is_not_opened_by_its_identifier_either(world: World) -> None:
    radu, mailbox = colleague(world)
    records.save(world.actor, "mailbox", world.mailbox, None, {"sharing": "headers"})
    world.port.put(INBOX, secret(sender="who@nowhere.example"))
    world.sync()
    (theirs,) = world.messages
    assert theirs.stored == "headers"
    sync(world, mailbox, secret(sender="radu@firma.example", to=("x@nowhere.example",)))
    with pytest.raises(NotFound):
        mail_message.message(radu, theirs.activity_id)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"text": f"\n  {TEXT.upper()}\n\n-- \nSent through a list"},
        {"subject": "[sales] Plant", "sender": "list@nowhere.example"},
        {"sent_at": AT + dt.timedelta(minutes=3)},
    ],
)
def test_who_received_it_too_holds_the_same_message(world: World, changes: dict[str, Any]) -> None:
    radu, mailbox = colleague(world)
    world.port.put(INBOX, secret())
    world.sync()
    sync(world, mailbox, secret(**changes))
    (both,) = world.messages
    assert mail_message.message(radu, both.activity_id).text == TEXT


def test_a_device_that_names_all_its_messages_alike_loses_none(world: World) -> None:
    scans = [
        mail("scan@device", subject=f"Scan {n}", text=f"page {n}", sent_at=AT + n * DAY / 4)
        for n in range(3)
    ]
    for scan in scans:
        world.port.put(INBOX, scan)
    assert world.folder().created == 3
    world.port.put(INBOX, replace(scans[0], subject="Scan 4", sent_at=AT + 9 * DAY))
    assert world.folder().created == 1
    world.port.forget_tokens()
    result = world.folder()
    assert (result.created, len(world.messages)) == (0, 4)
    assert {m.body_text for m in world.messages} == {"page 0", "page 1", "page 2"}


def test_texts_of_such_messages_come_when_they_are_linked(world: World) -> None:
    values = {"sharing": "whole", "text_kept": "linked"}
    records.save(world.actor, "mailbox", world.mailbox, None, values)
    for n in range(2):
        world.port.put(
            INBOX,
            mail("scan@device", subject=f"{n}", text=f"page {n}", sender="a@nowhere.example",
                 sent_at=AT + n * DAY),
        )  # fmt: skip
    world.sync()
    for message in world.messages:
        mail_message.link(world.actor, message.activity_id, "opportunity", world.deal)
    world.sync()
    assert [m.body_text for m in world.messages] == ["page 0", "page 1"]
    assert [i.state for i in world.items] == ["stored", "stored"]


def test_a_copy_in_another_folder_is_the_same_message(world: World) -> None:
    world.port.put(INBOX, secret())
    world.port.put(SENT, secret(subject="[list] Plant"))
    world.sync()
    assert (len(world.messages), len(world.items)) == (1, 2)


def test_what_we_sent_ourselves_may_leave_days_later() -> None:
    ours = Ours(domains=frozenset({"firma.example"}))
    sent = secret(sender="ana@firma.example")
    assert not is_namesake(replace(sent, sent_at=AT + 5 * DAY), looks_of(sent), ours)
    other = secret()
    assert is_namesake(replace(other, sent_at=AT + 5 * DAY), looks_of(other), ours)


def test_who_got_a_blind_copy_is_for_the_sender_alone(world: World) -> None:
    radu, mailbox = colleague(world)
    sent = secret(sender="ana@firma.example", to=("ion@client.example", "radu@firma.example"))
    world.port.put(SENT, replace(sent, bcc=mail(bcc=("boss@firma.example",)).bcc))
    world.sync()
    sync(world, mailbox, sent)
    (message,) = world.messages
    told = mail_message.message(radu, message.activity_id)
    assert [p.address for p in told.parties] == [
        "ana@firma.example", "ion@client.example", "radu@firma.example",
    ]  # fmt: skip
    whole = mail_message.message(world.actor, message.activity_id)
    assert "boss@firma.example" in [p.address for p in whole.parties]


def test_a_blind_copy_is_for_whose_mailbox_it_left_whoever_owns_the_record(world: World) -> None:
    records.save(world.actor, "mailbox", world.mailbox, None, {"sharing": "whole"})
    radu, mailbox = colleague(world)
    role = records.get(world.actor, "user", radu.user_id or 0).values["role"]
    records.save(world.actor, "user", world.ana, None, {"login": "ana", "role": role})
    sent = secret(sender="ana@firma.example", to=("x@nowhere.example", "radu@firma.example"))
    blind = mail(bcc=("ion@client.example", "later@new.example")).bcc
    world.port.put(SENT, replace(sent, bcc=blind))
    world.sync()
    sync(world, mailbox, sent)
    (message,) = world.messages
    # Nothing that everybody sees stands where only a blind copy says that it belongs.
    assert not world.links()
    (activity,) = world.activities
    assert (activity.account_id, activity.contact_id, activity.opportunity_id) == (None,) * 3
    world.save("contact", last_name="New", emails=[{"address": "later@new.example"}])
    world.sync()
    assert not world.links()
    records.save(world.actor, "activity", message.activity_id, None, {"owner": radu.user_id})
    everybody = context.as_seen_by(world.actor.db, "ana")
    for actor, sees in ((radu, False), (everybody, True)):
        told = {p.address for p in mail_message.message(actor, message.activity_id).parties}
        assert ({"ion@client.example", "later@new.example"} <= told) is sees, actor.login
        opening = writing.answer(actor, message.activity_id, Mode.REPLY_ALL)
        named = {a.address for a in (*opening.to, *opening.cc, *opening.bcc)}
        assert sees or not named & {a.address for a in blind}


@pytest.mark.parametrize(
    ("mode", "to", "cc"),
    [
        (Mode.REPLY, ["ana@firma.example"], []),
        (Mode.REPLY_ALL, ["ana@firma.example", "ion@client.example"], ["lia@nou.example"]),
    ],
)
def test_a_colleague_is_answered_not_the_customers_they_wrote_to(
    shared_world: World, mode: Mode, to: list[str], cc: list[str]
) -> None:
    radu, mailbox = colleague(shared_world)
    sent = secret(
        sender="ana@firma.example",
        to=("ion@client.example", "radu@firma.example"),
        cc=("lia@nou.example",),
    )
    sync(shared_world, mailbox, sent)
    (message,) = shared_world.messages
    opening = writing.answer(radu, message.activity_id, mode)
    assert [a.address for a in opening.to] == to
    assert [a.address for a in opening.cc] == cc
