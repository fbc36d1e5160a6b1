"""Marks, moves and deletions of a person: shown at once, done once, taken back when refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.models import Mailbox
from desktop_crm.models.outbox import DeedKind, OutboxState
from desktop_crm.services import records
from desktop_crm.services.mail import lines as mail_lines
from desktop_crm.services.mail import listing, outbox
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.listing import MailQuery
from desktop_crm.services.records_kept import set_where
from desktop_crm.sync import marking
from desktop_crm.sync.memory import INBOX
from desktop_crm.sync.port import Flag
from desktop_crm.sync.writes import Deed, Mark, Stale
from tests.unit.sync.conftest import AT, World, mail

pytestmark = pytest.mark.usefixtures("moment")


@pytest.fixture
def message(world: World) -> int:
    with world.actor.db.writing() as connection:
        # The world's mailbox may be a folder of files, which knows no marks.
        table = Mailbox.__table__
        set_where(connection, Mailbox, table.c.id == world.mailbox, {"kind": "exchange"})
    world.port.put(INBOX, mail("first@x"))
    world.sync()
    (activity,) = world.activities
    return int(activity.id)


def inbox(world: World) -> list[int]:
    (item,) = world.items[:1]
    return list(listing.message_keys(world.actor, MailQuery(world.mailbox, item.folder)))


def test_marks_stand_here_at_once_and_in_the_mailbox_after_the_pass(
    world: World, message: int
) -> None:
    changes = marking.mark(
        world.actor, [message], is_read=False, flag=Flag.FLAGGED, categories=("Red", "Offer")
    )
    assert changes.touches("mailbox_item", "outbox_item")
    shown = mail_message.message(world.actor, message)
    assert (shown.unread, shown.flagged, shown.categories) == (True, True, ("Red", "Offer"))
    world.sync()
    image = world.port.image(marking_ref(world))
    assert (image.is_read, image.flag, image.categories) == (False, Flag.FLAGGED, ("Red", "Offer"))
    again = mail_message.message(world.actor, message)
    assert (again.unread, again.flagged, again.categories) == (True, True, ("Red", "Offer"))


def marking_ref(world: World) -> Any:
    with world.actor.db.reading() as connection:
        (held,) = marking.held(connection, world.actor, [world.activities[0].id])
    return held.ref


def test_marks_made_in_the_mailbox_are_shown_here(world: World, message: int) -> None:
    world.port.do(Mark("k1", marking_ref(world), is_read=False, flag=Flag.FLAGGED))
    world.sync()
    (row,) = mail_lines.messages(world.actor, [message])
    assert (row.unread, row.flagged) == (True, True)


def test_a_refused_mark_is_as_before_and_says_so(
    world: World, message: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(deed: Deed) -> None:
        raise Stale

    marking.mark(world.actor, [message], flag=Flag.FLAGGED)
    monkeypatch.setattr(world.port, "do", refuse)
    world.sync()
    (row,) = outbox.list_items(world.actor)
    assert (row.deed, row.state) == (DeedKind.MARK, OutboxState.STALE)
    assert row.message.startswith("It was changed in the mailbox meanwhile")
    assert not mail_message.message(world.actor, message).flagged


def test_a_message_on_its_way_out_is_not_shown_and_comes_back_when_taken_back(
    world: World, message: int
) -> None:
    assert inbox(world) == [message]
    removal = marking.delete(world.actor, [message], AT + dt.timedelta(seconds=10))
    assert inbox(world) == []
    marking.put_back(world.actor, removal)
    assert inbox(world) == [message]
    assert records.get(world.actor, "activity", message).id == message


def test_a_deleted_message_goes_keeps_its_image_and_its_records(world: World, message: int) -> None:
    marking.delete(world.actor, [message])
    world.sync()
    (row,) = outbox.list_items(world.actor)
    assert (row.state, row.has_image) == (OutboxState.DONE, True)
    assert world.items[0].state == "gone"
    # It is linked to the client, so the record stays.
    assert records.get(world.actor, "activity", message).id == message


def test_a_mailbox_that_cannot_delete_says_so_and_nothing_is_done(
    world: World, message: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "abilities", lambda kind: frozenset())
    with pytest.raises(UserError, match="cannot do that"):
        marking.delete(world.actor, [message])
    assert outbox.list_items(world.actor) == ()
    assert inbox(world) == [message]
    marking.mark(world.actor, [message], flag=Flag.FLAGGED)
    assert outbox.list_items(world.actor) == ()
    assert mail_message.message(world.actor, message).flagged


def test_a_conversation_is_one_line_with_its_newest_message(world: World, message: int) -> None:
    world.port.put(INBOX, mail("second@x", in_reply_to="first@x", references=("first@x",),
                               sent_at=AT + dt.timedelta(hours=1)))  # fmt: skip
    world.port.put(INBOX, mail("other@x", subject="Else", sent_at=AT - dt.timedelta(hours=1)))
    world.sync()
    by_id = {one.message_id: one.activity_id for one in world.messages}
    first, second, other = (by_id[f"{name}@x"] for name in ("first", "second", "other"))
    folder = world.items[0].folder
    asked = MailQuery(world.mailbox, folder, conversations=True)
    assert list(listing.message_keys(world.actor, asked)) == [second, other]
    lines = mail_lines.messages(world.actor, [second, other], threads=True)
    assert [line.thread for line in lines] == [2, 1]
    assert [one.id for one in mail_lines.conversation(world.actor, first)] == [second, first]
    (line,) = listing.first_page(world.actor, asked, limit=2)
    assert (line.id, line.thread) == (second, 2)
