"""Where the product's files lie, in a checkout, an installed wheel and a frozen bundle alike."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Final

import platformdirs

APP_NAME: Final = "desktop-crm"
HOME_VARIABLE: Final = "DESKTOP_CRM_HOME"
"""When set, every folder of the product lies below this one (tests, portable installs)."""


@lru_cache(maxsize=1)
def resource_root() -> Path:
    """Folder of icons, fonts, themes and catalogues."""
    bundle: str | None = getattr(sys, "_MEIPASS", None)
    package = Path(__file__).resolve().parent.parent
    candidates = [package / "resources", package.parent / "resources"]
    if bundle:
        candidates.insert(0, Path(bundle) / "desktop_crm" / "resources")
    return next((path for path in candidates if path.is_dir()), candidates[-1])


def resource(*parts: str) -> Path:
    """Path of one shipped file."""
    return resource_root().joinpath(*parts)


def data_dir() -> Path:
    """Folder of local databases and the vault; made on first use."""
    return _made("data", platformdirs.user_data_path(APP_NAME, appauthor=False))


def config_dir() -> Path:
    """Folder of the user's settings; made on first use."""
    return _made("config", platformdirs.user_config_path(APP_NAME, appauthor=False))


def cache_dir() -> Path:
    """Folder of files that can be made again; made on first use."""
    return _made("cache", platformdirs.user_cache_path(APP_NAME, appauthor=False))


def log_dir() -> Path:
    """Folder of the log files; made on first use."""
    return _made("log", platformdirs.user_log_path(APP_NAME, appauthor=False))


def _made(name: str, default: Path) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    path = Path(home) / name if home else default
    path.mkdir(parents=True, exist_ok=True)
    return path
