"""What is known of an organisation as a whole, from all its deals; one deal is judged by it."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Norms:
    """Computed from all deals (`Facts.norms`), given to facts of some deals (`Facts.cut`).

    mass_changes: batches.MEMBERS, which prove nothing about behaviour.
    default_dates: pipeline, value, form of close dates that nobody chose.
    expected_entries: entries.expected. beyond_process: entries.beyond_process.
    """

    mass_changes: pl.DataFrame
    default_dates: pl.DataFrame
    expected_entries: list[pl.DataFrame]
    beyond_process: pl.DataFrame
