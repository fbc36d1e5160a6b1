"""Applying a plan: records that links name first, then the rows in chunks, all one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from desktop_crm.core.errors import (
    Conflict,
    EnvironmentProblem,
    NotFound,
    PermissionDenied,
    UserError,
    ValidationFailed,
)
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.services import records
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.imports import batch
from desktop_crm.services.imports.draft import (
    CellProblem,
    NewRecord,
    Notice,
    NoticeKind,
    Outcome,
    PlannedRow,
    RowRef,
)
from desktop_crm.services.imports.names import split_name
from desktop_crm.services.imports.recipes import stage_state
from desktop_crm.services.imports.service import ImportPlan
from desktop_crm.services.records import Change

Progress = Callable[[int, int], None]
"""Called with rows done and rows to write."""

CHUNK: Final = 500
_SOURCE: Final = "import"
_FORECAST: Final = {"open": "pipeline", "won": "closed", "lost": "omitted"}
_INTERRUPTED: Final = N_("The work was stopped.")
_PARTLY: Final = N_(
    "The import ended after {done} of {total} rows. Those rows were saved as import {batch}, which "
    "can be undone as a whole; importing the file again adds the rest. The reason: {reason}"
)
_REFUSALS: Final = (ValidationFailed, Conflict, NotFound, PermissionDenied, UserError)


@dataclass(slots=True)
class ImportResult:
    """What an import did.

    Attributes:
        entity: Key of the entity.
        batch: Key of the import record; None when nothing was written.
        operation: Operation in the audit trail; the whole import is undone by it.
        created: New records.
        updated: Changed records.
        same: Rows that changed nothing.
        also_created: Records that were made because the file names them, by entity.
        rejected: Rows that were not taken, with their reasons.
        notices: Sentences about the file as a whole.
        changes: What other panes need to know.
        was_cancelled: The person stopped it; what was written before stays and can be undone.
    """

    entity: str
    batch: int | None = None
    operation: str = ""
    created: int = 0
    updated: int = 0
    same: int = 0
    also_created: dict[str, int] = field(default_factory=dict)
    rejected: list[PlannedRow] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    changes: ChangeSet = NOTHING
    was_cancelled: bool = False


def apply(
    actor: Actor,
    plan: ImportPlan,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> ImportResult:
    """Write what a plan says, in chunks of 500 rows, as one batch and one step of undo.

    A row that the database refuses is reported and disturbs no other row.

    Args:
        actor: Who imports.
        plan: The plan; a row that is refused now becomes an error in it.
        progress: Called after every chunk.
        cancel: Stops between chunks.

    Raises:
        EnvironmentProblem: The database cannot be written, or Ctrl+C was pressed; chunks written
            before stay in the batch and can be undone, and the sentence says how many rows.
    """
    result = ImportResult(plan.entity, notices=plan.notices)
    rows = [row for row in plan.rows if row.outcome in {Outcome.CREATE, Outcome.UPDATE}]
    try:
        if rows:
            _Writer(actor, plan, result).write(rows, progress, cancel)
    except (EnvironmentProblem, KeyboardInterrupt) as error:
        result.was_cancelled = True
        with suppress(EnvironmentProblem):
            _close(actor, plan, result)
        done = result.created + result.updated
        if not done:
            raise
        reason = str(error) if isinstance(error, EnvironmentProblem) else tr(_INTERRUPTED)
        raise EnvironmentProblem(
            _PARTLY, done=done, total=len(rows), batch=result.batch, reason=reason
        ) from error
    _close(actor, plan, result)
    return result


def _close(actor: Actor, plan: ImportPlan, result: ImportResult) -> None:
    """Count what became of the rows and close the batch."""
    result.same = sum(row.outcome is Outcome.SAME for row in plan.rows)
    result.rejected = plan.rejected
    if result.batch is not None:
        batch.finish(
            actor,
            result.batch,
            {
                "created_count": result.created,
                "updated_count": result.updated,
                "same_count": result.same,
                "rejected_count": len(result.rejected),
            },
            stopped=result.was_cancelled,
        )


class _Writer:
    """One run of an import."""

    def __init__(self, actor: Actor, plan: ImportPlan, result: ImportResult) -> None:
        self.actor = actor
        self.plan = plan
        self.result = result
        self.result.operation = new_uid()
        self.made: dict[NewRecord, int] = {}
        self.keys = {row.position: row.record_id for row in plan.rows if row.record_id}

    def write(
        self, rows: Sequence[PlannedRow], progress: Progress | None, cancel: Cancel | None
    ) -> None:
        """Write named records, then the rows level by level."""
        details = {
            "file": self.plan.source.name,
            "mapping": self.plan.mapping,
            "operation": self.result.operation,
        }
        name = self.plan.source.name
        self.result.batch = batch.begin(self.actor, self.plan.entity, name, details)
        self._make_named(rows)
        done = 0
        late: list[PlannedRow] = []
        for chunk in _chunks(rows, late):
            if cancel is not None and cancel.is_cancelled:
                self.result.was_cancelled = True
                return
            self._save(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, len(rows))
        self._close_circles(late)

    def _make_named(self, rows: Sequence[PlannedRow]) -> None:
        wanted: dict[str, dict[NewRecord, None]] = {}
        for row in rows:
            for value in row.values.values():
                if isinstance(value, NewRecord):
                    wanted.setdefault(value.entity, {})[value] = None
        for entity, new in wanted.items():
            position = batch.next_stage_position(self.actor) if entity == "stage" else 0
            changes = [
                Change(None, None, _first_values(one, position + index))
                for index, one in enumerate(new)
            ]
            self._make(entity, list(zip(new, changes, strict=True)))

    def _make(self, entity: str, wanted: Sequence[tuple[NewRecord, Change]]) -> None:
        """Make records that links name; halve them until only the refused ones are left out."""
        try:
            saved = self._save_many(entity, [change for _, change in wanted])
        except _REFUSALS as error:
            if len(wanted) == 1:
                title = wanted[0][0].title
                message = tr("“{title}” could not be added: {reason}", title=title, reason=error)
                self.result.notices.append(Notice(NoticeKind.NOT_FOUND, message, text=title))
                return
            middle = len(wanted) // 2
            self._make(entity, wanted[:middle])
            self._make(entity, wanted[middle:])
            return
        self.made.update(zip((new for new, _ in wanted), saved, strict=True))
        made = self.result.also_created
        made[entity] = made.get(entity, 0) + len(wanted)

    def _save_many(self, entity: str, changes: Sequence[Change]) -> tuple[int, ...]:
        saved = records.save_many(
            self.actor,
            entity,
            changes,
            batch=self.result.batch,
            source=_SOURCE,
            operation=self.result.operation,
        )
        self.result.changes = self.result.changes.merge(saved.changes)
        return saved.ids

    def _save(self, rows: Sequence[PlannedRow]) -> None:
        """Write rows; halve them until only the refused ones are left out."""
        if not rows:
            return
        try:
            ids = self._save_many(self.plan.entity, [self._change(row) for row in rows])
        except _REFUSALS as error:
            if len(rows) == 1:
                _refuse(rows[0], error)
                return
            middle = len(rows) // 2
            self._save(rows[:middle])
            self._save(rows[middle:])
            return
        for row, key in zip(rows, ids, strict=True):
            self.keys[row.position] = key
            row.record_id = key
        made = sum(row.outcome is Outcome.CREATE for row in rows)
        self.result.created += made
        self.result.updated += len(rows) - made

    def _change(self, row: PlannedRow) -> Change:
        values = {}
        for name, value in row.values.items():
            known, resolved = self._resolved(value)
            if known:
                values[name] = resolved
        is_new = row.outcome is Outcome.CREATE
        return Change(
            None if is_new else row.record_id,
            None if is_new else row.version,
            values,
            None if is_new else row.base,
        )

    def _resolved(self, value: object) -> tuple[bool, object]:
        if isinstance(value, NewRecord):
            return value in self.made, self.made.get(value)
        if isinstance(value, RowRef):
            key = self.keys.get(value.position)
            return key is not None, key
        return True, value

    def _close_circles(self, late: Sequence[PlannedRow]) -> None:
        """Set the links of rows that point to each other, once all of them stand."""
        closing = []
        for row in late:
            links = {
                name: self.keys[value.position]
                for name, value in row.values.items()
                if isinstance(value, RowRef) and value.position in self.keys
            }
            if links and row.position in self.keys:
                closing.append((row, Change(self.keys[row.position], None, links)))
        for start in range(0, len(closing), CHUNK):
            self._close_circle(closing[start : start + CHUNK])

    def _close_circle(self, closing: Sequence[tuple[PlannedRow, Change]]) -> None:
        """Set links; halve them until only the refused ones are left out. Their rows stay."""
        try:
            self._save_many(self.plan.entity, [change for _, change in closing])
        except _REFUSALS as error:
            if len(closing) == 1:
                row = closing[0][0]
                message = tr(
                    "Row {row} was written without its link: {reason}",
                    row=row.number,
                    reason=_reason(error),
                )
                self.result.notices.append(Notice(NoticeKind.NOT_FOUND, message))
                return
            middle = len(closing) // 2
            self._close_circle(closing[:middle])
            self._close_circle(closing[middle:])


def _first_values(new: NewRecord, position: int) -> dict[str, Any]:
    """What a record that a file only names is made with."""
    entity = registry.get(new.entity)
    if entity.title == "full_name":
        first, last = split_name(new.title)
        return {"first_name": first or None, "last_name": last}
    values: dict[str, Any] = {entity.title: new.title}
    if new.entity == "stage":
        state = stage_state(new.title)
        values.update(
            state=state,
            position=position,
            probability=Decimal(100 if state == "won" else 0),
            forecast_category=_FORECAST[state],
        )
    return values


def _reason(error: Exception) -> str:
    """What is wrong, without the sentence that nothing was saved: here the row was."""
    if isinstance(error, ValidationFailed):
        return " ".join(fault.message for fault in error.errors)
    return str(error)


def _refuse(row: PlannedRow, error: Exception) -> None:
    row.outcome = Outcome.CONFLICT if isinstance(error, Conflict) else Outcome.ERROR
    if isinstance(error, ValidationFailed):
        row.problems = tuple(CellProblem(e.field, "", e.message) for e in error.errors)
    elif isinstance(error, Conflict):
        row.conflicts = error.fields
        row.problems = (
            CellProblem("", "", tr("Somebody changed the record while it was being imported.")),
        )
    else:
        row.problems = (CellProblem("", "", str(error)),)


def _chunks(rows: Sequence[PlannedRow], late: list[PlannedRow]) -> Iterator[Sequence[PlannedRow]]:
    """Order rows so that what others point to comes first; circles come last and are kept."""
    left = list(rows)
    pending = {row.position for row in rows if row.outcome is Outcome.CREATE}
    while left:
        ready = [row for row in left if not _waits(row.values, pending)]
        if not ready:
            late.extend(left)
            ready = left
        chosen = {id(row) for row in ready}
        left = [row for row in left if id(row) not in chosen]
        pending -= {row.position for row in ready}
        for start in range(0, len(ready), CHUNK):
            yield ready[start : start + CHUNK]


def _waits(values: Mapping[str, object], pending: set[int]) -> bool:
    return any(isinstance(v, RowRef) and v.position in pending for v in values.values())
