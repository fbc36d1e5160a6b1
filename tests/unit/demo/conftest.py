"""A copy of the sample company, open."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.sample import sample_file

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor


@pytest.fixture
def me(run_folder: Path, tmp_path: Path) -> Iterator[Actor]:
    """The user who tries the program."""
    from desktop_crm.db.engine import Database
    from desktop_crm.services.context import sign_in

    path = tmp_path / "sample.db"
    shutil.copyfile(sample_file(run_folder), path)
    db = Database.open(str(path))
    yield sign_in(db)
    db.close()
