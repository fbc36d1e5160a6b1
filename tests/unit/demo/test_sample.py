"""The sample company is complete, alive today, and belongs to nobody real."""

from __future__ import annotations

import re
import struct
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_crm import demo
from desktop_crm.core import clock
from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.demo import logo, meetings, names, post, texts
from desktop_crm.services import dashboards, records, steps
from desktop_crm.services.query import entity_query, objects
from desktop_crm.services.timeline import timeline
from desktop_crm.sync.scheduler import sync_once

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor


def _all(me: Actor, entity: str, *columns: str, condition: str = "") -> list[dict[str, Any]]:
    return objects(me, entity_query(entity, columns, condition))


def test_there_is_as_much_as_promised(me: Actor) -> None:
    counts = {
        key: len(_all(me, key, "id"))
        for key in ("account", "contact", "lead", "opportunity", "product", "quote", "user", "team")
    }

    assert counts == {
        "account": 60, "contact": 150, "lead": 20, "opportunity": 120, "product": 15, "quote": 12,
        "user": 6, "team": 2,
    }  # fmt: skip
    assert 200 <= len(_all(me, "activity", "id", condition="kind != email")) <= 320


def test_the_user_is_a_sales_manager_with_records_of_their_own(me: Actor) -> None:
    assert me.is_admin
    user = records.get(me, "user", me.user_id or 0).values
    assert user["job_title"] == "Sales manager"
    for entity in ("account", "contact", "lead", "opportunity", "quote", "activity"):
        assert _all(me, entity, "id", condition="owner = me"), entity


def test_today_has_something_to_do(me: Actor) -> None:
    day = dashboards.my_day(me)

    assert len(day.overdue) >= 3
    assert len(day.today) >= 3


def test_every_stage_is_filled_and_its_history_is_true(me: Actor) -> None:
    stages = Counter(row["stage"] for row in _all(me, "opportunity", "stage"))
    assert len(stages) == 10
    moves = _all(me, "stage_history", "at", "opportunity.id", "to_stage", "seconds_in_stage")
    assert len({move["at"].date() for move in moves}) > 30
    assert max(move["at"] for move in moves) <= clock.now()
    last: dict[int, tuple[datetime, str]] = {}
    for move in sorted(moves, key=lambda move: (move["at"], move["id"])):
        last[move["opportunity.id"]] = (move["at"], move["to_stage"])
    for row in _all(me, "opportunity", "stage", "closed_on", "opened_on"):
        assert last[row["id"]][1] == row["stage"]
        if row["closed_on"]:
            assert row["opened_on"] <= row["closed_on"] <= clock.today(me.zone)


def test_quotes_stand_in_every_state(me: Actor) -> None:
    rows = _all(me, "quote", "state", "status_reason", "total_amount", "number", "expires_on")

    assert {row["status_reason"] for row in rows} == {
        "in_progress", "open", "won", "lost", "canceled", "revised",
    }  # fmt: skip
    assert all(row["total_amount"] > 0 for row in rows)
    assert any(r["state"] == "active" and r["expires_on"] < clock.today() for r in rows)


def test_mail_is_linked_and_what_is_nobodys_business_is_not_stored(me: Actor) -> None:
    items = _all(me, "mailbox_item", "folder", "state", "reason")
    states = Counter(row["state"] for row in items)
    assert states["stored"] + states["excluded"] >= post.COUNT + meetings.COUNT
    assert states["quarantined"] == 0
    assert len({row["reason"] for row in items if row["state"] == "excluded"}) == 3

    links = _all(me, "link", "rule", "state", "record_type", condition="state = linked")
    assert {row["rule"] for row in links} >= {"contact", "reply", "domain", "lead", "opportunity"}
    suggested = _all(me, "link", "id", condition="state = suggested")
    assert suggested
    private = [m for m in _all(me, "mail_message", "subject") if m["subject"] == "Personal"]
    assert private == []


def test_timelines_mix_mail_with_the_rest(me: Actor) -> None:
    kinds: Counter[str] = Counter()
    for row in _all(me, "account", "id")[:30]:
        kinds.update({item.kind for item in timeline(me, "account", row["id"], limit=200)})

    assert all(kinds[kind] for kind in ("email", "task", "phone_call", "appointment", "note"))


def test_meetings_arrive_with_their_guests(me: Actor) -> None:
    guests = _all(me, "activity_party", "response", "contact",
                  condition="activity.ical_uid is not empty and contact is not empty")  # fmt: skip
    assert len(guests) > 30
    assert len({row["response"] for row in guests}) >= 3
    series = _all(me, "activity", "subject", condition="recurrence_rule is not empty")
    assert {"Team meeting", "Stand-up", "Monthly figures"} <= {row["subject"] for row in series}


def test_a_second_pass_finds_nothing_new(me: Actor) -> None:
    result = sync_once(me)

    assert result.problem is None
    assert (result.count("created"), result.count("updated")) == (0, 0)


def test_nothing_of_it_is_the_users_to_undo(me: Actor) -> None:
    assert steps.last(me) is None


def test_nobody_real_is_in_it(me: Actor) -> None:
    addresses = [row["address"] for row in _all(me, "email_address", "address")]
    addresses += [row["email"] for row in _all(me, "user", "email")]
    assert all(address.endswith(".example") for address in addresses)
    companies = _all(me, "account", "tax_id", condition="tax_id is not empty")
    for row in [*companies, *_all(me, "own_company", "tax_id")]:
        assert not _is_possible_cui(row["tax_id"].removeprefix("RO "))


def _is_possible_cui(digits: str) -> bool:
    """Check digit of a Romanian tax number."""
    body = digits[:-1].rjust(9, "0")
    total = sum(int(d) * w for d, w in zip(body, (7, 5, 3, 2, 1, 7, 5, 3, 2), strict=True))
    return str(total * 10 % 11 % 10) == digits[-1]


def test_names_have_letters_of_many_languages() -> None:
    text = " ".join(firm.name for firm in names.FIRMS)

    assert len({firm.name for firm in names.FIRMS}) == len(names.FIRMS) == 60
    assert set("șțăîâ") <= set(text.lower() + " ".join(sum(names.PEOPLE["ro"], ())))


# --- making it ----------------------------------------------------------------------------------


def _told(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}  # fmt: skip


def test_the_same_seed_tells_the_same_story(tmp_path: Path, home: Path) -> None:
    clock.use_clock(lambda: datetime(2026, 11, 25, 8, 20, tzinfo=UTC))
    told = []
    for name in ("one", "two"):
        actor = demo.create(str(tmp_path / f"{name}.db"), zone="Europe/Bucharest")
        people = _all(actor, "contact", "full_name", "email")
        deals = _all(actor, "opportunity", "name", "stage", "amount", "modified_at")
        told.append((people, deals, _told(demo.mailbox_folder(actor.db))))
        actor.db.close()

    assert told[0] == told[1]
    assert len(told[0][2]) == post.COUNT + meetings.COUNT


@pytest.mark.parametrize("day", [datetime(2027, 1, 3, 20, 0, tzinfo=UTC),
                                 datetime(2028, 2, 29, 0, 30, tzinfo=UTC)])  # fmt: skip
def test_it_is_alive_on_any_day(tmp_path: Path, day: datetime) -> None:
    clock.use_clock(lambda: day)
    actor = demo.create(str(tmp_path / "sample.db"), zone="Europe/Bucharest")
    found = dashboards.my_day(actor)
    future = [row for row in _all(actor, "stage_history", "at") if row["at"] > day]
    newest = max(row["sent_at"] for row in _all(actor, "mail_message", "sent_at"))
    actor.db.close()

    assert found.overdue
    assert found.today
    assert future == []
    assert day - timedelta(days=4) < newest <= day


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "sample.db"
    path.write_text("mine", encoding="utf-8")

    with pytest.raises(UserError, match="exists already"):
        demo.create(str(path))

    assert path.read_text(encoding="utf-8") == "mine"


def test_a_failure_leaves_no_half_company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(meetings, "write", full)

    with pytest.raises(EnvironmentProblem, match="No space left"):
        demo.create(str(tmp_path / "sample.db"))

    assert list(tmp_path.iterdir()) == []


def test_on_a_server(postgres_url: str, new_postgres_database: Any) -> None:
    actor = demo.create(new_postgres_database(None))
    try:
        assert len(_all(actor, "opportunity", "id")) == 120
        assert len(_all(actor, "mail_message", "id")) > 150
    finally:
        actor.db.close()


# --- what it draws and writes by hand ------------------------------------------------------------


def test_the_logo_is_a_png() -> None:
    data = logo.png()

    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height) == (logo.SIZE, logo.SIZE)
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    assert len(zlib.decompress(data[start : start + length])) == height * (1 + 4 * width)


def test_the_attached_pdf_opens() -> None:
    import io

    from pypdf import PdfReader

    page = PdfReader(io.BytesIO(texts.small_pdf("offer (1).pdf"))).pages[0]
    assert page.extract_text() == "offer [1].pdf"


def test_calendar_lines_are_folded_between_characters() -> None:
    folded = meetings._folded("SUMMARY:" + "ș" * 100)

    lines = folded.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    assert re.sub(r"\r\n ", "", folded) == "SUMMARY:" + "ș" * 100
