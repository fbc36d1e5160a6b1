"""The command line: everything the product does without a window, for people and scripts.

Exit codes: 0 done, 1 the input was rejected and nothing changed, 2 the command cannot be
understood, 3 disk, network, lock or an error of the program itself. A sentence about what went
wrong goes to the error output; with ``--json`` one line on the output says it as well.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper

import click

from desktop_crm.cli.console import Code, fail
from desktop_crm.core import i18n, log, paths
from desktop_crm.core.errors import Cancelled, CrmError, EnvironmentProblem
from desktop_crm.core.i18n import tr
from desktop_crm.core.settings import Settings

_log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments without the program's name; None takes the process's own.

    Returns:
        The exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: _run(arguments), as_json="--json" in arguments)


def _run(arguments: list[str]) -> int:
    # Imported after the language is known: help texts are translated when they are declared.
    from desktop_crm.cli.program import program

    found = program.main(args=arguments, prog_name="desktop-crm", standalone_mode=False)
    return found if isinstance(found, int) else Code.DONE


def guarded(work: Callable[[], int], *, as_json: bool) -> int:
    """Do something as a command does: language, log, and every failure as one sentence.

    Args:
        work: Returns the exit code.
        as_json: A failure is also written to the output, as one line.
    """
    _write_utf8()
    try:
        _prepare()
        return work()
    except click.UsageError as error:
        return _usage(error, as_json=as_json)
    except SystemExit:
        # The reader of the output went away, as `head` does; click leaves in this one case.
        return Code.DONE
    except (click.Abort, KeyboardInterrupt, Cancelled):
        return fail(tr("The work was stopped."), Code.ENVIRONMENT, as_json=as_json)
    except CrmError as error:
        _log.info("%s: %s", type(error).__name__, error, exc_info=error)
        code = Code.ENVIRONMENT if isinstance(error, EnvironmentProblem) else Code.REJECTED
        return fail(str(error), code, as_json=as_json)
    except OSError as error:
        return _system(error, as_json=as_json)
    except Exception:  # the last line of defence: a traceback belongs into the log
        _log.exception("unexpected error")
        return fail(
            tr(
                "Something went wrong inside the program; what was finished before is kept. The "
                "details are in {log}.",
                log=_log_file(),
            ),
            Code.ENVIRONMENT,
            as_json=as_json,
        )


def _prepare() -> None:
    try:
        language = Settings.load().language
    except OSError:
        # A home that cannot be written must not keep a command from working elsewhere.
        language = Settings().language
    i18n.use_language(language)
    log.start_logging()


def _write_utf8() -> None:
    """Consoles of Windows speak old code pages unless told otherwise."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


def _usage(error: click.UsageError, *, as_json: bool) -> int:
    if not as_json:
        error.show()
        return Code.USAGE
    return fail(error.format_message(), Code.USAGE, as_json=True)


def _system(error: OSError, *, as_json: bool) -> int:
    _log.warning("the operating system refused", exc_info=error)
    sentence = tr(
        "{path} cannot be used: {reason}. Nothing more was done; check disk and permissions.",
        path=error.filename or tr("A file"),
        reason=error.strerror or str(error),
    )
    return fail(sentence, Code.ENVIRONMENT, as_json=as_json)


def _log_file() -> str:
    try:
        return str(paths.log_dir() / "desktop-crm.log")
    except OSError:
        return tr("no file: the log folder cannot be written")
