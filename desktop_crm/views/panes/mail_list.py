"""The message list: keys first, lines in pages as they come into view."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.mail import lines, listing
from desktop_crm.services.mail.lines import MessageRow
from desktop_crm.services.mail.listing import PAGE, MailQuery
from desktop_crm.views import icons, theme
from desktop_crm.views.widgets.avatar import paint_avatar

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench

ROW = 72
KEPT_PAGES = 30
Index = QModelIndex | QPersistentModelIndex


class MessageModel(QAbstractListModel):
    """Messages of one query, in the order of their keys.

    The newest arrive first, with their lines; the keys of all follow behind them.

    Attributes:
        arrived: how many of the newest are there.
        counted: how many there are, after all keys arrived.
        failed: the error that kept them from arriving.
    """

    arrived = Signal(int)
    counted = Signal(int)
    failed = Signal(object)

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._threads = False
        self._keys: array[int] = array("q")
        self._rows: dict[int, MessageRow] = {}
        self._asked: set[int] = set()
        self._query: MailQuery | None = None
        self._generation = 0
        self._shown = -1

    def ask(self, query: MailQuery) -> None:
        """Show the messages of a query; the answer replaces what is shown.

        Where the same list begins as before, its rows stay and only what they say is new.
        """
        self._generation += 1
        if query != self._query:
            self._query, self._shown = query, -1
        self._threads = query.conversations
        self._bench.tasks.read(
            listing.first_page, self._bench.actor, query,
            done=partial(self._take_newest, self._generation),
            failed=self.failed.emit, owner=self, lane="newest", cancellable=True,
        )  # fmt: skip
        self._bench.tasks.read(
            listing.message_keys, self._bench.actor, query,
            done=partial(self._take_keys, self._generation),
            failed=self.failed.emit, owner=self, lane="keys", cancellable=True,
        )  # fmt: skip

    def _take_newest(self, generation: int, rows: tuple[MessageRow, ...]) -> None:
        if generation != self._generation:
            return
        keys = array("q", [row.id for row in rows])
        begins = self._shown >= 0 and bool(keys) and self._keys[: len(keys)] == keys
        if not begins and self._shown != generation:
            self._show(keys, rows)
            return
        self._rows = {row.id: row for row in rows}
        self._asked = {0} if begins else set()
        if self._keys:
            self.dataChanged.emit(self.index(0), self.index(len(self._keys) - 1))
        self._tell_shown()

    def _take_keys(self, generation: int, keys: array[int]) -> None:
        if generation != self._generation:
            return
        known = len(self._keys)
        if self._shown < 0 or not known or keys[:known] != self._keys:
            self._show(keys)
        elif len(keys) > known:
            self.beginInsertRows(QModelIndex(), known, len(keys) - 1)
            self._keys = keys
            # The last page of the newest may not have been full.
            self._asked.discard(known // PAGE)
            self.endInsertRows()
        self._tell_shown()
        self.counted.emit(len(keys))

    def _tell_shown(self) -> None:
        if self._shown != self._generation:
            self._shown = self._generation
            self.arrived.emit(len(self._keys))

    def _show(self, keys: array[int], rows: tuple[MessageRow, ...] = ()) -> None:
        """Show other messages; the first of them may come with their lines."""
        self._shown = self._generation
        self.beginResetModel()
        self._keys = keys
        self._rows = {row.id: row for row in rows}
        self._asked = {0} if rows else set()
        self.endResetModel()
        self.arrived.emit(len(keys))

    def refresh(self, ids: Sequence[int]) -> None:
        """Read these lines again where they stand."""
        wanted = set(ids)
        pages = {n // PAGE for n, key in enumerate(self._keys) if key in wanted}
        for page in pages:
            self._asked.discard(page)
            self._load(page)

    def key_at(self, row: int) -> int | None:
        """The message of a row."""
        return self._keys[row] if 0 <= row < len(self._keys) else None

    def row_of(self, key: int) -> int:
        """Row of a message, or -1."""
        try:
            return self._keys.index(key)
        except ValueError:
            return -1

    def line(self, row: int) -> MessageRow | None:
        """The line of a row; asked for when it is not there yet."""
        key = self.key_at(row)
        found = self._rows.get(key) if key is not None else None
        if found is None and key is not None:
            self._load(row // PAGE)
        return found

    def _load(self, page: int) -> None:
        if page in self._asked:
            return
        if len(self._asked) >= KEPT_PAGES:
            self._rows.clear()
            self._asked.clear()
        self._asked.add(page)
        ids = list(self._keys[page * PAGE : (page + 1) * PAGE])
        self._bench.tasks.read(
            partial(lines.messages, self._bench.actor, ids, threads=self._threads),
            done=partial(self._take, self._generation, page),
            failed=self.failed.emit, owner=self,
        )  # fmt: skip

    def _take(self, generation: int, page: int, rows: tuple[MessageRow, ...]) -> None:
        if generation != self._generation:
            return
        self._rows.update((row.id, row) for row in rows)
        first = page * PAGE
        last = min(len(self._keys), first + PAGE) - 1
        self.dataChanged.emit(self.index(first), self.index(max(first, last)))

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._keys)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return None
        line = self.line(index.row())
        if line is None:
            return "…"
        if role == Qt.ItemDataRole.DisplayRole:
            return line.subject or tr("(no subject)")
        return described(line, self._bench)


def described(line: MessageRow, bench: Workbench) -> str:
    """A line in words, for screen readers."""
    words = [line.correspondent, line.subject or tr("(no subject)")]
    if line.at is not None:
        words.append(bench.formats.relative_day(line.at))
    if line.unread:
        words.append(tr("Unread"))
    if line.flagged:
        words.append(tr("Flagged"))
    if line.thread > 1:
        words.append(ntr("{n} message in all", "{n} messages in this conversation", line.thread))
    if line.linked:
        words.append(ntr("linked to {n} record", "linked to {n} records", line.linked))
    if line.suggested:
        words.append(ntr("{n} suggestion", "{n} suggestions", line.suggested))
    return ", ".join(words)


class MessageDelegate(QStyledItemDelegate):
    """Paints a message: correspondent, time, subject, first words, and its links."""

    def __init__(self, bench: Workbench, parent: QWidget) -> None:
        super().__init__(parent)
        self._bench = bench

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, theme.scaled(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, MessageModel):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        view = self.parent()
        focused = isinstance(view, QWidget) and view.hasFocus()
        self._paint_back(painter, rect, option.state, focused=focused)
        line = model.line(index.row())
        if line is None:
            painter.setPen(theme.color("text3"))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, "…")
        else:
            self._paint_line(painter, rect, line)
        painter.restore()

    def _paint_back(
        self, painter: QPainter, rect: QRectF, state: QStyle.StateFlag, *, focused: bool
    ) -> None:
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(rect, theme.color("sel" if focused else "sel_inactive"))
            painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), theme.color("line"))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.color("hover"))
        line = QRectF(rect.left() + 12, rect.bottom() - 1, rect.width() - 12, 1)
        painter.fillRect(line, theme.color("stroke"))

    def _paint_line(self, painter: QPainter, rect: QRectF, line: MessageRow) -> None:
        face = theme.scaled(30)
        paint_avatar(
            painter,
            QRectF(rect.left() + 14, rect.top() + theme.scaled(12), face, face),
            line.correspondent or "?",
        )
        if line.unread:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("line"))
            painter.drawEllipse(QRectF(rect.left() + 6, rect.top() + theme.scaled(24), 6, 6))
        left = rect.left() + 14 + face + 10
        right = rect.right() - 12
        height = (rect.height() - theme.scaled(16)) / 3
        tops = [rect.top() + theme.scaled(7) + height * n for n in range(3)]
        strong = QFont.Weight.DemiBold if line.unread else QFont.Weight.Normal
        time = self._bench.formats.relative_day(line.at) if line.at else ""
        small = theme.font(12, strong, tabular=True)
        width = QFontMetricsF(small).horizontalAdvance(time)
        who = QRectF(left, tops[0], right - left - width - 8, height)
        name = tr("To: {names}", names=line.correspondent) if line.outgoing else line.correspondent
        if line.thread > 1:
            name = f"{name}  ({self._bench.formats.number(line.thread, 0)})"
        _text(painter, who, name or tr("(unknown)"), theme.font(13, strong), "text")
        when = QRectF(right - width - 2, tops[0], width + 2, height)
        _text(painter, when, time, small, "accent_text" if line.unread else "text2", right=True)
        marks = self._paint_marks(painter, right, tops[1] + height / 2, line)
        subject = QRectF(left, tops[1], right - left - marks, height)
        _text(painter, subject, line.subject or tr("(no subject)"), theme.font(13, strong), "text")
        preview = QRectF(left, tops[2], right - left, height)
        _text(painter, preview, line.preview, theme.font(12), "text2")

    def _paint_marks(self, painter: QPainter, right: float, middle: float, line: MessageRow) -> int:
        """Icons from the right; how much room they took."""
        size = theme.scaled(16)
        marks = (
            ("flag", "bad", line.flagged),
            ("attach", "text2", line.has_attachments),
            ("link", "accent_text", line.linked > 0),
            ("question_circle", "warn", line.suggested > 0),
        )
        used = 0
        for drawing, token, shown in marks:
            if shown:
                used += size + 4
                spot = QRect(round(right) - used + 4, round(middle - size / 2), size, size)
                icons.paint_icon(painter, spot, drawing, token)
        return used + 6 if used else 0


def _text(
    painter: QPainter, box: QRectF, text: str, font: QFont, token: str, *, right: bool = False
) -> None:
    painter.setFont(font)
    painter.setPen(theme.color(token))
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, shown)


class MessageList(QListView):
    """Messages; J and K go down and up as the arrows do.

    Attributes:
        current_changed: the message to read, or None.
    """

    current_changed = Signal(object)

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mailList")
        self.setAccessibleName(tr("Messages"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Before the model is set: that makes a current row.
        self._wanted: int | None = None
        self._stays = False
        self._place = 0
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(80)
        self._rest.timeout.connect(self._tell)
        self.messages = MessageModel(bench)
        self.messages.setParent(self)
        self.setModel(self.messages)
        self.setItemDelegate(MessageDelegate(bench, self))
        self.messages.arrived.connect(self._restore)
        theme.changed.connect(self.scheduleDelayedItemsLayout)

    def ask(self, query: MailQuery, *, keep: bool = False, quiet: bool = False) -> None:
        """Show the messages of a query; `keep` stays on the current message.

        With `quiet` the current message is not opened again where it is still there.
        """
        self._wanted = self.current_id() if keep else None
        self._stays = quiet and self._wanted is not None
        # Where the message is gone from the list, the one that takes its place is next.
        self._place = max(self.currentIndex().row(), 0) if keep else 0
        self.messages.ask(query)

    def current_id(self) -> int | None:
        """The current message."""
        return self.messages.key_at(self.currentIndex().row())

    def show_message(self, activity_id: int) -> None:
        """Go to a message; remembered when the list is still on its way."""
        row = self.messages.row_of(activity_id)
        if row >= 0:
            self.setCurrentIndex(self.messages.index(row))
        else:
            self._wanted = activity_id

    def _restore(self, count: int) -> None:
        row = self.messages.row_of(self._wanted) if self._wanted is not None else -1
        stays, self._stays = self._stays and row >= 0, False
        self._wanted = None
        if count:
            place = row if row >= 0 else min(self._place, count - 1)
            self.setCurrentIndex(self.messages.index(place))
        self._rest.stop()
        if not stays:
            self._tell()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.scrollTo(current)
        self._rest.start()

    def _tell(self) -> None:
        self.current_changed.emit(self.current_id())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_J: 1, Qt.Key.Key_K: -1}
        key = Qt.Key(event.key())
        if key in steps and not event.modifiers():
            row = self.currentIndex().row() + steps[key]
            if 0 <= row < self.messages.rowCount():
                self.setCurrentIndex(self.messages.index(row))
        elif event.text().isalpha() and not event.modifiers():
            event.ignore()
        else:
            super().keyPressEvent(event)
