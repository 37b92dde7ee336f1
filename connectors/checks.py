"""What a connector tells of the state of its CRM account: plain records, no verdict on rules."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Area = Literal[
    "credentials", "version", "permissions", "fields", "history", "limits", "clock", "setup", "data"
]
"""What a check is about; `data`: what the records that were read tell."""
Part = Literal[
    "stage",
    "close_date",
    "amount",
    "forecast",
    "owner",
    "pipeline",
    "next_step",
    "activities",
    "contacts",
]
Grade = Literal["ok", "warning", "broken"]
"""broken: Forestage can't work until somebody acts."""

NOTHING: frozenset[Part] = frozenset()
SKEW = timedelta(seconds=60)
"""Clocks that differ by more are told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    `name` is what it is called in the CRM and, with the area, its identity. `told` is one
    sentence of what was found and what it costs, `advice` what to do. `lost`: what rules may
    need and can't be read at all because of it; `thinned`: what is read in part only.
    """

    area: Area
    name: str
    told: str
    grade: Grade = "ok"
    advice: str | None = None
    lost: frozenset[Part] = NOTHING
    thinned: frozenset[Part] = NOTHING


@dataclass(frozen=True, slots=True)
class Cost:
    """What is missing without something, in plain words after "so", and which needs of rules
    that takes or thins.
    """

    told: str
    lost: frozenset[Part] = NOTHING
    thinned: frozenset[Part] = NOTHING


def losing(told: str, *parts: Part) -> Cost:
    """A cost that takes these parts."""
    return Cost(told, lost=frozenset(parts))


def thinning(told: str, *parts: Part) -> Cost:
    """A cost that leaves these parts seen in part only."""
    return Cost(told, thinned=frozenset(parts))


def clock_check(crm_now: Callable[[], datetime], now: Callable[[], datetime]) -> Check:
    """The CRM's clock beside ours; `crm_now` makes a call for it."""
    before = now()
    theirs = crm_now()
    skew = theirs - (before + (now() - before) / 2)
    side = "ahead of" if skew > timedelta(0) else "behind"
    seconds = round(abs(skew).total_seconds())
    check = Check(
        area="clock",
        name="Date",
        told=f"The CRM's clock is {seconds:,} s {side} ours; Forestage goes by the CRM's.",
    )
    if abs(skew) > SKEW:
        return replace(check, grade="warning", advice="set our clock by a time server (NTP)")
    return check
