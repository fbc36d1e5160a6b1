"""Work that is stopped ends within a second wherever it is, and the next pass goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from desktop_crm.core.errors import Cancelled
from desktop_crm.db.engine import Cancel
from desktop_crm.models import MailMessage
from desktop_crm.sync.memory import INBOX, MemoryMailbox
from desktop_crm.sync.patience import pause
from desktop_crm.sync.port import BATCH_LIMIT, Batch, Folder
from tests.soak.sides import Exchange, Graph
from tests.support.scripted_http import ANY, ScriptedHandler, slow, status
from tests.unit.sync.conftest import World, mail, make_world

HANGS_S = 4.0
WITHIN_S = 1.0

Servers = Exchange | Graph


@pytest.fixture(params=["exchange", "graph"])
def side(request: pytest.FixtureRequest) -> Iterator[Servers]:
    found: Servers = Exchange() if request.param == "exchange" else Graph()
    yield found
    found.close()


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    return make_world(request.getfixturevalue("sqlite_db"))


@pytest.mark.parametrize("request_number", [0, 1, 2])
def test_while_a_server_does_not_answer(world: World, side: Servers, request_number: int) -> None:
    side.mail("a")
    cancel, stopped = Cancel(), [0.0]
    reached = threading.Event()
    slow_answer = slow(HANGS_S)

    def hang(handler: ScriptedHandler) -> bool:
        reached.set()
        return slow_answer(handler)

    def stop() -> None:
        assert reached.wait(30)
        stopped[0] = time.monotonic()
        cancel.cancel()

    if request_number:
        side.server.fault(ANY, lambda handler: False, request_number)
    side.server.fault(ANY, hang)
    person = threading.Thread(target=stop)
    person.start()
    with pytest.raises(Cancelled):
        world.sync(port=side.port(quick=False), cancel=cancel)
    took = time.monotonic() - stopped[0]
    person.join()
    assert took < WITHIN_S
    side.server.faults.clear()
    assert world.sync(port=side.port(quick=False)).problem is None
    assert len(world.rows(MailMessage)) == 1


def test_while_a_busy_server_is_waited_for(world: World) -> None:
    side = Exchange()
    try:
        side.server.fault(ANY, status(503, Retry_After="25"))
        cancel, stopped = Cancel(), [0.0]

        def wait(seconds: float, token: Cancel) -> None:
            def stop() -> None:
                stopped[0] = time.monotonic()
                cancel.cancel()

            threading.Timer(0.2, stop).start()
            pause(seconds, token)

        with pytest.raises(Cancelled):
            world.sync(port=side.port(quick=False), cancel=cancel, wait=wait)
        assert stopped[0]
        assert time.monotonic() - stopped[0] < WITHIN_S
    finally:
        side.close()


class Endless(MemoryMailbox):
    """A mailbox of 200,000 messages, told in pages that are made when they are asked for."""

    COUNT = 200_000
    pages = 0

    def changes(self, folder: Folder, token: str | None, limit: int = BATCH_LIMIT) -> Batch:
        if folder.key != INBOX.key:
            return super().changes(folder, token, limit)
        self.pages += 1
        start = int(token or 0)
        page = MemoryMailbox()
        for number in range(start, start + limit):
            page.put(INBOX, mail(f"m{number}@x"), f"item-{number}")
        found = page.changes(INBOX, None, limit)
        return Batch(found.changes, str(start + limit), start + limit < self.COUNT)


def test_the_first_screen_of_a_large_mailbox_is_there_while_the_rest_is_read(
    world: World,
) -> None:
    """And it is of no use to wait for the rest: the pass can be stopped there and goes on later."""
    cancel, box = Cancel(), Endless()
    seen: list[int] = []

    def progress(folder: str, count: int) -> None:
        seen.append(len(world.rows(MailMessage)))
        if len(seen) == 5:
            cancel.cancel()

    with pytest.raises(Cancelled):
        world.sync(port=box, cancel=cancel, progress=progress)
    # A page of each folder first.
    assert seen == [BATCH_LIMIT] * 3 + [2 * BATCH_LIMIT, 3 * BATCH_LIMIT]
    assert box.pages <= 4  # one is made ready ahead
