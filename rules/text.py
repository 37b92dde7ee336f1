"""Pieces of sentences as expressions."""

import polars as pl


def day(on: pl.Expr) -> pl.Expr:
    """A date or instant as `3 Mar 2026`."""
    return on.dt.strftime("%-d %b %Y")


def counted(number: pl.Expr, noun: str) -> pl.Expr:
    """`1 day`, `2 days`."""
    ending = pl.when(number == 1).then(pl.lit("")).otherwise(pl.lit("s"))
    return pl.format("{} {}{}", number, pl.lit(noun), ending)
