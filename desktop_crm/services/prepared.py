"""SELECTs compiled once and run on the driver's own cursor.

Making and compiling a statement costs SQLAlchemy more than SQLite needs to answer it, so that
lists keep theirs; only late values (keys, words) change from run to run.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from sqlalchemy import CompoundSelect, Connection, Dialect, Select

from desktop_crm.core import turns
from desktop_crm.db.engine import Cancel, Database

_Description = Any
_Convert = Callable[[Any], Any]

_AT_ONCE: Final = 100

_PLACES: Final = re.compile(r"""'[^']*'|"[^"]*"|\?""")
"""Values of a statement, and what only looks like one because it stands between quotes."""

_CODE: Final = re.compile(r"\w{1,40}", re.ASCII)
"""Codes of choices and the like, between quotes as they are."""


class Row(NamedTuple):
    """One record of a list; ``values`` stand in the order of the query's columns."""

    id: int
    version: int
    deleted: bool
    values: tuple[Any, ...]


def _all(cursor: Any) -> tuple[_Description, list[tuple[Any, ...]]]:  # noqa: ANN401  any driver
    return cursor.description, cursor.fetchall()


class Prepared:
    """One statement of one database in the driver's text.

    Late values are those bound under a name of :meth:`rows`' keyword arguments; they must be
    what the driver takes as it is: text, integers, lists of integers.

    Args:
        db: Where it runs.
        statement: What it reads.
        whole: It goes through a whole table, as ``Database.read`` wants to know.
    """

    __slots__ = ("_converters", "_names", "_types", "_values", "_whole", "sql")

    def __init__(
        self,
        db: Database,
        statement: Select[Any] | CompoundSelect[Any],
        *,
        whole: bool = False,
    ) -> None:
        self._whole = whole
        dialect = db.engine.dialect
        compiled = statement.compile(dialect=dialect)
        state = compiled.construct_expanded_state()
        convert: Mapping[str, _Convert] = {**compiled._bind_processors, **state.processors}  # type: ignore[dict-item]
        values = {
            name: convert[name](value) if name in convert else value
            for name, value in state.parameters.items()
        }
        self.sql = state.statement
        self._names: dict[str, list[int]] | None = None
        self._values: Any = values
        if state.positiontup is not None:
            named = {name for name, bound in compiled.binds.items() if not bound.unique}
            self.sql, places = _spelled(state.statement, state.positiontup, values, named)
            self._names = {}
            for place, name in enumerate(places):
                self._names.setdefault(name, []).append(place)
            self._values = tuple(values[name] for name in places)
        self._types = [column.type for column in statement.selected_columns]
        self._converters: list[tuple[int, _Convert]] | None = None

    def rows(self, db: Database, cancel: Cancel | None = None, **late: object) -> list[Row]:
        """Run it; the first columns are key, version and deletion mark."""
        found = self._read(db, cancel, late, 3)
        # The constructor of a named tuple is a Python function: three times as slow.
        new = tuple.__new__
        return [new(Row, (r[0], r[1], r[2] is not None, r[3:])) for r in found]

    def tuples(
        self, db: Database, cancel: Cancel | None = None, **late: object
    ) -> list[tuple[Any, ...]]:
        """Run it; rows as plain tuples."""
        return self._read(db, cancel, late, 0)

    def _read(
        self, db: Database, cancel: Cancel | None, late: Mapping[str, object], first: int
    ) -> list[tuple[Any, ...]]:
        description, found = db.read(self.sql, self.values(**late), _all, cancel, whole=self._whole)
        return self._converted(db.engine.dialect, description, found, first)

    def inside(self, connection: Connection, **late: object) -> list[tuple[Any, ...]]:
        """Run it within an open transaction."""
        result = connection.exec_driver_sql(self.sql, self.values(**late))
        cursor: Any = result.cursor
        rows: list[tuple[Any, ...]] = []
        while part := cursor.fetchmany(_AT_ONCE):
            turns.give_way()  # a driver turns what came into Python's values without a pause
            rows.extend(part)
        return self._converted(connection.dialect, cursor.description, rows, 0)

    def keys(self, db: Database, cancel: Cancel | None = None, **late: object) -> array[int]:
        """Run it; the first and only column is a key."""
        return db.read(
            self.sql,
            self.values(**late),
            lambda cursor: array("q", chain.from_iterable(cursor)),
            cancel,
            whole=self._whole,
        )

    def number(self, db: Database, cancel: Cancel | None = None, **late: object) -> int:
        """Run it; its one row has one number."""
        return int(self.keys(db, cancel, **late)[0])

    def values(self, **late: object) -> Any:  # noqa: ANN401  a tuple or a mapping
        """Values in the driver's form, the late ones put in."""
        if self._names is None:
            return {**self._values, **late}
        if not late:
            return self._values
        values = list(self._values)
        for name, value in late.items():
            for place in self._names.get(name, ()):
                values[place] = value
        return tuple(values)

    def _converted(
        self, dialect: Dialect, description: _Description, rows: list[tuple[Any, ...]], first: int
    ) -> list[tuple[Any, ...]]:
        """Turn the driver's values into Python's from one column on."""
        converters = self._converters
        if converters is None:
            converters = self._converters = self._find_converters(dialect, description, first)
        if not converters:
            return rows
        made: list[tuple[Any, ...]] = []
        for row in rows:
            values = list(row)
            for place, convert in converters:
                if values[place] is not None:
                    values[place] = convert(values[place])
            made.append(tuple(values))
        return made

    def _find_converters(
        self, dialect: Dialect, description: _Description, first: int
    ) -> list[tuple[int, _Convert]]:
        found: list[tuple[int, _Convert]] = []
        for place, type_ in enumerate(self._types[first:], first):
            code = description[place][1]
            processor = type_.dialect_impl(dialect).result_processor(dialect, code)
            if processor is not None:
                found.append((place, processor))
        return found


def _spelled(
    sql: str, names: Sequence[str], values: Mapping[str, Any], named: set[str]
) -> tuple[str, list[str]]:
    """A statement with its fixed numbers and codes written out; the names of the values left.

    SQLite plans a statement anew each time it runs when its plan looked at a value, as for an
    index over some rows: a conversation of four messages took eight times as long.
    """
    left: list[str] = []
    coming = iter(names)

    def spell(found: re.Match[str]) -> str:
        if found[0] != "?":
            return found[0]
        name = next(coming)
        value = values[name]
        if name not in named:
            if type(value) is int:
                return str(value)
            if type(value) is str and _CODE.fullmatch(value):
                return f"'{value}'"
        left.append(name)
        return "?"

    return _PLACES.sub(spell, sql), left
