"""What a command writes: readable text for people, or one line of JSON for programs."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, Final

import click

_WIDEST: Final = 60
_GAP: Final = "  "
# Characters that a program reading line by line may take for the end of the line.
_LINE_ENDS: Final = {"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class Code(IntEnum):
    """Exit codes."""

    DONE = 0
    REJECTED = 1
    USAGE = 2
    ENVIRONMENT = 3


def say(text: str) -> None:
    """Write a line for a person."""
    click.echo(text)


def warn(text: str) -> None:
    """Write a line to the error output."""
    click.echo(text, err=True)


def emit(data: object) -> None:
    """Write one line of JSON."""
    click.echo(dumps(data))


def fail(sentence: str, code: Code, *, as_json: bool, details: Mapping[str, Any] = {}) -> int:
    """Say what went wrong and return the exit code.

    Args:
        sentence: What happened, what was kept, what to do.
        code: The exit code.
        as_json: Say it on the output too, as one line.
        details: More for a program that reads it.
    """
    warn(sentence)
    if as_json:
        emit({"ok": False, "error": sentence, **details})
    return code


def dumps(value: object) -> str:
    """Turn plain values into one line of JSON.

    Decimals become numbers with every digit, days and moments ISO 8601 (moments in UTC with Z).
    """
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_text(str(key))}: {dumps(one)}" for key, one in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple | set | frozenset):
        return f"[{', '.join(map(dumps, value))}]"
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, datetime):
        return _text(value.astimezone(UTC).isoformat().replace("+00:00", "Z"))
    if isinstance(value, date):
        return _text(value.isoformat())
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes):
        return str(len(value))
    return json.dumps(value)


def number(value: Decimal) -> str:
    """A decimal without an exponent and without zeros that say nothing."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(text: str) -> str:
    shown = json.dumps(str(text), ensure_ascii=False)
    for character, escape in _LINE_ENDS.items():
        shown = shown.replace(character, escape)
    return shown


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool] = ()) -> str:
    """Lay out rows in columns; what is very long is cut with an ellipsis.

    Args:
        heads: Titles of the columns.
        rows: Shown texts.
        right: Which columns are aligned to the right; the others to the left.
    """
    cells = [[_cut(text) for text in row] for row in (heads, *rows)]
    widths = [max(_width(row[place]) for row in cells) for place in range(len(heads))]
    sides = [place < len(right) and right[place] for place in range(len(heads))]
    lines = [
        _GAP.join(
            _padded(text, width, right=side)
            for text, width, side in zip(row, widths, sides, strict=True)
        ).rstrip()
        for row in cells
    ]
    rule = _GAP.join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:]])


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _WIDEST else f"{flat[: _WIDEST - 1]}…"


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return f"{space}{text}" if right else f"{text}{space}"
