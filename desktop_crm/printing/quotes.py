"""Printing a quote: the stored file when there is one, else a fresh one that is then kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from desktop_crm.core.i18n import N_, translate
from desktop_crm.printing.quote_pdf import TEMPLATE_VERSION, render
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.rules import quote_printing
from desktop_crm.services.rules.quote_document import QuoteDocument

_NOT_IN_NAMES: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')


@dataclass(frozen=True, slots=True)
class PrintedQuote:
    """A quote ready to be shown, saved or sent.

    Attributes:
        name: Proposed file name.
        content: The PDF.
        draft: It is marked as a draft and was not kept.
        changes: What storing it changed; nothing for drafts and for files stored before.
    """

    name: str
    content: bytes
    draft: bool
    changes: ChangeSet = NOTHING


def print_quote(actor: Actor, quote_id: int) -> PrintedQuote:
    """Print a quote.

    A draft is made afresh each time. The first print of an activated quote is kept with its
    fingerprint; every later print gives that very file.

    Raises:
        NotFound: The quote does not exist, or this user may not see it.
        UserError: Its stored totals contradict its lines.
    """
    stored = quote_printing.stored_pdf(actor, quote_id)
    if stored is not None:
        return PrintedQuote(stored.name, stored.content, draft=False)
    return render_again(actor, quote_id)


def render_again(actor: Actor, quote_id: int) -> PrintedQuote:
    """Print a quote by the present template, even when a file is stored; it becomes the newest."""
    document = quote_printing.document(actor, quote_id)
    content = render(document)
    name = file_name(document)
    if document.draft:
        return PrintedQuote(name, content, draft=True)
    changes = quote_printing.store_pdf(
        actor,
        quote_id,
        content,
        name=name,
        language=document.language,
        template=TEMPLATE_VERSION,
    )
    return PrintedQuote(name, content, draft=False, changes=changes)


def file_name(document: QuoteDocument) -> str:
    """Name of the file: word, number and customer, without characters a disk refuses."""
    word = translate(document.language, N_("Quote"))
    label = document.label or translate(document.language, N_("Draft"))
    name = f"{word} {label} {document.bill_to.name}".strip()
    return f"{_NOT_IN_NAMES.sub('-', name)[:120].rstrip(' .')}.pdf"
