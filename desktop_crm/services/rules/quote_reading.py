"""What the rules of quotes need to know, read once for all quotes of an operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.rules import quote_reference as reference

LINES = "lines"


@dataclass(frozen=True, slots=True)
class Reading:
    """Reference data of one operation.

    Attributes:
        lines: Stored lines of each quote, by quote and by line, in order.
    """

    company: reference.Company
    currencies: Mapping[int, str]
    taxes: reference.Taxes
    customers: Mapping[int, reference.Customer]
    price_lists: Mapping[int, reference.List]
    items: Mapping[int, reference.Item]
    lines: Mapping[int, Mapping[int, Mapping[str, Any]]]

    @classmethod
    def of(cls, work: Work, drafts: Sequence[Draft]) -> Reading:
        """Read everything that these drafts may need; at most nine statements."""
        connection = work.connection
        stored = reference.lines(connection, [d.id for d in drafts if d.id is not None])
        customers = reference.customers(connection, _ids(d.get("account") for d in drafts))
        wanted = _ids(d.get("price_list") for d in drafts)
        wanted |= _ids(customer.price_list for customer in customers.values())
        rows = [row for draft in drafts for row in draft.lines.get(LINES, ())]
        rows += [row for lines in stored.values() for row in lines.values()]
        return cls(
            company=reference.company(connection),
            currencies=reference.currencies(connection),
            taxes=reference.taxes(connection),
            customers=customers,
            price_lists=reference.price_lists(connection, wanted),
            items=reference.items(connection, _ids(row.get("product") for row in rows)),
            lines=stored,
        )

    def code(self, currency: int | None) -> str:
        """ISO code of a currency."""
        return self.currencies.get(currency or 0, "")

    def rate(self, work: Work, currency: int | None, day: date) -> Decimal | None:
        """Rate into the company's currency to freeze with a quote; None when it is unknown."""
        if currency is None or currency == self.company.currency:
            return Decimal(1)
        return reference.exchange_rate(work.connection, currency, day)


def _ids(values: Iterable[Any]) -> set[int]:
    return {int(value) for value in values if value}
