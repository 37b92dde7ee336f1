"""A Developer org's export: US dates to the minute, one load of many deals, no habit to flag.

The whole export is read where it is at hand; a small one of the same make always is.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.clock import FixedClock
from app.services.importing import ImportReport, import_files
from app.services.score import score
from app.store import connections
from app.store.database import Database
from app.store.notices import NOTICES
from connectors.files import connect, load_settings

ROOT = Path(__file__).parents[2]
EXCERPT = ROOT / "tests" / "data" / "import" / "salesforce"
WHOLE = ROOT.parent / "shared" / "data" / "salesforce_history_export"
AS_OF = datetime(2026, 3, 8, tzinfo=UTC)

needs_whole = pytest.mark.skipif(
    not WHOLE.is_dir(), reason=f"the real export is not at hand ({WHOLE.name})"
)
exports = pytest.mark.parametrize(
    ("directory", "deals", "batch"),
    [(EXCERPT, 19, 16), pytest.param(WHOLE, 36, 31, marks=needs_whole)],
    ids=["excerpt", "whole"],
)


def import_export(database: Database, directory: Path, clock: FixedClock) -> ImportReport:
    files = {
        "deals": directory / "Opportunity.csv",
        "history": directory / "OpportunityHistory.csv",
        "stages": EXCERPT / "stages.csv",
    }
    source = connect(files, name="org", now=clock.now(), settings=load_settings())
    return import_files(database, source, name="org", clock=clock)


@exports
def test_an_export_of_one_load_gives_one_batch_notice_and_no_flag(
    database: Database, directory: Path, deals: int, batch: int
) -> None:
    clock = FixedClock(AS_OF)
    report = import_export(database, directory, clock)
    assert report.refused == 0
    assert set(report.by_kind["noted"]) == {"closed_before_created"}
    assert report.rows["deals"] == deals
    with database.read() as conn:
        connection_id = connections.get(conn, "org").id

    scored = score(database, connection_id, clock=clock, as_of=AS_OF).as_json()

    assert scored["deals"] == deals
    assert {rule: counts["found"] for rule, counts in scored["by_rule"].items()} == {
        "late-entry": 0,
        "close-date-slippage": 0,
        "stage-regression": 0,
    }
    assert all(counts["errors"] == 0 for counts in scored["by_rule"].values())
    with database.read() as conn:
        [notice] = conn.execute(sa.select(NOTICES)).all()
    assert notice.kind == "batch"
    assert len(notice.deal_crm_ids) == batch


@exports
def test_an_old_export_can_be_looked_at_from_later(
    sqlite_database: Database, directory: Path, deals: int, batch: int
) -> None:
    clock = FixedClock(datetime(2026, 11, 1, tzinfo=UTC))
    import_export(sqlite_database, directory, clock)
    for as_of in (AS_OF, datetime(2026, 6, 1, 12, tzinfo=UTC)):
        report = score(sqlite_database, 1, clock=clock, as_of=as_of, dry_run=True)
        assert report.items == []
        assert report.deals == deals
        told = report.as_json()
        assert told["by_rule"]["late-entry"]["excluded"] == batch
        [notice] = told["notices"]
        assert (notice["kind"], len(notice["deals"])) == ("batch", batch)
