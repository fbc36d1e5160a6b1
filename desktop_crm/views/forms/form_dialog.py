"""The form of a record in a window of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QDialog, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.services.incoming_links import incoming_links
from desktop_crm.views import theme, window_places
from desktop_crm.views.forms import summary
from desktop_crm.views.forms.alike_panel import AlikePanel
from desktop_crm.views.forms.draft_keeper import DraftBar
from desktop_crm.views.forms.editing import RecordEditing
from desktop_crm.views.forms.further_pages import FurtherPages
from desktop_crm.views.forms.record_form import RecordForm
from desktop_crm.views.forms.walk_bar import WalkBar
from desktop_crm.views.new_texts import new_record
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Notice
from desktop_crm.views.widgets.labels import Elide, Pill
from desktop_crm.views.widgets.layout import column, frame, row
from desktop_crm.views.widgets.tab_order import put_behind

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.panes.related import RelatedPanel
    from desktop_crm.views.workbench import Neighbours, Workbench

_SIZE: Final = QSize(760, 720)
_LEAST: Final = QSize(640, 400)
_AROUND: Final = 190
"""Height of title, tabs and buttons, and some air."""


class FormDialog(QDialog):
    """Edits one record; Ctrl+S saves, Esc closes and asks when something would be lost.

    A window of its own: it stands on any screen, beside others, and comes back to the place where
    the last one of its kind stood. Opened from a list, Ctrl+PageDown and Ctrl+PageUp walk on.

    Args:
        parent: The window it is opened from; it stands over it while no place is remembered.
        entity_key: Whose form.
        bench: The workbench.
        record_id: Record to open; None makes a new one.
        defaults: Field values of a new record.
        saved: Called with the record's id each time it was saved.
        among: The list it was opened from.
    """

    def __init__(
        self,
        parent: QWidget | None,
        entity_key: str,
        bench: Workbench,
        *,
        record_id: int | None = None,
        defaults: Mapping[str, Any] | None = None,
        saved: Callable[[int], object] | None = None,
        among: Neighbours | None = None,
    ) -> None:
        # A parent would keep it in front of the main window and on its screen.
        super().__init__(None, Qt.WindowType.Window)
        self._near = parent
        self._bench = bench
        self._among = among
        self._return_to = ""
        self._asked = record_id
        self._entity = registry.get(entity_key)
        self._new = record_id is None
        self._defaults = dict(defaults or {})
        self._saved = saved
        self.setObjectName(f"dialog.{entity_key}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._build()
        self._place()
        if record_id is None:
            self.editing.open_new(self._defaults)
        else:
            self.editing.open(record_id)

    def _build(self) -> None:
        self._title = Elide("", "h1")
        self._pill = Pill()
        self._pill.hide()
        self.notice = Notice()
        self.form = self._make_form()
        self.form.setEnabled(False)
        self.editing = RecordEditing(self.form, self.notice, self._bench)
        self.editing.loaded.connect(self._loaded)
        self.editing.failed.connect(self._failed)
        self.editing.busy_changed.connect(lambda _busy: self._update())
        self.form.dirty_changed.connect(lambda _dirty: self._update())
        self._related = QWidget()
        self._related_panel: RelatedPanel | None = None
        QVBoxLayout(self._related).setContentsMargins(0, 0, 0, 0)
        if incoming_links(self._bench.actor, self._entity.key):
            pages = self.form.pages
            pages.add_page(tr("Related"), self._related, tr(self._entity.label))
            pages.show_page(self._related, shown=False)
            pages.turned.connect(self._show_related)
        self.further = FurtherPages(self._entity.key, self._bench, self.form.pages)
        self._bench.bus.changed.connect(self._news)
        self._delete = push_button("form.delete", tr("Delete"), self._remove, kind="danger")
        self._delete.hide()
        self._another = push_button("form.save_and_new", tr("Save and new"), self._save_and_new)
        self._cancel = push_button("form.cancel", tr("Cancel"), self.close)
        self._save = push_button("form.save", tr("Save"), self._save_and_close, kind="primary")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.walk = WalkBar(self, self._among, self._bench.formats)
        self.walk.wanted.connect(self._walk_to)
        self.drafts = DraftBar(self.editing, self._bench)
        self.alike = AlikePanel("form.alike", self._bench)
        self.alike.watch(self._looked_for)
        self.form.edited.connect(self.alike.look_soon)
        head = row(self._title, self._pill, None, self.walk, spacing=10, margins=(24, 18, 24, 8))
        layout.addWidget(head)
        for extra in self._head_extras():
            layout.addWidget(extra)
        told = column(self.drafts, self.notice, self.alike, margins=(24, 0, 24, 4))
        layout.addWidget(told)
        layout.addWidget(self.form, 1)
        foot = row(
            self._delete,
            None,
            self._another,
            self._cancel,
            self._save,
            spacing=8,
            margins=(24, 12, 24, 12),
        )
        layout.addWidget(frame("dialogfoot", foot))
        for keys, action in (
            ("Ctrl+S", self._save_and_stay),
            ("Ctrl+Return", self._save_and_close),
            ("Ctrl+Shift+N", self._quick_create),
            ("Ctrl+Z", self._take_back),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(action)
        self._show_title("")
        self._update()

    def _make_form(self) -> RecordForm:
        return RecordForm(self._entity.key, self._bench)

    def _head_extras(self) -> tuple[QWidget, ...]:
        """Rows between the title and the form, for records that can do more than be saved."""
        return ()

    def _usual_size(self) -> QSize:
        """Size while none is remembered: few fields need no high window."""
        needed = round(self.form.pages.needed_height() * 100 / theme.scaled(100)) + _AROUND
        return QSize(_SIZE.width(), min(_SIZE.height(), needed))

    def _place(self) -> None:
        size = self._usual_size()
        wanted = QSize(theme.scaled(size.width()), theme.scaled(size.height()))
        if self._near is not None:
            wanted = wanted.boundedTo(self._near.window().size() - QSize(40, 40))
        others = [w for w in QApplication.topLevelWidgets() if w.objectName() == self.objectName()]
        shown = [w for w in others if w.isVisible()]
        usual = wanted.expandedTo(_LEAST)
        window_places.restore(self, self._bench, self._entity.key, usual, self._near, shown)

    @property
    def shows(self) -> tuple[str, int | None]:
        """Entity and key of the record in hand."""
        return self._entity.key, self.editing.record_id or self._asked

    def _show_title(self, record_title: str) -> None:
        new = new_record(self._entity, self._defaults.get("kind", ""))
        title = new if self._new else record_title or tr(self._entity.label)
        self._title.setText(title)
        mark = " •" if self.form.is_dirty else ""
        self.setWindowTitle(f"{title}{mark}")
        self.setAccessibleName(title)

    def _loaded(self, record: RecordValues) -> None:
        self.form.setEnabled(True)
        self._delete.setVisible(not self._new and record.can_delete)
        self._show_pill(record)
        self._update()
        self.walk.show_record(record.id)
        self.alike.clear()
        if self.form.pages.has(self._related):
            self.form.pages.show_page(self._related, shown=record.id is not None)
            self._show_related(self.form.pages.front)
        self.further.show_record(record)
        if self._return_to in self.form.boxes:
            self.form.go_to(self._return_to)
        else:
            self.form.focus_first()

    def _show_pill(self, record: RecordValues) -> None:
        self._pill.show_text(*summary.pill_of(self._entity, record, self._bench.formats))

    def _failed(self, error: Exception) -> None:
        self._bench.shell.show_error(error)
        self.form.settle()
        self.close()

    def _update(self) -> None:
        record = self.editing.record
        ready = self.form.is_dirty and not self.editing.is_busy
        self._save.setEnabled(ready)
        self._another.setVisible(self._new)
        self._another.setEnabled(ready)
        title = ""
        if record is not None:
            title = str(record.values.get(self._entity.title) or "")
        self._show_title(title)

    def _looked_for(self) -> tuple[str, Mapping[str, Any], int | None] | None:
        """What the record is now, for finding others that may be the same."""
        record = self.editing.record
        if record is None or not self.form.is_dirty:
            return None
        values = {**record.values, **record.lines, **self.form.readable()}
        return self._entity.key, values, record.id

    def _take_back(self) -> None:
        """Take the last step back; while something is typed, only the editors' own undo works."""
        if not self.form.is_dirty:
            self._bench.shell.undo()

    def _quick_create(self) -> None:
        from desktop_crm.views.forms.quick_create import open_quick_create

        open_quick_create(self._bench, self)

    # --- related records -------------------------------------------------------------------

    @Slot(object)
    def _show_related(self, page: QWidget | None) -> None:
        """Fill the page of related records when it is in front; it is made when first seen."""
        record_id = self.editing.record_id
        if page is not self._related or record_id is None:
            return
        if self._related_panel is None:
            # Its lists are another part of the program, which a form alone does not need.
            from desktop_crm.views.panes.related import RelatedPanel

            self._related_panel = RelatedPanel(self._entity.key, self._bench, margin=24)
            layout = self._related.layout()
            if layout is not None:
                layout.addWidget(self._related_panel)
            put_behind(self.form.pages.tabs.more, self._related_panel)
        self._related_panel.show_record(record_id)

    @Slot(object)
    def _news(self, changes: ChangeSet) -> None:
        if self._related_panel is not None:
            self._related_panel.take_changes(changes)
        self.further.take_changes(changes)

    # --- walking ---------------------------------------------------------------------------

    def _walk_to(self, record_id: int) -> None:
        """Go on to another record of the list; asks only where typing would be lost."""

        def go_on(saved_id: int) -> None:
            self._tell(saved_id)
            self.go_to_record(record_id)

        if not self.editing.is_busy and self.editing.may_leave(go_on):
            self.go_to_record(record_id)

    def go_to_record(self, record_id: int) -> None:
        """Show another record of the entity in this window; unsaved changes are given up."""
        self.form.settle()
        self._new = False
        self._asked = self.editing.record_id = record_id
        self._return_to = self.form.focused_field()
        # Until it is there nothing can be typed that it would overwrite; the focus waits in the
        # window, where no key presses the button beside the form.
        self.setFocus()
        self.form.setEnabled(False)
        self.editing.open(record_id)

    # --- saving ----------------------------------------------------------------------------

    def _save_and_close(self) -> None:
        if self._save.isEnabled():
            self.editing.save(self._close_after)

    def _close_after(self, record_id: int) -> None:
        self._tell(record_id)
        self.close()

    def _save_and_stay(self) -> None:
        if self._save.isEnabled():
            self.editing.save(self._stay_after)

    def _stay_after(self, record_id: int) -> None:
        self._tell(record_id)
        self._new = False
        self.editing.open(record_id)

    def _save_and_new(self) -> None:
        def again(record_id: int) -> None:
            self._tell(record_id)
            self.editing.open_new(self._defaults)

        self.editing.save(again)

    def _tell(self, record_id: int) -> None:
        self.alike.remember(record_id)
        self._bench.shell.toast(
            tr("{entity} saved", entity=tr(self._entity.label)), self._title_typed(), undo=True
        )
        if self._saved is not None:
            self._saved(record_id)

    def _title_typed(self) -> str:
        box = self.form.boxes.get(self._entity.title)
        value = box.editor.value() if box is not None else None
        return str(value) if value else ""

    def _remove(self) -> None:
        from desktop_crm.services import records

        if self.editing.record_id is None:
            return

        def done(changes: object) -> None:
            self.form.settle()
            self._bench.bus.publish(changes)  # type: ignore[arg-type]
            self._bench.shell.toast(
                tr("{entity} deleted", entity=tr(self._entity.label)), undo=True
            )
            self.close()

        self._bench.tasks.write(
            records.delete,
            self._bench.actor,
            self._entity.key,
            [self.editing.record_id],
            done=done,
            owner=self,
            label=tr("Deleting"),
        )

    def reject(self) -> None:
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.editing.is_busy or not self.editing.may_leave(self._close_after):
            event.ignore()
            return
        window_places.keep(self, self._bench, self._entity.key)
        # QDialog's own handler asks reject(), which comes back here, and stays open.
        event.accept()
