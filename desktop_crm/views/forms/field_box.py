"""One field of a form: caption, help sign, editor, and the line below that says what is wrong."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta.bound import BoundField
from desktop_crm.views import theme
from desktop_crm.views.forms.editor import Editor
from desktop_crm.views.forms.lines_grid import LinesEditor
from desktop_crm.views.icons import icon
from desktop_crm.views.widgets.labels import label, starred

_SIGN: Final = 14


class FieldBox(QWidget):
    """Label, editor and the line below it that says what is wrong, or what the field means."""

    def __init__(self, field: BoundField, editor: Editor) -> None:
        super().__init__()
        self.editor = editor
        self.help_text = tr(field.help) if field.help else ""
        self._helps = False
        self._message = ""
        self._label = tr(field.label)
        self._required = field.required
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.caption = QLabel()
        self.caption.setTextFormat(Qt.TextFormat.RichText)
        self.caption.setProperty("role", "h3")
        self.caption.setBuddy(editor)
        # A check box says its label itself; the empty caption keeps it level with its neighbour.
        says_itself = field.kind.name == "boolean"
        if not says_itself:
            self._show_caption()
            theme.changed.connect(self._show_caption)
        sign = self._sign()
        layout.addLayout(_line(self.caption, None if says_itself else sign))
        if says_itself and sign is not None:
            layout.addLayout(_line(editor, sign))
        else:
            layout.addWidget(editor)
        self.error = label("", "error", wrap=True, name=f"{editor.objectName()}.error")
        self.error.setMinimumHeight(theme.scaled(16))
        self.error.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.error)
        layout.addStretch(1)

    def _sign(self) -> QToolButton | None:
        """A small sign that explains the field; the keyboard has F1 for it."""
        if not self.help_text:
            return None
        made = QToolButton()
        made.setObjectName(f"{self.editor.objectName()}.help")
        made.setProperty("sign", True)
        made.setIcon(icon("question_circle", "text3", fill_on=False))
        made.setIconSize(QSize(_SIGN, _SIGN))
        # No higher than the caption, so that the editor stands level with its neighbour.
        made.setFixedHeight(self.caption.sizeHint().height())
        made.setAccessibleName(tr("What is “{field}”?", field=self._label))
        made.setToolTip(tr("{help} (F1)", help=self.help_text))
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        made.clicked.connect(lambda _checked=False: self.toggle_help())
        return made

    def _show_caption(self) -> None:
        self.caption.setText(starred(self._label, required=self._required))

    def toggle_help(self) -> None:
        """Show or hide what the field means, in the line below it."""
        self._helps = not self._helps
        self._show_line()

    def show_error(self, message: str) -> None:
        """Show what is wrong with the value; an empty message takes it away."""
        self._message = message
        self._show_line()
        if isinstance(self.editor, LinesEditor):
            self.error.setVisible(not self.editor.says(message))
        self.editor.mark_error(bool(message))
        control = self.editor.focusProxy()
        if control is not None and message:
            control.setAccessibleDescription(message)

    @property
    def message(self) -> str:
        """What is said to be wrong with the value."""
        return self._message

    def _show_line(self) -> None:
        helps = self._helps and not self._message
        theme.set_property(self.error, "role", "cap" if helps else "error")
        if helps:
            self.error.show()
        says = self.help_text or tr("There is nothing more to say about this field.")
        self.error.setText(says if helps else self._message)


def _line(first: QWidget, sign: QToolButton | None) -> QHBoxLayout:
    made = QHBoxLayout()
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(4)
    made.addWidget(first)
    if sign is not None:
        made.addWidget(sign)
    made.addStretch(1)
    return made
