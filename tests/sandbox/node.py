"""Runs the script of a client in another language: npm installs it, Node drives it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

INSTALL_S = 300
RUN_S = 120
needs_node = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("node") and shutil.which("npm")), reason="Node or npm is not installed"
    ),
]


def drive(here: Path, folder: Path, *arguments: str) -> dict[str, Any]:
    """What `drive.mjs` in `here` saw, run in `folder` with its locked packages."""
    for name in ("package.json", "package-lock.json", "drive.mjs"):
        shutil.copy(here / name, folder / name)
    install = [
        shutil.which("npm") or "npm",
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
    ]
    subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=INSTALL_S)
    run = subprocess.run(
        [shutil.which("node") or "node", "drive.mjs", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = json.loads(run.stdout)
    return told
