"""The queue of possible duplicates: pair by pair, merged, told apart, or left for later."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QSplitter

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services.duplicates import review, scan
from desktop_crm.services.duplicates.comparison import Comparison, compare_records
from desktop_crm.services.duplicates.evidence import said
from desktop_crm.services.duplicates.review import Waiting
from desktop_crm.views import icons, theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.duplicates.merge_dialog import MergeDialog
from desktop_crm.views.duplicates.side_by_side import SideBySide
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.fact_table import Fact, FactTable, Heading
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.duplicates.scan import Scanned
    from desktop_crm.views.tasks import Task
    from desktop_crm.views.workbench import Workbench

_SURE = 90
_LIKELY = 80


class QueueDialog(Dialog):
    """Pairs by likeness with their reasons; Enter merges, Ctrl+D tells apart, Ctrl+L leaves it.

    Attributes:
        kind: Which entity's pairs are shown.
        table: The pairs, the likeliest first.
        grid: Both records of the chosen pair side by side.
    """

    def __init__(self, bench: Workbench, entity_key: str) -> None:
        super().__init__(
            bench.shell.window_widget(), "duplicates", tr("Possible duplicates"),
            subtitle=tr("Decide pair by pair; what you tell apart is never proposed again."),
            width=900,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._later: set[tuple[int, int]] = set()
        self._scanning: Task | None = None
        self._pairs: list[Waiting] = []
        self._build(entity_key)
        bench.bus.changed.connect(self._changed)
        self.split.hide()
        self.resize(theme.scaled(900), theme.scaled(660))
        self.load()

    def _build(self, entity_key: str) -> None:
        self.kind = QuietCombo()
        self.kind.setObjectName("duplicates.kind")
        self.kind.setAccessibleName(tr("Kind of record"))
        self.kind.setFixedWidth(theme.scaled(200))
        for entity in scan.scannable():
            if self._bench.actor.can(entity, "read"):
                self.kind.addItem(tr(entity.plural), entity.key)
        self.kind.setCurrentIndex(max(0, self.kind.findData(entity_key)))
        self._count = label("", "cap", name="duplicates.count")
        self._scan = push_button("duplicates.scan", tr("Search all records"), self.scan)
        self.table = FactTable(
            "duplicates.table",
            tr("Pairs"),
            (Heading(tr("Records")), Heading(tr("Why"), 440), Heading(tr("Similarity"), 110)),
        )
        self.grid = SideBySide("duplicates.grid", choosing=False)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setObjectName("duplicates.split")
        self.split.addWidget(self.table)
        self.split.addWidget(self.grid)
        self.split.setChildrenCollapsible(False)
        self.split.setSizes([theme.scaled(230), theme.scaled(250)])
        self.table.setMinimumHeight(theme.scaled(150))
        self.grid.setMinimumHeight(theme.scaled(170))
        self.empty = EmptyState(
            "checkmark_circle", tr("No pairs to review"),
            tr("Search all records to find those that may be there twice."),
            name="duplicates.empty",
        )  # fmt: skip
        self.empty.setMinimumHeight(theme.scaled(320))
        self._merge = push_button("duplicates.merge", tr("Merge…"), self.merge, kind="primary")
        self._differ = push_button("duplicates.differ", tr("Not the same"), self.differ)
        self._later_button = push_button("duplicates.later", tr("Later"), self.later)
        self.body.addWidget(row(self.kind, self._count, None, self._scan, spacing=8))
        self.body.addWidget(self.split, 1)
        self.body.addWidget(self.empty, 1)
        self.set_foot(
            self._later_button, None, self.cancel_button(tr("Close")), self._differ, self._merge
        )
        for keys, button in (("Ctrl+D", self._differ), ("Ctrl+L", self._later_button)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(button.click)
            shown = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
            button.setToolTip(f"{button.text()} ({shown})")
        self.kind.currentIndexChanged.connect(lambda _index: self.load())
        self.table.opened.connect(lambda _pair: self.merge())
        self.table.chosen.connect(self._compare)
        self.table.setFocus()

    @property
    def entity(self) -> str:
        """Entity whose pairs are shown."""
        return str(self.kind.currentData())

    # --- showing ---------------------------------------------------------------------------

    def load(self) -> None:
        """Read the queue again."""
        self._bench.tasks.read(
            review.queue, self._bench.actor, self.entity,
            done=self._show, owner=self, lane="queue", failed=self.show_error, cancellable=True,
        )  # fmt: skip

    def _changed(self, changes: ChangeSet) -> None:
        if changes.touches(self.entity):
            self.load()

    def _show(self, found: list[Waiting]) -> None:
        self._bench.tasks.read(
            review.counts, self._bench.actor,
            done=self._show_counts, owner=self, lane="counts", cancellable=True,
        )  # fmt: skip
        self._pairs = sorted(found, key=lambda p: (p.first, p.second) in self._later)
        symbol = icons.entity_icon(self.entity)
        self.table.show_facts([self._fact(pair, symbol) for pair in self._pairs])
        first = bool(found) and not self.split.isVisible()
        # One goes before the other comes: the window must not grow to hold both.
        for part, wanted in sorted(
            ((self.split, bool(found)), (self.empty, not found)), key=lambda pair: pair[1]
        ):
            part.setVisible(wanted)
        more = "+" if len(found) >= review.PAGE else ""
        text = ntr("{n} pair to review", "{n} pairs to review", len(found))
        self._count.setText(f"{text}{more}" if found else "")
        self._compare()
        if first:
            self.table.setFocus()

    def _show_counts(self, counts: dict[str, int]) -> None:
        for place in range(self.kind.count()):
            key = self.kind.itemData(place)
            plural = tr(registry.get(key).plural)
            count = counts.get(key, 0)
            self.kind.setItemText(place, f"{plural} ({count})" if count else plural)

    def _fact(self, pair: Waiting, symbol: str) -> Fact:
        one, other = pair.titles
        names = one if one == other else f"{one} · {other}"
        tone = "ok" if pair.score >= _SURE else "info" if pair.score >= _LIKELY else "warn"
        why = said(pair.entity, pair.reasons)
        score = self._bench.formats.percent(Decimal(pair.score))
        is_later = (pair.first, pair.second) in self._later
        return Fact((names, why, score), pair, icon=symbol, pill=2, tone=tone, is_dim=is_later)

    def current(self) -> Waiting | None:
        """The chosen pair."""
        found = self.table.selected()
        return found[0] if found and isinstance(found[0], Waiting) else None

    def _compare(self) -> None:
        pair = self.current()
        for button in (self._merge, self._differ, self._later_button):
            button.setEnabled(pair is not None)
        if pair is None:
            self.grid.clear()
            return
        self._bench.tasks.read(
            compare_records, self._bench.actor, pair.entity, (pair.first, pair.second),
            done=self._take, owner=self, lane="compare", failed=self._gone, cancellable=True,
        )  # fmt: skip

    def _take(self, found: Comparison) -> None:
        self.grid.show_comparison(found, found.ids[0])
        if not any(line.differs for line in found.lines):
            self.grid.show_all_fields(True)

    def _gone(self, error: Exception) -> None:
        self.grid.clear()
        self.show_error(error)

    # --- deciding --------------------------------------------------------------------------

    def merge(self) -> None:
        """Open both records for merging; the next pair is chosen afterwards."""
        pair = self.current()
        if pair is not None:
            dialog = MergeDialog(self._bench, pair.entity, (pair.first, pair.second))
            dialog.setParent(self, dialog.windowFlags())
            dialog.open()

    def differ(self) -> None:
        """Remember that the two are not the same."""
        pair = self.current()
        if pair is not None:
            self._bench.tasks.write(
                review.differ, self._bench.actor, pair.entity, pair.first, pair.second,
                done=lambda _none: self.load(), owner=self, failed=self.show_error,
            )  # fmt: skip

    def later(self) -> None:
        """Put the pair behind the others for now."""
        pair = self.current()
        if pair is not None:
            self._later.add((pair.first, pair.second))
            self._show(self._pairs)

    # --- searching -------------------------------------------------------------------------

    def scan(self) -> None:
        """Search the whole table; pressed again, it stops."""
        if self._scanning is not None:
            self._scanning.cancel()
            self._settle()
            return
        self._scan.setText(tr("Stop searching"))
        self._scanning = self._bench.tasks.background(
            scan.scan, self._bench.actor, self.entity,
            done=self._scanned, owner=self, failed=self._scan_failed,
            label=tr("Searching for duplicates"), cancellable=True, progressing=True,
        )  # fmt: skip

    def _settle(self) -> None:
        self._scanning = None
        self._scan.setText(tr("Search all records"))

    def _scanned(self, result: Scanned) -> None:
        self._settle()
        records = self._bench.formats.number(result.records, 0)
        plural = tr(registry.get(result.entity).plural).lower()
        new = ntr("{n} new pair", "{n} new pairs", result.added)
        self.notice.say(
            tr("{count} {records} were searched: {new}.", count=records, records=plural, new=new),
            "info",
        )
        self.load()

    def _scan_failed(self, error: Exception) -> None:
        from desktop_crm.core.errors import Cancelled

        self._settle()
        if not isinstance(error, Cancelled):
            self.show_error(error)
