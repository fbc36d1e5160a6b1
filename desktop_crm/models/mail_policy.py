"""What the user of a mailbox lets be kept of it, and what of that colleagues see."""

from __future__ import annotations

from desktop_crm.core.i18n import N_
from desktop_crm.meta.field import Choice


class MailKept(Choice):
    """Which messages of a mailbox are kept."""

    ALL = "all", N_("All that nothing below leaves out")
    KNOWN = "known", N_("Only mail with people or companies we know")
    ANSWERS = "answers", N_("Only answers to mail that belongs to a record")


class TextKept(Choice):
    """Whose text and files are kept."""

    ALL = "all", N_("Of every message that is kept")
    LINKED = "linked", N_("Of messages that belong to a record; of others the header")


class MailShared(Choice):
    """What colleagues see of the mail of a mailbox."""

    NOBODY = "nobody", N_("Nothing")
    HEADERS = "headers", N_("Headers of mail that belongs to a record; its text is not kept")
    WHOLE = "whole", N_("Mail that belongs to a record")
