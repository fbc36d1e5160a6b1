"""One box for everything: records, mail, commands and settings, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.i18n import tr
from desktop_crm.views import palette_content as content
from desktop_crm.views import theme
from desktop_crm.views.palette_content import matching
from desktop_crm.views.palette_rows import Line, RowDelegate, item_of, line_at
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import separator
from desktop_crm.views.widgets.overlays import drop_shadow

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.services.marks import Marked
    from desktop_crm.services.search.everything import Found
    from desktop_crm.views.actions import Action
    from desktop_crm.views.workbench import Workbench

__all__ = ["CommandPalette", "matching"]

REST_MS: Final = 60
WIDTH: Final = 640
_TOP: Final = 52
_MORE: Final = 50
_MOST_HEIGHT: Final = 560
_KEPT_SEARCHES: Final = 5
_KEPT_RECORDS: Final = 6
_SHORTEST: Final = 2
_FEW_COMMANDS: Final = 4


def recent(actor: Actor, cancel: Cancel | None = None) -> list[Marked]:
    """Records looked at lately; also makes the statements of search ready. On a reader thread."""
    from desktop_crm.models.marking import MarkKind
    from desktop_crm.services import marks
    from desktop_crm.services.search import everything

    found = marks.marked(actor, MarkKind.VIEWED, _KEPT_RECORDS)
    everything.make_ready(actor, cancel)
    return found


def find(
    actor: Actor, text: str, entities: Sequence[str], shown: int, cancel: Cancel | None = None
) -> Found:
    """What was typed, everywhere; on a reader thread."""
    from desktop_crm.services.search import everything

    return everything.find(actor, text, entities=entities, shown=shown, cancel=cancel)


def find_similar(
    actor: Actor, text: str, entities: Sequence[str], cancel: Cancel | None = None
) -> Found:
    """Spellings almost like what was typed; on a reader thread."""
    from desktop_crm.services.search import everything

    return everything.find_similar(actor, text, entities=entities, cancel=cancel)


class CommandPalette(QFrame):
    """Opens over the window; Up and Down walk, Tab goes by sections, Enter does it, Esc leaves.

    Attributes:
        closed: It went away.
    """

    closed = Signal()

    def __init__(
        self, parent: QWidget, bench: Workbench | None, commands: Callable[[], list[Action]]
    ) -> None:
        super().__init__(parent)
        self.setObjectName("palette")
        self.setAccessibleName(tr("Search records and commands"))
        self._bench = bench
        self._commands = commands()
        self._room = parent
        self._found: Found | None = None
        self._similar: Found | None = None
        self._recent: list[Marked] = []
        self._waiting = False
        self._moved = False
        self._enter_waits = False
        self._build()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._ask)
        drop_shadow(self)
        parent.installEventFilter(self)
        self._show()
        self.show()
        self.raise_()
        self.line.setFocus()
        if bench is not None:
            bench.tasks.read(
                recent, bench.actor, done=self._take_recent, owner=self, lane="recent",
                cancellable=True,
            )  # fmt: skip

    def _build(self) -> None:
        self.line = QLineEdit()
        self.line.setObjectName("palette.line")
        self.line.setPlaceholderText(tr("Search records, mail, commands and settings"))
        self.line.setAccessibleName(tr("Search records and commands"))
        self.line.textChanged.connect(self._typed)
        self.line.installEventFilter(self)
        self.items = QStandardItemModel(self)
        self.list = QListView()
        self.list.setObjectName("palette.list")
        self.list.setAccessibleName(tr("Results"))
        self.list.setModel(self.items)
        self.list.setItemDelegate(RowDelegate(self.list))
        self.list.setMouseTracking(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.clicked.connect(self._clicked)
        hints = (
            tr("Enter: open"),
            tr("Ctrl+Enter: open beside"),
            tr("Tab: next kind"),
            tr("> commands"),
            tr("@ people"),
        )
        self.hints = label("     ".join(hints), "dim", name="palette.hints")
        self.hints.setContentsMargins(12, 4, 12, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 6)
        layout.setSpacing(4)
        layout.addWidget(self.line)
        layout.addWidget(separator())
        layout.addWidget(self.list, 1)
        layout.addWidget(separator())
        layout.addWidget(self.hints)

    def dismiss(self) -> None:
        """Go away without doing anything."""
        self._rest.stop()
        self._room.removeEventFilter(self)
        self.hide()
        self.closed.emit()
        self.deleteLater()

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._waiting

    # --- finding ---------------------------------------------------------------------------

    @property
    def _words(self) -> str:
        return self.line.text().strip().lstrip(content.COMMANDS_ONLY + content.PEOPLE_ONLY).strip()

    def _begins_with(self, sign: str) -> bool:
        return self.line.text().lstrip().startswith(sign)

    @property
    def _kinds(self) -> tuple[str, ...]:
        return content.PEOPLE if self._begins_with(content.PEOPLE_ONLY) else ()

    @Slot(str)
    def _typed(self, _text: str) -> None:
        self._moved = self._enter_waits = False
        self._similar = None
        searches = bool(self._words) and not self._begins_with(content.COMMANDS_ONLY)
        self._waiting = searches and self._bench is not None
        if self._waiting:
            # What was found stays on the screen until the answer is here: no flicker.
            self._rest.start()
        else:
            self._found = None
            self._rest.stop()
            if self._bench is not None:
                self._bench.tasks.drop(self, "find")
        self._show()

    @Slot()
    def _ask(self) -> None:
        self._search(self._kinds, 5)

    def _search(self, kinds: Sequence[str], shown: int) -> None:
        if self._bench is None:
            return
        self._waiting = True
        self._bench.tasks.read(
            find, self._bench.actor, self._words, kinds, shown,
            done=partial(self._take, kinds), failed=self._failed, owner=self, lane="find",
            cancellable=True,
        )  # fmt: skip

    def _take(self, kinds: Sequence[str], found: Found) -> None:
        self._found, self._similar = found, None
        bench = self._bench
        if bench is not None and found.is_few and len(self._words) > _SHORTEST:
            bench.tasks.read(
                find_similar, bench.actor, self._words, kinds,
                done=self._take_similar, failed=self._failed, owner=self, lane="find",
                cancellable=True,
            )  # fmt: skip
            if not found.sections:
                return
        else:
            self._waiting = False
        self._show()
        self._maybe_enter()

    def _take_similar(self, found: Found) -> None:
        self._similar = self._without_known(found)
        self._waiting = False
        if self._moved:
            current = self.list.currentIndex().row()
            self._show()
            self.list.setCurrentIndex(self.items.index(current, 0))
        else:
            self._show()
        self._maybe_enter()

    def _without_known(self, found: Found) -> Found:
        """Similar hits without those that were found as typed."""
        from dataclasses import replace

        known = {
            (hit.entity, hit.id)
            for section in (self._found.sections if self._found is not None else ())
            for hit in section.hits
        }
        sections = []
        for section in found.sections:
            hits = tuple(hit for hit in section.hits if (hit.entity, hit.id) not in known)
            if hits:
                gone = len(section.hits) - len(hits)
                sections.append(replace(section, hits=hits, count=section.count - gone))
        return replace(found, sections=tuple(sections))

    def _failed(self, error: Exception) -> None:
        self._waiting = self._enter_waits = False
        self._found = None
        self._show()
        if self._bench is not None:
            self._bench.shell.show_error(error)

    def _take_recent(self, marked: list[Marked]) -> None:
        self._recent = marked
        if not self.line.text().strip() and not self._moved:
            self._show()

    # --- showing ---------------------------------------------------------------------------

    def _show(self) -> None:
        self.items.clear()
        for line in self._lines():
            self.items.appendRow(item_of(line))
        self._go(self._next(-1, 1))
        self._place()

    def _lines(self) -> Iterable[Line]:
        typed = self._words
        lines: list[Line] = []
        alone = self._begins_with(content.COMMANDS_ONLY)
        people = self._begins_with(content.PEOPLE_ONLY)
        if not self.line.text().strip() and self._bench is not None:
            lines += content.recent_searches(self._recent_searches(), self._again)
            lines += content.recent_records(self._bench, self._recent)
        offered = [] if people else content.commands(self._commands, typed)
        found: list[Line] = []
        if self._bench is not None and typed and not alone:
            sections = content.Sections(self._bench, self._show_more)
            for answer in (self._found, self._similar):
                if answer is not None:
                    found += sections.lines(answer)
        # Who types the beginning of a command means it; else records come first.
        leads = bool(typed) and any(
            line.ranges[:1] and line.ranges[0][0] == 0 for line in offered if line.run is not None
        )
        if found and not leads:
            lines += [*found, *offered[: _FEW_COMMANDS + 1]]
        else:
            lines += [*offered, *found]
        if not lines and not self._waiting:
            lines = content.nothing(typed or self.line.text().strip(), self._count_of_kinds())
        return lines

    def _count_of_kinds(self) -> int:
        from desktop_crm.services.search.places import places_of

        if self._bench is None or self._begins_with(content.COMMANDS_ONLY):
            return 0
        return len(self._kinds) or len(places_of(self._bench.actor))

    def _show_more(self, entity: str) -> None:
        self._moved = False
        self._search((entity,), _MORE)

    # --- recent searches -------------------------------------------------------------------

    @property
    def _memory(self) -> str:
        assert self._bench is not None  # noqa: S101  only asked with a database
        return f"search.{self._bench.actor.login}@{self._bench.actor.db.name}"

    def _recent_searches(self) -> list[str]:
        if self._bench is None:
            return []
        texts = self._bench.recall(self._memory).get("texts", [])
        return [str(text) for text in texts][:_KEPT_SEARCHES] if isinstance(texts, list) else []

    def _keep_search(self) -> None:
        text = " ".join(self.line.text().split())
        if self._bench is None or not self._words or self._begins_with(content.COMMANDS_ONLY):
            return
        others = [one for one in self._recent_searches() if one.casefold() != text.casefold()]
        self._bench.remember(self._memory, {"texts": [text, *others][:_KEPT_SEARCHES]})

    def _again(self, text: str) -> None:
        self.line.setText(text)

    # --- doing -----------------------------------------------------------------------------

    @Slot(QModelIndex)
    def _clicked(self, index: QModelIndex) -> None:
        self._run(index)

    def _run(self, index: QModelIndex, *, apart: bool = False) -> None:
        line = line_at(index)
        if line is None or line.run is None:
            return
        stays = isinstance(line.run, partial) and line.run.func in {self._again, self._show_more}
        if stays:
            line.run()
            return
        if line.below or line.ranges or line.run_apart is not None:
            self._keep_search()
        if apart and line.run_apart is not None:
            line.run_apart()
            return
        self.dismiss()
        line.run()

    def _maybe_enter(self) -> None:
        if self._enter_waits and not self._waiting:
            self._enter_waits = False
            self._run(self.list.currentIndex())

    def _place(self) -> None:
        lines = [line_at(self.items.index(row, 0)) for row in range(self.items.rowCount())]
        rows = sum(line.height for line in lines if line is not None)
        around = self.line.sizeHint().height() + self.hints.sizeHint().height() + 40
        most = min(theme.scaled(_MOST_HEIGHT), self._room.height() - _TOP - 60)
        height = min(max(rows, theme.scaled(34)) + around, most)
        width = min(theme.scaled(WIDTH), self._room.width() - 80)
        self.setGeometry((self._room.width() - width) // 2, _TOP, width, height)

    # --- keys ------------------------------------------------------------------------------

    def _next(self, row: int, step: int) -> int:
        """The next row in a direction that can be chosen; the same row when there is none."""
        found = row + step
        while 0 <= found < self.items.rowCount():
            line = line_at(self.items.index(found, 0))
            if line is not None and line.run is not None:
                return found
            found += step
        return row

    def _next_section(self, row: int, step: int) -> int:
        heads = [
            n for n in range(self.items.rowCount())
            if (line := line_at(self.items.index(n, 0))) is not None and line.is_heading
        ]  # fmt: skip
        firsts = [self._next(head, 1) for head in heads]
        if step > 0:
            return next((n for n in firsts if n > row), firsts[0] if firsts else row)
        before = [n for n in firsts if n < row]
        return before[-1] if before else firsts[-1] if firsts else row

    def _go(self, row: int) -> None:
        index = self.items.index(max(row, 0), 0)
        self.list.setCurrentIndex(index)
        if row >= 0 and self._next(row, -1) == row:
            self.list.scrollToTop()  # with the heading above it

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._room and event.type() == QEvent.Type.Resize:
            self._place()
        elif watched is self.line and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.KeyPress:
                return self._key(event)
        elif watched is self.line and event.type() == QEvent.Type.FocusOut:
            QTimer.singleShot(0, self, self._maybe_leave)
        return False

    @Slot()
    def _maybe_leave(self) -> None:
        if self.isVisible() and not self.line.hasFocus() and self.window().isActiveWindow():
            self.dismiss()

    def _key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        row = self.list.currentIndex().row()
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: 8,
            Qt.Key.Key_PageUp: -8,
        }
        if key in steps:
            self._moved = True
            for _ in range(abs(steps[key])):
                row = self._next(row, 1 if steps[key] > 0 else -1)
            self._go(row)
        elif key in {Qt.Key.Key_Tab, Qt.Key.Key_Backtab}:
            self._moved = True
            self._go(self._next_section(row, 1 if key == Qt.Key.Key_Tab else -1))
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            apart = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            if self._waiting and not self._moved:
                self._enter_waits = True
            else:
                self._run(self.list.currentIndex(), apart=apart)
        elif key == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            return False
        return True
