"""From a list on the screen to the document that is printed; runs on a reader thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, ntr
from desktop_crm.views.lists.columns import ListColumn, Look
from desktop_crm.views.lists.rows import QuerySource

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.printing.list_pdf import ListDocument
    from desktop_crm.services.bulk.job import Targets
    from desktop_crm.services.context import Actor
    from desktop_crm.services.query import RecordQuery

MOST: Final = 10_000
"""Records of a printed list; more would be hundreds of pages nobody reads."""
_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True)
class Shown:
    """What the screen shows of a list.

    Attributes:
        title: Name of the view.
        condition: Filter and words in the form a person reads, or empty.
        query: The question.
        columns: From left to right.
        widths: Pixels of each column.
    """

    title: str
    condition: str
    query: RecordQuery
    columns: tuple[ListColumn, ...]
    widths: tuple[float, ...]


def printed(
    actor: Actor, shown: Shown, targets: Targets, cancel: Cancel | None = None
) -> ListDocument:
    """Read the rows and make the document.

    Raises:
        UserError: There are more records than a printed list holds; nothing was printed.
    """
    from desktop_crm.printing.list_pdf import ListDocument, PrintedColumn, PrintedGroup

    keys = targets.keys(actor, cancel)
    if len(keys) > MOST:
        raise UserError(
            N_("A printed list holds {most} records; these are {count}. Filter it, or export it."),
            most=actor.formats.number(MOST, 0),
            count=actor.formats.number(len(keys), 0),
        )
    rows = tuple(_rows(actor, shown, keys, cancel))
    number = actor.formats.number(len(rows), 0)
    count = ntr("{number} record", "{number} records", len(rows), number=number)
    columns = tuple(
        PrintedColumn(column.label, width, column.look is Look.NUMBER)
        for column, width in zip(shown.columns, shown.widths, strict=True)
    )
    return ListDocument(
        title=shown.title,
        subtitle=" · ".join(text for text in (shown.condition, count) if text),
        columns=columns,
        groups=(PrintedGroup("", rows),),
        totals=("",) * len(columns),
        printed_on=clock.today(actor.zone),
        printed_by=actor.name,
        company=company_name(actor),
        language=actor.language,
    )


def _rows(
    actor: Actor, shown: Shown, keys: Sequence[int], cancel: Cancel | None
) -> list[tuple[str, ...]]:
    source = QuerySource(actor, shown.query, shown.columns, actor.formats)
    found: list[tuple[str, ...]] = []
    for start in range(0, len(keys), _CHUNK):
        part = source.rows(keys[start : start + _CHUNK], cancel=cancel)
        found += [row.texts for row in part]
    return found


def company_name(actor: Actor) -> str:
    """Name of the own company, for the foot of the page; one statement."""
    from desktop_crm.services import query
    from desktop_crm.services.query import RecordQuery

    found = query.first_page(actor, RecordQuery("own_company", ("name",)), 1)
    return str(found[0].values[0] or "") if found else ""
