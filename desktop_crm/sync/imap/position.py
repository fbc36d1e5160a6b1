"""How far a folder of an IMAP server was read, as the token of the port.

What was taken over is a set of message numbers, so that new mail, old mail that is still to come
and what was deleted are all differences of two sets, whatever the server can do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from desktop_crm.sync.imap.items import COMPLETED, FLAGGED, SEEN, category_of
from desktop_crm.sync.imap.uid_set import UidSet
from desktop_crm.sync.port import TokenInvalid


@dataclass(frozen=True, slots=True)
class Position:
    """The state behind one batch.

    Attributes:
        validity: UIDVALIDITY of the folder; numbers mean nothing under another one.
        known: messages that were taken over and not seen to go.
        next_uid: the number the next new message was going to get.
        modseq: all marks up to here are taken over; None where the server counts no changes.
        scan: while marks are being taken over: up to which count; 0 for no scan.
        cursor: the lowest message of the scan that was taken over.
        marks: on servers without such a count: the messages that have each mark, by its search
            key (`UNSEEN`, `FLAGGED`, `KEYWORD x`).
    """

    validity: int
    known: UidSet = field(default_factory=UidSet)
    next_uid: int = 0
    modseq: int | None = None
    scan: int = 0
    cursor: int = 0
    marks: Mapping[str, UidSet] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the token."""
        facts: dict[str, Any] = {"v": self.validity, "k": str(self.known), "n": self.next_uid}
        if self.modseq is not None:
            facts["m"] = [self.modseq, self.scan, self.cursor]
        if self.marks:
            facts["f"] = {key: str(uids) for key, uids in self.marks.items()}
        return json.dumps(facts, separators=(",", ":"))

    @classmethod
    def read(cls, token: str) -> Position:
        """Position of a token.

        Raises:
            TokenInvalid: it is none.
        """
        try:
            facts = json.loads(token)
            modseq, scan, cursor = facts.get("m", (None, 0, 0))
            return cls(
                int(facts["v"]),
                UidSet.read(facts["k"]),
                int(facts["n"]),
                None if modseq is None else int(modseq),
                int(scan),
                int(cursor),
                {str(key): UidSet.read(uids) for key, uids in facts.get("f", {}).items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TokenInvalid(str(error)) from error

    def came(self, uids: UidSet, flags: Mapping[int, Sequence[bytes]]) -> Position:
        """The position after messages were taken over with the flags they had."""
        position = replace(self, known=self.known | uids)
        if self.modseq is not None:
            return position
        having: dict[str, list[int]] = {}
        for uid, words in flags.items():
            for key in mark_keys(words, seen=any(w.lower() == SEEN.lower() for w in words)):
                having.setdefault(key, []).append(uid)
        marks = dict(self.marks)
        for key, found in having.items():
            marks[key] = marks.get(key, UidSet()) | UidSet.of(found)
        return replace(position, marks=marks)

    def went(self, uids: UidSet) -> Position:
        """The position after deletions were told."""
        marks = {key: found - uids for key, found in self.marks.items()}
        return replace(self, known=self.known - uids, marks=marks)


def mark_keys(flags: Iterable[bytes], *, seen: bool = True) -> list[str]:
    """Search keys of the marks among some flags; `UNSEEN` for a message that is not seen."""
    keys = [] if seen else ["UNSEEN"]
    for flag in flags:
        word = flag.lower()
        if word == FLAGGED.lower():
            keys.append("FLAGGED")
        elif category_of(flag) or word == COMPLETED.lower():
            keys.append(f"KEYWORD {word.decode('ascii', 'ignore')}")
    return keys
