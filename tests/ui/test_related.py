"""Related lists: counts, the list of one relation, search, adding, taking out, by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QTabBar

from desktop_crm.services import records, undo
from desktop_crm.services.records import Change
from desktop_crm.views.forms.form_dialog import FormDialog
from desktop_crm.views.forms.quick_create import QuickCreateDialog
from desktop_crm.views.forms.sections import FoldButton
from desktop_crm.views.panes.record_detail import RecordDetail
from desktop_crm.views.panes.related import RelatedPanel, RelatedSection
from tests.support.statements import counted
from tests.support.windows import child, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

Make = Callable[[str, str], RelatedPanel]


@pytest.fixture
def panel_of(bench: Workbench, company: Company, qtbot: QtBot) -> Make:
    """A function that shows the related lists of a record."""

    def made(entity: str, name: str) -> RelatedPanel:
        panel = RelatedPanel(entity, bench)
        qtbot.addWidget(panel)
        bench.bus.changed.connect(panel.take_changes)
        panel.resize(420, 700)
        with qtbot.waitActive(panel):
            panel.show()
            panel.activateWindow()
        panel.show_record(company.ids[name])
        settle(qtbot, bench)
        return panel

    return made


def section(panel: RelatedPanel, key: str) -> RelatedSection:
    return next(s for s in panel.sections if s.relation.key == key)


def titles(of: RelatedSection) -> list[str]:
    assert of.list is not None
    model = of.list.model
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def test_an_empty_list_says_so_without_speaking_of_views(
    panel_of: Make, bench: Workbench, qtbot: QtBot
) -> None:
    panel = panel_of("account", "rossi")
    quotes = section(panel, "quote.account")
    quotes.head.click()
    settle(qtbot, bench)
    assert quotes.list is not None
    said = [one.text() for one in quotes.list.findChildren(QLabel) if one.isVisible()]
    assert "Quotes: none yet" in said
    assert not any("view" in text for text in said)


def test_counts_stand_beside_the_names_and_the_first_list_is_shown(
    panel_of: Make,
) -> None:
    panel = panel_of("account", "rossi")
    assert section(panel, "contact.account")._pill.text() == "1"
    assert section(panel, "opportunity.account")._pill.text() == "3"
    assert [s.relation.key for s in panel.opened()] == ["contact.account"]
    assert titles(section(panel, "contact.account")) == ["Claire Dubois"]


def test_another_list_unfolds_by_keyboard_and_is_remembered(
    panel_of: Make, bench: Workbench, qtbot: QtBot
) -> None:
    panel = panel_of("account", "rossi")
    deals = section(panel, "opportunity.account")
    QTest.keyClick(deals.head, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert panel.opened() == [deals]
    assert titles(deals) == ["Idea", "Packaging line", "Spare parts"]
    assert deals.list is not None
    assert "account" not in deals.list.shown_columns()
    again = panel_of("account", "dumbrava")
    assert [s.relation.key for s in again.opened()] == ["opportunity.account"]
    QTest.keyClick(section(again, "opportunity.account").head, Qt.Key.Key_Left)
    assert again.opened() == []


def test_a_long_list_is_searched_in_one_step(
    panel_of: Make, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    rossi = company.ids["rossi"]
    people = [
        Change(None, None, {"last_name": f"Member {n:03}", "account": rossi}) for n in range(800)
    ]
    records.save_many(company.actor, "contact", people)
    panel = panel_of("account", "rossi")
    contacts = section(panel, "contact.account")
    assert contacts._pill.text() == "801"
    assert contacts.list is not None
    contacts.list.table.setFocus()
    QTest.keyClicks(contacts.list.table, "m")
    QTest.keyClicks(contacts.list.search, "ember 417")
    qtbot.waitUntil(lambda: titles(contacts) == ["Member 417"])
    settle(qtbot, bench)
    QTest.keyClick(contacts.list.search, Qt.Key.Key_Tab)
    contacts.list.table.setFocus()
    QTest.keyClick(contacts.list.table, Qt.Key.Key_Return)
    assert shell_of(bench).opened[0][0] == "contact"


def test_records_are_taken_out_of_a_list_and_come_back(
    panel_of: Make, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    panel = panel_of("account", "rossi")
    contacts = section(panel, "contact.account")
    assert contacts.list is not None
    contacts.list.table.setFocus()
    contacts.list.table.selectAll()
    button = child(panel, QAbstractButton, "related.account.contact.account.unlink")
    assert button.isVisible()
    QTest.keyClick(button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: contacts._pill.text() == "0")
    settle(qtbot, bench)
    claire = company.ids["claire"]
    assert records.get(company.actor, "contact", claire).values["account"] is None
    assert shell_of(bench).toasts[-1][0] == "1 record was taken out of the list"
    bench.bus.publish(undo.undo(company.actor))
    qtbot.waitUntil(lambda: contacts._pill.text() == "1")
    settle(qtbot, bench)
    assert titles(contacts) == ["Claire Dubois"]


def test_a_record_is_added_with_the_link_filled_in(
    panel_of: Make, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    panel = panel_of("account", "rossi")
    add = child(panel, QAbstractButton, "related.account.contact.account.new")
    QTest.keyClick(add, Qt.Key.Key_Space)
    dialog = child(panel, QuickCreateDialog)
    settle(qtbot, bench)
    QTest.keyClicks(child(dialog, QLineEdit, "form.contact.last_name"), "Bruni")
    QTest.keyClick(dialog, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    contacts = section(panel, "contact.account")
    qtbot.waitUntil(lambda: contacts._pill.text() == "2")
    settle(qtbot, bench)
    assert titles(contacts) == ["Bruni", "Claire Dubois"]


def test_an_existing_record_is_added_to_the_list(
    panel_of: Make, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    panel = panel_of("account", "dumbrava")
    contacts = section(panel, "contact.account")
    contacts.head.click()
    settle(qtbot, bench)
    contacts._link_one("contact", company.ids["claire"], "Claire Dubois")
    qtbot.waitUntil(lambda: contacts._pill.text() == "1")
    settle(qtbot, bench)
    assert titles(contacts) == ["Claire Dubois"]


def test_a_link_that_rules_need_is_not_taken_out(panel_of: Make) -> None:
    panel = panel_of("opportunity", "Idea")
    history = section(panel, "stage_history.opportunity")
    history.head.click()
    assert not child(
        panel, QAbstractButton, "related.opportunity.stage_history.opportunity.unlink"
    ).isVisible()
    assert not child(
        panel, QAbstractButton, "related.opportunity.stage_history.opportunity.new"
    ).isVisible()


def test_a_record_with_its_lists_takes_six_statements(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    detail = RecordDetail("contact", bench)
    qtbot.addWidget(detail)
    detail.show()
    detail.show_record(company.ids["claire"])
    settle(qtbot, bench)
    detail.show_tab("related")
    settle(qtbot, bench)
    other = company.add("contact", "other", {"last_name": "Other"})
    with counted(company.actor.db) as statements:
        detail.show_record(other)
        settle(qtbot, bench)
    assert detail.record is not None
    assert detail.record.id == other
    assert len(statements) <= 6, statements
    detail.show_tab("activities")
    settle(qtbot, bench)
    assert detail._items is not None


def test_the_form_window_has_the_lists_on_a_tab(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = FormDialog(
        bench.shell.window_widget(), "account", bench, record_id=company.ids["rossi"]
    )
    dialog.show()
    settle(qtbot, bench)
    tabs = child(dialog, QTabBar, "form.account.tabs")
    shown = [tabs.tabText(n) for n in range(tabs.count()) if tabs.isTabVisible(n)]
    assert shown[:3] == ["General", "Business", "Related"]
    assert dialog.findChild(RelatedPanel) is None
    tabs.setCurrentIndex(2)
    settle(qtbot, bench)
    panel = child(dialog, RelatedPanel)
    assert section(panel, "contact.account")._pill.text() == "1"
    child(panel, FoldButton, "related.account.opportunity.account").click()
    settle(qtbot, bench)
    assert len(titles(section(panel, "opportunity.account"))) == 3
    dialog.close()


def test_tab_goes_from_the_tabs_into_the_list_before_the_buttons(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = FormDialog(
        bench.shell.window_widget(), "account", bench, record_id=company.ids["rossi"]
    )
    dialog.show()
    with qtbot.waitActive(dialog):
        dialog.activateWindow()
    settle(qtbot, bench)
    tabs = child(dialog, QTabBar, "form.account.tabs")
    tabs.setCurrentIndex(2)
    settle(qtbot, bench)
    tabs.setFocus()
    way = []
    for _ in range(14):
        QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
        way.append(dialog.focusWidget().objectName())
    table = child(dialog, RelatedPanel).sections[0].list
    assert table is not None
    assert not table.letters.isVisible()
    first = way.index("related.account.contact.account")
    inner = way.index(table.table.objectName())
    second = way.index("related.account.account.parent")
    assert first == 0, way
    assert first < inner < second, way
    assert "form.delete" not in way[:second]
    dialog.close()


def test_a_new_record_has_no_lists_yet(bench: Workbench, qtbot: QtBot) -> None:
    dialog = FormDialog(bench.shell.window_widget(), "account", bench)
    dialog.show()
    settle(qtbot, bench)
    tabs = child(dialog, QTabBar, "form.account.tabs")
    assert not tabs.isTabVisible(2)
    dialog.close()
