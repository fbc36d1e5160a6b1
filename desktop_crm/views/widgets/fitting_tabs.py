"""A tab bar for narrow panes: what finds no room waits behind a button."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QTabBar

from desktop_crm.core.i18n import tr
from desktop_crm.views.actions import Action
from desktop_crm.views.widgets.buttons import show_menu, tool_button

_WITHDRAWN: Final = "withdrawn"
"""Data of a tab that is not offered."""


class FittingTabBar(QTabBar):
    """Shows as many tabs as fit, the current one always.

    Attributes:
        more: Unfolds the tabs that found no room; stands beside the bar, hidden while all fit.
    """

    def __init__(self, name: str, said: str = "") -> None:
        """Build the bar, empty.

        Args:
            name: Object name.
            said: Accessible name; empty for the parts of a record.
        """
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(said or tr("Parts of the record"))
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(False)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.more = tool_button(
            f"{name}.more", tr("More parts of the record"), "more_horizontal", self._unfold
        )
        self.more.hide()
        self.currentChanged.connect(self._fit)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        return QSize(80, super().sizeHint().height())

    def offer(self, number: int, *, offered: bool) -> None:
        """Offer a tab, or take it away for now: then it is neither in the bar nor behind it."""
        # The data of a tab goes along when others are put in before it.
        self.setTabData(number, None if offered else _WITHDRAWN)
        self._fit()

    def offered_tabs(self) -> list[int]:
        """Tabs that can be turned to, in the bar or behind the button."""
        return [n for n in range(self.count()) if self.tabData(n) != _WITHDRAWN]

    def hidden_tabs(self) -> list[int]:
        """Tabs that found no room."""
        return [n for n in self.offered_tabs() if not self.isTabVisible(n)]

    def tabInserted(self, index: int) -> None:
        super().tabInserted(index)
        self._fit()

    def tabRemoved(self, index: int) -> None:
        super().tabRemoved(index)
        self._fit()

    def _fit(self) -> None:
        # Without a place there is no width to fit into; the bar fits when it is shown.
        shown = self._fitting() if self.isVisible() else set(self.offered_tabs())
        for number in range(self.count()):
            if self.isTabVisible(number) != (number in shown):
                self.setTabVisible(number, number in shown)
        self.more.setVisible(len(shown) < len(self.offered_tabs()))

    def _fitting(self) -> set[int]:
        """Tabs that find room beside each other, the current one among them."""
        wide = {n: self.tabSizeHint(n).width() for n in self.offered_tabs()}
        room = self.width()
        spare = 0 if self.more.isHidden() else self.more.sizeHint().width()
        if sum(wide.values()) <= room + spare:
            return set(wide)
        room -= 0 if spare else self.more.sizeHint().width()
        current = max(self.currentIndex(), 0)
        shown, left = {current}, room - wide.get(current, 0)
        for number, width in wide.items():
            if number == current:
                continue
            if width > left:
                break
            shown.add(number)
            left -= width
        return shown

    def _unfold(self) -> None:
        show_menu(
            self.more,
            [
                Action(
                    f"{self.objectName()}.{number}",
                    self.tabText(number),
                    partial(self.setCurrentIndex, number),
                )
                for number in self.hidden_tabs()
            ],
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
