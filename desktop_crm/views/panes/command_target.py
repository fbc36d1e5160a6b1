"""What the commands of a list work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.lists.list_panel import ListPanel


@dataclass(frozen=True, slots=True)
class Target:
    """What the commands of a pane work on.

    Attributes:
        owner: The pane; answers are dropped when it is gone.
        record: The record shown, None while there is none.
        selected: Keys of all selected records, of the selected card on a board.
        count: How many they are, without the cost of their keys.
        list: The list they are selected in.
    """

    owner: QObject
    record: Callable[[], RecordValues | None]
    selected: Callable[[], list[int]]
    count: Callable[[], int]
    list: ListPanel
