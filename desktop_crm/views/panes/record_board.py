"""The records of a list as cards in columns, moved by mouse or keyboard."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.models.opportunity import OpportunityState
from desktop_crm.services import boards
from desktop_crm.services.boards import Card, Column
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.charts.board import Board
from desktop_crm.views.charts.board_card import BoardCard, BoardLane, Key
from desktop_crm.views.panes.figures import amounts_text, money_text
from desktop_crm.views.widgets.cards import EmptyState

if TYPE_CHECKING:
    from desktop_crm.meta.bound import Entity
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.closing import ClosingFacts
    from desktop_crm.services.records import Saved
    from desktop_crm.views.workbench import Workbench

_CLOSES: Final = ("opportunity", "stage")
"""Where a move into a closing value asks for revenue or reason first."""


class RecordBoard(QWidget):
    """One board for any entity and any field with few values.

    It shows what the list's question finds, and follows changes by itself while it is shown.

    Attributes:
        board: The columns.
        selected: Id of the selected record, or None.
        field: Name of the field whose values are the columns.
    """

    selected = Signal(object)

    def __init__(self, bench: Workbench, entity_key: str, asked: Callable[[], RecordQuery]) -> None:
        """Make an empty board.

        Args:
            bench: The workbench.
            entity_key: Whose records.
            asked: Gives the question of the list at the moment.
        """
        super().__init__()
        self.setObjectName("recordBoard")
        self._key = entity_key
        self.field = ""
        self._bench = bench
        self._asked = asked
        self._limits: dict[Key, int] = {}
        self._cards: dict[int, Card] = {}
        self._columns: dict[Key, Column] = {}
        self.board = Board(tr(self.entity.plural))
        self.board.move_requested.connect(self._move)
        self.board.opened.connect(partial(bench.shell.open_record, entity_key))
        self.board.more_requested.connect(self._more)
        self.board.selected.connect(self._on_selected)
        self.setFocusProxy(self.board)
        self._empty = EmptyState("data_trending", "", "", name="boardEmpty")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.board)
        self._stack.addWidget(self._empty)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 2)
        box.addWidget(self._stack)
        bench.bus.changed.connect(self._on_changed)

    @property
    def entity(self) -> Entity:
        """Whose records; its fields may be others than when the board was made."""
        return registry.get(self._key)

    def show_field(self, name: str) -> None:
        """Make the values of a field the columns."""
        if name != self.field:
            self._limits.clear()
        self.field = name
        label = tr(self.entity.fields[name].label)
        words = tr("{records} by {field}", records=tr(self.entity.plural), field=label.lower())
        self.board.setAccessibleName(words)
        self.refresh()

    def refresh(self) -> None:
        """Read the board again; as many cards as were shown before."""
        if self.field:
            self._bench.tasks.read(
                boards.board, self._bench.actor, self._asked(), self.field, dict(self._limits),
                done=self._show, failed=self._failed, owner=self, lane="board", cancellable=True,
            )  # fmt: skip

    def current_id(self) -> int | None:
        """The selected record."""
        card = self.board.current()
        return card.id if card is not None else None

    def _on_changed(self, changes: ChangeSet) -> None:
        target = self.entity.fields[self.field].target if self.field else ""
        if self.isVisible() and changes.touches(self.entity.key, target):
            self.refresh()

    def _on_selected(self, card: object) -> None:
        self.selected.emit(card.id if isinstance(card, BoardCard) else None)

    def _show(self, columns: tuple[Column, ...]) -> None:
        self._columns = {column.key: column for column in columns}
        self._cards = {card.id: card for column in columns for card in column.cards}
        self.board.show_lanes([self._lane(column) for column in columns])
        if not columns:
            self._empty.say(
                tr("There are no columns"),
                tr("The values of “{field}” are the columns of this board.",
                   field=tr(self.entity.fields[self.field].label)),
                tr("Set up values"),
                partial(self._bench.shell.show_module, "settings"),
            )  # fmt: skip
        self._stack.setCurrentWidget(self.board if columns else self._empty)

    def _failed(self, error: Exception) -> None:
        self._empty.say(tr("The board could not be shown"), str(error))
        self._stack.setCurrentWidget(self._empty)

    def _lane(self, column: Column) -> BoardLane:
        formats = self._bench.formats
        has_sum = bool(column.amount.total or column.amount.other)
        return BoardLane(
            key=column.key,
            title=column.title,
            count=column.count,
            number=formats.number(column.count, 0),
            total=amounts_text(formats, column.amount) if has_sum else "",
            tone=column.tone,
            cards=tuple(self._card(card) for card in column.cards),
        )

    def _card(self, card: Card) -> BoardCard:
        formats = self._bench.formats
        return BoardCard(
            id=card.id,
            title=card.title,
            subtitle=card.subtitle,
            amount=money_text(formats, card.amount, card.currency),
            due=formats.date(card.due)[:-5] if card.due else "",
            late=card.late,
            owner=card.owner,
            movable=card.editable,
        )

    def _more(self, key: Key) -> None:
        self._limits[key] = self._limits.get(key, boards.STEP) + boards.STEP
        self.refresh()

    # --- moving --------------------------------------------------------------------------

    def _move(self, moved: BoardCard, _from: Key, to: Key) -> None:
        card, target = self._cards.get(moved.id), self._columns.get(to)
        if card is None or target is None:
            return
        closes = (self.entity.key, self.field) == _CLOSES
        if closes and target.state != OpportunityState.OPEN.value:
            from desktop_crm.services import closing

            self._bench.tasks.read(
                closing.facts, self._bench.actor, card.id, to,
                done=lambda known: QTimer.singleShot(0, self, partial(self._ask, known)),
                failed=self._not_moved, owner=self,
            )  # fmt: skip
            return
        from desktop_crm.services import records

        self._bench.tasks.write(
            partial(
                records.save, self._bench.actor, self.entity.key, card.id, card.version,
                {self.field: to},
            ),
            done=partial(self._moved, target), failed=self._not_moved, owner=self,
        )  # fmt: skip

    def _ask(self, known: ClosingFacts) -> None:
        from desktop_crm.views.dialogs.close_opportunity import CloseOpportunityDialog

        dialog = CloseOpportunityDialog(self._bench.shell.window_widget(), self._bench, known)
        dialog.closed.connect(partial(self._was_closed, known))
        dialog.finished.connect(lambda _result: self.board.setFocus())
        dialog.open()

    def _moved(self, target: Column, saved: Saved) -> None:
        self._bench.bus.publish(saved.changes)
        self.refresh()
        self._bench.shell.toast(tr("Moved to {column}", column=target.title), undo=True)

    def _was_closed(self, known: ClosingFacts, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self.refresh()
        self._bench.shell.toast(tr("Closed: {stage}", stage=known.stage), known.name, undo=True)

    def _not_moved(self, error: Exception) -> None:
        self.refresh()
        self._bench.shell.show_error(error)
