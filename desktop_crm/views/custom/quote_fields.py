"""The fields of a quote around its lines, with sums that follow every key."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout

from desktop_crm.core.errors import FieldError, UserError, ValidationFailed
from desktop_crm.core.i18n import tr
from desktop_crm.core.money import exponent
from desktop_crm.meta.bound import BoundField
from desktop_crm.services.customizing.columns import PREFIX
from desktop_crm.services.permissions import knows
from desktop_crm.services.rules import quote_entry
from desktop_crm.services.rules.price_lists import Repricing, repriced
from desktop_crm.services.rules.quote_entry import CustomerTerms, NewQuote, ProductLine
from desktop_crm.services.rules.quote_totals import Basis, calculate
from desktop_crm.views.custom.lines_editor import QuoteLinesEditor
from desktop_crm.views.custom.totals_panel import TotalsPanel
from desktop_crm.views.errors import ask
from desktop_crm.views.forms.field_box import FieldBox
from desktop_crm.views.forms.record_form import RecordForm
from desktop_crm.views.widgets.labels import SectionTitle

if TYPE_CHECKING:
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.custom.line_model import Line
    from desktop_crm.views.workbench import Workbench

_HEAD: Final = (
    (("name", 2), ("account", 1), ("contact", 1)),
    (("opportunity", 1), ("owner", 1), ("quoted_on", 1), ("expires_on", 1)),
    (("currency", 1), ("price_list", 1), ("payment_terms", 1), ("is_tax_inclusive", 1)),
)
_TERMS: Final = ((("bill_to", 1), ("ship_to", 1)), (("terms", 1), ("description", 1)),
                 (("delivery_terms", 2),))  # fmt: skip
_SUMS: Final = (
    (("discount_percent", 1), ("discount_amount", 1)),
    (("freight_amount", 1), ("freight_tax_code", 1)),
)
_CALCULATED_WITH: Final = frozenset(
    {"lines", "discount_percent", "discount_amount", "freight_amount", "freight_tax_code",
     "is_tax_inclusive"}
)  # fmt: skip
_SUM_FIELDS: Final = tuple(sorted(_CALCULATED_WITH - {"lines"}))
_PREFIX: Final = "lines."
_Rows = tuple[tuple[tuple[str, int], ...], ...]


class QuoteForm(RecordForm):
    """A quote as one page: customer and dates, the grid of lines, terms and sums.

    Attributes:
        told: Something the person should read; carries the sentence.
        total_changed: Another total is shown; carries it as text.
    """

    told = Signal(str)
    total_changed = Signal(str)

    def __init__(self, entity_key: str, bench: Workbench) -> None:
        self._basis: Basis | None = None
        self._pause = True
        super().__init__(entity_key, bench)
        self._sum_soon = QTimer(self)
        self._sum_soon.setSingleShot(True)
        self._sum_soon.setInterval(0)
        self._sum_soon.timeout.connect(self._show_sums)
        self.edited.connect(self._take_edit)

    # --- building --------------------------------------------------------------------------

    def _arrange(self) -> None:
        self._body.addLayout(self._grid(_HEAD, 4))
        lines = self.entity.fields["lines"]
        self.lines = QuoteLinesEditor(
            lines, self._bench.formats, f"{self.objectName()}.lines", self._bench
        )
        self.lines.told.connect(self.told)
        self.lines.model.product_chosen.connect(self._take_product)
        self.lines.model.quantity_typed.connect(self._take_quantity)
        box = FieldBox(lines, self.lines)
        self.lines.changed.connect(lambda: self._edited("lines"))
        self.boxes["lines"] = box
        self._body.addWidget(box)
        self.totals = TotalsPanel(self._bench.formats)
        below = QHBoxLayout()
        below.setSpacing(24)
        left = QVBoxLayout()
        left.addWidget(SectionTitle(tr("Addresses and terms")))
        left.addLayout(self._grid(_TERMS, 2))
        left.addStretch(1)
        right = QVBoxLayout()
        right.addWidget(SectionTitle(tr("Discount and freight")))
        right.addLayout(self._grid(_SUMS, 2))
        right.addWidget(self.totals)
        right.addStretch(1)
        below.addLayout(left, 3)
        below.addLayout(right, 2)
        self._body.addLayout(below)
        if own := self._own_rows():
            self._body.addWidget(SectionTitle(tr("More")))
            self._body.addLayout(self._grid(own, 4))

    def _own_rows(self) -> _Rows:
        """Fields an administrator added, two in a row; the rest of the form is always the same."""
        names = [name for name in self.entity.fields if name.startswith(PREFIX)]
        shown = [name for name in names if not self.entity.fields[name].hidden]
        pairs = (shown[n : n + 2] for n in range(0, len(shown), 2))
        return tuple(tuple((name, 2) for name in pair) for pair in pairs)

    def _grid(self, rows: _Rows, columns: int) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        for column in range(columns):
            grid.setColumnStretch(column, 1)
        for line, row in enumerate(rows):
            place = 0
            for name, span in row:
                field = self.entity.fields[name]
                if self._is_shown(field):
                    grid.addWidget(self._make_box(field), line, place, 1, span)
                place += span
        return grid

    def _is_shown(self, field: BoundField) -> bool:
        return knows(self._bench.actor, field)

    # --- values ----------------------------------------------------------------------------

    def load(self, record: RecordValues) -> None:
        self._pause = True
        super().load(record)
        frozen = record.id is not None and record.values.get("state") != "draft"
        if frozen:
            for box in self.boxes.values():
                box.editor.set_read_only(True)
        self._pause = False
        if record.id is None:
            self._bench.tasks.read(
                quote_entry.new_quote,
                self._bench.actor,
                done=self._take_new,
                owner=self,
                lane="new",
            )
        self._read_basis()

    def _take_new(self, start: NewQuote) -> None:
        """Show what saving would fill in; untouched, it is no change of the person's."""
        for name, value, title in (
            ("quoted_on", start.quoted_on, ""),
            ("expires_on", start.expires_on, ""),
            ("currency", start.currency, start.currency_title),
            ("terms", start.terms, ""),
        ):
            if value and self.boxes[name].editor.is_empty():
                self.take_theirs(name, value, title)
        self._show_units()

    def _read_basis(self) -> None:
        self._bench.tasks.read(
            quote_entry.basis,
            self._bench.actor,
            self._value("currency"),
            self._value("quoted_on"),
            done=self._take_basis,
            owner=self,
            lane="basis",
        )

    def _take_basis(self, basis: Basis) -> None:
        self._basis = basis
        self._show_sums()

    def _value(self, name: str) -> Any:  # noqa: ANN401  any kind of field
        box = self.boxes.get(name)
        if box is None:
            return None
        try:
            return box.editor.value()
        except UserError:
            return None

    # --- following what is typed -----------------------------------------------------------

    def _take_edit(self, name: str) -> None:
        if self._pause:
            return
        if name in _CALCULATED_WITH:
            self._sum_soon.start()
        elif name == "account":
            self._take_account()
        elif name in {"currency", "quoted_on"}:
            self._read_basis()
        elif name == "price_list":
            self._price_all()

    def _show_sums(self) -> None:
        basis = self._basis
        if basis is None:
            return
        values = {name: self._value(name) for name in _SUM_FIELDS}
        model = self.lines.model
        try:
            result = calculate(values, model.lines, basis)
        except ValidationFailed as failure:
            model.show_totals(None, exponent(basis.currency))
            self.totals.show_problem(" ".join(error.message for error in failure.errors))
            self.total_changed.emit("")
            return
        model.show_totals(result, exponent(basis.currency))
        self.totals.show_totals(result, inclusive=bool(values["is_tax_inclusive"]))
        self.total_changed.emit(self.totals.total.text())

    def _take_account(self) -> None:
        account = self._value("account")
        if isinstance(account, int):
            self._bench.tasks.read(
                quote_entry.customer_terms,
                self._bench.actor,
                account,
                done=self._take_terms,
                owner=self,
                lane="customer",
            )

    def _take_terms(self, terms: CustomerTerms | None) -> None:
        if terms is None:
            return
        self.put("bill_to", terms.bill_to)
        self.put("ship_to", terms.ship_to)
        if terms.payment_terms:
            self.put("payment_terms", terms.payment_terms)
        if not self.lines.model.lines and terms.currency is not None:
            self.put("currency", terms.currency, terms.currency_title)
        if terms.price_list and self._value("currency") in (None, terms.currency):
            self.put("price_list", terms.price_list, terms.price_list_title)
            self.put("is_tax_inclusive", terms.tax_inclusive)

    # --- products --------------------------------------------------------------------------

    def _ask_products(self, lines: list[Line], then: str) -> None:
        wanted = [(line["product"], line.get("quantity") or Decimal(1)) for line in lines]
        take = {"product": self._put_product, "price": self._put_price}[then]

        def done(found: list[ProductLine | None]) -> None:
            for line, product in zip(lines, found, strict=True):
                if product is not None and line.get("product") == product.product:
                    take(line, product)

        self._bench.tasks.read(
            quote_entry.product_lines,
            self._bench.actor,
            wanted,
            self._value("currency"),
            self._value("price_list"),
            done=done,
            owner=self,
        )

    def _take_product(self, line: Line) -> None:
        self._ask_products([line], "product")

    def _put_product(self, line: Line, product: ProductLine) -> None:
        if product.price is None:
            self.told.emit(tr("This product has no price in the currency of the quote. Type one."))
        self.lines.model.put(
            line,
            {
                "description": product.description,
                "unit": product.unit,
                "unit.title": product.unit_title,
                "tax_code": product.tax_code,
                "tax_code.title": product.tax_title,
                "unit_price": Decimal(0) if product.price is None else product.price,
                "list_price": product.price,
            },
        )

    def _take_quantity(self, line: Line) -> None:
        self._ask_products([line], "price")

    def _price_all(self) -> None:
        lines = [line for line in self.lines.model.lines if line.get("product")]
        if lines:
            self._ask_products(lines, "price")

    def _put_price(self, line: Line, product: ProductLine) -> None:
        current, before = line.get("unit_price") or Decimal(0), line.get("list_price")
        overridden = before is not None and current != before
        outcome = repriced(current, before, product.price, overridden=overridden)
        if product.price is None or outcome is Repricing.SAME:
            return
        if outcome is Repricing.ASK and not self._wants_price(current, product.price):
            self.lines.model.put(line, {"list_price": product.price})
            return
        self.lines.model.put(line, {"unit_price": product.price, "list_price": product.price})

    def _wants_price(self, current: Decimal, price: Decimal) -> bool:
        formats = self._bench.formats
        answer = ask(
            self.window(),
            tr("Take the price of the list?"),
            tr(
                "For this quantity the price list has {price}; you typed {current}.",
                price=formats.number(price),
                current=formats.number(current),
            ),
            (
                ("keep", tr("Keep my price"), ""),
                ("take", tr("Take the list price"), "primary"),
            ),
        )
        return answer == "take"

    # --- errors ----------------------------------------------------------------------------

    def show_errors(self, errors: Iterable[FieldError]) -> list[str]:
        of_lines: list[FieldError] = []
        others: list[FieldError] = []
        for error in errors:
            in_line = error.field.startswith(_PREFIX) and error.row is not None
            (of_lines if in_line else others).append(error)
        left = super().show_errors(others)
        for error in of_lines:
            row = error.row or 0
            self.lines.show_row_error(row, error.field.removeprefix(_PREFIX), error.message)
            left.append(tr("Line {line}: {message}", line=row + 1, message=error.message))
        return left
