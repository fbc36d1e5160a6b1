"""More tabs of a record, as data; the code of each is imported when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol

from desktop_crm.core.i18n import N_
from desktop_crm.meta import registry
from desktop_crm.meta.field import Menu

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.workbench import Workbench


class TabPage(Protocol):
    """What a tab's widget can do; it is made as ``Page(entity_key, bench)``."""

    def show_record(self, record: RecordValues) -> None:
        """Show another record, or the same one after a change."""

    def concerns(self, changes: ChangeSet) -> bool:
        """Whether a change of other records makes what it shows stale."""


@dataclass(frozen=True, slots=True)
class RecordTab:
    """One tab.

    Attributes:
        key: Stable name.
        label: English name, marked for translation.
        factory: Module path and class of the page.
        applies: Whether records of an entity have it.
    """

    key: str
    label: str
    factory: str
    applies: Callable[[str], bool]

    def make(self, entity_key: str, bench: Workbench) -> QWidget:
        """Make the page, which is a :class:`TabPage`; imports its code."""
        path, _colon, name = self.factory.partition(":")
        made: Callable[[str, Workbench], QWidget] = getattr(import_module(path), name)
        return made(entity_key, bench)


def _main(entity_key: str) -> bool:
    return registry.get(entity_key).menu is Menu.MAIN


TABS: Final[tuple[RecordTab, ...]] = (
    RecordTab("files", N_("Files"), "desktop_crm.views.panes.files_page:FilesPage", _main),
    RecordTab(
        "connections",
        N_("Connections"),
        "desktop_crm.views.panes.connections_page:ConnectionsPage",
        _main,
    ),
    RecordTab(
        "hierarchy",
        N_("Hierarchy"),
        "desktop_crm.views.panes.hierarchy_page:HierarchyPage",
        lambda entity_key: entity_key == "account",
    ),
    RecordTab("history", N_("History"), "desktop_crm.views.panes.history_page:HistoryPage", _main),
)
