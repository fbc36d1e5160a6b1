#!/usr/bin/env python3
"""The one door to development: ``python3 dev.py COMMAND``.

Every command first brings ``.venv`` in line with ``uv.lock`` (and costs next to nothing when it
is), then does its work with the tools found there. It needs Python 3.11 to 3.14 and, on first use,
PyPI; it uses the standard library only and stays readable to Python 3.7, so that an older one can
say what is missing.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

TOP = Path(__file__).resolve().parent
VENV = TOP / ".venv"
STAMP = VENV / "set-up.json"
LOG = VENV / "set-up.log"
SUPPORTED = ((3, 14), (3, 13), (3, 12), (3, 11))
WINDOWS = os.name == "nt"
SCRIPTS = VENV / ("Scripts" if WINDOWS else "bin")
NEEDED_SCRIPTS = ("desktop-crm", "mypy", "lint-imports", "ruff", "pytest", "uv")
EXIT_ENVIRONMENT = 3

#: Shared libraries Qt loads, with the Debian package that brings each.
OFFSCREEN_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libbrotlidec.so.1": "libbrotli1",
}
#: What the X11 plug-in loads in addition.
X11_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
NETWORK_TROUBLE = re.compile(
    r"failed to fetch|error sending request|dns error|could not connect|connection (refused|reset)|"
    r"timed? ?out|max retries|no matching distribution|name resolution|unreachable|network",
    re.IGNORECASE,
)


def stop(sentence: str) -> NoReturn:
    """Say what is missing and end with the exit code for the environment."""
    print(sentence, file=sys.stderr)
    sys.exit(EXIT_ENVIRONMENT)


# --- the Python to work with -------------------------------------------------------------------


def answers_as(command: Sequence[str]) -> tuple[int, int] | None:
    """The version (major, minor) of the interpreter started by `command`; None when it has none."""
    probe = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [*command, "-c", probe], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
    except OSError:
        return None
    found = re.match(rb"(\d+)\.(\d+)", done.stdout)
    return (int(found.group(1)), int(found.group(2))) if found else None


def candidates() -> list[list[str]]:
    """Commands that may start a suitable Python, newest first."""
    found: list[list[str]] = []
    for major, minor in SUPPORTED:
        name = f"{major}.{minor}"
        on_path = shutil.which(f"python{name}")
        if on_path:
            found.append([on_path])
        if WINDOWS and shutil.which("py"):
            found.append(["py", f"-{name}"])
        versions = Path.home() / ".pyenv" / "versions"
        found += [[str(path)] for path in sorted(versions.glob(f"{name}.*/bin/python"))]
    return found


def use_supported_python() -> None:
    """Go on with another interpreter when this one is too old or too new."""
    running = (sys.version_info[0], sys.version_info[1])
    if running in SUPPORTED:
        return
    mine = "{}.{}".format(*running)
    for command in candidates():
        version = answers_as(command)
        if version and version in SUPPORTED:
            shown = "{}.{}".format(*version)
            print(f"Python {mine} does not fit; going on with Python {shown} ({command[-1]}).")
            sys.exit(subprocess.call([*command, str(Path(__file__).resolve()), *sys.argv[1:]]))
    stop(f"This needs Python 3.11 to 3.14; found only {mine}. Install one and run it again.")


# --- set-up ------------------------------------------------------------------------------------


def program(name: str) -> Path:
    """A console script of the environment."""
    return SCRIPTS / (name + ".exe" if WINDOWS else name)


def environment_python() -> Path:
    """The interpreter of the environment."""
    return program("python")


def clean_environment() -> dict[str, str]:
    """This process's variables without those that would point uv or Python somewhere else."""
    ignored = {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON"}
    return {name: value for name, value in os.environ.items() if name not in ignored}


def environment_version() -> tuple[int, int] | None:
    """The Python version of ``.venv``; None when it has none of those supported that works."""
    try:
        text = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", text, re.MULTILINE)
    if found is None or not environment_python().exists():
        return None
    version = (int(found.group(1)), int(found.group(2)))
    return version if version in SUPPORTED else None


def wanted_state(version: tuple[int, int]) -> dict[str, str]:
    """What the environment must have been made from to be up to date."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "uv.lock"):
        digest.update((TOP / name).read_bytes())
    return {
        "made_from": digest.hexdigest(),
        "python": "{}.{}".format(*version),
        "checkout": str(TOP),
    }


def stored_state() -> dict[str, str]:
    """What the environment says it was made from."""
    try:
        state = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def quietly(command: Sequence[str], failure: str) -> None:
    """Run a set-up command with its output in the log; say one sentence when it fails."""
    done = subprocess.run(
        command,
        cwd=str(TOP),
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    output = done.stdout.decode("utf-8", "replace")
    if VENV.is_dir():
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n{output}\n")
    if done.returncode == 0:
        return
    if NETWORK_TROUBLE.search(output):
        stop(
            "PyPI cannot be reached, so the environment is not complete; what was installed stays. "
            f"Connect to the network and run the command again (details: {LOG})."
        )
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "")
    stop(f"{failure} {last.strip()} (details: {LOG})")


def locked_version(package: str) -> str:
    """The version `uv.lock` holds for a package."""
    text = (TOP / "uv.lock").read_text(encoding="utf-8")
    found = re.search(rf'^name = "{re.escape(package)}"\nversion = "([^"]+)"', text, re.MULTILINE)
    if found is None:
        stop(f"uv.lock does not name {package}; run `uv lock` and try again.")
    return found.group(1)


def make_environment() -> tuple[int, int]:
    """Make ``.venv`` when there is none that works; returns its Python version."""
    version = environment_version()
    if version:
        return version
    again = ["--clear"] if VENV.exists() else []
    if again:
        print(f"The environment in {VENV.name} has no working Python 3.11 to 3.14; making it anew.")
    package = "python{}.{}-venv".format(*sys.version_info[:2])
    quietly(
        [sys.executable, "-m", "venv", *again, str(VENV)],
        f"The environment cannot be made (on Debian and Ubuntu: apt install {package}).",
    )
    return (sys.version_info[0], sys.version_info[1])


def set_up() -> None:
    """Bring ``.venv`` in line with the lock file; nothing that is there already is removed."""
    version = environment_version()
    scripts_present = all(program(name).exists() for name in NEEDED_SCRIPTS)
    if version and scripts_present and stored_state() == wanted_state(version):
        return
    started = time.monotonic()
    print(
        "Setting up .venv as uv.lock says (the first time downloads about 150 MB) ...", flush=True
    )
    version = make_environment()
    moved = stored_state().get("checkout", str(TOP)) != str(TOP)
    python = str(environment_python())
    uv = f"uv=={locked_version('uv')}"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--retries", "1", "install", "-q"]
    # A checkout that was moved has scripts that name its old place.
    quietly([*pip, *(["--force-reinstall"] if moved else []), uv], "uv cannot be installed.")
    sync = [str(program("uv")), "sync", "--frozen", "--inexact", "--all-groups"]
    options = ["--compile-bytecode", "--no-progress", "--python", python]
    reinstall = ["--reinstall"] if moved else []
    quietly([*sync, *options, *reinstall], "The environment cannot be completed.")
    STAMP.write_text(json.dumps(wanted_state(version), indent=1) + "\n", encoding="utf-8")
    print(f"Ready after {time.monotonic() - started:.0f} s.", flush=True)


# --- what Qt needs of the system ---------------------------------------------------------------


def has_display() -> bool:
    """True when a window can be shown (or the caller has chosen a Qt platform)."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def missing_packages(libraries: dict[str, str]) -> list[str]:
    """Debian packages of the libraries that cannot be loaded."""
    missing = []
    for library, package in libraries.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def need_qt_libraries(window: bool = False) -> None:
    """Stop with the names of the packages when Qt could not load on this Linux."""
    if not sys.platform.startswith("linux"):
        return
    libraries = dict(OFFSCREEN_LIBRARIES)
    plain_x11 = os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY")
    if window and plain_x11 and not os.environ.get("QT_QPA_PLATFORM"):
        libraries.update(X11_LIBRARIES)
    missing = missing_packages(libraries)
    if missing:
        names = " ".join(missing)
        stop(f"Qt needs system libraries that are missing here: apt-get install -y {names}")


# --- commands ----------------------------------------------------------------------------------


def call(command: Sequence[str], **variables: str) -> int:
    """Run a program from the top folder; its exit code."""
    environment = clean_environment()
    environment.update(variables)
    try:
        return subprocess.call(list(command), cwd=str(TOP), env=environment)
    except KeyboardInterrupt:
        return 130


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module in the environment."""
    return [str(environment_python()), "-m", name, *arguments]


def offscreen() -> dict[str, str]:
    """Variables for programs that paint without a display."""
    return {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM") or "offscreen"}


def run(arguments: list[str]) -> int:
    """Open the window; without a display run the tour instead. Arguments go to desktop-crm."""
    if arguments:
        need_qt_libraries(window=has_display())
        return call(module("desktop_crm", *arguments))
    if not has_display():
        folder = TOP / "out" / "tour"
        print(f"There is no display, so the tour runs instead and leaves its pictures in {folder}.")
        return tour(["--out", str(folder)])
    need_qt_libraries(window=True)
    return call(module("desktop_crm"))


def tour(arguments: list[str]) -> int:
    """Do the main job without a display and keep pictures, PDF and workbook: --out DIR."""
    need_qt_libraries()
    return call(module("desktop_crm.tour", *arguments), **offscreen())


def bench(arguments: list[str]) -> int:
    """Run the benchmarks: --only N, --json FILE."""
    need_qt_libraries()
    return call(module("desktop_crm.bench", *arguments), **offscreen())


def soak(arguments: list[str]) -> int:
    """Kill the program while it syncs, let servers fail: --seed, --kills, --faults N, --side S."""
    return call(module("tests.soak", *arguments), **offscreen())


def lint(arguments: list[str]) -> int:
    """Check format and lint; --fix repairs what can be repaired."""
    if arguments == ["--fix"]:
        fixed = call([str(program("ruff")), "check", "--fix", "."])
        return call([str(program("ruff")), "format", "."]) or fixed
    return in_turn([("format", FORMAT), ("lint", LINT)])


def types(arguments: list[str]) -> int:
    """Check types. Arguments go to mypy."""
    return call([*TYPES, *arguments])


def imports(arguments: list[str]) -> int:
    """Check the import contracts. Arguments go to lint-imports."""
    return call([*IMPORTS, *arguments])


def i18n(arguments: list[str]) -> int:
    """Bring the Romanian catalogue in line with the texts of the program; --check only looks."""
    return call([*I18N, *arguments])


def migration(arguments: list[str]) -> int:
    """Write the migration that brings the schema to what the models say; say what it does."""
    written = call([*MIGRATION, *arguments])
    return written or call([str(program("ruff")), "format", "--quiet", "desktop_crm/db/migrations"])


def test(arguments: list[str]) -> int:
    """Run every check and the test suite; with arguments only pytest, which gets them."""
    need_qt_libraries()
    if arguments:
        return tested(arguments)
    workers = str(max(1, min(4, os.cpu_count() or 1)))
    steps: list[tuple[str, Sequence[str]]] = [
        ("format", FORMAT),
        ("lint", LINT),
        ("types", TYPES),
        ("imports", IMPORTS),
        ("texts", [*I18N, "--check"]),
        ("tests", ["-q", "-n", workers, "--dist", "worksteal", "--durations", "10"]),
    ]
    return in_turn(steps)


def tested(arguments: Sequence[str]) -> int:
    """Run pytest without a display and away from the person's own data and settings."""
    with tempfile.TemporaryDirectory(prefix="desktop-crm-") as home:
        command = module("pytest", *arguments)
        return call(command, QT_QPA_PLATFORM="offscreen", DESKTOP_CRM_HOME=home)


def in_turn(steps: Sequence[tuple[str, Sequence[str]]]) -> int:
    """Run all steps, also after a failure, and end with a summary; 1 when one failed."""
    summary = []
    for name, command in steps:
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        code = tested(command) if name == "tests" else call(command)
        summary.append((name, code, time.monotonic() - started))
        if code == 130:
            break
    print("\n== summary")
    for name, code, seconds in summary:
        print(f"{name:<8} {'ok' if code == 0 else f'FAILED ({code})':<12} {seconds:6.1f} s")
    return 1 if any(code for _, code, _ in summary) else 0


FORMAT = (str(program("ruff")), "format", "--check", ".")
LINT = (str(program("ruff")), "check", ".")
TYPES = (str(environment_python()), "-m", "mypy")
IMPORTS = (str(program("lint-imports")), "--no-logo")
MIGRATION = (str(environment_python()), "-m", "scripts.migration")
I18N = (str(environment_python()), str(TOP / "scripts" / "i18n.py"))

COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": run,
    "test": test,
    "lint": lint,
    "types": types,
    "imports": imports,
    "i18n": i18n,
    "migration": migration,
    "tour": tour,
    "bench": bench,
    "soak": soak,
}


def main() -> int:
    """Find the Python, set up, and do what the command says."""
    lines = (f"  {name:<9} {(command.__doc__ or '').strip()}" for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="dev.py",
        description="Set up the environment in .venv and work with it.",
        epilog="commands:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=tuple(COMMANDS), metavar="command")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to the command")
    chosen = parser.parse_args()
    use_supported_python()
    set_up()
    return COMMANDS[chosen.command](chosen.arguments)


if __name__ == "__main__":
    sys.exit(main())
