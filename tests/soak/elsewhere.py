"""A mailbox that lives in this process, read and written by another one that may be killed.

What was done to it stays done when the other dies, as with a real server: before a call reaches
it, or after the call had its effect and before the answer is there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from multiprocessing.connection import Client, Connection, Listener
from typing import Any, NoReturn

from desktop_crm.sync.memory import MemoryMailbox
from desktop_crm.sync.port import BATCH_LIMIT, Batch, Folder, Step
from desktop_crm.sync.writes import Ability, BusyTime, Deed, Image, Ref, Written

KEY = b"soak"
NOTE = "note"


class Server:
    """Answers the calls on a mailbox, of several processes, one call at a time.

    Attributes:
        lock: held while a call has its effect; take it to change the mailbox from this side.
        notes: what the other process said, in order.
        before: told the number of a call before it has an effect; True when the caller is dead.
        after: the same when the effect is there and the answer is not.
    """

    def __init__(self, mailbox: MemoryMailbox) -> None:
        self.mailbox = mailbox
        self.lock = threading.RLock()
        self.notes: list[tuple[Any, ...]] = []
        self.heard = threading.Condition()
        self.before: Callable[[int], bool] = lambda number: False
        self.after: Callable[[int], bool] = lambda number: False
        self.calls = 0
        self._recent: list[tuple[Any, ...]] = []
        self._listener = Listener(("127.0.0.1", 0), authkey=KEY)
        self.address = self._listener.address
        self._closing = False
        self._callers: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._closing = True
        with contextlib.suppress(OSError, EOFError), Client(self.address, authkey=KEY):
            pass
        self._thread.join()
        self._listener.close()
        for caller in self._callers:
            caller.join()

    def wait_for(self, word: str, seconds: float) -> bool:
        """Wait until the other process has said a word since the last :meth:`restart`."""
        with self.heard:
            return self.heard.wait_for(
                lambda: any(note[0] == word for note in self._recent), seconds
            )

    def restart(self) -> None:
        """Count calls from 0 again: another process begins."""
        self.calls = 0
        self._recent = []

    def _serve(self) -> None:
        while not self._closing:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError):
                continue
            caller = threading.Thread(target=self._answer, args=(connection,))
            caller.start()
            self._callers = [one for one in self._callers if one.is_alive()]
            self._callers.append(caller)

    def _answer(self, connection: Connection) -> None:
        with connection, contextlib.suppress(OSError, EOFError):
            while self._one(connection):
                pass

    def _one(self, connection: Connection) -> bool:
        name, arguments = connection.recv()
        if name == NOTE:
            with self.heard:
                self.notes.append(arguments)
                self._recent.append(arguments)
                self.heard.notify_all()
            connection.send((True, None))
            return True
        with self.lock:
            self.calls += 1
            number = self.calls
        if self.before(number):
            return False
        with self.lock:
            try:
                found = getattr(self.mailbox, name)
                answer = (True, found(*arguments) if callable(found) else found)
            except Exception as error:  # it is raised where the call came from
                answer = (False, (type(error), error.args, error.__dict__))
        if self.after(number):
            return False
        connection.send(answer)
        return True


def die() -> NoReturn:
    """End at once, as by a power cut: nothing is unwound."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    raise AssertionError("unreachable")


class Remote:
    """The mailbox as the other process sees it."""

    def __init__(self, address: Any) -> None:
        self._connection = Client(address, authkey=KEY)
        self._asking = threading.Lock()

    def note(self, *words: Any) -> None:
        """Say something to the process the mailbox lives in."""
        self._ask(NOTE, *words)

    def folders(self) -> Sequence[Folder]:
        answer: Sequence[Folder] = self._ask("folders")
        return answer

    def changes(self, folder: Folder, token: str | None, limit: int = BATCH_LIMIT) -> Batch:
        answer: Batch = self._ask("changes", folder, token, limit)
        return answer

    def test(self) -> Sequence[Step]:
        answer: Sequence[Step] = self._ask("test")
        return answer

    def close(self) -> None:
        """The next pass uses the same connection."""

    @property
    def abilities(self) -> frozenset[Ability]:
        return frozenset(Ability)  # as everywhere, known without asking

    def all_folders(self) -> Sequence[Folder]:
        answer: Sequence[Folder] = self._ask("all_folders")
        return answer

    def find(self, deed: Deed) -> Written | None:
        answer: Written | None = self._ask("find", deed)
        return answer

    def image(self, ref: Ref) -> Image:
        answer: Image = self._ask("image", ref)
        return answer

    def do(self, deed: Deed) -> Written:
        answer: Written = self._ask("do", deed)
        return answer

    def free_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyTime, ...] | None]:
        answer: Mapping[str, tuple[BusyTime, ...] | None] = self._ask(
            "free_busy", addresses, start, end
        )
        return answer

    def _ask(self, name: str, *arguments: Any) -> Any:
        if not self._asking.acquire(blocking=False):
            raise AssertionError(f"{name} is asked while another call waits for its answer")
        try:
            self._connection.send((name, arguments))
            well, answer = self._connection.recv()
        except (EOFError, OSError):
            die()  # the other side shot at this call
        finally:
            self._asking.release()
        if well:
            return answer
        kind, told, more = answer
        error = kind.__new__(kind)
        error.args = told
        error.__dict__.update(more)
        raise error
