"""The pane of any entity: views at the left, the list, the record at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QCursor, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.views import theme
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.bulk import commands as bulk_commands
from desktop_crm.views.lists.list_panel import ListPanel
from desktop_crm.views.lists.navigation import NavTree
from desktop_crm.views.lists.stars import Stars
from desktop_crm.views.new_texts import new_record
from desktop_crm.views.panes import entity_commands, follow_up
from desktop_crm.views.panes.command_target import Target
from desktop_crm.views.panes.pane import Pane
from desktop_crm.views.panes.pane_board import PaneBoard
from desktop_crm.views.panes.pane_views import PaneViews
from desktop_crm.views.record_windows import note_viewed
from desktop_crm.views.widgets.buttons import show_menu
from desktop_crm.views.widgets.layout import Splitter, frame, row

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.panes.record_detail import RecordDetail
    from desktop_crm.views.workbench import Workbench

_NAV: Final = 208
_DETAIL: Final = 418
_LEAST_DETAIL: Final = 320
_DETAIL_CODE: Final = "desktop_crm.views.panes.record_detail"
_SETTLE_MS: Final = 120
_LOOK_MS: Final = 2_500
"""A record that stays so long beside the list counts as looked at."""
_MENU: Final = ("bulk", "duplicates", "mark", "grid", "view", "pane")
"""Groups of the ribbon's menu: selected records, marks, cells, the list, what stands beside it.

What only one kind of record offers stands before them.
"""


class RecordPane(Pane):
    """Views, list and detail of one entity, all from its declaration.

    The detail is made when it is first asked for, the latest once the first rows are painted.
    """

    def __init__(self, bench: Workbench, entity_key: str, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.entity = registry.get(entity_key)
        self.setObjectName(f"pane.{entity_key}")
        self._started = False
        self._narrow = False
        self.nav = NavTree(f"nav.{entity_key}", tr("Views"))
        self.views = PaneViews(bench, self.entity, self.nav, self)
        self.views.changed.connect(self.commands_changed)
        self.board = PaneBoard(bench, self.entity, self)
        self.board.selected.connect(self._current)
        self.board.selected.connect(lambda _id: self.commands_changed.emit())
        self.board.changed.connect(self.views.update)
        self.board.changed.connect(self._told)
        self.list = ListPanel(entity_key, bench, self.views.button, self.board.button)
        self.list.opened.connect(self._open)
        self.list.current_changed.connect(self._current)
        self.list.told.connect(self._told)
        self.list.told.connect(self._rows_came)
        self.list.menu_wanted.connect(lambda _place: self._menu())
        self.list.new_wanted.connect(self.new)
        self.stars = Stars(self.list)
        self._detail: RecordDetail | None = None
        self._beside: QWidget = frame("detail")
        self._beside.setMinimumWidth(_LEAST_DETAIL)
        nav = frame("nav", row(self.nav, margins=(6, 6, 6, 6)))
        nav.setMinimumWidth(150)
        self.list.setMinimumWidth(380)
        self.splitter = Splitter(
            f"splitter.{entity_key}", tr("Panes"), nav, self.list, self._beside
        )
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([theme.scaled(_NAV), 718, _DETAIL])
        self.splitter.splitterMoved.connect(self._keep_sizes)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)
        self.target = Target(
            self, self._record, self._selected_ids, self._selected_count, self.list
        )
        self._wanted: int | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._show_detail)
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self._looked)
        self._let_delete(self.list.table)
        self.board.made.connect(self._let_delete)
        bench.bus.changed.connect(self._changed)

    @property
    def _memory(self) -> str:
        return f"pane.{self.entity.key}"

    # --- pane ------------------------------------------------------------------------------

    def activate(self) -> None:
        if self._started:
            return
        self._started = True
        sizes = self.bench.recall(self._memory).get("sizes")
        if isinstance(sizes, list) and len(sizes) == 3:
            self.splitter.setSizes([int(size) for size in sizes])
        self.board.start(self.list)
        self.views.start(self.list)
        if self._detail is not None:
            self._detail.marks.read_again()
        self.list.table.setFocus()

    def refresh(self) -> None:
        self.list.reload()
        self.views.load()
        self.board.refresh()
        if self._detail is not None:
            self._detail.refresh()

    def focus_filter(self) -> None:
        self.list.search.setFocus()
        self.list.search.selectAll()

    def may_leave(self) -> bool:
        detail_may = self._detail is None or self._detail.may_leave()
        return detail_may and self.list.grid.may_leave()

    def set_narrow(self, narrow: bool) -> None:
        self._narrow = narrow
        self._beside.setVisible(not narrow)
        self.commands_changed.emit()

    def place(self) -> dict[str, object]:
        return {
            "view": self.views.view.key,
            "record": self.list.table.current_id(),
            "search": self.list.search.text(),
        }

    def return_to(self, place: dict[str, object]) -> None:
        self.views.choose(str(place.get("view", "")))
        record = place.get("record")
        if isinstance(record, int):
            self.list.table.restore_after_reset(record)
        self.list.search.setText(str(place.get("search", "")))

    def status_text(self) -> str:
        number = self.bench.formats.number(self.list.count, 0)
        shown = ntr("{number} record", "{number} records", self.list.count, number=number)
        if not self.list.is_exact:
            shown = tr("{number} or more records", number=number)
        selected = 0 if self.board.is_shown else self.list.table.selected_count()
        if not selected:
            return shown
        many = self.bench.formats.number(selected, 0)
        chosen = ntr("{number} selected", "{number} selected", selected, number=many)
        return "   ·   ".join((shown, chosen))

    # --- record ----------------------------------------------------------------------------

    @property
    def detail(self) -> RecordDetail:
        """The record beside the list."""
        if self._detail is None:
            self._detail = self._make_detail()
        return self._detail

    def _make_detail(self) -> RecordDetail:
        from desktop_crm.views.panes.record_detail import RecordDetail

        made = RecordDetail(self.entity.key, self.bench)
        made.marks.told.connect(self.stars.take)
        made.shown.connect(lambda _record: self.commands_changed.emit())
        made.setMinimumWidth(_LEAST_DETAIL)
        empty, self._beside = self._beside, made
        self.splitter.replaceWidget(self.splitter.indexOf(empty), made)
        empty.deleteLater()
        if self._started:
            made.marks.read_again()
        return made

    @Slot(object)
    def _code_came(self, _code: object) -> None:
        if self._detail is None:
            self._detail = self._make_detail()

    def _record(self) -> RecordValues | None:
        return None if self._detail is None else self._detail.record

    @Slot()
    def _rows_came(self) -> None:
        """Make the detail once the list is painted; its code is read on a thread."""
        self.list.told.disconnect(self._rows_came)
        self.bench.tasks.read(
            import_module, _DETAIL_CODE, done=self._code_came, owner=self, later=True
        )

    @Slot(object)
    def _current(self, record_id: int | None) -> None:
        self._wanted = record_id
        self._settle.start()

    @Slot()
    def _show_detail(self) -> None:
        if self._wanted == self.detail.record_id:
            return
        if not self.detail.may_leave():
            kept = self.detail.record_id
            if kept is not None:
                self.list.table.select_id(kept)
            return
        self.detail.show_record(self._wanted)
        self._look.start()

    @Slot()
    def _looked(self) -> None:
        record = self.detail.record_id
        if record is not None and self._beside.isVisible():
            note_viewed(self.bench, self.entity.key, record)

    @Slot()
    def _told(self) -> None:
        self.status_changed.emit(self.status_text())
        self.commands_changed.emit()

    @Slot(object)
    def _changed(self, changes: ChangeSet) -> None:
        self.list.take_changes(changes)
        self.stars.take_changes(changes)
        if self._detail is not None:
            self._detail.take_changes(changes)
        self.views.take_changes(changes)

    @Slot(int, int)
    def _keep_sizes(self, _position: int, _index: int) -> None:
        kept = self.bench.recall(self._memory)
        self.bench.remember(self._memory, {**kept, "sizes": self.splitter.sizes()})

    # --- commands --------------------------------------------------------------------------

    def new(self) -> None:
        """Open an empty form; in a view of one group the group is filled in."""
        self.bench.shell.new_record(self.entity.key)

    @Slot(object)
    def _open(self, record_id: int) -> None:
        self.bench.shell.open_record(self.entity.key, record_id, self.list.model)

    def open_current(self) -> None:
        """Open the current record."""
        current = self._current_id()
        if current is not None:
            self._open(current)

    def delete(self) -> None:
        """Delete the selected records or the selected card; a note offers to take it back."""
        if not self._selected_count() or not self.bench.actor.can(self.entity.key, "remove"):
            return
        if not bulk_commands.delete_many(self.bench, self.target):
            self._delete_records(self.entity.key, self._selected_ids())

    @Slot(QWidget)
    def _let_delete(self, widget: QWidget) -> None:
        """Let the key delete where the records are; elsewhere in the pane it means other things."""
        key = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), widget)
        key.setContext(Qt.ShortcutContext.WidgetShortcut)
        key.activated.connect(self.delete)

    def _delete_records(self, entity: str, ids: Sequence[int]) -> None:
        from desktop_crm.services import records

        def done(changes: ChangeSet) -> None:
            self.bench.bus.publish(changes)
            text = ntr("{n} record deleted", "{n} records deleted", len(ids))
            self.bench.shell.toast(text, undo=True)

        self.bench.tasks.write(
            records.delete,
            self.bench.actor,
            entity,
            list(ids),
            done=done,
            owner=self,
            label=tr("Deleting"),
        )

    def toggle_detail(self) -> None:
        """Show or hide the record beside the list."""
        self._beside.setVisible(self._beside.isHidden())
        self._show_detail()
        self.commands_changed.emit()

    def _menu(self) -> None:
        actions = [
            action
            for action in self.commands()
            if action.id in {"record.open", "record.delete", "record.new"}
            or action.group == "follow"
        ]
        anchor = self.list.table
        show_menu(anchor, actions, at=QCursor.pos())

    def _has_current(self) -> bool:
        return self._current_id() is not None

    def _has_selection(self) -> bool:
        return self._selected_count() > 0

    def _selected_count(self) -> int:
        return int(self._has_current()) if self.board.is_shown else self.list.table.selected_count()

    def _current_id(self) -> int | None:
        """The record of the card or row the person is at."""
        return self.board.current_id() if self.board.is_shown else self.list.table.current_id()

    def _selected_ids(self) -> list[int]:
        if self.board.is_shown:
            current = self.board.current_id()
            return [] if current is None else [current]
        return list(self.list.selected_ids())

    def commands(self) -> list[Action]:
        actor = self.bench.actor
        key = self.entity.key
        made: list[Action] = []
        if actor.can(key, "create"):
            made.append(
                Action(
                    "record.new",
                    new_record(self.entity),
                    self.new,
                    "add",
                    shortcut="Ctrl+N",
                    group="new",
                    primary=True,
                )
            )
        made += follow_up.actions(self.bench, key, self._record, self._has_current)
        made += entity_commands.actions(self.bench, key, self.target)
        made.append(
            Action(
                "record.open",
                tr("Edit"),
                self.open_current,
                "edit",
                shortcut="Return",
                group="record",
                enabled=self._has_current,
            )
        )
        if actor.can(key, "remove"):
            made.append(
                Action(
                    "record.delete",
                    tr("Delete"),
                    self.delete,
                    "delete",
                    shortcut="Del",
                    group="record",
                    enabled=self._has_selection,
                )
            )
        made += self._list_commands()
        return sorted(made, key=_place_in_menu)

    def _file_commands(self) -> list[Action]:
        may_import = self.bench.actor.can(self.entity.key, "create")
        made = [
            Action("list.export", tr("Export…"), self.export, "arrow_download", group="file"),
        ]
        if may_import:
            made.append(
                Action("list.import", tr("Import…"), self.import_file, "folder", group="file")
            )
        return made

    def export(self) -> None:
        """Write the list, or the selected records, into a workbook."""
        from desktop_crm.views.dialogs.export_dialog import open_export

        selected = self._selected_ids() if self._selected_count() > 1 else []
        shown = replace(self.list.query(), columns=self.list.shown_columns())
        open_export(self.bench, shown, selected)

    def import_file(self) -> None:
        """Bring in a file as records of this kind."""
        from desktop_crm.views.dialogs.import_wizard import open_import

        open_import(self.bench, self.entity.key)

    def choose_formats(self) -> None:
        """Choose which rows of the list stand out."""
        from desktop_crm.views.lists.formats_dialog import open_formats

        open_formats(self.list, self.bench)

    def _list_commands(self) -> list[Action]:
        return [
            *self._file_commands(),
            Action(
                "list.columns",
                tr("Columns…"),
                self.list.choose_columns,
                "column_triple",
                group="view",
                place=Place.MORE,
            ),
            Action(
                "list.formats",
                tr("Conditional formats…"),
                self.choose_formats,
                "flag",
                group="view",
                place=Place.MORE,
            ),
            *self.board.actions(),
            *self.views.actions(),
            Action(
                "list.detail",
                tr("Record pane"),
                self.toggle_detail,
                "column_triple",
                group="pane",
                place=Place.RIBBON if self._narrow else Place.MORE,
            ),
        ]


def _place_in_menu(action: Action) -> int:
    """The ribbon's commands as they come, then those of its menu by what they work on."""
    if action.place is not Place.MORE or action.group not in _MENU:
        return 0
    return _MENU.index(action.group) + 1
