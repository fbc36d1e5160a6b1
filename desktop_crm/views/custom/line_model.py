"""The lines of a quote as a table: typed values, live amounts, a blank row to begin another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFont

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.services.rules.pricing import LineKind
from desktop_crm.views import theme

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.services.rules.pricing import DocumentTotals

AnyIndex = QModelIndex | QPersistentModelIndex
Line = dict[str, Any]

SAVED: Final = (
    "kind",
    "group",
    "product",
    "description",
    "quantity",
    "unit",
    "unit_price",
    "discount_percent",
    "discount_amount",
    "tax_code",
)
"""Fields of a line that a person sets; amounts and rates are the rules' own."""

_PRICED: Final = frozenset({LineKind.ITEM, LineKind.OPTIONAL, LineKind.ALTERNATIVE})
_KIND_NAMES: Final[Mapping[LineKind, str]] = {
    LineKind.OPTIONAL: N_("Optional"),
    LineKind.ALTERNATIVE: N_("Alternative"),
    LineKind.TEXT: N_("Text"),
    LineKind.SUBTOTAL: N_("Subtotal"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the grid: a field of the line, its header and its usual width."""

    name: str
    header: str
    width: int


COLUMNS: Final = (
    Column("product", N_("Product"), 170),
    Column("description", N_("Description"), 240),
    Column("quantity", N_("Quantity"), 80),
    Column("unit", N_("Unit"), 80),
    Column("unit_price", N_("Unit price"), 100),
    Column("discount_percent", N_("Discount %"), 90),
    Column("tax_code", N_("Tax code"), 120),
    Column("net_amount", N_("Amount"), 110),
)
NAMES: Final = tuple(column.name for column in COLUMNS)


class LineModel(QAbstractTableModel):
    """Lines being edited.

    Attributes:
        edited: A line was changed, added, moved or taken away.
        refused: What was typed cannot be taken; carries the sentence.
        product_chosen: Another product stands in a line; carries the line.
        quantity_typed: Another quantity stands in a line; carries the line.
    """

    edited = Signal()
    refused = Signal(str)
    product_chosen = Signal(object)
    quantity_typed = Signal(object)

    def __init__(self, formats: Formats) -> None:
        super().__init__()
        self._formats = formats
        self._fields = registry.get("quote_line").fields
        self._lines: list[Line] = []
        self._amounts: Sequence[Decimal] = ()
        self._places = 2
        self._errors: dict[tuple[int, str], str] = {}
        self.read_only = False

    # --- values ----------------------------------------------------------------------------

    @property
    def lines(self) -> Sequence[Line]:
        """The lines, without the blank row."""
        return self._lines

    def load(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Show other lines."""
        self.beginResetModel()
        self._lines = [dict(line) for line in lines]
        self._errors.clear()
        self._amounts = ()
        self.endResetModel()

    def values(self) -> list[Line]:
        """What is to be saved: the key of a stored line and the fields a person sets."""
        return [
            {name: line.get(name) for name in ("id", *SAVED) if line.get(name) is not None}
            | {name: None for name in SAVED if line.get("id") and line.get(name) is None}
            for line in self._lines
        ]

    def show_totals(self, result: DocumentTotals | None, places: int) -> None:
        """Show the calculated amounts; None when the lines cannot be calculated."""
        self._amounts = [line.net for line in result.lines] if result is not None else ()
        self._places = places
        last = NAMES.index("net_amount")
        if self._lines:
            self.dataChanged.emit(self.index(0, last), self.index(len(self._lines) - 1, last))

    def kind(self, row: int) -> LineKind:
        """What the line in a row is; the blank row is an item."""
        line = self._lines[row] if row < len(self._lines) else {}
        return LineKind(line.get("kind") or LineKind.ITEM)

    def put(self, line: Line, values: Mapping[str, Any]) -> None:
        """Set values of a line that is still there, and tell."""
        row = self.row_of(line)
        if row < 0:
            return
        line.update(values)
        self._changed(row)

    def row_of(self, line: Line) -> int:
        """Where a line stands; -1 when it was taken away meanwhile."""
        return next((row for row, known in enumerate(self._lines) if known is line), -1)

    def show_error(self, row: int, name: str, message: str) -> None:
        """Mark a cell as wrong."""
        self._errors[row, name] = message
        self._repaint(row)

    def clear_errors(self) -> None:
        """Take all marks away."""
        if self._errors:
            self._errors.clear()
            if self._lines:
                self._repaint(0, len(self._lines) - 1)

    # --- rows ------------------------------------------------------------------------------

    def add(self, kind: LineKind = LineKind.ITEM, after: int | None = None) -> int:
        """Add a line and return its row."""
        row = len(self._lines) if after is None else min(after + 1, len(self._lines))
        self.beginInsertRows(QModelIndex(), row, row)
        self._lines.insert(row, self._new(kind))
        self.endInsertRows()
        self._moved()
        return row

    def remove(self, rows: Sequence[int]) -> None:
        """Take lines away."""
        for row in sorted({row for row in rows if row < len(self._lines)}, reverse=True):
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._lines[row]
            self.endRemoveRows()
        self._moved()

    def move(self, row: int, by: int) -> int:
        """Move a line up (-1) or down (1) and return its new row."""
        target = row + by
        if not (0 <= row < len(self._lines) and 0 <= target < len(self._lines)):
            return row
        place = target + 1 if by > 0 else target
        self.beginMoveRows(QModelIndex(), row, row, QModelIndex(), place)
        self._lines.insert(target, self._lines.pop(row))
        self.endMoveRows()
        self._moved()
        return target

    def set_kind(self, row: int, kind: LineKind) -> None:
        """Make a line an item, optional or an alternative."""
        if row < len(self._lines):
            self.put(self._lines[row], {"kind": kind.value})

    def _new(self, kind: LineKind = LineKind.ITEM) -> Line:
        line: Line = {"kind": kind.value}
        if kind in _PRICED:
            line["quantity"] = Decimal(1)
            line["unit_price"] = Decimal(0)
        return line

    def _moved(self) -> None:
        self._errors.clear()
        self._amounts = ()
        self.edited.emit()

    def _changed(self, row: int) -> None:
        self._errors = {key: text for key, text in self._errors.items() if key[0] != row}
        self._repaint(row)
        self.edited.emit()

    def _repaint(self, first: int, last: int = -1) -> None:
        bottom = self.index(max(first, last), len(COLUMNS) - 1)
        self.dataChanged.emit(self.index(first, 0), bottom)

    # --- the table -------------------------------------------------------------------------

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        if parent is not None and parent.isValid():
            return 0
        return len(self._lines) + (0 if self.read_only else 1)

    def columnCount(self, parent: AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> object:
        if orientation is Qt.Orientation.Vertical:
            if role == Qt.ItemDataRole.DisplayRole:
                return str(section + 1) if section < len(self._lines) else "+"
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(COLUMNS[section].header)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(NAMES[section])
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        usual = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        name = NAMES[index.column()]
        if self.read_only or name == "net_amount":
            return usual
        if self.kind(index.row()) not in _PRICED and name != "description":
            return usual
        return usual | Qt.ItemFlag.ItemIsEditable

    def data(self, index: AnyIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(index.row(), NAMES[index.column()])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(NAMES[index.column()])
        if role == Qt.ItemDataRole.EditRole:
            return self._edit_value(index.row(), NAMES[index.column()])
        if role == Qt.ItemDataRole.ForegroundRole:
            return theme.color(self._tint(index.row(), NAMES[index.column()]))
        if role == Qt.ItemDataRole.FontRole:
            strong = self.kind(index.row()) is LineKind.SUBTOTAL
            return theme.font(
                13, QFont.Weight.DemiBold if strong else QFont.Weight.Normal, tabular=True
            )
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            return self._tip(index.row(), NAMES[index.column()])
        return None

    def _alignment(self, name: str) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignLeft
        if name == "net_amount" or self._fields[name].kind.align == "right":
            side = Qt.AlignmentFlag.AlignRight
        return side | Qt.AlignmentFlag.AlignVCenter

    def _text(self, row: int, name: str) -> str:
        if row >= len(self._lines):
            return tr("Add a line…") if name == "product" else ""
        line, kind = self._lines[row], self.kind(row)
        if name == "net_amount":
            return self._amount(row, kind)
        if name == "product" and line.get("product") is None:
            return tr(_KIND_NAMES[kind]) if kind in _KIND_NAMES else ""
        if name == "description":
            return " · ".join(str(line.get(name) or "").split("\n"))
        if kind not in _PRICED:
            return ""
        if name == "discount_percent" and line.get("discount_amount"):
            return self._formats.number(line["discount_amount"], self._places)
        if self._fields[name].kind.name == "link":
            return str(line.get(f"{name}.title") or "")
        value = line.get(name)
        if value is None or (name == "discount_percent" and not value):
            return ""
        if name == "unit_price":
            return self._price(value)
        return self._formats.number(value)

    def _price(self, value: Decimal) -> str:
        exponent = value.normalize().as_tuple().exponent
        own = -exponent if isinstance(exponent, int) else 0
        return self._formats.number(value, max(self._places, own))

    def _amount(self, row: int, kind: LineKind) -> str:
        if kind is LineKind.TEXT or row >= len(self._amounts):
            return ""
        text = self._formats.number(self._amounts[row], self._places)
        return text if kind in (LineKind.ITEM, LineKind.SUBTOTAL) else f"({text})"

    def _edit_value(self, row: int, name: str) -> object:
        if row >= len(self._lines):
            return ""
        line = self._lines[row]
        if self._fields[name].kind.name == "link":
            return (line.get(name), str(line.get(f"{name}.title") or ""))
        if name == "description":
            return str(line.get(name) or "")
        return self._text(row, name)

    def _tint(self, row: int, name: str) -> str:
        if row >= len(self._lines):
            return "text3"
        if (row, name) in self._errors:
            return "bad"
        if self.kind(row) is not LineKind.ITEM and name in {"product", "net_amount"}:
            return "text2"
        return "text"

    def _tip(self, row: int, name: str) -> str | None:
        if (message := self._errors.get((row, name))) is not None:
            return message
        if row < len(self._lines) and name == "description":
            return str(self._lines[row].get("description") or "") or None
        return None

    def setData(
        self, index: AnyIndex, value: object, role: int = int(Qt.ItemDataRole.EditRole)
    ) -> bool:
        if role != Qt.ItemDataRole.EditRole:
            return False
        row, name = index.row(), NAMES[index.column()]
        if row >= len(self._lines) and value in ("", (None, "")):
            return False
        try:
            wanted = self._parsed(name, value)
        except UserError as error:
            self.refused.emit(str(error))
            return False
        if row >= len(self._lines):
            row = self.add()
        line = self._lines[row]
        if all(line.get(key) == new for key, new in wanted.items()):
            return True
        line.update(wanted)
        self._changed(row)
        if name == "product" and line.get("product") is not None:
            self.product_chosen.emit(line)
        elif name == "quantity" and line.get("product") is not None:
            self.quantity_typed.emit(line)
        return True

    def _parsed(self, name: str, value: object) -> Line:
        field = self._fields[name]
        if field.kind.name == "link":
            key, title = value if isinstance(value, tuple) else (None, "")
            return {name: key, f"{name}.title": title}
        parsed = field.parse(str(value), self._formats)
        if name == "discount_percent":
            return {name: parsed, "discount_amount": None}
        if name in ("quantity", "unit_price") and parsed is None:
            parsed = Decimal(0)
        return {name: parsed}
