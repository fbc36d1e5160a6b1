"""The full counts: `dev.py soak [--seed N] [--kills 200] [--faults 1000] [--side imap]`."""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
from pathlib import Path

from desktop_crm.db import migrate
from tests.soak import faults, killed
from tests.soak.real_servers import sides_here
from tests.soak.sides import KINDS


def main() -> int:
    """Print the seed and the figures; 1 when something was lost, doubled or broken."""
    parser = argparse.ArgumentParser(prog="dev.py soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--faults", type=int, default=1_000)
    parser.add_argument("--side", choices=KINDS, help="let only this side fail")
    chosen = parser.parse_args()
    logging.disable(logging.ERROR)  # what fails there is meant to fail
    try:
        return _run(chosen.seed, chosen.kills, chosen.faults, chosen.side)
    finally:
        logging.disable(logging.NOTSET)


def _run(seed: int, kills: int, failures: int, side: str | None) -> int:
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="desktop-crm-soak-") as folder:
        template = Path(folder) / "template.db"
        migrate.create(f"sqlite:///{template}").close()
        problems: list[str] = []
        if kills:
            outcome = killed.run(Path(folder), seed, kills, template)
            problems = outcome.problems
            show(killed.said(outcome))
        if failures:
            # What is broken there ends the run with the story that shows it.
            with sides_here((side,) if side else KINDS) as sides:
                if not sides:
                    return 1
                tally = faults.run(template, seed, failures, sides=sides, told=_goes_on)
            show(faults.said(tally))
    for problem in problems:
        print(f"BROKEN {problem}")
    print("broken" if problems else "nothing lost, nothing doubled, nobody told")
    return 1 if problems else 0


def _goes_on(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def show(figures: dict[str, object]) -> None:
    """Print figures, each with its name."""
    print("  ".join(f"{name} {figure}" for name, figure in figures.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
