"""The deal fell back to an earlier stage.

## What it looks at
Every step back that a person made between two open stages of one pipeline, one by one: a deal
that went back and forth and stands where it began has still fallen. Positions are those of the
sales process as it was then. The higher stage must have stood for 30 minutes, else it was a
misclick. Where the deal had skipped a stage before and fell to that stage or below, the skip is
named as the cause, with its own rows.

## Why it matters
A deal goes back when something that should have been known was not: a buyer nobody had met, a
need nobody had asked about. Seen at once, that can be mended; found at the end of the quarter,
it is a lost deal.

## Ask the rep
- What did we learn that moved the deal back?
- What did we take for done in the earlier stage that was not done?
- Who on the customer's side has to be won again, and what is the plan for the next call?
- What would have to be true before the deal moves forward again?

## Limits of this rule
Moves into or out of a stage on hold, between pipelines, or touching a stage whose position was
not known then are no steps back; closed to open is a reopening. Mass changes, redesigns of the
process, imports, flows and integrations count for nothing. Renewals are left out.
"""

from dataclasses import dataclass

import polars as pl

from rules.evidence import gathered, of_edits
from rules.facts import Facts
from rules.lookup import running
from rules.rule import Bound, Rule, Severity, limit
from rules.tables import SEGMENTS
from rules.text import day


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of stage-regression."""

    critical_depth: int = limit(
        2, "ours: two stages back out of a late one is a new deal", floor=2, ceiling=5
    )
    again_days: int = limit(
        90, "ours: a second fall within a quarter is a pattern", floor=14, ceiling=365
    )


def leaves_out(facts: Facts) -> pl.LazyFrame:
    """Renewals, which are judged by what is overdue, quiet and shrinking."""
    renewal = SEGMENTS.index("renewal")
    return facts.deals.lazy().filter(pl.col("segment") == renewal).select("deal_id")


def find(facts: Facts, lim: Bound) -> pl.LazyFrame:
    """One finding a deal that fell back, graded by its newest fall and those shortly before."""
    falls = _graded(facts.regressions.lazy(), lim)
    is_newest = pl.col("deal_id").ne_missing(pl.col("deal_id").shift(-1))
    newest = falls.filter(is_newest).with_columns(subject_id="deal_id")
    proving = pl.concat(
        falls.select(column, subject_id="deal_id").rename({column: "edit"}).drop_nulls()
        for column in ("edit", "skip_edit", "skip_first_edit")
    )
    proof = gathered(of_edits(facts.stage_rows, "stage", proving))
    return (
        _labelled(newest, facts.labels.lazy())
        .join(proof, on="subject_id")
        .with_columns(
            sentence=_sentence(),
            actionability=pl.lit(1.0),
            settles_at=pl.col("at") + facts.settle,
        )
    )


def _graded(falls: pl.LazyFrame, lim: Bound) -> pl.LazyFrame:
    is_first = pl.col("deal_id").ne_missing(pl.col("deal_id").shift())
    before = pl.when(~is_first).then(pl.col("at").shift())
    again = (pl.col("at") - before <= pl.duration(days=lim.again_days)).fill_null(value=False)
    deep = (pl.col("depth") >= lim.critical_depth) & (pl.col("was_late") | pl.col("in_commit"))
    slight = (
        before.is_null()
        & (pl.col("depth") == 1)
        & pl.col("skip_edit").is_null()
        & ~pl.col("was_in_commit")
    )
    severity = (
        pl.when(deep | again)
        .then(Severity.CRITICAL.value)
        .when(slight)
        .then(Severity.INFO.value)
        .otherwise(Severity.WARNING.value)
    )
    return falls.with_columns(severity=severity, is_first=is_first).with_columns(
        falls=running(pl.col("depth").is_not_null())
    )


def _labelled(falls: pl.LazyFrame, labels: pl.LazyFrame) -> pl.LazyFrame:
    for side in ("old", "new"):
        named = labels.rename({"stage_id": side, "label": f"{side}_label"})
        falls = falls.join(named, on=side, how="left")
    return falls


def _sentence() -> pl.Expr:
    depth, falls = pl.col("depth"), pl.col("falls")
    fell = pl.format(
        "The deal went back from {} to {} on {}", "old_label", "new_label", day(pl.col("at"))
    )
    steps = pl.when(depth > 1).then(pl.format(", {} stages at once", depth)).otherwise(pl.lit(""))
    skipped = (
        pl.when(pl.col("skip_edit").is_not_null())
        .then(pl.lit(", after it had skipped that stage or one above it"))
        .otherwise(pl.lit(""))
    )
    again = (
        pl.when(falls > 1)
        .then(pl.format("; it has gone back {} times", falls))
        .otherwise(pl.lit(""))
    )
    return pl.concat_str([fell, steps, skipped, again, pl.lit(".")])


RULE = Rule(
    slug="stage-regression",
    version=1,
    rule_class="risk",
    kind="event",
    needs=("stage", "forecast"),
    signs=(("stage",),),
    partly={"forecast": "a fall out of commit weighs no more than another"},
    limits=Limits,
    find=find,
    leaves_out=leaves_out,
    doc=__doc__,
)
