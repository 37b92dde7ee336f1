"""What a connector tells of the state of its CRM account: plain records, no verdict on rules."""

from dataclasses import dataclass
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
