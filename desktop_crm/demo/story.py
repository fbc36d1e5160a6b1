"""What the chapters of the sample company share: chance with a seed, time, and who is who."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from desktop_crm.core import clock
from desktop_crm.core.text import fold
from desktop_crm.services.context import Actor
from desktop_crm.services.operation import Operation

SEED: Final = 20_260_101
SOURCE: Final = "sample"
DOMAIN: Final = "cetina.example"
"""Mail domain of the sample company; ``.example`` can belong to nobody."""

_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Customer:
    """An account with what mail, deals and quotes need to know of it."""

    id: int
    name: str
    domain: str
    language: str
    currency: str
    owner: int
    days_ago: int


@dataclass(frozen=True, slots=True)
class Person:
    """A contact or lead as mail and meetings see it."""

    id: int
    name: str
    email: str
    language: str
    account: int | None = None


@dataclass(frozen=True, slots=True)
class Deal:
    """An opportunity with the people in it."""

    id: int
    name: str
    account: int
    contact: int
    owner: int
    stage: str
    opened_days_ago: int
    moved_days_ago: int
    products: tuple[str, ...]


@dataclass(slots=True)
class Story:
    """State of the telling; chapters add to it in order.

    Attributes:
        work: The open transaction; the sales office acts in it.
        me: The user who will open the program.
        today: The day the company is made, whatever moment a chapter writes at.
        ids: Keys of reference records by ``entity:name``.
        users: Keys of users by login; the program's user under "me".
        team: Users who own records, the program's user first.
        address: Mail address of the program's user.
        name: Shown name of the program's user.
        numbers: Numbers of quotes by opportunity.
        colleagues: Names and mail addresses of the others.
    """

    work: Operation
    me: Actor
    today: date
    rng: random.Random = field(default_factory=lambda: random.Random(SEED))
    ids: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    team: list[int] = field(default_factory=list)
    address: str = ""
    name: str = ""
    numbers: dict[int, str] = field(default_factory=dict)
    colleagues: list[tuple[str, str]] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    contacts: list[Person] = field(default_factory=list)
    leads: list[Person] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        """Zone of the user, in which "today" is meant."""
        return self.me.zone

    def at(self, days: int, hour: int, minute: int = 0) -> datetime:
        """A moment some days from today on the user's clock, in UTC."""
        local = datetime.combine(self.today + timedelta(days=days), time(hour, minute), self.zone)
        return local.astimezone(UTC)

    def working(self, days: int) -> int:
        """Move a distance that ends at a weekend to the Friday before or the Monday after."""
        weekday = (self.today + timedelta(days=days)).weekday()
        if weekday < _SATURDAY or days == 0:
            return days
        return days - (weekday - 4) if days < 0 else days + (7 - weekday)

    @contextmanager
    def then(self, days: int, hour: int = 15) -> Iterator[None]:
        """Write as if it were some days ago."""
        with clock.held(min(self.at(days, hour), clock.now())):
            yield

    def people_of(self, account: int) -> list[Person]:
        """Contacts of an account."""
        return [person for person in self.contacts if person.account == account]


def slug(text: str, separator: str = "-") -> str:
    """Fold a name into letters and digits joined by a separator, for addresses and files."""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in fold(text)).split()
    return separator.join(words)


_LEGAL: Final = re.compile(
    r"\s+(SRL|SA|S\.p\.A\.|S\.r\.l\.|GmbH|AG|KG|AB|SARL|SAS|Ltd|Lda|Kft\.|Sp\. z o\.o\.)$"
)


def impossible_tax_id(body: int) -> str:
    """A Romanian tax number whose check digit is wrong, so that it can be nobody's."""
    weights = (7, 5, 3, 2, 1, 7, 5, 3, 2)
    digits = f"{body:09d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return f"RO {body}{(total * 10 % 11 % 10 + 3) % 10}"


def plain(company: str) -> str:
    """Name of a company without its legal form."""
    return _LEGAL.sub("", company)
