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
class _Answer(Generic[R]):
    """What a call came to."""

    work: Callable[[], R]
    there: threading.Event = field(default_factory=threading.Event)
    values: list[R] = field(default_factory=list)
    error: BaseException | None = None

    def fetch(self) -> None:
        try:
            self.values.append(self.work())
        except BaseException as error:  # raised where the answer is waited for
            self.error = error
        finally:
            self.there.set()


def read(work: Callable[[], R], cancel: Cancel) -> R:
    """What a call answers that only reads; it is let go of when the work is stopped.

    The caller closes the mailbox then, and what the call still brings is dropped. One that writes
    must not be called so: nobody would know whether it was done.

    Raises:
        Cancelled: the work was stopped.
    """
    cancel.check()
    answer = _Answer(work)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(answer.fetch,), daemon=True).start()
    while not answer.there.wait(_LOOK_S):
        cancel.check()
    if answer.error is not None:
        raise answer.error
    return answer.values[0]


def aside(work: Callable[[], object]) -> None:
    """Do something nobody waits for; what goes wrong with it stands in the log."""

    def attempt() -> None:
        try:
            work()
        except Exception:  # whoever ordered it is gone
            _log.info("nobody waited for this", exc_info=True)

    threading.Thread(target=attempt, daemon=True).start()
