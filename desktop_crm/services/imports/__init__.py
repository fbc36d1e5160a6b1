"""Taking records in from files: read, match, plan, apply in one batch, take back.

>>> plan = imports.plan_file(actor, "account", path)
>>> result = imports.apply(actor, plan)
>>> undo.undo_batch(actor, result.batch)
"""

from __future__ import annotations

from desktop_crm.services.imports.applying import ImportResult, apply
from desktop_crm.services.imports.draft import (
    REJECTED,
    CellProblem,
    Notice,
    NoticeKind,
    Outcome,
    PlannedRow,
)
from desktop_crm.services.imports.matching import ColumnMatch, How, targets
from desktop_crm.services.imports.options import ImportOptions, OnConflict
from desktop_crm.services.imports.report import write_report
from desktop_crm.services.imports.service import ImportPlan, plan_file
from desktop_crm.services.imports.source import open_table

__all__ = [
    "REJECTED",
    "CellProblem",
    "ColumnMatch",
    "How",
    "ImportOptions",
    "ImportPlan",
    "ImportResult",
    "Notice",
    "NoticeKind",
    "OnConflict",
    "Outcome",
    "PlannedRow",
    "apply",
    "open_table",
    "plan_file",
    "targets",
    "write_report",
]
