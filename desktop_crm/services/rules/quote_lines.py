"""Lines of a quote on their way in: values read, products taken over, prices looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from desktop_crm.core.errors import FieldError, UserError
from desktop_crm.meta import registry
from desktop_crm.models.quote import LineKind
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.rules import quote_reference as reference
from desktop_crm.services.rules.price_lists import Product, Repricing, find_price, repriced
from desktop_crm.services.rules.quote_reading import LINES, Reading
from desktop_crm.services.values import checked, same

__all__ = ["LINES", "completed", "differ", "effective", "fail", "is_item", "list_price"]

_PRICED: Final = frozenset({LineKind.PRODUCT, LineKind.OPTIONAL, LineKind.ALTERNATIVE})


_PRICE_SOURCES: Final = ("product", "quantity")


def is_item(row: Mapping[str, Any]) -> bool:
    """Whether the row enters the totals."""
    return (row.get("kind") or LineKind.PRODUCT) == LineKind.PRODUCT


def fail(draft: Draft, index: int, name: str, template: str, **params: object) -> None:
    """Note what is wrong with a field of a line."""
    draft.errors.append(FieldError(f"{LINES}.{name}", template, tuple(params.items()), index))


def completed(work: Work, draft: Draft, reading: Reading) -> list[dict[str, Any]]:
    """The lines the quote will have, with typed values and what their products bring along."""
    stored = reading.lines.get(draft.id or 0, {})
    if LINES not in draft.lines:
        rows: list[dict[str, Any]] = [{"id": key} for key in stored]
    else:
        rows = [_typed(work, draft, index, row) for index, row in enumerate(draft.lines[LINES])]
    if not draft.errors:
        for row in rows:
            _complete(row, stored.get(row.get("id") or 0, {}), draft, reading)
    return rows


def effective(draft: Draft, reading: Reading) -> list[dict[str, Any]]:
    """The lines of a completed draft, with the values that do not change."""
    stored = reading.lines.get(draft.id or 0, {})
    if LINES not in draft.lines:
        return [dict(row) for row in stored.values()]
    return [{**stored.get(row.get("id") or 0, {}), **row} for row in draft.lines[LINES]]


def differ(rows: Sequence[Mapping[str, Any]], stored: Mapping[int, Mapping[str, Any]]) -> bool:
    """Whether any row would change what is stored."""
    return any(
        not same(stored.get(row.get("id") or 0, {}).get(name), value)
        for row in rows
        for name, value in row.items()
    )


def list_price(
    item: reference.Item, quantity: Decimal, currency: int | None, prices: reference.List | None
) -> Decimal | None:
    """Price of a product in the currency of the quote; None when there is none."""
    own = item.list_price if item.currency in (None, currency) else None
    product = Product(item.id, own, item.cost if item.currency in (None, currency) else None)
    return find_price(prices.rows if prices else (), product, None, quantity)


def _typed(work: Work, draft: Draft, index: int, row: Mapping[str, Any]) -> dict[str, Any]:
    fields = registry.get("quote_line").fields
    typed: dict[str, Any] = {}
    for name, value in row.items():
        field = fields.get(name)
        if field is None or name in {"id", "quote"}:
            typed[name] = value
            continue
        try:
            typed[name] = checked(field, value, work.actor.formats)
        except UserError as error:
            fail(draft, index, name, error.template, **error.params)
    return typed


def _complete(row: dict[str, Any], old: Mapping[str, Any], draft: Draft, reading: Reading) -> None:
    kind = row.get("kind") or old.get("kind") or LineKind.PRODUCT
    if kind not in _PRICED:
        return
    if not old and row.get("quantity") is None:
        row["quantity"] = Decimal(1)
    item = reading.items.get(_value(row, old, "product") or 0)
    if item is None:
        if row.get("unit_price", old.get("unit_price")) is None:
            row["unit_price"] = Decimal(0)
        if old.get("list_price") is not None or "product" in row:
            row.update(list_price=None, is_price_overridden=False)
        return
    if row.get("product", old.get("product")) != old.get("product"):
        _take_product(row, item, draft.get("currency"))
    _take_price(row, old, item, draft, reading)


def _take_product(row: dict[str, Any], item: reference.Item, currency: int | None) -> None:
    text = "\n".join(part for part in (item.name, item.description) if part)
    cost = item.cost if item.currency in (None, currency) else None
    for name, value in (
        ("description", text),
        ("unit", item.unit),
        ("tax_code", item.tax_code),
        ("cost", cost),
    ):
        if row.get(name) in (None, ""):
            row[name] = value


def _take_price(
    row: dict[str, Any],
    old: Mapping[str, Any],
    item: reference.Item,
    draft: Draft,
    reading: Reading,
) -> None:
    """Price a line anew when product, quantity or price list changed; a typed price stays."""
    moved = any(name in row and not same(row[name], old.get(name)) for name in _PRICE_SOURCES)
    if old and not moved and not draft.changes("price_list"):
        price = old.get("list_price")
    else:
        quantity = _value(row, old, "quantity")
        prices = reading.price_lists.get(draft.get("price_list") or 0)
        price = list_price(
            item, Decimal(1) if quantity is None else quantity, draft.get("currency"), prices
        )
    typed = row.get("unit_price")
    if old and (typed is None or same(typed, old["unit_price"])):
        typed = _kept_or_new(old, price)
    elif typed is None:
        typed = Decimal(0) if price is None else price
    row["unit_price"] = typed
    row["list_price"] = price
    row["is_price_overridden"] = price is not None and typed != price


def _kept_or_new(old: Mapping[str, Any], price: Decimal | None) -> Decimal:
    current: Decimal = old["unit_price"]
    outcome = repriced(
        current, old.get("list_price"), price, overridden=bool(old.get("is_price_overridden"))
    )
    return price if outcome is Repricing.CHANGED and price is not None else current


def _value(row: Mapping[str, Any], old: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401
    return row[name] if name in row else old.get(name)
