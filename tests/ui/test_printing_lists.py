"""Printing a list from its pane: as a table, as labels, as a contact sheet; and on paper."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import pypdfium2
import pytest
from PySide6.QtCore import Qt
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QRadioButton

from desktop_crm.services import records
from desktop_crm.views.custom.pdf_preview import PdfPreview, page_images, print_pages
from desktop_crm.views.lists.total_texts import BETWEEN
from desktop_crm.views.panes.record_pane import RecordPane
from desktop_crm.views.printing import listing
from desktop_crm.views.printing.dialog import PrintDialog
from tests.support.windows import child, pane_of, settle

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench

Opened = Callable[[str], RecordPane]


@pytest.fixture
def opened(bench: Workbench, qtbot: QtBot) -> Opened:
    return lambda entity: pane_of(bench, qtbot, entity, "all")


def ask(pane: RecordPane, bench: Workbench) -> PrintDialog:
    next(a for a in pane.commands() if a.id == "list.print").run()
    return child(bench.shell.window_widget(), PrintDialog)


def choose(dialog: PrintDialog, name: str) -> None:
    button = child(dialog, QRadioButton, name)
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)


def pages(dialog: PrintDialog, bench: Workbench, qtbot: QtBot) -> str:
    button = child(dialog, QAbstractButton, "print.show")
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    settle(qtbot, bench)
    preview = child(bench.shell.window_widget(), PdfPreview)
    with pypdfium2.PdfDocument(BytesIO(preview._content)) as pdf:
        return "\n".join(page.get_textpage().get_text_range() for page in pdf)


def test_the_table_has_what_the_screen_shows(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    text = pages(ask(pane, bench), bench, qtbot)
    model = pane.list.model
    for row in range(model.rowCount()):
        name = str(model.data(model.index(row, 0)))
        assert name in text
    assert pane.list.title.text() in text
    assert f"{model.rowCount()} records" in text


@pytest.mark.parametrize(("entity", "is_asked"), [("account", True), ("opportunity", False)])
def test_what_to_print_is_asked_where_there_is_a_choice(
    opened: Opened, bench: Workbench, entity: str, is_asked: bool
) -> None:
    dialog = ask(opened(entity), bench)
    assert dialog.table.isVisible() is is_asked
    assert dialog.focusWidget() is (dialog.table if is_asked else dialog._show)
    dialog.reject()


def test_only_the_selected_are_printed(opened: Opened, bench: Workbench, qtbot: QtBot) -> None:
    pane = opened("account")
    table = pane.list.table
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert table.selected_count() == 2
    text = pages(ask(pane, bench), bench, qtbot)
    assert "2 records" in text


def test_labels_name_those_without_an_address(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    first, second = pane.list.model.ids_between(0, 1)
    place = {"street": "Lungă 5", "city": "Cluj", "is_primary": True}
    records.save(bench.actor, "account", first, None, {"addresses": [place]})
    records.save(bench.actor, "account", second, None, {"addresses": []})
    dialog = ask(pane, bench)
    choose(dialog, "print.labels")
    text = pages(dialog, bench, qtbot)
    assert "Lungă 5" in text
    assert dialog.isVisible()
    assert "left out" in dialog.notice.text
    assert dialog.left_out.model().rowCount() >= 1


def test_a_contact_sheet(opened: Opened, bench: Workbench, qtbot: QtBot) -> None:
    pane = opened("contact")
    dialog = ask(pane, bench)
    choose(dialog, "print.cards")
    text = pages(dialog, bench, qtbot)
    name = str(pane.list.model.data(pane.list.model.index(0, 0)))
    assert name in text


def test_products_have_no_labels(opened: Opened, bench: Workbench) -> None:
    dialog = ask(opened("product"), bench)
    assert dialog.labels.isHidden()
    assert dialog.cards.isHidden()


def test_too_long_a_list_is_said_and_nothing_is_printed(
    opened: Opened, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST", 1)
    dialog = ask(opened("account"), bench)
    dialog.begin()
    settle(qtbot, bench)
    assert "Filter it, or export it" in dialog.notice.text
    assert bench.shell.window_widget().findChild(PdfPreview) is None


def test_long_files_show_their_first_pages(opened: Opened, bench: Workbench) -> None:
    from datetime import date

    from desktop_crm.printing import labels_pdf

    content = labels_pdf.render_labels(
        [("Name", "City")] * 60, labels_pdf.SHEETS[0], 0, "L", date(2026, 11, 28)
    )
    images, count = page_images(content, 300, 1.0, most=2)
    assert (len(images), count) == (2, 3)


def test_pages_reach_the_printer(tmp_path: Path, qtbot: QtBot) -> None:
    from datetime import date

    from desktop_crm.printing import labels_pdf

    content = labels_pdf.render_labels(
        [("Name", "City")] * 60, labels_pdf.SHEETS[0], 0, "L", date(2026, 11, 28)
    )
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setResolution(72)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "paper.pdf"))
    assert print_pages(content, printer) == 3
    with pypdfium2.PdfDocument(tmp_path / "paper.pdf") as pdf:
        assert len(pdf) == 3


def test_groups_totals_and_the_filter_stand_on_paper(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    from desktop_crm.services import filters
    from desktop_crm.services.list_layout import Summary

    pane = opened("opportunity")
    panel = pane.list
    panel.arranged.change(group="state", totals={"amount": Summary.SUM, "name": Summary.COUNT})
    panel.filter_by(filters.parse("amount > 1", "opportunity"))
    settle(qtbot, bench)
    groups = panel.model.groups
    assert groups is not None
    heads = [panel.model.group_text(group) for group in range(groups.groups)]
    text = pages(ask(pane, bench), bench, qtbot)
    for label, count, _totals in heads:
        assert f"{label} ({count})" in text
    assert "Amount > 1" in text
    source = panel._totals._source
    assert source is not None
    for shown in source.total_texts(source.totals()).values():
        assert all(amount in text for amount in shown.split(BETWEEN))
