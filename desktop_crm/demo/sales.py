"""A year of opportunities, played week by week so that their history is true."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from desktop_crm.demo.company import list_price
from desktop_crm.demo.story import Customer, Deal, Story, plain
from desktop_crm.services.records import Change

OPEN_STAGES: Final = (
    ("prospecting", 13), ("qualification", 12), ("needs_analysis", 9), ("value_proposition", 8),
    ("decision_makers", 7), ("perception_analysis", 6), ("proposal", 8), ("negotiation", 5),
)  # fmt: skip
_WON: Final = 31
_LOST: Final = 21
_CODES: Final = tuple(code for code, _ in OPEN_STAGES)

_NEEDS: Final = (
    ("Carton line", ("CT-100", "CV-010", "SV-INS")),
    ("Case packing cell", ("CT-200", "CV-010", "SV-INS", "SV-TRN")),
    ("Palletising", ("PL-300", "SV-INS")),
    ("Pallet wrapping", ("FW-050", "SV-INS")),
    ("Labelling upgrade", ("LB-020", "SN-005")),
    ("Print and apply", ("LB-040", "SN-005", "SV-TRN")),
    ("Conveyor extension", ("CV-010", "CV-090")),
    ("Spare parts package", ("SP-012", "SP-077", "SN-005")),
    ("Maintenance contract", ("SV-CTR",)),
    ("Retrofit of the old line", ("SN-005", "SV-HRS", "SV-TRN")),
)
_NEXT: Final = (
    "Call about the layout", "Send the revised drawing", "Agree the site visit",
    "Ask for the acceptance protocol", "Present the offer to the board", "Check the delivery time",
)  # fmt: skip
_REASONS: Final = ("Price", "Chose a competitor", "No budget", "No decision", "Wrong time")


def sell(story: Story) -> None:
    """Open, move and close 120 opportunities over the past year."""
    plans = _plans(story)
    weeks: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for index, plan in enumerate(plans):
        for days, stage in plan["path"]:
            weeks[(-days - 1) // 7].append((days, index, stage))
    keys: dict[int, int] = {}
    for week in sorted(weeks, reverse=True):
        latest = {index: stage for _, index, stage in sorted(weeks[week])}
        with story.then(-(7 * week + 1)):
            _open(story, plans, keys, {i: s for i, s in latest.items() if i not in keys})
            _move(story, plans, keys, latest)
    story.deals = [_deal(plan, keys[index]) for index, plan in enumerate(plans)]


def _plans(story: Story) -> list[dict[str, Any]]:
    ends = [code for code, count in OPEN_STAGES for _ in range(count)]
    ends += ["won"] * _WON + ["lost"] * _LOST
    closings = [-(2 + (n * 298) // (_WON + _LOST)) for n in range(_WON + _LOST)]
    story.rng.shuffle(closings)
    plans: list[dict[str, Any]] = []
    taken: set[str] = set()
    for number, end in enumerate(ends):
        if end in {"won", "lost"}:
            path = _closed_path(story, end, closings.pop())
        else:
            path = _open_path(story, _CODES.index(end))
        path = [(story.working(day), stage) for day, stage in path]
        plan = _plan(story, number, end, path)
        if plan["name"] in taken:
            plan["name"] += ", phase 2"
        taken.add(plan["name"])
        plans.append(plan)
    return plans


def _closed_path(story: Story, end: str, closed: int) -> list[tuple[int, str]]:
    depth = story.rng.randint(3, 7) if end == "won" else story.rng.randint(0, 6)
    began = closed - story.rng.randint(21, 80)
    return [*_steps(story, depth, began, closed - 4), (closed, end)]


def _open_path(story: Story, depth: int) -> list[tuple[int, str]]:
    began = -(story.rng.randint(3, 25) + 11 * depth)
    return _steps(story, depth, began, -1)


def _steps(story: Story, depth: int, began: int, last: int) -> list[tuple[int, str]]:
    """Days on which the stages up to a depth were reached; some were skipped."""
    passed = [d for d in range(depth) if d == 0 or story.rng.random() < 0.6]
    stages = [*passed, depth]
    span = max(last - began, 0)
    return [
        (began + (span * place) // len(stages), _CODES[stage]) for place, stage in enumerate(stages)
    ]


def _plan(story: Story, number: int, end: str, path: list[tuple[int, str]]) -> dict[str, Any]:
    rng = story.rng
    known = [c for c in story.customers if c.days_ago > -path[0][0]] or story.customers[:5]
    # Every third opportunity is the user's own, so that the first day has something to do.
    mine = [c for c in known if c.owner == story.team[0]]
    customer = rng.choice(mine if number % 3 == 0 and mine else known)
    need, codes = _NEEDS[number % len(_NEEDS)]
    lines = _lines(story, customer, codes) if number % 5 < 3 else []
    amount = sum((line["quantity"] * line["unit_price"] for line in lines), Decimal(0))
    if not lines:
        amount = Decimal(rng.randint(8, 240)) * 250 * (5 if customer.currency == "RON" else 1)
    return {
        "name": f"{need} – {plain(customer.name)}",
        "customer": customer,
        "products": codes,
        "contact": rng.choice(story.people_of(customer.id)).id,
        "end": end,
        "path": path,
        "lines": lines,
        "amount": amount.quantize(Decimal("0.01")),
        "revenue": (amount * rng.randint(88, 100) / 100).quantize(Decimal("0.01")),
        "close_on": _close_on(story, end, path),
        "next_step": "" if end in {"won", "lost"} else _NEXT[number % len(_NEXT)],
        "type": "existing" if number % 3 else "new",
        "source": rng.choice(("existing_customer", "trade_show", "web_site", "word_of_mouth")),
        "reason": _REASONS[number % len(_REASONS)] if end == "lost" else None,
    }


def _lines(story: Story, customer: Customer, codes: tuple[str, ...]) -> list[dict[str, Any]]:
    amounts = {"CV-010": 12, "SV-HRS": 24, "SP-012": 10, "SP-077": 30, "SN-005": 4, "SV-CTR": 12}
    return [
        {
            "product": story.ids[f"product:{code}"],
            "quantity": Decimal(amounts.get(code, 1) * story.rng.randint(1, 2)),
            "unit_price": list_price(code, customer.currency),
            "is_primary": place == 0,
        }
        for place, code in enumerate(codes)
    ]


def _close_on(story: Story, end: str, path: list[tuple[int, str]]) -> Any:  # noqa: ANN401  a day
    if end in {"won", "lost"}:
        return story.today + timedelta(days=path[-1][0])
    depth = _CODES.index(end)
    ahead = story.rng.randint(5, 40) + 9 * (len(_CODES) - depth)
    late = story.rng.random() < 0.06
    return story.today + timedelta(days=-story.rng.randint(2, 12) if late else ahead)


def _open(
    story: Story, plans: list[dict[str, Any]], keys: dict[int, int], starts: dict[int, str]
) -> None:
    rows = []
    for index, stage in starts.items():
        plan = plans[index]
        customer: Customer = plan["customer"]
        row = {
            "name": plan["name"],
            "account": customer.id,
            "contact": plan["contact"],
            "owner": customer.owner,
            "stage": story.ids[f"stage:{stage}"],
            "currency": story.ids[f"currency:{customer.currency}"],
            "price_list": story.ids[f"price_list:{customer.currency}"],
            "amount": plan["amount"],
            "opened_on": story.today + timedelta(days=plan["path"][0][0]),
            "close_on": plan["close_on"],
            "next_step": plan["next_step"],
            "type": plan["type"],
            "source": plan["source"],
        }
        if plan["lines"]:
            row["lines"] = plan["lines"]
            row["is_system_calculated"] = True
        rows.append(Change(None, None, row | _ending(story, plan, stage)))
    made = story.work.save_many("opportunity", rows)
    keys.update(zip(starts, made, strict=True))


def _move(
    story: Story, plans: list[dict[str, Any]], keys: dict[int, int], latest: dict[int, str]
) -> None:
    story.work.save_many(
        "opportunity",
        [
            Change(
                keys[index],
                None,
                {"stage": story.ids[f"stage:{stage}"], **_ending(story, plans[index], stage)},
            )
            for index, stage in latest.items()
        ],
    )


def _ending(story: Story, plan: dict[str, Any], stage: str) -> dict[str, Any]:
    if stage not in {"won", "lost"}:
        return {}
    ending: dict[str, Any] = {"closed_on": story.today + timedelta(days=plan["path"][-1][0])}
    if stage == "won":
        ending["actual_revenue"] = plan["revenue"]
    else:
        ending["close_reason"] = plan["reason"]
    return ending


def _deal(plan: dict[str, Any], key: int) -> Deal:
    customer: Customer = plan["customer"]
    return Deal(
        id=key,
        name=plan["name"],
        account=customer.id,
        contact=plan["contact"],
        owner=customer.owner,
        stage=plan["end"],
        opened_days_ago=-plan["path"][0][0],
        moved_days_ago=-plan["path"][-1][0],
        products=plan["products"],
    )
