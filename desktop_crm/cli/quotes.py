"""``quote``: print quotes."""

from __future__ import annotations

from pathlib import Path

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_, tr
from desktop_crm.printing.quotes import print_quote
from desktop_crm.services.rules import quotes


@click.group("quote", help=tr("Print quotes."))
def group() -> None:
    """Commands about quotes."""


@group.command("print", help=tr("Print a quote by its number into a PDF."))
@click.argument("number")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.pdf",
    help=tr("File to write."),
)
@common
def print_pdf(call: Call, number: str, out: Path) -> int:
    """Print a quote; an activated one gives the very file that was printed first."""
    with call.signed_in() as actor:
        printed = print_quote(actor, quotes.find(actor, number))
    _write(out, printed.content)
    return call.answer(
        {"number": number, "file": str(out), "bytes": len(printed.content),
         "draft": printed.draft},
        tr("The quote {number} is in {file}.", number=number, file=out),
    )  # fmt: skip


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise EnvironmentProblem(
            N_("{path} could not be written: {reason}. What stood there before was kept."),
            path=path,
            reason=error.strerror or error,
        ) from error
