"""What was done is taken back, and a lost answer does nothing twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest

from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.models import OutboxContent
from desktop_crm.models.outbox import ContentPart, OutboxState
from desktop_crm.services.mail import outbox
from desktop_crm.sync.memory import ARCHIVE, CALENDAR, CONTACTS, INBOX, TASKS
from desktop_crm.sync.outbox import restore
from desktop_crm.sync.port import Flag, MailItem, MeetingItem, Response
from desktop_crm.sync.writes import (
    Answer,
    Deed,
    Delete,
    Mark,
    Move,
    Notify,
    Ref,
    Save,
    SaveDraft,
)
from tests.contract.writing_driver import contact, meeting, message, sending, task
from tests.unit.sync.conftest import AT, World, mail
from tests.unit.sync.ordering import LATER, busy, ordered, put, row, state

pytestmark = pytest.mark.usefixtures("moment")


# --- taking back --------------------------------------------------------------------------


def taken_back(world: World, key: int) -> OutboxState:
    back = restore(world.actor, key)
    assert row(world, back).why.startswith("Takes back what was done on ")
    world.sync()
    return state(world, back)


def test_a_changed_meeting_is_put_back(world: World) -> None:
    item = meeting()
    ref = put(world, CALENDAR, item)
    key = ordered(world, Save(new_uid(), CALENDAR.key, replace(item, subject="New"), ref))
    world.sync()
    assert row(world, key).has_image
    assert taken_back(world, key) is OutboxState.DONE
    assert list(world.port.held(CALENDAR).values()) == [item]


def test_what_was_changed_since_is_not_put_back_over_it(world: World) -> None:
    item = meeting()
    ref = put(world, CALENDAR, item)
    key = ordered(world, Save(new_uid(), CALENDAR.key, replace(item, subject="New"), ref))
    world.sync()
    world.port.put(CALENDAR, replace(item, subject="Theirs"), ref.item_id)
    assert taken_back(world, key) is OutboxState.STALE
    (stands,) = world.port.held(CALENDAR).values()
    assert isinstance(stands, MeetingItem)
    assert stands.subject == "Theirs"


def test_a_deleted_message_is_put_back_whole(world: World) -> None:
    from desktop_crm.sync.formats.mime import read_message

    data = message("k")
    ref = Ref(INBOX.key, world.port.put(INBOX, read_message(data), raw=data))
    world.port.do(Mark(new_uid(), ref, flag=Flag.FLAGGED, is_read=False))
    key = ordered(world, Delete(new_uid(), ref))
    world.sync()
    assert outbox.content(world.actor, key, ContentPart.IMAGE) == data
    assert taken_back(world, key) is OutboxState.DONE
    ((place, item),) = world.port.held(INBOX).items()
    assert isinstance(item, MailItem)
    assert [a.content for a in item.attachments] == [b"%PDF-1"]
    image = world.port.image(Ref(INBOX.key, place))
    assert (image.flag, image.is_read) == (Flag.FLAGGED, False)


def test_marks_moves_and_new_items_are_taken_back(world: World) -> None:
    ref = put(world, INBOX, mail(text="secret words"))
    marked = ordered(world, Mark(new_uid(), ref, flag=Flag.FLAGGED, categories=("A",)))
    world.sync()
    kept = [str(r.item) + repr(r.content) for r in world.rows(OutboxContent)]
    assert "secret" not in "".join(kept), "a mark changes no content, so none is kept"
    assert taken_back(world, marked) is OutboxState.DONE
    assert world.port.image(ref).flag is Flag.NONE
    moved = ordered(world, Move(new_uid(), ref, ARCHIVE.key))
    world.sync()
    assert taken_back(world, moved) is OutboxState.DONE
    assert len(world.port.held(INBOX)) == 1
    made = ordered(world, Save(new_uid(), TASKS.key, task()))
    world.sync()
    assert taken_back(world, made) is OutboxState.DONE
    assert world.port.held(TASKS) == {}


def test_an_occurrence_and_a_draft_are_put_back(world: World) -> None:
    series = meeting(rrule="FREQ=DAILY;COUNT=3")
    ref = put(world, CALENDAR, series)
    gone = ordered(world, Delete(new_uid(), ref, occurrence=AT + dt.timedelta(days=1)))
    world.sync()
    assert taken_back(world, gone) is OutboxState.DONE
    assert list(world.port.held(CALENDAR).values()) == [series]
    first = world.port.do(SaveDraft("d1", "d1@x", message("d1", "Prima"))).ref
    changed = ordered(world, SaveDraft(new_uid(), "d2@x", message("d2", "A doua"), first))
    world.sync()
    assert taken_back(world, changed) is OutboxState.DONE
    assert first is not None
    item = world.port.image(first).item
    assert isinstance(item, MailItem)
    assert item.subject == "Prima"


def test_what_cannot_be_taken_back_says_so(world: World) -> None:
    sent = ordered(world, sending())
    ref = put(world, CALENDAR, meeting())
    answered = ordered(world, Answer(new_uid(), ref, Response.ACCEPTED))
    waiting = ordered(world, Save(new_uid(), TASKS.key, task()), held=True)
    world.sync()
    with pytest.raises(UserError, match="cannot be taken back"):
        restore(world.actor, sent)
    with pytest.raises(UserError, match="answer the invitation anew"):
        restore(world.actor, answered)
    with pytest.raises(UserError, match="Only what was done"):
        restore(world.actor, waiting)
    again = ordered(world, Answer(new_uid(), world.port.image(ref).ref, Response.DECLINED))
    world.sync()
    assert taken_back(world, again) is OutboxState.DONE
    item = world.port.image(ref).item
    assert isinstance(item, MeetingItem)
    assert item.my_response is Response.ACCEPTED


def test_what_stood_before_is_kept_for_a_month(world: World, moment: list[dt.datetime]) -> None:
    key = ordered(world, Delete(new_uid(), put(world, CONTACTS, contact())))
    world.sync()
    moment[0] = AT + dt.timedelta(days=31)
    world.sync()
    assert world.rows(OutboxContent) == []
    assert not row(world, key).has_image
    with pytest.raises(UserError, match="no longer kept"):
        restore(world.actor, key)
    with pytest.raises(NotFound):
        outbox.content(world.actor, key)


# --- lost answers -------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


DEEDS: dict[str, Callable[[World], Deed]] = {
    "send": lambda world: sending(),
    "draft": lambda world: SaveDraft("k", "k@x", message("k")),
    "make": lambda world: Save(new_uid(), TASKS.key, task()),
    "change": lambda world: Save(
        new_uid(), TASKS.key, task("New"), put(world, TASKS, task())
    ),
    "mark": lambda world: Mark(new_uid(), put(world, INBOX, mail()), flag=Flag.FLAGGED),
    "move": lambda world: Move(new_uid(), put(world, INBOX, mail()), ARCHIVE.key),
    "delete": lambda world: Delete(new_uid(), put(world, CONTACTS, contact())),
    "occurrence": lambda world: Delete(
        new_uid(),
        put(world, CALENDAR, meeting(rrule="FREQ=DAILY;COUNT=3")),
        AT + dt.timedelta(days=1),
    ),
    "answer": lambda world: Answer(
        new_uid(), put(world, CALENDAR, meeting()), Response.ACCEPTED, Notify.CHANGED
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DEEDS)
@pytest.mark.parametrize("error", [Killed(), busy()], ids=["killed", "lost"])
def test_a_lost_answer_does_nothing_twice(
    world: World, name: str, error: BaseException, moment: list[dt.datetime]
) -> None:
    key = ordered(world, DEEDS[name](world))
    done: list[Deed] = []

    def after(deed: Deed) -> None:
        done.append(deed)
        if len(done) == 1:
            raise error

    world.port._after = after
    try:
        world.sync()
    except Killed:
        assert state(world, key) is OutboxState.RUNNING
        with pytest.raises(UserError, match="at this moment"):
            outbox.cancel(world.actor, key)
    moment[0] = LATER
    world.sync()
    assert state(world, key) is OutboxState.DONE
    assert len(done) == (2 if name == "mark" else 1)
    assert len(world.port.told) == (name == "answer")
