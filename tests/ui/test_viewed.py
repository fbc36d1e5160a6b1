"""What is looked at is remembered, off the UI thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_crm.models.marking import MarkKind
from desktop_crm.services import marks, shipped_views
from desktop_crm.views.panes import record_pane
from tests.support.windows import pane_of, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.main_window import MainWindow
    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company


def test_a_record_that_stays_beside_the_list_counts_as_viewed(
    bench: Workbench, company: Company, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_pane, "_LOOK_MS", 10)
    pane = pane_of(bench, qtbot, "account")
    assert pane.list.table.select_id(company.ids["rossi"])

    def viewed() -> list[int]:
        return list(marks.keys(company.actor, MarkKind.VIEWED, "account"))

    qtbot.waitUntil(lambda: company.ids["rossi"] in viewed(), timeout=20_000)
    settle(qtbot, bench)
    # On a slow machine the row the list opened at was looked at for those 10 ms, too.
    qtbot.waitUntil(lambda: pane.views.views.counts[shipped_views.VIEWED] == len(viewed()))


def test_a_record_that_is_opened_counts_as_viewed(
    open_window: Callable[[str], MainWindow], company: Company, qtbot: QtBot
) -> None:
    window = open_window("account")
    window.open_record("account", company.ids["dumbrava"])

    def viewed() -> bool:
        return company.ids["dumbrava"] in marks.keys(company.actor, MarkKind.VIEWED, "account")

    qtbot.waitUntil(viewed, timeout=20_000)
    qtbot.waitUntil(lambda: not window.tasks.busy, timeout=20_000)
