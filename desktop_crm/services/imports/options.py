"""What a person may say about an import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class OnConflict(StrEnum):
    """Who wins where a workbook and the database both changed a field."""

    ASK = "ask"
    MINE = "mine"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Choices of an import; everything not said is found out from the file.

    Attributes:
        mapping: Column name to field; an empty field leaves the column out.
        values: (field, text in the file) to the title or value meant.
        match: Field that identifies records; empty uses the entity's own keys.
        sheet: Sheet of a workbook; empty takes the first with a table.
        encoding: Text encoding of a CSV file; empty detects it.
        delimiter: Character between the values of a CSV file; empty detects it.
        dates: ``dmy``, ``mdy`` or ``ymd``; empty reads it off the columns.
        decimal: ``.`` or ``,``; empty reads it off the columns.
        conflicts: Who wins where workbook and database both changed a field.
        create_missing: Link fields whose record is made when the file names one that is missing.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[tuple[str, str], str] = field(default_factory=dict)
    match: str = ""
    sheet: str = ""
    encoding: str = ""
    delimiter: str = ""
    dates: str = ""
    decimal: str = ""
    conflicts: OnConflict = OnConflict.ASK
    create_missing: frozenset[str] = frozenset()
