"""The engine over Microsoft 365: what a pass stores, and that a second stores nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from desktop_crm.models import MailboxItem
from desktop_crm.sync.graph import GraphMailbox
from tests.graph_server import GraphServer
from tests.graph_server.server import status
from tests.unit.sync.conftest import World
from tests.unit.sync.test_graph import Tokens, mime


@pytest.fixture
def server() -> Iterator[GraphServer]:
    server = GraphServer()
    for key in ("a", "b", "c"):
        server.store.put_mail("inbox", mime(key), key)
    yield server
    server.close()


@pytest.fixture
def box(server: GraphServer) -> Iterator[GraphMailbox]:
    box = GraphMailbox(server.store.address, tokens=Tokens(), service=server.url)
    yield box
    box.close()


def read_marks(world: World) -> dict[str, bool]:
    return {row.item_key: row.is_read for row in world.rows(MailboxItem)}


def test_a_flag_says_nothing_about_having_been_read(
    world: World, server: GraphServer, box: GraphMailbox
) -> None:
    inbox = server.store.folders["id-inbox"].mail
    inbox.items["a"]["isRead"] = True
    assert world.sync(port=box).problem is None
    assert read_marks(world) == {"a": True, "b": False, "c": False}
    inbox.note("a", {"flag": {"flagStatus": "flagged"}})
    inbox.note("b", {"isRead": True})
    assert world.sync(port=box).problem is None
    assert read_marks(world) == {"a": True, "b": True, "c": False}


def test_a_position_that_was_forgotten_doubles_nothing(
    world: World, server: GraphServer, box: GraphMailbox
) -> None:
    server.store.put_event("meeting")
    assert world.sync(port=box).problem is None
    before = len(world.messages)
    server.generation += 1
    server.store.put_mail("inbox", mime("d"), "d")
    result = world.sync(port=box)
    assert result.problem is None
    assert all(f.resynced for f in result.folders)
    assert len(world.messages) == before + 1


def test_throttling_is_waited_for_as_long_as_was_asked(
    world: World, server: GraphServer, box: GraphMailbox
) -> None:
    waited: list[float] = []
    server.fault("delta", status(429, "TooManyRequests", Retry_After="7"))
    result = world.sync(port=box, wait=lambda seconds, cancel: waited.append(seconds))
    assert (result.problem, waited) == (None, [7.0])
    assert len(world.messages) == 3
