"""What setup proposes and an admin confirms: stage roles, expected entry, segments."""

import polars as pl

from rules.facts import Facts
from rules.tables import FORECASTS, ROLES

_PARKING_WORDS = r"(?i)\b(on[ -]?hold|parked|parking|paused?|dormant|nurtur\w*|stalled|postponed)\b"
_SEGMENT_WORDS = {
    "renewal": ("renew",),
    "channel": ("channel", "partner", "reseller", "distribut"),
    "expansion": ("expan", "upsell", "up-sell", "cross-sell", "add-on", "existing"),
    "new": ("new", "land"),
}


def propose_roles(stages: pl.DataFrame) -> pl.DataFrame:
    """stage_id, position, role (code) of each stage, from its order within the pipeline.

    Takes stage_id, pipeline_id, label, sort_order (null: only history names it), is_closed,
    is_won, is_active, probability (0 to 100, null) and forecast (code, null). Of n open
    stages the first and last max(1, round(n / 3)) are early and late, without overlap; a
    single one is late. On hold by name, or open and omitted from the forecast after the
    first stage, is parking.
    """
    role = {name: ROLES.index(name) for name in ROLES}
    omitted = (pl.col("forecast") == FORECASTS.index("omitted")).fill_null(value=False)
    zero = (pl.col("probability") == 0).fill_null(value=False)
    first = pl.col("sort_order") == pl.col("sort_order").min().over("pipeline_id")
    parking = pl.col("label").str.contains(_PARKING_WORDS) | (omitted & zero & ~first)
    steps = (
        stages.filter(~pl.col("is_closed"), pl.col("is_active"), pl.col("sort_order").is_not_null())
        .filter(~parking)
        .sort("pipeline_id", "sort_order", "stage_id")
        .with_columns(
            position=pl.int_range(pl.len()).over("pipeline_id"), n=pl.len().over("pipeline_id")
        )
    )
    third = pl.max_horizontal(1, ((pl.col("n") * 2 + 3) // 6))
    steps = steps.select(
        "stage_id",
        pl.col("position").cast(pl.Int64),
        step_role=pl.when(pl.col("position") >= pl.col("n") - third)
        .then(role["late"])
        .when(pl.col("position") < third)
        .then(role["early"])
        .otherwise(role["middle"]),
    )
    return stages.join(steps, on="stage_id", how="left", maintain_order="left").select(
        "stage_id",
        "position",
        role=pl.when("is_closed")
        .then(role["closed"])
        .when(parking)
        .then(role["parking"])
        .otherwise("step_role")
        .cast(pl.Int8),
    )


def propose_expected_entry(facts: Facts) -> pl.DataFrame:
    """pipeline_id, expected_entry (position), deals: the lower quartile of 12 months' entries.

    Only pipelines with 30 entries and more; the others begin at their first stage.
    """
    by_pipeline = facts.norms.expected_entries[-1]
    return by_pipeline.select(
        pipeline_id="pipeline", expected_entry="expected", deals=pl.col("deals").cast(pl.Int64)
    ).sort("pipeline_id")


def propose_segment(deal_type: str | None, pipeline_name: str) -> str | None:
    """The segment that a deal's type, else its pipeline's name, speaks of; None: neither does."""
    for text in (deal_type, pipeline_name):
        for segment, words in _SEGMENT_WORDS.items():
            if text and any(word in text.lower() for word in words):
                return segment
    return None
