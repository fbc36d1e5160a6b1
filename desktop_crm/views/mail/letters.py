"""How letters begin, how they are called back, and what is remembered about writing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.mail import outbox
from desktop_crm.services.mail import templates as mail_templates
from desktop_crm.sync import writing
from desktop_crm.sync.port import Address
from desktop_crm.sync.sending import UNDO_S
from desktop_crm.sync.writing import Mode, Opening

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor
    from desktop_crm.views.mail.written import Written
    from desktop_crm.views.workbench import Workbench

KIND: Final = "mail_message"
"""Under this name letters open as records do, and lie among the drafts of this machine."""

MEMORY: Final = "mail.writing"
UNDO_CHOICES: Final = (0, 5, 10, 20, 30, 60)
"""Seconds a message can be called back, as they are offered."""
BLANK: Final = '<p style="margin:0"><br></p>'
"""A line to write on; those that follow it stand as close."""


def opening(actor: Actor, defaults: Mapping[str, Any]) -> Opening:
    """How a letter begins, by what was asked for; runs on a reader thread."""
    if (item := defaults.get("draft_item")) is not None:
        return writing.reopened(actor, item)
    mode = Mode(defaults.get("mode", Mode.NEW))
    if mode is not Mode.NEW:
        return writing.answer(actor, defaults["activity"], mode)
    to, bcc = (
        [Address(address, name) for name, address in defaults.get(line, ())]
        for line in ("to", "bcc")
    )
    about, subject = defaults.get("about", ()), defaults.get("subject", "")
    return writing.blank(actor, about, to, bcc, subject, defaults.get("notes"))


def signature_html(signature: str) -> str:
    """A signature as it stands in a letter; empty when there is none."""
    return mail_templates.as_html(signature) if signature.strip() else ""


def undo_seconds(bench: Workbench) -> int:
    """How long a message can be called back, as the person chose."""
    found = bench.recall(MEMORY).get("undo_s", UNDO_S)
    return found if isinstance(found, int) and 0 <= found <= 120 else UNDO_S


def choose_undo_seconds(bench: Workbench, seconds: int) -> None:
    """Remember how long a message can be called back, on this machine."""
    bench.remember(MEMORY, {"undo_s": seconds})


def undo_text(seconds: int) -> str:
    """How long a message can be called back, in words."""
    return ntr("{n} second", "{n} seconds", seconds) if seconds else tr("None: it leaves at once")


def call_back(bench: Workbench, item: int, written: Written) -> None:
    """Keep a message from leaving, and show it again as it was."""

    def done(changes: Any) -> None:  # noqa: ANN401  a ChangeSet
        bench.bus.publish(changes)
        bench.shell.new_record(KIND, written=written)

    bench.tasks.write(outbox.cancel, bench.actor, item, done=done, failed=bench.shell.show_error)
