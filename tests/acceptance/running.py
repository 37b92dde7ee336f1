"""Start the practice CRM and the commands as processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

SECRET = "forestage-sandbox-secret"
NAME = "practice"
WAIT_SECONDS = 120


@dataclass(frozen=True)
class Sandbox:
    """A running practice CRM."""

    base_url: str
    truth: Path

    def ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(  # noqa: S310 - loopback
            self.base_url + path, data=data, headers={"Content-Type": "application/json"}
        )
        with urlopen(request, timeout=60) as response:  # noqa: S310 - loopback
            return json.loads(response.read() or b"null")


@contextmanager
def sandbox(folder: Path, *, deals: int, seed: int) -> Iterator[Sandbox]:
    """A practice Salesforce on a free port, stopped at the end."""
    truth = folder / "truth.jsonl"
    arguments = {"crm": "salesforce", "port": 0, "deals": deals, "seed": seed, "truth": truth}
    command = [sys.executable, "-m", "connectors.sandbox.run", "--state", str(folder / "state")]
    for name, value in arguments.items():
        command += [f"--{name}", str(value)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            base_url = next(word for word in line.split() if word.startswith("http"))
            yield Sandbox(base_url.rstrip("/"), truth)
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)


@dataclass(frozen=True)
class Forestage:
    """The command line over one data directory."""

    data_dir: Path

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        environment = os.environ | {
            "FORESTAGE_DATA_DIR": str(self.data_dir),
            "FORESTAGE_CONSUMER_SECRET": SECRET,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "app.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> str:
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=WAIT_SECONDS)
        assert process.returncode == 0, f"{arguments}: exit {process.returncode}\n{out}\n{err}"
        return out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def connect(self, crm: Sandbox) -> None:
        self.run(
            *("connections", "add", "salesforce", "--name", NAME, "--base-url", crm.base_url),
            *("--consumer-key", "forestage-sandbox"),
        )

    def on(self, verb: str, *arguments: str) -> Any:
        """A verb with --connection and --json."""
        return self.json(verb, "--connection", NAME, *arguments)

    def accept(self) -> None:
        """Confirm what setup proposes."""
        self.run("setup", "--connection", NAME, "--accept-proposals")

    def deploy_and_switch(self) -> None:
        """Install the package in the CRM and start to write."""
        self.run("setup", "--connection", NAME, "--deploy")
        self.run("connections", "mode", NAME, "write")

    def until_written(self, crm: Sandbox) -> None:
        """The whole main job, in one go."""
        self.connect(crm)
        self.on("sync")
        self.accept()
        self.on("score")
        self.deploy_and_switch()
        self.on("write-back")
