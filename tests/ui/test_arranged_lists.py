"""Arranging a list by keyboard alone: columns, sorts, groups, totals, letters, formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPushButton, QToolButton, QTreeView

from desktop_crm.services import records, totals
from desktop_crm.services.filters import Rule
from desktop_crm.services.list_layout import Density, Format, ListLayout, Summary, to_json
from desktop_crm.services.list_view import ListView
from desktop_crm.services.query import Order
from desktop_crm.views import theme
from desktop_crm.views.lists.columns_dialog import ColumnsDialog
from desktop_crm.views.lists.list_panel import ListPanel
from tests.support.statements import counted
from tests.support.windows import child, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

# The offscreen platform says so of every menu.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
ALT = Qt.KeyboardModifier.AltModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
COLUMNS = ("name", "account", "stage", "amount", "close_on")

Open = Callable[..., ListPanel]


@pytest.fixture
def opened(bench: Workbench, qtbot: QtBot) -> Open:
    """A function that shows the list of opportunities and waits until it is quiet."""

    def show(layout: ListLayout | None = None, width: int = 1000) -> ListPanel:
        panel = ListPanel("opportunity", bench)
        qtbot.addWidget(panel)
        panel.resize(width, 600)
        panel.show()
        panel.activateWindow()
        chosen = layout or ListLayout(columns=COLUMNS, order=(Order("name"),))
        panel.show_view(ListView("test", "Test", "folder", chosen))
        settle(qtbot, bench)
        return panel

    return show


def rows(panel: ListPanel, column: int = 0) -> list[str]:
    model = panel.model
    return [str(model.data(model.index(row, column))) for row in range(model.rowCount())]


def pick(qtbot: QtBot, bench: Workbench, *texts: str) -> None:
    """Walk with the arrow keys through the menu that is open, and below it."""
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    for place, text in enumerate(texts):
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        names = [action.text().split("\t")[0] for action in menu.actions() if action.text()]
        active = menu.activeAction()  # what unfolds has its first entry chosen already
        first = names.index(active.text().split("\t")[0]) if active in menu.actions() else -1
        for _ in range(names.index(text) - first):
            QTest.keyClick(menu, Qt.Key.Key_Down)
        last = place == len(texts) - 1
        QTest.keyClick(menu, Qt.Key.Key_Return if last else Qt.Key.Key_Right)
        if not last:
            qtbot.waitUntil(lambda menu=menu: QApplication.activePopupWidget() is not menu)  # type: ignore[misc]
    settle(qtbot, bench)


def press(panel: ListPanel, name: str) -> None:
    """Press a button of the head by keyboard."""
    button = child(panel, QToolButton, name)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Space)


def to_header(panel: ListPanel, path: str) -> None:
    """Walk to a column in the header."""
    header = panel.table.header
    header.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(header, Qt.Key.Key_Home)
    for _ in range(20):
        if panel.table.column_path(panel.table.header_column) == path:
            return
        QTest.keyClick(header, Qt.Key.Key_Right)
    raise AssertionError(path)


# --- header -------------------------------------------------------------------------------------


def test_enter_in_the_header_sorts_and_shift_adds(
    opened: Open, bench: Workbench, qtbot: QtBot
) -> None:
    panel = opened()
    header = panel.table.header
    to_header(panel, "account")
    QTest.keyClick(header, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert rows(panel, 1) == sorted(rows(panel, 1))
    to_header(panel, "amount")
    QTest.keyClick(header, Qt.Key.Key_Return, SHIFT)
    settle(qtbot, bench)
    QTest.keyClick(header, Qt.Key.Key_Return, SHIFT)
    settle(qtbot, bench)
    assert to_json(panel.list_layout())["order"] == ["account", "-amount"]
    assert rows(panel)[:2] == ["Oak chairs", "Showroom"]
    QTest.keyClick(header, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert to_json(panel.list_layout())["order"] == ["amount"]
    assert to_json(opened().list_layout())["order"] == ["amount"]


def test_columns_move_and_widen_by_keyboard(opened: Open, bench: Workbench, qtbot: QtBot) -> None:
    panel = opened()
    to_header(panel, "stage")
    QTest.keyClick(panel.table.header, Qt.Key.Key_Left, ALT)
    assert panel.shown_columns()[:3] == ("name", "stage", "account")
    before = panel.table.place_of(panel.table.header_column)[1]
    QTest.keyClick(panel.table.header, Qt.Key.Key_Right, CONTROL)
    assert panel.table.place_of(panel.table.header_column)[1] > before
    again = opened()
    assert [column.path for column in again.model.columns][:3] == ["name", "stage", "account"]
    assert again.list_layout().widths["stage"] == panel.list_layout().widths["stage"]
    panel.reload()
    settle(qtbot, bench)
    assert panel.shown_columns()[:3] == ("name", "stage", "account")


def test_the_menu_of_a_column_freezes_hides_and_sorts(
    opened: Open, bench: Workbench, qtbot: QtBot
) -> None:
    panel = opened(width=520)
    to_header(panel, "account")
    QTest.keyClick(panel.table.header, Qt.Key.Key_Down, ALT)
    pick(qtbot, bench, "Hide this column")
    assert "account" not in panel.shown_columns()
    to_header(panel, "name")
    QTest.keyClick(panel.table.header, Qt.Key.Key_Down, ALT)
    pick(qtbot, bench, "Freeze up to here")
    frozen = panel.table.frozen_columns
    assert frozen is not None
    assert panel.list_layout().frozen == 1
    width = panel.table.frozen_width
    bar = panel.table.horizontalScrollBar()
    bar.setValue(bar.maximum())
    assert bar.maximum() > 0
    assert panel.table.place_of(0) == (0, width)
    panel.table.setFocus()
    QTest.keyClick(panel.table, Qt.Key.Key_Down)
    assert bar.value() == bar.maximum()
    assert frozen.selectionModel() is panel.table.selectionModel()
    row = panel.table.currentIndex().row()
    at = frozen.visualRect(panel.model.index(row + 1, 0)).center()
    QTest.mouseClick(frozen.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert panel.table.currentIndex().row() == row + 1
    assert panel.window().focusWidget() is panel.table
    to_header(panel, "close_on")
    QTest.keyClick(panel.table.header, Qt.Key.Key_Down, ALT)
    pick(qtbot, bench, "Unfreeze columns")
    assert panel.table.frozen_width == 0


def test_frozen_rows_scroll_with_the_others(
    opened: Open, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    stage = company.ids["Proposal"]
    for number in range(40):
        company.add("opportunity", f"n{number}", {"name": f"Deal {number:02}", "stage": stage})
    panel = opened(ListLayout(columns=COLUMNS, frozen=2), width=600)
    frozen = panel.table.frozen_columns
    assert frozen is not None
    panel.table.setFocus()
    QTest.keyClick(panel.table, Qt.Key.Key_End, CONTROL)
    assert panel.table.verticalScrollBar().value() > 0
    assert frozen.verticalScrollBar().value() == panel.table.verticalScrollBar().value()
    assert frozen.rowAt(40) == panel.table.rowAt(40)


# --- columns of linked records ------------------------------------------------------------------


def test_a_column_of_a_linked_record_is_found_and_shown(
    opened: Open, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    key = company.ids["rossi"]
    now = records.get(company.actor, "account", key)
    records.save(company.actor, "account", key, now.version, {"industry": "Machines"})
    panel = opened()
    press(panel, "columns.opportunity")
    dialog = child(panel.window(), ColumnsDialog)
    QTest.keyClicks(child(dialog, QLineEdit, "columns.search"), "account indus")
    tree = child(dialog, QTreeView, "columns.fields")
    qtbot.waitUntil(lambda: str(tree.currentIndex().data()).startswith("Account · Industry"))
    tree.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(tree, Qt.Key.Key_Space)
    assert dialog.chosen() == (*COLUMNS, "account.industry")
    dialog.shown.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(dialog.shown, Qt.Key.Key_Up, ALT)
    assert dialog.chosen()[-2:] == ("account.industry", "close_on")
    dialog.shown.setCurrentIndex(dialog.shown.model().index(1, 0))
    QTest.keyClick(dialog.shown, Qt.Key.Key_Delete)
    QTest.keyClick(child(dialog, QPushButton, "columns.use"), Qt.Key.Key_Space)
    settle(qtbot, bench)
    assert panel.shown_columns() == ("name", "stage", "amount", "account.industry", "close_on")
    shown = dict(zip(rows(panel), rows(panel, 3), strict=True))
    assert shown["Spare parts"] == "Machines"
    records.save(company.actor, "account", key, now.version + 1, {"industry": "Tools"})
    saved = records.get(company.actor, "account", key)
    assert saved.values["industry"] == "Tools"


def test_linked_fields_unfold_below_their_link(opened: Open, bench: Workbench) -> None:
    panel = opened()
    panel.choose_columns()
    dialog = child(panel.window(), ColumnsDialog)
    model = dialog.tree.model()
    names = [str(model.index(row, 0).data()) for row in range(model.rowCount())]
    account = model.index(names.index("Account"), 0)
    dialog.tree.setCurrentIndex(account)
    QTest.keyClick(dialog.tree, Qt.Key.Key_Right)
    below = [str(model.index(n, 0, account).data()) for n in range(model.rowCount(account))]
    assert "Industry" in below
    owner = model.index(below.index("Owner"), 0, account)
    dialog.tree.setCurrentIndex(owner)
    QTest.keyClick(dialog.tree, Qt.Key.Key_Right)
    assert model.rowCount(owner) > 3
    dialog.reject()


# --- groups and totals --------------------------------------------------------------------------


def test_rows_are_grouped_totalled_and_ungrouped(
    opened: Open, bench: Workbench, qtbot: QtBot
) -> None:
    panel = opened()
    press(panel, "arrange.opportunity")
    pick(qtbot, bench, "Totals row")
    press(panel, "arrange.opportunity")
    pick(qtbot, bench, "Group by", "Stage")
    assert rows(panel) == [
        "Prospecting, 2 records", "Idea", "Packaging line",
        "Qualified, 1 record", "Oak chairs",
        "Proposal, 2 records", "Showroom", "Spare parts",
    ]  # fmt: skip
    assert rows(panel, 3)[5] == "8,000.00 EUR  ·  10,000.00 RON"
    assert panel.totals.isVisible()
    assert panel.totals.text_of("amount") == "Sum 63,000.00 EUR  ·  10,000.00 RON"
    assert panel.totals.text_of("name") == "Count 5"
    assert panel.count == 5
    press(panel, "arrange.opportunity")
    pick(qtbot, bench, "Close all groups")
    assert rows(panel) == ["Prospecting, 2 records", "Qualified, 1 record", "Proposal, 2 records"]
    press(panel, "arrange.opportunity")
    pick(qtbot, bench, "Do not group")
    assert len(rows(panel)) == 5
    assert panel.totals.text_of("amount") == "Sum 63,000.00 EUR  ·  10,000.00 RON"


def test_dates_are_grouped_by_month(opened: Open, bench: Workbench, qtbot: QtBot) -> None:
    panel = opened()
    to_header(panel, "close_on")
    QTest.keyClick(panel.table.header, Qt.Key.Key_Down, ALT)
    pick(qtbot, bench, "Group by it", "By month")
    heads = [text for text in rows(panel) if "record" in text]
    assert heads == ["November 2026, 3 records", "December 2026, 2 records"]


def test_the_totals_row_offers_other_totals(opened: Open, bench: Workbench, qtbot: QtBot) -> None:
    panel = opened(ListLayout(columns=COLUMNS, totals={"amount": Summary.SUM}))
    panel.totals.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(panel.totals, Qt.Key.Key_Home)
    for _ in range(3):
        QTest.keyClick(panel.totals, Qt.Key.Key_Right)
    QTest.keyClick(panel.totals, Qt.Key.Key_Return)
    pick(qtbot, bench, "Average")
    assert panel.totals.text_of("amount") == "Average 21,000.00 EUR  ·  10,000.00 RON"
    assert panel.totals.accessibleDescription() == panel.totals.text_of("amount")
    QTest.keyClick(panel.totals, Qt.Key.Key_Right)
    QTest.keyClick(panel.totals, Qt.Key.Key_Return)
    pick(qtbot, bench, "Greatest")
    assert panel.totals.text_of("close_on") == "Greatest 06 Dec 2026"
    QTest.keyClick(panel.totals, Qt.Key.Key_Return)
    pick(qtbot, bench, "No total")
    assert panel.list_layout().totals == {"amount": Summary.AVERAGE}


def test_until_totals_are_known_a_count_says_at_least(opened: Open, bench: Workbench) -> None:
    panel = opened(ListLayout(columns=COLUMNS, totals={"name": Summary.COUNT}))
    assert panel.totals.text_of("name") == "Count 5"
    panel.reload()
    assert panel.totals.text_of("name") == "Count 5+"


def test_totals_follow_what_somebody_changes(
    opened: Open, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    panel = opened(ListLayout(columns=COLUMNS, totals={"amount": Summary.SUM}))
    key = company.ids["Spare parts"]
    now = records.get(company.actor, "opportunity", key)
    saved = records.save(company.actor, "opportunity", key, now.version, {"amount": Decimal(9_000)})
    panel.take_changes(saved.changes)
    settle(qtbot, bench)
    assert panel.totals.text_of("amount") == "Sum 64,000.00 EUR  ·  10,000.00 RON"


def test_what_would_make_too_many_groups_is_shown_ungrouped(
    opened: Open, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "MOST_GROUPS", 2)
    panel = opened(ListLayout(columns=COLUMNS, group="name"))
    settle(qtbot, bench)
    assert "more than 2 groups" in panel.notice.text
    assert len(rows(panel)) == 5
    assert panel.list_layout().group == ""


# --- letters ------------------------------------------------------------------------------------


def test_a_letter_leaves_titles_that_begin_with_it(
    opened: Open, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    company.add("opportunity", "s", {"name": "Șantier", "stage": company.ids["Proposal"]})
    panel = opened()
    panel.letters.setFocus(Qt.FocusReason.TabFocusReason)
    typed = QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, "Ș")
    QApplication.sendEvent(panel.letters, typed)
    settle(qtbot, bench)
    assert rows(panel) == ["Șantier", "Showroom", "Spare parts"]
    QTest.keyClick(panel.letters, Qt.Key.Key_Up)
    settle(qtbot, bench)
    assert rows(panel) == []
    assert panel.letters.accessibleDescription() == "Titles that begin with R"
    QTest.keyClick(panel.letters, Qt.Key.Key_Escape)
    settle(qtbot, bench)
    assert len(rows(panel)) == 6
    press(panel, "arrange.opportunity")
    pick(qtbot, bench, "First letters")
    assert not panel.letters.isVisible()
    assert not opened().letters.isVisible()


# --- looks --------------------------------------------------------------------------------------


def test_rows_have_three_heights(opened: Open, bench: Workbench, qtbot: QtBot) -> None:
    panel = opened()
    for text, height in (("Compact rows", 30), ("Comfortable rows", 44), ("Normal rows", 36)):
        press(panel, "arrange.opportunity")
        pick(qtbot, bench, text)
        assert panel.table.rowHeight(0) == theme.scaled(height)
    assert panel.list_layout().density is Density.NORMAL


def test_rows_carry_the_first_format_that_holds(opened: Open) -> None:
    formats = (
        Format(Rule("amount", ">", "30000"), "ok", "star", bold=True),
        Format(Rule("account", "=", "Officine Rossi"), "warn"),
    )
    panel = opened(ListLayout(columns=COLUMNS, order=(Order("name"),), formats=formats))
    marks = {row.texts[0]: row.mark for n in range(5) if (row := panel.model.row_at(n))}
    assert marks == {
        "Idea": 1, "Oak chairs": None, "Packaging line": 0, "Showroom": None, "Spare parts": 1,
    }  # fmt: skip
    image = panel.table.viewport().grab().toImage()
    place = panel.table.visualRect(panel.model.index(2, 4)).topRight()
    assert image.pixelColor(place.x() - 3, place.y() + 4) == theme.color("ok_bg")


def test_a_view_that_names_what_is_gone_says_so_and_shows_the_rest(
    opened: Open, bench: Workbench
) -> None:
    layout = ListLayout(
        columns=("name", "shoe_size", "amount"),
        order=(Order("shoe_size"), Order("amount", descending=True)),
        group="account.shoe_size",
        totals={"shoe_size": Summary.SUM, "name": Summary.SUM},
        formats=(Format(Rule("shoe_size", "=", "42"), "ok"),),
    )
    panel = opened(layout)
    assert "shoe_size" in panel.notice.text
    assert panel.shown_columns() == ("name", "amount")
    assert rows(panel)[0] == "Packaging line"
    assert all(row.mark is None for n in range(5) if (row := panel.model.row_at(n)))


def test_the_list_gives_back_how_it_stands(opened: Open) -> None:
    layout = ListLayout(
        columns=COLUMNS,
        widths={"name": 240},
        frozen=1,
        order=(Order("stage"), Order("amount", descending=True)),
        filter=Rule("amount", ">", "1"),
        group="stage",
        totals={"amount": Summary.SUM},
        formats=(Format(Rule("amount", ">", "30000"), "ok", "star", bold=True),),
        density=Density.COMPACT,
    )
    panel = opened(layout)
    assert to_json(panel.list_layout()) == to_json(layout)
    assert not panel.is_changed
    panel.arrange(density="normal")
    assert panel.is_changed
    panel.forget_changes()
    assert to_json(panel.list_layout()) == to_json(layout)


def test_an_arranged_list_opens_with_few_statements(
    opened: Open, bench: Workbench, qtbot: QtBot
) -> None:
    layout = ListLayout(
        columns=("name", "account.city", "account.owner", "contact.account.name", "amount"),
        order=(Order("stage"), Order("amount")),
        totals={"amount": Summary.SUM},
        formats=(Format(Rule("account.city", "not empty"), "ok"),),
    )
    with counted(bench.actor.db) as plain:
        opened(layout)
    assert len(plain) == 2, plain
    with counted(bench.actor.db) as grouped:
        panel = opened(replace(layout, group="stage"))
        qtbot.waitUntil(lambda: panel.model.row_at(1) is not None)
    assert len(grouped) == 3, grouped
