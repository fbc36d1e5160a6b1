"""``import --mail``: messages and meetings of files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import outlook_store

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def test_mail_of_files_is_taken_in_once(run: Run, empty: Path, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "a.eml").write_bytes(
        b"From: ion@client.example\r\nTo: me@firm.example\r\nSubject: A\r\n"
        b"Message-ID: <a@x>\r\nDate: Mon, 02 Mar 2026 08:00:00 +0000\r\n\r\nHello\r\n"
    )
    (folder / "b.msg").write_bytes(b"nothing")
    ran = run("import", "--mail", folder, "--db", empty, "--json")
    assert ran.code == 0
    assert ran.json["created"] == 1
    assert [one["file"] for one in ran.json["refused"]] == ["b.msg"]
    again = run("import", "--mail", folder / "a.eml", "--db", empty, "--json")
    assert (again.json["created"], again.json["known"]) == (0, 1)
    assert run("import", "--mail", tmp_path / "none.eml", "--db", empty).code != 0
    ran = run("import", "--mail", folder / "b.msg", "--db", empty, "--json")
    assert (ran.code, ran.json["created"]) == (1, 0)
    (tmp_path / "other").mkdir()
    ran = run("import", "--mail", tmp_path / "other", "--db", empty)
    assert ran.code == 1
    assert "no message and no meeting" in ran.err
    for more in (("--plan",), ("account",), ("--match", "name")):
        assert run("import", *more, "--mail", folder / "a.eml", "--db", empty).code == 2
    assert run("import", "--db", empty).code != 0


def test_an_outlook_data_file_is_taken_in_with_what_is_left_named(
    run: Run, empty: Path, tmp_path: Path
) -> None:
    pytest.importorskip("pypff", reason="the extra “pst” (libpff-python) is not installed")
    letters = [
        outlook_store.message(subject=f"A {n}", sender=("Ion", "ion@x.example")) for n in "12"
    ]
    card = outlook_store.message(subject="Ion", kind="IPM.Contact")
    folder = outlook_store.Folder("Inbox", [*letters, card])
    (tmp_path / "archive.pst").write_bytes(outlook_store.store([folder]))
    ran = run("import", "--mail", tmp_path, "--db", empty)
    assert ran.code == 0
    assert "2 items taken in" in ran.out
    assert "Not taken in: 1 item of archive.pst. It is an appointment, contact" in ran.out
