"""Benchmarks 5 and 6: opening a contact with its panels, and the pipeline's totals."""

from __future__ import annotations

from typing import Final

from desktop_crm.bench.ground import Ground
from desktop_crm.bench.rows import Row, compared, pair, unmeasured
from desktop_crm.services import pipeline
from desktop_crm.services.records import RecordValues
from desktop_crm.services.timeline import TimelineItem

CONTACT: Final = """SELECT c.id, c.uid, c.full_name, c.salutation, c.first_name, c.middle_name,
 c.last_name, c.suffix, c.account_id, c.job_title, c.department, c.role, c.manager_id,
 c.assistant_id, c.birthday, c.anniversary, c.website, c.source, c.originating_lead_id, c.state,
 c.description, c.title_key, c.search_text, c.source_system, c.external_id, c.import_batch_id,
 c.version, c.created_at, c.modified_at, c.deleted_at, c.created_by_id, c.modified_by_id, c.email,
 c.phone, c.street, c.postal_code, c.city, c.region, c.country, c.do_not_email, c.do_not_phone,
 c.do_not_bulk, c.owner_id, a.name, m.full_name, s.full_name, l.subject, b.name, o.name, mu.name,
 cu.name
 FROM contact c LEFT JOIN account a ON a.id = c.account_id
 LEFT JOIN contact m ON m.id = c.manager_id LEFT JOIN contact s ON s.id = c.assistant_id
 LEFT JOIN lead l ON l.id = c.originating_lead_id
 LEFT JOIN import_batch b ON b.id = c.import_batch_id AND b.created_by_id = 1
 LEFT JOIN "user" o ON o.id = c.owner_id LEFT JOIN "user" cu ON cu.id = c.created_by_id
 LEFT JOIN "user" mu ON mu.id = c.modified_by_id WHERE c.id = ?"""
EMAILS: Final = """SELECT * FROM email_address
 WHERE contact_id = ? AND deleted_at IS NULL ORDER BY id"""
PHONES: Final = "SELECT * FROM phone WHERE contact_id = ? AND deleted_at IS NULL ORDER BY id"
ADDRESSES: Final = """SELECT * FROM postal_address
 WHERE contact_id = ? AND deleted_at IS NULL ORDER BY id"""
TIMELINE: Final = """SELECT a.id, a.kind, a.subject, a.description,
 coalesce(a.occurred_at, a.created_at) AS at, a.direction, a.state, a.sensitivity, a.owner_id,
 k.rule, k.evidence, k.confidence, o.name, d.name, mm.preview, mm.from_name, mm.from_address,
 mm.to_line FROM link k JOIN activity a ON a.id = k.activity_id
 LEFT JOIN mail_message mm ON mm.activity_id = a.id LEFT JOIN "user" o ON o.id = a.owner_id
 LEFT JOIN "user" d ON d.id = k.linked_by_id
 WHERE k.record_type = 'contact' AND k.record_id = ? AND k.state = 'linked'
 AND k.deleted_at IS NULL AND a.deleted_at IS NULL ORDER BY 5 DESC, 1 DESC LIMIT 50"""
STATEMENTS: Final = (CONTACT, EMAILS, PHONES, ADDRESSES, TIMELINE)

TOTALS: Final = """SELECT stage_id, currency_id, count(*), count(amount), sum(amount),
 sum(CASE WHEN state <> 'lost' AND ifnull(forecast_category, '') <> 'omitted'
 THEN (amount * probability + 50000000) / 100000000 END)
 FROM opportunity INDEXED BY ix_opportunity_pipeline WHERE deleted_at IS NULL
 GROUP BY stage_id, state, currency_id"""
_CONTACTS: Final = 40


def opened(ground: Ground) -> list[Row]:
    """Benchmark 5: what the window reads when a contact is opened, timeline included."""
    from desktop_crm.views.panes.record_detail import load_record

    actor = ground.everything
    turn = {"ours": 0, "limit": 0}

    def next_contact(which: str) -> int:
        turn[which] = turn[which] % _CONTACTS + 1
        return turn[which]

    def ours() -> tuple[RecordValues, list[TimelineItem]]:
        loaded = load_record(actor, "contact", next_contact("ours"))
        return loaded.record, loaded.items or []

    def by_hand() -> list[list[tuple[object, ...]]]:
        key = next_contact("limit")
        return [ground.fetch(statement, (key,)) for statement in STATEMENTS]

    operation = "open a contact with its addresses and timeline"
    record, items = ours()
    found = by_hand()
    same = record.values["email"] == found[0][0][32] and len(record.lines["emails"]) == len(
        found[1]
    )
    if not same or [item.activity_id for item in items] != [row[0] for row in found[4]]:
        return [unmeasured(5, operation, "the two ways give different rows", ground.database)]
    measured = pair(ours, by_hand, 2 * _CONTACTS)
    return [compared(5, operation, measured, 8, database=ground.database)]


def stage_totals(ground: Ground) -> list[Row]:
    """Benchmark 6: the pipeline's totals by stage against the covering index."""
    actor = ground.everything
    operation = "pipeline totals by stage, 200,000 opportunities"
    totals = pipeline.pipeline_totals(actor)
    by_hand = ground.fetch(TOTALS)
    if sum(total.count for total in totals) != sum(row[2] for row in by_hand):
        return [unmeasured(6, operation, "the two ways count differently", "sqlite")]
    measured = pair(lambda: pipeline.pipeline_totals(actor), lambda: ground.fetch(TOTALS), 11)
    return [compared(6, operation, measured, 1.2)]
