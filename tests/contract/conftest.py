"""Failures in what the contracts share are told in full, too."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.contract.writing", "tests.contract.folders")
