"""Files as Outlook saves them, made by hand: a compound file with the streams of a message."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_SECTOR, _MINI, _CUT = 512, 64, 4096
_TEXT, _BYTES, _NUMBER, _TIME = 0x001F, 0x0102, 0x0003, 0x0040
Tree = dict[str, Any]


def message(
    *,
    subject: str,
    body: str,
    headers: str = "",
    people: tuple[tuple[str, str, int], ...] = (),
    files: Mapping[str, bytes] | None = None,
    kind: str = "IPM.Note",
    sender: tuple[str, str] | None = None,
) -> bytes:
    """A .msg file; `people` are name, address and 1 for To, 2 for Cc."""
    fields: dict[int, object] = {0x001A: kind, 0x0037: subject, 0x1000: body}
    if headers:
        fields[0x007D] = headers
    if sender is not None:
        fields |= {0x0C1A: sender[0], 0x0C1F: sender[1]}
    files = files or {}
    head = struct.pack("<8x4I8x", len(people), len(files), len(people), len(files))
    tree = _storage(head, fields)
    for number, (name, address, line) in enumerate(people):
        tree[f"__recip_version1.0_#{number:08X}"] = _storage(
            bytes(8), {0x3001: name, 0x39FE: address, 0x0C15: line}
        )
    for number, (name, content) in enumerate(files.items()):
        tree[f"__attach_version1.0_#{number:08X}"] = _storage(
            bytes(8), {0x3707: name, 0x3701: content, 0x3705: 1}
        )
    return compound(tree)


def _storage(head: bytes, fields: Mapping[int, object]) -> Tree:
    tree: Tree = {}
    rows = b""
    for pid, value in fields.items():
        if isinstance(value, int):
            rows += struct.pack("<HHIII", _NUMBER, pid, 6, value, 0)
            continue
        kind = _TEXT if isinstance(value, str) else _BYTES
        raw = value.encode("utf-16-le") if isinstance(value, str) else value
        assert isinstance(raw, bytes)
        size = len(raw) + (2 if kind == _TEXT else 0)
        rows += struct.pack("<HHIII", kind, pid, 6, size, 0)
        tree[f"__substg1.0_{pid:04X}{kind:04X}"] = raw
    tree["__properties_version1.0"] = head + rows
    return tree


def compound(tree: Tree) -> bytes:
    """A compound file of version 3 with these storages and streams."""
    entries: list[dict[str, Any]] = [_entry("Root Entry", 5)]
    _list(tree, 0, entries)
    sectors: list[bytes] = []
    fat: list[int] = []

    def put(data: bytes) -> int:
        if not data:
            return _END
        start = len(sectors)
        pieces = [data[i : i + _SECTOR].ljust(_SECTOR, b"\0") for i in range(0, len(data), _SECTOR)]
        sectors.extend(pieces)
        fat.extend([*range(start + 1, start + len(pieces)), _END])
        return start

    mini = b""
    chain: list[int] = []
    for entry in entries:
        data = entry["data"]
        if data is None:
            continue
        entry["size"] = len(data)
        if len(data) >= _CUT:
            entry["start"] = put(data)
        elif data:
            first = len(chain)
            count = -(-len(data) // _MINI)
            entry["start"] = first
            chain += [*range(first + 1, first + count), _END]
            mini += data.ljust(count * _MINI, b"\0")
    entries[0]["start"], entries[0]["size"] = put(mini), len(mini)
    packed = struct.pack(f"<{len(chain)}I", *chain)
    mini_at = put(packed + b"\xff" * (-len(packed) % _SECTOR))
    mini_count = -(-len(packed) // _SECTOR)
    directory = b"".join(_packed(entry) for entry in entries)
    directory += _packed(_entry("", 0)) * (-len(entries) % 4)
    directory_at = put(directory)
    count = 1
    while count * (_SECTOR // 4) < len(fat) + count:
        count += 1
    fat_at = len(sectors)
    fat += [_FAT] * count
    fat += [_FREE] * (count * (_SECTOR // 4) - len(fat))
    table = struct.pack(f"<{len(fat)}I", *fat)
    places = [fat_at + n for n in range(count)] + [_FREE] * (109 - count)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, count, directory_at, 0, _CUT, mini_at, mini_count,
                          _END, 0)  # fmt: skip
    header += struct.pack("<109I", *places)
    return header + b"".join(sectors) + table


def _entry(name: str, kind: int, data: bytes | None = None) -> dict[str, Any]:
    return {"name": name, "kind": kind, "data": data, "right": _FREE, "child": _FREE,
            "start": _END if kind != 1 else 0, "size": 0}  # fmt: skip


def _list(tree: Tree, parent: int, entries: list[dict[str, Any]]) -> None:
    before = -1
    for name in sorted(tree, key=lambda one: (len(one), one.upper())):
        number = len(entries)
        value = tree[name]
        entries.append(_entry(name, 1, None) if isinstance(value, dict) else _entry(name, 2, value))
        if before < 0:
            entries[parent]["child"] = number
        else:
            entries[before]["right"] = number
        before = number
        if isinstance(value, dict):
            _list(value, number, entries)


def _packed(entry: dict[str, Any]) -> bytes:
    name: bytes = entry["name"].encode("utf-16-le")
    length = len(name) + 2 if name else 0
    return (
        name.ljust(64, b"\0")
        + struct.pack("<HBBIII", length, entry["kind"], 1, _FREE, entry["right"], entry["child"])
        + bytes(36)
        + struct.pack("<IQ", entry["start"], entry["size"])
    )
