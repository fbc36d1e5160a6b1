"""The way of the Tab key through what is made only when it is first seen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def chain(controls: Iterable[QWidget]) -> None:
    """Let Tab go through controls of one window as they are given, whenever they were made."""
    for before, control in pairwise(controls):
        _follow(before, control)


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
        if _takes_tab(one) and one is not before and (one is part or part.isAncestorOf(one)):
            controls.append(one)
        one = one.nextInFocusChain()
        if one is part:
            break
    chain([before, *controls])


def put_before(after: QWidget, part: QWidget) -> None:
    """Let Tab go through a part of the same window before it reaches a control."""
    one = after.previousInFocusChain()
    while one is not None and one is not after:
        if _takes_tab(one) and one is not part and not part.isAncestorOf(one):
            put_behind(one, part)
            return
        one = one.previousInFocusChain()


def _takes_tab(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def _follow(before: QWidget, control: QWidget) -> None:
    """Put a control behind another one, with the boxes around it that hand the keyboard on to it.

    Left behind, such a box would lead Tab from wherever it stands back to its control.
    """
    holder = control.parentWidget()
    if holder is not None and holder.focusProxy() is control:
        policy = holder.focusPolicy()
        holder.setFocusProxy(None)  # type: ignore[arg-type]
        holder.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # what takes no keys cannot be moved
        _follow(before, holder)
        QWidget.setTabOrder(holder, control)
        holder.setFocusPolicy(policy)
        holder.setFocusProxy(control)
    else:
        QWidget.setTabOrder(before, control)
