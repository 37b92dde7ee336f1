"""A practice Salesforce as a process of its own, for every test that wants a CRM."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

ROOT = Path(__file__).parents[2]
CONSUMER_KEY = "forestage-sandbox"
CONSUMER_SECRET = "forestage-sandbox-secret"
USERNAME = "integration@forestage.sandbox"
PASSWORD = "forestage-sandbox-password"
TIMEOUT_S = 60


class PlainHttp(HTTPAdapter):
    """Sends what a client wants to send by https as plain http, to the sandbox's port."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._netloc = urlsplit(base_url).netloc

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(str(request.url))
        request.url = str(urlunsplit(parts._replace(scheme="http", netloc=self._netloc)))
        return super().send(request, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox. `process` may be ended and the state directory opened again."""

    base_url: str
    state_dir: Path
    truth_path: Path
    process: subprocess.Popen[str]

    def truth(self) -> list[dict[str, Any]]:
        """What was planted up to now."""
        lines = self.truth_path.read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def state(self) -> dict[str, Any]:
        """What the sandbox tells of itself."""
        found: dict[str, Any] = self._call("GET", "state").json()
        return found

    def advance(self, days: int) -> int:
        """Let its people work on; gives the number of their acts."""
        return int(self._call("POST", "advance", {"days": days}).json()["acts"])

    def fail(self, *faults: dict[str, Any]) -> None:
        """Make coming calls fail."""
        self._call("POST", "faults", list(faults))

    def session(self) -> requests.Session:
        """A session for clients that insist on https."""
        session = requests.Session()
        session.mount("https://", PlainHttp(self.base_url))
        return session

    def client(self, **options: Any) -> Any:
        """A plain simple-salesforce client, logged in by client credentials."""
        return Salesforce(
            consumer_key=CONSUMER_KEY,
            consumer_secret=CONSUMER_SECRET,
            domain="sandbox.my",
            session=self.session(),
            **options,
        )

    def _call(self, method: str, name: str, body: Any = None) -> requests.Response:
        url = f"{self.base_url}/_sandbox/{name}"
        response = requests.request(method, url, json=body, timeout=TIMEOUT_S)
        response.raise_for_status()
        return response


def errors_of(refused: pytest.ExceptionInfo[SalesforceError]) -> list[dict[str, Any]]:
    """The list of errors that the API answered with."""
    content: Any = refused.value.content
    assert isinstance(content, list)
    return content


@contextmanager
def running_sandbox(
    directory: Path, *, crm: str = "salesforce", deals: int = 60, seed: int = 1, port: int = 0
) -> Iterator[Sandbox]:
    """A sandbox with its state in `directory`, stopped at the end."""
    truth = directory / "truth.jsonl"
    command = [sys.executable, "-m", "connectors.sandbox.run", "--crm", crm, "--port", str(port)]
    command += ["--deals", str(deals), "--seed", str(seed)]
    command += ["--truth", str(truth), "--state", str(directory / "crm")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        if not base_url.startswith("http://127.0.0.1:"):
            process.kill()
            raise RuntimeError("the sandbox did not start")
        try:
            yield Sandbox(base_url, directory / "crm", truth, process)
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)


@pytest.fixture(scope="session")
def salesforce_sandbox() -> Iterator[Sandbox]:
    """One sandbox of few deals for a whole test run; its tests may not count on counts."""
    with tempfile.TemporaryDirectory() as directory, running_sandbox(Path(directory)) as sandbox:
        yield sandbox


@pytest.fixture
def fresh_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of one test alone."""
    with running_sandbox(tmp_path, deals=30) as sandbox:
        yield sandbox
