"""Where search looks: every kind of record with words, as far as the actor may read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, literal, or_, select

from desktop_crm.db.search_index import SEARCHED
from desktop_crm.db.search_text import is_searched
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import Activity, MailMessage
from desktop_crm.models.activity import Sensitivity
from desktop_crm.services import mail_view
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import row_clause

MAIL: Final = "mail_message"


@dataclass(frozen=True, slots=True)
class Place:
    """One kind of record that is searched.

    Attributes:
        number: Stands in the answers.
        entity: Its declaration.
        indexed: A search index finds words in it; the others are small.
    """

    number: int
    entity: Entity
    indexed: bool

    @property
    def has_title_key(self) -> bool:
        """Whether an index gives records by the beginning of their title."""
        return "title_key" in self.entity.fields


def places_of(actor: Actor) -> tuple[Place, ...]:
    """Everything the actor may search, in menu order, mail behind the activities."""
    found = [e for e in registry.all() if is_searched(e) and actor.can(e, "read")]
    keys = [entity.key for entity in found]
    if MAIL in keys and "activity" in keys:
        mail = found.pop(keys.index(MAIL))
        found.insert(keys.index("activity") + 1, mail)
    return tuple(Place(n, e, e.key in SEARCHED) for n, e in enumerate(found))


def rows_of(actor: Actor, place: Place, *, before: FromClause | None = None) -> Select[Any]:
    """Statement of a place's living records within the actor's reach, with what ranks them.

    Its columns are the place's number, key, key of what opens, title, moment and search text.

    Args:
        actor: Who searches; the rights stand in the statement as literals.
        place: Where.
        before: Table of matches to come first; ``rowid`` is the key.
    """
    entity, table = place.entity, place.entity.table
    title = entity.fields[entity.title].column
    assert title is not None  # noqa: S101  titles are columns
    opens, at = table.c.id, table.c.modified_at
    source: FromClause = table
    if before is not None:
        # As an expression the key cannot lead: the matches come first, then their rows by key.
        source = before.join(table, table.c.id == before.c.rowid + 0)
    if entity.key == MAIL:
        opens, at = table.c.activity_id, table.c.sent_at
        source = source.join(Activity.__table__, Activity.__table__.c.id == table.c.activity_id)
    return (
        select(
            literal(place.number).label("p"),
            table.c.id.label("k"),
            opens.label("o"),
            title.label("t"),
            at.label("m"),
            table.c.search_text.label("s"),
        )
        .select_from(source)
        .where(*_reach(actor, entity))
    )


def _reach(actor: Actor, entity: Entity) -> Sequence[ColumnElement[bool]]:
    table = entity.table
    living = table.c.deleted_at.is_(None)
    if entity.key == MAIL:
        return (living, mail_view.findable(actor))
    found: list[ColumnElement[bool]] = [living]
    rights = row_clause(actor, entity, table, "read")
    if rights is not None:
        found.append(rights)
    if entity.key == "activity":
        # What others keep private shows only its time; a message is found as a message.
        open_to_all = table.c.sensitivity == Sensitivity.NORMAL.value
        found.append(or_(open_to_all, and_(table.c.owner_id == actor.user_id)))
        message = MailMessage.__table__
        found.append(~exists().where(message.c.activity_id == table.c.id))
    return found
