"""The command line: what it prints, what it exits with, and that its pages are true."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app import docs, lock, settings
from app.cli import APP
from tests.app.practice import write_export

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Calls `forestage ...` on a data directory of its own."""
    for name, _ in settings.variables():
        monkeypatch.delenv(name, raising=False)
    data_dir = tmp_path / "data"

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(APP, ["--data-dir", str(data_dir), *arguments], input=stdin)

    return invoke


@pytest.fixture
def filled(run: Run, tmp_path: Path) -> Run:
    """The same, with two deals imported as the connection `files`."""
    files = write_export(tmp_path, datetime.now(UTC).replace(microsecond=0))
    options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    done = run("import", "--connection", "files", *options)
    assert done.exit_code == 0, done.output
    return run


def told(result: Result) -> Any:
    """The JSON that stdout is, and nothing else."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def as_process(*arguments: str, data_dir: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "app.cli", "--data-dir", str(data_dir), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_version_is_that_of_the_distribution(run: Run) -> None:
    assert run("--version").stdout.startswith("forestage 0.")


def test_an_unknown_connection_exits_with_3_and_one_line(tmp_path: Path) -> None:
    done = as_process("flags", "--connection", "nowhere", data_dir=tmp_path / "data")
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "nowhere" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bad_setting_exits_with_2_naming_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESTAGE_SERVER_HOST", "0.0.0.0")  # noqa: S104
    done = run("connections", "list")
    assert done.exit_code == 2
    assert "FORESTAGE_SERVER_HOST" in done.stderr


def test_a_server_with_a_key_that_is_none_does_not_start(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORESTAGE_SECRET_KEY", "hush")
    done = run("serve", "--port", "0")
    assert done.exit_code == 2
    assert done.stderr.startswith("error: FORESTAGE_SECRET_KEY")
    assert "hush" not in done.output


def test_a_server_whose_port_is_taken_exits_with_2_naming_the_setting(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 2
    assert "FORESTAGE_SERVER_PORT" in done.stderr


def test_a_data_directory_that_cannot_be_made_is_told_as_a_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = as_process("connections", "list", data_dir=tmp_path / "file" / "data")
    assert done.returncode == 2
    assert "FORESTAGE_DATA_DIR" in done.stderr


def test_the_data_directory_is_for_its_owner_only(run: Run, tmp_path: Path) -> None:
    run("connections", "list")
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_what_is_stored_is_for_its_owner_only_in_a_shared_directory_too(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    data_dir.chmod(0o755)
    assert as_process("keys", "new", "one", data_dir=data_dir).returncode == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data_dir.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_a_writing_command_exits_with_4_while_another_holds_the_directory(
    run: Run, tmp_path: Path
) -> None:
    run("connections", "list")
    with lock.held(tmp_path / "data", "`forestage serve`"):
        refused = run("keys", "new", "robot")
        reading = run("keys", "list", "--json")
    assert refused.exit_code == 4
    assert f"`forestage serve` (process {os.getpid()})" in refused.stderr
    assert told(reading) == {"items": [], "next": None}
    assert run("keys", "new", "robot").exit_code == 0


def test_without_a_connection_a_verb_says_how_to_make_one(run: Run) -> None:
    done = run("sync")
    assert done.exit_code == 2
    assert "forestage connections add" in done.stderr


def test_a_key_is_shown_once_and_listed_without_itself(run: Run) -> None:
    key = told(run("keys", "new", "robot", "--json"))["key"]
    listed = run("keys", "list", "--json")
    assert key not in listed.stdout
    assert told(listed)["items"][0]["name"] == "robot"
    assert run("keys", "new", "robot").exit_code == 4
    assert run("keys", "remove", "robot").exit_code == 0
    assert run("keys", "remove", "robot").exit_code == 3


def test_scoring_an_import_gives_flags_in_the_promised_shape(filled: Run) -> None:
    report = told(filled("score", "--connection", "files", "--json"))
    assert set(report) >= {"as_of", "deals", "by_rule", "seconds"}
    counts = {"found", "opened", "kept", "resolved", "reopened", "held", "excluded", "errors"}
    assert report["by_rule"]
    assert all(set(rule) == counts for rule in report["by_rule"].values())
    page = told(filled("flags", "--connection", "files", "--json"))
    assert page["next"] is None
    flags = {(flag["rule"], flag["subject"]["crm_id"]): flag for flag in page["items"]}
    flag = flags["close-date-slippage", "d1"]
    assert flag["severity"] == "critical"
    assert flag["deal"]["name"] == "Moved away"
    assert flag["deal"]["owner"] == {"crm_id": "r1", "name": "Ruth Rep"}
    assert flag["sentence"]
    assert flag["questions"]
    kept = {"kind", "ref", "at", "old", "new", "by", "source"}
    assert flag["evidence"]
    assert all(set(item) >= kept for item in flag["evidence"])
    assert [rule for rule, deal in flags if deal == "d2"] == []


def test_the_verbs_work_on_postgresql_as_on_sqlite(
    run: Run, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORESTAGE_DATABASE_URL", postgres_url)
    files = write_export(tmp_path, datetime.now(UTC).replace(microsecond=0))
    options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    assert run("import", "--connection", "files", *options).exit_code == 0
    told(run("score", "--json"))
    rules = {flag["rule"] for flag in told(run("flags", "--json"))["items"]}
    assert "close-date-slippage" in rules
    assert told(run("connections", "remove", "files", "--yes", "--json"))["removed"]
    assert not (tmp_path / "data" / "forestage.db").exists()


def test_scoring_twice_opens_nothing_new(filled: Run) -> None:
    told(filled("score", "--json"))
    again = told(filled("score", "--json"))
    assert sum(rule["opened"] for rule in again["by_rule"].values()) == 0
    assert sum(rule["kept"] for rule in again["by_rule"].values()) > 0


def test_a_past_instant_lists_the_flags_of_then_and_stores_nothing(filled: Run) -> None:
    as_of = datetime.now(UTC).isoformat()
    then = told(filled("score", "--as-of", as_of, "--json"))
    assert "close-date-slippage" in {item["rule"] for item in then["items"]}
    assert told(filled("flags", "--json"))["items"] == []


@pytest.mark.parametrize("text", ["yesterday", "0001-01-01T00:00+14:00"])
def test_an_instant_that_is_none_is_refused(filled: Run, text: str) -> None:
    done = filled("score", "--as-of", text)
    assert done.exit_code == 2
    assert "--as-of" in done.stderr


def test_explain_says_why_a_deal_is_flagged_and_why_not(filled: Run) -> None:
    filled("score")
    flagged = filled("explain", "d1", "--connection", "files")
    quiet = filled("explain", "d2", "--connection", "files")
    assert "Moved away" in flagged.stdout
    assert "close-date-slippage" in flagged.stdout
    assert "Quiet" in quiet.stdout
    assert filled("explain", "d9", "--connection", "files").exit_code == 3


def test_what_a_deal_never_had_is_no_history(filled: Run) -> None:
    assert "None" not in filled("explain", "d1").stdout


def test_an_import_is_never_written_to(filled: Run) -> None:
    done = filled("connections", "mode", "files", "write")
    assert done.exit_code == 4
    assert "imported" in done.stderr


def test_notices_are_listed_newest_first(run: Run, tmp_path: Path) -> None:
    files = write_export(tmp_path, datetime.now(UTC).replace(microsecond=0), batch=20)
    run(
        *("import", "--connection", "files"),
        *(part for name, path in files.items() for part in (f"--{name}", str(path))),
    )
    run("score")
    (notice,) = told(run("notices", "--json"))["items"]
    assert set(notice) == {"kind", "at", "first_seen_at", "deals", "sentence"}
    assert (notice["kind"], len(notice["deals"])) == ("batch", 20)
    assert notice["sentence"][:20] in run("notices").stdout


def test_removing_a_connection_forgets_everything_read_through_it(filled: Run) -> None:
    filled("score")
    assert filled("connections", "remove", "files", "--dry-run").exit_code == 0
    assert len(told(filled("connections", "list", "--json"))["items"]) == 1
    assert filled("connections", "remove", "files", "--yes").exit_code == 0
    assert told(filled("connections", "list", "--json"))["items"] == []


@pytest.mark.parametrize(
    "url", ["http://example.com", "nonsense", "http://[::1", "http://127.0.0.1:999999"]
)
def test_an_address_that_cannot_be_right_exits_with_2_naming_the_option(run: Run, url: str) -> None:
    done = run(
        *("connections", "add", "salesforce", "--name", "acme", "--consumer-key", "key"),
        *("--base-url", url, "--secret-stdin"),
        stdin="hush\n",
    )
    assert done.exit_code == 2, done.output
    assert "base_url" in done.stderr


def test_a_database_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    (data_dir / "forestage.db").write_bytes(b"no database at all" * 1000)
    done = as_process("flags", data_dir=data_dir)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "file is not a database" in done.stderr


def test_a_database_that_does_not_answer_is_told_without_its_password(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORESTAGE_DATABASE_URL", "postgresql://fred:hush@127.0.0.1:1/x")
    done = run("flags")
    assert done.exit_code == 1
    assert "error: " in done.stderr
    assert "hush" not in done.output


def test_a_secret_is_never_taken_from_the_arguments(run: Run) -> None:
    done = run("connections", "add", "salesforce", "--help")
    assert "--secret-stdin" in done.stdout
    assert "--consumer-secret" not in done.stdout


def test_adding_a_connection_to_nobody_exits_with_5(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = run(
        *("connections", "add", "salesforce", "--name", "acme", "--consumer-key", "key"),
        *("--base-url", f"http://127.0.0.1:{port}", "--secret-stdin"),
        stdin="hush\n",
    )
    assert done.exit_code == 5, done.output
    assert "hush" not in done.output


def test_a_server_stops_gracefully_on_sigterm_and_frees_the_directory(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    command = [sys.executable, "-m", "app.cli", "--data-dir", str(data_dir), "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(8)]
        busy = as_process("keys", "new", "robot", data_dir=data_dir)
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        assert process.wait(30) == 0, rest
    printed = "".join(lines) + rest
    assert printed.count("fst_") == 1
    assert "Traceback" not in printed
    assert busy.returncode == 4
    assert as_process("keys", "new", "robot", data_dir=data_dir).returncode == 0


@pytest.mark.parametrize("page", ["cli.md", "settings.md", "api.md"])
def test_a_generated_page_is_fresh(page: str) -> None:
    """Every command and setting is on its page; `python -m app.docs` renews it."""
    assert (docs.DOCS / page).read_text(encoding="utf-8") == docs.pages()[page]


def test_every_command_and_option_says_what_it_does() -> None:
    silent = [
        f"{path} {param.name}"
        for path, command in docs.commands()
        for param in command.params
        if not getattr(param, "help", None)
    ]
    assert silent == []
    assert [path for path, command in docs.commands() if not command.help] == []


def test_every_setting_is_described() -> None:
    assert [name for name, field in settings.variables() if not field.description] == []
