"""The list of tags: what is proposed and in which colour; read when the window opens."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from desktop_crm.models import Tag
from desktop_crm.services.context import Actor

_TAG: Final = Tag.__table__


def tones(actor: Actor) -> dict[str, str]:
    """Colour of each tag by its folded name; one statement."""
    statement = select(_TAG.c.title_key, _TAG.c.tone).where(_TAG.c.deleted_at.is_(None))
    with actor.db.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(statement)}


def names(actor: Actor) -> list[str]:
    """Words to propose, by name; one statement."""
    statement = select(_TAG.c.name).where(_TAG.c.deleted_at.is_(None)).order_by(_TAG.c.title_key)
    with actor.db.reading() as connection:
        return list(connection.execute(statement).scalars())
