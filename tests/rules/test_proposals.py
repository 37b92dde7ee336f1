"""What setup proposes: roles of stages, segments of deals, where deals are expected to enter."""

from datetime import timedelta

import polars as pl
import pytest

from rules.facts import Facts
from rules.proposals import propose_expected_entry, propose_roles, propose_segment
from rules.tables import FORECASTS, ROLES
from tests.rules.builders import Organisation, utc


def stage(stage_id: int, **facts: object) -> dict[str, object]:
    return {
        "stage_id": stage_id,
        "pipeline_id": 1,
        "label": f"Stage {stage_id}",
        "sort_order": stage_id,
        "is_closed": False,
        "is_won": False,
        "is_active": True,
        "probability": 0.5,
        "forecast": FORECASTS.index("pipeline"),
    } | facts


def roles(*stages: dict[str, object]) -> list[tuple[int | None, str | None]]:
    proposed = propose_roles(pl.DataFrame(stages, infer_schema_length=None))
    return [
        (position, None if role is None else ROLES[role])
        for position, role in proposed.select("position", "role").iter_rows()
    ]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, "L"),
        (2, "EL"),
        (3, "EML"),
        (4, "EMML"),
        (5, "EEMLL"),
        (6, "EEMMLL"),
        (7, "EEMMMLL"),
        (8, "EEEMMLLL"),
    ],
)
def test_a_third_of_the_open_stages_is_early_and_a_third_late(count: int, expected: str) -> None:
    proposed = roles(*(stage(n) for n in range(count)))
    assert [position for position, _ in proposed] == list(range(count))
    assert "".join(str(role)[0].upper() for _, role in proposed) == expected


def test_parking_closed_retired_and_unknown_stages_have_no_position() -> None:
    proposed = roles(
        stage(1),
        stage(2, label="On hold"),
        stage(3, probability=0.0, forecast=FORECASTS.index("omitted")),
        stage(4),
        stage(5, is_active=False),
        stage(6, sort_order=None),
        stage(7, is_closed=True, is_won=True),
    )
    assert proposed == [
        (0, "early"),
        (None, "parking"),
        (None, "parking"),
        (1, "late"),
        (None, None),
        (None, None),
        (None, "closed"),
    ]


def test_each_pipeline_has_its_own_positions() -> None:
    proposed = roles(stage(1), stage(2, pipeline_id=2), stage(3))
    assert proposed == [(0, "early"), (0, "late"), (1, "late")]


@pytest.mark.parametrize(
    ("deal_type", "pipeline", "segment"),
    [
        ("Renewal", "New Business", "renewal"),
        ("Existing Customer - Upgrade", "Sales", "expansion"),
        ("New Customer", "Sales", "new"),
        (None, "Partner deals", "channel"),
        ("", "Sales", None),
        ("Strategic", "Renewals", "renewal"),
    ],
)
def test_the_type_speaks_before_the_pipeline(
    deal_type: str | None, pipeline: str, segment: str | None
) -> None:
    assert propose_segment(deal_type, pipeline) == segment


@pytest.mark.parametrize(("deals", "expected"), [(30, [(1, 2, 30)]), (29, [])])
def test_the_lower_quartile_of_a_years_entries_is_expected(
    deals: int, expected: list[tuple[int, int, int]]
) -> None:
    organisation = Organisation()
    organisation.pipeline(expected_entry=None)
    for deal_id in range(1, deals + 1):
        created = utc("2026-01-05 09:00") + timedelta(days=deal_id)
        organisation.deal(deal_id, created)
        organisation.change("stage", deal_id, created, new=1 if deal_id <= 7 else 3)
    facts = Facts.cut(organisation.tables(), utc("2026-03-01 09:00"))
    assert propose_expected_entry(facts).rows() == expected
