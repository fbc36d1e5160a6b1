"""What colleagues see of one's mail, and withdrawing it: for a message and for a whole mailbox."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop_crm.core.i18n import tr
from desktop_crm.services.mail import colleagues, withdrawing
from desktop_crm.services.mail.withdrawing import Which
from desktop_crm.sync import policy_review
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.mail.colleagues_dialog import ColleaguesDialog
from desktop_crm.views.mail.withdraw_dialog import Offer, WithdrawDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.services.mail.mailboxes import MailboxRow
    from desktop_crm.services.mail.message import Message
    from desktop_crm.services.mail.withdrawing import Chosen
    from desktop_crm.views.workbench import Workbench


def left_out(actor: Actor, mailbox_id: int, *, cancel: Cancel | None = None) -> Chosen:
    """What the settings of a mailbox would no longer let in."""
    found = policy_review.left_out_now(actor, mailbox_id, cancel=cancel)
    return withdrawing.described(actor, found.ids, cancel=cancel)


class MailPrivacy(QObject):
    """Opens the dialogs.

    Attributes:
        withdrawn: mail was withdrawn.
    """

    withdrawn = Signal()

    def __init__(self, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._bench = bench

    def commands(self, message: Callable[[], Message | None]) -> list[Action]:
        """The commands about the message that is read."""

        def here() -> bool:
            return message() is not None

        return [
            Action(
                "mail.colleagues", tr("What colleagues see…"),
                lambda: self.of_message(message()), icon="people", tint="accent_text",
                group="privacy", place=Place.MORE, enabled=here,
                tip=tr("Who else sees this message, and how much of it"),
            ),
            Action(
                "mail.withdraw", tr("Withdraw…"), lambda: self.withdraw(message()),
                icon="delete", tint="bad", group="privacy", place=Place.MORE,
                enabled=here, shortcut="Ctrl+Shift+W",
                tip=tr("Delete it here for good; the mailbox keeps it"),
            ),
        ]  # fmt: skip

    def of_message(self, message: Message | None) -> None:
        """Show who sees a message."""
        if message is None:
            return
        ColleaguesDialog(
            self._bench,
            message.subject or tr("(no subject)"),
            partial(colleagues.seen_of_messages, self._bench.actor, [message.id]),
            single=True,
        ).open()

    def of_mailbox(self, box: MailboxRow) -> None:
        """Show who sees what of a mailbox."""
        ColleaguesDialog(
            self._bench,
            box.name,
            partial(colleagues.seen_of_mailbox, self._bench.actor, box.id),
        ).open()

    def withdraw(self, message: Message | None) -> None:
        """Offer to withdraw a message, its conversation, or all of its sender."""
        if message is None:
            return
        choose = partial(withdrawing.choose, self._bench.actor)
        offers = [
            Offer("message", tr("This message"), partial(choose, Which.MESSAGE, message.id)),
            Offer(
                "thread", tr("The whole conversation"), partial(choose, Which.THREAD, message.id)
            ),
        ]
        address = message.sender.address if message.sender is not None else ""
        if address and not message.outgoing:
            text = tr("Everything from {address}", address=address)
            offers.append(Offer("sender", text, partial(choose, Which.SENDER, address)))
        self._open(tr("Withdraw mail"), offers)

    def withdraw_of(self, box: MailboxRow) -> None:
        """Offer to withdraw what the settings leave out now, or all that a mailbox brought."""
        actor = self._bench.actor
        self._open(
            tr("Withdraw mail of {mailbox}", mailbox=box.name),
            [
                Offer(
                    "leftOut", tr("What its settings leave out now"),
                    partial(left_out, actor, box.id),
                ),
                Offer(
                    "all", tr("Everything it brought"),
                    partial(withdrawing.choose, actor, Which.MAILBOX, box.id),
                ),
            ],
        )  # fmt: skip

    def _open(self, title: str, offers: list[Offer]) -> None:
        dialog = WithdrawDialog(self._bench, title, offers)
        dialog.withdrawn.connect(self.withdrawn)
        dialog.open()
