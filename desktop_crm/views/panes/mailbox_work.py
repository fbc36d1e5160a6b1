"""Work with mailboxes that several panes offer: add one, test, synchronise, remove."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop_crm.core import secrets
from desktop_crm.core.errors import Cancelled
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.models.mail import MailboxKind
from desktop_crm.services.mail import mailbox_kinds, mailboxes
from desktop_crm.services.mail.mailboxes import MailboxRow
from desktop_crm.sync import scheduler
from desktop_crm.sync.results import SyncResult
from desktop_crm.sync.twoway import questions
from desktop_crm.sync.twoway.questions import Question
from desktop_crm.views.errors import ask
from desktop_crm.views.mail.privacy import MailPrivacy
from desktop_crm.views.mailbox.passes import passes_of
from desktop_crm.views.mailbox.password_dialog import PasswordDialog
from desktop_crm.views.mailbox.wizard import MailboxWizard

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench


def never_read(actor: Actor, mailbox_id: int | None) -> MailboxRow | None:
    """The first mailbox to read that was never read before: its dry run is shown first."""
    found = (
        mailboxes.list_mailboxes(actor)
        if mailbox_id is None
        else (mailboxes.get(actor, mailbox_id),)
    )
    own = (box for box in found if mailbox_id is not None or box.user_id == actor.user_id)
    return next((box for box in own if box.last_synced_at is None), None)


def signed_in(actor: Actor, box: MailboxRow, cancel: Cancel) -> secrets.Place:
    """Sign in again and keep what that leaves behind."""
    return mailboxes.set_password(actor, box.id, scheduler.sign_in(box, cancel=cancel))


class MailboxWork(QObject):
    """Adds and synchronises mailboxes.

    Attributes:
        finished: a pass or a change is over.
        busy_changed: a pass began or ended.
    """

    finished = Signal()
    busy_changed = Signal(bool)

    def __init__(self, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._bench = bench
        self.privacy = MailPrivacy(bench, self)
        self.passes = passes_of(bench)
        self.passes.changed.connect(self._tell_busy)

    @property
    def can_add(self) -> bool:
        """Whether the actor may add a mailbox."""
        return self._bench.actor.can("mailbox", "create")

    @property
    def can_sync(self) -> bool:
        """Whether a pass may be started now."""
        return self.passes.running is None and self._bench.actor.can("mailbox", "read")

    def sync_all(self) -> None:
        """Run a pass over every mailbox."""
        self.sync(None)

    def sync(self, mailbox_id: int | None) -> None:
        """Run a pass over one mailbox, or over all; a first one is shown before it is done."""
        if self.passes.running is not None:
            return
        self._bench.tasks.read(
            never_read, self._bench.actor, mailbox_id,
            done=partial(self._begin, mailbox_id), failed=self._bench.shell.show_error,
            owner=self, lane="mailbox.first",
        )  # fmt: skip

    def preview(self, box: MailboxRow) -> None:
        """Show what a pass over a mailbox would do; a person strikes lines and lets it go."""
        from desktop_crm.views.twoway.dry_run_dialog import DryRunDialog

        dialog = DryRunDialog(self._bench, box)
        dialog.finished_pass.connect(self._previewed)
        dialog.open()

    def _begin(self, mailbox_id: int | None, first: MailboxRow | None) -> None:
        if first is not None:
            self.preview(first)
        else:
            self.passes.start(mailbox_id, self._passed, self._failed)

    def _previewed(self, result: SyncResult) -> None:
        self.passes.note(result)
        self._passed(result)

    def _tell_busy(self) -> None:
        self.busy_changed.emit(self.passes.running is not None)

    def _passed(self, result: SyncResult) -> None:
        self.finished.emit()
        self._bench.tasks.read(
            questions.waiting, self._bench.actor,
            done=self._ask, failed=self._bench.shell.show_error, owner=self, lane="questions",
        )  # fmt: skip
        problem = result.named_problem
        if problem is not None:
            self._bench.shell.show_error(problem)
        if not result.mailboxes:
            self._bench.shell.toast(tr("No mailbox yet"), tr("Add one in the settings."))
            return
        if all(box.problem is not None for box in result.mailboxes):
            return
        new = result.count("created")
        text = ntr("{n} new item", "{n} new items", new)
        bad = result.count("quarantined")
        if bad:
            text += " · " + ntr("{n} could not be read", "{n} could not be read", bad)
        remarks = result.count("remarked")
        if remarks:
            text += " · " + ntr("{n} remark", "{n} remarks", remarks)
        self._bench.shell.toast(tr("Synchronised"), text)

    def _ask(self, asked: list[Question]) -> None:
        """Ask whom to tell of meetings that were changed here."""
        if asked:
            from desktop_crm.views.twoway.question_dialog import QuestionDialog

            QuestionDialog(self._bench, asked).open()

    def _failed(self, error: Exception) -> None:
        self.finished.emit()
        if not isinstance(error, Cancelled):
            self._bench.shell.show_error(error)

    def show_noted(self) -> None:
        """Show what of the mailboxes could not be read or taken over."""
        from desktop_crm.views.mailbox.noted_dialog import NotedDialog

        NotedDialog(self._bench).open()

    def add(self) -> None:
        """Ask for a new mailbox and read it for the first time."""
        dialog = MailboxWizard(self._bench.shell.window_widget(), self._bench)
        dialog.first_pass_wanted.connect(self.sync)
        dialog.open()

    def enter_password(self, box: MailboxRow) -> None:
        """Ask for the password of a mailbox again."""
        dialog = PasswordDialog(self._bench.shell.window_widget(), self._bench, box)
        dialog.kept.connect(lambda: self.sync(box.id))
        dialog.open()

    def sign_in(self, box: MailboxRow) -> None:
        """Let the person sign in to Microsoft 365 again, in the browser."""
        self._bench.shell.toast(
            tr("Sign in in your browser"), tr("Choose the account {address}.", address=box.address)
        )
        self._bench.tasks.background(
            signed_in, self._bench.actor, box,
            done=lambda _place: self.sync(box.id), failed=self._not_signed_in, owner=self,
            label=tr("Waiting for the browser…"), cancellable=True,
        )  # fmt: skip

    def _not_signed_in(self, error: Exception) -> None:
        if not isinstance(error, Cancelled):
            self._bench.shell.show_error(error)

    def mend(self, box: MailboxRow) -> None:
        """Do what lets a stopped mailbox go on: password, sign-in, or its settings."""
        if box.kind == MailboxKind.GRAPH.value:
            self.sign_in(box)
        elif mailbox_kinds.needs_password(box.kind, box.sign_in):
            self.enter_password(box)
        else:
            self._bench.shell.open_record("mailbox", box.id)

    def remove(self, box: MailboxRow) -> None:
        """Ask, then remove a mailbox; what it brought stays."""
        answer = ask(
            self._bench.shell.window_widget(),
            tr("Remove {mailbox}?", mailbox=box.name),
            tr(
                "Its password is forgotten and no more mail is read from it. Messages and "
                "meetings that it brought stay here, and the mailbox itself is not touched."
            ),
            (("remove", tr("Remove"), "danger"), ("cancel", tr("Cancel"), "primary")),
        )
        if answer == "remove":
            self._bench.tasks.write(
                mailboxes.remove, self._bench.actor, box.id,
                done=self._removed, failed=self._bench.shell.show_error, owner=self,
            )  # fmt: skip

    def _removed(self, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self.finished.emit()
        self._bench.shell.toast(tr("Mailbox removed"))
