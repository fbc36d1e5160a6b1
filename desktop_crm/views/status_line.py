"""The line at the bottom: what is shown and selected, work under way, database, mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStatusBar, QWidget

from desktop_crm.views import theme
from desktop_crm.views.mailbox.status_item import MailboxItem
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.overlays import ProgressStrip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_crm.services.context import Actor
    from desktop_crm.views.tasks import Task

HEIGHT = 24


class StatusLine(QStatusBar):
    """Left: the pane's own text. Right: progress, mailbox, database."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setSizeGripEnabled(False)
        self.setFixedHeight(theme.scaled(HEIGHT))
        self._left = label("", name="status.left")
        self._left.setContentsMargins(12, 0, 0, 0)
        self.progress = ProgressStrip()
        self.mailbox = MailboxItem()
        self._database = label("", name="status.database")
        self._database.setContentsMargins(12, 0, 14, 0)
        self.addWidget(self._left, 1)
        for widget in (self.progress, self.mailbox, self._database):
            self.addPermanentWidget(widget)

    def show_text(self, text: str) -> None:
        """Show the pane's own text."""
        self._left.setText(text)

    def show_tasks(self, tasks: Sequence[Task]) -> None:
        """Show slow work."""
        self.progress.show_tasks(tasks)

    def show_database(self, actor: Actor) -> None:
        """Show which database is open."""
        kind = "PostgreSQL" if actor.db.is_shared else "SQLite"
        self._database.setText(f"{kind}: {actor.db.name}")
