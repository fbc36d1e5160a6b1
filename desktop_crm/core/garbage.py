"""Where the garbage collector's rounds happen: beside a window on the window's thread alone.

Python begins a round on whichever thread makes the object that fills the measure, most often one
that reads records. A closed window that lies in a cycle would be taken apart there while Qt serves
its timers and events on the window's thread; the process dies of it (docs/adr/0023).
"""

from __future__ import annotations

import gc

_holders = 0
_resting = False
_long_lived = 0


def rest() -> None:
    """Put all rounds off until :func:`go_on`."""
    global _resting  # noqa: PLW0603  a process has one garbage collector
    _resting = True
    gc.disable()


def go_on() -> None:
    """Let the rounds go on, by themselves or where :func:`hold` took them."""
    global _resting  # noqa: PLW0603
    _resting = False
    if not _holders:
        gc.enable()


def set_aside() -> None:
    """Take what there is by now out of all rounds to come; it stays for good.

    What lives long is counted anew from here: a quarter of what is no longer looked at would let
    garbage pile up.
    """
    global _long_lived  # noqa: PLW0603
    gc.freeze()
    _long_lived = 0


def hold() -> None:
    """Begin no round by itself any more: the caller calls :func:`round_if_due` on its thread."""
    global _holders  # noqa: PLW0603
    _holders += 1
    gc.disable()


def let_go() -> None:
    """Take one :func:`hold` back; after the last the rounds begin by themselves again."""
    global _holders  # noqa: PLW0603
    _holders -= 1
    if not _holders and not _resting:
        gc.enable()


def round_if_due() -> None:
    """Do the round that Python would have begun by itself by now, if any.

    Costs a microsecond where none is due. As Python does, it goes through what lived long only
    when a quarter has been added since: each such round stops everything for as long as it takes.
    """
    global _long_lived  # noqa: PLW0603
    counts, limits = gc.get_count(), gc.get_threshold()
    if _resting or not 0 < limits[0] < counts[0]:
        return
    generation = max(age for age in range(3) if counts[age] > limits[age])
    if generation == 2 and len(gc.get_objects(2)) <= _long_lived * 5 // 4:
        generation = 1
    gc.collect(generation)
    if generation == 2:
        _long_lived = len(gc.get_objects(2))
