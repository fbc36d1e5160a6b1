"""Makes a record from anywhere with the few fields that matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.meta.field import Menu, Section
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.forms.alike_panel import AlikePanel
from desktop_crm.views.forms.draft_keeper import DraftBar
from desktop_crm.views.forms.editing import RecordEditing
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.forms.record_form import RecordForm
from desktop_crm.views.icons import icon
from desktop_crm.views.new_texts import new_record
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Notice
from desktop_crm.views.widgets.layout import clear

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

KEYS: Final = "Ctrl+Shift+N"
_MEMORY: Final = "quickCreate"
_ROWS: Final = 4
_DETAILS: Final = 3
_REACH: Final = ("email", "phone")
_NOT_TYPED: Final = frozenset({"lines", "image", "json"})
_SIZE: Final = QSize(680, 560)


def offered(actor: Actor) -> list[Entity]:
    """Entities of the menu that the user may make records of."""
    return [e for e in registry.all() if e.menu is Menu.MAIN and actor.can(e, "create")]


def compact(entity: Entity, given: Mapping[str, Any]) -> tuple[Section, ...]:
    """The short form of an entity.

    What its form begins with, how somebody is reached, what must be filled in, what identifies the
    record outside, and the fields that are given.
    """
    # Three and more side by side are details: salutation, middle name, suffix.
    form = entity.form[0].rows if entity.form else (entity.title,)
    first = [line for line in form if isinstance(line, str) or len(line) < _DETAILS][:_ROWS]
    rows: list[str | tuple[str, ...]] = [*first[:1], _REACH, *first[1:]]
    known = {name for line in rows for name in ((line,) if isinstance(line, str) else line)}
    needed = [f.name for f in entity.fields.values() if f.required]
    keys = [name for name in entity.natural_key if name != "external_id"]
    more = [name for name in dict.fromkeys((*needed, *keys, *given)) if name not in known]
    rows += [tuple(more[n : n + 2]) for n in range(0, len(more), 2)]
    typed = [_typed(entity, (line,) if isinstance(line, str) else line) for line in rows]
    return (Section(entity.label, tuple(line for line in typed if line)),)


def _typed(entity: Entity, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the names that a person can type into one line."""
    fields = (entity.fields.get(name) for name in names)
    return tuple(
        f.name
        for f in fields
        if f is not None and not f.read_only and f.kind.name not in _NOT_TYPED
    )


class QuickCreateDialog(Dialog):
    """A short form; records that may be the same stand in front while one types.

    Args:
        bench: The workbench.
        parent: Window it stands over.
        entity: What is made; empty lets the person choose, beginning with what was made last.
        defaults: Values it starts with.
    """

    def __init__(
        self,
        bench: Workbench,
        parent: QWidget,
        entity: str = "",
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        title = new_record(registry.get(entity)) if entity else tr("Quick create")
        super().__init__(parent, "quickCreate", title, width=_SIZE.width())
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._defaults = dict(defaults or {})
        self._place = QVBoxLayout()
        self._place.setContentsMargins(0, 0, 0, 0)
        self.alike = AlikePanel("quickCreate.alike", bench)
        self.kind = QuietCombo()
        self.kind.setObjectName("quickCreate.entity")
        self.kind.setAccessibleName(tr("What to create"))
        if not entity:
            entity = self._fill_kinds()
            self.kind.currentIndexChanged.connect(self._kind_changed)
            self.body.addWidget(self.kind)
        self.body.addWidget(self.alike)
        self.body.addLayout(self._place, 1)
        self._buttons = self._make_buttons()
        self.set_foot(None, self.cancel_button(), *reversed(self._buttons))
        shortcut = QShortcut(QKeySequence("Ctrl+S"), self)
        shortcut.activated.connect(self._save)
        self.form: RecordForm
        self.editing: RecordEditing
        self._show_form(entity)
        self.resize(theme.scaled(_SIZE.width()), theme.scaled(_SIZE.height()))

    def _fill_kinds(self) -> str:
        entities = offered(self._bench.actor)
        for one in entities:
            self.kind.addItem(icon(one.icon, fill_on=False), tr(one.label), one.key)
        last = self.kind.findData(self._bench.recall(_MEMORY).get("entity", ""))
        self.kind.setCurrentIndex(max(0, last))
        return str(self.kind.currentData())

    def _make_buttons(self) -> list[QWidget]:
        save = push_button("quickCreate.save", tr("Save"), self._save, kind="primary")
        save.setDefault(True)
        return [
            save,
            push_button("quickCreate.open", tr("Save and open"), self._save_and_open),
            push_button("quickCreate.again", tr("Save and new"), self._save_and_new),
        ]

    # --- the form --------------------------------------------------------------------------

    @Slot()
    def _kind_changed(self) -> None:
        key = str(self.kind.currentData())
        self._bench.remember(_MEMORY, {"entity": key})
        kept = self.form.kept()
        self.form.settle()  # its draft goes; the new form writes its own
        self._show_form(key, kept)

    def _show_form(self, entity: str, kept: Mapping[str, Any] | None = None) -> None:
        """Show the short form of an entity; what was typed moves along where it has a place."""
        clear(self._place)
        self.alike.clear()
        notice = Notice()
        sections = compact(registry.get(entity), self._defaults)
        self.form = RecordForm(entity, self._bench, sections=sections)
        self.form.setObjectName(f"quick.{entity}")
        self.form.pages.body.setContentsMargins(0, 0, 0, 0)
        self.form.setEnabled(False)
        self.editing = RecordEditing(self.form, notice, self._bench)
        self._place.addWidget(DraftBar(self.editing, self._bench))
        self.editing.loaded.connect(lambda _record: self._loaded(kept))
        self.editing.failed.connect(self.show_error)
        self.editing.busy_changed.connect(self._show_busy)
        self.form.edited.connect(self.alike.look_soon)
        self.alike.watch(partial(_looked_for, self.form))
        self._place.addWidget(notice)
        self._place.addWidget(self.form, 1)
        self.editing.open_new(self._defaults)

    def _loaded(self, kept: Mapping[str, Any] | None) -> None:
        self.form.setEnabled(True)
        if kept:
            self.form.bring(kept)
        self.form.focus_first()

    def _show_busy(self, busy: bool) -> None:
        for button in self._buttons:
            button.setEnabled(not busy)

    # --- saving ----------------------------------------------------------------------------

    def _save(self) -> None:
        self._then(lambda _id: self.accept())

    def _save_and_open(self) -> None:
        def go_on(record_id: int) -> None:
            entity = self.form.entity.key
            self.accept()
            self._bench.shell.open_record(entity, record_id)

        self._then(go_on)

    def _save_and_new(self) -> None:
        def again(_id: int) -> None:
            self.alike.clear()
            self.editing.open_new(self._defaults)

        self._then(again)

    def _then(self, go_on: Callable[[int], object]) -> None:
        entity = self.form.entity

        def saved(record_id: int) -> None:
            title = self.form.boxes.get(entity.title)
            shown = str(title.editor.value() or "") if title is not None else ""
            text = tr("{entity} saved", entity=tr(entity.label))
            self._bench.shell.toast(text, shown, undo=True)
            go_on(record_id)

        self.editing.save(saved)

    def reject(self) -> None:
        if not self.editing.is_busy and self.editing.may_leave(lambda _id: self.accept()):
            super().reject()


def _looked_for(form: RecordForm) -> tuple[str, Mapping[str, Any], int | None] | None:
    return form.entity.key, form.readable(), None


def open_quick_create(
    bench: Workbench, parent: QWidget, entity: str = "", defaults: Mapping[str, Any] | None = None
) -> QuickCreateDialog | None:
    """Open the short form over a window; None when the user may make nothing."""
    if not entity and not offered(bench.actor):
        return None
    dialog = QuickCreateDialog(bench, parent, entity, defaults)
    dialog.open()
    return dialog
