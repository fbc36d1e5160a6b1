"""Opportunities as cards in the columns of their stages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.models.opportunity import OpportunityState
from desktop_crm.services import closing, pipeline, records
from desktop_crm.services.pipeline import Deal, Lane
from desktop_crm.views.charts.board import Board
from desktop_crm.views.charts.board_card import BoardCard, BoardLane
from desktop_crm.views.dialogs.close_opportunity import CloseOpportunityDialog
from desktop_crm.views.panes.figures import amounts_text, money_text
from desktop_crm.views.widgets.cards import EmptyState

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.closing import ClosingFacts
    from desktop_crm.services.records import Saved
    from desktop_crm.views.workbench import Workbench

STEP = 50
"""Cards of a column that are read at once."""

_TONES = {
    OpportunityState.OPEN.value: "series_1",
    OpportunityState.WON.value: "series_2",
    OpportunityState.LOST.value: "series_6",
}


class PipelineBoard(QWidget):
    """The board; a card is moved by mouse or by Alt and an arrow key.

    A move to a stage that closes asks for revenue or reason first. Call :meth:`refresh` when it
    comes to the front; it follows changes by itself while it is shown.

    Attributes:
        selected: id of the selected opportunity, or None.
    """

    selected = Signal(object)

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pipelineBoard")
        self._bench = bench
        self._mine = False
        self._limits: dict[int, int] = {}
        self._deals: dict[int, Deal] = {}
        self._lanes: dict[int, Lane] = {}
        self.board = Board(tr("Pipeline by stage"))
        self.board.move_requested.connect(self._move)
        self.board.opened.connect(partial(bench.shell.open_record, "opportunity"))
        self.board.more_requested.connect(self._more)
        self.board.selected.connect(self._on_selected)
        self.setFocusProxy(self.board)
        empty = EmptyState(
            "data_trending",
            tr("There are no stages"),
            tr("Stages are the columns of this board."),
            tr("Set up stages"),
            partial(bench.shell.show_module, "settings"),
            name="boardEmpty",
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self.board)
        self._stack.addWidget(empty)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._stack)
        bench.bus.changed.connect(self._on_changed)

    def show_mine(self, mine: bool) -> None:
        """Show only the actor's own opportunities, or all they may see."""
        self._mine = mine
        self.refresh()

    def refresh(self) -> None:
        """Read the board again; as many cards as were shown before."""
        self._bench.tasks.read(
            partial(
                pipeline.board, self._bench.actor, limits=dict(self._limits), step=STEP,
                mine=self._mine,
            ),
            done=self._show, owner=self, lane="board",
        )  # fmt: skip

    def current_id(self) -> int | None:
        """The selected opportunity."""
        card = self.board.current()
        return card.id if card is not None else None

    def _on_changed(self, changes: ChangeSet) -> None:
        if self.isVisible() and changes.touches("opportunity", "stage", "account"):
            self.refresh()

    def _on_selected(self, card: object) -> None:
        self.selected.emit(card.id if isinstance(card, BoardCard) else None)

    def _show(self, lanes: tuple[Lane, ...]) -> None:
        self._lanes = {lane.total.stage_id: lane for lane in lanes}
        self._deals = {deal.id: deal for lane in lanes for deal in lane.deals}
        self.board.show_lanes([self._lane(lane) for lane in lanes])
        self._stack.setCurrentIndex(0 if lanes else 1)

    def _lane(self, lane: Lane) -> BoardLane:
        total = lane.total
        return BoardLane(
            key=total.stage_id,
            title=total.name,
            count=total.count,
            total=amounts_text(self._bench.formats, total.amount) if total.count else "",
            tone=_TONES.get(total.state, "series_1"),
            cards=tuple(self._card(deal) for deal in lane.deals),
        )

    def _card(self, deal: Deal) -> BoardCard:
        formats = self._bench.formats
        return BoardCard(
            id=deal.id,
            title=deal.name,
            subtitle=deal.account,
            amount=money_text(formats, deal.amount, deal.currency),
            due=formats.date(deal.close_on)[:-5] if deal.close_on else "",
            late=deal.late,
            owner=deal.owner,
            movable=deal.editable,
        )

    def _more(self, stage_id: int) -> None:
        self._limits[stage_id] = self._limits.get(stage_id, STEP) + STEP
        self.refresh()

    # --- moving --------------------------------------------------------------------------

    def _move(self, card: BoardCard, _from_stage: int, to_stage: int) -> None:
        deal, target = self._deals.get(card.id), self._lanes.get(to_stage)
        if deal is None or target is None:
            return
        if target.total.state == OpportunityState.OPEN.value:
            self._bench.tasks.write(
                partial(
                    records.save, self._bench.actor, "opportunity", deal.id, deal.version,
                    {"stage": to_stage},
                ),
                done=partial(self._moved, target), failed=self._not_moved, owner=self,
            )  # fmt: skip
            return
        self._bench.tasks.read(
            closing.facts, self._bench.actor, deal.id, to_stage,
            done=lambda known: QTimer.singleShot(0, self, partial(self._ask, known)),
            failed=self._not_moved, owner=self,
        )  # fmt: skip

    def _ask(self, known: ClosingFacts) -> None:
        dialog = CloseOpportunityDialog(self._bench.shell.window_widget(), self._bench, known)
        dialog.closed.connect(partial(self._was_closed, known))
        dialog.finished.connect(lambda _result: self.board.setFocus())
        dialog.open()

    def _moved(self, target: Lane, saved: Saved) -> None:
        self._bench.bus.publish(saved.changes)
        self.refresh()
        self._bench.shell.toast(tr("Moved to {stage}", stage=target.total.name), undo=True)

    def _was_closed(self, known: ClosingFacts, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self.refresh()
        self._bench.shell.toast(tr("Closed: {stage}", stage=known.stage), known.name, undo=True)

    def _not_moved(self, error: Exception) -> None:
        self.refresh()
        self._bench.shell.show_error(error)
