"""What a person changed of a view's layout is kept where it belongs."""

from __future__ import annotations

from typing import Any, cast

from desktop_crm.services.list_layout import Density, ListLayout
from desktop_crm.services.list_view import ListView
from desktop_crm.services.query import Order
from desktop_crm.views.lists.arrangement import Arrangement
from desktop_crm.views.workbench import Workbench


class Memory:
    """The part of a workbench that remembers."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}

    def recall(self, key: str) -> dict[str, Any]:
        return self.kept.get(key, {})

    def remember(self, key: str, value: dict[str, Any]) -> None:
        self.kept[key] = value


LATEST = ListView("recent", "Recent", layout=ListLayout(order=(Order("modified_at", True),)))
EVERY = ListView("all", "All")


def arrangement(memory: Memory, view: ListView) -> Arrangement:
    made = Arrangement(cast(Workbench, memory), "contact")
    made.show(view)
    return made


def test_views_share_what_none_of_them_says() -> None:
    memory = Memory()
    arrangement(memory, EVERY).change(columns=["name", "city"], order=["city"])
    recent = arrangement(memory, LATEST)
    assert recent.layout.columns == ("name", "city")
    assert recent.layout.order == LATEST.layout.order
    recent.change(order=["name"], density="compact")
    assert arrangement(memory, LATEST).layout.order == (Order("name"),)
    every = arrangement(memory, EVERY)
    assert every.layout.order == (Order("city"),)
    assert every.layout.density is Density.COMPACT


def test_what_is_kept_may_be_damaged() -> None:
    memory = Memory()
    memory.remember("list.contact", {"density": "huge", "order": 7})
    assert arrangement(memory, EVERY).layout == EVERY.layout


def test_changes_are_forgotten() -> None:
    memory = Memory()
    made = arrangement(memory, LATEST)
    made.change(order=["name"], widths={"name": 90})
    made.forget()
    assert made.layout == LATEST.layout
    assert not made.is_changed
