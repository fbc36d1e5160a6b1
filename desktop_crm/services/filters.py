"""Filters as a tree of plain values, and their text form.

Grammar of the text form::

    filter    = part { "or" part }
    part      = factor { "and" factor }
    factor    = "not" factor | "(" filter ")" | condition
    condition = field operator value | field ["is"] ["not"] "empty"
              | field ["not"] "in" "(" value { "," value } ")"
    operator  = "=" | "!=" | "<" | "<=" | ">" | ">=" | "contains" | "starts"

A value is quoted or a run of words; ``me`` stands for the user, ``today``, ``today+7`` and
``today-30`` for days. A field may lead through links: ``account.city``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity

Value = str | int | tuple[str | int, ...] | None
_WORD_OPERATORS: Final = ("contains", "starts", "has")
_SIGNS: Final = {"==": "=", "<>": "!="}
_NUMBER: Final = re.compile(r"#-?[0-9]{1,18}$")
_DEEPEST: Final = 100
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<sign><=|>=|<>|!=|==|=|<|>)|(?P<mark>[(),])
    |"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<word>[^\s()<>=!,"']+))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition; ``value`` is text as typed, an id for a link, or a tuple for ``in``."""

    field: str
    operator: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Group:
    """Several conditions under ``all``, ``any`` or ``not`` (none of them)."""

    mode: str
    members: tuple[Rule | Group, ...]


Node = Rule | Group


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str, entity: str) -> Node | None:
    """Read the text form of a filter; an empty text is no filter.

    Raises:
        UserError: Syntax, unknown field or operator; the sentence points at the place.
    """
    tokens = _tokens(text)
    if not tokens:
        return None
    parser = _Parser(text, tokens, registry.get(entity))
    node = parser.any_of()
    parser.expect_end()
    return node


def to_text(node: Node | None) -> str:
    """Write the text form that :func:`parse` reads back to an equal tree."""
    if node is None:
        return ""
    if isinstance(node, Rule):
        return _rule_text(node)
    if node.mode == "not":
        return f"not ({' or '.join(_inner(m) for m in node.members)})"
    return (" and " if node.mode == "all" else " or ").join(_inner(m) for m in node.members)


def _inner(node: Node) -> str:
    text = to_text(node)
    return text if isinstance(node, Rule) or node.mode == "not" else f"({text})"


def _rule_text(rule: Rule) -> str:
    if rule.operator in {"empty", "not empty"}:
        return f"{rule.field} is {rule.operator}"
    if rule.operator == "in":
        values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
        return f"{rule.field} in ({', '.join(_quoted(v) for v in values)})"
    return f"{rule.field} {rule.operator} {_quoted(rule.value)}"


def _quoted(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"#{value}"
    text = ("" if value is None else str(value)).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def to_json(node: Node | None) -> dict[str, Any] | None:
    """Plain form that is stored with views."""
    if node is None:
        return None
    if isinstance(node, Rule):
        value = list(node.value) if isinstance(node.value, tuple) else node.value
        return {"field": node.field, "operator": node.operator, "value": value}
    return {"mode": node.mode, "members": [to_json(member) for member in node.members]}


def from_json(data: Mapping[str, Any] | None) -> Node | None:
    """Read the stored form."""
    if not data:
        return None
    if "mode" in data:
        members = tuple(n for m in data["members"] if (n := from_json(m)) is not None)
        return Group(data["mode"], members)
    value = data.get("value")
    return Rule(data["field"], data["operator"], tuple(value) if isinstance(value, list) else value)


def both(first: Node | None, second: Node | None) -> Node | None:
    """Join two filters that must both hold."""
    if first is None or second is None:
        return first or second
    return Group("all", (first, second))


def resolve(entity: Entity, path: str) -> BoundField:
    """Find the field a path like ``account.city`` ends in.

    Raises:
        UserError: A step is no field, or no link where another step follows.
    """
    current = entity
    steps = path.split(".")
    for step in steps[:-1]:
        field = current.fields.get(step)
        if field is None or not field.target:
            raise _unknown(current, step)
        current = registry.get(field.target)
    last = current.fields.get(steps[-1])
    if last is None:
        raise _unknown(current, steps[-1])
    return last


def _unknown(entity: Entity, name: str) -> UserError:
    import difflib

    near = difflib.get_close_matches(name, entity.fields, 1)
    if near:
        return UserError(
            N_("{entity} has no field “{field}”. Did you mean “{near}”?"),
            entity=tr(entity.label),
            field=name,
            near=near[0],
        )
    return UserError(
        N_("{entity} has no field “{field}”. Fields: {fields}."),
        entity=tr(entity.label),
        field=name,
        fields=", ".join(n for n, f in entity.fields.items() if not f.hidden),
    )


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _syntax(text, position, N_("this quotation mark is not closed"))
        kind = str(match.lastgroup)
        raw = match[kind]
        if kind in {"double", "single"}:
            kind, raw = "text", re.sub(r"\\(.)", r"\1", raw, flags=re.DOTALL)
        found.append(_Token(kind, raw, match.start(str(match.lastgroup))))
        position = match.end()
    return found


def _syntax(text: str, at: int, expected: str) -> UserError:
    return UserError(
        N_("The filter cannot be read at character {place} (“{part}”): {expected}."),
        field="filter",
        place=at + 1,
        part=text[at : at + 20],
        expected=tr(expected),
    )


class _Parser:
    """Recursive descent over the tokens; one method for each rule of the grammar."""

    def __init__(self, text: str, tokens: list[_Token], entity: Entity) -> None:
        self._text = text
        self._tokens = tokens
        self._entity = entity
        self._at = 0
        self._depth = 0

    def any_of(self) -> Node:
        return self._chain("or", "any", self._all_of)

    def expect_end(self) -> None:
        if self._at < len(self._tokens):
            raise self._error(N_("“and” or “or” is expected"))

    def _all_of(self) -> Node:
        return self._chain("and", "all", self._factor)

    def _chain(self, word: str, mode: str, part: Any) -> Node:  # noqa: ANN401  a bound method
        members = [part()]
        while self._take_word(word):
            members.append(part())
        return members[0] if len(members) == 1 else Group(mode, tuple(members))

    def _factor(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(N_("fewer brackets and “not” are expected"))
        node = self._nested()
        self._depth -= 1
        return node

    def _nested(self) -> Node:
        if self._take_word("not"):
            inner = self._factor()
            if isinstance(inner, Group) and inner.mode == "any":
                return Group("not", inner.members)
            return Group("not", (inner,))
        if self._take_mark("("):
            node = self.any_of()
            if not self._take_mark(")"):
                raise self._error(N_("a closing bracket is expected"))
            return node
        return self._condition()

    def _condition(self) -> Rule:
        token = self._peek()
        if token is None or token.kind not in {"word", "text"}:
            raise self._error(N_("a field is expected"))
        field = resolve(self._entity, token.text)
        self._at += 1
        start = self._at
        self._take_word("is")
        negated = self._take_word("not")
        if self._take_word("empty"):
            return Rule(token.text, "not empty" if negated else "empty")
        if self._take_word("in"):
            rule = Rule(token.text, "in", self._several())
            if negated:
                raise _syntax(self._text, token.at, N_("write “not” before the field"))
            return rule
        if negated:
            self._at = start
        operator = self._operator(field)
        return Rule(token.text, operator, self._value())

    def _operator(self, field: BoundField) -> str:
        token = self._peek()
        operator = ""
        if token is not None and token.kind == "sign":
            operator = _SIGNS.get(token.text, token.text)
        elif token is not None and token.kind == "word" and token.text.lower() in _WORD_OPERATORS:
            operator = token.text.lower()
        if operator not in field.kind.operators:
            raise self._error(
                tr(
                    N_("one of these is expected: {operators}"),
                    operators=", ".join(field.kind.operators),
                )
            )
        self._at += 1
        if operator == "starts":
            self._take_word("with")
        return operator

    def _several(self) -> tuple[str | int, ...]:
        if not self._take_mark("("):
            raise self._error(N_("an opening bracket is expected"))
        values = [self._value()]
        while self._take_mark(","):
            values.append(self._value())
        if not self._take_mark(")"):
            raise self._error(N_("a closing bracket is expected"))
        return tuple(values)

    def _value(self) -> str | int:
        token = self._peek()
        if token is None or token.kind not in {"word", "text"}:
            raise self._error(N_("a value is expected"))
        self._at += 1
        if token.kind == "text":
            return token.text
        if _NUMBER.match(token.text):
            return int(token.text[1:])
        words = [token.text]
        while (more := self._peek()) is not None and more.kind == "word":
            if more.text.lower() in {"and", "or"}:
                break
            words.append(more.text)
            self._at += 1
        return " ".join(words)

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take_word(self, word: str) -> bool:
        token = self._peek()
        if token is not None and token.kind == "word" and token.text.lower() == word:
            self._at += 1
            return True
        return False

    def _take_mark(self, mark: str) -> bool:
        token = self._peek()
        if token is not None and token.kind == "mark" and token.text == mark:
            self._at += 1
            return True
        return False

    def _error(self, expected: str) -> UserError:
        token = self._peek()
        at = token.at if token is not None else len(self._text.rstrip())
        return _syntax(self._text, at, expected)
