"""Search and command palette: commands and records in one list, everything by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.i18n import tr
from desktop_crm.core.text import fold
from desktop_crm.views import theme
from desktop_crm.views.icons import paint_icon
from desktop_crm.views.widgets.layout import separator
from desktop_crm.views.widgets.overlays import drop_shadow

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.views.actions import Action
    from desktop_crm.views.workbench import Workbench

REST_MS: Final = 120
WIDTH: Final = 560
ROW: Final = 34
_MOST_COMMANDS: Final = 12
_PER_ENTITY: Final = 5
_SEARCHED: Final = ("contact", "account", "lead", "opportunity", "quote", "activity", "product")
_RUN: Final = int(Qt.ItemDataRole.UserRole)
_ICON: Final = _RUN + 1
_NOTE: Final = _RUN + 2
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Hit:
    """One record that was found."""

    entity: str
    id: int
    title: str
    subtitle: str
    icon: str
    label: str


def find_records(actor: Actor, typed: str, cancel: Cancel | None = None) -> list[Hit]:
    """Records of all searched kinds; runs on a reader thread, at most two statements per kind."""
    from desktop_crm.meta import registry
    from desktop_crm.services import query

    found: list[Hit] = []
    for key in _SEARCHED:
        if not actor.can(key, "read"):
            continue
        entity = registry.get(key)
        for hit in query.suggest(actor, key, typed, _PER_ENTITY, cancel):
            label = tr(entity.label)
            found.append(Hit(key, hit.id, hit.title, hit.subtitle, entity.icon, label))
    return found


def matching(actions: Sequence[Action], typed: str) -> list[Action]:
    """Enabled commands that contain every typed word; those that start with it come first."""
    words = fold(typed).split()
    ranked = []
    for action in actions:
        text = fold(action.text)
        if action.is_enabled and not action.menu and all(word in text for word in words):
            ranked.append((not text.startswith(words[0]) if words else False, action))
    return [action for _late, action in sorted(ranked, key=lambda pair: pair[0])][:_MOST_COMMANDS]


class _RowDelegate(QStyledItemDelegate):
    """Icon, text, and at the right what it is or its shortcut."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(10, theme.scaled(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("sel" if selected else "press"))
            painter.drawRoundedRect(area, 4, 4)
        if drawing := str(index.data(_ICON) or ""):
            glyph = QRect(int(area.left()) + 12, int(area.center().y()) - 9, 18, 18)
            paint_icon(painter, glyph, drawing)
        note = str(index.data(_NOTE) or "")
        painter.setFont(theme.font(12))
        width = painter.fontMetrics().horizontalAdvance(note)
        painter.setPen(theme.color("text2"))
        painter.drawText(
            area.adjusted(0, 0, -12, 0),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
            note,
        )
        painter.setFont(theme.font(13, QFont.Weight.Normal))
        enabled = bool(index.flags() & Qt.ItemFlag.ItemIsSelectable)
        painter.setPen(theme.color("text" if enabled else "text2"))
        room = int(area.width()) - 42 - width - 28
        shown = painter.fontMetrics().elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, room
        )
        painter.drawText(area.adjusted(42, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()


class CommandPalette(QFrame):
    """Opens over the window; Up and Down walk, Enter does it, Esc goes away.

    Attributes:
        closed: It went away.
    """

    closed = Signal()

    def __init__(
        self, parent: QWidget, bench: Workbench | None, commands: Callable[[], list[Action]]
    ) -> None:
        super().__init__(parent)
        self.setObjectName("palette")
        self.setAccessibleName(tr("Search records and commands"))
        self._bench = bench
        self._commands = commands()
        self._room = parent
        self.line = QLineEdit()
        self.line.setObjectName("palette.line")
        self.line.setPlaceholderText(tr("Type a command or the name of a record"))
        self.line.setAccessibleName(tr("Search records and commands"))
        self.line.textChanged.connect(self._typed)
        self.line.installEventFilter(self)
        self.items = QStandardItemModel(self)
        self.list = QListView()
        self.list.setObjectName("palette.list")
        self.list.setAccessibleName(tr("Results"))
        self.list.setModel(self.items)
        self.list.setItemDelegate(_RowDelegate(self.list))
        self.list.setMouseTracking(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self._run)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setSpacing(4)
        layout.addWidget(self.line)
        layout.addWidget(separator())
        layout.addWidget(self.list)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._ask)
        drop_shadow(self)
        parent.installEventFilter(self)
        self._show([])
        self.show()
        self.raise_()
        self.line.setFocus()

    def dismiss(self) -> None:
        """Go away without doing anything."""
        self._rest.stop()
        self._room.removeEventFilter(self)
        self.hide()
        self.closed.emit()
        self.deleteLater()

    # --- finding ---------------------------------------------------------------------------

    @Slot(str)
    def _typed(self, text: str) -> None:
        self._show([])
        if text.strip() and self._bench is not None:
            self._rest.start()
        elif self._bench is not None:
            self._rest.stop()
            self._bench.tasks.drop(self, "find")

    @Slot()
    def _ask(self) -> None:
        if self._bench is None:
            return
        self._bench.tasks.read(
            find_records,
            self._bench.actor,
            self.line.text().strip(),
            done=self._show,
            owner=self,
            lane="find",
            cancellable=True,
        )

    def _show(self, hits: list[Hit]) -> None:
        self.items.clear()
        typed = self.line.text().strip()
        for action in matching(self._commands, typed):
            note = action.tool_tip.removeprefix(action.tip or action.text).strip(" ()")
            self._add(action.text, action.icon, note, action.run)
        for hit in hits:
            text = f"{hit.title} · {hit.subtitle}" if hit.subtitle else hit.title
            self._add(text, hit.icon, hit.label, self._opener(hit))
        if not self.items.rowCount():
            item = QStandardItem(tr("Nothing found"))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.items.appendRow(item)
        self.list.setCurrentIndex(self.items.index(0, 0))
        self._place()

    def _add(self, text: str, drawing: str, note: str, run: Callable[[], object]) -> None:
        item = QStandardItem(text)
        item.setData(run, _RUN)
        item.setData(drawing, _ICON)
        item.setData(note, _NOTE)
        item.setData(f"{text}, {note}" if note else text, Qt.ItemDataRole.AccessibleTextRole)
        self.items.appendRow(item)

    def _opener(self, hit: Hit) -> Callable[[], object]:
        def run() -> None:
            if self._bench is not None:
                self._bench.shell.open_record(hit.entity, hit.id)

        return run

    # --- doing -----------------------------------------------------------------------------

    @Slot(QModelIndex)
    def _run(self, index: QModelIndex) -> None:
        run = index.data(_RUN)
        if run is None:
            return
        self.dismiss()
        run()

    def _place(self) -> None:
        rows = min(max(self.items.rowCount(), 1), 10)
        height = theme.scaled(ROW) * rows + 76
        width = min(theme.scaled(WIDTH), self._room.width() - 80)
        self.setGeometry((self._room.width() - width) // 2, 52, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._room and event.type() == QEvent.Type.Resize:
            self._place()
        elif watched is self.line and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.KeyPress:
                return self._key(Qt.Key(event.key()))
        elif watched is self.line and event.type() == QEvent.Type.FocusOut:
            QTimer.singleShot(0, self, self._maybe_leave)
        return False

    @Slot()
    def _maybe_leave(self) -> None:
        if self.isVisible() and not self.line.hasFocus() and self.window().isActiveWindow():
            self.dismiss()

    def _key(self, key: Qt.Key) -> bool:
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: 8,
            Qt.Key.Key_PageUp: -8,
        }
        if key in steps:
            last = self.items.rowCount() - 1
            row = min(last, max(0, self.list.currentIndex().row() + steps[key]))
            self.list.setCurrentIndex(self.items.index(row, 0))
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._run(self.list.currentIndex())
        elif key == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            return False
        return True
