"""The short form of `dev.py soak`, with fixed seeds."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path

import pytest

from tests.mail_servers import servers as mail
from tests.mail_servers.lines import Lines
from tests.soak import faults, killed
from tests.soak.__main__ import main
from tests.soak.real_servers import RealServers, sides_here

SEED = 20_260_302
REAL_SEED = SEED + 21


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


@pytest.mark.timeout(300)
def test_real_servers_behind_lines_that_fail(template: Path, mail_servers: mail.Servers) -> None:
    lines = Lines(mail_servers)
    with contextlib.closing(lines):
        sides = {"imap": partial(RealServers, mail_servers, lines)}
        tally = faults.run(template, REAL_SEED, 5, steps=20, stories=2, sides=sides)
    assert tally.faults >= 5
    assert tally.sent


def test_a_side_without_its_servers_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.mail_servers.dovecot.BINARY", None)
    said: list[str] = []
    with sides_here(told=said.append) as sides:
        assert tuple(sides) == ("memory", "exchange", "graph")
    assert "dovecot is not installed" in "".join(said)


def test_the_figures_are_printed_with_their_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["soak", "--seed", "5", "--kills", "1", "--faults", "1", "--side", "graph"]
    )
    broken = killed.Outcome(5, kills=1, problems=["message doubled"])
    monkeypatch.setattr(killed, "run", lambda *_: broken)
    monkeypatch.setattr(faults, "run", lambda *_, **__: faults.Tally(5))
    assert main() == 1
    said = capsys.readouterr().out
    assert said.startswith("seed 5\n")
    assert "BROKEN message doubled" in said
    broken.problems.clear()
    assert main() == 0
    assert "nothing lost" in capsys.readouterr().out
