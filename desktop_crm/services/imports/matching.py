"""Which column of a file belongs to which field: by name, label, synonym and content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import LANGUAGES, N_, tr, translate
from desktop_crm.core.text import canonical_email, fold
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services.excel.layout import HIDDEN_COLUMNS
from desktop_crm.services.excel.table import Cell, Table
from desktop_crm.services.imports.synonyms import ENTITY_WORDS, EXTRA_WORDS, FIELD_WORDS

WHOLE_NAME: Final = "full_name"
"""Column with first and last name together; it is taken apart."""

ENDED: Final = "state"
"""Column that says beside the stage how a deal ended; it then decides over the stage."""

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_WORD: Final = re.compile(r"[^\w%]+|_+")
_REPEATED: Final = re.compile(r" \(\d+\)$")
_BRACKETS: Final = re.compile(r"[(\[][^)\]]*[)\]]")
_PHONE: Final = re.compile(r"\+?[\d\s().\-/]{7,20}")
_URL: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_SAMPLE: Final = 200
_SHARE: Final = 0.8


class How(StrEnum):
    """Why a column was matched; the order of trust."""

    MAP = "map"
    NAME = "name"
    LABEL = "label"
    SYNONYM = "synonym"
    CONTENT = "content"
    NONE = "none"


_TRUST: Final = {How.MAP: 100, How.NAME: 90, How.LABEL: 80, How.SYNONYM: 70, How.CONTENT: 30}
_PREFIXED: Final = 10
_BY_ID: Final = 25

BROUGHT: Final[Mapping[str, tuple[str, ...]]] = {"case": ("number", "resolved_at")}
"""Read only in a form, yet kept as another program gave them: customers write by that number."""


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """One column of the file and where its values go.

    Attributes:
        index: Position in the table.
        header: Name in the file.
        field: Field name; empty when the column is not taken in.
        how: Why.
        child: Type of the child row for further phones and e-mails (``field`` is then ``phones``
            or ``emails``); empty elsewhere.
    """

    index: int
    header: str
    field: str = ""
    how: How = How.NONE
    child: str = ""


@dataclass(frozen=True, slots=True)
class Matches:
    """The matching of a whole table, with sentences about what was left out."""

    columns: tuple[ColumnMatch, ...]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    score: int
    index: int
    field: str
    how: How
    child: str = ""


def header_key(text: str) -> str:
    """Form in which header words are compared."""
    bare = _BRACKETS.sub(" ", _REPEATED.sub("", text)) or text
    return " ".join(_NOT_WORD.sub(" ", fold(_CAMEL.sub(" ", bare))).split())


def targets(entity: Entity) -> dict[str, BoundField]:
    """Fields that a file may set, by name; whole names and how deals ended among them."""
    found = {
        name: field
        for name, field in entity.fields.items()
        if field.importable and not field.hidden and field.kind.name not in {"json", "image"}
    }
    if WHOLE_NAME in entity.fields and "last_name" in found:
        found[WHOLE_NAME] = entity.fields[WHOLE_NAME]
    if "stage" in found and ENDED in entity.fields:
        found[ENDED] = entity.fields[ENDED]
    brought = BROUGHT.get(entity.key, ())
    found.update({name: entity.fields[name] for name in brought if name in entity.fields})
    return found


def editable(entity: Entity) -> dict[str, BoundField]:
    """Fields that our own workbooks may change: the stage itself, not what it says."""
    brought = (ENDED, *BROUGHT.get(entity.key, ()))
    return {
        name: f for name, f in targets(entity).items() if name not in brought or not f.read_only
    }


def match(table: Table, entity: Entity, mapping: Mapping[str, str]) -> Matches:
    """Match every column of a table.

    Args:
        table: The file.
        entity: What its rows are.
        mapping: Header to field as a person said it; an empty field leaves the column out.

    Raises:
        UserError: The mapping names a column or a field that does not exist, or nothing matches.
    """
    columns = [ColumnMatch(i, name) for i, name in enumerate(table.header)]
    if table.meta or table.source.header_row == 0:
        return _by_field_name(columns, entity, table)
    said = _said(table, entity, mapping)
    candidates = [
        c for column in columns if column.index not in said for c in _score(column, entity, table)
    ]
    candidates += [_Candidate(100, i, field, How.MAP) for i, field in said.items() if field]
    notices: list[str] = []
    _assign(columns, candidates, notices)
    _read_as_last_name(columns)
    _take_further_ones(columns, entity, notices)
    _report_unmatched(columns, said, table, notices)
    if not any(column.field for column in columns):
        raise UserError(
            N_(
                "No column of {file} belongs to a field of {entity} (columns: {columns}). Nothing "
                "was imported; name the columns like the fields or say which column is which."
            ),
            file=table.source.name,
            entity=tr(entity.plural),
            columns=", ".join(name for name in table.header if name)[:300],
        )
    return Matches(tuple(columns), tuple(notices))


def _by_field_name(columns: list[ColumnMatch], entity: Entity, table: Table) -> Matches:
    """Our own workbooks and contact cards name the fields themselves."""
    known = editable(entity)
    lines = {name for name, field in entity.fields.items() if field.kind.name == "lines"}
    for i, column in enumerate(columns):
        if column.header in HIDDEN_COLUMNS:
            continue
        if column.header == "account" and "company" in known:
            # A card of somebody who is a lead yet: the company is still a text.
            columns[i] = replace(column, field="company", how=How.SYNONYM)
            continue
        if column.header in known or (column.header in lines and not table.meta):
            columns[i] = replace(column, field=column.header, how=How.NAME)
    return Matches(tuple(columns))


def _said(table: Table, entity: Entity, mapping: Mapping[str, str]) -> dict[int, str]:
    by_key = {header_key(name): i for i, name in reversed(list(enumerate(table.header))) if name}
    exact = {name: i for i, name in enumerate(table.header)}
    found: dict[int, str] = {}
    for header, field in mapping.items():
        index = exact.get(header, by_key.get(header_key(header), -1))
        if index < 0:
            raise UserError(
                N_("{file} has no column “{column}”; it has {columns}. Nothing was imported."),
                file=table.source.name,
                column=header,
                columns=", ".join(name for name in table.header if name),
            )
        found[index] = field_named(entity, field) if field else ""
    return found


def field_named(entity: Entity, text: str) -> str:
    """Find a field by its name or its label in any language.

    Raises:
        UserError: There is none that a file may set.
    """
    known = targets(entity)
    if text in known:
        return text
    wanted = header_key(text)
    for name, field in known.items():
        if wanted in {header_key(name), *_labels(field)}:
            return name
    raise UserError(
        N_("{entity} has no field “{field}” that a file may set; it has {fields}."),
        entity=tr(entity.label),
        field=text,
        fields=", ".join(sorted(known)),
    )


def _labels(field: BoundField) -> Iterator[str]:
    yield header_key(field.label)
    for language in LANGUAGES:
        yield header_key(translate(language, field.label))


def _score(column: ColumnMatch, entity: Entity, table: Table) -> Iterator[_Candidate]:
    """Every field a column may belong to, with how much that is trusted."""
    key = header_key(column.header)
    if not key:
        return
    known = targets(entity)
    values = [row.cells[column.index] for row in table.rows[:_SAMPLE] if row.problem is None]
    if key in EXTRA_WORDS and EXTRA_WORDS[key][0] in entity.fields:
        field, child = EXTRA_WORDS[key]
        yield _Candidate(_TRUST[How.SYNONYM], column.index, field, How.SYNONYM, child)
    words = ENTITY_WORDS.get(entity.key, ())
    found = False
    for form, penalty in _forms(key, words):
        for candidate in _by_words(form, penalty, column.index, entity.key, known):
            if _plausible(values, known[candidate.field]):
                found = True
                yield candidate
    if not found:
        yield from _by_content(values, column.index, known)


def _forms(key: str, words: Iterable[str]) -> Iterator[tuple[str, int]]:
    yield key, 0
    for word in words:
        if key.startswith(f"{word} "):
            yield key.removeprefix(f"{word} "), _PREFIXED


def _by_words(
    key: str, penalty: int, index: int, entity: str, known: Mapping[str, BoundField]
) -> Iterator[_Candidate]:
    synonyms = FIELD_WORDS.get(entity, {})
    for name, field in known.items():
        own = header_key(name)
        if key == own:
            yield _Candidate(_TRUST[How.NAME] - penalty, index, name, How.NAME)
        elif key in _labels(field):
            yield _Candidate(_TRUST[How.LABEL] - penalty, index, name, How.LABEL)
        elif key in synonyms.get(name, ()):
            yield _Candidate(_TRUST[How.SYNONYM] - penalty, index, name, How.SYNONYM)
        elif field.target and key in {f"{own} id", f"associated {own} id"}:
            yield _Candidate(_TRUST[How.NAME] - penalty - _BY_ID, index, name, How.NAME)


def _plausible(values: Sequence[Cell], field: BoundField) -> bool:
    """Say whether at least one value could be of the field's kind, when there are values."""
    texts = [value for value in values if isinstance(value, str)]
    if not texts or len(texts) < len([v for v in values if v is not None]):
        return True
    if field.kind.name == "email":
        return any(canonical_email(text) or "<" in text for text in texts)
    if field.kind.name in {"date", "datetime", "money", "integer", "quantity", "percent"}:
        return any(any(map(str.isdigit, text)) for text in texts)
    return True


def _by_content(
    values: Sequence[Cell], index: int, known: Mapping[str, BoundField]
) -> Iterator[_Candidate]:
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < 2:
        return
    share = _SHARE * len(texts)
    trust = _TRUST[How.CONTENT]
    if "email" in known and sum(canonical_email(text) is not None for text in texts) >= share:
        yield _Candidate(trust, index, "email", How.CONTENT)
    elif "website" in known and sum(bool(_URL.fullmatch(text)) for text in texts) >= share:
        yield _Candidate(trust, index, "website", How.CONTENT)
    elif "phone" in known and sum(_is_phone(text) for text in texts) >= share:
        yield _Candidate(trust, index, "phone", How.CONTENT)


def _is_phone(text: str) -> bool:
    digits = sum(map(str.isdigit, text))
    return (
        _PHONE.fullmatch(text) is not None
        and 9 <= digits <= 15
        and (text.startswith(("+", "0", "(")) or any(mark in text for mark in " -"))
        and re.match(r"\d{4}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d{4}", text) is None
    )


def _assign(columns: list[ColumnMatch], candidates: list[_Candidate], notices: list[str]) -> None:
    """Give each field its most trusted column, and each column one field."""
    taken: dict[str, int] = {}
    for candidate in sorted(candidates, key=lambda c: (-c.score, c.index)):
        column = columns[candidate.index]
        if column.field:
            continue
        if candidate.child:
            columns[candidate.index] = replace(
                column, field=candidate.field, how=candidate.how, child=candidate.child
            )
        elif candidate.field not in taken:
            taken[candidate.field] = candidate.index
            columns[candidate.index] = replace(column, field=candidate.field, how=candidate.how)
        elif candidate.how is How.MAP:
            raise UserError(
                N_("Two columns are said to be “{field}”. Nothing was imported."),
                field=candidate.field,
            )
    lost = {c.index: c.field for c in reversed(candidates) if not columns[c.index].field}
    for index, field in lost.items():
        columns[index] = replace(columns[index], child=field)


def _read_as_last_name(columns: list[ColumnMatch]) -> None:
    """Read ``Nume`` beside ``Prenume``, or ``Name`` beside ``First name``, as the last name."""
    by_field = {c.field: i for i, c in enumerate(columns) if c.field}
    whole = by_field.get(WHOLE_NAME)
    if whole is not None and "first_name" in by_field and "last_name" not in by_field:
        columns[whole] = replace(columns[whole], field="last_name")


_CHILDREN: Final = {"phone": ("phones", "other"), "email": ("emails", "other")}


def _take_further_ones(columns: list[ColumnMatch], entity: Entity, notices: list[str]) -> None:
    """Keep second phones and e-mails as child rows; promote the only one to the main field."""
    main = {c.field for c in columns if c.field and not c.child}
    for i, column in enumerate(columns):
        if column.field or not column.child:
            continue
        wanted, columns[i] = column.child, replace(column, child="")
        lines, kind = _CHILDREN.get(wanted, ("", ""))
        if lines in entity.fields:
            columns[i] = replace(column, field=lines, child=kind, how=How.SYNONYM)
        else:
            notices.append(
                tr(
                    "Column “{column}” was left out: “{field}” is taken from “{other}”.",
                    column=column.header,
                    field=wanted,
                    other=next(c.header for c in columns if c.field == wanted),
                )
            )
    for single, (lines, _) in _CHILDREN.items():
        first = next((i for i, c in enumerate(columns) if c.field == lines and c.child), None)
        known = targets(entity)
        free = first is not None and single not in main and single in known
        if first is not None and free and columns[first].child != "fax":
            columns[first] = replace(columns[first], field=single, child="")


def _report_unmatched(
    columns: Sequence[ColumnMatch], said: Mapping[int, str], table: Table, notices: list[str]
) -> None:
    left = [
        column.header or tr("column {number}", number=column.index + 1)
        for column in columns
        if not column.field
        and column.index not in said
        and any(row.cells[column.index] is not None for row in table.rows)
        and not any(f"“{column.header}”" in notice for notice in notices)
    ]
    if left:
        notices.append(tr("Columns left out: {columns}.", columns=", ".join(left)))
