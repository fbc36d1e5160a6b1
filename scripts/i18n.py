"""Bring the catalogues in ``resources/i18n`` in line with the texts of the program.

Texts are found by what they are handed to: `tr`, `ntr`, `translate`, `N_`, and the errors of
`core.errors`. Translations are kept, new texts are added empty, texts that are gone are dropped.
With ``--check`` nothing is written: the exit code is 1 when a catalogue would change, lacks a
translation, or says something with other placeholders than the original.

Catalogues hold neither line numbers nor dates, so that they change only when a text does.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

TOP = Path(__file__).resolve().parent.parent
PACKAGE = TOP / "desktop_crm"
CATALOGUES = TOP / "resources" / "i18n"
LANGUAGES = ("ro",)

#: Position of the text among the arguments; of singular and plural for a text that counts.
POSITIONS: dict[str, tuple[int, ...]] = {
    "N_": (0,),
    "tr": (0,),
    "ntr": (0, 1),
    "translate": (1,),
    "CrmError": (0,),
    "FieldError": (1,),
}
UNSTABLE_HEADERS = (
    "POT-Creation-Date",
    "PO-Revision-Date",
    "Last-Translator",
    "Language-Team",
    "Generated-By",
    "Project-Id-Version",
    "Report-Msgid-Bugs-To",
)
Text = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one text of a catalogue."""

    text: str
    problem: str


def sources() -> list[ast.Module]:
    """The syntax trees of all modules of the product."""
    return [
        ast.parse(path.read_text(encoding="utf-8"), str(path))
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


def name_of(expression: ast.expr) -> str:
    """The last part of a dotted name; empty for anything else."""
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def positions(modules: list[ast.Module]) -> dict[str, tuple[int, ...]]:
    """`POSITIONS`, with every class that descends from `CrmError` and has no constructor."""
    classes = [
        node for module in modules for node in ast.walk(module) if isinstance(node, ast.ClassDef)
    ]
    known = dict(POSITIONS)
    grown = True
    while grown:
        new = {
            node.name: (0,)
            for node in classes
            if node.name not in known and any(name_of(base) in known for base in node.bases)
        }
        known.update(new)
        grown = bool(new)
    return known


def constants(expression: ast.expr) -> Iterator[str]:
    """The literal texts an argument can be: one, or both branches of a condition."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield expression.value
    elif isinstance(expression, ast.IfExp):
        yield from constants(expression.body)
        yield from constants(expression.orelse)


def texts() -> set[Text]:
    """Every text the program marks for translation."""
    modules = sources()
    where = positions(modules)
    found: set[Text] = set()
    for module in modules:
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and name_of(node.func) in where:
                found.update(marked(node, where[name_of(node.func)]))
    counting = {text[0] for text in found if isinstance(text, tuple)}
    return {text for text in found if text and text not in counting}


def marked(call: ast.Call, places: tuple[int, ...]) -> set[Text]:
    """The texts of one call."""
    arguments = [call.args[place] for place in places if place < len(call.args)]
    if len(places) == 1:
        return {text for argument in arguments for text in constants(argument)}
    literal = [text for argument in arguments for text in constants(argument)]
    return {(literal[0], literal[1])} if len(literal) == len(places) else set()


def catalogue(language: str) -> Catalog:
    """The stored catalogue, or a new one."""
    path = CATALOGUES / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language, domain="desktop_crm", fuzzy=False)
    with path.open("rb") as stream:
        return read_po(stream, locale=language, domain="desktop_crm")


def updated(language: str, wanted: set[Text]) -> Catalog:
    """The catalogue with exactly the wanted texts and the translations there are."""
    template = Catalog(domain="desktop_crm", fuzzy=False)
    for text in sorted(wanted, key=str):
        template.add(text)
    stored = catalogue(language)
    stored.update(template, no_fuzzy_matching=True)
    stored.fuzzy = False
    stored.header_comment = ""
    return stored


def written(stored: Catalog) -> bytes:
    """The catalogue as it is kept in the file."""
    out = io.BytesIO()
    write_po(out, stored, no_location=True, sort_output=True, ignore_obsolete=True, width=100)
    lines = out.getvalue().decode("utf-8").splitlines()
    kept = [
        line for line in lines if not line.startswith(tuple(f'"{h}:' for h in UNSTABLE_HEADERS))
    ]
    return ("\n".join(kept).strip() + "\n").encode("utf-8")


def placeholders(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def findings(stored: Catalog) -> Iterator[Finding]:
    """What is missing or wrong in a catalogue."""
    for message in stored:
        if message.id:
            yield from message_findings(message, stored.num_plurals)


def message_findings(message: Message, plurals: int) -> Iterator[Finding]:
    """What is missing or wrong in one translation."""
    originals = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    said = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    expected = plurals if message.pluralizable else 1
    if len(said) != expected or not all(said):
        yield Finding(originals[0], "is not translated")
        return
    names = set().union(*(placeholders(original) for original in originals))
    for translation in said:
        try:
            used = placeholders(translation)
        except ValueError:
            yield Finding(originals[0], "has broken braces in its translation")
            continue
        # A form for one may say "one" in words.
        if used - names or (not message.pluralizable and used != names):
            yield Finding(originals[0], "has other placeholders in its translation")
        if set(translation) & set("ŞşŢţ"):
            yield Finding(originals[0], "is written with a cedilla; Romanian has a comma below")


def checked(language: str, stored: Catalog) -> bool:
    """Say what is wrong with a catalogue; True when nothing is."""
    path = CATALOGUES / f"{language}.po"
    before = path.read_bytes() if path.exists() else b""
    outdated = before != written(stored)
    if outdated:
        print(f"{path.name} is not in line with the program: run `python3 dev.py i18n`.")
    found = list(findings(stored))
    for finding in found:
        print(f"{path.name}: {finding.text!r} {finding.problem}")
    print(f"{path.name}: {len(stored)} texts, {len(found)} to look at")
    return not outdated and not found


def main() -> int:
    """Update the catalogues, or only check them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing, only say what is amiss"
    )
    check = parser.parse_args().check
    wanted = texts()
    good = True
    for language in LANGUAGES:
        stored = updated(language, wanted)
        if check:
            good = checked(language, stored) and good
            continue
        CATALOGUES.mkdir(parents=True, exist_ok=True)
        (CATALOGUES / f"{language}.po").write_bytes(written(stored))
        missing = sum(1 for _ in findings(stored))
        print(f"{language}.po: {len(stored)} texts, {missing} to look at")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
