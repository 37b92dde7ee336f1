"""Steps back from stage to stage, and the skipped stages that explain them."""

import polars as pl

from rules.lookup import in_force, running
from rules.process import LATE, MISCLICK, backward
from rules.tables import FORECASTS

_COMMIT = FORECASTS.index("commit")


def regressions(edits: pl.DataFrame, skips: pl.DataFrame, forecasts: pl.DataFrame) -> pl.DataFrame:
    """Telling steps back between open stages, the higher held for 30 minutes; by deal and time.

    deal_id, at, edit, change_id, by_id, old, new, depth, was_late (the stage before),
    in_commit (just before), was_in_commit (ever before), and skip_edit, skip_first_edit: the
    edits of the latest skip before it of a stage at or above the one it fell to, or null.
    """
    held = pl.col("held").is_null() | (pl.col("held") >= MISCLICK)
    back = edits.filter(backward(), held, "telling").select(
        *("deal_id", "at", "edit", "change_id", "by_id", "old", "new"),
        floor="new_position",
        depth=pl.col("old_position") - pl.col("new_position"),
        was_late=(pl.col("old_role") == LATE).fill_null(value=False),
    )
    commits = (pl.col("new") == _COMMIT).fill_null(value=False)
    told = forecasts.select(
        "deal_id",
        "at",
        in_commit=commits,
        was_in_commit=running(commits) > 0,
    )
    false = pl.lit(value=False)
    return (
        in_force(back, told, before=True)
        .with_columns(pl.col("in_commit", "was_in_commit").fill_null(false))
        .join(_causes(back, skips), on="edit", how="left", maintain_order="left")
        .drop("floor")
    )


def _causes(back: pl.DataFrame, skips: pl.DataFrame) -> pl.DataFrame:
    return (
        back.lazy()
        .select("deal_id", "edit", "floor", fell_at="at")
        .join(skips.lazy(), on="deal_id")
        .filter(pl.col("skip_edit") < pl.col("edit"), pl.col("top") >= pl.col("floor"))
        .sort("edit", "skip_edit", "skip_first_edit")
        .unique("edit", keep="last", maintain_order=True)
        .select("edit", "skip_edit", "skip_first_edit")
        .collect()
    )
