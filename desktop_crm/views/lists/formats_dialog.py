"""Conditional formats of a list: what stands out, in which look, the first that holds wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPen, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.services.list_layout import ICONS, TONES, Format
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.filters.words import describe
from desktop_crm.views.icons import icon, paint_icon
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.services.filters import Node
    from desktop_crm.views.lists.list_panel import ListPanel
    from desktop_crm.views.workbench import Workbench

ROW: Final = 40
_FORMAT: Final = int(Qt.ItemDataRole.UserRole)
_Index = QModelIndex | QPersistentModelIndex
_TONE_NAMES: Final = {
    "bad": N_("Red"),
    "warn": N_("Orange"),
    "ok": N_("Green"),
    "info": N_("Blue"),
    "neutral": N_("Grey"),
}
_ICON_NAMES: Final = {
    "flag": N_("Flag"),
    "alert": N_("Bell"),
    "star": N_("Star"),
    "clock": N_("Clock"),
    "checkmark_circle": N_("Check mark"),
    "question_circle": N_("Question mark"),
    "call": N_("Telephone"),
    "mail": N_("Envelope"),
    "handshake": N_("Handshake"),
    "target": N_("Target"),
}


class _Sample(QStyledItemDelegate):
    """Paints a condition the way rows that meet it look."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, theme.scaled(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        found = index.data(_FORMAT)
        if not isinstance(found, Format):
            return
        area: QRect = option.rect
        painter.save()
        painter.fillRect(area, theme.color(f"{found.tone}_bg" if found.tone else "surface"))
        painter.fillRect(area.left(), area.bottom(), area.width(), 1, theme.color("stroke"))
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(area.left(), area.top(), 3, area.height(), theme.color("line"))
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.drawRect(area.adjusted(0, 0, -1, -2))
        left = area.left() + 14
        if found.icon:
            side = theme.scaled(16)
            place = QRect(left, area.center().y() - side // 2, side, side)
            paint_icon(painter, place, found.icon, found.tone or "text2")
            left += side + 8
        weight = QFont.Weight.Bold if found.bold else QFont.Weight.Medium
        painter.setFont(theme.font(13, weight))
        painter.setPen(theme.color(found.tone or "text"))
        room = area.right() - left - 12
        text = painter.fontMetrics().elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, room
        )
        painter.drawText(
            QRect(left, area.top(), room, area.height()), Qt.AlignmentFlag.AlignVCenter, text
        )
        painter.restore()


class FormatsDialog(Dialog):
    """Formats in order at the top, painted as rows will be; the look of the selected one below.

    Attributes:
        chosen: The person applied them; carries a tuple of formats.
    """

    chosen = Signal(object)

    def __init__(self, bench: Workbench, entity_key: str, formats: Sequence[Format]) -> None:
        plural = tr(registry.get(entity_key).plural)
        super().__init__(
            bench.shell.window_widget(), "formats",
            tr("Conditional formats: {records}", records=plural), width=720,
            subtitle=tr("Rows that meet a condition stand out. Where several are met, the "
                        "first one counts."),
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._entity = registry.get(entity_key)
        self._titles: dict[tuple[str, int], str] = {}
        self._quiet = False
        self._items = QStandardItemModel(self)
        self.lines = QListView()
        self.lines.setObjectName("formats.list")
        self.lines.setAccessibleName(tr("Conditional formats"))
        self.lines.setModel(self._items)
        self.lines.setItemDelegate(_Sample(self.lines))
        self.lines.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.lines.setProperty("checks", True)
        self.lines.setMinimumHeight(theme.scaled(ROW * 5 + 12))
        self.lines.doubleClicked.connect(lambda _index: self._change())
        self.lines.selectionModel().currentChanged.connect(lambda *_: self._show_look())
        add = push_button("formats.add", tr("Add…"), self._add, drawing="add")
        self._edit = push_button("formats.edit", tr("Condition…"), self._change, drawing="filter")
        self._up = push_button("formats.up", tr("Up"), lambda: self._move(-1),
                               drawing="chevron_up")  # fmt: skip
        self._down = push_button("formats.down", tr("Down"), lambda: self._move(1),
                                 drawing="chevron_down")  # fmt: skip
        self._remove = push_button("formats.remove", tr("Remove"), self._drop, drawing="delete")
        self.tone = _combo("formats.tone", tr("Colour"))
        self.tone.addItem(tr("None"), "")
        for code in TONES:
            self.tone.addItem(tr(_TONE_NAMES[code]), code)
        self.icon = _combo("formats.icon", tr("Icon"))
        self.icon.addItem(tr("None"), "")
        for code in ICONS:
            self.icon.addItem(icon(code, fill_on=False), tr(_ICON_NAMES[code]), code)
        self.bold = QCheckBox(tr("Bold"))
        self.bold.setObjectName("formats.bold")
        self.bold.setAccessibleName(tr("Bold"))
        self.tone.activated.connect(lambda _at: self._take_look())
        self.icon.activated.connect(lambda _at: self._take_look())
        self.bold.toggled.connect(lambda _on: self._take_look())
        self.body.addWidget(self.lines, 1)
        self.body.addWidget(row(add, self._edit, None, self._up, self._down, self._remove,
                                spacing=8))  # fmt: skip
        self._look = row(Labelled(tr("Colour"), self.tone), Labelled(tr("Icon"), self.icon),
                         self.bold, None, spacing=16)  # fmt: skip
        self.body.addWidget(self._look)
        use = push_button("formats.use", tr("Apply"), self._use, kind="primary")
        use.setDefault(True)
        self.set_foot(None, self.cancel_button(), use)
        for one in formats:
            self._append(one)
        self.lines.setCurrentIndex(self._items.index(0, 0))
        self._show_look()
        self._ask_titles()
        self.lines.setFocus()

    # --- content ---------------------------------------------------------------------------

    def formats(self) -> tuple[Format, ...]:
        """The formats as they stand."""
        found = (self._items.item(at).data(_FORMAT) for at in range(self._items.rowCount()))
        return tuple(one for one in found if isinstance(one, Format))

    def _append(self, format_: Format) -> None:
        item = QStandardItem()
        item.setEditable(False)
        self._items.appendRow(item)
        self._put(item, format_)

    def _put(self, item: QStandardItem, format_: Format) -> None:
        item.setData(format_, _FORMAT)
        words = describe(format_.filter, self._entity, self._bench.formats, self._titles)
        item.setText(words)
        item.setToolTip(words)
        look = [
            words,
            tr(_TONE_NAMES[format_.tone]) if format_.tone else "",
            tr(_ICON_NAMES[format_.icon]) if format_.icon else "",
            tr("Bold") if format_.bold else "",
        ]
        item.setData(", ".join(w for w in look if w), Qt.ItemDataRole.AccessibleTextRole)

    def _ask_titles(self) -> None:
        """Titles of records that conditions name; keys are shown until they are known."""
        from desktop_crm.services.filters import Group
        from desktop_crm.services.link_titles import link_titles

        whole = Group("any", tuple(one.filter for one in self.formats()))
        if whole.members:
            self._bench.tasks.read(
                link_titles, self._bench.actor, self._entity.key, whole,
                done=self._take_titles, owner=self, lane="titles",
            )  # fmt: skip

    def _take_titles(self, titles: dict[tuple[str, int], str]) -> None:
        self._titles |= titles
        for at, one in enumerate(self.formats()):
            self._put(self._items.item(at), one)

    def _current(self) -> QStandardItem | None:
        index = self.lines.currentIndex()
        return self._items.itemFromIndex(index) if index.isValid() else None

    def _show_look(self) -> None:
        item = self._current()
        found = item.data(_FORMAT) if item is not None else None
        for widget in (self._edit, self._up, self._down, self._remove, self._look):
            widget.setEnabled(found is not None)
        if isinstance(found, Format):
            self._quiet = True
            self.tone.setCurrentIndex(max(0, self.tone.findData(found.tone)))
            self.icon.setCurrentIndex(max(0, self.icon.findData(found.icon)))
            self.bold.setChecked(found.bold)
            self._quiet = False

    def _take_look(self) -> None:
        item = self._current()
        if item is None or self._quiet:
            return
        self._put(
            item,
            replace(
                item.data(_FORMAT),
                tone=str(self.tone.currentData()),
                icon=str(self.icon.currentData()),
                bold=self.bold.isChecked(),
            ),
        )

    # --- doing -----------------------------------------------------------------------------

    def _add(self) -> None:
        def taken(node: Node | None) -> None:
            if node is not None:
                self._append(Format(node, tone=TONES[0]))
                self.lines.setCurrentIndex(self._items.index(self._items.rowCount() - 1, 0))
                self._show_look()
                self._ask_titles()

        self._ask(None, taken)

    def _change(self) -> None:
        item = self._current()
        if item is None:
            return
        before = item.data(_FORMAT)

        def taken(node: Node | None) -> None:
            if node is not None:
                self._put(item, replace(before, filter=node))
                self._ask_titles()

        self._ask(before.filter, taken)

    def _ask(self, node: Node | None, taken: object) -> None:
        from desktop_crm.views.filters.filter_dialog import FilterDialog

        dialog = FilterDialog(self._bench, self._entity.key, node, parent=self)
        dialog.chosen.connect(taken)
        dialog.finished.connect(dialog.deleteLater)
        dialog.finished.connect(lambda _result: self.lines.setFocus())
        dialog.open()

    def _move(self, step: int) -> None:
        here = self.lines.currentIndex().row()
        there = here + step
        if here < 0 or not 0 <= there < self._items.rowCount():
            return
        self._items.insertRow(there, self._items.takeRow(here))
        self.lines.setCurrentIndex(self._items.index(there, 0))

    def _drop(self) -> None:
        here = self.lines.currentIndex().row()
        if here >= 0:
            self._items.removeRow(here)
            self._show_look()

    def _use(self) -> None:
        self.chosen.emit(self.formats())
        self.accept()


def _combo(name: str, accessible_name: str) -> QComboBox:
    made = QComboBox()
    made.setObjectName(name)
    made.setAccessibleName(accessible_name)
    made.setMinimumWidth(theme.scaled(150))
    return made


def open_formats(panel: ListPanel, bench: Workbench) -> QWidget:
    """Let the person choose the formats of a list."""
    from desktop_crm.services.list_layout import to_json

    layout = panel.arranged.layout
    dialog = FormatsDialog(bench, panel.entity.key, layout.formats)

    def chosen(formats: tuple[Format, ...]) -> None:
        panel.arrange(formats=to_json(replace(layout, formats=formats))["formats"])

    dialog.chosen.connect(chosen)
    dialog.open()
    return dialog
