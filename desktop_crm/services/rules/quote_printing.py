"""From a stored quote to the paper and back: what it says, and the file that was sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid
from desktop_crm.meta import registry
from desktop_crm.models.company import BankAccount, Currency, OwnCompany
from desktop_crm.models.office import Document, DocumentContent
from desktop_crm.models.party import Account, Contact
from desktop_crm.models.product import Product, Unit
from desktop_crm.models.quote import QuoteState
from desktop_crm.models.user import User
from desktop_crm.services import writer
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.query import key_clause
from desktop_crm.services.rules import quote_reference as reference
from desktop_crm.services.rules.documents import PRINTED
from desktop_crm.services.rules.pricing import (
    NO_TAX,
    DocumentTotals,
    LineKind,
    Tax,
    TaxRounding,
)
from desktop_crm.services.rules.quote_document import (
    Bank,
    Party,
    PrintedLine,
    PrintedTax,
    PrintedTotals,
    QuoteDocument,
    Seller,
)
from desktop_crm.services.rules.quote_totals import Basis, calculate

PDF: Final = "application/pdf"
_PRICED: Final = frozenset({LineKind.ITEM, LineKind.OPTIONAL, LineKind.ALTERNATIVE})


@dataclass(frozen=True, slots=True)
class StoredPdf:
    """A printed quote as it was stored."""

    document_id: int
    name: str
    content: bytes
    sha256: str


def document(actor: Actor, quote_id: int) -> QuoteDocument:
    """Everything the printed quote says, read in one transaction.

    Raises:
        NotFound: The quote does not exist, or this user may not see it.
        UserError: The stored totals of an activated quote do not follow from its lines.
    """
    with actor.db.reading() as connection:
        quote = _quote(actor, connection, quote_id)
        lines = list(reference.lines(connection, [quote_id])[quote_id].values())
        company = reference.company(connection)
        taxes = reference.taxes(connection)
        currency = _scalar(connection, Currency.code, Currency.id, quote["currency"]) or "EUR"
        seller, banks = _seller(connection, company.id, currency)
        customer = _row(connection, Account, quote["account"])
        contact = _scalar(connection, Contact.full_name, Contact.id, quote["contact"])
        owner = _scalar(connection, User.name, User.id, quote["owner"])
        units = _names(connection, Unit.id, Unit.name, [line["unit"] for line in lines])
        codes = _names(connection, Product.id, Product.code, [line["product"] for line in lines])
    on = _day(quote)
    sums = _checked_totals(quote, lines, _bases(currency, company, taxes, on, lines))
    bill_to = _bill_to(quote, customer, contact or "")
    return QuoteDocument(
        number=quote["number"] or "",
        revision=quote["revision"] or 0,
        draft=quote["state"] == QuoteState.DRAFT,
        language=reference.spoken(customer.get("language"), company.language),
        currency=currency,
        issued_on=on,
        seller=seller,
        bill_to=bill_to,
        ship_to=_ship_to(quote, bill_to),
        lines=tuple(_printed(lines, sums, units, codes, taxes.codes)),
        taxes=tuple(PrintedTax(g.category, g.rate, g.base, g.tax, g.note) for g in sums.groups),
        totals=PrintedTotals(
            sums.subtotal,
            sums.discount,
            sums.freight,
            sums.base,
            sums.tax,
            sums.total,
            quote["discount_percent"] or None,
        ),
        title=quote["name"] or "",
        expires_on=quote["expires_on"],
        prepared_by=owner or "",
        payment_terms=quote["payment_terms"] or "",
        delivery=quote["delivery_terms"] or "",
        terms=quote["terms"] or "",
        banks=banks,
        tax_inclusive=bool(quote["is_tax_inclusive"]),
        sections=sums.sections,
    )


def stored_pdf(actor: Actor, quote_id: int) -> StoredPdf | None:
    """The file of an activated quote as it was printed first; None for drafts and before that.

    Raises:
        NotFound: The quote does not exist, or this user may not see it.
    """
    with actor.db.reading() as connection:
        quote = _quote(actor, connection, quote_id)
        if quote["state"] == QuoteState.DRAFT or quote["activated_at"] is None:
            return None
        row = connection.execute(
            select(Document.id, Document.name, Document.sha256, DocumentContent.content)
            .join(DocumentContent, DocumentContent.sha256 == Document.sha256)
            .where(
                Document.quote_id == quote_id,
                Document.media_type == PDF,
                Document.template_version.is_not(None),
                Document.created_at >= quote["activated_at"],
                Document.deleted_at.is_(None),
            )
            .order_by(Document.id.desc())
            .limit(1)
        ).first()
    if row is None:
        return None
    return StoredPdf(row.id, row.name, row.content, row.sha256)


def store_pdf(
    actor: Actor, quote_id: int, content: bytes, *, name: str, language: str, template: str
) -> ChangeSet:
    """Keep the printed file of an activated quote with its fingerprint.

    Raises:
        UserError: The quote is a draft: its file may still change.
    """
    digest = hashlib.sha256(content).hexdigest()
    with actor.db.writing() as connection:
        quote = _quote(actor, connection, quote_id)
        if quote["state"] == QuoteState.DRAFT:
            raise UserError(N_("The file of a draft is not kept. Activate the quote first."))
        known = connection.execute(
            select(DocumentContent.id).where(DocumentContent.sha256 == digest)
        ).first()
        if known is None:
            row = {"sha256": digest, "size_bytes": len(content), "content": content}
            connection.execute(insert(DocumentContent), [row])
        # Whoever may see a quote may print it, so its file needs no right of its own.
        work = Work(actor, connection, registry.get("document"), new_uid(), None, PRINTED)
        values = {
            "name": name,
            "media_type": PDF,
            "size_bytes": len(content),
            "sha256": digest,
            "language": language,
            "template_version": template,
            "quote": quote_id,
            "account": quote["account"],
            "owner": quote["owner"],
        }
        return writer.write(work, [Draft(None, 0, {}, values)])


def _quote(actor: Actor, connection: Connection, quote_id: int) -> dict[str, Any]:
    entity = registry.get("quote")
    names = {name: f.column for name, f in entity.fields.items() if f.column is not None}
    statement = select(*names.values()).where(
        entity.table.c.id == quote_id, entity.table.c.deleted_at.is_(None)
    )
    rights = row_clause(actor, entity, entity.table, "read")
    if rights is not None:
        statement = statement.where(rights)
    row = connection.execute(statement).first()
    if row is None:
        raise NotFound(N_("This quote does not exist, or you may not see it."))
    return dict(zip(names, row, strict=True))


def _day(quote: Mapping[str, Any]) -> date:
    on: date | None = quote["quoted_on"]
    return on or quote["created_at"].astimezone(UTC).date()


def _bases(
    currency: str,
    company: reference.Company,
    taxes: reference.Taxes,
    on: date,
    lines: Sequence[Mapping[str, Any]],
) -> list[Basis]:
    """With the rates stored on the lines: the company's rounding first, then the other one."""
    current = dict(taxes.on(on))
    for line in lines:
        known = current.get(line["tax_code"] or 0)
        if known is not None and line["tax_rate"] is not None:
            current[line["tax_code"]] = Tax(
                known.category, line["tax_rate"], known.code, known.note
            )
    others = [mode for mode in TaxRounding if mode is not company.tax_rounding]
    return [Basis(currency, current, mode) for mode in (company.tax_rounding, *others)]


def _checked_totals(
    quote: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], bases: Sequence[Basis]
) -> DocumentTotals:
    """The totals by the one calculation; those of an activated quote must be the stored ones."""
    for candidate in bases:
        sums = calculate(quote, lines, candidate)
        stored = (quote["total_net"], quote["total_tax"], quote["total_amount"])
        if quote["state"] == QuoteState.DRAFT or stored == (sums.base, sums.tax, sums.total):
            return sums
    raise UserError(
        N_(
            "The stored totals of quote {number} do not follow from its lines, so it was not "
            "printed. Make a revision of it."
        ),
        number=quote["number"],
    )


def _row(connection: Connection, model: Any, key: int | None) -> Mapping[str, Any]:  # noqa: ANN401
    if key is None:
        return {}
    fields = registry.get(model.__tablename__).fields.values()
    columns = [field.column for field in fields if field.column is not None]
    found = connection.execute(select(*columns).where(model.id == key)).mappings().first()
    return dict(found) if found else {}


def _scalar(connection: Connection, column: Any, key: Any, value: int | None) -> str | None:  # noqa: ANN401
    if value is None:
        return None
    found = connection.execute(select(column).where(key == value)).scalar()
    return None if found is None else str(found)


def _names(
    connection: Connection,
    key: Any,  # noqa: ANN401  a column
    name: Any,  # noqa: ANN401  a column
    ids: Sequence[int | None],
) -> dict[int, str]:
    wanted = sorted({value for value in ids if value is not None})
    if not wanted:
        return {}
    rows = connection.execute(select(key, name).where(key_clause(connection, key, wanted)))
    return {row[0]: row[1] or "" for row in rows}


def _seller(
    connection: Connection, company_id: int | None, currency: str
) -> tuple[Seller, tuple[Bank, ...]]:
    own = _row(connection, OwnCompany, company_id)
    rows = connection.execute(
        select(
            BankAccount.iban, BankAccount.bank, BankAccount.swift, Currency.code.label("currency")
        )
        .join(Currency, Currency.id == BankAccount.currency_id, isouter=True)
        .where(BankAccount.own_company_id == company_id, BankAccount.deleted_at.is_(None))
        .order_by(BankAccount.is_primary.desc(), BankAccount.id)
    )
    banks = tuple(
        Bank(row.iban, row.bank or "", row.swift or "", row.currency or "") for row in rows
    )
    matching = tuple(bank for bank in banks if bank.currency == currency)
    seller = Seller(
        name=own.get("name") or "",
        address=reference.address_lines(own) if own else (),
        tax_id=own.get("tax_id") or "",
        trade_register=own.get("trade_register") or "",
        phone=own.get("phone") or "",
        email=own.get("email") or "",
        website=own.get("website") or "",
        logo=own.get("logo"),
    )
    return seller, matching or banks


def _bill_to(quote: Mapping[str, Any], customer: Mapping[str, Any], person: str) -> Party:
    name, *address = _lines_of(quote["bill_to"]) or [customer.get("name") or ""]
    return Party(
        name=name,
        address=tuple(address),
        person=person,
        tax_id=customer.get("tax_id") or "",
        trade_register=customer.get("trade_register") or "",
    )


def _ship_to(quote: Mapping[str, Any], bill_to: Party) -> Party | None:
    lines = _lines_of(quote["ship_to"])
    if not lines or tuple(lines) == (bill_to.name, *bill_to.address):
        return None
    return Party(name=lines[0], address=tuple(lines[1:]))


def _lines_of(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def _printed(
    lines: Sequence[Mapping[str, Any]],
    sums: DocumentTotals,
    units: Mapping[int, str],
    codes: Mapping[int, str],
    taxes: Mapping[int, Tax],
) -> list[PrintedLine]:
    printed = []
    position = 0
    for line, amounts in zip(lines, sums.lines, strict=True):
        kind = LineKind(line["kind"] or LineKind.ITEM)
        position += kind in _PRICED
        title, _, rest = (line["description"] or "").partition("\n")
        printed.append(
            PrintedLine(
                kind=kind,
                title=title.strip(),
                position=str(position) if kind in _PRICED else "",
                code=codes.get(line["product"] or 0, ""),
                description=rest.strip(),
                group=line["group"] or "",
                quantity=line["quantity"] or Decimal(0),
                unit=units.get(line["unit"] or 0, ""),
                unit_price=line["unit_price"] or Decimal(0),
                discount_percent=line["discount_percent"] or None,
                discount=amounts.discount,
                tax_category=taxes.get(line["tax_code"] or 0, NO_TAX).category,
                tax_rate=line["tax_rate"] or Decimal(0),
                net=amounts.net,
            )
        )
    return printed
