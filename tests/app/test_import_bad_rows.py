"""86 rows that can't be trusted, each of another make: what is said of them, and what is kept."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import APP
from connectors.files import KINDS

BAD = Path(__file__).parents[1] / "data" / "import" / "bad"
TWENTY = Path(__file__).parents[1] / "data" / "import" / "twenty"
REFUSED = 6


def expected_report() -> list[tuple[str, int, str, str, str]]:
    with (BAD / "expected.csv").open(newline="") as file:
        return [
            (row["file"], int(row["line"]), row["level"], row["kind"], row["column"])
            for row in csv.DictReader(file)
        ]


def run(data_dir: Path, directory: Path, *more: str, kinds: Sequence[str] = KINDS) -> Result:
    files = [part for kind in kinds for part in (f"--{kind}", str(directory / f"{kind}.csv"))]
    arguments = ["--data-dir", str(data_dir), "import", "--connection", "acme", *files, *more]
    return CliRunner().invoke(APP, arguments)


def test_every_bad_row_is_told_with_its_place_and_the_good_ones_are_kept(tmp_path: Path) -> None:
    result = run(tmp_path, BAD, "--date-order", "mdy", "--json")
    assert result.exit_code == REFUSED, result.output
    report = json.loads(result.stdout)
    told = [
        (p["file"], p["line"], p["level"], p["kind"], p["column"] or "") for p in report["problems"]
    ]
    assert sorted(told) == sorted(expected_report())
    assert len({(file, line) for file, line, *_ in told}) >= 50
    assert report["refused"] == sum(level == "refused" for _, _, level, *_ in told)
    assert report["noted"] == sum(level == "noted" for _, _, level, *_ in told)
    assert all(p["reason"] for p in report["problems"])
    assert all(p["value"] is not None for p in report["problems"] if p["column"])
    assert report["stored"] is True
    assert report["rows"]["deals"] == 10


def test_strict_stores_nothing_and_still_tells_every_row(tmp_path: Path) -> None:
    result = run(tmp_path, BAD, "--date-order", "mdy", "--strict", "--json")
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert report["stored"] is False
    assert report["refused"] > 50
    listed = CliRunner().invoke(APP, ["--data-dir", str(tmp_path), "connections", "list", "--json"])
    assert json.loads(listed.stdout) == {"items": [], "next": None} or not json.loads(listed.stdout)


def test_a_dry_run_reads_and_reports_only(tmp_path: Path) -> None:
    result = run(tmp_path, TWENTY, "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["stored"], report["rows"]["deals"], report["refused"]) == (False, 20, 0)


def test_a_person_reads_totals_the_first_rows_and_what_comes_next(tmp_path: Path) -> None:
    result = run(tmp_path, BAD, "--date-order", "mdy")
    assert result.exit_code == REFUSED
    assert "refused" in result.stdout
    assert "more; --json has them all" in result.output
    assert "forestage score --connection acme" in result.output


@pytest.mark.parametrize(
    ("more", "option"),
    [
        (("--time-zone", "Europe/Berlinn"), "--time-zone"),
        (("--date-order", "middle"), "--date-order"),
        (("--mapping", "nowhere.toml"), "--mapping"),
        (("--connection", "Acme Inc"), "name"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(
    tmp_path: Path, more: tuple[str, str], option: str
) -> None:
    result = run(tmp_path, TWENTY, *more)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert option in result.output


def test_a_file_of_dates_that_could_be_either_asks_for_the_order(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for kind in KINDS:
        text = (TWENTY / f"{kind}.csv").read_text()
        (files / f"{kind}.csv").write_text(text)
    deals = (files / "deals.csv").read_text().replace("2026-07-29", "03/04/26")
    (files / "deals.csv").write_text(deals)
    result = run(tmp_path / "data", files)
    assert result.exit_code == 2
    assert "--date-order" in result.output
    assert "03/04/26" in result.output
    assert run(tmp_path / "data", files, "--date-order", "dmy").exit_code == 0


def test_without_stages_the_report_says_what_cannot_be_judged(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    header = "deal_id,stage,is_closed,is_won,close_date,created_at\n"
    (files / "deals.csv").write_text(header + "D1,Proposal,no,no,2026-06-30,2026-01-05\n")
    (files / "history.csv").write_text("deal_id,changed_at,stage\nD1,2026-01-05 09:00,Proposal\n")
    result = run(tmp_path / "data", files, "--json", kinds=("deals", "history"))
    assert result.exit_code == 0, result.output
    assert any("stage rules" in warning for warning in json.loads(result.stdout)["warnings"])
