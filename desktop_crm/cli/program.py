"""The tree of commands."""

from __future__ import annotations

import click

from desktop_crm import __version__
from desktop_crm.cli import (
    databases,
    demo,
    duplicates,
    exports,
    fields,
    imports,
    linking,
    mail_privacy,
    mailboxes,
    outbox,
    queries,
    quotes,
    searching,
    syncing,
    views,
)
from desktop_crm.core.i18n import tr


@click.group(
    help=tr("Desktop CRM. Without a command the window opens."),
    epilog=tr("tour [--out FOLDER] shows the main job without a screen, as pictures."),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="desktop-crm")
def program() -> None:
    """Root of all commands."""


program.add_command(demo.demo)
program.add_command(databases.group)
program.add_command(queries.query)
program.add_command(searching.search)
program.add_command(duplicates.group)
program.add_command(imports.take_in)
program.add_command(exports.write_out)
program.add_command(linking.group)
program.add_command(mailboxes.group)
for command in (mail_privacy.privacy, mail_privacy.colleagues, mail_privacy.withdraw):
    mailboxes.group.add_command(command)
program.add_command(syncing.sync)
program.add_command(outbox.group)
program.add_command(quotes.group)
program.add_command(views.group)
program.add_command(fields.group)
