"""The lines of an iCalendar file as a tree of components; damage never stops the reading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from desktop_crm.core.text import storable
from desktop_crm.sync.formats.mail_header import decode_bytes

_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
_PARAMETER: Final = re.compile(r';([\w-]+)=("[^"]*"|[^";:]*)(?:,("[^"]*"|[^";:,]*))*')
_NAME: Final = re.compile(r"^[\w.-]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One property: name and parameter names in upper case, the value as written."""

    name: str
    value: str
    params: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Value of a text property without its escapes."""
        return _unescape(self.value)


@dataclass(slots=True)
class Component:
    """A BEGIN ... END block with its properties, its own source text and what lies in it."""

    name: str
    lines: list[Line] = field(default_factory=list)
    children: list[Component] = field(default_factory=list)
    source: list[str] = field(default_factory=list)

    def one(self, name: str) -> Line | None:
        """First property of a name."""
        return next((line for line in self.lines if line.name == name), None)

    def every(self, name: str) -> list[Line]:
        """All properties of a name, in file order."""
        return [line for line in self.lines if line.name == name]

    def text(self, name: str) -> str:
        """Unescaped value of the first property of a name, or empty."""
        line = self.one(name)
        return line.text.strip() if line else ""

    def walk(self, name: str) -> Iterator[Component]:
        """Every component of a name below this one."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.walk(name)


def read_tree(data: bytes) -> Component:
    """Read a file into one root component that holds its calendars.

    An END without its BEGIN closes nothing; a BEGIN without its END lasts to the end of its
    parent, and a VEVENT that begins inside another stands beside it.
    """
    root = Component("")
    stack = [root]
    for text in _unfold(storable(decode_bytes(data.removeprefix(b"\xef\xbb\xbf"), "utf-8"))):
        line = _line(text)
        if line is None:
            continue
        if line.name == "BEGIN":
            _begin(stack, line.value.strip().upper())
        elif line.name != "END":
            stack[-1].lines.append(line)
        for component in stack[1:]:
            component.source.append(text)
        if line.name == "END":
            _end(stack, line.value.strip().upper())
    return root


def _begin(stack: list[Component], name: str) -> None:
    names = [component.name for component in stack]
    if name in ("VEVENT", "VTODO", "VJOURNAL", "VCALENDAR") and name in names:
        del stack[names.index(name) :]
    child = Component(name)
    stack[-1].children.append(child)
    stack.append(child)


def _end(stack: list[Component], name: str) -> None:
    names = [component.name for component in stack]
    if name and name in names:
        del stack[len(names) - 1 - names[::-1].index(name) :]


def _unfold(text: str) -> Iterator[str]:
    current = ""
    for line in _LINE_BREAK.split(text):
        if line[:1] in (" ", "\t"):
            current += line[1:]
            continue
        if current:
            yield current
        current = line
    if current:
        yield current


def _line(text: str) -> Line | None:
    head = _NAME.match(text)
    if not head:
        return None
    params: dict[str, str] = {}
    end = head.end()
    while match := _PARAMETER.match(text, end):
        params[match[1].upper()] = text[match.start(2) : match.end()].replace('"', "")
        end = match.end()
    _, colon, value = text[end:].partition(":")
    return Line(head[0].upper(), value, params) if colon else None


def _unescape(value: str) -> str:
    return re.sub(
        r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], value, flags=re.DOTALL
    )
