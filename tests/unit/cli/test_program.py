"""The program as a whole: exit codes, what goes where, and what is never shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_crm.cli import call
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.services import databases, query

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def _process(
    *arguments: object, top: Path, home: Path, **more: str
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "DESKTOP_CRM_HOME": str(home), "PYTHONPATH": str(top), **more}
    return subprocess.run(
        [sys.executable, "-m", "desktop_crm", *map(str, arguments)],
        capture_output=True, check=False, env=environment, timeout=60,
    )  # fmt: skip


def test_the_command_line_loads_no_window(top: Path, home: Path) -> None:
    code = (
        "import sys\n"
        "from desktop_crm.app import main\n"
        "assert main(['db', 'init', '--db', sys.argv[1]]) == 0\n"
        "assert main(['query', 'stage', '--db', sys.argv[1]]) == 0\n"
        "loaded = [m for m in sys.modules if m.startswith(('PySide6', 'shiboken6'))\n"
        "          or m.startswith('desktop_crm.views')]\n"
        "assert not loaded, loaded\n"
    )
    home.mkdir(parents=True)
    ran = subprocess.run(
        [sys.executable, "-c", code, str(home / "x.db")], capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(top)}, timeout=60,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr.decode()


def test_output_is_utf8_whatever_the_console_speaks(top: Path, home: Path, sample: Path) -> None:
    ran = _process("query", "account", "--filter", 'city = "Iași"', "--columns", "name", "--db",
                   sample, "--json", top=top, home=home, PYTHONIOENCODING="cp1252")  # fmt: skip

    assert ran.returncode == 0
    assert "Brutăria Spicul Înalt SRL" in {row["name"] for row in json.loads(ran.stdout)}


def test_a_reader_that_goes_away_is_no_error(top: Path, home: Path, sample: Path) -> None:
    environment = {**os.environ, "DESKTOP_CRM_HOME": str(home), "PYTHONPATH": str(top)}
    with subprocess.Popen(
        [sys.executable, "-m", "desktop_crm", "query", "audit_entry", "--db", str(sample)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaint = process.stderr.read().decode()
        code = process.wait(60)

    assert (code, complaint) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("query",),
        ("query", "account", "--limit", "0"),
        ("query", "account", "--no-such-option"),
        ("mailbox",),
        ("mailbox", "add", "x", "--kind", "pigeon", "--address", "a@b.example"),
        ("quote", "print", "Q-1"),
        ("import", "contact", "x.csv", "--map", "no sign"),
        ("import", "contact", "x.csv", "--value", "product:no sign"),
    ],
)
def test_what_cannot_be_understood_is_2(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err

    as_json = run(*arguments, "--json")
    assert as_json.code == 2
    assert as_json.json["ok"] is False


def test_help_names_every_command(run: Run) -> None:
    ran = run("--help")

    assert ran.code == 0
    for name in ("demo", "db", "query", "import", "export", "mailbox", "sync", "quote", "tour"):
        assert name in ran.out


def test_a_bug_is_one_sentence_and_a_log(
    run: Run, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("the inside of the program")

    monkeypatch.setattr(query, "objects", broken)

    ran = run("query", "account", "--db", sample)

    assert ran.code == 3
    assert len(ran.err.splitlines()) == 1
    assert "Traceback" not in ran.err
    assert "the inside" not in ran.err
    log = Path(ran.err.rpartition(" in ")[2].strip().rstrip("."))
    assert "RuntimeError: the inside of the program" in log.read_text(encoding="utf-8")


def test_stopping_is_no_traceback(run: Run, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(query, "objects", stopped)

    ran = run("query", "account", "--db", sample, "--json")

    assert (ran.code, ran.json["error"]) == (3, "The work was stopped.")


def test_a_home_that_cannot_be_written_does_not_matter_elsewhere(
    run: Run, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("DESKTOP_CRM_HOME", str(blocked))

    assert run("query", "stage", "--db", sample).code == 0
    ran = run("demo", "--json")
    assert ran.code == 3
    assert str(blocked) in ran.json["error"]


def test_the_language_of_the_settings_is_spoken(run: Run, sample: Path, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "settings.toml").write_text('language = "ro"\n', encoding="utf-8")

    ran = run("query", "account", "--columns", "annual_revenue", "--limit", 1, "--db", sample)

    assert ran.code == 0
    assert "," not in ran.out.splitlines()[2].rpartition(",")[0]


# --- which database, which password -------------------------------------------------------------


def test_the_database_opened_last_is_the_usual_one(run: Run, sample: Path, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    text = f'database_url = "{sample.as_posix()}"\n'
    (home / "config" / "settings.toml").write_text(text, encoding="utf-8")

    assert len(run("query", "account", "--json").json) == 60


def test_without_any_database_the_sample_company_is_meant(run: Run, home: Path) -> None:
    ran = run("query", "account")

    assert ran.code == 1
    assert "sample.db" in ran.err


REFUSED = EnvironmentProblem("{server} refused the login {user}.", server="db", user="mara")
URL = "postgresql://mara@db.firm.example/crm"


class _Server:
    """A database that lets in whoever knows the password, and remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[str | None] = []

    def __call__(self, url: str, password: str | None) -> str:
        self.heard.append(password)
        if password != "right":
            raise REFUSED
        return "in"


def test_the_keyring_comes_before_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    databases.keep_password(URL, "right")
    server = _Server()

    assert call.with_password(URL, server) == "in"
    assert server.heard == ["right"]


def test_a_person_at_a_terminal_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def prompt(text: str, **how: object) -> str:
        assert how["hide_input"]
        asked.append(text)
        return "right"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.prompt", prompt)
    server = _Server()

    assert call.with_password(URL, server) == "in"
    assert server.heard == [None, "right"]
    assert asked == ["Password of mara on db.firm.example"]


def test_a_script_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)

    with pytest.raises(EnvironmentProblem):
        call.with_password(URL, _Server())


def test_a_password_in_the_address_is_refused(run: Run) -> None:
    ran = run("query", "account", "--db", "postgresql://mara:secret@db.firm.example/crm", "--json")

    assert ran.code == 1
    assert "secret" not in ran.out + ran.err
    assert "PGPASSWORD" in ran.json["error"]
