"""The recycle bin: what was deleted, by whom and when; taken back, or deleted for good."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services import bin as recycle_bin
from desktop_crm.services import purge
from desktop_crm.services.bin import Deleted
from desktop_crm.views import icons, theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.errors import ask
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.fact_table import Fact, FactTable, Heading
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row
from desktop_crm.views.widgets.search_box import SearchBox

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.purge import Purged, PurgePlan
    from desktop_crm.views.workbench import Workbench

_MOST_KINDS = 4


class RecycleBinDialog(Dialog):
    """Deleted records of every kind the user may remove.

    Attributes:
        kind: Leaves one kind of record.
        words: Leaves titles with these letters.
        table: What was deleted, the last first; several rows can be chosen.
    """

    def __init__(self, bench: Workbench, entity_key: str = "") -> None:
        super().__init__(
            bench.shell.window_widget(), "recycleBin", tr("Recycle bin"),
            subtitle=tr("Deleted records wait here until they are restored or deleted for good."),
            width=860,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self.kind = QuietCombo()
        self.kind.setObjectName("recycleBin.kind")
        self.kind.setAccessibleName(tr("Kind of record"))
        self.kind.addItem(tr("All kinds"), "")
        for entity in recycle_bin.kinds(bench.actor):
            self.kind.addItem(tr(entity.plural), entity.key)
        self.kind.setCurrentIndex(max(0, self.kind.findData(entity_key)))
        self.kind.setFixedWidth(theme.scaled(220))
        self.words = SearchBox("recycleBin.words", tr("Find by name"))
        self.table = FactTable(
            "recycleBin.table",
            tr("Deleted records"),
            (
                Heading(tr("Name")),
                Heading(tr("Kind"), 150),
                Heading(tr("Deleted"), 150),
                Heading(tr("By"), 150),
            ),
            many=True,
        )
        self.empty = EmptyState(
            "delete", tr("Nothing here"), tr("What you delete can be restored from here."),
            name="recycleBin.empty",
        )  # fmt: skip
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.table)
        self._pages.setMinimumHeight(theme.scaled(330))
        self._was_seen = False
        self._count = label("", "cap", name="recycleBin.count")
        self._restore = push_button(
            "recycleBin.restore", tr("Restore"), self.restore, kind="primary"
        )
        self._purge = push_button(
            "recycleBin.purge", tr("Delete for good…"), self.purge, kind="danger"
        )
        self.body.addWidget(row(self.kind, self.words, spacing=8))
        self.body.addWidget(self._pages, 1)
        self.set_foot(
            self._purge, self._count, None, self.cancel_button(tr("Close")), self._restore
        )
        self.kind.currentIndexChanged.connect(lambda _index: self.load())
        self.words.searched.connect(lambda _text: self.load())
        self.table.opened.connect(lambda _one: self.restore())
        self.table.removed.connect(self.purge)
        self.table.chosen.connect(self._update)
        bench.bus.changed.connect(self._changed)
        self._show([])
        self.load()

    def load(self) -> None:
        """Read the bin again."""
        key = self.kind.currentData()
        self._bench.tasks.read(
            recycle_bin.deleted, self._bench.actor, [key] if key else [], self.words.text(),
            done=self._show, owner=self, lane="bin", failed=self.show_error, cancellable=True,
        )  # fmt: skip

    def _changed(self, changes: ChangeSet) -> None:
        if any(registry.find(change.entity) for change in changes.changes):
            self.load()

    def _show(self, found: list[Deleted]) -> None:
        formats = self._bench.formats
        self.table.show_facts(
            [
                Fact(
                    (
                        one.title or "–",
                        tr(registry.get(one.entity).label),
                        formats.datetime(one.at),
                        one.by,
                    ),
                    one,
                    icon=icons.entity_icon(one.entity),
                )
                for one in found
            ]
        )
        self._pages.setCurrentWidget(self.table if found else self.empty)
        if found and not self._was_seen:
            self._was_seen = True
            self.table.setFocus()
        self._update()

    def chosen(self) -> list[tuple[str, int]]:
        """Entity and key of the selected rows."""
        return [(one.entity, one.id) for one in self.table.selected() if isinstance(one, Deleted)]

    def _update(self) -> None:
        count = len(self.chosen())
        self._restore.setEnabled(bool(count))
        self._purge.setEnabled(bool(count))
        rows = self.table.facts.rowCount()
        more = "+" if rows >= recycle_bin.MOST else ""
        text = tr("{count} of {all} selected", count=count, all=f"{rows}{more}") if rows else ""
        self._count.setText(text)

    # --- doing -----------------------------------------------------------------------------

    def restore(self) -> None:
        """Take the selected records back."""
        chosen = self.chosen()
        if chosen:
            self._bench.tasks.write(
                recycle_bin.restore, self._bench.actor, chosen,
                done=self._restored, owner=self, failed=self.show_error, label=tr("Restoring"),
            )  # fmt: skip

    def _restored(self, changes: ChangeSet) -> None:
        self.notice.say("")
        self._bench.bus.publish(changes)
        count = sum(len(change.ids) for change in changes.changes)
        self._bench.shell.toast(
            ntr("{n} record restored", "{n} records restored", count), undo=True
        )

    def purge(self) -> None:
        """Tell what deleting for good would do, ask once, and do it."""
        chosen = self.chosen()
        if chosen:
            self._bench.tasks.read(
                purge.plan, self._bench.actor, chosen,
                done=partial(self._ask, chosen), owner=self, lane="plan",
                failed=self.show_error, label=tr("Looking for what belongs to them"),
                cancellable=True,
            )  # fmt: skip

    def _ask(self, chosen: list[tuple[str, int]], plan: PurgePlan) -> None:
        if not plan.count:
            self.notice.say(_reasons(plan.refused), "warn")
            return
        answer = ask(
            self,
            ntr("Delete {n} record for good?", "Delete {n} records for good?", plan.count),
            purge_text(plan),
            (
                ("purge", tr("Delete for good"), "danger"),
                ("cancel", tr("Cancel"), ""),
            ),
        )
        if answer == "purge":
            self._bench.tasks.background(
                purge.purge, self._bench.actor, chosen,
                done=self._purged, owner=self, failed=self.show_error,
                label=tr("Deleting for good"), cancellable=True, progressing=True,
            )  # fmt: skip

    def _purged(self, result: Purged) -> None:
        self._bench.bus.publish(result.changes)
        self.load()
        text = ntr(
            "{n} record was deleted for good.", "{n} records were deleted for good.", result.count
        )
        if result.was_stopped:
            text += " " + tr("The rest was left as it is.")
        if result.refused:
            text += " " + _reasons(result.refused)
        self.notice.say(text, "warn" if result.refused else "info")


def purge_text(plan: PurgePlan) -> str:
    """What would go along, what would be emptied and what would stay, in sentences."""
    parts = [tr("This cannot be undone.")]
    if plan.along:
        shown = [f"{tr(registry.get(key).plural)} ({count})" for key, count in plan.along]
        more = len(shown) - _MOST_KINDS
        text = ", ".join(shown[:_MOST_KINDS])
        if more > 0:
            text += " " + ntr("and {n} kind more", "and {n} kinds more", more)
        parts.append(tr("Also deleted: {records}.", records=text))
    if plan.emptied:
        parts.append(
            ntr(
                "{n} link in another record is emptied.",
                "{n} links in other records are emptied.",
                plan.emptied,
            )
        )
    if plan.refused:
        parts.append(_reasons(plan.refused))
    return " ".join(parts)


def _reasons(refused: tuple[purge.Refusal, ...]) -> str:
    """Why some records stay: each reason once, at most two of them."""
    reasons = list(dict.fromkeys(one.reason for one in refused))
    text = ntr("{n} record stays:", "{n} records stay:", len(refused))
    return " ".join((text, *reasons[:2], *(["…"] if len(reasons) > 2 else [])))
