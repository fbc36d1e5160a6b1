"""What a deed takes, and its form in the journal: JSON, with the bytes of a message apart.

Every adapter refuses by :func:`refuse_unable` what its mailbox cannot do; the journal writes deeds
and images with :func:`encode` and reads them back with :func:`decode`.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, TypeVar

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.models.outbox import DeedKind
from desktop_crm.sync import writes
from desktop_crm.sync.port import ContactItem, Item, MailItem, MeetingItem
from desktop_crm.sync.writes import (
    Ability,
    Answer,
    Deed,
    Delete,
    MakeFolder,
    Mark,
    Move,
    Notify,
    PutBack,
    Save,
    SaveDraft,
    Send,
)

KINDS: Final[Mapping[type[Any], DeedKind]] = {
    Send: DeedKind.SEND,
    SaveDraft: DeedKind.SAVE_DRAFT,
    Save: DeedKind.SAVE,
    Mark: DeedKind.MARK,
    Move: DeedKind.MOVE,
    Delete: DeedKind.DELETE,
    Answer: DeedKind.ANSWER,
    PutBack: DeedKind.PUT_BACK,
    MakeFolder: DeedKind.MAKE_FOLDER,
}
_DEEDS: Final = {kind: deed for deed, kind in KINDS.items()}
_NEEDED: Final[Mapping[type[Any], Ability]] = {
    Send: Ability.SEND,
    SaveDraft: Ability.DRAFTS,
    Move: Ability.MOVE,
    Delete: Ability.DELETE,
    Answer: Ability.MEETINGS,
    MakeFolder: Ability.FOLDERS,
}
_BLOBS: Final = frozenset({"mime", "raw"})
_ABLE_TO: Final = {
    Ability.SEND: N_("send mail"),
    Ability.DRAFTS: N_("keep drafts"),
    Ability.READ_MARK: N_("mark mail as read"),
    Ability.FLAG: N_("set flags"),
    Ability.CATEGORIES: N_("set categories"),
    Ability.MOVE: N_("move items"),
    Ability.DELETE: N_("delete items"),
    Ability.MEETINGS: N_("change meetings"),
    Ability.INVITE: N_("send invitations"),
    Ability.TASKS: N_("change tasks"),
    Ability.CONTACTS: N_("change contacts"),
    Ability.FREE_BUSY: N_("tell when people are busy"),
    Ability.FOLDERS: N_("make folders"),
    Ability.QUIET: N_("change meetings with guests in silence"),
    Ability.ATTENDANCE: N_("note the answers of guests"),
}

T = TypeVar("T")


def kind_of(deed: Deed) -> DeedKind:
    """What a deed is called in the journal."""
    return KINDS[type(deed)]


def notify_of(deed: Deed) -> Notify:
    """Who is told of a deed; of most nobody can be."""
    return deed.notify if isinstance(deed, Save | Delete | Answer) else Notify.NOBODY


def needed(deed: Deed) -> frozenset[Ability]:
    """The abilities a mailbox must have for a deed."""
    found: set[Ability] = set()
    match deed:
        case Save():
            found = {_for_item(deed.item)}
        case Mark():
            wanted = (
                (Ability.READ_MARK, deed.is_read),
                (Ability.FLAG, deed.flag),
                (Ability.CATEGORIES, deed.categories),
            )
            found = {ability for ability, value in wanted if value is not None}
        case PutBack():
            found = {_for_item(deed.image.item)}
        case _:
            found = {_NEEDED[type(deed)]}
    if notify_of(deed) is not Notify.NOBODY:
        found.add(Ability.INVITE)
    return frozenset(found)


def _for_item(item: Item) -> Ability:
    if isinstance(item, MailItem):
        return Ability.DELETE  # whoever can delete mail can lay it back
    if isinstance(item, MeetingItem):
        return Ability.MEETINGS
    return Ability.CONTACTS if isinstance(item, ContactItem) else Ability.TASKS


def refuse_unable(abilities: Iterable[Ability], deed: Deed) -> None:
    """Refuse a deed that needs what a mailbox cannot do.

    Raises:
        UserError: it needs an ability that is not among these.
    """
    missing = needed(deed) - frozenset(abilities)
    if missing:
        raise UserError(
            N_("This mailbox cannot {action}. Nothing was changed there."),
            action=", ".join(tr(_ABLE_TO[one]) for one in sorted(missing)),
        )


def encode(value: object) -> tuple[dict[str, Any], bytes]:
    """A deed or an image as JSON, and the bytes of its message or item apart.

    Bytes of attachments are left out: those of the message hold them already.
    """
    found: list[bytes] = []
    plain = _plain(value, found)
    return plain, b"".join(found)


def _plain(value: Any, found: list[bytes]) -> Any:  # noqa: ANN401  any of the port's values
    if dataclasses.is_dataclass(value):
        named: dict[str, Any] = {}
        for one in dataclasses.fields(value):
            held = getattr(value, one.name)
            if one.name in _BLOBS:
                found.append(held)
            elif not isinstance(held, bytes):
                named[one.name] = _plain(held, found)
        return named
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(one, found) for one in value]
    return value


def decode(kind: DeedKind, plain: Mapping[str, Any], blob: bytes) -> Deed:
    """The deed :func:`encode` made this of."""
    deed: Deed = _made(_DEEDS[kind], plain, blob)
    return deed


def decode_image(plain: Mapping[str, Any], blob: bytes) -> writes.Image:
    """The image :func:`encode` made this of."""
    return _made(writes.Image, plain, blob)


def _made(made: type[T], plain: Mapping[str, Any], blob: bytes) -> T:
    values: dict[str, Any] = {}
    for name, hint in typing.get_type_hints(made).items():
        if name in _BLOBS:
            values[name] = blob
        elif name in plain:
            values[name] = _read(hint, plain[name], blob)
    return made(**values)


def _read(hint: Any, value: Any, blob: bytes) -> Any:  # noqa: ANN401  any of the port's values
    if value is None:
        return None
    if isinstance(hint, types.UnionType):
        return _one_of(typing.get_args(hint), value, blob)
    if typing.get_origin(hint) is tuple:
        members = typing.get_args(hint)
        if members[-1] is Ellipsis:
            return tuple(_read(members[0], one, blob) for one in value)
        return tuple(_read(m, one, blob) for m, one in zip(members, value, strict=True))
    if dataclasses.is_dataclass(hint):
        return _made(typing.cast("type[Any]", hint), value, blob)
    if hint in (datetime, date):
        return hint.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value


def _one_of(hints: Iterable[Any], value: Any, blob: bytes) -> Any:  # noqa: ANN401  as above
    wanted = [hint for hint in hints if hint is not types.NoneType]
    if len(wanted) == 1:
        return _read(wanted[0], value, blob)
    if isinstance(value, str):  # a moment or a day
        return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    # Of several kinds of items the one that has all these fields.
    fits = (h for h in wanted if {f.name for f in dataclasses.fields(h)} == set(value))
    return _made(next(fits), value, blob)
