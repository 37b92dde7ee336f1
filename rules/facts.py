"""What a rule may look at: the frames as they were known at an instant, built once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import polars as pl

from rules import batches, dates, entries, moves, process
from rules.ledger import is_machine, keep, merge_edits, order_changes
from rules.norms import Norms
from rules.notices import notices
from rules.rule import NOTICES
from rules.tables import Tables


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Raw frames cut at `as_of`, and derived frames that rules share, collected once.

    Derived frames are ordered by deal and time. `gone`: deals not yet created, or deleted by
    then; their rows are not seen. `given` are the norms of the organisation
    where `tables` hold only some of its deals.
    """

    tables: Tables
    as_of: datetime
    settle: timedelta
    gone: pl.Series
    given: Norms | None = None

    @classmethod
    def cut(
        cls,
        tables: Tables,
        as_of: datetime,
        *,
        settle_minutes: int = 60,
        norms: Norms | None = None,
    ) -> "Facts":
        """Facts as of an aware instant: nothing that happened or was logged later is seen."""
        stands = pl.col("deleted_at").is_null() | (pl.col("deleted_at") > as_of)
        stood = (pl.col("created_at") <= as_of) & stands
        deals = (
            tables.deals.lazy()
            .filter(stood)
            .with_columns(pl.col("segment").fill_null(0))
            .sort("deal_id", maintain_order=True)
            .filter(pl.col("deal_id").ne_missing(pl.col("deal_id").shift()))
            .collect()
        )
        known = pl.max_horizontal("at", "logged_at") <= as_of
        cut = replace(
            tables,
            deals=deals,
            stages=process.periods(tables.stages, as_of),
            people=tables.people.unique("person_id", keep="first", maintain_order=True),
            pipelines=tables.pipelines.unique("pipeline_id", keep="first", maintain_order=True),
            activities=keep(tables.activities, known),
            contact_roles=keep(tables.contact_roles, pl.col("valid_from") <= as_of),
        )
        return cls(
            tables=cut,
            as_of=as_of,
            settle=timedelta(minutes=settle_minutes),
            gone=tables.deals.filter(~stood)["deal_id"],
            given=norms,
        )

    @property
    def deals(self) -> pl.DataFrame:
        """Deals created and not deleted by then, by deal_id; segment is never null."""
        return self.tables.deals

    @cached_property
    def stage_rows(self) -> pl.DataFrame:
        """Ordered rows of stages with their `edit`, the process then, and the time held."""
        return self._stages[1]

    @cached_property
    def stage_edits(self) -> pl.DataFrame:
        """Settled edits of stages, with `machine`."""
        return self._stages[0]

    @cached_property
    def date_rows(self) -> pl.DataFrame:
        """Ordered rows of close dates with their `edit`."""
        return self._dates[1]

    @cached_property
    def date_edits(self) -> pl.DataFrame:
        """Settled edits of close dates, with `machine`."""
        return self._dates[0]

    @cached_property
    def owner_rows(self) -> pl.DataFrame:
        """Ordered rows of ownership."""
        return self._ordered(self.tables.owner_changes)

    @cached_property
    def forecast_rows(self) -> pl.DataFrame:
        """Ordered rows of forecast categories."""
        return self._ordered(self.tables.forecast_changes)

    @cached_property
    def amount_rows(self) -> pl.DataFrame:
        """Ordered rows of amounts."""
        return self._ordered(self.tables.amount_changes)

    @cached_property
    def state(self) -> pl.DataFrame:
        """Each deal as it stood: deal_id, stage_id, role, closed, close_on, owner_id, amount,
        forecast; null where the ledger doesn't say.
        """
        last = pl.col("deal_id").ne_missing(pl.col("deal_id").shift(-1))
        state = self.deals.select("deal_id", "currency", "segment")
        stages = self.stage_rows.filter(last).select(
            "deal_id", stage_id="new", role="new_role", closed="new_closed"
        )
        state = state.join(stages, on="deal_id", how="left", maintain_order="left")
        for name, rows in (
            ("close_on", self.date_rows),
            ("owner_id", self.owner_rows),
            ("amount", self.amount_rows),
            ("forecast", self.forecast_rows),
        ):
            latest = rows.filter(last).select("deal_id", pl.col("new").alias(name))
            state = state.join(latest, on="deal_id", how="left", maintain_order="left")
        return state

    @cached_property
    def labels(self) -> pl.DataFrame:
        """The label of each stage: stage_id, label."""
        latest = self.tables.stages.sort("stage_id", "valid_from")
        return latest.unique("stage_id", keep="last").select("stage_id", "label")

    @cached_property
    def norms(self) -> Norms:
        """What the whole organisation tells, or what was given of it."""
        if self.given is not None:
            return self.given
        mass = self._mass_changes()
        entered = entries.of_the_last_year(self._direct_entries(mass), self.as_of)
        proposed = entries.expected(entered)
        return Norms(
            mass_changes=mass,
            default_dates=dates.default_forms(
                self.date_edits, self._entries, self.tables.time_zone, self._start_month
            ),
            expected_entries=proposed,
            beyond_process=entries.beyond_process(
                entries.with_expected(entered, self.tables.pipelines, proposed)
            ),
        )

    @cached_property
    def notices(self) -> pl.DataFrame:
        """NOTICES of mass changes and of processes that hardly anybody enters at their start.

        None where the norms were given: who computed them has told what they show.
        """
        if self.given is not None:
            return pl.DataFrame(schema=NOTICES)
        return notices(self.norms, self.labels, self.as_of)

    @cached_property
    def entered(self) -> pl.DataFrame:
        """Where each deal entered (`entries.entries`), with the `expected` position."""
        return entries.with_expected(
            self._entries, self.tables.pipelines, self.norms.expected_entries
        )

    @cached_property
    def skips(self) -> pl.DataFrame:
        """Stages that people passed over (`process.skips`)."""
        return process.skips(self._telling(self.stage_edits, "stage"), self.stage_rows)

    @cached_property
    def regressions(self) -> pl.DataFrame:
        """Steps back that people made (`moves.regressions`)."""
        return moves.regressions(
            self._telling(self.stage_edits, "stage"), self.skips, self.forecast_rows
        )

    @cached_property
    def pushes(self) -> pl.DataFrame:
        """Promised close dates that people moved later (`dates.pushes`)."""
        around = dates.Surroundings(
            stages=self.stage_rows,
            owners=self.owner_rows,
            forecasts=self.forecast_rows,
            two_way=self.two_way,
            people=self.tables.people,
            entries=self._entries,
            zone=self.tables.time_zone,
            start_month=self._start_month,
        )
        return dates.pushes(self.date_edits, around, self.norms)

    @cached_property
    def two_way(self) -> pl.DataFrame:
        """Two-way activities on deals: deal_id, activity_id, at, ordered."""
        return (
            self.tables.activities.lazy()
            .filter("is_two_way", pl.col("deal_id").is_not_null())
            .select("deal_id", "activity_id", "at")
            .unique("activity_id")
            .sort("deal_id", "at", "activity_id")
            .collect()
        )

    @property
    def integrations(self) -> pl.Series:
        """People who are programs."""
        return self.tables.people.filter("is_integration")["person_id"]

    @property
    def _start_month(self) -> int:
        return self.tables.fiscal_start_month

    @cached_property
    def _stages(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        rows = self._ordered(self.tables.stage_changes)
        rows = process.with_stages(process.with_time_held(rows), self.tables.stages)
        return self._merged(rows)

    @cached_property
    def _dates(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        return self._merged(self._ordered(self.tables.close_date_changes))

    @cached_property
    def _entries(self) -> pl.DataFrame:
        steps = self.tables.stages.group_by(pipeline="pipeline").agg(
            steps=pl.col("position").max() + 1
        )
        return entries.entries(self.deals, self.stage_rows, steps)

    def _ordered(self, changes: pl.DataFrame) -> pl.DataFrame:
        if not self.gone.is_empty():
            changes = changes.filter(~pl.col("deal_id").is_in(self.gone.implode()))
        return order_changes(changes, self.as_of, self.deals)

    def _merged(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        edits, rows = merge_edits(
            rows.with_columns(machine=is_machine(self.integrations)), self.settle
        )
        return edits, rows

    def _telling(self, edits: pl.DataFrame, ledger: str) -> pl.DataFrame:
        mass = self.norms.mass_changes.filter(pl.col("ledger") == ledger)["change_id"]
        telling = pl.col("proves") & ~pl.col("machine") & ~pl.col("change_id").is_in(mass.implode())
        return edits.with_columns(telling=telling)

    def _direct_entries(self, mass: pl.DataFrame) -> pl.DataFrame:
        batch = mass.filter(pl.col("ledger") == "deal")["deal_id"]
        return self._entries.filter(
            ~pl.col("deal_id").is_in(batch.implode()),
            ~pl.col("by_id").is_in(self.integrations.implode()).fill_null(value=False),
        )

    def _mass_changes(self) -> pl.DataFrame:
        return batches.mass_changes(
            created=self._entries.select("deal_id", "by_id", at="created_at"),
            stages=self.stage_edits,
            stage_rows=self.stage_rows,
            dates=self.date_edits,
            owners=self.owner_rows,
            integrations=self.integrations,
            zone=self.tables.time_zone,
        )
