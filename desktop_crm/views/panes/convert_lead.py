"""Converts a lead: into new records, or into accounts and contacts that are there already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox

from desktop_crm.core.i18n import tr
from desktop_crm.services.rules import leads
from desktop_crm.services.rules.leads import ConversionWish, Converted, Matches
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_crm.services.duplicates.candidates import Candidate
    from desktop_crm.views.workbench import Workbench


class ConvertLeadDialog(Dialog):
    """Asks what the lead becomes; records that look alike are offered, never chosen by itself."""

    def __init__(self, bench: Workbench, lead_id: int, title: str) -> None:
        super().__init__(
            bench.shell.window_widget(), "convertLead", tr("Convert the lead"), subtitle=title
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._lead_id = lead_id
        self.account = QuietCombo()
        self.account.setObjectName("convert.account")
        self.contact = QuietCombo()
        self.contact.setObjectName("convert.contact")
        self.opportunity = QCheckBox(tr("Make an opportunity"))
        self.opportunity.setObjectName("convert.opportunity")
        self.opportunity.setAccessibleName(tr("Make an opportunity"))
        self.opportunity.setChecked(True)
        self.body.addWidget(Labelled(tr("Account"), self.account))
        self.body.addWidget(Labelled(tr("Contact"), self.contact))
        self.body.addWidget(self.opportunity)
        self._go = push_button("convert.go", tr("Convert"), self._convert, kind="primary")
        self._go.setEnabled(False)
        self._go.setDefault(True)
        self.set_foot(None, self.cancel_button(), self._go)
        bench.tasks.read(
            leads.matches,
            bench.actor,
            lead_id,
            done=self._take,
            failed=self.show_error,
            owner=self,
        )

    def _take(self, found: Matches) -> None:
        self._fill(self.account, tr("New account from the lead"), found.accounts)
        self._fill(self.contact, tr("New contact from the lead"), found.contacts)
        self._go.setEnabled(True)
        self._go.setFocus()

    def _fill(self, combo: QuietCombo, new: str, found: Sequence[Candidate]) -> None:
        combo.addItem(new, None)
        for hit in found:
            shown = " · ".join(text for text in (hit.title, hit.subtitle, hit.why) if text)
            combo.addItem(shown, hit.id)

    def _convert(self) -> None:
        self._go.setEnabled(False)
        wish = ConversionWish(
            self.account.currentData(), self.contact.currentData(), self.opportunity.isChecked()
        )
        self._bench.tasks.write(
            leads.convert,
            self._bench.actor,
            self._lead_id,
            wish,
            done=self._done,
            failed=self._failed,
            owner=self,
            label=tr("Saving"),
        )

    def _done(self, became: Converted) -> None:
        self._bench.bus.publish(became.changes)
        self._bench.shell.toast(tr("The lead was converted"), undo=True)
        self.accept()
        if became.opportunity is not None:
            self._bench.shell.open_record("opportunity", became.opportunity)
        elif became.contact is not None:
            self._bench.shell.open_record("contact", became.contact)

    def _failed(self, error: Exception) -> None:
        self._go.setEnabled(True)
        self.show_error(error)
