"""Editor of child rows: e-mail addresses, phones, postal addresses, product lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.views import theme
from desktop_crm.views.forms.editor import Editor
from desktop_crm.views.widgets.buttons import push_button, tool_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.tab_order import put_before

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.views.workbench import Workbench

MakeEditor = Callable[["BoundField", str, "Workbench"], Editor]

_STRETCH: Final = {"text": 3, "link": 3, "email": 4, "phone": 3, "choice": 2, "money": 2}
_PRIMARY: Final = "is_primary"
_PER_LINE: Final = 4


class LineRow(QWidget):
    """Editors of one child row.

    Attributes:
        changed: Something in the row was changed.
        removed: The row shall go.
        made_primary: The row became the primary one.
    """

    changed = Signal()
    removed = Signal(object)
    made_primary = Signal(object)

    def __init__(
        self,
        fields: list[BoundField],
        name: str,
        bench: Workbench,
        make_editor: MakeEditor,
        base: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.base = dict(base)
        self.editors: dict[str, Editor] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for place, field in enumerate(fields):
            editor = make_editor(field, f"{name}.{field.name}", bench)
            self.editors[field.name] = editor
            editor.changed.connect(self.changed)
            line, column = divmod(place, _PER_LINE)
            if field.kind.name != "boolean":
                grid.addWidget(label(tr(field.label), "cap"), line * 2, column)
            grid.addWidget(editor, line * 2 + 1, column)
            stretch = _STRETCH.get(field.kind.name, 1)
            grid.setColumnStretch(column, max(grid.columnStretch(column), stretch))
        self._remove = tool_button(
            f"{name}.remove", tr("Remove"), "dismiss", lambda: self.removed.emit(self)
        )
        grid.addWidget(self._remove, 1, min(len(fields), _PER_LINE))
        self._error = label("", "error", wrap=True)
        self._error.hide()
        rows = (len(fields) - 1) // _PER_LINE + 1
        grid.addWidget(self._error, rows * 2, 0, 1, _PER_LINE)
        primary = self.editors.get(_PRIMARY)
        if primary is not None:
            primary.changed.connect(self._primary_changed)

    def load(self, titles: Mapping[str, str]) -> None:
        """Show the row's own values; ``titles`` are shown texts of its links."""
        for name, editor in self.editors.items():
            editor.load(self.base.get(name), titles.get(name, ""))

    def set_primary(self, primary: bool) -> None:
        """Make it the primary row, or one of the others."""
        editor = self.editors.get(_PRIMARY)
        if editor is not None:
            editor.load(primary)

    @property
    def is_primary(self) -> bool:
        """Whether it is the primary row."""
        editor = self.editors.get(_PRIMARY)
        return editor is not None and bool(editor.value())

    def _primary_changed(self) -> None:
        if self.is_primary:
            self.made_primary.emit(self)

    def is_blank(self) -> bool:
        """Whether nobody filled in anything that the row did not start with."""
        return "id" not in self.base and all(
            editor.is_empty() or self._same(name, editor)
            for name, editor in self.editors.items()
            if name != _PRIMARY
        )

    def _same(self, name: str, editor: Editor) -> bool:
        try:
            return bool(editor.value() == self.base.get(name))
        except UserError:
            return False

    def values(self) -> dict[str, Any]:
        """The row as edited, with ``id`` when it exists already.

        Raises:
            UserError: One of its fields cannot be read.
        """
        made = {name: editor.value() for name, editor in self.editors.items()}
        if "id" in self.base:
            made["id"] = self.base["id"]
        return made

    @property
    def error(self) -> str:
        """What is said to be wrong with the row."""
        return self._error.text()

    def show_error(self, message: str) -> None:
        """Show what is wrong below the row; an empty message takes it away."""
        self._error.setText(message)
        self._error.setVisible(bool(message))

    def set_read_only(self, read_only: bool) -> None:
        """Let the person only look."""
        self._remove.setVisible(not read_only)
        for editor in self.editors.values():
            editor.set_read_only(read_only)


class LinesEditor(Editor):
    """A list of child rows with a button that adds one; at most one of them is primary.

    The value is a list of dictionaries by field name, with ``id`` for rows that exist.
    """

    def __init__(
        self,
        field: BoundField,
        formats: Formats,
        name: str,
        bench: Workbench,
        make_editor: MakeEditor,
    ) -> None:
        super().__init__(field, formats, name)
        self._bench = bench
        self._make_editor = make_editor
        self._serial = 0
        child = registry.get(field.target)
        names = field.lines.columns if field.lines is not None else ()
        self._fields = [child.fields[column] for column in names]
        self.rows: list[LineRow] = []
        box = QWidget()
        self._column = QVBoxLayout(box)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._none = QLabel(tr("None"))
        self._none.setProperty("role", "dim")
        self._column.addWidget(self._none)
        self._add = push_button(
            f"{name}.add",
            tr("Add to {lines}", lines=tr(field.label)),
            self._add_row,
            kind="flat",
            drawing="add",
        )
        self._add.setText(tr("Add"))
        self._column.addWidget(self._add, 0, Qt.AlignmentFlag.AlignLeft)
        self._layout.addWidget(box, 1)
        self.setObjectName(name)
        self.setAccessibleName(tr(field.label))
        self.setFocusProxy(self._add)

    def _show(self, value: object, title: str) -> None:
        for row in list(self.rows):
            self._take_out(row)
        for line in value if isinstance(value, list | tuple) else ():
            mark = ".title"
            titles = {
                key.removesuffix(mark): str(shown or "")
                for key, shown in line.items()
                if key.endswith(mark)
            }
            self._insert(line, titles)
        self._none.setVisible(not self.rows)

    def _insert(self, base: Mapping[str, Any], titles: Mapping[str, str]) -> LineRow:
        self._serial += 1
        row = LineRow(
            self._fields,
            f"{self._name}.{self._serial}",
            self._bench,
            self._make_editor,
            base,
        )
        row.load(titles)
        row.changed.connect(self._told)
        row.removed.connect(self._remove)
        row.made_primary.connect(self._only_primary)
        self.rows.append(row)
        self._column.insertWidget(self._column.count() - 1, row)
        put_before(self._add, row)
        self._none.hide()
        return row

    def _take_out(self, row: LineRow) -> None:
        self.rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()

    def _add_row(self) -> None:
        defaults = {field.name: field.default for field in self._fields}
        defaults = {name: value for name, value in defaults.items() if value is not None}
        row = self._insert(defaults, {})
        if not any(other.is_primary for other in self.rows):
            row.set_primary(True)
        first = row.editors[self._fields[0].name]
        first.setFocus()
        self._told()

    def _remove(self, row: LineRow) -> None:
        was_primary = row.is_primary
        self._take_out(row)
        if was_primary and self.rows:
            self.rows[0].set_primary(True)
        self._none.setVisible(not self.rows)
        self._told()

    def _only_primary(self, row: LineRow) -> None:
        for other in self.rows:
            if other is not row:
                other.set_primary(False)

    def value(self) -> object:
        filled = [row for row in self.rows if not row.is_blank()]
        made = []
        for row in filled:
            try:
                made.append(row.values())
                row.show_error("")
            except UserError as error:
                row.show_error(str(error))
                raise
        return made

    def fill(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Put new rows in place of the ones shown; they count as filled in by the person."""
        self._loading = True
        for row in list(self.rows):
            self._take_out(row)
        for values in rows:
            # Without a base: a row that says only what it began with counts as blank.
            made = self._insert({}, {})
            for name, editor in made.editors.items():
                editor.load(values.get(name))
        self._none.setVisible(not self.rows)
        self._loading = False

    def kept(self) -> Any:  # noqa: ANN401  JSON
        return [
            {
                "id": row.base.get("id"),
                "cells": {name: editor.kept() for name, editor in row.editors.items()},
            }
            for row in self.rows
            if not row.is_blank()
        ]

    def bring(self, kept: Any) -> None:  # noqa: ANN401  JSON
        known = {row.base["id"]: row.base for row in self.rows if "id" in row.base}
        for row in list(self.rows):
            self._take_out(row)
        for one in kept:
            row = self._insert(known.get(one.get("id"), {}), {})
            for name, cell in one.get("cells", {}).items():
                if name in row.editors:
                    row.editors[name].bring(cell)
        self._none.setVisible(not self.rows)

    def is_empty(self) -> bool:
        return all(row.is_blank() for row in self.rows)

    def says(self, message: str) -> bool:
        """Whether one of the rows says this already."""
        return bool(message) and any(row.error == message for row in self.rows)

    def show_row_error(self, row: int, message: str) -> None:
        """Show what is wrong below one of the filled rows, counted from 0."""
        filled = [line for line in self.rows if not line.is_blank()]
        if 0 <= row < len(filled):
            filled[row].show_error(message)

    def set_read_only(self, read_only: bool) -> None:
        self._add.setVisible(not read_only)
        for row in self.rows:
            row.set_read_only(read_only)

    def mark_error(self, wrong: bool) -> None:
        theme.set_property(self, "wrong", wrong)
        if not wrong:
            for row in self.rows:
                row.show_error("")
