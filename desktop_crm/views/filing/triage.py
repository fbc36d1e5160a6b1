"""Filing by keyboard: decisions about the open message of the mail pane, each undone by one step.

In every list: O files to another record, W always does, V never does. Among what waits to be
filed also: Enter or A accepts the best suggestion, 1 to 9 that suggestion, X says no record.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.models.activity import LinkState
from desktop_crm.models.filing import FilingKind
from desktop_crm.services.mail import filing, filing_subject
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.filing.file_dialog import FileDialog, Reach
from desktop_crm.views.filing.triage_bar import TriageBar, best_of
from desktop_crm.views.widgets.buttons import show_menu

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.mail.filing_subject import Subject
    from desktop_crm.services.mail.message import LinkRow, Message
    from desktop_crm.views.panes.mail_list import MessageList
    from desktop_crm.views.workbench import Workbench

_MOST_KEYS = 9


class Triage(QObject):
    """Takes the decisions; the pane shows and lists the mail.

    Attributes:
        bar: stands over the message while what waits is listed.
    """

    def __init__(self, bench: Workbench, messages: MessageList, parent: QObject) -> None:
        super().__init__(parent)
        self._bench = bench
        self._list = messages
        self._message: Message | None = None
        self._waiting = False
        self.bar = TriageBar(bench)
        self.bar.hide()
        self.bar.accepted.connect(self.accept)
        self.bar.other_wanted.connect(self.choose)
        self.bar.always_wanted.connect(self.always)
        self.bar.never_wanted.connect(self.never)
        self.bar.rejected.connect(self.reject)
        self.bar.next_wanted.connect(self.later)
        self._bind("O", self.choose)
        self._bind("W", self.always)
        self._bind("V", self.never)
        self._only_waiting = [
            *(self._bind(keys, self.accept) for keys in ("Return", "Enter")),
            self._bind("X", self.reject),
            *(
                self._bind(str(place + 1), partial(self._accept_place, place))
                for place in range(_MOST_KEYS)
            ),
        ]
        self.show_waiting(False)

    def _bind(self, keys: str, run: Callable[[], object]) -> QShortcut:
        shortcut = QShortcut(QKeySequence(keys), self._list)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(run)
        return shortcut

    def over(self, below: QWidget) -> QWidget:
        """A widget with the bar over another one."""
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.bar)
        column.addWidget(below, 1)
        return made

    def show_waiting(self, waiting: bool) -> None:
        """The list shows what waits to be filed, or something else."""
        self._waiting = waiting
        for shortcut in self._only_waiting:
            shortcut.setEnabled(waiting)
        self._show_bar()

    def show_message(self, message: Message | None) -> None:
        """Another message is open, or the same one after a decision."""
        self._message = message
        self.bar.show_message(message)
        self._show_bar()

    def _show_bar(self) -> None:
        self.bar.setVisible(self._waiting and self._message is not None)

    def commands(self) -> list[Action]:
        """Commands for the menu and the palette."""
        return [
            Action(
                "mail.file", tr("File to…"), self.choose, icon="folder", group="decide",
                place=Place.MORE, enabled=self._may,
                tip=tr("Move the message or its thread to a record (O in the list)"),
            ),
            Action(
                "mail.always", tr("Always file…"), self.always, icon="filter", group="decide",
                place=Place.MORE, enabled=self._may,
            ),
            Action(
                "mail.never", tr("Never file…"), self.never, icon="dismiss", group="decide",
                place=Place.MORE, enabled=self._may,
            ),
        ]  # fmt: skip

    def _may(self) -> bool:
        return self._message is not None and self._message.may_link

    # --- one message ---------------------------------------------------------------------

    def accept(self) -> None:
        """File to the best suggestion; without one, choose a record."""
        best = best_of(self._message)
        if best is not None:
            self.accept_link(best)
        elif self._waiting:
            self.choose()

    def accept_link(self, link: LinkRow) -> None:
        """File to the record of a suggestion."""
        message = self._message
        if message is not None and message.may_link:
            self._write(
                partial(filing.accept, self._bench.actor, message.id, link.id),
                tr("Linked"), link.title,
            )  # fmt: skip

    def _accept_place(self, place: int) -> None:
        if self._message is None:
            return
        state = LinkState.SUGGESTED.value
        suggested = [one for one in self._message.links if one.state == state]
        if place < len(suggested):
            self.accept_link(suggested[place])

    def reject(self) -> None:
        """Say that the message belongs to no record."""
        message = self._message
        if message is not None and message.may_link:
            self._write(
                partial(filing.reject, self._bench.actor, message.id),
                tr("Belongs to no record"), message.subject,
            )  # fmt: skip

    def later(self) -> None:
        """Go on to the next message; this one keeps waiting."""
        row = self._list.currentIndex().row() + 1
        if row < self._list.messages.rowCount():
            self._list.setCurrentIndex(self._list.messages.index(row))
        self._list.setFocus()

    # --- another record ------------------------------------------------------------------

    def choose(self) -> None:
        """Choose a record, and whether its thread or all mail like it goes there."""
        self._ask(self._choose)

    def _choose(self, about: Subject) -> None:
        message = self._message
        if message is None or message.id != about.activity:
            return
        stands = any(one.state == LinkState.LINKED.value for one in message.links)
        dialog = FileDialog(self._bench, about, instead=stands)
        dialog.filed.connect(partial(self._file, about))
        dialog.finished.connect(lambda _result: self._list.setFocus())
        dialog.open()

    def _file(
        self,
        about: Subject,
        entity: str,
        record_id: int,
        title: str,
        reach: Reach,
        instead: bool,
    ) -> None:
        actor = self._bench.actor
        if reach.kind is not None:
            work = partial(filing.always, actor, about.activity, reach.kind, entity, record_id)
            self._write(
                work, tr("Always filed to {title}", title=title), about.value(reach.kind)[1]
            )
            return
        whole = reach is Reach.THREAD
        self._write(
            partial(
                filing.refile, actor, about.activity, entity, record_id,
                whole_thread=whole, instead=instead,
            ),
            tr("Thread linked") if whole else tr("Linked"), title,
        )  # fmt: skip

    # --- rules ---------------------------------------------------------------------------

    def always(self) -> None:
        """Unfold what can always be filed to the record in front."""
        self._ask(self._unfold_always)

    def _unfold_always(self, about: Subject) -> None:
        target = self._target()
        if target is None:
            # Nothing to file to yet: the dialog asks for it and offers the same.
            self._choose(about)
            return

        # An ampersand in a name is no key of the menu.
        title = target.title.replace("&", "&&")

        def run(kind: FilingKind) -> None:
            self._write(
                partial(
                    filing.always, self._bench.actor, about.activity, kind,
                    target.entity, target.record_id,
                ),
                tr("Always filed to {title}", title=target.title), about.value(kind)[1],
            )  # fmt: skip

        self._unfold(
            self.bar.always,
            [
                Action(f"triage.always.{kind.value}", text, partial(run, kind))
                for kind, text in (
                    (FilingKind.THREAD, tr("This &thread to {title}", title=title)),
                    (
                        FilingKind.SENDER,
                        tr(
                            "Mail of this &sender, {value}, to {title}",
                            value=about.address,
                            title=title,
                        ),
                    ),
                    (
                        FilingKind.DOMAIN,
                        tr(
                            "Mail of this &domain, @{value}, to {title}",
                            value=about.domain,
                            title=title,
                        ),
                    ),
                )
                if about.value(kind)[0]
            ],
        )

    def _target(self) -> LinkRow | None:
        """The record in front: the best suggestion, else the first record it stands on."""
        message = self._message
        if message is None:
            return None
        linked = (one for one in message.links if one.state == LinkState.LINKED.value)
        return best_of(message) or next(linked, None)

    def never(self) -> None:
        """Unfold what can never be filed."""
        self._ask(self._unfold_never)

    def _unfold_never(self, about: Subject) -> None:
        def run(kind: FilingKind) -> None:
            self._write(
                partial(filing.never, self._bench.actor, about.activity, kind),
                tr("Never filed"), about.value(kind)[1],
            )  # fmt: skip

        self._unfold(
            self.bar.never,
            [
                Action(f"triage.never.{kind.value}", text, partial(run, kind))
                for kind, text in (
                    (FilingKind.SENDER, tr("Mail of this &sender: {value}", value=about.address)),
                    (FilingKind.DOMAIN, tr("Mail of this &domain: @{value}", value=about.domain)),
                )
                if about.value(kind)[0]
            ],
        )

    def _unfold(self, button: QWidget, actions: list[Action]) -> None:
        message = self._message
        if not actions or message is None:
            self._bench.shell.toast(
                tr("No rule can be made of this message"),
                tr("Its sender is one of us or unknown, or it lies in no mailbox of yours."),
                bad=True,
            )
            return
        shown = self.bar.isVisible()
        show_menu(button if shown else self._list, actions)

    # --- work ----------------------------------------------------------------------------

    def _ask(self, then: Callable[[Subject], None]) -> None:
        """Read what a decision about the open message can reach, then go on."""
        if not self._may() or self._message is None:
            return
        self._bench.tasks.read(
            filing_subject.subject, self._bench.actor, self._message.id,
            done=then, failed=self._bench.shell.show_error, owner=self, lane="filing",
        )  # fmt: skip

    def _write(self, work: Callable[[], ChangeSet], said: str, title: str) -> None:
        def done(changes: ChangeSet) -> None:
            self._bench.bus.publish(changes)
            self._bench.shell.toast(said, title, undo=True)

        self._bench.tasks.write(work, done=done, failed=self._failed, owner=self)

    def _failed(self, error: Exception) -> None:
        self._bench.shell.show_error(error)
