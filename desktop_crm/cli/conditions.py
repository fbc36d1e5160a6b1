"""``--filter``: the option and its explanation, for every command that takes conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from desktop_crm.core.i18n import tr

Command = TypeVar("Command", bound=Callable[..., Any])

_FORMS: Final = """\b
  name contains oak             not contains, starts with, ends with
  amount between 500 and 9000   = != < <= > >=
  stage in (Proposal, Won)      not in
  phone is empty                is not empty
  tags has vip                  not has
  account.city = Cluj           a field of a linked record
  owner = me                    my team
  close_on = this quarter       today, today-30, last week, next month,
                                this fiscal year, last 30 days,
                                next 2 weeks, older than 6 months
  has opportunity (state = open and amount > 10000)
  no activity (occurred_at >= today-30)
  count contact (city = Cluj) >= 3
  sum opportunity.amount (state = won) > 50000"""


def explained() -> str:
    """What a filter may say, shown below the options of a command."""
    return "\n\n".join(
        (
            tr("A filter joins conditions by and, or, not and brackets:"),
            _FORMS,
            tr(
                "Values of several words need no quotation marks, unless one of the words is "
                "“and” or “or”."
            ),
        )
    )


def filter_option(command: Command) -> Command:
    """Add ``--filter`` to a command; its parameter is ``condition``."""
    option = click.option(
        "--filter",
        "condition",
        default="",
        metavar="TEXT",
        help=tr("Conditions: field operator value, joined by and, or, not, brackets."),
    )
    return option(command)
