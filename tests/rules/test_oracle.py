"""The engine, the slow reading of each rule, and the engine on one deal alone agree."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.deal import DEAL_RULES
from rules.engine import evaluate
from rules.facts import Facts
from rules.limits import Limits
from rules.norms import Norms
from rules.rule import Evaluation, Severity
from rules.tables import SCHEMAS, Tables
from tests.rules.oracle.organisation import Organisation
from tests.rules.oracle.rules import ORACLES, Verdict
from tests.rules.random_organisation import AS_OF, random_tables

DEFAULTS = Limits.load({})
Verdicts = dict[tuple[str, int], Verdict]
MANY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def verdicts(evaluation: Evaluation) -> Verdicts:
    assert not evaluation.errors
    found: Verdicts = {}
    for row in evaluation.findings.iter_rows(named=True):
        proof = {(item["ledger"], item["row_id"]) for item in row["evidence"]}
        assert len(proof) == len(row["evidence"])
        found[row["rule"], row["subject_id"]] = Severity(row["severity"]).name.lower(), proof
    return found


def judged(tables: Tables, *, norms: Norms | None = None) -> Evaluation:
    return evaluate(Facts.cut(tables, AS_OF, norms=norms), DEAL_RULES, DEFAULTS)


def told(tables: Tables) -> Verdicts:
    org = Organisation(tables, AS_OF)
    return {
        (slug, deal.id): verdict
        for slug, oracle in ORACLES.items()
        for deal in org.deals
        if (verdict := oracle(org, deal)) is not None
    }


def only(tables: Tables, deal_id: int) -> Tables:
    """The tables of one deal alone."""
    frames = {
        name: getattr(tables, name).filter(pl.col("deal_id") == deal_id)
        for name, schema in SCHEMAS.items()
        if "deal_id" in schema and name != "activities"
    }
    return replace(tables, **frames)


@given(st.integers(0, 2**32), st.sampled_from([1, 4, 12, 40, 90]))
@settings(MANY, max_examples=60)
def test_the_engine_agrees_with_the_slow_reading_of_each_rule(seed: int, deals: int) -> None:
    tables = random_tables(seed, deals=deals)
    assert verdicts(judged(tables)) == told(tables)


@given(st.integers(0, 2**32))
@MANY
def test_one_deal_alone_is_judged_as_among_all(seed: int) -> None:
    tables = random_tables(seed, deals=20)
    norms = Facts.cut(tables, AS_OF).norms
    together = verdicts(judged(tables))
    alone: Verdicts = {}
    for deal_id in tables.deals["deal_id"]:
        alone |= verdicts(judged(only(tables, deal_id), norms=norms))
    assert alone == together


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@MANY
def test_neither_the_order_of_rows_nor_duplicates_change_anything(seed: int, order: int) -> None:
    tables = random_tables(seed)
    random = Random(order)
    frames = {}
    for name in SCHEMAS:
        frame: pl.DataFrame = getattr(tables, name)
        again = frame.head(random.randrange(5))
        frames[name] = pl.concat([frame, again]).sample(fraction=1, shuffle=True, seed=order % 1000)
    again_tables = Tables(
        **frames, time_zone=tables.time_zone, fiscal_start_month=tables.fiscal_start_month
    )
    first, second = judged(tables), judged(again_tables)
    assert first.findings.equals(second.findings)
    assert first.notices.equals(second.notices)
    assert first.excluded == second.excluded


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@MANY
def test_rows_after_the_instant_change_nothing(seed: int, later_seed: int) -> None:
    tables, other = random_tables(seed), random_tables(later_seed)
    frames = {}
    for name, schema in SCHEMAS.items():
        time = {"activities": "logged_at", "deals": "created_at", "contact_roles": "valid_from"}
        column = time.get(name, "at" if "at" in schema else None)
        if column is None:
            continue
        later = getattr(other, name).with_columns(
            pl.lit(AS_OF + timedelta(minutes=1)).cast(schema[column]).alias(column)
        )
        key = next(iter(schema))
        frames[name] = pl.concat(
            [getattr(tables, name), later.with_columns(pl.col(key) + 1_000_000)]
            if name != "contact_roles"
            else [getattr(tables, name), later]
        )
    first, second = judged(tables), judged(replace(tables, **frames))
    assert first.findings.equals(second.findings)
    assert first.notices.equals(second.notices)


@pytest.mark.parametrize("slug", sorted(ORACLES))
def test_random_organisations_make_each_rule_fire_at_each_severity(slug: str) -> None:
    severities = set()
    for seed in range(20):
        found = verdicts(judged(random_tables(seed, deals=40)))
        severities |= {severity for (rule, _), (severity, _) in found.items() if rule == slug}
    assert severities >= {"warning", "critical"}
