"""However often the process dies, what was ordered is done exactly once and can be taken back."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from desktop_crm.core import clock
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Database
from desktop_crm.models import Mailbox
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services.context import system_actor
from desktop_crm.services.mail import outbox
from desktop_crm.sync.deed_form import decode, decode_image, encode, kind_of
from desktop_crm.sync.engine import Engine
from desktop_crm.sync.formats.mime import read_message
from desktop_crm.sync.memory import CONTACTS, INBOX, SENT, TASKS, MemoryMailbox
from desktop_crm.sync.outbox import order, restore
from desktop_crm.sync.port import (
    Address,
    Attendee,
    ContactItem,
    Flag,
    MailItem,
    MeetingItem,
    PostalAddress,
    Response,
    Role,
    TaskItem,
)
from desktop_crm.sync.writes import Delete, Image, Mark, Notify, PutBack, Ref, Save, Send
from tests.contract.writing_driver import contact, message, sending, task
from tests.unit.sync.conftest import AT, World, make_world


class Killed(BaseException):
    """The process is gone; nothing in it can do anything about it."""


LOST = EnvironmentProblem("The answer was lost.", retryable=True)
TROUBLES = st.sampled_from([None, None, Killed, LOST])


class Post:
    """A mailbox whose calls fail as a list says: before they have an effect or after."""

    def __init__(self, troubles: list[type[BaseException] | BaseException | None]) -> None:
        self.left = troubles
        self.port = MemoryMailbox(
            fault=lambda call: self.strike(), after=lambda deed: self.strike()
        )

    def strike(self) -> None:
        trouble = self.left.pop(0) if self.left else None
        if trouble is not None:
            raise trouble

    def until_settled(self, world: World, now: list[dt.datetime]) -> None:
        """Start the program again and again, each time an hour later."""
        for _ in range(200):
            now[0] += dt.timedelta(hours=2)
            quiet = not self.left
            try:
                engine = Engine(
                    world.actor, world.mailbox, self.port, wait=lambda seconds, cancel: None
                )
                engine.run()
            except Killed:
                continue
            if quiet and outbox.next_due(world.actor) is None:
                return
        raise AssertionError("it never settles")


@pytest.fixture(scope="module")
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source: Path = request.getfixturevalue("_sqlite_template")
    path = tmp_path_factory.mktemp("outbox") / "crm.db"
    path.write_bytes(source.read_bytes())
    db = Database.open(f"sqlite:///{path}")
    make_world(db)
    db.close()
    return path


@contextmanager
def started(template: Path) -> Iterator[tuple[World, list[dt.datetime]]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crm.db"
        path.write_bytes(template.read_bytes())
        db = Database.open(f"sqlite:///{path}")
        now = [AT]
        clock.use_clock(lambda: now[0])
        try:
            with db.reading() as connection:
                box = connection.execute(select(Mailbox.id)).scalar_one()
            yield World(system_actor(db), MemoryMailbox(), box, 0, 0, 0, 0, 0), now
        finally:
            clock.use_clock(None)
            db.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(troubles=st.lists(TROUBLES, max_size=25), seen=st.booleans())
def test_every_deed_is_done_exactly_once_however_often_the_process_dies(
    template: Path, troubles: list[type[BaseException] | BaseException | None], seen: bool
) -> None:
    with started(template) as (world, now):
        post = Post([])
        port = post.port
        stays, goes = (port.put(CONTACTS, contact(name)) for name in ("Ion Pop", "Lia Nou"))
        old = task("Old")
        changed = port.put(TASKS, old)
        ref = port.image(Ref(TASKS.key, changed)).ref
        keys = [
            order(world.actor, world.mailbox, deed, confirmed=seen)
            for deed in (
                sending(),
                Save(new_uid(), TASKS.key, task("Made")),
                Delete(new_uid(), Ref(CONTACTS.key, goes, "1")),
                Save(new_uid(), TASKS.key, task("Changed"), ref),
                sending(),
            )
        ]
        post.left = list(troubles)
        post.until_settled(world, now)
        assert {outbox.get(world.actor, key).state for key in keys} == {OutboxState.DONE}
        assert len(port.delivered) == 2
        assert len({one.own_key for one in port.delivered}) == 2
        assert len(port.held(SENT)) == 2
        assert sorted(i.subject for i in port.held(TASKS).values() if isinstance(i, TaskItem)) == [
            "Changed",
            "Made",
        ]
        assert set(port.held(CONTACTS)) == {stays}
        assert port.told == []


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=st.lists(TROUBLES, max_size=12), after=st.lists(TROUBLES, max_size=12))
def test_what_stood_before_comes_back_equal_however_often_the_process_dies(
    template: Path,
    before: list[type[BaseException] | BaseException | None],
    after: list[type[BaseException] | BaseException | None],
) -> None:
    with started(template) as (world, now):
        post = Post([])
        port = post.port
        data = message("letter")
        letter = port.put(INBOX, read_message(data), raw=data)
        person, chore = contact(), task("Old")
        port.put(CONTACTS, person)
        port.put(TASKS, chore)
        mark = Mark(new_uid(), Ref(INBOX.key, letter), is_read=False, flag=Flag.FLAGGED)
        port.do(mark)
        deeds = (
            Delete(new_uid(), Ref(INBOX.key, letter)),
            Delete(new_uid(), Ref(CONTACTS.key, next(iter(port.held(CONTACTS))))),
            Save(new_uid(), TASKS.key, task("New"), Ref(TASKS.key, next(iter(port.held(TASKS))))),
        )
        keys = [order(world.actor, world.mailbox, deed, confirmed=True) for deed in deeds]
        post.left = list(before)
        post.until_settled(world, now)
        assert port.held(INBOX) == port.held(CONTACTS) == {}
        for key in keys:
            restore(world.actor, key)
        post.left = list(after)
        post.until_settled(world, now)
        ((place, back),) = port.held(INBOX).items()
        assert isinstance(back, MailItem)
        assert back == read_message(data)
        image = port.image(Ref(INBOX.key, place))
        assert (image.is_read, image.flag) == (False, Flag.FLAGGED)
        assert list(port.held(CONTACTS).values()) == [person]
        assert list(port.held(TASKS).values()) == [chore]


# --- the form in the journal --------------------------------------------------------------

WORDS = st.text(max_size=20)
MOMENTS = st.datetimes(timezones=st.just(dt.UTC))
DAYS = st.dates()
ADDRESSES = st.builds(Address, WORDS, WORDS, st.booleans())
PEOPLE = st.lists(
    st.builds(Attendee, ADDRESSES, st.sampled_from(Role), st.sampled_from(Response)), max_size=2
).map(tuple)
TIMES = st.one_of(MOMENTS, DAYS)
MEETINGS = st.builds(
    MeetingItem,
    uid=WORDS,
    start=TIMES,
    end=TIMES,
    recurrence_id=st.one_of(st.none(), TIMES),
    exdates=st.lists(TIMES, max_size=2).map(tuple),
    organizer=st.one_of(st.none(), st.builds(Attendee, ADDRESSES)),
    attendees=PEOPLE,
    modified_at=st.one_of(st.none(), MOMENTS),
    reminder_minutes=st.one_of(st.none(), st.integers(0, 99)),
)
TASK_ITEMS = st.builds(
    TaskItem,
    uid=WORDS,
    due=st.one_of(st.none(), DAYS),
    completed_at=st.one_of(st.none(), MOMENTS),
    categories=st.lists(WORDS, max_size=2).map(tuple),
)
PEOPLE_ITEMS = st.builds(
    ContactItem,
    uid=WORDS,
    emails=st.lists(ADDRESSES, max_size=2).map(tuple),
    phones=st.lists(st.tuples(WORDS, WORDS), max_size=2).map(tuple),
    addresses=st.lists(st.builds(PostalAddress, WORDS, WORDS), max_size=2).map(tuple),
    birthday=st.one_of(st.none(), DAYS),
)
MAILS = st.builds(
    MailItem,
    message_id=WORDS,
    sender=st.one_of(st.none(), ADDRESSES),
    to=st.lists(ADDRESSES, max_size=2).map(tuple),
    sent_at=st.one_of(st.none(), MOMENTS),
    headers=st.lists(st.tuples(WORDS, WORDS), max_size=2).map(tuple),
    flag=st.sampled_from(Flag),
)
ITEMS = st.one_of(MEETINGS, TASK_ITEMS, PEOPLE_ITEMS)


@settings(deadline=None)
@given(item=ITEMS, mail=MAILS, raw=st.binary(max_size=20), notify=st.sampled_from(Notify))
def test_deeds_and_images_come_out_of_the_journal_as_they_went_in(
    item: MeetingItem | TaskItem | ContactItem, mail: MailItem, raw: bytes, notify: Notify
) -> None:
    ref = Ref("f", "i", "c")
    for image in (Image(ref, mail, raw, False, Flag.FLAGGED, ("A",)), Image(ref, item, raw)):
        assert decode_image(*encode(image)) == image
        for deed in (
            PutBack("k", image),
            Save("k", "f", item, ref, notify),
            Save("k", "f", item),
            Delete("k", ref, AT, notify),
            Send("k", "m", raw, "s", ("a", "b")),
            Mark("k", ref, categories=()),
        ):
            assert decode(kind_of(deed), *encode(deed)) == deed
