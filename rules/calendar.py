"""Days and fiscal quarters as expressions."""

import polars as pl


def day_of(at: pl.Expr, zone: str) -> pl.Expr:
    """The calendar day of an instant in one IANA zone."""
    return (at if zone == "UTC" else at.dt.convert_time_zone(zone)).dt.date()


def day_in(at: pl.Expr, zone: pl.Expr, zones: list[str], default: str) -> pl.Expr:
    """The calendar day of an instant in the zone that its row names, one of `zones`."""
    day = day_of(at, default)
    for name in zones:
        day = pl.when(zone == name).then(day_of(at, name)).otherwise(day)
    return day


def fiscal_quarter(day: pl.Expr, start_month: int) -> pl.Expr:
    """A number that grows by one with each fiscal quarter."""
    return (_month(day) - (start_month - 1)).floordiv(3)


def shared_forms(date: pl.Expr, made_on: pl.Expr, start_month: int) -> dict[str, pl.Expr]:
    """The ways in which many first close dates can be one default: each a number or null.

    Days ahead; months ahead where it is a month's end; fiscal quarters ahead where it is a
    quarter's end.
    """
    is_month_end = date == date.dt.month_end()
    is_quarter_end = is_month_end & (
        fiscal_quarter(date.dt.offset_by("1d"), start_month) > fiscal_quarter(date, start_month)
    )
    quarters = fiscal_quarter(date, start_month) - fiscal_quarter(made_on, start_month)
    return {
        "days": (date - made_on).dt.total_days(),
        "months": pl.when(is_month_end).then(_month(date) - _month(made_on)).cast(pl.Int64),
        "quarters": pl.when(is_quarter_end).then(quarters).cast(pl.Int64),
    }


def _month(day: pl.Expr) -> pl.Expr:
    return day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64) - 1
