"""Where and when deals entered the CRM, and what had happened before."""

from datetime import datetime, timedelta

import polars as pl

from rules.tables import ACTIVITY_KINDS, SEGMENTS

EXPECTED_AT_LEAST = 30
PROCESS_AT_LEAST = 20
PROCESS_SHARE = 0.5
LEFT_OUT_SEGMENTS = (SEGMENTS.index("renewal"), SEGMENTS.index("channel"))
_YEAR = timedelta(days=365)
_LEVELS = (["pipeline", "segment", "lead_source"], ["pipeline", "segment"], ["pipeline"])
_MEETING, _CALL = ACTIVITY_KINDS.index("meeting"), ACTIVITY_KINDS.index("call")


def entries(deals: pl.DataFrame, rows: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """The first stage of each deal, one row a deal that has one, by deal.

    `position` counts a deal entered as won as past the last open stage (`steps`: how many
    open stages a pipeline has); it is null where the entry is unknown, on hold or lost.
    """
    first = rows.filter("is_first").select(
        "deal_id",
        "change_id",
        "by_id",
        known=pl.col("is_creation") & pl.col("proves"),
        stage="new",
        pipeline="new_pipeline",
        open_position="new_position",
        won="new_won",
    )
    reached = pl.when("won").then("steps").otherwise("open_position")
    return (
        deals.select("deal_id", "created_at", "created_by_id", "segment", "lead_source")
        .join(first, on="deal_id", maintain_order="left")
        .join(steps, on="pipeline", how="left", maintain_order="left")
        .with_columns(
            position=pl.when("known").then(reached),
            by_id=pl.coalesce("created_by_id", "by_id"),
        )
        .drop("created_by_id", "known")
        .sort("deal_id")
    )


def of_the_last_year(entered: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Entries that tell where a pipeline's deals begin: of 12 months, known, direct."""
    return entered.filter(
        pl.col("created_at") > as_of - _YEAR,
        pl.col("position").is_not_null(),
        ~pl.col("segment").is_in(LEFT_OUT_SEGMENTS),
    )


def expected(entered: pl.DataFrame) -> list[pl.DataFrame]:
    """The lower quartile of open entry positions, by pipeline, segment and source; coarser last.

    Each frame has its keys, `expected` and `deals`, for groups of 30 and more.
    """
    still_open = entered.lazy().filter(pl.col("open_position").is_not_null())
    quartile = pl.col("position").quantile(0.25, interpolation="lower").cast(pl.Int64)
    return pl.collect_all(
        still_open.group_by(keys)
        .agg(expected=quartile, deals=pl.len())
        .filter(pl.col("deals") >= EXPECTED_AT_LEAST)
        for keys in _LEVELS
    )


def with_expected(
    entered: pl.DataFrame, confirmed: pl.DataFrame, proposed: list[pl.DataFrame]
) -> pl.DataFrame:
    """Adds `expected`: what setup confirmed, else the finest proposal, else the first stage."""
    names = [f"expected_{level}" for level in range(len(proposed))]
    for name, level in zip(names, proposed, strict=True):
        keys = [key for key in _LEVELS[0] if key in level.columns]
        entered = entered.join(
            level.select(*keys, pl.col("expected").alias(name)),
            on=keys,
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
    set_up = confirmed.select(pipeline="pipeline_id", confirmed="expected_entry")
    return (
        entered.join(set_up, on="pipeline", how="left", maintain_order="left")
        .with_columns(expected=pl.coalesce("confirmed", *names, pl.lit(0)))
        .drop("confirmed", *names)
    )


def beyond_process(entered: pl.DataFrame) -> pl.DataFrame:
    """Pipelines where most deals enter beyond the expected stage: pipeline, deals, beyond."""
    return (
        entered.group_by("pipeline")
        .agg(
            deals=pl.len(),
            beyond=(pl.col("position") > pl.col("expected")).sum(),
            expected=pl.col("expected").min(),
        )
        .filter(
            pl.col("deals") >= PROCESS_AT_LEAST,
            pl.col("beyond") > PROCESS_SHARE * pl.col("deals"),
        )
        .sort("pipeline")
    )


def earlier_talks(
    entered: pl.LazyFrame,
    activities: pl.LazyFrame,
    *,
    activity_contacts: pl.LazyFrame,
    contact_roles: pl.LazyFrame,
) -> pl.LazyFrame:
    """Held meetings and connected calls of a deal's first owner in the 90 days before it.

    With the deal's own contacts and not logged on another deal; `entered` has deal_id,
    created_at and owner_id. Gives deal_id, activity_id, at; each once.
    """
    talks = activities.filter(
        ((pl.col("kind") == _MEETING) & pl.col("is_held"))
        | ((pl.col("kind") == _CALL) & pl.col("is_two_way"))
    ).select("activity_id", "deal_id", "at", "owner_id")
    by_contact = (
        talks.filter(pl.col("deal_id").is_null())
        .drop("deal_id")
        .join(activity_contacts, on="activity_id")
        .join(contact_roles.select("deal_id", "contact_id"), on="contact_id")
    )
    columns = ["deal_id", "activity_id", "at", "owner_id"]
    logged_here = talks.filter(pl.col("deal_id").is_not_null())
    return (
        pl.concat([by_contact.select(columns), logged_here.select(columns)])
        .join(entered, on=["deal_id", "owner_id"])
        .filter(
            pl.col("at") < pl.col("created_at"),
            pl.col("at") >= pl.col("created_at") - pl.duration(days=90),
        )
        .select("deal_id", "activity_id", "at", "created_at")
        .unique(["deal_id", "activity_id"])
    )
