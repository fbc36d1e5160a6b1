"""Forms in tests: opened on a record, found by the name of a field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit

from tests.support.windows import child, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.forms.form_dialog import FormDialog
    from desktop_crm.views.forms.record_form import RecordForm
    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company


def line(form: RecordForm, name: str) -> QLineEdit:
    """The line that edits a field."""
    return child(form, QLineEdit, f"form.{form.entity.key}.{name}")


def opened(bench: Workbench, qtbot: QtBot, company: Company, name: str = "rossi") -> FormDialog:
    """The window of an account, loaded."""
    from desktop_crm.views.forms.form_dialog import FormDialog

    dialog = FormDialog(bench.shell.window_widget(), "account", bench, record_id=company.ids[name])
    dialog.show()
    settle(qtbot, bench)
    return dialog
