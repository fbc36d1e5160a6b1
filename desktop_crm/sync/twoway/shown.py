"""Meetings of chosen accounts that are not the user's own, shown in a calendar called "CRM".

They go one way: the records decide, and what the phone changes in this calendar is not taken over
(docs/adr/0020). A row of the mailbox stands for each, without the record: its identity names it,
so that neither the mail side nor the privacy of mailboxes takes it for an item that was read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, exists, literal, or_, select

from desktop_crm.core import clock
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import fold
from desktop_crm.meta import registry
from desktop_crm.models import Account, Activity, MailboxItem, OutboxItem, User
from desktop_crm.models.activity import ActivityKind, ActivityState
from desktop_crm.models.mail import ContactScope, ItemState
from desktop_crm.models.outbox import OPEN, OutboxState
from desktop_crm.services import permissions
from desktop_crm.services.context import Actor
from desktop_crm.services.query import key_clause
from desktop_crm.services.records_kept import delete_rows, delete_where
from desktop_crm.sync import outbox_rows
from desktop_crm.sync.mapping import plain
from desktop_crm.sync.port import Folder, FolderRole, Sensitivity, ShowAs
from desktop_crm.sync.twoway import places, rows, strikes
from desktop_crm.sync.twoway.fields import Fields, Frame
from desktop_crm.sync.twoway.kinds import TABLES, Kind, fields_of_record
from desktop_crm.sync.twoway.pairing import Work
from desktop_crm.sync.twoway.plan import CHANGED_HERE, Decision, Pair, Side, Step, StepKind
from desktop_crm.sync.twoway.rows import SHOWN, Held, Settings
from desktop_crm.sync.writes import Delete

NEW: Final = N_("A meeting of an account you chose. It is shown as free, without guests.")
NO_LONGER: Final = N_(
    "It was called off or made private, stands in your own calendar, or its account is not chosen "
    "any more."
)

_WRITTEN: Final = ("when", "left_out", "status", "subject", "location", "text", "reminder")
_ITEM: Final = MailboxItem.__table__
_ACTIVITY: Final = Activity.__table__
_ACCOUNT: Final = Account.__table__
_ORDER: Final = OutboxItem.__table__
_STANDS: Final = (ActivityState.OPEN.value, ActivityState.COMPLETED.value)


def calendar_of(connection: Connection, mailbox: int, every: Iterable[Folder]) -> Folder | None:
    """The calendar of these meetings: the one that holds some, or one called so beside another."""
    calendars = [one for one in every if one.role is FolderRole.CALENDAR]
    if len(calendars) < 2:
        return None  # the user's own, whatever its name
    holding = connection.execute(
        select(_ITEM.c.folder)
        .where(
            _ITEM.c.mailbox_id == mailbox,
            _ITEM.c.folder.in_([one.key for one in calendars]),
            _ITEM.c.state != ItemState.GONE.value,
            rows.is_shown(),
        )
        .limit(1)
    ).scalar()
    held = next((one for one in calendars if one.key == holding), None)
    if held is not None:
        return held
    return next((c for c in calendars if c.name.rpartition("/")[2] == places.OWN_FOLDER), None)


@dataclass(frozen=True, slots=True)
class _Meeting:
    """A meeting that is to be shown: its record, what is written of it, and its series."""

    record: Mapping[str, Any]
    fields: Fields
    series: int | None = None

    @property
    def key(self) -> int:
        return int(self.record["id"])

    @property
    def identity(self) -> str:
        return f"{SHOWN}{self.key}" + (f":{self.series}" if self.series else "")


@dataclass(slots=True)
class Shown:
    """Tells what is to be written to the calendar, and taken out; at most nine statements.

    Attributes:
        folder: key of the calendar; empty while it is being made.
    """

    connection: Connection
    actor: Actor
    mailbox: int
    chosen: Settings
    folder: str

    def works(self) -> list[Work]:
        """One work for each meeting to be written or taken out; none in another's mailbox."""
        user = self.chosen.user
        if user is None or user != self.actor.user_id:
            return []
        held = self._held()
        if self.chosen.contacts is ContactScope.NONE and not held:
            return []
        wanted = self._wanted(held)
        orders, busy = rows.busy(self.connection, self.mailbox)
        works = []
        for key, meeting in wanted.items():
            row = held.get(key)
            series = held.get(meeting.series) if meeting.series else None
            if meeting.series and not _stands(series):
                continue  # its series is not in the calendar yet, or was deleted there
            if row is not None and (row.gone or row.ordered or _moving(row, orders, busy)):
                continue  # deleted on the phone, or something about it is on its way already
            works.append(self._work(meeting, row, series))
        for key, row in held.items():
            # A changed date goes with its series, or as one of the dates it leaves out.
            alone = row.identity.count(":") == 1
            if key not in wanted and alone and _stands(row) and not _moving(row, orders, busy):
                works.append(self._removal(key, row))
        return [work for work in works if work.decision.steps]

    def _held(self) -> dict[int, Held]:
        """Rows by the meeting they stand for; what was lost with its calendar is forgotten."""
        clause = and_(
            _ITEM.c.mailbox_id == self.mailbox, _ITEM.c.folder == self.folder, rows.is_shown()
        )
        found = rows.held(self.connection, _ITEM.c.activity_id, clause)
        return {
            int(row.identity.split(":")[1]): row
            for row in found
            if not (row.gone and row.base is None)
        }

    # --- what is to be shown --------------------------------------------------------------

    def _wanted(self, held: Mapping[int, Held]) -> dict[int, _Meeting]:
        """The meetings to be shown, each series before its changed dates."""
        ids = self._eligible(held)
        found = rows.activities(self.connection, ids)
        about = self._about(list(found))
        masters = {
            (one["ical_uid"], one["owner_id"]): key
            for key, one in found.items()
            if one["ical_uid"] and not one["recurrence_id"]
        }
        left_out = self._left_out(found)
        wanted = {}
        for key, record in sorted(
            found.items(), key=lambda one: (bool(one[1]["recurrence_id"]), one[0])
        ):
            series = None
            if record["recurrence_id"]:
                series = masters.get((record["ical_uid"], record["owner_id"]))
                if series is None:
                    continue
            fields = self._fields(record, about[key], left_out.get(key, ()))
            wanted[key] = _Meeting(record, fields, series)
        return wanted

    def _eligible(self, held: Mapping[int, Held]) -> list[int]:
        """Keys of the meetings this user may know of and whose own calendar does not hold them."""
        if self.chosen.contacts is ContactScope.NONE:
            return []
        since = clock.now() - rows.WINDOW
        accounts = rows.chosen_accounts(self.chosen)
        reads = permissions.row_clause(self.actor, registry.get("account"), _ACCOUNT, "read")
        known = permissions.content_clause(self.actor, registry.get("activity"), _ACTIVITY)
        clauses: list[ColumnElement[bool]] = [one for one in (reads, known) if one is not None]
        statement = (
            select(_ACTIVITY.c.id)
            .join(_ACCOUNT, _ACCOUNT.c.id == _ACTIVITY.c.account_id)
            .where(
                _ACTIVITY.c.kind == ActivityKind.APPOINTMENT.value,
                _ACTIVITY.c.deleted_at.is_(None),
                _ACTIVITY.c.state.in_(_STANDS),
                _ACTIVITY.c.start_at.is_not(None),
                _ACTIVITY.c.sensitivity != Sensitivity.PRIVATE.value,
                _ACTIVITY.c.owner_id.is_distinct_from(self.chosen.user),
                _ACTIVITY.c.account_id.in_(accounts),
                _ACCOUNT.c.deleted_at.is_(None),
                or_(
                    _ACTIVITY.c.start_at >= since,
                    _ACTIVITY.c.recurrence_rule.is_not(None),
                    _ACTIVITY.c.recurrence_id.is_not(None),
                    key_clause(self.connection, _ACTIVITY.c.id, sorted(held)),
                ),
                ~self._in_own_calendar(),
                *clauses,
            )
        )
        return list(self.connection.execute(statement).scalars())

    def _in_own_calendar(self) -> ColumnElement[bool]:
        """Whether the user's own calendar has it: they were invited and the invitation came."""
        own = _ACTIVITY.alias("own")
        mine = exists().where(
            own.c.ical_uid == _ACTIVITY.c.ical_uid,
            own.c.owner_id == self.chosen.user,
            own.c.deleted_at.is_(None),
        )
        there = exists().where(
            _ITEM.c.mailbox_id == self.mailbox,
            _ITEM.c.state != ItemState.GONE.value,
            or_(
                _ITEM.c.activity_id == _ACTIVITY.c.id,
                _ITEM.c.identity == _ACTIVITY.c.ical_uid.concat(literal("|")),
            ),
        )
        return or_(mine, there)

    def _left_out(self, found: Mapping[int, Mapping[str, Any]]) -> dict[int, list[str]]:
        """Dates a series leaves out here since they were called off, or may not be known."""
        series = {
            (one["ical_uid"], one["owner_id"]): key
            for key, one in found.items()
            if one["recurrence_rule"] and one["ical_uid"]
        }
        if not series:
            return {}
        dates = self.connection.execute(
            select(
                _ACTIVITY.c.id,
                _ACTIVITY.c.ical_uid,
                _ACTIVITY.c.owner_id,
                _ACTIVITY.c.recurrence_id,
            ).where(
                _ACTIVITY.c.ical_uid.in_(sorted(uid for uid, _ in series)),
                _ACTIVITY.c.recurrence_id.is_not(None),
            )
        )
        gone: dict[int, list[str]] = {}
        for row in dates:
            master = series.get((row.ical_uid, row.owner_id))
            if master is not None and row.id not in found:
                gone.setdefault(master, []).append(row.recurrence_id)
        return gone

    def _about(self, ids: list[int]) -> dict[int, tuple[str, str]]:
        """Names of the account and the owner of meetings."""
        user = User.__table__
        found = self.connection.execute(
            select(_ACTIVITY.c.id, _ACCOUNT.c.name, user.c.name.label("owner"))
            .join(_ACCOUNT, _ACCOUNT.c.id == _ACTIVITY.c.account_id)
            .outerjoin(user, user.c.id == _ACTIVITY.c.owner_id)
            .where(key_clause(self.connection, _ACTIVITY.c.id, ids))
        )
        return {row.id: (row.name or "", row.owner or "") for row in found}

    def _fields(
        self, record: Mapping[str, Any], about: tuple[str, str], left_out: Sequence[str]
    ) -> Fields:
        account, owner = about
        subject = str(record.get("subject") or "")
        if fold(account) not in fold(subject):
            subject = f"{subject} · {account}"
        told = {
            **record,
            "subject": subject,
            "description": "\n".join(name for name in (account, owner) if name),
            "status_reason": ShowAs.FREE.value,
            "state": ActivityState.OPEN.value,
            "reminder_minutes": None,
            "recurrence_exceptions": [*(record.get("recurrence_exceptions") or ()), *left_out],
        }
        fields = fields_of_record(Kind.MEETING, told, Frame(self.actor.zone, self.actor.language))
        return {name: fields[name] for name in _WRITTEN if name in fields}

    # --- what is to be done ---------------------------------------------------------------

    def _work(self, meeting: _Meeting, row: Held | None, series: Held | None) -> Work:
        title, before = str(meeting.fields["subject"]), _agreed(row)
        pair = Pair(Kind.MEETING, f"{SHOWN}{meeting.key}", title)
        step: Step | None = None
        if row is None:
            step = _step(
                pair, StepKind.CREATE, NEW, {n: (None, v) for n, v in meeting.fields.items()}
            )
        else:
            values = {
                one.name: (before.get(one.name), meeting.fields[one.name])
                for one in TABLES[Kind.MEETING].fields
                if one.name in meeting.fields
                and not (
                    one.name in before and one.same(before[one.name], meeting.fields[one.name])
                )
            }
            # A mailbox takes back no date it was told to delete; new ones are deleted one by one.
            _, dates = values.pop("left_out", (None, ()))
            new = tuple(sorted(set(dates) - set(before.get("left_out") or ())))
            if values:
                step = _step(pair, StepKind.CHANGE, CHANGED_HERE, values)
            elif new:
                step = Step(
                    Side.MAILBOX, StepKind.DELETE, pair.kind, pair.key, title, NO_LONGER,
                    occurrences=new,
                )  # fmt: skip
        # An identity of its own: the invitation may come to the user's own calendar later.
        uid = f"crm-{meeting.record['ical_uid'] or meeting.key}"
        return Work(
            pair,
            Decision((step,) if step else ()),
            row,
            {**meeting.record, "ical_uid": uid},
            series,
            shown=self.folder,
            identity=meeting.identity,
        )

    def _removal(self, key: int, row: Held) -> Work:
        title = str(_agreed(row).get("subject") or "")
        pair = Pair(Kind.MEETING, f"{SHOWN}{key}", title)
        step = _step(pair, StepKind.DELETE, NO_LONGER, {})
        return Work(
            pair,
            Decision((step,)),
            row,
            {"id": key},
            shown=self.folder,
            identity=row.identity,
        )


def _step(pair: Pair, what: StepKind, reason: str, values: Mapping[str, tuple[Any, Any]]) -> Step:
    return Step(Side.MAILBOX, what, pair.kind, pair.key, pair.title, reason, values=values)


def _stands(row: Held | None) -> bool:
    return row is not None and not row.gone and not row.ordered


def _moving(row: Held, orders: Collection[int], busy: Collection[str]) -> bool:
    """Whether something about it is on its way already."""
    return row.order in orders or row.item_key in busy


def _agreed(row: Held | None) -> Fields:
    """What the calendar was last made to say."""
    return (row.base or {}).get("mailbox") or {} if row is not None else {}


def ordered(work: Work, step: Step) -> dict[str, Any]:
    """The base of a row while a step is on its way: what it will say, and what it says."""
    says = dict(_agreed(work.row))
    will = {**says, **step.gives}
    if step.occurrences:
        will["left_out"] = sorted({*(says.get("left_out") or ()), *step.occurrences})
    return {"local": will, "mailbox": says}


def place(
    connection: Connection, new: tuple[int, str], work: Work, values: dict[str, Any], by: int | None
) -> None:
    """Keep that a step is on its way; a row for what is new, in place of one that was lost.

    Args:
        connection: a transaction.
        new: key of the mailbox, and what an item that is being made is called until it is there.
        work: the meeting.
        values: the order and the base.
        by: who asked for it.
    """
    if work.row is not None:
        rows.keep(connection, work.row.id, values, by)
        return
    mailbox, key = new
    lost = (_ITEM.c.mailbox_id == mailbox) & (_ITEM.c.identity == work.identity)
    delete_where(connection, MailboxItem, lost)
    made = {**values, "state": ItemState.ORDERED.value, "identity": work.identity}
    rows.place(connection, (mailbox, work.shown or "", f"new:{key}"), made, by)


def with_records(connection: Connection, actor: Actor, items: Sequence[Any]) -> list[Any]:
    """Rows of a mailbox; those of shown meetings with the record, where all of it may be known.

    One whose change is on its way, or that is private by now, is left out: what a command makes
    of it would tell what the calendar no longer may.
    """
    named = {
        row.id: int(row.identity.split(":")[1])
        for row in items
        if (row.identity or "").startswith(SHOWN)
    }
    if not named:
        return list(items)
    known = permissions.content_clause(actor, registry.get("activity"), _ACTIVITY)
    readable = set(
        connection.execute(
            select(_ACTIVITY.c.id).where(
                key_clause(connection, _ACTIVITY.c.id, sorted(set(named.values()))),
                _ACTIVITY.c.deleted_at.is_(None),
                _ACTIVITY.c.sensitivity != Sensitivity.PRIVATE.value,
                *(() if known is None else (known,)),
            )
        ).scalars()
    )
    return [
        SimpleNamespace(**{**row._mapping, "activity_id": named[row.id]})
        if row.id in named
        else row
        for row in items
        if row.id not in named or (row.order_id is None and named[row.id] in readable)
    ]


def awaited(connection: Connection, mailbox: int) -> bool:
    """Whether anything is on its way."""
    return bool(rows.held(connection, _ITEM.c.activity_id, _on_its_way(mailbox)))


def _on_its_way(mailbox: int) -> ColumnElement[bool]:
    return and_(_ITEM.c.mailbox_id == mailbox, _ITEM.c.order_id.is_not(None), rows.is_shown())


def settle(connection: Connection, mailbox: int, by: int | None) -> None:
    """Note what became of what was ordered; one statement when nothing was."""
    for row in rows.held(connection, _ITEM.c.activity_id, _on_its_way(mailbox)):
        order = connection.execute(
            select(_ORDER.c.state, _ORDER.c.why_params).where(_ORDER.c.id == row.order)
        ).one_or_none()
        state = OutboxState.CANCELLED if order is None else OutboxState(order.state)
        if state in OPEN:
            continue
        if state is OutboxState.DONE:
            _done(connection, mailbox, row, by)
            continue
        step = str((order.why_params or {}).get("step", "")) if order is not None else ""
        if step and state in (OutboxState.FAILED, OutboxState.CANCELLED):
            line = ":".join(row.identity.split(":")[:2])
            strikes.put(connection, mailbox, [(line, step, "")], by)
        if row.ordered:
            delete_rows(connection, MailboxItem, "id", [row.id])
        else:
            says = _agreed(row)
            undone = {"order_id": None, "base": {"local": says, "mailbox": says}}
            rows.keep(connection, row.id, undone, by)


def _done(connection: Connection, mailbox: int, row: Held, by: int | None) -> None:
    deed, at = outbox_rows.done(connection, row.order or 0)
    if isinstance(deed, Delete) and deed.occurrence is None:
        key = row.identity.split(":")[1]
        # With a series its changed dates went, too.
        gone = or_(_ITEM.c.id == row.id, _ITEM.c.identity.like(f"{SHOWN}%:{key}"))
        here = and_(_ITEM.c.mailbox_id == mailbox, _ITEM.c.folder == row.folder)
        delete_where(connection, MailboxItem, and_(here, gone))
        return
    says = (row.base or {}).get("local") or {}
    values: dict[str, Any] = {"order_id": None, "base": {"local": says, "mailbox": says}}
    if row.ordered and at is not None:
        values |= {
            "state": ItemState.STORED.value,
            "item_key": plain(at.item_id, 1_000),
            "folder": at.folder,
        }
    elif row.ordered:
        values["state"] = ItemState.GONE.value
    rows.keep(connection, row.id, values, by)
