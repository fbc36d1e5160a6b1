"""Asks what is needed to close an opportunity as won or lost."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QDateEdit, QGridLayout, QLineEdit, QPlainTextEdit, QWidget

from desktop_crm.core.errors import UserError, ValidationFailed
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services import closing
from desktop_crm.services.closing import Closing, ClosingFacts
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from decimal import Decimal

    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench


class CloseOpportunityDialog(Dialog):
    """Won: revenue and day. Lost: reason, competitor and day. Both: a note.

    Attributes:
        closed: it was closed; carries the change set.
    """

    closed = Signal(object)

    def __init__(self, parent: QWidget | None, bench: Workbench, known: ClosingFacts) -> None:
        title = tr("Close as won") if known.won else tr("Close as lost")
        super().__init__(parent, "closeOpportunity", title, subtitle=known.name, width=520)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._known = known
        formats = bench.formats
        self.revenue = QLineEdit()
        self.revenue.setObjectName("close.revenue")
        if known.amount is not None:
            self.revenue.setText(formats.number(known.amount, 2))
        self.day = QDateEdit(QDate(known.today.year, known.today.month, known.today.day))
        self.day.setObjectName("close.day")
        self.day.setCalendarPopup(True)
        self.day.setDisplayFormat("dd.MM.yyyy")
        self.reason = QuietCombo()
        self.reason.setObjectName("close.reason")
        self.reason.addItem("", "")
        for code, text in closing.LOSS_REASONS:
            self.reason.addItem(tr(text), code)
        self.competitors = QLineEdit()
        self.competitors.setObjectName("close.competitors")
        self.description = QPlainTextEdit()
        self.description.setObjectName("close.description")
        self.description.setTabChangesFocus(True)
        self.description.setFixedHeight(theme.scaled(84))
        currency = f" ({known.currency})" if known.currency else ""
        self._fields = {
            "actual_revenue": Labelled(
                tr("Actual revenue") + currency, self.revenue, required=True
            ),
            "closed_on": Labelled(tr("Closed on"), self.day, required=True),
            "close_reason": Labelled(tr("Why it was lost"), self.reason, required=True),
            "competitors": Labelled(tr("Who got it"), self.competitors),
            "description": Labelled(tr("Note"), self.description),
        }
        self._cancel_open = QCheckBox()
        self._cancel_open.setObjectName("close.cancelActivities")
        self._build()

    def _build(self) -> None:
        won = self._known.won
        first = self._fields["actual_revenue" if won else "close_reason"]
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(first, 0, 0, top)
        grid.addWidget(self._fields["closed_on"], 0, 1, top)
        line = 1
        if not won:
            grid.addWidget(self._fields["competitors"], line, 0, 1, 2)
            line += 1
        grid.addWidget(self._fields["description"], line, 0, 1, 2)
        for column in (0, 1):
            grid.setColumnStretch(column, 1)
        self.body.addLayout(grid)
        count = len(self._known.open_activities)
        text = ntr("Cancel {n} open activity", "Cancel {n} open activities", count)
        self._cancel_open.setText(text)
        self._cancel_open.setAccessibleName(text)
        self._cancel_open.setToolTip(
            "\n".join(subject for _key, subject in self._known.open_activities)
        )
        self._cancel_open.setVisible(bool(count))
        self._cancel_open.setChecked(not won)
        self.body.addWidget(self._cancel_open)
        unused = ("close_reason", "competitors") if won else ("actual_revenue",)
        for name in unused:
            self._fields[name].setParent(self)
            self._fields[name].hide()
        self._save = push_button(
            "close.save", tr("Close as won") if won else tr("Close as lost"), self._close,
            kind="primary",
        )  # fmt: skip
        self._save.setDefault(True)
        self.set_foot(None, self.cancel_button(), self._save)
        (self.revenue if won else self.reason).setFocus()

    def _said(self) -> Closing:
        day = self.day.date()
        code = str(self.reason.currentData() or "")
        return Closing(
            closed_on=date(day.year(), day.month(), day.day()),
            actual_revenue=self._revenue() if self._known.won else None,
            reason=self.reason.currentText() if code and not self._known.won else "",
            is_other=code == closing.OTHER,
            competitors=self.competitors.text(),
            description=self.description.toPlainText(),
            cancel_activities=self._cancel_open.isChecked() and bool(self._known.open_activities),
        )

    def _revenue(self) -> Decimal | None:
        text = self.revenue.text().strip()
        return self._bench.formats.parse_decimal(text) if text else None

    def _close(self) -> None:
        for field in self._fields.values():
            field.show_error("")
        self.notice.say("")
        try:
            said = self._said()
        except UserError as error:
            self._fields["actual_revenue"].show_error(str(error))
            self.revenue.setFocus()
            return
        problems = closing.check(self._known, said)
        for problem in problems:
            self._fields[problem.field].show_error(problem.message)
        if problems:
            self._fields[problems[0].field].control.setFocus()
            return
        self._save.setEnabled(False)
        self._bench.tasks.write(
            partial(closing.close, self._bench.actor, self._known, said),
            done=self._closed, failed=self._failed, owner=self,
        )  # fmt: skip

    def _closed(self, changes: ChangeSet) -> None:
        self.closed.emit(changes)
        self.accept()

    def _failed(self, error: Exception) -> None:
        self._save.setEnabled(True)
        if isinstance(error, ValidationFailed):
            for problem in error.errors:
                if problem.field in self._fields:
                    self._fields[problem.field].show_error(problem.message)
        self.show_error(error)
