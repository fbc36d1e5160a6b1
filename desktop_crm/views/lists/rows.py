"""Rows as the table shows them: texts made on the reader thread, never while painting."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from desktop_crm.meta import registry
from desktop_crm.services import grouping
from desktop_crm.services.columns import find
from desktop_crm.views.lists import total_texts
from desktop_crm.views.lists.columns import ListColumn

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.services.list_layout import Summary
    from desktop_crm.services.query import RecordQuery, Row
    from desktop_crm.services.totals import Grouped, GroupTotals, Totals


@dataclass(slots=True)
class ShownRow:
    """One row, ready to be painted.

    Attributes:
        id: Key of the record.
        texts: Shown text of each column.
        tones: Tone of each column's pill; empty where there is none.
        deleted: Deleted since the list was opened; painted grey.
        mark: Which conditional format it meets; None for none.
    """

    id: int
    texts: tuple[str, ...]
    tones: tuple[str, ...]
    deleted: bool = False
    mark: int | None = None


class RowSource(Protocol):
    """Where a list's rows come from; every method that reads runs on a reader thread."""

    @property
    def grouped_by(self) -> str:
        """By what the rows are grouped; empty for a plain list."""

    def groups(self, cancel: Cancel | None = None) -> Grouped:
        """Groups in the order of the list, with the totals that are shown."""

    def group_label(self, part: GroupTotals) -> str:
        """Name of a group; on the UI thread, costs no query."""

    def total_texts(self, totals: Totals) -> dict[str, str]:
        """Totals as texts, by path; on the UI thread, costs no query."""

    def first_page(self, limit: int, cancel: Cancel | None = None) -> list[ShownRow]:
        """First rows in the order of the list."""

    def keys(self, cancel: Cancel | None = None) -> array[int]:
        """All keys in the order of the list."""

    def rows(self, ids: Sequence[int], cancel: Cancel | None = None) -> list[ShownRow]:
        """Rows of these keys in their order; rows that are gone are left out."""


class QuerySource:
    """Rows of one query of one user.

    Args:
        actor: Who looks.
        query: Filter, order and search; its columns are replaced.
        columns: What is shown; values that a column needs beside its own are read along.
        formats: How values are shown.
        summaries: What the totals say, by path.
    """

    def __init__(
        self,
        actor: Actor,
        query: RecordQuery,
        columns: tuple[ListColumn, ...],
        formats: Formats,
        summaries: Mapping[str, Summary] = MappingProxyType({}),
    ) -> None:
        paths = [column.path for column in columns]
        extras = dict.fromkeys(c.extra for c in columns if c.extra and c.extra not in paths)
        places = {path: place for place, path in enumerate((*paths, *extras))}
        self._actor = actor
        self._query = replace(query, columns=tuple(places))
        self._plan = [
            (column, places[column.path], places[column.extra] if column.extra else -1)
            for column in columns
        ]
        self._formats = formats
        self._summaries = summaries
        self._entity = registry.get(query.entity)

    @property
    def grouped_by(self) -> str:
        """By what the rows are grouped; empty for a plain list."""
        return self._query.group

    def groups(self, cancel: Cancel | None = None) -> Grouped:
        """Groups in the order of the list, with the totals that are shown."""
        from desktop_crm.services import totals

        return totals.groups(self._actor, self._query, self._summaries, cancel=cancel)

    def totals(self, cancel: Cancel | None = None) -> Totals:
        """Totals of every record of the list."""
        from desktop_crm.services import totals

        return totals.totals(self._actor, self._query, self._summaries, cancel=cancel)

    def group_label(self, part: GroupTotals) -> str:
        """Name of a group."""
        path, _step = grouping.parts(self._query.group)
        field = find(self._actor, self._entity, path)
        return total_texts.group_label(field, part, self._formats)

    def total_texts(self, totals: Totals) -> dict[str, str]:
        """Totals as texts, by path."""
        found: dict[str, str] = {}
        for path, summary in self._summaries.items():
            field = find(self._actor, self._entity, path)
            if field is not None:
                amounts = totals.of.get(path, ())
                found[path] = total_texts.amounts(field, summary, amounts, self._formats)
        return found

    def first_page(self, limit: int, cancel: Cancel | None = None) -> list[ShownRow]:
        """First rows in the order of the list."""
        from desktop_crm.services import query

        found = query.first_page(self._actor, self._query, limit, cancel=cancel)
        return [self._shown(row) for row in found]

    def keys(self, cancel: Cancel | None = None) -> array[int]:
        """All keys in the order of the list."""
        from desktop_crm.services import query

        return query.keys(self._actor, self._query, cancel=cancel)

    def rows(self, ids: Sequence[int], cancel: Cancel | None = None) -> list[ShownRow]:
        """Rows of these keys in their order."""
        from desktop_crm.services import query

        found = query.rows(self._actor, self._query, ids, cancel=cancel)
        return [self._shown(row) for row in found]

    def _shown(self, row: Row) -> ShownRow:
        formats = self._formats
        values = (*row.values, None)  # the place of columns without an extra value is the last
        texts = tuple(
            " ".join(column.text(values[place], formats, values[extra]).split())
            for column, place, extra in self._plan
        )
        tones = tuple(
            column.tone(values[place], values[extra]) for column, place, extra in self._plan
        )
        mark = row.values[-1] if self._query.marks else None
        return ShownRow(row.id, texts, tones, row.deleted, mark)
