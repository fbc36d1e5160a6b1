"""What is typed into a cell of the lines grid: numbers, long texts, records found as you type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QCompleter,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.views import theme
from desktop_crm.views.custom.line_model import COLUMNS, NAMES

if TYPE_CHECKING:
    from desktop_crm.services.query import Suggestion
    from desktop_crm.views.workbench import Workbench

AnyIndex = QModelIndex | QPersistentModelIndex
REST_MS: Final = 120
LIMIT: Final = 20
_TEXT_HEIGHT: Final = 92
_ID: Final = int(Qt.ItemDataRole.UserRole)


class LinkCell(QLineEdit):
    """Finds a record as its title is typed; Enter or Tab takes the one that is marked.

    Attributes:
        taken: A record was chosen from the list.
    """

    taken = Signal()

    def __init__(self, parent: QWidget, entity: str, bench: Workbench) -> None:
        super().__init__(parent)
        self._entity = entity
        self._bench = bench
        self._chosen: tuple[int | None, str] = (None, "")
        self._found = QStandardItemModel(self)
        self._completer = QCompleter(self._found, self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setWidget(self)
        popup = QListView()
        popup.setObjectName("quote.lines.suggestions")
        popup.setAccessibleName(tr("Suggestions"))
        popup.setMinimumWidth(theme.scaled(260))
        self._completer.setPopup(popup)
        self._completer.activated.connect(self._take)
        self._popup = popup
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self.ask)
        self.textEdited.connect(self._typed)

    def show_value(self, key: int | None, title: str) -> None:
        """Show the record that stands in the cell."""
        self._chosen = (key, title)
        self.setText(title)
        self.selectAll()

    def value(self) -> tuple[int | None, str] | None:
        """Key and title; None in both for an empty cell; None when nothing was chosen."""
        if not self.text().strip():
            return (None, "")
        return self._chosen if self.text() == self._chosen[1] else None

    @Slot(str)
    def _typed(self, _text: str) -> None:
        self._rest.start()

    @Slot()
    def ask(self) -> None:
        """Look for what is typed so far."""
        from desktop_crm.services import query

        self._bench.tasks.read(
            query.suggest,
            self._bench.actor,
            self._entity,
            "" if self.text() == self._chosen[1] else self.text().strip(),
            LIMIT,
            done=self._offer,
            owner=self,
            lane="suggest",
        )

    def _offer(self, found: list[Suggestion]) -> None:
        self._found.clear()
        for suggestion in found:
            item = QStandardItem(suggestion.title)
            item.setData(suggestion.id, _ID)
            item.setToolTip(suggestion.subtitle)
            self._found.appendRow(item)
        if not found:
            nothing = QStandardItem(tr("Nothing found"))
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self._found.appendRow(nothing)
        if self.hasFocus():
            self._completer.complete()
            if found:
                self._popup.setCurrentIndex(self._found.index(0, 0))

    @Slot(str)
    def _take(self, title: str) -> None:
        index = self._popup.currentIndex()
        key = index.data(_ID) if index.isValid() else None
        if key is None and (matches := self._found.findItems(title)):
            key = matches[0].data(_ID)
        if isinstance(key, int):
            self.choose(key, title)

    def choose(self, key: int, title: str) -> None:
        """Take a record into the cell."""
        self._chosen = (key, title)
        self.setText(title)
        self.taken.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.ask()
            return
        super().keyPressEvent(event)


class TextCell(QPlainTextEdit):
    """Several lines of text in a cell; Enter takes it, Shift+Enter begins a line.

    Attributes:
        taken: Enter was pressed.
    """

    taken = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.taken.emit()
            return
        super().keyPressEvent(event)


class CellDelegate(QStyledItemDelegate):
    """Makes the editor of a cell by the kind of its field."""

    def __init__(
        self, parent: QObject, bench: Workbench, unresolved: Callable[[str], object]
    ) -> None:
        """Build the delegate.

        Args:
            parent: The table.
            bench: For cells that ask the database.
            unresolved: Told a text that was typed into a link but not chosen.
        """
        super().__init__(parent)
        self._bench = bench
        self._unresolved = unresolved
        self._fields = registry.get("quote_line").fields

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: AnyIndex
    ) -> QWidget:
        field = self._fields[NAMES[index.column()]]
        editor: LinkCell | TextCell | QLineEdit
        if field.kind.name == "link":
            editor = LinkCell(parent, field.target, self._bench)
            editor.taken.connect(self._finish)
        elif field.name == "description":
            editor = TextCell(parent)
            editor.setTabChangesFocus(True)
            editor.taken.connect(self._finish)
        else:
            editor = QLineEdit(parent)
            editor.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        editor.setObjectName(f"quote.lines.cell.{field.name}")
        editor.setAccessibleName(tr(COLUMNS[index.column()].header))
        return editor

    @Slot()
    def _finish(self) -> None:
        editor = self.sender()
        if isinstance(editor, QWidget):
            self.commitData.emit(editor)
            self.closeEditor.emit(editor, QAbstractItemDelegate.EndEditHint.EditNextItem)

    def setEditorData(self, editor: QWidget, index: AnyIndex) -> None:
        value = index.data(Qt.ItemDataRole.EditRole)
        if isinstance(editor, LinkCell):
            key, title = value if isinstance(value, tuple) else (None, "")
            editor.show_value(key, title)
        elif isinstance(editor, TextCell):
            editor.setPlainText(str(value or ""))
            editor.selectAll()
        elif isinstance(editor, QLineEdit):
            editor.setText(str(value or ""))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: AnyIndex) -> None:
        if isinstance(editor, LinkCell):
            value = editor.value()
            if value is None:
                self._unresolved(editor.text().strip())
                return
            model.setData(index, value)
        elif isinstance(editor, TextCell):
            model.setData(index, editor.toPlainText().strip())
        elif isinstance(editor, QLineEdit):
            model.setData(index, editor.text().strip())

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: AnyIndex
    ) -> None:
        area = QRect(option.rect)
        if isinstance(editor, TextCell):
            area.setHeight(theme.scaled(_TEXT_HEIGHT))
            parent = editor.parentWidget()
            if parent is not None and area.bottom() > parent.height():
                area.moveBottom(max(parent.height(), area.height()))
        editor.setGeometry(area)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        is_enter = isinstance(event, QKeyEvent) and event.key() in (
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
        )
        if isinstance(watched, TextCell) and is_enter:
            # The text decides itself what Enter means.
            return False
        return super().eventFilter(watched, event)
