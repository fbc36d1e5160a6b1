"""``quote``: print quotes."""

from __future__ import annotations

from pathlib import Path

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.core.files import write_whole
from desktop_crm.core.i18n import tr
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
    write_whole(out, printed.content)
    return call.answer(
        {"number": number, "file": str(out), "bytes": len(printed.content),
         "draft": printed.draft},
        tr("The quote {number} is in {file}.", number=number, file=out),
    )  # fmt: skip
