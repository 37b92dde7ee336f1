"""Mass changes and doubtful processes, told once to RevOps instead of to each deal's manager."""

from datetime import datetime

import polars as pl

from rules.norms import Norms
from rules.rule import NOTICES
from rules.text import day

_GROUP = ["kind", "ledger", "what", "by_id", "day", "value"]


def notices(norms: Norms, labels: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """NOTICES, ordered by instant and key."""
    found = pl.concat([_mass(norms.mass_changes, labels), _processes(norms, as_of)])
    return found.sort("at", "key")


def _mass(members: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    redesign = pl.col("kind") == "redesign"
    groups = (
        members.with_columns(by_id=pl.when(~redesign).then("by_id"))
        .group_by(_GROUP)
        .agg(pl.col("at").max(), deal_ids=pl.col("deal_id").unique().sort())
        .join(labels, left_on="value", right_on="stage_id", how="left")
    )
    count = pl.col("deal_ids").list.len()
    ledger, what = pl.col("ledger"), pl.col("what")
    moved_to = pl.when((ledger == "close_date") & (what == "value")).then("value")
    did = (
        pl.when(redesign)
        .then(pl.lit("changed stage in one pipeline"))
        .when(what == "created")
        .then(pl.lit("were created"))
        .when(what == "shift")
        .then(pl.format("had their close dates moved by {} days", "value"))
        .when(ledger == "close_date")
        .then(pl.format("were given the close date {}", day(moved_to.cast(pl.Int32).cast(pl.Date))))
        .when(ledger == "stage")
        .then(pl.format("were moved to {}", pl.col("label").fill_null("one stage")))
        .otherwise(pl.lit("were given to one owner"))
    )
    by = pl.when(redesign).then(pl.lit("at most two people")).otherwise(pl.lit("one person"))
    sentence = pl.format("{} deals {} on {} by {}.", count, did, day(pl.col("day")), by)
    key = pl.concat_str(
        [pl.col(name).cast(pl.String).fill_null("-") for name in _GROUP], separator=":"
    )
    return groups.with_columns(sentence=sentence, key=key).select(list(NOTICES)).cast(NOTICES)  # type: ignore[arg-type]


def _processes(norms: Norms, as_of: datetime) -> pl.DataFrame:
    sentence = pl.format(
        "{} of the {} deals of the last 12 months entered this pipeline beyond its expected "
        "stage: its first stages are hardly used.",
        "beyond",
        "deals",
    )
    return norms.beyond_process.select(
        kind=pl.lit("entry_process"),
        key=pl.format("entry_process:{}", "pipeline"),
        at=pl.lit(as_of),
        by_id=pl.lit(None),
        deal_ids=pl.lit([], dtype=pl.List(pl.Int64)),
        sentence=sentence,
    ).cast(NOTICES)  # type: ignore[arg-type]
