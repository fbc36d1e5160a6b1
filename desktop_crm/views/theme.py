"""Turns the colour tokens into palette, style sheet, fonts and colours of the whole program."""

import logging
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from desktop_crm.core import paths
from desktop_crm.views.tokens import AVATARS, THEMES

log = logging.getLogger(__name__)

FAMILIES: Final = ["Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Noto Sans CJK SC"]
_FONT_FILES: Final = ("Regular", "Medium", "SemiBold", "Bold", "Italic")
_SIZES: Final = (11, 12, 13, 14, 15, 20, 22)
_CONTROL_HEIGHT: Final = 30
_IMAGES: Final = (
    ("down", "chevron_down_16_regular", "text2"),
    ("right", "chevron_right_20_regular", "text2"),
    ("up", "chevron_up_16_regular", "text2"),
    ("check", "checkmark_16_filled", "on_accent"),
    ("tick", "checkmark_16_filled", "accent_text"),
    ("minus", "subtract_16_filled", "on_accent"),
)


class Theme(StrEnum):
    """What a person may choose; SYSTEM follows the operating system while the program runs."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"
    CONTRAST = "contrast"


class _State(QObject):
    """The theme in force; lives as long as the program."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = "light"
        self.tokens = THEMES["light"]
        self.text_size = 100
        self.choice = Theme.SYSTEM
        self.follows: QApplication | None = None

    def system_changed(self) -> None:
        """Apply again when the operating system's choice counts."""
        if self.follows is not None and self.choice is Theme.SYSTEM:
            apply(self.follows, self.choice, self.text_size)


_state = _State()
changed = _state.changed
"""Signal sent after another theme or text size was applied; painted widgets drop their caches."""


def hex_color(token: str) -> str:
    """Colour of a token in the theme in force, as ``#RRGGBB`` (``#AARRGGBB`` for the shadow)."""
    return _state.tokens[token]


@lru_cache(maxsize=256)
def _color(value: str) -> QColor:
    return QColor(value)


def color(token: str) -> QColor:
    """Colour of a token in the theme in force; do not change the returned object."""
    return _color(_state.tokens[token])


def avatar_color(name: str) -> QColor:
    """Colour of a person's or firm's avatar; the same name always has the same one."""
    return color(AVATARS[sum(map(ord, name)) % len(AVATARS)])


def current() -> str:
    """Name of the theme in force: light, dark or contrast."""
    return _state.name


def scaled(pixels: int) -> int:
    """A length that grows with the user's text size, in logical pixels."""
    return round(pixels * _state.text_size / 100)


@lru_cache(maxsize=64)
def _font(pixels: int, weight: int, tabular: bool) -> QFont:
    made = QFont(FAMILIES)
    made.setPixelSize(pixels)
    made.setWeight(QFont.Weight(weight))
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made


def font(
    pixels: int = 13, weight: QFont.Weight = QFont.Weight.Normal, *, tabular: bool = False
) -> QFont:
    """Font of a step of the type scale at the user's text size, for widgets that paint.

    Args:
        pixels: Step of the scale: 11, 12, 13, 14, 15, 20 or 22.
        weight: Weight of the strokes.
        tabular: Digits of one width, for columns of numbers.
    """
    return _font(scaled(pixels), weight.value, tabular)


def load_fonts() -> None:
    """Register the shipped typeface; call once, before the first widget."""
    if "Inter" in QFontDatabase.families():
        return
    for style in _FONT_FILES:
        path = paths.resource("fonts", f"Inter-{style}.ttf")
        if QFontDatabase.addApplicationFont(str(path)) < 0:
            log.warning("Font %s could not be loaded; the system's font is used", path.name)


def resolve(app: QApplication, choice: Theme) -> str:
    """Name of the theme that a choice means on this system now."""
    if choice is not Theme.SYSTEM:
        return choice.value
    hints = app.styleHints()
    if hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast:
        return "contrast"
    return "dark" if hints.colorScheme() == Qt.ColorScheme.Dark else "light"


def apply(app: QApplication, choice: Theme | str, text_size: int = 100) -> None:
    """Dress the whole program.

    Args:
        app: The running application.
        choice: Theme to show; SYSTEM goes on following the operating system.
        text_size: Percentage of the normal text size, 90 to 130.
    """
    choice = Theme(choice)
    _follow(app)
    hints = app.styleHints()
    _state.choice = choice
    _state.follows = None  # setting the scheme must not come back here
    if choice is Theme.SYSTEM:
        hints.unsetColorScheme()
    else:
        light = choice is Theme.LIGHT
        hints.setColorScheme(Qt.ColorScheme.Light if light else Qt.ColorScheme.Dark)
    _state.follows = app
    _state.name = resolve(app, choice)
    _state.tokens = THEMES[_state.name]
    _state.text_size = min(130, max(90, text_size))
    if app.style().objectName() != "fusion":
        app.setStyle("Fusion")
    app.setFont(font())
    app.setPalette(_palette())
    app.setStyleSheet(_style_sheet())
    changed.emit()


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Change a property that the style sheet selects by, and let it take effect."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def _follow(app: QApplication) -> None:
    if app.property("follows_system_theme"):
        return
    app.setProperty("follows_system_theme", True)
    app.styleHints().colorSchemeChanged.connect(_state.system_changed)
    app.styleHints().accessibility().contrastPreferenceChanged.connect(_state.system_changed)


_ROLES: Final = (
    (QPalette.ColorRole.Window, "bg"),
    (QPalette.ColorRole.Base, "surface"),
    (QPalette.ColorRole.AlternateBase, "surface2"),
    (QPalette.ColorRole.Button, "surface"),
    (QPalette.ColorRole.WindowText, "text"),
    (QPalette.ColorRole.Text, "text"),
    (QPalette.ColorRole.ButtonText, "text"),
    (QPalette.ColorRole.PlaceholderText, "text3"),
    (QPalette.ColorRole.ToolTipBase, "raised"),
    (QPalette.ColorRole.ToolTipText, "text"),
    (QPalette.ColorRole.Highlight, "accent"),
    (QPalette.ColorRole.HighlightedText, "on_accent"),
    (QPalette.ColorRole.Link, "accent_text"),
    (QPalette.ColorRole.LinkVisited, "accent_text"),
    (QPalette.ColorRole.Mid, "stroke2"),
    (QPalette.ColorRole.Accent, "accent"),
)


def _palette() -> QPalette:
    palette = QPalette()
    for role, token in _ROLES:
        palette.setColor(role, color(token))
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, color("text3"))
    return palette


@lru_cache(maxsize=1)
def _template() -> Template:
    return Template(paths.resource("themes", "window.qss").read_text(encoding="utf-8"))


def _style_sheet() -> str:
    sizes = {f"fs{size}": str(scaled(size)) for size in _SIZES}
    return _template().substitute(
        _state.tokens, **sizes, ctl=str(scaled(_CONTROL_HEIGHT)), images=_images().as_posix()
    )


def _images() -> Path:
    """Folder of the style sheet's images in the colours of the theme (they cannot be tinted)."""
    folder = paths.cache_dir() / f"theme-{_state.name}"
    folder.mkdir(exist_ok=True)
    for name, source, token in _IMAGES:
        svg = paths.resource("icons", f"{source}.svg").read_text(encoding="utf-8")
        tinted = svg.replace("<path ", f'<path fill="{_state.tokens[token]}" ')
        target = folder / f"{name}.svg"
        if not target.exists() or target.read_text(encoding="utf-8") != tinted:
            target.write_text(tinted, encoding="utf-8")
    return folder
