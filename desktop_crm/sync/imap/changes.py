"""Changes of one IMAP folder since a position: one bounded batch at a time, newest first.

New mail comes before deletions and changed marks, these before mail that is still to be read from
the time before. Nothing here sets a mark on the server: folders are opened to be read only.
"""

from __future__ import annotations

import imaplib
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, ProtocolError

from desktop_crm.core.i18n import N_
from desktop_crm.sync.formats import mime
from desktop_crm.sync.imap.items import FLAGGED, mail_change, marks_change
from desktop_crm.sync.imap.position import Position, mark_keys
from desktop_crm.sync.imap.session import Session, in_steps, is_of_server, passes
from desktop_crm.sync.imap.uid_set import UidSet
from desktop_crm.sync.port import Batch, Change, ChangeKind, Quarantined, TokenInvalid

_log = logging.getLogger(__name__)

MAIL_LIMIT: Final = 50_000_000
"""Bytes of the biggest message that is fetched; a larger one is set aside."""

CHUNK_BYTES: Final = 4_000_000
"""Bytes of messages asked for at once; what is in memory beside the batch itself."""

CHUNK_MAILS: Final = 25
"""Messages asked for at once."""

REFUSALS: Final = 2
"""How often a server may say of one message that it cannot be had now, before it is set aside."""

PATIENCE_S: Final = 0.7
"""After this time a batch ends with what it has, so that stopping the work takes effect."""

_TOO_BIG: Final = N_("The message is larger than {limit} MB.")
_REFUSED: Final = N_("The server could not hand the message over ({problem}).")
_BREAKS: Final = N_("The server breaks the connection whenever it is asked for the message.")


@dataclass(slots=True)
class Listing:
    """The numbers a folder held when it was last looked at; asked for again when it changed."""

    state: tuple[object, ...]
    uids: UidSet


@dataclass(slots=True)
class Reader:
    """Reads the folders of one mailbox, one batch a call.

    Attributes:
        session: the connection.
        elapsed: a clock in seconds, for ending a batch in time.
    """

    session: Session
    elapsed: Callable[[], float] = time.monotonic
    _listings: dict[str, Listing] = field(default_factory=dict)
    _breaking: dict[tuple[str, int], int] = field(default_factory=dict)
    _refused: Counter[tuple[str, int]] = field(default_factory=Counter)

    def changes(self, name: str, token: str | None, limit: int) -> Batch:
        """At most `limit` changes of a folder since the token.

        Raises:
            TokenInvalid: the folder's numbers mean something else now.
            Gone: there is no such folder.
        """
        state = self.session.look(name)
        validity = int(state.get(b"UIDVALIDITY", 0))
        position = Position.read(token) if token else self._begin(validity, state)
        if position.validity != validity:
            self._listings.pop(name, None)
            raise TokenInvalid(f"{name}: UIDVALIDITY {position.validity} became {validity}")
        if position.modseq is not None and b"HIGHESTMODSEQ" not in state:
            raise TokenInvalid(f"{name}: the server no longer counts changes")
        with self.session.translated():
            pass_ = _Pass(self, name, state, position, limit)
            return pass_.run()

    def _begin(self, validity: int, state: Mapping[bytes, Any]) -> Position:
        modseq = state.get(b"HIGHESTMODSEQ")
        counts = modseq is not None and self.session.offers("CONDSTORE", "QRESYNC")
        return Position(validity, modseq=int(modseq or 0) if counts else None)

    def listing(self, name: str, state: Mapping[bytes, Any]) -> UidSet:
        """Every number in the open folder."""
        facts = tuple(state.get(key) for key in (b"UIDVALIDITY", b"UIDNEXT", b"EXISTS"))
        listing = self._listings.get(name)
        if listing is None or None in facts or listing.state != facts:
            listing = Listing(facts, UidSet.of(self.session.client.search("ALL")))
            self._listings = {name: listing}  # one folder is read after the other
        return listing.uids

    def fetch(self, name: str, uids: Sequence[int], what: Sequence[str]) -> dict[int, Any]:
        """What the server says of messages; a connection that breaks over one is remembered.

        Raises:
            IMAPClientError: the server refuses.
        """
        try:
            return dict(self.session.client.fetch(list(uids), what))
        except (OSError, imaplib.IMAP4.abort):
            for uid in uids:
                self._breaking[name, uid] = self._breaking.get((name, uid), 0) + 1
            raise

    def tries(self, name: str, uid: int) -> int:
        """How often the connection broke while this message was among those asked for."""
        return self._breaking.get((name, uid), 0)

    def is_refused_now(self, name: str, uid: int, error: Exception) -> bool:
        """Whether a refused message may be had later; it is asked for again then."""
        if is_of_server(error):
            return True
        self._refused[name, uid] += 1
        return passes(error) and self._refused[name, uid] <= REFUSALS

    def forget(self) -> None:
        """Forget what folders held."""
        self._listings.clear()


class _Pass:
    """One batch of one folder."""

    def __init__(
        self,
        reader: Reader,
        name: str,
        state: Mapping[bytes, Any],
        position: Position,
        limit: int,
    ) -> None:
        self._reader = reader
        self._name = name
        self._state = state
        self._at = position
        self._limit = limit
        self._client = reader.session.client
        self._ends = reader.elapsed() + PATIENCE_S
        self._changes: list[Change] = []
        self._aside: list[Quarantined] = []
        self._flags: dict[int, Sequence[bytes]] = {}

    def run(self) -> Batch:
        """Collect the batch."""
        before = self._at.known
        there = self._there()
        missing = there - before
        new = missing.above(before.highest)
        more = self._create(new)
        more = self._delete(before - there) or more
        old = missing - new
        if self._at.modseq is not None or not old:
            more = self._mark(before & there) or more
        more = self._create(old) or more
        if not more:
            self._at = replace(self._at, next_uid=int(self._state.get(b"UIDNEXT", 0)))
        return Batch(tuple(self._changes), str(self._at), more, tuple(self._aside))

    def _there(self) -> UidSet:
        """The numbers in the folder; not asked for when they cannot have changed."""
        known, exists = self._at.known, self._state.get(b"EXISTS")
        next_uid = self._state.get(b"UIDNEXT")
        if not next_uid or not self._at.next_uid or exists is None:
            return self._reader.listing(self._name, self._state)
        new = UidSet()
        if next_uid != self._at.next_uid:
            # The last message answers to any range up to "*", whatever its number.
            found = self._client.search(["UID", f"{self._at.next_uid}:*"])
            new = UidSet.of(found).above(self._at.next_uid - 1)
        if exists == len(known) + len(new):
            return known | new
        return self._reader.listing(self._name, self._state)

    @property
    def _room(self) -> int:
        return self._limit - len(self._changes) - len(self._aside)

    def _late(self) -> bool:
        """Whether the batch has something to show and took long enough."""
        return bool(self._changes or self._aside) and self._reader.elapsed() > self._ends

    def _id(self, uid: int) -> str:
        return item_id(self._at.validity, uid)

    # --- deletions and marks --------------------------------------------------------------------

    def _delete(self, gone: UidSet) -> bool:
        told = UidSet.of(gone.newest(self._room))
        self._changes += [
            Change(ChangeKind.DELETE, self._id(uid)) for uid in told.newest(len(told))
        ]
        self._at = self._at.went(told)
        return len(told) < len(gone)

    def _mark(self, known: UidSet) -> bool:
        if self._at.modseq is None:
            return self._mark_by_search(known)
        highest = int(self._state.get(b"HIGHESTMODSEQ", 0))
        at = self._at
        if not at.scan:
            if highest == at.modseq:
                return False
            # A count that ran backwards was begun anew: look at everything.
            base = at.modseq if highest > (at.modseq or 0) else 0
            at = replace(at, modseq=base, scan=highest, cursor=known.highest + 1)
        changed = UidSet.of(self._client.search(["MODSEQ", str((at.modseq or 0) + 1)]))
        wanted = (changed & known).below(at.cursor)
        told = wanted.newest(self._room)
        self._tell_marks(told)
        if len(told) < len(wanted):
            self._at = replace(at, cursor=told[-1] if told else at.cursor)
            return True
        self._at = replace(at, modseq=at.scan, scan=0, cursor=0)
        return False

    def _mark_by_search(self, known: UidSet) -> bool:
        """Marks on a server without a count of changes: who has which is compared."""
        now: dict[str, UidSet] = {}
        for key in self._searched():
            now[key] = UidSet.of(self._client.search(key.split(" "))) & self._at.known
        keys = now.keys() | self._at.marks.keys()
        nothing = UidSet()
        changed = nothing
        for key in keys:
            changed |= now.get(key, nothing) ^ self._at.marks.get(key, nothing)
        wanted = changed & known
        told = wanted.newest(self._room)
        self._tell_marks(told)
        settled = self._at.known - (wanted - UidSet.of(told))
        marks = {
            key: (self._at.marks.get(key, nothing) - settled) | (now.get(key, nothing) & settled)
            for key in keys
        }
        self._at = replace(self._at, marks={key: uids for key, uids in marks.items() if uids})
        return len(told) < len(wanted)

    def _searched(self) -> list[str]:
        return sorted({"UNSEEN", *mark_keys((*self._state.get(b"FLAGS", ()), FLAGGED))})

    def _tell_marks(self, uids: Sequence[int]) -> None:
        for some in in_steps(uids, 1000):
            found = self._client.fetch(list(some), ["FLAGS"])
            self._changes += [
                marks_change(self._id(uid), found[uid][b"FLAGS"])
                for uid in some
                if b"FLAGS" in found.get(uid, {})
            ]

    # --- messages -------------------------------------------------------------------------------

    def _create(self, missing: UidSet) -> bool:
        """Take over messages; true when some are left for the next batch."""
        wanted = missing.newest(self._room)
        done = 0
        sizes = self._sizes(wanted)
        for some in _chunks(wanted, sizes):
            if self._late():
                break
            self._take(some, sizes)
            done += len(some)
        self._at = self._at.came(UidSet.of(wanted[:done]), self._flags)
        self._flags = {}
        return done < len(missing)

    def _sizes(self, uids: Sequence[int]) -> dict[int, int]:
        found = self._reader.fetch(self._name, uids, ["RFC822.SIZE"]) if uids else {}
        return {uid: int(answer.get(b"RFC822.SIZE", 0)) for uid, answer in found.items()}

    def _take(self, uids: Sequence[int], sizes: Mapping[int, int]) -> None:
        fit = [uid for uid in uids if uid in sizes and sizes[uid] <= MAIL_LIMIT]
        for uid in uids:
            if sizes.get(uid, 0) > MAIL_LIMIT:
                self._set_aside(uid, _TOO_BIG, limit=MAIL_LIMIT // 1_000_000)
        suspects = [uid for uid in fit if self._reader.tries(self._name, uid)]
        self._fetch([uid for uid in fit if uid not in suspects])
        for uid in suspects:
            if self._reader.tries(self._name, uid) > 1:
                self._set_aside(uid, _BREAKS)
            else:
                self._fetch([uid])

    def _fetch(self, uids: Sequence[int]) -> None:
        if not uids:
            return
        what = ["FLAGS", "INTERNALDATE", "BODY.PEEK[]"]
        try:
            found = self._reader.fetch(self._name, uids, what)
        except (IMAPClientAbortError, OSError):
            raise
        except (IMAPClientError, ProtocolError, ValueError) as error:
            if len(uids) == 1:
                if self._reader.is_refused_now(self._name, uids[0], error):
                    raise
                _log.warning("message %d of %s: %s", uids[0], self._name, error)
                self._set_aside(uids[0], _REFUSED, problem=str(error)[:200])
                return
            # One message spoils the answer: ask for each, so that only that one is lost.
            for uid in uids:
                self._fetch([uid])
            return
        for uid in uids:
            # One that was deleted in between is known as gone to the next listing.
            if b"BODY[]" in found.get(uid, {}):
                self._read(uid, found[uid])

    def _read(self, uid: int, answer: Mapping[bytes, Any]) -> None:
        self._flags[uid] = answer.get(b"FLAGS", ())
        try:
            self._changes.append(mail_change(self._id(uid), answer))
        except mime.Unusable as error:
            self._set_aside(uid, error.reason)

    def _set_aside(self, uid: int, reason: str, **params: object) -> None:
        name = f"{self._name} #{uid}"
        self._aside.append(Quarantined(self._id(uid), name, reason, tuple(params.items())))


def item_id(validity: int, uid: int) -> str:
    """Id of a message in its folder; it changes with UIDVALIDITY, as its number's meaning does."""
    return f"{validity}.{uid}"


def uid_of(text: str) -> tuple[int, int]:
    """UIDVALIDITY and number of an id; zeros for what is none."""
    validity, _, uid = text.partition(".")
    return (int(validity), int(uid)) if validity.isdigit() and uid.isdigit() else (0, 0)


def _chunks(uids: Sequence[int], sizes: Mapping[int, int]) -> list[list[int]]:
    """Messages in pieces of at most 25 and about four million bytes; never an empty one."""
    found: list[list[int]] = []
    weight = 0
    for uid in uids:
        size = min(sizes.get(uid, 0), MAIL_LIMIT)
        if not found or len(found[-1]) >= CHUNK_MAILS or weight + size > CHUNK_BYTES:
            found.append([])
            weight = 0
        found[-1].append(uid)
        weight += size
    return found
