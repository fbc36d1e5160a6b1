"""The sums of a quote beside its terms: what is saved and printed, as it is being typed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout

from desktop_crm.core.i18n import tr
from desktop_crm.core.money import exponent
from desktop_crm.services.rules.pricing import TaxCategory
from desktop_crm.views.widgets.cards import Card
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import separator

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.services.rules.pricing import DocumentTotals, TaxGroup


class TotalsPanel(Card):
    """Subtotal, discount, freight, tax by rate and total."""

    def __init__(self, formats: Formats) -> None:
        super().__init__(tr("Totals"), name="quote.totals")
        self.setAccessibleName(tr("Totals"))
        self._formats = formats
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        self.body.addLayout(self._grid)
        self.body.addWidget(separator())
        total = QVBoxLayout()
        total.setContentsMargins(0, 4, 0, 0)
        grid = QGridLayout()
        grid.setColumnStretch(0, 1)
        self._caption = label(tr("Total"), "h2")
        self.total = label("", "h1", name="quote.totals.total")
        self.total.setAlignment(Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._caption, 0, 0)
        grid.addWidget(self.total, 0, 1)
        total.addLayout(grid)
        self.body.addLayout(total)
        self.problem = label("", "error", wrap=True, name="quote.totals.problem")
        self.problem.hide()
        self.body.addWidget(self.problem)
        self._shown: list[QLabel] = []

    def show_totals(self, result: DocumentTotals, *, inclusive: bool) -> None:
        """Show calculated sums."""
        self.problem.hide()
        places = exponent(result.currency)
        rows = [(tr("Subtotal with VAT") if inclusive else tr("Subtotal"), result.subtotal)]
        if result.discount:
            rows.append((tr("Discount"), -result.discount))
        if result.freight:
            rows.append((tr("Freight"), result.freight))
        if result.discount or result.freight or inclusive:
            rows.append((tr("Net amount"), result.base))
        rows.extend((self._tax_name(group), group.tax) for group in result.groups)
        if result.margin is not None:
            rows.append((tr("Margin"), result.margin))
        self._fill(rows, places)
        shown = f"{self._formats.number(result.total, places)} {result.currency}"
        self.total.setText(shown)
        self.total.setAccessibleName(tr("Total {amount}", amount=shown))

    def show_problem(self, message: str) -> None:
        """Say why there are no sums; the last ones are taken away."""
        self._fill([], 0)
        self.total.setText("–")
        self.problem.setText(message)
        self.problem.show()

    def _tax_name(self, group: TaxGroup) -> str:
        if group.category is TaxCategory.EXEMPT:
            return tr("VAT exempt")
        if group.category is TaxCategory.REVERSE_CHARGE:
            return tr("Reverse charge")
        if group.category is TaxCategory.OUT_OF_SCOPE:
            return tr("Not subject to VAT")
        return tr("VAT {rate}", rate=self._formats.percent(group.rate))

    def _fill(self, rows: list[tuple[str, Decimal]], places: int) -> None:
        texts = [part for name, amount in rows for part in (name, self._number(amount, places))]
        while len(self._shown) < len(texts):
            place = len(self._shown)
            made = label("", "dim" if place % 2 == 0 else "")
            if place % 2:
                made.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(made, place // 2, place % 2)
            self._shown.append(made)
        for place, shown in enumerate(self._shown):
            shown.setText(texts[place] if place < len(texts) else "")
            shown.setVisible(place < len(texts))

    def _number(self, amount: Decimal, places: int) -> str:
        return self._formats.number(amount, places)
