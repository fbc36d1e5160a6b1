"""The line at the bottom: what is shown and selected, work under way, database, mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStatusBar, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.overlays import ProgressStrip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_crm.core.formats import Formats
    from desktop_crm.services.context import Actor
    from desktop_crm.views.tasks import Task
    from desktop_crm.views.workbench import Workbench

HEIGHT = 24
_BY_TROUBLE = ("stopped", "waiting", "running")


def mailbox_state(actor: Actor, formats: Formats) -> str:
    """State of the user's mailboxes in words; runs on a reader thread, one statement."""
    from desktop_crm.meta import registry
    from desktop_crm.services.query import RecordQuery, objects

    if not actor.can("mailbox", "read"):
        return ""
    found = objects(actor, RecordQuery("mailbox", ("name", "state", "last_synced_at")), 20)
    if not found:
        return tr("No mailbox")
    times = [row["last_synced_at"] for row in found if row["last_synced_at"] is not None]
    states = [str(row["state"]) for row in found]
    worst = next(
        (state for state in ("stopped", "waiting", "running") if state in states), states[0]
    )
    name = str(found[0]["name"]) if len(found) == 1 else tr("{n} mailboxes", n=len(found))
    shown = registry.get("mailbox").fields["state"].display(worst, formats)
    parts = [f"{name}: {shown}"]
    if times:
        parts.append(tr("Last sync {time}", time=formats.relative_day(max(times))))
    return "   ·   ".join(parts)


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
        self._mail = label("", name="status.mailbox")
        self._database = label("", name="status.database")
        self._database.setContentsMargins(12, 0, 14, 0)
        self.addWidget(self._left, 1)
        for widget in (self.progress, self._mail, self._database):
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

    def ask_mailbox(self, bench: Workbench) -> None:
        """Read the state of the mailboxes and show it."""
        bench.tasks.read(
            mailbox_state,
            bench.actor,
            bench.formats,
            done=self.show_mailbox,
            owner=self,
            lane="mailbox",
            later=True,
        )

    def show_mailbox(self, text: str) -> None:
        """Show the state of the mailboxes."""
        self._mail.setText(text)
