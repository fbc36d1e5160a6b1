"""Asks for the totals of a list and says what is known of them so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from desktop_crm.core.i18n import tr
from desktop_crm.services.list_layout import Summary
from desktop_crm.views.lists.totals_row import TotalsRow

if TYPE_CHECKING:
    from desktop_crm.services.totals import Totals
    from desktop_crm.views.lists.rows import QuerySource
    from desktop_crm.views.workbench import Workbench


class ListTotals:
    """Fills the totals row of a list, on a thread of the reader pool.

    Args:
        bench: The workbench.
        row: The row that shows them.
        failed: Called with the error when they cannot be read.
    """

    def __init__(
        self, bench: Workbench, row: TotalsRow, failed: Callable[[Exception], None]
    ) -> None:
        self._bench = bench
        self._row = row
        self._failed = failed
        self._source: QuerySource | None = None
        self._wanted: Mapping[str, Summary] = {}
        self._known = False
        self._count = 0

    def ask(self, source: QuerySource, wanted: Mapping[str, Summary]) -> None:
        """Ask for totals; those of a grouped list come with its groups, by :meth:`take`."""
        self._bench.tasks.drop(self._row, "totals")
        self._source, self._wanted = source, wanted
        self._known = False
        self._row.setVisible(bool(wanted))
        self.say_count(self._count)
        if wanted and not source.grouped_by:
            self._bench.tasks.read(
                source.totals,
                label=tr("Adding up"),
                done=self.take,
                failed=self._failed,
                owner=self._row,
                lane="totals",
                cancellable=True,
            )

    def again(self) -> None:
        """Ask once more, because records changed."""
        if self._source is not None and self._wanted and not self._source.grouped_by:
            self.ask(self._source, self._wanted)

    def take(self, totals: Totals) -> None:
        """Show totals that came."""
        if self._source is not None:
            self._known = True
            self._row.show_texts(self._wanted, self._source.total_texts(totals))

    def say_count(self, count: int) -> None:
        """Until totals come, a count says how many records there are at least."""
        self._count = count
        if self._known:
            return
        least = f"{self._bench.formats.number(count, 0)}+"
        counts = [path for path, s in self._wanted.items() if s is Summary.COUNT and count]
        self._row.show_texts(self._wanted, dict.fromkeys(counts, least))
