"""The tour leaves behind what a person would look at, and nothing anywhere else."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from desktop_crm import tour

PANES = (
    "home", "mail", "calendar-day", "calendar-work-week", "calendar-month", "contacts", "accounts",
    "leads", "opportunities", "opportunities-board", "activities", "products", "quotes",
    "calendar-team-above", "calendar-selected",
    "settings-appearance", "settings-company", "settings-mailboxes",
)  # fmt: skip
WORK = (
    "mail-triage",
    "mail-outbox",
    "list-grouped",
    "list-linked",
    "list-filtered",
    "list-edit",
    "record-history",
)
DIALOGS = (
    "calendar-print",
    "calendar-pages-month",
    "find-time",
    "recurrence",
    "reminders",
    "filter-builder",
    "business-card",
    "recycle-bin",
    "designer",
    "quote-form",
    "contact-form",
    "import",
    "export",
    "mailbox-add",
    "mailbox-sign-in",
    "mailbox-test",
    "mailbox-privacy",
    "compose",
    "dry-run",
    "conflicts",
    "colleagues",
    "withdraw",
    "database-open",
)


def _size(path: Path) -> tuple[int, int]:
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return width, height


@pytest.mark.timeout(300)
def test_one_theme_of_the_tour(tmp_path: Path, top: Path, home: Path) -> None:
    out = tmp_path / "tour"
    code = (
        "import sys; from pathlib import Path; from desktop_crm import tour\n"
        "tour.run(Path(sys.argv[1]), ('dark',))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(out)],
        capture_output=True, check=False, cwd=tmp_path, timeout=280,
        env={**os.environ, "PYTHONPATH": str(top), "QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr.decode()
    for name in (*PANES, *WORK):
        assert _size(out / f"{name}-dark.png") == tour.SIZE, name
    for name in DIALOGS:
        assert (out / f"{name}-dark.png").stat().st_size > 2000, name
    assert not list(out.glob("*-light.png"))
    assert next(out.glob("Q-*.pdf")).read_bytes().startswith(b"%PDF")
    assert (out / "accounts.xlsx").read_bytes().startswith(b"PK")
    assert not home.exists()

    report = json.loads((out / "tour.json").read_text(encoding="utf-8"))
    steps = {step["name"]: step for step in report["steps"]}
    assert steps["sample company"]["counts"]["account"] == 60
    assert steps["import"]["counts"] == {"created": 4, "updated": 0, "same": 0, "rejected": 1}
    assert steps["import again"]["counts"]["same"] == 4
    assert steps["sync"]["counts"]["created"] == 1
    assert steps["sync"]["counts"]["linked"] == 1
    assert steps["import the workbook"]["counts"]["same"] == 60
    assert all(step["seconds"] >= 0 for step in report["steps"])
    made = {file for step in report["steps"] for file in step.get("files", ())}
    assert made <= {path.name for path in out.iterdir()}


def test_a_folder_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert tour.main(["--out", str(tmp_path / "file" / "tour")]) == 3

    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "Nothing was done" in told


def test_wrong_arguments_are_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        tour.main(["--nonsense"])

    assert stop.value.code == 2
    assert "--nonsense" in capsys.readouterr().err


def test_a_database_that_is_there_is_not_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    path = tmp_path / "mine.db"
    path.write_text("mine", encoding="utf-8")

    assert tour.main(["--out", str(tmp_path / "tour"), "--db", str(path), "--json"]) == 1

    assert json.loads(capsys.readouterr().out)["ok"] is False
    assert path.read_text(encoding="utf-8") == "mine"
