"""A small PNG picture, drawn without any library: the logo of the sample company."""

from __future__ import annotations

import struct
import zlib
from typing import Final

SIZE: Final = 192
_SAMPLES: Final = (0.25, 0.75)
_GROUND: Final = (0x0F, 0x6C, 0xBD)
_TREE: Final = (0xFF, 0xFF, 0xFF)
# Top, bottom and half width of the three tiers of a fir, and its trunk, as shares of the size.
_TIERS: Final = ((0.14, 0.42, 0.17), (0.30, 0.62, 0.25), (0.48, 0.80, 0.33))
_TRUNK: Final = (0.80, 0.90, 0.05)
_CORNER: Final = 0.18


def png() -> bytes:
    """Return the logo, a white fir on a blue ground with round corners."""
    rows = b"".join(b"\x00" + _row(y) for y in range(SIZE))
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _row(y: int) -> bytes:
    row = bytearray()
    for x in range(SIZE):
        inside = tree = 0
        for dy in _SAMPLES:
            for dx in _SAMPLES:
                px, py = (x + dx) / SIZE, (y + dy) / SIZE
                inside += _in_ground(px, py)
                tree += _in_tree(px, py)
        samples = len(_SAMPLES) ** 2
        share = tree / samples
        row += bytes(
            round(g * (1 - share) + t * share) for g, t in zip(_GROUND, _TREE, strict=True)
        )
        row.append(round(255 * inside / samples))
    return bytes(row)


def _in_ground(x: float, y: float) -> bool:
    dx = max(_CORNER - x, x - (1 - _CORNER), 0.0)
    dy = max(_CORNER - y, y - (1 - _CORNER), 0.0)
    return dx * dx + dy * dy <= _CORNER * _CORNER


def _in_tree(x: float, y: float) -> bool:
    away = abs(x - 0.5)
    for top, bottom, half in _TIERS:
        if top <= y <= bottom and away <= half * (y - top) / (bottom - top):
            return True
    return _TRUNK[0] <= y <= _TRUNK[1] and away <= _TRUNK[2]
