"""Meetings as a batch brings them: only what changed there is taken, what changed here stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.models import Activity, MailboxItem
from desktop_crm.services.context import Actor
from desktop_crm.services.query import key_clause
from desktop_crm.sync.plan import Action, ActionKind
from desktop_crm.sync.port import MeetingItem
from desktop_crm.sync.twoway import rows
from desktop_crm.sync.twoway.fields import Frame, Way
from desktop_crm.sync.twoway.incoming import differs
from desktop_crm.sync.twoway.kinds import (
    TABLES,
    Kind,
    fields_of_item,
    fields_of_record,
    onto_item,
)
from desktop_crm.sync.twoway.merge import Base, base_of, merge
from desktop_crm.sync.twoway.plan import CHANGED_THERE, Side, Step, StepKind

_ITEM: Final = MailboxItem.__table__


@dataclass(slots=True)
class MeetingBatch:
    """Both sides of the meetings of one batch, inside its transaction.

    Attributes:
        steps: what the batch changes here, for a dry run.
    """

    connection: Connection
    actor: Actor
    user: int | None
    steps: list[Step] = field(default_factory=list)
    _said: dict[str, dict[str, Any]] = field(default_factory=dict)
    _bases: dict[int, Mapping[str, Any] | None] = field(default_factory=dict)
    _merged: dict[str, Base] = field(default_factory=dict)
    _finished: set[int] = field(default_factory=set)
    _private: set[int] = field(default_factory=set)

    def merged(self, actions: Sequence[Action]) -> list[Action]:
        """The actions with each changed meeting as it is once both sides' changes are in it."""
        meetings = [a for a in actions if isinstance(a.item, MeetingItem)]
        if not meetings:
            return list(actions)
        self._said = {a.key: fields_of_item(a.item) for a in meetings if a.item is not None}  # type: ignore[arg-type]
        self._read([a.holder for a in meetings if a.holder is not None])
        ids = [a.activity for a in meetings if a.kind is ActionKind.UPDATE and a.activity]
        records = rows.activities(self.connection, ids)
        return [self._one(action, records) for action in actions]

    def _read(self, holders: list[int]) -> None:
        found = self.connection.execute(
            select(_ITEM.c.id, _ITEM.c.base).where(
                key_clause(self.connection, _ITEM.c.id, sorted(holders))
            )
        )
        self._bases = {row.id: row.base for row in found}

    def _one(self, action: Action, records: Mapping[int, Mapping[str, Any]]) -> Action:
        record = records.get(action.activity or 0)
        item = action.item
        own = record is not None and record["owner_id"] == self.user
        if action.kind is not ActionKind.UPDATE or not isinstance(item, MeetingItem) or not own:
            return action
        assert record is not None  # noqa: S101  said by `own`
        frame = Frame(self.actor.zone, self.actor.language)
        local = fields_of_record(Kind.MEETING, record, frame)
        said = self._said[action.key]
        base = base_of(self._bases.get(action.holder or 0))
        organizer = bool(record["is_organizer"])
        found = merge(Kind.MEETING, base, local, said, organizer=organizer)
        self._merged[action.key] = found.base
        if "status" not in local:
            self._finished.add(record["id"])
        if local.get("privacy"):
            self._private.add(record["id"])
        if found.to_local:
            values = {name: (local.get(name), new) for name, new in found.to_local.items()}
            key, title = f"activity:{record['id']}", str(record["subject"])
            self.steps.append(
                Step(
                    Side.HERE,
                    StepKind.CHANGE,
                    Kind.MEETING,
                    key,
                    title,
                    CHANGED_THERE,
                    values=values,
                )
            )
        stays = {
            one.name: found.to_local.get(one.name, local[one.name])
            for one in TABLES[Kind.MEETING].fields
            if one.way is Way.BOTH and one.name in local and one.name in said
        }
        merged = onto_item(item, stays)
        return replace(action, item=merged if isinstance(merged, MeetingItem) else item)

    def kept(self, record: int) -> frozenset[str]:
        """What of a record is not the mailbox's to say.

        A meeting that was held here stays held, and one that is private here keeps the words that
        never left it (R39).
        """
        state = {"state", "status_reason"} if record in self._finished else set()
        words = {"subject", "location", "description", "parties", "tags", "reminder_minutes"}
        return frozenset(state | (words if record in self._private else set()))

    def sides(self, action: Action) -> dict[str, Any]:
        """Columns of a row: what both sides agree on, and what the mailbox says since."""
        said = self._said.get(action.key)
        if said is None:
            return {}
        if action.kind is ActionKind.CREATE:
            return {"base": Base(said, said).stored(), "seen": None}
        before = self._bases.get(action.holder or 0)
        base = self._merged.get(action.key) or base_of(before)
        stored = base.stored() if base is not None else None
        seen = said if differs(Kind.MEETING, stored, said) else None
        return {"seen": seen} if stored is None else {"base": stored, "seen": seen}

    def versions(self, activities: Sequence[int]) -> None:
        """Keep with the rows of new meetings the versions of their records; two statements."""
        if not activities:
            return
        table = Activity.__table__
        found = self.connection.execute(
            select(_ITEM.c.id, table.c.version)
            .join(table, table.c.id == _ITEM.c.activity_id)
            .where(
                key_clause(self.connection, _ITEM.c.activity_id, sorted(activities)),
                _ITEM.c.base.is_not(None),
                _ITEM.c.record_version.is_(None),
            )
        ).all()
        for row in found:
            rows.keep(self.connection, row.id, {"record_version": row.version}, self.actor.user_id)
