"""Settings are frozen, typed, and refused where they are unsafe or unknown."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app import settings
from app.errors import BadInput


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _ in settings.variables():
        monkeypatch.delenv(name, raising=False)


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> BadInput:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadInput) as caught:
        settings.load()
    return caught.value


def test_defaults_listen_on_loopback_and_keep_data_in_the_persons_own_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    loaded = settings.load()
    assert loaded.server.host == "127.0.0.1"
    assert loaded.data_dir == tmp_path / "forestage"
    assert loaded.url == f"sqlite:///{tmp_path}/forestage/forestage.db"


def test_a_variable_sets_the_field_of_its_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESTAGE_SERVER_PORT", "9001")
    monkeypatch.setenv("FORESTAGE_SCHEDULE_SYNC_MINUTES", "0")
    loaded = settings.load()
    assert (loaded.server.port, loaded.schedule.sync_minutes) == (9001, 0)


def test_an_option_wins_over_the_environment_and_leaves_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORESTAGE_SERVER_PORT", "9001")
    monkeypatch.setenv("FORESTAGE_SERVER_STOP_SECONDS", "3")
    loaded = settings.load(server={"port": 9002})
    assert (loaded.server.port, loaded.server.stop_seconds) == (9002, 3)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "forestage.example"])  # noqa: S104
def test_an_address_beyond_this_machine_is_refused_without_consent(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    error = refusal(monkeypatch, FORESTAGE_SERVER_HOST=host)
    assert error.field == "FORESTAGE_SERVER_HOST"
    assert "FORESTAGE_SERVER_ALLOW_REMOTE" in str(error)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_every_loopback_address_is_accepted(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("FORESTAGE_SERVER_HOST", host)
    assert settings.load().server.host == host


def test_consent_allows_an_address_beyond_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESTAGE_SERVER_HOST", "0.0.0.0")  # noqa: S104
    monkeypatch.setenv("FORESTAGE_SERVER_ALLOW_REMOTE", "true")
    assert settings.load().server.allow_remote


def test_a_mistyped_variable_is_refused_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = refusal(monkeypatch, FORESTAGE_SEVER_PORT="1")
    assert error.field == "FORESTAGE_SEVER_PORT"
    assert "FORESTAGE_SERVER_PORT" in str(error)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FORESTAGE_SERVER_PORT", "eighty"),
        ("FORESTAGE_SERVER_PORT", "70000"),
        ("FORESTAGE_SCHEDULE_SYNC_MINUTES", "-1"),
        ("FORESTAGE_LOG_LEVEL", "loud"),
        ("FORESTAGE_DATABASE_URL", "mysql://someone:hush@host/name"),
    ],
)
def test_a_bad_value_is_refused_naming_its_variable_and_not_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    error = refusal(monkeypatch, **{name: value})
    assert error.field == name
    assert value not in str(error)


def test_settings_can_not_be_changed_once_loaded() -> None:
    loaded = settings.load()
    with pytest.raises(ValidationError):
        loaded.server.port = 1  # type: ignore[misc] # what is tested
    with pytest.raises(ValidationError):
        loaded.data_dir = Path("elsewhere")  # type: ignore[misc] # what is tested


def test_printing_settings_shows_neither_key_nor_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORESTAGE_SECRET_KEY", "hush-key")
    monkeypatch.setenv("FORESTAGE_DATABASE_URL", "postgresql://me:hush-word@host/name")
    assert "hush" not in repr(settings.load())
    assert "hush" not in str(settings.load())
