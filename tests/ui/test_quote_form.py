"""A quote in its window: typed line by line, with the sums beside it, to the printed page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)
from shiboken6 import isValid

from desktop_crm.core import clock
from desktop_crm.services import records
from desktop_crm.services.rules import quotes
from desktop_crm.views.custom.lines_editor import LinesTable
from tests.support.company import NOW
from tests.support.quoting import quoting_company
from tests.support.windows import RecordingShell, settle

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_crm.db.engine import Database
    from desktop_crm.views.custom.quote_form import QuoteDialog
    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

D = Decimal
Open = Callable[..., "QuoteDialog"]


@pytest.fixture
def company(sqlite_db: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return quoting_company(sqlite_db)


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    made.resize(1440, 900)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def open_quote(qtbot: QtBot, bench: Workbench, window: QWidget) -> Iterator[Open]:
    from desktop_crm.views.custom.quote_form import QuoteDialog

    opened: list[QuoteDialog] = []

    def make(record_id: int | None = None, **defaults: Any) -> QuoteDialog:
        dialog = QuoteDialog(window, "quote", bench, record_id=record_id, defaults=defaults)
        opened.append(dialog)
        dialog.show()
        settle(qtbot, bench)
        return dialog

    yield make
    for dialog in filter(isValid, opened):
        dialog.form.settle()
        dialog.close()


def stored(company: Company, lines: list[dict[str, Any]], **values: Any) -> int:
    return records.save(
        company.actor, "quote", None, None,
        {"name": "Pumps", "account": company.ids["rossi"], "lines": lines, **values},
    ).id  # fmt: skip


def pump(company: Company, quantity: str = "1", **values: Any) -> dict[str, Any]:
    return {"product": company.ids["Pump"], "quantity": D(quantity), **values}


def shown(dialog: QuoteDialog, row: int) -> list[str]:
    model = dialog.form.lines.model
    return [str(model.index(row, column).data() or "") for column in range(model.columnCount())]


def edit_cell(qtbot: QtBot, dialog: QuoteDialog, row: int, column: int) -> QWidget:
    table = dialog.form.lines.table
    index = dialog.form.lines.model.index(row, column)
    table.setCurrentIndex(index)
    table.edit(index)
    editor = table.indexWidget(index)
    assert editor is not None
    return editor


def type_into(qtbot: QtBot, dialog: QuoteDialog, row: int, column: int, text: str) -> None:
    editor = edit_cell(qtbot, dialog, row, column)
    if isinstance(editor, QLineEdit | QPlainTextEdit):
        editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    # The table takes what was typed in a later turn of the event loop.
    qtbot.waitUntil(lambda: not isValid(editor) or not editor.isVisible())


def visible_commands(dialog: QuoteDialog) -> set[str]:
    return {
        button.objectName().removeprefix("quote.")
        for button in dialog.findChildren(QPushButton)
        if button.objectName().startswith("quote.") and button.isVisibleTo(dialog)
    }


def answer_with(monkeypatch: pytest.MonkeyPatch, module: str, answer: str) -> list[str]:
    asked: list[str] = []

    def ask(_parent: object, title: str, _text: str, _buttons: object) -> str:
        asked.append(title)
        return answer

    monkeypatch.setattr(f"desktop_crm.views.custom.{module}.ask", ask)
    return asked


@pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)
def test_a_product_is_found_as_it_is_typed_and_brings_its_price(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    dialog = open_quote()
    editor = edit_cell(qtbot, dialog, 0, 0)
    QTest.keyClicks(editor, "pum")
    qtbot.waitUntil(lambda: editor._popup.isVisible(), timeout=5000)  # type: ignore[attr-defined]
    QTest.keyClick(editor._popup, Qt.Key.Key_Return)  # type: ignore[attr-defined]
    settle(qtbot, bench)
    assert shown(dialog, 0) == [
        "Pump", "Pump · Pump of good make", "1", "pcs", "120.00", "", "VAT S21", "120.00",
    ]  # fmt: skip
    assert dialog.form.totals.total.text() == "145.20 EUR"
    assert dialog.form.is_dirty


def test_the_sums_follow_every_field(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    dialog = open_quote(stored(company, [pump(company, "2")]))
    assert dialog.form.totals.total.text() == "290.40 EUR"
    type_into(qtbot, dialog, 0, 5, "50")
    qtbot.waitUntil(lambda: dialog.form.totals.total.text() == "145.20 EUR")
    dialog.form.boxes["discount_amount"].editor.load(D(20))
    dialog.form.boxes["discount_amount"].editor.changed.emit()
    qtbot.waitUntil(lambda: dialog.form.totals.total.text() == "121.00 EUR")
    dialog.form.boxes["discount_amount"].editor.load(D(500))
    dialog.form.boxes["discount_amount"].editor.changed.emit()
    qtbot.waitUntil(lambda: dialog.form.totals.problem.isVisibleTo(dialog))
    assert "larger" in dialog.form.totals.problem.text()


def test_what_is_typed_is_saved(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    quote = stored(company, [pump(company, "2"), pump(company)])
    dialog = open_quote(quote)
    type_into(qtbot, dialog, 0, 2, "5")
    settle(qtbot, bench)
    dialog.form.lines.table.setCurrentIndex(dialog.form.lines.model.index(1, 0))
    dialog.form.lines.remove()
    dialog._save_and_stay()
    settle(qtbot, bench)
    after = records.get(company.actor, "quote", quote)
    assert after.values["subtotal"] == D("600.00")
    assert [line["quantity"] for line in after.lines["lines"]] == [D(5)]
    assert not dialog.form.is_dirty


def test_a_new_quote_starts_with_day_validity_and_currency(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    dialog = open_quote()
    boxes = dialog.form.boxes
    assert boxes["quoted_on"].editor.value() is not None
    assert boxes["currency"].editor.value() == company.ids["EUR"]
    assert not dialog.form.is_dirty
    assert dialog.close()


def test_choosing_a_customer_brings_addresses_and_terms(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    account = records.get(company.actor, "account", company.ids["dumbrava"])
    values = {"price_list": company.ids["trade"]}
    records.save(company.actor, "account", company.ids["dumbrava"], account.version, values)
    dialog = open_quote()
    dialog.form.put("account", company.ids["dumbrava"], "Dumbrava Mobilă")
    settle(qtbot, bench)
    boxes = dialog.form.boxes
    assert str(boxes["bill_to"].editor.value()).startswith("Dumbrava Mobilă")
    assert boxes["payment_terms"].editor.value() == "14 zile"
    assert boxes["price_list"].editor.value() == company.ids["trade"]


@pytest.mark.parametrize(("answer", "price"), [("keep", "105.00"), ("take", "90.00")])
def test_a_quantity_that_crosses_a_break_asks_about_a_typed_price(
    qtbot: QtBot,
    bench: Workbench,
    company: Company,
    open_quote: Open,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    price: str,
) -> None:
    asked = answer_with(monkeypatch, "quote_fields", answer)
    row = pump(company, "2", unit_price=D(105))
    dialog = open_quote(stored(company, [row], price_list=company.ids["trade"]))
    type_into(qtbot, dialog, 0, 2, "12")
    settle(qtbot, bench)
    assert len(asked) == 1
    assert shown(dialog, 0)[4] == price


def test_a_price_of_the_list_follows_the_quantity_unasked(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    dialog = open_quote(stored(company, [pump(company, "2")], price_list=company.ids["trade"]))
    type_into(qtbot, dialog, 0, 2, "12")
    settle(qtbot, bench)
    assert shown(dialog, 0)[4] == "90.00"


def test_a_text_that_is_no_number_is_told_and_not_taken(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    dialog = open_quote(stored(company, [pump(company, "2")]))
    type_into(qtbot, dialog, 0, 2, "a dozen")
    assert shown(dialog, 0)[2] == "2"
    assert "a dozen" in dialog.notice.text


def test_a_text_that_names_no_record_is_told_and_not_taken(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    dialog = open_quote(stored(company, [pump(company, "2")]))
    type_into(qtbot, dialog, 0, 6, "no such tax")
    assert shown(dialog, 0)[6] == "VAT S21"
    assert "no such tax" in dialog.notice.text
    settle(qtbot, bench)


def test_a_link_can_be_cleared_and_a_text_has_lines(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    dialog = open_quote(stored(company, [pump(company, "2")]))
    editor = edit_cell(qtbot, dialog, 0, 0)
    QTest.keyClick(editor, Qt.Key.Key_Backspace)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown(dialog, 0)[0] == "")
    text = edit_cell(qtbot, dialog, 0, 1)
    QTest.keyClicks(text, "Pump")
    QTest.keyClick(text, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(text, "blue")
    QTest.keyClick(text, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown(dialog, 0)[1] == "Pump · blue")
    assert dialog.form.lines.model.values()[0]["description"] == "Pump\nblue"
    assert dialog.form.lines.model.values()[0]["product"] is None
    settle(qtbot, bench)


def test_a_line_the_rules_refuse_is_marked(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    dialog = open_quote(stored(company, [pump(company), pump(company)]))
    type_into(qtbot, dialog, 1, 5, "120")
    settle(qtbot, bench)
    dialog._save_and_stay()
    settle(qtbot, bench)
    assert "Line 2" in dialog.notice.text
    tip = dialog.form.lines.model.index(1, 5).data(Qt.ItemDataRole.ToolTipRole)
    assert "between 0 and 100" in tip
    assert records.get(company.actor, "quote", dialog.editing.record_id or 0).version == 1


def test_texts_subtotals_and_options(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    from desktop_crm.services.rules.pricing import LineKind

    dialog = open_quote(stored(company, [pump(company), pump(company)]))
    lines = dialog.form.lines
    lines.model.set_kind(1, LineKind.OPTIONAL)
    lines.model.add(LineKind.SUBTOTAL)
    qtbot.waitUntil(lambda: shown(dialog, 2)[7] == "120.00")
    assert shown(dialog, 1)[7] == "(120.00)"
    assert dialog.form.totals.total.text() == "145.20 EUR"
    assert lines.model.move(2, -1) == 1
    qtbot.waitUntil(lambda: shown(dialog, 1)[7] == "120.00")
    assert not lines.model.flags(lines.model.index(1, 2)) & Qt.ItemFlag.ItemIsEditable


def test_activating_freezes_the_window(
    qtbot: QtBot,
    bench: Workbench,
    company: Company,
    open_quote: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_with(monkeypatch, "quote_form", "activate")
    dialog = open_quote(stored(company, [pump(company, "2")]))
    assert visible_commands(dialog) >= {"activate", "preview", "save_pdf"}
    type_into(qtbot, dialog, 0, 2, "3")
    settle(qtbot, bench)
    dialog.activate()
    settle(qtbot, bench)
    assert "Q-2026-0001" in dialog._title.text()
    assert dialog.form.lines.model.read_only
    assert dialog.form.lines.model.rowCount() == 1
    assert visible_commands(dialog) >= {"won", "lost", "revise"}
    assert "activate" not in visible_commands(dialog)
    number = dialog.editing.record_id or 0
    assert records.get(company.actor, "quote", number).values["subtotal"] == D("360.00")


def test_what_stops_an_activation_is_told(
    qtbot: QtBot,
    bench: Workbench,
    company: Company,
    open_quote: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_with(monkeypatch, "quote_form", "activate")
    dialog = open_quote(stored(company, []))
    dialog.activate()
    settle(qtbot, bench)
    assert "at least one line" in dialog.form.boxes["lines"].error.text()


def test_a_revision_opens_in_the_same_window(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    quote = stored(company, [pump(company)])
    quotes.activate(company.actor, quote, 1)
    dialog = open_quote(quote)
    dialog.revise()
    settle(qtbot, bench)
    assert dialog.editing.record_id != quote
    assert "Q-2026-0001 Rev 1" in dialog._title.text()
    dialog_record = dialog.editing.record
    assert dialog_record is not None
    assert dialog_record.values["state"] == "draft"


def test_a_quote_is_won_by_a_button(
    qtbot: QtBot, bench: Workbench, company: Company, open_quote: Open
) -> None:
    quote = stored(company, [pump(company)])
    quotes.activate(company.actor, quote, 1)
    dialog = open_quote(quote)
    dialog.win()
    settle(qtbot, bench)
    assert records.get(company.actor, "quote", quote).values["state"] == "won"
    assert visible_commands(dialog) == {"preview", "save_pdf"}


def test_the_preview_shows_the_pages_and_saves_the_file(
    qtbot: QtBot,
    bench: Workbench,
    company: Company,
    open_quote: Open,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from desktop_crm.views.custom.pdf_preview import PdfPreview

    dialog = open_quote(stored(company, [pump(company)]))
    dialog.preview()
    settle(qtbot, bench)
    (preview,) = dialog.findChildren(PdfPreview)
    qtbot.waitUntil(lambda: preview.findChild(QLabel, "pdf.preview.page.1") is not None)
    page = preview.findChild(QLabel, "pdf.preview.page.1")
    assert page is not None
    assert page.pixmap().width() > 300
    target = tmp_path / "offer"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a: (str(target), ""))
    preview.save()
    settle(qtbot, bench)
    assert (tmp_path / "offer.pdf").read_bytes().startswith(b"%PDF")
    assert list(tmp_path.glob(".*")) == []
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_a: (str(tmp_path / "no" / "x"), "")
    )
    preview.save()
    settle(qtbot, bench)
    shell = bench.shell
    assert isinstance(shell, RecordingShell)
    assert "x.pdf" in str(shell.errors[0])
    preview.close()


def test_an_opportunity_offers_a_quote(
    qtbot: QtBot, bench: Workbench, company: Company, window: QWidget
) -> None:
    from desktop_crm.views.panes import follow_up

    key = company.ids["Packaging line"]
    record = records.get(company.actor, "opportunity", key)
    actions = follow_up.actions(bench, "opportunity", lambda: record, lambda: True)
    next(action for action in actions if action.id == "follow.quote").run()
    settle(qtbot, bench)
    shell = bench.shell
    assert isinstance(shell, RecordingShell)
    ((entity, quote),) = shell.opened
    assert entity == "quote"
    assert records.get(company.actor, "quote", quote).values["opportunity"] == key


def test_tab_leaves_the_lines_behind_their_last_cell(
    open_quote: Open, company: Company, qtbot: QtBot
) -> None:
    line = {"product": company.ids["Pump"], "quantity": D(1)}
    dialog = open_quote(stored(company, [line]))
    with qtbot.waitActive(dialog):
        dialog.activateWindow()
    table = dialog.findChild(LinesTable)
    assert table is not None
    table.setFocus()
    table.setCurrentIndex(table.model().index(table.model().rowCount() - 1, 0))
    for _ in range(table.model().columnCount() - 1):
        QTest.keyClick(table, Qt.Key.Key_Tab)
        assert table.hasFocus()
    QTest.keyClick(table, Qt.Key.Key_Tab)
    here = dialog.focusWidget()
    assert here is not None
    assert here.objectName() == "form.quote.lines.add"
    QTest.keyClick(here, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert table.hasFocus()
    table.setCurrentIndex(table.model().index(0, 0))
    QTest.keyClick(table, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert not table.hasFocus()
