"""Close dates: which were promises, and who moved them away."""

from dataclasses import dataclass

import polars as pl

from rules.calendar import day_in, day_of, fiscal_quarter, shared_forms
from rules.lookup import in_force, running
from rules.norms import Norms
from rules.process import LATE, MIDDLE
from rules.tables import FORECASTS

DEFAULT_SHARE = 0.3
DEFAULT_AT_LEAST = 20
_COMMIT = FORECASTS.index("commit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stood around a date when it moved: ordered rows of other ledgers and settings."""

    stages: pl.DataFrame
    owners: pl.DataFrame
    forecasts: pl.DataFrame
    two_way: pl.DataFrame  # deal_id, at: two-way activities, ordered
    people: pl.DataFrame
    entries: pl.DataFrame
    zone: str
    start_month: int


def default_forms(
    edits: pl.DataFrame, entries: pl.DataFrame, zone: str, start_month: int
) -> pl.DataFrame:
    """The forms (pipeline, value, form) that over 30 % of a pipeline's first dates share."""
    forms = shared_forms(pl.col("new"), day_of(pl.col("at"), zone), start_month)
    first = (
        edits.lazy()
        .filter(pl.col("is_creation"))
        .select("deal_id", **forms)
        .join(entries.lazy().select("deal_id", "pipeline"), on="deal_id")
        .with_columns(deals=pl.len().over("pipeline"))
        .filter(pl.col("deals") >= DEFAULT_AT_LEAST)
    )
    shared = [
        first.group_by("pipeline", value=form)
        .agg(pl.len(), pl.col("deals").first())
        .filter(pl.col("value").is_not_null(), pl.col("len") > DEFAULT_SHARE * pl.col("deals"))
        .select("pipeline", "value", form=pl.lit(form))
        for form in forms
    ]
    return pl.concat(shared).sort("pipeline", "form", "value").collect()


def pushes(edits: pl.DataFrame, around: Surroundings, norms: Norms) -> pl.DataFrame:
    """Promised dates moved later while the deal was open, one row an edit, by deal and time.

    Columns of the edit, and: days (later), quarters (crossed), days_left (of the old date
    when it was moved; negative: overdue), role (of the stage just before), in_commit (just
    before), two_way_at (last two-way activity up to then, null: none), owner_id (then).
    """
    mass = norms.mass_changes.filter(pl.col("ledger") == "close_date")["change_id"]
    same_deal = pl.col("deal_id") == pl.col("deal_id").shift()
    moved = (
        edits.with_columns(
            set_at=pl.when(same_deal).then(pl.col("at").shift()),
            was_first=(same_deal & pl.col("is_creation").shift()).fill_null(value=False),
        )
        .filter(pl.col("new") > pl.col("old"), "proves", ~pl.col("machine"))
        .filter(~pl.col("change_id").is_in(mass.implode()))
        .pipe(_while_open, around)
        .pipe(_promised, around.stages)
        .pipe(_not_default, around, norms.default_dates)
    )
    return _described(moved, around)


def _while_open(moved: pl.DataFrame, around: Surroundings) -> pl.DataFrame:
    """Leaves out dates that moved on a closed deal, and the one that closing itself writes."""
    stages = around.stages.select("deal_id", "at", closed="new_closed")
    moved = in_force(moved, stages).filter(pl.col("closed").ne_missing(pl.lit(value=True)))
    closings = around.stages.filter(
        pl.col("new_closed") & pl.col("old_closed").ne_missing(pl.lit(value=True))
    ).select("deal_id", "at", closed_on=day_of(pl.col("at"), around.zone))
    moved = in_force(moved, closings, after=True)
    at_closing = (pl.col("closed_on") == day_of(pl.col("at"), around.zone)) & (
        (pl.col("new") - pl.col("closed_on")).dt.total_days().abs() <= 1
    )
    return moved.filter(~at_closing.fill_null(value=False)).drop("closed", "closed_on")


def _promised(moved: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """Keeps moves of a date in force while the deal stood in a middle or late stage.

    An open stage whose role is unknown counts as one; a role that is known says more.
    """
    role = pl.col("new_role")
    serious = (
        role.is_in([MIDDLE, LATE])
        | (role.is_null() & pl.col("new_closed").ne_missing(pl.lit(value=True)))
    ).fill_null(value=False)
    stood = stages.select("deal_id", "at", role=role, serious=serious, times=running(serious))
    moved = in_force(moved, stood.select("deal_id", "at", "role", "times"), before=True)
    since = stood.select("deal_id", "at", was_serious="serious", times_before="times")
    moved = in_force(moved, since, at="set_at")
    promised = pl.col("was_serious").fill_null(value=False) | (
        pl.col("times").fill_null(0) > pl.col("times_before").fill_null(0)
    )
    return moved.filter(promised).drop("times", "times_before", "was_serious")


def _not_default(moved: pl.DataFrame, around: Surroundings, defaults: pl.DataFrame) -> pl.DataFrame:
    """Leaves out the first move of a date that nobody chose.

    That is a form shared by many, or the end of the fiscal quarter of creation, which a
    Salesforce lead conversion writes.
    """
    forms = shared_forms(pl.col("old"), day_of(pl.col("set_at"), around.zone), around.start_month)
    first = (
        moved.filter("was_first")
        .select("change_id", "deal_id", **forms)
        .join(around.entries.select("deal_id", "pipeline"), on="deal_id", how="left")
    )
    is_default = pl.col("quarters") == 0
    for pipeline, value, form in defaults.iter_rows():
        is_default |= (pl.col("pipeline") == pipeline) & (pl.col(form) == value)
    unchosen = first.filter(is_default)["change_id"]
    return moved.filter(~pl.col("change_id").is_in(unchosen.implode()))


def _described(moved: pl.DataFrame, around: Surroundings) -> pl.DataFrame:
    people = around.people.select("person_id", "time_zone")
    zones = people["time_zone"].drop_nulls().unique().to_list()
    moved = (
        in_force(moved, around.owners.select("deal_id", "at", owner_id="new"))
        .pipe(in_force, around.forecasts.select("deal_id", "at", forecast="new"), before=True)
        .pipe(in_force, around.two_way.select("deal_id", "at", two_way_at="at"))
        .join(people, left_on="owner_id", right_on="person_id", how="left", maintain_order="left")
    )
    made_on = day_in(pl.col("at"), pl.col("time_zone"), zones, around.zone)
    quarter_of_new = fiscal_quarter(pl.col("new"), around.start_month)
    return moved.select(
        *("deal_id", "at", "edit", "change_id", "by_id", "old", "new"),
        *("role", "two_way_at", "owner_id"),
        days=(pl.col("new") - pl.col("old")).dt.total_days(),
        quarters=quarter_of_new - fiscal_quarter(pl.col("old"), around.start_month),
        days_left=(pl.col("old") - made_on).dt.total_days(),
        in_commit=(pl.col("forecast") == _COMMIT).fill_null(value=False),
    )
