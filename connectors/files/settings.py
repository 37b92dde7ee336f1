"""How an export is to be read: its files, time zone, date order and column names."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from connectors.files.columns import COLUMNS
from connectors.files.dates import DATE_ORDERS, DateOrder
from connectors.files.problems import FileError
from connectors.files.values import DecimalMark
from connectors.records import ForecastCategory

Kind = str  # one of KINDS
KINDS = ("deals", "history", "stages", "people", "activities", "contacts")
OPTIONS = ("time_zone", "date_order", "decimal_mark", "fiscal_start_month", "home_currency")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """What the files don't say of themselves. `columns`: kind -> our name -> their header.

    `date_order` and `decimal_mark` None: inferred where the file proves them.
    """

    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    date_order: DateOrder | None = None
    decimal_mark: DecimalMark | None = None
    fiscal_start_month: int = 1
    home_currency: str | None = None
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    forecasts: Mapping[str, ForecastCategory] = field(default_factory=dict)  # theirs -> ours


def load_settings(
    mapping: Path | None = None, *, time_zone: str | None = None, date_order: str | None = None
) -> ExportSettings:
    """Settings from a mapping TOML (docs/import.md) under what was stated beside it.

    Raises FileError that names the option, and the nearest valid name for a wrong one.
    """
    told = {} if mapping is None else _load(mapping)
    options = told.pop("options", {})
    _known(options, OPTIONS, where="[options]")
    forecasts = told.pop("forecast_categories", {})
    _known(forecasts.values(), get_args(ForecastCategory), where="the forecast categories")
    for kind, columns in told.items():
        _known({kind: None}, KINDS, where="its tables")
        _known(columns, COLUMNS[kind], where=f"[{kind}]")
    return ExportSettings(
        time_zone=_zone(time_zone or options.get("time_zone", "UTC")),
        date_order=_order(date_order or options.get("date_order")),
        decimal_mark=_mark(options.get("decimal_mark")),
        fiscal_start_month=_month(options.get("fiscal_start_month", 1)),
        home_currency=options.get("home_currency"),
        columns=told,
        forecasts=forecasts,
    )


def nearest(name: str, names: Iterable[str]) -> str:
    """` (nearest: X)` for a message, or nothing."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" (nearest: {close[0]})" if close else ""


def _load(path: Path) -> dict[str, Any]:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FileError("mapping", f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError("mapping", f"{path} is no TOML: {error}") from error
    for table, entries in told.items():
        if not isinstance(entries, dict):
            raise FileError("mapping", f"{table!r} stands outside of a table such as [deals]")
        for name, value in entries.items():
            if table != "options" and not isinstance(value, str):
                raise FileError("mapping", f"[{table}] {name}: a column name in quotes is wanted")
    return told


def _known(given: Iterable[str], valid: Iterable[str], *, where: str) -> None:
    for name in given:
        if name not in valid:
            hint = nearest(name, valid)
            raise FileError("mapping", f"{name!r} is not among the names of {where}{hint}")


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (KeyError, OSError, ValueError) as error:
        raise FileError(
            "time-zone", f"{name!r} is no IANA time zone such as Europe/Berlin"
        ) from error


def _order(name: object) -> DateOrder | None:
    if name is not None and name not in DATE_ORDERS:
        raise FileError("date-order", f"{name!r} is not one of {', '.join(DATE_ORDERS)}")
    return name


def _mark(name: object) -> DecimalMark | None:
    if name not in (None, ".", ","):
        raise FileError("mapping", f"decimal_mark {name!r} is neither '.' nor ','")
    return name


def _month(value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= 12:  # noqa: PLR2004
        raise FileError("mapping", f"fiscal_start_month {value!r} is not 1 to 12")
    return value
