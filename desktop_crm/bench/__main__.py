"""Runs the benchmarks: ``python -m desktop_crm.bench [--only N[,N]] [--json FILE]``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from desktop_crm.bench.rows import Row, unmeasured

if TYPE_CHECKING:
    from desktop_crm.bench.ground import Ground

Run = Callable[["Files"], list[Row]]


class Files:
    """The data files, made and opened when the first benchmark asks for them."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._open: dict[str, Ground] = {}

    @property
    def full(self) -> Ground:
        """A million contacts."""
        return self._opened("full")

    @property
    def small(self) -> Ground:
        """A thousand contacts."""
        return self._opened("small")

    @property
    def planted(self) -> Ground:
        """100,000 contacts with planted duplicates."""
        return self._opened("planted")

    @property
    def planted_on_server(self) -> Ground:
        """The same on PostgreSQL; raises ``NoServer`` where there is none."""
        return self._opened("planted_on_server")

    @property
    def full_on_server(self) -> Ground:
        """A million contacts on PostgreSQL; raises ``NoServer`` where there is none."""
        return self._opened("full_on_server")

    @property
    def small_on_server(self) -> Ground:
        """A thousand contacts on PostgreSQL; raises ``NoServer`` where there is none."""
        return self._opened("small_on_server")

    def _opened(self, name: str) -> Ground:
        from desktop_crm.bench import ground, planted

        if name not in self._open:
            started = time.monotonic()
            source = planted if name.startswith("planted") else ground
            made: Ground = self._stack.enter_context(getattr(source, name)())
            self._open[name] = made
            took = time.monotonic() - started
            if took > 5:
                kind = f"{made.database} data of {made.path.name}"
                print(f"made the {kind} in {took:.0f} s", flush=True)
        return self._open[name]


def on_both(
    files: Files, row_id: int | str, title: str, run: Callable[[Ground], list[Row]]
) -> list[Row]:
    """Rows of a benchmark on SQLite and on PostgreSQL; without a server one that says so."""
    from desktop_crm.bench.postgres_server import NoServer

    rows = run(files.full)
    try:
        server = files.full_on_server
    except NoServer as missing:
        return [*rows, unmeasured(row_id, title, str(missing), "postgresql")]
    return [*rows, *run(server)]


def _lists(files: Files) -> list[Row]:
    from desktop_crm.bench import lists
    from desktop_crm.bench.postgres_server import NoServer

    rows = lists.first_pages(files.full, files.small)
    try:
        return [*rows, *lists.first_pages(files.full_on_server, files.small_on_server)]
    except NoServer as missing:
        return [*rows, unmeasured(1, "contact list", str(missing), "postgresql")]


def _search(files: Files) -> list[Row]:
    from desktop_crm.bench import search

    return on_both(files, 2, "search", search.typed_words)


def _find(files: Files) -> list[Row]:
    from desktop_crm.bench import finding

    return on_both(files, "find", "search over everything", finding.everywhere)


def _typing(files: Files) -> list[Row]:
    from desktop_crm.bench import finding

    return on_both(files, "typing", "plans of the search", finding.plans)


def _keys(files: Files) -> list[Row]:
    from desktop_crm.bench import lists

    return on_both(files, 3, "pages by key", lists.pages_by_key)


def _sorts(files: Files) -> list[Row]:
    from desktop_crm.bench import lists

    return on_both(files, 4, "sorts", lists.sorts)


def _opened(files: Files) -> list[Row]:
    from desktop_crm.bench import records

    return on_both(files, 5, "open a contact", records.opened)


def _pipeline(files: Files) -> list[Row]:
    from desktop_crm.bench import records

    return records.stage_totals(files.full)


def _mail(files: Files) -> list[Row]:
    from desktop_crm.bench import mail

    return mail.run()


def _folder(files: Files) -> list[Row]:
    from desktop_crm.bench import mailbox
    from desktop_crm.bench.postgres_server import NoServer

    with mailbox.stored() as ground:
        rows = mailbox.opened_at_once(ground)
    try:
        with mailbox.stored_on_server() as server:
            return [*rows, *mailbox.opened_at_once(server)]
    except NoServer as missing:
        return [*rows, unmeasured("folder", "stored mail", str(missing), "postgresql")]


def _calendar(files: Files) -> list[Row]:
    from desktop_crm.bench import meetings
    from desktop_crm.bench.postgres_server import NoServer

    with meetings.stored() as ground:
        rows = [*meetings.pages(ground), *meetings.opened_pages(ground)]
    try:
        with meetings.stored_on_server() as server:
            return [*rows, *meetings.pages(server), *meetings.opened_pages(server)]
    except NoServer as missing:
        return [*rows, unmeasured("calendar", "calendar", str(missing), "postgresql")]


def _mail_window(_files: Files) -> list[Row]:
    from desktop_crm.bench import mail_window

    return mail_window.beside_window()


def _quote(files: Files) -> list[Row]:
    from desktop_crm.bench import quote_pdf

    return quote_pdf.run()


def _start(files: Files) -> list[Row]:
    from desktop_crm.bench import start

    return start.run(files.full)


def _frames(files: Files) -> list[Row]:
    from desktop_crm.bench import scroll

    return on_both(files, 14, "scroll frame", scroll.frames)


def _select_all(files: Files) -> list[Row]:
    from desktop_crm.bench import scroll

    return scroll.select_all(files.full)


def _stall(files: Files) -> list[Row]:
    from desktop_crm.bench import scroll

    return scroll.stall(files.full)


def _short(files: Files) -> list[Row]:
    from desktop_crm.bench import search

    return search.short_words(files.full)


def _linked(files: Files) -> list[Row]:
    from desktop_crm.bench import arranged

    return on_both(files, "linked", "columns of linked records", arranged.linked)


def _groups(files: Files) -> list[Row]:
    from desktop_crm.bench import arranged

    return on_both(files, "group", "grouped lists", arranged.groups)


def _totals(files: Files) -> list[Row]:
    from desktop_crm.bench import arranged

    return on_both(files, "totals", "totals", arranged.summed)


def _bulk(files: Files) -> list[Row]:
    from desktop_crm.bench import bulk

    return on_both(files, "bulk", "bulk edit", bulk.edit)


def _duplicates(files: Files) -> list[Row]:
    from desktop_crm.bench import duplicates
    from desktop_crm.bench.postgres_server import NoServer

    rows = duplicates.scanned(files.planted)
    try:
        return [*rows, *duplicates.scanned(files.planted_on_server)]
    except NoServer as missing:
        return [*rows, unmeasured(15, "duplicate scan", str(missing), "postgresql")]


def _typed(files: Files) -> list[Row]:
    from desktop_crm.bench import duplicates

    return on_both(files, "typed", "possible duplicates as typed", duplicates.typed)


def _statements(files: Files) -> list[Row]:
    from desktop_crm.bench import guards

    return guards.statements(files.small)


def _memory(files: Files) -> list[Row]:
    from desktop_crm.bench import guards

    return guards.memory(files.full)


BENCHMARKS: Final[dict[str, tuple[str, Run]]] = {
    "1": ("contact list", _lists),
    "2": ("search", _search),
    "find": ("search over everything", _find),
    "typing": ("plans of the search", _typing),
    "3": ("pages by key", _keys),
    "4": ("sorts", _sorts),
    "5": ("open a contact", _opened),
    "6": ("pipeline totals", _pipeline),
    "11": ("mail", _mail),
    "folder": ("stored mail", _folder),
    "calendar": ("calendar", _calendar),
    "mailstall": ("mail beside the window", _mail_window),
    "12": ("quote PDF", _quote),
    "13": ("start", _start),
    "14": ("scroll frame", _frames),
    "linked": ("columns of linked records", _linked),
    "group": ("grouped lists", _groups),
    "totals": ("totals", _totals),
    "15": ("duplicate scan", _duplicates),
    "typed": ("possible duplicates as typed", _typed),
    "bulk": ("bulk edit", _bulk),
    "statements": ("statements of a screen", _statements),
    "short": ("short searches", _short),
    "selectall": ("select all", _select_all),
    "stall": ("longest stall", _stall),
    "memory": ("memory of a long list", _memory),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run benchmarks, print their rows and write them as JSON.

    Returns:
        0 whenever every row was measured or says why not, 2 for an unknown benchmark.
    """
    options = _options(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    chosen = [name.strip() for name in (options.only or ",".join(BENCHMARKS)).split(",")]
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        known = ", ".join(BENCHMARKS)
        print(f"There is no benchmark {', '.join(unknown)}. There are: {known}.", file=sys.stderr)
        return 2
    rows: list[Row] = []
    print(heading(), flush=True)
    with ExitStack() as stack:
        files = Files(stack)
        for name in chosen:
            for row in _measured(name, files):
                rows.append(row)
                print(line(row), flush=True)
    good = sum(row.ok for row in rows)
    print(f"{good} of {len(rows)} rows ok")
    if options.json:
        options.json.write_text(
            json.dumps([as_json(row) for row in rows], indent=1) + "\n", encoding="utf-8"
        )
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Ratios to the least possible.")
    parser.add_argument("--only", metavar="N[,N]", help="run these alone: " + ", ".join(BENCHMARKS))
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the rows here as well")
    return parser.parse_args(arguments)


def _measured(name: str, files: Files) -> Iterator[Row]:
    title, run = BENCHMARKS[name]
    try:
        yield from run(files)
    except Exception as error:  # one benchmark that fails must not take the others with it
        key = int(name) if name.isdigit() else name
        yield unmeasured(key, title, f"{type(error).__name__}: {error}")


def heading() -> str:
    """First line of the table."""
    return f"{'row':<10} {'ours':>11} {'limit':>11} {'ratio':>9} {'goal':>7}  result, operation"


def line(row: Row) -> str:
    """One row of the table."""
    name = f"{row.id}".ljust(10)
    figures = f"{_figure(row.ours_s, row.unit):>11} {_figure(row.limit_s, row.unit):>11}"
    ratio = "–" if row.ratio is None else f"{row.ratio:.2f}x" if row.unit == "s" else "–"
    if row.ratio is None and row.goal is not None:
        goal = _figure(row.goal, row.unit)
    else:
        goal = "–" if row.goal is None else f"{'≥' if row.at_least else '≤'} {row.goal:g}"
    verdict = "ok" if row.ok else "falls short"
    reason = f" ({row.reason})" if row.reason else ""
    database = f", {row.database}" if row.database else ""
    return f"{name} {figures} {ratio:>9} {goal:>7}  {verdict}: {row.operation}{database}{reason}"


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit != "s":
        return f"{value:.0f} {unit}"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def as_json(row: Row) -> dict[str, Any]:
    """A row as the JSON file has it."""
    found: dict[str, Any] = {
        "id": row.id,
        "database": row.database,
        "operation": row.operation,
        "ours_s": row.ours_s,
        "limit_s": row.limit_s,
        "ratio": row.ratio,
        "goal": row.goal,
        "ok": row.ok,
    }
    if row.reason:
        found["reason"] = row.reason
    if row.unit != "s":
        found["unit"] = row.unit
    if row.at_least:
        found["at_least"] = True
    if row.detail:
        found["detail"] = dict(row.detail)
    return found


if __name__ == "__main__":
    sys.exit(main())
