"""A layout that breaks into lines keeps its items alive."""

from __future__ import annotations

import shiboken6
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop_crm.views.widgets.flow import Flow


def test_its_items_are_its_own(qtbot: QtBot) -> None:
    # Of an item that Qt made Python does not hear when it goes; the next one at its address was
    # taken for it, and the window crashed when it was laid out.
    inside = QWidget()
    qtbot.addWidget(inside)
    flow = Flow(inside)
    for number in range(3):
        flow.addWidget(QPushButton(str(number)))
    items = [flow.itemAt(number) for number in range(flow.count())]
    assert all(item is not None and shiboken6.createdByPython(item) for item in items)


def test_a_widget_that_goes_leaves_the_others_in_place(qtbot: QtBot) -> None:
    inside = QWidget()
    qtbot.addWidget(inside)
    flow = Flow(inside)
    gone, stays = QLabel("gone"), QLabel("stays")
    flow.addWidget(gone)
    flow.addWidget(stays)
    assert gone.parent() is inside
    inside.show()
    gone.setParent(None)
    gone.deleteLater()
    qtbot.waitUntil(lambda: flow.count() == 1)
    last = flow.itemAt(0)
    assert last is not None
    assert last.widget() is stays
