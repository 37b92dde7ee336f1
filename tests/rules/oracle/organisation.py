"""What all deals together tell: mass changes, default dates, where deals are expected to enter."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rules.tables import ROLES, SEGMENTS, SOURCES, Tables
from tests.rules.oracle.history import Edit, Process, Row, edits_of, rows_of, value_at

MACHINES = {"workflow", "import", "system"}


@dataclass
class Deal:
    """One deal's row and its ledgers."""

    row: Row
    stages: list[Row]
    dates: list[Row]
    owners: list[Row]
    forecasts: list[Row]
    stage_edits: list[Edit]
    date_edits: list[Edit]

    @property
    def id(self) -> int:
        return self.row["deal_id"]  # type: ignore[no-any-return]

    @property
    def segment(self) -> str:
        return SEGMENTS[self.row["segment"] or 0]

    @property
    def creator(self) -> int | None:
        first = self.stages[0]["by_id"] if self.stages else None
        return self.row["created_by_id"] or first


class Organisation:
    """Every deal that stood at `as_of`, and what they tell together."""

    def __init__(self, tables: Tables, as_of: datetime) -> None:
        self.tables, self.as_of = tables, as_of
        self.zone = ZoneInfo(tables.time_zone)
        self.process = Process.of(tables, as_of)
        self.integrations = {
            row["person_id"] for row in tables.people.iter_rows(named=True) if row["is_integration"]
        }
        self.zones = {
            row["person_id"]: row["time_zone"] for row in tables.people.iter_rows(named=True)
        }
        self.deals = self._deals()
        self.batch_deals = self._batch_deals()
        self.mass = self._mass()
        self.defaults = self._defaults()
        self.expected = self._expected()
        self.in_question = self._in_question()

    def _deals(self) -> list[Deal]:
        deals = {}
        for row in self.tables.deals.iter_rows(named=True):
            gone = row["deleted_at"] is not None and row["deleted_at"] <= self.as_of
            if row["created_at"] <= self.as_of and not gone:
                deals[row["deal_id"]] = self._deal(row)
        return [deals[key] for key in sorted(deals)]

    def _deal(self, row: Row) -> Deal:
        settle = timedelta(minutes=60)
        stages = rows_of(self.tables.stage_changes, row, self.as_of)
        dates = rows_of(self.tables.close_date_changes, row, self.as_of)
        return Deal(
            row=row,
            stages=stages,
            dates=dates,
            owners=rows_of(self.tables.owner_changes, row, self.as_of),
            forecasts=rows_of(self.tables.forecast_changes, row, self.as_of),
            stage_edits=edits_of(stages, self.process, settle),
            date_edits=edits_of(dates, self.process, settle),
        )

    def day(self, at: datetime, zone: str | None = None) -> date:
        return at.astimezone(ZoneInfo(zone) if zone else self.zone).date()

    def by_machine(self, edit: Edit) -> bool:
        return edit.by in self.integrations or SOURCES[edit.rows[0]["source"]] in MACHINES

    def tells(self, ledger: str, edit: Edit) -> bool:
        return edit.seen and not self.by_machine(edit) and (ledger, edit.key) not in self.mass

    def quarter(self, day: date) -> int:
        return (day.year * 12 + day.month - self.tables.fiscal_start_month) // 3

    def entry(self, deal: Deal) -> tuple[Row | None, int | None]:
        """The stage in which a deal entered, and its position (won: past the last)."""
        if not deal.stages:
            return None, None
        first = deal.stages[0]
        stage = self.process.stage(first["new"], first["at"])
        if stage is None or first["old"] is not None or not first["seen"]:
            return stage, None
        if stage["is_won"]:
            return stage, self.process.steps(stage["pipeline_id"])
        return stage, stage["position"]

    def _batch_deals(self) -> set[int]:
        groups = defaultdict(set)
        for deal in self.deals:
            if deal.stages and deal.creator is not None and deal.creator not in self.integrations:
                groups[deal.creator, self.day(deal.row["created_at"])].add(deal.id)
        return set().union(*(group for group in groups.values() if len(group) >= 15))

    def _mass(self) -> set[tuple[str, int]]:
        mass = self._redesigned()
        to_one: dict[Any, list[tuple[Deal, Edit, str]]] = defaultdict(list)
        for deal, edit in self._person_edits("stage"):
            if ("stage", edit.key) not in mass:
                to_one["stage", edit.by, self.day(edit.at), edit.new].append((deal, edit, "stage"))
        for deal, edit in self._person_edits("date"):
            to_one["date", edit.by, self.day(edit.at), edit.new].append((deal, edit, "close_date"))
        mass |= self._batches(to_one)
        by_shift: dict[Any, list[tuple[Deal, Edit, str]]] = defaultdict(list)
        for deal, edit in self._person_edits("date"):
            if edit.old and edit.new and ("close_date", edit.key) not in mass:
                shift = edit.new - edit.old
                by_shift[edit.by, self.day(edit.at), shift].append((deal, edit, "close_date"))
        return mass | self._batches(by_shift)

    def _person_edits(self, ledger: str) -> list[tuple[Deal, Edit]]:
        return [
            (deal, edit)
            for deal in self.deals
            for edit in (deal.stage_edits if ledger == "stage" else deal.date_edits)
            if edit.seen
            and not edit.creation
            and edit.by is not None
            and edit.by not in self.integrations
        ]

    def _batches(self, groups: dict[Any, list[tuple[Deal, Edit, str]]]) -> set[tuple[str, int]]:
        found = set()
        for members in groups.values():
            if len({deal.id for deal, _, _ in members}) < 10:
                continue
            own = sum(
                value_at(deal.owners, edit.at, before=True) == edit.by for deal, edit, _ in members
            )
            if own * 2 < len(members):
                found |= {(ledger, edit.key) for _, edit, ledger in members}
        return found

    def _redesigned(self) -> set[tuple[str, int]]:
        moves: dict[Any, list[tuple[Deal, Edit]]] = defaultdict(list)
        for deal in self.deals:
            for edit in deal.stage_edits:
                old = self.process.stage(edit.old, edit.at)
                if edit.creation or not edit.seen or old is None or old["role"] == 4:
                    continue
                moves[old["pipeline_id"], self.day(edit.at)].append((deal, edit))
        found = set()
        for (pipeline_id, day), members in moves.items():
            by_person = defaultdict(set)
            for deal, edit in members:
                by_person[edit.by].add(deal.id)
            ranked = sorted(
                by_person, key=lambda who: (-len(by_person[who]), -1 if who is None else who)
            )
            two = ranked[:2]
            theirs = [(deal, edit) for deal, edit in members if edit.by in two]
            moved = {deal.id for deal, _ in theirs}
            if len(moved) >= 10 and len(moved) > 0.3 * self._open_on(pipeline_id, day):
                found |= {("stage", edit.key) for _, edit in theirs}
        return found

    def _open_on(self, pipeline_id: int, day: date) -> int:
        """Deals that stood open in the pipeline when the day began, or came on that day."""
        count = 0
        for deal in self.deals:
            for row in deal.stages:
                came = self._stands(row["new"], row["at"], pipeline_id)
                left = self._stands(row["old"], row["at"], pipeline_id)
                if self.day(row["at"]) < day:
                    count += came - left
                elif self.day(row["at"]) == day:
                    count += came and not left
        return count

    def _stands(self, stage_id: int | None, at: datetime, pipeline_id: int) -> bool:
        stage = self.process.stage(stage_id, at)
        return stage is not None and stage["pipeline_id"] == pipeline_id and not stage["is_closed"]

    def forms(self, day: date, made_on: date) -> set[tuple[str, int]]:
        """The shared forms that a first close date has."""
        forms = {("days", (day - made_on).days)}
        next_day = day + timedelta(days=1)
        if next_day.month != day.month:
            months = (day.year - made_on.year) * 12 + day.month - made_on.month
            forms.add(("months", months))
            if self.quarter(next_day) != self.quarter(day):
                forms.add(("quarters", self.quarter(day) - self.quarter(made_on)))
        return forms

    def pipeline_of(self, deal: Deal) -> int | None:
        stage, _ = self.entry(deal)
        return None if stage is None else stage["pipeline_id"]

    def _defaults(self) -> set[tuple[int | None, str, int]]:
        creations: Counter[int | None] = Counter()
        shared: Counter[tuple[int | None, str, int]] = Counter()
        for deal in self.deals:
            if deal.date_edits and deal.date_edits[0].creation and deal.stages:
                first = deal.date_edits[0]
                pipeline_id = self.pipeline_of(deal)
                creations[pipeline_id] += 1
                for name, value in self.forms(first.new, self.day(first.at)):
                    shared[pipeline_id, name, value] += 1
        return {
            form
            for form, count in shared.items()
            if creations[form[0]] >= 20 and count > 0.3 * creations[form[0]]
        }

    def is_default(self, deal: Deal, first: date, at: datetime) -> bool:
        """Whether a first close date, set at `at`, is one that nobody chose."""
        forms = self.forms(first, self.day(at))
        pipeline_id = self.pipeline_of(deal)
        return ("quarters", 0) in forms or any(
            pipeline_id is not None and (pipeline_id, name, value) in self.defaults
            for name, value in forms
        )

    def direct(self, deal: Deal) -> bool:
        """Entered by a person, one by one, in a segment that late entry judges."""
        return (
            deal.segment not in ("renewal", "channel")
            and deal.id not in self.batch_deals
            and deal.creator not in self.integrations
        )

    def _last_year(self) -> list[Deal]:
        return [
            deal
            for deal in self.deals
            if self.direct(deal)
            and deal.row["created_at"] > self.as_of - timedelta(days=365)
            and self.entry(deal)[1] is not None
        ]

    def _expected(self) -> dict[Any, int]:
        groups: dict[Any, list[int]] = defaultdict(list)
        for deal in self._last_year():
            stage, _ = self.entry(deal)
            if stage is not None and stage["position"] is not None:
                for key in self._keys(deal, stage["pipeline_id"]):
                    groups[key].append(stage["position"])
        return {
            key: sorted(positions)[int((len(positions) - 1) * 0.25)]
            for key, positions in groups.items()
            if len(positions) >= 30
        }

    def _keys(self, deal: Deal, pipeline_id: int) -> list[tuple[Any, ...]]:
        return [
            (pipeline_id, deal.segment, deal.row["lead_source"]),
            (pipeline_id, deal.segment),
            (pipeline_id,),
        ]

    def expected_entry(self, deal: Deal, pipeline_id: int) -> int:
        for row in self.tables.pipelines.iter_rows(named=True):
            if row["pipeline_id"] == pipeline_id and row["expected_entry"] is not None:
                return int(row["expected_entry"])
        for key in self._keys(deal, pipeline_id):
            if key in self.expected:
                return self.expected[key]
        return 0

    def _in_question(self) -> set[int]:
        entered: Counter[int] = Counter()
        beyond: Counter[int] = Counter()
        for deal in self._last_year():
            stage, position = self.entry(deal)
            assert stage is not None
            assert position is not None
            entered[stage["pipeline_id"]] += 1
            beyond[stage["pipeline_id"]] += position > self.expected_entry(
                deal, stage["pipeline_id"]
            )
        return {key for key in entered if entered[key] >= 20 and beyond[key] > 0.5 * entered[key]}


def role_of(stage: Row | None) -> str | None:
    return None if stage is None or stage["role"] is None else ROLES[stage["role"]]
