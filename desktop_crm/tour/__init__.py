"""The tour: the main job from end to end without a screen, leaving what a person would look at.

It works on a fresh sample company in a home of its own, with the clock held, so that two runs give
the same pictures. Started by ``desktop-crm tour --out DIR`` or ``python -m desktop_crm.tour``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from desktop_crm.cli import guarded
from desktop_crm.cli.console import Code, emit, say
from desktop_crm.core.i18n import tr
from desktop_crm.tour.run import SIZE, run

__all__ = ["SIZE", "main", "run"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tour.

    Args:
        argv: Arguments without the program's name; None takes the process's own.

    Returns:
        The exit code of commands; wrong arguments leave with 2.
    """
    parser = argparse.ArgumentParser(
        prog="desktop-crm tour", description=tr("Do the main job without a screen.")
    )
    parser.add_argument(
        "--out", type=Path, default=Path("tour"), metavar="DIR",
        help=tr("Folder for pictures, PDF, workbook and tour.json."),
    )  # fmt: skip
    parser.add_argument(
        "--db", default="", metavar="URL",
        help=tr("New database for the sample company; without it one is made and removed."),
    )  # fmt: skip
    parser.add_argument("--as", dest="login", metavar="USER", help=tr("Whose window is shown."))
    parser.add_argument("--json", action="store_true", help=tr("Answer with one line of JSON."))
    chosen = parser.parse_args(sys.argv[1:] if argv is None else list(argv))

    def work() -> int:
        report = run(chosen.out, url=chosen.db, login=chosen.login)
        done = tr("The tour is done; look into {folder}.", folder=chosen.out)
        if chosen.json:
            emit({"ok": True, "out": str(chosen.out), "seconds": report["seconds"],
                  "steps": len(report["steps"])})  # fmt: skip
        else:
            say(done)
        return Code.DONE

    return guarded(work, as_json=chosen.json)
