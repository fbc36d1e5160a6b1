"""What the window expects of a pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from desktop_crm.views.actions import Action
    from desktop_crm.views.workbench import Workbench


class Pane(QWidget):
    """One module of the rail; made when it is first shown, kept afterwards.

    Subclasses build their widgets in ``__init__`` without asking the database, and load in
    :meth:`activate` and :meth:`refresh` through ``self.bench.tasks``.

    Attributes:
        status_changed: Text of the status bar's left side.
        commands_changed: The commands or their enabled state are others now.
    """

    status_changed = Signal(str)
    commands_changed = Signal()

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bench = bench

    def commands(self) -> list[Action]:
        """Commands of the ribbon and the palette while this pane is in front."""
        return []

    def activate(self) -> None:
        """Called each time the pane comes to the front."""

    def refresh(self) -> None:
        """Load again what is shown (F5)."""

    def status_text(self) -> str:
        """Text of the status bar's left side."""
        return ""

    def focus_filter(self) -> None:
        """Put the cursor where this pane is searched (Ctrl+F)."""

    def may_leave(self) -> bool:
        """Whether nothing would be lost; asks the person when something would."""
        return True

    def set_narrow(self, narrow: bool) -> None:
        """Called when the window becomes narrower or wider than 1200 px."""

    def place(self) -> dict[str, object]:
        """Where the person is, for the workspace to come back to after a rebuild."""
        return {}

    def return_to(self, place: dict[str, object]) -> None:
        """Go back to a place given by :meth:`place`."""
