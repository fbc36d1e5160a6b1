"""The line of commands of the pane in front; what does not fit moves into "More"."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.widgets.buttons import push_button, show_menu, tool_button
from desktop_crm.views.widgets.layout import clear, separator

HEIGHT = 46


class Ribbon(QFrame):
    """Buttons of the commands with place RIBBON, in groups; the rest unfolds from "More"."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("ribbon")
        self.setAccessibleName(tr("Commands"))
        self.setFixedHeight(theme.scaled(HEIGHT))
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 6, 8, 6)
        self._row.setSpacing(2)
        self._buttons: list[tuple[Action, QWidget]] = []
        self._lines: list[tuple[int, QWidget]] = []
        self._actions: list[Action] = []
        self._more = tool_button(
            "ribbon.more", tr("More commands"), "more_horizontal", self._unfold
        )
        self._row.addWidget(self._more)
        self._row.addStretch(1)

    def sizeHint(self) -> QSize:
        return QSize(200, theme.scaled(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, theme.scaled(HEIGHT))

    def show_actions(self, actions: Sequence[Action]) -> None:
        """Show the commands of another pane, or the same ones in another state."""
        shown = [action for action in actions if action.place is Place.RIBBON]
        same = [action.id for action in shown] == [action.id for action, _b in self._buttons]
        self._actions = list(actions)
        if same and [a.text for a in shown] == [a.text for a, _b in self._buttons]:
            self._buttons = [
                (action, button)
                for action, (_old, button) in zip(shown, self._buttons, strict=True)
            ]
        else:
            self._rebuild(shown)
        self.refresh()
        self._fit()

    def _rebuild(self, shown: Sequence[Action]) -> None:
        self._row.removeWidget(self._more)
        clear(self._row)
        self._buttons = []
        self._lines = []
        group = ""
        for action in shown:
            if self._buttons and action.group != group:
                line = separator(vertical=True)
                self._lines.append((len(self._buttons), line))
                self._row.addWidget(line)
            group = action.group
            button = self._button(len(self._buttons), action)
            self._buttons.append((action, button))
            self._row.addWidget(button)
        self._row.addWidget(self._more)
        self._row.addStretch(1)
        if self._buttons:
            # It was made before the buttons, yet stands behind them.
            QWidget.setTabOrder(self._buttons[-1][1], self._more)

    def _button(self, place: int, action: Action) -> QWidget:
        def run() -> None:
            current, button = self._buttons[place]
            if current.menu:
                show_menu(button, list(current.menu))
            else:
                current.run()

        name = f"ribbon.{action.id}"
        if action.primary:
            made: QWidget = push_button(name, action.text, run, kind="primary", drawing=action.icon)
            made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        else:
            made = tool_button(
                name, action.text, action.icon, run, tint=action.tint, show_text=True
            )
        made.setToolTip(action.tool_tip)
        return made

    def refresh(self) -> None:
        """Ask each command whether it can be done now."""
        for action, button in self._buttons:
            button.setEnabled(action.is_enabled)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Hide from the right what does not fit."""
        spacing = self._row.spacing()
        room = self.width() - 16 - self._more.sizeHint().width() - 2 * spacing
        line_width = 13 + spacing
        used = 0
        fits = True
        lines = dict(self._lines)
        for place, (_action, button) in enumerate(self._buttons):
            line = lines.get(place)
            used += button.sizeHint().width() + spacing + (line_width if line else 0)
            fits = fits and used <= room
            button.setVisible(fits)
            if line is not None:
                line.setVisible(fits)
        self._more.setVisible(bool(self._overflow()))

    def _overflow(self) -> list[Action]:
        hidden = [action for action, button in self._buttons if button.isHidden()]
        return hidden + [action for action in self._actions if action.place is Place.MORE]

    def _unfold(self) -> None:
        show_menu(self._more, self._overflow())
