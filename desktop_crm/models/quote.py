"""Quotes and their lines."""

from __future__ import annotations

from datetime import date, datetime
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
    moment,
    money,
    multiline,
    percent,
    quantity,
    text,
)
from desktop_crm.meta.field import Choice, EntityMeta, Level, Lines, Menu, Section, Tone
from desktop_crm.models.base import Base, Owned, Tagged, Titled, Tracked, owned, sparse


class QuoteState(Choice):
    """Few states that drive behaviour; only a draft can be edited (R12)."""

    DRAFT = "draft", N_("Draft"), Tone.NEUTRAL
    ACTIVE = "active", N_("Active"), Tone.INFO
    WON = "won", N_("Won"), Tone.OK
    CLOSED = "closed", N_("Closed"), Tone.BAD


class QuoteReason(Choice):
    """Reasons within a state."""

    IN_PROGRESS = "in_progress", N_("In progress"), Tone.NEUTRAL
    OPEN = "open", N_("Open"), Tone.INFO
    WON = "won", N_("Won"), Tone.OK
    LOST = "lost", N_("Lost"), Tone.BAD
    CANCELED = "canceled", N_("Canceled"), Tone.NEUTRAL
    REVISED = "revised", N_("Revised"), Tone.NEUTRAL


class LineKind(Choice):
    """What a line of a document is; only products count in totals (R11)."""

    PRODUCT = "product", N_("Product")
    OPTIONAL = "optional", N_("Optional")
    ALTERNATIVE = "alternative", N_("Alternative")
    TEXT = "text", N_("Text")
    SUBTOTAL = "subtotal", N_("Subtotal")


class Quote(Titled, Tagged, Owned, Base):
    """Offer to a customer."""

    __tablename__ = "quote"
    __table_args__ = (
        *owned("quote", "number", "modified_at"),
        Index("ix_quote_account_id", "account_id"),
        Index("ix_quote_opportunity_id", "opportunity_id"),
        Index("ix_quote_number_revision", "number", "revision", unique=True),
        *sparse("quote", "merged_into", "contact_id", "supersedes_id"),
    )
    __entity__ = EntityMeta(
        key="quote",
        label=N_("Quote"),
        plural=N_("Quotes"),
        icon="receipt",
        title="name",
        subtitle="number",
        columns=(
            "number",
            "name",
            "account",
            "state",
            "total_amount",
            "currency",
            "expires_on",
            "owner",
        ),
        form=(
            Section(
                N_("Quote"),
                (
                    "name",
                    ("number", "revision"),
                    ("account", "contact"),
                    ("opportunity", "owner"),
                    ("state", "status_reason"),
                    ("quoted_on", "expires_on"),
                    ("currency", "price_list"),
                ),
            ),
            Section(N_("Lines"), ("lines",)),
            Section(
                N_("Discount and freight"),
                (
                    ("discount_percent", "discount_amount"),
                    ("freight_amount", "freight_tax_code"),
                ),
            ),
            Section(
                N_("Totals"),
                (("subtotal", "total_discount"), ("total_tax", "total_amount")),
            ),
            Section(
                N_("Delivery and payment"),
                (
                    ("payment_terms", "delivery_terms"),
                    ("bill_to", "ship_to"),
                    "terms",
                    "description",
                    "tags",
                ),
            ),
        ),
        natural_key=("external_id", "number"),
        lines=(
            Lines(
                "lines",
                N_("Lines"),
                "quote_line",
                "quote_id",
                (
                    "kind",
                    "product",
                    "description",
                    "quantity",
                    "unit",
                    "unit_price",
                    "discount_percent",
                    "tax_code",
                    "net_amount",
                ),
            ),
        ),
        menu=Menu.MAIN,
    )
    name: Stored[str] = text(N_("Name"), searchable=True, width=220)
    number: Stored[str | None] = text(
        N_("Number"), length=40, searchable=True, read_only=True, width=124
    )
    revision: Stored[int] = integer(N_("Revision"), default=0, read_only=True)
    account_id: Stored[int | None] = link(N_("Account"), "account.id")
    contact_id: Stored[int | None] = link(N_("Contact"), "contact.id")
    opportunity_id: Stored[int | None] = link(N_("Opportunity"), "opportunity.id")
    supersedes_id: Stored[int | None] = link(N_("Supersedes"), "quote.id", read_only=True)
    state: Stored[str] = choice(N_("State"), QuoteState, default=QuoteState.DRAFT, read_only=True)
    status_reason: Stored[str] = choice(
        N_("Status"), QuoteReason, default=QuoteReason.IN_PROGRESS, read_only=True
    )
    quoted_on: Stored[date | None] = day(N_("Date"))
    expires_on: Stored[date | None] = day(N_("Valid until"))
    closed_on: Stored[date | None] = day(N_("Closed on"), read_only=True)
    activated_at: Stored[datetime | None] = moment(N_("Activated"), read_only=True)
    currency_id: Stored[int | None] = link(N_("Currency"), "currency.id")
    exchange_rate: Stored[Decimal | None] = quantity(N_("Exchange rate"), read_only=True)
    price_list_id: Stored[int | None] = link(N_("Price list"), "price_list.id")
    is_tax_inclusive: Stored[bool] = boolean(N_("Prices include tax"))
    discount_percent: Stored[Decimal | None] = percent(N_("Discount %"))
    discount_amount: Stored[Decimal | None] = money(N_("Discount"), currency="currency")
    freight_amount: Stored[Decimal | None] = money(N_("Freight"), currency="currency")
    freight_tax_code_id: Stored[int | None] = link(N_("Tax code of freight"), "tax_code.id")
    subtotal: Stored[Decimal | None] = money(N_("Subtotal"), currency="currency", read_only=True)
    total_discount: Stored[Decimal | None] = money(
        N_("Total discount"), currency="currency", read_only=True
    )
    total_net: Stored[Decimal | None] = money(N_("Net total"), currency="currency", read_only=True)
    total_tax: Stored[Decimal | None] = money(N_("Tax"), currency="currency", read_only=True)
    total_amount: Stored[Decimal | None] = money(N_("Total"), currency="currency", read_only=True)
    payment_terms: Stored[str | None] = text(N_("Payment terms"))
    delivery_terms: Stored[str | None] = text(N_("Delivery terms"))
    bill_to: Stored[str | None] = multiline(N_("Bill to"))
    ship_to: Stored[str | None] = multiline(N_("Ship to"))
    terms: Stored[str | None] = multiline(N_("Terms"))
    description: Stored[str | None] = multiline(N_("Notes"))


class QuoteLine(Tracked, Base):
    """Line of a quote."""

    __tablename__ = "quote_line"
    __table_args__ = (
        Index("ix_quote_line_quote_id", "quote_id"),
        Index("ix_quote_line_product_id", "product_id"),
    )
    __entity__ = EntityMeta(
        key="quote_line",
        label=N_("Quote line"),
        plural=N_("Quote lines"),
        icon="receipt",
        title="description",
        columns=(
            "quote",
            "position",
            "product",
            "description",
            "quantity",
            "unit_price",
            "net_amount",
        ),
        form=(
            Section(
                N_("Line"),
                (
                    ("quote", "position"),
                    ("kind", "group"),
                    ("product", "description"),
                    ("quantity", "unit"),
                    ("unit_price", "tax_code"),
                    ("discount_percent", "discount_amount"),
                ),
            ),
        ),
        parent=("quote",),
    )
    quote_id: Stored[int] = link(N_("Quote"), "quote.id", cascade=True)
    position: Stored[int] = integer(N_("Position"), default=1)
    kind: Stored[str] = choice(N_("Kind"), LineKind, default=LineKind.PRODUCT)
    group: Stored[str | None] = text(N_("Group"), length=120)
    product_id: Stored[int | None] = link(N_("Product"), "product.id")
    description: Stored[str | None] = multiline(N_("Description"), width=280)
    quantity: Stored[Decimal] = quantity(N_("Quantity"), default=Decimal(1))
    unit_id: Stored[int | None] = link(N_("Unit"), "unit.id")
    unit_price: Stored[Decimal] = money(N_("Unit price"), unit=True, default=Decimal(0))
    list_price: Stored[Decimal | None] = money(N_("List price"), unit=True, read_only=True)
    is_price_overridden: Stored[bool] = boolean(N_("Price was set by hand"), read_only=True)
    discount_percent: Stored[Decimal | None] = percent(N_("Discount %"))
    discount_amount: Stored[Decimal | None] = money(N_("Discount"))
    tax_code_id: Stored[int | None] = link(N_("Tax code"), "tax_code.id")
    tax_rate: Stored[Decimal | None] = percent(N_("Tax rate"), read_only=True)
    net_amount: Stored[Decimal | None] = money(N_("Net amount"), read_only=True)
    tax_amount: Stored[Decimal | None] = money(N_("Tax"), read_only=True)
    cost: Stored[Decimal | None] = money(N_("Cost"), unit=True, level=Level.CONFIDENTIAL)
