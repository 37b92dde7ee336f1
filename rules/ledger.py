"""From ledger rows in any order to ordered rows, and from rows to settled edits."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby, pairwise, permutations

import polars as pl

from rules.tables import SOURCES

_MACHINES = [SOURCES.index(name) for name in ("workflow", "import", "system")]
_OBSERVED = SOURCES.index("observed")
_SEARCHED = 6  # rows at one instant whose every order is tried; larger groups go by change_id

_Tied = tuple[int, int, int, object, object, object]  # row, deal, at, old, new, value before


def order_changes(changes: pl.DataFrame, as_of: datetime, deals: pl.DataFrame) -> pl.DataFrame:
    """The rows known to have happened by `as_of`, by deal and in the order they happened.

    Rows that change nothing and duplicates are dropped; rows at one instant are chained old
    to new. Adds `is_first` (of its deal), `is_creation` (first and without old value) and
    `proves` (false for what our first read of the deal found: nobody saw it happen).
    """
    known = (pl.col("at") <= as_of) & pl.col("old").ne_missing(pl.col("new"))
    rows = _sorted(keep(changes, known))
    tied = rows.select(
        tied=(pl.col("deal_id") == pl.col("deal_id").shift())
        & (pl.col("at") == pl.col("at").shift())
    )["tied"].fill_null(value=False)
    if tied.any():
        rows = _untie(rows, tied | tied.shift(-1, fill_value=False))
    is_first = pl.col("deal_id").ne_missing(pl.col("deal_id").shift())
    return (
        _mark_proofs(rows, deals)
        .drop("seen_at")
        .with_columns(is_first=is_first, is_creation=is_first & pl.col("old").is_null())
    )


def keep(frame: pl.DataFrame, wanted: pl.Expr) -> pl.DataFrame:
    """The rows that are wanted; the frame itself, not a copy, where all are."""
    mask = frame.select(wanted.alias("wanted"))["wanted"]
    return frame if mask.all() else frame.filter(mask)


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    """By deal, instant and change; by one packed key where that will do, in half the time."""
    if _is_sorted(rows):
        return rows
    instant = pl.col("at").to_physical()
    packed = pl.col("deal_id") * 2**42 + (instant - instant.min()) // 1000
    order = rows.select(packed.alias("key"))["key"].arg_sort()
    quick = rows[order]
    return quick if _is_sorted(quick) else rows.sort("deal_id", "at", "change_id")


def _is_sorted(rows: pl.DataFrame) -> bool:
    deal, at, change = (pl.col(name) for name in ("deal_id", "at", "change_id"))
    ascends = (deal > deal.shift()) | (
        (deal == deal.shift())
        & ((at > at.shift()) | ((at == at.shift()) & (change >= change.shift())))
    )
    return bool(rows.select(ascends.fill_null(value=True).all()).item())


def _mark_proofs(rows: pl.DataFrame, deals: pl.DataFrame) -> pl.DataFrame:
    observed = rows.filter(pl.col("source") == _OBSERVED).select("change_id", "deal_id", "seen_at")
    if observed.is_empty():
        return rows.with_columns(proves=pl.lit(value=True))
    found_at_first_read = observed.join(deals, on="deal_id").filter(
        pl.col("seen_at") == pl.col("first_seen_at")
    )["change_id"]
    return rows.with_columns(proves=~pl.col("change_id").is_in(found_at_first_read.implode()))


def _untie(rows: pl.DataFrame, tied: pl.Series) -> pl.DataFrame:
    """Rows of one deal at one instant in the order in which each follows from the last."""
    slots = tied.arg_true()
    ties = rows.select(
        pl.int_range(pl.len()).alias("row"),
        "deal_id",
        pl.col("at").to_physical(),
        pl.col("old").to_physical(),
        pl.col("new").to_physical(),
        before=pl.col("new").to_physical().shift().over("deal_id"),
    )[slots]
    order = pl.Series(list(_chained(ties.iter_rows())), dtype=pl.Int64)
    index = pl.int_range(len(rows), eager=True).scatter(slots, order)
    return rows[index].filter(index.is_first_distinct())


def _chained(ties: Iterable[_Tied]) -> Iterator[int]:
    """Row numbers in order; the slot of a duplicate repeats its twin, to be dropped."""
    last: tuple[int, int, object] | None = None
    for (deal, _), rows in groupby(ties, key=lambda row: (row[1], row[2])):
        group = list(rows)
        twins: dict[tuple[object, object], _Tied] = {}
        for row in group:
            twins.setdefault((row[3], row[4]), row)
        carried = last is not None and last[:2] == (deal, group[0][0] - 1)
        before = last[2] if last is not None and carried else group[0][5]
        order = _best_order(list(twins.values()), before)
        yield from (row[0] for row in order)
        yield from [order[0][0]] * (len(group) - len(order))
        last = (deal, group[-1][0], order[-1][4])


def _best_order(rows: list[_Tied], before: object) -> tuple[_Tied, ...]:
    if len(rows) > _SEARCHED:
        return tuple(rows)

    def links(order: tuple[_Tied, ...]) -> int:
        return (order[0][3] == before) + sum(a[4] == b[3] for a, b in pairwise(order))

    return max(permutations(rows), key=links)


def merge_edits(rows: pl.DataFrame, settle: timedelta) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Settled edits of ordered rows, and the rows with the `edit` that each belongs to.

    Consecutive rows of one person within `settle` of the first are one edit with the net
    effect, never across creation. An edit carries the first row's values but for `new` and
    `new_...`, which are the last row's; one that ends where it began is left out.
    """
    breaks = rows.select(
        first=pl.col("is_first")
        | pl.col("is_creation").shift(fill_value=False)
        | pl.col("by_id").ne_missing(pl.col("by_id").shift())
        | ~(pl.col("proves") & pl.col("proves").shift(fill_value=True))
        | (pl.col("at") - pl.col("at").shift() > settle)
    )["first"].fill_null(value=True)
    if not breaks.all():
        breaks = _cut_windows(rows["at"], breaks, settle)
    rows = rows.with_columns(edit=breaks.cast(pl.UInt32).cum_sum())
    if breaks.all():
        return rows, rows
    last = breaks.shift(-1, fill_value=True)
    edits = rows.filter(breaks).with_columns(
        rows.filter(last).select(pl.col("^new.*$")).get_columns()
    )
    return edits.filter(pl.col("old").ne_missing(pl.col("new"))), rows


def _cut_windows(at: pl.Series, breaks: pl.Series, settle: timedelta) -> pl.Series:
    """Splits runs that outlast `settle`, counted from each window's own first row."""
    frame = pl.DataFrame({"at": at, "first": breaks}).with_columns(run=pl.col("first").cum_sum())
    opened = pl.when(pl.col("first")).then(pl.col("at")).forward_fill()
    long = frame.filter(pl.col("at") - opened > settle)["run"].unique()
    if long.is_empty():
        return breaks
    frame = frame.with_row_index("row").filter(pl.col("run").is_in(long.implode()))
    cuts: list[int] = []
    start = frame["at"][0]
    for row, moment, first in frame.select("row", "at", "first").iter_rows():
        if first:
            start = moment
        elif moment - start > settle:
            start = moment
            cuts.append(row)
    return breaks.scatter(cuts, values=True)


def is_machine(integrations: pl.Series) -> pl.Expr:
    """True where an integration, an import or a flow made the change, not a person."""
    by_program = pl.col("by_id").is_in(integrations.implode()).fill_null(value=False)
    return pl.col("source").is_in(_MACHINES) | by_program
