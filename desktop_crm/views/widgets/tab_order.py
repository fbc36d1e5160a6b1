"""The way of the Tab key through what is made only when it is first seen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def put_behind(before: QWidget, part: QWidget) -> None:
    """Let Tab go from a control into a part of the same window, and from there on as before.

    Qt puts what is made later at the end of the window, behind its buttons.

    Args:
        before: The control that Tab comes from.
        part: What was made; its controls keep their order among themselves.
    """
    controls: list[QWidget] = []
    one: QWidget | None = part
    while one is not None:
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus:
            controls.append(one)
        one = one.nextInFocusChain()
        if one is part:
            break
    for control in controls:
        if control is not before and (control is part or part.isAncestorOf(control)):
            QWidget.setTabOrder(before, control)
            before = control
