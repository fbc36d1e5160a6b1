"""One form for a business card: account, contact, opportunity and next activity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QWidget,
)

from desktop_crm.core.errors import UserError, ValidationFailed
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta.field import Section
from desktop_crm.services import contact_text
from desktop_crm.services.business_card import PARTS, Card, Made, make
from desktop_crm.services.contact_text import ContactText
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.errors import ask
from desktop_crm.views.forms.card_part import CardPart
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import column

if TYPE_CHECKING:
    from desktop_crm.services.duplicates.candidates import Candidate
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.workbench import Workbench

_SIZE: Final = QSize(1000, 760)
_PASTE_LINES: Final = 3
_REST_MS: Final = 250
_FORMS: Final[Mapping[str, tuple[str, tuple[Section, ...]]]] = {
    "account": (
        N_("Account"),
        (
            Section(
                N_("Account"),
                ("name", ("tax_id", "website"), ("phone", "email"), ("street", "postal_code"),
                 ("city", "country")),
            ),
        ),
    ),
    "contact": (
        N_("Contact"),
        (
            Section(
                N_("Contact"),
                (("first_name", "last_name"), ("job_title", "role"), "emails", "phones"),
            ),
        ),
    ),
    "opportunity": (
        N_("Opportunity"),
        (Section(N_("Opportunity"), ("name", ("amount", "currency"), ("close_on", "next_step"))),),
    ),
    "activity": (
        N_("Next activity"),
        (Section(N_("Next activity"), ("subject", ("kind", "due_at"))),),
    ),
}  # fmt: skip
_OPENED: Final = ("opportunity", "contact", "account", "activity")
"""The part that opens is the first of these that was made."""
_MATCHED: Final = frozenset({"account", "contact"})


class BusinessCardDialog(Dialog):
    """Four parts, each optional, saved in one step and undone in one.

    A pasted signature or vCard fills it; records that may be the same stand in front and can be
    used instead, which only fills their empty fields.

    Attributes:
        made: what became of it, once it is saved.
    """

    made = Signal(object)

    def __init__(self, bench: Workbench, parent: QWidget) -> None:
        super().__init__(
            parent,
            "businessCard",
            tr("Business card"),
            subtitle=tr("Company, person, opportunity and next step in one go; each is optional."),
            width=760,
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._busy = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._read)
        self.text = self._make_text()
        self.parts = {name: self._make_part(name) for name in PARTS}
        self.body.addWidget(self.text)
        self.body.addWidget(self._scrolled(), 1)
        self._left = label("", "cap", wrap=True, name="businessCard.left")
        self._left.hide()
        self.body.addWidget(self._left)
        save = push_button("businessCard.save", tr("Save"), self._save, kind="primary")
        save.setDefault(True)
        more = push_button("businessCard.open", tr("Save and open"), self._save_and_open)
        self._buttons = (save, more)
        self.set_foot(None, self.cancel_button(), more, save)
        QShortcut(QKeySequence("Ctrl+S"), self).activated.connect(self._save)
        QShortcut(QKeySequence("Ctrl+Return"), self).activated.connect(self._save)
        room = parent.window().size() - QSize(40, 40)
        wanted = QSize(theme.scaled(_SIZE.width()), theme.scaled(_SIZE.height()))
        self.resize(wanted.boundedTo(room).expandedTo(QSize(760, 560)))
        self.text.setFocus()

    # --- building --------------------------------------------------------------------------

    def _make_text(self) -> QPlainTextEdit:
        made = QPlainTextEdit()
        made.setObjectName("businessCard.text")
        made.setAccessibleName(tr("Signature or contact card"))
        made.setPlaceholderText(
            tr("Paste a signature or a contact card (vCard) here: the fields below are filled in.")
        )
        made.setTabChangesFocus(True)
        lines = made.fontMetrics().lineSpacing() * _PASTE_LINES
        made.setFixedHeight(lines + theme.scaled(20))
        made.textChanged.connect(self._rest.start)
        return made

    def _make_part(self, name: str) -> CardPart:
        title, sections = _FORMS[name]
        made = CardPart(
            self._bench,
            name,
            tr(title),
            sections,
            looks=self._looked_for(name) if name in _MATCHED else None,
        )
        made.alike.chosen.connect(self._choose)
        return made

    def _scrolled(self) -> QScrollArea:
        inner = QWidget()
        inner.setObjectName("scrollbody")
        grid = QGridLayout(inner)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setHorizontalSpacing(16)
        left = column(self.parts["account"], self.parts["opportunity"], None, spacing=12)
        right = column(self.parts["contact"], self.parts["activity"], None, spacing=12)
        for place, side in enumerate((left, right)):
            side.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            grid.addWidget(side, 0, place)
            grid.setColumnStretch(place, 1)
        area = QScrollArea()
        area.setObjectName("businessCard.area")
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        return area

    def _looked_for(self, name: str) -> Callable[[], Mapping[str, Any]]:
        def values() -> Mapping[str, Any]:
            account = self.parts["account"].existing if name == "contact" else None
            own = self.parts[name].values()
            return {**own, "account": account} if account is not None else own

        return values

    # --- reading ---------------------------------------------------------------------------

    @Slot()
    def _read(self) -> None:
        """Fill the fields from the pasted text; what a person typed is not touched."""
        text = self.text.toPlainText()
        if not text.strip():
            return
        try:
            found = contact_text.read(text)
        except UserError as error:
            self.notice.say(str(error), "warn")
            return
        self.notice.say("")
        self.fill(found)

    def show_text(self, text: str) -> None:
        """Show where the fields come from; they are filled by whoever read it."""
        self.text.blockSignals(True)
        self.text.setPlainText(text)
        self.text.blockSignals(False)

    def fill(self, found: ContactText) -> None:
        """Show what was understood of a text."""
        self.parts["account"].fill(found.account)
        self.parts["contact"].fill(found.contact)
        self._left.setText(tr("Not understood: {lines}", lines=" · ".join(found.left)))
        self._left.setVisible(bool(found.left))

    # --- records that are there ------------------------------------------------------------

    @Slot(object)
    def _choose(self, candidate: Candidate) -> None:
        """Use a record that is there; of a contact also the company it belongs to."""
        if candidate.id is None:
            return
        self.parts[candidate.entity].use(candidate.id, candidate.title)
        if candidate.entity == "contact" and self.parts["account"].existing is None:
            from desktop_crm.services import records

            self._bench.tasks.read(
                records.get,
                self._bench.actor,
                "contact",
                candidate.id,
                done=self._take_company,
                owner=self,
                lane="company",
            )

    def _take_company(self, contact: RecordValues) -> None:
        account = contact.values.get("account")
        if isinstance(account, int) and self.parts["account"].existing is None:
            self.parts["account"].use(account, contact.titles.get("account", ""))

    # --- saving ----------------------------------------------------------------------------

    def _wanted(self) -> Iterator[CardPart]:
        return (part for part in self.parts.values() if part.is_wanted)

    def _save(self) -> None:
        self._write(lambda _made: self.accept())

    def _save_and_open(self) -> None:
        def go_on(made: Made) -> None:
            self.accept()
            name = next(name for name in _OPENED if name in made.keys)
            self._bench.shell.open_record(name, made.keys[name])

        self._write(go_on)

    def _write(self, go_on: Callable[[Made], object]) -> None:
        if self._busy:
            return
        # Every part is checked, so that all that is wrong is seen at once.
        if not all([part.check() for part in self._wanted()]):
            self.notice.say(tr("Some fields are not right yet. Nothing was saved."), "bad")
            return
        self.notice.say("")
        self._set_busy(True)

        def done(made: Made) -> None:
            self._bench.bus.publish(made.changes)
            self.made.emit(made)
            titles = [p.title for n, p in self.parts.items() if n in made.keys and p.title]
            self._settle()
            self._bench.shell.toast(tr("Business card saved"), ", ".join(titles), undo=True)
            go_on(made)

        card = Card(**{name: part.part() for name, part in self.parts.items() if part.is_wanted})
        self._bench.tasks.write(
            make,
            self._bench.actor,
            card,
            done=done,
            failed=self._failed,
            owner=self,
            label=tr("Saving"),
        )

    def _failed(self, error: Exception) -> None:
        self._set_busy(False)
        if not isinstance(error, ValidationFailed):
            self.show_error(error)
            return
        others: list[str] = []
        for name, part in self.parts.items():
            mark = f"{name}."
            own = [e for e in error.errors if e.field.startswith(mark)]
            others += part.form.show_errors(
                replace(e, field=e.field.removeprefix(mark)) for e in own
            )
        self.notice.say(" ".join((*others, tr("Nothing was saved."))), "bad")

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        for button in self._buttons:
            button.setEnabled(not busy)

    def reject(self) -> None:
        if self._busy:
            return
        typed = any(part.form.is_typed for part in self.parts.values())
        if typed and (
            ask(
                self,
                tr("Close without saving?"),
                tr("Nothing of this business card was saved yet."),
                (("discard", tr("Do not save"), "danger"), ("stay", tr("Keep editing"), "")),
            )
            != "discard"
        ):
            return
        self._settle()
        super().reject()

    def _settle(self) -> None:
        """Count everything as saved or given up: no draft of it stays."""
        for part in self.parts.values():
            part.form.settle()


def open_business_card(bench: Workbench, parent: QWidget) -> BusinessCardDialog:
    """Open the form of a business card over a window."""
    dialog = BusinessCardDialog(bench, parent)
    dialog.open()
    return dialog
