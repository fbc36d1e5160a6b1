"""Both sides after everything: what is lost, doubled, broken, or told to somebody."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select, text

from desktop_crm.core import clock
from desktop_crm.db.engine import Database
from desktop_crm.models import Activity, Mailbox, MailboxItem, MailMessage, OutboxItem
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services.context import system_actor
from desktop_crm.services.mail import outbox
from desktop_crm.sync.formats.mime import read_message
from desktop_crm.sync.memory import CALENDAR, DRAFTS, INBOX, SENT, TASKS
from desktop_crm.sync.port import MailItem, MeetingItem, TaskItem
from tests.soak.elsewhere import Server
from tests.soak.life import run
from tests.support.tables import declared

ENDED = frozenset({OutboxState.DONE.value, OutboxState.STALE.value, OutboxState.CANCELLED.value})


class Compared:
    """Lets everything come to rest, then looks at it."""

    def __init__(
        self,
        db: Database,
        server: Server,
        rooms: dict[str, str],
        at: dt.datetime,
        removed: Iterable[str] = (),
    ) -> None:
        self.removed = frozenset(removed)
        self.db, self.box, self.rooms = db, server.mailbox, rooms
        self.notes = server.notes
        self.actor = system_actor(db)
        self.moment = at
        clock.use_clock(lambda: self.moment)

    def problems(self) -> list[str]:
        """Everything that is not as it must be."""
        return [
            *self._rest(),
            *self._whole(),
            *self._mail(),
            *self._sent(),
            *self._records(),
            *self._meetings(),
        ]

    def _rows(self, model: Any) -> list[Any]:
        with self.db.reading() as connection:
            return list(connection.execute(select(*declared(model.__table__)).order_by(model.id)))

    # --- rest -----------------------------------------------------------------------------

    def _rest(self) -> Iterator[str]:
        """Passes without trouble until two in a row have nothing to do; nothing waits that long."""
        (mailbox,) = (row.id for row in self._rows(Mailbox))
        quiet = 0
        for _ in range(12):
            self.moment += dt.timedelta(hours=2)
            self._agree()
            before = self._state()
            result = run(self.actor, mailbox, self.box)
            if result.problem is not None:
                yield f"a pass without trouble ends with: {result.problem}"
                return
            same = self._state() == before and not sum(folder.total for folder in result.folders)
            quiet = quiet + 1 if same else 0
            if quiet == 2:
                return
        yield "it never comes to rest"

    def _agree(self) -> None:
        held = [row.id for row in self._rows(OutboxItem) if row.state == OutboxState.HELD.value]
        if held:
            outbox.release(self.actor, held)

    def _state(self) -> Any:
        versions = [(row.id, row.version) for row in self._rows(Activity)]
        return versions, len(self._rows(OutboxItem)), self.box._next

    def _whole(self) -> Iterator[str]:
        with self.db.reading() as connection:
            for check in ("integrity_check", "foreign_key_check"):
                found = [tuple(row) for row in connection.execute(text(f"PRAGMA {check}"))]
                if found not in ([], [("ok",)]):
                    yield f"{check}: {found}"
        for box in self._rows(Mailbox):
            if box.leased_by is not None:
                yield "the lease was not given back"
        if self.box.told:
            yield f"somebody was told: {self.box.told}"

    # --- mail -----------------------------------------------------------------------------

    def _mail(self) -> Iterator[str]:
        messages = Counter(row.message_id for row in self._rows(MailMessage))
        yield from _twice("message", messages)
        items = self._rows(MailboxItem)
        for folder in (INBOX, SENT):
            there = {
                (key, item.message_id)
                for key, item in self.box.held(folder).items()
                if isinstance(item, MailItem)
            }
            here = [
                (row.item_key, row.identity)
                for row in items
                if row.folder == folder.key and row.state == "stored"
            ]
            yield from _twice(f"place in {folder.key}", Counter(here))
            yield from _differ(f"in {folder.key}", there, set(here))
            lost = {message for _, message in there} - set(messages)
            if lost:
                yield f"messages lost: {sorted(lost)}"

    def _sent(self) -> Iterator[str]:
        orders = self._rows(OutboxItem)
        unfinished = [(row.id, row.deed, row.state) for row in orders if row.state not in ENDED]
        if unfinished:
            yield f"never done: {unfinished}"
        left = Counter(deed.own_key for deed in self.box.delivered)
        yield from _twice("message sent", left)
        ordered = {row.own_key for row in orders if row.deed == "send"}
        yield from _differ("sent", ordered, set(left))
        subjects = [read_message(deed.mime).subject for deed in self.box.delivered]
        yield from _twice("letter", Counter(subjects))
        yield from _differ("letters", self._noted("send"), set(subjects), only_lost=True)
        records = Counter(row.subject for row in self._rows(Activity))
        yield from _twice("record of a letter", Counter({s: records[s] for s in subjects}))
        yield from _differ("records of letters", subjects, set(records), only_lost=True)
        sent = {row.subject for row in self._rows(Activity) if row.status_reason == "sent"}
        yield from _differ("letters said to be sent", subjects, sent)
        drafts = [item.own_key for item in self.box.held(DRAFTS).values()]  # type: ignore[union-attr]
        yield from _twice("draft", Counter(drafts))
        yield from _differ("drafts", self._noted("draft"), set(drafts), only_lost=True)

    def _noted(self, word: str) -> set[Any]:
        return {note[1] for note in self.notes if note[0] == word}

    # --- records --------------------------------------------------------------------------

    def _records(self) -> Iterator[str]:
        """What was made here is there once, with what was said last; and the other way round."""
        rows = {r.subject: r for r in self._rows(Activity) if r.deleted_at is None}
        all_rows = [r.subject for r in self._rows(Activity) if r.kind in ("appointment", "task")]
        there = {
            item.subject: item
            for folder in (CALENDAR, TASKS)
            for item in self.box.held(folder).values()
            if isinstance(item, MeetingItem | TaskItem)
        }
        names = [
            item.subject
            for folder in (CALENDAR, TASKS)
            for item in self.box.held(folder).values()
            if isinstance(item, MeetingItem | TaskItem) and item.subject.count("-") > 1
        ]
        yield from _twice("item", Counter(names))
        yield from _twice("record", Counter(s for s in all_rows if s.count("-") > 1))
        made, dropped = self._noted("made"), self._noted("dropped")
        yield from _differ("records", made - dropped, set(rows), only_lost=True)
        yield from _differ("items", made - dropped - self.removed, set(there), only_lost=True)
        stays = (made & dropped) & set(there)
        if stays:
            yield f"deleted here and still there: {sorted(stays)}"
        phone = {name for name in there if name.startswith("phone")}
        yield from _differ("tasks of the phone", phone - dropped, set(rows), only_lost=True)
        said: dict[int, int] = {}
        for note in self.notes:
            if note[0] == "changed":
                said[note[1]] = note[2]
        for row in rows.values():
            item = there.get(row.subject)
            if row.id in said:
                number = int((row.description or "edit 0").split()[1])
                if number < said[row.id]:
                    yield f"{row.subject}: edit {said[row.id]} is lost here ({row.description})"
            if item is None or row.subject not in made:
                continue
            if (item.text or "").strip() == (row.description or "").strip():
                continue
            # Nobody there writes texts, so there is nothing to ask a person about either.
            yield f"{row.subject}: {row.description!r} here, {item.text!r} there"

    def _meetings(self) -> Iterator[str]:
        rows = [row for row in self._rows(Activity) if row.ical_uid]
        yield from _twice("meeting", Counter(row.ical_uid for row in rows))
        by_uid = {row.ical_uid: row for row in rows}
        there = [i for i in self.box.held(CALENDAR).values() if isinstance(i, MeetingItem)]
        yield from _twice("meeting there", Counter(item.uid for item in there))
        yield from _differ("meetings", {i.uid for i in there}, set(by_uid), only_lost=True)
        for item in there:
            row = by_uid.get(item.uid)
            if row is None:
                continue
            if row.state != "open":
                yield f"{item.uid} is there and {row.state} here"
            if (row.location or "") != item.location:
                yield f"{item.uid}: {row.location!r} here, {item.location!r} there"
            room = self.rooms.get(item.uid)
            if room is not None and item.location != room:
                yield f"{item.uid}: {room!r} of the phone is lost, {item.location!r} stands"
        gone = set(by_uid) - {item.uid for item in there}
        still = sorted(uid for uid in gone if by_uid[uid].state == "open" and self._came(uid))
        if still:
            yield f"deleted there and open here: {still}"

    def _came(self, uid: str) -> bool:
        return uid.startswith("u-")


def _twice(what: str, found: Counter[Any]) -> Iterator[str]:
    doubled = {key: count for key, count in found.items() if count > 1}
    if doubled:
        yield f"{what} doubled: {doubled}"


def _differ(
    what: str, there: Iterable[Any], here: Iterable[Any], *, only_lost: bool = False
) -> Iterator[str]:
    lost, added = set(there) - set(here), set(here) - set(there)
    if lost:
        yield f"{what}: lost {sorted(lost)[:10]} ({len(lost)})"
    if added and not only_lost:
        yield f"{what}: nobody knows {sorted(added)[:10]} ({len(added)})"
