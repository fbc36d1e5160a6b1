"""Outlook data files made by hand, as [MS-PST] describes them: blocks, trees, heaps, tables.

They hold what a reader asks for; the maps of free space, which only a writer needs, are left out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

TEXT, ANSI, BYTES, NUMBER, TRUTH, TIME = 0x001F, 0x001E, 0x0102, 0x0003, 0x000B, 0x0040
_BLOCK = 8176
_PAGE_ROOM = 488
_START = 0x4400
_STORE, _NAMES, _ROOT = 0x21, 0x61, 0x122
_FOLDER, _MESSAGE, _FILE, _HIERARCHY, _CONTENTS, _ASSOCIATED, _VALUE = 2, 4, 5, 13, 14, 15, 31
_RECIPIENTS, _FILES = 0x692, 0x671
_IN_HEAP = 256
"""Longest value beside the others; larger ones lie in a node of their own."""

Property = tuple[int, object]
Properties = Mapping[int, Property]


@dataclass
class Message:
    """What one message is made of."""

    properties: dict[int, Property]
    people: Sequence[tuple[str, str, int]] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class Folder:
    """A folder with what lies in it."""

    name: str
    messages: Sequence[Message] = ()
    folders: Sequence[Folder] = ()


def message(
    *,
    subject: str,
    body: str = "",
    html: bytes = b"",
    headers: str = "",
    people: Sequence[tuple[str, str, int]] = (),
    files: Mapping[str, bytes] | None = None,
    kind: str = "IPM.Note",
    sender: tuple[str, str] | None = None,
    sent: datetime | None = None,
    more: Properties | None = None,
) -> Message:
    """A message; `people` are name, address and 1 for To, 2 for Cc; `more` are other properties."""
    found: dict[int, Property] = {0x001A: (TEXT, kind), 0x0037: (TEXT, subject)}
    if body:
        found[0x1000] = (TEXT, body)
    if html:
        found[0x1013] = (BYTES, html)
    if headers:
        found[0x007D] = (TEXT, headers)
    if sender is not None:
        found |= {0x0C1A: (TEXT, sender[0]), 0x0C1F: (TEXT, sender[1])}
    if sent is not None:
        found[0x0039] = (TIME, sent)
    return Message(found | dict(more or {}), people, files or {})


def store(folders: Sequence[Folder], password: int = 0) -> bytes:
    """A file with these folders; `password` is the checksum of one."""
    made = _File()
    name: dict[int, Property] = {0x0FF9: (BYTES, bytes(16)), 0x3001: (TEXT, "Archive")}
    top = (BYTES, bytes(20) + struct.pack("<I", _ROOT))
    made.node(_STORE, *made.context(name | {0x35E0: top, 0x67FF: (NUMBER, password)}))
    names: dict[int, Property] = {1: (NUMBER, 251), 2: (BYTES, bytes(16)), 4: (BYTES, bytes(4))}
    entry = (BYTES, struct.pack("<IHH", 0x8501, 2, 0))
    made.node(_NAMES, *made.context(names | {3: entry}))
    made.folder(_ROOT, _ROOT, Folder("", (), folders))
    return made.packed()


class _File:
    """Collects blocks and nodes, and writes them down at the end."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytes] = {}
        self._nodes: dict[int, tuple[int, int, int]] = {}
        self._numbers = 0x400

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def node(self, nid: int, data: bytes, below: int = 0, parent: int = 0) -> None:
        """A node that stands in the tree of the file."""
        self._nodes[nid] = (self._data(data), below, parent)

    def folder(self, nid: int, parent: int, folder: Folder) -> None:
        """A folder, its tables, and everything in it."""
        found: dict[int, Property] = {
            0x3001: (TEXT, folder.name),
            0x3602: (NUMBER, len(folder.messages)),
            0x360A: (TRUTH, bool(folder.folders)),
        }
        self.node(nid, *self.context(found), parent)
        below = [self._number() << 5 | _FOLDER for _one in folder.folders]
        inside = [self._number() << 5 | _MESSAGE for _one in folder.messages]
        for kind, keys in ((_HIERARCHY, below), (_CONTENTS, inside), (_ASSOCIATED, [])):
            self.node(nid & ~0x1F | kind, *self._table([(key, {}) for key in keys]))
        for key, one in zip(below, folder.folders, strict=True):
            self.folder(key, nid, one)
        for key, its in zip(inside, folder.messages, strict=True):
            self._message(key, nid, its)

    def _message(self, nid: int, parent: int, its: Message) -> None:
        below: dict[int, tuple[bytes, int]] = {}
        rows: list[tuple[int, dict[int, Property]]] = [
            (
                number,
                {
                    0x0C15: (NUMBER, line),
                    0x3001: (TEXT, name),
                    0x3002: (TEXT, "SMTP"),
                    0x3003: (TEXT, address),
                },
            )
            for number, (name, address, line) in enumerate(its.people)
        ]
        below[_RECIPIENTS] = self._table(rows)
        if its.files:
            keys = [self._number() << 5 | _FILE for _one in its.files]
            below[_FILES] = self._table([(key, {}) for key in keys])
            for key, (name, content) in zip(keys, its.files.items(), strict=True):
                found = {0x3701: (BYTES, content), 0x3705: (NUMBER, 1), 0x3707: (TEXT, name)}
                below[key] = self.context(found)
        data, values = self.context(its.properties, below)
        self.node(nid, data, values, parent)

    # --- values ----------------------------------------------------------------------------

    def context(
        self, found: Properties, below: Mapping[int, tuple[bytes, int]] | None = None
    ) -> tuple[bytes, int]:
        """Properties as a heap, and the block that names the nodes below it."""
        nodes = {nid: (self._data(data), deeper) for nid, (data, deeper) in (below or {}).items()}
        heap = _Heap(0xBC)
        rows = b""
        header, leaf = heap.put(b""), heap.put(b"")
        for tag, (kind, value) in sorted(found.items()):
            rows += struct.pack("<HHI", tag, kind, self._value(kind, value, heap, nodes))
        heap.items[leaf] = rows
        heap.items[header] = struct.pack("<BBBBI", 0xB5, 2, 6, 0, _hid(leaf) if rows else 0)
        return heap.packed(_hid(header)), self._below(nodes)

    def _table(self, rows: Sequence[tuple[int, Properties]]) -> tuple[bytes, int]:
        """Rows with their keys; each column takes four bytes, here or as a place."""
        kinds = {tag: kind for _key, row in rows for tag, (kind, _value) in row.items()}
        columns = sorted({**kinds, 0x67F2: NUMBER, 0x67F3: NUMBER}.items())
        # The key stands first, its version second, whatever the order of the others.
        places = {0x67F2: 0, 0x67F3: 1}
        places |= {tag: n for n, tag in enumerate(sorted(kinds), 2)}
        end = 4 * len(columns)
        width = end + -(-len(columns) // 8)
        heap = _Heap(0x7C)
        nodes: dict[int, tuple[int, int]] = {}
        info, header, index, matrix = (heap.put(b"") for _n in range(4))
        lines = keys = b""
        for number, (key, row) in enumerate(rows):
            line = bytearray(width)
            values: dict[int, Property] = {**row, 0x67F2: (NUMBER, key), 0x67F3: (NUMBER, 1)}
            for tag, (kind, value) in values.items():
                place = places[tag]
                struct.pack_into("<I", line, 4 * place, self._value(kind, value, heap, nodes))
                line[end + place // 8] |= 0x80 >> place % 8
            lines += line
            keys += struct.pack("<II", key, number)
        heap.items[index], heap.items[matrix] = keys, lines
        heap.items[header] = struct.pack("<BBBBI", 0xB5, 4, 4, 0, _hid(index) if rows else 0)
        told = struct.pack("<BB4H", 0x7C, len(columns), end, end, end, width)
        told += struct.pack("<III", _hid(header), _hid(matrix) if rows else 0, 0)
        for tag, kind in columns:
            told += struct.pack("<HHHBB", kind, tag, 4 * places[tag], 4, places[tag])
        heap.items[info] = told
        return heap.packed(_hid(info)), self._below(nodes)

    def _value(
        self, kind: int, value: object, heap: _Heap, nodes: dict[int, tuple[int, int]]
    ) -> int:
        if kind in (NUMBER, TRUTH):
            assert isinstance(value, int)
            return value
        raw = _raw(kind, value)
        if len(raw) > _IN_HEAP:
            nid = self._number() << 5 | _VALUE
            nodes[nid] = (self._data(raw), 0)
            return nid
        return _hid(heap.put(raw)) if raw else 0

    # --- blocks and trees ------------------------------------------------------------------

    def _block(self, data: bytes, *, internal: bool = False) -> int:
        bid = self._number() << 2 | (2 if internal else 0)
        self._blocks[bid] = data
        return bid

    def _data(self, data: bytes) -> int:
        pieces = [data[i : i + _BLOCK] for i in range(0, len(data), _BLOCK)]
        bids = [self._block(piece) for piece in pieces]
        if len(bids) == 1:
            return bids[0]
        told = struct.pack("<BBHI", 1, 1, len(bids), len(data))
        return self._block(told + struct.pack(f"<{len(bids)}Q", *bids), internal=True)

    def _below(self, nodes: Mapping[int, tuple[int, int]]) -> int:
        if not nodes:
            return 0
        rows = [struct.pack("<QQQ", nid, *place) for nid, place in sorted(nodes.items())]
        told = struct.pack("<BBHI", 2, 0, len(rows), 0)
        return self._block(told + b"".join(rows), internal=True)

    def packed(self) -> bytes:
        """The whole file."""
        out = bytearray(_START)
        places = []
        for bid, data in sorted(self._blocks.items()):
            at = len(out)
            out += data + bytes(-(len(data) + 16) % 64)
            out += struct.pack("<HHIQ", len(data), _sign(at, bid), _crc(data), bid)
            places.append((bid, struct.pack("<QQHHI", bid, at, len(data), 2, 0)))
        out += bytes(-len(out) % 512)
        nodes = [
            (nid, struct.pack("<QQQII", nid, data, below, parent, 0))
            for nid, (data, below, parent) in sorted(self._nodes.items())
        ]
        roots = [self._tree(out, 0x81, nodes, 32), self._tree(out, 0x80, places, 24)]
        out[:564] = self._header(len(out), roots)
        return bytes(out)

    def _tree(
        self, out: bytearray, kind: int, rows: list[tuple[int, bytes]], size: int
    ) -> tuple[int, int]:
        level = 0
        while True:
            most = _PAGE_ROOM // size
            above = []
            for start in range(0, len(rows), most):
                some = rows[start : start + most]
                page = b"".join(row for _key, row in some).ljust(_PAGE_ROOM, b"\0")
                page += struct.pack("<BBBBI", len(some), most, size, level, 0)
                at, bid = len(out), self._number() << 2
                out += page + struct.pack(
                    "<BBHIQ", kind, kind, _sign(at, bid), _crc(page), bid
                )  # fmt: skip
                above.append((some[0][0], struct.pack("<QQQ", some[0][0], bid, at), bid, at))
            if len(above) == 1:
                return above[0][2], above[0][3]
            rows, size, level = [(one[0], one[1]) for one in above], 24, level + 1

    def _header(self, size: int, roots: Sequence[tuple[int, int]]) -> bytes:
        root = struct.pack("<I4Q", 0, size, _START, 0, 0)
        root += struct.pack("<4Q", *roots[0], *roots[1]) + bytes(4)
        body = struct.pack("<HHHBBII", 0x4D53, 23, 19, 1, 1, 0, 0)
        body += struct.pack("<QQI", 0, self._numbers << 2, 1) + bytes(128 + 8)
        body += root + bytes(4) + b"\xff" * 256
        body += struct.pack("<BBHQ", 0x80, 0, 0, self._numbers << 2)
        whole = b"!BDN" + struct.pack("<I", _crc(body[:471])) + body
        return whole + struct.pack("<I", _crc(body[:516])) + bytes(36)


class _Heap:
    """Small values in one block, each with a place that names it."""

    def __init__(self, client: int) -> None:
        self.items: list[bytes] = []
        self._client = client

    def put(self, data: bytes) -> int:
        """Add a value; its place among the others."""
        self.items.append(data)
        return len(self.items) - 1

    def packed(self, root: int) -> bytes:
        """The block."""
        ends = [12]
        for item in self.items:
            ends.append(ends[-1] + len(item))
        body = b"".join(self.items) + bytes(ends[-1] % 2)
        head = struct.pack("<HBBI4x", 12 + len(body), 0xEC, self._client, root)
        whole = head + body + struct.pack(f"<HH{len(ends)}H", len(self.items), 0, *ends)
        assert len(whole) <= _BLOCK, "more than one block of small values"
        return whole


def _hid(place: int) -> int:
    return place + 1 << 5


def _raw(kind: int, value: object) -> bytes:
    if isinstance(value, datetime):
        ticks = (value - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10
        return struct.pack("<Q", ticks)
    if isinstance(value, str):
        return value.encode("utf-16-le")
    assert isinstance(value, bytes)
    return value


def _crc(data: bytes) -> int:
    return ~zlib.crc32(data, 0xFFFFFFFF) & 0xFFFFFFFF


def _sign(at: int, bid: int) -> int:
    both = (at ^ bid) & 0xFFFFFFFF
    return both >> 16 ^ both & 0xFFFF
