"""What can be done with quotes from other places than their own window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.printing.quotes import PrintedQuote, print_quote
from desktop_crm.services.rules import quotes
from desktop_crm.views.custom.pdf_preview import PdfPreview

if TYPE_CHECKING:
    from desktop_crm.services.records import Saved
    from desktop_crm.views.workbench import Workbench


def new_from_opportunity(bench: Workbench, opportunity_id: int, owner: QWidget) -> None:
    """Make a draft quote for an opportunity and open it."""

    def take(saved: Saved) -> None:
        bench.bus.publish(saved.changes)
        bench.shell.toast(tr("Quote made"), undo=True)
        bench.shell.open_record("quote", saved.id)

    bench.tasks.write(
        quotes.create_from_opportunity,
        bench.actor,
        opportunity_id,
        done=take,
        owner=owner,
        label=tr("Saving"),
    )


def preview(bench: Workbench, quote_id: int, parent: QWidget) -> None:
    """Print a quote and show its pages."""

    def take(printed: PrintedQuote) -> None:
        bench.bus.publish(printed.changes)
        show_printed(parent, bench, printed)

    bench.tasks.write(
        print_quote, bench.actor, quote_id, done=take, owner=parent, label=tr("Printing")
    )


def show_printed(parent: QWidget, bench: Workbench, printed: PrintedQuote) -> PdfPreview:
    """Show the pages of a printed quote."""
    title = printed.name.removesuffix(".pdf")
    dialog = PdfPreview(parent, bench, title, printed.name, printed.content)
    dialog.show()
    return dialog
