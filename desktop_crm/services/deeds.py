"""The user's own last operations as a list: what was done, what was taken back, what still can be.

An operation is what one press of a button did, however many records it touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, FromClause, RowMapping, func, select

from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import AuditEntry
from desktop_crm.models.office import AuditAction
from desktop_crm.services import standing, steps, undo
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Work
from desktop_crm.services.query import key_clause
from desktop_crm.services.titles import titles

MOST: Final = 50
_LARGE: Final = 1000
"""Records of one operation beyond which whether it can be undone is found out by trying."""
_TABLE: Final = AuditEntry.__table__
_HIDDEN: Final = ("sync", "purge")


class DeedState(StrEnum):
    """Whether an operation can be taken back."""

    DONE = "done"
    TAKEN_BACK = "taken_back"
    PARTLY = "partly"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Deed:
    """One operation of the user.

    Attributes:
        step: What it did, to how many records.
        title: Title of the record, when it was one.
        state: Whether it stands, was taken back, or cannot be.
        reason: Why it cannot be taken back, or how far it was; empty otherwise.
        source: Way in, e.g. ``window`` or ``import``.
        taken_by: Operation that took it back; done again by undoing that one.
    """

    step: steps.Step
    title: str
    state: DeedState
    reason: str
    source: str
    taken_by: str = ""


@dataclass(slots=True)
class _Found:
    step: steps.Step
    source: str
    record: tuple[str, int]
    size: int


def deeds(actor: Actor, limit: int = MOST, cancel: Cancel | None = None) -> list[Deed]:
    """The user's last operations, the latest first; undoings and redoings stand with their deed.

    Four statements, three for each kind of record among them, and some for each that touched very
    many records and was taken back.
    """
    with actor.db.reading(cancel) as connection:
        operations = _latest(connection, actor, limit)
        found = _steps(connection, operations)
        takers = _takers(connection, operations)
        blocked = _blocked(actor, connection, [f for f in found if f.size <= _LARGE])
        partly = _partly(connection, found, takers)
        single: dict[str, set[int]] = defaultdict(set)
        for one in found:
            if one.step.count == 1:
                single[one.record[0]].add(one.record[1])
        named = titles(actor, connection, single)
    listed: list[Deed] = []
    for one in found:
        operation = one.step.operation
        title = named.get(one.record, "") if one.step.count == 1 else ""
        taker = takers.get(operation, "")
        if operation in partly:
            state, reason = DeedState.PARTLY, partly[operation]
        elif taker:
            state, reason = DeedState.TAKEN_BACK, ""
        else:
            reason = blocked.get(operation, "")
            state = DeedState.BLOCKED if reason else DeedState.DONE
        listed.append(Deed(one.step, title, state, reason, one.source, taker))
    return listed


def _latest(connection: Connection, actor: Actor, limit: int) -> list[str]:
    """Uids of the last operations: from each to the entry before its first, one statement."""
    newest, now, part, older = (_TABLE.alias(name) for name in ("newest", "now", "part", "older"))

    def mine(entry: FromClause) -> tuple[ColumnElement[bool], ...]:
        return (
            entry.c.by_id == actor.user_id,
            entry.c.undoes.is_(None),
            entry.c.source.not_in(_HIDDEN),
        )

    start = select(func.max(newest.c.id).label("id")).where(*mine(newest))
    chain = start.cte("chain", recursive=True)
    first = select(func.min(part.c.id)).where(part.c.operation == now.c.operation)
    before = select(func.max(older.c.id)).where(
        *mine(older), older.c.id < first.correlate(now).scalar_subquery()
    )
    step = select(before.correlate(now).scalar_subquery()).select_from(
        chain.join(now, now.c.id == chain.c.id)
    )
    chain = chain.union_all(step)
    last = select(chain.c.id).limit(limit).subquery("last")
    rows = connection.execute(
        select(_TABLE.c.operation).join(last, last.c.id == _TABLE.c.id).order_by(_TABLE.c.id.desc())
    ).scalars()
    return list(dict.fromkeys(rows))


def _steps(connection: Connection, operations: Sequence[str]) -> list[_Found]:
    rows = connection.execute(
        select(
            _TABLE.c.operation,
            _TABLE.c.entity,
            _TABLE.c.action,
            func.min(_TABLE.c.source).label("source"),
            func.max(_TABLE.c.at).label("at"),
            func.min(_TABLE.c.id).label("first"),
            func.count().label("touched"),
            func.min(_TABLE.c.record_id).label("record_id"),
        )
        .where(_TABLE.c.operation.in_(operations))
        .group_by(_TABLE.c.operation, _TABLE.c.entity, _TABLE.c.action)
        .order_by(func.min(_TABLE.c.id))
    ).all()
    by_operation: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        by_operation[row.operation].append(number)
    found: list[_Found] = []
    for operation in operations:
        members = [rows[number] for number in by_operation[operation]]
        if not members:
            continue
        heads = [part for part in members if not registry.get(part.entity).parent] or members
        head = heads[0]
        step = steps.Step(
            operation, head.at, AuditAction(head.action), head.entity, int(head.touched)
        )
        size = sum(int(part.touched) for part in members)
        found.append(_Found(step, head.source or "", (head.entity, head.record_id), size))
    return found


def _takers(connection: Connection, operations: Sequence[str]) -> dict[str, str]:
    """The operation that took each back and stands; undone undoings do not count."""
    takes: dict[str, str] = {}
    asked = list(operations)
    while asked:
        rows = connection.execute(
            select(_TABLE.c.operation, _TABLE.c.undoes).where(_TABLE.c.undoes.in_(asked)).distinct()
        ).all()
        asked = [row.operation for row in rows if row.operation not in takes]
        takes |= {row.operation: row.undoes for row in rows}
    takers: dict[str, list[str]] = defaultdict(list)
    for taker, taken in takes.items():
        takers[taken].append(taker)

    def standing(name: str) -> str:
        return next((taker for taker in takers[name] if not standing(taker)), "")

    return {name: standing(name) for name in operations}


def _partly(
    connection: Connection, found: Sequence[_Found], takers: Mapping[str, str]
) -> dict[str, str]:
    """How far operations were taken back whose undo ended in the middle."""
    said: dict[str, str] = {}
    for one in found:
        operation = one.step.operation
        if one.size <= undo.LONG or not standing.takers(connection, operation):
            continue
        left = len([1 for entity, _ in standing.records(connection, operation)
                    if entity == one.record[0]])  # fmt: skip
        if 0 < left < one.step.count:
            said[operation] = tr(
                N_("{done} of {all} records were put back; the others are as the step left them."),
                done=one.step.count - left,
                all=one.step.count,
            )
    return said


def _blocked(actor: Actor, connection: Connection, found: Sequence[_Found]) -> dict[str, str]:
    """Why operations cannot be taken back: records changed since, are gone, or out of reach."""
    operations = [one.step.operation for one in found]
    if not operations:
        return {}
    rows = connection.execute(
        select(_TABLE.c.operation, _TABLE.c.entity, _TABLE.c.record_id)
        .where(_TABLE.c.operation.in_(operations))
        .distinct()
    ).all()
    by_entity: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        by_entity[row.entity][row.operation].add(row.record_id)
    reasons: dict[str, str] = {}
    for key, members in by_entity.items():
        entity = registry.get(key)
        work = Work(actor, connection, entity, "", None, steps.SOURCE)
        ids = sorted(set().union(*members.values()))
        table = entity.table
        stands: dict[int, Mapping[str, Any]] = {
            row["id"]: dict(row)
            for row in connection.execute(
                select(table.c.id, table.c.version).where(key_clause(connection, table.c.id, ids))
            ).mappings()
        }
        trails = undo.trails(work, ids)
        reached = undo.may_take_back(work, ids)
        for operation, touched in members.items():
            reason = _reason(operation, touched, stands, trails, reached)
            if reason:
                reasons.setdefault(operation, reason)
    return reasons


def _reason(
    operation: str,
    touched: Iterable[int],
    stands: Mapping[int, Mapping[str, Any]],
    trails: Mapping[int, Sequence[RowMapping]],
    reached: frozenset[int],
) -> str:
    for key in touched:
        if key not in stands:
            return tr(N_("The record was deleted for good."))
        if key not in reached:
            return tr(N_("You may no longer change the record."))
        if not undo.stands(trails[key], operation, stands[key]):
            return tr(N_("The record was changed since."))
    return ""
