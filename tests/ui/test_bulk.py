"""Changing many records from the list, by keyboard: fields, tags, activities, mail, deletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import pytest
from PySide6.QtCore import QEvent, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
)

from desktop_crm.services import query, records, undo
from desktop_crm.services.filters import Rule
from desktop_crm.services.mail.noting import Notes
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.bulk import commands, mail_dialog
from desktop_crm.views.bulk.deeds_dialogs import BulkActivityDialog, BulkDeleteDialog
from desktop_crm.views.bulk.edit_dialog import BulkEditDialog
from desktop_crm.views.bulk.mail_dialog import BulkMailDialog, mail_link, write_draft
from desktop_crm.views.forms.editor import Editor
from desktop_crm.views.panes.record_pane import RecordPane
from tests.support.windows import child, pane_of, settle, shell_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

D = TypeVar("D", bound=QDialog)


@pytest.fixture
def opened(bench: Workbench, qtbot: QtBot) -> Callable[[str], RecordPane]:
    """A function that shows the pane of an entity, everything in it selected."""

    def show(entity: str) -> RecordPane:
        pane = pane_of(bench, qtbot, entity, "all")
        pane.list.table.selectAll()
        return pane

    return show


def dialog_of(bench: Workbench, kind: type[D]) -> D:
    return child(bench.shell.window_widget(), kind)


def run(pane: RecordPane, command: str) -> None:
    action = next(a for a in pane.commands() if a.id == command)
    assert action.is_enabled
    action.run()


def choose(dialog: QDialog, name: str, value: str) -> None:
    combo = child(dialog, QComboBox, name)
    index = combo.findData(value)
    assert index >= 0, value
    combo.setFocus()
    combo.setCurrentIndex(index)


def type_into(dialog: QDialog, name: str, text: str) -> None:
    line = child(dialog, QLineEdit, name)
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)


def press(dialog: QDialog, name: str) -> None:
    button = child(dialog, QAbstractButton, name)
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)


def values(bench: Workbench, entity: str, field: str) -> set[object]:
    found = query.first_page(bench.actor, RecordQuery(entity, (field,)))
    return {row.values[0] for row in found}


def test_a_field_of_all_selected_is_set(
    opened: Callable[[str], RecordPane], bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    run(pane, "bulk.edit")
    dialog = dialog_of(bench, BulkEditDialog)
    choose(dialog, "bulkEdit.row1.field", "industry")
    type_into(dialog, "bulkEdit.row1.value", "Lighting")
    press(dialog, "bulkEdit.go")
    settle(qtbot, bench)
    assert values(bench, "account", "industry") == {"Lighting"}
    title, _text = shell_of(bench).toasts[-1]
    assert f"{pane.list.count} records were changed" in title
    undo.undo(bench.actor)
    assert values(bench, "account", "industry") != {"Lighting"}


def test_fields_are_changed_by_keyboard_alone(
    opened: Callable[[str], RecordPane], bench: Workbench, qtbot: QtBot
) -> None:
    run(opened("account"), "bulk.edit")
    dialog = dialog_of(bench, BulkEditDialog)
    dialog.activateWindow()
    qtbot.waitUntil(lambda: child(dialog, QComboBox, "bulkEdit.row1.field").hasFocus())

    def keys(*typed: str | Qt.Key) -> None:
        for one in typed:
            here = dialog.focusWidget()
            assert here is not None
            if isinstance(one, str):
                QTest.keyClicks(here, one)
            else:
                QTest.keyClick(here, one)

    tab = Qt.Key.Key_Tab
    keys("Industry", tab, tab, "Lighting", tab, tab, Qt.Key.Key_Space)
    qtbot.waitUntil(child(dialog, QComboBox, "bulkEdit.row2.field").isVisible)
    keys("City", tab, tab, "Cluj", Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert values(bench, "account", "industry") == {"Lighting"}
    assert values(bench, "account", "city") == {"Cluj"}


def test_a_field_is_emptied_only_by_word(
    opened: Callable[[str], RecordPane], bench: Workbench, qtbot: QtBot
) -> None:
    before = values(bench, "account", "industry")
    run(opened("account"), "bulk.edit")
    dialog = dialog_of(bench, BulkEditDialog)
    choose(dialog, "bulkEdit.row1.field", "industry")
    press(dialog, "bulkEdit.go")
    settle(qtbot, bench)
    assert "“Clear”" in dialog._rows[0].note.text()
    assert values(bench, "account", "industry") == before
    choose(dialog, "bulkEdit.row1.mode", "clear")
    press(dialog, "bulkEdit.go")
    settle(qtbot, bench)
    assert values(bench, "account", "industry") == {None}


def test_a_wrong_value_is_said_beside_its_field_and_nothing_changes(
    opened: Callable[[str], RecordPane], bench: Workbench, qtbot: QtBot
) -> None:
    before = values(bench, "account", "employees")
    run(opened("account"), "bulk.edit")
    dialog = dialog_of(bench, BulkEditDialog)
    press(dialog, "bulkEdit.go")
    assert "Choose a field" in dialog._rows[0].note.text()
    choose(dialog, "bulkEdit.row1.field", "employees")
    choose(dialog, "bulkEdit.row1.mode", "percent")
    type_into(dialog, "bulkEdit.row1.amount", "a lot")
    press(dialog, "bulkEdit.go")
    settle(qtbot, bench)
    assert not dialog._rows[0].note.isHidden() or dialog.notice.text
    assert values(bench, "account", "employees") == before
    press(dialog, "bulkEdit.more")
    choose(dialog, "bulkEdit.row2.field", "employees")
    choose(dialog, "bulkEdit.row1.mode", "clear")
    press(dialog, "bulkEdit.go")
    assert "above already" in dialog._rows[1].note.text()
    press(dialog, "bulkEdit.row2.drop")
    assert len(dialog._rows) == 1


def test_what_could_not_be_changed_is_listed(
    opened: Callable[[str], RecordPane], bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    gone = pane.list.selected_ids()[0]
    run(pane, "bulk.edit")
    dialog = dialog_of(bench, BulkEditDialog)
    records.delete(bench.actor, "account", [gone])
    choose(dialog, "bulkEdit.row1.field", "industry")
    type_into(dialog, "bulkEdit.row1.value", "Light")
    press(dialog, "bulkEdit.go")
    settle(qtbot, bench)
    assert dialog.isVisible()
    assert "1 record was left as it is" in dialog.notice.text
    assert dialog.failures.model().rowCount() == 1
    press(dialog, "bulkEdit.copy")
    assert "deleted meanwhile" in QGuiApplication.clipboard().text()
    press(dialog, "bulkEdit.undo")
    settle(qtbot, bench)
    assert "put back" in dialog.notice.text
    assert "Light" not in values(bench, "account", "industry")


def test_assigning_and_tagging_begin_with_their_field(
    opened: Callable[[str], RecordPane], bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    run(pane, "bulk.assign")
    dialog = dialog_of(bench, BulkEditDialog)
    assert dialog._rows[0].chosen == "owner"
    dialog.reject()
    qtbot.waitUntil(lambda: bench.shell.window_widget().findChild(BulkEditDialog) is None)
    run(pane, "bulk.tag")
    dialog = dialog_of(bench, BulkEditDialog)
    assert dialog._rows[0].chosen == "tags"
    # The field is known: typing begins with the tag.
    assert dialog.focusWidget().objectName() == "bulkEdit.row1.value"


def test_each_contact_gets_a_task(
    opened: Callable[[str], RecordPane], bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("contact")
    run(pane, "bulk.activity")
    dialog = dialog_of(bench, BulkActivityDialog)
    press(dialog, "bulkActivity.go")
    assert "what it is about" in dialog._labelled["subject"].note.text()
    type_into(dialog, "bulkActivity.subject", "Season's greetings")
    press(dialog, "bulkActivity.go")
    settle(qtbot, bench)
    asked = RecordQuery("activity", ("contact.id",), Rule("subject", "=", "Season's greetings"))
    found = [row.values[0] for row in query.first_page(bench.actor, asked)]
    assert sorted(found) == sorted(pane.list.selected_ids())


def test_many_are_deleted_after_a_question(
    opened: Callable[[str], RecordPane],
    bench: Workbench,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "ASKED_FROM", 2)
    pane = opened("account")
    pane.list.table.setFocus()
    QTest.keyClick(pane.list.table, Qt.Key.Key_Delete)
    dialog = dialog_of(bench, BulkDeleteDialog)
    count = pane.list.count
    QTest.keyClick(dialog.go, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert not query.keys(bench.actor, RecordQuery("account", ("name",)))
    undo.undo(bench.actor)
    assert len(query.keys(bench.actor, RecordQuery("account", ("name",)))) == count


def test_a_mail_to_all_opens_with_blind_copies_and_is_noted(
    opened: Callable[[str], RecordPane],
    bench: Workbench,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    links: list[QUrl] = []

    def open_url(link: QUrl) -> bool:
        links.append(link)
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    pane = opened("contact")
    run(pane, "bulk.mail")
    settle(qtbot, bench)
    dialog = dialog_of(bench, BulkMailDialog)
    included = dialog._addresses()
    assert included
    press(dialog, "bulkMail.copy")
    assert QGuiApplication.clipboard().text() == "; ".join(included)
    type_into(dialog, "bulkMail.subject", "News & dates")
    child(dialog, QCheckBox, "bulkMail.note").setChecked(True)
    press(dialog, "bulkMail.go")
    settle(qtbot, bench)
    assert links
    assert "bcc=" in links[0].toString()
    assert all(address in links[0].toString() for address in included)
    asked = RecordQuery("activity", ("kind",), Rule("subject", "=", "News & dates"))
    found = query.first_page(bench.actor, asked)
    assert {row.values[0] for row in found} == {"email"}
    assert len(found) == len(included)


@pytest.mark.usefixtures("office")
def test_who_has_a_mailbox_writes_to_all_here(
    opened: Callable[[str], RecordPane],
    bench: Workbench,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[dict[str, object]] = []
    monkeypatch.setattr(
        bench.shell, "new_record", lambda key, **defaults: begun.append({"key": key, **defaults})
    )
    run(opened("contact"), "bulk.mail")
    settle(qtbot, bench)
    dialog = dialog_of(bench, BulkMailDialog)
    found = [(one.title, one.address) for one in dialog._found.included] if dialog._found else []
    type_into(dialog, "bulkMail.subject", "News")
    QTest.keyClick(dialog.subject, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert found
    letter = {"key": "mail_message", "bcc": found, "subject": "News"}
    assert begun == [{**letter, "notes": None}]


@pytest.fixture
def office(bench: Workbench) -> int:
    """A mailbox that sends, so that letters are written here."""
    box = {"name": "Office", "kind": "imap", "address": "a@firm.example",
           "server": "imaps://mail.firm.example", "user": bench.actor.user_id}  # fmt: skip
    return records.save(bench.actor, "mailbox", None, None, box).id


@pytest.mark.usefixtures("office")
def test_a_letter_written_here_is_not_noted_when_it_opens_but_waits(
    opened: Callable[[str], RecordPane], bench: Workbench, qtbot: QtBot
) -> None:
    before = len(query.keys(bench.actor, RecordQuery("activity", ("subject",))))
    run(opened("contact"), "bulk.mail")
    settle(qtbot, bench)
    dialog = dialog_of(bench, BulkMailDialog)
    assert dialog._found is not None
    included = dialog._found.included
    assert "once it has left" in child(dialog, QLabel, "bulkMail.noteWhen").text()
    type_into(dialog, "bulkMail.subject", "News")
    note = child(dialog, QCheckBox, "bulkMail.note")
    QTest.keyClick(note, Qt.Key.Key_Space)
    assert note.isChecked()
    assert "cannot be known here" in note.accessibleDescription()
    QTest.keyClick(dialog.subject, Qt.Key.Key_Return)
    settle(qtbot, bench)
    ((kind, begun),) = shell_of(bench).new
    wanted = Notes("contact", tuple((one.record_id, one.address) for one in included))
    assert (kind, begun["notes"]) == ("mail_message", wanted)
    assert len(query.keys(bench.actor, RecordQuery("activity", ("subject",)))) == before


def test_without_a_mailbox_it_is_said_that_nobody_knows_whether_it_was_sent(
    opened: Callable[[str], RecordPane], bench: Workbench, qtbot: QtBot
) -> None:
    run(opened("contact"), "bulk.mail")
    settle(qtbot, bench)
    said = child(dialog_of(bench, BulkMailDialog), QLabel, "bulkMail.noteWhen")
    assert said.isVisible()
    assert said.text().startswith("It is noted when the mail program opens, whether")


def test_a_missing_mail_program_is_said(
    opened: Callable[[str], RecordPane],
    bench: Workbench,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _link: False)
    monkeypatch.setattr(mail_dialog, "_LONGEST_LINK", 10)
    run(opened("contact"), "bulk.mail")
    settle(qtbot, bench)
    dialog = dialog_of(bench, BulkMailDialog)
    press(dialog, "bulkMail.go")
    assert "No mail program answered" in dialog.notice.text


def test_a_draft_for_many_addresses_is_unsent_and_blind(tmp_path: Path) -> None:
    from email import message_from_bytes, policy

    addresses = [f"name{n}@company.example" for n in range(200)]
    assert len(mail_link(addresses, "ș")) > 2_000
    path = write_draft(addresses, "Știri")
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["X-Unsent"] == "1"
    assert message["Subject"] == "Știri"
    assert str(message["Bcc"]).count("@") == 200
    assert message["To"] is None


@pytest.mark.parametrize("command", ["bulk.tag", "bulk.assign"])
def test_who_tags_or_assigns_begins_at_the_value(
    opened: Callable[[str], RecordPane], bench: Workbench, qtbot: QtBot, command: str
) -> None:
    pane = opened("account")
    run(pane, command)
    settle(qtbot, bench)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    value = child(dialog_of(bench, BulkEditDialog), Editor, "bulkEdit.row1.value.box")
    qtbot.waitUntil(lambda: value.isAncestorOf(QApplication.focusWidget() or pane))


def test_a_list_still_counting_is_changed_whole(
    opened: Callable[[str], RecordPane], company: Company
) -> None:
    pane = opened("account")
    pane.list.is_exact = False
    targets, _count = commands.targets_of(pane.target)
    assert targets.query is not None
    assert len(targets.keys(company.actor)) == pane.list.count
