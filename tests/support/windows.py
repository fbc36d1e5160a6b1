"""What panes and dialogs stand on in tests: a shell that only remembers, and real threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.services.context import Actor
    from desktop_crm.views.panes.record_pane import RecordPane
    from desktop_crm.views.widgets.overlays import Countdown
    from desktop_crm.views.workbench import Workbench

Kind = TypeVar("Kind")
ObjectKind = TypeVar("ObjectKind", bound=QObject)


@dataclass
class RecordingShell:
    """Remembers what a pane asked of the window."""

    window: QWidget
    toasts: list[tuple[str, str]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    opened: list[tuple[str, int]] = field(default_factory=list)
    new: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    places: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)
    take_back: Callable[[], object] | None = None
    restarts: int = 0
    undone: int = 0

    def toast(
        self,
        title: str,
        text: str = "",
        *,
        undo: bool = False,
        bad: bool = False,
        take_back: Callable[[], object] | None = None,
        countdown: Countdown | None = None,
    ) -> None:
        self.toasts.append((title, countdown.says(countdown.left) if countdown else text))
        self.take_back = take_back

    def undo(self) -> None:
        self.undone += 1

    def show_error(self, error: Exception) -> None:
        self.errors.append(error)

    def show_module(self, key: str) -> None:
        self.modules.append(key)

    def show_place(self, key: str, place: Mapping[str, object]) -> None:
        self.places.append((key, dict(place)))

    def open_record(self, entity: str, record_id: int, among: object = None) -> None:
        self.opened.append((entity, record_id))

    def new_record(self, entity: str, **defaults: object) -> None:
        self.new.append((entity, defaults))

    def reload_commands(self) -> None:
        """The commands of the pane are asked for by the test itself."""

    def restart_workspace(self) -> None:
        self.restarts += 1

    def open_database(self, url: str) -> None:
        self.databases.append(url)

    def settings_changed(self) -> None:
        """Nothing is written in a test."""

    def window_widget(self) -> QWidget:
        return self.window


def workbench(actor: Actor) -> Workbench:
    """The tools of a pane; close `tasks` at the end."""
    from desktop_crm.core.settings import Settings
    from desktop_crm.views.bus import Bus
    from desktop_crm.views.tasks import Tasks
    from desktop_crm.views.workbench import Workbench

    return Workbench(actor, Tasks(), Bus(), Settings.load(), RecordingShell(QWidget()))


def settle(qtbot: QtBot, bench: Workbench) -> None:
    """Wait until no thread works for the pane any more."""
    qtbot.waitUntil(lambda: not bench.tasks.busy, timeout=10_000)


def pane_of(bench: Workbench, qtbot: QtBot, entity: str, view: str = "") -> RecordPane:
    """The pane of an entity, shown and quiet; with a view of its tree where one is named."""
    from desktop_crm.views.panes.record_pane import RecordPane

    pane = RecordPane(bench, entity)
    qtbot.addWidget(pane)
    pane.resize(1300, 800)
    pane.show()
    pane.activate()
    settle(qtbot, bench)
    if view:
        pane.views.choose(view)
        settle(qtbot, bench)
    return pane


def expect(value: object, kind: type[Kind]) -> Kind:
    """The value, which must be there and of this kind."""
    assert isinstance(value, kind), value
    return value


def child(parent: QObject, kind: type[ObjectKind], name: str | None = None) -> ObjectKind:
    """The object below another one, by its kind and name; it must be there."""
    # An empty name is a name to Qt: it finds only what has none.
    found = parent.findChild(kind) if name is None else parent.findChild(kind, name)
    assert found is not None, name
    return found


def shell_of(bench: Workbench) -> RecordingShell:
    """What the pane asked of its window."""
    return expect(bench.shell, RecordingShell)
