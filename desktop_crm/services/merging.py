"""Two people at the same record: what one changed and the other did not is kept from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from desktop_crm.core.errors import Conflict, ConflictField
from desktop_crm.meta import kinds, registry
from desktop_crm.services import audit, line_rows, writer
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.permissions import visible_fields
from desktop_crm.services.values import same

_Rows = Sequence[Mapping[str, Any]]


def merge(work: Work, draft: Draft, version: int, base: Mapping[str, Any] | None) -> frozenset[str]:
    """Take a draft that was made from an older version to the one that stands.

    Args:
        work: The open transaction.
        draft: Wanted values against the stored ones; what only the other side changed is
            taken out of it.
        version: Version the change was made from.
        base: Values it was made from; None takes the audit trail.

    Returns:
        Fields somebody else changed since.

    Raises:
        Conflict: Both sides changed a field, and differently.
    """
    before = audit.changed_since(work, draft.id or 0, version)
    if base is not None:
        before.update({name: value for name, value in base.items() if name in before})
    fields = work.entity.fields
    lines = {name for name in before if fields[name].kind is kinds.LINES}
    theirs = {n for n in before if n in lines or not same(before[n], draft.old.get(n))}
    clashing: dict[str, ConflictField] = {}
    for name in theirs & draft.new.keys():
        if same(draft.new[name], before[name]):
            del draft.new[name]
        else:
            clashing[name] = ConflictField(before[name], draft.new[name], draft.old.get(name))
    for name in lines & draft.lines.keys():
        clash = _merge_lines(work, draft, name, (base or {}).get(name))
        if clash is not None:
            clashing[name] = clash
    if clashing:
        raise Conflict(work.entity.key, draft.id or 0, clashing, draft.version)
    return frozenset(theirs)


def _merge_lines(work: Work, draft: Draft, name: str, base: _Rows | None) -> ConflictField | None:
    bound = work.entity.fields[name].lines
    assert bound is not None  # noqa: S101  only lines fields come here
    child = registry.get(bound.entity)
    formats = work.actor.formats
    mine = draft.lines[name]
    stands = writer.seen_lines(work, name, [draft]).get(draft.id or 0, [])
    unchanged = base is not None and line_rows.equal(child, mine, base, formats)
    if unchanged or line_rows.equal(child, mine, stands, formats):
        del draft.lines[name]
        return None
    known = visible_fields(work.actor, child)
    theirs = tuple({k: v for k, v in row.items() if k in known} for row in stands)
    return ConflictField(tuple(base or ()), tuple(mine), theirs)
