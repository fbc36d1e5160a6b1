"""What the shapes of labelled mail are called, by the name of the function that writes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from desktop_crm.core.i18n import N_

LABELS: Final[Mapping[str, str]] = {
    "threads": N_("Threads"),
    "copies": N_("Copies to several people"),
    "people_without_deals": N_("People without a deal"),
    "leads": N_("Leads"),
    "strangers": N_("Strangers"),
    "newsletters": N_("Newsletters"),
    "absences": N_("Notes of absence"),
    "among_us": N_("Mail among ourselves"),
    "confidential": N_("Confidential mail"),
    "unknown_at_known_firms": N_("Unknown people at known firms"),
    "crowds": N_("Mail to crowds"),
    "public_names": N_("Names at public services"),
    "shared_in_one_firm": N_("Address shared in one firm"),
    "shared_by_firms": N_("Address shared by firms"),
    "tagged_addresses": N_("Addresses with a tag"),
    "private_addresses": N_("Private addresses"),
    "other_subjects": N_("Changed subjects"),
    "lost_threads": N_("Threads without references"),
    "forwarded": N_("Forwarded mail"),
    "several_deals": N_("Several deals, one named"),
    "several_deals_unnamed": N_("Several deals, none named"),
    "moved_people": N_("People who changed firms"),
    "new_address_after_a_move": N_("New address after a change"),
    "numbers": N_("Numbers of quotes"),
    "converted_leads": N_("Converted leads"),
    "folders_and_categories": N_("Folders and categories"),
    "refiled": N_("Threads filed anew"),
    "other_clients": N_("Writing in other forms"),
    "always_a_sender": N_("Always a sender"),
    "always_a_domain": N_("Always a domain"),
    "always_beside_people": N_("Always, beside known people"),
    "never_a_sender": N_("Never a sender"),
    "never_a_domain": N_("Never a domain"),
    "threads_before_rules": N_("Threads before rules"),
    "moved_threads": N_("Moved threads"),
    "merged_records": N_("Merged records"),
    "leads_converted_meanwhile": N_("Leads converted meanwhile"),
    "cases": N_("Cases"),
    "cases_beside_deals": N_("Cases beside deals"),
    "case_numbers": N_("Numbers of cases"),
}
