"""Connecting a Salesforce in each of the ways, by the command line, to a practice CRM."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from typer.testing import CliRunner, Result

from app import settings
from app.bootstrap import opened
from app.cli import APP
from app.store import connections
from connectors.keeping import Secret
from tests.connectors.salesforce.practice import PracticeOrg, practising
from tests.connectors.salesforce.test_signing_in import KEY, USERNAME, pem

VARIABLES = ("CONSUMER_SECRET", "PRIVATE_KEY", "REFRESH_TOKEN", "SESSION_ID")


@pytest.fixture
def org(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PracticeOrg]:
    for name in (*(name for name, _ in settings.variables()), *VARIABLES):
        monkeypatch.delenv(name if name.startswith("FORESTAGE") else f"FORESTAGE_{name}", False)
    with practising(tmp_path / "crm", deals=5, seed=1) as made:
        yield made


def forestage(tmp_path: Path, *arguments: str, stdin: str | None = None) -> Result:
    told = ["--data-dir", str(tmp_path / "data"), *arguments]
    return CliRunner().invoke(APP, told, input=stdin)


def connect(tmp_path: Path, org: PracticeOrg, *arguments: str, stdin: str | None = None) -> Result:
    start = ("connections", "add", "salesforce", "--name", "acme", "--base-url", org.base_url)
    return forestage(tmp_path, *start, *arguments, stdin=stdin)


def stored(tmp_path: Path) -> Secret:
    with opened(settings.load(data_dir=tmp_path / "data")) as parts, parts.db.read() as conn:
        return parts.secrets().open(connections.get(conn, "acme").secret)


def test_a_rotated_refresh_token_is_stored_sealed_and_the_next_command_goes_on_with_it(
    tmp_path: Path, org: PracticeOrg
) -> None:
    org.settings(rotation=True)
    done = connect(
        tmp_path,
        org,
        *("--auth", "refresh-token", "--consumer-key", KEY, "--secret-stdin"),
        stdin="forestage-sandbox-secret\nforestage-sandbox-refresh\n",
    )
    assert done.exit_code == 0, done.output
    seen = [stored(tmp_path)["refresh_token"]]
    for _ in range(2):
        assert forestage(tmp_path, "sync").exit_code == 0
        seen.append(stored(tmp_path)["refresh_token"])
    assert len({*seen, "forestage-sandbox-refresh"}) == 4
    assert seen[-1].encode() not in (tmp_path / "data" / "forestage.db").read_bytes()


@pytest.mark.parametrize("way", ["file", "stdin", "environment"])
def test_a_private_key_comes_from_a_file_from_stdin_or_from_the_environment(
    tmp_path: Path, org: PracticeOrg, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    private, public = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    org.settings(jwt_public_key=public)
    options, stdin = [], None
    if way == "file":
        (tmp_path / "key.pem").write_text(private)
        options = ["--private-key-file", str(tmp_path / "key.pem")]
    elif way == "stdin":
        options, stdin = ["--secret-stdin"], private
    else:
        monkeypatch.setenv("FORESTAGE_PRIVATE_KEY", private)
    told = ("--auth", "jwt", "--consumer-key", KEY, "--username", USERNAME)
    done = connect(tmp_path, org, *told, *options, stdin=stdin)
    assert done.exit_code == 0, done.output
    assert stored(tmp_path)["private_key"].strip() == private.strip()


def test_a_session_that_has_ended_is_told_with_what_to_do(tmp_path: Path, org: PracticeOrg) -> None:
    client = org.connect().reader()._client
    client.user_name()
    session_id = client._tokens.token().value
    done = connect(tmp_path, org, "--auth", "session", "--secret-stdin", stdin=f"{session_id}\n")
    assert done.exit_code == 0, done.output
    org.advance(1)
    done = forestage(tmp_path, "sync")
    assert done.exit_code == 5
    assert "give a new one" in done.stderr
    assert session_id not in done.output


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--auth", "magic"), "--auth"),
        (("--auth", "jwt", "--consumer-key", "k"), "--username"),
        (("--auth", "jwt", "--consumer-key", "k", "--username", "u"), "FORESTAGE_PRIVATE_KEY"),
        (("--auth", "session"), "FORESTAGE_SESSION_ID"),
        (("--consumer-key", "k", "--username", "u"), "--username"),
        ((), "--consumer-key"),
    ],
)
def test_what_is_missing_or_does_not_belong_is_named(
    tmp_path: Path, org: PracticeOrg, options: tuple[str, ...], named: str
) -> None:
    done = connect(tmp_path, org, *options)
    assert done.exit_code == 2, done.output
    assert named in done.stderr
