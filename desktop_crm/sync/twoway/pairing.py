"""Bringing both sides of every item together, from what is stored alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.core import clock
from desktop_crm.models import EmailAddress
from desktop_crm.models.activity import ActivityState
from desktop_crm.services.context import Actor
from desktop_crm.sync.twoway import rows
from desktop_crm.sync.twoway.fields import Frame
from desktop_crm.sync.twoway.kinds import Kind, fields_of_record
from desktop_crm.sync.twoway.merge import base_of
from desktop_crm.sync.twoway.plan import Decision, Local, Pair, Remote, decide
from desktop_crm.sync.twoway.rows import Held, Settings
from desktop_crm.sync.twoway.series import refusal
from desktop_crm.sync.writes import Ref

TASK: Final = "task:"
CONTACT: Final = "contact:"
"""What the identities of tasks and contacts begin with; those of meetings are as they were."""


@dataclass(frozen=True, slots=True)
class Work:
    """One pair with what it was made of, and what is to be done about it.

    Attributes:
        row: the mailbox's row; None for what was never there.
        record: the record's values; None for what was never here.
        series: row of the series, for a changed occurrence.
        shown: of a meeting that is only shown there, key of the CRM calendar, empty while that is
            being made; None for everything else.
        identity: what tells such a meeting's row from others.
    """

    pair: Pair
    decision: Decision
    row: Held | None = None
    record: Mapping[str, Any] | None = None
    series: Held | None = None
    shown: str | None = None
    identity: str = ""


@dataclass(slots=True)
class Pairing:
    """Reads and pairs; a fixed number of statements, and a few for each series that changed.

    Attributes:
        writable: kinds of items that go out to the mailbox.
        placeless: why new items of a kind have no place in the mailbox.
        loud: the mailbox tells the guests of a meeting of whatever is written to it.
    """

    connection: Connection
    actor: Actor
    mailbox: int
    chosen: Settings
    writable: frozenset[Kind] = frozenset()
    placeless: Mapping[Kind, str] = field(default_factory=dict)
    loud: bool = False
    _frame: Frame = field(default_factory=Frame)
    _orders: set[int] = field(default_factory=set)
    _busy: set[str] = field(default_factory=set)

    def all(self) -> list[Work]:
        """Everything either side changed, and what is new here."""
        return [*self.of(*self.pending()), *self._unmatched()]

    def pending(self) -> tuple[list[int], list[int]]:
        """Activities and contacts that either side changed, and what is new here."""
        user = self.chosen.user
        activities = rows.changed_activities(self.connection, self.mailbox, user)
        if self.writable:
            activities += rows.new_activities(self.connection, user)
        contacts = rows.changed_contacts(self.connection, self.mailbox)
        if Kind.CONTACT in self.writable:
            contacts += rows.new_contacts(self.connection, self.mailbox, self.chosen)
        return list(dict.fromkeys(activities)), list(dict.fromkeys(contacts))

    def of(self, activities: list[int], contacts: list[int]) -> list[Work]:
        """Some records with what the mailbox holds of them."""
        self._begin()
        return [*self._activities(activities), *self._contacts(contacts)]

    def unmatched(self, items: list[int] | None = None) -> list[Work]:
        """What the mailbox brought that no record stands for yet; of some rows only."""
        self._begin()
        return self._unmatched(items)

    def among(self, items: list[int]) -> tuple[list[int], list[int]]:
        """Activities and contacts that either side changed, of some rows of the mailbox."""
        user = self.chosen.user
        return (
            rows.changed_activities(self.connection, self.mailbox, user, items),
            rows.changed_contacts(self.connection, self.mailbox, items),
        )

    def changed(self) -> list[Work]:
        """What both sides know and either of them changed."""
        self._begin()
        activities = rows.changed_activities(self.connection, self.mailbox, self.chosen.user)
        contacts = rows.changed_contacts(self.connection, self.mailbox)
        return [*self._activities(activities), *self._contacts(contacts)]

    def _begin(self) -> None:
        self._frame = Frame(self.actor.zone, self.actor.language)
        self._orders, self._busy = rows.busy(self.connection, self.mailbox)

    def one(self, kind: Kind, record: int) -> Work | None:
        """One record again, as it stands now."""
        self._frame = Frame(self.actor.zone, self.actor.language)
        found = self._contacts([record]) if kind is Kind.CONTACT else self._activities([record])
        return found[0] if found else None

    def _activities(self, ids: list[int]) -> list[Work]:
        records = rows.activities(self.connection, ids)
        held = rows.of_records(self.connection, self.mailbox, Kind.MEETING, ids)
        found = []
        for key in ids:
            record = records.get(key)
            kind = rows.KIND_OF.get(record["kind"]) if record else None
            if record is None or kind is None:
                continue
            work = self._work(kind, key, record, held.get(key, []))
            if work is not None:
                found.append(work)
        return found

    def _contacts(self, ids: list[int]) -> list[Work]:
        records = rows.contacts(self.connection, ids)
        held = rows.of_records(self.connection, self.mailbox, Kind.CONTACT, ids)
        works = (
            self._work(Kind.CONTACT, key, records[key], held.get(key, []))
            for key in ids
            if key in records
        )
        return [work for work in works if work is not None]

    def _unmatched(self, items: list[int] | None = None) -> list[Work]:
        found = []
        held = rows.unmatched(self.connection, self.mailbox, items)
        known = {row.identity: row for row in held}
        for row in known.values():
            kind = Kind.CONTACT if row.identity.startswith(CONTACT) else Kind.TASK
            match = self._same_person(row) if kind is Kind.CONTACT else None
            if match is not None:
                record = rows.contacts(self.connection, [match]).get(match)
                work = self._work(kind, match, record, [replace(row, record=match)])
                found += [work] if work else []
                continue
            remote = Remote(Ref(row.folder, row.item_key), row.seen or {})
            title = _title(kind, row.seen or {})
            pair = Pair(kind, f"item:{row.folder}|{row.item_key}", title, remote=remote)
            found.append(Work(pair, decide(pair), row))
        return found

    def _same_person(self, row: Held) -> int | None:
        """The one contact that has an address of the item; None when there are several."""
        emails = (row.seen or {}).get("emails") or []
        if not emails:
            return None
        table = EmailAddress.__table__
        found = self.connection.execute(
            select(table.c.contact_id)
            .where(
                table.c.address.in_(emails),
                table.c.contact_id.is_not(None),
                table.c.deleted_at.is_(None),
            )
            .distinct()
        ).scalars()
        keys = list(found)
        return keys[0] if len(keys) == 1 else None

    def _work(
        self, kind: Kind, key: int, record: Mapping[str, Any] | None, held: list[Held]
    ) -> Work | None:
        if record is None:
            return None
        row = _standing(held)
        if row is not None and (row.order in self._orders or row.item_key in self._busy):
            return None  # something about it is on its way already
        base = base_of(row.base) if row else None
        remote = None
        if row is not None and not row.gone and not row.ordered:
            fields = row.seen or (base.mailbox if base else None)
            if fields is None:
                return None  # read before it went both ways: it is read again first
            remote = Remote(Ref(row.folder, row.item_key), fields)
        pair = Pair(
            kind,
            f"{'contact' if kind is Kind.CONTACT else 'activity'}:{key}",
            str(record.get("full_name") or record.get("subject") or ""),
            base,
            self._local(kind, key, record),
            remote,
            known=row is not None and row.gone,
            wanted=kind in self.writable,
            loud=self.loud and kind is Kind.MEETING,
        )
        if remote is None and kind in self.placeless:
            pair = replace(pair, refusal=(self.placeless[kind], ()))
        series = self._series(record) if kind is Kind.MEETING else None
        if kind is Kind.MEETING and self.writable:
            pair = replace(pair, refusal=pair.refusal or self._refusal(record))
            if record.get("recurrence_id") and series is None and remote is None:
                return None  # its series is not in the mailbox yet
        decision = decide(pair)
        if kind not in self.writable:
            here = tuple(s for s in decision.steps if s.side.value == "here")
            decision = replace(decision, steps=here)
        return Work(pair, decision, row, record, series)

    def _local(self, kind: Kind, key: int, record: Mapping[str, Any]) -> Local:
        fields = fields_of_record(kind, record, self._frame)
        state = record.get("state")
        return Local(
            key,
            fields,
            present=record.get("deleted_at") is None,
            cancelled=state == ActivityState.CANCELED.value,
            closed=state == ActivityState.COMPLETED.value
            or (kind is Kind.MEETING and rows.past(record, clock.now())),
            organizer=kind is not Kind.MEETING or bool(record.get("is_organizer")),
        )

    def _series(self, record: Mapping[str, Any]) -> Held | None:
        """Row of the series a changed occurrence belongs to."""
        if not record.get("recurrence_id"):
            return None
        family = rows.occurrences_of(self.connection, record["ical_uid"] or "", self.chosen.user)
        master = next((one for one in family if not one["recurrence_id"]), None)
        if master is None:
            return None
        held = rows.of_records(self.connection, self.mailbox, Kind.MEETING, [master["id"]])
        row = _standing(held.get(master["id"], []))
        return row if row is not None and not row.gone and not row.ordered else None

    def _refusal(
        self, record: Mapping[str, Any]
    ) -> tuple[str, tuple[tuple[str, object], ...]] | None:
        """Why a series cannot be written as it stands here (R35)."""
        if not record.get("ical_uid") or not (
            record.get("recurrence_id") or record.get("recurrence_rule")
        ):
            return None
        family = rows.occurrences_of(self.connection, record["ical_uid"], self.chosen.user)
        by_id = {
            one["recurrence_id"]: fields_of_record(Kind.MEETING, one, self._frame) for one in family
        }
        master = by_id.pop(None, None)
        if master is None:
            return None
        moved = [(o, f["when"]["start"], f["when"]["end"]) for o, f in by_id.items()]
        found = refusal(master, moved)
        if found is None:
            return None
        template, params = found
        shown = tuple((name, self.actor.formats.date(value)) for name, value in params)  # type: ignore[arg-type]
        return template, shown


def _standing(held: Iterable[Held]) -> Held | None:
    """The row that counts: one the mailbox holds, with what was agreed before it moved."""
    listed = list(held)
    if not listed:
        return None
    there = [row for row in listed if not row.gone]
    row = (there or listed)[-1]
    if row.base is None and not row.ordered:
        before = next((one for one in reversed(listed) if one.base is not None), None)
        if before is not None:
            return replace(row, base=before.base)
    return row


def _title(kind: Kind, fields: Mapping[str, Any]) -> str:
    if kind is Kind.CONTACT:
        names = (fields.get("first_name"), fields.get("last_name"))
        return " ".join(name for name in names if name) or ", ".join(fields.get("emails") or ())
    return str(fields.get("subject") or "")
