"""The mailboxes in the line at the bottom: how they stand, and a menu with what can be done."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from desktop_crm.core import clock
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.views import theme
from desktop_crm.views.actions import Action
from desktop_crm.views.widgets.buttons import show_menu

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.services.mail.mailboxes import MailboxRow
    from desktop_crm.views.mailbox.passes import MailPasses
    from desktop_crm.views.mailbox.state import Standing
    from desktop_crm.views.panes.mailbox_work import MailboxWork
    from desktop_crm.views.workbench import Workbench


def own_mailboxes(actor: Actor) -> tuple[MailboxRow, ...]:
    """The user's mailboxes, or where there is none of them all that may be seen.

    Runs on a reader thread, which also imports what the window does not wait for at its start.
    """
    from desktop_crm.services.mail import mailboxes
    from desktop_crm.views.mailbox import passes, state  # noqa: F401

    if not actor.can("mailbox", "read"):
        return ()
    found = mailboxes.list_mailboxes(actor)
    return tuple(box for box in found if box.user_id == actor.user_id) or found


class MailboxItem(QToolButton):
    """Says how the mailboxes stand; Return or a click unfolds what can be done."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("status.mailbox")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._bench: Workbench | None = None
        self._passes: MailPasses | None = None
        self._work: MailboxWork | None = None
        self._boxes: tuple[MailboxRow, ...] = ()
        self.clicked.connect(self._unfold)
        self.hide()

    def start(self, bench: Workbench) -> None:
        """Show the mailboxes of a database's user from now on."""
        if self._passes is not None:
            self._passes.changed.disconnect(self._changed)
        elif self._bench is None:
            bench.bus.changed.connect(self._news)
        self._bench, self._work, self._passes = bench, None, None
        self._ask()

    def _news(self, changes: ChangeSet) -> None:
        if changes.touches("mailbox", "sync_state", "mailbox_item"):
            self._ask()

    def _changed(self) -> None:
        if self._passes is not None and self._passes.running is not None:
            self._show()
        else:
            self._ask()

    def _ask(self) -> None:
        if self._bench is not None:
            self._bench.tasks.read(
                own_mailboxes, self._bench.actor,
                done=self._read, owner=self, lane="mailbox", later=True,
            )  # fmt: skip

    def _read(self, boxes: tuple[MailboxRow, ...]) -> None:
        self._boxes = boxes
        if self._passes is None and self._bench is not None:
            from desktop_crm.views.mailbox.passes import passes_of

            self._passes = passes_of(self._bench)
            self._passes.changed.connect(self._changed)
        self._show()

    def _show(self) -> None:
        bench, passes = self._bench, self._passes
        if bench is None or passes is None:
            return
        self.setVisible(bench.actor.can("mailbox", "read"))
        if not self._boxes:
            self._say(tr("No mailbox"), tr("Add one in the settings."))
            return
        from desktop_crm.meta.field import Tone
        from desktop_crm.views.mailbox import state

        now = clock.now()
        found = [(box, state.of_passes(box, passes, now)) for box in self._boxes]
        first = state.worst([one for _box, one in found])
        # Trouble is one mailbox's own: it is named, not all of them.
        troubled = next(box for box, one in found if one is first)
        name = (
            troubled.name
            if len(found) == 1 or first.tone in (Tone.BAD, Tone.WARN)
            else ntr("{n} mailbox", "{n} mailboxes", len(found))
        )
        busy = next((one for box, one in found if passes.doing(box) is not None), None)
        times = [box.last_synced_at for box in self._boxes if box.last_synced_at is not None]
        last = tr("Last sync {time}", time=bench.formats.relative_day(max(times))) if times else ""
        parts = [f"{name}: {first.word}", busy.sentence if busy is not None else last]
        tip = "\n".join(f"{box.name}: {one.word}. {one.sentence}" for box, one in found)
        self._say("   ·   ".join(part for part in parts if part), tip, first)

    def _say(self, text: str, tip: str, first: Standing | None = None) -> None:
        room = theme.scaled(420)
        self.setText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room))
        self.setToolTip(tip)
        self.setAccessibleName(tr("Mailboxes: {state}", state=text))
        self.setAccessibleDescription(tip)
        theme.set_property(self, "tone", first.tone.value if first is not None else "")

    def _unfold(self) -> None:
        if self._bench is not None:
            show_menu(self, self.actions_now())

    def actions_now(self) -> list[Action]:
        """What can be done with the mailboxes at this moment."""
        bench, passes = self._bench, self._passes
        if bench is None or passes is None:
            return []
        from desktop_crm.views.mailbox import state

        work = self._doer(bench)
        now, found = clock.now(), list[Action]()
        for box in self._boxes:
            standing = state.of_passes(box, passes, now)
            if standing.mend and box.user_id == bench.actor.user_id:
                text = f"{box.name}: {standing.mend}"
                found.append(Action(f"status.mailbox.mend.{box.id}", text, partial(work.mend, box)))
        paused = passes.is_paused
        if self._boxes:
            found += [
                Action(
                    "status.mailbox.sync", tr("Synchronise now"), work.sync_all,
                    icon="arrow_sync", shortcut="F9", group="pass", enabled=lambda: work.can_sync,
                ),
                Action(
                    "status.mailbox.pause", tr("Pause"), partial(passes.pause, not paused),
                    group="pass", checked=paused,
                ),
            ]  # fmt: skip
            found.append(
                Action(
                    "status.mailbox.noted", tr("What could not be taken over…"), work.show_noted,
                    group="page",
                )
            )  # fmt: skip
        found.append(
            Action(
                "status.mailbox.page", tr("Mailboxes…"),
                partial(bench.shell.show_place, "settings", {"page": "mailboxes"}),
                icon="mail", group="page",
            )
        )  # fmt: skip
        return found

    def _doer(self, bench: Workbench) -> MailboxWork:
        if self._work is None:
            # The wizard and its forms are not needed before somebody asks for them.
            from desktop_crm.views.panes.mailbox_work import MailboxWork

            self._work = MailboxWork(bench, self)
        return self._work
