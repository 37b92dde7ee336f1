"""From the store to flags, against the same reader alone, a plain-Python oracle, and pandas.

    python bench/score.py --deals 100000 --changes 1000000 --json

Every measurement is a process of its own on a copy of one made-up store (made once, kept in
the temporary directory); times are medians of `--runs`, memory is the peak of the process.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

RATIO_AT_MOST = 2.5
PEAK_AT_MOST_MB = 600


class Stopwatch:
    """Seconds since it was made: on the wall, and of the process on all cores."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Both."""
        return {
            "seconds": time.perf_counter() - self._wall,
            "cpu_seconds": time.process_time() - self._cpu,
        }


def read(store: Path) -> dict[str, Any]:
    """The same reader for the same columns, alone."""
    from organisation import CONNECTION

    from app.store.database import Database
    from app.store.frames import load_tables

    with closing(Database(f"sqlite:///{store}")) as database:
        watch = Stopwatch()
        tables = load_tables(database, CONNECTION)
        return {**watch.read(), "deals": len(tables.deals)}


def rules(store: Path) -> dict[str, Any]:
    """Reader and rules, without flags in the store."""
    from organisation import AS_OF, CONNECTION
    from verdicts import digest

    from app.store.database import Database
    from app.store.frames import load_tables
    from rules.deal import DEAL_RULES
    from rules.engine import evaluate
    from rules.facts import Facts
    from rules.limits import Limits

    with closing(Database(f"sqlite:///{store}")) as database:
        watch = Stopwatch()
        tables = load_tables(database, CONNECTION)
        findings = evaluate(Facts.cut(tables, AS_OF), DEAL_RULES, Limits.load({})).findings
        taken = watch.read()
    return {**taken, **digest(findings.select("rule", "subject_id", "severity").rows())}


def score(store: Path) -> dict[str, Any]:
    """The whole way: reader, rules, evidence, rank, reconciled flags stored."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "forestage.db"
        shutil.copyfile(store, copy)
        return score_in_place(copy)


def again(store: Path) -> dict[str, Any]:
    """The whole way a second time, when nothing has changed: the nightly case."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "forestage.db"
        shutil.copyfile(store, copy)
        alone("score_in_place", copy)
        result = score_in_place(copy)
        assert result["opened"] == 0
        return result


def score_in_place(store: Path) -> dict[str, Any]:
    """Score this very file."""
    from organisation import AS_OF, CONNECTION

    from app.clock import FixedClock
    from app.services.score import score as score_connection
    from app.store.database import Database

    with closing(Database(f"sqlite:///{store}")) as database:
        watch = Stopwatch()
        report = score_connection(database, CONNECTION, clock=FixedClock(AS_OF))
        taken = watch.read()
    assert not report.errors, report.errors
    return {
        **taken,
        "found": {rule: counts["found"] for rule, counts in report.by_rule.items()},
        "opened": sum(counts["opened"] for counts in report.by_rule.values()),
    }


def oracle(store: Path) -> dict[str, Any]:
    """The slow, plain-Python reading of the rules that the tests compare with."""
    from with_oracle import by_oracle

    watch = Stopwatch()
    found = by_oracle(store)
    return {**watch.read(), **found}


def pandas(store: Path) -> dict[str, Any]:
    """The same features and severities in pandas; no evidence, no sentences, no flags."""
    from with_pandas import by_pandas

    watch = Stopwatch()
    found = by_pandas(store)
    return {**watch.read(), **found}


MEASURED: dict[str, Callable[[Path], dict[str, Any]]] = {
    "read": read,
    "rules": rules,
    "score": score,
    "again": again,
    "pandas": pandas,
    "oracle": oracle,
}


HELPERS = {"score_in_place": score_in_place}
SLOW = ("again", "oracle")  # measured once


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deals", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="leave out what is slow")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        result = {**MEASURED, **HELPERS}[given.measure](given.store)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**result, "peak_mb": round(peak, 1)}))
        return
    report = measured(given)
    print(json.dumps(report, indent=2) if given.json else table(report))
    if not report["met"]:
        raise SystemExit(1)


def measured(given: argparse.Namespace) -> dict[str, Any]:
    """The report: seconds and peak of each, and whether the bounds are met."""
    from organisation import made

    directory = Path(tempfile.gettempdir()) / "forestage-bench"
    store = made(directory, deals=given.deals, changes=given.changes)
    # One round after the other, so that a busy moment of the machine touches all alike.
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in MEASURED}
    for number in range(given.runs):
        for name in MEASURED:
            if name not in SLOW or (number == 0 and not given.quick):
                runs[name].append(alone(name, store))
    figures = {name: _figures(of) for name, of in runs.items() if of}
    _agree(runs)
    ratio = figures["score"]["seconds"] / figures["read"]["seconds"]
    return {
        "deals": given.deals,
        "changes": given.changes,
        "store_mb": round(store.stat().st_size / 1e6),
        "runs": given.runs,
        "machine": {"cores": os.cpu_count(), "memory_gb": _memory_gb()},
        "measured": figures,
        "found": runs["score"][0]["found"],
        "flags_opened": runs["score"][0]["opened"],
        "ratio": round(ratio, 2),
        "cpu_ratio": round(figures["score"]["cpu_seconds"] / figures["read"]["cpu_seconds"], 2),
        "ratio_at_most": RATIO_AT_MOST,
        "peak_mb": figures["score"]["peak_mb"],
        "peak_mb_at_most": PEAK_AT_MOST_MB,
        "met": ratio <= RATIO_AT_MOST and figures["score"]["peak_mb"] <= PEAK_AT_MOST_MB,
    }


def alone(name: str, store: Path) -> dict[str, Any]:
    """One measurement in a process of its own."""
    command = [sys.executable, str(Path(__file__)), "--measure", name, "--store", str(store)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _figures(runs: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = [run["seconds"] for run in runs]
    return {
        "seconds": round(statistics.median(seconds), 3),
        "fastest": round(min(seconds), 3),
        "slowest": round(max(seconds), 3),
        "cpu_seconds": round(statistics.median(run["cpu_seconds"] for run in runs), 3),
        "peak_mb": max(run["peak_mb"] for run in runs),
    }


def _agree(runs: dict[str, list[dict[str, Any]]]) -> None:
    """All ways to the flags must find the same on the same deals."""
    found = runs["score"][0]["found"]
    verdicts = runs["rules"][0]
    for name in ("rules", "pandas", "oracle"):
        for run in runs[name]:
            assert run["found"] == found, (name, run["found"], found)
            assert run["digest"] == verdicts["digest"], f"{name} judges otherwise"


def _memory_gb() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def table(report: dict[str, Any]) -> str:
    """The report for a person."""
    told = {
        "read": "reader alone, the same columns",
        "rules": "reader and rules with evidence",
        "score": "store to flags in the store",
        "pandas": "pandas: features, severities",
        "again": "again, nothing changed (once)",
        "oracle": "plain Python (once)",
    }
    size = f"{report['deals']:,} deals, {report['changes']:,} changes, {report['store_mb']} MB"
    lines = [
        f"{size}; {report['machine']['cores']} cores; median of {report['runs']}",
        f"{'':34}{'seconds':>9}{'peak MB':>9}",
    ]
    lines += [
        f"{told[name]:34}{figures['seconds']:>9.2f}{figures['peak_mb']:>9.0f}"
        for name, figures in report["measured"].items()
    ]
    lines.append(
        f"store to flags / reader alone: {report['ratio']:.2f} (at most {RATIO_AT_MOST}), "
        f"peak {report['peak_mb']:.0f} MB (at most {PEAK_AT_MOST_MB}): "
        f"{'met' if report['met'] else 'MISSED'}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
