"""People nobody knew yet: a contact or a lead made of a message, with its signature in front."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services import filing, mail_signature
from desktop_crm.views.dialogs.business_card import open_business_card

if TYPE_CHECKING:
    from desktop_crm.services.business_card import Made
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.contact_text import ContactText
    from desktop_crm.services.mail_message import Message, Party
    from desktop_crm.views.workbench import Workbench


class NewPeople(QObject):
    """Opens the forms; what may be the same stands in front of them."""

    def __init__(self, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._bench = bench

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

    def new_lead(self, message: Message, party: Party) -> None:
        """Open the form of a lead with what the signature says."""
        values = mail_signature.lead_values(_understood(message, party))
        self._bench.shell.new_record("lead", subject=message.subject, **values)

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
