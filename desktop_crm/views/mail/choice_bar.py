"""The bar over a message that chose one of the times that were proposed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout

from desktop_crm.core.i18n import tr
from desktop_crm.services.mail_message import Message
from desktop_crm.sync import proposal
from desktop_crm.sync.proposal import Choice
from desktop_crm.views import theme
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench


class ChoiceBar(QFrame):
    """Says which time was chosen and books it; hidden over every other message."""

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
            file.stored and file.name.lower().endswith(".ics") for file in message.attachments
        ):
            self._bench.tasks.read(
                proposal.choice_in, self._bench.actor, message,
                done=self._found, failed=lambda _error: None, owner=self, lane="choice",
            )  # fmt: skip

    def _found(self, choice: Choice | None) -> None:
        self._choice = choice
        if choice is None:
            self.hide()
            return
        formats = self._bench.formats
        when = f"{formats.datetime(choice.start)}–{formats.time(choice.end)}"
        self._text.setText(
            tr("“{title}”: {when} was chosen of the times you proposed.", title=choice.title,
               when=when)
        )  # fmt: skip
        self.show()

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
