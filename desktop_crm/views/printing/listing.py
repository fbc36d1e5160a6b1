"""From a list on the screen to the document that is printed; runs on a reader thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, ntr
from desktop_crm.meta import registry
from desktop_crm.views.lists.columns import ListColumn, Look
from desktop_crm.views.lists.rows import QuerySource
from desktop_crm.views.lists.total_texts import BETWEEN

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.printing.list_pdf import ListDocument, PrintedGroup
    from desktop_crm.services.bulk.job import Targets
    from desktop_crm.services.context import Actor
    from desktop_crm.services.list_layout import Summary
    from desktop_crm.services.query import RecordQuery
    from desktop_crm.services.totals import Grouped, Totals

MOST: Final = 10_000
"""Records of a printed list; more would be hundreds of pages nobody reads."""
_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True)
class Shown:
    """What the screen shows of a list.

    Attributes:
        title: Name of the view.
        query: The question.
        columns: From left to right.
        widths: Pixels of each column.
        summaries: What the totals row says, by path.
    """

    title: str
    query: RecordQuery
    columns: tuple[ListColumn, ...]
    widths: tuple[float, ...]
    summaries: Mapping[str, Summary]


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
    listed = targets.query is not None
    source = QuerySource(actor, shown.query, shown.columns, actor.formats, shown.summaries)
    rows = _rows(source, keys, cancel)
    totals: tuple[tuple[str, ...], ...] = ((),) * len(shown.columns)
    groups: tuple[PrintedGroup, ...] = (PrintedGroup("", tuple(rows)),)
    if listed and source.grouped_by:
        grouped = source.groups(cancel)
        groups = tuple(_groups(actor, source, grouped, rows))
        totals = _totals(shown, source, grouped.totals)
    elif listed and shown.summaries:
        totals = _totals(shown, source, source.totals(cancel))
    number = actor.formats.number(len(rows), 0)
    count = ntr("{number} record", "{number} records", len(rows), number=number)
    condition = _condition(actor, shown.query) if listed else ""
    columns = tuple(
        PrintedColumn(column.label, width, column.look is Look.NUMBER)
        for column, width in zip(shown.columns, shown.widths, strict=True)
    )
    return ListDocument(
        title=shown.title,
        subtitle=" · ".join(text for text in (condition, count) if text),
        columns=columns,
        groups=groups,
        totals=totals,
        printed_on=clock.today(actor.zone),
        printed_by=actor.name,
        company=company_name(actor),
        language=actor.language,
    )


def _rows(source: QuerySource, keys: Sequence[int], cancel: Cancel | None) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for start in range(0, len(keys), _CHUNK):
        part = source.rows(keys[start : start + _CHUNK], cancel=cancel)
        found += [row.texts for row in part]
    return found


def _groups(
    actor: Actor, source: QuerySource, grouped: Grouped, rows: Sequence[tuple[str, ...]]
) -> Iterator[PrintedGroup]:
    """Rows under their headings, in the order of the list, with what each group adds up to."""
    from desktop_crm.printing.list_pdf import PrintedGroup

    start = 0
    for part in grouped.groups:
        count = actor.formats.number(part.totals.count, 0)
        sums = [text for text in source.total_texts(part.totals).values() if text]
        heading = " · ".join((f"{source.group_label(part)} ({count})", *sums))
        yield PrintedGroup(heading, tuple(rows[start : start + part.totals.count]))
        start += part.totals.count
    if start < len(rows):  # somebody added records between two statements
        yield PrintedGroup("", tuple(rows[start:]))


def _totals(shown: Shown, source: QuerySource, totals: Totals) -> tuple[tuple[str, ...], ...]:
    texts = source.total_texts(totals)
    found = (texts.get(column.path, "") for column in shown.columns)
    return tuple(tuple(text.split(BETWEEN)) if text else () for text in found)


def _condition(actor: Actor, asked: RecordQuery) -> str:
    """Filter and words of a list as a person reads them."""
    from desktop_crm.services.link_titles import link_titles
    from desktop_crm.views.filters.words import describe

    parts: list[str] = []
    if asked.filter is not None:
        titles = link_titles(actor, asked.entity, asked.filter)
        entity = registry.get(asked.entity)
        parts.append(describe(asked.filter, entity, actor.formats, titles))
    parts += [asked.search] if asked.search else []
    return " · ".join(parts)


def company_name(actor: Actor) -> str:
    """Name of the own company, for the foot of the page; one statement."""
    from desktop_crm.services import query
    from desktop_crm.services.query import RecordQuery

    found = query.first_page(actor, RecordQuery("own_company", ("name",)), 1)
    return str(found[0].values[0] or "") if found else ""
