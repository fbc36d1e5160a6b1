"""A small company in a test's database, made through the services as a person would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from desktop_crm.services import records
from desktop_crm.services.context import own_login, sign_in, system_actor

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database
    from desktop_crm.services.context import Actor

ZONE = ZoneInfo("Europe/Bucharest")
NOW = datetime(2026, 11, 25, 8, 20, tzinfo=UTC)
"""Wednesday, 10:20 in Bucharest; tests hold the clock here."""

STAGES = (
    ("Prospecting", "open", 10),
    ("Qualified", "open", 30),
    ("Proposal", "open", 60),
    ("Won", "won", 100),
    ("Lost", "lost", 0),
)


@dataclass
class Company:
    """Who and what there is, by name."""

    actor: Actor
    other: Actor
    ids: dict[str, int] = field(default_factory=dict)

    def add(self, entity: str, name: str, values: Mapping[str, Any], **more: Any) -> int:
        """Make a record and remember its id under a name."""
        saved = records.save(more.get("by", self.actor), entity, None, None, dict(values))
        self.ids[name] = saved.id
        return saved.id


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026, on Bucharest's clock."""
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def small_company(db: Database) -> Company:
    """Two users, two accounts, five stages, six opportunities and a week of activities."""
    system = system_actor(db)
    company = Company(system, system)
    role = company.add("role", "role", {"name": "Manager", "is_admin": True})
    seller = company.add(
        "role",
        "seller role",
        {
            "name": "Seller",
            "rights": [
                {"entity": "*", "read": "own", "create": "own", "edit": "own", "remove": "own"}
            ],
        },
    )
    people = (
        ("Ada Min", own_login(db), role),
        ("Mara Ionescu", "mara", role),
        ("Dan Pop", "dan", seller),
    )
    for name, login, role_id in people:
        company.add(
            "user", login, {"name": name, "login": login, "role": role_id,
                            "email": f"{login}@firm.example", "time_zone": "Europe/Bucharest"},
        )  # fmt: skip
    company.actor, company.other = _people(db)
    euro = company.add("currency", "EUR", {"code": "EUR", "name": "Euro"})
    lei = company.add("currency", "RON", {"code": "RON", "name": "Leu"})
    company.add(
        "exchange_rate", "rate",
        {"currency": lei, "valid_from": date(2026, 1, 1), "rate": Decimal("0.2")},
    )  # fmt: skip
    company.add("own_company", "own", {"name": "Atelier Nord SRL", "currency": euro})
    for position, (name, state, probability) in enumerate(STAGES):
        company.add(
            "stage", name,
            {"name": name, "state": state, "probability": Decimal(probability),
             "position": position},
        )  # fmt: skip
    _customers(company)
    _deals(company, euro, lei)
    _week(company)
    return company


def opened_company(db: Database, ids: Mapping[str, int]) -> Company:
    """The small company in a copy of a database it was made in."""
    return Company(*_people(db), dict(ids))


def _people(db: Database) -> tuple[Actor, Actor]:
    mara, dan = (replace(sign_in(db, login), zone=ZONE) for login in ("mara", "dan"))
    return mara, dan


def _customers(company: Company) -> None:
    mine = company.actor.user_id
    company.add("account", "rossi", {"name": "Officine Rossi", "owner": mine})
    company.add("account", "dumbrava", {"name": "Dumbrava Mobilă", "owner": mine})
    company.add(
        "contact", "claire",
        {"first_name": "Claire", "last_name": "Dubois", "full_name": "Claire Dubois",
         "account": company.ids["rossi"], "owner": mine,
         "emails": [{"address": "claire@rossi.example", "is_primary": True}]},
    )  # fmt: skip


def _deals(company: Company, euro: int, lei: int) -> None:
    ids = company.ids
    mine = company.actor.user_id
    rows: tuple[tuple[str, str, str, int | None, int, int], ...] = (
        ("Packaging line", "Prospecting", "rossi", 40_000, euro, 10),
        ("Oak chairs", "Qualified", "dumbrava", 15_000, euro, 30),
        ("Spare parts", "Proposal", "rossi", 8_000, euro, 80),
        ("Showroom", "Proposal", "dumbrava", 10_000, lei, 50),
        ("Idea", "Prospecting", "rossi", None, euro, 10),
    )
    for days, (name, stage, account, amount, currency, probability) in enumerate(rows):
        company.add(
            "opportunity", name,
            {"name": name, "stage": ids[stage], "account": ids[account], "owner": mine,
             "amount": None if amount is None else Decimal(amount), "currency": currency,
             "probability": Decimal(probability),
             "close_on": date(2026, 11, 20) + timedelta(days=4 * days)},
        )  # fmt: skip


def _week(company: Company) -> None:
    ids = company.ids
    mine = company.actor.user_id
    rows: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("late", "Send the drawings", {"kind": "task", "due_at": at(24, 12)}),
        ("call", "Call back Claire", {"kind": "phone_call", "due_at": at(25, 16)}),
        ("next week", "Prepare the fair", {"kind": "task", "due_at": at(30, 9)}),
        (
            "demo", "Product demonstration",
            {"kind": "appointment", "start_at": at(25, 11), "end_at": at(25, 12),
             "status_reason": "busy", "location": "Room 4", "account": ids["rossi"]},
        ),
        (
            "fair", "Trade fair",
            {"kind": "appointment", "start_at": datetime(2026, 11, 26, tzinfo=UTC),
             "end_at": datetime(2026, 11, 28, tzinfo=UTC), "is_all_day": True,
             "status_reason": "out_of_office"},
        ),
        (
            "stand-up", "Team stand-up",
            {"kind": "appointment", "start_at": at(2, 9), "end_at": at(2, 9, 30),
             "recurrence_rule": "FREQ=WEEKLY;BYDAY=MO,WE", "time_zone": "Europe/Bucharest",
             "recurrence_exceptions": ["2026-11-23T07:00:00+00:00"]},
        ),
    )  # fmt: skip
    for name, subject, values in rows:
        company.add("activity", name, {"subject": subject, "owner": mine, **values})
    company.add(
        "activity", "secret",
        {"subject": "Dentist", "kind": "appointment", "sensitivity": "private",
         "start_at": at(24, 15), "end_at": at(24, 16), "owner": company.other.user_id},
    )  # fmt: skip
