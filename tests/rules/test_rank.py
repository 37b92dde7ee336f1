"""Rank orders findings by severity, amount within the team, freshness and actionability."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from rules.facts import Facts
from rules.rank import rank
from rules.rule import FINDINGS
from tests.rules.builders import Organisation, utc

NOW = utc("2026-03-01 09:00")


def organisation() -> Facts:
    """Deals 1 to 3 of one team with growing amounts, 4 of another, 5 without an amount."""
    org = Organisation()
    org.pipeline()
    for person, manager in ((10, 20), (11, 20), (12, 21)):
        org.person(person, manager=manager)
    owners = {1: 10, 2: 11, 3: 10, 4: 12, 5: 10}
    amounts = {1: 100, 2: 200, 3: 300, 4: 50, 5: None}
    created = utc("2026-01-05 09:00")
    for deal_id, owner in owners.items():
        org.deal(deal_id, created)
        org.change("stage", deal_id, created, new=1)
        org.change("owner", deal_id, created, new=owner)
        org.change("amount", deal_id, created, new=amounts[deal_id])
    return Facts.cut(org.tables(), NOW)


def ranked(deal_id: int, *, severity: int, at: datetime, actionability: float = 1.0) -> int:
    finding = dict.fromkeys(FINDINGS) | {
        "subject_id": deal_id,
        "severity": severity,
        "at": at,
        "actionability": actionability,
    }
    frame = pl.DataFrame([finding], schema=FINDINGS)
    return int(rank(frame, organisation())["rank"].item())


@pytest.mark.parametrize(
    ("deal_id", "severity", "age_days", "expected"),
    [
        (3, 2, 0, 100),
        (3, 1, 0, 75),
        (3, 0, 0, 50),
        (2, 2, 0, 85),
        (1, 2, 0, 70),
        (4, 2, 0, 100),
        (5, 2, 0, 70),
        (3, 2, 14, 90),
        (3, 2, 28, 85),
    ],
)
def test_rank_follows_its_formula(
    deal_id: int, severity: int, age_days: int, expected: int
) -> None:
    assert ranked(deal_id, severity=severity, at=NOW - timedelta(days=age_days)) == expected


def test_actionability_scales_the_rank() -> None:
    assert ranked(3, severity=2, at=NOW, actionability=0.5) == 50
