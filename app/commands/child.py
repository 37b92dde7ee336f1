"""The practice CRM as a child process that never outlives its parent's block."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import Conflict

STOP_SECONDS = 10
_TAIL = 600


@contextmanager
def sandbox(directory: Path, *, crm: str, deals: int, seed: int) -> Iterator[tuple[str, Path]]:
    """(address, truth file) of a sandbox that is ready; it is stopped at the end of the block."""
    truth = directory / "truth.jsonl"
    command = [sys.executable, "-m", "app.cli", "sandbox", "--crm", crm, "--port", "0"]
    command += ["--deals", str(deals), "--seed", str(seed), "--truth", str(truth)]
    command += ["--state-dir", str(directory / "sandbox")]
    log = directory / "sandbox.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,  # noqa: S603 - our own command
    ):
        try:
            address = process.stdout.readline().strip() if process.stdout is not None else ""
            if not address:
                raise Conflict(f"the practice CRM did not start: {log.read_text()[-_TAIL:]}")
            yield address, truth
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
