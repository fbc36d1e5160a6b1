"""What windows show and how they behave, read from their source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import desktop_crm.models  # noqa: F401  registers the entities
from desktop_crm.meta import registry
from desktop_crm.meta.field import Menu
from desktop_crm.views.modules import MODULES
from tests.support.source import TOP, Module, called, literal_text, modules

WINDOWS = ("views", "app.py")
TRANSLATED = {"tr", "ntr", "N_", "translate"}

#: Calls that put text in front of a person, with the positions that may hold it (None: any).
SHOW_TEXT: dict[str, tuple[int, ...] | None] = {
    "QAction": None,
    "QCheckBox": (0,),
    "QGroupBox": (0,),
    "QLabel": (0,),
    "QMenu": (0,),
    "QPushButton": (0, 1),
    "QRadioButton": (0,),
    "addAction": (0, 1),
    "addButton": (0,),
    "addItem": (0, 1),
    "addMenu": (0, 1),
    "addRow": (0,),
    "addTab": (1, 2),
    "critical": (1, 2),
    "drawText": None,
    "getExistingDirectory": (1,),
    "getOpenFileName": (1, 3),
    "getSaveFileName": (1, 3),
    "information": (1, 2),
    "question": (1, 2),
    "setAccessibleDescription": (0,),
    "setAccessibleName": (0,),
    "setHeaderLabels": (0,),
    "setInformativeText": (0,),
    "setItemText": (1,),
    "setLabelText": (0,),
    "setPlaceholderText": (0,),
    "setPrefix": (0,),
    "setSpecialValueText": (0,),
    "setStatusTip": (0,),
    "setSuffix": (0,),
    "setTabText": (1,),
    "setText": None,
    "setTitle": (0,),
    "setToolTip": None,
    "setWhatsThis": (0,),
    "setWindowTitle": (0,),
    "showMessage": None,
    "warning": (1, 2),
}
WORD = re.compile(r"[^\W\d_]{2,}")
SENTENCE = re.compile(r"^[A-Z][a-z'’]+ (?:.* )?[a-z]{2,}\b")


def test_every_text_a_widget_shows_is_translated() -> None:
    found = []
    for module in modules(*WINDOWS):
        for call in module.calls():
            for text in _shown(call):
                if WORD.search(text):
                    found.append(f"{module.at(call)} {called(call)}({text!r})")
    assert not found, "\n".join(map(str, found))


def _shown(call: ast.Call) -> Iterator[str]:
    name = called(call)
    if name not in SHOW_TEXT or _is_logger(call):
        return
    places = SHOW_TEXT[name]
    arguments = (
        call.args
        if places is None
        else [call.args[place] for place in places if place < len(call.args)]
    )
    if name == "addItem" and arguments and not _could_be_icon(arguments[0]):
        arguments = arguments[:1]  # the second is the item's data
    for argument in arguments:
        yield from literal_text(argument)
    for keyword in call.keywords:
        if keyword.arg in {"text", "title", "label", "toolTip", "placeholderText"}:
            yield from literal_text(keyword.value)


def _is_logger(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in {
        "_log",
        "log",
        "logger",
    }


def _could_be_icon(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Call) and "icon" in called(argument).lower()


def test_every_sentence_in_a_window_is_marked_for_translation() -> None:
    found = []
    for module in modules(*WINDOWS):
        exempt = _exempt(module)
        for node in module.nodes(ast.Constant):
            assert isinstance(node, ast.Constant)
            if id(node) in exempt or not isinstance(node.value, str):
                continue
            if SENTENCE.match(node.value):
                found.append(f"{module.at(node)} {node.value!r}")
    assert not found, "\n".join(map(str, found))


def _exempt(module: Module) -> set[int]:
    """Texts nobody sees or that are marked: docstrings, log, programming errors, translated."""
    exempt: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            exempt.add(id(node.value))
        marked = isinstance(node, ast.Call) and (called(node) in TRANSLATED or _is_logger(node))
        if marked or isinstance(node, ast.Raise | ast.Assert):
            exempt.update(id(inner) for inner in ast.walk(node))
    return exempt


def test_no_window_runs_a_nested_event_loop_of_its_own() -> None:
    allowed = {"desktop_crm/tour.py"}  # the picture taker waits until a pane is painted
    found = [
        module.at(call)
        for module in modules()
        for call in module.calls()
        if called(call) == "processEvents"
        and module.name not in allowed
        and not module.name.startswith(("desktop_crm/tour/", "desktop_crm/bench/"))
    ]
    assert not found, "\n".join(map(str, found))


def test_tests_of_windows_wait_for_signals_and_never_sleep() -> None:
    tests = [Module(path) for path in sorted((TOP / "tests" / "ui").rglob("*.py"))]
    found = [
        module.at(call)
        for module in tests
        for call in module.calls()
        if ast.unparse(call.func) in {"time.sleep", "sleep", "QTest.qWait", "qtbot.wait"}
    ]
    assert not found, "\n".join(map(str, found))


# --- icons --------------------------------------------------------------------------------------

DRAWING = re.compile(r"(?P<name>.+?)_(?P<size>\d+)_(?P<style>regular|filled)\.svg")
#: Where a drawing is named: the position of its name in the call.
NAMES_DRAWING = {"icon": 0, "paint_icon": 2, "show_icon": 0, "entity_icon": None}


def drawings() -> set[str]:
    found = set()
    for path in sorted((TOP / "resources" / "icons").glob("*.svg")):
        match = DRAWING.fullmatch(path.name)
        assert match, f"{path.name} is not named like the others"
        found.add(match["name"])
    return found


def test_every_drawing_is_used() -> None:
    texts = {
        node.value
        for module in modules()
        for node in module.nodes(ast.Constant)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    styles = " ".join(
        path.read_text(encoding="utf-8") for path in (TOP / "resources" / "themes").glob("*.qss")
    )
    unused = [
        name
        for name in sorted(drawings())
        if name not in texts and not re.search(rf"\b{name}_\d+_", styles + " ".join(texts))
    ]
    assert not unused, "\n".join(map(str, unused))


def test_every_drawing_that_is_named_is_there() -> None:
    present = drawings()
    missing = [
        f"{module.at(node)} {name}"
        for module in modules()
        for node, name in _named_drawings(module)
        if name not in present
    ]
    assert not missing, "\n".join(map(str, missing))


def _named_drawings(module: Module) -> Iterator[tuple[ast.AST, str]]:
    for call in module.calls():
        place = NAMES_DRAWING.get(called(call))
        if place is not None and place < len(call.args):
            yield from ((call, name) for name in literal_text(call.args[place]) if name)
        for keyword in call.keywords:
            if keyword.arg in {"icon", "drawing"}:
                yield from ((call, name) for name in literal_text(keyword.value) if name)


def test_every_entity_has_a_drawing() -> None:
    from desktop_crm.meta import registry

    assert {entity.icon for entity in registry.all()} <= drawings()


def test_every_main_entity_stands_on_the_rail() -> None:
    shown = {module.entity for module in MODULES} | {module.key for module in MODULES}
    assert {entity.key for entity in registry.all() if entity.menu is Menu.MAIN} <= shown


def test_the_frame_is_painted_before_the_database_layer_loads() -> None:
    import subprocess
    import sys

    code = "import sys, desktop_crm.app, desktop_crm.views.main_window as window\n"
    code += "print('sqlalchemy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
