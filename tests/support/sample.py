"""The sample company, made once for a run of tests and copied for each."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from desktop_crm.bench.postgres_server import locked


def sample_file(run_folder: Path) -> Path:
    """File of a sample company that tests copy and never change; its mail lies beside it."""
    home = run_folder / "sample-home"
    path = home / "data" / "sample.db"
    with locked(run_folder / "sample.lock"):
        if not (home / "ready").exists():
            shutil.rmtree(home, ignore_errors=True)
            _make(home)
            (home / "ready").touch()
    return path


def _make(home: Path) -> None:
    from desktop_crm import demo

    before = os.environ.get("DESKTOP_CRM_HOME", "")
    os.environ["DESKTOP_CRM_HOME"] = str(home)
    try:
        demo.create(demo.sample_url(), zone="Europe/Bucharest").db.close()
    finally:
        os.environ["DESKTOP_CRM_HOME"] = before
