"""The recycle bin: deleted records of every kind the user may remove, and their way back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, String, cast, literal, null, select, union_all

from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import fold, storable
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import User
from desktop_crm.services import privacy, records
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.columns import Paths
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.titles import grouped

MOST = 500


@dataclass(frozen=True, slots=True)
class Deleted:
    """One record in the bin: what it was called, when it was deleted and by whom."""

    entity: str
    id: int
    title: str
    at: datetime
    by: str


def kinds(actor: Actor) -> list[Entity]:
    """Entities whose deleted records this user may restore, in menu order.

    Child rows come back with their parent, or by undo.
    """
    return [
        entity
        for entity in registry.all()
        if entity.is_record and not entity.parent and actor.can(entity, "remove")
    ]


def deleted(
    actor: Actor,
    entities: Collection[str] = (),
    words: str = "",
    limit: int = MOST,
    cancel: Cancel | None = None,
) -> list[Deleted]:
    """What lies in the bin, deleted last first; one statement.

    Args:
        actor: Who looks; only what he may remove is shown.
        entities: Kinds of record; none shows all.
        words: Begin of the title, without regard to case and accents.
        limit: Most rows.
        cancel: Stops the reading.
    """
    chosen = [e for e in kinds(actor) if not entities or e.key in entities]
    begin = fold(storable(words))
    arms = [
        _arm(actor, entity, begin, limit)
        for entity in chosen
        if not begin or "title_key" in entity.fields
    ]
    if not arms:
        return []
    merged = union_all(*(select(arm.subquery(f"a{n}")) for n, arm in enumerate(arms)))
    found = merged.subquery("found")
    person = User.__table__.alias("person")
    statement = (
        select(found, person.c.name.label("by_name"))
        .select_from(found.outerjoin(person, person.c.id == found.c.by_id))
        .order_by(found.c.at.desc(), found.c.entity, found.c.id.desc())
        .limit(limit)
    )
    with actor.db.reading(cancel) as connection:
        rows = connection.execute(statement).mappings().all()
    return [
        Deleted(row["entity"], row["id"], row["title"] or "", row["at"], row["by_name"] or "")
        for row in rows
    ]


def _arm(actor: Actor, entity: Entity, begin: str, limit: int) -> Select[tuple[object, ...]]:
    paths = Paths(actor, entity)
    table = paths.table
    title = cast(paths.shown(entity.title), String).label("title")
    statement = (
        select(
            literal(entity.key, String).label("entity"),
            table.c.id.label("id"),
            title,
            table.c.deleted_at.label("at"),
            # Deleting is the last change of a record in the bin.
            table.c.modified_by_id.label("by_id"),
        )
        .select_from(paths.source)
        .where(table.c.deleted_at.is_not(None))
        .order_by(table.c.deleted_at.desc(), table.c.id.desc())
        .limit(limit)
    )
    if "merged_into" in entity.fields:
        # Merged records live on in another one; taking them apart again is a matter of merging.
        statement = statement.where(table.c.merged_into.is_(null()))
    if begin:
        key = privacy.masked(actor, entity, table, "title_key")
        statement = statement.where(key.like(_pattern(begin), escape="/"))
    rights = row_clause(actor, entity, table, "remove")
    return statement if rights is None else statement.where(rights)


def _pattern(begin: str) -> str:
    plain = begin.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return f"%{plain}%"


def restore(actor: Actor, chosen: Iterable[tuple[str, int]]) -> ChangeSet:
    """Take records of several kinds back as one step of undo; a transaction for each kind.

    Raises:
        PermissionDenied: One of a kind is out of reach; none of that kind was restored.
        UserError: A value that may stand only once is taken meanwhile.
    """
    report = ChangeSet()
    step = new_uid()
    for entity, ids in grouped(chosen).items():
        report = report.merge(records.restore(actor, entity, sorted(ids), operation=step))
    return report
