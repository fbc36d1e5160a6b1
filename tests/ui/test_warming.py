"""What is imported beside the window lets it go first, and hurries when the window needs it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from desktop_crm.core import turns
from desktop_crm.views import warming


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Two modules of which the first imports the second."""
    monkeypatch.setattr(warming, "_wanted", threading.Event())
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "warm_outer.py").write_text("import warm_inner\nDONE = True\n", encoding="utf-8")
    (tmp_path / "warm_inner.py").write_text("DONE = True\n", encoding="utf-8")
    yield "warm_outer"
    turns.end()
    for name in ("warm_outer", "warm_inner"):
        sys.modules.pop(name, None)


def beside(monkeypatch: pytest.MonkeyPatch, imported: str) -> threading.Thread:
    """Warm up with one module on a thread of its own."""
    monkeypatch.setattr(warming, "_PATHS", ("x",))
    monkeypatch.setattr(
        "desktop_crm.views.warming.import_module",
        lambda path: import_module(imported if path.endswith(".x") else path),
    )
    thread = threading.Thread(target=warming.warm_up)
    thread.start()
    return thread


def test_nothing_is_imported_while_the_window_is_at_work(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LONGEST_S", 60.0)
    turns.begin()
    thread = beside(monkeypatch, package)
    thread.join(0.2)
    assert thread.is_alive()
    assert package not in sys.modules
    turns.end()
    thread.join(5)
    assert sys.modules[package].DONE
    assert not any(isinstance(one, warming._BetweenModules) for one in sys.meta_path)


def test_what_the_window_needs_itself_waits_for_nobody(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LONGEST_S", 60.0)
    asked = threading.Event()
    give_way = turns.give_way

    def waits() -> None:
        # Half done: the outer module is being imported when the window begins to work.
        if "warm_outer" in sys.modules:
            asked.set()
            give_way()

    monkeypatch.setattr(turns, "give_way", waits)
    turns.begin()
    thread = beside(monkeypatch, package)
    assert asked.wait(5)
    assert warming.load(package).DONE
    thread.join(5)
    assert not thread.is_alive()
