"""One card of a board: its values and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen

from desktop_crm.views import theme
from desktop_crm.views.widgets.avatar import paint_avatar

Key = str | int | None
"""Value that the cards of a column share; None where none is set."""


@dataclass(frozen=True, slots=True)
class BoardCard:
    """One card.

    Attributes:
        id: the record.
        title: first line.
        subtitle: second line.
        amount: as text, lower left.
        due: as text, lower right.
        late: whether the due date is past.
        owner: whose initials are shown.
        movable: whether the actor may change it.
    """

    id: int
    title: str
    subtitle: str = ""
    amount: str = ""
    due: str = ""
    late: bool = False
    owner: str = ""
    movable: bool = True


@dataclass(frozen=True, slots=True)
class BoardLane:
    """One column.

    Attributes:
        key: what its cards have in common.
        title: in its head.
        count: how many cards it has in all.
        number: the same as text.
        total: sum of their amounts as text.
        tone: colour token of its marker.
        cards: the first of them.
    """

    key: Key
    title: str
    count: int
    number: str
    total: str
    tone: str = "info"
    cards: tuple[BoardCard, ...] = ()


def paint_card(
    painter: QPainter,
    rect: QRectF,
    card: BoardCard,
    *,
    chosen: bool = False,
    focused: bool = False,
    hovered: bool = False,
) -> None:
    """Draw one card."""
    painter.setPen(QPen(theme.color("focus" if focused else "stroke2"), 1.5 if focused else 1))
    fill = "sel" if chosen and focused else "sel_inactive" if chosen else "surface"
    painter.setBrush(theme.color("hover" if hovered and not chosen else fill))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
    inner = rect.adjusted(12, 8, -12, -8)
    line = inner.height() / 3
    face = theme.scaled(20)
    rows = [QRectF(inner.left(), inner.top() + line * n, inner.width(), line) for n in range(3)]
    title_font = theme.font(13, QFont.Weight.DemiBold)
    _text(painter, rows[0].adjusted(0, 0, -face - 6, 0), card.title, title_font, "text")
    if card.owner:
        place = QRectF(inner.right() - face, rows[0].center().y() - face / 2, face, face)
        paint_avatar(painter, place, card.owner)
    _text(painter, rows[1], card.subtitle, theme.font(12), "text2")
    amount = theme.font(12, QFont.Weight.DemiBold, tabular=True)
    due = theme.font(12, tabular=True)
    due_width = QFontMetricsF(due).horizontalAdvance(card.due) + 6
    _text(painter, rows[2].adjusted(0, 0, -due_width, 0), card.amount, amount, "text")
    _text(painter, rows[2], card.due, due, "bad" if card.late else "text2", right=True)


def _text(
    painter: QPainter, box: QRectF, text: str, font: QFont, token: str, *, right: bool = False
) -> None:
    painter.setFont(font)
    painter.setPen(theme.color(token))
    shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, shown)
