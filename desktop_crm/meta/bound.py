"""A declared field joined with what its column knows; an entity as its fields in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Column, String, Table, Text

from desktop_crm.core.formats import Formats
from desktop_crm.meta import kinds
from desktop_crm.meta.columns import INFO_KEY
from desktop_crm.meta.field import EntityMeta, Field, Lines

SYSTEM_FIELDS: Final = frozenset(
    {"id", "uid", "version", "created_at", "created_by", "modified_at", "modified_by", "deleted_at",
     "import_batch", "title_key", "search_text"}
)  # fmt: skip
"""Fields the product sets itself on every record."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BoundField(Field):
    """One field of one entity, ready for list, form, filter, search, Excel and audit.

    Attributes:
        name: Name everywhere outside SQL; a link drops its column's ``_id``.
        column: The table column; None for child lines.
        lines: The child collection, for fields of kind ``lines``.
    """

    name: str
    column: Column[Any] | None
    lines: Lines | None = None

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Code and English label of each value of a choice."""
        return tuple((option.code, option.label) for option in self.options)

    @property
    def offered(self) -> tuple[tuple[str, str], ...]:
        """Code and label of each value a person may choose from now on."""
        return tuple((option.code, option.label) for option in self.options if option.offered)

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """English label by code."""
        return dict(self.choices)

    @cached_property
    def tones(self) -> Mapping[str, str]:
        """Tone of a value's pill by code."""
        return {option.code: option.tone.value for option in self.options}

    @property
    def nullable(self) -> bool:
        """May be empty in the database, whatever a person must fill in."""
        return self.column is None or bool(self.column.nullable)

    @property
    def default(self) -> object:
        """Value of a new record, None when there is none."""
        default = self.column.default if self.column is not None else None
        if default is None:
            return False if self.kind is kinds.BOOLEAN and not self.nullable else None
        return default.arg if default.is_scalar else None  # type: ignore[attr-defined]

    @property
    def required(self) -> bool:
        """A person must fill it in."""
        free = (self.nullable and not self.needed) or self.read_only or self.kind is kinds.BOOLEAN
        return not free and self.default is None

    @property
    def max_length(self) -> int | None:
        """Longest text that fits, None without a limit."""
        type_ = self.column.type if self.column is not None else None
        return type_.length if isinstance(type_, String) and not isinstance(type_, Text) else None

    def parse(self, text: str, formats: Formats) -> object:
        """Read what a person typed into this field."""
        return self.kind.parse(text, formats, self)

    def display(self, value: object, formats: Formats) -> str:
        """Show a value of this field; links are shown by their title."""
        return self.kind.display(value, formats, self)


@dataclass(frozen=True, eq=False, kw_only=True)
class Entity(EntityMeta):
    """One registered entity: its arrangement, its table and its fields in order.

    Attributes:
        retired: Fields an administrator no longer offers; their values stay in the table.
    """

    model: type
    table: Table
    fields: Mapping[str, BoundField]
    retired: Mapping[str, BoundField] = field(default_factory=dict)

    @property
    def owned(self) -> bool:
        """Records have an owner."""
        return "owner" in self.fields

    @property
    def is_record(self) -> bool:
        """Rows carry version and deletion mark; the others are append-only facts."""
        return "version" in self.fields

    @cached_property
    def stored(self) -> Mapping[str, BoundField]:
        """Fields with a column, the retired ones included."""
        every = {**self.fields, **self.retired}
        return {name: field for name, field in every.items() if field.column is not None}

    @cached_property
    def search_fields(self) -> tuple[BoundField, ...]:
        """Fields whose folded texts make up ``search_text``."""
        return tuple(f for f in self.fields.values() if f.searchable)

    @cached_property
    def copies(self) -> Mapping[str, tuple[BoundField, ...]]:
        """Stored copies of primary child rows, by lines field."""
        copies = [field for field in self.fields.values() if field.copy_of is not None]
        names = dict.fromkeys(f.copy_of[0] for f in copies if f.copy_of)
        return {n: tuple(f for f in copies if f.copy_of and f.copy_of[0] == n) for n in names}


def bind(model: type) -> Entity:
    """Merge a class's declarations with its table.

    Raises:
        LookupError: The entity's arrangement names a field that does not exist.
    """
    meta: EntityMeta = model.__entity__  # type: ignore[attr-defined]
    table: Table = model.__table__  # type: ignore[attr-defined]
    found: dict[str, BoundField] = {}
    for column in table.columns:
        declared = column.info.get(INFO_KEY)
        if declared is None:
            continue
        name, target = column.name, declared.target
        if declared.kind is kinds.LINK:
            name = name.removesuffix("_id")
            target = target or next(iter(column.foreign_keys)).column.table.name
        found[name] = _bound(declared, name=name, column=column, target=target)
    for lines in meta.lines:
        declared = Field(kinds.LINES, lines.label, importable=False)
        found[lines.name] = _bound(
            declared, name=lines.name, column=None, target=lines.entity, lines=lines
        )
    arranged = [
        n for s in meta.form for row in s.rows for n in ((row,) if type(row) is str else row)
    ]
    order = [*arranged, *(name for name in found if name not in arranged)]
    missing = {*order, *meta.columns, *meta.natural_key, *meta.parent, meta.title} - found.keys()
    if missing:
        raise LookupError(f"{meta.key} names unknown fields: {', '.join(sorted(missing))}")
    ordered = MappingProxyType({name: found[name] for name in order})
    return Entity(**_values(meta), model=model, table=table, fields=ordered)


def _bound(declared: Field, *, name: str, **more: Any) -> BoundField:  # noqa: ANN401  its fields
    read_only = declared.read_only or name in SYSTEM_FIELDS
    derived = {"read_only": read_only, "importable": declared.importable and not read_only}
    more["width"] = declared.width or declared.kind.width
    return BoundField(**{**_values(declared), **derived, "name": name, **more})


_NAMES: Final = {kind: tuple(f.name for f in fields(kind)) for kind in (Field, EntityMeta)}


def _values(declaration: Field | EntityMeta) -> dict[str, Any]:
    return {name: getattr(declaration, name) for name in _NAMES[type(declaration)]}
