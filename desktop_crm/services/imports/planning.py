"""The plan of an import, pure: drafts and what stands in the database give one outcome a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from desktop_crm.core.errors import ConflictField
from desktop_crm.core.i18n import tr
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.types import ExactNumber
from desktop_crm.services.excel import layout
from desktop_crm.services.excel.table import ChildRows
from desktop_crm.services.imports import recipes
from desktop_crm.services.imports.draft import (
    CellProblem,
    Draft,
    LinkText,
    Outcome,
    PlannedRow,
    Resolution,
    RowRef,
    Unset,
)
from desktop_crm.services.imports.drafting import child_key, read_only_touched
from desktop_crm.services.imports.existing import Existing
from desktop_crm.services.imports.lookups import Links

CellText = Callable[[BoundField, Existing], str]
"""What a field of a stored record would show in an exported cell."""


@dataclass(slots=True)
class Known:
    """What the database holds of a file's rows.

    Attributes:
        records: Record by key.
        matched: Position of a row to the keys it may belong to.
        uids: Record key by identity, for our own workbooks.
        cell_text: How a stored value was exported; None for foreign files.
    """

    records: Mapping[int, Existing] = field(default_factory=dict)
    matched: Mapping[int, Sequence[int]] = field(default_factory=dict)
    uids: Mapping[str, int] = field(default_factory=dict)
    cell_text: CellText | None = None


@dataclass(slots=True)
class Kept:
    """Counts of values that the file holds and the import leaves alone."""

    consents: int = 0


def build(
    entity: Entity,
    rows: Sequence[Draft],
    links: Links,
    known: Known,
    repeated: Mapping[int, int],
    kept: Kept,
) -> list[PlannedRow]:
    """Decide what to do with every row.

    Args:
        entity: What the rows are.
        rows: Drafts in the order of the file.
        links: What their links lead to.
        known: What the database holds.
        repeated: Position of a row to the number of the earlier row that is the same record.
        kept: Counts what is left alone; filled in.
    """
    return [_row(entity, row, links, known, repeated, kept) for row in rows]


def _row(
    entity: Entity,
    row: Draft,
    links: Links,
    known: Known,
    repeated: Mapping[int, int],
    kept: Kept,
) -> PlannedRow:
    planned = PlannedRow(row.number, row.position, Outcome.ERROR, recipes.title(entity, row))
    problems = list(row.problems)
    if row.uid:
        key = known.uids.get(row.uid)
        if key is None:
            planned.outcome = Outcome.MISSING
            planned.problems = (
                CellProblem("", "", tr("The record was deleted meanwhile; the row was left out.")),
            )
            return planned
        candidates: Sequence[int] = (key,)
    else:
        candidates = known.matched.get(row.position, ())
    if row.position in repeated:
        problems.append(
            CellProblem("", "", tr("Same record as row {row}.", row=repeated[row.position]))
        )
    if len(candidates) > 1:
        sentence = tr("It could be {n} different records here.", n=len(candidates))
        problems.append(CellProblem("", "", sentence))
    if problems:
        planned.problems = tuple(problems)
        return planned
    planned.problems = read_only_touched(row, entity)
    values = _resolved(entity, row, links)
    if not candidates:
        return _creation(entity, planned, values)
    return _change(
        entity, row, planned, values, known.records[candidates[0]], known=known, kept=kept
    )


def _resolved(entity: Entity, row: Draft, links: Links) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in row.values.items():
        if isinstance(value, LinkText):
            found: Resolution = links.of(name, value.text)
            if found is not None and found != RowRef(row.position):
                values[name] = found
        else:
            values[name] = stored(entity.fields[name], value)
    return values


def stored(bound: BoundField, value: object) -> object:
    """Round a number as its column does, so that reading it back shows no difference."""
    type_ = bound.column.type if bound.column is not None else None
    if isinstance(value, Decimal) and isinstance(type_, ExactNumber):
        return value.quantize(Decimal(1).scaleb(-type_.scale), ROUND_HALF_UP)
    return value


def _creation(entity: Entity, planned: PlannedRow, values: dict[str, object]) -> PlannedRow:
    values = {name: value for name, value in values.items() if not isinstance(value, Unset)}
    problems = [
        CellProblem(name, "", tr("{field} is missing.", field=tr(bound.label)))
        for name, bound in entity.fields.items()
        if bound.required
        and bound.importable
        and not bound.hidden
        and values.get(name) is None
        and (entity.key, name) not in recipes.FILLED_BY_RULES
    ]
    named = recipes.full_name(values) or values.get("email") or values.get("emails")
    if entity.title == "full_name" and not named:
        problems.append(CellProblem("last_name", "", tr("The name is missing.")))
    if problems:
        planned.problems = tuple(problems)
        return planned
    planned.outcome = Outcome.CREATE
    planned.values = {
        name: [dict(r) for r in value.rows] if isinstance(value, ChildRows) else value
        for name, value in values.items()
    }
    return planned


def _change(
    entity: Entity,
    row: Draft,
    planned: PlannedRow,
    values: Mapping[str, object],
    record: Existing,
    *,
    known: Known,
    kept: Kept,
) -> PlannedRow:
    planned.record_id, planned.version = record.id, record.version
    conflicts: dict[str, ConflictField] = {}
    for name, value in values.items():
        bound = entity.fields[name]
        theirs = record.values.get(name)
        new = None if isinstance(value, Unset) else value
        if name in recipes.CONSENTS and theirs is True and new is not True:
            kept.consents += 1
            continue
        if isinstance(new, ChildRows):
            joined = _joined(name, new, record.lines.get(name, []))
            if joined is not None:
                planned.values[name] = joined
                planned.base[name] = record.lines.get(name, [])
            continue
        if same(new, theirs):
            continue
        if _changed_meanwhile(bound, row, record, known):
            conflicts[name] = ConflictField(row.base[name], new, theirs)
            continue
        planned.values[name] = new
        planned.base[name] = theirs
    planned.conflicts = conflicts
    if conflicts:
        planned.outcome = Outcome.CONFLICT
        planned.problems += tuple(
            CellProblem(
                name,
                tr(entity.fields[name].label),
                tr("changed both here and in the database; nothing of the row was taken."),
            )
            for name in conflicts
        )
    else:
        planned.outcome = Outcome.UPDATE if planned.values else Outcome.SAME
    return planned


def as_change(
    entity: Entity,
    row: Draft,
    planned: PlannedRow,
    links: Links,
    record: Existing,
    *,
    known: Known,
    kept: Kept,
) -> PlannedRow:
    """What would be done with a new row if it were a record that is there."""
    other = PlannedRow(planned.number, planned.position, Outcome.ERROR, planned.title)
    values = _resolved(entity, row, links)
    return _change(entity, row, other, values, record, known=known, kept=kept)


def take_instead(row: PlannedRow) -> None:
    """Let a new row be the record it is like."""
    other = row.instead
    if other is None:
        return
    row.outcome, row.values, row.base = other.outcome, other.values, other.base
    row.record_id, row.version = other.record_id, other.version
    row.problems, row.alike, row.instead = other.problems, "", None


def _changed_meanwhile(bound: BoundField, row: Draft, record: Existing, known: Known) -> bool:
    """Say whether the stored value differs from the one that our own workbook showed."""
    as_exported = row.version == record.version and row.uid == record.uid
    if bound.name not in row.base or known.cell_text is None or as_exported:
        return False
    return not layout.matches_base(known.cell_text(bound, record), row.base[bound.name])


def same(new: object, old: Any) -> bool:  # noqa: ANN401  a stored value of any kind
    """Say whether two values of a field are the same; an empty text is none."""
    if new in {None, ""} if isinstance(new, str | None) else False:
        return old is None or old == ""
    if isinstance(new, str) and isinstance(old, str):
        return new == old or _spaced(new) == _spaced(old)
    return bool(new == old)


def _spaced(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def _joined(
    name: str, new: ChildRows, old: Sequence[Mapping[str, Any]]
) -> list[dict[str, object]] | None:
    """Join child rows: what stands stays, what is missing is added; None when nothing is."""
    held = {child_key(name, row) for row in old}
    added = [dict(row) for row in new.rows if child_key(name, row) not in held]
    if not added:
        return None
    if old:
        for row in added:
            row["is_primary"] = False
    return [*(dict(row) for row in old), *added]


def settle(row: PlannedRow, *, mine: bool) -> None:
    """Decide a conflict for the file or for the database; the rest of the row is taken as well."""
    settled = set(row.conflicts)
    if mine:
        for name, conflict in row.conflicts.items():
            row.values[name] = conflict.mine
            row.base[name] = conflict.theirs
    row.conflicts = {}
    row.problems = tuple(p for p in row.problems if p.field not in settled)
    row.outcome = Outcome.UPDATE if row.values else Outcome.SAME
