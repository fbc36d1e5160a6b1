"""Benchmark 13: from the start of the process to the painted frame and to the first rows."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy
from sqlalchemy import Column

from desktop_crm.bench.data_rows import LOGINS
from desktop_crm.bench.ground import PAGE, Ground
from desktop_crm.bench.lists import page_of_everything
from desktop_crm.bench.rows import Row, compared, unmeasured
from desktop_crm.core.paths import HOME_VARIABLE
from desktop_crm.meta import registry
from desktop_crm.meta.types import ExactNumber, UtcDateTime

RUNS: Final = 5
_TIMEOUT_S: Final = 60
_NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"
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
import gc
import os
import sys
gc.disable()
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QApplication, QTableView
from shibokensupport import feature
feature._mod_uses_pyside = lambda module: False
from sqlalchemy import create_engine, text
import plain_models

path, statement = sys.argv[1], sys.argv[2]

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
"""As many mapped classes, the same page, in a plain table; looks for no garbage and no features."""

_HEAD: Final = """
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from sqlalchemy import JSON, Boolean, Date, DateTime, Index, Integer, LargeBinary, Numeric
from sqlalchemy import String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass
"""
_PLAIN_TYPES: Final = (
    (sqlalchemy.Boolean, "bool", "Boolean"),
    (sqlalchemy.Integer, "int", "Integer"),
    (sqlalchemy.Text, "str", "Text"),
    (sqlalchemy.String, "str", "String(200)"),
    (sqlalchemy.Date, "date", "Date"),
    (sqlalchemy.JSON, "Any", "JSON"),
    (sqlalchemy.LargeBinary, "bytes", "LargeBinary"),
    (ExactNumber, "Decimal", "Numeric(24, 4)"),
    (UtcDateTime, "datetime", "DateTime"),
)


def plain_models() -> str:
    """The mapped classes as anybody writes them: same tables, columns and indexes, no more."""
    lines = [_HEAD]
    for entity in registry.all():
        lines += ["", f"class {entity.model.__name__}(Base):"]
        lines.append(f'    __tablename__ = "{entity.table.name}"')
        indexes = [
            f"Index({str(index.name)!r}, {', '.join(repr(c.name) for c in index.columns)})"
            for index in entity.table.indexes
        ]
        if indexes:
            lines.append(f"    __table_args__ = ({', '.join(indexes)},)")
        lines += [f"    {_plain_column(column)}" for column in entity.table.columns]
    return "\n".join(lines) + "\n"


def _plain_column(column: Column[Any]) -> str:
    python, plain = next(
        (python, plain) for kind, python, plain in _PLAIN_TYPES if isinstance(column.type, kind)
    )
    if column.primary_key:
        return f"{column.name}: Mapped[{python}] = mapped_column({plain}, primary_key=True)"
    shown = f"{python} | None" if column.nullable else python
    return f"{column.name}: Mapped[{shown}] = mapped_column({plain})"


def run(ground: Ground) -> list[Row]:
    """Five starts of each in turn; the clock is this process's."""
    ours_listed = [*_OURS, str(ground.path), LOGINS[0]]
    listed = ["-c", PLAIN_LIST, str(ground.path), page_of_everything()]
    frame, rows = "start to the painted frame", f"start to the first {PAGE} rows painted"
    ours_frame: list[float] = []
    ours_rows: list[float] = []
    bare: list[float] = []
    plain: list[float] = []
    try:
        with tempfile.TemporaryDirectory(prefix="desktop-crm-bench-") as home:
            Path(home, "plain_models.py").write_text(plain_models(), encoding="utf-8")
            for first in (["-c", BARE], ours_listed, listed):
                _marks(first, Path(home))  # the first ones make the bytecode and other caches
            for _ in range(RUNS):
                bare.append(_marks(["-c", BARE], Path(home))["frame"])
                ours = _marks(ours_listed, Path(home))
                ours_frame.append(ours["frame"])
                ours_rows.append(ours["rows"])
                plain.append(_marks(listed, Path(home))["rows"])
    except (KeyError, subprocess.TimeoutExpired) as error:
        reason = f"a window did not come up: {error!r}"
        return [unmeasured(13, operation, reason) for operation in (frame, rows)]
    middle = statistics.median
    return [
        compared(13, f"{frame}, against a bare Qt window", (middle(ours_frame), middle(bare)), 2.5),
        compared(
            13,
            f"{rows}, against Qt, {len(registry.all())} mapped classes and a plain table",
            (middle(ours_rows), middle(plain)),
            1.3,
        ),
    ]


def _marks(arguments: Sequence[str], home: Path) -> dict[str, float]:
    """Seconds from the start of a Python process to each line that it writes."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != _NO_BYTECODE},
        HOME_VARIABLE: str(home),
        # Whoever installs a program has its bytecode; a checkout may be forbidden to write it.
        "PYTHONPYCACHEPREFIX": str(home / "bytecode"),
        "PYTHONPATH": str(home),
        "QT_QPA_PLATFORM": "offscreen",
    }
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
