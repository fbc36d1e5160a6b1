"""Every problem is one sentence, in the language in force when it is shown."""

from __future__ import annotations

import pytest

from desktop_crm.core import errors, i18n


def test_a_field_is_a_name_and_a_parameter() -> None:
    problem = errors.UserError("{field} is empty.", field="city")
    assert str(problem) == "city is empty."
    assert problem.field == "city"
    assert errors.UserError("No.").field is None


def test_field_errors_are_joined() -> None:
    problems = (
        errors.FieldError("name", "{label} is missing.", (("label", "Name"),)),
        errors.FieldError("lines.x", "Wrong.", row=2),
    )
    failed = errors.ValidationFailed(problems)
    assert str(failed) == "Name is missing. Wrong. Nothing was saved."
    assert failed.field == "name"
    assert failed.errors[1].row == 2


def test_kinds_of_problems() -> None:
    assert isinstance(errors.NotFound("x"), errors.UserError)
    assert not isinstance(errors.EnvironmentProblem("x"), errors.UserError)
    assert errors.EnvironmentProblem("x", retryable=True).retryable
    fields = {"name": errors.ConflictField("a", "b", "c")}
    conflict = errors.Conflict("account", 1, fields, 5)
    assert (conflict.current_version, conflict.fields["name"].theirs) == (5, "c")
    assert str(conflict).startswith("Somebody else changed this record")
    assert str(errors.Cancelled()).endswith(".")


def test_an_exception_is_a_parameter_like_any_other() -> None:
    problem = errors.EnvironmentProblem("Failed: {reason}.", reason=OSError(28, "disk full"))
    assert str(problem) == "Failed: [Errno 28] disk full."


def test_sentences_are_translated_when_they_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = errors.UserError("There is nothing to undo.")
    monkeypatch.setattr(i18n, "_current", "ro")
    shown = str(problem)
    monkeypatch.setattr(i18n, "_current", "en")
    assert str(problem) == "There is nothing to undo."
    assert shown == i18n.translate("ro", "There is nothing to undo.")
