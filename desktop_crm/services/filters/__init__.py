"""Filters: a tree of plain values that lists, views, exports and the command line share.

Grammar of the text form::

    filter    = part { "or" part }
    part      = factor { "and" factor }
    factor    = "not" factor | "(" [filter] ")" | related | condition
    condition = field operator value
              | field "between" value "and" value
              | field ["not"] "in" "(" value { "," value } ")"
              | field ["is"] ["not"] "empty"
              | field "is" ["not"] value
              | field "recurs" value
    operator  = "=" | "!=" | "<" | "<=" | ">" | ">=" | "starts" ["with"] | "ends" ["with"]
              | ["not"] "contains" | ["not"] "has"
    related   = ("has" | "no") relation ["(" filter ")"]
              | "count" relation ["(" filter ")"] sign number
              | "sum" relation "." field ["(" filter ")"] sign number

A value is quoted or a run of words. A field may lead through links: ``account.city``. ``me`` and
``my team`` stand for users. Days may be said relative to today: ``today``, ``yesterday``,
``tomorrow``, ``today+7``, ``today-30``, ``this``, ``last`` or ``next`` ``week``, ``month``,
``quarter``, ``year``, ``fiscal quarter`` and ``fiscal year``, ``last 30 days``, ``next 2 weeks``,
``older than 6 months``. Inside the brackets of a related part, fields are those of the related
records. Empty brackets hold for nothing. ``docs/filters.md`` explains it to the people who write
filters.
"""

from desktop_crm.services.filters.fields import resolve
from desktop_crm.services.filters.text import parse, to_text
from desktop_crm.services.filters.tree import (
    NEVER,
    Group,
    Node,
    Related,
    Rule,
    Value,
    both,
    by_keys,
    from_json,
    normal,
    refuse_huge,
    to_json,
    walk,
)

__all__ = [
    "NEVER",
    "Group",
    "Node",
    "Related",
    "Rule",
    "Value",
    "both",
    "by_keys",
    "from_json",
    "normal",
    "parse",
    "refuse_huge",
    "resolve",
    "to_json",
    "to_text",
    "walk",
]
