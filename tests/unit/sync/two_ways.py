"""A mailbox that goes both ways, and what tests of it ask."""

from __future__ import annotations

import datetime as dt
from typing import Any

from desktop_crm.models import Activity, Contact, MailboxItem, OutboxItem
from desktop_crm.sync.memory import CALENDAR
from desktop_crm.sync.port import (
    Folder,
)
from desktop_crm.sync.results import MailboxResult
from desktop_crm.sync.twoway.lines import Line
from tests.unit.sync.conftest import AT, World

SOON = AT + dt.timedelta(days=2)


def go(world: World, **options: Any) -> MailboxResult:
    result = world.sync(**options)
    assert result.problem is None, result.problem
    return result


def deeds(world: World) -> list[Any]:
    return world.rows(OutboxItem)


def quiet(world: World) -> None:
    """A further pass does nothing at all."""
    before = [(a.id, a.version) for a in world.activities], len(deeds(world))
    go(world)
    assert ([(a.id, a.version) for a in world.activities], len(deeds(world))) == before


def appointment(world: World, **values: Any) -> int:
    return world.save(
        "activity",
        **{
            "kind": "appointment",
            "subject": "Vizită",
            "start_at": SOON,
            "end_at": SOON + dt.timedelta(hours=1),
            "owner": world.ana,
            **values,
        },
    )


def activity(world: World, key: int) -> Any:
    return next(a for a in world.activities if a.id == key)


def held(world: World, folder: Folder = CALENDAR) -> Any:
    (item,) = world.port.held(folder).values()
    return item


def lines(world: World) -> list[Line]:
    before = [world.rows(m) for m in (Activity, Contact, MailboxItem, OutboxItem)]
    result = world.sync(dry_run=True)
    assert result.problem is None, result.problem
    assert [world.rows(m) for m in (Activity, Contact, MailboxItem, OutboxItem)] == before
    return sorted(result.lines, key=lambda line: (line.side, line.what, line.title))
