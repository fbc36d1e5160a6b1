"""One part of a business card: a record to be made, or one that is there and gets what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QFrame, QVBoxLayout

from desktop_crm.core.i18n import tr
from desktop_crm.meta import kinds
from desktop_crm.meta.field import Section
from desktop_crm.services.business_card import Part
from desktop_crm.views.forms.alike_panel import AlikePanel
from desktop_crm.views.forms.draft_keeper import DraftWriter
from desktop_crm.views.forms.record_form import RecordForm
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench


class CardPart(QFrame):
    """A check box that wants it, what may be there already, and a few fields.

    Attributes:
        form: The fields.
        alike: Records that may be the same.
        existing: Key of the record that is used instead of a new one.
    """

    def __init__(
        self,
        bench: Workbench,
        entity: str,
        title: str,
        sections: Sequence[Section],
        *,
        looks: Callable[[], Mapping[str, Any]] | None,
    ) -> None:
        """Build the part, empty.

        Args:
            bench: The workbench.
            entity: What it makes.
            title: Shown title, translated.
            sections: Its fields.
            looks: Gives the values by which records that may be the same are looked for; None
                looks for none, and the part begins folded.
        """
        super().__init__()
        from desktop_crm.services import records

        self.setObjectName("cardpart")
        self.entity = entity
        self.existing: int | None = None
        self._existing_title = ""
        self._extra: dict[str, Any] = {}
        self._filled: dict[str, object] = {}
        self.wants = QCheckBox(title)
        self.wants.setObjectName(f"businessCard.{entity}")
        self.wants.setAccessibleName(title)
        self.wants.setProperty("heading", True)
        self.form = RecordForm(entity, bench, sections=sections, scrolls=False)
        self.form.pages.body.setContentsMargins(0, 0, 0, 0)
        new = records.new(bench.actor, entity)
        self.form.load(new)
        self.form.edited.connect(self._edited)
        # Found again by itself: a part is a record like any other.
        DraftWriter(self.form, lambda: new, bench)
        self.alike = AlikePanel(f"businessCard.{entity}.alike", bench, use=tr("Use this"))
        if looks is not None:
            self.alike.watch(lambda: None if self.existing else (entity, looks(), None))
        self._uses = label("", wrap=True, name=f"businessCard.{entity}.uses")
        again = push_button(
            f"businessCard.{entity}.new", tr("Make a new one"), self.make_new, kind="flat"
        )
        self._chosen = row(Glyph("link", "info"), self._uses, again, spacing=8)
        inner = self._chosen.layout()
        if inner is not None:
            inner.setStretch(1, 1)  # type: ignore[attr-defined]
        self._more = label("", "cap", wrap=True, name=f"businessCard.{entity}.more")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 8)
        layout.setSpacing(8)
        for widget in (self.wants, self.alike, self._chosen, self.form, self._more):
            layout.addWidget(widget)
        self._chosen.hide()
        self._more.hide()
        self._looks = looks is not None
        self.wants.setChecked(self._looks)
        self.form.setVisible(self._looks)
        self.wants.toggled.connect(self._wanted)

    # --- what it holds ---------------------------------------------------------------------

    @property
    def is_wanted(self) -> bool:
        """Whether it is checked and says anything."""
        return self.wants.isChecked() and (self.existing is not None or self.form.is_typed)

    def values(self) -> dict[str, Any]:
        """What is filled in and can be read, by field name."""
        return {**self._extra, **self.form.readable()} if self.wants.isChecked() else {}

    def part(self) -> Part:
        """What is to be made or used."""
        return Part({**self._extra, **self.form.changes()}, self.existing)

    @property
    def title(self) -> str:
        """What the record is called."""
        if self.existing is not None:
            return self._existing_title
        values = self.form.readable()
        whole = " ".join(str(values.get(n) or "") for n in ("first_name", "last_name")).strip()
        return str(values.get(self.form.entity.title) or whole)

    def check(self) -> bool:
        """Check the fields; a record that is there needs none of them."""
        return self.form.check_all(complete=self.existing is None)

    # --- filling ---------------------------------------------------------------------------

    def fill(self, values: Mapping[str, Any]) -> None:
        """Show what was read from a text; fields that a person typed into stay as they are."""
        self._extra = {}
        for name, value in values.items():
            box = self.form.boxes.get(name)
            if box is None:
                if name in self.form.entity.fields:
                    self._extra[name] = value
                continue
            if box.editor.is_empty() or box.editor.value() == self._filled.get(name):
                self.form.put(name, value)
                self._filled[name] = box.editor.value()
        fields = self.form.entity.fields
        shown = [
            f"{tr(fields[name].label)}: {value}"
            for name, value in self._extra.items()
            if fields[name].kind is not kinds.LINES
        ]
        self._more.setText(tr("Also taken over: {values}", values=", ".join(shown)))
        self._more.setVisible(bool(shown))

    # --- a record that is there ------------------------------------------------------------

    def use(self, record_id: int, title: str) -> None:
        """Use a record that is there; it only gets what it lacks."""
        self.existing = record_id
        self._existing_title = title
        self.wants.setChecked(True)
        self._uses.setText(tr("Uses “{title}”; only what is empty there is filled.", title=title))
        self._chosen.show()
        self.alike.clear()
        self.form.clear_errors()

    def make_new(self) -> None:
        """Make a new record after all."""
        self.existing = None
        self._chosen.hide()
        self.alike.look_soon()

    @Slot(str)
    def _edited(self, _name: str) -> None:
        if self.form.is_typed and not self.wants.isChecked():
            self.wants.setChecked(True)
        self.alike.look_soon()

    @Slot(bool)
    def _wanted(self, wanted: bool) -> None:
        self.form.setVisible(wanted)
        if wanted:
            self.form.focus_first()
            self.alike.look_soon()
        else:
            self.alike.clear()
