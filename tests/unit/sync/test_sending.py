"""A message sent is one activity from the press of the button to its copy in Sent."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text

from desktop_crm.core.errors import EnvironmentProblem, NotFound, UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Database
from desktop_crm.models import Base, OutboxContent
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services import purge, records
from desktop_crm.services.mail import outbox
from desktop_crm.sync import posting, sending
from desktop_crm.sync.compose import Answered, Letter
from desktop_crm.sync.exchange.mailbox import ExchangeMailbox
from desktop_crm.sync.memory import INBOX, SENT, MemoryMailbox
from desktop_crm.sync.outbox import order
from desktop_crm.sync.port import Address, Attachment, MailItem
from desktop_crm.sync.sending import Sending
from desktop_crm.sync.writes import Ability, Deed, Delete, Ref, Written
from desktop_crm.sync.writing import Enclosure
from tests.unit.sync.conftest import AT, World, mail

pytestmark = pytest.mark.usefixtures("moment")

TEN = dt.timedelta(seconds=10)


def send(world: World, *, to: str = "ion@client.example", **options: Any) -> Sending:
    changes = options.pop("letter", {})
    letter = Letter(Address("ana@firma.example", "Ana"), (Address(to),), subject="Ofertă",
                    text="Bună ziua")  # fmt: skip
    return sending.send(world.actor, world.mailbox, replace(letter, **changes), **options)


def test_it_stands_at_its_records_at_once_and_says_that_it_is_being_sent(world: World) -> None:
    sent = send(world)
    (activity,) = world.activities
    assert activity.id == sent.activity
    assert (activity.state, activity.status_reason) == ("open", "sending")
    assert (activity.direction, activity.subject) == ("outgoing", "Ofertă")
    assert (activity.contact_id, activity.account_id) == (world.contact, world.client)
    assert activity.owner_id == world.ana
    (message,) = world.messages
    assert (message.subject, message.body_text) == ("Ofertă", "Bună ziua")
    assert sent.due_at == AT + TEN
    assert sent.changes.touches("activity", "mail_message", "link", "outbox_item")
    assert world.port.delivered == []


def test_it_leaves_when_it_can_no_longer_be_called_back(
    world: World, moment: list[dt.datetime]
) -> None:
    sent = send(world)
    world.sync()
    assert world.port.delivered == []
    moment[0] = AT + TEN
    world.sync()
    (left,) = world.port.delivered
    assert left.recipients == ("ion@client.example",)
    (activity,) = world.activities
    assert (activity.id, activity.state, activity.status_reason) == (
        sent.activity,
        "completed",
        "sent",
    )
    assert activity.occurred_at == activity.completed_at == AT + TEN
    (item,) = world.items
    assert (item.folder, item.activity_id, item.state) == ("Sent Items", sent.activity, "stored")
    assert len(world.messages) == 1
    world.sync()
    assert len(world.activities) == len(world.port.delivered) == 1


def test_until_the_last_moment_it_can_be_called_back(
    world: World, moment: list[dt.datetime]
) -> None:
    sent = send(world)
    moment[0] = AT + TEN - dt.timedelta(microseconds=1)
    world.sync()
    assert world.port.delivered == []
    moment[0] = AT + TEN
    # Its time has come, but no pass has: it is still here.
    outbox.cancel(world.actor, sent.item)
    world.sync()
    assert world.port.delivered == []
    sent = send(world)
    moment[0] += TEN
    world.sync()
    assert len(world.port.delivered) == 1
    with pytest.raises(UserError, match="finished already"):
        outbox.cancel(world.actor, sent.item)


def test_a_clock_that_ran_ahead_keeps_no_message_for_years(
    world: World, moment: list[dt.datetime]
) -> None:
    moment[0] = AT + dt.timedelta(days=3_000)
    send(world)
    later = send(world, due_at=moment[0] + dt.timedelta(days=1))
    moment[0] = AT
    world.sync()
    assert len(world.port.delivered) == 1
    assert outbox.get(world.actor, later.item).state is OutboxState.WAITING


def test_called_back_it_never_leaves_and_is_no_mail_that_was_exchanged(
    world: World, moment: list[dt.datetime]
) -> None:
    sent = send(world)
    mime = outbox.content(world.actor, sent.item)
    assert b"X-CRM-Ref" in mime
    outbox.cancel(world.actor, sent.item)
    moment[0] = AT + TEN
    world.sync()
    assert world.port.delivered == []
    (activity,) = world.activities
    assert activity.deleted_at is not None


def test_send_later_waits_and_shows_the_time_it_leaves(
    world: World, moment: list[dt.datetime]
) -> None:
    later = AT + dt.timedelta(days=2)
    send(world, due_at=later)
    moment[0] = AT + dt.timedelta(days=1)
    world.sync()
    assert world.port.delivered == []
    moment[0] = later
    world.sync()
    assert b"Date: Wed, 04 Mar 2026 08:00:00 +0000" in world.port.delivered[0].mime


def test_an_answer_belongs_where_the_thread_belongs(world: World) -> None:
    world.port.put(INBOX, mail("first@x", references=("zero@x",)))
    world.sync()
    (first,) = world.activities
    known = sending.answered(world.actor, first.id)
    assert known == Answered("first@x", ("zero@x",))
    sent = send(world, to="other@client.example", undo_s=0, letter={"answers": known})
    old, new = world.messages
    assert new.thread_key == old.thread_key
    assert new.in_reply_to == "first@x"
    assert ("account", world.client, "reply", "linked") in world.links()
    assert sent.activity != first.id
    assert sending.answered(world.actor, 999) is None


def test_the_record_it_was_written_from_is_linked_first(world: World) -> None:
    sent = send(world, to="x@nowhere.example", regarding=[("opportunity", world.deal)])
    assert world.links() == [("opportunity", world.deal, "record", "linked")]
    (activity,) = world.activities
    assert (activity.id, activity.opportunity_id) == (sent.activity, world.deal)


def test_blind_copies_are_known_to_the_record_and_to_nobody_else(world: World) -> None:
    send(world, undo_s=0, letter={"bcc": (Address("lia@nou.example"),)})
    world.sync()
    parts = {(p.address, p.participation) for p in world.parties}
    assert ("lia@nou.example", "bcc") in parts
    (left,) = world.port.delivered
    assert set(left.recipients) == {"ion@client.example", "lia@nou.example"}
    assert b"lia@" not in left.mime


def test_files_are_stored_with_the_record(world: World) -> None:
    from desktop_crm.models import Document

    send(world, letter={"files": (Attachment("a.pdf", "application/pdf", 3, b"PDF"),)})
    (document,) = world.rows(Document)
    assert (document.name, document.activity_id) == ("a.pdf", world.activities[0].id)


def test_refused_for_good_it_says_so_and_can_be_sent_again(world: World) -> None:
    sent = send(world, undo_s=0)
    refusals = [UserError("The server does not take mail for ion@client.example.")]

    def fault(call: str) -> None:
        if call == "do" and refusals:
            raise refusals.pop()

    world.port._fault = fault
    world.sync()
    (activity,) = world.activities
    assert (activity.state, activity.status_reason) == ("open", "not_sent")
    assert outbox.get(world.actor, sent.item).message.startswith("The server does not take")
    outbox.retry(world.actor, sent.item)
    assert world.activities[0].status_reason == "sending"
    world.sync()
    assert world.activities[0].status_reason == "sent"
    assert len(world.port.delivered) == 1


def test_a_record_deleted_meanwhile_does_not_keep_the_message_from_leaving(world: World) -> None:
    sent = send(world, undo_s=0)
    records.delete(world.actor, "activity", [sent.activity or 0])
    world.sync()
    assert len(world.port.delivered) == 1
    assert outbox.get(world.actor, sent.item).state is OutboxState.DONE


def test_deleted_for_good_it_takes_along_what_the_outbox_kept_of_it(world: World) -> None:
    sent = send(world, undo_s=60, letter={"text": SECRET, "subject": SECRET})
    assert sent.activity is not None
    chosen = [("activity", sent.activity)]
    records.delete(world.actor, "activity", [sent.activity])
    refused = purge.purge(world.actor, chosen)
    assert refused.count == 0
    assert "still waits in an outbox" in refused.refused[0].reason
    outbox.put_off(world.actor, sent.item, AT)
    world.sync()
    world.port.forget_tokens()
    (item,) = world.items
    ref = Ref(item.folder, item.item_key)
    key = order(world.actor, world.mailbox, Delete(new_uid(), ref), confirmed=True)
    world.sync()
    assert [r.id for r in outbox.history(world.actor, activity=sent.activity)] == [key, sent.item]
    assert purge.purge(world.actor, chosen).count == 1
    assert outbox.list_items(world.actor) == ()
    assert world.rows(OutboxContent) == []


class Renaming(MemoryMailbox):
    """A server that gives every message it sends a Message-ID of its own."""

    def do(self, deed: Deed) -> Written:
        written = super().do(deed)
        item = written.item
        if isinstance(item, MailItem) and written.ref is not None:
            renamed = replace(item, message_id=f"server-{item.message_id}")
            self.put(SENT, renamed, written.ref.item_id)
            return replace(written, item=renamed if self.tells else None)
        return written

    tells = True


@pytest.mark.parametrize("tells", [True, False])
def test_a_server_that_renames_messages_makes_no_second_activity(world: World, tells: bool) -> None:
    port = Renaming()
    port.tells = tells
    world.port = port
    sent = send(world, undo_s=0)
    world.sync()
    world.sync()
    assert [a.id for a in world.activities] == [sent.activity]
    (message,) = world.messages
    assert message.message_id.startswith("server-") is tells
    (item,) = world.items
    assert item.activity_id == sent.activity


def test_a_name_that_is_taken_costs_neither_message(world: World) -> None:
    world.port = Renaming()
    sent = send(world, undo_s=0)
    (ordered,) = world.messages
    world.port.put(INBOX, mail(f"server-{ordered.message_id}"))
    world.port._abilities = frozenset()
    world.sync()
    world.port._abilities = frozenset(Ability)
    outbox.retry(world.actor, sent.item)
    world.sync()
    assert outbox.get(world.actor, sent.item).state is OutboxState.DONE
    assert len({m.message_id for m in world.messages}) == 2


def test_somebody_who_answers_with_our_own_header_hides_nothing(world: World) -> None:
    sent = send(world, undo_s=0)
    world.sync()
    key = world.port.delivered[0].own_key
    world.port.put(INBOX, mail("theirs@x", own_key=key, headers=(("x-crm-ref", key),)))
    world.sync()
    assert {m.message_id for m in world.messages} >= {"theirs@x"}
    assert len(world.activities) == 2
    assert sent.activity is not None


def test_over_exchange_a_message_is_one_activity_too(
    world: World, mailbox: ExchangeMailbox
) -> None:
    sent = send(world, undo_s=0, letter={"bcc": (Address("lia@nou.example"),)})
    result = world.sync(port=mailbox)
    assert result.problem is None
    assert outbox.get(world.actor, sent.item).message == ""
    assert [a.id for a in world.activities] == [sent.activity]
    assert world.activities[0].status_reason == "sent"
    assert [(i.folder, i.activity_id) for i in world.items] == [("Sent Items", sent.activity)]


SECRET = "zebra-7731"


@pytest.mark.parametrize("part", ["to", "bcc"])
def test_what_is_never_stored_leaves_nothing_but_the_fact_that_it_was_sent(
    world: World, part: str
) -> None:
    records.save(world.actor, "mailbox", world.mailbox, None, {"never_log": "lawyer.example"})
    lawyer = (Address("me@lawyer.example"),)
    people = {"to": lawyer} if part == "to" else {"bcc": lawyer}
    letter = {
        **people, "subject": SECRET, "text": SECRET,
        "files": (Attachment(f"{SECRET}.txt", "text/plain", 3, SECRET.encode()),),
    }  # fmt: skip
    sent = send(world, undo_s=0, letter=letter)
    assert sent.activity is None
    world.sync()
    world.sync()
    assert len(world.port.delivered) == 1
    assert world.activities == world.messages == []
    assert [(i.state, i.activity_id) for i in world.items] == [("excluded", None)]
    assert outbox.get(world.actor, sent.item).state is OutboxState.DONE
    assert not _anywhere(world.actor.db, SECRET)
    assert not _anywhere(world.actor.db, "me@lawyer.example")


def _anywhere(db: Database, words: str) -> bool:
    with db.reading() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(text("*")).select_from(table)):
                if any(words in str(v) or words.encode() in _bytes(v) for v in row):
                    return True
    return False


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def test_a_called_back_private_message_leaves_no_byte_either(world: World) -> None:
    records.save(world.actor, "mailbox", world.mailbox, None, {"never_log": "lawyer.example"})
    sent = send(world, to="me@lawyer.example", letter={"text": SECRET, "subject": SECRET})
    outbox.cancel(world.actor, sent.item)
    assert not _anywhere(world.actor.db, SECRET)


def test_a_message_that_cannot_be_sent_leaves_nothing(world: World) -> None:
    with pytest.raises(UserError):
        send(world, letter={"to": ()})
    with pytest.raises(NotFound):
        sending.send(world.actor, 999, Letter(Address("ana@firma.example")))
    assert world.activities == []
    assert outbox.list_items(world.actor) == ()


def test_colleagues_see_the_mail_of_a_customer_and_not_the_order(shared_world: World) -> None:
    world = shared_world
    sent = send(world, undo_s=0)
    world.port._after = _lose_once()
    world.sync()
    assert world.activities[0].status_reason == "sending"
    outbox.retry(world.actor, sent.item)
    world.sync()
    assert world.activities[0].status_reason == "sent"
    assert len(world.port.delivered) == len(world.activities) == 1


def _lose_once() -> Any:
    left = [EnvironmentProblem("The answer was lost.", retryable=True)]

    def after(deed: Deed) -> None:
        if left:
            raise left.pop()

    return after


def test_the_company_says_how_large_the_files_of_a_message_may_be(world: World) -> None:
    own = world.save("own_company", name="Firma", attachment_limit_mb=1)
    letter = Letter(Address("ana@firma.example"), subject="Ofertă")
    files = [Enclosure(name, 0, content=bytes(700_000)) for name in ("a.bin", "b.bin")]
    with pytest.raises(UserError, match="more than 1 MB together"):
        posting.enclosed(world.actor, letter, files)
    records.save(world.actor, "own_company", own, None, {"attachment_limit_mb": 2})
    assert len(posting.enclosed(world.actor, letter, files).files) == 2
