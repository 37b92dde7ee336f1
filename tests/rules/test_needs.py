"""Each rule says what it needs to see, and what it loses without it; both are true."""

from collections.abc import Collection
from dataclasses import replace

import polars as pl
import pytest

from rules.deal import DEAL_RULES
from rules.engine import evaluate
from rules.facts import Facts
from rules.limits import Limits
from rules.rule import Rule
from rules.tables import SCHEMAS, SOURCES, Tables
from tests.rules.random_organisation import AS_OF, random_tables

LEDGERS = {"stage", "close_date", "amount", "forecast", "owner", "pipeline", "next_step"}
SEEDS = range(2)
EACH_RULE = pytest.mark.parametrize("rule", DEAL_RULES, ids=lambda rule: rule.slug)


def without(tables: Tables, lost: Collection[str]) -> Tables:
    """What is stored where a need can't be read: no activity, no contact, and of a ledger only
    the value of today, found at the deal's first read.
    """
    frames: dict[str, pl.DataFrame] = {}
    for need in lost:
        if need == "activities":
            frames["activities"] = tables.activities.clear()
        elif need == "contacts":
            frames["contact_roles"] = tables.contact_roles.clear()
        else:
            frames[f"{need}_changes"] = _only_today(tables, f"{need}_changes")
    return replace(tables, **frames)  # type: ignore[arg-type]


def _only_today(tables: Tables, name: str) -> pl.DataFrame:
    seen = tables.deals.select("deal_id", made="created_at", seen="first_seen_at")
    rows = getattr(tables, name).sort("at", "change_id").unique("deal_id", keep="last")
    observed = pl.lit(SOURCES.index("observed"))
    found: pl.DataFrame = (
        rows.join(seen, on="deal_id")
        .with_columns(old=None, at="made", seen_at="seen", by_id=None, source=observed)
        .select(pl.col(column).cast(dtype) for column, dtype in SCHEMAS[name].items())
    )
    return found


def found_by(rule: Rule, lost: Collection[str] = ()) -> int:
    """How often a rule fires in all random organisations."""
    count = 0
    for seed in SEEDS:
        tables = without(random_tables(seed, deals=100), lost)
        judged = evaluate(Facts.cut(tables, AS_OF), [rule], Limits.load({}))
        assert not judged.errors
        count += judged.findings.height
    return count


@EACH_RULE
def test_a_rule_says_what_it_can_do_without_and_what_it_loses_then(rule: Rule) -> None:
    assert set(rule.needs) <= LEDGERS | {"activities", "contacts"}
    assert rule.signs
    assert all(set(sign) <= set(rule.needs) for sign in rule.signs)
    assert rule.is_blind(rule.needs)
    assert not rule.is_blind(())
    spared = {need for need in rule.needs if not rule.is_blind({need})}
    assert set(rule.partly) == spared
    assert all(rule.partly.values())


@EACH_RULE
def test_a_rule_fires_without_a_need_unless_it_is_blind_then(rule: Rule) -> None:
    assert found_by(rule) > 0
    losses = ({need} for need in rule.needs)
    wrong = [lost for lost in losses if bool(found_by(rule, lost)) is rule.is_blind(lost)]
    assert wrong == []
    assert found_by(rule, rule.needs) == 0
