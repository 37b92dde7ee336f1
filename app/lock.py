"""The lock of a data directory: one process at a time writes to it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import BadInput, Conflict

LOCK_FILE = "lock"


def prepare(data_dir: Path) -> None:
    """Make the data directory, for its owner only. BadInput where that can't be."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput("FORESTAGE_DATA_DIR", f"{data_dir}: {error.strerror}") from None
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise BadInput("FORESTAGE_DATA_DIR", f"{data_dir}: this user may not write there")


@contextmanager
def held(data_dir: Path, purpose: str) -> Iterator[None]:
    """Hold the directory while writing; Conflict, saying by whom, where it is held.

    `flock` goes with its process, so a killed one leaves nothing to clean up.
    """
    prepare(data_dir)
    with (data_dir / LOCK_FILE).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise Conflict(
                f"{data_dir} is in use by {holder}; stop it first, or where it is `serve`, "
                "ask its API"
            ) from None
        file.truncate(0)
        file.write(f"{purpose} (process {os.getpid()})")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
