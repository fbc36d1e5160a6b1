"""What a test may not leave behind: threads, running timers, top-level widgets."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QWidget

GRACE_S = 2.0
QT_OWN_WINDOWS = {"QTipLabel", "QWhatsThat", "QShapedPixmapWidget"}


class LeakGuard:
    """What stood before a test, to be compared with what stands after it."""

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())
        self._widgets = {id(widget) for widget in _top_level_widgets()}

    def left_behind(self) -> list[str]:
        """What the test left, in words; widgets are closed so that one test is blamed once."""
        return [*self._threads_left(), *self._widgets_left(), *_running_timers()]

    def _threads_left(self) -> list[str]:
        left = []
        for thread in set(threading.enumerate()) - self._threads:
            # Python keeps a stand-in for each thread of Qt's pools that ever ran Python code.
            if isinstance(thread, threading._DummyThread):
                continue
            thread.join(GRACE_S)
            if thread.is_alive():
                left.append(f"thread {thread.name}")
        return left

    def _widgets_left(self) -> list[str]:
        _deliver_deferred_deletes()
        left = self._new_widgets()
        if not left:
            return []
        del left
        gc.collect()
        _deliver_deferred_deletes()
        left = self._new_widgets()
        described = [
            f"top-level {type(widget).__name__} {widget.objectName()!r}" for widget in left
        ]
        for widget in left:
            widget.close()
            widget.deleteLater()
        _deliver_deferred_deletes()
        return described

    def _new_widgets(self) -> list[QWidget]:
        return [
            widget
            for widget in _top_level_widgets()
            if id(widget) not in self._widgets
            and widget.parent() is None
            and widget.metaObject().className() not in QT_OWN_WINDOWS
        ]


@contextmanager
def watched_timers() -> Iterator[None]:
    """Remember every timer started, so that one still running can be named."""
    from PySide6.QtCore import QTimer

    start = QTimer.start

    def remembered(timer: QTimer, *arguments: object) -> None:
        _started.append(weakref.ref(timer))
        start(timer, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QTimer, "start", remembered)
        try:
            yield
        finally:
            _started.clear()


_started: list[weakref.ref[QTimer]] = []


def _running_timers() -> list[str]:
    if not _started:
        return []
    from shiboken6 import isValid

    timers = [timer for reference in _started if (timer := reference()) is not None]
    left = {id(timer): timer for timer in timers if isValid(timer) and timer.isActive()}
    described = [f"timer {timer.objectName()!r} of {timer.parent()!r}" for timer in left.values()]
    for timer in left.values():
        timer.stop()
    return described


def _top_level_widgets() -> list[QWidget]:
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return []
    found: list[QWidget] = widgets.QApplication.topLevelWidgets()
    return found


def _deliver_deferred_deletes() -> None:
    core = sys.modules.get("PySide6.QtCore")
    if core is not None and core.QCoreApplication.instance() is not None:
        core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete)
