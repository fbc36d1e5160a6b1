"""Choice lists: the values of one's own fields, and the built-in ones an administrator changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.core.i18n import tr
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.field import Option
from desktop_crm.models import ChoiceOption
from desktop_crm.services import records
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.customizing import columns, definitions
from desktop_crm.services.records import Change

_TABLE: Final[Any] = ChoiceOption.__table__


@dataclass(frozen=True, slots=True)
class ChoiceList:
    """One set of values and the fields that take theirs from it.

    Attributes:
        entity: Entity of the first field; the rows of the list stand under it.
        field: Name of the first field.
        labels: The fields in words, e.g. "Leads: Source".
        options: Values in order, those no longer offered included.
        is_free: Values may be added and no longer be offered; no rule depends on one.
    """

    entity: str
    field: str
    labels: tuple[str, ...]
    options: tuple[Option, ...]
    is_free: bool

    @property
    def title(self) -> str:
        """The fields in words."""
        return ", ".join(self.labels)


def lists() -> list[ChoiceList]:
    """Every choice list of entities that people fill in, in menu order; no statement."""
    with registry.as_declared():
        shared = definitions.shared_lists(registry.all())
    found: dict[tuple[str, str], tuple[list[str], BoundField]] = {}
    for entity in definitions.customizable():
        for field in entity.fields.values():
            if field.kind is kinds.CHOICE and not field.hidden and not field.read_only:
                at = shared.get((entity.key, field.name), (entity.key, field.name))
                found.setdefault(at, ([], field))[0].append(
                    f"{tr(entity.plural)}: {tr(field.label)}"
                )
    return [
        ChoiceList(at[0], at[1], tuple(labels), field.options, field.free)
        for at, (labels, field) in found.items()
    ]


def of_field(entity: Entity, name: str) -> ChoiceList | None:
    """The list a field takes its values from; None when it is no choice."""
    with registry.as_declared():
        shared = definitions.shared_lists(registry.all())
    at = shared.get((entity.key, name), (entity.key, name))
    return next((found for found in lists() if (found.entity, found.field) == at), None)


def added(entity: str, field: str, labels: Sequence[str], first: int = 0) -> list[Change]:
    """Rows of new values in their order; equal codes get a number."""
    rows: list[Change] = []
    taken: set[str] = set()
    for place, label in enumerate(labels, first):
        code = start = columns.slug(label)
        number = 1
        while code in taken:
            number += 1
            code = f"{start}_{number}"
        taken.add(code)
        row = {"entity": entity, "field": field, "label": label, "code": code, "position": place}
        rows.append(Change(None, None, row))
    return rows


def add(actor: Actor, of: ChoiceList, label: str) -> ChangeSet:
    """Add a value at the end of a list.

    Raises:
        ValidationFailed: Empty or double label, or the program depends on the values.
    """
    row = {"entity": of.entity, "field": of.field, "label": label, "position": len(of.options)}
    return records.save(actor, "choice_option", None, None, row).changes


def change(actor: Actor, of: ChoiceList, code: str, **values: Any) -> ChangeSet:  # noqa: ANN401
    """Rename, recolour, stop offering or offer again one value.

    Args:
        actor: An administrator.
        of: The list.
        code: The value; records keep it whatever it is called.
        **values: ``label``, ``tone``, ``is_active``.

    Raises:
        ValidationFailed: Empty or double label, or the program depends on the value.
    """
    known = _rows(actor, of)
    return records.save_many(actor, "choice_option", [_change(of, known, code, values)]).changes


def reorder(actor: Actor, of: ChoiceList, codes: Sequence[str]) -> ChangeSet:
    """Put the values of a list into this order; one step of undo."""
    known = _rows(actor, of)
    wanted = [_change(of, known, code, {"position": place}) for place, code in enumerate(codes)]
    return records.save_many(actor, "choice_option", wanted).changes


def restore(actor: Actor, of: ChoiceList) -> ChangeSet:
    """Give a built-in list back the values it came with; stored values stay what they are."""
    return records.delete(actor, "choice_option", list(_rows(actor, of).values()))


def _rows(actor: Actor, of: ChoiceList) -> dict[str, int]:
    statement = select(_TABLE.c.code, _TABLE.c.id).where(
        _TABLE.c.entity == of.entity, _TABLE.c.field == of.field, _TABLE.c.deleted_at.is_(None)
    )
    with actor.db.reading() as connection:
        return {row.code: row.id for row in connection.execute(statement)}


def _change(
    of: ChoiceList, known: Mapping[str, int], code: str, values: Mapping[str, Any]
) -> Change:
    """Change of a value; one that stands as declared gets its row first."""
    if code in known:
        return Change(known[code], None, values)
    place = next(n for n, option in enumerate(of.options) if option.code == code)
    option = of.options[place]
    row = {
        "entity": of.entity,
        "field": of.field,
        "code": code,
        "label": tr(option.label),
        "tone": option.tone.value,
        "position": place,
        "is_active": option.offered,
    }
    return Change(None, None, {**row, **values})
