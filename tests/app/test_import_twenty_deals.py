"""Twenty deals on both sides of the limits; `expected.toml` works out what each must give."""

import tomllib
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.clock import FixedClock
from app.services.importing import ImportReport, import_files
from app.services.score import score
from app.store import connections
from app.store.database import Database
from app.store.deals import DEALS
from app.store.frames import load_tables
from connectors.files import KINDS, connect, load_settings
from rules.deal import DEAL_RULES
from rules.engine import evaluate
from rules.facts import Facts
from rules.limits import Limits
from rules.rule import Severity

DATA = Path(__file__).parent.parent / "data" / "import" / "twenty"
AS_OF = datetime(2026, 9, 15, tzinfo=UTC)
CLOCK = FixedClock(datetime(2026, 11, 1, tzinfo=UTC))


def only_connection(database: Database) -> int:
    with database.read() as conn:
        return connections.get(conn, "twenty").id


def import_all(database: Database) -> ImportReport:
    files = {kind: DATA / f"{kind}.csv" for kind in KINDS}
    source = connect(files, name="twenty", now=CLOCK.now(), settings=load_settings())
    return import_files(database, source, name="twenty", clock=CLOCK)


@pytest.fixture
def imported(database: Database) -> Database:
    report = import_all(database)
    assert report.problems == []
    assert report.rows["deals"] == 20
    return database


def test_twenty_deals_give_exactly_what_was_worked_out_by_hand(imported: Database) -> None:
    tables = load_tables(imported, only_connection(imported))
    evaluation = evaluate(Facts.cut(tables, AS_OF), DEAL_RULES, Limits.load({}))
    assert evaluation.errors == []
    assert evaluation.notices.is_empty()
    with imported.read() as conn:
        names = dict(conn.execute(sa.select(DEALS.c.id, DEALS.c.crm_id)).all())
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for rule, deal, severity in evaluation.findings.select(
        "rule", "subject_id", "severity"
    ).iter_rows():
        found[names[deal]][rule] = Severity(severity).name.lower()
    assert dict(found) == tomllib.loads((DATA / "expected.toml").read_text())


def test_the_score_of_a_day_counts_the_same_findings(imported: Database) -> None:
    expected = tomllib.loads((DATA / "expected.toml").read_text())
    by_rule = score(imported, only_connection(imported), clock=CLOCK, as_of=AS_OF).as_json()[
        "by_rule"
    ]
    for rule, counts in by_rule.items():
        assert counts["found"] == sum(rule in deal for deal in expected.values())
        assert counts["errors"] == 0


def test_importing_the_same_files_again_changes_nothing(imported: Database) -> None:
    sync = import_all(imported).sync
    assert sync is not None
    assert (sync.inserted, sync.updated, sync.changes) == (0, 0, 0)
