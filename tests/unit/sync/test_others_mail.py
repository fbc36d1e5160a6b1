"""A colleague, and an administrator, at the mail of somebody who shares nothing: every way in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import CrmError
from desktop_crm.meta import registry
from desktop_crm.models import Document, Link, MailMessage, OutboxItem
from desktop_crm.models.filing import FilingKind
from desktop_crm.services import attachments, context, records
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import (
    colleagues,
    filing,
    filing_rules,
    mailboxes,
    outbox,
    withdrawing,
)
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.listing import MailQuery, folders, message_keys
from desktop_crm.services.mail.withdrawing import Which
from desktop_crm.services.query import RecordQuery, first_page
from desktop_crm.services.timeline import timeline
from desktop_crm.sync import awaited, marking, policy_review, posting, sending, writing
from desktop_crm.sync import outbox as journal
from desktop_crm.sync.compose import Letter
from desktop_crm.sync.memory import INBOX
from desktop_crm.sync.port import Address, Attachment
from desktop_crm.sync.writes import Mark, Ref
from tests.support.traces import traces
from tests.unit.sync.conftest import AT, World, mail
from tests.unit.sync.test_mail_policy import _colleague, policy

SECRET = "Zqxjvwk"


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    """Ana has a message with a file, and an order about it; she shares nothing."""
    name = "shared_world" if request.param == "postgresql" else "plain_world"
    found: World = request.getfixturevalue(name)
    policy(found, sharing="nobody", text_kept="all")
    file = Attachment(f"{SECRET}.txt", "text/plain", 7, SECRET.encode())
    item = mail(f"{SECRET}@x", subject=SECRET, text=SECRET, html=SECRET, attachments=(file,))
    found.port.put(INBOX, item)
    found.sync()
    mark = Mark("k1", Ref(INBOX.key, found.items[0].item_key), is_read=False)
    later = clock.now() + dt.timedelta(days=30)
    journal.order(found.actor, found.mailbox, mark, title=SECRET, due_at=later)
    return found


def state(world: World) -> object:
    """Everything of Ana's that somebody might change."""
    models = (MailMessage, Document, Link, OutboxItem)
    return (world.activities, world.items, world.parties, *(world.rows(one) for one in models))


def ways(world: World, thief: Actor) -> dict[str, Callable[[], object]]:
    """Every service that takes a key of hers."""
    box, account = world.mailbox, world.client
    (message,), (item,) = world.messages, world.items
    key, order = message.activity_id, world.rows(OutboxItem)[0].id
    document, link = world.rows(Document)[0].id, world.rows(Link)[0].id
    letter = Letter(Address("ana@firma.example"), (Address("x@y.example"),), subject="s", text="t")
    ref = Ref(INBOX.key, item.item_key)

    def save(entity: str, record: int | None, **values: Any) -> Callable[[], object]:
        return lambda: records.save(thief, entity, record, None, values)

    def get(entity: str, record: int) -> Callable[[], object]:
        return lambda: records.get(thief, entity, record)

    return {
        "takes the mailbox": save("mailbox", box, user=thief.user_id),
        "shares the mailbox": save("mailbox", box, sharing="whole"),
        "keeps more of it": save("mailbox", box, never_log=None, kept="all"),
        "sends its password elsewhere": save("mailbox", box, server="https://evil.example"),
        "gives it another address": save("mailbox", box, address="evil@x.example"),
        "reads another folder": save("mailbox", box, path="/"),
        "writes both ways": lambda: mailboxes.set_two_way(thief, box, on=True),
        "opens the message": lambda: mail_message.message(thief, key),
        "opens the file": lambda: mail_message.attachment(thief, document),
        "opens the document": lambda: attachments.content(thief, document),
        "gets the document": get("document", document),
        "gets the message": get("mail_message", message.id),
        "gets the item": get("mailbox_item", item.id),
        "gets the order": get("outbox_item", order),
        "gets the link": get("link", link),
        "gets who took part": get("activity_party", world.parties[0].id),
        "owns the activity": save("activity", key, owner=thief.user_id),
        "opens the activity": save("activity", key, sensitivity="normal"),
        "opens what is withheld": save("mail_message", message.id, withheld=False),
        "moves the item": save("mailbox_item", item.id, activity=None),
        "holds it himself": save(
            "mailbox_item", None, mailbox=box, folder="x", item_key="y", activity=key
        ),
        "links it": lambda: mail_message.link(thief, key, "opportunity", world.deal),
        "links it by hand": save(
            "link", None, activity=key, record_type="account", record_id=account, rule="manual"
        ),
        "names its bytes": save(
            "document", None, name="x", sha256=world.rows(Document)[0].sha256, account=account
        ),
        "puts a file on it": save("document", None, name="x", activity=key),
        "orders": lambda: journal.order(thief, box, Mark("k2", ref, is_read=False)),
        "looks at an order": lambda: outbox.get(thief, order),
        "cancels an order": lambda: outbox.cancel(thief, order),
        "hurries an order": lambda: outbox.retry(thief, order),
        "lets an order go": lambda: outbox.release(thief, [order]),
        "puts an order off": lambda: outbox.put_off(thief, order, AT),
        "takes an order back": lambda: journal.restore(thief, order),
        "reads an order": lambda: outbox.content(thief, order),
        "sends in her name": lambda: sending.send(thief, box, letter),
        "drafts in her name": lambda: posting.keep_draft(thief, box, letter, ()),
        "answers it": lambda: writing.answer(thief, key, writing.Mode.REPLY),
        "files it": lambda: filing.refile(thief, key, "opportunity", world.deal),
        "takes it off": lambda: filing.reject(thief, key),
        "confirms it": lambda: filing.accept(thief, key, link),
        "files it always": lambda: filing.always(
            thief, key, FilingKind.SENDER, "opportunity", world.deal
        ),
        "files it never": lambda: filing.never(thief, key, FilingKind.SENDER),
        "rules over it": lambda: filing_rules.add(
            thief, box, FilingKind.SENDER, "a@b.example", ("account", account)
        ),
        "deletes it": lambda: marking.delete(thief, [key]),
        "moves it": lambda: marking.folders(thief, key),
        "withdraws it": lambda: withdrawing.withdraw(thief, [key]),
        "chooses it": lambda: withdrawing.choose(thief, Which.MESSAGE, key),
        "asks who sees it": lambda: colleagues.seen_of_mailbox(thief, box),
        "reviews it": lambda: policy_review.left_out_now(thief, box),
    }


@pytest.mark.parametrize("admin", [False, True])
def test_every_way_in_is_refused_and_changes_nothing(world: World, admin: bool) -> None:
    thief = _colleague(world, admin=admin)
    before = state(world)
    answers: dict[str, str] = {}
    for name, way in ways(world, thief).items():
        try:
            answers[name] = f"let in: {way()!r}"
        except CrmError as error:
            answers[name] = "" if SECRET not in str(error) else f"told: {error}"
    assert {name: answer for name, answer in answers.items() if answer} == {}
    assert state(world) == before
    assert world.rows(MailMessage)[0].answer_by is None


@pytest.mark.parametrize("admin", [False, True])
def test_every_list_and_count_is_silent(world: World, admin: bool) -> None:
    thief = _colleague(world, admin=admin)
    (message,) = world.messages
    key = message.activity_id
    assert outbox.list_items(thief) == outbox.history(thief, activity=key) == ()
    assert (outbox.counts(thief), outbox.next_due(thief)) == ({}, None)
    assert outbox.due_mailboxes(thief) == frozenset()
    for query in (
        MailQuery(),
        MailQuery(search=SECRET),
        MailQuery(mailbox_id=world.mailbox, folder=INBOX.key),
    ):
        assert list(message_keys(thief, query)) == []
    told = folders(thief)
    assert (told.folders, told.mailboxes, told.review, told.unlinked) == ((), (), 0, 0)
    for entity, record in (("account", world.client), ("contact", world.contact)):
        assert timeline(thief, entity, record) == []
    assert withdrawing.choose(thief, Which.SENDER, "ion@client.example").ids == ()
    assert withdrawing.choose(thief, Which.MAILBOX, world.mailbox).ids == ()
    assert colleagues.seen_of_messages(thief, [key]).total == 0
    assert writing.senders(thief) == () or not world.actor.db.is_shared
    marking.mark(thief, [key], is_read=False)
    awaited.expect(thief, key, AT)
    assert world.messages[0].answer_by is None
    told_by = set()
    for kind in registry.all():
        try:
            rows = first_page(thief, RecordQuery(kind.key, tuple(kind.stored)[:40]), 100)
        except CrmError:
            continue
        if SECRET.casefold() in repr(rows).casefold():
            told_by.add(kind.key)
    assert told_by == set()


def test_a_reminder_of_a_private_message_is_private_and_goes_with_it(world: World) -> None:
    ana = _as_ana(world)
    (message,) = world.messages
    awaited.expect(ana, message.activity_id, AT)
    awaited.remind(ana)
    task = world.activities[-1]
    assert (task.kind, SECRET in task.subject, task.sensitivity) == ("task", True, "private")
    assert all(world.activities[-1].id != row.id for row in _seen_by(_colleague(world)))
    outbox.cancel(ana, world.rows(OutboxItem)[0].id)
    assert withdrawing.withdraw(ana, [message.activity_id]).count == 1
    assert traces(world.actor.db, SECRET) == set()


def _as_ana(world: World) -> Actor:
    every = {"entity": "*", "read": "all", "create": "all", "edit": "all", "remove": "all"}
    role = world.save("role", name="Seller", rights=[every])
    records.save(world.actor, "user", world.ana, None, {"role": role})
    return context.as_seen_by(world.actor.db, "ana")


def _seen_by(actor: Actor) -> list[Any]:
    rows = first_page(actor, RecordQuery("activity", ("subject",)), 100)
    return [row for row in rows if SECRET in str(row.values)]
