"""The line above a list: title, count, quick filter and buttons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from desktop_crm.views import theme
from desktop_crm.views.widgets.labels import Elide, Pill
from desktop_crm.views.widgets.layout import fill, row
from desktop_crm.views.widgets.search_box import SearchBox

_ROOMY: Final = 480
_SEARCH: Final = (100, 220)
_BESIDE: Final = Qt.ToolButtonStyle.ToolButtonTextBesideIcon


class ListHead(QWidget):
    """Puts the parts side by side; in a narrow list the title comes first.

    There the count, which the status bar has too, and one button, whose command a menu has too,
    give way, and buttons do without their texts.

    Args:
        title: Name of the view.
        pill: Count.
        search: Quick filter.
        buttons: Buttons that are always there.
        spare: Button that gives way.
        last: Button at the right end.
    """

    def __init__(
        self,
        title: Elide,
        pill: Pill,
        search: SearchBox,
        buttons: Sequence[QWidget],
        spare: QWidget,
        last: QWidget,
    ) -> None:
        super().__init__()
        self._search = search
        self._spare = (row(pill), row(spare))
        self._texts = [
            button
            for button in buttons
            if isinstance(button, QToolButton) and button.toolButtonStyle() == _BESIDE
        ]
        count, rest = self._spare
        parts = (title, count, None, search, *buttons, rest, last)
        fill(QHBoxLayout(self), *parts, spacing=4, margins=(16, 9, 8, 9))
        self._fit(roomy=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit(roomy=event.size().width() >= theme.scaled(_ROOMY))

    def _fit(self, *, roomy: bool) -> None:
        narrow, wide = _SEARCH
        self._search.setMinimumWidth(narrow)
        self._search.setMaximumWidth(wide if roomy else narrow)
        for widget in self._spare:
            widget.setVisible(roomy)
        for button in self._texts:
            button.setToolButtonStyle(_BESIDE if roomy else Qt.ToolButtonStyle.ToolButtonIconOnly)
