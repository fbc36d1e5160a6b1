"""What a list asks for: entity, columns, filter, order and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from desktop_crm.meta import kinds, registry
from desktop_crm.services.filters import Node, Rule

MOST_COLUMNS: Final = 1_000
"""More columns than anybody can read; databases take few more."""


@dataclass(frozen=True, slots=True)
class Order:
    """One sort: a field path and its direction."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """What a list shows.

    Attributes:
        entity: Key of the entity.
        columns: Field paths; links give titles, ``account.id`` gives the key.
        filter: Conditions, or None.
        order: Sorts; empty takes the entity's default. The key is always the last sort.
        search: Words that must all occur somewhere in the record, without regard to case and
            accents.
        deleted: Show the recycle bin instead of the living.
        group: Field path whose values stand together before any sort, e.g. ``stage``; a date
            may say a step, ``close_on@month``.
        starts: Folded letter that titles begin with, or ``#`` for a digit; empty for all.
        marks: Conditions; each row says as its last value which of them holds first.
    """

    entity: str
    columns: tuple[str, ...]
    filter: Node | None = None
    order: tuple[Order, ...] = ()
    search: str = ""
    deleted: bool = False
    group: str = ""
    starts: str = ""
    marks: tuple[Node, ...] = ()


def asks_by_link(query: RecordQuery) -> bool:
    """Whether the filter asks for what points to one record, and nothing else."""
    rule = query.filter
    if not isinstance(rule, Rule) or rule.operator != "=" or not isinstance(rule.value, int):
        return False
    field = registry.get(query.entity).fields.get(rule.field)
    return field is not None and field.kind is kinds.LINK
