"""Stages as the sales process was then, and the moves between them."""

from datetime import UTC, datetime, timedelta

import polars as pl

from rules.tables import INSTANT, ROLES

EARLY, MIDDLE, LATE, PARKING, CLOSED = (ROLES.index(name) for name in ROLES)
_FACTS = ("position", "role", "pipeline", "closed", "won")
MISCLICK = timedelta(minutes=30)
PASSED_THROUGH = timedelta(hours=1)
_ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)


def periods(stages: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The periods of each stage begun by `as_of`; the first of a stage is taken as always so."""
    first = pl.col("valid_from") == pl.col("valid_from").min().over("stage_id")
    return (
        stages.unique()
        .filter(first | (pl.col("valid_from") <= as_of))
        .select(
            "stage_id",
            "label",
            pl.col("position").cast(pl.Int16),
            "role",
            pl.when(first).then(_ALWAYS).otherwise("valid_from").cast(INSTANT).alias("valid_from"),
            "valid_to",
            pipeline="pipeline_id",
            closed="is_closed",
            won="is_won",
        )
    )


def with_stages(rows: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """Adds `old_...` and `new_...` position, role, pipeline, closed and won, as they were then.

    A stage that the process then did not have leaves them null.
    """
    for side in ("old", "new"):
        then = _then(rows.select("at", stage_id=side), stages)
        rows = rows.hstack(then.select(pl.all().name.prefix(f"{side}_")).get_columns())
    return rows


def _then(moments: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """The facts of each moment's stage_id as they were `at` it, in the order of moments."""
    if not stages["stage_id"].is_duplicated().any() and stages["valid_to"].is_null().all():
        always = stages.select("stage_id", *_FACTS)
        found = moments.select("stage_id").join(
            always, on="stage_id", how="left", maintain_order="left"
        )
        return found.select(_FACTS)
    numbered = moments.with_row_index("row")
    then = (
        numbered.join(stages, on="stage_id")
        .filter(
            pl.col("valid_from") <= pl.col("at"),
            pl.col("valid_to").is_null() | (pl.col("at") < pl.col("valid_to")),
        )
        .sort("row", "valid_from")
        .unique("row", keep="last", maintain_order=True)
        .select("row", *_FACTS)
    )
    found = numbered.select("row").join(then, on="row", how="left", maintain_order="left")
    return found.select(_FACTS)


def with_time_held(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds `held`: how long the old stage had stood; null where the row before is unknown."""
    known = ~pl.col("is_first") & pl.col("old").eq_missing(pl.col("new").shift())
    return rows.with_columns(held=pl.when(known).then(pl.col("at") - pl.col("at").shift()))


def backward() -> pl.Expr:
    """A step back between two open stages of one pipeline."""
    return _within_pipeline() & (pl.col("new_position") < pl.col("old_position"))


def _within_pipeline() -> pl.Expr:
    return (pl.col("old_pipeline") == pl.col("new_pipeline")).fill_null(value=False)


def skips(edits: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Stages passed over: deal_id, skip_edit and skip_first_edit that prove it, top (position).

    A jump is judged on settled edits and is none when taken back as a misclick; a stage
    passed through in under an hour is judged on raw rows.
    """
    taken_back = (
        (pl.col("deal_id") == pl.col("deal_id").shift(-1))
        & backward().shift(-1)
        & (pl.col("held").shift(-1) < MISCLICK)
    ).fill_null(value=False)
    jumped = _within_pipeline() & (pl.col("new_position") - pl.col("old_position") > 1)
    forward = _within_pipeline() & (pl.col("new_position") > pl.col("old_position"))
    passed = (
        forward
        & (pl.col("held") < PASSED_THROUGH)
        & forward.shift()
        & (pl.col("edit") != pl.col("edit").shift())
    )
    jumps = edits.filter(jumped & ~taken_back, "telling").select(
        "deal_id", "edit", first_edit="edit", top=pl.col("new_position") - 1
    )
    telling = edits.filter("telling")["edit"]
    through = (
        rows.with_columns(passed=passed, first_edit=pl.col("edit").shift())
        .filter("passed")
        .filter(
            pl.col("edit").is_in(telling.implode()), pl.col("first_edit").is_in(telling.implode())
        )
        .select("deal_id", "edit", "first_edit", top="old_position")
    )
    return pl.concat([jumps, through]).rename(
        {"edit": "skip_edit", "first_edit": "skip_first_edit"}
    )
