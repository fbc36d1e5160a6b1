"""Dates, numbers and money as a person of one language writes and reads them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from datetime import UTC, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, translate
from desktop_crm.core.money import exponent

_DATE_ORDERS: Final = {"en": "dmy", "ro": "dmy"}
_LOCALES: Final = {"en": "en_GB", "ro": "ro_RO"}
_ISO: Final = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMERIC_DATE: Final = re.compile(r"^(\d{1,2})[./\-\s](\d{1,2})[./\-\s](\d{2,4})")
_NAMED_DATE: Final = re.compile(r"^(\d{1,2})[.\s\-]+([^\W\d_]{3,})\.?[\s\-,]+(\d{4})")
_TIME: Final = re.compile(r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?\s*([ap]m)?$", re.IGNORECASE)
_CENTURY: Final = 70
_LARGEST_EXPONENT: Final = 40
_GROUP: Final = 3
_NUMBER: Final = re.compile(
    r"(?P<sign>[+-]?)(?P<digits>[0-9.,]*[0-9][0-9.,]*)(?P<exponent>[eE][+-]?[0-9]{1,3})?"
)
_UTC_ZONE: Final = ZoneInfo("UTC")


@lru_cache(maxsize=8)
def _month_names(language: str) -> dict[str, int]:
    from babel.dates import get_month_names

    names: dict[str, int] = {}
    for code in {language, "en"}:
        for width in ("wide", "abbreviated"):
            for number, name in get_month_names(width, locale=_LOCALES[code]).items():
                names[name.rstrip(".").casefold()[:3]] = number
    return names


@dataclass(frozen=True, slots=True)
class Formats:
    """How one person reads and writes values.

    Attributes:
        language: ``en`` or ``ro``; decides separators, month names and the order of dates.
        zone: Zone in which moments are shown and typed.
    """

    language: str = "en"
    zone: ZoneInfo = _UTC_ZONE

    @property
    def locale(self) -> str:
        """Babel's name of the locale."""
        return _LOCALES.get(self.language, "en_GB")

    @property
    def group_mark(self) -> str:
        """Character between groups of three digits."""
        return "." if self.language == "ro" else ","

    def number(self, value: Decimal | int, places: int | None = None) -> str:
        """Show a number; ``places`` fixes the decimals, None shows as many as it has."""
        if places is None:
            normal = Decimal(value).normalize()
            exponent_ = normal.as_tuple().exponent
            places = max(0, -exponent_) if isinstance(exponent_, int) else 0
        text = f"{Decimal(value):,.{places}f}"
        if self.language != "ro":
            return text
        return text.translate(str.maketrans(",.", ".,"))

    def money(self, value: Decimal, currency: str = "") -> str:
        """Show an amount with the decimals of its currency and the currency's code."""
        text = self.number(value, exponent(currency) if currency else 2)
        return f"{text} {currency}" if currency else text

    def percent(self, value: Decimal) -> str:
        """Show a percentage; 19 means 19 %."""
        gap = "" if self.language == "en" else "\N{NO-BREAK SPACE}"
        return f"{self.number(value)}{gap}%"

    def date(self, value: dt.date) -> str:
        """Show a day, e.g. 22 Nov 2026."""
        from babel.dates import format_date

        pattern = "dd MMM yyyy"
        return format_date(value, pattern, locale=self.locale)

    def local(self, value: dt.datetime) -> dt.datetime:
        """A moment on the person's clock; the first and the last one there is keep their own.

        Programs write them for "never", and they come with calendars and mail of others.
        """
        try:
            return value.astimezone(self.zone)
        except OverflowError:
            return value

    def time(self, value: dt.datetime) -> str:
        """Show the time of day of a moment in the person's zone, e.g. 09:05."""
        return self.local(value).strftime("%H:%M")

    def datetime(self, value: dt.datetime) -> str:
        """Show a moment in the person's zone."""
        local = self.local(value)
        return f"{self.date(local.date())} {local:%H:%M}"

    def month(self, value: dt.date) -> str:
        """Show month and year, e.g. November 2026."""
        from babel.dates import format_date

        return format_date(value, "LLLL yyyy", locale=self.locale)

    def weekday(self, value: dt.date, *, short: bool = False) -> str:
        """Show the day of the week."""
        from babel.dates import format_date

        return format_date(value, "ccc" if short else "cccc", locale=self.locale)

    def relative_day(self, value: dt.datetime) -> str:
        """Show a moment briefly: the time today, else yesterday or the day."""
        day = self.local(value).date()
        today = clock.today(self.zone)
        if day == today:
            return self.time(value)
        if day == today - timedelta(days=1):
            return translate(self.language, N_("Yesterday"))
        if day == today + timedelta(days=1):
            return translate(self.language, N_("Tomorrow"))
        return self.date(day)

    def parse_decimal(self, text: str) -> Decimal:
        """Read a number as typed: group marks, NBSP and both decimal marks are understood.

        A mark that stands once with other than three digits behind it, or is the last of two
        kinds, is the decimal mark; a single mark before three digits is read by the language.
        Marks that repeat must stand between groups of three digits: 1.2.2026 is no number.

        Raises:
            UserError: The text is no number.
        """
        bare = re.sub(r"[\s\u00a0\u2009\u202f']", "", text).replace("\u2212", "-")
        match = _NUMBER.fullmatch(bare)
        digits = self._with_point(match["digits"]) if match else ""
        try:
            value = Decimal(f"{match['sign']}{digits}{match['exponent'] or ''}" if match else "")
        except InvalidOperation:
            raise UserError(N_("“{text}” is not a number."), text=text) from None
        if value.adjusted() > _LARGEST_EXPONENT:
            raise UserError(N_("“{text}” is not a number."), text=text)
        return value

    def _with_point(self, digits: str) -> str:
        """Digits without group marks and with a point; empty when the marks make no sense."""
        marks = re.findall(r"[.,]", digits)
        if not marks:
            return digits
        last = marks[-1]
        whole, _, behind = digits.rpartition(last)
        one_kind = len(set(marks)) == 1
        if one_kind and len(marks) == 1:
            fits = 0 < len(whole) <= _GROUP and len(behind) == _GROUP
            grouped = fits and last == self.group_mark
            return whole + behind if grouped else f"{whole}.{behind}"
        parts = (digits if one_kind else whole).split(marks[0])
        groups = all(part.isdigit() and len(part) == _GROUP for part in parts[1:])
        if not groups or not 0 < len(parts[0]) <= _GROUP:
            return ""
        return "".join(parts) if one_kind else f"{''.join(parts)}.{behind}"

    def parse_date(self, text: str) -> dt.date:
        """Read a day as typed: ISO, day-month-year with any mark, or with the month's name.

        Raises:
            UserError: The text is no day of the calendar.
        """
        found = self._date_in(text.strip())
        if found is None:
            raise UserError(
                N_("“{text}” is not a date. Write it like 31.12.2026 or 2026-12-31."), text=text
            )
        return found[0]

    def parse_datetime(self, text: str) -> dt.datetime:
        """Read a moment as typed; without an offset it is in the person's zone.

        Raises:
            UserError: The text is no moment.
        """
        stripped = text.strip()
        try:
            moment = dt.datetime.fromisoformat(stripped)
        except ValueError:
            moment = self._typed_moment(stripped)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise UserError(
                N_("“{text}” is not a date. Write it like 31.12.2026 or 2026-12-31."), text=text
            ) from None

    def _typed_moment(self, text: str) -> dt.datetime:
        found = self._date_in(text)
        if found is None:
            raise UserError(
                N_("“{text}” is not a date. Write it like 31.12.2026 or 2026-12-31."), text=text
            )
        day, rest = found
        rest = rest.strip(" ,T")
        if not rest:
            return dt.datetime.combine(day, dt.time(0), self.zone)
        match = _TIME.match(rest)
        if match is None:
            raise UserError(N_("“{text}” is not a time. Write it like 14:30."), text=rest)
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        if match[4] and 1 <= hour <= 12:
            hour = hour % 12 + (12 if match[4].lower() == "pm" else 0)
        try:
            return dt.datetime.combine(day, dt.time(hour, minute, second), self.zone)
        except ValueError:
            raise UserError(N_("“{text}” is not a time. Write it like 14:30."), text=rest) from None

    def _date_in(self, text: str) -> tuple[dt.date, str] | None:
        try:
            if match := _ISO.match(text):
                found = dt.date(int(match[1]), int(match[2]), int(match[3]))
            elif match := _NUMERIC_DATE.match(text):
                year = int(match[3])
                if year < 100:
                    year += 2000 if year < _CENTURY else 1900
                found = dt.date(year, int(match[2]), int(match[1]))
            elif match := _NAMED_DATE.match(text):
                month = _month_names(self.language).get(match[2].casefold()[:3], 0)
                found = dt.date(int(match[3]), month, int(match[1]))
            else:
                return None
        except ValueError:
            return None
        return found, text[match.end() :]
