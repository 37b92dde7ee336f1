"""forestage doctor and connections share: what they print and what they exit with."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app import settings
from app.cli import APP
from tests.app.practice import write_export
from tests.connectors.salesforce.practice import CREDENTIALS, PracticeOrg, practising


class Shell:
    """Calls `forestage ...` on a data directory of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def __call__(self, *arguments: str) -> Result:
        options = ["--data-dir", str(self.data_dir), *arguments]
        return CliRunner().invoke(APP, options, input=f"{CREDENTIALS['consumer_secret']}\n")

    def connect(self, org: PracticeOrg) -> None:
        base = ("--name", "acme", "--base-url", org.base_url, "--secret-stdin")
        key = ("--consumer-key", CREDENTIALS["consumer_key"])
        assert self("connections", "add", "salesforce", *base, *key).exit_code == 0


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    for name, _ in settings.variables():
        monkeypatch.delenv(name, raising=False)
    return Shell(tmp_path / "data")


def test_a_connection_that_lacks_something_tells_it_and_exits_with_7(
    run: Shell, tmp_path: Path
) -> None:
    with practising(tmp_path / "org", deals=20, seed=1) as org:
        run.connect(org)
        assert run("doctor").exit_code == 0
        org.hide("OpportunityHistory")
        shown = run("doctor", "--connection", "acme")
        told = run("doctor", "--json")
    assert (shown.exit_code, told.exit_code) == (7, 7)
    assert "blind      stage-regression" in shown.stdout
    assert "OpportunityHistory can't be read" in shown.stdout
    assert "To do: assign the permission set Forestage_Integration" in shown.stdout
    found = json.loads(told.stdout)
    assert set(found) == {"connection", "state", "checks", "rules"}
    assert found["state"] == "blind"


def test_a_connection_whose_crm_is_gone_exits_with_8_and_still_speaks_of_the_data(
    run: Shell, tmp_path: Path
) -> None:
    with practising(tmp_path / "org", deals=20, seed=1) as org:
        run.connect(org)
    told = run("doctor", "--json")
    assert told.exit_code == 8
    checks = json.loads(told.stdout)["checks"]
    assert [check["area"] for check in checks if check["state"] == "broken"] == ["credentials"]
    assert "could not be reached" in checks[0]["told"]
    assert checks[-1]["area"] == "data"


def test_an_import_is_examined_by_its_data_alone(run: Shell, tmp_path: Path) -> None:
    files = write_export(tmp_path, datetime.now(UTC).replace(microsecond=0))
    options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    assert run("import", "--connection", "files", *options).exit_code == 0
    told = run("doctor", "--json")
    assert told.exit_code == 0
    assert {check["area"] for check in json.loads(told.stdout)["checks"]} == {"data"}


def test_the_share_of_calls_is_kept_with_the_connection_and_stops_a_sync(
    run: Shell, tmp_path: Path
) -> None:
    with practising(tmp_path / "org", deals=20, seed=1) as org:
        run.connect(org)
        org.limit(daily_calls=10_000)
        set_to = run("connections", "share", "acme", "0.001", "--json")
        stopped = run("sync", "--json")
        again = run("sync", "--json")
        examined = run("doctor", "--json")
        assert run("connections", "share", "acme", "0.5").exit_code == 0
        goes_on = run("sync", "--json")
    assert json.loads(set_to.stdout)["config"]["call_share"] == "0.001"
    assert (stopped.exit_code, again.exit_code) == (5, 5)
    assert "call_share" in stopped.stderr
    assert "in 60 minutes" in stopped.stderr
    (limits,) = [c for c in json.loads(examined.stdout)["checks"] if c["area"] == "limits"]
    assert "Forestage has made" in limits["told"]
    assert "may make 10 (call_share 0.001)" in limits["told"]
    assert json.loads(goes_on.stdout)["read"] > 0


def test_a_sync_that_the_budget_stopped_again_and_again_ends_with_all_that_one_reads(
    run: Shell, tmp_path: Path
) -> None:
    with practising(tmp_path / "org", deals=150, seed=3) as org:
        whole = Shell(tmp_path / "whole")
        whole.connect(org)
        assert whole("sync").exit_code == 0
        run.connect(org)
        org.limit(daily_calls=10_000)
        ends = []
        for calls in (8, 32, 58, 90, 200):  # in all; one sync takes about 40
            assert run("connections", "share", "acme", str(calls / 10_000)).exit_code == 0
            ends.append(run("sync").exit_code)
        assert ends[:2] == [5, 5]
        assert ends[-1] == 0
    assert scored(run) == scored(whole)


def scored(run: Shell) -> dict[str, int]:
    by_rule = json.loads(run("score", "--json").stdout)["by_rule"]
    found = {rule: counts["found"] for rule, counts in by_rule.items()}
    assert sum(found.values()) > 0
    return found


@pytest.mark.parametrize("share", ["0", "1.5"])
def test_a_share_that_is_none_is_refused(run: Shell, share: str) -> None:
    assert run("connections", "share", "acme", share).exit_code == 2
