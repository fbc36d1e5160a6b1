"""The door to development: what it says when something is missing, and that it runs every step."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import dev


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of its own, still missing."""
    for name in ("pyproject.toml", "uv.lock"):
        (tmp_path / name).write_bytes((dev.TOP / name).read_bytes())
    monkeypatch.setattr(dev, "TOP", tmp_path)
    monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(dev, "STAMP", tmp_path / ".venv" / "set-up.json")
    monkeypatch.setattr(dev, "LOG", tmp_path / ".venv" / "set-up.log")
    monkeypatch.setattr(dev, "SCRIPTS", tmp_path / ".venv" / "bin")
    return tmp_path


def with_environment(folder: Path, line: str) -> None:
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").write_text(f"home = x\n{line}\n", encoding="utf-8")
    dev.environment_python().touch()


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("version = 3.11.7", (3, 11)),
        ("version_info = 3.14.0", (3, 14)),
        ("version = 3.10.2", None),
        ("version = 3.15.0", None),
    ],
)
def test_the_environment_tells_its_python(
    elsewhere: Path, line: str, version: tuple[int, int] | None
) -> None:
    with_environment(elsewhere, line)
    assert dev.environment_version() == version


def test_an_environment_whose_python_is_gone_is_none(elsewhere: Path) -> None:
    with_environment(elsewhere, "version = 3.11.7")
    dev.environment_python().unlink()
    assert dev.environment_version() is None


def test_another_lock_is_another_state(elsewhere: Path) -> None:
    before = dev.wanted_state((3, 11))
    assert before == dev.wanted_state((3, 11))
    assert before != dev.wanted_state((3, 12))
    with (elsewhere / "uv.lock").open("a", encoding="utf-8") as lock:
        lock.write("\n")
    assert before != dev.wanted_state((3, 11))


def test_uv_is_installed_in_the_version_of_the_lock(elsewhere: Path) -> None:
    assert f'name = "uv"\nversion = "{dev.locked_version("uv")}"' in (
        elsewhere / "uv.lock"
    ).read_text(encoding="utf-8")


def failing(words: str) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({words!r}); sys.exit(2)"]


def test_an_unreachable_index_is_one_sentence(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (elsewhere / ".venv").mkdir()
    with pytest.raises(SystemExit) as ended:
        dev.quietly(failing("error: Failed to fetch: connection refused"), "It failed.")
    assert ended.value.code == dev.EXIT_ENVIRONMENT
    said = capsys.readouterr().err
    assert said.startswith("PyPI cannot be reached")
    assert said.count("\n") == 1
    assert "Failed to fetch" in dev.LOG.read_text(encoding="utf-8")


def test_any_other_failure_ends_with_its_last_line(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (elsewhere / ".venv").mkdir()
    with pytest.raises(SystemExit):
        dev.quietly(failing("no space left on device"), "It failed.")
    assert capsys.readouterr().err.startswith("It failed. no space left on device")


def test_without_a_suitable_python_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 1, "final", 0))
    monkeypatch.setattr(dev, "candidates", lambda: [["no-such-python"]])
    with pytest.raises(SystemExit) as ended:
        dev.use_supported_python()
    assert ended.value.code == dev.EXIT_ENVIRONMENT
    assert "Python 3.11 to 3.14; found only 3.9" in capsys.readouterr().err


def test_a_suitable_python_takes_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[list[str]] = []

    def start(command: list[str]) -> int:
        started.append(command)
        return 7

    monkeypatch.setattr(sys, "version_info", (3, 9, 1, "final", 0))
    monkeypatch.setattr(sys, "argv", ["dev.py", "lint"])
    monkeypatch.setattr(dev, "candidates", lambda: [["no-such-python"], ["good"]])
    monkeypatch.setattr(dev, "answers_as", lambda command: {"good": (3, 12)}.get(command[0]))
    monkeypatch.setattr(subprocess, "call", start)
    with pytest.raises(SystemExit) as ended:
        dev.use_supported_python()
    assert ended.value.code == 7
    assert started == [["good", str(Path(dev.__file__).resolve()), "lint"]]
    assert "going on with Python 3.12" in capsys.readouterr().out


def test_this_python_answers_and_nonsense_does_not() -> None:
    assert dev.answers_as([sys.executable]) == sys.version_info[:2]
    assert dev.answers_as(["no-such-python"]) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Qt brings its libraries there")
def test_missing_system_libraries_are_named_as_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "OFFSCREEN_LIBRARIES", {"libnone.so.7": "libnone7"})
    with pytest.raises(SystemExit) as ended:
        dev.need_qt_libraries()
    assert ended.value.code == dev.EXIT_ENVIRONMENT
    assert "apt-get install -y libnone7" in capsys.readouterr().err


def test_every_step_runs_and_one_failure_fails_the_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = [sys.executable, "-c", ""]
    steps = [("first", failing("x")), ("second", good)]
    assert dev.in_turn(steps) == 1
    summary = capsys.readouterr().out.partition("== summary")[2]
    assert "first    FAILED (2)" in summary
    assert "second   ok" in summary
    assert dev.in_turn([("second", good)]) == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others always have a display")
def test_without_a_display_the_tour_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    toured: list[list[str]] = []

    def tour(arguments: list[str]) -> int:
        toured.append(arguments)
        return 0

    monkeypatch.setattr(dev, "tour", tour)
    assert dev.run([]) == 0
    folder = str(dev.TOP / "out" / "tour")
    assert toured == [["--out", folder]]
    said = capsys.readouterr().out
    assert folder in said
    assert said.count("\n") == 1
