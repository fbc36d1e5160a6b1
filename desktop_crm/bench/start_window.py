"""Starts the real window on a file and tells when its frame and its first rows are painted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from desktop_crm import app

app.put_collections_off()  # before Qt is imported, as `app.run_window` does

from PySide6.QtCore import QEvent, QObject, QTimer  # noqa: E402
from PySide6.QtWidgets import QApplication, QTableView, QWidget  # noqa: E402

from desktop_crm.core import log  # noqa: E402
from desktop_crm.core.settings import Settings  # noqa: E402

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor


class Watch(QObject):
    """Writes a line when the frame, and when a page of rows, has been painted."""

    def __init__(
        self, application: QApplication, session: app.Session, end: Callable[[], None]
    ) -> None:
        super().__init__()
        self._end = end
        self._application = application
        self._session = session
        self._frame_seen = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  Qt's name
        """Look at every paint event; nothing is stopped."""
        if event.type() == QEvent.Type.Paint:
            if not self._frame_seen:
                self._frame_seen = True
                watched.removeEventFilter(self)
                QTimer.singleShot(0, self._tell_frame)
            elif self._shows_rows(watched):
                QTimer.singleShot(0, self._end)
        return False

    def _tell_frame(self) -> None:
        _tell(b"frame\n")
        self._application.installEventFilter(self)

    def _shows_rows(self, watched: QObject) -> bool:
        # Nothing may be imported here: the window decides itself when it pays for what.
        if self._session.actor is None:
            return False
        if not isinstance(watched, QWidget) or watched.objectName() != "qt_scrollarea_viewport":
            return False
        table = watched.parentWidget()
        if not isinstance(table, QTableView) or table.objectName() != "table.contact":
            return False
        return table.model().rowCount() > 0


def _tell(mark: bytes) -> None:
    os.write(1, mark)


def _end() -> None:
    _tell(b"rows\n")
    os._exit(0)


def open_as(login: str, path: str) -> Actor:
    """Open the bench file as one of its users."""
    from desktop_crm.db import migrate
    from desktop_crm.services import context

    return context.sign_in(migrate.open_current(path), login)


def show(path: str, sign_in: Callable[[str], Actor], end: Callable[[], None]) -> None:
    """Do what ``app.run_window`` does, on a file and with its contacts in front.

    Args:
        path: The file.
        sign_in: Opens it; called on the background thread.
        end: Called when the first rows are painted.
    """
    log.start_logging()
    settings = Settings.load()
    settings.database_url = path
    application = app.make_application(settings)
    session = app.Session(settings, sign_in, "contact")
    watch = Watch(application, session, end)
    # Before the window's own wait for its painting: of two filters the later is asked first.
    session.open_when_painted()
    session.window.installEventFilter(watch)
    session.window.show()
    application.exec()


if __name__ == "__main__":
    show(sys.argv[1], partial(open_as, sys.argv[2]), _end)
