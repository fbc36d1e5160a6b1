"""Moving whatever points to some records over to another one, whoever may see it (R52)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import and_, select

from desktop_crm.meta import registry
from desktop_crm.meta.bound import SYSTEM_FIELDS, Entity
from desktop_crm.models import MODELS, Base
from desktop_crm.models.activity import LinkState
from desktop_crm.services import records_kept, writer
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.duplicates.references import (
    Reference,
    comparable,
    living_sets,
    references,
    unique_sets,
)
from desktop_crm.services.query import key_clause
from desktop_crm.services.values import encode

_NOT_SAID: Final = SYSTEM_FIELDS | {"position", "is_primary", "occurred_at"}
_TRUST: Final = (LinkState.LINKED, LinkState.SUGGESTED, LinkState.REJECTED)
_OF_LINK: Final = ("rule", "evidence", "confidence", "state", "linked_by")

Row = dict[str, Any]
Columns = tuple[str, ...]


@dataclass(slots=True)
class Moved:
    """What was moved, as far as the audit trail does not say it.

    Attributes:
        facts: Rows without audit, by entity, column, old key and the keys of the rows.
        dropped: Rows that said the same as another one and may stand only once, as they were.
        report: What changed.
    """

    facts: list[tuple[str, str, int, list[int]]] = field(default_factory=list)
    dropped: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    report: ChangeSet = NOTHING


def model_of(entity: Entity) -> type[Base]:
    """Declared class of an entity."""
    return next(model for model in MODELS if model.__entity__.key == entity.key)


def repoint(work: Work, master: int, losers: Sequence[int]) -> Moved:
    """Let everything that points to the losers point to the master.

    Rows that would then say the same twice become one; a record never points to itself. A fixed
    number of statements for each kind of reference.
    """
    mover = _Mover(work, master, list(losers))
    for reference in references(work.entity.key):
        mover.move(reference)
    return mover.moved


class _Mover:
    """Moves one kind of reference after the other within one operation."""

    def __init__(self, work: Work, master: int, losers: list[int]) -> None:
        self._work = work
        self._master = master
        self._losers = losers
        self.moved = Moved()

    def move(self, reference: Reference) -> None:
        """Move the rows of one kind of reference."""
        found = self._pointing(reference, self._losers)
        if not found:
            return
        holder = reference.holder
        sets = unique_sets(holder, reference.column)
        kept = self._without_twins(reference, found, sets) if sets else found
        if not holder.is_record:
            self._move_facts(reference, kept)
            return
        inner = replace(self._work, entity=holder)
        self._bin_rivals(inner, reference, kept)
        stored = writer.load(inner, [row["id"] for row in kept])
        drafts = [
            Draft(key, row["version"], row, {reference.field: self._target_of(holder, key)})
            for key, row in stored.items()
        ]
        self._report(writer.rewrite(inner, drafts))
        self._bin_repeated(inner, reference, kept)

    def _target_of(self, holder: Entity, key: int) -> int | None:
        # A record does not point to itself: the master loses a link to what it takes in.
        itself = key == self._master and holder.key == self._work.entity.key
        return None if itself else self._master

    def _report(self, changes: ChangeSet) -> None:
        self.moved.report = self.moved.report.merge(changes)

    def _pointing(self, reference: Reference, keys: Sequence[int]) -> list[Row]:
        """Rows that point to some records, deleted ones among them; locked. By field name."""
        table = reference.holder.table
        condition = key_clause(self._work.connection, table.c[reference.column], keys)
        if reference.kind:
            condition = and_(table.c[reference.kind] == self._work.entity.key, condition)
        stored = reference.holder.stored
        # Not the table as a whole: it may have grown columns that this database lacks.
        columns = [field.column for field in stored.values() if field.column is not None]
        statement = select(*columns).where(condition).order_by(table.c.id).with_for_update()
        rows = self._work.connection.execute(statement)
        return [dict(zip(stored, row, strict=True)) for row in rows]

    def _move_facts(self, reference: Reference, rows: Sequence[Row]) -> None:
        holder = reference.holder
        by_loser: dict[int, list[int]] = {}
        for row in rows:
            by_loser.setdefault(row[reference.field], []).append(row["id"])
        for loser, ids in by_loser.items():
            chosen = key_clause(self._work.connection, holder.table.c.id, ids)
            values = {reference.column: self._master}
            records_kept.set_where(self._work.connection, model_of(holder), chosen, values)
            self.moved.facts.append((holder.key, reference.column, loser, ids))

    # --- rows that would say the same twice ------------------------------------------------

    def _key(self, reference: Reference, row: Row, columns: Columns) -> tuple[object, ...]:
        """What a row holds in some columns once it is moved."""
        names = _names(reference.holder)
        return (
            columns,
            *(self._master if c == reference.column else row[names[c]] for c in columns),
        )

    def _without_twins(
        self, reference: Reference, found: Sequence[Row], sets: Sequence[Columns]
    ) -> list[Row]:
        """Drop rows that would break a rule of the table; what they know better, the twin takes."""
        standing = {
            self._key(reference, row, columns): row
            for row in self._pointing(reference, [self._master])
            for columns in sets
        }
        kept: list[Row] = []
        twins: list[tuple[Row, Row]] = []
        for row in found:
            keys = [self._key(reference, row, columns) for columns in sets]
            twin = next((standing[key] for key in keys if key in standing), None)
            if twin is None:
                kept.append(row)
                standing.update((key, row) for key in keys)
            else:
                twins.append((row, twin))
        if twins:
            self._drop(reference.holder, [row for row, _twin in twins])
            if reference.holder.key == "link":
                self._keep_the_better(reference.holder, twins)
        return kept

    def _drop(self, holder: Entity, rows: Sequence[Row]) -> None:
        for row in rows:
            plain = {name: encode(value) for name, value in row.items()}
            self.moved.dropped.append((holder.key, plain))
        ids = [row["id"] for row in rows]
        records_kept.delete_rows(self._work.connection, model_of(holder), "id", ids)

    def _keep_the_better(self, holder: Entity, twins: Iterable[tuple[Row, Row]]) -> None:
        """Of two links of one activity the one a person decided counts, then the firmer one."""
        drafts: dict[int, Draft] = {}
        for row, twin in twins:
            draft = drafts.setdefault(twin["id"], Draft(twin["id"], twin["version"], twin, {}))
            if _trust(row) > _trust({name: draft.get(name) for name in twin}):
                for name in _OF_LINK:
                    draft.set(name, row[name])
            if row["is_regarding"]:
                draft.set("is_regarding", True)
        changed = [draft for draft in drafts.values() if draft.new]
        self._report(writer.rewrite(replace(self._work, entity=holder), changed))

    def _bin_rivals(self, inner: Work, reference: Reference, rows: Sequence[Row]) -> None:
        """Put rows into the bin that could not live beside one of the master's."""
        for columns in living_sets(inner.entity, reference.column):
            standing = {
                self._key(reference, row, columns)
                for row in self._pointing(reference, [self._master])
                if row.get("deleted_at") is None
            }
            gone: list[int] = []
            for row in rows:
                key = self._key(reference, row, columns)
                if row.get("deleted_at") is None and key in standing:
                    gone.append(row["id"])
                standing.add(key)
            self._report(writer.remove(inner, gone))

    def _bin_repeated(self, inner: Work, reference: Reference, rows: Sequence[Row]) -> None:
        """Put moved rows into the bin that say what another says, or tie the master to itself."""
        holder = inner.entity
        target = holder.stored[reference.field].target
        if not (holder.parent or holder.key == "connection") or _is_line_of(target, holder.key):
            return  # a form's own rows are joined by what they say, with their parent
        said = [n for n in holder.stored if n not in _NOT_SAID]
        moved = {row["id"] for row in rows}
        standing = [
            row
            for row in self._pointing(reference, [self._master])
            if row.get("deleted_at") is None
        ]
        seen: set[tuple[object, ...]] = set()
        gone: list[int] = []
        for row in sorted(standing, key=lambda r: (r["id"] in moved, r["id"])):
            values = tuple(_said(row[name]) for name in said)
            if row["id"] in moved and (values in seen or _to_itself(row)):
                gone.append(row["id"])
            seen.add(values)
        self._report(writer.remove(inner, gone))


def _said(value: object) -> object:
    """A value that can be looked for among others; lists are what they are written as."""
    plain = comparable(value)
    return repr(plain) if isinstance(plain, dict | list) else plain


def _names(entity: Entity) -> dict[str, str]:
    return {str(f.column.name): n for n, f in entity.stored.items() if f.column is not None}


def _trust(row: Mapping[str, Any]) -> tuple[bool, int]:
    return row["linked_by"] is not None, -_TRUST.index(LinkState(row["state"]))


def _to_itself(row: Mapping[str, Any]) -> bool:
    ends = [(row[f"{end}_type"], row[f"{end}_id"]) for end in ("from", "to") if f"{end}_id" in row]
    return len(ends) > 1 and ends[0] == ends[1]


def _is_line_of(parent: str, child: str) -> bool:
    found = registry.find(parent) if parent else None
    return found is not None and any(lines.entity == child for lines in found.lines)
