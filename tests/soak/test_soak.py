"""The short form of `dev.py soak`, with fixed seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak import faults, killed

SEED = 20_260_302


@pytest.fixture
def template(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue("_sqlite_template")
    return found


@pytest.mark.timeout(300)
def test_killed_while_it_syncs(template: Path, tmp_path: Path) -> None:
    outcome = killed.run(tmp_path, SEED, 10, template)
    assert outcome.problems == []
    assert outcome.kills == 10
    assert outcome.sent


@pytest.mark.timeout(300)
def test_servers_that_fail(template: Path) -> None:
    tally = faults.run(template, SEED, 50)
    assert tally.faults >= 50
    assert tally.waits
    assert {key.partition(" ")[0] for key in tally.struck} == {"memory", "exchange", "graph"}
