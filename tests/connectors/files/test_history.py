from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.files import FileError
from connectors.records import ChangeRecord
from tests.connectors.files.export import DEALS, Export, changes, deals

CREATED = datetime(2026, 1, 5, 9, tzinfo=UTC)


def told(found: list[ChangeRecord]) -> list[tuple[object, ...]]:
    return [(change.at, change.old, change.new) for change in found]


def test_snapshots_become_changes_that_begin_at_the_creation(export: Export) -> None:
    reader = export.open()
    later = CREATED + timedelta(days=31)
    assert told(changes(reader, "stage")) == [
        (CREATED, None, "Prospecting"),
        (later, "Prospecting", "Proposal"),
    ]
    assert told(changes(reader, "close_date")) == [
        (CREATED, None, date(2026, 5, 31)),
        (later, date(2026, 5, 31), date(2026, 6, 30)),
    ]
    assert told(changes(reader, "amount")) == [(CREATED, None, 10_000_000)]
    assert {change.field for change in changes(reader)} == {"stage", "close_date", "amount"}


def test_the_order_of_rows_in_the_file_does_not_matter(export: Export) -> None:
    forward = changes(export.open())
    lines = export.paths["history"].read_text().splitlines()
    export.write("history", "\n".join([lines[0], *reversed(lines[1:])]))
    backward = export.open()
    assert changes(backward) == forward
    assert not backward.problems


def test_rows_at_one_instant_follow_their_sequence_number(export: Export) -> None:
    export.write(
        "history",
        "deal_id,changed_at,seq,stage\n"
        "D1,2026-02-05 09:00,2,Proposal\n"
        "D1,2026-02-05 09:00,1,Negotiation\n"
        "D1,2026-01-05 09:00,1,Prospecting\n",
    )
    reader = export.open()
    assert [c.new for c in changes(reader, "stage")] == ["Prospecting", "Negotiation", "Proposal"]
    assert not reader.problems


def test_rows_at_one_instant_without_sequence_follow_the_file_and_are_noted(
    export: Export,
) -> None:
    export.write(
        "history",
        "deal_id,changed_at,stage\n"
        "D1,2026-02-05 09:00,Proposal\n"
        "D1,2026-02-05 09:00,Negotiation\n"
        "D1,2026-01-05 09:00,Prospecting\n",
    )
    reader = export.open()  # newest first, so is the order of the tie
    assert [c.new for c in changes(reader, "stage")] == ["Prospecting", "Negotiation", "Proposal"]
    assert [(p.kind, p.line) for p in reader.problems] == [("same_instant", 2)]


def test_a_history_that_starts_late_says_nothing_of_the_creation(export: Export) -> None:
    export.write("history", "deal_id,changed_at,stage\nD1,2026-02-05 09:00,Proposal\n")
    reader = export.open()
    assert told(changes(reader, "stage")) == [(CREATED + timedelta(days=31), None, "Proposal")]
    assert "1 deals whose history starts after their creation" in reader.warnings


def test_a_deal_without_history_gets_nothing_made_up(export: Export) -> None:
    export.write("deals", DEALS + DEALS.splitlines()[1].replace("D1", "D2"))
    reader = export.open()
    assert not [change for change in changes(reader) if change.deal_crm_id == "D2"]
    assert [(p.kind, p.value) for p in reader.problems] == [("no_history", "D2")]


def test_a_log_of_changes_tells_the_value_at_creation_by_its_first_old_value(
    export: Export,
) -> None:
    export.write(
        "history",
        "deal_id,field,old,new,changed_at,changed_by,source\n"
        "D1,StageName,Prospecting,Proposal,2026-02-05 09:00,P1,user\n"
        "D1,CloseDate,2026-05-31,2026-06-30,2026-02-05 09:00,P2,workflow\n"
        "D1,Colour,red,blue,2026-02-06 09:00,P2,user\n",
    )
    reader = export.open()
    later = CREATED + timedelta(days=31)
    assert told(changes(reader, "stage")) == [
        (CREATED, None, "Prospecting"),
        (later, "Prospecting", "Proposal"),
    ]
    assert [(c.by_crm_id, c.source) for c in changes(reader, "close_date")] == [
        (None, "unknown"),
        ("P2", "workflow"),
    ]
    assert "1 history rows of fields that feed no rule" in reader.warnings


def test_a_field_that_a_log_keeps_and_never_saw_change_was_so_from_the_start(
    export: Export,
) -> None:
    young = DEALS.splitlines()[1].replace("D1", "D2").replace("2026-01-05", "2026-03-01")
    export.write("deals", DEALS + young)
    export.write(
        "history",
        "deal_id,field,old,new,changed_at\nD1,stage,Prospecting,Proposal,2026-02-05 09:00\n",
    )
    reader = export.open()
    mine = {c.field: c.new for c in changes(reader) if c.deal_crm_id == "D2"}
    # It was created after the log began, so the log would know. Close dates it never keeps.
    assert mine == {"stage": "Proposal"}


def test_a_property_history_without_old_values_is_chained(export: Export) -> None:
    export.write(
        "history",
        "deal_id,timestamp,source,name,source_id,value\n"
        "D1,2026-02-05T09:00:00.000Z,CRM_UI,dealstage,userId:77,Proposal\n"
        "D1,2026-01-05T09:00:00.000Z,IMPORT,dealstage,job,Prospecting\n",
    )
    found = changes(export.open(), "stage")
    assert [(c.old, c.new, c.by_crm_id, c.source) for c in found] == [
        (None, "Prospecting", None, "import"),
        ("Prospecting", "Proposal", "77", "user"),
    ]


def test_reading_twice_gives_the_same_refs_and_one_ref_a_row(export: Export) -> None:
    first, second = changes(export.open()), changes(export.open())
    assert first == second
    identities = {(c.deal_crm_id, c.field, c.at, c.source_ref) for c in first}
    assert len(identities) == len(first)
    assert all(len(c.source_ref) <= 64 for c in first)


def test_a_creation_told_as_a_day_takes_the_instant_of_its_first_row(export: Export) -> None:
    export.write("deals", DEALS.replace("2026-01-05T09:00:00Z", "2026-01-05"))
    deal = deals(export.open())["D1"]
    assert deal.created_at == CREATED
    assert deal.created_by_crm_id == "P1"
    assert deal.modified_at == CREATED + timedelta(days=31)


def test_stage_names_match_without_case_and_punctuation(export: Export) -> None:
    export.write("deals", DEALS.replace("Proposal", "PROPOSAL "))
    export.write("history", "deal_id,changed_at,stage\nD1,2026-01-05 09:00,proposal\n")
    reader = export.open()
    assert deals(reader)["D1"].stage_crm_id == "Proposal"
    assert [c.new for c in changes(reader, "stage")] == ["Proposal"]
    assert not reader.problems


def test_a_history_that_is_neither_form_is_one_clear_error(export: Export) -> None:
    export.write("history", "deal_id,changed_at,colour\nD1,2026-01-05,red\n")
    with pytest.raises(FileError, match="neither a column stage") as caught:
        export.open()
    assert caught.value.option == "history"
