"""The queue of possible duplicates: what waits, and what a person decided about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, and_, func, select

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import N_
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import DuplicatePair, MergeLog
from desktop_crm.models.duplicate import DuplicateState, MergeState
from desktop_crm.services import records_kept
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates import traits
from desktop_crm.services.duplicates.declared import identity_of
from desktop_crm.services.duplicates.evidence import compare, said
from desktop_crm.services.permissions import content_clause, require

PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pair to be reviewed.

    Attributes:
        entity: Entity of both records.
        first: Key of the older record; ``second`` of the other.
        titles: What both are called.
        score: 0 to 100.
        reasons: Codes, the strongest first.
    """

    entity: str
    first: int
    second: int
    titles: tuple[str, str]
    score: int
    reasons: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reasons in words."""
        return said(self.entity, self.reasons)


@dataclass(frozen=True, slots=True)
class PastMerge:
    """A merge that went into a record, as it can be taken apart."""

    operation: str
    at: Any
    by: str
    titles: tuple[str, ...]


def queue(
    actor: Actor, entity_key: str, limit: int = PAGE, cancel: Cancel | None = None
) -> list[Waiting]:
    """Pairs that wait for a decision, the likeliest first; one statement.

    Only pairs of which the actor sees both records, and both of which still live.
    """
    entity = registry.get(entity_key)
    require(actor, entity, "read")
    pair = DuplicatePair.__table__
    first, second = entity.table.alias("one"), entity.table.alias("two")
    title = entity.fields[entity.title].column
    assert title is not None  # noqa: S101  titles are stored
    statement = (
        select(
            pair.c.first_id, pair.c.second_id, pair.c.score, pair.c.reasons,
            first.c[title.name].label("one"), second.c[title.name].label("two"),
        )
        .join(first, first.c.id == pair.c.first_id)
        .join(second, second.c.id == pair.c.second_id)
        .where(*_open(actor, entity, first, second))
        .order_by(pair.c.score.desc(), pair.c.id)
        .limit(limit)
    )  # fmt: skip
    with actor.db.reading(cancel) as connection:
        return [
            Waiting(
                entity_key,
                row[0],
                row[1],
                (str(row[4] or ""), str(row[5] or "")),
                int(row[2]),
                tuple(row[3] or ()),
            )
            for row in connection.execute(statement)
        ]


def _open(actor: Actor, entity: Entity, first: Any, second: Any) -> list[Any]:  # noqa: ANN401  aliases
    pair = DuplicatePair.__table__
    found = [
        pair.c.entity == entity.key,
        pair.c.state == DuplicateState.OPEN,
        first.c.deleted_at.is_(None),
        second.c.deleted_at.is_(None),
    ]
    rights = [content_clause(actor, entity, one) for one in (first, second)]
    return [*found, *(clause for clause in rights if clause is not None)]


def counts(actor: Actor, cancel: Cancel | None = None) -> dict[str, int]:
    """Waiting pairs by entity; one statement for each entity that has any."""
    pair = DuplicatePair.__table__
    found: dict[str, int] = {}
    with actor.db.reading(cancel) as connection:
        asked = select(pair.c.entity).where(pair.c.state == DuplicateState.OPEN).distinct()
        for key in sorted(connection.execute(asked).scalars()):
            entity = registry.find(key)
            if entity is not None and actor.can(entity, "read"):
                number = _count(connection, actor, entity)
                if number:
                    found[key] = number
    return found


def _count(connection: Connection, actor: Actor, entity: Entity) -> int:
    pair = DuplicatePair.__table__
    first, second = entity.table.alias("one"), entity.table.alias("two")
    joined = pair.join(first, first.c.id == pair.c.first_id)
    joined = joined.join(second, second.c.id == pair.c.second_id)
    statement = select(func.count()).select_from(joined)
    return int(
        connection.execute(statement.where(*_open(actor, entity, first, second))).scalar() or 0
    )


def differ(actor: Actor, entity_key: str, one: int, other: int, *, undo: bool = False) -> None:
    """Remember that two records are not the same, so that nobody is asked again.

    Args:
        actor: Who decides; needs to see both.
        entity_key: Entity of both.
        one: Key of a record.
        other: Key of the other.
        undo: Take the decision back; the pair waits again.

    Raises:
        NotFound: One of them does not exist, or the actor may not see it.
    """
    first, second = sorted((one, other))
    identity = identity_of(entity_key)
    assert identity is not None  # noqa: S101  only such records are compared
    pair = DuplicatePair.__table__
    state = DuplicateState.OPEN if undo else DuplicateState.DIFFERENT
    decided = {
        "state": state.value,
        "decided_by_id": None if undo else actor.user_id,
        "decided_at": None if undo else clock.now(),
    }
    with actor.db.writing() as connection:
        seen = traits.load(connection, actor, identity, [first, second])
        if len(seen) != 2:
            raise NotFound(
                N_("One of the two records is gone, or you may not see it. Nothing was changed.")
            )
        likeness = compare(seen[first].traits, seen[second].traits, identity)
        row = {
            "entity": entity_key,
            "first_id": first,
            "second_id": second,
            "score": Decimal(likeness.score),
            "reasons": list(likeness.reasons),
            "found_at": clock.now(),
            **decided,
        }
        unique = ("entity", "first_id", "second_id")
        records_kept.insert_new(connection, DuplicatePair, [row], unique)
        own = and_(
            pair.c.entity == entity_key, pair.c.first_id == first, pair.c.second_id == second
        )
        records_kept.set_where(connection, DuplicatePair, own, decided)


def merges_of(actor: Actor, entity_key: str, record_id: int) -> list[PastMerge]:
    """Merges that stand and went into a record, the latest first; one statement."""
    from desktop_crm.models import User

    entity = registry.get(entity_key)
    require(actor, entity, "read")
    log, loser = MergeLog.__table__, entity.table
    title = entity.fields[entity.title].column
    assert title is not None  # noqa: S101  titles are stored
    statement = (
        select(log.c.operation, log.c.merged_at, User.name, loser.c[title.name])
        .join(loser, loser.c.id == log.c.loser_id)
        .join(User, User.id == log.c.merged_by_id, isouter=True)
        .where(
            log.c.entity == entity_key,
            log.c.master_id == record_id,
            log.c.state == MergeState.MERGED,
        )
        .order_by(log.c.id.desc())
    )
    rights = content_clause(actor, entity, loser)
    if rights is not None:
        statement = statement.where(rights)
    found: dict[str, list[Sequence[Any]]] = {}
    with actor.db.reading() as connection:
        for row in connection.execute(statement):
            found.setdefault(row[0], []).append(row)
    return [
        PastMerge(
            operation,
            rows[0][1],
            rows[0][2] or "",
            tuple(str(row[3] or "") for row in reversed(rows)),
        )
        for operation, rows in found.items()
    ]
