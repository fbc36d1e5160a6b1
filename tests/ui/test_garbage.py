"""No part of a window is taken apart on a thread that works beside it: Qt dies of that."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from desktop_crm.views.tasks import Tasks

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Closed(QWidget):
    """A window nobody shows any more; it lies in a cycle where it knows itself."""

    itself: QWidget | None = None


class Deaths:
    """The threads on which what is watched was taken apart."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self._watched: list[weakref.ref[QObject]] = []

    def watch(self, made: QObject) -> None:
        self._watched.append(
            weakref.ref(made, lambda _: self.threads.append(threading.current_thread()))
        )


@pytest.fixture
def deaths() -> Deaths:
    return Deaths()


@pytest.fixture
def few() -> Iterator[None]:
    """Rounds are due as often as in the product, and go through whatever there is."""
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(700, 1, 1)
    yield
    gc.set_threshold(*before)


@pytest.fixture
def tasks(qtbot: QtBot, few: None) -> Iterator[Tasks]:
    made = Tasks()
    yield made
    made.close()


def test_a_closed_window_is_taken_apart_on_its_own_thread(
    tasks: Tasks, deaths: Deaths, qtbot: QtBot
) -> None:
    owner = QObject()
    made_many = threading.Event()

    def make_many() -> None:
        assert len([[number] for number in range(20_000)]) == 20_000
        made_many.set()

    window = Closed()
    window.itself = window
    deaths.watch(window)
    del window
    tasks.read(make_many, done=lambda _: None, owner=owner)
    assert made_many.wait(5)
    assert deaths.threads == []
    qtbot.waitUntil(lambda: bool(deaths.threads))
    assert deaths.threads == [threading.main_thread()]


class Held:
    """Keeps a thread from forgetting what it did until the test lets it."""

    def __init__(self, tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_end = threading.Event()
        run: Callable[..., None] = tasks._run

        def held(*work: object) -> None:
            run(*work)
            self.may_end.wait(5)

        monkeypatch.setattr(tasks, "_run", held)


@pytest.mark.parametrize("fails", [False, True])
def test_the_thread_that_did_the_work_is_not_the_last_to_know_the_view(
    tasks: Tasks, deaths: Deaths, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    held = Held(tasks, monkeypatch)
    answers: list[object] = []

    def ask() -> None:
        view = QObject()
        deaths.watch(view)

        def work(asked: QObject) -> int:
            if fails:
                raise ValueError(asked.objectName())
            return 1

        def done(answer: object) -> None:
            answers.append((type(answer), view.objectName()))

        tasks.read(work, view, done=done, failed=done, owner=view)

    ask()
    qtbot.waitUntil(lambda: bool(answers))
    qtbot.waitUntil(lambda: not tasks.busy)
    qtbot.waitUntil(lambda: bool(deaths.threads))
    held.may_end.set()
    assert deaths.threads == [threading.main_thread()]


def test_rounds_begin_by_themselves_again_when_the_threads_have_ended(qtbot: QtBot) -> None:
    first, second = Tasks(), Tasks()
    assert not gc.isenabled()
    first.close()
    first.close()
    assert not gc.isenabled()
    second.close()
    assert gc.isenabled()
