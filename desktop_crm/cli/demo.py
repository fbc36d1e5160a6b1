"""``demo``: make the sample company."""

from __future__ import annotations

from functools import partial

import click

from desktop_crm import demo as sample
from desktop_crm.cli.call import Call, common, with_password
from desktop_crm.core.i18n import tr
from desktop_crm.services import databases
from desktop_crm.services.query import RecordQuery, count

_COUNTED = ("account", "contact", "lead", "opportunity", "activity", "product", "quote", "case")


@click.command("demo", help=tr("Make the sample company in a new database."))
@common
def demo(call: Call) -> int:
    """Make the sample company and say what is in it."""
    url = call.url or sample.sample_url()
    actor = with_password(url, partial(sample.create, login=call.login))
    try:
        counts = {key: count(actor, RecordQuery(key, ("id",))) for key in _COUNTED}
        where = databases.address(actor.db.target)
        return call.answer(
            {"database": where, "user": actor.login, "records": counts},
            tr("The sample company is ready in {database}.", database=where),
            ", ".join(f"{key}: {number}" for key, number in counts.items()),
        )
    finally:
        actor.db.close()
