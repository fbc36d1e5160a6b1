"""Both ways over every mailbox that takes meetings, tasks and contacts: the same passes on each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Database
from desktop_crm.models import Contact, OutboxItem, SyncState
from desktop_crm.services import records
from desktop_crm.services.calendar.series_edits import Reach, change
from desktop_crm.services.mail import outbox
from desktop_crm.services.records_kept import set_where
from desktop_crm.sync.port import ContactItem, Folder, FolderRole, MeetingItem, TaskItem
from desktop_crm.sync.results import MailboxResult
from desktop_crm.sync.twoway import questions
from desktop_crm.sync.twoway.lines import Consent
from desktop_crm.sync.writes import Ability, Deed, Ref, Save, Written
from tests.contract.test_exchange_writes import ExchangeDriver
from tests.contract.test_graph_writes import GraphDriver
from tests.contract.test_imap_writes import ImapDriver
from tests.contract.test_memory_writes import MemoryDriver
from tests.contract.writing_driver import WritingDriver, meeting, task
from tests.unit.sync.conftest import AT, World, make_world

T = TypeVar("T", MeetingItem, TaskItem, ContactItem)
Item = MeetingItem | TaskItem | ContactItem

SOON = AT + dt.timedelta(days=2)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
_ROLES = {
    MeetingItem: FolderRole.CALENDAR, TaskItem: FolderRole.TASKS, ContactItem: FolderRole.CONTACTS,
}  # fmt: skip


@dataclass
class Both:
    """The company here, the mailbox there, and a phone that shares it."""

    world: World
    driver: WritingDriver
    now: list[dt.datetime]

    def go(self, **options: Any) -> MailboxResult:
        result = self.world.sync(port=self.driver.port, **options)
        assert result.problem is None, result.problem
        return result

    def later(self) -> None:
        """The time passes in which somebody could have answered; two passes."""
        self.now[0] += 3 * dt.timedelta(minutes=1)
        self.go()
        self.go()

    @property
    def deeds(self) -> list[Any]:
        return self.world.rows(OutboxItem)

    def quiet(self) -> None:
        """Both sides are equal: further passes do nothing, also when everything is read anew."""
        before = self._stands()
        self.go()
        assert self._stands() == before
        with self.world.actor.db.writing() as connection:
            set_where(connection, SyncState, SyncState.__table__.c.id > 0, {"token": None})
        self.go()
        assert self._stands() == before
        assert self.driver.told() == 0
        assert self.driver.delivered() == []

    def _stands(self) -> tuple[object, ...]:
        activities = [(a.id, a.version) for a in self.world.activities]
        people = [(c.id, c.version) for c in self.world.rows(Contact)]
        return activities, people, [(d.id, d.state) for d in self.deeds]

    def save(self, **values: Any) -> int:
        timed = {"start_at": SOON, "end_at": SOON + HOUR} if "kind" not in values else {}
        plain = {"kind": "appointment", "subject": "Vizită", "owner": self.world.ana}
        return self.world.save("activity", **{**plain, **timed, **values})

    def edit(self, key: int, **values: Any) -> None:
        records.save(self.world.actor, "activity", key, None, values)

    def row(self, key: int | None = None) -> Any:
        rows = self.world.activities
        if key is None:
            (found,) = rows
            return found
        return next(one for one in rows if one.id == key)

    # --- the phone ------------------------------------------------------------------------

    def folder(self, role: FolderRole, *, own: bool = True) -> Folder:
        every = [one for one in self.driver.port.all_folders() if one.role is role]
        if not own:
            return every[0]
        found = (one for one in every if one.name.rpartition("/")[2] == "CRM")
        return next(found, every[0])

    def shown(self) -> list[MeetingItem]:
        """Meetings in the CRM calendar, by time."""
        return sorted(self.there(MeetingItem).values(), key=lambda one: str(one.start))

    def there(self, kind: type[T], *, own: bool = True) -> dict[str, T]:
        """What lies in the mailbox now, read from the beginning."""
        folder = self.folder(_ROLES[kind], own=own)
        found: dict[str, T] = {}
        token = None
        while True:
            batch = self.driver.port.changes(folder, token)
            assert batch.quarantined == ()
            for one in batch.changes:
                if isinstance(one.item, kind):
                    found[one.item_id] = one.item
                elif one.item is None and one.kind.value == "delete":
                    found.pop(one.item_id, None)
            if not batch.more:
                return found
            token = batch.token

    def only(self, kind: type[T]) -> T:
        (found,) = self.there(kind).values()
        return found

    def ref(self, item: Item) -> Ref:
        folder = self.folder(_ROLES[type(item)])
        every = self.there(type(item))  # type: ignore[type-var]  # one of the three
        keys = [key for key, one in every.items() if one.uid == item.uid]
        return self.driver.port.image(Ref(folder.key, keys[0])).ref

    def phone_makes(self, item: Item) -> None:
        folder = self.folder(_ROLES[type(item)])
        self.driver.port.do(Save(new_uid(), folder.key, item))

    def phone_edits(self, item: Item, **values: Any) -> None:
        ref = self.ref(item)
        new = replace(item, **values)
        self.driver.port.do(Save(new_uid(), ref.folder, new, ref))

    def phone_deletes(self, item: Item) -> None:
        self.driver.remove(self.ref(item))


@pytest.fixture
def moment() -> Iterator[list[dt.datetime]]:
    now = [AT]
    clock.use_clock(lambda: now[0])
    yield now
    clock.use_clock(None)


@pytest.fixture(scope="module", params=["memory", "exchange", "graph", "imap"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which mailbox; the servers of one are those of the whole run."""
    if request.param == "imap":
        request.getfixturevalue("_mail_servers")
    return str(request.param)


def _driver(request: pytest.FixtureRequest, name: str) -> Iterator[WritingDriver]:
    if name == "memory":
        yield MemoryDriver()
    elif name == "exchange":
        exchange = ExchangeDriver()
        yield exchange
        exchange.port.close()
        exchange.server.close()
    elif name == "graph":
        graph = GraphDriver()
        yield graph
        graph.port.close()
        graph.server.close()
    else:
        imap = ImapDriver(request.getfixturevalue("mail_servers"))
        yield imap
        imap.close()


@pytest.fixture
def both(
    request: pytest.FixtureRequest, kind: str, sqlite_db: Database, moment: list[dt.datetime]
) -> Iterator[Both]:
    world = make_world(sqlite_db)
    records.save(world.actor, "mailbox", world.mailbox, None, {"two_way": True})
    for driver in _driver(request, kind):
        yield Both(world, driver, moment)


class TestBothWays:
    """The passes; nobody is told of anything in any of them."""

    def test_what_is_made_here_is_made_there_once(self, both: Both) -> None:
        key = both.save(
            location="Cluj", description="Agenda\nA doua", tags="|VIP|", reminder_minutes=30
        )
        due = {"due_at": SOON, "start_at": AT, "is_all_day": True}
        done = both.save(kind="task", subject="Sună", recurrence_rule="FREQ=WEEKLY", **due)
        both.go()
        there = both.only(MeetingItem)
        assert (there.subject, there.location, there.start) == ("Vizită", "Cluj", SOON)
        assert (there.text, there.categories) == ("Agenda\nA doua", ("VIP",))
        assert there.reminder_minutes == 30
        thing = both.only(TaskItem)
        assert (thing.subject, thing.due, thing.start) == ("Sună", SOON.date(), AT.date())
        assert thing.rrule.startswith("FREQ=WEEKLY")
        both.quiet()
        assert {a.id for a in both.world.activities} == {key, done}
        assert both.row(key).ical_uid == there.uid

    def test_what_the_phone_makes_comes_here_once(self, both: Both) -> None:
        both.phone_makes(meeting(start=SOON, end=SOON + HOUR, categories=("Client",)))
        both.phone_makes(task(start=dt.date(2026, 3, 5), rrule="FREQ=MONTHLY;BYMONTHDAY=5"))
        both.go()
        rows = {a.kind: a for a in both.world.activities}
        made = rows["appointment"]
        assert (made.subject, made.tags, made.reminder_minutes) == ("Ședință", "|Client|", 15)
        done = rows["task"]
        assert (done.due_at.date(), done.priority) == (dt.date(2026, 3, 9), "high")
        assert done.start_at == dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
        assert "FREQ=MONTHLY" in done.recurrence_rule
        both.quiet()

    def test_a_change_of_each_side_reaches_the_other(self, both: Both) -> None:
        both.phone_makes(meeting(start=SOON, end=SOON + HOUR))
        both.go()
        both.phone_edits(both.only(MeetingItem), location="Sala 9", reminder_minutes=None)
        both.edit(both.row().id, description="Nou", tags="|VIP|")
        both.go()
        both.later()
        row, there = both.row(), both.only(MeetingItem)
        assert (row.location, row.description, row.reminder_minutes) == ("Sala 9", "Nou", None)
        assert (there.location, there.text, there.categories) == ("Sala 9", "Nou", ("VIP",))
        both.quiet()

    def test_a_task_is_done_on_both_sides(self, both: Both) -> None:
        first, second = both.save(kind="task", subject="A"), both.save(kind="task", subject="B")
        both.go()
        there = {one.subject: one for one in both.there(TaskItem).values()}
        both.phone_edits(there["A"], status="completed", percent=100)
        both.edit(second, state="completed")
        both.go()
        both.later()
        assert both.row(first).state == "completed"
        assert {one.status for one in both.there(TaskItem).values()} == {"completed"}
        both.quiet()

    def test_a_conflict_overwrites_nothing(self, both: Both) -> None:
        both.phone_makes(meeting(start=SOON, end=SOON + HOUR))
        both.go()
        both.phone_edits(both.only(MeetingItem), subject="B", text="T")
        both.edit(both.row().id, subject="A")
        both.go()
        row = both.row()
        assert (row.subject, row.description) == ("A", "T")
        assert both.only(MeetingItem).subject == "B"
        both.quiet()

    def test_deleting_there_calls_off_here(self, both: Both) -> None:
        key = both.save()
        other = both.save(kind="task", subject="Sună")
        both.go()
        both.phone_deletes(both.only(MeetingItem))
        both.phone_deletes(both.only(TaskItem))
        both.go(consent=Consent(reviewed=True))
        assert {both.row(key).state, both.row(other).state} == {"canceled"}
        both.quiet()

    def test_deleting_here_asks_before_it_deletes_there(self, both: Both) -> None:
        key = both.save()
        both.go()
        records.delete(both.world.actor, "activity", [key])
        both.go()
        assert (both.deeds[-1].deed, both.deeds[-1].state) == ("delete", "held")
        assert len(both.there(MeetingItem)) == 1
        outbox.release(both.world.actor, [both.deeds[-1].id])
        both.go()
        assert both.there(MeetingItem) == {}
        both.quiet()

    def test_a_series_keeps_its_moved_and_left_out_dates(self, both: Both) -> None:
        rule = {"recurrence_rule": "FREQ=WEEKLY;COUNT=6", "time_zone": "Europe/Bucharest"}
        key = both.save(**rule)
        both.go()
        second, third = SOON + 7 * DAY, SOON + 14 * DAY
        times = {"start_at": second + 3 * HOUR, "end_at": second + 4 * HOUR}
        moved = change(both.world.actor, key, second, Reach.THIS, times).activity
        both.go()
        items = both.there(MeetingItem).values()
        (occurrence,) = [one for one in items if one.recurrence_id is not None]
        assert (occurrence.recurrence_id, occurrence.start) == (second, second + 3 * HOUR)
        left_out = [third.isoformat()]
        both.edit(key, recurrence_exceptions=left_out)
        both.go()
        assert (both.deeds[-1].deed, both.deeds[-1].state) == ("delete", "held")
        outbox.release(both.world.actor, [both.deeds[-1].id])
        both.go()
        (series,) = [one for one in both.there(MeetingItem).values() if one.rrule]
        assert third in series.exdates
        both.quiet()
        assert {a.id for a in both.world.activities} == {key, moved}

    def test_what_follows_in_a_series_parts_on_both_sides(self, both: Both) -> None:
        rule = {"recurrence_rule": "FREQ=WEEKLY;COUNT=6", "time_zone": "Europe/Bucharest"}
        key = both.save(**rule)
        both.go()
        third = SOON + 14 * DAY
        times = {"start_at": third + 2 * HOUR, "end_at": third + 3 * HOUR}
        change(both.world.actor, key, third, Reach.FOLLOWING, times)
        both.go()
        both.later()
        starts = sorted(one.start for one in both.there(MeetingItem).values())
        assert starts == [SOON, third + 2 * HOUR]
        assert len(both.world.activities) == 2
        both.quiet()

    def test_a_date_the_phone_moves_is_moved_here(self, both: Both) -> None:
        key = both.save(recurrence_rule="FREQ=WEEKLY;COUNT=4", time_zone="Europe/Bucharest")
        both.go()
        second = SOON + 7 * DAY
        moved = replace(
            both.only(MeetingItem), recurrence_id=second, rrule="", exdates=(),
            start=second + HOUR, end=second + 2 * HOUR, location="Altundeva",
        )  # fmt: skip
        series = self._series(both)
        both.driver.port.do(Save(new_uid(), series.folder, moved, series))
        both.go()
        rows = {a.recurrence_id is not None: a for a in both.world.activities}
        assert (rows[True].start_at, rows[True].location) == (second + HOUR, "Altundeva")
        assert rows[False].id == key
        both.quiet()

    def _series(self, both: Both) -> Ref:
        return both.ref(next(one for one in both.there(MeetingItem).values() if one.rrule))

    def test_people_lie_in_a_folder_that_is_made_once(self, both: Both) -> None:
        world = both.world
        records.save(world.actor, "account", world.client, None, {"owner": world.ana})
        records.save(world.actor, "mailbox", world.mailbox, None, {"contact_scope": "mine"})
        both.go()
        both.go()
        there = both.only(ContactItem)
        assert (there.first_name, there.last_name, there.company) == ("Ion", "Pop", "Client SRL")
        both.phone_edits(there, phones=(("mobile", "+40 722 123 456"),))
        records.save(world.actor, "contact", world.contact, None, {"job_title": "Director"})
        both.go()
        both.go()
        assert records.get(world.actor, "contact", world.contact).values["phone"]
        assert both.only(ContactItem).job_title == "Director"
        both.quiet()
        assert [d.deed for d in both.deeds].count("make_folder") == 1

    def test_a_private_meeting_goes_out_as_busy(self, both: Both) -> None:
        both.save(subject="Medic", location="Clinica", sensitivity="private", tags="|Doctor|")
        both.go()
        assert "Medic" not in repr(both.only(MeetingItem))
        assert "Doctor" not in repr(both.only(MeetingItem))
        both.quiet()

    @pytest.mark.parametrize("what", ["meeting", "task"])
    def test_a_lost_answer_doubles_nothing(
        self, both: Both, what: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A pass that dies between deed and answer; first when it is made, then when changed."""
        key = both.save(**({"kind": "task"} if what == "task" else {}))
        for place in ("Cluj", "Iași"):
            self._lose(both, monkeypatch)
            both.world.sync(port=both.driver.port)
            monkeypatch.undo()
            both.now[0] += HOUR
            both.go()
            both.go()
            kind: Any = TaskItem if what == "task" else MeetingItem
            assert both.only(kind).subject in ("Vizită", "Cluj")
            assert both.row().id == key
            both.quiet()
            both.edit(key, subject=place)

    def _lose(self, both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
        port = both.driver.port
        do = port.do

        def lost(deed: Deed) -> Written:
            do(deed)
            monkeypatch.setattr(port, "do", do)
            raise EnvironmentProblem("gone", retryable=True)

        monkeypatch.setattr(port, "do", lost)

    def test_guests_are_told_of_nothing(self, both: Both) -> None:
        """What others may be told of waits for an answer; without one nobody is."""
        guests = [{"participation": "required", "name": "Ion", "address": "ion@client.example"}]
        key = both.save(parties=guests)
        both.go()
        both.later()
        both.edit(key, location="Cluj")
        both.go()
        both.later()
        both.edit(key, tags="|VIP|", reminder_minutes=5)
        both.go()
        both.later()
        assert both.driver.told() == 0
        assert both.driver.delivered() == []
        if Ability.QUIET in both.driver.port.abilities:
            there = both.only(MeetingItem)
            assert [a.address.address for a in there.attendees] == ["ion@client.example"]
            assert (there.location, there.categories) == ("Cluj", ("VIP",))
        else:
            assert both.there(MeetingItem) == {}
        both.quiet()

    def test_where_guests_are_told_of_everything_a_person_is_asked_first(self, both: Both) -> None:
        """Each change waits as a question that says so; it is never written in silence."""
        if Ability.QUIET in both.driver.port.abilities:
            return
        guests = [{"participation": "required", "name": "Ion", "address": "ion@client.example"}]
        key = both.save(parties=guests)
        self._asked(both, "save", told=1)
        both.edit(key, reminder_minutes=5)
        self._asked(both, "save", told=2)
        assert both.only(MeetingItem).reminder_minutes == 5
        both.edit(key, location="Cluj")
        both.go()
        (question,) = questions.waiting(both.world.actor)
        questions.answer(both.world.actor, question.order, tell=False)
        both.later()
        assert questions.waiting(both.world.actor) == []
        assert both.deeds[-1].state == "held"
        assert both.only(MeetingItem).location == ""
        outbox.release(both.world.actor, [both.deeds[-1].id])
        both.go()
        assert (both.only(MeetingItem).location, both.driver.told()) == ("Cluj", 3)
        records.delete(both.world.actor, "activity", [key])
        both.go()
        deed = both.deeds[-1]
        assert (deed.deed, deed.state, deed.notify) == ("delete", "held", "everybody")
        assert "tells the guests" in deed.why
        outbox.release(both.world.actor, [deed.id])
        both.go()
        assert (both.there(MeetingItem), both.driver.told()) == ({}, 4)

    def _asked(self, both: Both, deed: str, told: int) -> None:
        result = both.world.sync(port=both.driver.port, dry_run=True)
        (line,) = [one for one in result.lines if one.side == "mailbox"]
        assert (line.asked, line.people) == (True, 1)
        assert "tells the guests" in line.reason
        both.go()
        both.later()
        assert (both.deeds[-1].deed, both.deeds[-1].state) == (deed, "held")
        assert both.driver.told() == told - 1
        (question,) = questions.waiting(both.world.actor)
        assert (question.people, question.tells) == (1, True)
        questions.answer(both.world.actor, question.order, tell=True)
        both.go()
        assert both.driver.told() == told
