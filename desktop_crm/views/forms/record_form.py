"""The form of a record: sections of fields from the entity's declaration, checked as typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_crm.core.errors import FieldError, UserError
from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField
from desktop_crm.services.permissions import knows
from desktop_crm.views.forms.editor import LineEditor
from desktop_crm.views.forms.editors import make_editor
from desktop_crm.views.forms.field_box import FieldBox
from desktop_crm.views.forms.form_pages import FormPages, tab_labels
from desktop_crm.views.forms.lines_grid import LinesEditor
from desktop_crm.views.forms.link_editor import LinkEditor
from desktop_crm.views.forms.sections import SectionBox

if TYPE_CHECKING:
    from desktop_crm.meta.field import Section
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.workbench import Workbench

_THREE: Final = 3
_WIDE_KINDS: Final = frozenset({"multiline", "lines", "json", "image"})


class RecordForm(QWidget):
    """Edits one record's values; knows what was changed and what is wrong.

    It holds plain values only: the record as opened is the base, :meth:`changes` the difference.
    Sections fold, and those of one tab stand together; which are folded is remembered. F1 in a
    field says what it means, Ctrl+Tab goes to the next tab.

    Attributes:
        dirty_changed: Whether there is anything to save.
        edited: A field was changed; carries its name.
    """

    dirty_changed = Signal(bool)
    edited = Signal(str)

    def __init__(
        self,
        entity_key: str,
        bench: Workbench,
        *,
        columns: int = 2,
        sections: Sequence[Section] | None = None,
        scrolls: bool = True,
    ) -> None:
        """Build the editors, empty.

        Args:
            entity_key: Whose form.
            bench: For editors that ask the database.
            columns: Fields side by side; 1 in the narrow detail pane, which has no tabs.
            sections: What it shows; None takes the entity's form.
            scrolls: Whether it scrolls by itself; else it is as high as its fields.
        """
        super().__init__()
        self.entity = registry.get(entity_key)
        self._bench = bench
        self._columns = columns
        self._sections = sections
        self.setObjectName(f"form.{entity_key}")
        self.setAccessibleName(tr(self.entity.label))
        self.boxes: dict[str, FieldBox] = {}
        self._base: dict[str, Any] = {}
        self._texts: dict[str, object] = {}
        self._dirty: set[str] = set()
        self._loading = False
        self._complete = True
        self.pages = FormPages(self.objectName(), columns, scrolls=scrolls)
        self._body = self.pages.body
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pages)
        self._arrange()
        self._body.addStretch(1)
        self.pages.show_fields()
        shortcut = QShortcut(QKeySequence("F1"), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self._explain)

    # --- building --------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Put the editors into the form, section by section."""
        form = self.entity.form if self._sections is None else self._sections
        tabs = tab_labels(form) if self._columns > 1 else [""] * len(form)
        folded = self._bench.recall(self._memory).get("folded") or ()
        for section, tab in zip(form, tabs, strict=True):
            alone = tabs.count(tab) == 1 and (not tab or tab == section.label)
            self._add_section(section, tab, titled=not alone, folded=section.label in folded)

    def _add_section(self, section: Section, tab: str, *, titled: bool, folded: bool) -> None:
        name = f"{self.objectName()}.section.{self.pages.count}"
        title = tr(section.label) if titled else ""
        box = SectionBox(name, section.label, title, self._columns)
        line = 1  # the first only keeps the columns even
        for row in section.rows:
            names = (row,) if isinstance(row, str) else row
            line = self._add_row(box, line, names)
        if not box.names:
            box.deleteLater()
            return
        box.fold(folded)
        box.folded.connect(self._keep_folds)
        self.pages.add_section(box, tr(tab) if tab else "")

    @property
    def _memory(self) -> str:
        return f"form.{self.entity.key}"

    @Slot(str, bool)
    def _keep_folds(self, key: str, folded: bool) -> None:
        kept = set(self._bench.recall(self._memory).get("folded") or ())
        (kept.add if folded else kept.discard)(key)
        self._bench.remember(self._memory, {"folded": sorted(kept)})

    def _add_row(self, section: SectionBox, line: int, names: tuple[str, ...]) -> int:
        """Put a row into a section: half the width for each field, a third where there are three.

        Returns:
            The next line of the grid.
        """
        shown = [name for name in names if self._has_place(name)]
        narrow = [name for name in shown if not self._is_wide(name, names)]
        thirds = self._columns > 1 and len(narrow) == len(shown) == _THREE
        span = section.units // (_THREE if thirds else self._columns)
        grid, unit = section.grid, 0
        for name in shown:
            box = self._make_box(self.entity.fields[name])
            section.names.append(name)
            if name not in narrow:
                line += unit > 0
                grid.addWidget(box, line, 0, 1, section.units)
                line, unit = line + 1, 0
                continue
            grid.addWidget(box, line, unit, 1, span)
            unit += span
            if unit == section.units:
                line, unit = line + 1, 0
        return line + (unit > 0)

    def _has_place(self, name: str) -> bool:
        field = self.entity.fields.get(name)
        hidden = field is None or field.hidden or not knows(self._bench.actor, field)
        return not hidden and name not in self.boxes

    def _is_wide(self, name: str, row: tuple[str, ...]) -> bool:
        alone = len(row) == 1 and name == self._wide_title
        return alone or self.entity.fields[name].kind.name in _WIDE_KINDS

    def rearrange(self, record: RecordValues | None) -> dict[str, Any]:
        """Build the form anew after its fields or their order changed; what was typed stays.

        Args:
            record: The record as opened, with values of fields that are new; None while there is
                none.

        Returns:
            What had been typed into fields that are gone, by name.
        """
        kept = self.kept()
        focused = self.focused_field()
        # The sections first: the cursor leaves its field, which is still one of the entity's then.
        self.pages.clear()
        self.boxes.clear()
        self.entity = registry.get(self.entity.key)
        self._arrange()
        self._body.addStretch(1)
        self.pages.show_fields()
        if record is not None:
            self.load(record)
        lost = self.bring(kept)
        if focused in self.boxes:
            self.go_to(focused)
        elif focused:
            # Left to itself the focus would be on the button that deletes.
            self.focus_first()
        return lost

    def focused_field(self) -> str:
        """Field the cursor is in, or will be once the window is in front; empty for none."""
        here: QWidget | None = self.window().focusWidget()
        found = (n for n, box in self.boxes.items() if here is not None and box.isAncestorOf(here))
        return next(found, "")

    @Slot()
    def _explain(self) -> None:
        name = self.focused_field()
        if name:
            self.boxes[name].toggle_help()
            self.pages.scroll_to(self.boxes[name])

    @property
    def _wide_title(self) -> str:
        return self.entity.title

    def _make_box(self, field: BoundField) -> FieldBox:
        editor = make_editor(field, f"{self.objectName()}.{field.name}", self._bench)
        box = FieldBox(field, editor)
        editor.changed.connect(lambda: self._edited(field.name))
        editor.left.connect(lambda: self._check(field.name))
        self.boxes[field.name] = box
        return box

    # --- values ----------------------------------------------------------------------------

    def load(self, record: RecordValues) -> None:
        """Show a record; nothing is dirty afterwards."""
        self._loading = True
        self._base = dict(record.values)
        for name, box in self.boxes.items():
            field = self.entity.fields[name]
            if field.kind.name == "lines":
                lines = [dict(line) for line in record.lines.get(name, ())]
                self._base[name] = lines
                box.editor.load(lines)
            else:
                box.editor.load(record.values.get(name), record.titles.get(name, ""))
            box.editor.set_read_only(field.read_only or not record.can_edit)
            box.show_error("")
        self._read_only = not record.can_edit
        self._show_units()
        self.settle()
        self._loading = False

    def settle(self) -> None:
        """Count what is shown as saved (or given up): nothing is dirty any more."""
        self._dirty.clear()
        self._texts = {name: self._current(name) for name in self.boxes}
        self.dirty_changed.emit(False)

    def _current(self, name: str) -> object:
        try:
            return self.boxes[name].editor.value()
        except UserError as error:
            return error

    @property
    def is_dirty(self) -> bool:
        """Whether the person changed anything."""
        return bool(self._dirty)

    @property
    def is_typed(self) -> bool:
        """Whether something would be lost: defaults that nobody touched are no loss."""
        shown = {name: self._current(name) for name in self._dirty}
        return any(
            isinstance(value, UserError) or value != self._texts.get(name)
            for name, value in shown.items()
        )

    def mark_dirty(self, names: Iterable[str]) -> None:
        """Count fields as changed though nobody typed (defaults of a new record)."""
        self._dirty.update(name for name in names if name in self.boxes)
        if self._dirty:
            self.dirty_changed.emit(True)

    def kept(self) -> dict[str, Any]:
        """What was changed as JSON, also what cannot be read as a value yet."""
        return {name: self.boxes[name].editor.kept() for name in self.boxes if name in self._dirty}

    def bring(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """Fill in again what :meth:`kept` gave; it counts as changed.

        Returns:
            What belongs to fields that are not here, by name.
        """
        for name in (here := [name for name in kept if name in self.boxes]):
            self.boxes[name].editor.bring(kept[name])
            self._edited(name)
        self.mark_dirty(here)
        return {name: value for name, value in kept.items() if name not in self.boxes}

    def readable(self) -> dict[str, Any]:
        """What is filled in and can be read as a value, by field name."""
        found = {name: self._current(name) for name in self.boxes}
        empty: tuple[object, ...] = (None, "", False, [])
        return {k: v for k, v in found.items() if v not in empty and not isinstance(v, UserError)}

    def base(self) -> Mapping[str, Any]:
        """Values of the record as opened."""
        return self._base

    def forget_base(self, names: Iterable[str]) -> None:
        """Leave it to the audit trail what these fields were when the change began."""
        for name in names:
            self._base.pop(name, None)

    def changes(self) -> dict[str, Any]:
        """Fields that were changed, by name, with their new values.

        Raises:
            UserError: A field cannot be read; it is marked.
        """
        return {name: self.boxes[name].editor.value() for name in self.boxes if name in self._dirty}

    def put(self, name: str, value: object, title: str = "") -> None:
        """Set a field as if the person had typed it."""
        box = self.boxes.get(name)
        if box is None:
            return
        if isinstance(box.editor, LinesEditor) and isinstance(value, list):
            box.editor.fill(value)
        else:
            box.editor.load(value, title)
        self._edited(name)

    def take_theirs(self, name: str, value: object, title: str = "") -> None:
        """Show what somebody else saved; the field is not dirty any more."""
        box = self.boxes.get(name)
        if box is not None:
            box.editor.load(value, title)
            self._texts[name] = self._current(name)
            self._dirty.discard(name)
            self.dirty_changed.emit(bool(self._dirty))

    # --- checking --------------------------------------------------------------------------

    def _edited(self, name: str) -> None:
        if self._loading:
            return
        before = bool(self._dirty)
        now = self._current(name)
        same = not isinstance(now, UserError) and now == self._texts.get(name)
        (self._dirty.discard if same else self._dirty.add)(name)
        if self.boxes[name].message:
            self._check(name)
        if name == "currency":
            self._show_units()
        if before != bool(self._dirty):
            self.dirty_changed.emit(bool(self._dirty))
        self.edited.emit(name)

    def _check(self, name: str) -> bool:
        """Check one field; the line below it says what is wrong."""
        message = self._problem(name)
        self.boxes[name].show_error(message)
        self._mark_tabs()
        return not message

    def _mark_tabs(self) -> None:
        self.pages.mark({name for name, box in self.boxes.items() if box.message})

    def _problem(self, name: str) -> str:
        field = self.entity.fields[name]
        editor = self.boxes[name].editor
        try:
            value = editor.value()
        except UserError as error:
            return str(error)
        if self._complete and field.required and (value is None or value == ""):
            return tr("Fill in this field.")
        return ""

    def check_all(self, *, complete: bool = True) -> bool:
        """Check every field and put the cursor into the first wrong one.

        Args:
            complete: Whether fields that must be filled in may not stay empty.
        """
        self._complete = complete
        wrong = [name for name in self.boxes if not self._check(name)]
        if wrong:
            self.go_to(wrong[0])
        return not wrong

    def clear_errors(self) -> None:
        """Take away what is said to be wrong."""
        for box in self.boxes.values():
            box.show_error("")
        self._mark_tabs()

    def show_errors(self, errors: Iterable[FieldError]) -> list[str]:
        """Show what the service found beside the fields; sentences without a field come back."""
        others: list[str] = []
        first = ""
        for error in errors:
            box = self.boxes.get(error.field)
            if box is None:
                others.append(error.message)
                continue
            if isinstance(box.editor, LinesEditor) and error.row is not None:
                box.editor.show_row_error(error.row, error.message)
            else:
                box.show_error(error.message)
            first = first or error.field
        self._mark_tabs()
        if first:
            self.go_to(first)
        return others

    def go_to(self, name: str) -> None:
        """Put the cursor into a field: open its tab and section, and scroll to it."""
        box = self.boxes.get(name)
        if box is not None:
            self.pages.reveal(name)
            box.editor.setFocus()
            self.pages.scroll_to(box)

    def focus_first(self) -> None:
        """Put the cursor into the first field of the tab in front that can be edited.

        Where a page other than fields is in front, the tabs get the focus.
        """
        for name, box in self.boxes.items():
            if not self.entity.fields[name].read_only and box.isVisibleTo(self):
                box.editor.setFocus()
                return
        self.pages.tabs.setFocus()

    def _show_units(self) -> None:
        """Show the record's currency behind its amounts."""
        currency = self.boxes.get("currency")
        if currency is None or not isinstance(currency.editor, LinkEditor):
            return
        code = currency.editor.title
        for name, box in self.boxes.items():
            money = self.entity.fields[name].kind.name == "money"
            if money and isinstance(box.editor, LineEditor):
                box.editor.show_unit(code)
