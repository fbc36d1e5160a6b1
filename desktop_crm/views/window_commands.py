"""Commands that work wherever one is: modules, search, undo, refresh, theme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.definitions_watch import DefinitionsWatch
from desktop_crm.views.modules import MODULES
from desktop_crm.views.new_texts import new_record
from desktop_crm.views.widgets.buttons import show_menu

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.main_window import MainWindow
    from desktop_crm.views.workbench import Workbench

_BY_THEMSELVES: Final = frozenset({"Return", "Enter", "Del", "Ctrl+A", "Ctrl+C", "Ctrl+V"})
"""Keys that mean what has the focus, a row, a view or a file; no pane takes them for itself."""


def _never() -> bool:
    return False


class WindowCommands:
    """The window's own commands; the palette offers them beside the pane's.

    Attributes:
        watch: Notices what other programs change about fields and forms.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.watch = DefinitionsWatch(window)
        self._bound: set[str] = set()
        self._of_pane: list[QShortcut] = []

    # --- doing -----------------------------------------------------------------------------

    def undo(self) -> None:
        """Take back what was done last; the text cursor's own undo comes first."""
        if not self._window.notes.take_back():
            self.undo_step()

    def undo_step(self) -> None:
        """Take back the user's last change of the audit trail."""
        from desktop_crm.services import undo

        bench = self._window.bench
        if bench is not None:
            bench.tasks.write(
                undo.undo, bench.actor, done=self._undone, owner=self._window, label=tr("Undo")
            )

    def _undone(self, changes: ChangeSet) -> None:
        from desktop_crm.services import undo

        self._window.bus.publish(changes)
        title = tr("The last change was undone")
        if changes.left:
            title = tr("The last change was undone in part")
        self._window.toast(title, undo.describe(changes))

    def redo(self) -> None:
        """Do again what was taken back last."""
        from desktop_crm.services import undo

        bench = self._window.bench
        if bench is not None:
            bench.tasks.write(
                undo.redo, bench.actor, done=self._redone, owner=self._window, label=tr("Redo")
            )

    def _redone(self, changes: ChangeSet) -> None:
        from desktop_crm.services import undo

        self._window.bus.publish(changes)
        text = undo.describe(changes) if changes.left else ""
        self._window.toast(tr("The change was done again"), text)

    def show_deeds(self) -> None:
        """Show what the user did last, to take a step back."""
        from desktop_crm.views.dialogs.deeds_dialog import DeedsDialog

        if self._window.bench is not None:
            DeedsDialog(self._window.bench).open()

    def show_bin(self) -> None:
        """Show the recycle bin."""
        from desktop_crm.views.dialogs.recycle_bin import RecycleBinDialog

        if self._window.bench is not None:
            RecycleBinDialog(self._window.bench).open()

    def refresh(self) -> None:
        """Load again what the pane in front shows."""
        self.watch.check()
        pane = self._window.workspace.current()
        if pane is not None:
            pane.refresh()

    def find(self) -> None:
        """Put the cursor into the filter of the pane in front."""
        pane = self._window.workspace.current()
        if pane is not None:
            pane.focus_filter()

    def search(self) -> None:
        """Open search and command palette."""
        self._window.open_palette()

    def quick_create(self, entity: str = "") -> None:
        """Open the short form of an entity; without one the person chooses there."""
        from desktop_crm.views.forms.quick_create import open_quick_create

        if self._window.bench is not None:
            open_quick_create(self._window.bench, self._window, entity)

    def business_card(self) -> None:
        """Make account, contact, opportunity and activity of one business card."""
        from desktop_crm.views.dialogs.business_card import open_business_card

        if self._window.bench is not None:
            open_business_card(self._window.bench, self._window)

    def show_creating(self, anchor: QWidget) -> None:
        """Unfold what can be created below a button."""
        bench = self._window.bench
        if bench is not None:
            show_menu(anchor, [*self._create_actions(bench), *self._card_actions(bench)])

    def _create_actions(self, bench: Workbench) -> list[Action]:
        from desktop_crm.views.forms.quick_create import offered

        return [
            Action(
                f"quick.{entity.key}",
                new_record(entity),
                partial(self.quick_create, entity.key),
                entity.icon,
                group="new",
            )
            for entity in offered(bench.actor)
        ]

    def _card_actions(self, bench: Workbench) -> list[Action]:
        made = [
            Action(
                "window.quick_create",
                tr("Quick create…"),
                self.quick_create,
                "add",
                shortcut="Ctrl+Shift+N",
                group="card",
            )
        ]
        if all(bench.actor.can(entity, "create") for entity in ("account", "contact")):
            made.append(
                Action(
                    "window.business_card",
                    tr("Business card…"),
                    self.business_card,
                    "person_add",
                    shortcut="Ctrl+Shift+B",
                    group="card",
                )
            )
        return made

    def toggle_theme(self) -> None:
        """Change light and dark."""
        bench = self._window.bench
        if bench is not None:
            bench.settings.theme = "light" if theme.current() != "light" else "dark"
            self._window.restart_workspace()

    def open_other(self) -> None:
        """Ask for another database and open it."""
        from desktop_crm.views.dialogs.database import ask_for_database

        ask_for_database(self._window)

    # --- offering --------------------------------------------------------------------------

    def waiting_actions(self) -> list[Action]:
        """What the ribbon shows until a database is open; nothing of it can be done yet."""
        kinds = (
            ("call", tr("Call"), "call"),
            ("meeting", tr("Meeting"), "calendar_ltr"),
            ("task", tr("Task"), "task_list_square_ltr"),
            ("note", tr("Note"), "note"),
        )
        new = Action(
            "waiting.new", tr("New"), self.refresh, "add", primary=True, enabled=_never, group="new"
        )
        return [new] + [
            Action(f"waiting.{key}", text, self.refresh, drawing, enabled=_never, group="follow")
            for key, text, drawing in kinds
        ]

    def own_actions(self) -> list[Action]:
        """Commands of the window itself."""
        window = self._window
        shown = window.rail.shown()
        numbers = {key: place + 1 for place, key in enumerate(k for k in shown if k != "settings")}
        made = [
            Action(
                f"go.{module.key}",
                tr("Go to {module}", module=tr(module.label)),
                partial(window.show_module, module.key),
                module.icon,
                shortcut=f"Ctrl+{numbers[module.key]}" if numbers.get(module.key, 10) < 10 else "",
                place=Place.PALETTE,
            )
            for module in MODULES
            if module.key in shown
        ]
        made += self._new_actions()
        if window.bench is not None:
            made += self._card_actions(window.bench)
        made += [
            Action("window.undo", tr("Undo"), self.undo, "arrow_reply", shortcut="Ctrl+Z"),
            Action("window.redo", tr("Redo"), self.redo, "arrow_sync", shortcut="Ctrl+Y"),
            Action(
                "window.deeds",
                tr("My recent steps…"),
                self.show_deeds,
                "clock",
                shortcut="Ctrl+Alt+Z",
            ),
            Action("window.bin", tr("Recycle bin of all kinds…"), self.show_bin, "delete"),
            Action("window.database", tr("Open another database…"), self.open_other, "folder"),
            Action("window.refresh", tr("Refresh"), self.refresh, "arrow_sync", shortcut="F5"),
            Action("window.find", tr("Filter this view"), self.find, "filter", shortcut="Ctrl+F"),
            Action(
                "window.theme",
                tr("Switch the theme: light or dark"),
                self.toggle_theme,
                "weather_moon",
            ),
        ]
        return [*made, *self._administrator_actions()]

    def _administrator_actions(self) -> list[Action]:
        """What only administrators are offered, wherever they are."""
        bench = self._window.bench
        if bench is None or not bench.actor.is_admin or self._window.workspace.key == "settings":
            return []
        return [
            Action(
                "window.designer",
                tr("Fields and forms…"),
                self.open_designer,
                "column_triple",
                place=Place.PALETTE,
            )
        ]

    def open_designer(self) -> None:
        """Change fields, choice lists and forms, beginning with what is in front."""
        from desktop_crm.services.customizing import definitions
        from desktop_crm.views.designer.window import open_designer

        bench, here = self._window.bench, self._window.workspace.key
        if bench is not None:
            known = {entity.key for entity in definitions.customizable()}
            open_designer(bench, here if here in known else "contact")

    def _new_actions(self) -> list[Action]:
        """One command per kind of record that the user may make."""
        from desktop_crm.meta import registry

        bench = self._window.bench
        if bench is None:
            return []
        here = self._window.workspace.key
        return [
            Action(
                f"new.{module.key}",
                new_record(registry.get(module.key)),
                partial(self._window.new_record, module.key),
                module.icon,
                place=Place.PALETTE,
            )
            for module in MODULES
            if module.holds_records and module.key != here
            if bench.actor.can(module.key, "create")
        ]

    def _settings_actions(self) -> list[Action]:
        """One command per page of the settings that the user may see."""
        from desktop_crm.meta import registry
        from desktop_crm.views.panes.settings import all_pages

        bench = self._window.bench
        if bench is None:
            return []
        hidden = {"me"} if bench.actor.user_id is None else set()
        entities = {"company": "own_company"}
        pages = [page for _title, group in all_pages() for page in group]
        for page in pages:
            entity = registry.find(entities.get(page.key, page.key))
            if entity is not None and not bench.actor.can(entity, "read"):
                hidden.add(page.key)
        return [
            Action(
                f"settings.page.{page.key}",
                tr("Settings: {page}", page=page.text),
                partial(self._window.show_place, "settings", {"page": page.key}),
                page.icon,
                place=Place.PALETTE,
            )
            for page in pages
            if page.key not in hidden
        ]

    def all_actions(self) -> list[Action]:
        """What the palette offers: the pane's commands, then the window's."""
        pane = self._window.workspace.current()
        return [
            *(pane.commands() if pane is not None else []),
            *self.own_actions(),
            *self._settings_actions(),
        ]

    def bind_pane(self, workspace: QWidget, actions: Sequence[Action]) -> None:
        """Give a pane's commands their shortcuts, in place of those of the pane before."""
        for shortcut in self._of_pane:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._of_pane = [
            self._pane_shortcut(workspace, action) for action in actions if self._may_bind(action)
        ]

    def forget_pane(self) -> None:
        """The workspace goes away, and the shortcuts of its pane with it."""
        self._of_pane = []

    @staticmethod
    def _pane_shortcut(workspace: QWidget, action: Action) -> QShortcut:
        made = QShortcut(QKeySequence(action.shortcut), workspace)
        made.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        if action.primary:
            made.setContext(Qt.ShortcutContext.WindowShortcut)
        made.activated.connect(lambda: action.run() if action.is_enabled else None)
        return made

    def _may_bind(self, action: Action) -> bool:
        """Whether a pane's command gets its shortcut (the window's own come first)."""
        if not action.shortcut or action.shortcut in _BY_THEMSELVES:
            return False
        return action.shortcut not in self._bound

    def bind(self) -> None:
        """Bind the window's shortcuts; called once."""
        for number in range(1, 10):
            self._bind(f"Ctrl+{number}", partial(self._go, number))
        self._bind("Ctrl+K", self.search)
        self._bind("Ctrl+F", self.find)
        self._bind("Ctrl+Shift+N", self.quick_create)
        self._bind("Ctrl+Shift+B", self.business_card)
        self._bind("F5", self.refresh)
        self._bind("Ctrl+Z", self.undo)
        self._bind("Ctrl+Alt+Z", self.show_deeds)
        self._bind("Ctrl+Y", self.redo)
        self._bind("Ctrl+Shift+Z", self.redo)

    def _bind(self, keys: str, run: Callable[[], None]) -> None:
        self._bound.add(keys)
        shortcut = QShortcut(QKeySequence(keys), self._window)
        shortcut.activated.connect(run)

    def _go(self, number: int) -> None:
        shown = [key for key in self._window.rail.shown() if key != "settings"]
        if number <= len(shown):
            self._window.show_module(shown[number - 1])
