"""Work with mailboxes that several panes offer: add one, synchronise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench


class MailboxWork(QObject):
    """Adds and synchronises mailboxes.

    Attributes:
        finished: a pass or a change is over.
    """

    finished = Signal()

    def __init__(self, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._bench = bench

    @property
    def can_add(self) -> bool:
        """Whether the actor may add a mailbox."""
        return self._bench.actor.can("mailbox", "create")

    @property
    def can_sync(self) -> bool:
        """Whether there is a pass to start."""
        return False

    def sync_all(self) -> None:
        """Run a pass over every mailbox."""

    def add(self) -> None:
        """Ask for a new mailbox."""
