"""Commands as data: ribbon, menus, shortcuts and command palette read the same list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from desktop_crm.views.icons import icon


class Place(StrEnum):
    """Where a command is offered besides the command palette."""

    RIBBON = "ribbon"
    MORE = "more"
    PALETTE = "palette"


@dataclass(frozen=True, slots=True)
class Action:
    """One command.

    Attributes:
        id: Stable name, e.g. ``contact.new``; also the object name of its button.
        text: What the person reads, translated.
        run: Does it, on the UI thread, and returns at once.
        icon: Name of a drawing.
        tint: Colour token of the drawing.
        shortcut: Portable key sequence such as ``Ctrl+N``.
        group: Ribbon buttons of one group stand together; a line divides the groups.
        place: Where it is offered.
        primary: The one filled button of the ribbon.
        enabled: Whether it can be done now; None: always.
        tip: Longer text of the tool tip; empty: the text.
        menu: Commands that unfold below the button instead of running.
        checked: In a menu: whether the mark before it is set; None: it has none.
    """

    id: str
    text: str
    run: Callable[[], object]
    icon: str = ""
    tint: str = "text2"
    shortcut: str = ""
    group: str = ""
    place: Place = Place.RIBBON
    primary: bool = False
    enabled: Callable[[], bool] | None = None
    tip: str = ""
    menu: tuple[Action, ...] = ()
    checked: bool | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether the command can be done at this moment."""
        return self.enabled is None or self.enabled()

    @property
    def tool_tip(self) -> str:
        """Text of the tool tip, with the shortcut as the system writes it."""
        text = self.tip or self.text
        if not self.shortcut:
            return text
        keys = QKeySequence(self.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
        return f"{text} ({keys})"


def to_qaction(action: Action, parent: QWidget) -> QAction:
    """Make the menu entry of a command; the shortcut is shown there, not bound."""
    made = QAction(parent)
    made.setObjectName(action.id)
    shortcut = QKeySequence(action.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
    made.setText(f"{action.text}\t{shortcut}" if shortcut else action.text)
    if action.icon:
        made.setIcon(icon(action.icon, action.tint, fill_on=False))
    if action.checked is not None:
        made.setCheckable(True)
        made.setChecked(action.checked)
    made.setEnabled(action.is_enabled)
    made.triggered.connect(lambda _checked=False: action.run())
    return made
