"""The window: a shell of top bar, rail, ribbon, workspace and status line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import shiboken6
from PySide6.QtCore import QByteArray, QSize, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QGridLayout, QMainWindow, QVBoxLayout, QWidget

from desktop_crm.core import i18n
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import tr
from desktop_crm.views import clocks, theme
from desktop_crm.views.bus import Bus
from desktop_crm.views.errors import ErrorPresenter
from desktop_crm.views.modules import MODULES
from desktop_crm.views.notes import Notes
from desktop_crm.views.rail import Rail
from desktop_crm.views.record_windows import RecordWindows
from desktop_crm.views.ribbon import Ribbon
from desktop_crm.views.status_line import StatusLine
from desktop_crm.views.top_bar import TopBar
from desktop_crm.views.window_commands import WindowCommands
from desktop_crm.views.workbench import Workbench
from desktop_crm.views.workspace import Workspace

if TYPE_CHECKING:
    from desktop_crm.core.settings import Settings
    from desktop_crm.services.context import Actor
    from desktop_crm.views.palette import CommandPalette
    from desktop_crm.views.tasks import Tasks
    from desktop_crm.views.widgets.overlays import Countdown
    from desktop_crm.views.workbench import Neighbours

SMALLEST: Final = QSize(1100, 680)
USUAL: Final = QSize(1440, 900)
NARROW: Final = 1200
_SAVE_AFTER_MS: Final = 1500
_WARM_UP_MS: Final = 700


class MainWindow(QMainWindow):
    """The one window of the program; implements :class:`~desktop_crm.views.workbench.Shell`.

    It paints its frame before any database is open; :meth:`start` brings it to life.

    Attributes:
        database_wanted: Another database shall be opened; carries its URL.
    """

    database_wanted = Signal(str)

    def __init__(self, settings: Settings, tasks: Tasks) -> None:
        super().__init__()
        self._settings = settings
        self._tasks = tasks
        self.bus = Bus(self)
        self.bench: Workbench | None = None
        self.setObjectName("window")
        self.setWindowTitle(tr("Desktop CRM"))
        self.setMinimumSize(SMALLEST)
        self.resize(USUAL)
        if settings.window_geometry:
            self.restoreGeometry(QByteArray.fromBase64(settings.window_geometry.encode()))
        self.errors = ErrorPresenter(self, lambda title, text: self.toast(title, text, bad=True))
        self.windows = RecordWindows(self)
        self.notes = Notes(self)
        self.commands = WindowCommands(self)
        self._palette: CommandPalette | None = None
        self._save_timer = QTimer(self)
        self._save_timer.setSingleShot(True)
        self._save_timer.setInterval(_SAVE_AFTER_MS)
        self._save_timer.timeout.connect(self._save_settings)
        tasks.failed.connect(self.show_error)
        tasks.first_turn.watch(self)
        self._build()
        self.commands.bind()
        self.reload_commands()

    def _build(self) -> None:
        root = QWidget()
        root.setObjectName("root")
        grid = QGridLayout(root)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        self.top_bar = TopBar()
        self.rail = Rail()
        self.ribbon = Ribbon()
        self.workspace = Workspace()
        body = QVBoxLayout()
        body.setContentsMargins(4, 0, 8, 0)
        body.setSpacing(8)
        body.addWidget(self.ribbon)
        body.addWidget(self.workspace, 1)
        grid.addWidget(self.top_bar, 0, 0, 1, 2)
        grid.addWidget(self.rail, 1, 0)
        grid.addLayout(body, 1, 1)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(1, 1)
        self.status = StatusLine()
        self.setCentralWidget(root)
        self.setStatusBar(self.status)
        self._tasks.progress.connect(self.status.show_tasks)
        self.rail.chosen.connect(self.show_module)
        self.top_bar.search_wanted.connect(self.open_palette)
        self.top_bar.create_wanted.connect(self.commands.show_creating)
        self.top_bar.theme_wanted.connect(self.commands.toggle_theme)
        self.top_bar.settings_wanted.connect(lambda: self.show_module("settings"))
        self.workspace.status_changed.connect(self.status.show_text)
        self.workspace.commands_changed.connect(self.reload_commands)

    @property
    def tasks(self) -> Tasks:
        """The threads; there before any database is open."""
        return self._tasks

    @property
    def settings(self) -> Settings:
        """The user's settings; there before any database is open."""
        return self._settings

    # --- life ------------------------------------------------------------------------------

    def start(self, actor: Actor, module: str = "home") -> None:
        """Work with a database as a user; builds the workspace."""
        if self.bench is not None:
            self.commands.forget_pane()
            self._build()
        drafts = self.windows.drafts
        self.bench = Workbench(actor, self._tasks, self.bus, self._settings, self, drafts)
        self._fill(module)
        self.windows.offer_drafts(self.bench)
        self.commands.watch.start(self.bench)
        QTimer.singleShot(_WARM_UP_MS, self, partial(clocks.start, self.bench, self))

    def _fill(self, module: str) -> None:
        if self.bench is None:
            return
        actor = self.bench.actor
        allowed = [m.key for m in MODULES if not m.entity or actor.can(m.entity, "read")]
        self.rail.show_modules(allowed)
        self.top_bar.show_user(actor.name)
        self.status.show_database(actor)
        self.workspace.start(self.bench)
        self.workspace.set_narrow(self.width() < NARROW)
        self.show_module(module if module in allowed else allowed[0])
        self.status.mailbox.start(self.bench)

    def restart_workspace(self) -> None:
        # In the next turn: whoever asks may be a button of the workspace that goes away.
        QTimer.singleShot(0, self, self._restart)

    @Slot()
    def _restart(self) -> None:
        if self.bench is None or not self.workspace.may_leave():
            return
        key = self.workspace.key
        pane = self.workspace.current()
        place = pane.place() if pane is not None else {}
        # Gone before the new dress is tried on: widgets cost much to restyle.
        self.commands.forget_pane()
        if (old := self.takeCentralWidget()) is not None:
            shiboken6.delete(old)
        i18n.use_language(self._settings.language)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, self._settings.theme, self._settings.text_size)
        self.bench.actor = self.bench.actor.speaking(i18n.language())
        self._build()
        self._fill(key or "home")
        if (pane := self.workspace.current()) is not None:
            pane.return_to(place)
        self.settings_changed()

    def open_database(self, url: str) -> None:
        if self.workspace.may_leave() and self.windows.close_all():
            self.database_wanted.emit(url)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.workspace.may_leave() or not self.windows.close_all():
            event.ignore()
            return
        self._settings.window_geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        self._save_timer.stop()
        self.commands.watch.stop()
        clocks.stop(self)
        self._write_settings()
        super().closeEvent(event)

    # --- what panes ask --------------------------------------------------------------------

    def toast(
        self, title: str, text: str = "", *, undo: bool = False, bad: bool = False,
        take_back: Callable[[], object] | None = None, countdown: Countdown | None = None,
    ) -> None:  # fmt: skip
        self.notes.show(
            title, text, undo=self.commands.undo_step if undo else take_back, is_step=undo, bad=bad,
            countdown=countdown,
        )  # fmt: skip

    def undo(self) -> None:
        self.commands.undo()

    @Slot(object)
    def show_error(self, error: Exception) -> None:
        self.errors.show(error)

    @Slot(str)
    def show_module(self, key: str) -> None:
        if self.workspace.bring_to_front(key) is None:
            return
        self.rail.select(key)
        self.reload_commands()
        pane = self.workspace.current()
        self.status.show_text(pane.status_text() if pane is not None else "")

    def show_place(self, key: str, place: Mapping[str, object]) -> None:
        self.show_module(key)
        pane = self.workspace.current()
        if pane is not None and self.workspace.key == key:
            pane.return_to(dict(place))

    def open_record(self, entity: str, record_id: int, among: Neighbours | None = None) -> None:
        if self.bench is not None:
            self.windows.open(self.bench, entity, record_id, among=among)

    def new_record(self, entity: str, **defaults: object) -> None:
        if self.bench is not None:
            self.windows.open(self.bench, entity, None, defaults)

    def settings_changed(self) -> None:
        self._save_timer.start()

    def window_widget(self) -> QWidget:
        return self

    @Slot()
    def reload_commands(self) -> None:
        pane = self.workspace.current()
        actions = pane.commands() if pane is not None else self.commands.waiting_actions()
        self.ribbon.show_actions(actions)
        self.commands.bind_pane(self.workspace, actions)

    # --- search, news, settings ------------------------------------------------------------

    @Slot(str)
    def open_palette(self, typed: str = "") -> None:
        """Open the command palette, with a first letter when one was typed."""
        if self._palette is None:
            from desktop_crm.views.palette import CommandPalette

            before = QApplication.focusWidget()
            self._palette = CommandPalette(self, self.bench, self.commands.all_actions)
            self._palette.closed.connect(self._palette_closed(before))
        self._palette.line.setText(typed)

    def _palette_closed(self, before: QWidget | None) -> Callable[[], None]:
        def closed() -> None:
            self._palette = None
            if before is not None and before.isVisible():
                before.setFocus()

        return closed

    @Slot()
    def _save_settings(self) -> None:
        self._tasks.background(self._settings.save)

    def _write_settings(self) -> None:
        try:
            self._settings.save()
        except EnvironmentProblem as error:
            self.show_error(error)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.workspace.set_narrow(self.width() < NARROW)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.setAccessibleName(tr("Desktop CRM"))
