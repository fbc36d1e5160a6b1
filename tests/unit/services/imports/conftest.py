"""A new database with its starting records, and an administrator who imports into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database
    from desktop_crm.services.context import Actor
    from desktop_crm.services.imports import ImportOptions, ImportPlan, ImportResult

    Take = Callable[..., tuple[ImportPlan, ImportResult]]


@pytest.fixture
def actor(sqlite_db: Database) -> Actor:
    """An administrator of a new SQLite file."""
    from desktop_crm.services import setup

    return setup.initialise(sqlite_db)


@pytest.fixture
def anywhere(database: Database) -> Actor:
    """An administrator of a new database, on both systems in turn."""
    from desktop_crm.services import setup

    return setup.initialise(database)


@pytest.fixture
def take(actor: Actor, tmp_path: Path) -> Take:
    """Import a text as a CSV file: plan and result."""
    from desktop_crm.services import imports

    def run(
        entity: str, text: str, options: ImportOptions | None = None
    ) -> tuple[ImportPlan, ImportResult]:
        path = tmp_path / "file.csv"
        path.write_text(text, encoding="utf-8")
        plan = imports.plan_file(actor, entity, path, options)
        return plan, imports.apply(actor, plan)

    return run
