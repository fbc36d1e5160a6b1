"""Colours that can be read, sizes that follow the user, pictures in the theme's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QApplication, QLabel

from desktop_crm.core import paths
from desktop_crm.views import theme
from desktop_crm.views.icons import icon
from desktop_crm.views.tokens import DARK, LIGHT, THEMES

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

ON_SURFACES = ("surface", "surface2", "bg", "raised")
PAIRS = (
    *(("text", on) for on in ON_SURFACES),
    *(("text2", on) for on in ON_SURFACES),
    *(("text3", on) for on in ("surface", "surface2", "raised")),
    *((tone, f"{tone}_bg") for tone in ("ok", "warn", "bad", "info", "neutral")),
    ("text", "sel"),
    ("text", "sel_inactive"),
    ("text", "hover"),
    ("text", "press"),
    ("text2", "rail"),
    ("text", "header"),
    ("accent_text", "surface"),
    ("accent_text", "sel"),
    ("bad", "surface"),
    ("on_accent", "accent"),
)


def luminance(color: str) -> float:
    shown = QColor(color)
    red, green, blue = (
        c / 12.92 if c <= 0.03928 else float(((c + 0.055) / 1.055) ** 2.4)
        for c in (shown.redF(), shown.greenF(), shown.blueF())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize(("ink", "paper"), PAIRS)
def test_text_can_be_read(name: str, ink: str, paper: str) -> None:
    tokens = THEMES[name]
    least = 7.0 if name == "contrast" and ink == "text" else 4.5
    assert contrast(tokens[ink], tokens[paper]) >= least


@pytest.mark.parametrize("name", THEMES)
def test_white_initials_can_be_read_on_every_avatar(name: str) -> None:
    for token, color in THEMES[name].items():
        if token.startswith("avatar_"):
            assert contrast("#FFFFFF", color) >= 4.5, token


def test_the_themes_know_the_same_tokens() -> None:
    assert {frozenset(tokens) for tokens in THEMES.values()} == {frozenset(LIGHT)}


def application() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app


def test_another_theme_changes_colours_and_says_so(qtbot: QtBot) -> None:
    with qtbot.waitSignal(theme.changed):
        theme.apply(application(), "dark")
    assert theme.current() == "dark"
    assert theme.color("surface") == QColor(DARK["surface"])
    assert DARK["surface"] in application().styleSheet()


def test_the_text_size_scales_fonts_and_heights(qtbot: QtBot) -> None:
    theme.apply(application(), "light", 130)
    assert theme.font(13).pixelSize() == 17
    assert theme.scaled(36) == 47
    label = QLabel("x")
    qtbot.addWidget(label)
    label.ensurePolished()
    assert label.font().pixelSize() == 17


def test_the_text_size_stays_within_its_bounds(qtbot: QtBot) -> None:
    theme.apply(application(), "light", 500)
    assert theme.scaled(100) == 130


def test_the_shipped_typeface_is_used(qtbot: QtBot) -> None:
    assert theme.font(13).family() == "Inter"
    assert application().font().family() == "Inter"


def test_the_images_of_the_style_sheet_take_the_colours(qtbot: QtBot) -> None:
    theme.apply(application(), "dark")
    folder = paths.cache_dir() / "theme-dark"
    assert DARK["text2"] in (folder / "down.svg").read_text(encoding="utf-8")
    assert folder.as_posix() in application().styleSheet()


def test_an_icon_takes_the_colour_of_the_theme_when_it_is_painted(qtbot: QtBot) -> None:
    def darkest(drawn: QIcon) -> QColor:
        image = drawn.pixmap(QSize(20, 20)).toImage()
        inked = [
            image.pixelColor(x, y)
            for x in range(20)
            for y in range(20)
            if image.pixelColor(x, y).alpha() == 255
        ]
        return inked[0]

    home = icon("home")
    assert darkest(home) == QColor(LIGHT["text2"])
    theme.apply(application(), "dark")
    assert darkest(home) == QColor(DARK["text2"])


def test_the_same_name_has_the_same_avatar_colour(qtbot: QtBot) -> None:
    assert theme.avatar_color("Ana Pop") == theme.avatar_color("Ana Pop")
