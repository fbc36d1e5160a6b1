"""The other side of a mailbox under faults: in memory, or a scripted server over HTTP."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.sync.exchange.mailbox import ExchangeMailbox
from desktop_crm.sync.graph.mailbox import GraphMailbox
from desktop_crm.sync.memory import MemoryMailbox
from desktop_crm.sync.writes import Deed, Ref, WritableMailbox
from tests.contract.test_exchange_writes import BOXES, ExchangeDriver
from tests.contract.test_graph_writes import GraphDriver, OneToken
from tests.contract.test_memory_writes import MemoryDriver
from tests.contract.writing_driver import WritingDriver
from tests.ews_server import EwsServer
from tests.ews_server import faults as ews
from tests.graph_server import GraphServer
from tests.graph_server import faults as graph
from tests.support.scripted_http import ANY, Act, ScriptedHandler

FAULTS = ("timeout", "reset", "401", "429", "500", "503", "half", "lost")
ASKED_S = 3
"""Seconds a busy server asks for."""

QUICK_S = 0.5
SLOW_S = 0.8


class Side(ABC):
    """A mailbox that fails as it is told.

    Attributes:
        guests: whether a meeting with guests can be written without telling them.
        struck: how often which fault was met.
        requests: how many requests were made since :meth:`aim`.
    """

    guests: ClassVar[bool] = True
    driver: WritingDriver

    def __init__(self) -> None:
        self.struck: Counter[str] = Counter()

    @property
    @abstractmethod
    def requests(self) -> int:
        """Requests so far."""

    @abstractmethod
    def port(self, *, quick: bool) -> WritableMailbox:
        """The adapter; a quick one waits for no slow answer."""

    @abstractmethod
    def aim(self, faults: Sequence[str | None]) -> None:
        """Meet the next requests with these faults; None lets one pass. Nothing clears them."""

    @abstractmethod
    def settle(self) -> None:
        """Do what was asked before and not done yet, as a server does while time passes."""

    @abstractmethod
    def forget_tokens(self) -> None:
        """Make every token handed out so far invalid."""

    def mail(self, key: str) -> None:
        """A message arrives in the inbox."""
        self.driver.mail(key)

    def edit(self, ref: Ref) -> None:
        """Somebody changes the subject of an item."""
        self.driver.edit(ref)

    def remove(self, ref: Ref) -> None:
        """Somebody deletes an item."""
        self.driver.remove(ref)

    def delivered(self) -> int:
        """How many messages left."""
        return len(self.driver.delivered())

    def told(self) -> int:
        """How many people were told of a meeting."""
        return self.driver.told()

    def decide(self, message_id: str) -> None:
        """A person finds out what became of a message of which the program says nobody knows."""
        raise AssertionError(f"nobody knows what became of {message_id}")

    def copies(self) -> Counter[str] | None:
        """Subjects of the drafts and of the sent mail; None where that is looked at elsewhere."""
        return None

    @abstractmethod
    def items(self) -> Counter[str]:
        """Subjects of the meetings and tasks it holds."""

    @abstractmethod
    def close(self) -> None:
        """End the server, if there is one."""


class Memory(Side):
    """The mailbox in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.driver = MemoryDriver()
        self.queue: list[str | None] = []
        self.box: MemoryMailbox = self.driver.memory
        self.box.keeps_keys = False  # the others keep them
        self.box._fault, self.box._after = self._strike, self._lose

    def _strike(self, call: str) -> None:
        name = self.queue.pop(0) if self.queue else None
        if name == "lost" and call == "do":
            self.queue.insert(0, name)  # met when it is done
        elif name is not None:
            self._fail(name)

    def _lose(self, _deed: Deed) -> None:
        if self.queue and self.queue[0] == "lost":
            self._fail(self.queue.pop(0) or "")

    def _fail(self, name: str) -> None:
        self.struck[name] += 1
        if name == "401":
            raise UserError("Refused.", field="password")
        asked = {"retry_after": float(ASKED_S)} if name in ("429", "503") else {}
        raise EnvironmentProblem(f"Fault {name}.", retryable=True, **asked)

    @property
    def requests(self) -> int:
        return self.box.calls

    def port(self, *, quick: bool) -> WritableMailbox:
        return self.box

    def aim(self, faults: Sequence[str | None]) -> None:
        self.queue = list(faults)

    def settle(self) -> None:
        """Everything is done at once here."""

    def forget_tokens(self) -> None:
        self.box.forget_tokens()

    def items(self) -> Counter[str]:
        folders = [f for f in self.box.all_folders() if f.key in ("Calendar", "Tasks")]
        held = (item for folder in folders for item in self.box.held(folder).values())
        return Counter(getattr(item, "subject", "") for item in held)

    def close(self) -> None:
        """It is gone with the object."""


class Scripted(Side):
    """A server that answers by script.

    Attributes:
        server: the server.
        twice: faults that a client meets by trying once more, silently.
    """

    ACTS: ClassVar[dict[str, Act]]
    server: EwsServer | GraphServer
    twice: ClassVar[frozenset[str]] = frozenset()

    def aim(self, faults: Sequence[str | None]) -> None:
        self.server.faults.clear()
        for name in faults:
            times = 2 if name in self.twice else 1
            self.server.fault(ANY, _counted(self.struck, name, self.ACTS), times)

    def settle(self) -> None:
        self.server.settle()

    def forget_tokens(self) -> None:
        self.server.generation += 1

    def close(self) -> None:
        self.server.close()


class Exchange(Scripted):
    """The scripted EWS server."""

    server: EwsServer

    ACTS: ClassVar[dict[str, Act]] = {
        "timeout": ews.slow(SLOW_S),
        "reset": ews.reset,
        "401": ews.status(401),
        "429": ews.status(429, Retry_After=str(ASKED_S)),
        "500": ews.soap_fault("ErrorServerBusy", back_off_ms=ASKED_S * 1000),
        "503": ews.status(503, Retry_After=str(ASKED_S)),
        "half": ews.half,
        "lost": ews.lost,
    }

    def __init__(self) -> None:
        super().__init__()
        self.driver = ExchangeDriver()
        self.driver.port.close()
        self.server = self.driver.server

    @property
    def requests(self) -> int:
        return len(self.server.requests)

    def port(self, *, quick: bool) -> WritableMailbox:
        return ExchangeMailbox(
            self.server.url,
            "ana@firma.example",
            login=self.server.login,
            password=self.server.password,
            timeout_s=QUICK_S if quick else 60.0,
        )

    def remove(self, ref: Ref) -> None:
        if ref.item_id in self.server.boxes[BOXES[ref.folder]].items:
            self.driver.remove(ref)

    def items(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for box in ("calendar", "tasks"):
            for xml in self.server.boxes[box].items.values():
                found[xml.partition("Subject>")[2].partition("<")[0]] += 1
        return found


class Graph(Scripted):
    """The scripted server of Microsoft Graph."""

    server: GraphServer

    guests = False
    twice = frozenset({"401"})
    """A token the service no longer takes is renewed once: twice is a refusal."""
    ACTS: ClassVar[dict[str, Act]] = {
        "timeout": graph.slow(SLOW_S),
        "reset": graph.reset,
        "401": graph.status(401, "InvalidAuthenticationToken"),
        "429": graph.status(429, "TooManyRequests", Retry_After=str(ASKED_S)),
        "500": graph.status(500, "generalException"),
        "503": graph.status(503, Retry_After=str(ASKED_S)),
        "half": graph.half,
        "lost": graph.lost,
    }

    def __init__(self) -> None:
        super().__init__()
        self.driver = GraphDriver()
        self.driver.port.close()
        self.server = self.driver.server
        self.store = self.server.store

    @property
    def requests(self) -> int:
        return len(self.server.calls)

    def port(self, *, quick: bool) -> WritableMailbox:
        return GraphMailbox(
            self.store.address,
            tokens=OneToken(),
            service=self.server.url,
            timeout_s=QUICK_S if quick else 60.0,
        )

    def items(self) -> Counter[str]:
        events = (one["subject"] for one in self.store.events.items.values())
        tasks = (one["title"] for one in self.store.tasks["list-1"].items.values())
        return Counter([*events, *tasks])


def _counted(struck: Counter[str], name: str | None, acts: dict[str, Act]) -> Act:
    if name is None:
        return lambda handler: False

    def act(handler: ScriptedHandler) -> bool:
        struck[name] += 1
        return acts[name](handler)

    return act


SIDES: Final[Mapping[str, Callable[[], Side]]] = {
    "memory": Memory, "exchange": Exchange, "graph": Graph,
}  # fmt: skip
"""The sides every computer has."""

KINDS: Final = (*SIDES, "imap")
"""Every side, in the order of the seeds."""
