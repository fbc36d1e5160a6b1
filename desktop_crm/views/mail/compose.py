"""The window a letter is written in: a new one, an answer, a forwarding, or a draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core import clock
from desktop_crm.core.errors import CrmError, UserError, ValidationFailed
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.mail import templates as mail_templates
from desktop_crm.sync import posting, writing
from desktop_crm.sync.posting import Checked
from desktop_crm.sync.sending import Sending
from desktop_crm.sync.writing import Opening, Regarding, Sender
from desktop_crm.views import window_places
from desktop_crm.views.dialogs.find_record import FILED_TO, FindRecordDialog
from desktop_crm.views.errors import ask
from desktop_crm.views.mail.address_lines import AddressLines
from desktop_crm.views.mail.compose_bar import ComposeBar
from desktop_crm.views.mail.draft_file import DraftFile
from desktop_crm.views.mail.enclosures import FileChips, from_paths
from desktop_crm.views.mail.letters import (
    BLANK,
    call_back,
    opening,
    signature_html,
    undo_seconds,
)
from desktop_crm.views.mail.people_edit import PeopleEdit
from desktop_crm.views.mail.rich_text import FormatBar, LetterEdit, at_start
from desktop_crm.views.mail.written import Written, opened, restored
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Notice
from desktop_crm.views.widgets.layout import column, frame, row, separator
from desktop_crm.views.widgets.overlays import Countdown

if TYPE_CHECKING:
    from desktop_crm.services.form_drafts import FormDraft
    from desktop_crm.views.workbench import Neighbours, Workbench

_SIZE: Final = QSize(860, 720)
_LEAST: Final = QSize(620, 460)


class ComposeWindow(QDialog):
    """Writes one letter; Ctrl+Enter sends, Ctrl+S lays it among the drafts, Esc closes.

    Args:
        parent: The window it is opened from.
        entity_key: Always :data:`~.letters.KIND`.
        bench: The workbench.
        record_id: Nothing: a stored message is read, not written.
        defaults: ``mode`` and ``activity`` for an answer, ``about`` (records) or ``to`` for a new
            letter, ``bcc`` and ``notes`` for one to many, ``draft_item`` for a draft of the outbox,
            ``written`` to go on with one.
        saved: Not used.
        among: Not used.
    """

    def __init__(
        self,
        parent: QWidget | None,
        entity_key: str,
        bench: Workbench,
        *,
        record_id: int | None = None,
        defaults: Mapping[str, Any] | None = None,
        saved: Callable[[int], object] | None = None,
        among: Neighbours | None = None,
    ) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setObjectName("compose")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAcceptDrops(True)
        self.setMinimumSize(_LEAST)
        self._bench = bench
        self._senders: tuple[Sender, ...] = ()
        self._written = Written()
        self._signature = ""
        self._dirty = False
        self._busy = False
        self._drafts = DraftFile(bench, self, self._now)
        self._build()
        window_places.restore(self, bench, "compose", _SIZE, parent)
        self._begin(dict(defaults or {}))

    # --- building ------------------------------------------------------------------------

    def _build(self) -> None:
        self.notice = Notice()
        lines = self.lines = AddressLines(self._bench)
        self.from_box, self.subject, self.records = lines.from_box, lines.subject, lines.records
        self.to, self.cc, self.bcc = lines.to, lines.cc, lines.bcc
        lines.link_wanted.connect(self._link)
        self.from_box.currentIndexChanged.connect(self._sender_changed)
        self.text = LetterEdit()
        self.files = FileChips(self._bench.formats)
        self.bar = ComposeBar(self, self._bench)
        tools = row(self.bar, None, FormatBar(self.text), spacing=8, margins=(20, 2, 24, 4))
        told = column(self.notice, margins=(24, 14, 24, 6))
        body = row(self.text, margins=(24, 6, 24, 6))
        along = column(self.files, margins=(24, 0, 24, 8))
        self.send_button = push_button("compose.send", tr("Send"), self.send, kind="primary")
        self.send_button.setDefault(False)
        self.later_button = push_button("compose.later", tr("Send later…"), self.bar.ask_when)
        foot = row(
            push_button("compose.discard", tr("Discard message"), self._discard, kind="danger"),
            None,
            push_button("compose.save", tr("Save as draft"), self._save_draft),
            self.later_button,
            self.send_button,
            spacing=8,
            margins=(24, 12, 24, 12),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (told, lines, tools, separator()):
            layout.addWidget(part)
        layout.addWidget(body, 1)
        layout.addWidget(along)
        layout.addWidget(frame("dialogfoot", foot))
        for line in (self.to, self.cc, self.bcc):
            line.edited.connect(self._edited)
            line.edited.connect(lines.count_notes)
        self.subject.textEdited.connect(self._edited)
        self.subject.textChanged.connect(self._show_title)
        self.text.textChanged.connect(self._edited)
        self.text.files_given.connect(self.attach)
        self.files.edited.connect(self._edited)
        self.records.edited.connect(self._edited)
        lines.note.clicked.connect(self._edited)
        self.bar.changed.connect(self._edited)
        self.bar.later.connect(self._send_at)
        for keys, run in (("Ctrl+Return", self.send), ("Ctrl+S", self._save_draft)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(run)
        self._show_title()
        self.setEnabled(False)

    # --- beginning -----------------------------------------------------------------------

    def _begin(self, defaults: dict[str, Any]) -> None:
        written = defaults.pop("written", None)
        if written is not None:
            self._bench.tasks.read(
                writing.senders, self._bench.actor,
                done=lambda own: self._show(own, written), failed=self._cannot_begin,
                owner=self, lane="begin",
            )  # fmt: skip
            return
        self._bench.tasks.read(
            opening, self._bench.actor, defaults,
            done=self._opened, failed=self._cannot_begin, owner=self, lane="begin",
        )  # fmt: skip

    def take_draft(self, draft: FormDraft) -> None:
        """Go on with what an earlier run of the program kept."""
        self._drafts.replaces(draft)
        self._begin({"written": restored(draft.typed)})

    def _cannot_begin(self, error: Exception) -> None:
        self.setEnabled(True)
        self._dirty = False
        self._bench.shell.show_error(error)
        self.close()

    def _opened(self, found: Opening) -> None:
        signature = signature_html(found.senders[0].signature) if found.senders else ""
        body = found.html or f"{BLANK}{signature}"
        quote = f"{BLANK}{found.quote}" if found.quote else ""
        self._signature = found.senders[0].signature if found.senders and not found.html else ""
        self._show(found.senders, replace(opened(found), html=f"{body}{quote}"), new=True)

    def _show(self, own: tuple[Sender, ...], written: Written, *, new: bool = False) -> None:
        self._senders = own
        self._written = written
        self.from_box.blockSignals(True)
        self.from_box.clear()
        for sender in own:
            shown = f"{sender.name} <{sender.address}>"
            self.from_box.addItem(shown, sender.mailbox)
        self.from_box.setCurrentIndex(max(0, self.from_box.findData(written.mailbox)))
        self.from_box.blockSignals(False)
        for line, people in ((self.to, written.to), (self.cc, written.cc), (self.bcc, written.bcc)):
            line.set_people(people)
        self.lines.show_bcc(shown=bool(written.bcc))
        self.lines.note.set_notes(written.notes)
        self.lines.count_notes()
        self.subject.setText(written.subject)
        self.text.setHtml(written.html)
        self.text.document().setModified(False)
        self.files.set_files(written.files)
        self.records.set_records(written.regarding)
        self.bar.show_importance(written.importance)
        self.setEnabled(True)
        self._dirty = not new
        at_start(self.text)
        (self.text if written.to or written.bcc else self.to).setFocus()
        self._say_about_sender()

    def _say_about_sender(self) -> None:
        sender = self._sender()
        if sender is None:
            self.notice.say(
                tr("There is no mailbox to write from yet; add one in the mail pane."), "warn"
            )
        elif not sender.can_send:
            self.notice.say(
                tr(
                    "This mailbox is a folder of files, which delivers nothing: the message can "
                    "be saved as a draft there. To send, add a mailbox in the mail pane."
                ),
                "warn",
            )
        else:
            self.notice.say("")
        self._set_busy(self._busy)

    def _sender(self) -> Sender | None:
        chosen = self.from_box.currentData()
        return next((one for one in self._senders if one.mailbox == chosen), None)

    def _sender_changed(self, _index: int) -> None:
        """Another mailbox signs otherwise; a signature that was changed by hand stays."""
        sender = self._sender()
        if sender is not None and self._signature and sender.signature != self._signature:
            last = self._signature.strip().splitlines()
            cursor = self.text.document().find(last[0])
            if not cursor.isNull():
                for _line in last[1:]:
                    cursor.movePosition(cursor.MoveOperation.Down, cursor.MoveMode.KeepAnchor)
                cursor.movePosition(cursor.MoveOperation.EndOfBlock, cursor.MoveMode.KeepAnchor)
                if cursor.selectedText().replace("\u2028", "\n").strip() == self._signature.strip():
                    cursor.insertHtml(signature_html(sender.signature))
                    self._signature = sender.signature
        self._say_about_sender()
        self._edited()

    def _show_title(self, _text: str = "") -> None:
        subject = self.subject.text().strip()
        self.setWindowTitle(subject or tr("New message"))
        self.setAccessibleName(self.windowTitle())

    # --- what is written -----------------------------------------------------------------

    def _now(self) -> Written:
        """The letter as it stands."""
        return replace(
            self._written,
            mailbox=self.from_box.currentData() or 0,
            to=tuple(self.to.people),
            cc=tuple(self.cc.people),
            bcc=tuple(self.bcc.people),
            subject=self.subject.text(),
            html=self.text.letter_html(),
            files=tuple(self.files.files),
            regarding=tuple(self.records.records),
            importance=self.bar.importance,
            notes=self.lines.note.wanted,
        )

    def _edited(self, *_what: object) -> None:
        if self.isEnabled():
            self._dirty = True
            self._drafts.write_soon()

    def own_text(self) -> str:
        """What the person wrote, without what is quoted."""
        text = self.text.toPlainText()
        mark = self._written.attribution
        return text.partition(mark)[0] if mark else text

    def about(self) -> list[tuple[str, int]]:
        """Records that placeholders are filled from: those it belongs to, then the recipient."""
        found = [(one.entity, one.record_id) for one in self.records.records]
        for person in self.to.people[:1]:
            if person.entity in ("contact", "lead", "account") and person.record_id is not None:
                found.append((person.entity, person.record_id))
        return found

    def insert_template(self, subject: str, body: str) -> None:
        """Put a filled template where the cursor stands; its subject where there is none."""
        if subject and not self.subject.text().strip():
            self.subject.setText(subject)
        self._say_about_sender()
        self.text.insert_at_cursor(mail_templates.as_html(body))
        self.text.setFocus()
        self._edited()

    def show_error(self, error: Exception) -> None:
        """Say in the window what went wrong, and go to the line it is about."""
        self._set_busy(False)
        if isinstance(error, ValidationFailed):
            self.notice.say(" ".join(one.message for one in error.errors), "bad")
        elif isinstance(error, CrmError):
            self.notice.say(str(error), "bad")
            lines: dict[str, QWidget] = {"to": self.to, "cc": self.cc, "bcc": self.bcc}
            lines |= {"files": self.files, "sender": self.from_box}
            field = error.field if isinstance(error, UserError) else None
            if (line := lines.get(field or "")) is not None:
                line.setFocus()
            if isinstance(line, PeopleEdit):
                line.go_to_bad()
        else:
            self._bench.shell.show_error(error)

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        sender = self._sender()
        for button in (self.send_button, self.later_button):
            button.setEnabled(not busy and sender is not None and sender.can_send)

    # --- files and records ---------------------------------------------------------------

    def attach(self, paths: list[Path]) -> None:
        """Let files of the disk go along."""
        files, refused = from_paths(paths)
        self.files.add(files)
        if refused:
            self.notice.say(
                tr("Only files can be attached; left out: {names}.", names=", ".join(refused)),
                "warn",
            )

    def choose_files(self) -> None:
        """Ask for files to attach."""
        names, _kind = QFileDialog.getOpenFileNames(self, tr("Attach files"))
        self.attach([Path(name) for name in names])

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        urls = event.mimeData().urls()
        self.attach([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])
        event.acceptProposedAction()

    def _link(self) -> None:
        title = tr("Which record is it about?")
        dialog = FindRecordDialog(self, self._bench, title, FILED_TO)
        dialog.chosen.connect(
            lambda entity, key, name: self.records.add(Regarding(entity, key, name))
        )
        dialog.open()

    # --- leaving -------------------------------------------------------------------------

    def send(self) -> None:
        """Send as soon as it can no longer be called back."""
        self._send_at(None)

    def _send_at(self, due_at: datetime | None) -> None:
        sender = self._sender()
        if self._busy or sender is None or not sender.can_send:
            return
        for line in (self.to, self.cc, self.bcc):
            line.take_typed()
        written = self._now()
        self._set_busy(True)
        self._bench.tasks.read(
            partial(posting.ready, own_text=self.own_text()),
            self._bench.actor, written.letter(sender), written.files,
            done=partial(self._checked, written, due_at), failed=self.show_error, owner=self,
            label=tr("Reading the files"),
        )  # fmt: skip

    def _checked(self, written: Written, due_at: datetime | None, checked: Checked) -> None:
        if checked.questions:
            answer = ask(
                self,
                tr("Send anyway?"),
                "\n\n".join(checked.questions),
                (("send", tr("Send anyway"), ""), ("back", tr("Go back"), "primary")),
            )
            if answer != "send":
                self._set_busy(False)
                return
        undo_s = undo_seconds(self._bench)
        self._bench.tasks.write(
            partial(
                posting.send,
                regarding=[(one.entity, one.record_id) for one in written.regarding],
                due_at=due_at,
                undo_s=undo_s,
                answer_by=self.bar.answer_by(due_at or clock.now()),
                draft=written.draft,
                notes=written.notes,
            ),
            self._bench.actor, written.mailbox, checked.letter,
            done=partial(self._ordered, written, due_at), failed=self.show_error, owner=self,
        )  # fmt: skip

    def _ordered(self, written: Written, due_at: datetime | None, ordered: Sending) -> None:
        bench = self._bench
        self.close_for_good()
        bench.bus.publish(ordered.changes)
        title = tr("Message on its way")
        take_back = partial(call_back, bench, ordered.item, written)
        countdown = Countdown(ordered.due_at, _leaves_in)
        if due_at is not None:
            text = tr("It leaves on {time}.", time=bench.formats.datetime(due_at))
            bench.shell.toast(title, text, take_back=take_back)
        elif countdown.left:
            bench.shell.toast(title, take_back=take_back, countdown=countdown)
        else:
            bench.shell.toast(title)

    def _save_draft(self) -> None:
        sender = self._sender()
        if self._busy or sender is None:
            return
        for line in (self.to, self.cc, self.bcc):
            line.take_typed()
        written = self._now()
        self._set_busy(True)
        self._bench.tasks.write(
            posting.keep_draft, self._bench.actor, written.mailbox, written.letter(sender),
            written.files, written.draft, written.notes,
            done=self._kept, failed=self.show_error, owner=self,
        )  # fmt: skip

    def _kept(self, changes: Any) -> None:  # noqa: ANN401  a ChangeSet
        bench = self._bench
        self.close_for_good()
        bench.bus.publish(changes)
        bench.shell.toast(tr("Draft saved"), tr("It lies in the mailbox and in the outbox list."))

    def _discard(self) -> None:
        self.close()

    def close_for_good(self) -> None:
        """Close without a question: nothing of it is wanted here any more."""
        self._dirty = False
        self._drafts.forget()
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._dirty and self.isEnabled():
            can_save = self._sender() is not None
            buttons = (
                ("discard", tr("Discard"), "danger"),
                *((("save", tr("Save as draft"), ""),) if can_save else ()),
                ("stay", tr("Keep writing"), "primary"),
            )
            answer = ask(
                self, tr("Close this message?"),
                tr("It was not sent. A draft can be written on later, here or in the mailbox."),
                buttons,
            )  # fmt: skip
            if answer != "discard":
                event.ignore()
                if answer == "save":
                    QTimer.singleShot(0, self, self._save_draft)
                return
        self._drafts.forget()
        window_places.keep(self, self._bench, "compose")
        # A dialog's own way would ask `reject` again, which closes.
        event.accept()

    def reject(self) -> None:
        self.close()


def _leaves_in(seconds: int) -> str:
    return ntr("It leaves in {n} second.", "It leaves in {n} seconds.", seconds)
