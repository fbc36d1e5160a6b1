"""From the rows an administrator wrote to the entities everybody works with.

A field of one's own is a real column; what is rebuilt here is only what the program knows about
it. Tables grow in place and never shrink, so that statements made before stay valid; an entity
names the columns of the database that is open and no other, so no statement may select a table
whole (docs/adr/0009).
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Final
from weakref import ReferenceType, ref

from sqlalchemy import Connection, Row, func, select

from desktop_crm.db.engine import Database
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.field import Level, Option, Section, Tone
from desktop_crm.models import ChoiceOption, CustomField, FormLayout
from desktop_crm.models.customizing import FieldState
from desktop_crm.services.changes import Changed, ChangeKind, ChangeSet
from desktop_crm.services.customizing import columns, layout

OWN: Final = ("custom_field", "choice_option", "form_layout")
"""Entities whose records change what entities are."""

NEWS: Final = ChangeSet("", (Changed("custom_field", frozenset(), ChangeKind.UPDATED),))
"""Says that another program changed definitions; which of them is not known."""

_TABLES: Final = (CustomField.__table__, ChoiceOption.__table__, FormLayout.__table__)
_EMPTY: Final = (0, 0) * len(_TABLES)
_ByEntity = dict[str, list[Row[Any]]]


@dataclass(slots=True)
class _Loaded:
    """What stands in the registry: of which database, and as of when."""

    database: ReferenceType[Database] | None = None
    revision: tuple[int, ...] = _EMPTY
    unfolded: frozenset[str] = frozenset()


_loaded = _Loaded()
_lock = threading.Lock()


def load(db: Database) -> bool:
    """Take over what administrators defined in a database; one statement when nothing is new.

    Returns:
        Whether entities are others now than before.

    Raises:
        EnvironmentProblem: The database cannot be reached; entities stay as they were.
    """
    if registry.is_as_declared():
        return False  # this database is not the one people work in
    with _lock, db.reading() as connection:
        revision = _revision(connection)
        known = _loaded.database() if _loaded.database is not None else None
        if known is db and revision == _loaded.revision:
            return False
        changed = revision != _EMPTY or _loaded.revision != _EMPTY
        if changed:
            found = _Definitions.read(connection) if revision != _EMPTY else _Definitions()
            registry.replace(found.entities())
            _loaded.unfolded = found.unfolded()
        _loaded.database, _loaded.revision = ref(db), revision
    return changed


def follow(db: Database, changes: ChangeSet) -> None:
    """Take over what an operation changed about entities; nothing for all other operations."""
    if changes.touches(*OWN):
        load(db)


def forget() -> None:
    """See entities as declared again, as before any database was opened."""
    with _lock:
        registry.replace(())
        _loaded.database, _loaded.revision, _loaded.unfolded = None, _EMPTY, frozenset()


def unfolded() -> frozenset[str]:
    """Entities whose older records do not have every searched field in their search text yet."""
    return _loaded.unfolded


def folded(entity: str) -> None:
    """Note that every record of an entity has its search text."""
    with _lock:
        _loaded.unfolded -= {entity}


def customizable() -> tuple[Entity, ...]:
    """Entities that take fields of one's own: all with a form, but for the definitions."""
    return tuple(e for e in registry.all() if e.form and e.is_record and e.key not in OWN)


def _revision(connection: Connection) -> tuple[int, ...]:
    """Moves with every change of a definition: rows and the sum of their versions."""
    parts = [
        part
        for table in _TABLES
        for part in (
            select(func.count()).select_from(table).scalar_subquery(),
            select(func.coalesce(func.sum(table.c.version), 0)).scalar_subquery(),
        )
    ]
    return tuple(int(part) for part in connection.execute(select(*parts)).one())


class _Definitions:
    """Rows of the three tables, by entity."""

    def __init__(
        self,
        fields: _ByEntity | None = None,
        options: _ByEntity | None = None,
        layouts: _ByEntity | None = None,
    ) -> None:
        self._fields = fields or {}
        self._options = options or {}
        self._layouts = layouts or {}

    @classmethod
    def read(cls, connection: Connection) -> _Definitions:
        """Read them; three statements."""
        return cls(*(_by_entity(connection, table) for table in _TABLES))

    def unfolded(self) -> frozenset[str]:
        return frozenset(
            key
            for key, rows in self._fields.items()
            if any(row.folded_to is not None for row in rows)
        )

    def entities(self) -> Iterable[Entity]:
        with registry.as_declared():
            declared = registry.all()
        lists = shared_lists(declared)
        changed = {lists.get((key, row.field), (key, row.field)) for key in self._options
                   for row in self._options[key]}  # fmt: skip
        touched = {*self._fields, *self._layouts}
        touched |= {key for (key, name), of in lists.items() if of in changed}
        return [self._entity(e, lists) for e in declared if e.key in touched]

    def _entity(self, entity: Entity, lists: Mapping[tuple[str, str], tuple[str, str]]) -> Entity:
        active: dict[str, BoundField] = {}
        retired: dict[str, BoundField] = {}
        for name, field in entity.fields.items():
            rows = self._of_list(lists.get((entity.key, name)))
            active[name] = (
                field if not rows else copied(field, options=options_of(field.options, rows))
            )
        for row in self._fields.get(entity.key, ()):
            own_field = self._own_field(entity, row)
            if own_field is not None:
                stands = active if row.state == FieldState.ACTIVE else retired
                stands[own_field.name] = own_field
        own = [name for name in active if name not in entity.fields]
        form = self._form(entity, active, own)
        order = (*layout.names(form), *(name for name in active))
        ordered = {name: active[name] for name in dict.fromkeys(order)}
        return replace(entity, fields=MappingProxyType(ordered), retired=retired, form=form)

    def _own_field(self, entity: Entity, row: Row[Any]) -> BoundField | None:
        kind = columns.KINDS.get(row.kind)
        if kind is None or (kind is kinds.LINK and registry.find(row.target or "") is None):
            return None  # of a newer program
        money = kind is kinds.MONEY and "currency" in entity.fields
        return BoundField(
            kind=kind,
            label=row.label,
            help=row.help_text or "",
            level=Level.CONFIDENTIAL if row.is_confidential else Level.NORMAL,
            searchable=bool(row.is_searchable),
            needed=bool(row.is_required),
            free=True,
            width=kind.width,
            options=options_of((), self._of_list((entity.key, row.name))),
            currency="currency" if money else "",
            target=(row.target or "") if kind is kinds.LINK else "",
            name=row.name,
            column=columns.grow(entity.table, row.name, row.kind),
        )

    def _of_list(self, of: tuple[str, str] | None) -> list[Row[Any]]:
        if of is None:
            return []
        return [row for row in self._options.get(of[0], ()) if row.field == of[1]]

    def _form(
        self, entity: Entity, active: Mapping[str, BoundField], own: Sequence[str]
    ) -> tuple[Section, ...]:
        rows = self._layouts.get(entity.key, [])
        chosen = layout.from_json(rows[-1].definition or {}) if rows else layout.standard(entity)
        return layout.sections(chosen, entity, active, own)


def _by_entity(connection: Connection, table: Any) -> _ByEntity:  # noqa: ANN401  the table
    entity = registry.get(table.name)
    named = [field.column for field in entity.fields.values() if field.column is not None]
    order = [table.c.position] if "position" in table.c else []
    statement = select(*named).where(table.c.deleted_at.is_(None)).order_by(*order, table.c.id)
    found: _ByEntity = defaultdict(list)
    for row in connection.execute(statement):
        found[row.entity].append(row)
    return found


def shared_lists(entities: Iterable[Entity]) -> dict[tuple[str, str], tuple[str, str]]:
    """The list each choice field takes its values from: that of the first field with the same.

    Leads and opportunities name the same sources; a value added to one is there in both, so that
    converting a lead carries it over.
    """
    first: dict[tuple[Option, ...], tuple[str, str]] = {}
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for entity in entities:
        for name, field in entity.fields.items():
            if field.kind is kinds.CHOICE:
                at = (entity.key, name)
                found[at] = first.setdefault(field.options, at) if field.options else at
    return found


def options_of(declared: Sequence[Option], rows: Sequence[Row[Any]]) -> tuple[Option, ...]:
    """Declared values as an administrator changed them, with those that were added."""
    places = {option.code: float(place) for place, option in enumerate(declared)}
    found = {option.code: option for option in declared}
    for row in rows:
        found[row.code] = Option(row.code, row.label, Tone(row.tone), bool(row.is_active))
        places[row.code] = float(row.position)
    return tuple(sorted(found.values(), key=lambda option: places[option.code]))


def copied(field: BoundField, **changes: Any) -> BoundField:  # noqa: ANN401  attributes
    """The same field with other attributes."""
    values = {part.name: getattr(field, part.name) for part in fields(field)}
    return BoundField(**{**values, **changes})
