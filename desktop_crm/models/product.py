"""Products, units, taxes and price lists."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Index

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import (
    Stored,
    boolean,
    choice,
    day,
    integer,
    link,
    money,
    multiline,
    percent,
    quantity,
    text,
)
from desktop_crm.meta.field import Choice, EntityMeta, Level, Lines, Menu, Section, Tone
from desktop_crm.models.base import Base, Tagged, Titled, Tracked, titled, unique_live


class ProductState(Choice):
    """Life of a product."""

    DRAFT = "draft", N_("Draft"), Tone.NEUTRAL
    ACTIVE = "active", N_("Active"), Tone.OK
    RETIRED = "retired", N_("Retired"), Tone.BAD


class ProductType(Choice):
    """Thing or work."""

    GOOD = "good", N_("Good")
    SERVICE = "service", N_("Service")


class TaxCategory(Choice):
    """VAT category codes of EN 16931; each prints its own legal note (R6)."""

    STANDARD = "S", N_("Standard rate")
    ZERO = "Z", N_("Zero rate")
    EXEMPT = "E", N_("Exempt")
    REVERSE = "AE", N_("Reverse charge")
    OUTSIDE = "O", N_("Outside the scope of VAT")


class Unit(Titled, Base):
    """Unit of measure."""

    __tablename__ = "unit"
    __table_args__ = titled("unit")
    __entity__ = EntityMeta(
        key="unit",
        label=N_("Unit"),
        plural=N_("Units"),
        icon="box",
        title="name",
        columns=("name", "code"),
        form=(Section(N_("Unit"), (("name", "code"),)),),
        natural_key=("code", "name"),
        menu=Menu.SETUP,
        reference=True,
    )
    name: Stored[str] = text(N_("Name"), length=60, searchable=True)
    code: Stored[str | None] = text(
        N_("Code"), length=10, help=N_("Code of UN/ECE Recommendation 20, such as H87 for a piece.")
    )


class TaxCode(Titled, Base):
    """Kind of tax treatment; its rate changes with time."""

    __tablename__ = "tax_code"
    __table_args__ = titled("tax_code", "position")
    __entity__ = EntityMeta(
        key="tax_code",
        label=N_("Tax code"),
        plural=N_("Tax codes"),
        icon="receipt",
        title="name",
        columns=("name", "code", "category", "country", "is_active"),
        form=(
            Section(
                N_("Tax code"),
                (
                    ("name", "code"),
                    ("category", "country"),
                    ("position", "is_active"),
                    "legal_note",
                    "rates",
                ),
            ),
        ),
        order="position",
        natural_key=("code",),
        lines=(Lines("rates", N_("Rates"), "tax_rate", "tax_code_id", ("valid_from", "rate")),),
        menu=Menu.SETUP,
        reference=True,
    )
    code: Stored[str] = text(N_("Code"), length=20, searchable=True)
    name: Stored[str] = text(N_("Name"), length=80, searchable=True)
    category: Stored[str] = choice(N_("Category"), TaxCategory, default=TaxCategory.STANDARD)
    country: Stored[str | None] = text(N_("Country"), length=2)
    legal_note: Stored[str | None] = multiline(
        N_("Legal note"), help=N_("Printed on documents that use the code, e.g. for exemptions.")
    )
    position: Stored[int] = integer(N_("Position"), default=0)
    is_active: Stored[bool] = boolean(N_("Active"), default=True)


class TaxRate(Tracked, Base):
    """Percentage of a tax code from a day on."""

    __tablename__ = "tax_rate"
    __table_args__ = (unique_live("tax_rate", "tax_code_id", "valid_from"),)
    __entity__ = EntityMeta(
        key="tax_rate",
        label=N_("Tax rate"),
        plural=N_("Tax rates"),
        icon="receipt",
        title="valid_from",
        columns=("tax_code", "valid_from", "rate"),
        form=(Section(N_("Tax rate"), ("tax_code", ("valid_from", "rate"))),),
        parent=("tax_code",),
        reference=True,
    )
    tax_code_id: Stored[int] = link(N_("Tax code"), "tax_code.id", cascade=True)
    valid_from: Stored[date] = day(N_("Valid from"))
    rate: Stored[Decimal] = percent(N_("Rate"))


class Product(Titled, Tagged, Base):
    """What we sell."""

    __tablename__ = "product"
    __table_args__ = titled("product", "code", "modified_at")
    __entity__ = EntityMeta(
        key="product",
        label=N_("Product"),
        plural=N_("Products"),
        icon="box",
        title="name",
        subtitle="code",
        columns=("name", "code", "family", "type", "list_price", "currency", "unit", "state"),
        form=(
            Section(
                N_("Product"),
                (("name", "code"), ("family", "type"), ("unit", "state"), "tags", "description"),
            ),
            Section(
                N_("Price"),
                (("list_price", "currency"), ("standard_cost", "tax_code"), "quantity_decimals"),
            ),
        ),
        natural_key=("external_id", "code", "name"),
        menu=Menu.MAIN,
    )
    name: Stored[str] = text(N_("Name"), searchable=True, width=240)
    code: Stored[str | None] = text(N_("Code"), length=60, searchable=True)
    family: Stored[str | None] = text(N_("Family"), length=120, searchable=True)
    type: Stored[str] = choice(N_("Type"), ProductType, default=ProductType.GOOD)
    unit_id: Stored[int | None] = link(N_("Unit"), "unit.id")
    currency_id: Stored[int | None] = link(N_("Currency"), "currency.id")
    list_price: Stored[Decimal | None] = money(N_("List price"), unit=True, currency="currency")
    standard_cost: Stored[Decimal | None] = money(
        N_("Standard cost"), unit=True, currency="currency", level=Level.CONFIDENTIAL
    )
    tax_code_id: Stored[int | None] = link(N_("Tax code"), "tax_code.id")
    quantity_decimals: Stored[int] = integer(N_("Decimals of quantities"), default=2)
    state: Stored[str] = choice(N_("State"), ProductState, default=ProductState.ACTIVE)
    description: Stored[str | None] = multiline(N_("Description"))


class PriceList(Titled, Base):
    """Prices for some customers and some time."""

    __tablename__ = "price_list"
    __table_args__ = titled("price_list")
    __entity__ = EntityMeta(
        key="price_list",
        label=N_("Price list"),
        plural=N_("Price lists"),
        icon="tag",
        title="name",
        columns=("name", "currency", "valid_from", "valid_to", "is_tax_inclusive", "is_active"),
        form=(
            Section(
                N_("Price list"),
                (
                    ("name", "currency"),
                    ("valid_from", "valid_to"),
                    ("is_tax_inclusive", "is_active"),
                    "items",
                ),
            ),
        ),
        natural_key=("name",),
        lines=(
            Lines(
                "items",
                N_("Prices"),
                "price_list_item",
                "price_list_id",
                ("product", "min_quantity", "price", "discount_percent"),
            ),
        ),
        menu=Menu.SETUP,
        reference=True,
    )
    name: Stored[str] = text(N_("Name"), length=120, searchable=True)
    currency_id: Stored[int] = link(N_("Currency"), "currency.id")
    valid_from: Stored[date | None] = day(N_("Valid from"))
    valid_to: Stored[date | None] = day(N_("Valid to"))
    is_tax_inclusive: Stored[bool] = boolean(N_("Prices include tax"))
    is_active: Stored[bool] = boolean(N_("Active"), default=True)


class PriceListItem(Tracked, Base):
    """Price of a product from a quantity on."""

    __tablename__ = "price_list_item"
    __table_args__ = (Index("ix_price_list_item_list", "price_list_id", "product_id"),)
    __entity__ = EntityMeta(
        key="price_list_item",
        label=N_("Price"),
        plural=N_("Prices"),
        icon="tag",
        title="product",
        columns=("price_list", "product", "min_quantity", "price", "discount_percent"),
        form=(
            Section(
                N_("Price"),
                (("price_list", "product"), ("min_quantity", "price"), "discount_percent"),
            ),
        ),
        parent=("price_list",),
        reference=True,
    )
    price_list_id: Stored[int] = link(N_("Price list"), "price_list.id", cascade=True)
    product_id: Stored[int] = link(N_("Product"), "product.id")
    min_quantity: Stored[Decimal] = quantity(N_("From quantity"), default=Decimal(1))
    price: Stored[Decimal] = money(N_("Unit price"), unit=True)
    discount_percent: Stored[Decimal | None] = percent(N_("Discount %"))
