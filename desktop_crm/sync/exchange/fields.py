"""Fields of an item as a request carries them: all for a new item, the changed ones for an old.

What did not change is not written: a text Exchange holds as HTML would otherwise come back plain,
and the server would take the meeting for changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from desktop_crm.sync.exchange.calls import field_path
from desktop_crm.sync.exchange.xml import Element, flag_text, node
from desktop_crm.sync.port import Flag, Sensitivity


@dataclass(frozen=True, slots=True)
class Field:
    """One field; without `node` the item has no value there.

    Attributes:
        uri: what a request calls it.
        node: its element.
        index: which of several of a kind, such as `EmailAddress1`.
        container: element around those of a kind, such as `t:EmailAddresses`.
        part: element around the value inside one of several, such as `t:City`.
    """

    uri: str
    node: Element = None
    index: str = ""
    container: str = ""
    part: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return (self.uri, self.index)

    @property
    def written(self) -> bytes:
        """The value, to compare."""
        return b"" if self.node is None else etree.tostring(self.node)

    def path(self) -> Element:
        """What names it in an update."""
        if self.index:
            return node("t:IndexedFieldURI", FieldURI=self.uri, FieldIndex=self.index)
        return field_path(self.uri)

    def element(self) -> Element:
        """Its element inside an item of its own."""
        if not self.container:
            return self.node
        inner = (
            node("t:Entry", node(self.part, self.node.text), Key=self.node.get("Key"))
            if (self.part)
            else self.node
        )
        return node(self.container, inner)


def own(name: str, value: str) -> Field:
    """A property of this product's own."""
    return _extended(f"own:{name}", value)


def tagged(tag: str, value: str) -> Field:
    """A property by its MAPI tag and type, such as `0x0E07 Integer`."""
    return _extended(f"tag:{tag}", value)


def _extended(uri: str, value: str) -> Field:
    made = node("t:ExtendedProperty", field_path(uri), node("t:Value", value)) if value else None
    return Field(uri, made)


def text(uri: str, name: str, value: str) -> Field:
    """A field of text; an empty one has no value."""
    return Field(uri, node(name, value) if value else None)


def truth(uri: str, name: str, value: bool) -> Field:
    """A field that is true or false."""
    return Field(uri, node(name, flag_text(value)))


def body(value: str) -> Field:
    """The text of an item."""
    return Field("item:Body", node("t:Body", value, BodyType="Text"))


_WORDS: Final = {
    Sensitivity.NORMAL: "Normal",
    Sensitivity.PERSONAL: "Personal",
    Sensitivity.PRIVATE: "Private",
    Sensitivity.CONFIDENTIAL: "Confidential",
}
_FLAGS: Final = {Flag.NONE: "NotFlagged", Flag.FLAGGED: "Flagged", Flag.COMPLETE: "Complete"}


def sensitivity(value: Sensitivity) -> Field:
    """How private an item is."""
    return Field("item:Sensitivity", node("t:Sensitivity", _WORDS[value]))


def categories(names: Sequence[str]) -> Field:
    """The categories of an item."""
    made = node("t:Categories", *(node("t:String", name) for name in names)) if names else None
    return Field("item:Categories", made)


def flag(value: Flag) -> Field:
    """The mark for follow-up."""
    return Field("item:Flag", node("t:Flag", node("t:FlagStatus", _FLAGS[value])))


def new_item(tag: str, fields: Iterable[Field]) -> Element:
    """A whole item; fields come in the order of the schema."""
    made = node(tag)
    for one in fields:
        if one.node is None:
            continue
        if not one.container:
            made.append(one.node)
            continue
        _into(made, one)
    return made


def _into(made: Element, one: Field) -> None:
    """Put one of several into the element they share."""
    outer = one.element()
    last = made[-1] if len(made) else None
    if last is None or last.tag != outer.tag:
        made.append(outer)
        return
    entry = outer[0]
    same = next((e for e in last if e.get("Key") == entry.get("Key")), None)
    if same is not None and one.part:
        same.extend(list(entry))
    else:
        last.append(entry)


def updates(tag: str, old: Iterable[Field], new: Iterable[Field]) -> list[Element]:
    """What an update says: fields set, and fields emptied."""
    before = {one.key: one for one in old}
    found = []
    for one in new:
        known = before.get(one.key)
        if known is not None and known.written == one.written:
            continue
        if one.node is not None:
            found.append(node("t:SetItemField", one.path(), node(tag, one.element())))
        elif known is not None and known.node is not None:
            found.append(node("t:DeleteItemField", one.path()))
    return found
