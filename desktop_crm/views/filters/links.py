"""Editors of linked records in a condition: one, several, or the user and the team."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views.filters.value_edit import ValueEdit
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.forms.link_editor import LinkEditor
from desktop_crm.views.widgets.buttons import tool_button
from desktop_crm.views.widgets.flow import Flow

if TYPE_CHECKING:
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.services.filters import Value
    from desktop_crm.views.filters.words import Titles
    from desktop_crm.views.workbench import Workbench

ME: Final = "me"
MY_TEAM: Final = "my team"
_ONE: Final = ""


class LinkValue(ValueEdit):
    """One record; for users also oneself and the own team."""

    def __init__(self, field: BoundField, name: str, bench: Workbench, titles: Titles) -> None:
        super().__init__(field, name)
        self._titles = titles
        self.who = QuietCombo()
        self.who.setObjectName(f"{name}.who")
        self.who.setAccessibleName(tr("Who"))
        for text, code in ((tr("Me"), ME), (tr("My team"), MY_TEAM), (tr("A user"), _ONE)):
            self.who.addItem(text, code)
        self.link = LinkEditor(field, bench.formats, name, bench)
        self._layout.addWidget(self.who)
        self._layout.addWidget(self.link, 1)
        self._is_user = field.target == "user"
        self.who.setVisible(self._is_user)
        self.who.setCurrentIndex(0 if self._is_user else 2)
        self.who.activated.connect(self._chosen)
        self.link.changed.connect(self._told)
        self._text = ""
        self._show()

    def _chosen(self) -> None:
        self._show()
        self._told()

    def _show(self) -> None:
        one = self.who.currentData() == _ONE
        self.link.setVisible(one)
        self.setFocusProxy(self.link if not self._is_user else self.who)

    def load(self, value: Value) -> None:
        if self._is_user and value in {ME, MY_TEAM}:
            self.who.setCurrentIndex(self.who.findData(value))
        elif isinstance(value, int):
            self.who.setCurrentIndex(2)
            title = self._titles.get((self.field.target, value), f"#{value}")
            self.link.load(value, title)
        elif value:
            # A condition written by hand may name a record by its title.
            self.who.setCurrentIndex(2)
            self._text = str(value)
            self.link.load(None, self._text)
        self._show()

    def value(self) -> Value:
        who = str(self.who.currentData())
        if who:
            return who
        typed = self.link.line.text().strip()
        if typed and typed == self._text:
            return typed
        found = self.link.value()
        return found if isinstance(found, int) else None


class ManyLinks(ValueEdit):
    """Several records: each is added from the type-ahead and can be taken out again."""

    def __init__(self, field: BoundField, name: str, bench: Workbench, titles: Titles) -> None:
        super().__init__(field, name)
        self._titles = titles
        self._chosen: list[str | int] = []
        self._known: dict[str | int, str] = {ME: tr("Me"), MY_TEAM: tr("My team")}
        self._offers: dict[str, QWidget] = {}
        self.link = LinkEditor(field, bench.formats, name, bench)
        self.link.changed.connect(self._take)
        self._chips = QWidget()
        self._flow = Flow(self._chips)
        self._layout.setDirection(self._layout.Direction.TopToBottom)
        self._layout.addWidget(self.link)
        self._layout.addWidget(self._chips)
        if field.target == "user":
            for code in (ME, MY_TEAM):
                self._offers[code] = self._offer(code)
                self._flow.addWidget(self._offers[code])
        self.setFocusProxy(self.link)

    def _offer(self, code: str) -> QWidget:
        button = tool_button(
            f"{self._name}.add.{code.replace(' ', '_')}",
            self._known[code],
            "add",
            lambda: self._add(code),
            show_text=True,
        )
        button.setProperty("chip", True)
        return button

    def load(self, value: Value) -> None:
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        self._chosen = list(dict.fromkeys(values))
        self._show()

    def value(self) -> Value:
        return tuple(self._chosen) or None

    def _take(self) -> None:
        """Take a record once it was chosen from the suggestions."""
        if self.link.is_empty() or self.link.line.text().strip() != self.link.title:
            return
        found = self.link.value()
        if isinstance(found, int):
            self._known[found] = self.link.title
            self.link.load(None)
            self._add(found)

    def _add(self, value: str | int) -> None:
        if value not in self._chosen:
            self._chosen.append(value)
            self._show()
            self._told()

    def _remove(self, value: str | int) -> None:
        self._chosen.remove(value)
        self._show()
        self._told()
        self.link.setFocus()

    def _show(self) -> None:
        while (item := self._flow.takeAt(len(self._offers))) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for code, offer in self._offers.items():
            offer.setVisible(code not in self._chosen)
        for value in self._chosen:
            text = self._known.get(value, "")
            if not text and isinstance(value, int):
                text = self._titles.get((self.field.target, value), f"#{value}")
            button = tool_button(
                f"{self._name}.chosen.{value}",
                text or str(value),
                "dismiss",
                partial(self._remove, value),
                show_text=True,
                tip=tr("Take out “{title}”", title=text or value),
            )
            button.setProperty("chip", True)
            button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
            self._flow.addWidget(button)
        self._chips.setVisible(self._flow.count() > 0)
