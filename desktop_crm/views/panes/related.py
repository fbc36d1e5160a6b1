"""Records that point to the record in hand: an account's contacts, opportunities, quotes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QScrollArea, QToolButton, QVBoxLayout, QWidget

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.meta.field import Menu
from desktop_crm.services.changes import ChangeKind, ChangeSet
from desktop_crm.services.customizing import definitions
from desktop_crm.services.filters import Rule
from desktop_crm.services.incoming_links import MOST, IncomingLink, incoming_links
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.services.list_view import ListView
from desktop_crm.views import theme
from desktop_crm.views.forms.sections import FoldButton
from desktop_crm.views.lists.list_panel import ListPanel
from desktop_crm.views.new_texts import new_record
from desktop_crm.views.widgets.buttons import tool_button
from desktop_crm.views.widgets.labels import Pill
from desktop_crm.views.widgets.layout import row, separator
from desktop_crm.views.widgets.tab_order import put_behind

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.services.records import Saved, SavedMany
    from desktop_crm.views.workbench import Workbench

_LIST_HEIGHT: Final = 260
_RECOUNT_MS: Final = 150


def count(
    actor: Actor, entity_key: str, record_id: int, cancel: Cancel | None = None
) -> dict[IncomingLink, int]:
    """Count what points to a record; runs on a reader thread, one statement."""
    from desktop_crm.services.incoming_links import counts

    return counts(actor, entity_key, record_id, cancel)


class RelatedSection(QWidget):
    """One relation: its name with the count, and below it the list while it is unfolded.

    The list is a real one: paged, sorted, filtered as typed, with columns of its own.

    Attributes:
        unfolded: The person unfolded it; carries the relation's key.
    """

    unfolded = Signal(str)

    def __init__(self, entity_key: str, relation: IncomingLink, bench: Workbench) -> None:
        super().__init__()
        self.relation = relation
        self.name = f"{entity_key}.{relation.key}"
        self._entity = registry.get(relation.entity)
        self._bench = bench
        self._record_id = 0
        self.list: ListPanel | None = None
        self.head = FoldButton(f"related.{self.name}", relation.label)
        self.head.setChecked(False)
        self.head.folded.connect(self._folded)
        self._pill = Pill()
        self._pill.hide()
        self._unlink, self._link, self._add = self._buttons()
        self._body = QVBoxLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(
            row(self.head, self._pill, None, self._unlink, self._link, self._add, spacing=4)
        )
        layout.addLayout(self._body)
        layout.addWidget(separator())

    def _buttons(self) -> tuple[QToolButton, QToolButton, QToolButton]:
        other = self._entity
        can = other.menu is not Menu.NONE and self.relation.can_unlink(self._bench.actor)
        unlink = tool_button(
            f"related.{self.name}.unlink",
            tr("Take out of this list"),
            "dismiss",
            self.unlink,
            tip=tr("Take the selected records out of this list; the records stay"),
        )
        link = tool_button(
            f"related.{self.name}.link", tr("Add an existing record"), "link", self.link
        )
        add = tool_button(f"related.{self.name}.new", new_record(other), "add", self.add)
        if not self._may_add:
            add.hide()
        for button in (unlink, link):
            button.setProperty("offered", can)
            button.hide()
        return unlink, link, add

    @property
    def _may_add(self) -> bool:
        plain = self._entity.is_record and not self.relation.field.read_only
        # What has no place in the menu is made where it belongs, such as lines in their form.
        plain = plain and self._entity.menu is not Menu.NONE
        return plain and self._bench.actor.can(self._entity, "create")

    # --- showing ---------------------------------------------------------------------------

    def show_count(self, number: int) -> None:
        """Show how many there are."""
        shown = self._bench.formats.number(min(number, MOST), 0)
        self._pill.show_text(f"{shown}+" if number > MOST else shown)
        self.head.setAccessibleDescription(
            ntr("{number} record", "{number} records", min(number, MOST), number=shown)
        )

    def show_record(self, record_id: int) -> None:
        """Show the list of another record while it is unfolded."""
        self._record_id = record_id
        if self.is_open:
            self._show_list()

    @property
    def is_open(self) -> bool:
        """Whether the list is shown."""
        return self.head.isChecked()

    def fold(self, folded: bool) -> None:
        """Fold or unfold it without telling."""
        self.head.setChecked(not folded)
        for button in (self._unlink, self._link):
            button.setVisible(not folded and bool(button.property("offered")))
        if folded and self.list is not None:
            self.list.hide()
        elif not folded:
            self._show_list()

    def _folded(self, folded: bool) -> None:
        self.fold(folded)
        if not folded:
            self.unfolded.emit(self.relation.key)

    def _show_list(self) -> None:
        if self.list is None:
            self.list = self._make_list()
            self._body.addWidget(self.list)
            put_behind(self._add, self.list)
        self.list.show()
        layout = ListLayout(filter=Rule(self.relation.via, "=", self._record_id))
        self.list.show_view(ListView("related", self.relation.label, layout=layout))

    def _make_list(self) -> ListPanel:
        made = ListPanel(
            self._entity.key,
            self._bench,
            name=f"related.{self.name}",
            without=self.relation.via,
        )
        made.setObjectName("relatedlist")
        made.title.hide()
        made.search.setVisible("search_text" in self._entity.fields)
        made.setMinimumHeight(theme.scaled(_LIST_HEIGHT))
        made.opened.connect(self._open)
        made.new_wanted.connect(self.add)
        made.told.connect(self._told)
        return made

    @Slot(object)
    def _open(self, record_id: int) -> None:
        if self.list is not None:
            self._bench.shell.open_record(self._entity.key, record_id, self.list.model)

    @Slot()
    def _told(self) -> None:
        if self.list is not None:
            self.list.pill.hide()
            self._unlink.setEnabled(self.list.table.selected_count() > 0)

    def take_changes(self, changes: ChangeSet) -> bool:
        """Show what was changed; returns whether the count may be another."""
        own = [change for change in changes.changes if change.entity == self._entity.key]
        moved = any(
            change.kind is not ChangeKind.UPDATED or self.relation.via in change.fields
            for change in own
        )
        if self.list is not None and self.is_open:
            if moved:
                self.list.table.stay_near()
                self.list.reload()
            else:
                self.list.take_changes(changes)
        return moved

    # --- doing -----------------------------------------------------------------------------

    def add(self) -> None:
        """Make a new record that points here, with the few fields that matter."""
        from desktop_crm.views.forms.quick_create import open_quick_create

        given = {self.relation.via: self._record_id}
        open_quick_create(self._bench, self.window(), self._entity.key, given)

    def link(self) -> None:
        """Choose a record that is there already and let it point here."""
        from desktop_crm.views.dialogs.find_record import FindRecordDialog

        dialog = FindRecordDialog(
            self.window(),
            self._bench,
            tr("Add an existing record"),
            (self._entity.key,),
            subtitle=self.relation.label,
            choose=tr("Add"),
        )
        dialog.chosen.connect(self._link_one)
        dialog.open()

    @Slot(str, object, str)
    def _link_one(self, entity: str, record_id: int, title: str) -> None:
        from desktop_crm.services import records

        def done(saved: Saved) -> None:
            self._bench.bus.publish(saved.changes)
            self._bench.shell.toast(tr("Added to the list"), title, undo=True)

        self._bench.tasks.write(
            records.save,
            self._bench.actor,
            entity,
            record_id,
            None,
            {self.relation.via: self._record_id},
            done=done,
            owner=self,
            label=tr("Saving"),
        )

    def unlink(self) -> None:
        """Let the selected records point here no more; a note offers to take it back."""
        from desktop_crm.services import records
        from desktop_crm.services.records import Change

        if self.list is None:
            return
        ids = list(self.list.selected_ids())
        changes = [Change(key, None, {self.relation.via: None}) for key in ids]

        def done(saved: SavedMany) -> None:
            self._bench.bus.publish(saved.changes)
            text = ntr(
                "{n} record was taken out of the list",
                "{n} records were taken out of the list",
                len(ids),
            )
            self._bench.shell.toast(text, undo=True)

        if ids:
            self._bench.tasks.write(
                records.save_many,
                self._bench.actor,
                self._entity.key,
                changes,
                done=done,
                owner=self,
                label=tr("Saving"),
            )


class RelatedPanel(QScrollArea):
    """The relations of a record one below the other; one of them is unfolded and shows its list.

    Which one is remembered; at first it is the first that is not empty.
    """

    def __init__(self, entity_key: str, bench: Workbench, *, margin: int = 20) -> None:
        super().__init__()
        self._entity = entity_key
        self._bench = bench
        self._record_id: int | None = None
        self.setObjectName(f"related.{entity_key}")
        self.setAccessibleName(tr("Related"))
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget()
        body.setObjectName("scrollbody")
        column = QVBoxLayout(body)
        column.setContentsMargins(margin - 4, 8, margin - 8, 12)
        column.setSpacing(2)
        column.addStretch(1)
        self._column = column
        self.sections: list[RelatedSection] = []
        self._arrange()
        self.setWidget(body)
        self._recount = QTimer(self)
        self._recount.setSingleShot(True)
        self._recount.setInterval(_RECOUNT_MS)
        self._recount.timeout.connect(self._count)

    def _arrange(self) -> None:
        """Make one section for each kind of record that points here."""
        for old in self.sections:
            old.hide()
            old.deleteLater()
        self.sections = [
            RelatedSection(self._entity, relation, self._bench)
            for relation in incoming_links(self._bench.actor, self._entity)
        ]
        for place, section in enumerate(self.sections):
            section.unfolded.connect(self._unfolded)
            self._column.insertWidget(place, section)

    def show_record(self, record_id: int) -> None:
        """Show the lists of a record; two statements."""
        if record_id == self._record_id:
            return
        self._record_id = record_id
        for section in self.sections:
            section.show_record(record_id)
        self._count()

    @Slot()
    def _count(self) -> None:
        if self._record_id is not None and self.sections:
            self._bench.tasks.read(
                count,
                self._bench.actor,
                self._entity,
                self._record_id,
                done=self._take,
                owner=self,
                lane="counts",
                cancellable=True,
            )

    def _take(self, counts: dict[IncomingLink, int]) -> None:
        for section in self.sections:
            section.show_count(counts.get(section.relation, 0))
        if not any(section.is_open for section in self.sections):
            self._unfold(self._first(counts))

    def _first(self, counts: dict[IncomingLink, int]) -> RelatedSection | None:
        kept = self._bench.recall(self._memory).get("open")
        if kept == "":
            return None
        known = (section for section in self.sections if section.relation.key == kept)
        full = (section for section in self.sections if counts.get(section.relation))
        return next(known, None) or next(full, self.sections[0])

    def _unfold(self, section: RelatedSection | None) -> None:
        for other in self.sections:
            is_it = other is section
            if other.is_open and not is_it:
                other.fold(True)
            self._column.setStretchFactor(other, 1 if is_it else 0)
        if section is not None and not (section.is_open and section.list is not None):
            section.fold(False)

    @Slot(str)
    def _unfolded(self, key: str) -> None:
        self._bench.remember(self._memory, {"open": key})
        self._unfold(next(s for s in self.sections if s.relation.key == key))

    @property
    def _memory(self) -> str:
        return f"related.{self._entity}"

    def take_changes(self, changes: ChangeSet) -> None:
        """Show what was changed in one of the lists, or which lists there are now."""
        if changes.touches(*definitions.OWN):
            self._arrange()
            shown, self._record_id = self._record_id, None
            if shown is not None:
                self.show_record(shown)
            return
        # Every section must hear of it.
        if any([section.take_changes(changes) for section in self.sections]):
            self._recount.start()

    def opened(self) -> Sequence[RelatedSection]:
        """Sections whose list is shown."""
        return [section for section in self.sections if section.is_open]
