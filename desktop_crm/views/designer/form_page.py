"""The designer's third tab: how the form of an entity is arranged, with a live preview."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt, QTimer, Slot
from PySide6.QtWidgets import QTabBar, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.services.customizing import arranging, forms, layout
from desktop_crm.services.customizing.arranging import Place
from desktop_crm.services.customizing.layout import Layout
from desktop_crm.views.actions import Action
from desktop_crm.views.designer.choices_page import TextDialog
from desktop_crm.views.designer.form_canvas import FormCanvas, drag_field
from desktop_crm.views.designer.form_preview import FormPreview
from desktop_crm.views.designer.ordered_list import Entry, OrderedList
from desktop_crm.views.errors import ask
from desktop_crm.views.widgets.buttons import push_button, show_menu, tool_button
from desktop_crm.views.widgets.cards import Notice
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import Splitter, column, row

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent

    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench

_PREVIEW_MS: Final = 150


class _HiddenList(OrderedList):
    """Fields the form does not show; dragged into the plan, or put there by Return."""

    def __init__(self) -> None:
        super().__init__("designer.hidden", tr("Fields not shown"))
        self._pressed = QPoint()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        held = bool(event.buttons() & Qt.MouseButton.LeftButton)
        key = self.current_key()
        if held and isinstance(key, str):
            drag_field(self.viewport(), key, self._pressed)
            return
        super().mouseMoveEvent(event)


class FormPage(QWidget):
    """Arranges a form step by step; nobody else sees it before it is saved."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._entity = ""
        self._stands = Layout(())
        self.draft = Layout(())
        self._name = ""
        self.notice = Notice()
        self.tabs = QTabBar()
        self.tabs.setObjectName("designer.tabs")
        self.tabs.setAccessibleName(tr("Tabs of the form"))
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.currentChanged.connect(lambda _index: self._show())
        self.canvas = FormCanvas()
        self.canvas.chosen.connect(self._choose)
        self.canvas.move_wanted.connect(self._move)
        self.canvas.hide_wanted.connect(self._hide)
        self.canvas.dropped.connect(self._drop)
        self.hidden = _HiddenList()
        self.hidden.opened.connect(self._show_field)
        self.preview = FormPreview()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PREVIEW_MS)
        self._timer.timeout.connect(self._show_preview)
        self._build()

    def _build(self) -> None:
        tools = [
            tool_button(f"designer.form.{way}", text, drawing, partial(self._step, way), tip=tip)
            for way, text, drawing, tip in (
                (arranging.LEFT, tr("Move left"), "chevron_left", tr("Move left (Alt+Left)")),
                (arranging.UP, tr("Move up"), "chevron_up", tr("Move up (Alt+Up)")),
                (arranging.DOWN, tr("Move down"), "chevron_down", tr("Move down (Alt+Down)")),
                (arranging.RIGHT, tr("Move right"), "chevron_right", tr("Move right (Alt+Right)")),
            )
        ]
        take_out = tool_button(
            "designer.form.hide", tr("Hide the field"), "subtract",
            lambda: self._hide(self._name), tip=tr("Hide the field (Del)"),
        )  # fmt: skip
        self._new = tool_button(
            "designer.form.new", tr("New"), "add", self._new_menu, show_text=True
        )
        self._more = tool_button(
            "designer.form.more", tr("Tab and section"), "more_horizontal", self._more_menu
        )
        self._reset = push_button("designer.form.reset", tr("Back to standard"), self._to_standard)
        self._discard = push_button("designer.form.discard", tr("Discard"), self.discard)
        self._save = push_button("designer.form.save", tr("Save"), self.save, kind="primary")
        plan = column(
            self.tabs,
            self.canvas,
            label(tr("Not shown"), "h3"),
            self.hidden,
            spacing=6,
        )
        self.hidden.setMaximumHeight(150)
        shown = column(label(tr("Preview"), "h3"), self.preview, spacing=6)
        for part in (plan, shown):
            box = part.layout()
            assert isinstance(box, QVBoxLayout)  # noqa: S101  columns are
            box.setStretch(1, 1)
        plan.setMinimumWidth(280)
        shown.setMinimumWidth(260)
        self._splitter = Splitter("designer.split", tr("Plan and preview"), plan, shown)
        self._splitter.setSizes([460, 460])
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 10, 16, 12)
        outer.setSpacing(8)
        outer.addWidget(row(*tools, take_out, self._new, self._more, None, spacing=2))
        outer.addWidget(self.notice)
        outer.addWidget(self._splitter, 1)
        outer.addWidget(row(self._reset, None, self._discard, self._save, spacing=8))

    # --- showing ---------------------------------------------------------------------------

    def show_entity(self, key: str) -> None:
        """Show the form of an entity."""
        self._entity = key
        self._name = ""
        self._stands = self.draft
        self.load()

    def load(self) -> None:
        """Read how the form stands; what was arranged and not saved stays."""
        self._bench.tasks.read(
            forms.current, self._bench.actor, self._entity,
            done=self._take, owner=self, lane="form",
        )  # fmt: skip

    @property
    def is_dirty(self) -> bool:
        """Whether something was arranged and not saved."""
        return self.draft != self._stands

    def _take(self, stands: Layout) -> None:
        kept = self.draft if self.is_dirty else None
        self._stands = stands
        if kept is None:
            self.draft = stands
        else:
            with registry.as_declared():
                declared = registry.get(self._entity)
            fields = registry.get(self._entity).fields
            own = [name for name in fields if name not in declared.fields]
            self.draft = layout.complete(kept, declared, fields, own)
        self._show_tabs(min(max(self.tabs.currentIndex(), 0), len(self.draft.tabs) - 1))

    def _show_tabs(self, current: int) -> None:
        self.tabs.blockSignals(True)
        while self.tabs.count():
            self.tabs.removeTab(0)
        for tab in self.draft.tabs:
            self.tabs.addTab(tr(tab.label).replace("&", "&&"))
        self.tabs.setCurrentIndex(current)
        self.tabs.blockSignals(False)
        self._show()

    def _show(self) -> None:
        fields = {field.name: field for field in layout.placeable(registry.get(self._entity))}
        self.canvas.show_tab(self.draft, self._tab, fields)
        placed = set(self.draft.placed)
        self.hidden.show_entries(
            [Entry(n, tr(f.label)) for n, f in fields.items() if n not in placed]
        )
        self._save.setEnabled(self.is_dirty)
        self._discard.setEnabled(self.is_dirty)
        self._timer.start()

    @property
    def _tab(self) -> int:
        return max(self.tabs.currentIndex(), 0)

    @Slot()
    def _show_preview(self) -> None:
        entity = registry.get(self._entity)
        only = Layout((self.draft.tabs[self._tab],))
        sections = layout.sections(only, entity, entity.fields, ())
        self.preview.show_form(self._entity, self._bench, sections)

    # --- arranging -------------------------------------------------------------------------

    def _arrange(self, wanted: Layout, tab: int | None = None) -> None:
        if wanted == self.draft:
            return
        self.notice.say("")
        self.draft = wanted
        self._show_tabs(self._tab if tab is None else tab)
        if self._name:
            self.canvas.focus_field(self._name)

    @Slot(str)
    def _choose(self, name: str) -> None:
        self._name = name

    def _step(self, way: str) -> None:
        self._move(self._name, way)

    @Slot(str, str)
    def _move(self, name: str, way: str) -> None:
        self._name = name
        self._arrange(arranging.move(self.draft, name, way))

    @Slot(str)
    def _hide(self, name: str) -> None:
        field = registry.get(self._entity).fields.get(name)
        if field is None:
            return
        if field.required:
            self.notice.say(
                tr("{field} must be filled in, so it cannot be hidden.", field=tr(field.label)),
                "warn",
            )
            return
        self._name = ""
        self._arrange(arranging.hide(self.draft, name))

    @Slot(str, object, bool)
    def _drop(self, name: str, at: Place, own_row: bool) -> None:
        self._name = name
        self._arrange(arranging.put(self.draft, name, at, own_row=own_row))

    def _show_field(self, key: object) -> None:
        if isinstance(key, str):
            part = self._part()
            rows = len(self.draft.tabs[self._tab].parts[part].rows)
            self._drop(key, Place(self._tab, part, rows), True)

    def _part(self) -> int:
        """Section of the current field; the last one of the tab without any."""
        at = arranging.find(self.draft, self._name)
        if at is not None and at.tab == self._tab:
            return at.part
        return len(self.draft.tabs[self._tab].parts) - 1

    def _new_menu(self) -> None:
        new_tab = Action("designer.new.tab", tr("New tab…"), self._new_tab, "add")
        new_part = Action("designer.new.section", tr("New section…"), self._new_part, "add")
        show_menu(self._new, [new_tab, new_part])

    def _new_tab(self) -> None:
        def made(text: str) -> None:
            wanted = arranging.add_tab(self.draft, text, text)
            self._arrange(wanted, len(wanted.tabs) - 1)

        self._ask(tr("New tab"), "", made)

    def _new_part(self) -> None:
        self._ask(
            tr("New section"), "",
            lambda text: self._arrange(arranging.add_part(self.draft, self._tab, text)),
        )  # fmt: skip

    def _ask(self, title: str, text: str, done: Callable[[str], object]) -> None:
        TextDialog(self.window(), title, tr("Title"), text, done).open()

    def _more_menu(self) -> None:
        tab, part = self._tab, self._part()
        draft = self.draft
        label_of = draft.tabs[tab].parts[part].label
        several = len(draft.tabs) > 1
        entries = [
            Action("designer.tab.rename", tr("Rename the tab…"), partial(
                self._ask, tr("Rename the tab"), tr(draft.tabs[tab].label),
                lambda text: self._arrange(arranging.rename_tab(self.draft, tab, text))), "edit"),
            Action("designer.tab.left", tr("Move the tab left"), partial(
                self._move_tab, -1), "chevron_left", enabled=lambda: tab > 0),
            Action("designer.tab.right", tr("Move the tab right"), partial(
                self._move_tab, 1), "chevron_right", enabled=lambda: tab < len(draft.tabs) - 1),
            Action("designer.tab.remove", tr("Remove the tab"), lambda: self._arrange(
                arranging.remove_tab(self.draft, tab), max(tab - 1, 0)), "delete",
                enabled=lambda: several),
            Action("designer.section.rename", tr("Rename the section…"), partial(
                self._ask, tr("Rename the section"), tr(label_of),
                lambda text: self._arrange(
                    arranging.rename_part(self.draft, tab, part, text))), "edit",
                group="section"),
            Action("designer.section.up", tr("Move the section up"), lambda: self._arrange(
                arranging.move_part(self.draft, tab, part, -1)), "chevron_up", group="section"),
            Action("designer.section.down", tr("Move the section down"), lambda: self._arrange(
                arranging.move_part(self.draft, tab, part, 1)), "chevron_down", group="section"),
            Action("designer.section.remove", tr("Remove the section"), lambda: self._arrange(
                arranging.remove_part(self.draft, tab, part)), "delete", group="section",
                enabled=lambda: len(draft.tabs[tab].parts) > 1),
        ]  # fmt: skip
        show_menu(self._more, entries)

    def _move_tab(self, step: int) -> None:
        self._arrange(arranging.move_tab(self.draft, self._tab, step), self._tab + step)

    # --- keeping ---------------------------------------------------------------------------

    def save(self) -> None:
        """Arrange the form for everybody."""
        self._bench.tasks.write(
            forms.save, self._bench.actor, self._entity, self.draft,
            done=self._saved, failed=self._failed, owner=self, label=tr("Saving"),
        )  # fmt: skip

    def _saved(self, changes: ChangeSet) -> None:
        self._stands = self.draft
        self._bench.bus.publish(changes)
        self._bench.shell.toast(tr("The layout of the form was saved"), undo=True)
        self.load()

    def _failed(self, error: Exception) -> None:
        self.notice.say(str(error), "bad")

    def discard(self) -> None:
        """Forget what was arranged and not saved."""
        self.draft = self._stands
        self._show_tabs(0)

    def _to_standard(self) -> None:
        answer = ask(
            self.window(),
            tr("Back to the standard form?"),
            tr("The form gets its standard layout back. Fields and their values stay."),
            (("keep", tr("Cancel"), ""), ("reset", tr("Back to standard"), "primary")),
        )
        if answer == "reset":
            self.draft = self._stands
            self._bench.tasks.write(
                forms.reset, self._bench.actor, self._entity,
                done=self._saved_standard, failed=self._failed, owner=self,
            )  # fmt: skip

    def _saved_standard(self, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self.load()

    def may_leave(self) -> bool:
        """Whether nothing would be lost; asks when something would."""
        if not self.is_dirty:
            return True
        answer = ask(
            self.window(),
            tr("Leave the form as it was?"),
            tr("You changed the layout of this form and did not save it."),
            (("discard", tr("Do not save"), "danger"), ("stay", tr("Keep arranging"), "")),
        )
        if answer == "discard":
            self.discard()
        return answer == "discard"
