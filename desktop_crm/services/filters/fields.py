"""The fields a filter names, found or refused with what there is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity

NUMBERS: Final = (kinds.INTEGER, kinds.QUANTITY, kinds.MONEY, kinds.PERCENT)
"""Kinds whose values can be added up."""


def resolve(entity: Entity, path: str) -> BoundField:
    """Find the field a path like ``account.city`` ends in.

    Raises:
        UserError: A step is no field, or no link where another step follows.
    """
    current = entity
    steps = path.split(".")
    for step in steps[:-1]:
        field = current.fields.get(step)
        if field is None or not field.target:
            raise _unknown(current, step)
        current = registry.get(field.target)
    last = current.fields.get(steps[-1])
    if last is None:
        raise _unknown(current, steps[-1])
    return last


def of_retired(entity: Entity, name: str) -> UserError | None:
    """Sentence for a field that an administrator retired; None for any other name."""
    retired = entity.retired.get(name)
    if retired is None:
        return None
    return UserError(
        N_(
            "The field “{label}” was retired. Take it out here, or ask an administrator to bring "
            "it back."
        ),
        label=tr(retired.label),
        name=name,
    )


def _unknown(entity: Entity, name: str) -> UserError:
    return of_retired(entity, name) or not_there(
        entity,
        name,
        entity.fields,
        N_("{entity} has no field “{name}”. Did you mean “{near}”?"),
        N_("{entity} has no field “{name}”. Fields: {names}."),
        listed=(n for n, f in entity.fields.items() if not f.hidden),
    )


def not_there(
    entity: Entity,
    name: str,
    names: Iterable[str],
    similar: str,
    others: str,
    listed: Iterable[str] | None = None,
) -> UserError:
    """Sentence for a name an entity does not know: one that is spelled alike, or what there is.

    Args:
        entity: What was asked.
        name: The unknown name.
        names: Known names.
        similar: Text for when one is similar; has entity, name and near.
        others: Text for when none is; has entity, name and names.
        listed: Known names worth showing; None: all.
    """
    import difflib

    names = tuple(names)
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return UserError(similar, entity=tr(entity.label), name=name, near=near[0])
    shown = ", ".join(names if listed is None else listed) or "-"
    return UserError(others, entity=tr(entity.label), name=name, names=shown)


def summed(entity: Entity, path: str) -> BoundField:
    """Find the number a path ends in, to add it up.

    Raises:
        UserError: There is no such field, or it is no number.
    """
    field = resolve(entity, path)
    if field.kind not in NUMBERS:
        raise UserError(
            N_("{field} is no number and cannot be added up. Choose another field."),
            field=tr(field.label),
        )
    return field


def cannot_compare(field: BoundField, operator: str) -> UserError:
    """Sentence for an operator that a field does not have."""
    return UserError(
        N_("{field} cannot be compared with “{operator}”. Possible: {operators}."),
        field=tr(field.label),
        operator=operator,
        operators=", ".join(field.kind.operators),
    )
