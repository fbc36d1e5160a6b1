"""Texts find their way into the catalogue and nothing wrong stays in it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from scripts import i18n

SOURCE = """
class TooLate(EnvironmentProblem):
    pass

class EnvironmentProblem(CrmError):
    pass

N_("Marked")
tr("Open" if closed else "Close")
tr("Joined " "text", n=1)
ntr("{n} row", "{n} rows", 3)
translate(language, "In a document")
raise errors.TooLate("Too late for {name}", name=name)
FieldError("name", "Is empty")
tr(variable)
print("Not marked")
"""


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(i18n, "sources", lambda: [ast.parse(SOURCE)])
    monkeypatch.setattr(i18n, "CATALOGUES", tmp_path)
    return tmp_path


def test_texts_are_found_by_what_they_are_handed_to(source: Path) -> None:
    assert i18n.texts() == {
        "Marked",
        "Open",
        "Close",
        "Joined text",
        ("{n} row", "{n} rows"),
        "In a document",
        "Too late for {name}",
        "Is empty",
    }


def test_an_update_keeps_translations_and_drops_what_is_gone(source: Path) -> None:
    path = source / "ro.po"
    path.write_bytes(i18n.written(i18n.updated("ro", {"Marked", "Gone"})))
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace('msgid "Marked"\nmsgstr ""', 'msgid "Marked"\nmsgstr "Marcat"'),
        encoding="utf-8",
    )
    result = i18n.written(i18n.updated("ro", {"Marked", "Marked too"})).decode("utf-8")
    assert 'msgid "Marked"\nmsgstr "Marcat"' in result
    assert 'msgid "Marked too"\nmsgstr ""' in result
    assert "Gone" not in result
    assert "fuzzy" not in result
    assert "Date" not in result


def test_writing_again_changes_nothing(source: Path) -> None:
    once = i18n.written(i18n.updated("ro", i18n.texts()))
    (source / "ro.po").write_bytes(once)
    assert i18n.written(i18n.updated("ro", i18n.texts())) == once


def problems(text: str | tuple[str, str], translation: str | tuple[str, ...]) -> list[str]:
    catalogue = Catalog(locale="ro")
    catalogue.add(text, translation)
    return [finding.problem for finding in i18n.findings(catalogue)]


def test_a_good_translation_has_no_findings() -> None:
    assert problems("Hello {name}", "Bună, {name}") == []
    assert problems(("{n} row", "{n} rows"), ("un rând", "{n} rânduri", "{n} de rânduri")) == []


def test_what_is_missing_or_wrong_is_found() -> None:
    assert problems("Hello", "") == ["is not translated"]
    assert problems(("{n} row", "{n} rows"), ("un rând", "", "")) == ["is not translated"]
    (wrong,) = problems("Hello {name}", "Bună, {nume}")
    assert "placeholders" in wrong
    (broken,) = problems("Hello {name}", "Bună, {name")
    assert "braces" in broken
    (cedilla,) = problems("Status", "Ştare")
    assert "cedilla" in cedilla
