"""Conditional formats: chosen by keyboard, applied to the list, kept in its view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox

from desktop_crm.services import list_layout
from desktop_crm.services.filters import Rule
from desktop_crm.services.list_layout import Format, ListLayout
from desktop_crm.views.filters.filter_dialog import FilterDialog
from desktop_crm.views.lists.formats_dialog import FormatsDialog
from tests.support.windows import child, pane_of, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench

LARGE = Rule("amount", ">", "12000")
SMALL = Rule("amount", "<", "9000")


@pytest.fixture
def dialog(bench: Workbench, qtbot: QtBot) -> FormatsDialog:
    made = FormatsDialog(
        bench, "opportunity", (Format(LARGE, "ok", bold=True), Format(SMALL, "bad", "flag"))
    )
    made.show()
    settle(qtbot, bench)
    return made


def press(dialog: FormatsDialog, name: str) -> None:
    """Press a button of the dialog with the space bar."""
    QTest.keyClick(child(dialog, QAbstractButton, name), Qt.Key.Key_Space)


def test_formats_are_shown_in_words_and_changed(dialog: FormatsDialog, bench: Workbench) -> None:
    model = dialog.lines.model()
    assert "12,000" in str(model.index(0, 0).data())
    said = str(model.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole))
    assert said.endswith("Red, Flag")
    QTest.keyClick(dialog.lines, Qt.Key.Key_Down)
    assert dialog.tone.currentData() == "bad"
    box = child(dialog, QComboBox, "formats.tone")
    QTest.keyClick(box, Qt.Key.Key_Down)
    QTest.keyClick(dialog.bold, Qt.Key.Key_Space)
    press(dialog, "formats.up")
    small = Format(SMALL, "warn", "flag", bold=True)
    assert dialog.formats() == (small, Format(LARGE, "ok", "", bold=True))
    press(dialog, "formats.remove")
    taken: list[object] = []
    dialog.chosen.connect(taken.append)
    QTest.keyClick(dialog.lines, Qt.Key.Key_Return)
    assert taken == [(Format(LARGE, "ok", "", bold=True),)]


def test_a_format_is_added_with_a_condition_of_the_builder(
    dialog: FormatsDialog, bench: Workbench, qtbot: QtBot
) -> None:
    press(dialog, "formats.add")
    builder = child(dialog, FilterDialog)
    builder.chosen.emit(Rule("probability", "<", "20"))
    builder.reject()
    settle(qtbot, bench)
    assert dialog.formats()[-1] == Format(Rule("probability", "<", "20"), "bad")
    dialog.reject()


def test_the_list_follows_and_the_view_counts_as_changed(bench: Workbench, qtbot: QtBot) -> None:
    pane = pane_of(bench, qtbot, "opportunity")
    pane.choose_formats()
    chooser = child(bench.shell.window_widget(), FormatsDialog)
    chooser.chosen.emit((Format(LARGE, "ok"),))
    chooser.reject()
    settle(qtbot, bench)
    assert pane.list.table.formats == (Format(LARGE, "ok"),)
    assert pane.list.list_layout().formats == (Format(LARGE, "ok"),)


def test_looks_of_a_later_version_are_left_out() -> None:
    stored = list_layout.to_json(ListLayout(formats=(Format(LARGE, "ok", "flag"),)))
    stored["formats"][0] |= {"tone": "mauve", "icon": "rocket"}
    assert list_layout.from_json(stored).formats == (Format(LARGE),)
