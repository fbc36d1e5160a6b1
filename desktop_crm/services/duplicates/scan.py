"""Finding duplicates in a whole table: a job that fills the queue for review (R51)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import and_, select

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import DuplicatePair
from desktop_crm.models.duplicate import DuplicateState
from desktop_crm.models.user import RightLevel
from desktop_crm.services import records_kept
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates import blocking
from desktop_crm.services.duplicates.declared import identity_of
from desktop_crm.services.duplicates.evidence import QUEUED, Likeness, compare, name_likeness
from desktop_crm.services.duplicates.references import may_merge
from desktop_crm.services.duplicates.whole_table import WholeTable
from desktop_crm.services.permissions import require
from desktop_crm.services.query import key_clause

Progress = Callable[[int, int], None]
CHUNK: Final = 500
_EVERY: Final = 2_000
_NAME: Final = 0.8


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that may be the same; ``first`` is the smaller key."""

    first: int
    second: int
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan found: pairs, those that are new in the queue, and records read."""

    entity: str
    records: int
    pairs: int
    added: int


def scannable() -> tuple[Entity, ...]:
    """Entities whose records can be searched for duplicates."""
    return tuple(e for e in registry.all() if may_merge(e) and identity_of(e.key) is not None)


def scan(
    actor: Actor,
    entity_key: str,
    cancel: Cancel | None = None,
    progress: Progress | None = None,
) -> Scanned:
    """Look through all records the actor sees and put likely pairs into the queue.

    Pairs that were decided or merged are never proposed again; those that are no longer alike
    leave the queue. Reads once, compares in memory and writes in short transactions.

    Args:
        actor: Whose records are looked through.
        entity_key: What to look through.
        cancel: Stops it; what was written stays.
        progress: Called with steps done and steps in all.

    Raises:
        UserError: Records of this kind are never the same.
        Cancelled: The token was used.
    """
    entity = registry.get(entity_key)
    require(actor, entity, "read")
    if entity not in scannable():
        raise UserError(
            N_("There is no search for duplicates of {records}. Choose another kind of record."),
            records=tr(entity.plural),
        )
    found, count = find(actor, entity_key, cancel, progress)
    added = _keep(actor, entity, found, cancel)
    return Scanned(entity_key, count, len(found), added)


def find(
    actor: Actor,
    entity_key: str,
    cancel: Cancel | None = None,
    progress: Progress | None = None,
    *,
    by_phone: bool = True,
) -> tuple[list[Pair], int]:
    """Pairs that belong into the queue, the likeliest first, and the number of records read.

    Args:
        actor: Whose records are looked through.
        entity_key: What to look through.
        cancel: Stops it.
        progress: Called with steps done and steps in all.
        by_phone: Whether records are brought together by their numbers as well.
    """
    identity = identity_of(entity_key)
    assert identity is not None  # noqa: S101  asked before
    table = WholeTable(actor, identity, cancel, by_phone=by_phone)
    watch = _watched(len(table.ids), cancel, progress)
    decisive = blocking.pairs(table.decisive(), table.words, tick=watch)
    near = blocking.pairs(table.supporting(), table.words, tick=watch) - decisive
    words = table.words
    alike = [(a, b) for a, b in near if name_likeness(words[a], words[b]) >= _NAME]
    found: list[Pair] = []
    for first, second in (*decisive, *alike):
        next(watch)
        likeness = compare(table.traits(first), table.traits(second), identity)
        if likeness.score >= QUEUED:
            keys = sorted((table.ids[first], table.ids[second]))
            found.append(Pair(keys[0], keys[1], likeness))
    found.sort(key=lambda pair: (-pair.likeness.score, pair.first, pair.second))
    if progress is not None:
        progress(len(table.ids), len(table.ids))
    return found, len(table.ids)


def _watched(total: int, cancel: Cancel | None, progress: Progress | None) -> Iterator[None]:
    step = 0
    while True:
        step += 1
        if step % _EVERY == 0:
            if cancel is not None:
                cancel.check()
            if progress is not None:
                progress(min(step, total), total)
        yield


# --- keeping ----------------------------------------------------------------------------------


def _keep(actor: Actor, entity: Entity, found: Sequence[Pair], cancel: Cancel | None) -> int:
    """Write the pairs that are new, and take those out that are no longer alike."""
    pair = DuplicatePair.__table__
    with actor.db.reading(cancel) as connection:
        statement = select(pair.c.first_id, pair.c.second_id, pair.c.id, pair.c.state)
        known = {
            (row[0], row[1]): (row[2], row[3])
            for row in connection.execute(statement.where(pair.c.entity == entity.key))
        }
    now = clock.now()
    rows = [
        {
            "entity": entity.key,
            "first_id": one.first,
            "second_id": one.second,
            "score": Decimal(one.likeness.score),
            "reasons": list(one.likeness.reasons),
            "state": DuplicateState.OPEN.value,
            "found_at": now,
        }
        for one in found
        if (one.first, one.second) not in known
    ]
    for start in range(0, len(rows), CHUNK):
        if cancel is not None:
            cancel.check()
        with actor.db.writing() as connection:
            records_kept.insert_new(
                connection, DuplicatePair, rows[start : start + CHUNK],
                ("entity", "first_id", "second_id"),
            )  # fmt: skip
    if actor.level(entity, "read") is RightLevel.ALL:
        alike = {(one.first, one.second) for one in found}
        stale = [
            key
            for ends, (key, state) in known.items()
            if state == DuplicateState.OPEN and ends not in alike
        ]
        with actor.db.writing() as connection:
            still_open = and_(
                key_clause(connection, pair.c.id, stale), pair.c.state == DuplicateState.OPEN
            )
            records_kept.delete_where(connection, DuplicatePair, still_open)
    return len(rows)
