"""Where search looks: every kind of record with words, as far as the actor may read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, exists, func, literal, select

from desktop_crm.db.search_index import SEARCHED
from desktop_crm.db.search_text import is_searched
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import Activity, MailMessage
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import reach
from desktop_crm.services.permissions import content_clause

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
    return tuple(
        Place(n, entity, entity.key in SEARCHED)
        for n, entity in enumerate(_searched(registry.edition()))
        if actor.can(entity, "read")
    )


@lru_cache(maxsize=2)
def _searched(_edition: int) -> tuple[Entity, ...]:
    found = [entity for entity in registry.all() if is_searched(entity)]
    mail = next(entity for entity in found if entity.key == MAIL)
    found.remove(mail)
    found.insert(1 + [entity.key for entity in found].index("activity"), mail)
    return tuple(found)


def keys_of(actor: Actor, place: Place, *, before: FromClause | None = None) -> Select[Any]:
    """Statement of a place's living records within the actor's reach: its number and their keys.

    Args:
        actor: Who searches; the rights stand in the statement as literals.
        place: Where.
        before: Table of matches to come first; ``rowid`` is the key.
    """
    entity, table = place.entity, place.entity.table
    source: FromClause = table
    if before is not None:
        # As an expression the key cannot lead: the matches come first, then their rows by key.
        source = before.join(table, table.c.id == before.c.rowid + 0)
    if entity.key == MAIL:
        source = source.join(Activity.__table__, Activity.__table__.c.id == table.c.activity_id)
    statement = select(literal(place.number).label("p"), table.c.id.label("k"))
    return statement.select_from(source).where(*_reach(actor, entity))


def rows_of(place: Place) -> Select[Any]:
    """Statement of what ranks a place's records and names them to a person.

    Its columns are key, key of what opens, title, moment, search text and folded title between
    blanks.
    """
    entity, table = place.entity, place.entity.table
    title = entity.fields[entity.title].column
    assert title is not None  # noqa: S101  titles are columns
    is_mail = entity.key == MAIL
    return select(
        table.c.id.label("k"),
        (table.c.activity_id if is_mail else table.c.id).label("o"),
        title.label("t"),
        (table.c.sent_at if is_mail else table.c.modified_at).label("m"),
        table.c.search_text.label("s"),
        _folded_title(entity).label("h"),
    )


def _folded_title(entity: Entity) -> ColumnElement[str]:
    table = entity.table
    if "title_key" in entity.fields:
        return literal(" ") + table.c.title_key + literal(" ")
    # The search text begins with the title; folding hardly ever changes its length.
    title: Any = entity.fields[entity.title].column
    return func.substr(table.c.search_text, 1, func.length(func.coalesce(title, "")) + 2)


def _reach(actor: Actor, entity: Entity) -> Sequence[ColumnElement[bool]]:
    table = entity.table
    living = table.c.deleted_at.is_(None)
    if entity.key == MAIL:
        return (living, reach.findable(actor))
    found: list[ColumnElement[bool]] = [living]
    # What others keep private is not found by its content.
    rights = content_clause(actor, entity, table)
    if rights is not None:
        found.append(rights)
    if entity.key == "activity":
        # A message is found as a message.
        message = MailMessage.__table__
        found.append(~exists().where(message.c.activity_id == table.c.id))
    return found
