"""Mass changes: many deals made or moved in a day by one hand tell nothing about selling."""

import polars as pl

from rules.calendar import day_of
from rules.lookup import in_force
from rules.process import CLOSED
from rules.tables import INSTANT

CREATED_AT_LEAST = 15
EDITED_AT_LEAST = 10
REDESIGN_SHARE = 0.3
REDESIGN_AT_LEAST = 10
REDESIGN_PEOPLE = 2

MEMBERS: dict[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.String,  # batch | redesign
    "ledger": pl.String,
    "change_id": pl.Int64,  # deal_id where the ledger is `deal`
    "deal_id": pl.Int64,
    "at": INSTANT,
    "by_id": pl.Int64,
    "day": pl.Date,
    "value": pl.Int64,  # what they share: the new value, the shift in days, the pipeline
    "what": pl.String,  # created | value | shift | redesign
}


def mass_changes(
    *,
    created: pl.DataFrame,
    stages: pl.DataFrame,
    stage_rows: pl.DataFrame,
    dates: pl.DataFrame,
    owners: pl.DataFrame,
    integrations: pl.Series,
    zone: str,
) -> pl.DataFrame:
    """MEMBERS of all batches and redesigns, from settled edits and ordered rows.

    A day is one of the account's time zone. What an integration writes is its daily work, no
    batch. A change counts once: as redesign, else by its value, else by its shift.
    """
    day = day_of(pl.col("at"), zone)
    by_person = pl.col("by_id").is_not_null() & ~pl.col("by_id").is_in(integrations.implode())
    telling = by_person & pl.col("proves") & ~pl.col("is_creation")
    told = ("deal_id", "at", "change_id", "by_id", "old", "new")
    moved = (
        stages.lazy()
        .filter(pl.col("proves"), ~pl.col("is_creation"))
        .select(*told, "old_role", "old_pipeline", day=day)
        .collect()
    )
    redesigned = _redesigns(moved, stage_rows, zone)
    moved = moved.filter(by_person, ~_is_among(redesigned))
    dated = dates.lazy().filter(telling).select(*told, day=day).collect()
    to_one_date = _edits(dated, owners, ledger="close_date", value=pl.col("new"))
    shifted = dated.filter(
        pl.col("old").is_not_null(), pl.col("new").is_not_null(), ~_is_among(to_one_date)
    )
    shift = (pl.col("new") - pl.col("old")).dt.total_days()
    given = owners.lazy().filter(telling).select(*told, day=day).collect()
    return pl.concat(
        [
            _creations(created.filter(by_person).with_columns(day=day)),
            redesigned,
            _edits(moved, owners, ledger="stage", value=pl.col("new")),
            to_one_date,
            _edits(shifted, owners, ledger="close_date", value=shift, what="shift"),
            _edits(given, owners, ledger="owner", value=pl.col("new")),
        ]
    )


def _often(lines: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Rows whose keys may occur often enough: told by their hash, which saves time and memory."""
    hashed = lines.select(pl.struct(keys).hash().alias("hash"))
    often = hashed.group_by("hash").len().filter(pl.col("len") >= EDITED_AT_LEAST)["hash"]
    return lines.filter(hashed["hash"].is_in(often.implode()))


def _is_among(members: pl.DataFrame) -> pl.Expr:
    return pl.col("change_id").is_in(members["change_id"].implode())


def _creations(made: pl.DataFrame) -> pl.DataFrame:
    groups = made.group_by("by_id", "day").len().filter(pl.col("len") >= CREATED_AT_LEAST)
    members = made.join(groups, on=["by_id", "day"], how="semi")
    return _members(members.with_columns(change_id="deal_id"), ledger="deal", what="created")


def _edits(
    changes: pl.DataFrame,
    owners: pl.DataFrame,
    *,
    ledger: str,
    value: pl.Expr,
    what: str = "value",
) -> pl.DataFrame:
    keys = ["by_id", "day", "value"]
    lines = changes.select("deal_id", "at", "change_id", "day", "by_id", value=value)
    members = _often(lines, keys).filter(pl.col("deal_id").n_unique().over(keys) >= EDITED_AT_LEAST)
    if members.is_empty():
        return pl.DataFrame(schema=MEMBERS)
    members = in_force(
        members.sort("deal_id", "at"),
        owners.select("deal_id", "at", owner="new"),
        before=True,
    )
    own = (pl.col("owner") == pl.col("by_id")).fill_null(value=False).mean().over(keys)
    return _members(members.filter(own < 1 / 2), ledger=ledger, what=what)


def _redesigns(moves: pl.DataFrame, rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    """MEMBERS of redesigns: at most two people move over 30 % of a pipeline in a day.

    `moves` are settled edits of stages with their `day`, `rows` all ordered rows. The pipeline
    is all deals that stood open in it at some time of the day.
    """
    group = ["old_pipeline", "day"]
    moved = moves.lazy().filter(
        pl.col("old_role").ne_missing(CLOSED), pl.col("old_pipeline").is_not_null()
    )
    edits = moved.group_by(*group, "by_id").len().group_by(group).agg(pl.col("len").top_k(2).sum())
    busy = (
        edits.filter(pl.col("len") >= REDESIGN_AT_LEAST)
        .sort("day")
        .join_asof(_standing(rows, zone), on="day", by="old_pipeline", check_sortedness=False)
        .with_columns(
            open=pl.when(pl.col("day") == pl.col("told_on")).then("open").otherwise("stay")
        )
        .filter(pl.col("len") > REDESIGN_SHARE * pl.col("open"))
        .collect()
    )
    if busy.is_empty():
        return pl.DataFrame(schema=MEMBERS)
    candidates = moved.join(busy.lazy(), on=group)
    movers = (
        candidates.group_by(*group, "by_id")
        .agg(pl.col("deal_id").n_unique().alias("moved"))
        .sort("moved", "by_id", descending=[True, False])
        .filter(pl.int_range(pl.len()).over(group) < REDESIGN_PEOPLE)
    )
    members = (
        candidates.join(movers, on=[*group, "by_id"], how="semi", nulls_equal=True)
        .with_columns(moved=pl.col("deal_id").n_unique().over(group))
        .filter(
            pl.col("moved") >= REDESIGN_AT_LEAST,
            pl.col("moved") > REDESIGN_SHARE * pl.col("open"),
        )
        .with_columns(value="old_pipeline")
        .collect()
    )
    return _members(members, ledger="stage", what="redesign", kind="redesign")


def _standing(rows: pl.DataFrame, zone: str) -> pl.LazyFrame:
    """By pipeline and day on which any came or left: `open`, how many stood open at some time of
    that day, and `stay`, how many did at its end.
    """

    def stands(side: str) -> pl.Expr:
        return pl.col(f"{side}_pipeline").is_not_null() & ~pl.col(f"{side}_closed")

    stays = stands("old") & stands("new") & (pl.col("old_pipeline") == pl.col("new_pipeline"))
    crossing = rows.lazy().filter(~stays).with_columns(day=day_of(pl.col("at"), zone))
    left = crossing.filter(stands("old")).select("day", old_pipeline="old_pipeline", step=-1)
    came = crossing.filter(stands("new")).select("day", old_pipeline="new_pipeline", step=1)
    return (
        pl.concat([left, came])
        .group_by("old_pipeline", "day")
        .agg(pl.col("step").sum(), came=(pl.col("step") > 0).sum())
        .sort("day")
        .select(
            "old_pipeline",
            "day",
            told_on="day",
            stay=pl.col("step").cum_sum().over("old_pipeline"),
            came="came",
            step="step",
        )
        .with_columns(open=pl.col("stay") - pl.col("step") + pl.col("came"))
        .drop("came", "step")
    )


def _members(frame: pl.DataFrame, *, ledger: str, what: str, kind: str = "batch") -> pl.DataFrame:
    value = pl.col("value") if "value" in frame.columns else pl.lit(None)
    return frame.select(
        kind=pl.lit(kind),
        ledger=pl.lit(ledger),
        change_id="change_id",
        deal_id="deal_id",
        at="at",
        by_id="by_id",
        day="day",
        value=value.cast(pl.Int64),
        what=pl.lit(what),
    ).cast(MEMBERS)  # type: ignore[arg-type]
