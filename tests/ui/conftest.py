"""What tests of windows stand on: a company, a workbench, a whole window."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.company import NOW, Company, opened_company, small_company
from tests.support.post import deliver
from tests.support.windows import settle, workbench

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.main_window import MainWindow
    from desktop_crm.views.panes.mail import MailPane
    from desktop_crm.views.workbench import Workbench


@pytest.fixture(autouse=True)
def _dressed(qapp: object) -> None:
    from PySide6.QtWidgets import QApplication

    from desktop_crm.core import clock
    from desktop_crm.views import theme

    clock.use_clock(lambda: NOW)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.load_fonts()
    theme.apply(app, "light", 100)


@pytest.fixture(scope="session", autouse=True)
def _clipboard_emptied(qapp: object) -> Iterator[None]:
    """Nothing stays on the clipboard, which offscreen outlives Python and takes it apart then."""
    yield
    from PySide6.QtGui import QGuiApplication

    QGuiApplication.clipboard().clear()


@pytest.fixture(scope="session")
def _company_file(
    _sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Mapping[str, int]]:
    """The database of the small company, to be copied, and its records by name."""
    from desktop_crm.core import clock
    from desktop_crm.db.engine import Database
    from desktop_crm.services.customizing import definitions

    definitions.forget()  # of a database that another folder's tests had open
    path = tmp_path_factory.mktemp("company") / "crm.db"
    shutil.copyfile(_sqlite_template, path)
    db = Database.open(f"sqlite:///{path}")
    clock.use_clock(lambda: NOW)
    ids = small_company(db).ids
    db.close()
    return path, ids


@pytest.fixture
def company(_company_file: tuple[Path, Mapping[str, int]], tmp_path: Path) -> Iterator[Company]:
    """A small company with records of every main kind, in a database of its own."""
    from desktop_crm.db.engine import Database

    made, ids = _company_file
    path = tmp_path / "crm.db"
    shutil.copyfile(made, path)
    db = Database.open(f"sqlite:///{path}")
    yield opened_company(db, ids)
    db.close()


@pytest.fixture
def bench(company: Company, qtbot: QtBot) -> Iterator[Workbench]:
    """The tools of a pane, with a shell that only remembers."""
    made = workbench(company.actor)
    qtbot.addWidget(made.shell.window_widget())
    yield made
    made.tasks.close()


@pytest.fixture
def open_window(company: Company, qtbot: QtBot) -> Iterator[Callable[[str], MainWindow]]:
    """A function that opens the real window on a module and waits until it is quiet."""
    from desktop_crm.core.settings import Settings
    from desktop_crm.views.main_window import MainWindow
    from desktop_crm.views.tasks import Tasks

    tasks = Tasks()
    windows: list[MainWindow] = []

    def opened(module: str) -> MainWindow:
        window = MainWindow(Settings(theme="light", language="en"), tasks)
        windows.append(window)
        qtbot.addWidget(window)
        window.show()
        window.start(company.actor, module)
        qtbot.waitUntil(lambda: not tasks.busy, timeout=10_000)
        return window

    yield opened
    for window in windows:
        window.windows.close_all()
        window.close()
    tasks.close()


@pytest.fixture
def two_messages(bench: Workbench, company: Company, qtbot: QtBot) -> MailPane:
    """The mail pane over two messages of strangers, the newest open."""
    from desktop_crm.views.panes.mail import MailPane

    deliver(company, "Offer")
    deliver(company, "Delivery", hours=5, sender=("Müller", "jonas@mueller.example"))
    made = MailPane(bench)
    qtbot.addWidget(made)
    made.resize(1300, 760)
    made.show()
    made.activate()
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: made.reading.subject.text() == "Offer")
    return made
