"""Small organisations at random, with all the untidiness that a CRM's history has."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from rules.tables import FORECASTS, SOURCES, Tables
from tests.rules.builders import BEGINNING, Organisation

START = datetime(2026, 1, 5, tzinfo=UTC)
AS_OF = START + timedelta(days=150)
PEOPLE = (10, 11, 12, 20, None)
ROBOT = 90
UNKNOWN_STAGE = 999
OBSERVED = SOURCES.index("observed")


def random_tables(seed: int, *, deals: int = 12) -> Tables:
    """Two pipelines, a few people, `deals` deals; the same for the same seed."""
    return Maker(seed).make(deals)


class Maker:
    """Makes one organisation."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        zone = self.random.choice(["UTC", "America/New_York"])
        self.org = Organisation(time_zone=zone, fiscal_start_month=self.random.choice([1, 2, 4, 7]))
        self.busy_days = [self.random.randrange(120) for _ in range(4)]
        self.dates = [
            date(2026, 1, 31) + timedelta(days=self.random.randrange(200)) for _ in range(6)
        ]

    def make(self, deals: int) -> Tables:
        entry = self.random.choice([None, 0, 1])
        self.org.pipeline(1, expected_entry=entry)
        self.org.pipeline(2, first_stage=100, expected_entry=None)
        self._redraw_process()
        for person, zone in ((10, None), (11, "Asia/Tokyo"), (12, "Europe/Paris"), (20, None)):
            self.org.person(person, time_zone=zone, manager=20)
        self.org.person(ROBOT, is_integration=True)
        self.imported = self.random.random() < 0.4
        for deal_id in range(1, deals + 1):
            self._deal(deal_id)
        for _ in range(self.random.randrange(4)):
            self._mass_change(deals)
        for rows in self.org.rows.values():
            self.random.shuffle(rows)
        return self.org.tables()

    def _redraw_process(self) -> None:
        """In some organisations a stage moved, and another one was retired."""
        if self.random.random() < 0.3:
            changed = START + timedelta(days=self.random.randrange(100))
            moved = self.org.rows["stages"][2]
            later = moved | {"valid_from": changed, "position": 0, "role": 0}
            moved["valid_to"] = changed
            self.org.rows["stages"].append(later)
            self.org.rows["stages"][10]["valid_to"] = changed

    def _instant(self) -> datetime:
        day = self.random.choice([*self.busy_days, self.random.randrange(160)])
        return START + timedelta(days=day, minutes=10 * self.random.randrange(144))

    def _deal(self, deal_id: int) -> None:
        created = self._instant()
        batch = self.imported and self.random.random() < 0.5
        if batch:
            created = START + timedelta(days=self.busy_days[0], minutes=10 * deal_id)
        facts: dict[str, Any] = {
            "created_by_id": 12 if batch else self.random.choice([*PEOPLE, ROBOT]),
            "segment": self.random.choice([None, "new", "new", "renewal", "channel"]),
            "lead_source": self.random.choice(["Web", "Web", None]),
            "first_seen_at": self.random.choice([BEGINNING, AS_OF - timedelta(days=3)]),
        }
        if self.random.random() < 0.05:
            facts["deleted_at"] = self._instant()
        self.org.deal(deal_id, created, **facts)
        self._ledger(
            "owner", deal_id, created, value=lambda: self.random.choice([10, 11, 12, 20]), mean=0.5
        )
        self._ledger("stage", deal_id, created, value=self._stage_of(deal_id), mean=4)
        self._ledger("close_date", deal_id, created, value=self._date_from(created), mean=3)
        self._ledger(
            "forecast", deal_id, created, value=lambda: self.random.choice(FORECASTS[1:5]), mean=0.7
        )
        self._activities(deal_id, created)

    def _mass_change(self, deals: int) -> None:
        """One person gives many deals one value, or moves many dates by one step."""
        day, who = self.random.randrange(20, 150), self.random.choice([12, 20, 20])
        ledger, step = self.random.choice(["stage", "close_date", "shift"]), 0
        stage, close_on = self.random.randrange(1, 6), self.random.choice(self.dates)
        for deal_id in range(1, deals + 1):
            at = START + timedelta(days=day, minutes=7 * deal_id)
            if self.random.random() < 0.5:
                continue
            if ledger == "stage":
                old: Any = self.random.randrange(1, 6)
                self.org.change("stage", deal_id, at, old=old, new=stage, by_id=who)
            else:
                old = self.random.choice(self.dates)
                step = 20 if ledger == "shift" else (close_on - old).days
                new = old + timedelta(days=step)
                self.org.change("close_date", deal_id, at, old=old, new=new, by_id=who)

    def _stage_of(self, deal_id: int) -> Any:
        first = 100 if deal_id % 3 == 0 else 0
        stages = [first + n for n in (1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8)]
        return lambda: self.random.choice([*stages, *stages, UNKNOWN_STAGE, 101])

    def _date_from(self, created: datetime) -> Any:
        usual = created.date() + timedelta(days=60)
        return lambda: self.random.choice([usual, *self.dates, None])

    def _ledger(
        self, ledger: str, deal_id: int, created: datetime, *, value: Any, mean: float
    ) -> None:
        at, old = created, None
        if self.random.random() < 0.1:
            old = value()
        for _ in range(1 + int(self.random.expovariate(1 / mean))):
            new = value()
            by = self.random.choice([10, 10, 11, 12, 20, ROBOT, None])
            source = self.random.choice(["user"] * 8 + ["unknown", "workflow", "observed"])
            facts: dict[str, Any] = {"by_id": by, "source": source}
            if source == "observed":
                facts["seen_at"] = self.random.choice([AS_OF - timedelta(days=3), at])
            change_id = self.org.change(ledger, deal_id, at, old=old, new=new, **facts)
            if self.random.random() < 0.1:
                twin = None if self.random.random() < 0.5 else change_id
                self.org.change(ledger, deal_id, at, old=old, new=new, **facts, change_id=twin)
            old = value() if self.random.random() < 0.05 else new
            at = self.random.choice(
                [
                    at,
                    at + timedelta(minutes=10),
                    at + timedelta(minutes=30),
                    at + timedelta(minutes=60),
                    max(at, self._instant()),
                    at + timedelta(days=self.random.randrange(30)),
                ]
            )

    def _activities(self, deal_id: int, created: datetime) -> None:
        if self.random.random() < 0.6:
            self.org.contact(deal_id, 1000 + deal_id % 5, created)
        for _ in range(self.random.randrange(4)):
            at = created - timedelta(
                days=self.random.choice([-5, -1, 0, 1, 14, 29, 30, 31, 90, 91])
            )
            self.org.activity(
                self.random.choice(["meeting", "call", "email"]),
                at,
                deal_id=self.random.choice([None, None, deal_id, deal_id + 1]),
                owner_id=self.random.choice([10, 11, 12]),
                contacts=[1000 + deal_id % 5],
                is_held=self.random.choice([True, True, False, None]),
                is_two_way=self.random.choice([True, True, False, None]),
                logged_at=at + timedelta(days=self.random.choice([0, 0, 160])),
            )
