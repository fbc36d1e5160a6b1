"""Records that may be the same, and those that were made one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, UniqueConstraint

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import (
    Stored,
    choice,
    integer,
    json,
    loose_link,
    moment,
    percent,
    text,
)
from desktop_crm.meta.field import Choice, EntityMeta, Tone
from desktop_crm.models.base import Base


class DuplicateState(Choice):
    """What became of a possible duplicate."""

    OPEN = "open", N_("To review"), Tone.WARN
    DIFFERENT = "different", N_("Not the same"), Tone.NEUTRAL
    MERGED = "merged", N_("Merged"), Tone.OK


class MergeState(Choice):
    """Whether a merge stands."""

    MERGED = "merged", N_("Merged"), Tone.OK
    UNMERGED = "unmerged", N_("Taken apart again"), Tone.NEUTRAL


class DuplicatePair(Base):
    """Two records of one entity that may be the same; ``first_id`` is the smaller key (R51)."""

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        UniqueConstraint("entity", "first_id", "second_id"),
        Index("ix_duplicate_pair_queue", "entity", "state", "score"),
        Index("ix_duplicate_pair_second", "entity", "second_id"),
    )
    __entity__ = EntityMeta(
        key="duplicate_pair",
        label=N_("Possible duplicate"),
        plural=N_("Possible duplicates"),
        icon="people",
        title="score",
        columns=("entity", "first_id", "second_id", "score", "state", "found_at"),
        order="-score",
    )
    entity: Stored[str] = text(N_("Entity"), length=60)
    first_id: Stored[int] = integer(N_("First record"))
    second_id: Stored[int] = integer(N_("Second record"))
    score: Stored[Decimal] = percent(N_("Similarity"))
    reasons: Stored[list[Any] | None] = json(N_("Reasons"))
    state: Stored[str] = choice(N_("State"), DuplicateState, default=DuplicateState.OPEN)
    found_at: Stored[datetime] = moment(N_("Found"))
    decided_by_id: Stored[int | None] = loose_link(N_("Decided by"), "user")
    decided_at: Stored[datetime | None] = moment(N_("Decided"))


class MergeLog(Base):
    """One record that went into another; the operation's audit entries are its pre-images (R52)."""

    __tablename__ = "merge_log"
    __table_args__ = (
        Index("ix_merge_log_master", "entity", "master_id"),
        Index("ix_merge_log_loser", "entity", "loser_id"),
        Index("ix_merge_log_operation", "operation"),
    )
    __entity__ = EntityMeta(
        key="merge_log",
        label=N_("Merge of records"),
        plural=N_("Merges"),
        icon="people",
        title="merged_at",
        columns=("entity", "master_id", "loser_id", "state", "merged_at", "merged_by"),
        order="-merged_at",
    )
    entity: Stored[str] = text(N_("Entity"), length=60)
    master_id: Stored[int] = integer(N_("Kept record"))
    loser_id: Stored[int] = integer(N_("Merged record"))
    operation: Stored[str] = text(N_("Operation"), length=36, hidden=True)
    state: Stored[str] = choice(N_("State"), MergeState, default=MergeState.MERGED)
    merged_at: Stored[datetime] = moment(N_("Merged at"))
    merged_by_id: Stored[int | None] = loose_link(N_("Merged by"), "user")
    details: Stored[dict[str, Any] | None] = json(N_("Details"), hidden=True)
