"""Statements that all databases of a worker process compile once.

A statement is compiled for the dialect of an engine and kept there. Every test opens a database
of its own, so that each compiled the same statements anew: a fifth of the time of the suite.
Tables never shrink, so a statement that one database compiled holds for the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Engine

import desktop_crm.db.engine as opened

_KEPT = 1_000


@contextmanager
def compiled_once() -> Iterator[None]:
    """Let engines of one system share dialect and compiled statements."""
    first: dict[str, Engine] = {}
    make = sqlalchemy.create_engine

    def create(*arguments: Any, **options: Any) -> Engine:
        made = make(*arguments, query_cache_size=_KEPT, **options)
        kept = first.get(made.dialect.name)
        if kept is None or kept.dialect.server_version_info is None:  # it never reached a server
            first[made.dialect.name] = made
        else:
            made.dialect = kept.dialect
            made._compiled_cache = kept._compiled_cache
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opened, "create_engine", create)
        yield
