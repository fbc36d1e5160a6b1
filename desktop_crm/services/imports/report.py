"""The answer to an import: the file's rows with what became of each and why."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from desktop_crm.core.i18n import N_, tr
from desktop_crm.services.excel import report
from desktop_crm.services.excel.layout import HIDDEN_COLUMNS
from desktop_crm.services.imports.draft import Outcome
from desktop_crm.services.imports.service import ImportPlan
from desktop_crm.services.imports.values import as_text

OUTCOMES: Final = {
    Outcome.CREATE: N_("New"),
    Outcome.UPDATE: N_("Changed"),
    Outcome.SAME: N_("Unchanged"),
    Outcome.CONFLICT: N_("Conflict"),
    Outcome.ERROR: N_("Rejected"),
    Outcome.MISSING: N_("Deleted meanwhile"),
}
"""Outcomes in words."""


def report_rows(plan: ImportPlan, *, only_rejected: bool = False) -> list[tuple[str, ...]]:
    """Rows of the report: number, outcome, reason, then the file's values as text."""
    chosen = plan.rejected if only_rejected else plan.rows
    shown = _shown_columns(plan)
    return [
        (
            str(row.number),
            tr(OUTCOMES[row.outcome]),
            row.reason,
            *(as_text(plan.table.rows[row.position].cells[i]) for i in shown),
        )
        for row in chosen
    ]


def report_header(plan: ImportPlan) -> tuple[str, ...]:
    """Names of the report's columns."""
    names = [plan.table.header[i] for i in _shown_columns(plan)]
    return (tr("Row"), tr("Outcome"), tr("Reason"), *names)


def write_report(plan: ImportPlan, path: Path, *, only_rejected: bool = False) -> None:
    """Write a workbook of the file's rows with the messages beside them.

    Args:
        plan: The plan, before or after it was applied.
        path: File to write, ending in .xlsx.
        only_rejected: Leave out the rows that were taken.

    Raises:
        EnvironmentProblem: The file cannot be written.
    """
    rows = report_rows(plan, only_rejected=only_rejected)
    marked = {str(row.number) for row in plan.rejected}
    report.write(path, report_header(plan), rows, [row[0] in marked for row in rows])


def _shown_columns(plan: ImportPlan) -> list[int]:
    return [i for i, name in enumerate(plan.table.header) if name and name not in HIDDEN_COLUMNS]
