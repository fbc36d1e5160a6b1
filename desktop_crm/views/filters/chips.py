"""The conditions in force above a list: one chip for each, to open and to take out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.services import filters
from desktop_crm.services.filters import Group, Node
from desktop_crm.views.filters.words import Titles, describe
from desktop_crm.views.widgets.buttons import push_button, tool_button
from desktop_crm.views.widgets.flow import Flow

if TYPE_CHECKING:
    from desktop_crm.meta.bound import Entity
    from desktop_crm.views.workbench import Workbench

_LONGEST: Final = 60


class ChipLine(QWidget):
    """Shows a filter as chips; hidden while there is none.

    Attributes:
        entity: What the conditions are about.
        changed: A condition was taken out; carries what is left.
        edit_wanted: The filter shall be opened in the builder.
    """

    changed = Signal(object)
    edit_wanted = Signal()

    def __init__(self, name: str, bench: Workbench, entity: Entity) -> None:
        super().__init__()
        self.setObjectName(f"{name}.chips")
        self._name = name
        self._bench = bench
        self.entity = entity
        self._node: Node | None = None
        self._titles: dict[tuple[str, int], str] = {}
        self._flow = Flow(self, spacing=6)
        self._flow.setContentsMargins(16, 8, 8, 4)
        # The list below takes the room; this one only what its lines need.
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    def show_filter(self, node: Node | None) -> None:
        """Show the top conditions of a filter; titles of records it names follow."""
        node = filters.normal(node)
        if node == self._node:
            return
        self._node = node
        self._build(self._titles)
        if node is None:
            return
        from desktop_crm.services.link_titles import link_titles

        self._bench.tasks.read(
            link_titles,
            self._bench.actor,
            self.entity.key,
            node,
            done=self._take_titles,
            owner=self,
            lane="titles",
        )

    def _take_titles(self, titles: dict[tuple[str, int], str]) -> None:
        if titles:
            self._titles |= titles
            self._build(self._titles)

    def _parts(self) -> tuple[Node, ...]:
        node = self._node
        if node is None:
            return ()
        return node.members if isinstance(node, Group) and node.mode == "all" else (node,)

    def _build(self, titles: Titles) -> None:
        while (item := self._flow.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        parts = self._parts()
        for place, part in enumerate(parts):
            text = describe(part, self.entity, self._bench.formats, titles)
            self._flow.addWidget(self._chip(place, text))
        if len(parts) > 1:
            clear = push_button(
                f"{self._name}.chips.clear", tr("Clear the filter"), self._clear, kind="link"
            )
            self._flow.addWidget(clear)
        self.setVisible(bool(parts))
        self.updateGeometry()

    def _chip(self, place: int, text: str) -> QWidget:
        chip = QFrame()
        chip.setProperty("filterchip", True)
        name = f"{self._name}.chip.{place + 1}"
        shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"
        opener = tool_button(name, text, "filter", self.edit_wanted.emit, show_text=True)
        opener.setText(f" {shown}".replace("&", "&&"))
        opener.setIconSize(QSize(14, 14))
        remove = tool_button(
            f"{name}.remove",
            tr("Take out “{title}”", title=shown),
            "dismiss",
            partial(self._remove, place),
        )
        remove.setIconSize(QSize(14, 14))
        box = QHBoxLayout(chip)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(opener)
        box.addWidget(remove)
        return chip

    def _remove(self, place: int) -> None:
        parts = self._parts()
        self.changed.emit(filters.normal(Group("all", parts[:place] + parts[place + 1 :])))

    def _clear(self) -> None:
        self.changed.emit(None)
