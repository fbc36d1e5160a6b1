"""Benchmark 14 and what a hand feels: scrolling, select all and the longest stall."""

from __future__ import annotations

import statistics
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from desktop_crm.bench.ground import COLUMNS, Ground
from desktop_crm.bench.rows import Row, compared, seconds, unmeasured
from desktop_crm.bench.window import (
    Gaps,
    Listing,
    application,
    standard_model,
    threads,
    wait,
    wait_for,
)
from desktop_crm.services.query import Order, RecordQuery
from desktop_crm.views.lists.record_view import RecordView

CONTACTS: Final = RecordQuery("contact", COLUMNS)
STANDARD_ROWS: Final = 20_000
_STEP: Final = 3 * 36
_ROUNDS: Final = 5
_FRAMES: Final = 40
_FLIGHTS: Final = 3
_FLIGHT_FRAMES: Final = 200
STALL_S: Final = 0.05
"""Longest time that the window may not answer."""
_RUNS: Final = 5


def frames(ground: Ground) -> list[Row]:
    """Benchmark 14: a frame of the million rows against one of Qt's own model, and long flights."""
    application()
    operation = "scroll frame of 1,000,000 rows"
    with threads() as tasks:
        listing = Listing(ground.everything, tasks)
        listing.view.show()
        listing.ask(CONTACTS)
        if not wait_for(lambda: listing.is_complete):
            return [
                unmeasured(14, operation, "the list did not load within a minute", ground.database)
            ]
        texts = listing.texts(STANDARD_ROWS)
        same = RecordView("bench.same", "Contacts")
        same.resize(listing.view.size())
        same.setModel(standard_model(texts))
        same.show_columns(listing.columns, {})
        stock = QTableView()
        stock.resize(listing.view.size())
        stock.setModel(standard_model(texts))
        stock.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        stock.verticalHeader().setDefaultSectionSize(listing.view.verticalHeader().sectionSize(0))
        stock.verticalHeader().hide()
        for view in (same, stock):
            view.show()
            for column in range(len(COLUMNS)):
                view.setColumnWidth(column, listing.view.columnWidth(column))
        for place in range(0, 2_000, 250):  # the pages in front are there
            listing.view.verticalScrollBar().setValue(place * 36)
            wait(120)
        ours, like, plain = _three(listing.view, same, stock)
        rows = [
            compared(
                14, f"{operation}, against a standard model in the same view", (ours, like), 1.3
            ),
            compared(14, f"{operation}, against a stock QTableView", (ours, plain), 2),
        ]
        rows += _flights(listing)
        for view in (listing.view, same, stock):
            view.close()
            view.deleteLater()
        wait(50)
    return [replace(row, database=ground.database) for row in rows]


def _three(*views: QTableView) -> tuple[float, ...]:
    """Median seconds of a frame of each view, in turns over the same rows."""
    times: list[list[float]] = [[] for _ in views]
    for turn in range(_ROUNDS + 1):
        for view, found in zip(views, times, strict=True):
            view.verticalScrollBar().setValue(0)
            for frame in range(_FRAMES):
                took = seconds(partial(_frame, view, (frame + 1) * _STEP))
                if turn:  # the first round fills the caches
                    found.append(took)
    return tuple(statistics.median(found) for found in times)


def _frame(view: QTableView, place: int) -> None:
    view.verticalScrollBar().setValue(place)
    view.viewport().repaint()


def _flights(listing: Listing) -> list[Row]:
    """Three long scrolls through rows that are not loaded yet, pages arriving meanwhile."""
    worst: tuple[float, float, float] = (0.0, 0.0, 0.0)
    for flight in range(_FLIGHTS):
        times: list[float] = []
        start = (flight + 1) * 200_000 * 36
        for frame in range(_FLIGHT_FRAMES):
            times.append(seconds(partial(_frame, listing.view, start + frame * 900)))
            wait(1)
        times.sort()
        middle = statistics.median(times)
        p95 = times[int(len(times) * 0.95)]
        worst = max(worst, (times[-1] / middle, p95 / middle, middle))
    longest, late, middle = worst
    operation = "scrolling into rows that load:"
    return [
        compared(14, f"{operation} 95th percentile to median", (late * middle, middle), 2),
        compared(14, f"{operation} longest of 600 to median", (longest * middle, middle), 5),
    ]


def select_all(ground: Ground) -> list[Row]:
    """Select all over a million rows: what a hand feels, so an absolute time."""
    application()
    operation = "select all, 1,000,000 rows"
    with threads() as tasks:
        listing = Listing(ground.everything, tasks)
        listing.view.show()
        listing.ask(CONTACTS)
        if not wait_for(lambda: listing.is_complete):
            return [unmeasured("selectall", operation, "the list did not load", ground.database)]
        times: list[float] = []
        for _ in range(_RUNS):
            listing.view.clearSelection()
            wait(10)

            def select() -> None:
                listing.view.selectAll()
                listing.view.viewport().repaint()

            times.append(seconds(select))
        listing.view.close()
        listing.view.deleteLater()
        wait(50)
    ours = statistics.median(times)
    reason = "" if ours <= STALL_S else "longer than 50 ms"
    return [Row("selectall", "sqlite", operation, ours, None, None, STALL_S, not reason, reason)]


def stall(ground: Ground) -> list[Row]:
    """Longest stall while a million rows open, sort, search and jump; an empty window beside."""
    application()
    operation = "longest stall: open 1,000,000 rows, sort, search, jump"
    ours = [_busy_window(ground) for _ in range(_RUNS)]
    empty = [empty_window() for _ in range(_RUNS)]
    mine, bare = statistics.median(ours), statistics.median(empty)
    reason = "" if mine <= STALL_S else "longer than 50 ms"
    return [Row("stall", "sqlite", operation, mine, bare, None, STALL_S, not reason, reason)]


def _busy_window(ground: Ground) -> float:
    gaps = Gaps()
    with threads() as tasks:
        listing = Listing(ground.everything, tasks)
        listing.view.show()
        wait(100)
        gaps.watch()
        listing.ask(CONTACTS)
        wait_for(lambda: listing.is_complete)
        for share in (0.5, 1.0, 0.1):
            bar = listing.view.verticalScrollBar()
            bar.setValue(int(bar.maximum() * share))
            wait(60)
        for typed in ("pop", "popa", "popes"):
            listing.ask(RecordQuery("contact", COLUMNS, search=typed))
            wait(60)
        wait_for(lambda: listing.is_complete)
        listing.ask(RecordQuery("contact", COLUMNS, order=(Order("modified_at", True),)))
        wait_for(lambda: listing.is_complete)
        gaps.rest()
        listing.view.close()
        listing.view.deleteLater()
        wait(20)
    return gaps.longest


def empty_window() -> float:
    """Longest gap of a window in which nothing happens."""
    gaps = Gaps()
    window = QWidget()
    window.resize(1100, 800)
    window.show()
    wait(100)
    gaps.watch()
    wait(1_000)
    gaps.rest()
    window.close()
    window.deleteLater()
    return gaps.longest
