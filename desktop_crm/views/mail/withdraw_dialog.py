"""Choosing how much mail to withdraw, told before it is done what that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QRadioButton

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.mail import withdrawing
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.services.mail.withdrawing import Chosen
    from desktop_crm.services.purge import Purged
    from desktop_crm.views.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to choose: its name, what a person reads, and what finds the messages."""

    name: str
    text: str
    find: Callable[..., Chosen]


class WithdrawDialog(Dialog):
    """Withdraws after a look at what it is about; the mailbox itself is not touched.

    Attributes:
        withdrawn: it is done.
        told: what would be withdrawn.
    """

    withdrawn = Signal()

    def __init__(self, bench: Workbench, title: str, offers: Sequence[Offer]) -> None:
        super().__init__(
            bench.shell.window_widget(), "withdraw", title,
            subtitle=tr(
                "It is deleted here for good, for everybody, with its files and history, and never "
                "stored again. The mailbox keeps it."
            ),
            width=560,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._ids: tuple[int, ...] = ()
        self._buttons = QButtonGroup(self)
        for offer in offers:
            button = QRadioButton(offer.text.replace("&", "&&"))
            button.setObjectName(f"withdraw.{offer.name}")
            button.setAccessibleName(offer.text)
            button.toggled.connect(partial(self._toggled, offer))
            self._buttons.addButton(button)
            self.body.addWidget(button)
        self.told = label("", "dim", wrap=True, name="withdraw.told")
        self.body.addWidget(self.told)
        self._go = push_button("withdraw.go", tr("Withdraw"), self.withdraw, kind="danger")
        self._go.setEnabled(False)
        self.set_foot(None, self.cancel_button(), self._go)
        first = self._buttons.buttons()[0]
        first.setChecked(True)
        first.setFocus()

    def _toggled(self, offer: Offer, on: bool) -> None:
        if not on:
            return
        self._ids = ()
        self._go.setEnabled(False)
        self.notice.say("")
        self.told.setText(tr("Looking…"))
        self._bench.tasks.read(
            offer.find, done=self._found, owner=self, lane="chosen", failed=self._not_found,
            label=tr("Looking for the messages"), cancellable=True,
        )  # fmt: skip

    def _not_found(self, error: Exception) -> None:
        self.told.setText("")
        self.show_error(error)

    def _found(self, chosen: Chosen) -> None:
        self._ids = chosen.ids
        self._go.setEnabled(bool(chosen.ids))
        if not chosen.ids:
            self.told.setText(tr("There is nothing to withdraw."))
            return
        count = len(chosen.ids)
        number = self._bench.formats.number(count, 0)
        parts = [ntr("{number} message", "{number} messages", count, number=number)]
        shown = ", ".join(tr("“{title}”", title=one) for one in chosen.subjects if one)
        more = count - len(chosen.subjects)
        if shown:
            parts[0] += f": {shown}"
        parts[0] += "…" if more > 0 else "."
        if chosen.held_by_others:
            parts.append(
                ntr(
                    "{n} of them lies in a colleague's mailbox, too, and goes there as well.",
                    "{n} of them lie in a colleague's mailbox, too, and go there as well.",
                    chosen.held_by_others,
                )
            )
        parts.append(tr("This cannot be undone."))
        self.told.setText(" ".join(parts))

    def withdraw(self) -> None:
        """Do it."""
        if not self._ids:
            return
        self._go.setEnabled(False)
        self._bench.tasks.background(
            withdrawing.withdraw, self._bench.actor, self._ids,
            done=self._done, owner=self, failed=self._failed,
            label=tr("Withdrawing"), cancellable=True, progressing=True,
        )  # fmt: skip

    def _failed(self, error: Exception) -> None:
        self._go.setEnabled(True)
        self.show_error(error)

    def _done(self, result: Purged) -> None:
        self._bench.bus.publish(result.changes)
        self.withdrawn.emit()
        text = ntr("{n} message was withdrawn.", "{n} messages were withdrawn.", result.count)
        if result.was_stopped:
            text += " " + tr("The rest was left as it is.")
        if result.refused:
            self.notice.say(
                " ".join([text, *dict.fromkeys(r.reason for r in result.refused)]), "warn"
            )
            return
        self.accept()
        self._bench.shell.toast(tr("Withdrawn"), text)
