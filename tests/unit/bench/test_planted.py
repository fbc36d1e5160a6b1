"""Planted duplicates are entered through the product, and the scan finds them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from desktop_crm.bench import data, planted
from desktop_crm.bench.ground import opened
from desktop_crm.core.sameness import company_key
from desktop_crm.core.text import fold
from desktop_crm.services.duplicates import scan
from tests.unit.bench.test_data import TINY


def test_habits_change_what_is_written_and_not_who_is_meant() -> None:
    chance = random.Random(7)
    for _ in range(50):
        assert planted.typo("Popescu", chance) != "Popes"
        assert fold(planted.plain("Țuțea Ștefan", chance)) == "tutea stefan"
        assert company_key(planted.other_form("Lupu Timber 7 GmbH", chance)) == "lupu timber 7"
    assert planted.typo("Ion", chance) == "Ion"


@pytest.mark.parametrize("key", ["contact", "account"])
def test_the_scan_finds_what_was_planted(
    key: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = data.data_file(TINY, tmp_path_factory.mktemp("bench"))
    path = tmp_path / "planted.db"
    path.write_bytes(base.read_bytes())
    planted.plant(path, 60, 20)
    with opened(path) as ground:
        meant = planted.truth(ground, key)
        found = {(p.first, p.second) for p in scan.find(ground.everything, key)[0]}
    assert len(meant) == {"contact": 60, "account": 20}[key]
    assert len(meant & found) >= 0.9 * len(meant)
