"""The module rail at the left edge."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.modules import MODULES, Module
from desktop_crm.views.widgets.buttons import RailButton


class Rail(QFrame):
    """One button per module; arrow keys walk, Space and Enter choose.

    Attributes:
        chosen: Key of the module the person chose.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setAccessibleName(tr("Modules"))
        self.setFixedWidth(theme.scaled(RailButton.WIDTH))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 8)
        column.setSpacing(1)
        self.buttons: dict[str, RailButton] = {}
        for number, module in enumerate(m for m in MODULES if not m.at_bottom):
            column.addWidget(self._button(module, number + 1))
        column.addStretch(1)
        for module in MODULES:
            if module.at_bottom:
                column.addWidget(self._button(module, 0))

    def _button(self, module: Module, number: int) -> RailButton:
        name = tr(module.label)
        shown = f"{name} (Ctrl+{number})" if 0 < number < 10 else name
        made = RailButton(module.key, name, shown, module.icon)
        made.setAccessibleName(name)
        made.clicked.connect(lambda _checked=False: self.chosen.emit(module.key))
        self.buttons[module.key] = made
        return made

    def show_modules(self, keys: Iterable[str]) -> None:
        """Show only these modules (what the user's rights allow)."""
        allowed = set(keys)
        for key, button in self.buttons.items():
            button.setVisible(key in allowed)

    def shown(self) -> list[str]:
        """Keys of the modules that are offered, in order."""
        return [key for key, button in self.buttons.items() if not button.isHidden()]

    def select(self, key: str) -> None:
        """Show which module is in front."""
        self.buttons[key].setChecked(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        shown = [button for button in self.buttons.values() if not button.isHidden()]
        here = next((i for i, button in enumerate(shown) if button.hasFocus()), 0)
        shown[(here + step) % len(shown)].setFocus()
