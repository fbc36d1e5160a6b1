"""What every pane is given: who acts, threads, news, settings and the window around it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_crm.core.formats import Formats
    from desktop_crm.core.settings import Settings
    from desktop_crm.services.context import Actor
    from desktop_crm.views.bus import Bus
    from desktop_crm.views.forms.draft_keeper import DraftKeeper
    from desktop_crm.views.tasks import Tasks
    from desktop_crm.views.widgets.overlays import Countdown


class Neighbours(Protocol):
    """Records in an order, as a list shows them; asked on the UI thread, without the database."""

    def id_at(self, row: int) -> int | None:
        """Key of the record in a row, None beyond the ends."""

    def row_of(self, record_id: int) -> int:
        """Row of a record, -1 when it is not among them."""

    def rowCount(self) -> int:
        """So many records are known."""

    @property
    def is_exact(self) -> bool:
        """Whether there are no more than that."""

    @property
    def counted(self) -> Any:  # noqa: ANN401  a signal
        """Signal that tells when the number of records is another."""


class Shell(Protocol):
    """What a pane may ask of the window around it."""

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
        """Show a note that goes away by itself; with ``undo`` it offers to take it back.

        ``take_back`` does so for what is no step of the audit trail; with ``countdown`` the note
        says how long, and stays so long.
        """

    def undo(self) -> None:
        """Take back the user's last step, and say so."""

    def show_error(self, error: Exception) -> None:
        """Show an error in the way its kind asks for."""

    def show_module(self, key: str) -> None:
        """Bring a module of the rail to the front, e.g. ``home`` or ``contact``."""

    def show_place(self, key: str, place: Mapping[str, object]) -> None:
        """Bring a module to the front at a place: a view, words of its filter, a page."""

    def open_record(self, entity: str, record_id: int, among: Neighbours | None = None) -> None:
        """Open the form of a record; ``among`` is the list that next and previous walk through."""

    def new_record(self, entity: str, **defaults: object) -> None:
        """Open an empty form; ``defaults`` are field values (a link takes the target's id)."""

    def reload_commands(self) -> None:
        """Ask the pane in front again which commands it offers and which are enabled."""

    def restart_workspace(self) -> None:
        """Build the workspace again after language, theme or text size changed."""

    def open_database(self, url: str) -> None:
        """Close the database in use and open another one in the same window."""

    def settings_changed(self) -> None:
        """Write the settings soon, off the UI thread."""

    def window_widget(self) -> QWidget:
        """The window, as parent of dialogs."""


@dataclass(slots=True)
class Workbench:
    """The tools of every pane and dialog; without ``drafts`` forms keep nothing."""

    actor: Actor
    tasks: Tasks
    bus: Bus
    settings: Settings
    shell: Shell
    drafts: DraftKeeper | None = None

    @property
    def formats(self) -> Formats:
        """How this user reads and writes values, in the language of the interface."""
        return self.actor.formats

    def recall(self, key: str) -> dict[str, Any]:
        """What :meth:`remember` kept under a name on this machine; empty when nothing."""
        try:
            found = json.loads(self.settings.layout.get(key, "{}"))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def remember(self, key: str, value: Mapping[str, object]) -> None:
        """Keep how the person arranged something: columns, widths, splitters."""
        text = json.dumps(value)
        if self.settings.layout.get(key) != text:
            self.settings.layout[key] = text
            self.shell.settings_changed()
