"""The house: sizes, names, the top folder, where libraries live."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.source import PACKAGE, TOP, Module, files, modules

MAX_LINES = 500
META_BUDGET = 800
MAIN_WINDOW_MAX_LINES = 300

#: What a person sees who opens the top folder, and nothing else.
TOP_FOLDER = {
    ".ci",
    ".gitattributes",
    ".gitignore",
    ".pre-commit-config.yaml",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "desktop_crm",
    "dev.py",
    "docs",
    "pyproject.toml",
    "resources",
    "scripts",
    "tests",
    "uv.lock",
}

#: Third-party packages with one home: the pattern of the modules that may import them. The bench
#: also does the same work with the bare library, to compare.
HOMES = {
    "PySide6": r"(views/.+|app|tour/.+|bench/.+)\.py",
    "shiboken6": r"(views/.+|app|tour/.+|bench/.+)\.py",
    "exchangelib": r"(sync/exchange/.+|bench/.+)\.py",
    "msal": r"sync/graph/.+\.py",
    "openpyxl": r"(services/excel|bench)/.+\.py",
    "xlsxwriter": r"(services/excel|bench)/.+\.py",
    "python_calamine": r"(services/excel|bench)/.+\.py",
    "reportlab": r"(printing|bench)/.+\.py",
    "click": r"cli/.+\.py",
    "psycopg": r"(db|bench)/.+\.py",
    "alembic": r"(db|bench)/.+\.py",
    "tomlkit": r"core/.+\.py",
}


def python_files() -> list[Module]:
    return [Module(path) for path in files() if path.suffix == ".py"]


def test_no_module_grows_beyond_the_limit() -> None:
    # A migration is written once by Alembic and then history.
    long = {
        module.name: len(module.lines)
        for module in python_files()
        if "migrations/versions" not in module.name
    }
    assert {name: size for name, size in long.items() if size > MAX_LINES} == {}


def test_what_declares_entities_stays_small() -> None:
    sizes = {module.name: len(module.lines) for module in modules("meta")}
    assert sum(sizes.values()) <= META_BUDGET, sizes


def test_the_main_window_is_a_shell() -> None:
    (window,) = modules("views/main_window.py")
    assert len(window.lines) < MAIN_WINDOW_MAX_LINES


def test_no_module_is_named_after_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common"}
    named = [path for path in files() if path.suffix == ".py" and path.stem in empty]
    folders = [path for path in PACKAGE.rglob("*") if path.is_dir() and path.name in empty]
    assert named + folders == []


def test_every_package_is_one() -> None:
    # Alembic reads the scripts below migrations by their path.
    folders = {module.path.parent for module in modules() if "/migrations/" not in module.name}
    bare = [folder for folder in folders if not (folder / "__init__.py").exists()]
    assert not bare, "\n".join(map(str, bare))


def test_the_top_folder_shows_the_house() -> None:
    present = {path.relative_to(TOP).parts[0] for path in files()}
    assert present - TOP_FOLDER == set()


@pytest.mark.parametrize("library", HOMES)
def test_a_library_with_a_home_is_imported_only_there(library: str) -> None:
    home = re.compile(HOMES[library])
    strangers = [
        module.at(node)
        for module in modules()
        for node, name in module.imports
        if name.partition(".")[0] == library
        and not home.fullmatch(module.path.relative_to(PACKAGE).as_posix())
    ]
    assert not strangers, "\n".join(map(str, strangers))


def test_errors_are_caught_by_name_or_with_a_reason() -> None:
    bare = []
    for module in modules():
        for node in module.nodes(ast.ExceptHandler):
            assert isinstance(node, ast.ExceptHandler)
            named = ast.unparse(node.type) if node.type else "BaseException"
            if not re.search(r"\b(Base)?Exception\b", named):
                continue
            around = module.lines[max(0, node.lineno - 2) : node.lineno + 1]
            reraised = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            if not reraised and not any("#" in line for line in around):
                bare.append(module.at(node))
    assert not bare, "\n".join(map(str, bare))


def test_public_functions_of_views_say_what_they_mean() -> None:
    # Overridden methods of Qt (camelCase) have Qt's meaning, those of an own base class have the
    # meaning said there; ruff checks every other package.
    said: set[str] = set()
    silent: dict[str, str] = {}
    for module in modules("views", "app.py", "tour"):
        for node in module.nodes(ast.FunctionDef):
            assert isinstance(node, ast.FunctionDef)
            if ast.get_docstring(node):
                said.add(node.name)
            own = re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", node.name)
            if own and not _is_nested_or_overload(module, node):
                silent.setdefault(node.name, module.at(node))
    found = [f"{place} {name}" for name, place in silent.items() if name not in said]
    assert not found, "\n".join(found)


def _is_nested_or_overload(module: Module, function: ast.FunctionDef) -> bool:
    if function.decorator_list and any(
        ast.unparse(decorator).endswith((".setter", "overload"))
        for decorator in function.decorator_list
    ):
        return True
    outer = [node for node in module.nodes(ast.FunctionDef) if node is not function]
    return any(function in ast.walk(node) for node in outer)


def test_nothing_names_the_machine_it_was_written_on() -> None:
    text_files = {".py", ".md", ".toml", ".lock", ".yaml", ".svg", ".qss", ".po", ".sh", ".cfg"}
    places = "|".join(("work", "root", "opt", "mnt", "Users/[a-z]+", "home/[a-z]+"))
    machine = re.compile(rf"(?<![\w.}}/:])/(?:{places})/")
    found = [
        f"{path.relative_to(TOP).as_posix()}: {match.group()}"
        for path in files()
        if (path.suffix in text_files or path.parent.name == ".ci") and path.name != "uv.lock"
        for match in machine.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(map(str, found))


def test_the_lock_names_the_public_index_only() -> None:
    lock = (TOP / "uv.lock").read_text(encoding="utf-8")
    hosts = set(re.findall(r"https?://([^/\"]+)", lock))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}
    assert 'path = "' not in lock


def test_every_resource_is_read_through_the_paths() -> None:
    from desktop_crm.core import paths

    shipped = list(files(TOP / "resources"))
    assert shipped
    for path in shipped:
        relative = path.relative_to(TOP / "resources")
        assert paths.resource(*relative.parts).read_bytes() == path.read_bytes()


def test_the_package_maps_the_resources_into_itself() -> None:
    import tomllib

    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"resources": "desktop_crm/resources"}
    assert not Path(PACKAGE / "resources").exists()
