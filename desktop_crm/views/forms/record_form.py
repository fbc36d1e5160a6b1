"""The form of a record: sections of fields from the entity's declaration, checked as typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop_crm.core.errors import FieldError, UserError
from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField
from desktop_crm.services.permissions import knows
from desktop_crm.views import theme
from desktop_crm.views.forms.editor import Editor, LineEditor
from desktop_crm.views.forms.editors import make_editor
from desktop_crm.views.forms.lines_grid import LinesEditor
from desktop_crm.views.forms.link_editor import LinkEditor
from desktop_crm.views.widgets.labels import SectionTitle, label

if TYPE_CHECKING:
    from desktop_crm.meta.field import Section
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.workbench import Workbench

_WIDE_KINDS: Final = frozenset({"multiline", "lines", "json", "image"})


class FieldBox(QWidget):
    """Label, editor and the line below it that says what is wrong."""

    def __init__(self, field: BoundField, editor: Editor) -> None:
        super().__init__()
        self.editor = editor
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.caption = QLabel()
        self.caption.setTextFormat(Qt.TextFormat.RichText)
        self.caption.setProperty("role", "h3")
        self.caption.setBuddy(editor)
        self._label = tr(field.label)
        self._required = field.required
        self._show_caption()
        # A check box says its label itself; the empty caption keeps it level with its neighbour.
        if field.kind.name == "boolean":
            self.caption.setText("")
        else:
            theme.changed.connect(self._show_caption)
        layout.addWidget(self.caption)
        layout.addWidget(editor)
        self.error = label("", "error", wrap=True, name=f"{editor.objectName()}.error")
        self.error.setMinimumHeight(theme.scaled(16))
        self.error.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.error)
        layout.addStretch(1)

    def _show_caption(self) -> None:
        text = self._label.replace("&", "&amp;").replace("<", "&lt;")
        if self._required:
            text += f" <span style='color:{theme.hex_color('bad')}'>*</span>"
        self.caption.setText(text)

    def show_error(self, message: str) -> None:
        """Show what is wrong with the value; an empty message takes it away."""
        self.error.setText(message)
        if isinstance(self.editor, LinesEditor):
            self.error.setVisible(not self.editor.says(message))
        self.editor.mark_error(bool(message))
        control = self.editor.focusProxy()
        if control is not None and message:
            control.setAccessibleDescription(message)


class RecordForm(QScrollArea):
    """Edits one record's values; knows what was changed and what is wrong.

    It holds plain values only: the record as opened is the base, :meth:`changes` the difference.

    Attributes:
        dirty_changed: Whether there is anything to save.
        edited: A field was changed; carries its name.
    """

    dirty_changed = Signal(bool)
    edited = Signal(str)

    def __init__(self, entity_key: str, bench: Workbench, *, columns: int = 2) -> None:
        """Build the editors, empty.

        Args:
            entity_key: Whose form.
            bench: For editors that ask the database.
            columns: Fields side by side; 1 in the narrow detail pane.
        """
        super().__init__()
        self.entity = registry.get(entity_key)
        self._bench = bench
        self._columns = columns
        self.setObjectName(f"form.{entity_key}")
        self.setAccessibleName(tr(self.entity.label))
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.boxes: dict[str, FieldBox] = {}
        self._base: dict[str, Any] = {}
        self._texts: dict[str, object] = {}
        self._dirty: set[str] = set()
        self._loading = False
        body = QWidget()
        body.setObjectName("scrollbody")
        self._body = QVBoxLayout(body)
        margin = 24 if columns > 1 else 20
        self._body.setContentsMargins(margin, 8, margin, 16)
        self._body.setSpacing(4)
        self._arrange()
        self._body.addStretch(1)
        self.setWidget(body)

    # --- building --------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Put the editors into the form, section by section."""
        for number, section in enumerate(self.entity.form):
            self._add_section(section, titled=len(self.entity.form) > 1, first=number == 0)

    def _add_section(self, section: Section, *, titled: bool, first: bool) -> None:
        if titled and not first:
            self._body.addSpacing(8)
        if titled:
            self._body.addWidget(SectionTitle(tr(section.label)))
            self._body.addSpacing(4)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        for column in range(self._columns):
            grid.setColumnStretch(column, 1)
        line = 0
        for row in section.rows:
            line = self._add_row(grid, line, (row,) if isinstance(row, str) else row)
        self._body.addLayout(grid)

    def _add_row(self, grid: QGridLayout, line: int, names: tuple[str, ...]) -> int:
        column = 0
        for name in names:
            field = self.entity.fields.get(name)
            if field is None or field.hidden or not knows(self._bench.actor, field):
                continue
            box = self._make_box(field)
            wide = field.kind.name in _WIDE_KINDS or (len(names) == 1 and name == self._wide_title)
            if wide:
                line += column > 0
                grid.addWidget(box, line, 0, 1, self._columns)
                line, column = line + 1, 0
                continue
            grid.addWidget(box, line, column)
            column += 1
            if column == self._columns:
                line, column = line + 1, 0
        return line + (column > 0)

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

    def base(self) -> Mapping[str, Any]:
        """Values of the record as opened."""
        return self._base

    def changes(self) -> dict[str, Any]:
        """Fields that were changed, by name, with their new values.

        Raises:
            UserError: A field cannot be read; it is marked.
        """
        return {name: self.boxes[name].editor.value() for name in self.boxes if name in self._dirty}

    def put(self, name: str, value: object, title: str = "") -> None:
        """Set a field as if the person had typed it."""
        box = self.boxes.get(name)
        if box is not None:
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
        if self.boxes[name].error.text():
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
        return not message

    def _problem(self, name: str) -> str:
        field = self.entity.fields[name]
        editor = self.boxes[name].editor
        try:
            value = editor.value()
        except UserError as error:
            return str(error)
        if field.required and (value is None or value == ""):
            return tr("Fill in this field.")
        return ""

    def check_all(self) -> bool:
        """Check every field and put the cursor into the first wrong one."""
        wrong = [name for name in self.boxes if not self._check(name)]
        if wrong:
            self.go_to(wrong[0])
        return not wrong

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
        if first:
            self.go_to(first)
        return others

    def go_to(self, name: str) -> None:
        """Put the cursor into a field and scroll to it."""
        box = self.boxes.get(name)
        if box is not None:
            box.editor.setFocus()
            QTimer.singleShot(0, self, lambda: self.ensureWidgetVisible(box))

    def focus_first(self) -> None:
        """Put the cursor into the first field that can be edited."""
        for name, box in self.boxes.items():
            if not self.entity.fields[name].read_only:
                box.editor.setFocus()
                return

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
