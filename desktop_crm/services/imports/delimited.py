"""Tables as text: CSV with whatever delimiter, encoding and flaws the other program gave it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.services.excel.table import (
    Source,
    Table,
    TableRow,
    clean_text,
    header_index,
    unique_names,
)
from desktop_crm.services.imports import encoding

_DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_ROWS: Final = 200
_SAMPLE_TEXT: Final = 400_000
_LARGEST_FIELD: Final = 64_000_000
_RUNAWAY_LINES: Final = 200
_SYSTEMATIC: Final = 10


def read(data: bytes, name: str, *, charset: str = "", delimiter: str = "") -> Table:
    """Read a CSV file.

    Args:
        data: The file's bytes.
        name: Its name, for messages.
        charset: Codec to use instead of the detected one.
        delimiter: Character between values instead of the detected one.

    Raises:
        UserError: The file holds no table or the encoding does not exist.
    """
    used = charset or encoding.detect(data)
    try:
        text = encoding.decode(data, used)
    except LookupError:
        raise UserError(N_("There is no text encoding {name}."), name=charset) from None
    notices = []
    text = text.lstrip("\ufeff")
    if zeros := text.count("\x00"):
        text = text.replace("\x00", "")
        notices.append(ntr("{n} zero byte was ignored.", "{n} zero bytes were ignored.", zeros))
    if "\ufffd" in text:
        notices.append(
            tr("Some characters cannot be read as {encoding}; they show as �.", encoding=used)
        )
    text, declared = _declared_delimiter(text)
    mark = delimiter or declared or _delimiter(text)
    records = _records(text, mark, first_line=2 if declared else 1)
    return _table(records, Source(name, "csv", encoding=used, delimiter=mark), notices)


def _declared_delimiter(text: str) -> tuple[str, str]:
    """Split off the first line ``sep=;`` with which spreadsheet programs name the delimiter."""
    first, _, rest = text.partition("\n")
    bare = first.strip().strip('"')
    if len(bare) == len("sep=") + 1 and bare.lower().startswith("sep="):
        return rest, bare[-1]
    return text, ""


def _delimiter(text: str) -> str:
    sample = text[:_SAMPLE_TEXT]
    best, best_score = ",", 0.0
    for mark in _DELIMITERS:
        widths = Counter(
            len(row) for row in islice(_reader(sample, mark), _SAMPLE_ROWS) if any(row)
        )
        if not widths:
            continue
        width, rows = max(widths.items(), key=lambda item: (item[1], item[0]))
        score = 0.0 if width == 1 else rows / widths.total() + min(width, 20) / 100
        if score > best_score:
            best, best_score = mark, score
    return best


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(_LARGEST_FIELD)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)


def _records(text: str, delimiter: str, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """Yield (line on which the record starts, its values)."""
    csv.field_size_limit(_LARGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    start = first_line
    for values in reader:
        yield start, values
        start = first_line + reader.line_num


def _table(
    records: Iterable[tuple[int, list[str]]], source: Source, notices: Sequence[str]
) -> Table:
    cleaned = [
        (line, tuple(clean_text(value) or None for value in values)) for line, values in records
    ]
    cleaned = [(line, cells) for line, cells in cleaned if any(c is not None for c in cells)]
    index = header_index([cells for _, cells in cleaned[:50]])
    if index < 0:
        raise UserError(N_("{file} holds no table. Nothing was imported."), file=source.name)
    line, names = cleaned[index]
    header = [name or "" for name in names]
    while header and not header[-1]:
        header.pop()
    width = len(header)
    body = [(number, _trimmed(cells, width)) for number, cells in cleaned[index + 1 :]]
    padded = _drops_trailing_values([cells for _, cells in body], width)
    rows = [_row(number, cells, width, padded=padded) for number, cells in body]
    return Table(
        header=unique_names(header),
        rows=rows,
        source=Source(
            source.name,
            source.kind,
            encoding=source.encoding,
            delimiter=source.delimiter,
            header_row=line,
        ),
        notices=tuple(notices),
    )


def _trimmed(cells: tuple[str | None, ...], width: int) -> tuple[str | None, ...]:
    values = list(cells)
    while len(values) > width and values[-1] is None:
        values.pop()
    return tuple(values)


def _drops_trailing_values(rows: Sequence[tuple[str | None, ...]], width: int) -> bool:
    """Say whether the writer leaves out empty values at the end of a row, as some programs do.

    It does when that happens often and no complete row ends in an empty value; otherwise a short
    row has lost a value somewhere and its columns cannot be trusted.
    """
    short = sum(1 < len(cells) < width for cells in rows)
    return short >= _SYSTEMATIC and not any(len(c) == width and c[-1] is None for c in rows)


def _row(number: int, cells: tuple[str | None, ...], width: int, *, padded: bool) -> TableRow:
    count = len(cells)
    values = (*cells, *([None] * (width - count)))[:width]
    if any(value is not None and value.count("\n") > _RUNAWAY_LINES for value in cells):
        sentence = tr("A quotation mark opens here and is not closed for many lines.")
        return TableRow(number, values, sentence)
    if count == width or (padded and 1 < count < width):
        return TableRow(number, values)
    problem = ntr(
        "The row has {n} value where the header has {width} columns.",
        "The row has {n} values where the header has {width} columns.",
        count,
        width=width,
    )
    return TableRow(number, values, problem)
