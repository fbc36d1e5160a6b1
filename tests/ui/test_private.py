"""What a colleague keeps private, as the window shows it: a time without a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QLineEdit, QTextEdit, QWidget

from tests.support.windows import pane_of, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company


def texts(widget: QWidget) -> str:
    """Everything written in a window."""
    found = [one.text() for one in widget.findChildren(QLabel)]
    found += [one.text() for one in widget.findChildren(QLineEdit)]
    found += [one.toPlainText() for one in widget.findChildren(QTextEdit)]
    return "\n".join([widget.windowTitle(), *found])


def test_a_private_appointment_opens_without_its_content_and_cannot_be_changed(
    bench: Workbench, qtbot: QtBot, company: Company
) -> None:
    from desktop_crm.views.forms.form_dialog import FormDialog

    dialog = FormDialog(
        bench.shell.window_widget(), "activity", bench, record_id=company.ids["secret"]
    )
    dialog.resize(1100, 680)
    dialog.show()
    settle(qtbot, bench)
    assert "Private" in texts(dialog)
    assert "Dentist" not in texts(dialog)
    subject = dialog.findChild(QLineEdit, "form.activity.subject")
    assert subject is not None
    assert subject.isReadOnly() or not subject.isEnabled()
    dialog.close()


def test_the_list_shows_that_it_is_there(bench: Workbench, qtbot: QtBot, company: Company) -> None:
    pane = pane_of(bench, qtbot, "activity", "all")
    model = pane.list.model
    shown = [str(model.index(row, 0).data()) for row in range(model.rowCount())]
    assert "Private" in shown
    assert "Dentist" not in shown
