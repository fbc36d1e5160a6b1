"""Asks how a list shall be printed, and shows its pages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QSpinBox

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.meta import registry
from desktop_crm.printing import labels_pdf, list_pdf
from desktop_crm.printing.labels_pdf import ContactCard, ContactSheet
from desktop_crm.services import addressing
from desktop_crm.views.bulk.dialog import FailureTable
from desktop_crm.views.dialogs.dialog import Labelled
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.printing import listing
from desktop_crm.views.printing.listing import Shown, company_name
from desktop_crm.views.printing.pages_dialog import PagesDialog, radio
from desktop_crm.views.widgets.layout import column, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.addressing import Labels
    from desktop_crm.services.bulk.job import Targets
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

_MEMORY: Final = "print.labels"
_MOST_LABELS: Final = 5_000
_REACHED: Final = frozenset({"contact", "account", "lead"})


class PrintDialog(PagesDialog):
    """A table of the list, mailing labels, or a contact sheet; the pages are shown first."""

    def __init__(self, bench: Workbench, shown: Shown, targets: Targets, count: str) -> None:
        entity = registry.get(targets.entity)
        title = tr("Print {records}", records=tr(entity.plural).lower())
        super().__init__(bench, "printDialog", title, count)
        self._shown = shown
        self._targets = targets
        self.table = radio("print.table", tr("The list as a table"))
        self.labels = radio("print.labels", tr("Mailing labels"))
        self.cards = radio("print.cards", tr("Contact sheet"))
        self.table.setChecked(True)
        reached = targets.entity in _REACHED
        self.labels.setVisible(reached and addressing.has_addresses(targets.entity))
        self.cards.setVisible(reached)
        self.sheet = QuietCombo()
        self.sheet.setObjectName("print.sheet")
        for form in labels_pdf.SHEETS:
            self.sheet.addItem(form.title, form.key)
        self.sheet.setMinimumContentsLength(max(len(form.title) for form in labels_pdf.SHEETS))
        self.skip = QSpinBox()
        self.skip.setObjectName("print.skip")
        kept = bench.recall(_MEMORY).get("sheet", "")
        self.sheet.setCurrentIndex(max(0, self.sheet.findData(kept)))
        self._of_labels = row(
            Labelled(tr("Sheet"), self.sheet),
            Labelled(tr("Labels already used"), self.skip),
            spacing=16,
        )
        self.left_out = FailureTable("print.leftOut")
        self.left_out.hide()
        what = Labelled(tr("What"), column(self.table, self.labels, self.cards, spacing=2))
        what.setVisible(reached)  # one choice is none
        self.body.addWidget(what)
        self.body.addWidget(self._of_labels)
        self.body.addWidget(self.left_out, 1)
        for button in (self.table, self.labels, self.cards):
            button.toggled.connect(self._arrange)
        self.sheet.currentIndexChanged.connect(self._arrange)
        self._arrange()
        (self.table if reached else self._show).setFocus()

    def _arrange(self) -> None:
        form = labels_pdf.sheet(str(self.sheet.currentData()))
        self.skip.setRange(0, form.count - 1)
        self._of_labels.setVisible(self.labels.isChecked())

    def work(self) -> Callable[..., tuple[bytes, Labels | None]]:
        self.left_out.hide()
        actor = self._bench.actor
        if self.labels.isChecked():
            form = labels_pdf.sheet(str(self.sheet.currentData()))
            self._bench.remember(_MEMORY, {"sheet": form.key})
            return partial(_labels, actor, self._targets, form.key, self.skip.value())
        if self.cards.isChecked():
            return partial(_cards, actor, self._targets, self._shown.title)
        return partial(_table, actor, self._shown, self._targets)

    def take(self, made: tuple[bytes, Labels | None]) -> None:
        content, labels = made
        self.show_pages(self._shown.title, content)
        if labels is None or not labels.left_out:
            self.accept()
            return
        count = len(labels.left_out)
        self.notice.say(
            ntr(
                "{n} record has no postal address and is left out.",
                "{n} records have no postal address and are left out.",
                count,
            ),
            "warn",
        )
        self.left_out.show_failures(labels.left_out)
        self.left_out.show()


def _table(
    actor: Actor, shown: Shown, targets: Targets, cancel: Cancel | None = None
) -> tuple[bytes, None]:
    return list_pdf.render(listing.printed(actor, shown, targets, cancel)), None


def _labels(
    actor: Actor, targets: Targets, form: str, skip: int, cancel: Cancel | None = None
) -> tuple[bytes, Labels]:
    found = addressing.labels(actor, targets, cancel)
    if not found.addresses:
        raise UserError(N_("None of these records has a postal address. Nothing was printed."))
    if len(found.addresses) > _MOST_LABELS:
        raise UserError(
            N_("At most {most} labels are printed at once. Select fewer records."),
            most=actor.formats.number(_MOST_LABELS, 0),
        )
    day, title = clock.today(actor.zone), tr("Mailing labels")
    sheets = labels_pdf.render_labels(found.addresses, labels_pdf.sheet(form), skip, title, day)
    return sheets, found


def _cards(
    actor: Actor, targets: Targets, title: str, cancel: Cancel | None = None
) -> tuple[bytes, None]:
    found = addressing.cards(actor, targets, cancel)
    if len(found) > listing.MOST:
        raise UserError(
            N_("A printed list holds {most} records; these are {count}. Filter it, or export it."),
            most=actor.formats.number(listing.MOST, 0),
            count=actor.formats.number(len(found), 0),
        )
    cards = tuple(ContactCard(card.title, card.subtitle, card.lines) for card in found)
    day = clock.today(actor.zone)
    sheet = ContactSheet(title, cards, day, company_name(actor), actor.language)
    return labels_pdf.render_contacts(sheet), None
