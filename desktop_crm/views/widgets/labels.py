"""Texts: labels by role, labels that elide, pills."""

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktop_crm.views import theme

_DIM_ROLES: Final = ("dim", "cap", "h3")


def label(text: str = "", role: str = "", *, wrap: bool = False, name: str = "") -> QLabel:
    """A plain-text label; the role chooses size, weight and colour.

    Args:
        text: Shown text, never read as mark-up.
        role: ``h1`` record title, ``h2`` section title, ``h3`` field label, ``kpi``, ``strong``,
            ``dim``, ``cap``, ``link``, ``error``, ``ok``; empty: body text.
        wrap: Whether long text breaks into lines.
        name: Object name.
    """
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    made.setWordWrap(wrap)
    if name:
        made.setObjectName(name)
    return made


def starred(text: str, *, required: bool) -> str:
    """A caption as rich text, with the red star of what must be filled in."""
    shown = text.replace("&", "&amp;").replace("<", "&lt;")
    star = f" <span style='color:{theme.hex_color('bad')}'>*</span>" if required else ""
    return f"{shown}{star}"


class SectionTitle(QLabel):
    """Title of a section inside a pane."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "h2")


class Elide(QLabel):
    """A label of one line that ends in an ellipsis instead of being cut; the tip has it all."""

    def __init__(
        self,
        text: str = "",
        role: str = "",
        parent: QWidget | None = None,
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        if role:
            self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(24)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(" ".join(text.split()))
        self._update_tip()

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return QSize(24, hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_tip()

    def _update_tip(self) -> None:
        cut = self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()
        self.setToolTip(self.text() if cut else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        role = self.property("role")
        tint = "text2" if role in _DIM_ROLES else "accent_text" if role == "link" else "text"
        painter.setPen(theme.color(tint))
        painter.setFont(self.font())
        area = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), self._mode, area.width())
        painter.drawText(area, self.alignment() | Qt.AlignmentFlag.AlignVCenter, shown)


class Pill(QLabel):
    """A rounded note of one or two words: a stage, a state, a count.

    Args:
        text: Shown text.
        tone: ``ok``, ``info``, ``warn``, ``bad`` or ``neutral``.
    """

    def __init__(self, text: str = "", tone: str = "neutral", parent: QWidget | None = None):
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("pill", tone)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def show_text(self, text: str, tone: str = "neutral") -> None:
        """Change text and tone; an empty text hides the pill."""
        self.setText(text)
        self.setVisible(bool(text))
        theme.set_property(self, "pill", tone)
