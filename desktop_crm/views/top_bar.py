"""The bar at the top: name, search, theme, settings, who is signed in."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.icons import icon
from desktop_crm.views.widgets.avatar import Avatar
from desktop_crm.views.widgets.buttons import tool_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import label

HEIGHT = 48
SEARCH_WIDTH = 520


class _SearchField(QLineEdit):
    """Looks like a search field; a click or a key opens the command palette over it."""

    entered = Signal(str)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.entered.emit("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        opens = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down}
        if event.key() in opens or (event.text().isprintable() and event.text()):
            self.entered.emit(event.text().strip())
            return
        super().keyPressEvent(event)


class TopBar(QFrame):
    """Name of the product, global search, a few buttons.

    Attributes:
        search_wanted: The search field was entered; carries what was typed.
        theme_wanted: Light and dark shall change places.
        settings_wanted: The settings shall open.
        create_wanted: What can be created shall unfold below the button, which it carries.
    """

    search_wanted = Signal(str)
    theme_wanted = Signal()
    settings_wanted = Signal()
    create_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("topbar")
        self.setFixedHeight(theme.scaled(HEIGHT))
        row = QHBoxLayout(self)
        row.setContentsMargins(22, 0, 14, 0)
        row.setSpacing(6)
        row.addWidget(Glyph("handshake", "accent_text"))
        row.addWidget(label("Desktop CRM", name="brand"))
        row.addStretch(1)
        self.search = _SearchField()
        self.search.setObjectName("searchbox")
        self.search.setPlaceholderText(tr("Search records and commands (Ctrl+K)"))
        self.search.setAccessibleName(tr("Search records and commands"))
        self.search.setMaximumWidth(SEARCH_WIDTH)
        self.search.setMinimumWidth(240)
        self.search.addAction(
            icon("search", fill_on=False), QLineEdit.ActionPosition.LeadingPosition
        )
        self.search.entered.connect(self.search_wanted)
        row.addWidget(self.search, 3)
        row.addStretch(1)
        self._create = tool_button(
            "topbar.create",
            tr("Create"),
            "add",
            lambda: self.create_wanted.emit(self._create),
            tip=tr("Create a record from anywhere ({keys})", keys="Ctrl+Shift+N"),
        )
        row.addWidget(self._create)
        row.addWidget(
            tool_button(
                "topbar.theme",
                tr("Switch the theme: light or dark"),
                "weather_moon",
                self.theme_wanted.emit,
            )
        )
        row.addWidget(
            tool_button("topbar.settings", tr("Settings"), "settings", self.settings_wanted.emit)
        )
        self.avatar = Avatar("", 30)
        self.avatar.setObjectName("topbar.user")
        row.addWidget(self.avatar)

    def show_user(self, name: str) -> None:
        """Show who is signed in."""
        self.avatar.show_name(name)
        self.avatar.setToolTip(tr("Signed in as {name}", name=name))
