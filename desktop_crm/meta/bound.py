"""A declared field joined with what its mapping knows; an entity as its fields in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Column, LargeBinary, String, Table, Text

from desktop_crm.core.formats import Formats
from desktop_crm.meta import kinds
from desktop_crm.meta.columns import INFO_KEY
from desktop_crm.meta.field import EntityMeta, Field, Level, Lines, Menu, Option, Section
from desktop_crm.meta.kinds import Kind

SYSTEM_FIELDS: Final = frozenset(
    {"id", "uid", "version", "created_at", "created_by", "modified_at", "modified_by", "deleted_at",
     "import_batch", "title_key", "search_text"}
)  # fmt: skip
"""Fields the product sets itself on every record."""


@dataclass(frozen=True, eq=False)
class BoundField:
    """One field of one entity, ready for list, form, filter, search, Excel and audit.

    Attributes:
        name: Name everywhere outside SQL; a link drops its column's ``_id``.
        declared: The declaration.
        column: The table column; None for child lines.
        target: Entity key a link points to.
        lines: The child collection, for fields of kind ``lines``.
    """

    name: str
    declared: Field
    column: Column[Any] | None
    target: str = ""
    lines: Lines | None = None

    @property
    def label(self) -> str:
        """English label, to be translated where it is shown."""
        return self.declared.label

    @property
    def help(self) -> str:
        """English help sentence; may be empty."""
        return self.declared.help

    @property
    def kind(self) -> Kind:
        """How values are treated."""
        return self.declared.kind

    @property
    def options(self) -> tuple[Option, ...]:
        """Values of a choice."""
        return self.declared.options

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Code and English label of each value of a choice."""
        return tuple((option.code, option.label) for option in self.declared.options)

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """English label by code."""
        return dict(self.choices)

    @cached_property
    def tones(self) -> Mapping[str, str]:
        """Tone of a value's pill by code."""
        return {option.code: option.tone.value for option in self.declared.options}

    @property
    def level(self) -> Level:
        """Who may see the field."""
        return self.declared.level

    @property
    def searchable(self) -> bool:
        """Search looks through it."""
        return self.declared.searchable

    @property
    def read_only(self) -> bool:
        """Only rules set it."""
        return self.declared.read_only or self.name in SYSTEM_FIELDS

    @property
    def hidden(self) -> bool:
        """Of no use to a person."""
        return self.declared.hidden

    @property
    def importable(self) -> bool:
        """A file may set it."""
        return self.declared.importable and not self.read_only and self.kind is not kinds.LINES

    @property
    def width(self) -> int:
        """Column width in pixels at the normal text size."""
        return self.declared.width or self.kind.width

    @property
    def nullable(self) -> bool:
        """May be empty in the database."""
        return self.column is None or bool(self.column.nullable)

    @property
    def default(self) -> object:
        """Value of a new record, None when there is none."""
        default = self.column.default if self.column is not None else None
        return default.arg if default is not None and default.is_scalar else None  # type: ignore[attr-defined]

    @property
    def required(self) -> bool:
        """A person must fill it in."""
        return (
            not self.nullable
            and not self.read_only
            and self.kind is not kinds.BOOLEAN
            and self.default is None
        )

    @property
    def max_length(self) -> int | None:
        """Longest text that fits, None without a limit."""
        type_ = self.column.type if self.column is not None else None
        if isinstance(type_, String) and not isinstance(type_, Text | LargeBinary):
            return type_.length
        return None

    def parse(self, text: str, formats: Formats) -> object:
        """Read what a person typed into this field."""
        return self.kind.parse(text, formats, self)

    def display(self, value: object, formats: Formats) -> str:
        """Show a value of this field; links are shown by their title."""
        return self.kind.display(value, formats, self)


@dataclass(frozen=True, eq=False)
class Entity:
    """One registered entity: its table, its meaning and its fields."""

    meta: EntityMeta
    model: type
    table: Table
    fields: Mapping[str, BoundField]

    @property
    def key(self) -> str:
        """Stable name."""
        return self.meta.key

    @property
    def label(self) -> str:
        """English singular."""
        return self.meta.label

    @property
    def plural(self) -> str:
        """English plural."""
        return self.meta.plural

    @property
    def icon(self) -> str:
        """Icon name."""
        return self.meta.icon

    @property
    def title_field(self) -> str:
        """Field that names a record."""
        return self.meta.title

    @property
    def columns(self) -> tuple[str, ...]:
        """Default list columns."""
        return self.meta.columns

    @property
    def form(self) -> tuple[Section, ...]:
        """Sections of the form."""
        return self.meta.form

    @property
    def natural_key(self) -> tuple[str, ...]:
        """Fields that identify a record outside."""
        return self.meta.natural_key

    @property
    def menu(self) -> Menu:
        """Where the window offers it."""
        return self.meta.menu

    @property
    def parent(self) -> tuple[str, ...]:
        """Links whose records decide over rights."""
        return self.meta.parent

    @property
    def children(self) -> tuple[Lines, ...]:
        """Child collections."""
        return self.meta.lines

    @property
    def owned(self) -> bool:
        """Records have an owner."""
        return "owner" in self.fields

    @property
    def is_record(self) -> bool:
        """Rows carry version and deletion mark; the others are append-only facts."""
        return "version" in self.fields

    @cached_property
    def search_fields(self) -> tuple[BoundField, ...]:
        """Fields whose folded texts make up ``search_text``."""
        return tuple(f for f in self.fields.values() if f.searchable)

    @cached_property
    def copies(self) -> Mapping[str, tuple[BoundField, ...]]:
        """Stored copies of primary child rows, by lines field."""
        found: dict[str, tuple[BoundField, ...]] = {}
        for field in self.fields.values():
            if field.declared.copy_of is not None:
                lines = field.declared.copy_of[0]
                found[lines] = (*found.get(lines, ()), field)
        return found


def bind(model: type) -> Entity:
    """Merge a mapped class's declarations with its table.

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
        target = ""
        name = column.name
        if declared.kind is kinds.LINK:
            keys = iter(column.foreign_keys)
            target = declared.target or next(keys).column.table.name
            name = name.removesuffix("_id")
        found[name] = BoundField(name, declared, column, target)
    for lines in meta.lines:
        declared = Field(kinds.LINES, lines.label)
        found[lines.name] = BoundField(lines.name, declared, None, lines.entity, lines)
    arranged = [
        n for s in meta.form for row in s.rows for n in ((row,) if type(row) is str else row)
    ]
    order = [*arranged, *(name for name in found if name not in arranged)]
    missing = {*order, *meta.columns, *meta.natural_key, *meta.parent, meta.title} - found.keys()
    if missing:
        raise LookupError(f"{meta.key} names unknown fields: {', '.join(sorted(missing))}")
    fields = MappingProxyType({name: found[name] for name in order})
    return Entity(meta, model, table, fields)
