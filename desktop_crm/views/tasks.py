"""Work off the UI thread: readers in a pool, one writer, answers delivered on the UI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import Any, Final, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from desktop_crm.core import garbage
from desktop_crm.core.errors import Cancelled
from desktop_crm.views.first_turn import FirstTurn

log = logging.getLogger(__name__)

T = TypeVar("T")

READERS: Final = 3
PROGRESS_AFTER_MS: Final = 400
LATER_MS: Final = 100
"""Work that nobody waits for lets what is on the screen be painted first."""
_ROUND_MS: Final = 200
"""So often it is asked whether a round of the garbage collector is due."""


class Task:
    """One piece of work that was handed over.

    Attributes:
        label: What the person sees while it lasts; empty: counted but never shown by name.
        cancellable: Whether stopping it has an effect.
        progress: Steps done and steps in all; (0, 0) while unknown.
    """

    __slots__ = (
        "_cancel",
        "cancellable",
        "cancelled",
        "done",
        "error",
        "failed",
        "label",
        "lane",
        "owner",
        "progress",
        "result",
        "started",
        "told",
        "work",
    )

    def __init__(
        self,
        *,
        done: Callable[[Any], None] | None,
        failed: Callable[[Exception], None] | None,
        owner: QObject | None,
        label: str,
        cancellable: bool = False,
        lane: str = "",
    ) -> None:
        self.done = done
        self.failed = failed
        self.owner = owner
        self.lane = (id(owner), lane) if lane else None
        self.label = label
        self.cancellable = cancellable
        self.cancelled = False
        self.progress = (0, 0)
        self.started = monotonic()
        self.told: Callable[[Any], None] | None = None
        self.work: tuple[Any, ...] = ()
        self.result: Any = None
        self.error: Exception | None = None
        self._cancel: Callable[[], None] | None = None

    def cancel_by(self, cancel: Callable[[], None]) -> None:
        """Say how the work is interrupted."""
        self._cancel = cancel

    def cancel(self) -> None:
        """Stop the work if it can be stopped; its answer is dropped in any case."""
        self.cancelled = True
        if self._cancel is not None:
            self._cancel()

    def stop(self) -> None:
        """Ask the work to end early; what it answers then still counts."""
        if self._cancel is not None:
            self._cancel()

    def do(self) -> None:
        """Do the work; called on a thread, which knows nothing but the task afterwards."""
        if self.cancelled and self.lane is not None:
            self.error = Cancelled()
            return
        function, args, extra = self.work
        try:
            self.result = function(*args, **extra)
        except Exception as error:  # whatever it is, it is shown on the UI thread
            self.error = error

    def forget(self) -> None:
        """Drop what the work and its answer were for; called on the UI thread.

        The thread that did the work may be the last to know the task: a view that closed meanwhile
        would be taken apart there, which Qt does not allow (docs/adr/0023).
        """
        self.done = self.failed = self.told = self.owner = None
        self.work = ()
        self.result = self.error = None


class Tasks(QObject):
    """Runs plain functions on threads and delivers results on the UI thread.

    It lives as long as the application: results travel by a signal that it owns, so a view that
    was closed meanwhile costs nothing and hears nothing. As long as its threads run, the garbage
    collector's rounds happen on the UI thread alone.

    Attributes:
        first_turn: Taken for each answer: the window shows it before other work goes on.
        failed: An exception that nobody else took; shown once by the window.
        progress: Tuple of the tasks that last longer than 400 ms; empty when none is left.
        settled: Nothing is running any more.
    """

    failed = Signal(object)
    progress = Signal(object)
    settled = Signal()
    _answered = Signal(object)
    _stepped = Signal(object)
    _told = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.first_turn = FirstTurn(self)
        self._readers = ThreadPoolExecutor(READERS, "reader")
        self._writer = ThreadPoolExecutor(1, "writer")
        self._background = ThreadPoolExecutor(1, "background")
        self._running: list[Task] = []
        self._lanes: dict[tuple[int, str], Task] = {}
        self._shown = False
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setInterval(PROGRESS_AFTER_MS)
        self._timer.timeout.connect(self._tell_progress)
        self._rounds = QTimer(self)
        self._rounds.setInterval(_ROUND_MS)
        self._rounds.timeout.connect(garbage.round_if_due)
        self._rounds.start()
        garbage.hold()
        self._answered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._stepped.connect(self._step, Qt.ConnectionType.QueuedConnection)
        self._told.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether anything is running or waiting to be delivered."""
        return bool(self._running)

    def is_running(self, task: Task) -> bool:
        """Whether a piece of work is running or waits to be delivered."""
        return task in self._running

    def read(
        self,
        function: Callable[..., T],
        *args: object,
        done: Callable[[T], None],
        owner: QObject,
        failed: Callable[[Exception], None] | None = None,
        lane: str = "",
        label: str = "",
        cancellable: bool = False,
        later: bool = False,
    ) -> Task:
        """Run a function that only reads, on a thread of the reader pool.

        Args:
            function: A plain function; it must not touch widgets.
            args: Its arguments: plain values.
            done: Called on the UI thread with the result.
            owner: The view that asks; when it is gone, the answer is dropped.
            failed: Called on the UI thread with the error; without it the window shows it.
            lane: Name of a question of this owner of which only the latest answer counts: an
                earlier one is cancelled and its late answer dropped.
            label: Shown beside the progress bar after 400 ms.
            cancellable: Pass ``cancel=`` (a ``db.engine.Cancel``) so that it can be interrupted.
            later: Nobody waits for it: begin a moment later, behind what is being painted.
        """
        task = Task(
            done=done,
            failed=failed,
            owner=owner,
            label=label,
            cancellable=cancellable,
            lane=lane,
        )
        return self._start(self._readers, task, function, args, later=later)

    def write(
        self,
        function: Callable[..., T],
        *args: object,
        done: Callable[[T], None] | None = None,
        owner: QObject | None = None,
        failed: Callable[[Exception], None] | None = None,
        label: str = "",
    ) -> Task:
        """Run a function that changes data; one at a time, in the order of the calls.

        The arguments are those of :meth:`read`. A write is never dropped: when its owner is gone
        it still happens, only nobody is told.
        """
        task = Task(done=done, failed=failed, owner=owner, label=label)
        return self._start(self._writer, task, function, args)

    def background(
        self,
        function: Callable[..., T],
        *args: object,
        done: Callable[[T], None] | None = None,
        owner: QObject | None = None,
        failed: Callable[[Exception], None] | None = None,
        label: str = "",
        cancellable: bool = False,
        progressing: bool = False,
        telling: Callable[[Any], None] | None = None,
    ) -> Task:
        """Run something long (import, export, a mailbox) on the one background thread.

        Args:
            function: A plain function.
            args: Its arguments.
            done: Called on the UI thread with the result.
            owner: The view that asks.
            failed: Called on the UI thread with the error.
            label: Shown beside the progress bar.
            cancellable: Pass ``cancel=``.
            progressing: Pass ``progress=``, a function of (done, total) that shows the steps.
            telling: Called on the UI thread with what the work hands to ``tell=`` on its way.
        """
        task = Task(done=done, failed=failed, owner=owner, label=label, cancellable=cancellable)
        task.told = telling
        return self._start(self._background, task, function, args, progressing=progressing)

    def drop(self, owner: QObject, lane: str) -> None:
        """Forget a question of :meth:`read`: cancel it and drop its answer."""
        task = self._lanes.pop((id(owner), lane), None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Stop what can be stopped and wait for the rest; nothing is delivered afterwards."""
        if self._closed:
            return
        self._closed = True
        self._timer.stop()
        self._rounds.stop()
        self.first_turn.end()
        for task in self._running:
            task.cancel()
        for pool in (self._readers, self._background, self._writer):
            pool.shutdown(wait=True, cancel_futures=pool is not self._writer)
        garbage.let_go()
        for task in self._running:
            task.forget()
        self._running.clear()
        self._lanes.clear()

    def _start(
        self,
        pool: ThreadPoolExecutor,
        task: Task,
        function: Callable[..., object],
        args: tuple[object, ...],
        *,
        progressing: bool = False,
        later: bool = False,
    ) -> Task:
        if self._closed:
            task.cancelled = True
            return task
        extra: dict[str, object] = {}
        if task.cancellable:
            from desktop_crm.db.engine import Cancel

            token = Cancel()
            extra["cancel"] = token
            task.cancel_by(token.cancel)
        if progressing:
            extra["progress"] = lambda done, total: self._stepped.emit((task, done, total))
        if task.told is not None:
            extra["tell"] = lambda value: self._told.emit((task, value))
        if task.lane is not None:
            if (earlier := self._lanes.get(task.lane)) is not None:
                earlier.cancel()
            self._lanes[task.lane] = task
        self._running.append(task)
        if not self._timer.isActive():
            self._timer.start()
        task.work = (function, args, extra)
        submit = partial(self._submit, pool, task)
        if later:
            QTimer.singleShot(LATER_MS, self, submit)
        else:
            submit()
        return task

    def _submit(self, pool: ThreadPoolExecutor, task: Task) -> None:
        if not self._closed:
            pool.submit(self._run, task)

    def _run(self, task: Task) -> None:
        task.do()
        try:
            self._answered.emit(task)
        except RuntimeError:
            log.debug("An answer came after the end of the program")

    @Slot(object)
    def _deliver(self, task: Task) -> None:
        self.first_turn.take()
        if task in self._running:
            self._running.remove(task)
        if task.lane is not None and self._lanes.get(task.lane) is task:
            del self._lanes[task.lane]
        if self._closed:
            task.forget()
            return
        try:
            self._hand_over(task)
        finally:
            task.forget()
            self._maybe_settled()

    def _hand_over(self, task: Task) -> None:
        result, error = task.result, task.error
        gone = task.owner is not None and not shiboken6.isValid(task.owner)
        if error is None:
            if task.done is not None and not gone and not task.cancelled:
                task.done(result)
            return
        stopped = isinstance(error, Cancelled)
        if task.failed is not None and not gone and not (task.cancelled and task.lane is not None):
            task.failed(error)
        elif not stopped and not task.cancelled:
            self.failed.emit(error)

    def _maybe_settled(self) -> None:
        if self._running:
            return
        self._timer.stop()
        if self._shown:
            self._shown = False
            self.progress.emit(())
        self.settled.emit()

    @Slot(object)
    def _step(self, step: tuple[Task, int, int]) -> None:
        task, done, total = step
        task.progress = (done, total)

    @Slot(object)
    def _pass_on(self, told: tuple[Task, object]) -> None:
        self.first_turn.take()
        task, value = told
        gone = task.owner is not None and not shiboken6.isValid(task.owner)
        if task.told is not None and not (gone or task.cancelled or self._closed):
            task.told(value)

    @Slot()
    def _tell_progress(self) -> None:
        edge = monotonic() - PROGRESS_AFTER_MS / 1000
        slow = tuple(task for task in self._running if task.started <= edge and task.label)
        if slow or self._shown:
            self._shown = bool(slow)
            self.progress.emit(slow)
