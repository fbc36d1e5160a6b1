"""A tab bar for narrow panes: what finds no room waits behind a button."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QTabBar

from desktop_crm.core.i18n import tr
from desktop_crm.views.actions import Action
from desktop_crm.views.widgets.buttons import show_menu, tool_button


class FittingTabBar(QTabBar):
    """Shows as many tabs as fit, the current one always.

    Attributes:
        more: Unfolds the tabs that found no room; stands beside the bar, hidden while all fit.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("Parts of the record"))
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

    def hidden_tabs(self) -> list[int]:
        """Tabs that found no room."""
        return [n for n in range(self.count()) if not self.isTabVisible(n)]

    def _fit(self) -> None:
        wide = [self.tabSizeHint(n).width() for n in range(self.count())]
        room = self.width()
        spare = 0 if self.more.isHidden() else self.more.sizeHint().width()
        if sum(wide) <= room + spare:
            shown = set(range(self.count()))
        else:
            room -= 0 if spare else self.more.sizeHint().width()
            current = max(self.currentIndex(), 0)
            shown, left = {current}, room - wide[current]
            for number, width in enumerate(wide):
                if number == current:
                    continue
                if width > left:
                    break
                shown.add(number)
                left -= width
        for number in range(self.count()):
            if self.isTabVisible(number) != (number in shown):
                self.setTabVisible(number, number in shown)
        self.more.setVisible(len(shown) < self.count())

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
