"""Mass changes and doubtful processes become one notice each, with a stable key."""

from datetime import timedelta

import pytest

from rules.deal import DEAL_RULES
from rules.engine import evaluate
from rules.facts import Facts
from rules.limits import Limits
from rules.rule import Evaluation
from tests.rules.builders import Organisation, utc
from tests.rules.stories import as_tables


def judged(story: str, **case: object) -> Evaluation:
    tables, as_of = as_tables({"story": story.strip(), **case})
    return evaluate(Facts.cut(tables, as_of), DEAL_RULES, Limits.load({}))


def test_fifteen_deals_created_in_a_day_are_one_notice() -> None:
    (notice,) = judged("02-01 09:00 stage Evaluation", deals=15).notices.to_dicts()
    assert notice["kind"] == "batch"
    assert notice["deal_ids"] == list(range(1, 16))
    assert notice["by_id"] == 10
    assert notice["sentence"] == "15 deals were created on 1 Feb 2026 by one person."


def test_ten_close_dates_set_to_one_day_by_a_stranger_are_one_notice() -> None:
    story = """
01-05 09:00 stage Evaluation
01-05 09:00 close 02-10
02-01 09:00 close 03-10 by ops
"""
    (notice,) = judged(story, deals=10).notices.to_dicts()
    assert notice["sentence"] == (
        "10 deals were given the close date 10 Mar 2026 on 1 Feb 2026 by one person."
    )


def test_a_redesign_is_one_notice() -> None:
    story = """
01-05 09:00 stage Evaluation
02-10 09:00 stage Scoping
"""
    (notice,) = judged(story, deals=10).notices.to_dicts()
    assert notice["kind"] == "redesign"
    assert notice["sentence"] == (
        "10 deals changed stage in one pipeline on 10 Feb 2026 by at most two people."
    )


def test_deals_given_to_another_owner_by_a_manager_are_one_notice() -> None:
    story = """
01-05 09:00 stage Discovery
01-05 09:00 owner ann
02-10 09:00 owner bob by max
"""
    (notice,) = judged(story, deals=10).notices.to_dicts()
    assert notice["sentence"] == "10 deals were given to one owner on 10 Feb 2026 by one person."


def entries(beyond: int, total: int) -> Organisation:
    """Deals entered one a day, `beyond` of them in Scoping where Discovery is expected."""
    organisation = Organisation()
    organisation.pipeline()
    for deal_id in range(1, total + 1):
        created = utc("2026-01-05 09:00") + timedelta(days=deal_id)
        organisation.deal(deal_id, created)
        organisation.change("stage", deal_id, created, new=2 if deal_id <= beyond else 1)
    return organisation


@pytest.mark.parametrize(
    ("beyond", "total", "findings", "notices"),
    [(11, 20, 0, 1), (10, 20, 10, 0), (19, 19, 19, 0)],
)
def test_a_process_entered_beyond_its_start_by_most_is_asked_about_once(
    beyond: int, total: int, findings: int, notices: int
) -> None:
    facts = Facts.cut(entries(beyond, total).tables(), utc("2026-03-01 09:00"))
    found = evaluate(facts, DEAL_RULES, Limits.load({}))
    assert len(found.findings) == findings
    assert found.notices["kind"].to_list() == ["entry_process"] * notices


def test_a_notices_key_is_the_same_an_evaluation_later() -> None:
    tables = entries(11, 20).tables()
    first, second = (
        Facts.cut(tables, utc(at)).notices for at in ("2026-03-01 09:00", "2026-03-02 09:00")
    )
    assert first["key"].to_list() == second["key"].to_list()
