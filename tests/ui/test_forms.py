"""Forms: what counts as changed, what is wrong and where, conflicts, leaving."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QDialog, QLineEdit

from desktop_crm.core.errors import FieldError, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.services import records
from desktop_crm.views.forms import editing as editing_module
from desktop_crm.views.forms.conflict_dialog import ConflictDialog
from desktop_crm.views.forms.editing import RecordEditing
from desktop_crm.views.forms.editor import LineEditor
from desktop_crm.views.forms.form_dialog import FormDialog
from desktop_crm.views.forms.lines_grid import LinesEditor
from desktop_crm.views.forms.link_editor import LinkEditor
from desktop_crm.views.forms.record_form import RecordForm
from desktop_crm.views.widgets.cards import Notice
from tests.support.windows import RecordingShell, expect, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company


class Opened:
    """A form with a record in it."""

    def __init__(self, bench: Workbench, qtbot: QtBot, entity: str, record_id: int) -> None:
        self.form = RecordForm(entity, bench)
        self.notice = Notice()
        qtbot.addWidget(self.form)
        qtbot.addWidget(self.notice)
        self.editing = RecordEditing(self.form, self.notice, bench)
        self.form.show()
        self.editing.open(record_id)
        settle(qtbot, bench)

    def line(self, name: str) -> QLineEdit:
        editor = self.form.boxes[name].editor
        assert isinstance(editor, LineEditor)
        return editor.line


@pytest.fixture
def deal(company: Company, bench: Workbench, qtbot: QtBot) -> Opened:
    return Opened(bench, qtbot, "opportunity", company.ids["Packaging line"])


def retype(line: QLineEdit, text: str) -> None:
    line.selectAll()
    QTest.keyClicks(line, text)


def test_opening_changes_nothing(deal: Opened) -> None:
    assert not deal.form.is_dirty
    assert deal.form.changes() == {}


def test_a_typed_change_is_a_change_and_typing_it_back_is_none(deal: Opened) -> None:
    retype(deal.line("name"), "Other")
    assert deal.form.changes() == {"name": "Other"}
    retype(deal.line("name"), "Packaging line")
    assert not deal.form.is_dirty


def test_every_main_form_shows_a_record_without_changing_it(
    company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    for entity, name in (
        ("account", "rossi"),
        ("contact", "claire"),
        ("opportunity", "Idea"),
        ("activity", "demo"),
    ):
        opened = Opened(bench, qtbot, entity, company.ids[name])
        assert opened.form.check_all(), entity
        assert not opened.form.is_dirty, entity


def test_a_number_that_is_none_is_told_beside_the_field(deal: Opened) -> None:
    retype(deal.line("amount"), "12.x00")
    assert not deal.editing.save()
    box = deal.form.boxes["amount"]
    assert "12.x00" in box.error.text()
    assert deal.line("amount").property("error") is True
    assert deal.line("amount").hasFocus()
    retype(deal.line("amount"), "12500")
    assert box.error.text() == ""


def test_a_required_field_left_empty_is_told(deal: Opened) -> None:
    deal.line("name").clear()
    QTest.keyClicks(deal.line("name"), " ")
    assert not deal.editing.save()
    assert deal.form.boxes["name"].error.text()
    assert deal.notice.text


def test_saving_writes_the_changes_and_tells_the_others(
    deal: Opened, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    retype(deal.line("amount"), "12500")
    with qtbot.waitSignal(bench.bus.changed) as told:
        assert deal.editing.save()
    settle(qtbot, bench)
    assert not deal.form.is_dirty
    saved = records.get(company.actor, "opportunity", company.ids["Packaging line"])
    assert saved.values["amount"] == Decimal(12500)
    assert told.args[0].touches("opportunity")


def test_what_the_service_finds_stands_beside_its_field(deal: Opened) -> None:
    others = deal.form.show_errors(
        (
            FieldError("close_on", N_("The closing day lies in the future.")),
            FieldError("unknown", N_("Fill in this field.")),
        )
    )
    assert deal.form.boxes["close_on"].error.text() == "The closing day lies in the future."
    assert others == ["Fill in this field."]


def change_elsewhere(company: Company, values: dict[str, Any]) -> None:
    key = company.ids["Packaging line"]
    now = records.get(company.actor, "opportunity", key)
    records.save(company.actor, "opportunity", key, now.version, values)


def test_changes_of_different_fields_are_merged_and_told(
    deal: Opened, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    change_elsewhere(company, {"next_step": "Call"})
    retype(deal.line("amount"), "12500")
    assert deal.editing.save()
    settle(qtbot, bench)
    shell = bench.shell
    assert isinstance(shell, RecordingShell)
    assert shell.toasts[0][0] == "Saved and merged"
    saved = records.get(company.actor, "opportunity", company.ids["Packaging line"])
    assert (saved.values["next_step"], saved.values["amount"]) == ("Call", Decimal(12500))


def conflict_of(deal: Opened, bench: Workbench, qtbot: QtBot) -> ConflictDialog:
    assert deal.editing.save()
    qtbot.waitUntil(lambda: bool(deal.form.window().findChildren(ConflictDialog)))
    return deal.form.window().findChildren(ConflictDialog)[0]


def test_a_conflict_shows_the_field_and_saves_the_choice(
    deal: Opened, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    change_elsewhere(company, {"name": "Theirs"})
    retype(deal.line("name"), "Mine")
    dialog = conflict_of(deal, bench, qtbot)
    assert set(dialog.keeps_mine()) == {"name"}
    dialog.accept()
    settle(qtbot, bench)
    saved = records.get(company.actor, "opportunity", company.ids["Packaging line"])
    assert saved.values["name"] == "Mine"


def test_their_value_can_be_chosen(
    deal: Opened, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    change_elsewhere(company, {"name": "Theirs"})
    retype(deal.line("name"), "Mine")
    retype(deal.line("amount"), "999")
    dialog = conflict_of(deal, bench, qtbot)
    dialog.findChild(QDialog, "x")
    for button in dialog.findChildren(type(dialog._groups["name"].button(1))):
        if button.objectName() == "conflict.name.theirs":
            button.click()
    dialog.accept()
    settle(qtbot, bench)
    saved = records.get(company.actor, "opportunity", company.ids["Packaging line"])
    assert (saved.values["name"], saved.values["amount"]) == ("Theirs", Decimal(999))
    assert deal.line("name").text() == "Theirs"


def test_giving_up_a_conflict_keeps_the_edits(
    deal: Opened, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    change_elsewhere(company, {"name": "Theirs"})
    retype(deal.line("name"), "Mine")
    conflict_of(deal, bench, qtbot).reject()
    settle(qtbot, bench)
    assert deal.form.is_dirty
    assert deal.line("name").text() == "Mine"
    assert deal.notice.text


def test_leaving_asks_only_when_something_would_be_lost(
    deal: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answers = ["stay", "discard"]

    def answer(_parent: object, title: str, *_rest: object) -> str:
        asked.append(title)
        return answers.pop(0)

    monkeypatch.setattr(editing_module, "ask", answer)
    assert deal.editing.may_leave()
    assert asked == []
    retype(deal.line("name"), "Mine")
    assert not deal.editing.may_leave()
    assert deal.editing.may_leave()
    assert len(asked) == 2
    assert not deal.form.is_dirty


# --- links and lines ----------------------------------------------------------------------------


@pytest.mark.qt_log_ignore("raise\\(\\)", "grabbing the keyboard")
def test_a_link_is_chosen_from_what_is_found(
    deal: Opened, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    editor = deal.form.boxes["account"].editor
    assert isinstance(editor, LinkEditor)
    editor.line.setFocus()
    retype(editor.line, "dumb")
    with pytest.raises(UserError):
        editor.value()
    qtbot.waitUntil(lambda: editor._found.rowCount() > 0)
    settle(qtbot, bench)
    editor._choose("Dumbrava Mobilă")
    editor._popup.hide()
    assert deal.form.changes() == {"account": company.ids["dumbrava"]}


def test_clearing_a_link_empties_it(deal: Opened, bench: Workbench, qtbot: QtBot) -> None:
    editor = deal.form.boxes["account"].editor
    assert isinstance(editor, LinkEditor)
    editor.line.selectAll()
    QTest.keyClick(editor.line, Qt.Key.Key_Delete)
    assert deal.form.changes() == {"account": None}
    settle(qtbot, bench)


@pytest.fixture
def person(company: Company, bench: Workbench, qtbot: QtBot) -> Opened:
    return Opened(bench, qtbot, "contact", company.ids["claire"])


def emails(opened: Opened) -> LinesEditor:
    editor = opened.form.boxes["emails"].editor
    assert isinstance(editor, LinesEditor)
    return editor


def test_child_rows_are_shown_with_their_keys(person: Opened) -> None:
    rows = emails(person).value()
    assert isinstance(rows, list)
    assert [row["address"] for row in rows] == ["claire@rossi.example"]
    assert rows[0]["id"] > 0


def test_an_added_row_is_saved_with_its_parent(
    person: Opened, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    editor = emails(person)
    editor._add.click()
    row = editor.rows[-1].editors["address"]
    assert isinstance(row, LineEditor)
    QTest.keyClicks(row.line, "c@home.example")
    assert person.editing.save()
    settle(qtbot, bench)
    saved = records.get(company.actor, "contact", company.ids["claire"])
    assert [line["address"] for line in saved.lines["emails"]] == [
        "claire@rossi.example",
        "c@home.example",
    ]


def test_a_blank_added_row_is_no_change_to_save(person: Opened) -> None:
    editor = emails(person)
    before = editor.value()
    editor._add.click()
    assert editor.value() == before


def test_only_one_row_is_primary(person: Opened) -> None:
    editor = emails(person)
    editor._add.click()
    second = editor.rows[1].editors["is_primary"]
    expect(second.focusProxy(), QAbstractButton).click()
    assert [row.is_primary for row in editor.rows] == [False, True]


def test_removing_the_primary_row_makes_another_primary(person: Opened) -> None:
    editor = emails(person)
    editor._add.click()
    address = editor.rows[1].editors["address"]
    assert isinstance(address, LineEditor)
    QTest.keyClicks(address.line, "c@home.example")
    editor.rows[0]._remove.click()
    assert [row.is_primary for row in editor.rows] == [True]


def test_a_wrong_address_is_told_in_its_row(person: Opened) -> None:
    editor = emails(person)
    address = editor.rows[0].editors["address"]
    assert isinstance(address, LineEditor)
    retype(address.line, "nonsense")
    assert not person.editing.save()
    assert "nonsense" in editor.rows[0]._error.text()


# --- the dialog ---------------------------------------------------------------------------------


def test_a_new_record_counts_its_defaults_as_changed(
    company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    dialog = FormDialog(
        bench.shell.window_widget(),
        "opportunity",
        bench,
        defaults={"account": company.ids["rossi"], "name": "Fresh"},
    )
    dialog.show()
    settle(qtbot, bench)
    assert dialog.form.changes()["account"] == company.ids["rossi"]
    account = dialog.form.boxes["account"].editor
    assert isinstance(account, LinkEditor)
    assert account.line.text() == "Officine Rossi"
    assert dialog._save.isEnabled()
    dialog.form.settle()
    dialog.close()


def test_ctrl_s_saves_and_stays(company: Company, bench: Workbench, qtbot: QtBot) -> None:
    key = company.ids["rossi"]
    dialog = FormDialog(bench.shell.window_widget(), "account", bench, record_id=key)
    dialog.show()
    settle(qtbot, bench)
    assert not dialog._save.isEnabled()
    name = dialog.form.boxes["name"].editor
    assert isinstance(name, LineEditor)
    retype(name.line, "Rossi e figli")
    assert dialog._save.isEnabled()
    assert dialog.windowTitle().endswith("•")
    dialog._save_and_stay()
    settle(qtbot, bench)
    assert records.get(company.actor, "account", key).title == "Rossi e figli"
    assert dialog.isVisible()
    assert not dialog._save.isEnabled()
    dialog.close()


def test_a_record_one_may_not_change_is_read_only(
    company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    from dataclasses import replace

    opened = Opened(bench, qtbot, "account", company.ids["rossi"])
    assert opened.editing.record is not None
    opened.editing.show(replace(opened.editing.record, can_edit=False))
    assert opened.line("name").isReadOnly()
    assert opened.notice.text


def test_what_is_wrong_in_a_line_is_said_once(bench: Workbench, qtbot: QtBot) -> None:
    form = RecordForm("account", bench)
    qtbot.addWidget(form)
    form.load(records.new(bench.actor, "account", name="Acme"))
    box = form.boxes["emails"]
    box.editor.load([{"address": "nobody at all"}])
    assert not form.check_all()
    assert box.error.text()
    assert not box.error.isVisibleTo(box)
