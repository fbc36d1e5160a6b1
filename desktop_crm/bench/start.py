"""Benchmark 13: from the start of the process to the painted frame and to the first rows."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from desktop_crm.bench.ground import COLUMNS, Ground
from desktop_crm.bench.lists import page_of_everything
from desktop_crm.bench.rows import Row, compared, unmeasured
from desktop_crm.core.paths import HOME_VARIABLE
from desktop_crm.meta import registry

RUNS: Final = 5
_TIMEOUT_S: Final = 60
_OURS: Final = ("-m", "desktop_crm.bench.start_window")

BARE: Final = """
import os
from PySide6.QtWidgets import QApplication, QWidget

class Window(QWidget):
    def paintEvent(self, event):
        os.write(1, b"frame\\n")
        os._exit(0)

app = QApplication([])
window = Window()
window.resize(1440, 900)
window.show()
app.exec()
"""
"""The least that a window can cost."""

PLAIN_LIST: Final = """
import json
import os
import sys
from PySide6.QtCore import QTimer
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QApplication, QTableView
from sqlalchemy import Integer, String, create_engine, text
from sqlalchemy.orm import DeclarativeBase, Mapped, configure_mappers, mapped_column

path, statement, counts = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])

class Base(DeclarativeBase):
    pass

for number, columns in enumerate(counts):
    names = {f"c{n}": mapped_column(String(200)) for n in range(columns - 1)}
    key = mapped_column(Integer, primary_key=True)
    type(f"Class{number}", (Base,), {"__tablename__": f"t{number}", "id": key, **names})
configure_mappers()

class Table(QTableView):
    def paintEvent(self, event):
        super().paintEvent(event)
        if self.model() is not None:
            os.write(1, b"rows\\n")
            os._exit(0)

app = QApplication([])
engine = create_engine("sqlite:///" + path)
with engine.connect() as connection:
    found = connection.execute(text(statement)).all()
model = QStandardItemModel()
for row in found:
    model.appendRow([QStandardItem(str(value or "")) for value in row[3:]])
table = Table()
table.resize(1440, 900)
table.setModel(model)
table.show()
app.exec()
"""
"""As many mapped classes, the same page, in a plain table."""


def run(ground: Ground) -> list[Row]:
    """Five starts of each in turn; the clock is this process's."""
    counts = [len(entity.table.columns) for entity in registry.all()]
    listed = [PLAIN_LIST, str(ground.path), page_of_everything(), json.dumps(counts)]
    frame, rows = "start to the painted frame", f"start to the first {len(COLUMNS)} x 200 painted"
    ours_frame: list[float] = []
    ours_rows: list[float] = []
    bare: list[float] = []
    plain: list[float] = []
    try:
        with tempfile.TemporaryDirectory(prefix="desktop-crm-bench-") as home:
            _marks([*_OURS, str(ground.path)], Path(home))  # the first one makes the caches
            for _ in range(RUNS):
                bare.append(_marks(["-c", BARE], Path(home))["frame"])
                ours = _marks([*_OURS, str(ground.path)], Path(home))
                ours_frame.append(ours["frame"])
                ours_rows.append(ours["rows"])
                plain.append(_marks(["-c", *listed], Path(home))["rows"])
    except (KeyError, subprocess.TimeoutExpired) as error:
        reason = f"a window did not come up: {error!r}"
        return [unmeasured(13, operation, reason) for operation in (frame, rows)]
    middle = statistics.median
    return [
        compared(13, f"{frame}, against a bare Qt window", (middle(ours_frame), middle(bare)), 2.5),
        compared(
            13,
            f"{rows}, against Qt, SQLAlchemy, {len(counts)} mapped classes and a plain table",
            (middle(ours_rows), middle(plain)),
            1.3,
        ),
    ]


def _marks(arguments: Sequence[str], home: Path) -> dict[str, float]:
    """Seconds from the start of a Python process to each line that it writes."""
    environment = {**os.environ, HOME_VARIABLE: str(home), "QT_QPA_PLATFORM": "offscreen"}
    started = time.perf_counter()
    found: dict[str, float] = {}
    with subprocess.Popen(  # noqa: S603  this interpreter with texts of this module
        [sys.executable, *arguments], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101  asked for above
        for line in process.stdout:
            found[line.strip()] = time.perf_counter() - started
        process.wait(_TIMEOUT_S)
    return found
