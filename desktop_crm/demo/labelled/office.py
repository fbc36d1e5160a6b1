"""The invented office whose mail is labelled: firms, people, deals, and who writes for us."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.demo import names
from desktop_crm.demo.story import DOMAIN, slug
from desktop_crm.models import Stage
from desktop_crm.models.filing import FilingKind
from desktop_crm.services.operation import Operation
from desktop_crm.services.setup import add
from desktop_crm.sync.port import Address

SEED: Final = 20_260_105
BEGAN: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
PUBLIC: Final = ("gmail.com", "yahoo.com", "outlook.com")
"""Mail services of everybody: a domain that says nothing about a firm."""

_FIRST: Final = (
    "Alun", "Brad", "Carpen", "Dud", "Frasin", "Gorun", "Iasomie", "Jneapăn", "Larice", "Nuc",
    "Mesteacăn", "Ovăz", "Paltin", "Rapiță", "Salcâm", "Tei", "Ulm", "Zadă", "Cires", "Sorb",
)  # fmt: skip
_SECOND: Final = (
    "Metal", "Textil", "Transport", "Mobilă", "Ambalaje", "Instalații", "Panouri", "Unelte",
    "Sticlă", "Ceramică", "Motoare", "Pompe", "Cabluri", "Hârtie", "Vopsele", "Lacuri", "Scule",
    "Tâmplărie", "Prefabricate", "Silozuri", "Conserve", "Morărit", "Panificație", "Piese",
)  # fmt: skip
_GOODS: Final = ("linie de sortare", "hală frigorifică", "software de depozit", "cântar de pod",
                 "bandă transportoare", "robot de paletizare", "stație de epurare",
                 "tablou electric", "instalație fotovoltaică", "cabină de vopsire",
                 "mașină de etichetat", "rafturi metalice", "cuptor tunel", "pod rulant",
                 "compresor cu șurub", "generator de rezervă")  # fmt: skip
_FIRST_NAMES: Final = tuple(name for firsts, _ in names.PEOPLE.values() for name in firsts)
_LAST_NAMES: Final = tuple(name for _, lasts in names.PEOPLE.values() for name in lasts)

_MANY: Final = 40

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Firm:
    """A customer."""

    id: int
    name: str
    domain: str

    @property
    def key(self) -> Key:
        """The record."""
        return ("account", self.id)


@dataclass(frozen=True, slots=True)
class Person:
    """A contact or lead, with the address it writes from."""

    key: Key
    name: str
    address: str
    firm: Firm | None = None

    @property
    def mail(self) -> Address:
        """As it stands in a header."""
        return Address(self.address, self.name)

    @property
    def keys(self) -> frozenset[Key]:
        """The person and the firm it works for."""
        return frozenset({self.key} | ({self.firm.key} if self.firm else set()))


@dataclass(slots=True)
class Office:
    """Makes records and remembers what it made.

    Attributes:
        work: the open transaction the records are made in.
        user: whose mailbox it is.
        me: that user's address.
        colleague: somebody else of the same office.
        rules: filing rules the user made; without a record such mail is never filed.
    """

    work: Operation
    user: int
    me: Address
    colleague: Address = field(default_factory=lambda: Address(f"bogdan@{DOMAIN}", "Bogdan"))
    rng: random.Random = field(default_factory=lambda: random.Random(SEED))
    rules: list[tuple[FilingKind, str, Key | None]] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)
    _stage: int | None = None

    def firm(self) -> Firm:
        """A new customer with a domain of its own."""
        for tried in itertools.count():
            name = f"{self.rng.choice(_FIRST)} {self.rng.choice(_SECOND)}"
            # Where most pairs are taken, a branch of one of them is founded.
            name += " Nord" if tried >= _MANY else ""
            if name not in self._taken:
                break
        self._taken.add(name)
        domain = f"{slug(name)}.example"
        (key,) = self.add("account", {"name": f"{name} SRL", "domain": domain})
        return Firm(key, f"{name} SRL", domain)

    def name(self) -> tuple[str, str]:
        """First and last name that nobody here has yet."""
        while True:
            pair = self.rng.choice(_FIRST_NAMES), self.rng.choice(_LAST_NAMES)
            if " ".join(pair) not in self._taken:
                self._taken.add(" ".join(pair))
                return pair

    def person(self, firm: Firm | None, address: str = "", *more: str) -> Person:
        """A new contact; its addresses are the given ones, else one at the firm's domain."""
        first, last = self.name()
        domain = firm.domain if firm else self.rng.choice(PUBLIC)
        own = address or f"{slug(first, '.')}.{slug(last)}@{domain}"
        emails = [
            {"address": one, "is_primary": number == 0} for number, one in enumerate((own, *more))
        ]
        values = {
            "first_name": first,
            "last_name": last,
            "account": firm.id if firm else None,
            "emails": emails,
        }
        (key,) = self.add("contact", values)
        return Person(("contact", key), f"{first} {last}", own, firm)

    def lead(self, **more: Any) -> Person:  # noqa: ANN401  values of any field
        """A new lead with an address at nobody's domain."""
        first, last = self.name()
        address = f"{slug(first, '.')}.{slug(last)}@{slug(last)}-interes.example"
        values = {
            "subject": f"Interes: {self.goods()}",
            "first_name": first,
            "last_name": last,
            "emails": [{"address": address, "is_primary": True}],
        }
        (key,) = self.add("lead", {**values, **more})
        return Person(("lead", key), f"{first} {last}", address)

    def goods(self) -> str:
        """What a deal may be about."""
        return self.rng.choice(_GOODS)

    def deal(self, firm: Firm, person: Person | None = None, goods: str = "") -> Key:
        """An open opportunity, named as people name them: the firm and what it is about."""
        if self._stage is None:
            self._stage = self.work.connection.execute(
                select(Stage.id).order_by(Stage.position).limit(1)
            ).scalar_one()
        values = {
            "name": f"{firm.name} – {goods or self.goods()}",
            "account": firm.id,
            "contact": person.key[1] if person else None,
            "stage": self._stage,
        }
        (key,) = self.add("opportunity", values)
        return ("opportunity", key)

    def stranger(self, domain: str = "") -> Address:
        """Somebody no record knows."""
        first, last = self.name()
        domain = domain or self.rng.choice(PUBLIC)
        return Address(f"{slug(first, '.')}.{slug(last)}@{domain}", f"{first} {last}")

    def quote(self, firm: Firm, person: Person, number: str) -> Key:
        """A quote that went out under a number."""
        values = {
            "name": f"Ofertă {firm.name}",
            "number": number,
            "account": firm.id,
            "contact": person.key[1],
        }
        (key,) = self.add("quote", values)
        return ("quote", key)

    def case(self, firm: Firm, person: Person, **more: Any) -> Key:  # noqa: ANN401  any field
        """A case of somebody; open unless said otherwise."""
        values = {"title": "Nu pornește", "account": firm.id, "contact": person.key[1]}
        (key,) = self.add("case", {**values, **more})
        return ("case", key)

    def moment(self) -> datetime:
        """Some minute of the year's first months."""
        return BEGAN + timedelta(minutes=self.rng.randrange(90 * 24 * 60))

    def add(self, entity: str, values: dict[str, Any]) -> tuple[int, ...]:
        """Save a record that is the user's."""
        return tuple(add(self.work, entity, [{**values, "owner": self.user}]))
