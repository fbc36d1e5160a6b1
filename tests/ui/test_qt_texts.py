"""Qt's own texts: context menus in the user's language, at once after it changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtWidgets import QLineEdit

from desktop_crm.core import i18n
from desktop_crm.views import qt_texts

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def translated(qapp: QCoreApplication) -> Iterator[None]:
    before = set(qapp.findChildren(QTranslator))
    qt_texts.install(qapp)
    yield
    i18n.use_language("en")
    for translator in set(qapp.findChildren(QTranslator)) - before:
        qapp.removeTranslator(translator)


def menu_texts(line: QLineEdit) -> list[str]:
    menu = line.createStandardContextMenu()
    texts = [action.text().partition("\t")[0] for action in menu.actions() if action.text()]
    menu.deleteLater()
    return texts


@pytest.mark.usefixtures("translated")
def test_the_context_menu_of_a_text_field_follows_the_language(qtbot: QtBot) -> None:
    line = QLineEdit()
    qtbot.addWidget(line)
    i18n.use_language("ro")
    romanian = menu_texts(line)
    i18n.use_language("en")
    english = menu_texts(line)
    assert "&Lipește" in romanian
    assert "&Paste" in english
    assert not set(romanian) & set(english)


@pytest.mark.usefixtures("translated")
def test_a_text_that_is_not_known_stays_what_qt_says() -> None:
    i18n.use_language("ro")
    assert QCoreApplication.translate("QObject", "Something else of %1") == "Something else of %1"


def test_every_text_of_qt_has_its_translation() -> None:
    missing = [text for text in qt_texts.TEXTS if i18n.translate("ro", text) == text]
    assert set(missing) <= {"OK", "&OK"}
