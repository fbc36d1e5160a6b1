"""How one event is drawn: the block between the hours and the bar over whole days."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from desktop_crm.core.formats import Formats
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views import icons, theme
from desktop_crm.views.calendar import words

_TINT = {"light": 0.14, "dark": 0.26, "contrast": 0.0}
_TINT_SELECTED = {"light": 0.26, "dark": 0.44, "contrast": 0.0}
RADIUS = 4
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_DETAILS = 34
"""Width below which nothing but the title can be read."""


def blend(top: QColor, bottom: QColor, share: float) -> QColor:
    """A colour laid over another with the share given, as an opaque colour."""
    mix = [
        round(a * share + b * (1 - share))
        for a, b in zip(
            (top.red(), top.green(), top.blue()),
            (bottom.red(), bottom.green(), bottom.blue()),
            strict=True,
        )
    ]
    return QColor(*mix)


@lru_cache(maxsize=64)
def _tint(tone: int, surface: int, share: float) -> QColor:
    return blend(QColor(tone), QColor(surface), share)


def paint_block(
    painter: QPainter,
    rect: QRectF,
    event: AgendaEvent,
    formats: Formats,
    *,
    selected: bool = False,
    ghost: bool = False,
) -> None:
    """Draw an event between the hours: title, then hours and place as far as they fit."""
    _shape(painter, rect, event, selected=selected, ghost=ghost)
    text = rect.adjusted(9, 3, -5, -2)
    if text.height() < theme.scaled(12):
        text = rect.adjusted(9, 0, -5, 0)
    marker = theme.scaled(14) if event.series and rect.width() > theme.scaled(60) else 0
    single = rect.height() < theme.scaled(36)
    title_font = theme.font(12, QFont.Weight.DemiBold)
    painter.setFont(title_font)
    painter.setPen(theme.color("text2" if event.closed else "text"))
    metrics = QFontMetricsF(title_font)
    line = metrics.height()
    first = QRectF(text.left(), text.top(), text.width() - marker, line)
    if single:
        first.moveTop(rect.center().y() - line / 2)
    # Below the title there is room for the hours at least.
    most = 1 if single else max(1, int((text.height() - line) // line))
    titles = _title_lines(event.title, first.width(), most, title_font.pixelSize())
    box = QRectF(first)
    for title in titles:
        painter.drawText(box, _LEFT, title)
        box.translate(0, line)
    if marker:
        spot = QRectF(rect.right() - marker - 3, first.top(), marker, marker).toRect()
        icons.paint_icon(painter, spot, "arrow_sync", "text2")
    if single:
        if first.width() >= theme.scaled(_DETAILS):
            used = metrics.horizontalAdvance(titles[0])
            _rest_of_line(painter, first, used, words.time_range(event, formats))
        return
    if text.width() < theme.scaled(_DETAILS):
        return
    details = [event.whose, words.time_range(event, formats), event.place, event.regarding]
    _lines(painter, text, box.top() + 1, [line for line in details if line])


@lru_cache(maxsize=2048)
def _title_lines(title: str, width: float, most: int, _pixels: int) -> tuple[str, ...]:
    """A title on at most so many lines, broken between words; the last one is shortened.

    Kept for each size of the text: with each step of the cursor the page is painted anew.
    """
    metrics = QFontMetricsF(theme.font(12, QFont.Weight.DemiBold))
    lines: list[str] = []
    rest = title.split()
    while rest and len(lines) < most - 1:
        count = 1
        while count < len(rest) and metrics.horizontalAdvance(" ".join(rest[: count + 1])) <= width:
            count += 1
        lines.append(fitting(metrics, " ".join(rest[:count]), width))
        rest = rest[count:]
    if rest or not lines:
        lines.append(fitting(metrics, " ".join(rest), width))
    return tuple(lines)


def fitting(metrics: QFontMetricsF, text: str, width: float) -> str:
    """As much of a text as fits; where there is hardly room letters say more than an ellipsis."""
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
    if len(shown) > 2 or shown == text:
        return shown
    # Few letters fit here, and measuring is what many events cost: counted from the front.
    count = 0
    while count < len(text) and metrics.horizontalAdvance(text[: count + 1]) <= width:
        count += 1
    return text[:count]


def paint_crowd(painter: QPainter, rect: QRectF, count: int, *, selected: bool) -> None:
    """Draw how many events there is no room for."""
    painter.setPen(QPen(theme.color("focus" if selected else "stroke2"), 1.5 if selected else 1))
    painter.setBrush(theme.color("surface2"))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
    painter.setFont(theme.font(11, QFont.Weight.Medium))
    painter.setPen(theme.color("accent_text"))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, f"+{count}")


def _shape(
    painter: QPainter, rect: QRectF, event: AgendaEvent, *, selected: bool, ghost: bool
) -> None:
    tone = theme.color(words.token_of(event))
    surface = theme.color("surface")
    share = (_TINT_SELECTED if selected else _TINT)[theme.current()]
    fill = surface if event.show_as == "free" else _tint(tone.rgb(), surface.rgb(), share)
    path = QPainterPath()
    path.addRoundedRect(rect, RADIUS, RADIUS)
    painter.setOpacity(0.8 if ghost else 1.0)
    painter.fillPath(path, fill)
    painter.save()
    painter.setClipPath(path)
    bar = QRectF(rect.left(), rect.top(), 4, rect.height())
    if event.show_as == "tentative":
        pen = QPen(tone, 2)
        painter.setPen(pen)
        y = rect.top() - 4
        while y < rect.bottom() + 4:
            painter.drawLine(QPointF(bar.left(), y + 4), QPointF(bar.right(), y))
            y += 5
    else:
        painter.fillRect(bar, tone)
    painter.restore()
    outlined = selected or ghost or event.show_as == "free" or theme.current() == "contrast"
    if outlined:
        colour = theme.color("focus") if selected or ghost else tone
        style = Qt.PenStyle.DashLine if ghost else Qt.PenStyle.SolidLine
        painter.setPen(QPen(colour, 1.5 if selected else 1, style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
    painter.setOpacity(1.0)


def _rest_of_line(painter: QPainter, line: QRectF, used: float, text: str) -> None:
    small = theme.font(11, tabular=True)
    rest = line.adjusted(used + 8, 0, 0, 0)
    if rest.width() >= QFontMetricsF(small).horizontalAdvance(text):
        painter.setFont(small)
        painter.setPen(theme.color("text2"))
        painter.drawText(rest, _LEFT, text)


def _lines(painter: QPainter, text: QRectF, top: float, lines: list[str]) -> None:
    small = theme.font(11, tabular=True)
    metrics = QFontMetricsF(small)
    painter.setFont(small)
    painter.setPen(theme.color("text2"))
    for line in lines:
        if top + metrics.height() > text.bottom() + 2:
            return
        shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, text.width())
        place = QRectF(text.left(), top, text.width(), metrics.height())
        painter.drawText(place, _LEFT, shown)
        top += metrics.height() + 1


def paint_bar(
    painter: QPainter,
    rect: QRectF,
    event: AgendaEvent,
    formats: Formats,
    *,
    selected: bool = False,
    timed: bool = False,
    ghost: bool = False,
) -> None:
    """Draw an event as one line: over whole days filled, with its hour in a month's cell."""
    if timed:
        _paint_timed_line(painter, rect, event, formats, selected=selected or ghost)
        return
    _shape(painter, rect, event, selected=selected, ghost=ghost)
    font = theme.font(12, QFont.Weight.Medium)
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    painter.setPen(theme.color("text2" if event.closed else "text"))
    text = rect.adjusted(9, 0, -5, 0)
    if event.series:
        size = theme.scaled(13)
        spot = QRect(round(text.right()) - size, round(rect.center().y() - size / 2), size, size)
        icons.paint_icon(painter, spot, "arrow_sync", "text2")
        text.setRight(text.right() - size - 2)
    shown = metrics.elidedText(event.title, Qt.TextElideMode.ElideRight, text.width())
    painter.drawText(text, _LEFT, shown)


def _paint_timed_line(
    painter: QPainter, rect: QRectF, event: AgendaEvent, formats: Formats, *, selected: bool
) -> None:
    tone = theme.color(words.token_of(event))
    if selected:
        path = QPainterPath()
        path.addRoundedRect(rect, RADIUS, RADIUS)
        painter.fillPath(path, theme.color("sel"))
        painter.setPen(QPen(theme.color("focus"), 1))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
    dot = QRectF(rect.left() + 4, rect.center().y() - 3.5, 7, 7)
    hollow = event.show_as in {"free", "tentative"}
    painter.setPen(QPen(tone, 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush if hollow else tone)
    painter.drawEllipse(dot.adjusted(0.5, 0.5, -0.5, -0.5))
    small = theme.font(11, tabular=True)
    hour = formats.time(event.start)
    painter.setFont(small)
    painter.setPen(theme.color("text2"))
    left = dot.right() + 5
    width = QFontMetricsF(small).horizontalAdvance(hour)
    painter.drawText(QRectF(left, rect.top(), width + 2, rect.height()), _LEFT, hour)
    font = theme.font(12)
    painter.setFont(font)
    painter.setPen(theme.color("text2" if event.closed else "text"))
    room = QRectF(left + width + 6, rect.top(), rect.right() - left - width - 8, rect.height())
    shown = QFontMetricsF(font).elidedText(
        event.title, Qt.TextElideMode.ElideRight, max(0.0, room.width())
    )
    painter.drawText(room, _LEFT, shown)
