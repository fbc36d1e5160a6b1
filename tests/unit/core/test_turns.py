"""Long work waits while the window is at work, and never for good."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from desktop_crm.core import turns
from desktop_crm.core.errors import Cancelled
from desktop_crm.db.engine import Cancel


@pytest.fixture(autouse=True)
def nothing_shown() -> Iterator[None]:
    turns.end()
    yield
    turns.end()


class Step:
    """A step of long work on a thread of its own."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self.began.wait(5)

    def _run(self) -> None:
        self.began.set()
        turns.give_way()
        self.over.set()

    def join(self) -> None:
        self._thread.join(5)


def test_work_goes_on_when_the_window_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_S", 30.0)
    turns.begin()
    step = Step()
    assert not step.over.wait(0.05)
    turns.end()
    assert step.over.wait(5)
    step.join()


def test_a_window_that_never_says_it_is_done_holds_nobody_up() -> None:
    turns.begin()
    started = monotonic()
    step = Step()
    assert step.over.wait(5)
    assert monotonic() - started >= turns.LONGEST_S * 0.9
    again = Step()
    assert again.over.wait(5)
    for one in (step, again):
        one.join()


def test_nobody_waits_for_an_idle_window_and_the_window_never_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "LONGEST_S", 30.0)
    step = Step()
    assert step.over.wait(5)
    step.join()
    turns.begin()
    started = monotonic()
    turns.give_way()
    assert monotonic() - started < 10


def test_work_that_can_be_stopped_gives_way_between_its_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(turns, "give_way", lambda: asked.append("gave way"))
    cancel = Cancel()
    cancel.check()
    assert asked == ["gave way"]
    cancel.cancel()
    with pytest.raises(Cancelled):
        cancel.check()
