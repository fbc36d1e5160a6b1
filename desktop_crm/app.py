"""Composition root: the only place that knows settings, database, window and command line alike.

Nothing heavy is imported before it is needed: the command line never loads Qt, and the window
paints its frame before SQLAlchemy and the models are imported on another thread.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from desktop_crm.core import garbage, i18n, log
from desktop_crm.core.settings import Settings

_TURN_S: Final = 0.001

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from desktop_crm.services.context import Actor
    from desktop_crm.views.main_window import MainWindow
    from desktop_crm.views.tasks import Tasks


def main(argv: Sequence[str] | None = None) -> int:
    """Start the window, the tour or a command, by the arguments.

    Args:
        argv: Arguments without the program's name; None takes the process's own.

    Returns:
        The exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments:
        return run_window()
    if arguments[0] == "tour":
        from desktop_crm import tour

        return tour.main(arguments[1:])
    from desktop_crm import cli

    return cli.main(arguments)


def make_application(settings: Settings) -> QApplication:
    """Make the Qt application in the user's language, theme and text size; call once."""
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtWidgets import QApplication

    from desktop_crm.views import qt_features

    qt_features.leave_sources_unread()
    from desktop_crm.views import qt_messages, qt_texts, theme

    qt_messages.install()
    i18n.use_language(settings.language)
    app = QApplication(["desktop-crm"])
    app.setApplicationName("desktop-crm")
    app.setApplicationDisplayName("Desktop CRM")
    app.setDesktopFileName("desktop-crm")
    if app.platformName() == "offscreen":
        # Its clipboard outlives Python and would take apart what was copied when that is gone.
        atexit.register(lambda: QGuiApplication.clipboard().clear())
    qt_texts.install(app)
    theme.load_fonts()
    theme.apply(app, settings.theme, settings.text_size)
    return app


def run_window() -> int:
    """Open the window and stay until it is closed."""
    put_collections_off()
    log.start_logging()
    settings = Settings.load()
    app = make_application(settings)
    session = Session(settings)
    session.window.errors.install()
    session.window.show()
    session.open_when_painted()
    code = app.exec()
    session.close()
    return code


class Session:
    """One running window: its settings, threads and the database in use.

    Attributes:
        window: The window; shown by the caller.
        tasks: The threads.
        actor: Who is signed in; None until a database is open.
    """

    def __init__(
        self,
        settings: Settings,
        sign_in: Callable[[str], Actor] | None = None,
        module: str = "home",
    ) -> None:
        from desktop_crm.views.main_window import MainWindow
        from desktop_crm.views.tasks import Tasks

        self.settings = settings
        self.tasks: Tasks = Tasks()
        self.window: MainWindow = MainWindow(settings, self.tasks)
        self.window.database_wanted.connect(self.open)
        self.actor: Actor | None = None
        self._sign_in = sign_in or open_session
        self._module = module
        self._modules = 0
        self.tasks.settled.connect(self._settled)

    def open_when_painted(self) -> None:
        """Open the database as soon as the frame is on the screen.

        Not before: what is imported for it on another thread would hold the painting up.
        """
        from desktop_crm.views.first_paint import when_painted

        when_painted(self.window, lambda: self.open(self.settings.database_url))

    def open(self, url: str) -> None:
        """Open a database off the UI thread and bring the window to life with it.

        Args:
            url: Its address; empty opens (or makes) the local sample company.
        """
        from desktop_crm.core.i18n import tr

        self.tasks.background(
            self._sign_in,
            url,
            done=self._opened,
            failed=self._failed,
            owner=self.window,
            label=tr("Opening the database"),
        )

    def _opened(self, actor: Actor) -> None:
        before, self.actor = self.actor, actor
        self.settings.remember_database(address(actor))
        self.window.start(actor, self._module)
        self.window.settings_changed()
        keep_collections_short()
        share_often()
        if before is not None and before.db is not actor.db:
            self.tasks.background(before.db.close)

    def _failed(self, error: Exception) -> None:
        keep_collections_short()
        self.window.errors.show(error)
        if self.actor is None:
            self.window.workspace.say_closed(str(error), self.window.commands.open_other)

    def _settled(self) -> None:
        """A module that was shown for the first time stays, with all that it loaded."""
        modules = self.window.workspace.count()
        if modules > self._modules:
            self._modules = modules
            keep_collections_short()

    def close(self) -> None:
        """Wait for the threads and close the database."""
        self.tasks.close()
        if self.actor is not None:
            self.actor.db.close()


def put_collections_off() -> None:
    """Let the garbage collector rest until :func:`keep_collections_short`.

    Everything that is loaded while the window opens stays; looking through it over and over
    takes an eighth of the time until the first rows are there.
    """
    garbage.rest()


def keep_collections_short() -> None:
    """Take what is loaded by now out of the garbage collector's rounds, which go on.

    Modules and declared tables stay for good; looking through them again and again stops the
    window for 100 ms at a time.
    """
    garbage.set_aside()
    garbage.go_on()


def share_often() -> None:
    """Let the window's thread have its turn sooner while others work.

    Python hands over every 5 ms, to any thread that waits: beside a pass over a mailbox the
    window stood still for more than 50 ms three times as often as with this.
    """
    sys.setswitchinterval(_TURN_S)


def address(actor: Actor) -> str:
    """Address by which the actor's database is opened again; never with a password."""
    target = actor.db.target
    return str(target.path) if target.path is not None else str(target.url)


def open_session(url: str) -> Actor:
    """Open a database and sign in; runs on the background thread.

    Args:
        url: Its address; empty opens the local sample company, made on first use.

    Raises:
        UserError: It cannot be opened by this program, or has no such user.
        EnvironmentProblem: Disk, permission or server.
    """
    from desktop_crm.db import migrate
    from desktop_crm.services import context, databases

    if not url:
        return sample_session()
    return context.sign_in(migrate.open_current(url, databases.password_of(url)))


def sample_session() -> Actor:
    """Open the local sample company; make it when it is not there yet."""
    from desktop_crm import demo
    from desktop_crm.db import migrate
    from desktop_crm.db.target import Target
    from desktop_crm.services import context

    url = demo.sample_url()
    if not Target.parse(url).exists:
        return demo.create(url)
    return context.sign_in(migrate.open_current(url))
