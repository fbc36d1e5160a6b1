"""Surfaces: cards, notices inside a pane, and what an empty pane says."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop_crm.views import theme
from desktop_crm.views.icons import paint_icon
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row


class Glyph(QWidget):
    """One painted icon that follows the theme."""

    def __init__(self, drawing: str, tint: str = "text2", size: int = 20) -> None:
        super().__init__()
        self._drawing = drawing
        self._tint = tint
        self.setFixedSize(size, size)

    def show_icon(self, drawing: str, tint: str = "text2") -> None:
        """Show another drawing."""
        self._drawing = drawing
        self._tint = tint
        self.update()

    def sizeHint(self) -> QSize:
        return self.size()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_icon(painter, self.rect(), self._drawing, self._tint)


class Card(QFrame):
    """A bordered surface with a title line and a body.

    Attributes:
        body: Layout that takes the content.
    """

    def __init__(self, title: str = "", *extras: QWidget, name: str = "") -> None:
        super().__init__()
        self.setProperty("card", True)
        if name:
            self.setObjectName(name)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 14)
        outer.setSpacing(8)
        if title or extras:
            self.title = label(title, "h2")
            outer.addWidget(row(self.title, None, *extras, spacing=8))
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(8)
        outer.addLayout(self.body, 1)


class EmptyState(QWidget):
    """What an empty pane says: what belongs here and what to do next."""

    def __init__(
        self,
        drawing: str,
        title: str,
        text: str,
        action_text: str = "",
        action: Callable[[], object] | None = None,
        *,
        name: str = "empty",
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(8)
        layout.addStretch(2)
        self._glyph = Glyph(drawing, "text3", 40)
        layout.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignHCenter)
        self._title = label(title, "h2", wrap=True)
        self._title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self._title)
        self._text = label(text, "dim", wrap=True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self._text)
        self._button = push_button(f"{name}.action", action_text, self._act, kind="primary")
        self._action = action
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        self._button.setVisible(bool(action_text))
        layout.addStretch(3)

    def say(
        self,
        title: str,
        text: str,
        action_text: str = "",
        action: Callable[[], object] | None = None,
        *,
        drawing: str = "",
    ) -> None:
        """Say something else."""
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._button.setText(action_text)
        self._button.setAccessibleName(action_text)
        self._button.setVisible(bool(action_text))
        self._action = action
        if drawing:
            self._glyph.show_icon(drawing, "text3")

    def _act(self) -> None:
        if self._action is not None:
            self._action()


class Notice(QFrame):
    """One sentence inside a pane or form: an error, a warning or a hint."""

    def __init__(self, text: str = "", kind: str = "info") -> None:
        super().__init__()
        self.setObjectName("notice")
        self._text = label("", wrap=True, name="notice.text")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        self._glyph = Glyph("question_circle", "info")
        layout.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._text, 1)
        self.say(text, kind)

    def say(self, text: str, kind: str = "info") -> None:
        """Show a sentence, or nothing.

        Args:
            text: The sentence; empty hides the notice.
            kind: ``info``, ``warn`` or ``bad``.
        """
        self._text.setText(text)
        self._glyph.show_icon("flag" if kind == "bad" else "alert", kind)
        theme.set_property(self, "kind", kind)
        self.setVisible(bool(text))

    @property
    def text(self) -> str:
        """The sentence shown."""
        return self._text.text()
