"""Everything that can point to a record, read off the declarations: what a merge moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import UniqueConstraint

from desktop_crm.core.text import fold
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity

_BY_WHOM: Final = frozenset({"created_by", "modified_by"})
_HISTORY: Final = frozenset({"audit_entry", "merge_log", "duplicate_pair"})
"""Rows that say what was; they keep the keys they were written with, or are settled apart."""

NOT_MERGED: Final = frozenset(
    {
        "activity", "quote", "document",  # each is a fact of its own
        "user", "role", "mailbox", "own_company", "number_sequence", "import_batch", "saved_view",
        "custom_field", "choice_option", "form_layout",  # the program itself is set up by them
        "currency", "tag",  # amounts and records name them by their text
    }
)  # fmt: skip
"""Titled entities whose records are never made one."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One way in which rows point to records of an entity.

    Attributes:
        holder: Entity of the rows.
        field: Field that holds the key; ``column`` its column.
        kind: Column that names the entity pointed to; empty for links of one entity.
    """

    holder: Entity
    field: str
    column: str
    kind: str = ""


def may_merge(entity: Entity) -> bool:
    """Whether records of an entity can be made one."""
    return "merged_into" in entity.fields and entity.key not in NOT_MERGED


def references(target: str) -> tuple[Reference, ...]:
    """Every link and every pair of kind and key through which rows point to an entity.

    Links without a foreign key and fields of one's own, the retired ones too, are among them.
    """
    return tuple(found for entity in registry.all() for found in _of(entity, target))


def _of(entity: Entity, target: str) -> Iterator[Reference]:
    if entity.key in _HISTORY:
        return
    for name, field in entity.stored.items():
        if field.column is None or name in _BY_WHOM:
            continue
        column = str(field.column.name)
        chained = name == "merged_into" and entity.key == target
        if chained or (field.kind is kinds.LINK and field.target == target):
            yield Reference(entity, name, column)
        elif name.endswith("_id") and field.kind is kinds.INTEGER:
            kind = f"{name.removesuffix('_id')}_type"
            if kind in entity.fields:
                yield Reference(entity, name, column, kind)


def unique_sets(entity: Entity, column: str = "") -> list[tuple[str, ...]]:
    """Sets of columns, the given one among them, of which no two rows may hold the same values.

    Those that count living rows alone are left out: of two equal rows one is put into the bin.
    """
    found = [
        tuple(str(c.name) for c in constraint.columns)
        for constraint in entity.table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    for index in entity.table.indexes:
        if index.unique and index.dialect_options["sqlite"]["where"] is None:
            found.append(tuple(str(c.name) for c in index.columns))
    return [columns for columns in found if not column or column in columns]


def living_sets(entity: Entity, column: str) -> list[tuple[str, ...]]:
    """The same for sets that count living rows alone."""
    return [
        tuple(str(c.name) for c in index.columns)
        for index in entity.table.indexes
        if index.unique
        and index.dialect_options["sqlite"]["where"] is not None
        and column in index.columns
    ]


def comparable(value: object) -> object:
    """A value as it is compared when two rows may say the same."""
    return fold(value) if isinstance(value, str) else value
