"""A button that unfolds check boxes and shows what is checked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy

from desktop_crm.core.i18n import tr
from desktop_crm.views.icons import icon


class _Menu(QMenu):
    """A menu that stays open while its entries are checked; Enter and Escape close it."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        action = self.actionAt(event.position().toPoint())
        if action in self.actions():
            action.trigger()
        else:
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = self.activeAction()
        if event.key() == Qt.Key.Key_Space and action in self.actions():
            action.trigger()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.close()
        else:
            super().keyPressEvent(event)


class CheckMenuButton(QPushButton):
    """Several of a few values; Space, Enter or the down key unfold them.

    Attributes:
        changed: Another entry was checked or unchecked.
    """

    changed = Signal()

    def __init__(self, name: str, options: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.setProperty("picks", True)
        self.setAutoDefault(False)
        self.setIcon(icon("chevron_down", "text2", fill_on=False))
        self.setIconSize(QSize(14, 14))
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(80)
        self._menu = _Menu(self)
        self._menu.setObjectName(f"{name}.choices")
        self._actions: dict[str, QAction] = {}
        for code, text in options:
            self._add(code, text)
        self.clicked.connect(self._unfold)
        self._show()

    def _add(self, code: str, text: str) -> QAction:
        action = self._menu.addAction(text.replace("&", "&&"))
        action.setCheckable(True)
        action.triggered.connect(self._checked)
        self._actions[code] = action
        return action

    def checked(self) -> tuple[str, ...]:
        """Codes of the checked entries in the order offered."""
        return tuple(code for code, action in self._actions.items() if action.isChecked())

    def check(self, codes: Sequence[str]) -> None:
        """Check these entries without telling; unknown ones are added."""
        for code in codes:
            if code not in self._actions:
                self._add(code, code)
        for code, action in self._actions.items():
            action.setChecked(code in codes)
        self._show()

    def _checked(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        chosen = [action.text().replace("&&", "&") for action in self._actions.values()
                  if action.isChecked()]  # fmt: skip
        shown = ", ".join(chosen) or tr("Choose")
        self.setText(shown.replace("&", "&&"))
        self.setToolTip(shown)
        self.setAccessibleDescription(shown)

    def _unfold(self) -> None:
        self._menu.setMinimumWidth(self.width())
        self._menu.popup(self.mapToGlobal(QPoint(0, self.height() + 2)))
        first = next(iter(self._actions.values()), None)
        if first is not None:
            self._menu.setActiveAction(first)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._unfold()
        else:
            super().keyPressEvent(event)
