"""Tells every open view what was changed; each decides by itself whether to refresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet


class Bus(QObject):
    """Broadcasts change sets on the UI thread, at most once in a turn of the event loop.

    Attributes:
        changed: Carries one merged ``ChangeSet``.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pending: ChangeSet | None = None

    def publish(self, changes: ChangeSet | None) -> None:
        """Announce what was changed; call on the UI thread. None and empty sets are ignored."""
        if changes is None or not changes.changes:
            return
        if self._pending is None:
            self._pending = changes
            QTimer.singleShot(0, self._deliver)
        else:
            self._pending = self._pending.merge(changes)

    @Slot()
    def _deliver(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            self.changed.emit(pending)
