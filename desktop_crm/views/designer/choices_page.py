"""The designer's second tab: the values of an entity's choice fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import kinds, registry
from desktop_crm.models.marking import PillTone
from desktop_crm.services.customizing import choices
from desktop_crm.views import theme
from desktop_crm.views.designer.ordered_list import Entry, OrderedList, move_buttons
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.meta.field import Option
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.customizing.choices import ChoiceList
    from desktop_crm.views.workbench import Workbench

_TONES: Final = {tone.value: tone.label for tone in PillTone}


class TextDialog(Dialog):
    """Asks for one short text.

    Args:
        parent: The window it belongs to.
        title: What is done.
        caption: What is asked for.
        text: What stands there at first.
        done: Called with the text; returns False to stay open.
    """

    def __init__(
        self, parent: QWidget, title: str, caption: str, text: str, done: Callable[[str], object]
    ) -> None:
        super().__init__(parent, "shortText", title, width=380)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._done = done
        self.line = QLineEdit(text)
        self.line.setObjectName("shortText.text")
        self.line.setMaxLength(80)
        self.line.selectAll()
        self.body.addWidget(Labelled(caption, self.line, required=True))
        self._ok = push_button("shortText.ok", tr("OK"), self._accept, kind="primary")
        self._ok.setDefault(True)
        self.set_foot(None, self.cancel_button(), self._ok)
        self.line.textChanged.connect(lambda _text: self._update())
        self._update()
        self.line.setFocus()

    def _update(self) -> None:
        self._ok.setEnabled(bool(self.line.text().strip()))

    def _accept(self) -> None:
        self._done(self.line.text().strip())
        self.accept()


class ChoicesPage(QWidget):
    """Values of one list at a time; stored values stay shown whatever is done here."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._entity = ""
        self.field = QuietCombo()
        self.field.setObjectName("designer.choice.field")
        self.field.setAccessibleName(tr("Choice field"))
        self.field.currentIndexChanged.connect(lambda _index: self._show_list())
        self.list = OrderedList("designer.values", tr("Values"), movable=True)
        self.list.current_changed.connect(lambda _key: self._update())
        self.list.reordered.connect(self._reorder)
        self.list.opened.connect(lambda _key: self._rename())
        self.note = label("", "dim", wrap=True)
        self.empty = EmptyState(
            "group_list",
            tr("No choice fields"),
            tr("Add a field of the kind “Choice” on the first tab."),
            name="designer.values.empty",
        )
        self._build()

    def _build(self) -> None:
        self._add = push_button(
            "designer.value.add", tr("Add a value"), self._ask_new, kind="primary"
        )
        self._edit = push_button("designer.value.rename", tr("Rename…"), self._rename)
        self._offer = push_button("designer.value.offer", tr("Stop offering"), self._toggle)
        self._reset = push_button("designer.value.reset", tr("Back to standard"), self._restore)
        self._tone = QuietCombo()
        self._tone.setObjectName("designer.value.tone")
        self._tone.setAccessibleName(tr("Colour"))
        self._tone.setToolTip(tr("Colour"))
        self._tone.setMinimumWidth(theme.scaled(140))
        for tone in PillTone:
            self._tone.addItem(tr(tone.label), tone.value)
        self._tone.activated.connect(lambda _index: self._recolour())
        self._up, self._down = move_buttons(self.list, "designer.value")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 10, 16, 12)
        layout.setSpacing(8)
        self.field.setMinimumWidth(220)
        self._tools = row(
            self._up, self._down, self._edit, self._tone, self._offer, None, spacing=6
        )
        self._head = row(self.field, None, self._reset, self._add, spacing=6)
        for part in (self._head, self._tools, self.note):
            layout.addWidget(part)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.empty, 1)

    def show_entity(self, key: str) -> None:
        """Show the lists of an entity."""
        self._entity = key
        self.load()

    def load(self) -> None:
        """Show the lists as they stand now; no statement."""
        kept = self.field.currentData()
        entity = registry.get(self._entity)
        found = [
            field
            for field in entity.fields.values()
            if field.kind is kinds.CHOICE and not field.hidden and not field.read_only
        ]
        self.field.blockSignals(True)
        self.field.clear()
        for field in found:
            self.field.addItem(tr(field.label), field.name)
        self.field.setCurrentIndex(max(0, self.field.findData(kept)))
        self.field.blockSignals(False)
        for part in (self._head, self._tools, self.note, self.list):
            part.setVisible(bool(found))
        self.empty.setVisible(not found)
        self._show_list()

    def of_field(self) -> ChoiceList | None:
        """The list of the field chosen."""
        name = self.field.currentData()
        return choices.of_field(registry.get(self._entity), str(name)) if name else None

    def _show_list(self) -> None:
        of = self.of_field()
        self.list.show_entries([_entry(option) for option in of.options] if of else [])
        told = []
        if of is not None and len(of.labels) > 1:
            told.append(tr("These values are shared by {fields}.", fields=of.title))
        if of is not None and not of.is_free:
            told.append(
                tr("The program depends on these values: they can be renamed, coloured and sorted.")
            )
        self.note.setText(" ".join(told))
        self.note.setVisible(bool(told))
        self._update()

    def _current(self) -> Option | None:
        of, key = self.of_field(), self.list.current_key()
        return next((o for o in of.options if o.code == key), None) if of else None

    def _update(self) -> None:
        of, option = self.of_field(), self._current()
        free = of is not None and of.is_free
        for button in (self._up, self._down, self._edit, self._tone):
            button.setEnabled(option is not None)
        self._add.setEnabled(free)
        self._offer.setEnabled(free and option is not None)
        offered = option is None or option.offered
        self._offer.setText(tr("Stop offering") if offered else tr("Offer again"))
        self._offer.setAccessibleName(self._offer.text())
        builtin = of is not None and not of.field.startswith("x_")
        self._reset.setVisible(builtin)
        if option is not None:
            self._tone.setCurrentIndex(max(0, self._tone.findData(option.tone.value)))

    # --- doing -----------------------------------------------------------------------------

    def _ask_new(self) -> None:
        of = self.of_field()
        if of is not None:
            made = partial(self._write, choices.add, of)
            TextDialog(self.window(), tr("Add a value"), tr("Label"), "", made).open()

    def _rename(self) -> None:
        of, option = self.of_field(), self._current()
        if of is None or option is None:
            return

        def renamed(text: str) -> None:
            if text != tr(option.label):
                self._change(of, option.code, label=text)

        TextDialog(
            self.window(), tr("Rename the value"), tr("Label"), tr(option.label), renamed
        ).open()

    def _recolour(self) -> None:
        of, option = self.of_field(), self._current()
        tone = str(self._tone.currentData())
        if of is not None and option is not None and tone != option.tone.value:
            self._change(of, option.code, tone=tone)

    def _toggle(self) -> None:
        of, option = self.of_field(), self._current()
        if of is not None and option is not None:
            self._change(of, option.code, is_active=not option.offered)

    def _change(self, of: ChoiceList, code: str, **values: object) -> None:
        def run(actor: Any) -> ChangeSet:  # noqa: ANN401  an actor
            return choices.change(actor, of, code, **values)

        self._write(run)

    def _reorder(self, codes: Sequence[str]) -> None:
        of = self.of_field()
        if of is not None:
            self._write(choices.reorder, of, list(codes))

    def _restore(self) -> None:
        of = self.of_field()
        if of is not None:
            self._write(choices.restore, of)

    def _write(self, function: Callable[..., ChangeSet], *arguments: object) -> None:
        self._bench.tasks.write(
            function, self._bench.actor, *arguments,
            done=self._bench.bus.publish, failed=self._failed, owner=self, label=tr("Saving"),
        )  # fmt: skip

    def _failed(self, error: Exception) -> None:
        self.load()
        self._bench.shell.show_error(error)

    def keyPressEvent(self, event: Any) -> None:  # noqa: ANN401  Qt's own
        if event.key() == Qt.Key.Key_F2:
            self._rename()
            return
        super().keyPressEvent(event)


def _entry(option: Option) -> Entry:
    return Entry(
        option.code,
        tr(option.label),
        note=tr(_TONES[option.tone.value]) if option.offered else tr("Not offered"),
        tone=option.tone.value if option.offered else "neutral",
        dim=not option.offered,
    )
