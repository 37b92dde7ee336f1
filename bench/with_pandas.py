"""The three rules in pandas: features and severities; no evidence, no sentences, no flags.

The made-up store has no mass changes and no default dates, so they are not looked for.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
from organisation import DAY, INTEGRATION, NOW
from verdicts import digest

MINUTE = 60_000_000
MIDDLE, LATE, CLOSED = 1, 2, 4
COMMIT = 4


def by_pandas(store: Path) -> dict[str, Any]:
    """Read with pandas, judge with pandas."""
    with closing(sqlite3.connect(store)) as conn:
        frames = _Frames(conn)
    verdicts = [*_slippage(frames), *_regression(frames), *_late_entry(frames)]
    return digest(verdicts)


class _Frames:
    """The columns that the three rules look at."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.stage = self._ledger(conn, "stage_changes")
        self.date = self._ledger(conn, "close_date_changes")
        self.forecast = self._ledger(conn, "forecast_changes")
        self.deals = pd.read_sql(
            "SELECT id AS deal_id, created_at, owner_id, lead_source, pipeline_id FROM deals", conn
        ).sort_values("deal_id")
        self.stages = pd.read_sql(
            "SELECT stage_id, pipeline_id, position, role, is_won FROM stage_periods "
            "JOIN stages ON stages.id = stage_id",
            conn,
        ).set_index("stage_id")
        self.activities = pd.read_sql(
            "SELECT a.id AS activity_id, d.id AS deal_id, a.at, kind, is_held, is_two_way "
            "FROM activities a LEFT JOIN deals d ON d.crm_id = a.deal_crm_id",
            conn,
        )
        self.links = pd.read_sql("SELECT activity_id, contact_id FROM activity_contacts", conn)
        self.roles = pd.read_sql(
            "SELECT d.id AS deal_id, contact_id FROM contact_roles r "
            "JOIN deals d ON d.crm_id = r.deal_crm_id",
            conn,
        )
        self.stage_rows = self._with_stages(self.stage)
        self.stage_edits = self._with_stages(_settled(self.stage))

    @staticmethod
    def _ledger(conn: sqlite3.Connection, table: str) -> pd.DataFrame:
        query = f'SELECT id, deal_id, at, "old", "new", by_id, source FROM {table} WHERE at <= ?'
        rows = pd.read_sql(query, conn, params=(NOW,))
        rows = rows[rows["old"].fillna(-(10**9)) != rows["new"]]
        rows = rows.sort_values(["deal_id", "at", "id"], ignore_index=True)
        rows["first"] = rows["deal_id"] != rows["deal_id"].shift()
        return rows

    def _with_stages(self, rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.copy()
        for side in ("old", "new"):
            for fact in ("position", "role", "is_won"):
                rows[f"{side}_{fact}"] = rows[side].map(self.stages[fact])
        return rows


def _settled(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of one person within 60 minutes of the first are one edit, never across creation."""
    rows = rows.copy()
    same = (rows["deal_id"] == rows["deal_id"].shift()) & (rows["by_id"] == rows["by_id"].shift())
    begins = ~(same & ~rows["first"].shift(fill_value=True))
    while True:
        start = rows["at"].where(begins).ffill()
        more = ~begins & (rows["at"] - start > 60 * MINUTE)
        # Only the first of a run is sure; the others are judged again from it.
        more &= ~more.shift(fill_value=False) | begins.shift(fill_value=True)
        if not more.any():
            break
        begins |= more
    rows["edit"] = begins.cumsum()
    merged = rows.groupby("edit", sort=False).agg(
        id=("id", "first"),
        deal_id=("deal_id", "first"),
        at=("at", "first"),
        last_at=("at", "last"),
        old=("old", "first"),
        new=("new", "last"),
        by_id=("by_id", "first"),
        source=("source", "first"),
        first=("first", "first"),
    )
    changed = merged["old"].fillna(-(10**9)) != merged["new"]
    return merged[changed].reset_index()


def _in_force(moved: pd.DataFrame, rows: pd.DataFrame, *, before: bool = False) -> pd.DataFrame:
    """Adds the columns of the last row of `rows` up to (`before`: before) each instant."""
    moved = moved.sort_values("at", kind="stable")
    rows = rows.sort_values("at", kind="stable")
    return pd.merge_asof(
        moved, rows, on="at", by="deal_id", allow_exact_matches=not before, direction="backward"
    )


def _quarter(days: pd.Series) -> pd.Series:
    dates = pd.to_datetime(days, unit="D")
    return (dates.dt.year * 12 + dates.dt.month - 1) // 3


def _slippage(frames: _Frames) -> Iterator[tuple[str, int, int]]:
    edits = _settled(frames.date)
    same = edits["deal_id"] == edits["deal_id"].shift()
    edits["set_at"] = edits["at"].shift().where(same)
    edits["was_first"] = edits["first"].shift(fill_value=False) & same
    moved = edits[(edits["new"] > edits["old"]) & ~_by_program(edits)]
    stages = frames.stage_rows
    now = stages[["deal_id", "at", "new_role"]]
    moved = _in_force(moved, now.rename(columns={"new_role": "role_now"}))
    moved = moved[moved["role_now"] != CLOSED].drop(columns="role_now")
    moved = _not_at_closing(moved, stages)
    moved = _promised(moved, stages)
    quarter_end = _quarter(moved["old"] + 1) > _quarter(moved["old"])
    own_quarter = _quarter(moved["old"]) == _quarter(moved["set_at"] // DAY)
    moved = moved[~(moved["was_first"] & quarter_end & own_quarter)]
    told = frames.forecast[["deal_id", "at", "new"]].rename(columns={"new": "forecast"})
    moved = _in_force(moved, told, before=True)
    moved["days"] = moved["new"] - moved["old"]
    moved["crossed"] = _quarter(moved["new"]) > _quarter(moved["old"])
    late = moved["old"] - moved["at"] // DAY <= 7
    moved["late_serious"] = late & ((moved["role"] == LATE) | (moved["forecast"] == COMMIT))
    summed = moved.groupby("deal_id").agg(
        pushes=("days", "size"),
        total=("days", "sum"),
        largest=("days", "max"),
        crossed=("crossed", "any"),
        late_serious=("late_serious", "sum"),
    )
    signs = (summed["pushes"] >= 3).astype(int) + (summed["total"] >= 45)
    critical = signs + (summed["late_serious"] >= 2) >= 2
    warning = (summed["largest"] >= 21) | summed["crossed"] | (summed["pushes"] >= 2)
    for deal, is_critical in critical[critical | warning].items():
        yield "close-date-slippage", int(str(deal)), 2 if is_critical else 1


def _by_program(edits: pd.DataFrame) -> pd.Series:
    return edits["by_id"] == INTEGRATION


def _not_at_closing(moved: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    closings = stages[(stages["new_role"] == CLOSED) & (stages["old_role"] != CLOSED)]
    closings = closings[["deal_id", "at"]].sort_values("at", kind="stable")
    closings["closed_on"] = closings["at"] // DAY
    moved = pd.merge_asof(
        moved.sort_values("at", kind="stable"), closings, on="at", by="deal_id", direction="forward"
    )
    on_the_day = moved["closed_on"] == moved["at"] // DAY
    return moved[~(on_the_day & ((moved["new"] - moved["closed_on"]).abs() <= 1))]


def _promised(moved: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """Moves of dates in force while the deal stood in a middle or late stage."""
    stood = stages[["deal_id", "at"]].assign(role=stages["new_role"])
    stood["serious"] = stood["role"].isin([MIDDLE, LATE])
    stood["times"] = stood.groupby("deal_id")["serious"].cumsum()
    moved = _in_force(moved, stood[["deal_id", "at", "role", "times"]], before=True)
    since = stood.rename(columns={"at": "set_at", "serious": "was", "times": "times_then"})
    since = since[["deal_id", "set_at", "was", "times_then"]].sort_values("set_at", kind="stable")
    moved["set_at"] = moved["set_at"].astype("int64")
    moved = pd.merge_asof(
        moved.sort_values("set_at", kind="stable"), since, on="set_at", by="deal_id"
    )
    later = moved["times"].fillna(0) > moved["times_then"].fillna(0)
    return moved[moved["was"].fillna(value=False).astype(bool) | later]


def _regression(frames: _Frames) -> Iterator[tuple[str, int, int]]:
    edits, rows = frames.stage_edits, frames.stage_rows
    held = rows[["deal_id", "at"]].rename(columns={"at": "since"})
    held["at"] = held["since"]
    falls = edits[(edits["new_position"] < edits["old_position"]) & ~_by_program(edits)]
    falls = _in_force(falls, held, before=True)
    falls = falls[~(falls["at"] - falls["since"] < 30 * MINUTE)]
    told = frames.forecast[["deal_id", "at"]].assign(commit=frames.forecast["new"] == COMMIT)
    told["ever"] = told.groupby("deal_id")["commit"].cummax()
    falls = _in_force(falls, told, before=True).sort_values(["deal_id", "at", "id"])
    commit = falls["commit"].fillna(value=False).astype(bool)
    ever = falls["ever"].fillna(value=False).astype(bool)
    caused = falls["edit"].isin(_caused(frames, falls))
    same = falls["deal_id"] == falls["deal_id"].shift()
    again = same & (falls["at"] - falls["at"].shift() <= 90 * DAY)
    depth = falls["old_position"] - falls["new_position"]
    deep = (depth >= 2) & ((falls["old_role"] == LATE) | commit)
    slight = ~same & (depth == 1) & ~caused & ~ever
    falls["severity"] = 1
    falls.loc[slight, "severity"] = 0
    falls.loc[deep | again, "severity"] = 2
    newest = falls.groupby("deal_id")["severity"].last()
    for deal, severity in newest.items():
        yield "stage-regression", int(str(deal)), int(severity)


def _caused(frames: _Frames, falls: pd.DataFrame) -> pd.Series:
    """Edits of falls to or below a stage that the deal had skipped before."""
    edits = frames.stage_edits
    forward = edits[~_by_program(edits) & ~edits["first"]]
    steps = frames.stages[frames.stages["position"].notna()].groupby("pipeline_id").size().max()
    reached = forward["new_position"].where(forward["new_is_won"] != 1, steps)
    jumps = forward[reached - forward["old_position"] >= 2].assign(top=reached - 1)
    skips = pd.concat([jumps[["deal_id", "edit", "top"]], _passed_through(frames)])
    pairs = falls[["deal_id", "edit", "new_position"]].merge(
        skips, on="deal_id", suffixes=("", "_skip")
    )
    caused = (pairs["edit_skip"] < pairs["edit"]) & (pairs["top"] >= pairs["new_position"])
    return pairs.loc[caused, "edit"]


def _passed_through(frames: _Frames) -> pd.DataFrame:
    """Stages left forward within an hour."""
    edits = frames.stage_edits
    following = edits.shift(-1)
    same = following["deal_id"] == edits["deal_id"]
    forward = (edits["new_position"] > edits["old_position"]) & (
        (following["new_position"] > following["old_position"]) | (following["new_is_won"] == 1)
    )
    quick = following["at"] - edits["at"] < 60 * MINUTE
    people = ~_by_program(edits) & (following["by_id"] != INTEGRATION)
    passed = edits[same & forward & quick & people]
    return pd.DataFrame(
        {
            "deal_id": passed["deal_id"],
            "edit": following.loc[passed.index, "edit"],
            "top": passed["new_position"],
        }
    )


def _late_entry(frames: _Frames) -> Iterator[tuple[str, int, int]]:
    entered = frames.stage_rows[frames.stage_rows["first"]].merge(frames.deals, on="deal_id")
    entered["position"] = entered["new_position"]
    entered["expected"] = _expected(entered)
    talks = _talks(frames)
    first_talk = talks.groupby("deal_id")["at"].agg(["min", "size"])
    entered = entered.join(first_talk, on="deal_id")
    lag = (entered["created_at"] - entered["min"]).where(entered["size"] >= 2, 0)
    edits = frames.stage_edits.merge(
        entered[["deal_id", "created_at", "pipeline_id"]], on="deal_id"
    )
    steps = frames.stages[frames.stages["position"].notna()].groupby("pipeline_id").size()
    edits["reached"] = edits["new_position"].where(
        edits["new_is_won"] != 1, edits["pipeline_id"].map(steps)
    )
    fast = edits[~edits["first"] & (edits["at"] <= edits["created_at"] + DAY) & ~_by_program(edits)]
    reached = entered["deal_id"].map(fast.groupby("deal_id")["reached"].max())
    rushed = reached.fillna(entered["position"]) - entered["position"] >= 2
    beyond = entered["position"] > entered["expected"]
    lagged, long = lag >= 14 * DAY, lag >= 30 * DAY
    entered["severity"] = -1
    entered.loc[beyond, "severity"] = 0
    entered.loc[lagged | (beyond & rushed), "severity"] = 1
    entered.loc[long & beyond, "severity"] = 2
    for deal, severity in entered[["deal_id", "severity"]].itertuples(index=False):
        if severity >= 0:
            yield "late-entry", int(deal), int(severity)


def _expected(entered: pd.DataFrame) -> pd.Series:
    """The lower quartile of 12 months' entries, by pipeline and source, else by pipeline."""
    recent = entered[(entered["created_at"] > NOW - 365 * DAY) & entered["position"].notna()]
    expected = pd.Series(0.0, index=entered.index)
    for keys in (["pipeline_id"], ["pipeline_id", "lead_source"]):
        groups = recent.groupby(keys)["position"]
        quartile = groups.quantile(0.25, interpolation="lower").rename("quartile")
        known = entered.join(quartile[groups.size() >= 30], on=keys)["quartile"]
        expected = known.fillna(expected)
    return expected


def _talks(frames: _Frames) -> pd.DataFrame:
    """Talks with a deal's contacts in the 90 days before it was created."""
    held = frames.activities
    held = held[
        ((held["kind"] == 0) & (held["is_held"] == 1))
        | ((held["kind"] == 1) & (held["is_two_way"] == 1))
    ]
    free = held[held["deal_id"].isna()].drop(columns="deal_id")
    free = free.merge(frames.links, on="activity_id").merge(frames.roles, on="contact_id")
    talks = pd.concat([held[held["deal_id"].notna()], free])
    talks = talks.merge(frames.deals[["deal_id", "created_at"]], on="deal_id")
    before = (talks["at"] < talks["created_at"]) & (talks["at"] >= talks["created_at"] - 90 * DAY)
    return talks[before].drop_duplicates(["deal_id", "activity_id"])
