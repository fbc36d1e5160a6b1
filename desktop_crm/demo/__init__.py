"""The sample company: fictional, seeded, and always alive on the day it is made."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from desktop_crm.core import clock, paths
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Database
from desktop_crm.demo import (
    belongings,
    company,
    customers,
    diary,
    meetings,
    names,
    offers,
    post,
    sales,
    service,
)
from desktop_crm.demo.story import SOURCE, Story, slug
from desktop_crm.services import records, setup
from desktop_crm.services.context import Actor, sign_in, system_actor
from desktop_crm.services.operation import operation
from desktop_crm.sync.scheduler import sync_once


def sample_url() -> str:
    """Address of the local sample company, which opens when nothing else was chosen."""
    return f"sqlite:///{paths.data_dir() / 'sample.db'}"


def create(
    url: str, password: str | None = None, *, zone: str | None = None, login: str | None = None
) -> Actor:
    """Make a database and fill it with the sample company; a few seconds.

    The same seed gives the same company; its days count from today.

    Args:
        url: A file that does not exist yet, or an empty database on a server.
        password: For PostgreSQL when neither pgpass nor PGPASSWORD has it.
        zone: Time zone of the user; None is the system's.
        login: Login of the user; None is the operating system's, or the server login.

    Returns:
        The user, a sales manager; ``actor.db`` is the open database.

    Raises:
        UserError: Something is there already.
        EnvironmentProblem: Disk, permission or server.
    """
    actor = setup.create(url, password, login)
    try:
        if zone is not None and actor.user_id is not None:
            with operation(system_actor(actor.db), SOURCE) as work:
                work.change("user", actor.user_id, {"time_zone": zone})
            actor = sign_in(actor.db, login)
        return _fill(actor)
    except BaseException:
        setup.discard(actor.db)
        raise


def _fill(me: Actor) -> Actor:
    db = me.db
    with operation(system_actor(db), SOURCE) as work:
        story = Story(work, me, clock.today(me.zone))
        company.found(story)
        office = replace(
            system_actor(db),
            user_id=story.users.get(names.OFFICE),
            name=names.OFFICE,
            zone=story.zone,
        )
        work.actor = office
        customers.meet(story)
        sales.sell(story)
        service.help_customers(story)
        diary.keep(story)
    offers.write(story, office)
    belongings.add(story, office)
    me = replace(sign_in(db, me.login), zone=me.zone)
    _receive(me, story)
    return me


def _receive(me: Actor, story: Story) -> None:
    """Write the mailbox as files and take it over as the product takes over any mailbox."""
    folder = mailbox_folder(me.db)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        post.write(story, folder)
        meetings.write(story, folder)
    except OSError as error:
        raise EnvironmentProblem(
            N_(
                "The messages of the sample company could not be written to {folder}: {reason}. "
                "Nothing was created."
            ),
            folder=folder,
            reason=error.strerror or error,
        ) from error
    mailbox = records.save(
        # Not the user's own deed: undo must not begin by taking the sample apart.
        system_actor(me.db),
        "mailbox",
        None,
        None,
        {
            "name": tr(N_("Sample mailbox")),
            "kind": "folder",
            "address": story.address,
            "path": str(folder),
            "user": me.user_id,
        },
        source=SOURCE,
    )
    problem = sync_once(me, mailbox.id).problem
    if problem is not None:
        raise problem


def mailbox_folder(db: Database) -> Path:
    """Folder with the messages and meetings of a sample company, named after its database."""
    return paths.data_dir() / f"{slug(db.name)}-mailbox"
