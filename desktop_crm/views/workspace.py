"""The panes under one roof: made when first shown, one in front."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views import modules
from desktop_crm.views.tag_tones import TagTones
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.layout import frame

if TYPE_CHECKING:
    from desktop_crm.views.panes.pane import Pane
    from desktop_crm.views.workbench import Workbench


def skeleton() -> QWidget:
    """What is painted before the database is open: the frames of a list pane."""
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for name, width, stretch in (("nav", 208, 0), ("listpane", 0, 1), ("detail", 418, 0)):
        part = frame(name)
        if width:
            part.setFixedWidth(width)
        row.addWidget(part, stretch)
    return box


class Workspace(QStackedWidget):
    """Stack of panes by module key.

    Attributes:
        status_changed: Text of the pane in front for the status bar.
        commands_changed: The pane in front offers other commands now.
    """

    status_changed = Signal(str)
    commands_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("workspace")
        self._bench: Workbench | None = None
        self._panes: dict[str, Pane] = {}
        self._narrow = False
        self.key = ""
        self.addWidget(skeleton())

    def start(self, bench: Workbench) -> None:
        """Take the tools that panes need."""
        self._bench = bench
        TagTones(bench, self).changed.connect(self.update)

    def say_closed(self, reason: str, open_other: Callable[[], object]) -> None:
        """Say that no database is open and why, with a way on."""
        page = EmptyState(
            "folder",
            tr("No database is open"),
            reason,
            tr("Open another database…"),
            open_other,
            name="closed",
        )
        self.addWidget(page)
        self.setCurrentWidget(page)

    def bring_to_front(self, key: str) -> Pane | None:
        """Show a module; makes its pane when it is shown for the first time."""
        if self._bench is None:
            return None
        pane = self._panes.get(key)
        if pane is None:
            pane = modules.module(key).make(self._bench)
            pane.status_changed.connect(self._status)
            pane.commands_changed.connect(self._commands)
            pane.set_narrow(self._narrow)
            self._panes[key] = pane
            self.addWidget(pane)
        self.key = key
        self.setCurrentWidget(pane)
        pane.activate()
        return pane

    def current(self) -> Pane | None:
        """The pane in front."""
        return self._panes.get(self.key)

    def set_narrow(self, narrow: bool) -> None:
        """Tell the panes that the window became narrow or wide."""
        if narrow != self._narrow:
            self._narrow = narrow
            for pane in self._panes.values():
                pane.set_narrow(narrow)

    def may_leave(self) -> bool:
        """Whether no pane would lose anything."""
        return all(pane.may_leave() for pane in self._panes.values())

    def _status(self, text: str) -> None:
        if self.sender() is self.current():
            self.status_changed.emit(text)

    def _commands(self) -> None:
        if self.sender() is self.current():
            self.commands_changed.emit()
