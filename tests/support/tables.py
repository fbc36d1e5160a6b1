"""Columns of mapped tables, which keep those of every database a process had open."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Table

from desktop_crm.services.customizing.columns import PREFIX


def declared(table: Any) -> list[Column[Any]]:
    """Columns a table has in every database: without those of fields of one's own."""
    assert isinstance(table, Table)
    return [column for column in table.columns if not column.name.startswith(PREFIX)]
