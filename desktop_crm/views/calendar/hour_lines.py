"""What lies behind the events of a page of hours: days, working hours, lines and their captions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from desktop_crm.views import theme
from desktop_crm.views.calendar import gesture, layout

if TYPE_CHECKING:
    from desktop_crm.views.calendar.time_grid import TimeGrid

WORK_DAY = (8 * 60, 18 * 60)
OTHER_ZONE = 50
"""Width that the hours of a second zone take."""


def paint_days(painter: QPainter, grid: TimeGrid) -> None:
    """Paint the columns; evenings and days off are quieter."""
    quiet = theme.color("surface2")
    for index, day in enumerate(grid.days):
        column = grid.column(index)
        if day.weekday() >= 5:
            painter.fillRect(column, quiet)
        else:
            first, last = (grid.y_of(minute) for minute in WORK_DAY)
            painter.fillRect(QRectF(column.left(), 0, column.width(), first), quiet)
            rest = grid.height() - last
            painter.fillRect(QRectF(column.left(), last, column.width(), rest), quiet)
        x = round(column.left()) + 0.5
        painter.setPen(QPen(theme.color("stroke"), 1))
        painter.drawLine(QPointF(x, 0), QPointF(x, grid.height()))


def paint_hours(painter: QPainter, grid: TimeGrid) -> None:
    """Paint a line for each half hour, and what the clock says there."""
    painter.setFont(theme.font(11, tabular=True))
    for hour in range(24):
        y = round(grid.y_of(hour * 60)) + 0.5
        painter.setPen(QPen(theme.color("stroke"), 1))
        painter.drawLine(QPointF(grid.gutter(), y), QPointF(grid.width(), y))
        half = round(grid.y_of(hour * 60 + 30)) + 0.5
        painter.setPen(QPen(theme.color("stroke"), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(grid.gutter(), half), QPointF(grid.width(), half))
        if hour:
            painter.setPen(theme.color("text2"))
            box = QRectF(0, y - 9, grid.gutter() - 10, 18)
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, align, f"{hour:02}:00")
            if grid.second_zone is not None:
                _paint_other_hour(painter, grid, hour, y)


def _paint_other_hour(painter: QPainter, grid: TimeGrid, hour: int, y: float) -> None:
    moment = layout.instant(gesture.at(grid.days[0], hour * 60), grid.formats.zone)
    painter.setPen(theme.color("text3"))
    box = QRectF(0, y - 9, theme.scaled(OTHER_ZONE), 18)
    align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(box, align, f"{moment.astimezone(grid.second_zone):%H:%M}")
