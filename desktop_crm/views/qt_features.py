"""Spares every start the reading of sources by Qt's binding."""

import sys


def leave_sources_unread() -> None:
    """Say of all modules imported from now on that they ask for no optional feature of PySide.

    To know which modules may use its other names (``from __feature__ import snake_case``), PySide
    looks through the source of everything that is imported: 360 files before the first rows. A
    frozen program has no sources and gets the answer that is given here.
    """
    feature = sys.modules.get("shibokensupport.feature")
    if hasattr(feature, "_mod_uses_pyside"):
        feature._mod_uses_pyside = lambda _module: False  # type: ignore[union-attr]
