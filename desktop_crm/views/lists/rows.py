"""Rows as the table shows them: texts made on the reader thread, never while painting."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
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
    """Rows of one query of one user."""

    def __init__(
        self, actor: Actor, query: RecordQuery, columns: tuple[ListColumn, ...], formats: Formats
    ) -> None:
        self._actor = actor
        self._query = query
        self._columns = columns
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
        pairs = list(zip(self._columns, row.values, strict=False))
        texts = tuple(" ".join(c.text(value, formats).split()) for c, value in pairs)
        tones = tuple(column.tone(value) for column, value in pairs)
        return ShownRow(row.id, texts, tones, row.deleted)
