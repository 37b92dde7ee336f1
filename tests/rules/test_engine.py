"""The engine keeps rules apart, counts what they leave out, and says when a finding settles."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from rules.deal import DEAL_RULES, stage_regression
from rules.engine import evaluate
from rules.facts import Facts
from rules.limits import Limits
from rules.rule import FINDINGS, NOTICES, Bound, Evaluation
from tests.rules.builders import Organisation, on, utc
from tests.rules.stories import as_tables

DEFAULTS = Limits.load({})
FALL = """
01-05 09:00 stage Proposal
02-10 09:00 stage Evaluation
02-10 09:10 stage Scoping
"""


def judged(story: str, **case: object) -> Evaluation:
    tables, as_of = as_tables({"story": story.strip(), **case})
    return evaluate(Facts.cut(tables, as_of), DEAL_RULES, DEFAULTS)


def test_no_deals_give_no_findings_with_the_documented_columns() -> None:
    empty = Organisation()
    found = evaluate(Facts.cut(empty.tables(), utc("2026-01-01 00:00")), DEAL_RULES, DEFAULTS)
    assert found.errors == []
    assert found.findings.schema == pl.Schema(FINDINGS)
    assert found.notices.schema == pl.Schema(NOTICES)
    assert found.findings.is_empty()


def test_one_rules_error_is_its_own() -> None:
    def broken(facts: Facts, lim: Bound) -> pl.LazyFrame:
        return facts.regressions.lazy().select("no_such_column", lim.again_days)

    def raising(facts: Facts, lim: Bound) -> pl.LazyFrame:
        raise RuntimeError(f"cannot judge {len(facts.deals)} with {lim}")

    tables, as_of = as_tables({"story": FALL.strip()})
    rules = [
        *DEAL_RULES,
        replace(stage_regression.RULE, slug="broken", find=broken),
        replace(stage_regression.RULE, slug="raising", find=raising),
    ]
    found = evaluate(Facts.cut(tables, as_of), rules, DEFAULTS)
    assert [error.rule for error in found.errors] == ["broken", "raising"]
    assert "no_such_column" in found.errors[0].message
    assert "cannot judge 1" in found.errors[1].message
    assert found.findings["rule"].to_list() == ["late-entry", "stage-regression"]


@pytest.mark.parametrize(
    ("as_of", "settles_at"),
    [("02-10 09:30", utc("2026-02-10 10:00")), ("02-10 10:00", None)],
)
def test_a_finding_settles_an_hour_after_its_newest_edits_first_row(
    as_of: str, settles_at: object
) -> None:
    findings = judged(FALL, as_of=as_of).findings.filter(rule="stage-regression")
    assert findings["settles_at"].to_list() == [settles_at]
    assert findings["at"].to_list() == [utc("2026-02-10 09:00")]


def test_a_window_still_open_shows_what_is_known_so_far() -> None:
    (sentence,) = judged(FALL, as_of="02-10 09:05").findings.filter(rule="stage-regression")[
        "sentence"
    ]
    assert sentence == "The deal went back from Proposal to Evaluation on 10 Feb 2026."


def test_deals_that_a_rule_leaves_out_are_counted() -> None:
    found = judged(FALL, segment="renewal", deals=3)
    assert found.findings.is_empty()
    assert found.excluded == {"late-entry": 3, "close-date-slippage": 3, "stage-regression": 3}


def test_findings_are_ordered_by_rule_and_deal() -> None:
    found = judged(FALL, deals=4).findings.select("rule", "subject_id")
    assert found.rows() == sorted(found.rows())
    assert len(found) == 8


def test_the_settle_time_is_a_setting() -> None:
    tables, as_of = as_tables({"story": FALL.strip()})
    found = evaluate(Facts.cut(tables, as_of, settle_minutes=0), DEAL_RULES, DEFAULTS)
    (sentence,) = found.findings.filter(rule="stage-regression")["sentence"]
    assert "it has gone back 2 times" not in sentence
    assert sentence.startswith("The deal went back from Proposal to Evaluation")


def test_what_our_first_read_found_proves_nothing_but_counts_as_state() -> None:
    organisation = Organisation()
    organisation.pipeline()
    first_read = utc("2026-02-01 09:00")
    organisation.deal(1, utc("2026-01-05 09:00"), first_seen_at=first_read)
    created = utc("2026-01-05 09:00")
    organisation.change("stage", 1, created, new=4)
    organisation.change("close_date", 1, created, new=on("2026-02-10"))
    found = {"source": "observed", "seen_at": first_read}
    organisation.change("stage", 1, utc("2026-01-20 09:00"), old=4, new=2, **found)
    organisation.change(
        "close_date",
        1,
        utc("2026-01-20 09:00"),
        old=on("2026-02-10"),
        new=on("2026-05-10"),
        **found,
    )
    facts = Facts.cut(organisation.tables(), utc("2026-03-01 09:00"))
    findings = evaluate(facts, DEAL_RULES, DEFAULTS).findings
    assert findings["rule"].to_list() == ["late-entry"]
    assert facts.state.select("stage_id", "close_on").row(0) == (2, on("2026-05-10"))


def test_what_a_later_read_observed_counts() -> None:
    organisation = Organisation()
    organisation.pipeline()
    organisation.deal(1, utc("2026-01-05 09:00"), first_seen_at=utc("2026-01-05 10:00"))
    organisation.change("stage", 1, utc("2026-01-05 09:00"), new=4)
    read = {"source": "observed", "seen_at": utc("2026-01-20 10:00")}
    organisation.change("stage", 1, utc("2026-01-20 09:00"), old=4, new=2, **read)
    facts = Facts.cut(organisation.tables(), utc("2026-03-01 09:00"))
    findings = evaluate(facts, DEAL_RULES, DEFAULTS).findings
    assert findings["rule"].to_list() == ["late-entry", "stage-regression"]


def test_a_deal_deleted_by_then_is_not_seen_and_one_deleted_later_is() -> None:
    tables, as_of = as_tables({"story": FALL.strip()})
    for deleted_at, seen in ((as_of, 0), (as_of + timedelta(seconds=1), 1)):
        deals = tables.deals.with_columns(
            deleted_at=pl.lit(deleted_at).cast(pl.Datetime("us", "UTC"))
        )
        found = evaluate(Facts.cut(replace(tables, deals=deals), as_of), DEAL_RULES, DEFAULTS)
        assert len(found.findings.filter(rule="stage-regression")) == seen
