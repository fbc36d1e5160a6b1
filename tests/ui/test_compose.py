"""Writing mail by keyboard: to whom, what, with which files, and how it leaves or comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QWidget

from desktop_crm.models.outbox import DeedKind, OutboxState
from desktop_crm.services import records
from desktop_crm.services.mail import noting, outbox
from desktop_crm.services.mail import people as mail_people
from desktop_crm.services.mail.noting import Notes
from desktop_crm.sync.formats.mime import read_message
from desktop_crm.views.mail import compose, letters
from desktop_crm.views.mail.compose import ComposeWindow
from desktop_crm.views.mail.outbox_clock import next_due
from desktop_crm.views.mail.written import Written, restored
from tests.support.company import Company
from tests.support.post import HTML, deliver, suggest
from tests.support.windows import child, settle, shell_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from desktop_crm.sync.port import MailItem
    from desktop_crm.views.workbench import Workbench

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)

SIGNATURE = "Mara Ionescu\nFirm SRL"


@pytest.fixture
def box(company: Company) -> int:
    return company.add(
        "mailbox", "box",
        {"name": "Office", "kind": "exchange", "address": "mara@firm.example",
         "server": "https://mail.firm.example/EWS/Exchange.asmx", "user": company.actor.user_id,
         "signature": SIGNATURE},
    )  # fmt: skip


@pytest.fixture
def write(bench: Workbench, box: int, qtbot: QtBot) -> Iterator[Callable[..., ComposeWindow]]:
    windows: list[ComposeWindow] = []

    def made(**defaults: Any) -> ComposeWindow:
        window = ComposeWindow(None, "mail_message", bench, defaults=defaults)
        windows.append(window)
        window.show()
        settle(qtbot, bench)
        qtbot.waitUntil(window.isEnabled)
        return window

    yield made
    for window in windows:
        if shiboken6.isValid(window):
            window._dirty = False  # a test that ends before its letter left is asked nothing
            window.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Questions that were asked; every one is answered by the last of `answers`."""
    found: list[str] = []

    def ask(
        _parent: object, _title: str, text: str, buttons: tuple[tuple[str, str, str], ...]
    ) -> str:
        found.append(text)
        return buttons[0][0]

    monkeypatch.setattr(compose, "ask", ask)
    return found


def type_in(widget: QWidget, text: str) -> None:
    QTest.keyClicks(widget, text)


def the_mail(bench: Workbench) -> MailItem:
    (row,) = outbox.list_items(bench.actor)
    return read_message(outbox.content(bench.actor, row.id))


def test_a_letter_to_many_begins_with_them_unseen(
    bench: Workbench, write: Callable[..., ComposeWindow]
) -> None:
    window = write(bcc=[("Ana", "ana@x.example"), ("Ion", "ion@y.example")], subject="News")
    assert [one.address for one in window.bcc.people] == ["ana@x.example", "ion@y.example"]
    assert window.bcc.isVisible()
    assert window.subject.text() == "News"
    assert window.text.hasFocus()


def is_gone(window: ComposeWindow) -> bool:
    return not shiboken6.isValid(window) or not window.isVisible()


def press_send(window: ComposeWindow, qtbot: QtBot) -> None:
    QTest.keyClick(window.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: is_gone(window) or not window._busy)


def test_a_letter_is_written_and_leaves_by_keyboard(
    write: Callable[..., ComposeWindow], bench: Workbench, qtbot: QtBot
) -> None:
    window = write()
    assert SIGNATURE in window.text.toPlainText()
    type_in(window.to.line, "claire")
    qtbot.waitUntil(lambda: window.to._popup.isVisible())
    QTest.keyClick(window.to._popup, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [p.person.name for p in window.to.pills()] == ["Claire Dubois"])
    type_in(window.cc.line, "ops@rossi.example,")
    type_in(window.subject, "Delivery")
    QTest.keyClick(window.text, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    type_in(window.text, "Strong words")
    press_send(window, qtbot)
    qtbot.waitUntil(lambda: is_gone(window))
    (row,) = outbox.list_items(bench.actor)
    assert (row.deed, row.state, row.title) == (DeedKind.SEND, OutboxState.WAITING, "Delivery")
    mail = the_mail(bench)
    assert [p.address for p in mail.to] == ["claire@rossi.example"]
    assert [p.address for p in mail.cc] == ["ops@rossi.example"]
    assert "Strong words" in mail.text
    assert "Firm SRL" in mail.text
    assert "<b" in mail.html or "font-weight" in mail.html
    assert next_due(bench.actor).next == row.due_at
    assert shell_of(bench).toasts[-1] == ("Message on its way", "It leaves in 10 seconds.")


def test_what_leaves_at_once_offers_no_way_back(
    write: Callable[..., ComposeWindow], bench: Workbench, qtbot: QtBot
) -> None:
    letters.choose_undo_seconds(bench, 0)
    window = write(to=[("Claire", "claire@rossi.example")])
    type_in(window.subject, "Now")
    type_in(window.text, "Words")
    press_send(window, qtbot)
    qtbot.waitUntil(lambda: is_gone(window))
    assert shell_of(bench).toasts[-1] == ("Message on its way", "")
    assert shell_of(bench).take_back is None


def test_it_is_called_back_and_stands_again_as_it_was(
    write: Callable[..., ComposeWindow], bench: Workbench, qtbot: QtBot
) -> None:
    window = write(to=[("Claire", "claire@rossi.example")])
    type_in(window.subject, "Too early")
    type_in(window.text, "Words")
    press_send(window, qtbot)
    qtbot.waitUntil(lambda: is_gone(window))
    take_back = shell_of(bench).take_back
    assert take_back is not None
    take_back()
    settle(qtbot, bench)
    (row,) = outbox.list_items(bench.actor)
    assert row.state is OutboxState.CANCELLED
    (entity, defaults) = shell_of(bench).new[-1]
    assert entity == "mail_message"
    again = write(**defaults)
    assert again.subject.text() == "Too early"
    assert again.text.toPlainText().startswith("Words")
    assert [p.person.address for p in again.to.pills()] == ["claire@rossi.example"]


def test_a_bad_address_is_shown_and_named_before_anything_leaves(
    write: Callable[..., ComposeWindow], bench: Workbench, qtbot: QtBot
) -> None:
    window = write()
    type_in(window.to.line, "nobody;")
    (pill,) = window.to.pills()
    assert pill.toolTip().startswith('"nobody" is no e-mail address.')
    type_in(window.subject, "x")
    press_send(window, qtbot)
    assert window.notice.text == '"nobody" is no e-mail address; nothing was sent.'
    assert outbox.list_items(bench.actor) == ()
    QTest.keyClick(pill, Qt.Key.Key_Delete)
    assert window.to.pills() == []
    press_send(window, qtbot)
    assert window.notice.text == "Give at least one recipient; nothing was sent."


def test_what_is_probably_forgotten_is_said_before_it_leaves(
    write: Callable[..., ComposeWindow], bench: Workbench, qtbot: QtBot, monkeypatch: Any
) -> None:
    said: list[str] = []

    def ask(*args: Any) -> str:
        said.append(args[2])
        return "back"

    monkeypatch.setattr(compose, "ask", ask)
    window = write(to=[("", "claire@rossi.example")])
    window.text.insertPlainText("Contractul este atașat. ⟦contact.phone⟧")
    press_send(window, qtbot)
    (text,) = said
    assert "These placeholders are not filled: contact.phone." in text
    assert "The message has no subject." in text
    assert "The text speaks of an attachment, but no file is attached." in text
    assert outbox.list_items(bench.actor) == ()
    assert window.isVisible()


def test_an_answer_to_all_quotes_and_goes_to_everybody_but_the_writer(
    write: Callable[..., ComposeWindow], bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    first = deliver(company, "Offer", html=HTML, files={"offer.pdf": b"%PDF"},
                    contact=company.ids["claire"])  # fmt: skip
    suggest(company, first, "contact", company.ids["claire"], state="linked", confidence=98)
    window = write(mode="reply_all", activity=first)
    assert [p.person.address for p in window.to.pills()] == ["claire@rossi.example"]
    assert window.subject.text() == "Re: Offer"
    assert [r.title for r in window.records.records] == ["Claire Dubois"]
    assert "Claire Dubois wrote:" in window.text.toPlainText()
    assert "attached is our offer" in window.text.toPlainText()
    type_in(window.text, "Thank you")
    assert window.own_text().startswith("Thank you")
    press_send(window, qtbot)
    qtbot.waitUntil(lambda: is_gone(window))
    mail = the_mail(bench)
    assert mail.in_reply_to == "Offer@rossi.example"
    assert "tracker.example" not in mail.html


def test_forwarding_takes_the_files_along(
    write: Callable[..., ComposeWindow], bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    first = deliver(company, "Offer", files={"offer.pdf": b"%PDF"})
    window = write(mode="forward", activity=first)
    assert window.to.pills() == []
    assert window.subject.text() == "Fwd: Offer"
    type_in(window.to.line, "boss@firm.example;")
    press_send(window, qtbot)
    qtbot.waitUntil(lambda: is_gone(window))
    (file,) = the_mail(bench).attachments
    assert (file.name, file.content) == ("offer.pdf", b"%PDF")


def test_files_of_the_disk_go_along_and_folders_do_not(
    write: Callable[..., ComposeWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "plan.txt").write_text("x")
    window = write()
    window.attach([tmp_path / "plan.txt", tmp_path])
    assert [file.name for file in window.files.files] == ["plan.txt"]
    assert window.notice.text == f"Only files can be attached; left out: {tmp_path.name}."
    QTest.keyClick(child(window, QWidget, "compose.file.0"), Qt.Key.Key_Delete)
    assert window.files.files == []


def test_a_letter_from_a_record_goes_to_its_people_and_belongs_to_it(
    write: Callable[..., ComposeWindow], bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    window = write(about=[("contact", company.ids["claire"])])
    assert [p.person.address for p in window.to.pills()] == ["claire@rossi.example"]
    assert [r.entity for r in window.records.records] == ["contact"]


def test_a_template_is_filled_and_what_is_missing_stays_visible(
    write: Callable[..., ComposeWindow], bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    company.add(
        "mail_template", "thanks",
        {"name": "Thanks", "language": "en", "subject": "For {{ contact.full_name }}",
         "body": "Dear {{ contact.first_name }},\n\nyour fax is {{ contact.fax_number }}."},
    )  # fmt: skip
    window = write(about=[("contact", company.ids["claire"])])
    window.bar._template_menu(_letter())
    settle(qtbot, bench)
    (found,) = _offered(bench)
    window.bar._fill(found)
    settle(qtbot, bench)
    assert window.subject.text() == "For Claire Dubois"
    assert "Dear Claire," in window.text.toPlainText()
    assert "⟦contact.fax_number⟧" in window.text.toPlainText()
    assert "None" not in window.text.toPlainText()


def _letter() -> Any:
    from desktop_crm.models.mail import TemplateKind

    return TemplateKind.LETTER


def _offered(bench: Workbench) -> list[Any]:
    from desktop_crm.services.mail import templates as mail_templates

    return mail_templates.offered(bench.actor)


def test_a_draft_lies_in_the_mailbox_and_is_written_on(
    write: Callable[..., ComposeWindow], bench: Workbench, qtbot: QtBot
) -> None:
    window = write(to=[("Claire", "claire@rossi.example")])
    type_in(window.subject, "Half")
    type_in(window.text, "Begun")
    QTest.keyClick(window.text, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: is_gone(window))
    (row,) = outbox.list_items(bench.actor)
    assert row.deed is DeedKind.SAVE_DRAFT
    again = write(draft_item=row.id)
    assert again.subject.text() == "Half"
    assert again.text.toPlainText().startswith("Begun")


def test_closing_asks_and_a_letter_not_touched_does_not(
    write: Callable[..., ComposeWindow], asked: list[str]
) -> None:
    window = write()
    window.close()
    assert asked == []
    assert is_gone(window)
    window = write()
    type_in(window.subject, "x")
    window.close()
    assert len(asked) == 1
    assert is_gone(window)


def test_what_a_draft_file_keeps_comes_back(company: Company) -> None:
    from desktop_crm.services.mail.people import Person
    from desktop_crm.sync.compose import Answered
    from desktop_crm.sync.writing import Enclosure, Regarding

    letter = Written(
        3, (Person("A", "a@x.example", "contact", 5),), subject="S", html="<p>x</p>",
        files=(Enclosure("a.txt", 1, path="a.txt"),), regarding=(Regarding("account", 1, "T"),),
        answers=Answered("m@x", ("n@x",)), importance="high",
        notes=Notes("contact", ((5, "a@x.example"), (6, "b@x.example"))),
    )  # fmt: skip
    assert restored(json.loads(json.dumps(letter.kept()))) == letter
    earlier = {name: value for name, value in letter.kept().items() if name != "notes"}
    assert restored(earlier).notes is None


def test_a_letter_to_many_says_where_it_will_be_noted_and_keeps_it_through_calling_back(
    write: Callable[..., ComposeWindow], bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    people = [("Claire", "claire@rossi.example"), ("Ion", "ion@y.example")]
    notes = Notes("contact", ((company.ids["claire"], people[0][1]), (99, people[1][1])))
    window = write(bcc=people, subject="News", notes=notes)
    box = child(window, QCheckBox, "compose.note")
    assert box.isVisible()
    assert box.isChecked()
    assert box.text() == "Note it on 2 records once it has left"
    QTest.keyClick(window.bcc.line, Qt.Key.Key_Backspace)
    assert [one.address for one in window.bcc.people] == [people[0][1]]
    assert box.text() == box.accessibleName() == "Note it on 1 record once it has left"
    type_in(window.cc.line, "ion@y.example,")
    assert box.text() == "Note it on 2 records once it has left"
    QTest.keyClick(window.cc.line, Qt.Key.Key_Backspace)
    press_send(window, qtbot)
    qtbot.waitUntil(lambda: is_gone(window))
    (row,) = outbox.list_items(bench.actor)
    waits = noting.waiting(bench.actor, row.id)
    assert waits == Notes("contact", (notes.addresses[0],))
    take_back = shell_of(bench).take_back
    assert take_back is not None
    take_back()
    settle(qtbot, bench)
    again = write(**shell_of(bench).new[-1][1])
    box = child(again, QCheckBox, "compose.note")
    assert box.isChecked()
    QTest.keyClick(box, Qt.Key.Key_Space)
    press_send(again, qtbot)
    qtbot.waitUntil(lambda: is_gone(again))
    latest = outbox.list_items(bench.actor)[0]
    assert noting.waiting(bench.actor, latest.id) is None


def test_a_letter_nobody_wants_noted_says_nothing_of_it(
    write: Callable[..., ComposeWindow],
) -> None:
    assert child(write(), QCheckBox, "compose.note").isHidden()


def test_waiting_for_an_answer_makes_one_task_unless_it_came(
    write: Callable[..., ComposeWindow], bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    import datetime as dt

    from desktop_crm.core import clock
    from desktop_crm.sync import awaited

    window = write(to=[("", "claire@rossi.example")])
    type_in(window.subject, "Question")
    window.bar._set_remind(14)
    window.bar._set_remind(3)
    button = child(window, QAbstractButton, "compose.remind")
    assert "In 3 days without an answer" in button.toolTip()
    assert button.accessibleName() == button.toolTip()
    press_send(window, qtbot)
    qtbot.waitUntil(lambda: is_gone(window))
    (row,) = outbox.list_items(bench.actor)
    at = awaited.next_reminder(bench.actor)
    assert at == clock.now() + dt.timedelta(days=3)
    assert awaited.remind(bench.actor).changes == ()
    assert row.activity_id is not None
    later = clock.now() + dt.timedelta(days=4)
    with bench.actor.db.writing() as connection:
        from desktop_crm.models.activity import ActivityReason

        outbox.tell(connection, bench.actor, row.activity_id, ActivityReason.SENT)
    with clock.held(later):
        made = awaited.remind(bench.actor)
        assert not awaited.remind(bench.actor).changes
    (task,) = made.ids("activity")
    values = records.get(bench.actor, "activity", task).values
    assert (values["subject"], values["kind"]) == ("No answer yet: Question", "task")


def test_a_name_is_looked_at_without_losing_it_and_written_otherwise(
    write: Callable[..., ComposeWindow], qtbot: QtBot
) -> None:
    window = write()
    type_in(window.to.line, "ana@@rossi.example;")
    (pill,) = window.to.pills()
    QTest.mouseClick(pill, Qt.MouseButton.LeftButton, pos=pill.rect().center())
    assert len(window.to.pills()) == 1, "only the cross takes somebody away"
    type_in(window.subject, "x")
    press_send(window, qtbot)
    assert window.focusWidget() is pill, "the one that is wrong has the focus"
    QTest.keyClick(pill, Qt.Key.Key_Return)
    assert window.to.pills() == []
    assert window.to.line.text() == "ana@@rossi.example"
    window.to.line.setText("ana@rossi.example")
    QTest.keyClick(window.to.line, Qt.Key.Key_Return)
    (pill,) = window.to.pills()
    cross = pill.rect().center()
    cross.setX(pill.width() - 10)
    QTest.mouseClick(pill, Qt.MouseButton.LeftButton, pos=cross)
    assert window.to.pills() == []


def test_a_mailbox_that_delivers_nothing_offers_no_time_to_leave(
    write: Callable[..., ComposeWindow], company: Company, qtbot: QtBot, tmp_path: Path
) -> None:
    company.add(
        "mailbox", "files",
        {"name": "Files", "kind": "folder", "address": "files@firm.example",
         "path": str(tmp_path), "user": company.actor.user_id},
    )  # fmt: skip
    window = write()
    window.from_box.setCurrentIndex(window.from_box.findText("files@", Qt.MatchFlag.MatchContains))
    assert not window.later_button.isEnabled()
    assert not window.send_button.isEnabled()
    assert "add a mailbox in the mail pane" in window.notice.text
    window.from_box.setCurrentIndex(window.from_box.findText("mara@", Qt.MatchFlag.MatchContains))
    assert window.later_button.isEnabled()


def test_a_filled_template_takes_the_word_about_a_broken_one_away(
    write: Callable[..., ComposeWindow],
) -> None:
    from desktop_crm.core.errors import UserError

    window = write()
    window.show_error(UserError("The template cannot be filled in."))
    window.insert_template("", "Good day")
    assert window.notice.text == ""


def test_a_lead_is_written_to_by_name_and_not_by_its_topic(company: Company) -> None:
    company.add(
        "lead", "hall",
        {"subject": "Packing hall, cheap rival", "first_name": "Ion", "last_name": "Pop",
         "email": "ion@pop.example"},
    )  # fmt: skip
    (found,) = mail_people.suggest(company.actor, "Packing hall")
    assert (found.name, found.address) == ("Ion Pop", "ion@pop.example")
    assert found.note == "Packing hall, cheap rival"
    (found,) = mail_people.of_records(company.actor, "lead", [company.ids["hall"]])
    assert found.name == "Ion Pop"
