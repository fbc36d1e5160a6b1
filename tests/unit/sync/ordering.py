"""Deeds in the journal of a test's mailbox, and a mailbox that fails on demand."""

from __future__ import annotations

import datetime as dt
from typing import Any

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services.mail import outbox
from desktop_crm.services.mail.outbox import OutboxRow
from desktop_crm.sync.outbox import order
from desktop_crm.sync.port import Folder, Item
from desktop_crm.sync.writes import (
    Deed,
    Ref,
)
from tests.unit.sync.conftest import AT, World

LATER = AT + dt.timedelta(hours=2)


def put(world: World, folder: Folder, item: Item) -> Ref:
    return world.port.image(Ref(folder.key, world.port.put(folder, item))).ref


def ordered(world: World, deed: Deed, **options: Any) -> int:
    return order(world.actor, world.mailbox, deed, **options)


def row(world: World, key: int) -> OutboxRow:
    return outbox.get(world.actor, key)


def state(world: World, key: int) -> OutboxState:
    return row(world, key).state


def faulty(world: World, *answers: Exception | None, call: str = "do") -> None:
    """Let the next calls of that name fail one after the other."""
    left = list(answers)

    def fault(name: str) -> None:
        if name == call and left and (error := left.pop(0)) is not None:
            raise error

    world.port._fault = fault


def busy(**params: object) -> EnvironmentProblem:
    return EnvironmentProblem("The server is busy.", retryable=True, **params)
