"""Rows as the table shows them: texts made on the reader thread, never while painting."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from desktop_crm.views.lists.columns import ListColumn

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.services.query import RecordQuery, Row


@dataclass(slots=True)
class ShownRow:
    """One row, ready to be painted.

    Attributes:
        id: Key of the record.
        texts: Shown text of each column.
        tones: Tone of each column's pill; empty where there is none.
        deleted: Deleted since the list was opened; painted grey.
    """

    id: int
    texts: tuple[str, ...]
    tones: tuple[str, ...]
    deleted: bool = False


class RowSource(Protocol):
    """Where a list's rows come from; every method runs on a reader thread."""

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
    """

    def __init__(
        self, actor: Actor, query: RecordQuery, columns: tuple[ListColumn, ...], formats: Formats
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
        return ShownRow(row.id, texts, tones, row.deleted)
