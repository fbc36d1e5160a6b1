"""Editor of tags: a pill for each, and a line that completes from the list of tags."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QCompleter,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.i18n import tr
from desktop_crm.core.text import fold, join_tags, split_tags
from desktop_crm.views import theme
from desktop_crm.views.forms.editor import Editor
from desktop_crm.views.icons import paint_icon
from desktop_crm.views.tag_tones import tone
from desktop_crm.views.widgets.flow import Flow
from desktop_crm.views.widgets.tab_order import put_before

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

_TALL = 24
_SEPARATORS = (",", ";")


class TagPill(QAbstractButton):
    """One tag in its colour; Del, Backspace or a click on its cross takes it away.

    Attributes:
        removed: The person wants it away.
    """

    removed = Signal()

    def __init__(self, name: str, word: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.word = word
        self.is_fixed = False
        self.setAccessibleName(tr("Tag {name}; Delete takes it away", name=word))
        self.setToolTip(word)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.clicked.connect(lambda _checked=False: self._press())

    def _press(self) -> None:
        if not self.is_fixed:
            self.removed.emit()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        cross = 0 if self.is_fixed else 16
        wide = metrics.horizontalAdvance(self.word) + 20 + cross
        return QSize(min(wide, theme.scaled(220)), theme.scaled(_TALL))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self._press()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        look = tone(self.word)
        area = self.rect().adjusted(0, 1, -1, -2)
        ring = QPen(theme.color("focus"), 1)
        painter.setPen(ring if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(f"{look}_bg"))
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
        painter.setPen(theme.color(look))
        room = area.adjusted(10, 0, -10 if self.is_fixed else -24, 0)
        shown = painter.fontMetrics().elidedText(
            self.word, Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        if not self.is_fixed:
            cross = area.adjusted(area.width() - 22, (area.height() - 12) // 2, 0, 0)
            cross.setSize(QSize(12, 12))
            paint_icon(painter, cross, "dismiss", look)


class TagEditor(Editor):
    """Words as pills; Enter, Tab or a comma takes what was typed, Backspace the last one away."""

    def __init__(self, field: BoundField, formats: Formats, name: str, bench: Workbench) -> None:
        super().__init__(field, formats, name)
        self._bench = bench
        self._words: list[str] = []
        self._read_only = False
        self.line = QLineEdit()
        self.line.setPlaceholderText(tr("Add a tag"))
        self.line.installEventFilter(self)
        self.line.textEdited.connect(self._edited)
        self.line.returnPressed.connect(self._take_typed)
        self._box = QWidget()
        self._flow = Flow(self._box, spacing=4)
        self._known = QStringListModel(self)
        self._completer = QCompleter(self._known, self)
        self._completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._popup = popup = QListView()
        popup.setObjectName(f"{name}.suggestions")
        popup.setAccessibleName(tr("Suggestions"))
        popup.setProperty("popup", True)
        self._completer.setPopup(popup)
        self._completer.activated.connect(self._complete)
        self._completer.setWidget(self.line)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._layout.addLayout(column, 1)
        column.addWidget(self.line)  # first: what hands the keyboard on goes where it goes
        column.insertWidget(0, self._box)
        self._adopt(self.line)
        self._fill()
        bench.tasks.read(
            _names, bench.actor, done=self._known.setStringList, owner=self, lane="tags"
        )

    # --- value -----------------------------------------------------------------------------

    def _show(self, value: object, title: str) -> None:
        self._words = split_tags(str(value or ""))
        self.line.clear()
        self._fill()

    def value(self) -> object:
        typed = split_tags(self.line.text())
        return join_tags(split_tags("|".join((*self._words, *typed))))

    def set_read_only(self, read_only: bool) -> None:
        self._read_only = read_only
        self.line.setVisible(not read_only)
        self._fill()

    @property
    def words(self) -> list[str]:
        """The tags shown as pills."""
        return list(self._words)

    # --- pills -----------------------------------------------------------------------------

    def _fill(self) -> None:
        while (item := self._flow.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        for word in self._words:
            pill = TagPill(f"{self._name}.{fold(word)}", word)
            pill.is_fixed = self._read_only
            pill.removed.connect(partial(self._remove, word))
            self._flow.addWidget(pill)
            put_before(self.line, pill)
            pill.show()
        self._box.setVisible(bool(self._words))
        self._box.updateGeometry()

    def _add(self, typed: str) -> None:
        before = len(self._words)
        self._words = split_tags("|".join((*self._words, *split_tags(typed))))
        self.line.clear()
        if len(self._words) != before:
            self._fill()
            self._told()
            self.left.emit()

    def _remove(self, word: str) -> None:
        self._words = [one for one in self._words if one != word]
        self._fill()
        self.line.setFocus()
        self._told()
        self.left.emit()

    def _take_typed(self) -> None:
        if self.line.text().strip():
            self._add(self.line.text())

    def _complete(self, word: str) -> None:
        self._add(word)

    def _edited(self, text: str) -> None:
        if text.endswith(_SEPARATORS):
            self._add(text)
        else:
            self._told()
            self._completer.setCompletionPrefix(text.strip())
            if text.strip() and self._completer.completionCount():
                self._completer.complete()
            else:
                self._popup.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            empty = not self.line.text()
            if event.key() == Qt.Key.Key_Backspace and empty and self._words:
                self._remove(self._words[-1])
                return True
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not empty:
                # The form's default button must not take the key from a half-typed tag.
                self._take_typed()
                return True
        if event.type() == QEvent.Type.FocusOut and watched is self.line:
            self._take_typed()
        return super().eventFilter(watched, event)


def _names(actor: Actor) -> list[str]:
    """Words to propose; runs on a reader thread, which loads the code for it."""
    from desktop_crm.services import tag_list

    return tag_list.names(actor)
