"""Aliases of tables, made once each: SQLAlchemy copies every column for each new one."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import FromClause


def alias(table: FromClause, name: str | None = None) -> FromClause:
    """Alias of a table under a name; without one the statement finds one.

    Two parts of a statement may share it where neither stands inside the other.
    """
    return _made(table, name, len(table.c))


@lru_cache(maxsize=1024)
def _made(table: FromClause, name: str | None, width: int) -> FromClause:
    # Tables grow with fields of one's own: the width tells an alias made before.
    return table.alias(name)
