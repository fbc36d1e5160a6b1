"""Pictures of work with mail: writing, filing, what a synchronisation would do, withdrawing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_crm.services.context import Actor
    from desktop_crm.services.mail.mailboxes import MailboxRow
    from desktop_crm.sync.twoway.conflicts import Conflict
    from desktop_crm.sync.twoway.lines import Line
    from desktop_crm.views.mail.compose import ComposeWindow
    from desktop_crm.views.panes.mail import MailPane
    from desktop_crm.views.workbench import Workbench

Step = tuple[str, str, Callable[[], object]]
Maker = tuple[str, str, Callable[[], "QWidget"]]

_LETTERS: Final = (
    ("Elena Vlăsceanu", "elena@tipografia-noua.example", "Two labelling heads"),
    ("Pack Weekly", "news@pack-weekly.example", "Pack Weekly 48"),
    ("Tudor Cuibaru", "tudor@cuibaru.example", "My application of last week"),
)
_TEXT: Final = "the drawing is attached. Shall we keep the slot on Friday?"


def prepare(actor: Actor, folder: Path, now: datetime) -> None:
    """Let letters wait in the sample mailbox, and have a second one that can send."""
    from desktop_crm.models.mail import MailboxState
    from desktop_crm.services import records
    from desktop_crm.services.mail import mailboxes

    box = _sample(actor)
    for number, (name, address, subject) in enumerate(_LETTERS):
        letter = EmailMessage()
        letter["From"] = f"{name} <{address}>"
        letter["To"] = box.address
        letter["Subject"] = subject
        letter["Date"] = now - timedelta(hours=number + 1)
        letter["Message-ID"] = f"<tour-waits-{number}@mail.cetina.example>"
        letter.set_content(f"Hello,\n\n{subject}.\n\n{name}\n")
        (folder / "Inbox" / f"998-{number}.eml").write_bytes(letter.as_bytes())
    values = {
        "name": "Office", "kind": "imap", "address": f"office.{box.address}",
        "server": "imaps://imap.cetina.example:993",
        "smtp_server": "smtps://smtp.cetina.example:465", "user": actor.user_id,
        "signature": f"{actor.name}\nCetina SRL",
    }  # fmt: skip
    office = records.save(actor, "mailbox", None, None, values)
    # As after a pass: nothing of the tour asks a server that does not exist.
    mailboxes.set_state(actor, office.id, MailboxState.OK, "", now)


def _sample(actor: Actor) -> MailboxRow:
    from desktop_crm.services.mail import mailboxes

    return next(box for box in mailboxes.list_mailboxes(actor) if box.kind == "folder")


def in_window(pane: Callable[[], MailPane]) -> Iterator[Step]:
    """What changes the mail pane itself.

    Args:
        pane: Brings it to the front.
    """

    def listed(key: str) -> Callable[[], object]:
        return lambda: pane().return_to({"folder": key})

    yield "mail-triage", "messages that wait to be filed", listed("special/review")
    yield "mail-outbox", "what was ordered in the mailboxes", lambda: _ordered(pane())
    yield "mail-usual", "all messages again", listed("special/all")


def _ordered(pane: MailPane) -> None:
    """The outbox, with a message about to be deleted."""
    from desktop_crm.core import clock
    from desktop_crm.sync import marking

    message = pane.list.current_id()
    if message is not None:
        removal = marking.delete(pane.bench.actor, [message], clock.now() + timedelta(seconds=10))
        pane.bench.bus.publish(removal.changes)
    pane.return_to({"folder": "outbox/list"})


def dialogs(
    bench: Workbench, pane: Callable[[], MailPane], settle: Callable[[], object], folder: Path
) -> Iterator[Maker]:
    """What opens above the window.

    Args:
        bench: The workbench.
        pane: Brings the mail pane to the front.
        settle: Waits until nothing works any more.
        folder: A mailbox of files to be tried.
    """
    from desktop_crm.views.mailbox.wizard import MailboxWizard

    window = bench.shell.window_widget()

    def letter() -> QWidget:
        made = _answer(bench, pane())
        settle()
        _write(made)
        return made

    def dry_run() -> QWidget:
        from desktop_crm.views.twoway.dry_run_dialog import DryRunDialog

        made = DryRunDialog(bench, _sample(bench.actor))
        made.show()
        settle()
        # A folder of files is only read: what would be written to another mailbox is an example.
        made.show_lines(_lines(), two_way=True)
        return made

    def conflicts() -> QWidget:
        from desktop_crm.views.twoway.conflict_dialog import ConflictDialog

        made = ConflictDialog(bench)
        made.show()
        settle()
        made.show_conflicts(_conflicts())
        return made

    def opened(command: str) -> Callable[[], QWidget]:
        return lambda: _opened(pane(), command)

    def wizard(*buttons: str) -> Callable[[], QWidget]:
        def work() -> QWidget:
            made = MailboxWizard(window, bench)
            made.show()
            settle()
            made.address.setText("office@cetina.example")
            for name in buttons:
                _click(made, name)
                settle()
                if name == "mailbox.folder":
                    made.fields.line("path").setText(str(folder))
            return made

        return work

    by_hand = ("mailbox.byHand", "mailbox.folder", "mailbox.next")
    yield "compose", "an answer that is written", letter
    yield "dry-run", "what a synchronisation would do", dry_run
    yield "conflicts", "changed on both sides", conflicts
    yield "mail-to-case", "a message about to become a case", opened("mail.case")
    yield "colleagues", "what colleagues see of a message", opened("mail.colleagues")
    yield "withdraw", "a message about to be withdrawn", opened("mail.withdraw")
    yield "mailbox-sign-in", "all settings of a mailbox", wizard("mailbox.byHand", "mailbox.imap")
    yield "mailbox-test", "a mailbox that was tried", wizard(*by_hand)
    yield "mailbox-privacy", "what stays private", wizard(*by_hand, "mailbox.next")


def _answer(bench: Workbench, pane: MailPane) -> ComposeWindow:
    from desktop_crm.views.mail.compose import ComposeWindow
    from desktop_crm.views.mail.letters import KIND

    answered = {"mode": "reply", "activity": pane.list.current_id()}
    made = ComposeWindow(bench.shell.window_widget(), KIND, bench, defaults=answered)
    made.show()
    return made


def _write(letter: ComposeWindow) -> None:
    from PySide6.QtCore import Qt

    from desktop_crm.sync.writing import Enclosure

    box = letter.from_box
    box.setCurrentIndex(box.findText("office.", Qt.MatchFlag.MatchContains))
    letter.text.insert_at_cursor(f"<p>Hello,</p><p>{_TEXT}</p>")
    letter.files.add([Enclosure("drawing.pdf", 384_000), Enclosure("offer.pdf", 91_000)])
    letter.text.document().setModified(False)


def _opened(pane: MailPane, command: str) -> QWidget:
    from PySide6.QtWidgets import QApplication

    next(one for one in pane.commands() if one.id == command).run()
    made = QApplication.activeModalWidget()
    assert made is not None  # noqa: S101  the command opens a dialog
    return made


def _click(within: QWidget, name: str) -> None:
    from PySide6.QtWidgets import QAbstractButton

    button = within.findChild(QAbstractButton, name)
    assert button is not None  # noqa: S101  the dialog has the button
    button.click()


def _lines() -> tuple[Line, ...]:
    from desktop_crm.sync.twoway.lines import Line

    def line(
        number: int,
        side: str,
        what: str,
        kind: str,
        title: str,
        why: str,
        **more: Any,  # noqa: ANN401
    ) -> Line:
        return Line(f"tour:{number}", str(number), side, what, kind, title, why, **more)

    moved = (("Start", "2 Dec 2026 10:00", "2 Dec 2026 14:00"),)
    new = (
        line(
            10 + number,
            "here",
            "create",
            "message",
            subject,
            f"From {name}, 25 Nov 2026. New in the folder Inbox.",
        )
        for number, (name, _address, subject) in enumerate(_LETTERS)
    )
    return (
        *new,
        line(1, "mailbox", "create", "meeting", "Factory visit", "Made here."),
        line(2, "mailbox", "change", "meeting", "Layout workshop", "Changed here.", changes=moved,
             people=2),
        line(3, "mailbox", "delete", "task", "Send the samples", "Deleted here.", asked=True),
        line(4, "here", "conflict", "meeting", "Quarterly review", "Changed on both sides."),
    )  # fmt: skip


def _conflicts() -> list[Conflict]:
    from desktop_crm.sync.twoway.conflicts import Conflict, Values
    from desktop_crm.sync.twoway.kinds import Kind

    values = (
        Values("subject", "Subject", "Quarterly review and outlook", "Quarterly review"),
        Values("location", "Location", "Meeting room 2", "Video call"),
    )
    time = (Values("start_at", "Start", "3 Dec 2026 09:00", "3 Dec 2026 11:00"),)
    return [
        Conflict(1, Kind.MEETING, 1, "Quarterly review", values, "tour"),
        Conflict(1, Kind.TASK, 2, "Send the samples", time, "tour"),
    ]
