"""``quote print``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from pypdf import PdfReader

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def _number(run: Run, sample: Path, condition: str) -> str:
    found = run("query", "quote", "--filter", condition, "--columns", "number", "--db", sample,
                "--json").json  # fmt: skip
    return str(found[0]["number"])


def test_a_quote_becomes_a_pdf_in_the_customers_language(
    run: Run, sample: Path, tmp_path: Path
) -> None:
    number = _number(run, sample, "state = active and account.language = ro")
    out = tmp_path / "quote.pdf"

    ran = run("quote", "print", number, "--out", out, "--db", sample, "--json")

    assert ran.code == 0
    assert (ran.json["file"], ran.json["draft"]) == (str(out), False)
    content = out.read_bytes()
    assert ran.json["bytes"] == len(content)
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert number in text
    assert "Cetina Automatizări SRL" in text


def test_printing_again_gives_the_same_file(run: Run, sample: Path, tmp_path: Path) -> None:
    number = _number(run, sample, "state = active")
    for name in ("a.pdf", "b.pdf"):
        assert run("quote", "print", number, "--out", tmp_path / name, "--db", sample).code == 0

    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_unknown_numbers_and_bad_places(run: Run, sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "q.pdf"
    ran = run("quote", "print", "Q-0", "--out", out, "--db", sample, "--json")
    assert ran.code == 1
    assert "Q-0" in ran.json["error"]
    assert not out.exists()

    number = _number(run, sample, "state = active")
    (tmp_path / "file").write_text("")
    bad = run("quote", "print", number, "--out", tmp_path / "file" / "q.pdf", "--db", sample)
    assert bad.code == 3
    assert len(bad.err.splitlines()) == 1
