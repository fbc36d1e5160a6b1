"""Made-up rows of the bench data file, in the form the driver stores them.

Titles, search texts, domains and canonical numbers are derived as the product derives them when it
saves a record; a test saves the same values through the services and compares.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

from desktop_crm.core.sameness import company_key, person_key
from desktop_crm.core.text import fold, search_text

Values = tuple[object, ...]

SEED: Final = 20260131
DAYS: Final = 1460
START: Final = datetime(2022, 1, 1, tzinfo=UTC)
_START_MS: Final = int(START.timestamp() * 1000)

FIRST: Final = (
    "Ana", "Andrei", "Ioana", "Mihai", "Elena", "Ștefan", "Maria", "Alexandru", "Raluca", "Radu",
    "Cristina", "Bogdan", "Gabriela", "Vlad", "Ileana", "Tudor", "Oana", "Răzvan", "Simona", "Dan",
    "Anna", "Thomas", "Julia", "Lukas", "Sophie", "Felix", "Klara", "Jonas", "Greta", "Moritz",
    "James", "Olivia", "Henry", "Amelia", "George", "Isla", "Arthur", "Ruby", "Oscar", "Nora",
    "Luca", "Giulia", "Marco", "Chiara", "Péter", "Zsófia", "Jean", "Chloé", "José", "Inés",
)  # fmt: skip
_STEMS: Final = (
    "Popes", "Iones", "Dumitres", "Georges", "Stăn", "Munte", "Vasiles", "Lupu", "Moldove", "Sava",
    "Florea", "Neagoe", "Tomes", "Barbu", "Cojoc", "Petre", "Marin", "Enach", "Grigor", "Bălan",
    "Hoff", "Kirch", "Linden", "Stein", "Wolf", "Brand", "Fried", "Rosen", "Grün", "Schön",
    "Hart", "Wood", "Ash", "Black", "Green", "Winter", "Field", "Brook", "Stone", "Marsh",
)  # fmt: skip
_ENDINGS: Final = (
    "cu", "eanu", "escu", "aru", "ici", "ovici", "an", "oiu", "iță", "ea",
    "mann", "berg", "bach", "feld", "meyer", "hausen", "thal", "wald", "ner", "ert",
    "ley", "ton", "ford", "well", "man", "by", "worth", "shaw", "wick", "er",
)  # fmt: skip
LAST: Final = tuple(stem + ending for stem, ending in product(_STEMS, _ENDINGS))
PLACES: Final = (
    ("București", "București", "Romania"), ("Cluj-Napoca", "Cluj", "Romania"),
    ("Timișoara", "Timiș", "Romania"), ("Iași", "Iași", "Romania"),
    ("Brașov", "Brașov", "Romania"), ("Constanța", "Constanța", "Romania"),
    ("Sibiu", "Sibiu", "Romania"), ("Oradea", "Bihor", "Romania"),
    ("Berlin", "Berlin", "Germany"), ("Hamburg", "Hamburg", "Germany"),
    ("München", "Bayern", "Germany"), ("Köln", "Nordrhein-Westfalen", "Germany"),
    ("Leeds", "England", "United Kingdom"), ("Bristol", "England", "United Kingdom"),
    ("Milano", "Lombardia", "Italy"), ("Lyon", "Rhône", "France"),
    ("Győr", "Győr-Moson-Sopron", "Hungary"), ("Málaga", "Andalucía", "Spain"),
)  # fmt: skip
_STREETS: Final = ("Strada Lungă", "Calea Victoriei", "Lindenstraße", "Mill Road", "Via Roma")
_JOBS: Final = (
    "Buyer", "Head of purchasing", "Sales manager", "Chief accountant", "Architect", "Engineer",
    "Site manager", "Director", "Owner", "Assistant", "IT administrator", "Warehouse lead",
    "Marketing manager", "Designer", "Project lead", "Service technician",
)  # fmt: skip
_DEPARTMENTS: Final = ("Purchasing", "Sales", "Finance", "Production", "IT", "Marketing")
_ROLES: Final = ("decision_maker", "influencer", "employee", None)
_SALUTATIONS: Final = (None, None, "Mr", "Ms", "Dr")
_SOURCES: Final = (None, "Fair", "Website", "Referral", "Call")
_TRADES: Final = ("Lighting", "Timber", "Metalwork", "Textiles", "Foods", "Logistics", "Print")
_FORMS: Final = ("SRL", "SA", "GmbH", "Ltd", "SpA", "Kft")
_KINDS: Final = ("customer", "prospect", "partner", "reseller", "supplier", None)
_STAGES: Final = (
    ("Qualify", "open", 10, "pipeline"),
    ("Develop", "open", 30, "pipeline"),
    ("Propose", "open", 60, "best_case"),
    ("Close", "open", 80, "commit"),
    ("Won", "won", 100, "closed"),
    ("Lost", "lost", 0, "omitted"),
)
_CURRENCIES: Final = (("RON", "Romanian leu"), ("EUR", "Euro"), ("USD", "US dollar"))
_ACTIVITY_KINDS: Final = ("task", "phone_call", "appointment", "email", "note")

SEARCHES: Final = (
    ("qxyvor", "", 0),
    ("alczews", "Kowalczewski", 20),
    ("jtkiewi", "Wojtkiewicz", 200),
    ("rzezin", "Brzeziński", 6_000),
    ("opoulo", "Papadopoulou", 30_000),
)
"""Typed text, the surname that contains it, and how many contacts of a million bear it."""

LOGINS: Final = ("bench_all", "bench_team", "bench_own", "bench_few")
"""The four actors: all records, the team's, own many, own few; users 1 to 4."""
TEAM: Final = (2, *range(5, 14))
"""Users of the team, the second actor first."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a data file holds.

    Attributes:
        name: Part of the file's name.
        contacts: Living and deleted.
        accounts: All living.
        opportunities: Over all stages.
        team: Contacts of the team together, 0 for their fair share.
        own: Contacts of the third actor.
        few: Contacts of the fourth actor.
        users: Users in all.
    """

    name: str
    contacts: int
    accounts: int
    opportunities: int
    own: int
    few: int
    team: int
    users: int

    @property
    def with_timeline(self) -> int:
        """The first contacts have ten activities each."""
        return min(10_000, self.contacts // 10)


FULL: Final = Size("full", 1_000_000, 100_000, 200_000, 8_000, 20, 80_000, 128)
SMALL: Final = Size("small", 1_000, 100, 200, 250, 20, 300, 32)


def uid(random_bits: int, number: int) -> str:
    """Version 7 identity: the number counts as milliseconds, so that new ones sort behind."""
    stamp = f"{_START_MS + number:012x}"
    tail = f"{random_bits & (1 << 74) - 1:019x}"
    variant = "89ab"[int(tail[0]) & 3]
    return f"{stamp[:8]}-{stamp[8:]}-7{tail[1:4]}-{variant}{tail[4:7]}-{tail[7:]}"


class Rows:
    """Rows of every table of one file, always the same for one size."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._random = random.Random(SEED)
        self._number = 0
        self._moments = [
            (START + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S.000000")
            for hours in range(DAYS * 24)
        ]
        self._days = [(START + timedelta(days=n)).date().isoformat() for n in range(DAYS)]
        self.domains: list[str] = []

    def _of(self, choices: tuple[object, ...]) -> object:
        return choices[int(self._random.random() * len(choices))]

    def _day(self, share: float) -> str | None:
        chance = self._random.random()
        return self._days[int(chance / share * DAYS)] if chance < share else None

    def _tracked(self, by: int | None = None) -> Values:
        """Values of uid, version, created_at, modified_at, created_by_id, modified_by_id."""
        self._number += 1
        made = int(self._random.random() * (len(self._moments) - 2000))
        changed = made + int(self._random.random() * 2000)
        identity = uid(self._random.getrandbits(74), self._number)
        return (identity, 1, self._moments[made], self._moments[changed], by, by)

    # --- people ----------------------------------------------------------------------------

    def teams(self) -> Iterator[Values]:
        """Columns: id, name, title_key, search_text, tracked."""
        for key, name in ((1, "North"), (2, "South")):
            yield (key, name, fold(name), search_text((name,)), *self._tracked())

    def roles(self) -> Iterator[Values]:
        """Columns: id, name, is_admin, sees_confidential, title_key, search_text, tracked."""
        for key, name in ((1, "Everything"), (2, "Team"), (3, "Own")):
            yield (key, name, 0, 0, fold(name), search_text((name,)), *self._tracked())

    def rights(self) -> Iterator[Values]:
        """Columns: role_id, entity, read, create, edit, remove, tracked."""
        for role, level in ((1, "all"), (2, "team"), (3, "own")):
            yield (role, "*", level, level, level, level, *self._tracked())

    def users(self) -> Iterator[Values]:
        """Columns: id, name, login, team_id, role_id, state, title_key, search_text, tracked."""
        for key in range(1, self.size.users + 1):
            name = f"{FIRST[key % len(FIRST)]} {LAST[key * 7 % len(LAST)]}"
            login = LOGINS[key - 1] if key <= len(LOGINS) else None
            role = (1, 2, 3, 3)[key - 1] if key <= len(LOGINS) else 3
            team = 1 if key in TEAM else 2 if key > TEAM[-1] else None
            key_text = fold(name)
            search = f" {key_text} "
            yield (key, name, login, team, role, "active", key_text, search, *self._tracked())

    def _owners(self) -> list[int]:
        """Owner of every contact, mixed."""
        size = self.size
        owners = [3] * size.own + [4] * size.few
        owners += [TEAM[n % len(TEAM)] for n in range(size.team)]
        others = (1, *range(TEAM[-1] + 1, size.users + 1))
        owners += [others[n % len(others)] for n in range(size.contacts - len(owners))]
        self._random.shuffle(owners)
        return owners

    # --- companies -------------------------------------------------------------------------

    def accounts(self) -> Iterator[Values]:
        """Columns: see ``data.TABLES``."""
        users = self.size.users
        for key in range(1, self.size.accounts + 1):
            last = LAST[int(self._random.random() * len(LAST))]
            trade, form = self._of(_TRADES), self._of(_FORMS)
            name = f"{last} {trade} {key} {form}"
            domain = f"{fold(last)}{key}.example"
            self.domains.append(domain)
            city, region, country = PLACES[int(self._random.random() * len(PLACES))]
            number = f"A-{key:06d}"
            owner = 1 + int(self._random.random() * users)
            search = search_text((name, number, city))
            yield (
                key, name, number, self._of(_KINDS), trade, domain,
                int(self._random.random() * 900), 1, int(self._random.random() * 10**11),
                "active", city, region, country, owner, fold(name), search,
                0, 0, 0, company_key(name), *self._tracked(owner),
            )  # fmt: skip

    # --- contacts --------------------------------------------------------------------------

    def _surnames(self) -> dict[int, str]:
        """Contacts with a rare surname, in proportion to a million."""
        chosen: dict[int, str] = {}
        for _, surname, hits in SEARCHES:
            wanted = hits * self.size.contacts // FULL.contacts
            while wanted:
                key = 1 + int(self._random.random() * self.size.contacts)
                if key not in chosen:
                    chosen[key] = surname
                    wanted -= 1
        return chosen

    def contacts(self) -> Iterator[Values]:
        """Columns: see ``data.TABLES``."""
        owners, surnames = self._owners(), self._surnames()
        chance = self._random.random
        for key in range(1, self.size.contacts + 1):
            first = FIRST[int(chance() * len(FIRST))]
            last = surnames.get(key) or LAST[int(chance() * len(LAST))]
            name = f"{first} {last}"
            account = 1 + int(chance() * self.size.accounts) if chance() > 0.03 else None
            domain = self.domains[account - 1] if account else "mail.example"
            email = f"{fold(first)}.{fold(last)}{key}@{domain}"
            phone = f"+40 7{int(chance() * 90) + 10} {key % 1000:03d} {int(chance() * 900) + 100}"
            if chance() > 0.6:
                phone = ""
            place = PLACES[int(chance() * len(PLACES))] if chance() < 0.4 else None
            street = f"{self._of(_STREETS)} {int(chance() * 200) + 1}" if place else None
            postal = f"{int(chance() * 900000) + 100000}" if place else None
            city, region, country = place or (None, None, None)
            owner = owners[key - 1]
            gone = owner not in {3, 4} and surnames.get(key) is None and chance() < 0.005
            title = fold(name)
            digits = phone.replace(" ", "").removeprefix("+")
            search = search_text(t for t in (name, email, phone, city, digits) if t)
            yield (
                key, name, self._of(_SALUTATIONS), first, last, account, self._of(_JOBS),
                self._of(_DEPARTMENTS), self._of(_ROLES),
                1 + int(chance() * self.size.contacts) if chance() < 0.05 else None,
                self._day(0.3), self._day(0.02),
                f"https://{domain}" if chance() < 0.1 else None, self._of(_SOURCES),
                "active" if chance() < 0.97 else "inactive",
                f"Met at the fair, stand {key % 400}." if chance() < 0.15 else None,
                email, phone or None, street, postal, city, region, country,
                int(chance() < 0.05), int(chance() < 0.02), int(chance() < 0.1), owner,
                f"L{key}" if chance() < 0.2 else None, title, search,
                self._moments[-1] if gone else None, person_key(name), *self._tracked(owner),
            )  # fmt: skip

    # --- how to reach them -----------------------------------------------------------------

    def email_address(self, contact: int, address: str) -> Values:
        """Columns: address, domain, is_invalid, type, is_primary, contact_id, tracked."""
        return (address, address.rpartition("@")[2], 0, "work", 1, contact, *self._tracked())

    def phone(self, contact: int, number: str) -> Values:
        """Columns: number, canonical, type, is_primary, contact_id, tracked."""
        return (number, number.replace(" ", ""), "work", 1, contact, *self._tracked())

    def postal_address(self, via: str, key: int, place: Values) -> Values:
        """Columns: street, code, city, region, country, type, primary, account, contact."""
        account, contact = (key, None) if via == "account" else (None, key)
        return (*place, "work", 1, account, contact, *self._tracked())

    # --- business --------------------------------------------------------------------------

    def currencies(self) -> Iterator[Values]:
        """Columns: id, code, name, title_key, search_text, tracked."""
        for key, (code, name) in enumerate(_CURRENCIES, 1):
            yield (key, code, name, fold(code), search_text((code, name)), *self._tracked())

    def own_company(self) -> Iterator[Values]:
        """Columns: id, name, currency_id, fiscal year, rounding, MB, title_key, search_text."""
        name = "Bench Lighting SRL"
        yield (1, name, 1, 1, "total", 25, fold(name), search_text((name,)), *self._tracked())

    def rates(self) -> Iterator[Values]:
        """Columns: currency_id, rate, valid_from, tracked."""
        for currency, rate in ((2, 4_970_000), (3, 4_560_000)):
            yield (currency, rate, self._days[0], *self._tracked())

    def stages(self) -> Iterator[Values]:
        """Columns: id, name, state, probability, category, position, active, title_key; tracked."""
        for key, (name, state, percent, category) in enumerate(_STAGES, 1):
            yield (
                key, name, state, percent * 10**6, category, key, 1,
                fold(name), search_text((name,)), *self._tracked(),
            )  # fmt: skip

    def opportunities(self) -> Iterator[Values]:
        """Columns: see ``data.TABLES``."""
        chance = self._random.random
        for key in range(1, self.size.opportunities + 1):
            stage = 1 + int(chance() * len(_STAGES))
            _, state, percent, category = _STAGES[stage - 1]
            name = f"{self._of(_TRADES)} for {LAST[int(chance() * len(LAST))]} {key}"
            amount = (int(chance() * 90_000) + 500) * 10**4 if chance() < 0.95 else None
            owner = 1 + int(chance() * self.size.users)
            title = fold(name)
            yield (
                key, name, 1 + int(chance() * self.size.accounts),
                1 + int(chance() * self.size.contacts), stage, state, percent * 10**6, category,
                1 if chance() < 0.7 else 2 + int(chance() * 2), amount, self._day(1.0),
                0, 0, owner, title, f" {title} ", *self._tracked(owner),
            )  # fmt: skip

    def activities(self) -> Iterator[Values]:
        """Columns: see ``data.TABLES``; ten for each of the first contacts."""
        for key in range(1, self.size.with_timeline * 10 + 1):
            contact = (key - 1) // 10 + 1
            subject = f"Offer {key} for lighting"
            moment = self._moments[int(self._random.random() * len(self._moments))]
            title = fold(subject)
            yield (
                key, subject, self._of(_ACTIVITY_KINDS), "completed", "normal", moment,
                "normal", contact, "Sent the offer, call next week.", 1, 0, 1,
                title, f" {title} ", *self._tracked(1),
            )  # fmt: skip

    def links(self) -> Iterator[Values]:
        """Columns: activity_id, record_type, record_id, rule, evidence, confidence, state."""
        for key in range(1, self.size.with_timeline * 10 + 1):
            contact = (key - 1) // 10 + 1
            yield (
                key, "contact", contact, "contact", "sender", 100 * 10**6, "linked", 0,
                *self._tracked(),
            )  # fmt: skip
