"""Column types that keep cents and moments exact on SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Numeric, String
from sqlalchemy.types import TypeDecorator, TypeEngine

from desktop_crm.core.clock import EPOCH, NAIVE_EPOCH

MONEY_SCALE = 4  # the finest currency in use has four decimals
QUANTITY_SCALE = 6  # quantities, unit prices and rates (R1)


def folded(length: int) -> TypeEngine[str]:
    """Column type of folded text: compared byte by byte on every system, so that prefixes work."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class ExactNumber(TypeDecorator[Decimal]):
    """Decimal with a fixed scale: ``NUMERIC`` on PostgreSQL, a scaled integer on SQLite.

    SQLite's REAL loses cents (R1); integers add up exactly and keep their order.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, scale: int) -> None:
        super().__init__(precision=24, scale=scale)
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the stored type."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(Numeric(24, self.scale))

    def process_bind_param(
        self, value: Decimal | int | None, dialect: Dialect
    ) -> Decimal | int | None:
        """Scale and round a value half up on its way in."""
        if value is None:
            return None
        exact = Decimal(value).quantize(Decimal(1).scaleb(-self.scale), ROUND_HALF_UP)
        return int(exact.scaleb(self.scale)) if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Decimal | int | None, dialect: Dialect) -> Decimal | None:
        """Return a plain Decimal at the stored scale."""
        if value is None:
            return None
        return Decimal(value).scaleb(-self.scale) if dialect.name == "sqlite" else Decimal(value)


class UtcDateTime(TypeDecorator[datetime]):
    """Moment, always aware and in UTC; a naive one is refused as the bug it is."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the stored type."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values; SQLite keeps the UTC wall time."""
        if value is not None and value.tzinfo is None:
            raise ValueError("naive datetime reached the database")
        moment = value and value.astimezone(UTC)
        return moment and moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware moment in UTC."""
        if value is None:
            return None
        return EPOCH + (value - NAIVE_EPOCH) if value.tzinfo is None else value.astimezone(UTC)
