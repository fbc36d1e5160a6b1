"""Where everything is put together: arguments, first start, another database, nothing open."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop_crm import app, cli
from desktop_crm.core import i18n
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.settings import Settings
from desktop_crm.views.errors import ErrorPresenter

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.services.context import Actor
    from tests.support.company import Company

SignIn = Callable[[str], "Actor"]


@pytest.fixture
def start(qtbot: QtBot) -> Iterator[Callable[[SignIn, str], app.Session]]:
    """A function that starts a session by a given way to sign in."""
    started: list[app.Session] = []

    def begin(sign_in: SignIn, url: str) -> app.Session:
        session = app.Session(Settings(theme="light", language="en"), sign_in)
        started.append(session)
        qtbot.addWidget(session.window)
        session.window.show()
        session.open(url)
        qtbot.waitUntil(lambda: not session.tasks.busy, timeout=10_000)
        return session

    yield begin
    for session in started:
        session.window.close()
        session.tasks.close()


def ran(top: Path, program: str) -> subprocess.CompletedProcess[str]:
    """A program run by an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-c", program], cwd=top, check=False, capture_output=True, text=True
    )


def test_what_a_module_loaded_leaves_the_rounds_of_the_collector_once(
    start: Callable[[SignIn, str], app.Session],
    company: Company,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[None] = []
    monkeypatch.setattr(app, "keep_collections_short", lambda: kept.append(None))
    session = start(lambda _url: company.actor, "")
    for module, rounds in (("calendar", 1), ("home", 0), ("calendar", 0)):
        kept.clear()
        session.window.workspace.bring_to_front(module)
        qtbot.waitUntil(lambda: not session.tasks.busy, timeout=10_000)
        assert len(kept) == rounds


def test_words_go_to_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def take(arguments: list[str]) -> int:
        seen.append(list(arguments))
        return 3

    monkeypatch.setattr(cli, "main", take)
    assert app.main(["query", "contact", "--json"]) == 3
    assert seen == [["query", "contact", "--json"]]


def test_no_words_open_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "run_window", lambda: 0)
    assert app.main([]) == 0


def test_the_command_line_loads_no_qt(top: Path) -> None:
    program = "import sys, desktop_crm.app, desktop_crm.cli; sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=top, check=False).returncode == 0


def test_the_frame_is_made_without_the_database_layer(top: Path) -> None:
    program = (
        "import sys; from desktop_crm import app; from desktop_crm.core.settings import Settings;"
        "made = app.make_application(Settings()); session = app.Session(Settings());"
        "session.window.show(); session.window.grab(); session.close();"
        "heavy = {'sqlalchemy', 'babel', 'reportlab', 'openpyxl'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = ran(top, program)
    assert done.returncode == 0, done.stderr


def test_no_source_is_read_to_learn_of_features(top: Path) -> None:
    program = (
        "import linecache; from desktop_crm import app;"
        "from desktop_crm.core.settings import Settings;"
        "app.make_application(Settings()); linecache.cache.clear();"
        "import desktop_crm.views.main_window; print(len(linecache.cache))"
    )
    done = ran(top, program)
    assert done.stdout.strip() == "0", done.stdout + done.stderr


def test_what_was_copied_lets_the_process_end_well(top: Path) -> None:
    program = (
        "from PySide6.QtCore import QMimeData; from PySide6.QtGui import QGuiApplication;"
        "from desktop_crm import app; from desktop_crm.core.settings import Settings;"
        "app.make_application(Settings()); data = QMimeData(); data.setText('copied');"
        "QGuiApplication.clipboard().setMimeData(data)"
    )
    done = ran(top, program)
    assert done.returncode == 0, done.stderr


def test_what_qt_says_when_python_has_ended_is_not_handed_to_it(top: Path) -> None:
    program = (
        "import atexit; from PySide6.QtCore import qInstallMessageHandler;"
        "from desktop_crm.views import qt_messages;"
        "atexit.register(lambda: print(qInstallMessageHandler(None)));"
        "qt_messages.install()"
    )
    done = ran(top, program)
    assert done.stdout.strip() == "None", done.stdout + done.stderr


#: What a person who waits for the first rows does not need yet.
NOT_YET = (
    "alembic", "babel", "exchangelib", "keyring", "lxml", "openpyxl", "psycopg", "python_calamine",
    "rapidfuzz", "reportlab", "sqlalchemy.orm", "sqlalchemy.dialects.postgresql", "xlsxwriter",
    "desktop_crm.cli", "desktop_crm.demo", "desktop_crm.printing", "desktop_crm.services.excel",
    "desktop_crm.services.pipeline", "desktop_crm.services.records", "desktop_crm.services.totals",
    "desktop_crm.services.writer", "desktop_crm.sync",
    "desktop_crm.views.calendar", "desktop_crm.views.charts", "desktop_crm.views.forms.record_form",
    "desktop_crm.views.palette", "desktop_crm.views.panes.home",
    "desktop_crm.views.panes.record_board", "desktop_crm.views.panes.record_detail",
)  # fmt: skip


def test_the_first_rows_are_painted_with_little_loaded(top: Path, company: Company) -> None:
    program = (
        "import os, sys; from desktop_crm.bench import start_window;"
        f"early = {NOT_YET!r};"
        "path = sys.argv[1];\n"
        "def end():\n"
        "    found = [name for name in early if name in sys.modules]\n"
        "    os.write(1, ('painted; loaded: ' + ', '.join(found)).encode())\n"
        "    os._exit(0)\n"
        "def sign_in(url):\n"
        "    from desktop_crm.db import migrate\n"
        "    from desktop_crm.services import context\n"
        "    return context.sign_in(migrate.open_current(url), 'mara')\n"
        "start_window.show(path, sign_in, end)\n"
    )
    i18n.translate("ro", "Contacts")  # the catalogue is compiled by the very first start
    done = subprocess.run(
        [sys.executable, "-c", program, app.address(company.actor)],
        cwd=top, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1:] == ["painted; loaded: "], done.stdout + done.stderr


def test_opening_brings_the_window_to_life_and_is_remembered(
    start: Callable[[SignIn, str], app.Session], company: Company
) -> None:
    session = start(lambda _url: company.actor, "anything")
    assert session.actor is company.actor
    assert session.window.workspace.key == "home"
    assert session.settings.database_url == app.address(company.actor)
    assert session.settings.recent_databases == [app.address(company.actor)]


def test_an_address_opens_again_what_it_names(company: Company) -> None:
    address = app.address(company.actor)
    assert Path(address).is_file()
    other = app.open_session(address)
    assert other.db.name == company.actor.db.name
    other.db.close()


def test_what_cannot_be_opened_says_so_and_offers_a_way_on(
    start: Callable[[SignIn, str], app.Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Exception] = []
    monkeypatch.setattr(ErrorPresenter, "show", lambda _s, error: shown.append(error))

    def refuse(_url: str) -> Actor:
        raise UserError(N_("Nothing was saved."))

    session = start(refuse, "missing.db")
    assert [str(error) for error in shown] == ["Nothing was saved."]
    page = session.window.workspace.currentWidget()
    assert isinstance(page, QWidget)
    assert page.objectName() == "closed"
    button = page.findChild(QAbstractButton, "closed.action")
    assert isinstance(button, QAbstractButton)
    assert button.isEnabled()
