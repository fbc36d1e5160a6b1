"""Cards in columns that are moved by mouse or keyboard; plain values in, requests out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.views import theme
from desktop_crm.views.charts.board_card import BoardCard, BoardLane, Key, paint_card
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import Elide, label

CARD = 88
GAP = 8
LANE_WIDTH = 236


class LaneCards(QWidget):
    """The painted cards of one column."""

    def __init__(self, board: Board, lane: BoardLane) -> None:
        super().__init__()
        self.setObjectName(f"lane{lane.key}Cards")
        self.setAccessibleName(lane.title)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._board = board
        self.lane = lane
        self._press: QPoint | None = None
        self._hovered = -1

    def sizeHint(self) -> QSize:
        step = theme.scaled(CARD) + GAP
        return QSize(theme.scaled(LANE_WIDTH), max(1, len(self.lane.cards)) * step)

    def card_rect(self, index: int) -> QRectF:
        """Rectangle of a card."""
        height = theme.scaled(CARD)
        return QRectF(1, 1 + index * (height + GAP), self.width() - 2, height)

    def index_at(self, point: QPointF) -> int:
        """Index of the card under a point, or -1."""
        index = int(point.y() // (theme.scaled(CARD) + GAP))
        inside = 0 <= index < len(self.lane.cards) and self.card_rect(index).contains(point)
        return index if inside else -1

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        step = theme.scaled(CARD) + GAP
        first = max(0, event.rect().top() // step)
        last = min(len(self.lane.cards), event.rect().bottom() // step + 1)
        for index in range(first, last):
            chosen = self._board.is_current(self.lane.key, index)
            paint_card(
                painter,
                self.card_rect(index),
                self.lane.cards[index],
                chosen=chosen,
                focused=chosen and self._board.hasFocus(),
                hovered=index == self._hovered,
            )
        if not self.lane.cards:
            painter.setFont(theme.font(12))
            painter.setPen(theme.color("text3"))
            box = QRectF(0, 0, self.width(), theme.scaled(CARD))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, tr("Nothing here"))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position())
        self._board.setFocus(Qt.FocusReason.MouseFocusReason)
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._board.choose(self.lane.key, index)
            self._press = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        if self._press is None:
            hovered = self.index_at(event.position())
            if hovered != self._hovered:
                self._hovered = hovered
                self.update()
            return
        far = (point - self._press).manhattanLength() >= QApplication.startDragDistance()
        if far or self._board.dragging:
            index = self.index_at(QPointF(self._press))
            self._board.drag(self, index, event.globalPosition().toPoint(), self._press)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._press = None
        self._board.drop(event.globalPosition().toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._press = None
        index = self.index_at(event.position())
        if index >= 0:
            self._board.opened.emit(self.lane.cards[index].id)

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()


class LaneColumn(QFrame):
    """One column: its head, its cards, and a button for more of them."""

    def __init__(self, board: Board, lane: BoardLane) -> None:
        super().__init__()
        self.setObjectName(f"lane{lane.key}")
        self.setMinimumWidth(theme.scaled(LANE_WIDTH - 40))
        self.setMaximumWidth(theme.scaled(LANE_WIDTH + 90))
        self.lane = lane
        self._board = board
        self._target = False
        self._title = Elide(lane.title, "strong")
        self._count = label("", "cap")
        self._total = label("", "cap")
        self.cards = LaneCards(board, lane)
        self._more = push_button(f"lane{lane.key}More", "", self._ask_more, kind="flat")
        body = QWidget()
        body.setObjectName("scrollbody")
        inside = QVBoxLayout(body)
        inside.setContentsMargins(0, 0, 6, 0)
        inside.setSpacing(4)
        inside.addWidget(self.cards)
        inside.addWidget(self._more)
        inside.addStretch(1)
        self.area = QScrollArea()
        self.area.setObjectName(f"lane{lane.key}Scroll")
        self.area.setWidget(body)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        head = QHBoxLayout()
        head.setContentsMargins(4, 0, 8, 0)
        head.addWidget(self._title, 1)
        head.addWidget(self._count)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 12, 4, 8)
        column.setSpacing(2)
        column.addLayout(head)
        self._total.setContentsMargins(4, 0, 0, 6)
        column.addWidget(self._total)
        column.addWidget(self.area, 1)
        self.show_lane(lane)

    def show_lane(self, lane: BoardLane) -> None:
        """Show other cards."""
        self.lane = lane
        self.cards.lane = lane
        self._title.setText(lane.title)
        self._count.setText(lane.number)
        self._total.setText(lane.total or " ")
        rest = lane.count - len(lane.cards)
        self._more.setVisible(rest > 0)
        self._more.setText(ntr("Show more ({n} left)", "Show more ({n} left)", max(rest, 0)))
        self._more.setAccessibleName(self._more.text())
        words = ntr("{n} card", "{n} cards", lane.count)
        self.setAccessibleName(f"{lane.title}: {words}, {lane.total}")
        self.cards.updateGeometry()
        self.update()
        self.cards.update()

    def set_target(self, target: bool) -> None:
        """Mark the column as the place where a dragged card would fall."""
        self._target = target
        self.update()

    def _ask_more(self) -> None:
        self._board.more_requested.emit(self.lane.key)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(theme.color("focus" if self._target else "stroke"), 1))
        painter.setBrush(theme.color("sel" if self._target else "surface2"))
        painter.drawRoundedRect(area, 8, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(self.lane.tone))
        painter.drawRoundedRect(QRectF(12, 1, self.width() - 24, 3), 1.5, 1.5)


class Board(QWidget):
    """Columns side by side.

    Arrows go from card to card, Alt with left or right moves the card to the next column, Enter
    opens it. The mouse drags it.

    Attributes:
        move_requested: card, key of its column, key of the column it should go to.
        opened: id of the record to open.
        more_requested: key of the column that should show more cards.
        selected: the selected card, or None.
    """

    move_requested = Signal(object, object, object)
    opened = Signal(object)
    more_requested = Signal(object)
    selected = Signal(object)

    def __init__(self, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("board")
        self.setAccessibleName(accessible_name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.columns: list[LaneColumn] = []
        self._lane = 0
        self._index = 0
        self._drag: tuple[LaneCards, int] | None = None
        self._ghost = QLabel(self)
        self._ghost.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._ghost.hide()
        self._inside = QWidget()
        self._inside.setObjectName("scrollbody")
        self._row = QHBoxLayout(self._inside)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._area = QScrollArea()
        self._area.setObjectName("boardScroll")
        self._area.setWidget(self._inside)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._area)
        theme.changed.connect(self._theme_changed)

    # --- content -------------------------------------------------------------------------

    def show_lanes(self, lanes: Sequence[BoardLane]) -> None:
        """Show these columns; the selected card stays selected wherever it is now."""
        chosen = self.current()
        if [column.lane.key for column in self.columns] == [lane.key for lane in lanes]:
            for column, lane in zip(self.columns, lanes, strict=True):
                column.show_lane(lane)
        else:
            self._build(lanes)
        if chosen is None or not self.select(chosen.id):
            self._clamp()

    def _build(self, lanes: Sequence[BoardLane]) -> None:
        for column in self.columns:
            self._row.removeWidget(column)
            column.hide()
            column.deleteLater()
        self.columns = [LaneColumn(self, lane) for lane in lanes]
        for column in self.columns:
            self._row.addWidget(column, 1)

    def _theme_changed(self) -> None:
        for column in self.columns:
            column.cards.updateGeometry()
            column.update()

    # --- selection -----------------------------------------------------------------------

    def is_current(self, key: Key, index: int) -> bool:
        """Whether a card is the selected one."""
        lane = self.columns[self._lane].lane if self._lane < len(self.columns) else None
        return lane is not None and lane.key == key and index == self._index

    def current(self) -> BoardCard | None:
        """The selected card."""
        if self._lane >= len(self.columns):
            return None
        cards = self.columns[self._lane].lane.cards
        return cards[self._index] if self._index < len(cards) else None

    def choose(self, key: Key, index: int) -> None:
        """Select a card by its column and place."""
        self._lane = next(n for n, one in enumerate(self.columns) if one.lane.key == key)
        self._index = index
        self._changed()

    def select(self, record_id: int) -> bool:
        """Select a card by its record; whether it is on the board."""
        for lane, column in enumerate(self.columns):
            for index, card in enumerate(column.lane.cards):
                if card.id == record_id:
                    self._lane, self._index = lane, index
                    self._changed()
                    return True
        return False

    def _clamp(self) -> None:
        """Stay within the columns; where the column has no card, go to the first that has one."""
        self._lane = min(self._lane, max(0, len(self.columns) - 1))
        if self.columns:
            if not self.columns[self._lane].lane.cards:
                filled = (at for at, one in enumerate(self.columns) if one.lane.cards)
                self._lane = next(filled, self._lane)
            self._index = min(self._index, max(0, len(self.columns[self._lane].lane.cards) - 1))
        self._changed()

    def _changed(self) -> None:
        card = self.current()
        if card is not None:
            column = self.columns[self._lane]
            words = [column.lane.title, card.title, card.subtitle, card.amount, card.due]
            self.setAccessibleDescription(", ".join(word for word in words if word))
            rect = column.cards.card_rect(self._index).toRect()
            column.area.ensureVisible(rect.center().x(), rect.top(), 0, 4)
            column.area.ensureVisible(rect.center().x(), rect.bottom(), 0, 4)
            self._area.ensureWidgetVisible(column, 0, 0)
        for column in self.columns:
            column.cards.update()
        self.selected.emit(card)

    # --- drag ----------------------------------------------------------------------------

    @property
    def dragging(self) -> bool:
        """Whether a card hangs at the mouse."""
        return self._drag is not None

    def drag(self, cards: LaneCards, index: int, at: QPoint, grip: QPoint) -> None:
        """Let a card hang at the mouse; `grip` is where in its column it was taken."""
        if index < 0 or not cards.lane.cards[index].movable:
            return
        rect = cards.card_rect(index)
        if self._drag is None:
            self._drag = (cards, index)
            self._ghost.setPixmap(self._picture(cards, index))
            self._ghost.adjustSize()
            self._ghost.show()
            self._ghost.raise_()
        offset = grip - rect.topLeft().toPoint()
        self._ghost.move(self.mapFromGlobal(at) - offset)
        target = self._column_at(at)
        for column in self.columns:
            column.set_target(column is target and column.cards is not cards)

    def _picture(self, cards: LaneCards, index: int) -> QPixmap:
        ratio = self.devicePixelRatioF()
        rect = cards.card_rect(index)
        picture = QPixmap((rect.size() * ratio).toSize())
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(0.92)
        card = cards.lane.cards[index]
        paint_card(painter, QRectF(0, 0, rect.width(), rect.height()), card, focused=True)
        painter.end()
        return picture

    def _column_at(self, at: QPoint) -> LaneColumn | None:
        return next(
            (one for one in self.columns if one.rect().contains(one.mapFromGlobal(at))), None
        )

    def drop(self, at: QPoint) -> None:
        """Let go of the card that hangs at the mouse."""
        drag, self._drag = self._drag, None
        self._ghost.hide()
        for column in self.columns:
            column.set_target(False)
        target = self._column_at(at)
        if drag is None or target is None or target.cards is drag[0]:
            return
        lane = drag[0].lane
        self.move_requested.emit(lane.cards[drag[1]], lane.key, target.lane.key)

    # --- keyboard ------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if key in steps and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._move(steps[Qt.Key(key)])
        elif key in steps:
            self._go(self._lane + steps[Qt.Key(key)], self._index)
        elif key in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self._go(self._lane, self._index + (1 if key == Qt.Key.Key_Down else -1))
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            card = self.current()
            if card is not None:
                self.opened.emit(card.id)
        elif key == Qt.Key.Key_Escape and self.dragging:
            self.drop(QPoint(-10_000, -10_000))
        else:
            super().keyPressEvent(event)

    def _go(self, lane: int, index: int) -> None:
        if not 0 <= lane < len(self.columns):
            return
        self._lane = lane
        self._index = min(max(index, 0), max(0, len(self.columns[lane].lane.cards) - 1))
        self._changed()

    def _move(self, step: int) -> None:
        card = self.current()
        target = self._lane + step
        if card is not None and card.movable and 0 <= target < len(self.columns):
            here = self.columns[self._lane].lane.key
            self.move_requested.emit(card, here, self.columns[target].lane.key)

    def focusInEvent(self, event: object) -> None:
        self._changed()

    def focusOutEvent(self, event: object) -> None:
        for column in self.columns:
            column.cards.update()
