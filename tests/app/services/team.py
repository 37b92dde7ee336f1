"""A team whose deals slip: a store with flags in it, and a writer that keeps a CRM in memory."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from app.clock import FixedClock
from app.services.refresh import refresh
from app.services.score import ScoreReport, score
from app.store.database import Database
from connectors.records import ChangeRecord, DealRecord, PersonRecord
from tests.app.fakes import FakeCrm, FakeReader
from tests.app.services.story import DAY, STAGE_NAMES, change, connect, deal, role, stage
from tests.conftest import NOON

FIRST_DATE = date(2026, 4, 2)
PUSHED_AT = NOON - 5 * DAY


def slipping(crm_id: str, number: int, *, owner: str = "u1", days: int = 30) -> DealRecord:
    """A deal in Prove whose close date was moved by `days`, five days before noon."""
    first = FIRST_DATE + timedelta(days=3 * number)
    return deal(
        crm_id,
        owner_crm_id=owner,
        close_on=first + timedelta(days=days),
        amount=(number + 1) * 10_000_0000,
        created_at=NOON - 60 * DAY - number * timedelta(hours=7),
        company_crm_id=None,
    )


def history_of(
    record: DealRecord, *, days: int = 30, at: datetime = PUSHED_AT
) -> list[ChangeRecord]:
    """Created in Qualify, moved to Prove 30 days ago; its date pushed at `at`."""
    assert record.close_on is not None
    first = record.close_on - timedelta(days=days)
    born = record.created_at
    rows: list[ChangeRecord] = [
        change(record.crm_id, "stage", born, old=None, new="qualify"),
        change(record.crm_id, "close_date", born, old=None, new=first),
        change(record.crm_id, "amount", born, old=None, new=record.amount),
        change(record.crm_id, "owner", born, old=None, new=record.owner_crm_id),
        change(record.crm_id, "stage", born + 20 * DAY, old="qualify", new="prove"),
    ]
    if days:
        rows.append(change(record.crm_id, "close_date", at, old=first, new=record.close_on))
    return rows


def push(crm: FakeCrm, crm_id: str, *, at: datetime, days: int = 30) -> None:
    """A rep moves a deal's close date once more."""
    (before,) = [record.close_on for record in crm.deals if record.crm_id == crm_id]
    assert before is not None
    after = before + timedelta(days=days)
    crm.change_deal(crm_id, close_on=after, modified_at=at)
    crm.changes.append(change(crm_id, "close_date", at, old=before, new=after))


def close(crm: FakeCrm, crm_id: str, *, at: datetime) -> None:
    """A rep loses a deal."""
    crm.change_deal(crm_id, stage_crm_id="lost", is_closed=True, modified_at=at)
    crm.changes.append(change(crm_id, "stage", at, old="prove", new="lost"))


def team_crm(slips: int = 4, quiet: int = 30) -> FakeCrm:
    """One manager, two reps; `slips` deals that slipped and `quiet` ones that did not."""
    records = [
        slipping(f"s{number}", number, owner="u1" if number % 2 else "u2")
        for number in range(slips)
    ]
    still = [slipping(f"q{number}", slips + number, days=0) for number in range(quiet)]
    changes = [row for record in records for row in history_of(record)]
    changes += [row for record in still for row in history_of(record, days=0)]
    return FakeCrm(
        now=NOON,
        deals=[*records, *still],
        changes=changes,
        contacts=[role("r1", "s0", title="CFO", is_primary=True)],
        stages=[stage(name) for name in STAGE_NAMES],
        people=[
            PersonRecord(crm_id="m1", name="Mia Manager"),
            PersonRecord(crm_id="u1", name="Rob Rep", manager_crm_id="m1"),
            PersonRecord(crm_id="u2", name="Ann Rep", manager_crm_id="m1"),
        ],
    )


class Team:
    """A connection over a FakeCrm, whose clock moves for both."""

    def __init__(self, db: Database, crm: FakeCrm) -> None:
        self.db = db
        self.crm = crm
        self.clock = FixedClock(crm.now)
        self.connection_id = connect(db)
        self.sync()

    def sync(self) -> None:
        refresh(self.db, self.connection_id, FakeReader(self.crm), clock=self.clock)

    def score(self) -> ScoreReport:
        return score(self.db, self.connection_id, clock=self.clock)

    def later(self, delta: timedelta, edit: Callable[[FakeCrm], None] | None = None) -> ScoreReport:
        """Time passes, perhaps somebody edits, then a sync and a scoring."""
        self.clock.advance(delta)
        self.crm.now = self.clock.now()
        if edit is not None:
            edit(self.crm)
        self.sync()
        return self.score()
