"""Shows mail while a pass is still bringing it, so that a large mailbox is of use at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from desktop_crm.views.mailbox.passes import MailPasses, Running

_AGAIN_MS: Final = 5_000
"""Time between two looks: each reads and counts all that is there by then."""


class Arriving(QObject):
    """Looks at once when a pass has stored its first messages, then now and again.

    Args:
        passes: What runs.
        look: Called when there is more to show.
        parent: What it belongs to.
    """

    def __init__(self, passes: MailPasses, look: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._passes = passes
        self._look = look
        self._seen: Running | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_AGAIN_MS)
        self._rest.timeout.connect(self._tell)
        passes.changed.connect(self._tell)

    def _tell(self) -> None:
        now = self._passes.running
        # How a pass ended is told by what it changed.
        if now is not None and now.items and now != self._seen and not self._rest.isActive():
            self._seen = now
            self._rest.start()
            self._look()
