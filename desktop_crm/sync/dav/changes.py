"""Changes of one calendar, task list or address book since a token.

The server is asked what changed since its own sync token; where it has none, the entity tags of
everything are compared, and where it forgot it, everything is read anew. What is to be fetched
stands in the token, so that one batch is bounded and the next goes on where it ended.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final

from desktop_crm.sync.answer_limit import ANSWER_LIMIT, ITEM_TOO_LARGE, MEGABYTE, TooLarge
from desktop_crm.sync.dav.client import (
    CAL,
    CARD,
    CS,
    DAV,
    Answer,
    DavClient,
    Denied,
    Newer,
    node,
    path_of,
    xml,
)
from desktop_crm.sync.dav.items import Resource, read_resource
from desktop_crm.sync.dav.places import Place
from desktop_crm.sync.port import Batch, Change, ChangeKind, FolderRole, Quarantined, TokenInvalid

FETCHED: Final = 50
"""Resources in one multiget."""

_ETAG: Final = f"{DAV}getetag"
_CTAG: Final = f"{CS}getctag"
_SYNC: Final = f"{DAV}sync-token"
_FORGOTTEN: Final = "valid-sync-token"
"""What a server calls it when its own token is too old (RFC 6578, 3.2)."""

_ROUNDS: Final = 1_000


@dataclass(slots=True)
class _State:
    """What stands behind a token.

    Attributes:
        sync: the server's own token; empty where it has none.
        ctag: what the server changes with every change of the collection; empty as well.
        known: per resource the hash of its entity tag and the suffixes of the items in it.
        changed: resources that are to be fetched.
        gone: resources whose deletion is to be told.
    """

    sync: str = ""
    ctag: str = ""
    known: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def pack(self) -> str:
        rows = [[name, tag, list(items)] for name, (tag, items) in sorted(self.known.items())]
        facts = {"s": self.sync, "c": self.ctag, "k": rows, "p": self.changed, "g": self.gone}
        data = json.dumps(facts, separators=(",", ":")).encode()
        return b64encode(zlib.compress(data)).decode("ascii")

    @classmethod
    def unpack(cls, token: str) -> _State:
        try:
            facts = json.loads(zlib.decompress(b64decode(token, validate=True)))
            known = {str(name): (str(tag), tuple(items)) for name, tag, items in facts["k"]}
            return cls(str(facts["s"]), str(facts["c"]), known, list(facts["p"]), list(facts["g"]))
        except (Base64Error, zlib.error, ValueError, KeyError, TypeError) as error:
            raise TokenInvalid(str(error)) from error


def read_changes(
    place: Place, token: str | None, limit: int, zone: tzinfo, own: Iterable[str]
) -> Batch:
    """At most `limit` changes of a place since the token; a series counts as one.

    Args:
        place: the collection.
        token: what the last batch gave; None enumerates everything.
        limit: the most changes; a resource is never taken over in part.
        zone: clock of times that name no zone.
        own: addresses of the mailbox's owner.

    Raises:
        TokenInvalid: the token is none, or the server forgot its own.
        Missing: there is no such collection.
    """
    state = _State.unpack(token) if token else _State()
    if not state.changed and not state.gone:
        _look(place, state)
    collected = _Collected(place, state, limit)
    collected.tell_gone()
    collected.fetch(zone, tuple(own))
    more = bool(state.changed or state.gone)
    return Batch(tuple(collected.changes), state.pack(), more, tuple(collected.aside))


def name_of(place: Place, path: str) -> str:
    """Name of a resource in its collection."""
    return path.removeprefix(place.path)


def tag_hash(etag: str) -> str:
    """An entity tag in eight letters."""
    return hashlib.sha256(etag.encode()).hexdigest()[:8]


def etag_of(text: str) -> str:
    """Entity tag as a condition may name it: a weak one never holds in a condition.

    One that was cut off with its connection is none.
    """
    tag = text.strip().removeprefix("W/")
    cut = tag.startswith('"') and not tag.endswith('"', 1)
    return "" if cut else tag


# --- what changed -------------------------------------------------------------------------------


def _look(place: Place, state: _State) -> None:
    """Ask what changed and note it in the state."""
    if state.sync and place.syncs:
        try:
            _look_by_token(place, state)
        except (Denied, Newer) as error:
            if _FORGOTTEN in str(error):
                # What was written here and not read yet may be gone, and the list cannot tell.
                raise TokenInvalid(str(error)) from error
            state.sync = ""
        else:
            return
    answers = place.client.find(place.path, _CTAG, _SYNC)
    ctag = next((one.text(_CTAG) for one in answers if one.text(_CTAG)), "")
    if ctag and ctag == state.ctag:
        return
    # The token is older than the list, so that nothing falls between the two.
    state.sync = next((one.text(_SYNC) for one in answers if one.text(_SYNC)), "")
    listed = _list(place)
    state.ctag = ctag
    _note(state, listed, gone=[name for name in state.known if name not in listed])


def _list(place: Place) -> dict[str, str]:
    answers = place.client.find(place.path, _ETAG, f"{DAV}resourcetype", depth="1")
    return dict(_resources(place, answers))


def _resources(place: Place, answers: Iterable[Answer]) -> Iterator[tuple[str, str]]:
    for one in answers:
        name = name_of(place, one.path)
        kinds = one.properties.get(f"{DAV}resourcetype")
        folder = kinds is not None and any(k.tag == f"{DAV}collection" for k in kinds)
        etag = etag_of(one.text(_ETAG))
        if name and not name.endswith("/") and not folder and one.status < 300 and etag:
            yield name, etag


def _look_by_token(place: Place, state: _State) -> None:
    """Follow the server's token; a server that tells in parts is asked until it told all."""
    changed: dict[str, str] = {}
    gone: dict[str, bool] = {}
    for _ in range(_ROUNDS):
        body = xml(
            "d:sync-collection",
            "d:prop",
            [_ETAG],
            node("d:sync-token", state.sync),
            node("d:sync-level", "1"),
        )
        answers, root = place.client.ask("REPORT", place.path, body)
        part = False
        for one in answers:
            name = name_of(place, one.path)
            if one.status == 507:
                part = True
            elif one.status == 404 and name:
                changed.pop(name, None)
                gone[name] = True
        for name, etag in _resources(place, answers):
            gone.pop(name, None)
            changed[name] = etag
        token = (root.findtext(_SYNC) or "").strip()
        if not token or token == state.sync or not part:
            state.sync = token or state.sync
            break
        state.sync = token
    # What was written here and went before it was read is not known yet, and went all the same.
    _note(state, changed, list(gone))


def _note(state: _State, etags: dict[str, str], gone: list[str]) -> None:
    state.gone = gone
    state.changed = [
        name
        for name, etag in etags.items()
        if name not in state.known or state.known[name][0] != tag_hash(etag)
    ]


# --- what it is now -----------------------------------------------------------------------------


class _Collected:
    """One batch."""

    def __init__(self, place: Place, state: _State, limit: int) -> None:
        self._place = place
        self._state = state
        self._limit = limit
        self.changes: list[Change] = []
        self.aside: list[Quarantined] = []

    @property
    def _room(self) -> int:
        return self._limit - len(self.changes) - len(self.aside)

    def tell_gone(self) -> None:
        """Tell what went."""
        while self._state.gone and self._room > 0:
            name = self._state.gone.pop(0)
            _, items = self._state.known.pop(name, ("", ("",)))
            self._delete(name, items)

    def fetch(self, zone: tzinfo, own: tuple[str, ...]) -> None:
        """Fetch what changed, as much as there is room for."""
        wanted = self._state.changed[: max(self._room, 0)]
        for start in range(0, len(wanted), FETCHED):
            names = wanted[start : start + FETCHED]
            found, large = self._fetched(names)
            for name in names:
                if self._room <= 0:
                    return
                self._state.changed.remove(name)
                if name in found:
                    data, etag = found[name]
                    path = self._place.path + name
                    resource = read_resource(self._place.role, path, data, etag, zone, own)
                    self._take(name, resource)
                elif name in large:
                    self._set_aside(name)
                else:
                    # It went between the question and the fetching.
                    self._state.gone.append(name)

    def _fetched(self, names: list[str]) -> tuple[dict[str, tuple[bytes, str]], set[str]]:
        """What :func:`fetch_all` gives, and the names of what is too large to be read."""
        try:
            return fetch_all(self._place, names), set()
        except TooLarge:
            if len(names) == 1:
                return {}, set(names)
        # Together they may be too large, or one of them: ask for each, so that only that is lost.
        found: dict[str, tuple[bytes, str]] = {}
        large: set[str] = set()
        for name in names:
            one, lost = self._fetched([name])
            found |= one
            large |= lost
        return found, large

    def _set_aside(self, name: str) -> None:
        """Leave a resource out that is too large, until it changes; what is known of it stays."""
        path = self._place.path + name
        self.aside.append(
            Quarantined(path, name, ITEM_TOO_LARGE, (("limit", ANSWER_LIMIT // MEGABYTE),))
        )
        answers = self._place.client.find(path, _ETAG)
        etag = next((etag_of(one.text(_ETAG)) for one in answers), "")
        _, known = self._state.known.get(name, ("", ()))
        self._state.known[name] = (tag_hash(etag), known)

    def _take(self, name: str, resource: Resource) -> None:
        _, known = self._state.known.get(name, ("", ()))
        path = self._place.path + name
        for suffix, item in resource.items.items():
            kind = ChangeKind.UPDATE if suffix in known else ChangeKind.CREATE
            self.changes.append(Change(kind, path + suffix, item, resource.etag))
        self.aside += resource.quarantined
        self._delete(name, [one for one in known if one not in resource.items])
        self._state.known[name] = (tag_hash(resource.etag), tuple(resource.items))

    def _delete(self, name: str, items: Iterable[str]) -> None:
        path = self._place.path + name
        self.changes += [Change(ChangeKind.DELETE, path + suffix) for suffix in items]


def fetch_all(place: Place, names: list[str]) -> dict[str, tuple[bytes, str]]:
    """Bytes and entity tags of resources by name; those that are gone are missing."""
    book = place.role is FolderRole.CONTACTS
    content = f"{CARD}address-data" if book else f"{CAL}calendar-data"
    root = "r:addressbook-multiget" if book else "c:calendar-multiget"
    hrefs = [node("d:href", place.path + name) for name in names]
    answers, _ = place.client.ask(
        "REPORT", place.path, xml(root, "d:prop", [_ETAG, content], *hrefs)
    )
    found: dict[str, tuple[bytes, str]] = {}
    for one in answers:
        element: Any = one.properties.get(content)
        if element is not None and element.text:
            etag = etag_of(one.text(_ETAG))
            found[name_of(place, one.path)] = (element.text.encode(), etag)
    return found


def get(client: DavClient, path: str) -> tuple[bytes, str]:
    """Bytes and entity tag of one resource.

    Raises:
        Missing: it is not there.
    """
    response = client.send("GET", client.at(path_of(path)))
    return client.content(response), etag_of(response.headers.get("ETag", ""))
