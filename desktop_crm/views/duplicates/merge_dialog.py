"""Makes several records one: which stays, which value of each field, what moves along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services.duplicates.comparison import Comparison, compare_records
from desktop_crm.services.duplicates.merge import Merged, MergeWish, merge
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.duplicates.side_by_side import SideBySide
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench

_KINDS = 4


class MergeDialog(Dialog):
    """Side by side, field by field; Ctrl+Enter merges, Esc changes nothing.

    Attributes:
        grid: The records and the choices.
    """

    def __init__(
        self,
        bench: Workbench,
        entity_key: str,
        ids: Sequence[int],
        done: Callable[[Merged], object] | None = None,
    ) -> None:
        """Open on two to five records; the first one stays unless another is chosen."""
        plural = tr(registry.get(entity_key).plural)
        super().__init__(
            bench.shell.window_widget(),
            "merge",
            tr("Merge {records}", records=plural.lower()),
            subtitle=tr(
                "Choose the record to keep and, where they differ, the value that stays. All that "
                "belongs to the others moves to it; they can be taken apart again."
            ),
            width=min(1000, 320 + 220 * len(ids)),
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._entity = entity_key
        self._then = done
        self.comparison: Comparison | None = None
        self.grid = SideBySide("merge.grid")
        self.grid.setMinimumHeight(theme.scaled(300))
        self.grid.chosen.connect(self._show_moving)
        self.every = QCheckBox(tr("Show fields that are the same, too"))
        self.every.setObjectName("merge.every")
        self.every.setAccessibleName(self.every.text())
        self.every.toggled.connect(self.grid.show_all_fields)
        self.moving = label("", "dim", wrap=True, name="merge.moving")
        self._go = push_button("merge.go", tr("Merge"), self.go, kind="primary")
        self._go.setEnabled(False)
        self._go.setShortcut("Ctrl+Return")
        self.body.addWidget(self.every)
        self.body.addWidget(self.grid, 1)
        self.body.addWidget(self.moving)
        self.set_foot(None, self.cancel_button(), self._go)
        self._read(tuple(ids), self._take)

    def _read(self, ids: tuple[int, ...], done: Callable[[Comparison], None]) -> None:
        self._bench.tasks.read(
            compare_records,
            self._bench.actor,
            self._entity,
            ids,
            done=done,
            failed=self.show_error,
            owner=self,
            lane="compare",
            cancellable=True,
        )

    def _take(self, found: Comparison) -> None:
        self.comparison = found
        may_keep = [one.id for one in found.records if one.can_edit and one.id is not None]
        self.grid.show_comparison(found, may_keep[0] if may_keep else found.ids[0])
        if not any(line.differs for line in found.lines):
            self.every.setChecked(True)
        self._show_moving()
        self._go.setEnabled(True)
        self.grid.focus_first()

    def _show_moving(self) -> None:
        if self.comparison is None:
            return
        moving = self.comparison.moving(self.grid.master)
        shown = [
            f"{tr(registry.get(key).plural)} ({self._bench.formats.number(count, 0)})"
            for key, count in list(moving.items())[:_KINDS]
        ]
        if len(moving) > _KINDS:
            more = len(moving) - _KINDS
            shown.append(ntr("{n} kind more", "{n} kinds more", more))
        text = tr("Nothing else points to the others.")
        if shown:
            text = tr(
                "To “{title}” move: {rows}.",
                title=self._title_of(self.grid.master),
                rows=", ".join(shown),
            )
        self.moving.setText(text)

    def go(self) -> None:
        """Merge as chosen."""
        found = self.comparison
        if found is None:
            return
        self._go.setEnabled(False)
        master = self.grid.master
        losers = tuple(key for key in found.ids if key != master)
        wish = MergeWish(self._entity, master, losers, found.versions, dict(self.grid.picks))
        self._bench.tasks.write(
            merge,
            self._bench.actor,
            wish,
            done=self._done,
            failed=self._failed,
            owner=self,
            label=tr("Merging"),
        )

    def _done(self, merged: Merged) -> None:
        self._bench.bus.publish(merged.changes)
        self._bench.shell.toast(
            ntr("{n} record was merged", "{n} records were merged", merged.count),
            self._title_of(merged.master),
            undo=True,
        )
        self.accept()
        if self._then is not None:
            self._then(merged)

    def _title_of(self, key: int) -> str:
        records = self.comparison.records if self.comparison is not None else ()
        return next((one.title for one in records if one.id == key), "")

    def _failed(self, error: Exception) -> None:
        self._go.setEnabled(True)
        self.show_error(error)
        if isinstance(error, UserError) and self.comparison is not None:
            self._read(self.comparison.ids, self._take_again)

    def _take_again(self, found: Comparison) -> None:
        """Show what the records hold now; what was chosen before stays chosen."""
        self.comparison = found
        self.grid.show_again(found)
        self._show_moving()
        self.grid.focus_first()
