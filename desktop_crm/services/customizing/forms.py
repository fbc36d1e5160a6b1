"""Saving the arrangement of a form, and going back to the standard one."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select

from desktop_crm.meta import registry
from desktop_crm.models import FormLayout
from desktop_crm.services import records
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.customizing import layout
from desktop_crm.services.customizing.layout import Layout

_TABLE: Final[Any] = FormLayout.__table__


def current(actor: Actor, entity_key: str) -> Layout:
    """How the form of an entity stands, every field in it; one statement."""
    found = _row(actor, entity_key)
    with registry.as_declared():
        declared = registry.get(entity_key)
    chosen = layout.standard(declared) if found is None else layout.from_json(found[1] or {})
    fields = registry.get(entity_key).fields
    own = [name for name in fields if name not in declared.fields]
    return layout.complete(chosen, declared, fields, own)


def save(actor: Actor, entity_key: str, wanted: Layout) -> ChangeSet:
    """Arrange the form of an entity for everybody.

    Raises:
        ValidationFailed: It names what is not there, or hides what must be filled in.
    """
    found = _row(actor, entity_key)
    row = {"entity": entity_key, "definition": layout.to_json(wanted)}
    return records.save(
        actor, "form_layout", None if found is None else found[0], None, row
    ).changes


def reset(actor: Actor, entity_key: str) -> ChangeSet:
    """Go back to the form the program comes with, with fields of one's own at its end."""
    found = _row(actor, entity_key)
    return NOTHING if found is None else records.delete(actor, "form_layout", [found[0]])


def _row(actor: Actor, entity_key: str) -> tuple[int, Any] | None:
    statement = select(_TABLE.c.id, _TABLE.c.definition).where(
        _TABLE.c.entity == entity_key, _TABLE.c.deleted_at.is_(None)
    )
    with actor.db.reading() as connection:
        row = connection.execute(statement).first()
    return None if row is None else (row.id, row.definition)
