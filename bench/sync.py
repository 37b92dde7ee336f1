"""What syncing costs on the practice CRM: calls, CPU and memory, beside the least there can be.

    python bench/sync.py --crm hubspot --deals 2000 --json

Calls stand beside the least number that the rows and the API's page and batch limits allow;
CPU seconds beside a bare loop over the same pages. Each is a process of its own. The practice
CRM is made once and kept in the temporary directory.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sync_least import ratio, reading, writing

HERE = Path(__file__).resolve().parent
SEED = 7
BACKFILL_AT_MOST = 1.1
INCREMENT_AT_MOST, INCREMENT_MORE = 1.5, 5
CPU_AT_MOST = {"salesforce": 1.5, "hubspot": 2.0}
INCREMENTS_DAYS = (1, 14)
START_SECONDS = 1800


def main() -> None:
    """Measure and print; the exit code is 1 where a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crm", choices=sorted(CPU_AT_MOST), required=True)
    parser.add_argument("--deals", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3, help="of CPU, whose median counts")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    state = made(given.crm, given.deals)
    with tempfile.TemporaryDirectory(prefix="forestage-sync-") as own:
        report = measured(given, state, Path(own))
    print(json.dumps(report, indent=2) if given.json else table(report))
    if not all(report["met"].values()):
        raise SystemExit(1)


def made(crm: str, deals: int) -> Path:
    """The directory of the practice CRM, made at its first use."""
    kept = Path(tempfile.gettempdir()) / "forestage-bench" / f"{crm}-{deals}-{SEED}"
    if not kept.exists():
        draft = kept.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        with sandbox(crm, deals, draft):
            pass  # it answers once it is complete
        draft.rename(kept)
    return kept


@contextmanager
def sandbox(crm: str, deals: int, state: Path) -> Iterator[str]:
    """The address of a practice CRM that goes on in `state`."""
    command = [sys.executable, "-m", "connectors.sandbox.run", "--crm", crm, "--seed", str(SEED)]
    command += ["--deals", str(deals), "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        try:
            address = process.stdout.readline().strip() if process.stdout else ""
            assert address, "the practice CRM did not start"
            yield address
        finally:
            process.terminate()


def measured(given: argparse.Namespace, kept: Path, own: Path) -> dict[str, Any]:
    """The report, on a copy of the practice CRM: its people go on working."""
    state = own / "state"
    shutil.copytree(kept, state)
    with sandbox(given.crm, given.deals, state) as address:
        bench = _Bench(given.crm, address, state, own)
        backfill = bench.backfill()
        cpu = bench.cpu(given.runs)
        increments = [bench.increment(days) for days in INCREMENTS_DAYS]
        written = bench.write_back()
    return {
        "crm": given.crm,
        "deals": given.deals,
        "backfill": backfill,
        "increments": increments,
        "write_back": written,
        "cpu": cpu,
        "met": {
            "backfill": backfill["ratio"] <= BACKFILL_AT_MOST,
            "increments": all(_is_cheap(each) for each in increments),
            "write_back": written["writing"] <= written["least"],
            "cpu": cpu["ratio"] <= CPU_AT_MOST[given.crm],
        },
    }


def _is_cheap(increment: Mapping[str, Any]) -> bool:
    most = INCREMENT_AT_MOST * sum(increment["least"].values()) + INCREMENT_MORE
    return sum(increment["calls"].values()) <= most


class _Bench:
    def __init__(self, crm: str, address: str, state: Path, own: Path) -> None:
        self.crm, self.address, self.state, self.own = crm, address, state, own
        told = self._state()
        known = ("managers", "fiscal_year_start_month")
        config = {name: told[name] for name in known if name in told}
        self.given = {"crm": crm, "address": address, "config": config}
        self.since = ""

    def backfill(self) -> dict[str, Any]:
        """The first full sync, whose calls are kept for the bare loop."""
        return self._traffic(None, calls=str(self.own / "calls.json"))

    def cpu(self, runs: int) -> dict[str, Any]:
        """Reader and refresh beside the bare loop, in turns; peaks of both processes."""
        syncs, bares = [], []
        for number in range(runs):
            data = self._connected(f"cpu-{number}")
            syncs.append(self._step("sync", data=data))
            bares.append(self._step("bare", data=data, calls=str(self.own / "calls.json")))
        ours, floor = (_median(each) for each in (syncs, bares))
        return {
            "sync_seconds": ours,
            "bare_seconds": floor,
            "ratio": round(ours / floor, 2),
            "records": syncs[0]["read"],
            "changes": syncs[0]["changes"],
            "peak_mb": max(each["peak_mb"] for each in syncs),
            "mb_before": max(each["mb_before"] for each in syncs),
            "bare_peak_mb": max(each["peak_mb"] for each in bares),
        }

    def increment(self, days: int) -> dict[str, Any]:
        """What a sync costs after people have worked on for so many days."""
        url = f"{self.address}/_sandbox/advance"
        httpx.post(url, json={"days": days}, timeout=START_SECONDS).raise_for_status()
        return {"days": days, **self._traffic(self.since)}

    def write_back(self) -> dict[str, Any]:
        """The first write-back: every flag and coaching task."""
        done = self._step("write", data=self._main())
        counts = {name: done[name] for name in ("flags", "flagged_deals", "tasks")}
        return {**done, "least": writing(self.crm, **counts)}

    def _traffic(self, since: str | None, **given: str) -> dict[str, Any]:
        data = self._main() if since else self._connected("main")
        begun = self._now()
        least = reading(self.crm, self.state, since)
        done = self._step("traffic", data=data, **given)
        self.since = begun
        return {**done, "least": least, "ratio": ratio(done["calls"], least)}

    def _main(self) -> str:
        return str(self.own / "main")

    def _connected(self, name: str) -> str:
        data = str(self.own / name)
        self._step("connect", data=data)
        return data

    def _step(self, name: str, **given: str) -> dict[str, Any]:
        command = [sys.executable, str(HERE / "sync_steps.py"), name]
        command.append(json.dumps({**self.given, **given}))
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def _state(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.address}/_sandbox/state", timeout=START_SECONDS)
        told: dict[str, Any] = answer.json()
        return told

    def _now(self) -> str:
        """The practice CRM's present as both write it, to the second."""
        told = datetime.fromisoformat(self._state()["now"]).astimezone(UTC)
        return told.strftime("%Y-%m-%dT%H:%M:%S")


def _median(runs: list[dict[str, Any]]) -> float:
    return round(statistics.median(run["cpu_seconds"] for run in runs), 2)


def table(report: Mapping[str, Any]) -> str:
    """The report for a person."""
    lines = [f"{report['crm']}, {report['deals']:,} deals"]
    lines += _calls("backfill", report["backfill"])
    for each in report["increments"]:
        lines += _calls(f"increment of {each['days']} days", each)
    written, cpu = report["write_back"], report["cpu"]
    lines.append(
        f"write-back: {written['flags']} flags on {written['flagged_deals']} deals and "
        f"{written['tasks']} tasks by {written['writing']} calls (least {written['least']}), "
        f"{written['looking']} calls look"
    )
    lines.append(
        f"CPU: {cpu['sync_seconds']} s beside {cpu['bare_seconds']} s of a bare loop: "
        f"{cpu['ratio']} times; {cpu['records']:,} records; peak {cpu['peak_mb']:.0f} MB "
        f"({cpu['mb_before']:.0f} before, bare loop {cpu['bare_peak_mb']:.0f})"
    )
    lines.append(
        ", ".join(f"{name} {'met' if met else 'MISSED'}" for name, met in report["met"].items())
    )
    return "\n".join(lines)


def _calls(title: str, told: Mapping[str, Any]) -> list[str]:
    calls, least = told["calls"], told["least"]
    streams = [
        f"  {name:12}{count:>6}{least.get(name, 0):>6}" for name, count in calls.items() if count
    ]
    total = f"  {'all':12}{sum(calls.values()):>6}{sum(least.values()):>6}  {told['ratio']} times"
    return [f"{title}: calls, least ({told['read']:,} records)", *streams, total]


if __name__ == "__main__":
    main()
