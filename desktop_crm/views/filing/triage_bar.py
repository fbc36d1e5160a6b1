"""The bar over a message that waits: the best suggestion, why, and every decision with its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout

from desktop_crm.core.i18n import tr
from desktop_crm.models.activity import LinkState
from desktop_crm.services.link_reasons import cause
from desktop_crm.views import icons
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.flow import Flow
from desktop_crm.views.widgets.labels import Elide, Pill
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.services.mail.message import LinkRow, Message
    from desktop_crm.views.workbench import Workbench


class TriageBar(QFrame):
    """What is to be decided about the open message.

    Attributes:
        accepted: file it to the best suggestion.
        other_wanted: choose another record.
        always_wanted: unfold the rules that file.
        never_wanted: unfold the rules that never file.
        rejected: it belongs to no record.
        next_wanted: leave it for later.
    """

    accepted = Signal()
    other_wanted = Signal()
    always_wanted = Signal()
    never_wanted = Signal()
    rejected = Signal()
    next_wanted = Signal()

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.setObjectName("triageBar")
        self.setProperty("card", True)
        self.setAccessibleName(tr("File this message"))
        self._bench = bench
        self._glyph = Glyph("question_circle", "text2", 20)
        self.title = Elide("", "h2")
        self.title.setObjectName("triage.title")
        self._pill = Pill()
        self.why = Elide("", "dim")
        self.why.setObjectName("triage.why")
        self.accept = push_button(
            "triage.accept", tr("File here"), self.accepted.emit, kind="primary"
        )
        self.other = push_button("triage.other", tr("Another record…"), self.other_wanted.emit)
        self.always = push_button("triage.always", tr("Always…"), self.always_wanted.emit)
        self.never = push_button("triage.never", tr("Never…"), self.never_wanted.emit)
        self.reject = push_button("triage.reject", tr("No record"), self.rejected.emit)
        self.later = push_button("triage.later", tr("Later"), self.next_wanted.emit, kind="flat")
        for button, tip in (
            (self.accept, tr("File to this record (Enter or A in the list)")),
            (self.other, tr("Choose the record yourself (O in the list)")),
            (self.always, tr("File all mail like this there (W in the list)")),
            (self.never, tr("Never file mail like this (V in the list)")),
            (self.reject, tr("It belongs to no record (X in the list)")),
            (self.later, tr("Go to the next message (J in the list)")),
        ):
            button.setToolTip(tip)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 10, 16, 10)
        column.setSpacing(4)
        head = row(self._glyph, self.title, self._pill, spacing=8)
        inner = head.layout()
        if inner is not None:
            inner.setStretch(1, 1)  # type: ignore[attr-defined]
        column.addWidget(head)
        column.addWidget(self.why)
        buttons = Flow(spacing=6)
        for button in (
            self.accept, self.other, self.always, self.never, self.reject, self.later,
        ):  # fmt: skip
            buttons.addWidget(button)
        column.addSpacing(4)
        column.addLayout(buttons)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def show_message(self, message: Message | None) -> None:
        """Show what is to be decided about a message."""
        best = best_of(message)
        may = message is not None and message.may_link
        for button in (self.other, self.always, self.never, self.reject):
            button.setEnabled(may)
        self.accept.setEnabled(may and best is not None)
        self.later.setEnabled(message is not None)
        if best is None:
            self._glyph.show_icon("question_circle", "warn")
            self.title.setText(tr("Nobody known takes part") if message is not None else "")
            self.why.setText(
                tr("Choose a record, make a contact, or say that it belongs to none.")
                if message is not None
                else ""
            )
            self._pill.show_text("")
            return
        self._glyph.show_icon(icons.entity_icon(best.entity), "accent_text")
        self.title.setText(best.title or tr("(no name)"))
        self.why.setText(cause(best.reason))
        self._pill.show_text(self._bench.formats.percent(round(best.confidence, 0)), "warn")


def best_of(message: Message | None) -> LinkRow | None:
    """The surest suggestion of a message."""
    if message is None:
        return None
    return next((one for one in message.links if one.state == LinkState.SUGGESTED.value), None)
