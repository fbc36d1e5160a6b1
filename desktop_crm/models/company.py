"""The own company, its bank accounts, currencies and number sequences."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import (
    Stored,
    boolean,
    choice,
    day,
    email,
    image,
    integer,
    link,
    multiline,
    phone,
    quantity,
    text,
    url,
)
from desktop_crm.meta.field import Choice, EntityMeta, Lines, Menu, Section
from desktop_crm.models.base import Base, Titled, Tracked, titled, unique_live


class TaxRounding(Choice):
    """Where tax is rounded (R5)."""

    TOTAL = "total", N_("Once per tax rate")
    LINE = "line", N_("On every line")


class Currency(Titled, Base):
    """Currency the company deals in."""

    __tablename__ = "currency"
    __table_args__ = titled("currency")
    __entity__ = EntityMeta(
        key="currency",
        label=N_("Currency"),
        plural=N_("Currencies"),
        icon="receipt",
        title="code",
        columns=("code", "name", "symbol"),
        form=(Section(N_("Currency"), (("code", "symbol"), "name", "rates")),),
        natural_key=("code",),
        lines=(
            Lines(
                "rates",
                N_("Exchange rates"),
                "exchange_rate",
                "currency_id",
                ("valid_from", "rate"),
            ),
        ),
        menu=Menu.SETUP,
        reference=True,
    )
    code: Stored[str] = text(N_("Code"), length=3, searchable=True)
    name: Stored[str | None] = text(N_("Name"), length=60, searchable=True)
    symbol: Stored[str | None] = text(N_("Symbol"), length=8)


class ExchangeRate(Tracked, Base):
    """Units of the company's currency for one unit of a currency, from a day on."""

    __tablename__ = "exchange_rate"
    __table_args__ = (unique_live("exchange_rate", "currency_id", "valid_from"),)
    __entity__ = EntityMeta(
        key="exchange_rate",
        label=N_("Exchange rate"),
        plural=N_("Exchange rates"),
        icon="data_trending",
        title="valid_from",
        columns=("currency", "valid_from", "rate"),
        form=(Section(N_("Exchange rate"), ("currency", ("valid_from", "rate"))),),
        parent=("currency",),
        reference=True,
    )
    currency_id: Stored[int] = link(N_("Currency"), "currency.id", cascade=True)
    valid_from: Stored[date] = day(N_("Valid from"))
    rate: Stored[Decimal] = quantity(N_("Rate"))


class OwnCompany(Titled, Base):
    """The company that uses the product: what stands on its documents."""

    __tablename__ = "own_company"
    __table_args__ = titled("own_company")
    __entity__ = EntityMeta(
        key="own_company",
        label=N_("Own company"),
        plural=N_("Own companies"),
        icon="building",
        title="name",
        columns=("name", "tax_id", "trade_register", "city", "currency"),
        form=(
            Section(N_("Company"), ("name", ("tax_id", "trade_register"), "logo")),
            Section(N_("Address"), ("street", ("postal_code", "city"), ("region", "country"))),
            Section(N_("Contact"), (("phone", "email"), "website")),
            Section(
                N_("Settings"),
                (
                    ("currency", "language"),
                    ("fiscal_year_start", "tax_rounding"),
                    ("phone_region", "mail_domains"),
                    "quote_terms",
                    "attachment_limit_mb",
                    "bank_accounts",
                ),
            ),
        ),
        lines=(
            Lines(
                "bank_accounts",
                N_("Bank accounts"),
                "bank_account",
                "own_company_id",
                ("bank", "iban", "swift", "currency", "is_primary"),
            ),
        ),
        natural_key=("name",),
        menu=Menu.NONE,
        reference=True,
    )
    name: Stored[str] = text(N_("Name"), searchable=True)
    tax_id: Stored[str | None] = text(N_("Tax id"), length=40)
    trade_register: Stored[str | None] = text(N_("Trade register number"), length=60)
    street: Stored[str | None] = text(N_("Street"))
    postal_code: Stored[str | None] = text(N_("Postal code"), length=20)
    city: Stored[str | None] = text(N_("City"), length=120)
    region: Stored[str | None] = text(N_("Region"), length=120)
    country: Stored[str | None] = text(N_("Country"), length=120)
    phone: Stored[str | None] = phone(N_("Phone"))
    email: Stored[str | None] = email(N_("E-mail"))
    website: Stored[str | None] = url(N_("Website"))
    logo: Stored[bytes | None] = image(N_("Logo"), importable=False)
    currency_id: Stored[int | None] = link(N_("Currency"), "currency.id")
    language: Stored[str | None] = text(N_("Language of documents"), length=8)
    fiscal_year_start: Stored[int] = integer(
        N_("First month of the fiscal year"), default=1, help=N_("1 is January.")
    )
    tax_rounding: Stored[str] = choice(N_("Tax is rounded"), TaxRounding, default=TaxRounding.TOTAL)
    phone_region: Stored[str | None] = text(
        N_("Country of phone numbers"),
        length=2,
        help=N_("Two letters; assumed for numbers without a country prefix."),
    )
    mail_domains: Stored[str | None] = text(
        N_("Own mail domains"), help=N_("Separated by commas; mail among them is internal.")
    )
    quote_terms: Stored[str | None] = multiline(N_("Terms on quotes"))
    attachment_limit_mb: Stored[int | None] = integer(
        N_("Largest attachment in MB"),
        default=25,
        help=N_("Larger files are refused, and so is a message whose files have more together."),
    )


class BankAccount(Tracked, Base):
    """Bank account printed on documents."""

    __tablename__ = "bank_account"
    __entity__ = EntityMeta(
        key="bank_account",
        label=N_("Bank account"),
        plural=N_("Bank accounts"),
        icon="receipt",
        title="iban",
        columns=("own_company", "bank", "iban", "swift", "currency", "is_primary"),
        form=(
            Section(N_("Bank account"), ("own_company", ("bank", "iban"), ("swift", "currency"))),
        ),
        parent=("own_company",),
        reference=True,
    )
    own_company_id: Stored[int] = link(N_("Own company"), "own_company.id", cascade=True)
    bank: Stored[str | None] = text(N_("Bank"), length=120)
    iban: Stored[str] = text(N_("IBAN"), length=42)
    swift: Stored[str | None] = text(N_("SWIFT"), length=16)
    currency_id: Stored[int | None] = link(N_("Currency"), "currency.id")
    is_primary: Stored[bool] = boolean(N_("Primary"))


class NumberSequence(Titled, Base):
    """How records of one entity are numbered (R14)."""

    __tablename__ = "number_sequence"
    __table_args__ = titled("number_sequence")
    __entity__ = EntityMeta(
        key="number_sequence",
        label=N_("Number sequence"),
        plural=N_("Number sequences"),
        icon="tag",
        title="entity",
        columns=("entity", "pattern", "next_number", "padding"),
        form=(
            Section(
                N_("Number sequence"),
                ("entity", "pattern", ("next_number", "padding"), "resets_yearly"),
            ),
        ),
        natural_key=("entity",),
        menu=Menu.SETUP,
        reference=True,
    )
    entity: Stored[str] = text(N_("Entity"), length=60, searchable=True)
    pattern: Stored[str] = text(
        N_("Pattern"),
        length=60,
        help=N_("{year} and {number} are replaced, for example Q-{year}-{number}."),
    )
    next_number: Stored[int] = integer(N_("Next number"), default=1)
    padding: Stored[int] = integer(N_("Digits"), default=4)
    resets_yearly: Stored[bool] = boolean(N_("Starts again every year"), default=True)
    last_year: Stored[int | None] = integer(N_("Year of the last number"), read_only=True)
