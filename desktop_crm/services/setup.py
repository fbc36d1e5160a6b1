"""What every new database starts with: an administrator, roles, stages, taxes, units, numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, language, tr
from desktop_crm.db import migrate
from desktop_crm.db.engine import Database
from desktop_crm.db.target import Target
from desktop_crm.meta import registry
from desktop_crm.models import Currency, Role, User
from desktop_crm.models.opportunity import ForecastCategory, OpportunityState
from desktop_crm.models.product import TaxCategory
from desktop_crm.models.user import RightLevel
from desktop_crm.services.context import EVERY, Actor, own_login, sign_in, system_actor
from desktop_crm.services.operation import Operation, operation
from desktop_crm.services.records import Change

SOURCE: Final = "setup"
OWN_CURRENCY: Final = "RON"

_CURRENCIES: Final = (
    ("RON", N_("Romanian leu"), "lei"),
    ("EUR", N_("Euro"), "€"),
    ("USD", N_("US dollar"), "$"),
)

# Codes of UN/ECE Recommendation 20, as EN 16931 wants them on documents.
_UNITS: Final = (
    ("H87", N_("piece")),
    ("HUR", N_("hour")),
    ("DAY", N_("day")),
    ("MON", N_("month")),
    ("KGM", N_("kg")),
    ("MTR", N_("m")),
    ("SET", N_("set")),
)

_FROM_2017: Final = date(2017, 1, 1)
_FROM_AUGUST_2025: Final = date(2025, 8, 1)
# Romanian VAT: 19 % from 2017, 21 % from 1 August 2025 (Law 141/2025), which also joined the
# reduced rates of 5 and 9 % into 11 %. Legal notes stay empty: documents then print the usual
# wording of the category in the customer's language.
_TAXES: Final[tuple[tuple[str, str, TaxCategory, tuple[tuple[date, int], ...]], ...]] = (
    ("S", N_("Standard rate"), TaxCategory.STANDARD,
     ((_FROM_2017, 19), (_FROM_AUGUST_2025, 21))),
    ("R", N_("Reduced rate"), TaxCategory.STANDARD, ((_FROM_2017, 9), (_FROM_AUGUST_2025, 11))),
    ("Z", N_("Zero rate"), TaxCategory.ZERO, ((_FROM_2017, 0),)),
    ("E", N_("Exempt"), TaxCategory.EXEMPT, ((_FROM_2017, 0),)),
    ("AE", N_("Reverse charge"), TaxCategory.REVERSE, ((_FROM_2017, 0),)),
    ("O", N_("Outside the scope of VAT"), TaxCategory.OUTSIDE, ((_FROM_2017, 0),)),
)  # fmt: skip

_OPEN, _PIPELINE = OpportunityState.OPEN, ForecastCategory.PIPELINE
_STAGES: Final = (
    ("prospecting", N_("Prospecting"), _OPEN, 10, _PIPELINE),
    ("qualification", N_("Qualification"), _OPEN, 20, _PIPELINE),
    ("needs_analysis", N_("Needs analysis"), _OPEN, 25, _PIPELINE),
    ("value_proposition", N_("Value proposition"), _OPEN, 30, _PIPELINE),
    ("decision_makers", N_("Decision makers"), _OPEN, 40, _PIPELINE),
    ("perception_analysis", N_("Perception analysis"), _OPEN, 50, ForecastCategory.BEST_CASE),
    ("proposal", N_("Proposal"), _OPEN, 65, ForecastCategory.BEST_CASE),
    ("negotiation", N_("Negotiation"), _OPEN, 80, ForecastCategory.COMMIT),
    ("won", N_("Won"), OpportunityState.WON, 100, ForecastCategory.CLOSED),
    ("lost", N_("Lost"), OpportunityState.LOST, 0, ForecastCategory.OMITTED),
)

_ALL, _TEAM, _OWN, _NONE = RightLevel.ALL, RightLevel.TEAM, RightLevel.OWN, RightLevel.NONE
_Right = tuple[str, RightLevel, RightLevel, RightLevel, RightLevel]
# Reference data is readable by everybody; whoever may change it is named entity by entity.
_CONNECTIONS: Final = (
    (N_("Influencer"), N_("Influences")),
    (N_("Decision maker"), N_("Decides for")),
    (N_("Consultant"), N_("Advises")),
    (N_("Partner"), None),
    (N_("Press"), N_("Reports on")),
    (N_("Referred by"), N_("Referred")),
    (N_("Former employer"), N_("Former employee")),
    (N_("Supplier"), N_("Customer")),
    (N_("Family"), None),
)

_ROLES: Final[tuple[tuple[str, bool, bool, tuple[_Right, ...]], ...]] = (
    (N_("Administrator"), True, True, ((EVERY, _ALL, _ALL, _ALL, _ALL),)),
    (
        N_("Sales manager"),
        False,
        True,
        (
            (EVERY, _ALL, _ALL, _ALL, _ALL),
            ("price_list", _ALL, _ALL, _ALL, _ALL),
            ("price_list_item", _ALL, _ALL, _ALL, _ALL),
        ),
    ),
    (
        N_("Salesperson"),
        False,
        False,
        # Products have no owner, so "own" would reach all of them.
        ((EVERY, _TEAM, _OWN, _OWN, _OWN), ("product", _ALL, _NONE, _NONE, _NONE)),
    ),
    (N_("Read only"), False, False, ((EVERY, _ALL, _NONE, _NONE, _NONE),)),
)


def create(url: str, password: str | None = None, login: str | None = None) -> Actor:
    """Make a new database and its starting records, whole or not at all.

    Args:
        url: A file that does not exist yet, or an empty database on a server.
        password: For PostgreSQL when neither pgpass nor PGPASSWORD has it.
        login: Login of the administrator; None takes the OS user, or the server login.

    Returns:
        The administrator; ``actor.db`` is the open database.

    Raises:
        UserError: Something is there already.
        EnvironmentProblem: Disk, permission or server.
    """
    require_own_login(url, login)
    db = migrate.create(url, password)
    try:
        return initialise(db, login)
    except BaseException:
        discard(db)
        raise


def require_own_login(url: str, login: str | None) -> None:
    """Refuse another administrator than the one who signs in at a server.

    Raises:
        UserError: They differ.
    """
    own = Target.parse(url).url.username
    if login and own and login.casefold() != own.casefold():
        raise UserError(
            N_(
                "On a server the administrator is whoever signs in there, {own}; nothing was "
                "created. Leave the other user out, and add them afterwards."
            ),
            own=own,
        )


def discard(db: Database) -> None:
    """Close a database that could not be filled and remove its file; a server keeps its tables."""
    db.close()
    if db.path is not None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            db.path.with_name(db.path.name + suffix).unlink(missing_ok=True)


def initialise(db: Database, login: str | None = None) -> Actor:
    """Write the starting records that are missing; a second call changes nothing.

    What a person deleted since does not come back. Names are written in the interface language.
    Exchange rates are not guessed: without them amounts in foreign currencies are kept apart.

    Args:
        db: An open, current database.
        login: Login of the administrator; None takes the OS user, or the server login.

    Raises:
        UserError: There are users already, and none with this login.
    """
    with registry.as_declared(), operation(system_actor(db), SOURCE) as work:
        _company(work)
        _reference(work)
        _administrator(work, login or own_login(db))
    return sign_in(db, login)


def is_unused(url: str, password: str | None = None) -> bool:
    """Whether a database lies there that has its tables and not one user (a broken start).

    Raises:
        UserError: What lies there is no database.
        EnvironmentProblem: It cannot be reached.
    """
    target = Target.parse(url)
    if not target.exists:
        return False
    target.require_file()
    db = Database.open(url, password)
    try:
        if migrate.look(db).state is not migrate.SchemaState.CURRENT:
            return False
        with db.reading() as connection:
            return connection.execute(select(User.id).limit(1)).first() is None
    finally:
        db.close()


def role_id(connection: Connection, name: str) -> int:
    """Key of one of the starting roles by its English name."""
    found = connection.execute(select(Role.id).where(Role.name == tr(name))).scalar_one()
    return int(found)


def add(work: Operation, entity: str, rows: Iterable[Mapping[str, Any]]) -> list[int]:
    """Make records inside an operation; keys in the order of the rows."""
    return work.save_many(entity, [Change(None, None, row) for row in rows])


def _is_empty(work: Operation, entity: str) -> bool:
    """Whether there never was a record of the entity, deleted ones counted."""
    table = registry.get(entity).table
    return work.connection.execute(select(table.c.id).limit(1)).first() is None


def _company(work: Operation) -> None:
    if _is_empty(work, "currency"):
        add(
            work,
            "currency",
            [{"code": c, "name": tr(name), "symbol": symbol} for c, name, symbol in _CURRENCIES],
        )
    if _is_empty(work, "own_company"):
        add(
            work,
            "own_company",
            [
                {
                    "name": tr(N_("My company")),
                    "country": "România",
                    "currency": currency_id(work.connection, OWN_CURRENCY),
                    "language": language(),
                    "phone_region": "RO",
                }
            ],
        )


def currency_id(connection: Connection, code: str) -> int | None:
    """Key of a currency by its code."""
    return connection.execute(select(Currency.id).where(Currency.code == code)).scalar()


def _reference(work: Operation) -> None:
    defaults: Sequence[tuple[str, Sequence[Mapping[str, Any]]]] = (
        ("unit", [{"code": code, "name": tr(name)} for code, name in _UNITS]),
        ("tax_code", _tax_rows()),
        ("stage", _stage_rows()),
        ("role", _role_rows()),
        ("connection_role", _connection_rows()),
        (
            "number_sequence",
            [
                {"entity": "quote", "pattern": "Q-{year}-{number}", "padding": 5},
                {"entity": "case", "pattern": "C-{year}-{number}", "padding": 5},
            ],
        ),
    )
    for entity, rows in defaults:
        if _is_empty(work, entity):
            add(work, entity, rows)
    currency = currency_id(work.connection, OWN_CURRENCY)
    if currency is not None and _is_empty(work, "price_list"):
        add(work, "price_list", [{"name": tr(N_("Standard")), "currency": currency}])


def _tax_rows() -> list[dict[str, Any]]:
    return [
        {
            "code": code,
            "name": tr(name),
            "category": category.value,
            "country": "RO",
            "position": position,
            "rates": [{"valid_from": day, "rate": Decimal(rate)} for day, rate in rates],
        }
        for position, (code, name, category, rates) in enumerate(_TAXES, 1)
    ]


def _stage_rows() -> list[dict[str, Any]]:
    return [
        {
            "code": code,
            "name": tr(name),
            "state": state.value,
            "probability": Decimal(probability),
            "forecast_category": forecast.value,
            "position": position * 10,
        }
        for position, (code, name, state, probability, forecast) in enumerate(_STAGES, 1)
    ]


def _connection_rows() -> list[dict[str, Any]]:
    return [
        {"name": tr(name), "reverse_name": tr(back) if back else None, "position": position * 10}
        for position, (name, back) in enumerate(_CONNECTIONS, 1)
    ]


def _role_rows() -> list[dict[str, Any]]:
    actions = ("read", "create", "edit", "remove")
    return [
        {
            "name": tr(name),
            "is_admin": is_admin,
            "sees_confidential": sees_confidential,
            "rights": [
                {"entity": entity, **dict(zip(actions, levels, strict=True))}
                for entity, *levels in rights
            ],
        }
        for name, is_admin, sees_confidential, rights in _ROLES
    ]


def _administrator(work: Operation, login: str) -> None:
    if not _is_empty(work, "user"):
        return
    role = work.connection.execute(
        select(Role.id).where(Role.is_admin, Role.deleted_at.is_(None)).order_by(Role.id).limit(1)
    ).scalar()
    add(work, "user", [{"name": login, "login": login, "role": role}])
