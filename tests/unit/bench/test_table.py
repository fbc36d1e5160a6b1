"""The bench table and its JSON: what a row says, and what a failing benchmark does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop_crm.bench import __main__ as bench
from desktop_crm.bench.rows import Row, compared, pair, unmeasured

JSON_KEYS = {"id", "database", "operation", "ours_s", "limit_s", "ratio", "goal", "ok"}


def test_a_ratio_within_its_goal_is_ok() -> None:
    row = compared(1, "page", (0.002, 0.001), 3)
    assert row.ok
    assert row.ratio == pytest.approx(2)
    assert not compared(1, "page", (0.004, 0.001), 3).ok
    assert compared(4, "against LIKE", (0.001, 0.060), 50, at_least=True).ok
    assert not compared(4, "against LIKE", (0.001, 0.040), 50, at_least=True).ok


def test_both_ways_run_in_turn_and_as_often() -> None:
    turns: list[str] = []
    ours, limit = pair(lambda: turns.append("ours"), lambda: turns.append("limit"), 5)
    assert turns == ["ours", "limit"] * 6
    assert ours >= 0
    assert limit >= 0


def test_a_line_shows_figures_and_verdict() -> None:
    text = bench.line(compared(1, "contact list", (0.0021, 0.001), 3))
    assert "2.1 ms" in text
    assert "2.10x" in text
    assert "ok: contact list, sqlite" in text
    missed = bench.line(unmeasured(13, "start", "no window came up"))
    assert "falls short: start (no window came up)" in missed
    absolute = bench.line(Row("stall", "sqlite", "stall", 0.03, 0.001, None, 0.05, ok=True))
    assert "50 ms" in absolute
    counted = Row("statements", "", "screens", 5, None, 5, 6, ok=True, unit="statements")
    assert "5 statements" in bench.line(counted)


def test_every_row_lands_in_the_json_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_files: bench.Files) -> list[Row]:
        raise RuntimeError("no luck")

    good = compared(1, "page", (0.002, 0.001), 3)
    table = {"1": ("page", lambda _files: [good]), "stall": ("stall", fails)}
    monkeypatch.setattr(bench, "BENCHMARKS", table)
    target = tmp_path / "bench.json"
    assert bench.main(["--json", str(target)]) == 0
    found = json.loads(target.read_text(encoding="utf-8"))
    assert [row["id"] for row in found] == [1, "stall"]
    assert all(row.keys() >= JSON_KEYS for row in found)
    assert found[1]["ok"] is False
    assert found[1]["reason"] == "RuntimeError: no luck"
    assert "1 of 2 rows ok" in capsys.readouterr().out


def test_some_benchmarks_are_chosen_by_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def runs(name: str) -> bench.Run:
        def run(_files: bench.Files) -> list[Row]:
            ran.append(name)
            return [unmeasured(name, name, "a test")]

        return run

    monkeypatch.setattr(bench, "BENCHMARKS", {n: (n, runs(n)) for n in ("1", "2", "6")})
    assert bench.main(["--only", "1,6"]) == 0
    assert ran == ["1", "6"]
    assert bench.main(["--only", "9"]) == 2
    assert "There is no benchmark 9" in capsys.readouterr().err


def test_what_the_issue_asks_for_is_measured() -> None:
    wanted = {"1", "2", "3", "4", "5", "6", "12", "13", "14"}
    assert wanted | {"statements", "selectall", "stall", "memory"} <= bench.BENCHMARKS.keys()
