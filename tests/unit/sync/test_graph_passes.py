"""The engine over Microsoft 365: what a pass stores, and that a second stores nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from desktop_crm.models import Activity, MailboxItem, MailMessage
from desktop_crm.sync.graph import calls
from desktop_crm.sync.graph.mailbox import GraphMailbox
from tests.graph_server import GraphServer
from tests.graph_server.faults import half, reset, short, status
from tests.graph_server.store import person
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


@pytest.mark.parametrize(
    "act",
    [reset, half, short, status(500, "x"), status(503), status(410, "syncStateNotFound")],
    ids=["reset", "half", "short", "500", "503", "410"],
)
def test_whichever_request_fails_nothing_is_lost_or_doubled(
    world: World, server: GraphServer, box: GraphMailbox, act: Callable[..., bool]
) -> None:
    weekly = {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
        "range": {"type": "numbered", "numberOfOccurrences": 3},
    }
    guests = [{**person("client@client.example"), "type": "required"}]
    server.store.put_event("series", subject="Weekly", recurrence=weekly, attendees=guests)
    server.store.put_mail("sentitems", mime("s"), "s")
    place = 0
    while True:
        server.faults.clear()
        if place:
            server.fault(".", lambda handler: False, times=place)
        server.fault(".", act)
        world.sync(port=box)
        reached = not server.faults
        server.faults.clear()
        assert world.sync(port=box).problem is None
        assert sorted(row.message_id for row in world.rows(MailMessage)) == [
            "a@x", "b@x", "c@x", "s@x",
        ]  # fmt: skip
        assert len([row for row in world.rows(Activity) if row.subject == "Weekly"]) == 1
        if not reached:
            return
        place += 1


def test_a_message_that_is_too_large_is_set_aside_alone(
    world: World, server: GraphServer, box: GraphMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "ANSWER_LIMIT", 100_000)
    server.store.put_mail("inbox", mime("large") + b"x" * 300_000, "large")
    result = world.sync(port=box)
    assert result.problem is None
    stored = {row.item_key: row.state for row in world.items}
    assert stored == {"a": "stored", "b": "stored", "c": "stored", "large": "quarantined"}
    assert world.sync(port=box).problem is None
    assert len(world.messages) == 3


# --- moved out and back between two passes ------------------------------------------------------


@pytest.mark.parametrize("told", ["nothing", "both", "in another order", "only that it left"])
def test_a_message_moved_out_and_back_between_two_passes_stays_known(
    world: World, server: GraphServer, box: GraphMailbox, told: str
) -> None:
    """With immutable ids the service may tell that it left and not that it came back."""
    assert world.sync(port=box).problem is None
    before = [(row.id, row.activity_id) for row in world.messages]
    inbox, archive = (server.store.folders[f"id-{n}"].mail for n in ("inbox", "archive"))
    message = inbox.items["a"]
    if told != "nothing":
        inbox.drop("a")
        archive.put(message)
        archive.drop("a")
        inbox.items["a"] = message
    if told == "both":
        inbox.put(message)
    elif told == "in another order":
        inbox.journal.insert(-1, ("put", "a", {}))
    assert world.sync(port=box).problem is None
    assert [(row.id, row.activity_id) for row in world.messages] == before
    assert not [row for row in world.activities if row.deleted_at is not None]
    # It is known where it lies: what is done to it there arrives.
    message["isRead"] = True
    inbox.note("a", {"isRead": True})
    assert world.sync(port=box).problem is None
    (item,) = [row for row in world.items if row.item_key == "a"]
    assert (item.is_read, item.state, item.activity_id is not None) == (True, "stored", True)
    assert [(row.id, row.activity_id) for row in world.messages] == before


def test_a_message_that_left_for_good_is_gone_and_its_record_stays(
    world: World, server: GraphServer, box: GraphMailbox
) -> None:
    assert world.sync(port=box).problem is None
    server.store.folders["id-inbox"].mail.drop("a")
    assert world.sync(port=box).problem is None
    assert len(world.messages) == 3
    assert {row.state for row in world.items if row.item_key == "a"} == {"gone"}
