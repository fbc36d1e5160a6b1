"""Colour tokens of the three themes; every colour on the screen is one of these.

The contrast of each text token on its surface is at least 4.5:1 (7:1 in the contrast theme);
``tests/ui/test_theme.py`` computes it by the WCAG formula.
"""

from collections.abc import Mapping
from types import MappingProxyType

Tokens = Mapping[str, str]

_AVATARS = {
    "avatar_1": "#2B6CB0",
    "avatar_2": "#2F7D5B",
    "avatar_3": "#9B4F96",
    "avatar_4": "#B4541A",
    "avatar_5": "#4A5FC1",
    "avatar_6": "#8A6D1B",
    "avatar_7": "#A33B53",
    "avatar_8": "#3A7484",
}
AVATARS = tuple(_AVATARS)
SERIES = ("series_1", "series_2", "series_3", "series_4", "series_5", "series_6")

LIGHT: Tokens = MappingProxyType(
    {
        "bg": "#F3F4F6",
        "rail": "#E9EBEF",
        "header": "#E9EBEF",
        "surface": "#FFFFFF",
        "surface2": "#F8F9FA",
        "raised": "#FFFFFF",
        "stroke": "#E1E4E8",
        "stroke2": "#D0D4DA",
        "control": "#7C828C",
        "text": "#1B1D21",
        "text2": "#565C66",
        "text3": "#666C76",
        "accent": "#0F6CBD",
        "accent_hover": "#115EA3",
        "accent_press": "#0C3B5E",
        "on_accent": "#FFFFFF",
        "accent_text": "#0F5CA8",
        "line": "#0F6CBD",
        "focus": "#0F6CBD",
        "sel": "#DCEBFA",
        "sel_inactive": "#E8EAED",
        "hover": "#F1F4F8",
        "press": "#E3E8EE",
        "ok": "#0E700E",
        "ok_bg": "#E3F4E3",
        "warn": "#8A5100",
        "warn_bg": "#FFF1DB",
        "bad": "#B10E1C",
        "bad_bg": "#FCE6E8",
        "info": "#0F5CA8",
        "info_bg": "#E2EFFB",
        "neutral": "#4A505A",
        "neutral_bg": "#ECEEF1",
        "scroll": "#B8BDC6",
        "shadow": "#24000000",
        "series_1": "#0F6CBD",
        "series_2": "#00857A",
        "series_3": "#B4541A",
        "series_4": "#8E4EC6",
        "series_5": "#C23B5E",
        "series_6": "#7A7F87",
        **_AVATARS,
    }
)

DARK: Tokens = MappingProxyType(
    {
        "bg": "#1B1D20",
        "rail": "#141517",
        "header": "#141517",
        "surface": "#232529",
        "surface2": "#1F2124",
        "raised": "#2B2E33",
        "stroke": "#33363C",
        "stroke2": "#454952",
        "control": "#7E858F",
        "text": "#F1F2F4",
        "text2": "#B3B8C0",
        "text3": "#9AA0A9",
        "accent": "#115EA3",
        "accent_hover": "#0F6CBD",
        "accent_press": "#0C3B5E",
        "on_accent": "#FFFFFF",
        "accent_text": "#6CB5FA",
        "line": "#479EF5",
        "focus": "#6CB5FA",
        "sel": "#173A5A",
        "sel_inactive": "#34373D",
        "hover": "#2B2E33",
        "press": "#353941",
        "ok": "#7FD68A",
        "ok_bg": "#16361B",
        "warn": "#F2B661",
        "warn_bg": "#3D2A0C",
        "bad": "#FF99A0",
        "bad_bg": "#46171C",
        "info": "#6CB5FA",
        "info_bg": "#122F4A",
        "neutral": "#C3C8D0",
        "neutral_bg": "#373B42",
        "scroll": "#565B64",
        "shadow": "#80000000",
        "series_1": "#479EF5",
        "series_2": "#2BB5A6",
        "series_3": "#E8894A",
        "series_4": "#B58AE6",
        "series_5": "#F0708F",
        "series_6": "#9BA1AA",
        **_AVATARS,
    }
)

CONTRAST: Tokens = MappingProxyType(
    {
        "bg": "#000000",
        "rail": "#000000",
        "header": "#000000",
        "surface": "#000000",
        "surface2": "#000000",
        "raised": "#000000",
        "stroke": "#8C8C8C",
        "stroke2": "#FFFFFF",
        "control": "#FFFFFF",
        "text": "#FFFFFF",
        "text2": "#FFFFFF",
        "text3": "#D6D6D6",
        "accent": "#FFFF00",
        "accent_hover": "#FFFF8A",
        "accent_press": "#D6D600",
        "on_accent": "#000000",
        "accent_text": "#FFFF00",
        "line": "#FFFF00",
        "focus": "#FFFF00",
        "sel": "#00348A",
        "sel_inactive": "#3A3A3A",
        "hover": "#262626",
        "press": "#3A3A3A",
        "ok": "#7CFF8C",
        "ok_bg": "#00280A",
        "warn": "#FFD24D",
        "warn_bg": "#332400",
        "bad": "#FF9CA3",
        "bad_bg": "#3D0006",
        "info": "#8FD0FF",
        "info_bg": "#002240",
        "neutral": "#FFFFFF",
        "neutral_bg": "#2B2B2B",
        "scroll": "#FFFFFF",
        "shadow": "#00000000",
        "series_1": "#FFFF00",
        "series_2": "#00FFD0",
        "series_3": "#FFA94D",
        "series_4": "#D9B3FF",
        "series_5": "#FF8FAB",
        "series_6": "#FFFFFF",
        **_AVATARS,
    }
)

THEMES: Mapping[str, Tokens] = MappingProxyType(
    {"light": LIGHT, "dark": DARK, "contrast": CONTRAST}
)
