"""The frame of every dialog: title, notice, body, and a foot with its buttons."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from desktop_crm.core.errors import CrmError, ValidationFailed
from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.errors import ErrorPresenter
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Notice
from desktop_crm.views.widgets.labels import label, starred
from desktop_crm.views.widgets.layout import frame, row


class Labelled(QWidget):
    """A caption above a control and a line below it that says what is wrong.

    Attributes:
        control: what is edited.
    """

    def __init__(
        self, caption: str, control: QWidget, *, help_text: str = "", required: bool = False
    ) -> None:
        super().__init__()
        self.control = control
        self._caption = QLabel()
        self._caption.setTextFormat(Qt.TextFormat.RichText)
        self._caption.setProperty("role", "h3")
        self._caption.setBuddy(control)
        self._text = caption
        self._required = required
        self._help = help_text
        if not control.accessibleName():
            control.setAccessibleName(caption)
        self.note = label(help_text, "cap", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._caption)
        column.addWidget(control)
        column.addWidget(self.note)
        self.note.setVisible(bool(help_text))
        self._show_caption()
        theme.changed.connect(self._show_caption)

    def _show_caption(self) -> None:
        self._caption.setText(starred(self._text, required=self._required))

    def show_help(self, text: str) -> None:
        """Say something else about the control; what was said to be wrong goes."""
        self._help = text
        self.show_error("")

    def show_error(self, message: str) -> None:
        """Say what is wrong with the value; an empty message shows the help again."""
        self.note.setText(message or self._help)
        self.note.setVisible(bool(message or self._help))
        theme.set_property(self.note, "role", "error" if message else "cap")
        theme.set_property(self.control, "error", bool(message))
        self.control.setAccessibleDescription(message or self._help)


class Dialog(QDialog):
    """A dialog in the product's frame; the last button given is the default.

    Attributes:
        body: layout that takes the content.
        notice: one sentence above the content.
    """

    def __init__(
        self,
        parent: QWidget | None,
        name: str,
        title: str,
        *,
        subtitle: str = "",
        width: int = 560,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setMinimumWidth(theme.scaled(width))
        self._errors = ErrorPresenter(self, lambda _title, text: self.notice.say(text, "bad"))
        self.heading = label(title, "h1", wrap=True)
        self.subtitle = label(subtitle, "dim", wrap=True)
        self.notice = Notice()
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 8, 0, 0)
        self.body.setSpacing(14)
        content = QVBoxLayout()
        content.setContentsMargins(24, 20, 24, 20)
        content.setSpacing(6)
        content.addWidget(self.heading)
        content.addWidget(self.subtitle)
        content.addWidget(self.notice)
        content.addLayout(self.body, 1)
        self._outer = QVBoxLayout(self)
        self._outer.setContentsMargins(0, 0, 0, 0)
        self._outer.setSpacing(0)
        self._outer.addLayout(content, 1)
        self.subtitle.setVisible(bool(subtitle))

    def set_foot(self, *buttons: QWidget | None) -> None:
        """Put buttons into the foot; None is a stretch."""
        foot = row(*buttons, spacing=8, margins=(24, 12, 24, 12))
        self._outer.addWidget(frame("dialogfoot", foot))

    def show_error(self, error: Exception) -> None:
        """Say what went wrong: in the notice when it can be told in a sentence, else as a bug."""
        if isinstance(error, ValidationFailed):
            self.notice.say(" ".join(one.message for one in error.errors), "bad")
        elif isinstance(error, CrmError):
            self.notice.say(str(error), "bad")
        else:
            self._errors.show(error)

    def event(self, event: QEvent) -> bool:
        answer = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._grow()
        return answer

    def _grow(self) -> None:
        """Make room for what appeared: wrapped texts tell their height only for a width."""
        wanted = self._outer.totalSizeHint().height()
        if self._outer.hasHeightForWidth():
            wanted = max(wanted, self._outer.totalHeightForWidth(self.width()))
        room = self.screen().availableGeometry().height()
        if wanted > self.height():
            self.resize(self.width(), min(wanted, room))

    def cancel_button(self, text: str = "") -> QWidget:
        """A button that closes the dialog without doing anything."""
        return push_button(f"{self.objectName()}.cancel", text or tr("Cancel"), self.reject)
