"""Paints the cells of a record table: full-row hover, accent bar, avatars, pills, hairlines."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPen, QStaticText
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop_crm.services.list_layout import Density, Format
from desktop_crm.views import theme
from desktop_crm.views.icons import paint_icon
from desktop_crm.views.lists.columns import Look
from desktop_crm.views.lists.record_model import MISSING, TONE_ROLE
from desktop_crm.views.tag_tones import tone
from desktop_crm.views.widgets.avatar import draw_avatar

if TYPE_CHECKING:
    from desktop_crm.views.lists.column_view import ColumnView
    from desktop_crm.views.lists.rows import ShownRow

HEIGHTS: Final = {Density.COMPACT: 30, Density.NORMAL: 36, Density.COMFORTABLE: 44}
"""Height of a row at the normal text size, in pixels."""
_AVATARS: Final = {Density.COMPACT: 20, Density.NORMAL: 24, Density.COMFORTABLE: 28}
_Index = QModelIndex | QPersistentModelIndex
_PAD: Final = 8
_FIRST_PAD: Final = 14
_CACHE: Final = 4096
_LEAST_TAG: Final = 18
_STAR: Final = 14
_DISPLAY: Final = int(Qt.ItemDataRole.DisplayRole)


def _heavier(font: QFont) -> QFont:
    made = QFont(font)
    made.setWeight(QFont.Weight.Bold)
    return made


class RowDelegate(QStyledItemDelegate):
    """One delegate for all columns; laid-out texts are kept, so that scrolling only draws."""

    def __init__(self, view: ColumnView) -> None:
        super().__init__(view)
        self._view = view
        self._texts: OrderedDict[tuple[str, int, int, int], tuple[QStaticText, float, float]] = (
            OrderedDict()
        )
        self._row = -1
        self._selected = False
        self._shown: ShownRow | None = None
        self._format: Format | None = None
        self._is_head = False
        self.restyle()
        theme.changed.connect(self.restyle)

    def restyle(self) -> None:
        """Take fonts and colours of the theme in force."""
        self._texts.clear()
        body = theme.font(13)
        self._fonts = {
            Look.PLAIN: body,
            Look.DIM: body,
            Look.NUMBER: theme.font(13, tabular=True),
            Look.PILL: theme.font(12, QFont.Weight.Medium),
            Look.TAGS: theme.font(12, QFont.Weight.Medium),
            Look.TITLE: theme.font(13, QFont.Weight.Medium),
            Look.PERSON: theme.font(13, QFont.Weight.Medium),
        }
        self._heavy = {look: _heavier(font) for look, font in self._fonts.items()}
        self._hover = theme.color("hover")
        self._sel = theme.color("sel")
        self._sel_inactive = theme.color("sel_inactive")
        self._stroke = theme.color("stroke")
        self._line = theme.color("line")
        self._text = theme.color("text")
        self._text2 = theme.color("text2")
        self._text3 = theme.color("text3")

    def begin_frame(self) -> None:
        """Forget what was remembered of the last row that was painted."""
        self._row = -1

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(80, theme.scaled(HEIGHTS[self._view.density]))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: _Index,
    ) -> None:
        view = self._view
        area: QRect = option.rect
        row = index.row()
        column = index.column()
        look = view.look_of(column)
        if row != self._row:
            self._read_row(row, option)
        if self._is_head:  # the list paints it as one band
            return
        first = view.is_first(column)
        if view.is_grid:  # single cells are selected there
            self._selected = bool(option.state & QStyle.StateFlag.State_Selected)
        self._paint_ground(painter, area, row, first=first)
        if view.is_grid and row == view.current_row and column == view.currentIndex().column():
            painter.setPen(QPen(self._line, 2))
            painter.drawRect(area.adjusted(1, 1, -1, -1))
        text = self._cell_text(index, column)
        if not text:
            return
        if look == Look.PILL:
            self._paint_pill(painter, area, index, text, first=first)
            return
        if look == Look.TAGS:
            self._paint_tags(painter, area, text)
            return
        left = area.left() + (_FIRST_PAD if first else _PAD)
        width = area.right() - _PAD - left + 1
        if look == Look.PERSON:
            side = theme.scaled(_AVATARS[view.density])
            top = area.top() + (area.height() - side) / 2
            draw_avatar(painter, QRectF(left, top, side, side), text)
            left += side + 10
            width -= side + 10
        if look >= Look.TITLE:
            left, width = self._paint_beside_title(painter, area, left, width)
        painter.setPen(self._ink(look))
        painter.setFont(self._font(look))
        laid, text_width, text_height = self._laid_out(text, look, width)
        x = left + width - text_width if look == Look.NUMBER else left
        y = area.top() + (area.height() - text_height) / 2
        painter.drawStaticText(QPointF(x, y), laid)

    def _read_row(self, row: int, option: QStyleOptionViewItem) -> None:
        """Ask once for what all cells of a row have in common; flags are slow objects."""
        model = self._view.rows_of
        self._row = row
        self._selected = bool(option.state & QStyle.StateFlag.State_Selected)
        self._shown = model.row_at(row) if model is not None else None
        self._is_head = self._shown is None and model is not None and model.group_at(row) >= 0
        self._format = self._format_of(self._shown)

    def _paint_ground(self, painter: QPainter, area: QRect, row: int, *, first: bool) -> None:
        """Paint what lies under a cell: selection, mouse or format, and the hairline."""
        view = self._view
        active = view.shows_focus
        if self._selected:
            painter.fillRect(area, self._sel if active else self._sel_inactive)
        elif row == view.hover_row:
            painter.fillRect(area, self._hover)
        elif self._format is not None and self._format.tone:
            painter.fillRect(area, theme.color(f"{self._format.tone}_bg"))
        bottom = area.bottom()
        painter.fillRect(area.left(), bottom, area.width(), 1, self._stroke)
        if view.is_grid:
            return
        if self._selected and first:
            painter.fillRect(area.left(), area.top(), 3, area.height(), self._line)
        if active and row == view.current_row:
            painter.fillRect(area.left(), area.top(), area.width(), 1, self._line)
            painter.fillRect(area.left(), bottom, area.width(), 1, self._line)

    def _is_starred(self) -> bool:
        model = self._view.rows_of
        return self._shown is not None and model is not None and self._shown.id in model.starred

    def _format_of(self, shown: ShownRow | None) -> Format | None:
        if shown is None or shown.mark is None or shown.mark >= len(self._view.formats):
            return None
        return self._view.formats[shown.mark]

    def _paint_beside_title(
        self, painter: QPainter, area: QRect, left: int, width: int
    ) -> tuple[int, int]:
        """Paint the star of a favourite and a format's drawing; give what room is left."""
        if self._is_starred():
            side = theme.scaled(_STAR)
            top = area.top() + (area.height() - side) // 2
            place = QRect(left + width - side, top, side, side)
            paint_icon(painter, place, "star", "warn", filled=True)
            width -= side + 6
        if self._format is not None and self._format.icon:
            return self._paint_icon(painter, area, left, width, self._format)
        return left, width

    def _paint_icon(
        self, painter: QPainter, area: QRect, left: int, width: int, format_: Format
    ) -> tuple[int, int]:
        """Paint the drawing of a conditional format; give what room is left beside it."""
        side = theme.scaled(16)
        top = area.top() + (area.height() - side) // 2
        place = QRect(left, top, side, side)
        paint_icon(painter, place, format_.icon, format_.tone or "text2")
        return left + side + 6, width - side - 6

    def _font(self, look: Look) -> QFont:
        bold = self._format is not None and self._format.bold
        return self._heavy[look] if bold else self._fonts[look]

    def _cell_text(self, index: _Index, column: int) -> str:
        """Text of a cell; asked of the list's own model without the way through Qt."""
        if self._shown is not None:
            return self._shown.texts[column]
        if self._view.rows_of is not None:
            return MISSING
        text = index.data(_DISPLAY)
        return "" if text is None else str(text)

    def _tone(self, index: _Index) -> str:
        if self._shown is not None:
            return self._shown.tones[index.column()] or "neutral"
        return str(index.data(TONE_ROLE) or "neutral")

    def _ink(self, look: Look) -> QColor:
        if self._shown is not None and self._shown.deleted:
            return self._text3
        if self._format is not None and self._format.tone:
            return theme.color(self._format.tone) if look >= Look.TITLE else self._text
        return self._text2 if look == Look.DIM else self._text

    def _laid_out(self, text: str, look: Look, width: int) -> tuple[QStaticText, float, float]:
        font = self._fonts[look] if look == Look.PILL else self._font(look)
        key = (text, look, width, font.weight())
        found = self._texts.get(key)
        if found is not None:
            return found
        shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, width)
        laid = QStaticText(shown)
        laid.setTextFormat(Qt.TextFormat.PlainText)
        laid.prepare(font=font)
        size = laid.size()
        if len(self._texts) >= _CACHE:
            self._texts.popitem(last=False)
        made = self._texts[key] = (laid, size.width(), size.height())
        return made

    def _paint_pill(
        self,
        painter: QPainter,
        area: QRect,
        index: _Index,
        text: str,
        *,
        first: bool,
    ) -> None:
        tone = self._tone(index)
        left = area.left() + (_FIRST_PAD if first else _PAD)
        room = area.right() - _PAD - left + 1 - 18
        laid, width, height = self._laid_out(text, Look.PILL, room)
        tall = theme.scaled(21)
        top = area.top() + (area.height() - tall) / 2
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(left, top, width + 18, tall), tall / 2, tall / 2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(shape, theme.color(f"{tone}_bg"))
        painter.restore()
        painter.setFont(self._fonts[Look.PILL])
        painter.setPen(theme.color(tone))
        painter.drawStaticText(QPointF(left + 9, top + (tall - height) / 2), laid)

    def _paint_tags(self, painter: QPainter, area: QRect, text: str) -> None:
        """A pill for each tag, as many as there is room for."""
        left, end = area.left() + _PAD, area.right() - _PAD
        tall = theme.scaled(21)
        top = area.top() + (area.height() - tall) / 2
        for word in text.split(", "):
            room = end - left - 16
            if room < _LEAST_TAG:
                break
            laid, width, height = self._laid_out(word, Look.TAGS, room)
            look = tone(word)
            shape = QPainterPath()
            shape.addRoundedRect(QRectF(left, top, width + 16, tall), tall / 2, tall / 2)
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillPath(shape, theme.color(f"{look}_bg"))
            painter.restore()
            painter.setPen(theme.color(look))
            painter.setFont(self._fonts[Look.TAGS])
            painter.drawStaticText(QPointF(left + 8, top + (tall - height) / 2), laid)
            left += round(width) + 20
