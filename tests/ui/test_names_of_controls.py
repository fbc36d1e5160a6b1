"""Every control that a keyboard reaches has an object name and an accessible name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from desktop_crm.core.settings import Settings
from desktop_crm.services import closing
from desktop_crm.services.filters import parse
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.dialogs.about import AboutDialog
from desktop_crm.views.dialogs.close_opportunity import CloseOpportunityDialog
from desktop_crm.views.dialogs.database import CreateDatabaseDialog, OpenDatabaseDialog
from desktop_crm.views.dialogs.export_dialog import ExportDialog
from desktop_crm.views.dialogs.find_record import FILED_TO, FindRecordDialog
from desktop_crm.views.dialogs.import_wizard import ImportWizard
from desktop_crm.views.filters.filter_dialog import FilterDialog
from desktop_crm.views.mailbox.wizard import MailboxWizard
from desktop_crm.views.panes.calendar import CalendarPane
from desktop_crm.views.panes.home import HomePane
from desktop_crm.views.panes.mail import MailPane
from desktop_crm.views.panes.pane import Pane
from desktop_crm.views.panes.record_pane import RecordPane
from desktop_crm.views.panes.settings import SettingsPane
from tests.support.company import Company
from tests.support.post import deliver, suggest
from tests.support.windows import settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench

DIALOGS: dict[str, Callable[[Workbench, QWidget, Company], QDialog]] = {
    "close": lambda bench, window, company: CloseOpportunityDialog(
        window, bench,
        closing.facts(company.actor, company.ids["Oak chairs"], company.ids["Lost"]),
    ),
    "open database": lambda bench, window, company: OpenDatabaseDialog(
        window, bench.tasks, Settings(recent_databases=["a.db"]), print
    ),
    "create database": lambda bench, window, company: CreateDatabaseDialog(
        window, bench.tasks, print
    ),
    "export": lambda bench, window, company: ExportDialog(
        window, bench, RecordQuery("contact", ("full_name",)), [1, 2]
    ),
    "find": lambda bench, window, company: FindRecordDialog(window, bench, "Link", FILED_TO),
    "import": lambda bench, window, company: ImportWizard(window, bench, "contact"),
    "mailbox": lambda bench, window, company: MailboxWizard(window, bench),
    "filter": lambda bench, window, company: FilterDialog(
        bench, "account", parse(
            "has opportunity (close_on = last 3 weeks) and count contact > 1 and owner in (me)"
            " and relationship_type in (customer) and employees between 1 and 2"
            " and created_at between 2026-01-01 and today and tags has x",
            "account",
        ),
    ),
    "about": lambda bench, window, company: AboutDialog(window, company.actor),
}  # fmt: skip


def reachable(root: QWidget) -> list[QWidget]:
    return [
        one
        for one in root.findChildren(QWidget)
        if one.isVisible()
        and one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not one.objectName().startswith("qt_")
        and one.focusProxy() is None
        and not isinstance(one.parent(), QComboBox | QSpinBox)
        and not (isinstance(one, QLineEdit) and one.objectName() == "")
    ]


def nameless(root: QWidget) -> list[str]:
    found = []
    for one in reachable(root):
        if isinstance(one, QLabel):
            continue
        plain = isinstance(one, QAbstractScrollArea) and type(one).__name__ == "QScrollArea"
        words = one.accessibleName() or (one.text() if isinstance(one, QAbstractButton) else "")
        if not plain and not (words and one.objectName()):
            found.append(f"{type(one).__name__} {one.objectName()!r} {words!r}")
    return found


@pytest.mark.parametrize("name", DIALOGS)
def test_dialogs(bench: Workbench, company: Company, qtbot: QtBot, name: str) -> None:
    dialog = DIALOGS[name](bench, bench.shell.window_widget(), company)
    dialog.show()
    settle(qtbot, bench)
    assert reachable(dialog)
    assert nameless(dialog) == []
    assert dialog.windowTitle()
    dialog.close()


@pytest.mark.parametrize("make", [CalendarPane, HomePane, MailPane])
def test_panes(
    bench: Workbench,
    company: Company,
    qtbot: QtBot,
    make: Callable[[Workbench], Pane],
) -> None:
    message = deliver(company, "Offer", files={"offer.pdf": b"%PDF"})
    suggest(company, message, "contact", company.ids["claire"])
    pane = make(bench)
    qtbot.addWidget(pane)
    pane.resize(1300, 760)
    pane.show()
    pane.activate()
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: not bench.tasks.busy)
    assert reachable(pane)
    assert nameless(pane) == []


@pytest.mark.parametrize(("entity", "field"), [("opportunity", "stage"), ("lead", "rating")])
def test_a_board(bench: Workbench, qtbot: QtBot, entity: str, field: str) -> None:
    pane = RecordPane(bench, entity)
    qtbot.addWidget(pane)
    pane.resize(1300, 760)
    pane.show()
    pane.activate()
    pane.board.show(field)
    settle(qtbot, bench)
    assert reachable(pane)
    assert nameless(pane) == []


def test_every_page_of_the_settings(bench: Workbench, qtbot: QtBot) -> None:
    pane = SettingsPane(bench)
    qtbot.addWidget(pane)
    pane.resize(1300, 760)
    pane.show()
    for key in pane._makers:
        pane.show_page(key)
        settle(qtbot, bench)
        assert nameless(pane) == [], key
