"""What is done to the message that is open: answered, marked, moved, deleted, printed."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QPoint, QTimer
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QMenu

from desktop_crm.core import clock
from desktop_crm.core.i18n import tr
from desktop_crm.sync import marking
from desktop_crm.sync.folder_names import folder_name
from desktop_crm.sync.port import Flag, Folder, FolderRole
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.errors import ask
from desktop_crm.views.mail.categories_dialog import CategoriesDialog
from desktop_crm.views.mail.letters import KIND

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.mail.message import Message
    from desktop_crm.sync.marking import Removal
    from desktop_crm.views.panes.mail import MailPane

READ_AFTER_MS: Final = 1500
"""A message that is open this long counts as read."""
_TAKE_BACK: Final = timedelta(seconds=10)


class MailDeeds(QObject):
    """Commands of the mail pane on its open message."""

    def __init__(self, pane: MailPane) -> None:
        super().__init__(pane)
        self._pane = pane
        self._bench = pane.bench
        self._message: Message | None = None
        self._reading = QTimer(self)
        self._reading.setSingleShot(True)
        self._reading.setInterval(READ_AFTER_MS)
        self._reading.timeout.connect(self._mark_read)

    def show_message(self, message: Message | None) -> None:
        """Another message is open."""
        same = message is not None and self._message is not None and message.id == self._message.id
        self._message = message
        if not same:
            self._reading.stop()
            if message is not None and message.unread:
                self._reading.start()

    def actions(self) -> list[Action]:
        """Commands for the ribbon, the menu and the palette."""
        can = self._bench.actor.can("mailbox", "read")
        if not can:
            return []

        def has() -> bool:
            return self._message is not None

        def held() -> bool:
            return self._message is not None and self._message.in_own_mailbox

        return [
            Action(
                "mail.new", tr("New message"), self.write, icon="mail", shortcut="Ctrl+N",
                primary=True, group="write",
            ),
            Action(
                "mail.reply", tr("Reply"), partial(self._answer, "reply"), icon="arrow_reply",
                shortcut="Ctrl+R", group="write", enabled=has,
            ),
            Action(
                "mail.reply_all", tr("Reply all"), partial(self._answer, "reply_all"),
                icon="people", shortcut="Ctrl+Shift+R", group="write", enabled=has,
            ),
            Action(
                "mail.forward", tr("Forward…"), partial(self._answer, "forward"),
                icon="arrow_forward", shortcut="Ctrl+Shift+F", group="write", enabled=has,
            ),
            Action(
                "mail.flag", tr("Follow up"), self.toggle_flag, icon="flag", tint="bad",
                shortcut="Ins", group="mark", enabled=held,
                tip=tr("Flag for follow-up, or take the flag away"),
            ),
            Action(
                "mail.unread", tr("Read / unread"), self.toggle_read, icon="checkmark",
                shortcut="Ctrl+U", group="mark", place=Place.MORE, enabled=held,
            ),
            Action(
                "mail.categories", tr("Categories…"), self.categorise, icon="tag", group="mark",
                place=Place.MORE, enabled=held,
            ),
            Action(
                "mail.move", tr("Move…"), self.ask_folder, icon="folder", shortcut="Ctrl+Shift+V",
                group="mark", place=Place.MORE, enabled=held,
            ),
            Action(
                "mail.archive", tr("Archive"), self.archive, icon="archive",
                group="mark", place=Place.MORE, enabled=held,
            ),
            Action(
                "mail.delete", tr("Delete"), self.delete, icon="delete", tint="bad",
                shortcut="Del", group="mark", enabled=held,
            ),
            Action(
                "mail.print", tr("Print…"), self.print, icon="receipt", shortcut="Ctrl+P",
                group="mark", place=Place.MORE, enabled=has,
            ),
        ]  # fmt: skip

    # --- writing -------------------------------------------------------------------------

    def write(self) -> None:
        """Begin a new letter."""
        self._bench.shell.new_record(KIND)

    def _answer(self, mode: str) -> None:
        if self._message is not None:
            self._bench.shell.new_record(KIND, mode=mode, activity=self._message.id)

    # --- marks ---------------------------------------------------------------------------

    def _mark_read(self) -> None:
        if self._message is not None and self._message.unread:
            self._mark(is_read=True)

    def toggle_read(self) -> None:
        """Mark the message as read, or as unread."""
        if self._message is not None:
            self._reading.stop()
            self._mark(is_read=self._message.unread)

    def toggle_flag(self) -> None:
        """Flag the message, or take its flag away."""
        if self._message is not None:
            self._mark(flag=Flag.NONE if self._message.flagged else Flag.FLAGGED)

    def categorise(self) -> None:
        """Choose the categories of the message."""
        if self._message is None:
            return
        message = self._message
        dialog = CategoriesDialog(self._pane.window(), message.subject, message.categories)
        dialog.chosen.connect(partial(self._categorised, message.id))
        dialog.open()

    def _categorised(self, activity: int, categories: tuple[str, ...]) -> None:
        if self._message is not None and self._message.id == activity:
            self._mark(categories=categories)

    def _mark(self, **marks: Any) -> None:  # noqa: ANN401  as marking.mark takes them
        message = self._message
        if message is None:
            return
        self._bench.tasks.write(
            partial(marking.mark, **marks), self._bench.actor, [message.id],
            done=self._marked, owner=self, failed=self._bench.shell.show_error,
        )  # fmt: skip

    def _marked(self, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)

    # --- moving --------------------------------------------------------------------------

    def ask_folder(self) -> None:
        """Ask the mailbox for its folders, then which one."""
        self._folders(self._show_folders)

    def archive(self) -> None:
        """Move the message to the archive of its mailbox."""
        self._folders(self._to_archive)

    def _folders(self, then: Any) -> None:  # noqa: ANN401  a function of message and folders
        message = self._message
        if message is not None:
            self._bench.tasks.background(
                marking.folders, self._bench.actor, message.id,
                done=partial(then, message), owner=self, failed=self._bench.shell.show_error,
                label=tr("Reading the folders"),
            )  # fmt: skip

    def _show_folders(self, message: Message, folders: list[Folder]) -> None:
        menu = QMenu(self._pane)
        menu.setObjectName("mail.move.menu")
        for folder in folders:
            name = folder_name(folder.key, folder.name)
            menu.addAction(name.replace("&", "&&"), partial(self._move, message, folder.key, name))
        menu.popup(self._pane.list.mapToGlobal(QPoint(24, 24)))

    def _to_archive(self, message: Message, folders: list[Folder]) -> None:
        archive = next((one for one in folders if one.role is FolderRole.ARCHIVE), None)
        if archive is None:
            named = (one for one in folders if one.name.lower() in ("archive", "arhivă", "arhiva"))
            archive = next(named, None)
        if archive is None:
            self._bench.shell.toast(
                tr("This mailbox has no archive"),
                tr("Choose a folder with “Move…” instead."), bad=True,
            )  # fmt: skip
            return
        self._move(message, archive.key, tr("Archive"))

    def _move(self, message: Message, key: str, name: str) -> None:
        self._bench.tasks.write(
            marking.move, self._bench.actor, [message.id], key, clock.now() + _TAKE_BACK,
            done=partial(self._gone, tr("Moved to {folder}", folder=name), message), owner=self,
            failed=self._bench.shell.show_error,
        )  # fmt: skip

    def delete(self) -> None:
        """Ask, then delete the message in the mailbox."""
        message = self._message
        if message is None or not message.in_own_mailbox:
            return
        answer = ask(
            self._pane.window(),
            tr("Delete this message from the mailbox?"),
            tr(
                "“{subject}” is deleted in the mailbox in a few seconds; the outbox can restore it "
                "for 30 days. Records it is linked to keep it.",
                subject=message.subject,
            ),
            (("delete", tr("Delete"), "danger"), ("cancel", tr("Cancel"), "primary")),
        )
        if answer == "delete":
            self._bench.tasks.write(
                marking.delete, self._bench.actor, [message.id], clock.now() + _TAKE_BACK,
                done=partial(self._gone, tr("Message deleted"), message), owner=self,
                failed=self._bench.shell.show_error,
            )  # fmt: skip

    def _gone(self, said: str, message: Message, removal: Removal) -> None:
        self._bench.bus.publish(removal.changes)
        self._bench.shell.toast(said, message.subject, take_back=partial(self._take_back, removal))

    def _take_back(self, removal: Removal) -> None:
        self._bench.tasks.write(
            marking.put_back, self._bench.actor, removal,
            done=self._bench.bus.publish, owner=self, failed=self._bench.shell.show_error,
        )  # fmt: skip

    # --- paper ---------------------------------------------------------------------------

    def print(self) -> None:
        """Print the message as it is shown."""
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        dialog = QPrintDialog(printer, self._pane.window())
        dialog.setObjectName("mail.print.dialog")
        if dialog.exec():
            self._pane.reading.print_to(printer)
