"""The steps of a search or a test, one line each with an icon and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.sync.find_service import FindStep, Outcome
from desktop_crm.sync.port import Step
from desktop_crm.views import theme
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import clear

_ICONS: Final = {
    Outcome.ASKING: ("clock", "info"),
    Outcome.FOUND: ("checkmark_circle", "ok"),
    Outcome.NOTHING: ("subtract", "text3"),
    Outcome.SKIPPED: ("subtract", "text3"),
}


class _Line(QWidget):
    """One step; its accessible name is all it says."""

    def __init__(self) -> None:
        super().__init__()
        self._glyph = Glyph("clock", "info", 18)
        self._text: QLabel = label("", wrap=True)
        self._text.setMinimumWidth(300)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._text, 1, Qt.AlignmentFlag.AlignTop)

    def say(self, drawing: str, tint: str, text: str, role: str) -> None:
        self._glyph.show_icon(drawing, tint)
        self._text.setText(text)
        theme.set_property(self._text, "role", role)
        self.setAccessibleName(text)


class StepList(QWidget):
    """Steps below each other; a failed one says why in one sentence."""

    def __init__(self, name: str = "mailboxSteps") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("Steps of the test"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._lines: dict[str, _Line] = {}

    def clear(self) -> None:
        """Show nothing."""
        clear(self._column)
        self._lines.clear()

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Show the steps of a test."""
        self.clear()
        for number, step in enumerate(steps):
            drawing, tint = ("checkmark_circle", "ok") if step.ok else ("dismiss", "bad")
            self._say(str(number), drawing, tint, _text(step.name, step.message), not step.ok)

    def show_step(self, step: FindStep) -> None:
        """Show a step of a search; the same key is the same line."""
        drawing, tint = _ICONS[step.outcome]
        message = tr("asking…") if step.outcome is Outcome.ASKING else step.message
        self._say(step.key, drawing, tint, _text(step.name, message))

    def _say(self, key: str, drawing: str, tint: str, text: str, failed: bool = False) -> None:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line()
            self._column.addWidget(line)
        line.say(drawing, tint, text, "error" if failed else "")


def _text(name: str, message: str) -> str:
    return f"{name}: {message}" if message else name
