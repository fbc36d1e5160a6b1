"""Prepared messages: which there are, and how their placeholders are filled from records.

A placeholder that finds nothing stands in the text as a visible gap; it is never sent as an empty
word or as “None”. Templates run in a sandbox and say what they may say by a list: placeholders,
conditions and a few words for texts. There is no way to repeat anything, so that a template takes
no longer than it is long, whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from jinja2 import ChainableUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound, PermissionDenied, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.models.mail import TemplateKind
from desktop_crm.services import query, records
from desktop_crm.services.context import Actor
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.records import RecordValues

GAP: Final = ("⟦", "⟧")
"""What stands around a placeholder that found nothing."""

_GAPS: Final = re.compile(f"{GAP[0]}([^{GAP[1]}]*){GAP[1]}")
_FOLLOWED: Final = ("contact", "account", "lead", "opportunity", "case")
"""Links of a record that is written about, which placeholders reach as well."""

MOST: Final = 500

_SAID: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr,
    nodes.Getitem, nodes.Slice, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And,
    nodes.Or, nodes.Not, nodes.Test, nodes.Filter, nodes.Call, nodes.Concat, nodes.Add, nodes.Sub,
    nodes.Neg, nodes.List, nodes.Tuple,
)  # fmt: skip
"""What a template may be made of: nothing that repeats, multiplies or keeps a value."""

_FILTERS: Final = frozenset(
    {
        "capitalize", "count", "d", "default", "first", "last", "length", "lower", "title", "trim",
        "truncate", "upper",
    }
)  # fmt: skip
_WORDS: Final = frozenset(
    {"capitalize", "endswith", "lower", "split", "startswith", "strip", "title", "upper"}
)
"""What a text may be asked for by name; none makes it longer."""


@dataclass(frozen=True, slots=True)
class Template:
    """One prepared text."""

    id: int
    name: str
    kind: str
    language: str
    subject: str
    body: str


class _Gap(ChainableUndefined):
    """A value that is not there: shown with the path that was asked for."""

    def __getattr__(self, name: str) -> _Gap:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Gap(name=f"{self._undefined_name}.{name}")

    __getitem__ = __getattr__

    def __str__(self) -> str:
        return f"{GAP[0]}{self._undefined_name}{GAP[1]}"


class _Record:
    """The texts of one record; what is empty is a gap."""

    def __init__(self, name: str, texts: Mapping[str, str]) -> None:
        self._name = name
        self._texts = texts

    def __getitem__(self, field: str) -> str | _Gap:
        return self._texts.get(field) or _Gap(name=f"{self._name}.{field}")

    def __str__(self) -> str:
        return self._texts.get("title", "")


def offered(
    actor: Actor, kind: TemplateKind | None = None, cancel: Cancel | None = None
) -> list[Template]:
    """Templates by name; those in the language of the user come first. One statement."""
    names = ("name", "kind", "language", "subject", "body")
    asked = RecordQuery("mail_template", names)
    found = [
        Template(row.id, *(str(value or "") for value in row.values))
        for row in query.first_page(actor, asked, MOST, cancel)
    ]
    if kind is not None:
        found = [one for one in found if one.kind == kind.value]
    return sorted(found, key=lambda one: one.language != actor.language)


def texts(actor: Actor, about: Sequence[tuple[str, int]]) -> Mapping[str, Any]:
    """What placeholders may say: the records written about, those they link to, and the writer.

    The first record of a kind counts. Records out of reach are left out.
    """
    found: dict[str, Any] = {}
    waiting = list(about)
    while waiting:
        entity, key = waiting.pop(0)
        if entity in found:
            continue
        record = _record(actor, entity, key)
        if record is None:
            continue
        found[entity] = _Record(entity, _shown(actor, record))
        waiting += [
            (name, value) for name in _FOLLOWED if isinstance(value := record.values.get(name), int)
        ]
    me = _record(actor, "user", actor.user_id) if actor.user_id else None
    found["me"] = _Record("me", _shown(actor, me) if me else {"name": actor.name})
    found["today"] = actor.formats.date(clock.today(actor.formats.zone))
    return found


def _record(actor: Actor, entity: str, key: int) -> RecordValues | None:
    try:
        return records.get(actor, entity, key)
    except (NotFound, PermissionDenied):
        return None


def _shown(actor: Actor, record: RecordValues) -> dict[str, str]:
    entity = registry.get(record.entity)
    currency = record.titles.get("currency", "")
    shown: dict[str, str] = {}
    for name, field in entity.fields.items():
        value = record.values.get(name)
        if value is None or value == "" or field.lines is not None:
            continue
        if field.kind is kinds.LINK:
            shown[name] = record.titles.get(name, "")
        elif field.kind is kinds.MONEY:
            shown[name] = actor.formats.money(value, currency)
        else:
            shown[name] = field.display(value, actor.formats)
    shown["title"] = shown.get(entity.title, "")
    return shown


def fill(text: str, values: Mapping[str, Any]) -> str:
    """A template's text with its placeholders filled; gaps stay visible.

    Raises:
        UserError: the template has a mistake, or asks for more than texts.
    """
    environment = ImmutableSandboxedEnvironment(undefined=_Gap, autoescape=False)
    environment.globals.clear()
    try:
        asked = environment.parse(text)
        _refuse_more_than_texts(asked)
        return environment.from_string(asked).render(values)
    except TemplateSyntaxError as error:
        raise UserError(
            N_("The template has a mistake in line {line}: {problem}. Nothing was filled in."),
            line=error.lineno,
            problem=(error.message or "").rstrip("."),
        ) from error
    except RecursionError as error:
        raise UserError(
            N_("The template cannot be filled in: {problem}. Nothing was filled in."),
            problem=tr(N_("it is nested too deeply")),
        ) from error
    except (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise UserError(
            N_("The template cannot be filled in: {problem}. Nothing was filled in."), problem=error
        ) from error


def _refuse_more_than_texts(asked: nodes.Template) -> None:
    """Look through a template before anything of it is worked out.

    Raises:
        UserError: it holds something that is not on the list.
    """
    waiting: list[nodes.Node] = [asked]
    while waiting:
        node = waiting.pop()
        waiting += node.iter_child_nodes()
        word = ""
        if not isinstance(node, _SAID):
            word = type(node).__name__.lower()
        elif isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            word = node.name
        elif isinstance(node, nodes.Call):
            called = node.node
            known = isinstance(called, nodes.Getattr) and called.attr in _WORDS
            word = "" if known else str(getattr(called, "attr", getattr(called, "name", "()")))
        if word:
            raise UserError(
                N_(
                    "A template only puts texts in their places; “{word}” in line {line} does "
                    "more. Nothing was filled in."
                ),
                word=word,
                line=node.lineno,
            )


def mistake(text: str) -> int:
    """Line of the first placeholder that is not written whole; 0 when there is none."""
    try:
        ImmutableSandboxedEnvironment().parse(text)
    except TemplateSyntaxError as error:
        return error.lineno
    return 0


def gaps(text: str) -> list[str]:
    """Placeholders that still stand unfilled in a text, each once."""
    return list(dict.fromkeys(_GAPS.findall(text)))


def as_html(text: str) -> str:
    """Plain text as paragraphs: empty lines part them, other ends of lines stay."""
    blocks = re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").strip("\n"))
    return "".join(
        f"<p>{escape(block, quote=False).replace(chr(10), '<br>')}</p>" for block in blocks
    )
