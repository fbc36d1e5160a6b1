"""The user's own settings, declared once and kept in a TOML file of the user's folder."""

from __future__ import annotations

import logging
import os
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

from desktop_crm.core import paths
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Settings:
    """What one person chose on one machine.

    Attributes:
        language: ``system``, ``en`` or ``ro``.
        theme: ``system``, ``light``, ``dark`` or ``contrast``.
        text_size: Percentage of the normal text size, 90 to 130.
        database_url: Database opened at start; empty means the local sample company.
        recent_databases: URLs, the latest first.
        window_geometry: Qt's saved geometry in base64.
        layout: Free texts of the window by name (splitter sizes, list columns).
    """

    language: str = "system"
    theme: str = "system"
    text_size: int = 100
    database_url: str = ""
    recent_databases: list[str] = field(default_factory=list)
    window_geometry: str = ""
    layout: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Self:
        """Read the settings; a missing or damaged file gives the defaults and is logged."""
        path = cls.path()
        settings = cls()
        try:
            stored = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return settings
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
            log.warning("Settings could not be read, defaults are used", exc_info=True)
            return settings
        for known in fields(cls):
            value = stored.get(known.name)
            if isinstance(value, type(getattr(settings, known.name))):
                setattr(settings, known.name, value)
        settings.text_size = min(130, max(90, settings.text_size))
        return settings

    def save(self) -> None:
        """Write the settings, whole or not at all.

        Raises:
            EnvironmentProblem: The folder cannot be written.
        """
        import tomlkit  # reading, at every start, needs only the standard library

        path = self.path()
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        text = tomlkit.dumps({known.name: getattr(self, known.name) for known in fields(self)})
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise EnvironmentProblem(
                N_(
                    "The settings could not be saved in {folder}: {reason}. "
                    "They hold until you close the program."
                ),
                folder=path.parent,
                reason=error.strerror or error,
            ) from error

    def remember_database(self, url: str) -> None:
        """Make a database the one that opens next time and the first of the recent ones."""
        self.database_url = url
        self.recent_databases = [url, *(u for u in self.recent_databases if u != url)][:10]

    @staticmethod
    def path() -> Path:
        """File that holds the settings."""
        return paths.config_dir() / "settings.toml"
