"""What is made of a message: a contact of its signature, lead, deal, case, task, appointment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.mail import filing
from desktop_crm.services.mail import signature as mail_signature
from desktop_crm.services.mail.conversion import Wanted
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.dialogs.business_card import open_business_card
from desktop_crm.views.filing.convert_dialog import KINDS, ConvertMailDialog

if TYPE_CHECKING:
    from desktop_crm.services.business_card import Made
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.contact_text import ContactText
    from desktop_crm.services.mail.message import Message, Party
    from desktop_crm.views.workbench import Workbench


class MadeOfMail(QObject):
    """Opens the forms; what may be the same stands in front of them."""

    def __init__(self, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._bench = bench
        self._message: Message | None = None

    def new_contact(self, message: Message, party: Party) -> None:
        """Show what the signature says, for a contact and its account.

        The message and its thread are filed to the contact that is made or chosen.
        """
        dialog = open_business_card(self._bench, self._bench.shell.window_widget())
        dialog.show_text(_signature(message, party))
        dialog.fill(_understood(message, party))
        firm = next((one for one in message.links if one.entity == "account"), None)
        if firm is not None:
            dialog.parts["account"].use(firm.record_id, firm.title)
        dialog.made.connect(partial(self._file, message))

    def _file(self, message: Message, made: Made) -> None:
        contact = made.keys.get("contact")
        if contact is None or not message.may_link:
            return
        self._bench.tasks.write(
            partial(
                filing.refile, self._bench.actor, message.id, "contact", contact, instead=False
            ),
            done=self._bench.bus.publish, failed=self._bench.shell.show_error, owner=self,
        )  # fmt: skip

    # --- records of the message ------------------------------------------------------------

    def show_message(self, message: Message | None) -> None:
        """Another message is open."""
        self._message = message

    def commands(self) -> list[Action]:
        """What a message can become; nothing for those who may make none of it."""
        offered = [(one, text) for one, text in KINDS.items()
                   if self._bench.actor.can(one.entity, "create")]  # fmt: skip
        if not offered:
            return []
        return [
            Action(
                "mail.convert", tr("Convert…"), self.convert, icon="handshake",
                tint="accent_text", group="make", enabled=lambda: self._message is not None,
                tip=tr("Make a lead, opportunity, case, task or appointment of this message"),
            ),
            *(Action(
                f"mail.{wanted.value}", tr("New from message: {kind}", kind=tr(text)),
                partial(self.convert, wanted), group="make", place=Place.PALETTE,
                enabled=lambda: self._message is not None,
            ) for wanted, text in offered),
        ]  # fmt: skip

    def convert(self, wanted: Wanted = Wanted.LEAD) -> None:
        """Open the form of what the message becomes."""
        if self._message is not None:
            ConvertMailDialog(self._bench, self._message, wanted).open()

    def offered(self, changes: ChangeSet) -> None:
        """Tell that earlier mail of somebody who is known now waits to be filed."""
        self._bench.bus.publish(changes)
        count = len(changes.ids("link"))
        if count:
            self._bench.shell.toast(
                ntr("{n} suggestion for earlier mail", "{n} suggestions for earlier mail", count),
                tr("They wait in the list “To file”."),
            )


def _signature(message: Message, party: Party) -> str:
    """The signature, when the party is the one who wrote it."""
    wrote = message.sender is not None and message.sender.address == party.address
    return mail_signature.signature(message.text, party.name) if wrote else ""


def _understood(message: Message, party: Party) -> ContactText:
    wrote = message.sender is not None and message.sender.address == party.address
    return mail_signature.read(message.text if wrote else "", party.name, party.address)
