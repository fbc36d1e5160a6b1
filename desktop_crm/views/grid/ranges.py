"""The rectangle of cells a person selected, as records and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_

if TYPE_CHECKING:
    from desktop_crm.views.lists.record_view import RecordView


@dataclass(frozen=True, slots=True)
class GridRange:
    """Selected cells.

    Attributes:
        top: First row of the model.
        ids: Record of each row, from the top; headings of groups are left out.
        columns: Columns of the model, in the order on the screen.
    """

    top: int
    ids: Sequence[int]
    columns: tuple[int, ...]


def visual_columns(view: RecordView) -> list[int]:
    """Columns of the model in the order on the screen; hidden ones are left out."""
    header = view.horizontalHeader()
    places = (header.logicalIndex(place) for place in range(header.count()))
    return [column for column in places if column >= 0 and not view.isColumnHidden(column)]


def selected(view: RecordView, most: int) -> GridRange:
    """What is selected: a rectangle of cells, or whole rows with every column.

    Raises:
        UserError: Nothing is selected, it is no rectangle, or it has more cells than `most`.
    """
    selection = view.selectionModel().selection()
    spans = [selection.at(n) for n in range(selection.size())]
    order = visual_columns(view)
    if not spans:
        raise UserError(N_("Nothing is selected. Select some cells first."))
    if not view.is_grid:
        _refuse_many(view.selected_count() * len(order), most)
        top = min(span.top() for span in spans)
        return GridRange(top, view.selected_ids(), tuple(order))
    cells = sum(span.height() * span.width() for span in spans)
    _refuse_many(cells, most)
    rows = {row for span in spans for row in range(span.top(), span.bottom() + 1)}
    chosen = {c for span in spans for c in range(span.left(), span.right() + 1)}
    if cells != len(rows) * len(chosen):
        raise UserError(N_("Select one rectangle of cells."))
    found = (view.record_model.id_at(row) for row in sorted(rows))
    ids = [key for key in found if key is not None]
    return GridRange(min(rows), ids, tuple(column for column in order if column in chosen))


def _refuse_many(count: int, most: int) -> None:
    if count > most:
        raise UserError(
            N_("These are {count} cells; at most {most} are taken at once. Use an export."),
            count=count,
            most=most,
        )


def below(view: RecordView, start: int, count: int) -> list[int]:
    """Records from a row on downwards, at most so many; headings of groups are passed over."""
    found: list[int] = []
    row, last = start, view.record_model.rowCount()
    while row < last and len(found) < count:
        key = view.record_model.id_at(row)
        if key is not None:
            found.append(key)
        row += 1
    return found


def rightwards(view: RecordView, column: int) -> list[int]:
    """Columns from one on to the right, in the order on the screen."""
    order = visual_columns(view)
    return order[order.index(column) :] if column in order else []
