"""``linking``: how well mail is filed by itself."""

from __future__ import annotations

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.console import Code, emit, say, table
from desktop_crm.core.i18n import tr


@click.group("linking", help=tr("How well mail is filed by itself."))
def group() -> None:
    """Root of the commands about linking."""


@group.command("report", help=tr("Measure the linking on messages whose records are known."))
@common
def report(call: Call) -> int:
    """Build the labelled messages in a scratch database and compare."""
    from desktop_crm.demo.labelled.report import measure

    found = measure()
    if call.as_json:
        emit(
            {
                "messages": found.whole.messages,
                "precision_filed": round(found.whole.precision_filed, 4),
                "recall_with_triage": round(found.whole.recall_with_triage, 4),
                "filed": found.whole.filed,
                "wanted": found.whole.wanted,
                "shapes": {
                    name: {
                        "messages": counts.messages,
                        "precision_filed": round(counts.precision_filed, 4),
                        "recall_with_triage": round(counts.recall_with_triage, 4),
                        "wrong": counts.wrong,
                        "missed": counts.missed,
                    }
                    for name, counts in found.shapes.items()
                },
            }
        )
        return Code.DONE
    heads = [tr("Shape"), tr("Messages"), tr("Filed rightly"), tr("Found or offered")]
    rows = [
        [
            name,
            str(counts.messages),
            f"{counts.precision_filed:.3f}",
            f"{counts.recall_with_triage:.3f}",
        ]
        for name, counts in [*found.shapes.items(), (tr("all"), found.whole)]
    ]
    say(table(heads, rows))
    say(f"messages {found.whole.messages}")
    say(f"precision_filed {found.whole.precision_filed:.4f}")
    say(f"recall_with_triage {found.whole.recall_with_triage:.4f}")
    return Code.DONE
