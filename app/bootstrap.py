"""Builds everything from settings; the only file that names a concrete CRM or database."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from app import lock, secrets
from app.clock import SystemClock
from app.errors import BadInput
from app.secrets import SecretBox
from app.services.importing import ImportSource
from app.services.parts import Crm, Parts
from app.settings import Settings
from app.store.database import Database
from connectors.errors import Fatal
from connectors.keeping import SecretKeeper

CRMS = ("salesforce", "hubspot", "files")
SANDBOXES = ("salesforce", "hubspot")


def open_crm(
    crm: str,
    config: Mapping[str, Any],
    secret: Mapping[str, str],
    *,
    keeper: SecretKeeper | None = None,
) -> Crm:
    """Open a CRM account by the name of its vendor."""
    try:
        if crm == "salesforce":
            from connectors import salesforce

            return salesforce.connect(config, secret, keeper)
        if crm == "hubspot":
            from connectors import hubspot

            return hubspot.connect(config, secret, keeper)
    except Fatal as error:  # nothing was sent yet: a setting is wrong, and is named first
        setting, _, told = str(error).partition(": ")
        raise BadInput(setting, told) from None
    if crm == "files":
        raise BadInput("connection", "it was imported from files; read newer ones with `import`")
    raise BadInput("crm", f"{crm!r} is not one of {', '.join(CRMS)}")


def open_files(
    files: Mapping[str, Path],
    *,
    name: str,
    now: datetime,
    mapping: Path | None = None,
    time_zone: str | None = None,
    date_order: str | None = None,
) -> ImportSource:
    """Open an export's files (kind -> path); BadInput names the option at fault."""
    from connectors.files import FileError, connect, load_settings

    try:
        chosen = load_settings(mapping, time_zone=time_zone, date_order=date_order)
        return connect(files, name=name, now=now, settings=chosen)
    except FileError as error:
        raise BadInput(f"--{error.option}", str(error)) from error


def serve_sandbox(
    crm: str,
    *,
    port: int,
    deals: int,
    seed: int,
    truth: Path | None,
    state_dir: Path | None,
    on_ready: Callable[[str], None],
) -> None:
    """Run a practice CRM on loopback until it is told to stop."""
    if crm not in SANDBOXES:
        raise BadInput("--crm", f"{crm!r} is not one of {', '.join(SANDBOXES)}")
    from connectors.sandbox import run

    run.serve(
        crm=crm,
        port=port,
        deals=deals,
        seed=seed,
        truth=truth,
        state_dir=state_dir,
        on_ready=on_ready,
    )


def build(settings: Settings) -> Parts:
    """The parts of one Forestage. The database is opened, not migrated."""

    @cache
    def box() -> SecretBox:
        return secrets.box(settings.secret_key, settings.data_dir)

    return Parts(db=Database(settings.url), clock=SystemClock(), secrets=box, open_crm=open_crm)


@contextmanager
def opened(settings: Settings, *, purpose: str | None = None) -> Iterator[Parts]:
    """Parts to work with. With a `purpose` the data directory is held for writing, and the
    database is migrated; without, it is only read (and brought to its newest revision first
    where it is older, which needs the lock for that moment).
    """
    lock.prepare(settings.data_dir)
    parts = build(settings)
    try:
        if purpose is not None:
            with lock.held(settings.data_dir, purpose):
                parts.db.migrate()
                yield parts
        else:
            if not parts.db.revision_is_current():
                with lock.held(settings.data_dir, "a migration"):
                    parts.db.migrate()
            yield parts
    finally:
        parts.db.close()
