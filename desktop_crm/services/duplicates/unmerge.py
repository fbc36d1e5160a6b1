"""Taking a merge apart again: the losers come back with what did not move since (R53)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, and_, select

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.models import AuditEntry, DuplicatePair, MergeLog
from desktop_crm.models.duplicate import DuplicateState, MergeState
from desktop_crm.models.office import AuditAction
from desktop_crm.services import audit, records_kept, writer
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.checks import reachable
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.duplicates.merge import LOG, MergeWish, merge_within
from desktop_crm.services.duplicates.references import unique_sets
from desktop_crm.services.duplicates.repoint import model_of
from desktop_crm.services.permissions import denial
from desktop_crm.services.query import key_clause
from desktop_crm.services.values import decode, same

_ENTRY: Final = AuditEntry.__table__
_LOG: Final = MergeLog.__table__
_SOURCE: Final = "undo"


@dataclass(frozen=True, slots=True)
class Kept:
    """One value that stays as it is because somebody changed it since the merge."""

    entity: str
    id: int
    title: str
    label: str

    @property
    def text(self) -> str:
        """What stays, in words."""
        entity = tr(registry.get(self.entity).label)
        shown = self.title or f"{self.id}"
        if not self.label:
            return tr("{entity} “{title}”", entity=entity, title=shown)
        return tr("{entity} “{title}”: {field}", entity=entity, title=shown, field=tr(self.label))


@dataclass(frozen=True, slots=True)
class Unmerged:
    """Result of taking a merge apart.

    Attributes:
        entity: Entity of the records.
        master: The record that had been kept.
        restored: The records that are back.
        kept: What could not be put back, because it was changed since.
        changes: What changed.
    """

    entity: str
    master: int
    restored: tuple[int, ...]
    kept: tuple[Kept, ...]
    changes: ChangeSet


@dataclass(slots=True)
class _Deed:
    """What the merge did to one row: first and last value of each field, and its marks."""

    sides: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    marks: list[str] = field(default_factory=list)


def unmerge(actor: Actor, operation: str) -> Unmerged:
    """Take a merge apart: losers, their children, links and files are as they were.

    What somebody changed since stays as it is and is told. One transaction, one step of undo.

    Args:
        actor: Who does it; needs the rights the merge took.
        operation: Uid of the merge in the audit trail.

    Raises:
        UserError: It was taken apart already, or the record that was kept is gone or was merged
            itself; nothing was changed.
        PermissionDenied: The user may not change the records.
    """
    with actor.db.writing() as connection:
        return unmerge_within(actor, connection, operation, new_uid())


def preview(actor: Actor, operation: str) -> tuple[Kept, ...]:
    """What could not be put back if the merge were taken apart now; reads only."""
    with actor.db.reading() as connection:
        logs = _logs(connection, operation)
        entity = registry.get(logs[0]["entity"])
        work = Work(actor, connection, entity, "", None, _SOURCE, undoes=operation)
        return tuple(_Parting(work, logs, lock=False).blocked())


def unmerge_within(
    actor: Actor, connection: Connection, operation: str, mark: str, source: str = _SOURCE
) -> Unmerged:
    """Take a merge apart inside an open transaction; see :func:`unmerge`."""
    logs = _logs(connection, operation)
    entity = registry.get(logs[0]["entity"])
    work = Work(actor, connection, entity, mark, None, source, undoes=operation)
    master = int(logs[0]["master_id"])
    losers = tuple(int(log["loser_id"]) for log in logs)
    _check(work, logs, master, losers)
    _say(work, logs)
    parting = _Parting(work, logs, lock=True)
    kept = parting.blocked()
    report = parting.put_back()
    _put_pairs_back(work, logs, master, losers)
    chosen = key_clause(connection, _LOG.c.id, [log["id"] for log in logs])
    values = {"state": MergeState.UNMERGED.value}
    records_kept.set_where(connection, MergeLog, chosen, values)
    changes = ChangeSet(mark, report.changes)
    return Unmerged(entity.key, master, losers, tuple(kept), changes)


def _logs(connection: Connection, operation: str) -> list[Mapping[str, Any]]:
    statement = select(_LOG).where(_LOG.c.operation == operation).order_by(_LOG.c.id)
    found = list(connection.execute(statement).mappings())
    if not found:
        raise UserError(
            N_("This merge does not exist, or you may not see its records. Nothing was changed.")
        )
    return [dict(row) for row in found]


def _check(
    work: Work, logs: Sequence[Mapping[str, Any]], master: int, losers: Sequence[int]
) -> None:
    if logs[0]["state"] != MergeState.MERGED:
        raise UserError(N_("This merge was taken apart already. Nothing was changed."))
    entity = work.entity
    row = writer.load(work, [master]).get(master)
    if row is None or (row["deleted_at"] is not None and row["merged_into"] is None):
        raise UserError(
            N_("The record that was kept is deleted. Restore it first; nothing was changed.")
        )
    if row["merged_into"] is not None:
        raise UserError(
            N_(
                "The record that was kept was merged into another one since. Take that merge "
                "apart first; nothing was changed."
            )
        )
    if len(reachable(work, [master], "edit")) != 1:
        raise denial(work.actor, entity, "edit")
    there = writer.load(work, losers)
    if len(reachable(work, list(there), "remove")) != len(losers):
        raise denial(work.actor, entity, "remove")


def _say(work: Work, logs: Sequence[Mapping[str, Any]]) -> None:
    log_work = replace(work, entity=registry.get(LOG))
    entries = [audit.entry(log_work, AuditAction.UPDATE, log["id"], 2, {}) for log in logs]
    audit.write(log_work, entries)


class _Parting:
    """The entries of a merge, read backwards row by row."""

    def __init__(self, work: Work, logs: Sequence[Mapping[str, Any]], *, lock: bool) -> None:
        self._work = work
        self._details: Mapping[str, Any] = logs[0]["details"] or {}
        self._master = int(logs[0]["master_id"])
        self._deeds = _deeds(work.connection, str(logs[0]["operation"]))
        self._stored = {
            key: writer.load(self._inner(key), list(deeds), lock=lock)
            for key, deeds in self._deeds.items()
        }
        self._kept: list[Kept] = []

    def _inner(self, entity_key: str) -> Work:
        return replace(self._work, entity=registry.get(entity_key))

    def blocked(self) -> list[Kept]:
        """What was changed since the merge and stays."""
        found: list[Kept] = []
        for key, deeds in self._deeds.items():
            entity = registry.get(key)
            for record, deed in deeds.items():
                row = self._stored[key].get(record)
                if row is None:
                    found.append(Kept(key, record, "", ""))
                    continue
                title = str(row.get(entity.title) or "")
                found += [
                    Kept(key, record, title, _field(entity, name).label)
                    for name, (_old, new) in deed.sides.items()
                    if _moved_since(entity, name, row, new)
                ]
        return found

    def put_back(self) -> ChangeSet:
        """Put everything back that did not move since."""
        report = ChangeSet(self._work.operation)
        self._insert_dropped()
        self._put_facts_back()
        for key, deeds in self._deeds.items():
            report = report.merge(self._write_back(self._inner(key), deeds))
        # Values first: two rows that may not live side by side no longer say the same.
        for key, deeds in self._deeds.items():
            inner, stored = self._inner(key), self._stored[key]
            made = [r for r, d in deeds.items() if r in stored and AuditAction.CREATE in d.marks]
            gone = [r for r, d in deeds.items() if r in stored and AuditAction.DELETE in d.marks]
            report = report.merge(writer.remove(inner, made))
            report = report.merge(writer.remove(inner, gone, restore=True))
        return report

    def _write_back(self, inner: Work, deeds: Mapping[int, _Deed]) -> ChangeSet:
        now = writer.load(inner, [r for r, d in deeds.items() if d.sides])
        drafts = [_draft(inner.entity, now[r], d) for r, d in deeds.items() if r in now]
        drafts = [draft for draft in drafts if draft.new or draft.line_changes]
        if inner.entity.key != self._work.entity.key:
            return writer.rewrite(inner, drafts)
        # Rules keep other rows in step with the record that was kept, and put them back.
        own = [d for d in drafts if d.id == self._master]
        report = writer.put_back(inner, own)
        return report.merge(writer.rewrite(inner, [d for d in drafts if d.id != self._master]))

    def _insert_dropped(self) -> None:
        """Insert rows again of which only one could stand."""
        connection = self._work.connection
        for key, plain in self._details.get("dropped", ()):
            entity = registry.get(key)
            bound = {n: f.column for n, f in entity.stored.items() if f.column is not None}
            columns = {
                str(bound[n].name): decode(entity.stored[n], v)
                for n, v in plain.items()
                if n in bound
            }
            table = entity.table
            sets = [("id",), *unique_sets(entity)]
            taken = any(
                connection.execute(
                    select(table.c.id).where(*(table.c[c] == columns.get(c) for c in names))
                ).first()
                for names in sets
            )
            if not taken:
                records_kept.insert_again(connection, model_of(entity), [columns])

    def _put_facts_back(self) -> None:
        for key, column, loser, ids in self._details.get("facts", ()):
            table = registry.get(key).table
            chosen = key_clause(self._work.connection, table.c.id, ids)
            still = and_(chosen, table.c[column] == self._master)
            model = model_of(registry.get(key))
            records_kept.set_where(self._work.connection, model, still, {column: loser})


def _deeds(connection: Connection, operation: str) -> dict[str, dict[int, _Deed]]:
    """What an operation did to each row, by entity."""
    found: dict[str, dict[int, _Deed]] = defaultdict(dict)
    statement = (
        select(_ENTRY.c.entity, _ENTRY.c.record_id, _ENTRY.c.action, _ENTRY.c.changes)
        .where(_ENTRY.c.operation == operation, _ENTRY.c.entity != LOG)
        .order_by(_ENTRY.c.id)
    )
    for key, record, action, changes in connection.execute(statement):
        entity = registry.get(key)
        deed = found[key].setdefault(record, _Deed())
        if action != AuditAction.UPDATE:
            deed.marks.append(action)
            continue
        for name, (old, new) in (changes or {}).items():
            bound = entity.stored.get(name) or entity.fields.get(name)
            if bound is None:
                continue
            lines = bound.column is None
            before = old if lines else decode(bound, old)
            after = new if lines else decode(bound, new)
            deed.sides[name] = (deed.sides.get(name, (before, None))[0], after)
    return found


def _field(entity: Entity, name: str) -> BoundField:
    return entity.stored.get(name) or entity.fields[name]


def _moved_since(entity: Entity, name: str, row: Mapping[str, Any], new: object) -> bool:
    return _field(entity, name).column is not None and not same(row.get(name), new)


def _draft(entity: Entity, row: dict[str, Any], deed: _Deed) -> Draft:
    draft = Draft(row["id"], row["version"], row, {})
    for name, (old, new) in deed.sides.items():
        if _field(entity, name).column is None:
            draft.line_changes[name] = (new, old)
        elif not _moved_since(entity, name, row, new):
            draft.set(name, old)
    return draft


def _put_pairs_back(
    work: Work, logs: Sequence[Mapping[str, Any]], master: int, losers: Sequence[int]
) -> None:
    """Let the pairs be as they were; those that were merged are known to be different now."""
    connection = work.connection
    entity = registry.get("duplicate_pair")
    plain = (logs[0]["details"] or {}).get("pairs", ())
    rows = [{n: _pair_value(entity, n, v) for n, v in row.items()} for row in plain]
    records_kept.delete_rows(connection, DuplicatePair, "id", [row["id"] for row in rows])
    inside = {master, *losers}
    for row in rows:
        if {row["first_id"], row["second_id"]} <= inside:
            row["state"] = DuplicateState.DIFFERENT.value
            row["decided_by_id"] = work.actor.user_id
            row["decided_at"] = clock.now()
    records_kept.insert_again(connection, DuplicatePair, rows)


def _pair_value(entity: Entity, column: str, value: Any) -> Any:  # noqa: ANN401  any kind
    bound = entity.fields.get(column) or entity.fields.get(column.removesuffix("_id"))
    return value if bound is None else decode(bound, value)


def merged_again(
    actor: Actor, connection: Connection, log_id: int, mark: str, source: str
) -> ChangeSet:
    """Do a merge again that was taken apart, as redo of undo asks for."""
    row = connection.execute(select(_LOG).where(_LOG.c.id == log_id)).mappings().one()
    first = (
        connection.execute(
            select(_LOG.c.details).where(_LOG.c.operation == row["operation"]).order_by(_LOG.c.id)
        )
        .scalars()
        .first()
    )
    details = first or {}
    wish = MergeWish(
        row["entity"], row["master_id"], tuple(details["losers"]), picks=details["picks"]
    )
    work = Work(
        actor,
        connection,
        registry.get(row["entity"]),
        mark,
        None,
        source,
        undoes=_taker(connection, log_id),
    )
    return merge_within(work, wish)


def _taker(connection: Connection, log_id: int) -> str:
    """Operation that took a merge apart last."""
    statement = select(_ENTRY.c.operation).where(
        _ENTRY.c.entity == LOG, _ENTRY.c.record_id == log_id, _ENTRY.c.undoes.is_not(None)
    )
    return str(connection.execute(statement.order_by(_ENTRY.c.id.desc()).limit(1)).scalar())


def take_back(
    actor: Actor, connection: Connection, operation: str, log_id: int, mark: str, source: str
) -> ChangeSet:
    """Take back a merge or what took one apart; called by undo and redo.

    Args:
        actor: Who does it.
        connection: The open transaction.
        operation: The operation to take back.
        log_id: A merge that it wrote about.
        mark: Uid of the new operation.
        source: Way in, kept in the audit trail.
    """
    merged_by = connection.execute(select(_LOG.c.operation).where(_LOG.c.id == log_id)).scalar()
    if merged_by == operation:
        return unmerge_within(actor, connection, operation, mark, source).changes
    return merged_again(actor, connection, log_id, mark, source)
