"""The promised close date keeps moving away.

## What it looks at
Every move of the close date to a later day, made by a person while the deal was open, where
the old date was a promise: chosen by somebody, and in force at some time while the deal stood
in a middle or late stage. Edits by one person within an hour count as one. It counts such
pushes, how far they went, the fiscal quarters crossed and the late ones (made in the last days
before the old date, or after it), and whether any two-way activity stands in the days before.
A pull-in never offsets a push.

## Why it matters
Deals that slip lose more often, and a date that moves is the first thing that the forecast
gets wrong. A push after a talk with the buyer is an obstacle to work on; a push out of silence
says that the date was fiction. The two need opposite coaching.

## Ask the rep
- What has to happen on the customer's side before they can sign, and who told us so?
- What was the last date based on, and what is the new one based on?
- Is something in the way, or was the date never agreed with the buyer?
- What is the next step that the customer has put in their own calendar?

## Limits of this rule
A date that a flow or the CRM set is nobody's promise: a form that over 30 % of a pipeline's
first dates share, and the end of the fiscal quarter in which the deal was created, which a
Salesforce lead conversion writes. A rep who typed that very day is not told apart, so such a
first move is not counted. Mass changes, imports, flows and integrations count for nothing, nor
does the date that a CRM writes at closing. Renewals are left out. A stage whose role is not
known counts as a serious one.
"""

from dataclasses import dataclass

import polars as pl

from rules.evidence import gathered, of_edits
from rules.facts import Facts
from rules.process import LATE
from rules.rule import Bound, Rule, Severity, limit
from rules.tables import SEGMENTS
from rules.text import counted, day


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of close-date-slippage."""

    big_push_days: int = limit(
        21,
        "published: three weeks is where a move tells a lost deal from a won",
        floor=7,
        ceiling=90,
    )
    warn_pushes: int = limit(2, "published: warn at the second push", floor=2, ceiling=6)
    critical_pushes: int = limit(3, "published: critical at the third push", floor=2, ceiling=10)
    critical_total_days: int = limit(45, "published: 45 days in total", floor=14, ceiling=180)
    critical_late_pushes: int = limit(
        2, "ours: twice at the last moment out of a late stage is no accident", floor=1, ceiling=6
    )
    late_days: int = limit(
        7,
        "ours: in the last week before its date a deal is known to close or not",
        floor=0,
        ceiling=30,
    )
    silent_days: int = limit(
        14, "ours: a date that a buyer told us has a talk behind it", floor=5, ceiling=45
    )


def leaves_out(facts: Facts) -> pl.LazyFrame:
    """Renewals, whose dates move by contract."""
    renewal = SEGMENTS.index("renewal")
    return facts.deals.lazy().filter(pl.col("segment") == renewal).select("deal_id")


def find(facts: Facts, lim: Bound) -> pl.LazyFrame:
    """One finding a deal whose promised dates moved beyond the limits."""
    fired = _graded(_summed(facts.pushes.lazy(), facts, lim), lim)
    proving = facts.pushes.lazy().select("edit", subject_id="deal_id")
    proof = gathered(
        of_edits(facts.date_rows, "close_date", proving.join(fired, on="subject_id", how="semi"))
    )
    return fired.join(proof, on="subject_id").with_columns(
        sentence=_sentence(lim, has_activities=not facts.tables.activities.is_empty()),
        actionability=pl.lit(1.0),
    )


def _summed(pushes: pl.LazyFrame, facts: Facts, lim: Bound) -> pl.LazyFrame:
    days, left = pl.col("days"), pl.col("days_left")
    late = left <= lim.late_days
    serious = (pl.col("role") == LATE).fill_null(value=False) | pl.col("in_commit")
    silent = (pl.col("at") - pl.col("two_way_at") > pl.duration(days=lim.silent_days)).fill_null(
        value=True
    )
    return pushes.group_by(subject_id="deal_id").agg(
        pushes=pl.len(),
        total=days.sum(),
        largest=days.max(),
        crossed=(pl.col("quarters") > 0).sum(),
        late=late.sum(),
        late_serious=(late & serious).sum(),
        silent=silent.sum(),
        first_old=pl.col("old").first(),
        last_new=pl.col("new").last(),
        at=pl.col("at").max(),
        settles_at=pl.col("at").max() + facts.settle,
    )


def _graded(summed: pl.LazyFrame, lim: Bound) -> pl.LazyFrame:
    critical = (
        (pl.col("pushes") >= lim.critical_pushes).cast(pl.Int8)
        + (pl.col("total") >= lim.critical_total_days).cast(pl.Int8)
        + (pl.col("late_serious") >= lim.critical_late_pushes).cast(pl.Int8)
    ) >= 2  # noqa: PLR2004 - two of the three
    warning = (
        (pl.col("largest") >= lim.big_push_days)
        | (pl.col("crossed") > 0)
        | (pl.col("pushes") >= lim.warn_pushes)
    )
    severity = pl.when(critical).then(Severity.CRITICAL.value).otherwise(Severity.WARNING.value)
    return summed.with_columns(severity=severity).filter(critical | warning)


def _sentence(lim: Bound, *, has_activities: bool) -> pl.Expr:
    once = pl.col("pushes") == 1
    times = pl.when(once).then(pl.lit("once")).otherwise(pl.format("{} times", "pushes"))
    moved = pl.format(
        "The promised close date moved later {}, by {} in all: from {} to {}",
        times,
        counted(pl.col("total"), "day"),
        day(pl.col("first_old")),
        day(pl.col("last_new")),
    )
    crossed = (
        pl.when(pl.col("crossed") == 0)
        .then(pl.lit(""))
        .when(once)
        .then(pl.lit(", into a later quarter"))
        .otherwise(pl.format(", {} of them into a later quarter", "crossed"))
    )
    late = (
        pl.when(pl.col("late") == 0)
        .then(pl.lit(""))
        .when(once)
        .then(
            pl.format(
                "; moved {} or less before the old date, or after it", counted(lim.late_days, "day")
            )
        )
        .otherwise(
            pl.format(
                "; {} moved {} or less before the old date, or after it",
                "late",
                counted(lim.late_days, "day"),
            )
        )
    )
    span = counted(lim.silent_days, "day")
    silent = (
        pl.when(once & (pl.col("silent") == 0))
        .then(pl.format("; two-way activity stands in the {} before", span))
        .when(pl.col("silent") == 0)
        .then(pl.format("; each after two-way activity in the {} before", span))
        .when(once)
        .then(pl.format("; no two-way activity stands in the {} before", span))
        .otherwise(pl.format("; {} without two-way activity in the {} before", "silent", span))
    )
    parts = [moved, crossed, late, *([silent] if has_activities else [])]
    return pl.concat_str([*parts, pl.lit(".")])


RULE = Rule(
    slug="close-date-slippage",
    version=1,
    rule_class="risk",
    kind="event",
    needs=("close_date", "stage", "owner", "forecast", "activities"),
    signs=(("close_date",),),
    partly={
        "stage": "whether a date was a promise is judged by the stage that the deal is in today",
        "owner": "whose time zone a close date is meant in is a guess",
        "forecast": "a date moved late out of commit counts like any other",
        "activities": "a date moved after talks is not told from one that was fiction",
    },
    limits=Limits,
    find=find,
    leaves_out=leaves_out,
    doc=__doc__,
)
