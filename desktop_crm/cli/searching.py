"""``search``: find records of every kind by words."""

from __future__ import annotations

from typing import Any

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.console import Code, emit, say, table
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.services.search import everything
from desktop_crm.services.search.everything import Found, Section


@click.command("search", help=tr("Find records of every kind by words."))
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--entity",
    "entities",
    metavar="NAME",
    multiple=True,
    help=tr("Search only this kind of record; may be repeated."),
)
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=everything.COUNTED),
    default=everything.SHOWN,
    metavar="N",
    help=tr("Show at most this many of each kind."),
)
@common
def search(call: Call, words: tuple[str, ...], entities: tuple[str, ...], limit: int) -> int:
    """Look for words everywhere; spellings almost like them when nothing has them as typed."""
    text = " ".join(words)
    for name in entities:
        if registry.find(name) is None:
            raise UserError(
                N_("There are no “{name}” records. Known: {known}."),
                name=name,
                known=", ".join(entity.key for entity in registry.all()),
            )
    with call.signed_in() as actor:
        found = everything.find(actor, text, entities=entities, shown=limit)
        if not found.sections:
            found = everything.find_similar(actor, text, entities=entities, shown=limit)
    if call.as_json:
        emit(_as_json(found))
    else:
        say(_shown(found))
    return Code.DONE


def _as_json(found: Found) -> dict[str, Any]:
    return {
        "text": found.text,
        "similar": found.is_similar,
        "sections": [
            {
                "entity": section.entity,
                "count": section.count,
                "more": section.is_more,
                "hits": [
                    {
                        "id": hit.id,
                        "title": hit.title,
                        "subtitle": hit.subtitle,
                        "snippet": hit.snippet,
                        "match": hit.match.name.lower(),
                    }
                    for hit in section.hits
                ],
            }
            for section in found.sections
        ],
    }


def _shown(found: Found) -> str:
    if not found.sections:
        return tr("Nothing found for “{text}”", text=found.text)
    blocks = [_block(section) for section in found.sections]
    if found.is_similar:
        blocks.insert(0, tr("Nothing found as typed; this is spelled similarly:"))
    return "\n\n".join(blocks)


def _block(section: Section) -> str:
    head = f"{tr(registry.get(section.entity).plural)} ({section.count}{'+' * section.is_more})"
    rows = [[str(hit.id), hit.title, hit.snippet or hit.subtitle] for hit in section.hits]
    body = table([tr("Key"), tr("Title"), ""], rows, [True])
    return f"{head}\n{body}"
