"""The head of a letter: from whom, to whom, what about, and the records it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.mail.enclosures import RecordChips
from desktop_crm.views.mail.noted import NoteBox
from desktop_crm.views.mail.people_edit import PeopleEdit
from desktop_crm.views.widgets.buttons import push_button, tool_button
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench


class AddressLines(QWidget):
    """The lines above the text.

    Attributes:
        link_wanted: The person wants to add a record.
    """

    link_wanted = Signal()

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.from_box = QuietCombo()
        self.from_box.setObjectName("compose.from")
        self.from_box.setAccessibleName(tr("From"))
        self.to = PeopleEdit("compose.to", tr("To"), bench)
        self.cc = PeopleEdit("compose.cc", tr("Cc"), bench)
        self.bcc = PeopleEdit("compose.bcc", tr("Bcc"), bench)
        self.subject = QLineEdit()
        self.subject.setObjectName("compose.subject")
        self.subject.setAccessibleName(tr("Subject"))
        self.subject.setMaxLength(400)
        self.records = RecordChips()
        link = tool_button("compose.link", tr("Add a record"), "add", self.link_wanted.emit)
        lines = QGridLayout(self)
        lines.setContentsMargins(24, 0, 24, 4)
        lines.setHorizontalSpacing(12)
        lines.setVerticalSpacing(6)
        lines.setColumnStretch(1, 1)
        self._more = push_button("compose.bcc.show", tr("Bcc"), self.show_bcc, kind="link")
        self.note = NoteBox()
        about = row(link, self.records, None, self.note, spacing=6)
        inside = about.layout()
        assert isinstance(inside, QHBoxLayout)  # noqa: S101  made by row()
        # The records take the line; without one the button still stands at its beginning.
        inside.setStretch(1, 100)
        copies = row(self.cc, self._more, spacing=8)
        controls: tuple[tuple[str, QWidget], ...] = (
            (tr("From"), self.from_box),
            (tr("To"), self.to),
            (tr("Cc"), copies),
            (tr("Bcc"), self.bcc),
            (tr("Subject"), self.subject),
            (tr("Regarding"), about),
        )
        for number, (caption, control) in enumerate(controls):
            said = QLabel(caption)
            said.setProperty("role", "dim")
            side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            said.setBuddy(control)
            lines.addWidget(said, number, 0, side)
            if control is self.bcc:
                self._bcc_caption = said
            lines.addWidget(control, number, 1)
        self.show_bcc(shown=False)

    def count_notes(self) -> None:
        """Say on how many records the letter to those who stand here now is noted."""
        people = (*self.to.people, *self.cc.people, *self.bcc.people)
        self.note.count(person.address for person in people)

    def show_bcc(self, *, shown: bool = True) -> None:
        """Show the line of blind copies, or only the word that brings it."""
        self.bcc.setVisible(shown)
        self._bcc_caption.setVisible(shown)
        self._more.setVisible(not shown)
        if shown and self.isEnabled():
            self.bcc.setFocus()
