"""A pass over a mailbox of 200,000 messages beside the open window: stalls, and the first screen.

The mailbox is served over loopback HTTP by a process of its own, the newest first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final
from unittest import mock

from desktop_crm.bench.rows import Row, unmeasured

SERVED: Final = 200_000
TAKEN: Final = int(os.environ.get("BENCH_STALL_COUNT", "3000"))
"""Messages after which the pass is stopped."""

LOGIN: Final = "ana"
_STALL_S: Final = 0.05
_USEFUL_S: Final = 5.0
_LONGEST_S: Final = 240
_SCREEN: Final = 10
"""Lines on the first screen."""


def beside_window() -> list[Row]:
    """Both figures, measured in a process of their own: nothing before it may have warmed up."""
    stalls = f"longest stall while a pass takes over {TAKEN:,} messages beside the open mail"
    useful = f"first page of a mailbox of {SERVED:,} messages stored, linked and shown"
    done = subprocess.run(
        [sys.executable, "-m", "desktop_crm.bench.mail_window"],
        capture_output=True, text=True, check=False, timeout=2 * _LONGEST_S,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    found = done.stdout.split()
    if done.returncode or len(found) != 4:
        reason = "the process that measures ended early"
        return [unmeasured("mailstall", stalls, reason), unmeasured("mailfirst", useful, reason)]
    longest, bare, first, over = (float(figure) for figure in found)
    told = f"{stalls}; stalls over {_STALL_S * 1000:.0f} ms: {over:.0f}; an idle window beside"
    return [
        Row(
            "mailstall", "sqlite", told, longest, bare, None, _STALL_S, ok=longest <= _STALL_S,
            reason="" if longest <= _STALL_S else "longer than 50 ms",
        ),
        Row("mailfirst", "sqlite", useful, first, None, None, _USEFUL_S, ok=first <= _USEFUL_S),
    ]  # fmt: skip


def main() -> None:
    """Print the longest stall, that of an idle window, and the seconds to the first screen."""
    from desktop_crm.bench import mail
    from desktop_crm.sync import scheduler

    with tempfile.TemporaryDirectory() as name, mail.serving(SERVED) as server:
        url = f"sqlite:///{Path(name) / 'window.db'}"
        box = mail.prepared(url)
        port = mail.exchange_port(server)
        with mock.patch.object(scheduler, "open_mailbox", return_value=port), closing(port):
            figures = _measured(url, box)
        print(*(f"{figure:.4f}" for figure in figures), flush=True)
        server.stop()
        shutil.rmtree(name, ignore_errors=True)
        os._exit(0)  # the pass that was stopped is not waited for


def _measured(url: str, box: int) -> tuple[float, float, float, int]:
    from PySide6.QtCore import QTimer

    from desktop_crm import app
    from desktop_crm.bench.window import application, wait
    from desktop_crm.core.settings import Settings
    from desktop_crm.db import migrate
    from desktop_crm.services import context, query, records
    from desktop_crm.services.context import system_actor
    from desktop_crm.services.query import RecordQuery
    from desktop_crm.views.mailbox.passes import passes_of
    from desktop_crm.views.panes.mail import MailPane

    application()
    db = migrate.open_current(url)
    role = records.save(system_actor(db), "role", None, None, {"name": "All", "is_admin": True})
    (user,) = query.objects(system_actor(db), RecordQuery("user", ("login",)))
    records.save(system_actor(db), "user", user["id"], None, {"role": role.id})
    actor = context.as_seen_by(db, LOGIN)
    session = app.Session(Settings(), lambda _url: actor)
    window = session.window
    window.resize(1440, 900)
    window.show()
    window.start(actor, "home")
    wait(500)
    window.show_module("mail")
    wait(1_500)
    (pane,) = window.findChildren(MailPane)
    gaps: list[float] = []
    last = time.perf_counter()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

    timer = QTimer()
    timer.setInterval(1)
    timer.timeout.connect(tick)
    timer.start()
    wait(500)
    last = time.perf_counter()
    gaps.clear()
    wait(2_000)
    bare = max(gaps)
    gaps.clear()
    passes = passes_of(pane.bench)
    started = time.perf_counter()
    passes.start(box, lambda _result: None, lambda _error: None)
    first = 0.0
    while time.perf_counter() - started < _LONGEST_S:
        wait(20)
        model = pane.list.messages
        if not first and model.rowCount() >= _SCREEN:
            lines = [model.line(row) for row in range(_SCREEN)]
            if all(lines) and any(line.linked for line in lines if line is not None):
                first = time.perf_counter() - started
        now = passes.running
        if now is None or now.items >= TAKEN:
            break
    timer.stop()
    return max(gaps), bare, first, sum(gap > _STALL_S for gap in gaps)


if __name__ == "__main__":
    main()
