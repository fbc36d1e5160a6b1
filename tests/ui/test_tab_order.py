"""Tab alone goes through every control of a window, in the order in which they are read."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QRadioButton, QWidget

from desktop_crm.services import filters, records
from desktop_crm.services.bulk.job import Targets
from desktop_crm.views.bulk.edit_dialog import BulkEditDialog, EditRow
from desktop_crm.views.filters.filter_dialog import FilterDialog
from desktop_crm.views.forms.form_dialog import FormDialog
from tests.support.windows import child, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

_MOST = 120
_LINE = 16
"""Controls of one line begin at most so many pixels apart."""
FILTER = (
    "relationship_type in (customer, prospect) and (city = Cluj or created_at = today)"
    " and has opportunity (amount > 5)"
)


def shown(qtbot: QtBot, bench: Workbench, window: QWidget) -> None:
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    settle(qtbot, bench)


def walk(window: QWidget) -> list[QWidget]:
    """Press Tab until it comes back to a control."""
    seen: list[QWidget] = []
    here: QWidget | None = window.focusWidget()
    while here is not None and here not in seen and len(seen) < _MOST:
        seen.append(here)
        QTest.keyClick(here, Qt.Key.Key_Tab)
        here = QApplication.focusWidget()
    return seen


def reachable(window: QWidget) -> set[str]:
    """Controls that a keyboard has to reach; of radio buttons the checked one stands for all."""
    return {
        one.objectName()
        for one in window.findChildren(QWidget)
        if one.isVisible() and one.isEnabled() and one.window() is window
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.focusProxy() is None
        if not isinstance(one, QRadioButton)
    }


def backwards(window: QWidget, seen: list[QWidget]) -> list[tuple[str, str]]:
    """Steps that lead up, but for the one from the last control of the window to the first."""
    places = [one.mapTo(window, QPoint(0, 0)) for one in seen]
    tops = [place.y() for place in places]
    line = [n for n, top in enumerate(tops) if top <= min(tops) + _LINE]
    first = min(line, key=lambda n: places[n].x())
    turned = [*range(first, len(seen)), *range(first)]
    return [
        (seen[a].objectName(), seen[b].objectName())
        for a, b in pairwise(turned)
        if tops[b] < tops[a] - _LINE
    ]


def test_a_filter_leads_from_its_text_to_the_buttons(qtbot: QtBot, bench: Workbench) -> None:
    node = filters.parse(FILTER, "account")
    dialog = FilterDialog(bench, "account", node, parent=bench.shell.window_widget())
    shown(qtbot, bench, dialog)
    seen = walk(dialog)
    assert reachable(dialog) <= {one.objectName() for one in seen}
    assert backwards(dialog, seen) == []


@pytest.mark.parametrize("first", ["", "owner", "tags", "annual_revenue"])
def test_many_records_are_changed_without_a_mouse(
    qtbot: QtBot, bench: Workbench, company: Company, first: str
) -> None:
    targets = Targets("account", [company.ids["rossi"]])
    dialog = BulkEditDialog(bench, targets, 1, first=first)
    shown(qtbot, bench, dialog)
    dialog.add_row("industry")
    one, two = (child(dialog, EditRow, f"bulkEdit.row{number}") for number in (1, 2))
    qtbot.waitUntil(lambda: two.isVisible() and two.y() > one.y())
    seen = walk(dialog)
    assert reachable(dialog) <= {one.objectName() for one in seen}
    assert backwards(dialog, seen) == []


def test_rows_and_tags_of_a_form_are_reached_where_they_stand(
    qtbot: QtBot, bench: Workbench, company: Company
) -> None:
    key = company.ids["claire"]
    two = [{"address": f"claire@{n}.example", "is_primary": n == "a"} for n in "ab"]
    records.save(bench.actor, "contact", key, None, {"emails": two, "tags": "|VIP|Press|"})
    window = FormDialog(bench.shell.window_widget(), "contact", bench, record_id=key)
    window.resize(760, 1600)
    shown(qtbot, bench, window)
    seen = walk(window)
    assert reachable(window) <= {one.objectName() for one in seen}
    assert backwards(window, seen) == []
