"""The benchmark runs, and all that it measures come to the same verdicts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_bench_of_a_small_store_agrees_with_oracle_and_pandas(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "bench" / "score.py")]
    size = ["--deals", "1500", "--changes", "15000", "--runs", "1", "--json"]
    done = subprocess.run(
        [*command, *size],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    # Exit code 1: the bounds, which are for large stores, are missed.
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert set(report["measured"]) == {"read", "rules", "score", "again", "pandas", "oracle"}
    assert all(count > 50 for count in report["found"].values())
    assert report["flags_opened"] > 0
