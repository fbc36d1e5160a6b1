"""The bar over a message that answers one of our meetings, or chose one of the proposed times."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout

from desktop_crm.core.i18n import N_, tr
from desktop_crm.models.activity import Response
from desktop_crm.services.mail.message import Message
from desktop_crm.sync import attendance, proposal
from desktop_crm.sync.attendance import STRANGER, Answered, Verdict
from desktop_crm.sync.calendar_files import is_calendar
from desktop_crm.sync.proposal import Choice
from desktop_crm.views import theme
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench


_SAYS = {
    Response.ACCEPTED: N_("{who} accepted “{title}”."),
    Response.TENTATIVE: N_("{who} perhaps comes to “{title}”."),
    Response.DECLINED: N_("{who} declined “{title}”."),
}


def look(actor: Actor, message: Message) -> Choice | Answered | str | None:
    """What a message says of one of the actor's meetings, or was noted of it; few statements."""
    return (
        proposal.choice_in(actor, message)
        or attendance.about(actor, message)
        or attendance.noted(actor, message.id)
        or None
    )


class ChoiceBar(QFrame):
    """Says what was chosen, which it books, or answered; hidden over every other message."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._bench = bench
        self._choice: Choice | None = None
        theme.set_property(self, "kind", "info")
        self._text = label("", wrap=True, name="choice.text")
        self.book = push_button("choice.book", tr("Book"), self._book, kind="primary")
        box = QHBoxLayout(self)
        box.setContentsMargins(12, 8, 12, 8)
        box.addWidget(self._text, 1)
        box.addWidget(self.book)
        self.hide()

    def show_for(self, message: Message) -> None:
        """Look whether a message chose a time."""
        self.hide()
        if not message.outgoing and any(
            is_calendar(file.name, file.media_type, file.size) for file in message.attachments
        ):
            self._bench.tasks.read(
                look, self._bench.actor, message,
                done=self._found, failed=lambda _error: None, owner=self, lane="choice",
            )  # fmt: skip

    def _found(self, found: Choice | Answered | str | None) -> None:
        choice = self._choice = found if isinstance(found, Choice) else None
        self.book.setVisible(choice is not None)
        theme.set_property(self, "kind", "info")
        if isinstance(found, Answered):
            self._answered(found)
        if isinstance(found, str):
            theme.set_property(self, "kind", "warn")
            self._text.setText(found)
        if choice is None:
            self.setVisible(found is not None)
            return
        formats = self._bench.formats
        when = f"{formats.datetime(choice.start)}–{formats.time(choice.end)}"
        self._text.setText(
            tr("“{title}”: {when} was chosen of the times you proposed.", title=choice.title,
               when=when)
        )  # fmt: skip
        self.show()

    def _answered(self, found: Answered) -> None:
        counts = found.verdict is Verdict.COUNTS
        theme.set_property(self, "kind", "info" if counts else "warn")
        text = _SAYS[found.response] if counts else STRANGER
        self._text.setText(tr(text, who=found.who, title=found.title))

    def _book(self) -> None:
        if self._choice is not None:
            self._bench.tasks.write(
                partial(proposal.book, self._bench.actor, self._choice.uid),
                done=self._booked, failed=self._bench.shell.show_error, owner=self,
            )  # fmt: skip

    def _booked(self, changes: ChangeSet) -> None:
        self.hide()
        self._bench.bus.publish(changes)
        self._bench.shell.toast(
            tr("Booked"), tr("The other times that were held are free again."), undo=True
        )
