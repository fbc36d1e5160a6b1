"""The text form of a filter: written and read back; the grammar stands in the package's text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services.filters import relations
from desktop_crm.services.filters.fields import resolve, summed
from desktop_crm.services.filters.tree import (
    COMPARISONS,
    NESTED,
    NEVER,
    QUANTITIES,
    Group,
    Node,
    Related,
    Rule,
    normal,
)

_WORDS: Final = ("contains", "starts", "ends", "has", "in", "between", "recurs")
_SIGNS: Final = {"==": "=", "<>": "!="}
_NUMBER: Final = re.compile(r"#-?[0-9]{1,18}$")
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<sign><=|>=|<>|!=|==|=|<|>)|(?P<mark>[(),])
    |"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<word>[^\s()<>=!,"']+))""",
    re.VERBOSE,
)
_PLAIN: Final = re.compile(r"[\w.+:@/%*&-]+(?: [\w.+:@/%*&-]+)*")
Found = TypeVar("Found")
_RESERVED: Final = {"and", "or", "not", "is", "empty", "with", *_WORDS, *QUANTITIES}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str, entity: str) -> Node | None:
    """Read the text form of a filter; an empty text is no filter.

    Raises:
        UserError: Syntax, unknown field, relation or operator; the parameter ``place`` counts the
            characters from 1.
    """
    tokens = _tokens(text)
    if not tokens:
        return None
    parser = _Parser(text, tokens, registry.get(entity))
    node = parser.any_of()
    parser.expect_end()
    return normal(node)


def to_text(node: Node | None) -> str:
    """Write the text form, which :func:`parse` reads back to the tree's normal form."""
    return _text(normal(node))


def _text(node: Node | None) -> str:
    if node is None:
        return ""
    if isinstance(node, Rule):
        return _rule_text(node)
    if isinstance(node, Related):
        return _related_text(node)
    if node == NEVER:
        return "()"
    if node.mode == "not":
        return f"not ({' or '.join(_inner(m) for m in node.members)})"
    return (" and " if node.mode == "all" else " or ").join(_inner(m) for m in node.members)


def _inner(node: Node) -> str:
    text = _text(node)
    return f"({text})" if isinstance(node, Group) and node.mode != "not" else text


def _rule_text(rule: Rule) -> str:
    field = _quoted(rule.field)
    if rule.operator in {"empty", "not empty"}:
        return f"{field} is {rule.operator}"
    if rule.operator in {"in", "not in"}:
        values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
        return f"{field} {rule.operator} ({', '.join(_quoted(v) for v in values)})"
    if rule.operator == "between" and isinstance(rule.value, tuple):
        return f"{field} between {' and '.join(_quoted(v) for v in rule.value)}"
    return f"{field} {rule.operator} {_quoted(rule.value)}"


def _related_text(node: Related) -> str:
    name = f"{node.relation}.{node.field}" if node.quantity == "sum" else node.relation
    text = f"{node.quantity} {name}"
    if node.filter is not None:
        text += f" ({_text(node.filter)})"
    if node.quantity in {"count", "sum"}:
        text += f" {node.operator} {_quoted(node.value)}"
    return text


def _quoted(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"#{value}"
    text = "" if value is None else str(value)
    if _PLAIN.fullmatch(text) and not _RESERVED & set(text.lower().split(" ")):
        return text
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            at = position + len(text[position:]) - len(text[position:].lstrip())
            raise _syntax(text, at, N_("this quotation mark is not closed"))
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

    def _chain(self, word: str, mode: str, part: Callable[[], Node]) -> Node:
        members = [part()]
        while self._take_word(word):
            members.append(part())
        return members[0] if len(members) == 1 else Group(mode, tuple(members))

    def _factor(self) -> Node:
        self._depth += 1
        if self._depth > NESTED:
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
            if self._take_mark(")"):
                return NEVER
            node = self.any_of()
            self._close()
            return node
        quantity = self._peek_quantity()
        if quantity:
            self._at += 1
            return self._related(quantity)
        return self._condition()

    # --- related records -------------------------------------------------------------------

    def _peek_quantity(self) -> str:
        """``has``, ``no``, ``count`` or ``sum`` in front of a name; empty: a field of that name."""
        here = self._tokens[self._at : self._at + 2]
        words = [token.text.lower() for token in here if token.kind == "word"]
        return words[0] if len(words) == 2 and words[0] in QUANTITIES else ""

    def _related(self, quantity: str) -> Related:
        token = self._tokens[self._at]
        name, field = token.text, ""
        if quantity == "sum":
            name, field = self._split(token)
        relation = self._placed(token, lambda: relations.find(self._entity, name))
        if quantity in {"count", "sum"} and relation.is_one:
            raise self._error(N_("a relation to several records is expected"))
        target = registry.get(relation.entity)
        if field:
            self._placed(token, lambda: summed(target, field))
        self._at += 1
        inner = self._filter_of(target) if self._take_mark("(") else None
        if quantity in {"has", "no"}:
            return Related(relation.name, quantity, inner)
        operator = self._sign()
        value = self._number()
        return Related(relation.name, quantity, inner, operator, value, field)

    def _split(self, token: _Token) -> tuple[str, str]:
        """Relation and field of ``opportunity.amount``, where both may contain points."""
        steps = token.text.split(".")
        for end in range(len(steps) - 1, 0, -1):
            name = ".".join(steps[:end])
            if name in relations.relations(self._entity):
                return name, ".".join(steps[end:])
        if len(steps) == 1:
            raise self._error(N_("a field to add up is expected, such as opportunity.amount"))
        return steps[0], ".".join(steps[1:])

    def _filter_of(self, target: Entity) -> Node:
        outer, self._entity = self._entity, target
        self._depth += 1
        if self._depth > NESTED:
            raise self._error(N_("fewer brackets and “not” are expected"))
        node = self.any_of()
        self._depth -= 1
        self._entity = outer
        self._close()
        return node

    def _number(self) -> str:
        at = self._peek()
        value = self._value()
        if not re.fullmatch(r"[+-]?[0-9][0-9., ]*", str(value)):
            raise _syntax(self._text, at.at if at else 0, N_("a number is expected"))
        return str(value)

    def _sign(self) -> str:
        token = self._peek()
        operator = _SIGNS.get(token.text, token.text) if token and token.kind == "sign" else ""
        if operator not in COMPARISONS:
            raise self._error(
                tr(N_("one of these is expected: {operators}"), operators=", ".join(COMPARISONS))
            )
        self._at += 1
        return operator

    # --- conditions ------------------------------------------------------------------------

    def _condition(self) -> Rule:
        token = self._peek()
        if token is None or token.kind not in {"word", "text"}:
            raise self._error(N_("a field is expected"))
        field = self._placed(token, lambda: resolve(self._entity, token.text))
        self._at += 1
        start = self._at
        said = self._take_word("is")
        negated = self._take_word("not")
        if self._take_word("empty"):
            return Rule(token.text, "not empty" if negated else "empty")
        operator = self._operator(field, start, said=said, negated=negated)
        if operator in {"in", "not in"}:
            return Rule(token.text, operator, self._several())
        if operator == "between":
            first = self._value()
            if not self._take_word("and"):
                raise self._error(N_("“and” with the second value is expected"))
            return Rule(token.text, operator, (first, self._value()))
        return Rule(token.text, operator, self._value())

    def _operator(self, field: BoundField, start: int, *, said: bool, negated: bool) -> str:
        token = self._peek()
        word = token.text.lower() if token is not None and token.kind == "word" else ""
        operator, taken = "", 1
        if token is not None and token.kind == "sign" and not negated:
            operator = _SIGNS.get(token.text, token.text)
        elif word in _WORDS:
            operator = f"not {word}" if negated else word
        elif said and token is not None and token.kind in {"word", "text"}:
            operator, taken = ("!=" if negated else "="), 0
        if operator not in field.kind.operators:
            self._at = self._at if operator else start
            raise self._error(
                tr(
                    N_("one of these is expected: {operators}"),
                    operators=", ".join(field.kind.operators),
                )
            )
        self._at += taken
        if operator in {"starts", "ends"}:
            self._take_word("with")
        return operator

    def _several(self) -> tuple[str | int, ...]:
        if not self._take_mark("("):
            raise self._error(N_("an opening bracket is expected"))
        if self._take_mark(")"):
            return ()
        values = [self._value()]
        while self._take_mark(","):
            values.append(self._value())
        self._close()
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

    # --- tokens ----------------------------------------------------------------------------

    def _placed(self, token: _Token, find: Callable[[], Found]) -> Found:
        """What a name stands for; an unknown one is told with its place."""
        try:
            return find()
        except UserError as error:
            error.params["place"] = token.at + 1
            error.params["part"] = token.text
            raise

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

    def _close(self) -> None:
        if not self._take_mark(")"):
            raise self._error(N_("a closing bracket is expected"))

    def _error(self, expected: str) -> UserError:
        token = self._peek()
        at = token.at if token is not None else len(self._text.rstrip())
        return _syntax(self._text, at, expected)
