"""Dialogs by keyboard: import, export, a mailbox, databases, about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPushButton, QWidget

from desktop_crm.core.settings import Settings
from desktop_crm.services import databases
from desktop_crm.services.imports import ImportPlan
from desktop_crm.services.imports.draft import Outcome
from desktop_crm.services.query import RecordQuery, count
from desktop_crm.views.dialogs.about import AboutDialog
from desktop_crm.views.dialogs.database import CreateDatabaseDialog, OpenDatabaseDialog
from desktop_crm.views.dialogs.export_dialog import ExportDialog
from desktop_crm.views.dialogs.import_wizard import CHECK, COLUMNS, RESULT, ImportWizard
from tests.support.company import Company
from tests.support.windows import child, expect

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench

CONTACTS = """First name,Last name,E-mail,Company
Ana,Pop,ana@pop.example,Officine Rossi
Ion,Rus,ion@rus.example,Oficine Rossi
"""


def parent(bench: Workbench) -> QWidget:
    return bench.shell.window_widget()


@pytest.fixture
def wizard(bench: Workbench, tmp_path: Path) -> ImportWizard:
    file = tmp_path / "people.csv"
    file.write_text(CONTACTS, encoding="utf-8")
    made = ImportWizard(parent(bench), bench, "contact")
    made.show()
    made.path.setText(str(file))
    return made


def forward(wizard: ImportWizard, bench: Workbench, qtbot: QtBot) -> None:
    QTest.keyClick(wizard, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not bench.tasks.busy, timeout=15_000)


def contacts(bench: Workbench) -> int:
    return count(bench.actor, RecordQuery("contact", ("full_name",)))


def test_a_file_is_imported_by_pressing_enter(
    wizard: ImportWizard, bench: Workbench, qtbot: QtBot
) -> None:
    before = contacts(bench)
    forward(wizard, bench, qtbot)
    assert wizard._step == COLUMNS
    fields = {column.header: combo.currentData() for column, combo in wizard.columns._combos}
    assert fields["E-mail"] == "email"
    assert fields["Company"] == "account"
    forward(wizard, bench, qtbot)
    assert wizard._step == CHECK
    assert expect(wizard._plan, ImportPlan).counts["create"] == 2
    forward(wizard, bench, qtbot)
    assert wizard._step == RESULT
    assert contacts(bench) == before + 2
    wizard.close()


def test_the_import_is_taken_back(wizard: ImportWizard, bench: Workbench, qtbot: QtBot) -> None:
    before = contacts(bench)
    for _ in range(3):
        forward(wizard, bench, qtbot)
    wizard._undo.click()
    qtbot.waitUntil(lambda: not bench.tasks.busy)
    assert contacts(bench) == before
    wizard.close()


def test_an_unknown_value_is_settled_by_its_near_match(
    wizard: ImportWizard, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    for _ in range(2):
        forward(wizard, bench, qtbot)
    combo = child(wizard, QComboBox, "import.value.account.Oficine Rossi")
    assert combo.itemText(1) == "Officine Rossi"
    combo.setCurrentIndex(1)
    combo.activated.emit(1)
    qtbot.waitUntil(lambda: not bench.tasks.busy)
    rows = {row.title: row for row in expect(wizard._plan, ImportPlan).rows}
    assert rows["Ion Rus"].values["account"] == company.ids["rossi"]
    wizard.close()


def test_a_column_is_left_out(wizard: ImportWizard, bench: Workbench, qtbot: QtBot) -> None:
    forward(wizard, bench, qtbot)
    combo = next(one for column, one in wizard.columns._combos if column.header == "Company")
    combo.setCurrentIndex(0)
    forward(wizard, bench, qtbot)
    assert "account" not in expect(wizard._plan, ImportPlan).mapping.values()
    wizard.close()


def test_a_file_that_is_none_is_told_in_one_sentence(
    wizard: ImportWizard, bench: Workbench, qtbot: QtBot, tmp_path: Path
) -> None:
    wizard.path.setText(str(tmp_path / "missing.csv"))
    forward(wizard, bench, qtbot)
    assert wizard.notice.text
    assert wizard._step == 0
    wizard.close()


def test_a_changed_workbook_comes_back_with_its_conflict(
    bench: Workbench, company: Company, qtbot: QtBot, tmp_path: Path
) -> None:
    import openpyxl

    from desktop_crm.services import records
    from desktop_crm.services.excel.writing import export

    path = tmp_path / "accounts.xlsx"
    export(company.actor, RecordQuery("account", ("name", "tax_id")), path)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    cells = [cell for line in sheet.iter_rows() for cell in line if cell.value == "Officine Rossi"]
    cells[-1].value = "Rossi of the file"
    book.save(path)
    records.save(company.actor, "account", company.ids["rossi"], None, {"name": "Rossi of today"})
    wizard = ImportWizard(parent(bench), bench, "account")
    wizard.show()
    wizard.path.setText(str(path))
    for _ in range(2):
        forward(wizard, bench, qtbot)
    assert expect(wizard._plan, ImportPlan).counts["conflict"] == 1
    place = next(n for n, one in enumerate(wizard.check.model.rows) if one.conflicts)
    assert wizard.check.model.rows[place].outcome is Outcome.CONFLICT
    wizard.check.conflicts.setCurrentIndex(wizard.check.conflicts.findData("each"))
    index = wizard.check.model.index(place, 1)
    assert wizard.check.model.setData(
        index, Qt.CheckState.Checked.value, Qt.ItemDataRole.CheckStateRole
    )
    forward(wizard, bench, qtbot)
    values = records.get(company.actor, "account", company.ids["rossi"]).values
    assert values["name"] == "Rossi of the file"
    wizard.close()


def test_export_writes_what_was_chosen(
    bench: Workbench, company: Company, qtbot: QtBot, tmp_path: Path
) -> None:
    shown = RecordQuery("account", ("name",))
    ids = [company.ids["rossi"], company.ids["dumbrava"]]
    dialog = ExportDialog(parent(bench), bench, shown, ids)
    dialog.show()
    assert dialog.what_selected.isChecked()
    dialog.path.setText(str(tmp_path / "out"))
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not bench.tasks.busy, timeout=15_000)
    assert (tmp_path / "out.xlsx").is_file()
    assert dialog.notice.text.startswith("2 records were written")
    dialog.close()


def test_export_to_a_place_that_cannot_be_written(
    bench: Workbench, qtbot: QtBot, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    dialog = ExportDialog(parent(bench), bench, RecordQuery("account", ("name",)))
    dialog.show()
    dialog.path.setText(str(blocked / "out.xlsx"))
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not bench.tasks.busy, timeout=15_000)
    assert dialog.notice.text
    dialog.close()


# --- databases ---------------------------------------------------------------------------------


def test_a_database_is_created_and_opened(bench: Workbench, qtbot: QtBot, tmp_path: Path) -> None:
    opened: list[str] = []
    dialog = CreateDatabaseDialog(parent(bench), bench.tasks, opened.append)
    dialog.show()
    path = tmp_path / "new" / "company.db"
    dialog.path.setText(str(path))
    QTest.keyClick(dialog.path, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(opened), timeout=20_000)
    assert opened == [str(path)]
    assert databases.look(str(path)).state.value == "current"


def test_a_file_of_another_program_is_left_alone(
    bench: Workbench, qtbot: QtBot, tmp_path: Path
) -> None:
    opened: list[str] = []
    foreign = tmp_path / "notes.db"
    foreign.write_text("this is no database at all", encoding="utf-8")
    dialog = OpenDatabaseDialog(parent(bench), bench.tasks, Settings(), opened.append)
    dialog.show()
    dialog.address.setText(str(foreign))
    QTest.keyClick(dialog.address, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(dialog.notice.text), timeout=10_000)
    assert opened == []
    assert foreign.read_text(encoding="utf-8") == "this is no database at all"
    dialog.close()


def test_a_password_in_the_address_is_refused(bench: Workbench, qtbot: QtBot) -> None:
    dialog = OpenDatabaseDialog(parent(bench), bench.tasks, Settings(), print)
    dialog.show()
    dialog.address.setText("postgresql://mara:secret@db.firm.example/crm")
    assert dialog._password_row.isVisible()
    QTest.keyClick(dialog.address, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(dialog.notice.text), timeout=10_000)
    assert "secret" not in dialog.notice.text
    dialog.close()


def test_an_older_database_is_upgraded_after_a_backup(
    bench: Workbench, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    path = Path(databases.create(str(tmp_path / "old.db")))
    states = iter(("older", "current"))
    real = databases.look

    def look(url: str, password: str | None = None) -> databases.Look:
        from dataclasses import replace

        from desktop_crm.db.migrate import SchemaState

        return replace(real(url, password), state=SchemaState(next(states)))

    monkeypatch.setattr(databases, "look", look)
    monkeypatch.setattr(databases, "upgrade", lambda *_args: path.with_name("old-0000.db"))
    dialog = OpenDatabaseDialog(parent(bench), bench.tasks, Settings(), opened.append)
    dialog.show()
    dialog.address.setText(str(path))
    QTest.keyClick(dialog.address, Qt.Key.Key_Return)
    button = child(dialog, QPushButton, "openDatabase.upgrade")
    qtbot.waitUntil(lambda: button.isVisible() and button.isEnabled(), timeout=10_000)
    assert "older version" in dialog.notice.text
    button.click()
    qtbot.waitUntil(lambda: bool(opened), timeout=10_000)
    assert opened == [str(path)]


def test_a_recent_database_opens_by_keyboard(
    bench: Workbench, qtbot: QtBot, tmp_path: Path
) -> None:
    opened: list[str] = []
    path = databases.create(str(tmp_path / "a.db"))
    settings = Settings(recent_databases=[path])
    dialog = OpenDatabaseDialog(parent(bench), bench.tasks, settings, opened.append)
    dialog.show()
    dialog.recent.setFocus()
    QTest.keyClick(dialog.recent, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: opened == [path], timeout=10_000)


def test_about_tells_version_and_licences(bench: Workbench, company: Company) -> None:
    dialog = AboutDialog(parent(bench), company.actor)
    dialog.show()
    assert "SQLite" in dialog.facts()
    assert "SIL" in dialog.licences.toPlainText() or "Inter" in dialog.licences.toPlainText()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
