"""Settings: read once from the environment, frozen, refused at start where they are unsafe.

Every setting is an environment variable `FORESTAGE_...`; a section's name comes first
(`FORESTAGE_SERVER_PORT` is `settings.server.port`). An unknown variable is an error, so
that a typing mistake is never a silent default.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import BadInput

PREFIX = "FORESTAGE_"
_NOT_SETTINGS = (
    *("FORESTAGE_TEST_", "FORESTAGE_CONSUMER_SECRET", "FORESTAGE_ADMIN_TOKEN"),
    *("FORESTAGE_ACCESS_TOKEN", "FORESTAGE_CLIENT_SECRET", "FORESTAGE_REFRESH_TOKEN"),
    *("FORESTAGE_PRIVATE_KEY", "FORESTAGE_SESSION_ID"),
)


def default_data_dir() -> Path:
    """The person's own data directory: `$XDG_DATA_HOME/forestage`, else `~/.local/share/forestage`.

    Not the working directory: whoever calls `forestage` from elsewhere finds the same data.
    """
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "forestage"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(_Section):
    """Where the API listens."""

    host: str = Field("127.0.0.1", description="Address to listen on; loopback only by default.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    allow_remote: bool = Field(
        default=False, description="Consent to an address that other machines can reach."
    )
    stop_seconds: int = Field(
        20, ge=1, le=600, description="How long a stop waits for the run in progress."
    )

    @model_validator(mode="after")
    def _loopback_or_consent(self) -> Self:
        if not self.allow_remote and not is_loopback(self.host):
            raise ValueError(
                f"{PREFIX}SERVER_HOST: {self.host} can be reached from other machines; to allow "
                f"that, set {PREFIX}SERVER_ALLOW_REMOTE=true (and put TLS in front)"
            )
        return self


class ScheduleSettings(_Section):
    """What `serve` does by itself."""

    sync_minutes: int = Field(
        15,
        ge=0,
        le=1440,
        description="Minutes between two syncs of a connection, each followed by scoring and, "
        "in write mode, by writing back; 0 leaves it to you.",
    )


class LogSettings(_Section):
    """What is logged, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="Least level that is logged; serve logs info unless this is set."
    )
    format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: console on a terminal, JSON lines elsewhere."
    )


class Settings(BaseSettings):
    """All settings of one Forestage. Build it with `load`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Directory of the database, the secret key and the lock; mode 0700. Default: "
        "`$XDG_DATA_HOME/forestage`, else `~/.local/share/forestage`.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="`postgresql+psycopg://user:password@host/name`, or `sqlite:///path`. "
        "Default: `forestage.db` in the data directory.",
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Fernet key (several, comma separated, newest first, to rotate) that encrypts "
        "stored credentials. Default: a 0600 file in the data directory, made when first needed.",
    )
    server: ServerSettings = ServerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    log: LogSettings = LogSettings()

    @property
    def url(self) -> str:
        """The database's URL."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'forestage.db'}"

    @model_validator(mode="after")
    def _known_database(self) -> Self:
        if not self.url.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
            raise ValueError(
                f"{PREFIX}DATABASE_URL: begins with sqlite:/// or postgresql+psycopg://"
            )
        return self


def variables() -> Iterator[tuple[str, FieldInfo]]:
    """Every environment variable and its field, in order of definition."""
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, _Section):
            for inner, inner_field in section.model_fields.items():
                yield f"{PREFIX}{name}_{inner}".upper(), inner_field
        else:
            yield f"{PREFIX}{name}".upper(), field


def load(environ: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Settings from the environment; `given` wins over it (sections as mappings).

    Raises BadInput naming the variable at fault, without its value: it may be a secret.
    """
    _refuse_unknown(os.environ if environ is None else environ)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise _as_bad_input(error) from None


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = [name for name, _ in variables()]
    for name in environ:
        if not name.startswith(PREFIX) or name.startswith(_NOT_SETTINGS) or name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        raise BadInput(name, "no such setting" + (f"; did you mean {near[0]}?" if near else ""))


def _as_bad_input(error: ValidationError) -> BadInput:
    first = error.errors(include_url=False, include_input=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    named, _, rest = message.partition(": ")
    if named.startswith(PREFIX):
        return BadInput(named, rest)
    return BadInput(PREFIX + "_".join(str(part) for part in first["loc"]).upper(), message)
