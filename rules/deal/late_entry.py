"""The deal was entered after the selling had begun.

## What it looks at
Three signs around the record's own creation: the deal entered beyond the stage where deals of
its pipeline are expected to start; the owner had held at least two meetings or connected calls
with the deal's own contacts in the 90 days before; it passed two stages or more within a day of
creation (a jump to won counts, to lost never). The expected stage is what setup confirmed, else
the lower quartile of the last 12 months by pipeline, segment and lead source, else the first.

## Why it matters
A deal that is entered late cannot be coached early, where coaching changes most. It makes win
rates look better and cycles shorter than they are, and the early pipeline emptier.

## Ask the rep
- When did you first talk with them about this, and what did you learn before you entered it?
- What kept you from entering it then?
- Which early steps were done before it was in the CRM, and which were not?
- Which other talks are you having now that are not entered yet?

## Limits of this rule
It is a habit to coach, never a risk of this deal. The record's own creation time is used, never
an editable date. Deals created in a batch or by an integration, renewals and channel deals are
left out. Activities count only with the owner, and only where the CRM shows who took part. Where
over half of a pipeline's deals enter beyond the expected stage, the process is in question, not
the reps: one notice goes to RevOps and the pipeline's deals are not flagged.
"""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from rules.entries import LEFT_OUT_SEGMENTS, earlier_talks
from rules.evidence import gathered, of_activities, of_edits
from rules.facts import Facts
from rules.rule import Bound, Rule, Severity, limit
from rules.text import counted, day

_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of late-entry."""

    warn_lag_days: int = limit(
        14, "ours: two weeks of talks that nobody could coach", floor=3, ceiling=60
    )
    critical_lag_days: int = limit(
        30, "ours: a month of talks, and the early stages gone by", floor=7, ceiling=90
    )
    talks: int = limit(2, "ours: one meeting may be a chance, two are selling", floor=1, ceiling=10)
    stages_passed: int = limit(
        2,
        "ours: two stages within a day were worked before the deal was entered",
        floor=1,
        ceiling=6,
    )


def leaves_out(facts: Facts) -> pl.LazyFrame:
    """Renewals, channel deals, batches and what integrations created."""
    batch = facts.norms.mass_changes.filter(pl.col("ledger") == "deal")["deal_id"]
    by_program = pl.col("by_id").is_in(facts.integrations.implode()).fill_null(value=False)
    return (
        facts.entered.lazy()
        .filter(
            pl.col("segment").is_in(LEFT_OUT_SEGMENTS)
            | pl.col("deal_id").is_in(batch.implode())
            | by_program
        )
        .select("deal_id")
    )


def find(facts: Facts, lim: Bound) -> pl.LazyFrame:
    """One finding a deal entered late."""
    talks = _talks(facts)
    fast = _first_day(facts)
    fired = _graded(_judged(facts, talks, fast, lim), lim)
    subjects = fired.select("subject_id")
    proof = gathered(
        of_edits(
            facts.stage_rows, "stage", _creations(facts).join(subjects, on="subject_id", how="semi")
        ),
        of_edits(
            facts.stage_rows,
            "stage",
            fast.select("edit", subject_id="deal_id").join(
                fired.filter("rushed"), on="subject_id", how="semi"
            ),
        ),
        of_activities(
            talks.rename({"deal_id": "subject_id"}).join(
                fired.filter("lagged"), on="subject_id", how="semi"
            )
        ),
    )
    return (
        _labelled(fired, facts)
        .join(proof, on="subject_id")
        .with_columns(sentence=_sentence(), actionability=pl.lit(1.0))
    )


def _talks(facts: Facts) -> pl.LazyFrame:
    owners = facts.owner_rows.lazy().filter("is_first").select("deal_id", owner_id="new")
    tables = facts.tables
    return earlier_talks(
        facts.deals.lazy().select("deal_id", "created_at").join(owners, on="deal_id"),
        tables.activities.lazy(),
        activity_contacts=tables.activity_contacts.lazy(),
        contact_roles=tables.contact_roles.lazy(),
    )


def _creations(facts: Facts) -> pl.LazyFrame:
    rows = facts.stage_rows.lazy().filter("is_creation")
    return rows.select("edit", subject_id="deal_id")


def _first_day(facts: Facts) -> pl.LazyFrame:
    """Settled edits within 24 hours of creation, with the position that each `reached`."""
    entered = facts.entered.lazy().select("deal_id", "created_at", "pipeline", "steps")
    return (
        facts.stage_edits.lazy()
        .filter(~pl.col("is_creation"), "proves", ~pl.col("machine"))
        .join(entered, on="deal_id")
        .filter(
            pl.col("at") <= pl.col("created_at") + _DAY,
            pl.col("new_pipeline") == pl.col("pipeline"),
        )
        .select(
            "deal_id",
            "at",
            "edit",
            reached=pl.when("new_won").then("steps").otherwise("new_position"),
        )
        .drop_nulls("reached")
    )


def _judged(facts: Facts, talks: pl.LazyFrame, fast: pl.LazyFrame, lim: Bound) -> pl.LazyFrame:
    """Each deal's three signs: beyond, lag, rushed."""
    lags = talks.group_by("deal_id").agg(first_talk_at=pl.col("at").min(), talks=pl.len())
    reached = fast.group_by("deal_id").agg(pl.col("reached").max())
    lag = pl.when(pl.col("talks") >= lim.talks).then(pl.col("created_at") - pl.col("first_talk_at"))
    in_question = facts.norms.beyond_process["pipeline"]
    entry = pl.when("won").then(0 * pl.col("position")).otherwise("position")
    reach = pl.max_horizontal("position", "reached")
    return (
        facts.entered.lazy()
        .filter(~pl.col("pipeline").is_in(in_question.implode()).fill_null(value=False))
        .join(lags, on="deal_id", how="left")
        .join(reached, on="deal_id", how="left")
        .with_columns(
            beyond=(pl.col("position") > pl.col("expected")).fill_null(value=False),
            lag=lag,
            rushed=(reach - entry >= lim.stages_passed).fill_null(value=False),
        )
    )


def _graded(judged: pl.LazyFrame, lim: Bound) -> pl.LazyFrame:
    lagged = (pl.col("lag") >= pl.duration(days=lim.warn_lag_days)).fill_null(value=False)
    long_lag = (pl.col("lag") >= pl.duration(days=lim.critical_lag_days)).fill_null(value=False)
    beyond, rushed = pl.col("beyond"), pl.col("rushed")
    severity = (
        pl.when(long_lag & beyond)
        .then(Severity.CRITICAL.value)
        .when(lagged | (beyond & rushed))
        .then(Severity.WARNING.value)
        .when(beyond)
        .then(Severity.INFO.value)
    )
    return judged.select(
        "stage",
        "expected",
        "pipeline",
        "first_talk_at",
        "talks",
        "lag",
        "beyond",
        "rushed",
        "created_at",
        subject_id="deal_id",
        severity=severity,
        lagged=lagged,
        at="created_at",
        settles_at=pl.lit(None),
    ).drop_nulls("severity")


def _labelled(fired: pl.LazyFrame, facts: Facts) -> pl.LazyFrame:
    starts = (
        facts.tables.stages.lazy()
        .sort("stage_id", "valid_from")
        .unique(["pipeline", "position"], keep="last", maintain_order=True)
        .select("pipeline", expected="position", expected_label="label")
    )
    labels = facts.labels.lazy().rename({"stage_id": "stage", "label": "stage_label"})
    return fired.join(labels, on="stage", how="left").join(
        starts, on=["pipeline", "expected"], how="left"
    )


def _sentence() -> pl.Expr:
    nothing = pl.lit("")
    entered = pl.format(
        "The deal was entered on {} in {}",
        day(pl.col("created_at")),
        pl.col("stage_label").fill_null("a stage not known"),
    )
    beyond = (
        pl.when("beyond")
        .then(
            pl.format(
                ", beyond {} where such deals start",
                pl.col("expected_label").fill_null("the stage"),
            )
        )
        .otherwise(nothing)
    )
    rushed = (
        pl.when("rushed")
        .then(pl.lit(", and passed several stages within a day"))
        .otherwise(nothing)
    )
    lagged = (
        pl.when("lagged")
        .then(
            pl.format(
                "; {} with its contacts had taken place since {}, {} before",
                counted(pl.col("talks"), "talk"),
                day(pl.col("first_talk_at")),
                counted(pl.col("lag").dt.total_days(), "day"),
            )
        )
        .otherwise(nothing)
    )
    return pl.concat_str([entered, beyond, rushed, lagged, pl.lit(".")])


RULE = Rule(
    slug="late-entry",
    version=1,
    rule_class="habit",
    kind="event",
    needs=("stage", "owner", "activities", "contacts"),
    signs=(("stage",), ("owner", "activities")),
    partly={
        "stage": "the stage a deal was entered in is not known, only talks before it count",
        "owner": "talks before the deal was entered can't be told to be its owner's",
        "activities": "talks before the deal was entered are not seen, only the stages passed",
        "contacts": "talks logged on the deal's contacts are not seen, only those on the deal",
    },
    limits=Limits,
    find=find,
    leaves_out=leaves_out,
    doc=__doc__,
    fresh_days=14,
)
