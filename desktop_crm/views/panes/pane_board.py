"""Shows the list of a pane as a board, by the field that its layout names."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.services import board_fields
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.widgets.buttons import show_menu, tool_button

if TYPE_CHECKING:
    from desktop_crm.meta.bound import BoundField, Entity
    from desktop_crm.services.query import RecordQuery
    from desktop_crm.views.lists.list_panel import ListPanel
    from desktop_crm.views.panes.record_board import RecordBoard
    from desktop_crm.views.workbench import Workbench


class PaneBoard(QObject):
    """The button that changes between table and board, and the board itself once it is wanted.

    Attributes:
        selected: Id of the record whose card is selected, or None.
        changed: The layout of the list says another board now.
        made: The board was shown for the first time; carries the widget that has its keys.
        button: Stands in the head of the list; hidden where no field has few values.
        board: The board; None before it was first shown.
    """

    selected = Signal(object)
    changed = Signal()
    made = Signal(QWidget)

    def __init__(self, bench: Workbench, entity: Entity, parent: QObject) -> None:
        super().__init__(parent)
        self._bench = bench
        self._key = entity.key
        self._list: ListPanel | None = None
        self._asked: tuple[str, RecordQuery] | None = None
        self._stands = False
        self.board: RecordBoard | None = None
        self.button = tool_button(
            f"list.board.{entity.key}", tr("Show as board"), "chart_multiple", self._unfold
        )
        if not self._fields:
            self.button.hide()

    @property
    def _fields(self) -> tuple[BoundField, ...]:
        """Fields that can have a board; those of one's own come and go while the pane is open."""
        return board_fields.fields(self._bench.actor, registry.get(self._key))

    def start(self, panel: ListPanel) -> None:
        """Follow a list."""
        self._list = panel
        panel.told.connect(self.follow)

    @property
    def is_shown(self) -> bool:
        """Whether the board stands in place of the table."""
        return bool(self._name())

    def current_id(self) -> int | None:
        """Record of the selected card."""
        return self.board.current_id() if self.board is not None else None

    def show(self, name: str) -> None:
        """Show a board of a field, or the table for an empty name; the layout keeps it."""
        if self._list is None:
            return
        self._list.arranged.change(board=name)
        self.follow()
        (self.board if name and self.board is not None else self._list.table).setFocus()
        self.changed.emit()

    def _name(self) -> str:
        """Field of the board that the layout names, where it can be shown."""
        if self._list is None:
            return ""
        name = self._list.arranged.layout.board
        return name if any(field.name == name for field in self._fields) else ""

    @Slot()
    def follow(self) -> None:
        """Show what layout, filter and words of the list ask for now."""
        if self._list is None:
            return
        name = self._name()
        turned = bool(name) != self._stands
        self._stands = bool(name)
        if not name:
            self._list.show_instead(None)
            if turned:
                self.selected.emit(self._list.table.current_id())
            return
        if self.board is None:
            self.board = self._make(self._list)
        self._list.show_instead(self.board)
        asked = (name, replace(self._list.query(), columns=()))
        if asked != self._asked:
            self._asked = asked
            self.board.show_field(name)
        elif turned:
            self.selected.emit(self.board.current_id())

    def refresh(self) -> None:
        """Read the board again (F5)."""
        if self.board is not None and self.is_shown:
            self.board.refresh()

    def _make(self, panel: ListPanel) -> RecordBoard:
        from desktop_crm.views.panes.record_board import RecordBoard

        made = RecordBoard(self._bench, self._key, lambda: _bare(panel))
        made.selected.connect(self.selected)
        self.made.emit(made.board)
        return made

    def actions(self) -> list[Action]:
        """The choices, for the menu of the pane."""
        if not self._fields:
            return []
        return [
            Action(
                "list.board", tr("Board"), self._unfold, "chart_multiple", group="view",
                place=Place.MORE, menu=tuple(self._choices()),
            )
        ]  # fmt: skip

    def _choices(self) -> list[Action]:
        name = self._name()
        found = [
            Action("board.none", tr("Table"), partial(self.show, ""), group="table",
                   checked=not name)
        ]  # fmt: skip
        for field in self._fields:
            text = tr("Board by {field}", field=tr(field.label).lower())
            found.append(
                Action(f"board.{field.name}", text, partial(self.show, field.name),
                       group="board", checked=field.name == name)
            )  # fmt: skip
        return found

    def _unfold(self) -> None:
        show_menu(self.button, self._choices())


def _bare(panel: ListPanel) -> RecordQuery:
    """Question of the list; an order is only what the person or the view chose."""
    return replace(panel.query(), columns=(), order=panel.arranged.layout.order)
