"""Table model over a key snapshot: a million rows open at once, rows are read as they are seen."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
    Slot,
)

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.views.lists.columns import ListColumn, Look
from desktop_crm.views.lists.group_map import HEAD, GroupMap
from desktop_crm.views.lists.rows import RowSource, ShownRow

if TYPE_CHECKING:
    from desktop_crm.services.totals import Grouped, Groups
    from desktop_crm.views.tasks import Task, Tasks

PAGE: Final = 256
PAGES_KEPT: Final = 64
PAGES_AT_ONCE: Final = 3
MISSING: Final = "…"

TONE_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1
DELETED_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 2
_DISPLAY: Final = int(Qt.ItemDataRole.DisplayRole)
_TIP: Final = int(Qt.ItemDataRole.ToolTipRole)
_ACCESSIBLE: Final = int(Qt.ItemDataRole.AccessibleTextRole)
_ALIGN: Final = int(Qt.ItemDataRole.TextAlignmentRole)
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()


class RecordModel(QAbstractTableModel):
    """Rows of one query.

    The first page is shown as soon as it is there; the keys of all rows follow and give the
    length; pages of 256 rows are asked for when a cell of them is painted. Each new query raises
    the generation, stops what still runs for the old one and drops its late answers.

    Attributes:
        counted: Number of rows and whether it is final.
        loading: Whether the first page is on its way.
        failed: The error of the query; the rows shown before are gone.
        keys_known: All keys are there, so that a selection can be restored.
        totalled: Totals of a grouped list, which come with its groups.
        starred: Keys of favourites, painted with a star.
    """

    counted = Signal(object, bool)
    loading = Signal(bool)
    failed = Signal(object)
    keys_known = Signal()
    totalled = Signal(object)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._source: RowSource | None = None
        self.starred: frozenset[int] = frozenset()
        self._columns: tuple[ListColumn, ...] = ()
        self._generation = 0
        self._keys: array[int] = array("q")
        self._exact = False
        self._count = 0
        self._pages: OrderedDict[int, list[ShownRow | None]] = OrderedDict()
        self._asked: set[int] = set()
        self._wanted: list[int] = []
        self._running: list[Task] = []
        self._last_page = -1
        self._last_rows: list[ShownRow | None] = []
        self._map: GroupMap | None = None
        self._parts: Groups | None = None
        self._closed: tuple[str, frozenset[object]] = ("", frozenset())
        self._answers: tuple[Grouped | None, array[int] | None] = (None, None)
        self._fetch = QTimer(self)
        self._fetch.setSingleShot(True)
        self._fetch.setInterval(0)
        self._fetch.timeout.connect(self._fetch_wanted)

    # --- asking ----------------------------------------------------------------------------

    def set_source(self, source: RowSource, columns: tuple[ListColumn, ...]) -> None:
        """Show the rows of another source; the ones shown now stay until the first page comes."""
        self._stop()
        self._generation += 1
        generation = self._generation
        self._source = source
        if columns != self._columns:
            self._reset(columns)
        self.loading.emit(True)
        if source.grouped_by:
            self._ask_groups(generation, source)
            return
        self._running = [
            self._tasks.read(
                source.first_page,
                PAGE,
                label=tr("Loading"),
                done=lambda rows: self._take_first(generation, source, rows),
                failed=lambda error: self._take_failure(generation, error),
                owner=self,
                cancellable=True,
            )
        ]

    def _ask_groups(self, generation: int, source: RowSource) -> None:
        """Ask for the groups and for all keys in their order, on two threads."""
        self._answers = (None, None)
        asks: tuple[Callable[..., Grouped | array[int]], ...] = (source.groups, source.keys)
        self._running = [
            self._tasks.read(
                ask,
                label=tr("Loading"),
                done=lambda answer: self._take_answer(generation, answer),
                failed=lambda error: self._take_failure(generation, error),
                owner=self,
                cancellable=True,
            )
            for ask in asks
        ]

    def _stop(self) -> None:
        for task in self._running:
            task.cancel()
        self._running = []
        self._wanted.clear()
        self._asked.clear()
        self._fetch.stop()

    def _reset(self, columns: tuple[ListColumn, ...]) -> None:
        self.beginResetModel()
        self._columns = columns
        self._forget()
        self.endResetModel()

    def _forget(self) -> None:
        self._keys = array("q")
        self._exact = False
        self._count = 0
        self._pages.clear()
        self._last_page = -1
        self._last_rows = []
        self._map = None
        self._parts = None

    def _take_first(self, generation: int, source: RowSource, rows: list[ShownRow]) -> None:
        if generation != self._generation:
            return
        self.beginResetModel()
        self._forget()
        self._keys = array("q", (row.id for row in rows))
        self._count = len(rows)
        if rows:
            self._pages[0] = list(rows)
        self.endResetModel()
        self.loading.emit(False)
        if len(rows) < PAGE:
            self._know_all(self._keys)
            return
        self.counted.emit(self._count, False)
        self._running.append(
            self._tasks.read(
                source.keys,
                label=tr("Counting"),
                done=lambda keys: self._take_keys(generation, keys),
                failed=lambda error: self._take_failure(generation, error),
                owner=self,
                cancellable=True,
            )
        )

    def _take_answer(self, generation: int, answer: Grouped | array[int]) -> None:
        if generation != self._generation or self._source is None:
            return
        grouped, keys = self._answers
        if isinstance(answer, array):
            keys = answer
        else:
            grouped = answer
        self._answers = (grouped, keys)
        if grouped is None or keys is None:
            return
        self._answers = (None, None)
        if grouped.totals.count != len(keys):
            # Somebody wrote between the two statements: both are asked again.
            self._ask_groups(generation, self._source)
            return
        self._show_groups(grouped, keys, self._source)

    def _show_groups(self, grouped: Grouped, keys: array[int], source: RowSource) -> None:
        self._keep_closed()
        by, values = self._closed
        self.beginResetModel()
        self._forget()
        self._keys = keys
        self._count = len(keys)
        self._parts = parts = grouped.groups
        closed: list[int] = []
        if values and by == source.grouped_by:
            closed = [group for group in range(len(parts)) if parts.value(group) in values]
        self._map = GroupMap(parts.counts, closed)
        self._closed = (source.grouped_by, values if closed else frozenset())
        self.endResetModel()
        self.loading.emit(False)
        self.totalled.emit(grouped.totals)
        self._know_all(keys)

    def _keep_closed(self) -> None:
        """Remember which groups are closed, by what their records share."""
        if self._map is not None and self._parts is not None:
            values = frozenset(self._parts.value(group) for group in self._map.closed())
            self._closed = (self._closed[0], values)

    def _take_keys(self, generation: int, keys: array[int]) -> None:
        if generation != self._generation:
            return
        if keys[: self._count] != self._keys[: self._count]:
            # Somebody changed the order between the two statements: the snapshot is the truth.
            self._pages.clear()
            self._last_page = -1
        if len(keys) > self._count:
            self.beginInsertRows(_ROOT, self._count, len(keys) - 1)
            self._keys = keys
            self._count = len(keys)
            self.endInsertRows()
        elif len(keys) < self._count:
            self.beginRemoveRows(_ROOT, len(keys), self._count - 1)
            self._keys = keys
            self._count = len(keys)
            self.endRemoveRows()
        self._know_all(keys)

    def _know_all(self, keys: array[int]) -> None:
        self._keys = keys
        self._exact = True
        self.counted.emit(self._count, True)
        self.keys_known.emit()

    def _take_failure(self, generation: int, error: Exception) -> None:
        if generation != self._generation:
            return
        self._stop()
        self.beginResetModel()
        self._forget()
        self.endResetModel()
        self.loading.emit(False)
        self.failed.emit(error)

    # --- pages -----------------------------------------------------------------------------

    def row_at(self, row: int) -> ShownRow | None:
        """Row as read, None while its page is on the way (which this asks for).

        The head of a group is no record and always None.
        """
        if self._map is not None and (row := self._map.position(row)) == HEAD:
            return None
        number = row // PAGE
        if number == self._last_page:
            page = self._last_rows
        else:
            found = self._pages.get(number)
            if found is None:
                if number not in self._asked:
                    self._asked.add(number)
                    self._wanted.append(number)
                    self._fetch.start()
                return None
            self._pages.move_to_end(number)
            self._last_page = number
            self._last_rows = page = found
        place = row - number * PAGE
        return page[place] if place < len(page) else None

    @Slot()
    def _fetch_wanted(self) -> None:
        """Ask for the pages seen last; those that were only scrolled past are forgotten."""
        wanted, self._wanted = self._wanted, []
        for number in wanted[:-PAGES_AT_ONCE]:
            self._asked.discard(number)
        for number in wanted[-PAGES_AT_ONCE:]:
            self._fetch_page(number)

    def _fetch_page(self, number: int) -> None:
        ids = self._keys[number * PAGE : (number + 1) * PAGE]
        if not ids or self._source is None:
            self._asked.discard(number)
            return
        generation = self._generation
        self._running = [task for task in self._running if not task.cancelled][-16:]
        self._running.append(
            self._tasks.read(
                self._source.rows,
                ids,
                done=lambda rows: self._take_page(generation, number, ids, rows),
                failed=lambda error: self._take_failure(generation, error),
                owner=self,
                cancellable=True,
            )
        )

    def _take_page(
        self, generation: int, number: int, ids: array[int], rows: list[ShownRow]
    ) -> None:
        if generation != self._generation:
            return
        self._asked.discard(number)
        by_id = {row.id: row for row in rows}
        before = {row.id: row for row in self._pages.get(number, []) if row is not None}
        self._pages[number] = [by_id.get(key) or self._gone(key, before) for key in ids]
        self._pages.move_to_end(number)
        self._last_page = -1
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        first = number * PAGE
        last = min(first + PAGE, self._count) - 1
        if self._map is not None:
            first, last = 0, self._map.rows - 1
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(self._columns) - 1))

    def _gone(self, key: int, before: dict[int, ShownRow]) -> ShownRow:
        known = before.get(key)
        if known is not None:
            return ShownRow(key, known.texts, known.tones, deleted=True, mark=known.mark)
        empty = ("",) * len(self._columns)
        return ShownRow(key, (MISSING, *empty[1:]), empty, deleted=True)

    def reload(self, ids: frozenset[int] | None = None) -> None:
        """Read shown rows again in place; the order is not touched.

        Args:
            ids: Changed records; None: anything may have changed.
        """
        if ids is not None:
            hit = [
                number
                for number, page in self._pages.items()
                if any(row is not None and row.id in ids for row in page)
            ]
        else:
            hit = list(self._pages)
        for number in hit[:-PAGES_AT_ONCE]:
            del self._pages[number]
            self._last_page = -1
        for number in hit[-PAGES_AT_ONCE:]:
            self._fetch_page(number)

    # --- answers ---------------------------------------------------------------------------

    @property
    def columns(self) -> tuple[ListColumn, ...]:
        """Columns shown, in the model's order."""
        return self._columns

    @property
    def is_exact(self) -> bool:
        """Whether all keys are known."""
        return self._exact

    def id_at(self, row: int) -> int | None:
        """Key of the record in a row; None for the head of a group."""
        if self._map is not None and 0 <= row < self._map.rows:
            row = self._map.position(row)
        return self._keys[row] if 0 <= row < len(self._keys) else None

    def ids_between(self, first: int, last: int) -> array[int]:
        """Keys of the records at positions from first to last, both included."""
        return self._keys[first : last + 1]

    def positions(self, first: int, last: int) -> tuple[int, int]:
        """Positions of the records that rows stand for, from the first to behind the last."""
        return (first, last + 1) if self._map is None else self._map.between(first, last)

    def row_of(self, record_id: int) -> int:
        """Row of a record, -1 when it is not in the list. Costs one pass over the keys.

        A record of a closed group stands in the row of the group's head.
        """
        try:
            position = self._keys.index(record_id)
        except ValueError:
            return -1
        return position if self._map is None else self._map.row_of(position)

    # --- groups ----------------------------------------------------------------------------

    @property
    def groups(self) -> GroupMap | None:
        """Which row shows what in a grouped list; None in a plain one."""
        return self._map

    def group_at(self, row: int) -> int:
        """Group whose head stands in a row, -1 for records and plain lists."""
        if self._map is None or not 0 <= row < self._map.rows:
            return -1
        group, place = self._map.at(row)
        return group if place == HEAD else -1

    def group_text(self, group: int) -> tuple[str, int, dict[str, str]]:
        """Name of a group, the number of its records, and its totals by path."""
        parts, source = self._parts, self._source
        if parts is None or source is None:
            return "", 0, {}
        part = parts[group]
        return source.group_label(part), part.totals.count, source.total_texts(part.totals)

    def set_open(self, group: int, *, is_open: bool) -> None:
        """Show or hide the records of a group."""
        places = self._map
        if places is None or places.is_open(group) == is_open:
            return
        first = places.head(group) + 1
        last = first + places.size(group) - 1
        if is_open:
            self.beginInsertRows(_ROOT, first, last)
            places.set_open(group, is_open=True)
            self.endInsertRows()
        else:
            self.beginRemoveRows(_ROOT, first, last)
            places.set_open(group, is_open=False)
            self.endRemoveRows()

    def set_all_open(self, *, is_open: bool) -> None:
        """Show or hide the records of every group."""
        if self._map is not None:
            self.beginResetModel()
            self._map.set_all_open(is_open=is_open)
            self.endResetModel()
            self.keys_known.emit()

    # --- Qt --------------------------------------------------------------------------------

    def rowCount(self, parent: _Index = _ROOT) -> int:
        if parent.isValid():
            return 0
        return self._count if self._map is None else self._map.rows

    def columnCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: _Index, role: int = _DISPLAY) -> object:
        if self._map is not None and (group := self.group_at(index.row())) >= 0:
            return self._group_data(group, index.column(), role)
        if role == _DISPLAY:
            shown = self.row_at(index.row())
            return MISSING if shown is None else shown.texts[index.column()]
        if role == TONE_ROLE:
            shown = self.row_at(index.row())
            return "" if shown is None else shown.tones[index.column()]
        if role == DELETED_ROLE:
            shown = self.row_at(index.row())
            return shown is not None and shown.deleted
        if role == _ALIGN:
            return _RIGHT if self._columns[index.column()].look == Look.NUMBER else _LEFT
        if role in {_TIP, _ACCESSIBLE}:
            shown = self.row_at(index.row())
            return None if shown is None else shown.texts[index.column()]
        return None

    def _group_data(self, group: int, column: int, role: int) -> object:
        if role not in {_DISPLAY, _ACCESSIBLE}:
            return None
        label, count, totals = self.group_text(group)
        if column:
            return totals.get(self._columns[column].path, "")
        return ntr("{group}, {n} record", "{group}, {n} records", count, group=label)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> object:
        if orientation != Qt.Orientation.Horizontal or section >= len(self._columns):
            return None
        column = self._columns[section]
        if role in {_DISPLAY, _ACCESSIBLE}:
            return column.label
        if role == _ALIGN:
            return _RIGHT if column.look == Look.NUMBER else _LEFT
        return None
