"""Connecting a HubSpot portal by the command line, to a practice portal."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app import settings
from app.bootstrap import opened
from app.cli import APP
from app.commands.credentials import read_managers
from app.errors import BadInput
from app.store import connections
from tests.connectors.hubspot.practice import TOKEN, PracticePortal, practising

VARIABLES = ("ACCESS_TOKEN", "CLIENT_SECRET", "REFRESH_TOKEN", "ADMIN_TOKEN")


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PracticePortal]:
    for name in (*(name for name, _ in settings.variables()), *VARIABLES):
        monkeypatch.delenv(name if name.startswith("FORESTAGE") else f"FORESTAGE_{name}", False)
    with practising(tmp_path / "crm", deals=8, seed=1) as made:
        yield made


def forestage(tmp_path: Path, *arguments: str, stdin: str | None = None) -> Result:
    told = ["--data-dir", str(tmp_path / "data"), *arguments]
    return CliRunner().invoke(APP, told, input=stdin)


def connect(
    tmp_path: Path, portal: PracticePortal, *arguments: str, stdin: str | None = None
) -> Result:
    start = ("connections", "add", "hubspot", "--name", "acme", "--base-url", portal.base_url)
    return forestage(tmp_path, *start, *arguments, stdin=stdin)


def config(tmp_path: Path) -> Any:
    return json.loads(forestage(tmp_path, "connections", "show", "acme", "--json").output)["config"]


def csv_of(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "managers.csv"
    file.write_text("\n".join(("whom,manager", *lines)), encoding="utf-8")
    return file


def test_a_static_token_is_read_from_stdin_and_stored_sealed(
    tmp_path: Path, portal: PracticePortal
) -> None:
    done = connect(tmp_path, portal, "--secret-stdin", stdin=f"{TOKEN}\n")
    assert done.exit_code == 0, done.output
    assert TOKEN not in done.output
    assert TOKEN.encode() not in (tmp_path / "data" / "forestage.db").read_bytes()
    assert forestage(tmp_path, "sync").exit_code == 0


def test_the_token_may_come_from_the_environment(
    tmp_path: Path, portal: PracticePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORESTAGE_ACCESS_TOKEN", TOKEN)
    assert connect(tmp_path, portal).exit_code == 0


def test_an_oauth_apps_refresh_token_goes_on_from_command_to_command(
    tmp_path: Path, portal: PracticePortal
) -> None:
    secrets = "forestage-sandbox-secret\nforestage-sandbox-refresh\n"
    done = connect(
        tmp_path, portal, "--client-id", "forestage-sandbox", "--secret-stdin", stdin=secrets
    )
    assert done.exit_code == 0, done.output
    for _ in range(2):
        assert forestage(tmp_path, "sync").exit_code == 0


def test_managers_and_fiscal_year_stay_when_credentials_are_renewed(
    tmp_path: Path, portal: PracticePortal
) -> None:
    file = csv_of(tmp_path, "Sales Team 1,rep-001@fernhill.example", "", "owner:7,8")
    told = ("--managers", str(file), "--fiscal-year-start-month", "2", "--secret-stdin")
    assert connect(tmp_path, portal, *told, stdin=f"{TOKEN}\n").exit_code == 0
    managers = {"team:Sales Team 1": "rep-001@fernhill.example", "owner:7": "8"}
    assert config(tmp_path)["managers"] == managers
    again = ("--replace", "--api-version", "v3", "--secret-stdin")
    assert connect(tmp_path, portal, *again, stdin=f"{TOKEN}\n").exit_code == 0
    assert config(tmp_path)["managers"] == managers
    assert config(tmp_path)["fiscal_year_start_month"] == 2
    assert config(tmp_path)["api_version"] == "v3"
    assert forestage(tmp_path, "sync").exit_code == 0
    with (
        opened(settings.load(data_dir=tmp_path / "data")) as parts,
        parts.db.read() as conn,
    ):
        row = connections.get(conn, "acme")
    assert row.fiscal_start_month == 2


def test_setup_installs_the_properties_and_doctor_sees_them(
    tmp_path: Path, portal: PracticePortal
) -> None:
    assert connect(tmp_path, portal, "--secret-stdin", stdin=f"{TOKEN}\n").exit_code == 0
    told = ("setup", "--deploy", "--json")
    assert len(json.loads(forestage(tmp_path, *told).output)["installed"]) == 9
    assert json.loads(forestage(tmp_path, *told).output)["installed"] == []
    found = json.loads(forestage(tmp_path, "doctor", "--json").output)
    assert next(check for check in found["checks"] if check["area"] == "setup")["state"] == "ok"


def test_a_wrong_token_connects_nothing(tmp_path: Path, portal: PracticePortal) -> None:
    done = connect(tmp_path, portal, "--secret-stdin", stdin="pat-wrong\n")
    assert done.exit_code != 0
    assert "pat-wrong" not in done.output


@pytest.mark.parametrize(
    "lines", [("West",), ("West,a@x.example,more",), ("West,",), ("West,1", "West,2")]
)
def test_a_line_that_makes_no_sense_is_named(tmp_path: Path, lines: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match=r"line [23]"):
        read_managers(csv_of(tmp_path, *lines))


def test_whom_is_a_team_or_a_person(tmp_path: Path) -> None:
    lines = ("West,1", "team:12,1", "ada@x.example,1", "owner:9,bo@x.example", '"Nord, S\u00fcd",1')
    assert read_managers(csv_of(tmp_path, *lines)) == {
        "team:West": "1",
        "team:12": "1",
        "owner:ada@x.example": "1",
        "owner:9": "bo@x.example",
        "team:Nord, S\u00fcd": "1",
    }
    with pytest.raises(BadInput, match="managers"):
        read_managers(tmp_path / "none.csv")
