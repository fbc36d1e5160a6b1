"""A Qt application for the benchmarks, and tables filled as the product fills them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QApplication

from desktop_crm import app
from desktop_crm.bench.ground import COLUMNS
from desktop_crm.core.settings import Settings
from desktop_crm.meta import registry
from desktop_crm.services.context import Actor
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.lists import columns as list_columns
from desktop_crm.views.lists.record_model import RecordModel
from desktop_crm.views.lists.record_view import RecordView
from desktop_crm.views.lists.rows import QuerySource
from desktop_crm.views.tasks import Tasks

_LONGEST_MS: Final = 60_000


@lru_cache(maxsize=1)
def application() -> QApplication:
    """The application, in light colours and at the usual text size; made once."""
    settings = Settings()
    settings.theme, settings.language = "light", "en"
    made = app.make_application(settings)
    app.keep_collections_short()  # as the window does when its database is open
    app.share_often()
    return made


def wait_for(condition: Callable[[], bool]) -> bool:
    """Run the event loop until a condition holds; False after a minute."""
    loop = QEventLoop()
    poll = QTimer()
    poll.setInterval(2)
    poll.timeout.connect(lambda: loop.quit() if condition() else None)
    end = QTimer()
    end.setSingleShot(True)
    end.setInterval(_LONGEST_MS)
    end.timeout.connect(loop.quit)
    poll.start()
    end.start()
    loop.exec()
    poll.stop()
    end.stop()
    return condition()


def wait(milliseconds: int) -> None:
    """Run the event loop for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class Gaps:
    """Longest time in which the event loop did not come round.

    Attributes:
        longest: In seconds.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = 0.0
        self._timer = QTimer()
        self._timer.setInterval(1)
        self._timer.timeout.connect(self._tick)

    def watch(self) -> None:
        """Begin to look."""
        self._last = 0.0
        self._timer.start()

    def rest(self) -> None:
        """Look no longer."""
        self._timer.stop()

    def _tick(self) -> None:
        now = time.perf_counter()
        if self._last:
            self.longest = max(self.longest, now - self._last)
        self._last = now


class Listing:
    """The product's table of contacts over a database.

    Attributes:
        view: The table.
        model: Its model.
        columns: What it shows.
    """

    def __init__(self, actor: Actor, tasks: Tasks) -> None:
        self._actor = actor
        self.columns = list_columns.columns(actor, registry.get("contact"), COLUMNS)
        self.model = RecordModel(tasks)
        self.view = RecordView("bench.contacts", "Contacts")
        self.view.setModel(self.model)
        self.view.show_columns(self.columns, {})
        self.view.resize(1100, 800)

    def ask(self, asked: RecordQuery) -> None:
        """Show the rows of a question."""
        source = QuerySource(self._actor, asked, self.columns, self._actor.formats)
        self.model.set_source(source, self.columns)

    @property
    def is_complete(self) -> bool:
        """Whether every key is there."""
        return self.model.is_exact and self.model.rowCount() > 0

    def texts(self, count: int) -> list[tuple[str, ...]]:
        """Shown texts of the first rows."""
        keys = [self.model.id_at(row) for row in range(count)]
        source = QuerySource(
            self._actor, RecordQuery("contact", COLUMNS), self.columns, self._actor.formats
        )
        return [row.texts for row in source.rows([key for key in keys if key is not None])]


def standard_model(texts: list[tuple[str, ...]]) -> QStandardItemModel:
    """Qt's own model with the same texts."""
    model = QStandardItemModel(0, len(COLUMNS))
    for row in texts:
        model.appendRow([QStandardItem(text) for text in row])
    app.keep_collections_short()  # these items are the limit's, not the product's
    return model


@contextmanager
def threads() -> Iterator[Tasks]:
    """The product's threads, closed at the end."""
    tasks = Tasks()
    try:
        yield tasks
    finally:
        tasks.close()
