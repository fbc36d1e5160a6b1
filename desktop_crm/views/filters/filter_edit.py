"""The filter builder: rows of conditions, the same as text, and how many records meet it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QScrollArea, QTextEdit, QVBoxLayout, QWidget

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.services import filters
from desktop_crm.services.filters import Node, Rule
from desktop_crm.services.query import RecordQuery
from desktop_crm.views import theme
from desktop_crm.views.filters.condition import ConditionRow, Member, Site
from desktop_crm.views.filters.groups import GroupEdit, RelatedEdit
from desktop_crm.views.widgets import tab_order
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench

_REST_MS: Final = 300
_TEXT_LINES: Final = 2


class FilterEdit(QWidget):
    """Edits a filter; fit for a dialog or a pane.

    Ctrl+Shift+Up and Ctrl+Shift+Down move the condition or group that has the keyboard.

    Attributes:
        changed: Carries the filter as it stands; conditions that are incomplete are left out.
        root: The outermost group.
        text: The text form.
    """

    changed = Signal(object)

    def __init__(
        self,
        bench: Workbench,
        entity_key: str,
        node: Node | None = None,
        *,
        within: Node | None = None,
        counts: bool = True,
    ) -> None:
        """Show a filter.

        Args:
            bench: The tools of the pane.
            entity_key: Whose records are filtered.
            node: The filter to begin with.
            within: Conditions that hold besides, such as those of the view, for the count.
            counts: Whether the number of records is shown.
        """
        super().__init__()
        self.setObjectName("filter.edit")
        self._bench = bench
        self.entity = registry.get(entity_key)
        self._within = within
        self._counts = counts
        self._site = Site(bench, self)
        self._node: Node | None = None
        self._text_error = ""
        self._is_waiting = False
        self._begins = False
        self.root = GroupEdit(self._site, self.entity, is_root=True)
        self._build()
        self._rest = self._timer(self._ask_count)
        self._typing = self._timer(self._read_text)
        self.root.changed.connect(self._edited)
        self.text.textChanged.connect(self._typing.start)
        for keys, step in (("Ctrl+Shift+Up", -1), ("Ctrl+Shift+Down", 1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda step=step: self._move(step))
        self.load(node)

    def _timer(self, run: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(_REST_MS)
        timer.timeout.connect(run)
        return timer

    def _build(self) -> None:
        inner = QWidget()
        inner.setObjectName("scrollbody")
        inside = QVBoxLayout(inner)
        inside.setContentsMargins(0, 0, 6, 0)
        inside.addWidget(self.root)
        inside.addStretch(1)
        self.area = QScrollArea()
        self.area.setObjectName("filter.scroll")
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidget(inner)
        self.text = QPlainTextEdit()
        self.text.setObjectName("filter.text")
        self.text.setAccessibleName(tr("The filter as text"))
        self.text.setPlaceholderText(tr("No conditions: every record."))
        self.text.setTabChangesFocus(True)
        line = self.text.fontMetrics().lineSpacing()
        self.text.setFixedHeight(theme.scaled(_TEXT_LINES * line + 18))
        self.note = label("", "error", wrap=True, name="filter.note")
        self.note.hide()
        self.count = label("", "strong", name="filter.count")
        if not self._counts:
            self.count.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(6)
        outer.addWidget(self.area, 1)
        outer.addWidget(row(label(tr("As text"), "h3"), None, self.count, spacing=8))
        outer.addWidget(self.text)
        outer.addWidget(self.note)

    # --- the filter ------------------------------------------------------------------------

    def load(self, node: Node | None) -> None:
        """Show another filter; titles of the records it names are read first."""
        self._node = filters.normal(node)
        self._show_text()
        if not _names_records(self._node):
            self._rebuild()
            return
        from desktop_crm.services.link_titles import link_titles

        self._is_waiting = True
        self._bench.tasks.read(
            link_titles,
            self._bench.actor,
            self.entity.key,
            self._node,
            done=self._take_titles,
            owner=self,
            lane="titles",
        )

    def _take_titles(self, titles: dict[tuple[str, int], str]) -> None:
        self._site.titles.update(titles)
        self._rebuild()

    def _rebuild(self) -> None:
        self._is_waiting = False
        self._site.restart()
        self.root.load(self._node)
        self._chain_tabs()
        self._rest.start()
        if self._begins:
            self.begin()

    def node(self) -> Node | None:
        """The filter as it stands; incomplete conditions are left out."""
        return self._node

    def check(self) -> bool:
        """Whether the filter is complete; if not, say at each place what is missing."""
        if self._typing.isActive():
            self._typing.stop()
            self._read_text()
        problems: list[QWidget] = []
        self.root.read(problems)
        for problem in problems:
            if isinstance(problem, ConditionRow | RelatedEdit):
                problem.show_problem()
        if problems and isinstance(problems[0], Member):
            problems[0].begin()
            self.area.ensureWidgetVisible(problems[0])
        return not problems and not self._text_error

    def clear(self) -> None:
        """Take every condition out."""
        self.load(None)
        self.changed.emit(None)
        self.root.begin()

    def begin(self) -> None:
        """Give the keyboard to the first condition; an empty filter gets one."""
        self._begins = self._is_waiting
        if self._is_waiting:
            return
        if self.root.members():
            self.root.begin()
        else:
            self.root.add_condition()

    @Slot()
    def _edited(self) -> None:
        self._node = filters.normal(self.root.read([]))
        self._chain_tabs()
        self._show_text()
        self._rest.start()
        self.changed.emit(self._node)

    def _chain_tabs(self) -> None:
        """Let Tab go through the parts as they stand, whenever they were made."""
        tab_order.chain([*self.root.controls(), self.text])

    def _move(self, step: int) -> None:
        member = _member_of(self.window().focusWidget())
        group = member.parentWidget() if member is not None else None
        if member is not None and isinstance(group, GroupEdit):
            group.shift(member, step)
            self.area.ensureWidgetVisible(member)

    # --- the text --------------------------------------------------------------------------

    def _show_text(self) -> None:
        self.text.blockSignals(True)
        self.text.setPlainText(filters.to_text(self._node))
        self.text.blockSignals(False)
        self._say("", 0)

    @Slot()
    def _read_text(self) -> None:
        """Take over what was typed as text, or point at the place that cannot be read."""
        try:
            node = filters.parse(self.text.toPlainText(), self.entity.key)
        except UserError as error:
            place = error.params.get("place")
            self._say(str(error), place if isinstance(place, int) else 0)
            return
        self._say("", 0)
        if node != self._node:
            kept = self.text.toPlainText(), self.text.textCursor().position()
            self.load(node)
            self.text.blockSignals(True)
            self.text.setPlainText(kept[0])
            self.text.blockSignals(False)
            cursor = self.text.textCursor()
            cursor.setPosition(kept[1])
            self.text.setTextCursor(cursor)
            self.changed.emit(self._node)

    def _say(self, problem: str, place: int) -> None:
        self._text_error = problem
        self.note.setText(problem)
        self.note.setVisible(bool(problem))
        theme.set_property(self.text, "error", bool(problem))
        self.text.setAccessibleDescription(problem)
        marks: list[QTextEdit.ExtraSelection] = []
        if problem and place:
            mark = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.text.document())
            last = max(0, len(self.text.toPlainText()) - 1)
            cursor.setPosition(min(place - 1, last))
            cursor.movePosition(
                QTextCursor.MoveOperation.EndOfWord, QTextCursor.MoveMode.KeepAnchor
            )
            if not cursor.hasSelection():
                cursor.movePosition(
                    QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor
                )
            form = QTextCharFormat()
            form.setBackground(theme.color("bad_bg"))
            form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            form.setUnderlineColor(theme.color("bad"))
            mark.cursor = cursor
            mark.format = form
            marks.append(mark)
        self.text.setExtraSelections(marks)

    # --- the count -------------------------------------------------------------------------

    @Slot()
    def _ask_count(self) -> None:
        if not self._counts:
            return
        from desktop_crm.services import query

        asked = RecordQuery(
            self.entity.key, (self.entity.title,), filters.both(self._within, self._node)
        )
        self.count.setText(tr("Counting…"))
        self._bench.tasks.read(
            query.count,
            self._bench.actor,
            asked,
            done=self._show_count,
            failed=self._count_failed,
            owner=self,
            lane="count",
            cancellable=True,
        )

    def _show_count(self, number: int) -> None:
        shown = self._bench.formats.number(number, 0)
        self.count.setText(ntr("{shown} record", "{shown} records", number, shown=shown))

    def _count_failed(self, error: Exception) -> None:
        self.count.setText("")
        if isinstance(error, UserError):
            self._say(str(error), 0)
        else:
            self._bench.shell.show_error(error)


def _member_of(widget: QWidget | None) -> Member | None:
    """Condition or group a control belongs to."""
    while widget is not None and not isinstance(widget, Member):
        widget = widget.parentWidget()
    return widget


def _names_records(node: Node | None) -> bool:
    """Whether any condition names a record by its key."""
    for condition in filters.walk(node):
        if not isinstance(condition, Rule):
            if _names_records(condition.filter):
                return True
            continue
        value = condition.value
        values = value if isinstance(value, tuple) else (value,)
        if any(isinstance(one, int) for one in values):
            return True
    return False
