"""Work on threads: answers on the UI thread, late ones dropped, errors told once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtCore import QObject

from desktop_crm.core.errors import Cancelled, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.views.tasks import Tasks

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[Tasks]:
    made = Tasks()
    yield made
    made.close()


@pytest.fixture
def owner() -> QObject:
    return QObject()


def quiet(qtbot: QtBot, tasks: Tasks) -> None:
    qtbot.waitUntil(lambda: not tasks.busy)


def test_the_work_runs_elsewhere_and_the_answer_comes_here(
    tasks: Tasks, owner: QObject, qtbot: QtBot
) -> None:
    seen: dict[str, threading.Thread] = {}

    def work(number: int) -> int:
        seen["work"] = threading.current_thread()
        return number + 1

    def done(number: int) -> None:
        seen["done"] = threading.current_thread()
        assert number == 42

    tasks.read(work, 41, done=done, owner=owner)
    quiet(qtbot, tasks)
    assert seen["done"] is threading.main_thread()
    assert seen["work"] is not threading.main_thread()


def test_in_a_lane_only_the_latest_answer_counts(
    tasks: Tasks, owner: QObject, qtbot: QtBot
) -> None:
    gate = threading.Event()
    answers: list[str] = []
    tasks.read(lambda: (gate.wait(5), "old")[1], done=answers.append, owner=owner, lane="find")
    tasks.read(lambda: "new", done=answers.append, owner=owner, lane="find")
    gate.set()
    quiet(qtbot, tasks)
    assert answers == ["new"]


def test_lanes_of_different_owners_do_not_meet(tasks: Tasks, owner: QObject, qtbot: QtBot) -> None:
    other = QObject()
    answers: list[str] = []
    tasks.read(lambda: "one", done=answers.append, owner=owner, lane="find")
    tasks.read(lambda: "two", done=answers.append, owner=other, lane="find")
    quiet(qtbot, tasks)
    assert sorted(answers) == ["one", "two"]


def test_an_owner_that_is_gone_hears_nothing(tasks: Tasks, qtbot: QtBot) -> None:
    gate = threading.Event()
    answers: list[int] = []
    owner = QObject()
    tasks.read(lambda: gate.wait(5), done=lambda _a: answers.append(1), owner=owner)
    shiboken6.delete(owner)
    gate.set()
    quiet(qtbot, tasks)
    assert answers == []


def test_a_write_happens_though_its_owner_is_gone(tasks: Tasks, qtbot: QtBot) -> None:
    gate = threading.Event()
    written: list[int] = []
    owner = QObject()

    def write() -> None:
        gate.wait(5)
        written.append(1)

    tasks.write(write, owner=owner)
    shiboken6.delete(owner)
    gate.set()
    quiet(qtbot, tasks)
    assert written == [1]


def test_writes_run_one_at_a_time_in_order(tasks: Tasks, qtbot: QtBot) -> None:
    order: list[int] = []
    for number in range(20):
        tasks.write(order.append, number)
    quiet(qtbot, tasks)
    assert order == list(range(20))


def fail(error: Exception) -> Any:
    raise error


def test_an_error_goes_to_who_asked(tasks: Tasks, owner: QObject, qtbot: QtBot) -> None:
    told: list[Exception] = []
    everybody: list[object] = []
    tasks.failed.connect(everybody.append)
    error = UserError(N_("No."))
    tasks.read(fail, error, done=print, failed=told.append, owner=owner)
    quiet(qtbot, tasks)
    assert told == [error]
    assert everybody == []


def test_an_error_nobody_takes_is_told_to_the_window_once(
    tasks: Tasks, owner: QObject, qtbot: QtBot
) -> None:
    everybody: list[object] = []
    tasks.failed.connect(everybody.append)
    error = ValueError("broken")
    tasks.read(fail, error, done=print, owner=owner)
    quiet(qtbot, tasks)
    assert everybody == [error]


def test_stopping_tells_the_token_and_is_no_error(
    tasks: Tasks, owner: QObject, qtbot: QtBot
) -> None:
    everybody: list[object] = []
    tasks.failed.connect(everybody.append)
    started = threading.Event()

    def work(cancel: Any) -> None:
        started.set()
        while not cancel.is_cancelled:
            pass
        raise Cancelled

    task = tasks.background(work, owner=owner, cancellable=True)
    assert started.wait(5)
    task.cancel()
    quiet(qtbot, tasks)
    assert everybody == []


def test_slow_work_is_shown_and_goes_away(tasks: Tasks, owner: QObject, qtbot: QtBot) -> None:
    gate = threading.Event()
    with qtbot.waitSignal(tasks.progress) as shown:
        tasks.background(lambda: gate.wait(10), owner=owner, label="Importing")
    assert [task.label for task in shown.args[0]] == ["Importing"]
    with qtbot.waitSignal(tasks.progress) as hidden:
        gate.set()
    assert hidden.args[0] == ()


def test_progress_steps_reach_the_task(tasks: Tasks, owner: QObject, qtbot: QtBot) -> None:
    def work(progress: Any) -> None:
        progress(3, 10)

    task = tasks.background(work, owner=owner, progressing=True)
    quiet(qtbot, tasks)
    qtbot.waitUntil(lambda: task.progress == (3, 10))


def test_closing_waits_for_the_writer_and_delivers_nothing(qtbot: QtBot) -> None:
    tasks = Tasks()
    written: list[int] = []
    told: list[object] = []
    tasks.write(written.append, 1, done=told.append)
    tasks.close()
    assert written == [1]
    assert told == []


def test_work_tells_on_its_way_until_nobody_wants_to_hear(
    tasks: Tasks, owner: QObject, qtbot: QtBot
) -> None:
    told: list[tuple[int, bool]] = []
    here, go_on = threading.current_thread(), threading.Event()

    def work(tell: Any) -> str:
        tell(1)
        assert go_on.wait(10)
        tell(2)
        return "end"

    def hear(value: int) -> None:
        told.append((value, threading.current_thread() is here))

    task = tasks.background(work, owner=owner, telling=hear)
    qtbot.waitUntil(lambda: bool(told))
    task.cancel()
    go_on.set()
    quiet(qtbot, tasks)
    assert told == [(1, True)]
