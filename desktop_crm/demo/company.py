"""The sample company itself: office, colleagues, products and prices."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import canonical_email
from desktop_crm.demo import logo, names
from desktop_crm.demo.story import DOMAIN, Story, impossible_tax_id, slug
from desktop_crm.meta import registry
from desktop_crm.models import OwnCompany, PriceList
from desktop_crm.services.records import Change
from desktop_crm.services.setup import add, role_id

NAME: Final = "Cetina Automatizări SRL"

_PRODUCTS: Final[tuple[tuple[str, str, str, str, str, str, str], ...]] = (
    ("CT-100", "Carton erector CT-100", "Packaging lines", "good", "H87", "18400", "12100"),
    ("CT-200", "Case packer CT-200", "Packaging lines", "good", "H87", "42750", "29300"),
    ("PL-300", "Palletiser PL-300", "Packaging lines", "good", "H87", "67900", "48200"),
    ("FW-050", "Stretch wrapper FW-050", "Packaging lines", "good", "H87", "9850", "6400"),
    ("LB-020", "Label applicator LB-020", "Labelling", "good", "H87", "7240.50", "4310"),
    ("LB-040", "Print and apply unit LB-040", "Labelling", "good", "H87", "12990", "8020"),
    ("CV-010", "Belt conveyor, per metre", "Conveyors", "good", "MTR", "412.75", "236"),
    ("CV-090", "Corner conveyor 90°", "Conveyors", "good", "H87", "1680", "990"),
    ("SN-005", "Optical sensor set", "Spare parts", "good", "SET", "218.40", "121"),
    ("SP-012", "Timing belt kit", "Spare parts", "good", "SET", "96.30", "52"),
    ("SP-077", "Suction cups, pack", "Spare parts", "good", "SET", "48.9", "22"),
    ("SV-INS", "Installation and commissioning", "Services", "service", "DAY", "780", "430"),
    ("SV-TRN", "Operator training", "Services", "service", "DAY", "640", "360"),
    ("SV-HRS", "Service technician", "Services", "service", "HUR", "68", "39"),
    ("SV-CTR", "Maintenance contract", "Services", "service", "MON", "290", "150"),
)
_RATES: Final = {"EUR": ("5.0510", "5.0760", "5.0880"), "USD": ("4.4120", "4.3580", "4.3310")}
_LEI: Final = Decimal("5.08")
_BREAKS: Final = {"CV-010": (25, "6"), "SN-005": (10, "5"), "SP-012": (20, "8"),
                  "SP-077": (50, "12"), "SV-HRS": (40, "10")}  # fmt: skip


def found(story: Story) -> None:
    """Fill in the own company, hire the colleagues, list products and prices."""
    _look_up(story)
    _colleagues(story)
    _office(story)
    _products(story)
    _prices(story)


def _look_up(story: Story) -> None:
    for entity, column in (("stage", "code"), ("currency", "code"), ("unit", "code"),
                           ("tax_code", "code")):  # fmt: skip
        table = registry.get(entity).table
        rows = story.work.connection.execute(select(table.c[column], table.c.id))
        story.ids.update({f"{entity}:{code}": key for code, key in rows})


def _colleagues(story: Story) -> None:
    work = story.work
    teams = add(work, "team", [{"name": "România"}, {"name": "Export"}])
    story.ids.update(zip(("team:România", "team:Export"), teams, strict=True))
    role = add(
        work,
        "role",
        [
            {
                "name": tr(N_("Sales manager and administrator")),
                "is_admin": True,
                "sees_confidential": True,
            }
        ],
    )[0]
    sells = role_id(work.connection, "Salesperson")
    manages = role_id(work.connection, "Sales manager")
    me = story.me.user_id or 0
    login = story.me.login
    address = canonical_email(f"{slug(login, '.') or 'sales'}@{DOMAIN}")
    story.address = address or f"sales@{DOMAIN}"
    story.name = login.replace(".", " ").replace("_", " ").title()
    work.save_many(
        "user",
        [
            Change(
                me,
                None,
                {
                    "name": story.name,
                    "email": story.address,
                    "job_title": "Sales manager",
                    "team": story.ids["team:Export"],
                    "role": role,
                    "phone": "+40 31 000 0100",
                },
            )
        ],
    )
    rows = [
        {
            "name": name,
            "login": login,
            "email": f"{slug(name, '.')}@{DOMAIN}",
            "job_title": job,
            "team": story.ids[f"team:{team}"],
            "role": manages if login == names.OFFICE else sells,
            "manager": me,
            "time_zone": "Europe/Bucharest",
            "phone": f"+40 31 000 01{number:02d}",
        }
        for number, (name, login, job, team) in enumerate(names.USERS, 1)
        if login != story.me.login
    ]
    keys = add(work, "user", rows)
    story.colleagues = [(str(row["name"]), str(row["email"])) for row in rows]
    story.users = {"me": me, **{str(r["login"]): k for r, k in zip(rows, keys, strict=True)}}
    story.team = [me, *(story.users[u] for _, u, _, _ in names.USERS if u in story.users)]
    if names.OFFICE in story.users:
        story.team.remove(story.users[names.OFFICE])


def _office(story: Story) -> None:
    work, ids = story.work, story.ids
    company = work.connection.execute(select(OwnCompany.id).limit(1)).scalar_one()
    work.change(
        "own_company",
        company,
        {
            "name": NAME,
            "tax_id": impossible_tax_id(9_900_000),
            "trade_register": "J12/0000/2011",
            "street": "Str. Fântânii 24",
            "postal_code": "400000",
            "city": "Cluj-Napoca",
            "region": "Cluj",
            "country": "România",
            "phone": "+40 31 000 0100",
            "email": f"office@{DOMAIN}",
            "website": f"https://www.{DOMAIN}",
            "logo": logo.png(),
            "mail_domains": DOMAIN,
            "quote_terms": tr(
                N_(
                    "Prices are without VAT unless stated otherwise. Delivery times count from the "
                    "receipt of the advance payment."
                )
            ),
            "bank_accounts": [
                {"bank": "Banca Exemplu", "iban": "RO49AAAA1B31007593840000",
                 "swift": "AAAAROBU", "currency": ids["currency:RON"], "is_primary": True},
                {"bank": "Banca Exemplu", "iban": "RO22AAAA1B31007593840001",
                 "swift": "AAAAROBU", "currency": ids["currency:EUR"]},
            ],
        },
    )  # fmt: skip
    for code, rates in _RATES.items():
        days = (story.today - timedelta(days=n) for n in (400, 180, 20))
        work.change(
            "currency",
            ids[f"currency:{code}"],
            {
                "rates": [
                    {"valid_from": day, "rate": Decimal(rate)}
                    for day, rate in zip(days, rates, strict=True)
                ]
            },
        )


def _products(story: Story) -> None:
    ids = story.ids
    rows: list[dict[str, Any]] = [
        {
            "code": code,
            "name": name,
            "family": family,
            "type": kind,
            "unit": ids[f"unit:{unit}"],
            "currency": ids["currency:EUR"],
            "list_price": Decimal(price),
            "standard_cost": Decimal(cost),
            "tax_code": ids["tax_code:S"],
        }
        for code, name, family, kind, unit, price, cost in _PRODUCTS
    ]
    with story.then(-390):
        keys = add(story.work, "product", rows)
    for row, key in zip(rows, keys, strict=True):
        ids[f"product:{row['code']}"] = key


def _prices(story: Story) -> None:
    work, ids = story.work, story.ids
    in_euro = [_price(story, row, Decimal(1)) for row in _PRODUCTS]
    in_lei = [_price(story, row, _LEI) for row in _PRODUCTS]
    standard = work.connection.execute(select(PriceList.id).limit(1)).scalar_one()
    with story.then(-389):
        work.change("price_list", standard, {"items": [i for rows in in_lei for i in rows]})
        export = add(
            work,
            "price_list",
            [
                {
                    "name": "Export",
                    "currency": ids["currency:EUR"],
                    "items": [item for rows in in_euro for item in rows],
                }
            ],
        )[0]
    ids["price_list:RON"], ids["price_list:EUR"] = standard, export


def _price(
    story: Story, product: tuple[str, str, str, str, str, str, str], rate: Decimal
) -> list[dict[str, Any]]:
    code, price = product[0], (Decimal(product[5]) * rate).quantize(Decimal("0.01"))
    key = story.ids[f"product:{code}"]
    items: list[dict[str, Any]] = [{"product": key, "min_quantity": Decimal(1), "price": price}]
    if code in _BREAKS:
        quantity, discount = _BREAKS[code]
        items.append(
            {"product": key, "min_quantity": Decimal(quantity), "price": price,
             "discount_percent": Decimal(discount)}
        )  # fmt: skip
    return items


def list_price(code: str, currency: str) -> Decimal:
    """List price of a product in one of the two price lists."""
    price = next(Decimal(row[5]) for row in _PRODUCTS if row[0] == code)
    return (price * (_LEI if currency == "RON" else 1)).quantize(Decimal("0.01"))
