"""Running commands as a console does, within the test's own process."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from desktop_crm import cli
from tests.support.sample import sample_file


@dataclass(frozen=True)
class Ran:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one line of JSON on the output."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        return json.loads(lines[0])


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """A function that runs one command."""

    def runs(*arguments: object) -> Ran:
        capsys.readouterr()
        code = cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    yield runs
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, logging.handlers.RotatingFileHandler):
            root.removeHandler(handler)
            handler.close()


@pytest.fixture
def empty(run_folder: Path, tmp_path: Path, run: Run) -> Path:
    """A database as ``db init`` makes it; made once by each process, and copied."""
    made = run_folder / f"initialised-{os.getpid()}.db"
    if not made.exists():
        assert run("db", "init", "--db", made).code == 0
    path = tmp_path / "company.db"
    shutil.copyfile(made, path)
    return path


@pytest.fixture
def sample(run_folder: Path, tmp_path: Path) -> Path:
    """A copy of the sample company."""
    path = tmp_path / "sample.db"
    shutil.copyfile(sample_file(run_folder), path)
    return path
