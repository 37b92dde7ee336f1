"""What an import leaves behind: its connection, its run, the roles that a person stated."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.clock import FixedClock
from app.errors import BadInput, Conflict
from app.services import setup
from app.services.importing import import_files
from app.store import connections
from app.store.database import Database
from app.store.runs import RUNS
from connectors.base import Stream
from connectors.errors import Retry
from connectors.files import KINDS, FilesReader, connect, load_settings
from connectors.records import Page

DATA = Path(__file__).parents[1] / "data" / "import"


def twenty(clock: FixedClock, name: str = "trial") -> FilesReader:
    files = {kind: DATA / "twenty" / f"{kind}.csv" for kind in KINDS}
    return connect(files, name=name, now=clock.now(), settings=load_settings())


@pytest.fixture
def late_clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 1, tzinfo=UTC))


def test_an_import_makes_its_connection_and_a_run(
    sqlite_database: Database, late_clock: FixedClock
) -> None:
    import_files(sqlite_database, twenty(late_clock), name="trial", clock=late_clock)
    with sqlite_database.read() as conn:
        row = connections.get(conn, "trial")
        [run] = conn.execute(sa.select(RUNS.c.kind, RUNS.c.status, RUNS.c.result)).all()
    assert (row.crm, row.mode, row.account_crm_id) == ("files", "observe", "files:trial")
    assert (run.kind, run.status) == ("import", "done")
    assert run.result["changes"] > 0


def test_roles_of_the_stages_file_are_confirmed_by_it(
    sqlite_database: Database, late_clock: FixedClock
) -> None:
    import_files(sqlite_database, twenty(late_clock), name="trial", clock=late_clock)
    with sqlite_database.read() as conn:
        row = connections.get(conn, "trial")
    assert row.setup is not None
    assert row.setup["accepted"]["by"] == "stages file"
    [pipeline] = setup.propose(sqlite_database, row.id).pipelines
    roles = {stage["crm_id"]: stage["role"] for stage in pipeline["stages"]}
    assert roles["On hold"] == "parking"
    assert roles["Evaluation"] == "middle"
    places = {stage["crm_id"]: stage["position"] for stage in pipeline["stages"]}
    assert (places["Negotiation"], places["On hold"], places["Won"]) == (4, None, None)


def test_without_stated_roles_set_up_waits_for_a_person(
    sqlite_database: Database, late_clock: FixedClock
) -> None:
    files = {
        "deals": DATA / "salesforce" / "Opportunity.csv",
        "history": DATA / "salesforce" / "OpportunityHistory.csv",
        "stages": DATA / "salesforce" / "stages.csv",
    }
    source = connect(files, name="org", now=late_clock.now(), settings=load_settings())
    import_files(sqlite_database, source, name="org", clock=late_clock)
    with sqlite_database.read() as conn:
        assert connections.get(conn, "org").setup is None


def test_the_name_of_a_crms_connection_is_refused(
    sqlite_database: Database, late_clock: FixedClock
) -> None:
    with sqlite_database.write() as conn:
        connections.create(
            conn, name="acme", crm="salesforce", config={}, secret=None, at=late_clock.now()
        )
    with pytest.raises(Conflict, match="salesforce"):
        import_files(sqlite_database, twenty(late_clock), name="acme", clock=late_clock)


def test_a_name_that_can_name_nothing_is_refused(
    sqlite_database: Database, late_clock: FixedClock
) -> None:
    with pytest.raises(BadInput):
        import_files(sqlite_database, twenty(late_clock), name="Acme Inc", clock=late_clock)


class Broken(FilesReader):
    """Files that are gone in the middle of it."""

    def read(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        if stream == "history":
            raise Retry("the disk is gone")
        return super().read(stream, cursor)


def test_an_import_that_breaks_off_is_told_and_the_next_one_makes_it_good(
    sqlite_database: Database, late_clock: FixedClock
) -> None:
    whole = twenty(late_clock)
    broken = Broken(whole.account(), whole._export, whole._problems, ())
    with pytest.raises(Retry):
        import_files(sqlite_database, broken, name="trial", clock=late_clock)
    with sqlite_database.read() as conn:
        [run] = conn.execute(sa.select(RUNS.c.status, RUNS.c.error)).all()
    assert (run.status, run.error) == ("failed", "the disk is gone")

    assert import_files(sqlite_database, whole, name="trial", clock=late_clock).sync is not None
    again = import_files(sqlite_database, whole, name="trial", clock=late_clock).sync
    assert again is not None
    assert again.changes == 0
