"""Waiting for a mailbox: for a while, and never longer than the person does."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from desktop_crm.db.engine import Cancel

_log = logging.getLogger(__name__)

R = TypeVar("R")

_LOOK_S: Final = 0.1
"""How often a wait looks whether the work was stopped."""


def pause(seconds: float, cancel: Cancel) -> None:
    """Wait, and stop waiting at once when the work is stopped.

    Raises:
        Cancelled: the work was stopped.
    """
    ends = time.monotonic() + seconds
    wake = threading.Event()
    while (left := ends - time.monotonic()) > 0:
        cancel.check()
        wake.wait(min(left, _LOOK_S))
    cancel.check()


@dataclass(slots=True)
class Answer(Generic[R]):
    """What a call comes to that was begun on a thread of its own."""

    _work: Callable[[], R]
    _there: threading.Event = field(default_factory=threading.Event)
    _values: list[R] = field(default_factory=list)
    _error: BaseException | None = None

    def fetch(self) -> None:
        """Make the call."""
        try:
            self._values.append(self._work())
        except BaseException as error:  # raised where the answer is waited for
            self._error = error
        finally:
            self._there.set()

    def settle(self, cancel: Cancel) -> None:
        """Wait until the call is over, whatever it came to, or the work was stopped."""
        while not self._there.wait(_LOOK_S) and not cancel.is_cancelled:
            pass

    def wait(self, cancel: Cancel) -> R:
        """What the call answers.

        Raises:
            Cancelled: the work was stopped.
        """
        while not self._there.wait(_LOOK_S):
            cancel.check()
        if self._error is not None:
            raise self._error
        return self._values[0]


def begin(work: Callable[[], R]) -> Answer[R]:
    """Begin a call that only reads; several may not be under way in one mailbox."""
    answer = Answer(work)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(answer.fetch,), daemon=True).start()
    return answer


def read(work: Callable[[], R], cancel: Cancel) -> R:
    """What a call answers that only reads; it is let go of when the work is stopped.

    The caller closes the mailbox then, and what the call still brings is dropped. One that writes
    must not be called so: nobody would know whether it was done.

    Raises:
        Cancelled: the work was stopped.
    """
    cancel.check()
    return begin(work).wait(cancel)


def aside(work: Callable[[], object]) -> None:
    """Do something nobody waits for; what goes wrong with it stands in the log."""

    def attempt() -> None:
        try:
            work()
        except Exception:  # whoever ordered it is gone
            _log.info("nobody waited for this", exc_info=True)

    threading.Thread(target=attempt, daemon=True).start()
