"""Pasting a range into a list: what would change, cell by cell, before anything does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from desktop_crm.core.errors import CrmError, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import storable
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import SYSTEM_FIELDS, BoundField, Entity
from desktop_crm.services import query
from desktop_crm.services.bulk.job import CHUNK, SOURCE, BulkReport, Progress, Targets, run
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.grid.clipboard import Cells
from desktop_crm.services.imports import existing
from desktop_crm.services.permissions import knows, require
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.records import Change, save_many
from desktop_crm.services.values import checked, same

_NOT_IN_A_CELL: Final = (kinds.LINES, kinds.IMAGE, kinds.JSON)
UNREADABLE: Final = N_("There is no {record} “{text}” that you may use.")


@dataclass(frozen=True, slots=True)
class PastedCell:
    """One cell that would change, or cannot.

    Attributes:
        record_id: Record of the row.
        field: Name of the field.
        old: What is shown now.
        new: What would be shown.
        value: What would be stored.
        problem: Why it cannot be, in words; empty when it can.
    """

    record_id: int
    field: str
    old: str
    new: str
    value: Any = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PastePlan:
    """What a paste would do; nothing was written.

    Attributes:
        entity: Key of the entity.
        titles: Title of each record that has a cell here.
        cells: Those that change and those that cannot; cells that stay the same are left out.
        same: How many stay the same.
        versions: Version of each record when the plan was made.
        bases: Stored values of the changing fields when the plan was made.
    """

    entity: str
    titles: Mapping[int, str]
    cells: tuple[PastedCell, ...]
    same: int
    versions: Mapping[int, int]
    bases: Mapping[int, Mapping[str, Any]]

    @property
    def good(self) -> tuple[PastedCell, ...]:
        """Cells that change."""
        return tuple(cell for cell in self.cells if not cell.problem)

    @property
    def bad(self) -> tuple[PastedCell, ...]:
        """Cells that cannot change."""
        return tuple(cell for cell in self.cells if cell.problem)

    def without(self, struck: frozenset[tuple[int, str]]) -> PastePlan:
        """The plan without the cells a person struck out, named by record and field."""
        kept = tuple(c for c in self.cells if (c.record_id, c.field) not in struck)
        return replace(self, cells=kept)


def why_not(actor: Actor, entity: Entity, path: str) -> str:
    """Why a column cannot be edited in a list, in words; empty when it can."""
    if "." in path:
        return tr(N_("The column belongs to another record; change it there."))
    field = entity.fields.get(path)
    if field is None or not knows(actor, field):
        return tr(N_("This field does not exist, or you may not see it."))
    if field.kind in _NOT_IN_A_CELL:
        return tr(N_("{label} is changed in the record's form."), label=tr(field.label))
    if field.read_only or path in SYSTEM_FIELDS:
        return tr(N_("{label} is set by the program."), label=tr(field.label))
    return ""


def plan(
    actor: Actor,
    entity_key: str,
    ids: Sequence[int],
    paths: Sequence[str],
    cells: Cells,
    cancel: Cancel | None = None,
) -> PastePlan:
    """Compare copied cells with the records they would go to; writes nothing.

    Costs one statement for each thousand records and two for each link column.

    Args:
        actor: Who pastes.
        entity_key: Entity of the list.
        ids: Record of each row of the range.
        paths: Field path of each column of the range.
        cells: Texts, a row for each record and a cell for each path.
        cancel: Stops the reading.

    Raises:
        UserError: The range is larger than the list from here on; nothing was done.
        PermissionDenied: The role may not change such records.
    """
    entity = registry.get(entity_key)
    require(actor, entity, "edit")
    if len(cells) > len(ids) or len(cells[0]) > len(paths):
        raise UserError(
            N_(
                "The copied range has {rows} rows and {columns} columns; from here on the list "
                "has {there} rows and {across} columns. Nothing was pasted."
            ),
            rows=len(cells),
            columns=len(cells[0]),
            there=len(ids),
            across=len(paths),
        )
    chosen = paths[: len(cells[0])]
    made = _Comparison(actor, entity)
    refusals = {path: why_not(actor, entity, path) for path in chosen}
    usable = [path for path in chosen if not refusals[path]]
    links = _links(actor, entity, chosen, refusals, cells)
    for start in range(0, len(cells), CHUNK):
        part = list(ids[start : start + CHUNK][: len(cells) - start])
        stored = _stored(actor, entity, part, usable, cancel)
        for number, key in enumerate(part):
            row = stored.get(key)
            if row is None:
                continue
            made.begin(key, row)
            for path, text in zip(chosen, cells[start + number], strict=True):
                if refusals[path]:
                    made.found.append(PastedCell(key, path, "", text, problem=refusals[path]))
                else:
                    made.typed(key, row, path, text.strip(), links.get(path, {}))
    return made.plan()


@dataclass(frozen=True, slots=True)
class _Stored:
    title: str
    version: int
    values: Mapping[str, Any]
    shown: Mapping[str, str]


def _stored(
    actor: Actor,
    entity: Entity,
    ids: Sequence[int],
    paths: Sequence[str],
    cancel: Cancel | None,
) -> dict[int, _Stored]:
    keys = [f"{path}.id" if entity.fields[path].kind is kinds.LINK else path for path in paths]
    columns = (entity.title, *keys, *paths)
    found: dict[int, _Stored] = {}
    for row in query.rows(actor, RecordQuery(entity.key, columns), ids, cancel):
        values = dict(zip(paths, row.values[1 : len(paths) + 1], strict=True))
        texts = zip(paths, row.values[len(paths) + 1 :], strict=True)
        shown = {path: _shown(actor, entity.fields[path], value) for path, value in texts}
        found[row.id] = _Stored(str(row.values[0] or ""), row.version, values, shown)
    return found


def _shown(actor: Actor, field: BoundField, value: object) -> str:
    if field.kind is kinds.LINK:
        return str(value or "")
    return field.display(value, actor.formats)


def _links(
    actor: Actor,
    entity: Entity,
    paths: Sequence[str],
    refusals: Mapping[str, str],
    cells: Cells,
) -> dict[str, dict[str, set[int]]]:
    """Records that the texts of each link column may mean, by text."""
    found: dict[str, dict[str, set[int]]] = {}
    for place, path in enumerate(paths):
        if refusals[path] or entity.fields[path].kind is not kinds.LINK:
            continue
        target = registry.get(entity.fields[path].target)
        texts = {row[place].strip() for row in cells if row[place].strip()}
        keys = {text: existing.title_key(storable(text)) for text in texts}
        with actor.db.reading() as connection:
            by_key = existing.find_by(connection, actor, target, "title_key", set(keys.values()))
        found[path] = {text: by_key.get(key, set()) for text, key in keys.items()}
    return found


class _Comparison:
    """Cells on their way into a plan."""

    def __init__(self, actor: Actor, entity: Entity) -> None:
        self._actor = actor
        self._entity = entity
        self.found: list[PastedCell] = []
        self._same = 0
        self._titles: dict[int, str] = {}
        self._versions: dict[int, int] = {}
        self._bases: dict[int, Mapping[str, Any]] = {}

    def begin(self, key: int, row: _Stored) -> None:
        """Take a record in."""
        self._titles[key], self._versions[key] = row.title, row.version
        self._bases[key] = row.values

    def typed(
        self, key: int, row: _Stored, path: str, text: str, links: Mapping[str, set[int]]
    ) -> None:
        """Compare a text with the cell it goes to."""
        old = row.shown[path]
        if text == old.strip():
            self._same += 1
            return
        field = self._entity.fields[path]
        try:
            value = _value(self._actor, field, text, links)
        except CrmError as error:
            self.found.append(PastedCell(key, path, old, text, problem=str(error)))
            return
        shown = text if field.kind is kinds.LINK else field.display(value, self._actor.formats)
        self.given(key, row, path, value, shown)

    def given(self, key: int, row: _Stored, path: str, value: Any, shown: str) -> None:  # noqa: ANN401
        """Compare a value with the cell it goes to."""
        if same(row.values[path], value):
            self._same += 1
        else:
            self.found.append(PastedCell(key, path, row.shown[path], shown, value))

    def plan(self) -> PastePlan:
        """What would be done."""
        return PastePlan(
            self._entity.key,
            self._titles,
            tuple(self.found),
            self._same,
            self._versions,
            self._bases,
        )


def _value(actor: Actor, field: BoundField, text: str, links: Mapping[str, set[int]]) -> Any:  # noqa: ANN401  any kind
    if field.kind is kinds.LINK and text:
        known = links.get(text, set())
        label = tr(field.label)
        if not known:
            raise UserError(UNREADABLE, text=text, record=label)
        if len(known) > 1:
            raise UserError(
                N_("{count} records are called “{text}”; choose one in the form."),
                count=len(known),
                text=text,
            )
        return next(iter(known))
    value = checked(field, text or None, actor.formats)
    if value in (None, "") and not field.nullable:
        raise UserError(N_("{label} is missing."), label=tr(field.label))
    return value


def apply(
    actor: Actor,
    planned: PastePlan,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> BulkReport:
    """Write what a plan says; records changed since keep both changes or are left out and named.

    One undo takes everything back.
    """
    wanted: dict[int, dict[str, Any]] = {}
    for cell in planned.good:
        wanted.setdefault(cell.record_id, {})[cell.field] = cell.value

    def write(ids: Sequence[int], operation: str) -> ChangeSet:
        changes = [
            Change(key, planned.versions[key], wanted[key], planned.bases[key]) for key in ids
        ]
        saved = save_many(actor, planned.entity, changes, source=SOURCE, operation=operation)
        return saved.changes

    return run(actor, Targets(planned.entity, list(wanted)), "edit", write, progress, cancel)


def fill_down(
    actor: Actor,
    entity_key: str,
    ids: Sequence[int],
    paths: Sequence[str],
    cancel: Cancel | None = None,
) -> PastePlan:
    """Plan to give the first record's values to those below it.

    Raises:
        UserError: There is nothing below.
    """
    if len(ids) < 2:
        raise UserError(N_("Select the cell to copy and the ones below it."))
    entity = registry.get(entity_key)
    require(actor, entity, "edit")
    made = _Comparison(actor, entity)
    refusals = {path: why_not(actor, entity, path) for path in paths}
    usable = [path for path in paths if not refusals[path]]
    first = _stored(actor, entity, ids[:1], usable, cancel).get(ids[0])
    if first is None:
        raise UserError(N_("The first record is gone. Nothing was filled."))
    for path, problem in refusals.items():
        if problem:
            made.found.append(PastedCell(ids[1], path, "", "", problem=problem))
    for start in range(1, len(ids), CHUNK):
        for key, row in _stored(actor, entity, ids[start : start + CHUNK], usable, cancel).items():
            made.begin(key, row)
            for path in usable:
                made.given(key, row, path, first.values[path], first.shown[path])
    return made.plan()
