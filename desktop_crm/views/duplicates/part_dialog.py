"""Takes a merge apart: which one, and what cannot be put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.duplicates import review, unmerge
from desktop_crm.services.duplicates.review import PastMerge
from desktop_crm.views import icons, theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.fact_table import Fact, FactTable, Heading
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.services.duplicates.unmerge import Kept, Unmerged
    from desktop_crm.views.workbench import Workbench

_SHOWN = 6


class PartDialog(Dialog):
    """Merges that went into a record, the latest first; Enter takes the chosen one apart.

    Attributes:
        table: The merges.
    """

    def __init__(self, bench: Workbench, entity_key: str, record_id: int, title: str) -> None:
        super().__init__(
            bench.shell.window_widget(), "part", tr("Take a merge apart"),
            subtitle=tr("Records that were merged into “{title}”.", title=title), width=640,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._entity = entity_key
        self._id = record_id
        self.table = FactTable(
            "part.table",
            tr("Merges"),
            (Heading(tr("Merged records")), Heading(tr("When"), 150), Heading(tr("By"), 130)),
        )
        self.table.setMinimumHeight(theme.scaled(160))
        self.empty = EmptyState(
            "people", tr("Nothing was merged"),
            tr("No other record went into this one, or it was taken apart already."),
            name="part.empty",
        )  # fmt: skip
        self.kept = label("", "dim", wrap=True, name="part.kept")
        self._act = push_button("part.act", tr("Take apart"), self.act, kind="primary")
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self.empty, 1)
        self.body.addWidget(self.kept)
        self.set_foot(None, self.cancel_button(tr("Close")), self._act)
        self.table.opened.connect(lambda _one: self.act())
        self.table.chosen.connect(self._preview)
        self._show([])
        self.load()
        self.table.setFocus()

    def load(self) -> None:
        """Read the merges again."""
        self._bench.tasks.read(
            review.merges_of, self._bench.actor, self._entity, self._id,
            done=self._show, owner=self, lane="merges", failed=self.show_error,
        )  # fmt: skip

    def _show(self, found: list[PastMerge]) -> None:
        formats = self._bench.formats
        symbol = icons.entity_icon(self._entity)
        self.table.show_facts(
            [
                Fact((", ".join(one.titles), formats.datetime(one.at), one.by), one, icon=symbol)
                for one in found
            ]
        )
        self.table.setVisible(bool(found))
        self.empty.setVisible(not found)
        self._preview()

    def current(self) -> PastMerge | None:
        """The chosen merge."""
        found = self.table.selected()
        return found[0] if found and isinstance(found[0], PastMerge) else None

    def _preview(self) -> None:
        chosen = self.current()
        self._act.setEnabled(chosen is not None)
        self.kept.setText("")
        if chosen is not None:
            self._bench.tasks.read(
                unmerge.preview, self._bench.actor, chosen.operation,
                done=self._tell, owner=self, lane="kept", failed=self.show_error,
            )  # fmt: skip

    def _tell(self, kept: tuple[Kept, ...]) -> None:
        self.kept.setText(kept_text(kept) or tr("Everything can be put back as it was."))

    def act(self) -> None:
        """Take the chosen merge apart."""
        chosen = self.current()
        if chosen is not None:
            self._act.setEnabled(False)
            self._bench.tasks.write(
                unmerge.unmerge, self._bench.actor, chosen.operation,
                done=self._done, owner=self, failed=self._failed, label=tr("Taking apart"),
            )  # fmt: skip

    def _done(self, parted: Unmerged) -> None:
        self._bench.bus.publish(parted.changes)
        count = len(parted.restored)
        self._bench.shell.toast(
            ntr("{n} record is back", "{n} records are back", count),
            kept_text(parted.kept),
            undo=True,
        )
        self.accept()

    def _failed(self, error: Exception) -> None:
        self._act.setEnabled(True)
        self.show_error(error)


def kept_text(kept: tuple[Kept, ...]) -> str:
    """What stays as it is, in a sentence; empty when everything can be put back."""
    if not kept:
        return ""
    shown = [one.text for one in kept[:_SHOWN]]
    if len(kept) > _SHOWN:
        shown.append(ntr("{n} more", "{n} more", len(kept) - _SHOWN))
    return tr("Changed since and left as it is: {rows}.", rows="; ".join(shown))
