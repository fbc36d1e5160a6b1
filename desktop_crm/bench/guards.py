"""Guards over the real window: statements per screen, and the memory of a long list."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event

from desktop_crm import app
from desktop_crm.bench.ground import COLUMNS, Ground
from desktop_crm.bench.rows import Row, unmeasured
from desktop_crm.bench.window import Listing, application, threads, wait, wait_for
from desktop_crm.core.settings import Settings
from desktop_crm.services.context import Actor
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.mailbox.passes import PassClock
from desktop_crm.views.modules import MODULES
from desktop_crm.views.tasks import Tasks

MOST_STATEMENTS: Final = 6
MOST_MB: Final = 60
_QUIET_MS: Final = 150
_MB: Final = 1_000_000


def statements(ground: Ground) -> list[Row]:
    """Statements that each screen of the window sends when it is shown for the first time."""
    application()
    sent: list[str] = []
    actor = ground.everything
    actor.db.engine.dispose()  # connections made from now on are traced

    @event.listens_for(actor.db.engine, "connect")
    def _trace(connection: Any, _entry: object) -> None:  # noqa: ANN401  the driver's
        connection.set_trace_callback(sent.append)

    counts: dict[str, float] = {}
    session = app.Session(Settings(), lambda _url: actor)
    window, tasks = session.window, session.tasks
    window.show()
    window.start(actor, "settings")
    # The clocks look once as they start, whatever is shown then.
    wait_for(lambda: bool(window.findChildren(PassClock)))
    _settle(tasks)
    try:
        for module in MODULES:
            sent.clear()
            window.show_module(module.key)
            _settle(tasks)
            read = [text for text in sent if text.lstrip().startswith(("SELECT", "WITH"))]
            record = [text for text in read if text.startswith(_of_records(actor))]
            counts[module.key] = len(read) - len(record)
            if record:
                counts[f"{module.key} opened"] = len(record)
    finally:
        event.remove(actor.db.engine, "connect", _trace)
        tasks.close()
        window.close()
        window.deleteLater()
        wait(20)
        actor.db.engine.dispose()
    most = max(counts.values())
    over = [f"{key} {n:.0f}" for key, n in counts.items() if n > MOST_STATEMENTS]
    operation = f"statements of a screen, the most of {len(counts)}"
    return [
        Row(
            "statements", "sqlite", operation, most, None, most, MOST_STATEMENTS,
            ok=not over, reason="more: " + ", ".join(over) if over else "",
            unit="statements", detail=counts,
        )
    ]  # fmt: skip


def _settle(tasks: Tasks) -> None:
    """Wait until nothing is running and nothing follows."""
    wait(_QUIET_MS)
    wait_for(lambda: not tasks.busy)
    wait(_QUIET_MS)
    wait_for(lambda: not tasks.busy)


def _of_records(actor: Actor) -> tuple[str, ...]:
    """How the statements begin that open the first record of a list, a screen of its own."""
    kept = [found.record for found in actor.records.values()]
    kept += [line for found in actor.records.values() for _, line in found.lines.values()]
    kept += [found for key, found in actor.statements.items() if _is_timeline(key)]
    return tuple(found.sql.partition("?")[0] for found in kept)


def _is_timeline(key: object) -> bool:
    return isinstance(key, tuple) and key[0] == "timeline"


def memory(ground: Ground) -> list[Row]:
    """What a process grows by when a list of 1,000 becomes one of a million, all keys known."""
    return [_memory_of(ground, group) for group in ("", "city", "account")]


def _memory_of(ground: Ground, group: str) -> Row:
    how = f", grouped by {group}" if group else ""
    operation = f"memory of the opened list of 1,000,000 rows{how}"
    command = [sys.executable, "-m", "desktop_crm.bench.guards", str(ground.path), group]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(  # noqa: S603  this interpreter with this module
        command, capture_output=True, text=True, check=False, env=environment
    )
    found = done.stdout.split()
    if done.returncode or len(found) != 3:
        return unmeasured("memory", operation, "the process that measures ended early", "sqlite")
    before, after, rows = (int(number) for number in found)
    grown, keys = (after - before) / _MB, rows * 8 / _MB
    whole = f"{operation}, beside its bare keys; the whole process {after / _MB:.0f} MB"
    return Row(
        "memory", "sqlite", whole, grown, keys, None, MOST_MB, ok=grown <= MOST_MB, unit="MB"
    )


def resident() -> int:
    """Bytes of this process that lie in memory (Linux); elsewhere the most there ever were."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _measure(path: str, group: str) -> None:
    from desktop_crm.bench.data import data_file
    from desktop_crm.bench.data_rows import LOGINS, SMALL
    from desktop_crm.db import migrate
    from desktop_crm.services.context import sign_in

    application()

    def opened(file: str) -> Actor:
        return sign_in(migrate.open_current(file), LOGINS[0])

    sizes: list[int] = []
    count = 0
    with threads() as tasks:
        listing = None
        for file in (str(data_file(SMALL)), path):
            if listing is not None:
                listing.view.close()
            actor = opened(file)
            listing = Listing(actor, tasks)
            listing.view.show()
            listing.ask(RecordQuery("contact", COLUMNS, group=group))
            shown = listing
            wait_for(lambda shown=shown: shown.is_complete)  # type: ignore[misc]
            wait(_QUIET_MS)
            sizes.append(resident())
            count = listing.model.rowCount()
    print(*sizes, count, flush=True)
    os._exit(0)


if __name__ == "__main__":
    _measure(sys.argv[1], sys.argv[2])
