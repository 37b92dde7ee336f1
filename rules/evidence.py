"""The exact history rows that prove a finding, gathered only for subjects that fired."""

import polars as pl

from rules.tables import INSTANT

_PARTS = ("kind", "ledger", "row_id", "at")


def of_edits(rows: pl.DataFrame, ledger: str, proving: pl.LazyFrame) -> pl.LazyFrame:
    """All raw rows of the edits in `proving` (subject_id, edit)."""
    return (
        rows.lazy()
        .select("change_id", "at", "edit")
        .join(proving.unique(), on="edit")
        .select(
            "subject_id",
            kind=pl.lit("change"),
            ledger=pl.lit(ledger),
            row_id="change_id",
            at=pl.col("at").cast(INSTANT),
        )
    )


def of_activities(proving: pl.LazyFrame) -> pl.LazyFrame:
    """Activities in `proving` (subject_id, activity_id, at)."""
    return proving.select(
        "subject_id",
        kind=pl.lit("activity"),
        ledger=pl.lit("activity"),
        row_id="activity_id",
        at="at",
    )


def gathered(*parts: pl.LazyFrame) -> pl.LazyFrame:
    """One row a subject: subject_id, evidence, ordered by instant, ledger and row.

    No two parts may have a row in common.
    """
    return (
        pl.concat(parts)
        .sort("subject_id", "at", "ledger", "row_id")
        .group_by("subject_id", maintain_order=True)
        .agg(evidence=pl.struct(_PARTS))
    )
