"""Workbooks: reading them, writing them and the hidden sheet that lets one come back."""

from __future__ import annotations

from desktop_crm.services.excel.writing import ExportResult, export, exportable

__all__ = ["ExportResult", "export", "exportable"]
