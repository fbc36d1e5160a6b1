"""What hangs on the records of the sample company: tags, groups, connections, files, views."""

from __future__ import annotations

from typing import Final

from desktop_crm.core.i18n import tr
from desktop_crm.demo import logo
from desktop_crm.demo.story import SOURCE, Story
from desktop_crm.models.office import ViewScope
from desktop_crm.services import attachments, list_layout, query
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Rule
from desktop_crm.services.list_layout import Density, Format, ListLayout, Summary
from desktop_crm.services.operation import Operation, operation
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.records import Change

_TAGS: Final = (
    ("VIP", "bad", "Put through at once."),
    ("Newsletter", "info", None),
    ("Fair 2026", "warn", "Met at the fair in spring."),
    ("Reference", "ok", "May be named to others."),
)
_GROUPS: Final = ((0, (1, 2, 3)), (3, (5, 6)))
"""Parents among the first customers, and who belongs to them: three levels in all."""
_CONNECTED: Final = ((0, "Influencer"), (1, "Consultant"), (2, "Partner"), (3, "Referred by"))
"""Roles by their place among the customers: whose contact is what to the first customer."""
_REPORT: Final = """Visit report

The line stands in hall 2, next to the loading bay. Power and compressed air are there; the floor
was measured and carries the machine. Next: drawing of the outfeed, then the date for assembly.
"""


def add(story: Story, office: Actor) -> None:
    """Tag, group and connect what the earlier chapters made; leave files and two views."""
    with operation(office, SOURCE) as work:
        _tags(story, work)
        parents = [
            Change(story.customers[child].id, None, {"parent": story.customers[parent].id})
            for parent, children in _GROUPS
            for child in children
        ]
        work.save_many("account", parents)
        _views(story, work)
    roles = {
        str(row.values[0]): row.id
        for row in query.first_page(office, RecordQuery("connection_role", ("name",)))
    }
    with operation(office, SOURCE) as work:
        work.save_many("connection", _connections(story, roles))
    first = story.customers[0].id
    attachments.add_bytes(office, "account", first, "logo.png", logo.png())
    attachments.add_bytes(office, "account", first, "visit.txt", _REPORT.encode())


def _tags(story: Story, work: Operation) -> None:
    work.save_many(
        "tag",
        [
            Change(None, None, {"name": name, "tone": tone, "description": text})
            for name, tone, text in _TAGS
        ],
    )
    names = [name for name, _tone, _text in _TAGS]
    for entity, ids in (
        ("account", [customer.id for customer in story.customers]),
        ("contact", [person.id for person in story.contacts]),
    ):
        tagged = [key for key in ids if story.rng.random() < 0.3]
        work.save_many(
            entity,
            [
                Change(key, None, {"tags": ", ".join(story.rng.sample(names, 1 + key % 2))})
                for key in tagged
            ],
        )


def _connections(story: Story, roles: dict[str, int]) -> list[Change]:
    first = story.customers[0]
    made: list[Change] = []
    for place, role in _CONNECTED:
        people = story.people_of(story.customers[place + 4].id)
        if people and tr(role) in roles:
            ends = {"from_type": "account", "from_id": first.id, "to_type": "contact"}
            made.append(
                Change(None, None, {**ends, "to_id": people[0].id, "role": roles[tr(role)]})
            )
    return made


def _views(story: Story, work: Operation) -> None:
    by_country = ListLayout(
        columns=("name", "city", "industry", "employees", "phone", "owner"),
        filter=Rule("relationship_type", "=", "customer"),
        group="country",
        totals={"employees": Summary.SUM},
        density=Density.COMPACT,
    )
    large = ListLayout(
        columns=("name", "account", "stage", "amount", "close_on", "owner"),
        filter=Rule("state", "=", "open"),
        formats=(
            Format(Rule("close_on", "<", "today"), tone="bad", icon="clock", bold=True),
            Format(Rule("amount", ">=", "250000"), tone="ok", bold=True),
        ),
        totals={"amount": Summary.SUM},
    )
    owner = story.users["me"]
    work.save_many(
        "saved_view",
        [
            Change(
                None,
                None,
                {
                    "name": name,
                    "entity": entity,
                    "scope": ViewScope.PUBLIC.value,
                    "definition": list_layout.to_json(layout),
                    "owner": owner,
                },
            )
            for name, entity, layout in (
                (tr("Customers by country"), "account", by_country),
                (tr("Open opportunities, late and large"), "opportunity", large),
            )
        ],
    )
