"""Errors are shown by their kind: a note, a dialog, a report that can be copied."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QPlainTextEdit, QWidget

from desktop_crm.core.errors import Cancelled, EnvironmentProblem, PermissionDenied, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.views.errors import ErrorPresenter, MessageDialog, report_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def notes() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def presenter(window: QWidget, notes: list[tuple[str, str]]) -> Iterator[ErrorPresenter]:
    made = ErrorPresenter(window, lambda title, text: notes.append((title, text)))
    yield made
    for dialog in window.findChildren(MessageDialog):
        dialog.reject()


def dialogs(window: QWidget) -> list[MessageDialog]:
    return [d for d in window.findChildren(MessageDialog) if d.isVisible()]


@pytest.mark.parametrize(
    "error", [UserError(N_("Fill in this field.")), PermissionDenied(N_("Fill in this field."))]
)
def test_what_a_person_can_mend_is_a_note(
    presenter: ErrorPresenter, notes: list[tuple[str, str]], error: Exception, window: QWidget
) -> None:
    presenter.show(error)
    assert notes == [("That did not work", "Fill in this field.")]
    assert not dialogs(window)


def test_stopped_work_is_no_error(presenter: ErrorPresenter, notes: list[object]) -> None:
    presenter.show(Cancelled())
    assert notes == []


def test_the_same_sentence_is_shown_once(
    presenter: ErrorPresenter, notes: list[tuple[str, str]]
) -> None:
    for _ in range(28):
        presenter.show(UserError(N_("Fill in this field.")))
    assert len(notes) == 1


def test_the_environment_may_be_tried_again(presenter: ErrorPresenter, window: QWidget) -> None:
    again: list[int] = []
    problem = EnvironmentProblem(N_("Nothing was saved."), retryable=True)
    presenter.show(problem, lambda: again.append(1))
    button = dialogs(window)[0].findChild(QAbstractButton, "message.retry")
    assert isinstance(button, QAbstractButton)
    button.click()
    assert again == [1]


def test_what_cannot_be_retried_offers_no_retry(presenter: ErrorPresenter, window: QWidget) -> None:
    presenter.show(EnvironmentProblem(N_("Nothing was saved.")), lambda: None)
    assert dialogs(window)[0].findChild(QAbstractButton, "message.retry") is None


def broken() -> Exception:
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError as error:
        return error


def test_a_bug_shows_a_report_that_can_be_copied(
    presenter: ErrorPresenter, window: QWidget
) -> None:
    presenter.show(broken())
    dialog = dialogs(window)[0]
    report = dialog.findChild(QPlainTextEdit, "message.report")
    assert isinstance(report, QPlainTextEdit)
    assert "ZeroDivisionError: by zero" in report.toPlainText()
    button = dialog.findChild(QAbstractButton, "message.copy")
    assert isinstance(button, QAbstractButton)
    button.click()
    assert "ZeroDivisionError" in QGuiApplication.clipboard().text()


def test_an_error_of_a_thread_is_shown_on_the_ui_thread(
    presenter: ErrorPresenter, notes: list[tuple[str, str]], qtbot: QtBot
) -> None:
    error = UserError(N_("Fill in this field."))
    worker = threading.Thread(target=presenter.show, args=(error,))
    worker.start()
    worker.join()
    qtbot.waitUntil(lambda: len(notes) == 1)


def test_what_nobody_catches_reaches_the_dialog(
    presenter: ErrorPresenter, window: QWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    presenter.install()
    error = broken()
    sys.excepthook(type(error), error, error.__traceback__)
    assert len(dialogs(window)) == 1


def test_the_report_names_versions_and_no_machine() -> None:
    report = report_of(broken())
    assert report.startswith("Desktop CRM ")
    assert "Qt " in report
