"""The pane of an entity: views and counts, detail, related records, saved views, columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from desktop_crm.services import records, shipped_views
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.lists.columns_dialog import ColumnsDialog
from desktop_crm.views.main_window import MainWindow
from desktop_crm.views.panes import follow_up
from desktop_crm.views.panes.convert_lead import ConvertLeadDialog
from desktop_crm.views.panes.record_pane import RecordPane
from tests.support.windows import pane_of, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

Open = Callable[[str], MainWindow]
NAME = Qt.ItemDataRole.DisplayRole


@pytest.fixture
def opened(bench: Workbench, qtbot: QtBot) -> Callable[[str], RecordPane]:
    """A function that shows the pane of an entity and waits until it is quiet."""

    return lambda entity: pane_of(bench, qtbot, entity)


def titles(pane: RecordPane) -> list[str]:
    model = pane.list.model
    return [str(model.data(model.index(row, 0), NAME)) for row in range(model.rowCount())]


def choose(pane: RecordPane, key: str, bench: Workbench, qtbot: QtBot) -> None:
    assert pane.nav.select(key)
    pane.views.choose(key)
    settle(qtbot, bench)


Pane = Callable[[str], RecordPane]


# --- views --------------------------------------------------------------------------------------


def test_the_views_count_what_they_show(
    opened: Pane, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("opportunity")
    assert pane.views.views.counts[shipped_views.ALL] == 5
    by_stage = {
        view.title: pane.views.views.counts[view.key]
        for view in pane.views.views.all()
        if view.key.startswith("stage:")
    }
    assert by_stage == {"Prospecting": 2, "Qualified": 1, "Proposal": 2}
    choose(pane, f"stage:{company.ids['Proposal']}", bench, qtbot)
    assert titles(pane) == ["Showroom", "Spare parts"]


def test_stages_stand_in_their_order(opened: Pane) -> None:
    pane = opened("opportunity")
    stages = [key for key in pane.nav.entry_keys() if key.startswith("stage:")]
    names = [view.title for key in stages if (view := pane.views.views.find(key)) is not None]
    assert names == ["Prospecting", "Qualified", "Proposal"]


def test_my_open_view_shows_mine_that_are_open(
    opened: Pane, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    company.add(
        "opportunity",
        "of Dan",
        {
            "name": "Of Dan",
            "stage": company.ids["Prospecting"],
            "owner": company.other.user_id,
        },
    )
    pane = opened("opportunity")
    choose(pane, shipped_views.OPEN, bench, qtbot)
    assert "Of Dan" not in titles(pane)
    choose(pane, shipped_views.ALL, bench, qtbot)
    assert "Of Dan" in titles(pane)


def test_recently_changed_puts_the_latest_first(
    opened: Pane, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    from desktop_crm.core import clock

    later = clock.now().replace(hour=20)
    clock.use_clock(lambda: later)
    key = company.ids["dumbrava"]
    now = records.get(company.actor, "account", key)
    records.save(company.actor, "account", key, now.version, {"industry": "Wood"})
    pane = opened("account")
    choose(pane, shipped_views.RECENT, bench, qtbot)
    assert titles(pane)[0] == "Dumbrava Mobilă"


def test_the_view_chosen_last_opens_next_time(opened: Pane, bench: Workbench, qtbot: QtBot) -> None:
    choose(opened("account"), shipped_views.ALL, bench, qtbot)
    assert opened("account").nav.key() == shipped_views.ALL


def test_a_condition_after_an_equals_sign_filters(opened: Pane, qtbot: QtBot) -> None:
    pane = opened("opportunity")
    pane.list.search.setText('=account = "Dumbrava Mobilă" and amount > 12000')
    qtbot.waitUntil(lambda: titles(pane) == ["Oak chairs"])
    pane.list.search.clear()
    qtbot.waitUntil(lambda: len(titles(pane)) == 5)


def test_a_condition_that_cannot_be_read_is_told_and_changes_nothing(
    opened: Pane, qtbot: QtBot
) -> None:
    pane = opened("opportunity")
    pane.list.search.setText("=amont > 12000")
    qtbot.waitUntil(lambda: "amont" in pane.list.notice.text)
    assert len(titles(pane)) == 5


# --- columns ------------------------------------------------------------------------------------


def test_chosen_columns_are_shown_and_remembered(
    opened: Pane, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    pane.list.choose_columns()
    dialog = pane.window().findChild(ColumnsDialog)
    assert isinstance(dialog, ColumnsDialog)
    for path in dialog.chosen():
        dialog._drop(path)
    for row in range(dialog._offered.rowCount()):
        item = dialog._offered.item(row)
        if item.text() in {"Name", "Tax id"}:
            item.setCheckState(Qt.CheckState.Checked)
    assert dialog.chosen() == ("name", "tax_id")
    dialog.accept()
    settle(qtbot, bench)
    assert [column.path for column in pane.list.model.columns] == ["name", "tax_id"]
    again = opened("account")
    assert [column.path for column in again.list.model.columns] == ["name", "tax_id"]


def test_the_columns_dialog_moves_and_resets(opened: Pane, bench: Workbench) -> None:
    pane = opened("account")
    pane.list.choose_columns()
    dialog = pane.window().findChild(ColumnsDialog)
    assert isinstance(dialog, ColumnsDialog)
    before = dialog.chosen()
    dialog.shown.setCurrentIndex(dialog._shown.index(0, 0))
    dialog.move_by(1)
    assert dialog.chosen()[:2] == (before[1], before[0])
    dialog.reset()
    assert dialog.chosen() == tuple(pane.entity.columns)
    dialog.reject()


def test_amounts_carry_their_currency(opened: Pane) -> None:
    pane = opened("opportunity")
    paths = [column.path for column in pane.list.model.columns]
    model = pane.list.model
    amounts = {
        str(model.data(model.index(row, 0))): model.data(model.index(row, paths.index("amount")))
        for row in range(model.rowCount())
    }
    assert amounts["Packaging line"] == "40,000.00 EUR"
    assert amounts["Showroom"] == "10,000.00 RON"
    assert amounts["Idea"] == ""


def test_columns_that_do_not_fit_give_way_at_the_right(opened: Pane) -> None:
    pane = opened("account")
    table = pane.list.table
    table.resize(420, 400)
    table.fit_columns()
    header = table.horizontalHeader()
    shown = [i for i in range(header.count()) if not header.isSectionHidden(i)]
    assert shown == list(range(len(shown)))
    assert 2 <= len(shown) < header.count()
    assert header.length() <= table.viewport().width()


# --- the record beside the list -----------------------------------------------------------------


def selected(pane: RecordPane, record_id: int, bench: Workbench, qtbot: QtBot) -> None:
    assert pane.list.table.select_id(record_id)
    qtbot.waitUntil(lambda: pane.detail.record_id == record_id)
    settle(qtbot, bench)


def test_the_selected_record_is_shown(
    opened: Pane, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("contact")
    selected(pane, company.ids["claire"], bench, qtbot)
    assert pane.detail._title.text() == "Claire Dubois"
    assert pane.detail._link.text() == "Officine Rossi"
    pane.detail._link.click()
    assert shell_of(bench).opened == [("account", company.ids["rossi"])]


def test_the_timeline_says_why(
    opened: Pane, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    selected(pane, company.ids["rossi"], bench, qtbot)
    pane.detail.show_tab("activities")
    model = pane.detail.activities.items
    assert model.rowCount() == 1
    assert model.data(model.index(0)) == "Product demonstration"
    tip = str(model.data(model.index(0), int(Qt.ItemDataRole.ToolTipRole)))
    assert tip.startswith("Why here? It was created from this record.")


def test_a_note_is_written_with_enter(
    opened: Pane, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("contact")
    selected(pane, company.ids["claire"], bench, qtbot)
    pane.detail.show_tab("activities")
    line = pane.detail.findChild(QLineEdit, "timeline.contact.note")
    assert isinstance(line, QLineEdit)
    QTest.keyClicks(line, "Likes oak")
    QTest.keyClick(line, Qt.Key.Key_Return)
    model = pane.detail.activities.items
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    settle(qtbot, bench)
    assert model.data(model.index(0)) == "Likes oak"
    assert line.text() == ""


def test_a_meeting_from_a_record_starts_with_what_is_known(
    opened: Pane, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("contact")
    selected(pane, company.ids["claire"], bench, qtbot)
    meeting = next(a for a in pane.commands() if a.id == "follow.appointment")
    assert meeting.is_enabled
    meeting.run()
    entity, values = shell_of(bench).new[0]
    assert entity == "activity"
    assert values["contact"] == company.ids["claire"]
    assert values["account"] == company.ids["rossi"]
    assert values["start_at"].minute in {0, 30}
    assert (values["end_at"] - values["start_at"]).total_seconds() == 3600


def test_follow_ups_wait_for_a_record(bench: Workbench, qtbot: QtBot) -> None:
    pane = RecordPane(bench, "contact")
    qtbot.addWidget(pane)
    assert not next(a for a in pane.commands() if a.id == "follow.task").is_enabled


@pytest.mark.parametrize(("entity", "takes"), [("product", False), ("lead", True), ("case", True)])
def test_products_take_no_activities(bench: Workbench, entity: str, takes: bool) -> None:
    offered = follow_up.actions(bench, entity, lambda: None, lambda: True)
    assert ("follow.task" in {action.id for action in offered}) is takes


def test_a_change_elsewhere_reaches_list_and_detail(
    opened: Pane, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    key = company.ids["rossi"]
    selected(pane, key, bench, qtbot)
    now = records.get(company.actor, "account", key)
    saved = records.save(company.actor, "account", key, now.version, {"name": "Rossi & Co"})
    bench.bus.publish(saved.changes)
    qtbot.waitUntil(lambda: "Rossi & Co" in titles(pane))
    qtbot.waitUntil(lambda: pane.detail._title.text() == "Rossi & Co")
    settle(qtbot, bench)


def test_unsaved_details_keep_their_record(
    opened: Pane,
    company: Company,
    bench: Workbench,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from desktop_crm.views.forms import editing

    pane = opened("account")
    selected(pane, company.ids["rossi"], bench, qtbot)
    pane.detail.show_tab("details")
    form = pane.detail.details.form
    assert form is not None
    form.put("name", "Half typed")
    asked: list[str] = []

    def stay(*_args: object) -> str:
        asked.append("asked")
        return "stay"

    monkeypatch.setattr(editing, "ask", stay)
    pane.list.table.select_id(company.ids["dumbrava"])
    qtbot.waitUntil(lambda: bool(asked))
    qtbot.waitUntil(lambda: pane.list.table.current_id() == company.ids["rossi"])
    assert pane.detail.record_id == company.ids["rossi"]
    form.settle()


# --- what only some entities offer --------------------------------------------------------------


def test_activities_are_completed_together(
    opened: Pane, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("activity")
    choose(pane, "kind:task", bench, qtbot)
    pane.list.table.selectAll()
    complete = next(a for a in pane.commands() if a.id == "activity.complete")
    assert complete.is_enabled
    complete.run()
    settle(qtbot, bench)
    for name in ("late", "next week"):
        saved = records.get(company.actor, "activity", company.ids[name])
        assert saved.values["state"] == "completed"
    assert shell_of(bench).toasts[-1][0] == "2 activities completed"


def test_open_cases_are_resolved_together(
    opened: Pane, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    for name, status in (("belt", "in_progress"), ("film", "waiting"), ("old", "merged")):
        company.add("case", name, {"title": name, "status_reason": status})
    pane = opened("case")
    choose(pane, "all", bench, qtbot)
    pane.list.table.selectAll()
    resolve = next(a for a in pane.commands() if a.id == "case.resolve")
    assert resolve.is_enabled
    resolve.run()
    settle(qtbot, bench)
    states = [
        records.get(company.actor, "case", company.ids[name]).values["state"]
        for name in ("belt", "film", "old")
    ]
    assert states == ["resolved", "resolved", "canceled"]
    assert shell_of(bench).toasts[-1][0] == "2 cases resolved"


def test_a_lead_is_converted(
    opened: Pane, company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    lead = company.add(
        "lead",
        "lead",
        {
            "subject": "Wants a line",
            "first_name": "Ion",
            "last_name": "Rus",
            "company": "Officine Rossi",
            "owner": company.actor.user_id,
        },
    )
    dialog = ConvertLeadDialog(bench, lead, "Wants a line")
    dialog.open()
    settle(qtbot, bench)
    assert dialog.account.count() == 2
    dialog.account.setCurrentIndex(1)
    dialog._go.click()
    settle(qtbot, bench)
    saved = records.get(company.actor, "lead", lead)
    assert saved.values["converted_account"] == company.ids["rossi"]
    assert shell_of(bench).opened[0][0] == "opportunity"


def test_import_and_export_know_the_list(
    opened: Pane, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_crm.views.dialogs import export_dialog, import_wizard

    exported: list[tuple[RecordQuery, Sequence[int]]] = []
    imported: list[str] = []
    monkeypatch.setattr(
        export_dialog, "open_export", lambda _b, query, ids: exported.append((query, ids))
    )
    monkeypatch.setattr(import_wizard, "open_import", lambda _b, key: imported.append(key))
    pane = opened("account")
    pane.list.search.setText("rossi")
    qtbot.waitUntil(lambda: titles(pane) == ["Officine Rossi"])
    pane.export()
    pane.import_file()
    ((query, ids),) = exported
    assert query.search == "rossi"
    assert query.entity == "account"
    assert list(ids) == []
    assert imported == ["account"]
    settle(qtbot, bench)


def test_resolving_what_is_resolved_already_says_that_nothing_changed(
    opened: Pane, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    for name in ("one", "two"):
        company.add("case", name, {"title": name, "state": "resolved"})
    pane = opened("case")
    choose(pane, "all", bench, qtbot)
    pane.list.table.selectAll()
    next(a for a in pane.commands() if a.id == "case.resolve").run()
    settle(qtbot, bench)
    told = ("Nothing was changed", "None of the selected records is open.")
    assert shell_of(bench).toasts == [told]


def test_the_number_of_a_case_stands_whole_beside_a_long_account(
    opened: Pane, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    account = company.add(
        "account", "long", {"name": "Uzinele de Ambalaje și Carton din Câmpia Turzii Nord SRL"}
    )
    company.add("case", "belt", {"title": "Belt tears", "account": account})
    pane = opened("case")
    pane.resize(1100, 680)
    qtbot.waitUntil(lambda: pane.detail.record_id == company.ids["belt"])
    settle(qtbot, bench)
    number = pane.detail._subtitle
    assert number.text().startswith("C-")
    assert number.fontMetrics().horizontalAdvance(number.text()) <= number.width()
