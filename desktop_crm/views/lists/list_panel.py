"""The list of a pane: title with count, filter, columns, table, and what it says when empty."""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Signal, Slot
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout, QWidget

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.field import Menu
from desktop_crm.services import filters
from desktop_crm.services.customizing import definitions
from desktop_crm.services.filters import Node
from desktop_crm.services.list_layout import PLAIN, ListLayout, Summary
from desktop_crm.services.list_view import called, usable
from desktop_crm.services.query import Order, RecordQuery
from desktop_crm.views.filters.chips import ChipLine
from desktop_crm.views.grid.editing import GridEditing
from desktop_crm.views.lists import arrange_menu, empty_list
from desktop_crm.views.lists import columns as list_columns
from desktop_crm.views.lists.arrangement import Arrangement
from desktop_crm.views.lists.letter_bar import LetterBar
from desktop_crm.views.lists.list_head import ListHead
from desktop_crm.views.lists.list_totals import ListTotals
from desktop_crm.views.lists.record_model import RecordModel
from desktop_crm.views.lists.record_view import RecordView
from desktop_crm.views.lists.rows import QuerySource
from desktop_crm.views.lists.totals_row import TotalsRow
from desktop_crm.views.widgets.buttons import show_menu, tool_button
from desktop_crm.views.widgets.cards import EmptyState, Notice
from desktop_crm.views.widgets.labels import Elide, Pill
from desktop_crm.views.widgets.layout import column, row, separator
from desktop_crm.views.widgets.search_box import SearchBox

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.services.list_view import ListView
    from desktop_crm.views.lists.columns import ListColumn
    from desktop_crm.views.workbench import Workbench

_REFRESHED = 50_000
_CONDITION = "="


class ListPanel(QFrame):
    """Shows one view of one entity.

    Attributes:
        opened: A record shall open; carries its key.
        current_changed: Another record is current; carries its key or None.
        told: Counts or selection changed.
        menu_wanted: Context menu of the selection at a global position.
        new_wanted: The empty list offers to make a record.
    """

    opened = Signal(object)
    current_changed = Signal(object)
    told = Signal()
    menu_wanted = Signal(object)
    new_wanted = Signal()

    def __init__(
        self,
        entity_key: str,
        bench: Workbench,
        *extras: QWidget,
        name: str = "",
        without: str = "",
    ) -> None:
        """Build the list, empty.

        Args:
            entity_key: Whose records.
            bench: The workbench.
            extras: More buttons of the head.
            name: What tells it from other lists of the entity, to programs and in the memory of
                columns and order; empty is the list of the entity's own pane.
            without: Column that says the same in every row; shown only when somebody chooses it.
        """
        super().__init__()
        self.setObjectName("listpane")
        self._name = name or entity_key
        self._without = without
        self._bench = bench
        self.entity = registry.get(entity_key)
        self._view: ListView | None = None
        self.arranged = Arrangement(bench, self._name)
        self._search = ""
        self._condition: Node | None = None
        self._is_typed = False
        self.count = 0
        self.is_exact = True
        self._usable = PLAIN
        self._instead: QWidget | None = None
        self.model = RecordModel(bench.tasks, self)
        self.table = RecordView(f"table.{self._name}", tr(self.entity.plural))
        self.table.setModel(self.model)
        self.table.number_text = lambda number: bench.formats.number(number, 0)
        self.grid = GridEditing(self, bench)
        self._build(extras)
        self._connect()

    def _build(self, extras: tuple[QWidget, ...]) -> None:
        self.title = Elide("", "h2")
        self.pill = Pill()
        self.pill.hide()
        self.search = SearchBox(f"filter.{self._name}", tr("Filter this view"))
        self.search.setToolTip(
            tr("Words to look for, or a condition after an equals sign: =city contains Cluj")
        )
        self.builder = tool_button(
            f"conditions.{self._name}", tr("Filter by conditions"), "filter", self.build_filter
        )
        self.chips = ChipLine(f"conditions.{self._name}", self._bench, self.entity)
        self.chooser = tool_button(
            f"columns.{self._name}", tr("Columns"), "column_triple", self.choose_columns
        )
        self.arranger = tool_button(
            f"arrange.{self._name}", tr("Arrange the list"), "group_list", self._arrange
        )
        head = ListHead(
            self.title,
            self.pill,
            self.search,
            (self.builder, *extras),
            self.chooser,
            self.arranger,
        )
        self.notice = Notice()
        self.empty = EmptyState(self.entity.icon, "", "", name=f"empty.{self._name}")
        self.pages = QStackedWidget()
        self.totals = TotalsRow(f"totals.{self._name}", self.table)
        self.totals.hide()
        self._totals = ListTotals(self._bench, self.totals, self._failed)
        self.letters = LetterBar(f"letters.{self._name}")
        if not self.has_letters:
            self.letters.hide()
        self.listing = row(column(self.table, self.totals, spacing=0), self.letters, spacing=0)
        self.pages.addWidget(self.listing)
        self.pages.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 0, 1, 6)
        layout.setSpacing(0)
        layout.addWidget(head)
        layout.addWidget(separator())
        layout.addWidget(self.chips)
        layout.addWidget(row(self.notice, margins=(8, 0, 8, 0)))
        layout.addWidget(self.pages, 1)

    def _connect(self) -> None:
        self.model.counted.connect(self._counted)
        self.model.failed.connect(self._failed)
        self.table.opened.connect(self.opened)
        self.table.current_changed.connect(self.current_changed)
        self.table.selection_told.connect(lambda _count: self.told.emit())
        self.table.sort_wanted.connect(self._sort)
        self.table.widths_changed.connect(self._keep_columns)
        self.table.typed.connect(self._typed)
        self.table.menu_wanted.connect(self.menu_wanted)
        self.table.header_menu_wanted.connect(self._column_menu)
        self.search.searched.connect(self._searched)
        self.chips.changed.connect(self.filter_by)
        self.chips.edit_wanted.connect(self.build_filter)
        self.model.totalled.connect(self._totals.take)
        self.totals.menu_wanted.connect(
            lambda path, at: show_menu(self.totals, arrange_menu.of_total(self, path), at=at)
        )
        self.letters.chosen.connect(lambda _letter: self.reload())

    # --- what is shown ---------------------------------------------------------------------

    def show_view(self, view: ListView) -> None:
        """Show another view, with what the person changed of its layout before."""
        self._view = view
        self.arranged.show(view)
        self.letters.clear()
        self.title.setText(view.title)
        self.reload()

    def list_layout(self) -> ListLayout:
        """How the list stands: the view's layout, what the person changed, the filter typed.

        It is not named ``layout``, which every widget of Qt has.
        """
        return replace(
            self.arranged.layout,
            columns=self.shown_columns(),
            filter=filters.both(self.arranged.layout.filter, self._condition),
        )

    @property
    def view(self) -> ListView | None:
        """The view shown, None before the first one."""
        return self._view

    @property
    def condition(self) -> Node | None:
        """What was filtered for beside the view."""
        return self._condition

    @property
    def actor(self) -> Actor:
        """Who looks."""
        return self._bench.actor

    @property
    def is_changed(self) -> bool:
        """Whether the list stands otherwise than its view says."""
        return self._condition is not None or self.arranged.is_changed

    def forget_changes(self) -> None:
        """Show the view as it was saved; also once it was saved with the changes."""
        self.arranged.forget()
        self.reload()

    def query(self) -> RecordQuery:
        """Filter, order, grouping and search of the list as it stands."""
        layout = self._usable
        columns = tuple(column.path for column in self.model.columns)
        return RecordQuery(
            self.entity.key,
            columns,
            filters.both(layout.filter, self._condition),
            layout.order,
            self._search,
            group=layout.group,
            starts=self.letters.letter,
        )

    def reload(self) -> None:
        """Ask the database again; the current record stays current."""
        actor = self._bench.actor
        self._usable, gone = usable(actor, self.entity, self.arranged.layout)
        layout = self._usable
        usual = tuple(path for path in self.entity.columns if path != self._without)
        columns = list_columns.columns(actor, self.entity, layout.columns or usual)
        if not columns:
            columns = list_columns.columns(actor, self.entity, usual)
        self.notice.say(_gone_text(tuple(called(self.entity, path) for path in gone)), "warn")
        self.chips.show_filter(self._condition)
        self.table.drops_columns = not layout.columns
        self.table.formats = layout.formats
        self.table.set_density(layout.density)
        self.table.show_columns(columns, dict(layout.widths), layout.frozen)
        self.table.show_order(self.order)
        wanted = self.summaries(columns)
        asked = replace(self.query(), marks=tuple(format_.filter for format_ in layout.formats))
        source = QuerySource(actor, asked, columns, self._bench.formats, wanted)
        self.model.set_source(source, columns)
        self._totals.ask(source, wanted)

    def summaries(self, columns: tuple[ListColumn, ...] = ()) -> dict[str, Summary]:
        """What the totals row says of the columns shown, by path."""
        paths = {column.path for column in columns or self.model.columns}
        return {path: s for path, s in self._usable.totals.items() if path in paths}

    @property
    def hangs_on_record(self) -> bool:
        """Whether it shows what belongs to one record, in that record's window."""
        return bool(self._without)

    # --- letters ---------------------------------------------------------------------------

    @property
    def has_letters(self) -> bool:
        """Whether the bar of first letters is shown."""
        # A list in another record's window has no height for an alphabet that can be read.
        usual = self.entity.menu is Menu.MAIN and not self.hangs_on_record
        wanted = bool(self._bench.recall(f"letters.{self._name}").get("on", usual))
        return self.may_have_letters and wanted

    @property
    def may_have_letters(self) -> bool:
        """Whether titles of these records can be looked up by their first letter."""
        return "title_key" in self.entity.fields

    def show_letters(self, *, on: bool) -> None:
        """Show or hide the bar of first letters on this machine."""
        self._bench.remember(f"letters.{self._name}", {"on": on})
        self.letters.setVisible(self.has_letters)
        if not on and self.letters.letter:
            self.letters.clear()
            self.reload()

    # --- what came -------------------------------------------------------------------------

    @Slot(object, bool)
    def _counted(self, count: int, exact: bool) -> None:
        self.count = count
        self.is_exact = exact
        number = self._bench.formats.number(count, 0)
        self.pill.show_text(number if exact else f"{number}+")
        if count == 0:
            empty_list.say_empty(self)
        self._totals.say_count(count)
        self._show_page()
        self.told.emit()

    def show_instead(self, widget: QWidget | None) -> None:
        """Show another widget in place of the table, e.g. a board; None shows the table again."""
        if widget is not None and self.pages.indexOf(widget) < 0:
            self.pages.addWidget(widget)
        self._instead = widget
        self.chooser.setVisible(widget is None)
        self.arranger.setVisible(widget is None)
        self._show_page()

    def _show_page(self) -> None:
        usual = self.listing if self.count or self.notice.text else self.empty
        self.pages.setCurrentWidget(self._instead or usual)

    def show_all_letters(self) -> None:
        """Show titles that begin with any letter."""
        self.letters.clear()
        self.reload()

    @Slot(object)
    def _failed(self, error: Exception) -> None:
        from desktop_crm.services.totals import TooManyGroups

        if isinstance(error, TooManyGroups):
            self.arrange(group="")
            self.notice.say(str(error), "warn")
            return
        self.count = 0
        self.notice.say(tr("The list could not be read. {reason}", reason=error), "bad")
        self._show_page()
        self.told.emit()

    # --- the person's wishes ---------------------------------------------------------------

    @Slot(str)
    def _searched(self, text: str) -> None:
        """Take words to look for, or a condition when the text begins with an equals sign."""
        typed = text.startswith(_CONDITION)
        self._search = "" if typed else text
        if typed:
            try:
                self._condition = filters.parse(text.removeprefix(_CONDITION), self.entity.key)
            except UserError as error:
                self.notice.say(str(error), "warn")
                return
        elif self._is_typed:
            self._condition = None
        self._is_typed = typed
        self.reload()

    @Slot(object)
    def filter_by(self, node: Node | None) -> None:
        """Show only what also meets a filter of the person; None shows the whole view."""
        self._condition = node
        self._is_typed = False
        if self.search.text().startswith(_CONDITION):
            self.search.clear()
        else:
            self.reload()

    def build_filter(self) -> None:
        """Open the filter builder."""
        from desktop_crm.views.filters.filter_dialog import FilterDialog

        dialog = FilterDialog(
            self._bench,
            self.entity.key,
            self._condition,
            within=self._usable.filter,
            parent=self.window(),
        )
        dialog.chosen.connect(self.filter_by)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def _typed(self, text: str) -> None:
        if text.strip():
            self.search.setFocus()
            self.search.insert(text)

    @Slot(str, bool)
    def _sort(self, path: str, adds: bool) -> None:
        """Sort by a column; the same one again turns the direction around."""
        known = {order.field: order for order in self.order}
        again = path in known and (adds or self.order[0].field == path)
        order = Order(path, again and not known[path].descending)
        if not adds:
            self.sort_by((order,))
        elif path in known:
            self.sort_by(tuple(order if sort.field == path else sort for sort in self.order))
        else:
            self.sort_by((*self.order, order))

    def sort_by(self, order: tuple[Order, ...]) -> None:
        """Sort by several columns, the first decides."""
        self.arrange(order=[f"{'-' if sort.descending else ''}{sort.field}" for sort in order])

    def arrange(self, **values: object) -> None:
        """Show the list otherwise and remember it.

        Args:
            values: Parts of the stored form of a layout, e.g. ``density="compact"``.
        """
        self.arranged.change(**values)
        self.reload()

    @Slot(int, object)
    def _column_menu(self, column: int, place: QPoint) -> None:
        path = self.table.column_path(column)
        actions = arrange_menu.of_column(self, path) if path else arrange_menu.of_list(self)
        show_menu(self.table.header, actions, at=place)

    def _arrange(self) -> None:
        show_menu(self.arranger, arrange_menu.of_list(self))

    @Slot()
    def _keep_columns(self) -> None:
        paths, widths = self.table.column_state()
        moved = paths != tuple(column.path for column in self.model.columns)
        self.arranged.change(widths=widths, **({"columns": list(paths)} if moved else {}))

    def choose_columns(self) -> None:
        """Open the column chooser."""
        from desktop_crm.views.lists.columns_dialog import ColumnsDialog

        dialog = ColumnsDialog(
            self.window(),
            self._bench.actor,
            self.entity,
            self.shown_columns(),
            self.arranged.layout.frozen,
        )

        def chosen(result: int) -> None:
            if result:
                columns = list(dialog.chosen())
                self.arrange(columns=columns, frozen=dialog.frozen_count())
            dialog.deleteLater()

        dialog.finished.connect(chosen)
        dialog.open()

    def shown_columns(self) -> tuple[str, ...]:
        """Paths of the columns in the order on the screen."""
        return self.table.column_state()[0]

    @property
    def order(self) -> tuple[Order, ...]:
        """Sorts of the list, the first decides; the entity's own where nobody chose any."""
        default = self.entity.order or self.entity.title
        own = Order(default.lstrip("-"), default.startswith("-"))
        return self._usable.order or (own,)

    # --- selection and news ----------------------------------------------------------------

    def selected_ids(self) -> array[int]:
        """Keys of the selected records."""
        return self.table.selected_ids()

    def take_changes(self, changes: ChangeSet) -> None:
        """Show what somebody changed: in place, or as a new list when records came or went."""
        if arranged := changes.touches(*definitions.OWN):
            self.chips.entity = self.entity = registry.get(self.entity.key)
        ids = changes.ids(self.entity.key)
        kinds_ = {c.kind.value for c in changes.changes if c.entity == self.entity.key}
        moved = kinds_ - {"updated"} or (kinds_ and self._usable.group)
        if (arranged and self._view) or (moved and self.count <= _REFRESHED):
            self.table.stay_near()
            self.reload()
            return
        if ids:
            self.model.reload(ids)
        elif changes.touches(*list_columns.behind_all(self.actor, self.entity, self.model.columns)):
            self.model.reload()
        if kinds_:
            self._totals.again()


def _gone_text(gone: tuple[str, ...]) -> str:
    if not gone:
        return ""
    return tr(
        "This view uses what is no longer there: {names}. The rest of it is shown, and the "
        "view itself was not changed.",
        names=", ".join(gone),
    )
