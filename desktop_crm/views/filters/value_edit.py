"""What every editor of a condition's value is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSpinBox, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme

if TYPE_CHECKING:
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.services.filters import Value


class ValueEdit(QWidget):
    """Edits what a field is compared with.

    Attributes:
        changed: The person changed something.
    """

    changed = Signal()

    def __init__(self, field: BoundField, name: str) -> None:
        super().__init__()
        self.field = field
        self.setObjectName(f"{name}.box")
        self._name = name
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)

    def _adopt(self, control: QWidget) -> None:
        """Put the control in, named for people and programs."""
        control.setObjectName(self._name)
        control.setAccessibleName(tr("Value of {field}", field=tr(self.field.label)))
        self._layout.addWidget(control, 1)
        self.setFocusProxy(control)

    def _told(self) -> None:
        self.mark_error(wrong=False)
        self.changed.emit()

    def mark_error(self, *, wrong: bool) -> None:
        """Show by the border that something is wrong or missing."""
        control = self.focusProxy()
        while control is not None and control.focusProxy() is not None:
            control = control.focusProxy()
        if control is not None:
            theme.set_property(control, "error", wrong)

    def controls(self) -> list[QWidget]:
        """What the keyboard reaches, in order."""
        return [
            one
            for one in self.findChildren(QWidget)
            if one.focusPolicy() & Qt.FocusPolicy.TabFocus
            and one.focusProxy() is None
            and one.window() is self.window()  # lists of suggestions are windows of their own
            and not isinstance(one.parent(), QComboBox | QSpinBox)
        ]

    def load(self, value: Value) -> None:
        """Show a value without telling."""
        raise NotImplementedError

    def value(self) -> Value:
        """Value as edited; None while it is incomplete.

        Raises:
            UserError: What was typed cannot be read.
        """
        raise NotImplementedError
