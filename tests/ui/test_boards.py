"""The board of opportunities and the question before closing."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton

from desktop_crm.services import closing, records, undo, views
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.dialogs.close_opportunity import CloseOpportunityDialog
from desktop_crm.views.dialogs.export_dialog import ExportDialog
from desktop_crm.views.panes.record_board import RecordBoard
from desktop_crm.views.panes.record_pane import RecordPane
from desktop_crm.views.printing.dialog import PrintDialog
from tests.support.company import Company
from tests.support.windows import child, pane_of, settle, shell_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench

ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def board(bench: Workbench, qtbot: QtBot) -> RecordBoard:
    made = RecordBoard(bench, "opportunity", lambda: RecordQuery("opportunity", ()))
    qtbot.addWidget(made)
    made.resize(1300, 700)
    made.show()
    made.show_field("stage")
    settle(qtbot, bench)
    made.board.setFocus()
    return made


@pytest.fixture
def pane(bench: Workbench, qtbot: QtBot) -> Callable[[str], RecordPane]:
    """A function that shows the pane of an entity with all its records."""

    return lambda entity: pane_of(bench, qtbot, entity, "all")


def cards_of(pane: RecordPane) -> dict[str, list[str]]:
    """Titles by column of the board a pane shows."""
    assert pane.board.board is not None
    return lanes(pane.board.board)


def lanes(board: RecordBoard) -> dict[str, list[str]]:
    return {
        column.lane.title: [card.title for card in column.lane.cards]
        for column in board.board.columns
    }


def quiet(qtbot: QtBot, board: RecordBoard) -> None:
    qtbot.waitUntil(lambda: not board._bench.tasks.busy, timeout=10_000)


def test_columns_stand_in_the_order_of_the_stages(board: RecordBoard) -> None:
    assert lanes(board) == {
        "Prospecting": ["Packaging line", "Idea"],
        "Qualified": ["Oak chairs"],
        "Proposal": ["Spare parts", "Showroom"],
        "Won": [],
        "Lost": [],
    }
    heads = [(c.lane.count, c.lane.total) for c in board.board.columns[:3]]
    assert heads == [(2, "40,000 EUR"), (1, "15,000 EUR"), (2, "10,000 EUR")]


def test_arrows_go_from_card_to_card_and_enter_opens(board: RecordBoard, company: Company) -> None:
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        QTest.keyClick(board.board, key)
    assert board.current_id() == company.ids["Showroom"]
    assert "Showroom" in board.board.accessibleDescription()
    QTest.keyClick(board.board, Qt.Key.Key_Return)
    assert shell_of(board._bench).opened == [("opportunity", company.ids["Showroom"])]


def test_alt_and_an_arrow_move_a_card(board: RecordBoard, company: Company, qtbot: QtBot) -> None:
    assert board.board.select(company.ids["Idea"])
    QTest.keyClick(board.board, Qt.Key.Key_Right, ALT)
    quiet(qtbot, board)
    qtbot.waitUntil(lambda: "Idea" in lanes(board)["Qualified"])
    assert board.current_id() == company.ids["Idea"]
    values = records.get(company.actor, "opportunity", company.ids["Idea"]).values
    assert values["stage"] == company.ids["Qualified"]
    assert ("Moved to Qualified", "") in shell_of(board._bench).toasts


def test_a_card_is_dragged_to_another_column(
    board: RecordBoard, company: Company, qtbot: QtBot
) -> None:
    source, target = board.board.columns[0].cards, board.board.columns[2].cards
    start = source.card_rect(0).center().toPoint()
    end = source.mapFromGlobal(target.mapToGlobal(QPoint(40, 60)))
    QTest.mousePress(source, Qt.MouseButton.LeftButton, pos=start)
    for part in (3, 2, 1):
        QTest.mouseMove(source, start + (end - start) / part)
    assert board.board.dragging
    QTest.mouseRelease(source, Qt.MouseButton.LeftButton, pos=end)
    quiet(qtbot, board)
    qtbot.waitUntil(lambda: "Packaging line" in lanes(board)["Proposal"])


def test_winning_asks_for_the_revenue(board: RecordBoard, company: Company, qtbot: QtBot) -> None:
    board.board.select(company.ids["Spare parts"])
    QTest.keyClick(board.board, Qt.Key.Key_Right, ALT)
    window = board._bench.shell.window_widget()
    qtbot.waitUntil(lambda: window.findChild(CloseOpportunityDialog) is not None)
    dialog = child(window, CloseOpportunityDialog)
    assert dialog.revenue.text() == "8,000.00"
    dialog.revenue.setText("7500")
    QTest.keyClick(dialog.revenue, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: lanes(board)["Won"] == ["Spare parts"])
    values = records.get(company.actor, "opportunity", company.ids["Spare parts"]).values
    assert values["actual_revenue"] == Decimal(7_500)
    assert values["state"] == "won"


def test_cancelling_the_question_leaves_the_card(
    board: RecordBoard, company: Company, qtbot: QtBot
) -> None:
    board.board.select(company.ids["Showroom"])
    QTest.keyClick(board.board, Qt.Key.Key_Right, ALT)
    window = board._bench.shell.window_widget()
    qtbot.waitUntil(lambda: window.findChild(CloseOpportunityDialog) is not None)
    QTest.keyClick(child(window, CloseOpportunityDialog), Qt.Key.Key_Escape)
    quiet(qtbot, board)
    assert "Showroom" in lanes(board)["Proposal"]


def test_a_long_column_shows_more_on_request(
    board: RecordBoard, company: Company, qtbot: QtBot
) -> None:
    values = {"stage": company.ids["Qualified"], "owner": company.actor.user_id}
    changes = [records.Change(None, None, {"name": f"Deal {n}", **values}) for n in range(70)]
    records.save_many(company.actor, "opportunity", changes)
    board.refresh()
    settle(qtbot, board._bench)
    column = board.board.columns[1]
    assert (column.lane.count, len(column.lane.cards)) == (71, 50)
    more = child(column, QAbstractButton, f"lane{column.lane.key}More")
    assert more.text() == "Show more (21 left)"
    more.click()
    settle(qtbot, board._bench)
    assert len(board.board.columns[1].lane.cards) == 71


def test_filter_and_words_of_the_list_apply_to_its_board(
    pane: Callable[[str], RecordPane], bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    company.add(
        "opportunity", "his",
        {"name": "His", "stage": company.ids["Qualified"], "owner": company.other.user_id},
    )  # fmt: skip
    shown = pane("opportunity")
    shown.board.show("stage")
    settle(qtbot, bench)
    assert shown.list.pages.currentWidget() is shown.board.board
    assert "His" in cards_of(shown)["Qualified"]
    shown.views.choose("mine")
    settle(qtbot, bench)
    assert "His" not in cards_of(shown)["Qualified"]
    shown.list.search.setText("showroom")
    qtbot.waitUntil(lambda: cards_of(shown)["Proposal"] == ["Showroom"])
    settle(qtbot, bench)
    assert cards_of(shown)["Prospecting"] == []
    shown.board.show("")
    settle(qtbot, bench)
    assert shown.list.pages.currentWidget() is shown.list.listing


def test_a_board_of_any_choice_moves_by_keyboard_with_undo(
    pane: Callable[[str], RecordPane], bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    shown = pane("activity")
    shown.board.show("priority")
    settle(qtbot, bench)
    board = shown.board.board
    assert board is not None
    # What a colleague keeps private has no priority that others may know.
    titles = [c.lane.title for c in board.board.columns]
    assert titles == ["Low", "Normal", "High", "Not set"]
    assert board.board.select(company.ids["call"])
    QTest.keyClick(board.board, Qt.Key.Key_Right, ALT)
    qtbot.waitUntil(lambda: "Call back Claire" in cards_of(shown)["High"])
    settle(qtbot, bench)
    assert shown.board.current_id() == company.ids["call"]
    values = records.get(company.actor, "activity", company.ids["call"]).values
    assert values["priority"] == "high"
    bench.bus.publish(undo.undo(company.actor))
    qtbot.waitUntil(lambda: "Call back Claire" in cards_of(shown)["Normal"])
    settle(qtbot, bench)


def test_a_move_that_is_refused_returns_the_card_and_says_why(
    pane: Callable[[str], RecordPane], bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    shown = pane("activity")
    shown.board.show("priority")
    settle(qtbot, bench)
    board = shown.board.board
    assert board is not None
    key = company.ids["call"]
    records.save(company.actor, "activity", key, None, {"priority": "low"})
    assert "Call back Claire" in cards_of(shown)["Normal"]
    assert board.board.select(key)
    QTest.keyClick(board.board, Qt.Key.Key_Right, ALT)
    qtbot.waitUntil(lambda: bool(shell_of(bench).errors))
    settle(qtbot, bench)
    assert "Somebody else changed" in str(shell_of(bench).errors[0])
    assert "Call back Claire" in cards_of(shown)["Low"]


def test_the_board_is_kept_in_the_layout_of_a_view(
    pane: Callable[[str], RecordPane], bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    layout = ListLayout(board="rating")
    key = f"saved:{views.create(company.actor, 'lead', 'By rating', layout).id}"
    shown = pane("lead")
    assert not shown.board.is_shown
    shown.views.load()
    settle(qtbot, bench)
    shown.views.choose(key)
    settle(qtbot, bench)
    assert shown.board.is_shown
    assert "Not set" not in cards_of(shown)
    shown.board.show("")
    settle(qtbot, bench)
    assert shown.views.is_changed


def test_a_loss_needs_a_reason_by_keyboard(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    known = closing.facts(company.actor, company.ids["Oak chairs"], company.ids["Lost"])
    dialog = CloseOpportunityDialog(bench.shell.window_widget(), bench, known)
    dialog.show()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog._fields["close_reason"].note.text() == "Choose why it was lost."
    dialog.reason.setCurrentText("Price")
    with qtbot.waitSignal(dialog.closed):
        QTest.keyClick(dialog, Qt.Key.Key_Return)
    values = records.get(company.actor, "opportunity", company.ids["Oak chairs"]).values
    assert (values["state"], values["close_reason"]) == ("lost", "Price")


def test_a_revenue_that_is_no_number_is_told_beside_it(bench: Workbench, company: Company) -> None:
    known = closing.facts(company.actor, company.ids["Oak chairs"], company.ids["Won"])
    dialog = CloseOpportunityDialog(bench.shell.window_widget(), bench, known)
    dialog.show()
    dialog.revenue.setText("much")
    QTest.keyClick(dialog.revenue, Qt.Key.Key_Return)
    assert "not a number" in dialog._fields["actual_revenue"].note.text()


def test_print_and_export_take_the_board_not_the_hidden_selection_of_its_table(
    pane: Callable[[str], RecordPane], bench: Workbench, qtbot: QtBot
) -> None:
    shown = pane("opportunity")
    shown.list.table.selectAll()
    assert shown.list.table.selected_count() > 1
    shown.board.show("stage")
    settle(qtbot, bench)
    shown.export()
    export = child(bench.shell.window_widget(), ExportDialog)
    assert export._selected == ()
    export.reject()
    next(a for a in shown.commands() if a.id == "list.print").run()
    dialog = child(bench.shell.window_widget(), PrintDialog)
    assert dialog._targets.query is not None
    dialog.reject()


def test_the_details_follow_what_is_selected_when_the_board_comes_and_goes(
    pane: Callable[[str], RecordPane], bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    shown = pane("opportunity")
    of_row = shown.list.table.current_id()
    assert shown.detail.record_id == of_row
    shown.board.show("stage")
    settle(qtbot, bench)
    board = shown.board.board
    assert board is not None
    of_card = next(
        company.ids[name] for name in ("Oak chairs", "Idea") if company.ids[name] != of_row
    )
    assert board.board.select(of_card)
    qtbot.waitUntil(lambda: shown.detail.record_id == of_card)
    shown.board.show("")
    qtbot.waitUntil(lambda: shown.detail.record_id == of_row)
    shown.board.show("stage")
    qtbot.waitUntil(lambda: shown.detail.record_id == of_card)
    settle(qtbot, bench)
