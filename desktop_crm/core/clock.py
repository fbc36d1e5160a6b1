"""The only clock: aware UTC inside, local dates at the edge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_source: Callable[[], datetime] | None = None


def now() -> datetime:
    """Present moment, aware, in UTC."""
    if _source is not None:
        return _source().astimezone(UTC)
    return datetime.now(UTC)


def today(zone: ZoneInfo | None = None) -> date:
    """Present day in a zone; in UTC when none is given."""
    return now().astimezone(zone or UTC).date()


def use_clock(source: Callable[[], datetime] | None) -> None:
    """Replace the clock (pictures and the sample company need a fixed one); None restores it."""
    global _source  # noqa: PLW0603  one clock for the process
    _source = source
