"""Settings survive, and a damaged file costs the defaults, never the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_crm.core import paths
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.settings import Settings


def test_settings_are_kept() -> None:
    settings = Settings.load()
    assert settings == Settings()
    settings.language, settings.theme, settings.text_size = "ro", "dark", 110
    settings.layout["list.account"] = "ș,200"
    settings.remember_database("sqlite:///a.db")
    settings.remember_database("postgresql://u@h/b")
    settings.remember_database("sqlite:///a.db")
    settings.save()
    again = Settings.load()
    assert again == settings
    assert again.database_url == "sqlite:///a.db"
    assert again.recent_databases == ["sqlite:///a.db", "postgresql://u@h/b"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"text_size = [", b"text_size = 'big'\n"])
def test_a_damaged_file_gives_the_defaults(content: bytes) -> None:
    Settings.path().write_bytes(content)
    assert Settings.load() == Settings()


def test_sizes_stay_within_bounds() -> None:
    Settings.path().write_text("text_size = 900\nunknown = 1\n", encoding="utf-8")
    assert Settings.load().text_size == 130


def test_what_cannot_be_saved_is_told(home: Path) -> None:
    Settings().save()
    Settings.path().unlink()
    Settings.path().mkdir()
    with pytest.raises(EnvironmentProblem, match="could not be saved"):
        Settings(theme="dark").save()
    assert [p.name for p in paths.config_dir().iterdir()] == ["settings.toml"]
    assert home in Settings.path().parents


def test_folders_lie_below_the_home(home: Path) -> None:
    for folder in (paths.data_dir(), paths.config_dir(), paths.cache_dir(), paths.log_dir()):
        assert folder.parent == home
        assert folder.is_dir()
    assert paths.resource("i18n").is_dir()
