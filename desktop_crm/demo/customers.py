"""Accounts, contacts and leads, entered over the past year."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

from desktop_crm.demo import names
from desktop_crm.demo.names import Firm, Place
from desktop_crm.demo.story import Customer, Person, Story, impossible_tax_id, plain, slug
from desktop_crm.services.setup import add

CONTACTS: Final = 150
_MONTHS: Final = 12
_TYPES: Final = ("customer", "customer", "customer", "prospect", "prospect", "partner", "reseller")
_LEADS: Final = (
    ("new", 7), ("contacted", 6), ("lost", 2), ("cannot_contact", 1), ("no_interest", 2),
    ("qualified", 2),
)  # fmt: skip
_TOPICS: Final = (
    "Carton packaging for a new shop", "Labelling line, second shift", "Conveyors for a new hall",
    "Wrapping pallets for export", "Replacement of a case packer", "Spare parts contract",
    "Training for eight operators", "Sensors for an older line", "Advice on palletising",
    "Enquiry from the trade fair",
)  # fmt: skip
_SOURCES: Final = ("web_site", "trade_show", "word_of_mouth", "cold_call", "partner", "email")


def meet(story: Story) -> None:
    """Win the accounts month by month, each with its people, then the leads of late."""
    taken: set[str] = set()
    counts = _people_per_account(story)
    per_month = len(names.FIRMS) // _MONTHS
    firms = list(enumerate(names.FIRMS))
    story.rng.shuffle(firms)
    for month in range(_MONTHS):
        batch = firms[month * per_month : (month + 1) * per_month]
        days = -(385 - 31 * month)
        with story.then(days):
            made = _accounts(story, batch, days)
            _contacts(story, made, [counts[index] for index, _ in batch], taken)
    _leads(story, taken)


def _people_per_account(story: Story) -> list[int]:
    counts = [2] * len(names.FIRMS)
    for index in story.rng.sample(range(len(counts)), CONTACTS - sum(counts)):
        counts[index] += 1
    return counts


def _accounts(story: Story, batch: list[tuple[int, Firm]], days: int) -> list[Customer]:
    rows: list[dict[str, Any]] = []
    made: list[tuple[Firm, Place, str, int]] = []
    for index, firm in batch:
        place = names.PLACES[firm.place]
        domain = f"{slug(plain(firm.name))}.example"
        owner = _owner(story, index)
        made.append((firm, place, domain, owner))
        rows.append(_account(story, index, firm, place, domain, owner))
    keys = add(story.work, "account", rows)
    customers = [
        Customer(key, firm.name, domain, place.language, place.currency, owner, -days)
        for key, (firm, place, domain, owner) in zip(keys, made, strict=True)
    ]
    story.customers += customers
    for customer, (firm, *_) in zip(customers, made, strict=True):
        story.ids[f"account:{firm.name}"] = customer.id
    return customers


def _owner(story: Story, index: int) -> int:
    """A third of the accounts belong to the user, the rest to the colleagues in turn."""
    if index % 3 == 0 or len(story.team) == 1:
        return story.team[0]
    return story.team[1 + index % (len(story.team) - 1)]


def _account(
    story: Story, index: int, firm: Firm, place: Place, domain: str, owner: int
) -> dict[str, Any]:
    rng = story.rng
    employees = rng.choice((12, 18, 25, 40, 65, 90, 140, 220, 380))
    row: dict[str, Any] = {
        "name": firm.name,
        "account_number": f"C{1000 + index}",
        "relationship_type": _TYPES[index % len(_TYPES)],
        "industry": firm.industry,
        "rating": rng.choice(("hot", "warm", "warm", "cold")),
        "website": f"https://www.{domain}",
        "domain": domain,
        "employees": employees,
        "founded_year": rng.randint(1952, 2019),
        "currency": story.ids[f"currency:{place.currency}"],
        "annual_revenue": Decimal(employees) * rng.randint(55, 140) * 1000,
        "price_list": story.ids[f"price_list:{place.currency}"],
        "payment_terms": rng.choice(("30 days net", "14 days net", "50 % in advance")),
        "credit_limit": Decimal(employees) * 1000,
        "language": place.language,
        "owner": owner,
        "emails": [{"address": f"office@{domain}", "is_primary": True}],
        "phones": [{"number": place.phone.format(n=300 + index), "is_primary": True}],
        "addresses": [_address(story, firm, place)],
    }
    if firm.place == "RO":
        row["tax_id"] = impossible_tax_id(9_800_000 + index)
        row["trade_register"] = f"J{rng.randint(1, 40):02d}/0000/{rng.randint(1992, 2019)}"
    return row


def _address(story: Story, firm: Firm, place: Place) -> dict[str, Any]:
    number = story.rng.randint(1, 180)
    street = story.rng.choice(names.STREETS[place.people])
    return {
        "street": place.street.format(street=street, n=number),
        "postal_code": place.postal.format(n=story.rng.randint(100, 899)),
        "city": firm.city,
        "country": place.country,
        "is_primary": True,
    }


def _contacts(story: Story, customers: list[Customer], counts: list[int], taken: set[str]) -> None:
    rows: list[dict[str, Any]] = []
    people: list[tuple[str, str, str, int]] = []
    for customer, count in zip(customers, counts, strict=True):
        place = next(p for f in names.FIRMS if f.name == customer.name
                     for p in [names.PLACES[f.place]])  # fmt: skip
        for job, role in story.rng.sample(names.JOBS, count):
            first, last = _person(story, place.people, taken)
            address = f"{slug(first, '.')}.{slug(last)}@{customer.domain}"
            number = place.phone.format(n=500 + len(story.contacts) + len(rows))
            rows.append(
                {
                    "first_name": first,
                    "last_name": last,
                    "account": customer.id,
                    "job_title": job,
                    "role": role,
                    "owner": customer.owner,
                    "emails": [{"address": address, "is_primary": True}],
                    "phones": [{"number": number, "type": "mobile", "is_primary": True}],
                    "birthday": _birthday(story),
                }
            )
            people.append((f"{first} {last}", address, customer.language, customer.id))
    keys = add(story.work, "contact", rows)
    story.contacts += [
        Person(key, name, address, language, account)
        for key, (name, address, language, account) in zip(keys, people, strict=True)
    ]
    first_of = {person.account: person.id for person in reversed(story.contacts)}
    for customer in customers:
        story.work.change("account", customer.id, {"primary_contact": first_of[customer.id]})


def _person(story: Story, people: str, taken: set[str]) -> tuple[str, str]:
    """A name that nobody in the story has yet; small countries borrow from the English."""
    for attempt in range(200):
        firsts, lasts = names.PEOPLE[people if attempt < 100 else "en"]
        first, last = story.rng.choice(firsts), story.rng.choice(lasts)
        if f"{first} {last}" not in taken:
            taken.add(f"{first} {last}")
            break
    return first, last


def _birthday(story: Story) -> date | None:
    if story.rng.random() < 0.6:
        return None
    return date(story.rng.randint(1962, 1999), story.rng.randint(1, 12), story.rng.randint(1, 28))


def _leads(story: Story, taken: set[str]) -> None:
    reasons = [reason for reason, count in _LEADS for _ in range(count)]
    rows: list[dict[str, Any]] = []
    for number, reason in enumerate(reasons):
        company, industry, city = names.PROSPECTS[number % len(names.PROSPECTS)]
        people = "fr" if "SARL" in company else "de" if "GmbH" in company else "ro"
        first, last = _person(story, people, taken)
        address = f"{slug(first, '.')}.{slug(last)}@{slug(plain(company))}.example"
        row = {
            "subject": _TOPICS[number % len(_TOPICS)],
            "first_name": first,
            "last_name": last,
            "company": company,
            "industry": industry,
            "job_title": story.rng.choice(names.JOBS)[0],
            "source": _SOURCES[number % len(_SOURCES)],
            "rating": ("hot", "warm", "cold")[number % 3],
            "est_amount": Decimal(story.rng.randint(4, 60)) * 1000,
            "currency": story.ids["currency:EUR"],
            "status_reason": reason,
            "owner": story.team[number % len(story.team)],
            "emails": [{"address": address, "is_primary": True}],
            "addresses": [{"city": city, "is_primary": True}],
        }
        if reason == "qualified":
            customer = story.customers[-1 - number % 3]
            row["converted_account"] = customer.id
            row["converted_contact"] = story.people_of(customer.id)[0].id
        rows.append(row)
    for start in range(0, len(rows), 5):
        with story.then(-36 + start * 2):
            keys = add(story.work, "lead", rows[start : start + 5])
        story.leads += [
            Person(key, f"{row['first_name']} {row['last_name']}", row["emails"][0]["address"],
                   "ro")
            for key, row in zip(keys, rows[start : start + 5], strict=True)
        ]  # fmt: skip
