"""What is measured of a sync, each in a process of its own: `python sync_steps.py STEP JSON`."""

import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

NAME = "practice"
CREDENTIALS = {
    "salesforce": {
        "consumer_key": "forestage-sandbox",
        "consumer_secret": "forestage-sandbox-secret",
    },
    "hubspot": {"access_token": "pat-sandbox-forestage"},
}


class Counted:
    """A reader that tells by stream what it cost."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.by_stream: Counter[str] = Counter()

    @property
    def calls(self) -> int:
        """Of the reader."""
        return int(self._reader.calls)

    def account(self) -> Any:
        """Of the reader."""
        return self._told("account", self._reader.account)

    def stages(self) -> Any:
        """Of the reader."""
        return self._told("stages", self._reader.stages)

    def people(self) -> Any:
        """Of the reader."""
        return self._told("people", self._reader.people)

    def read(self, stream: Any, cursor: str | None) -> Iterator[Any]:
        """Of the reader."""
        return self._each(stream, self._reader.read(stream, cursor))

    def _each(self, name: str, pages: Iterator[Any]) -> Iterator[Any]:
        while (page := self._told(name, lambda: next(pages, None))) is not None:
            yield page

    def deals_by_id(self, crm_ids: Sequence[str]) -> Any:
        """Of the reader."""
        return self._told("deals by id", lambda: self._reader.deals_by_id(crm_ids))

    def _told(self, name: str, ask: Any) -> Any:
        before = self.calls
        answer = ask()
        self.by_stream[name] += self.calls - before
        return answer


class CountedWithIds(Counted):
    """One that can tell the ids of all deals, too."""

    def deal_ids(self) -> Iterator[Any]:
        """Of the reader: the weekly comparison of ids."""
        return self._each("census", self._reader.deal_ids())


def connect(given: dict[str, Any]) -> dict[str, Any]:
    """A new store with the connection in it."""
    from app import bootstrap
    from app.services import connect as connecting
    from app.settings import load

    with bootstrap.opened(load(data_dir=Path(given["data"])), purpose="the bench") as parts:
        config = {"base_url": given["address"], **given["config"]}
        crm = given["crm"]
        connecting.add(parts, NAME, crm, config=config, secret=CREDENTIALS[crm])
    return {}


def sync(given: dict[str, Any]) -> dict[str, Any]:
    """One refresh: CPU seconds and peak, nothing recorded."""
    with _opened(given) as (parts, row):
        reader = parts.crm(row).reader()
        before, cpu = _peak_mb(), time.process_time()
        report = _refresh(parts, row, reader)
        return {
            "cpu_seconds": time.process_time() - cpu,
            "mb_before": before,
            "read": report.read,
            "changes": report.changes,
        }


def traffic(given: dict[str, Any]) -> dict[str, Any]:
    """One refresh: its calls by stream, kept in the file `calls`; `since` is where it began."""
    from sync_traffic import recorded

    from connectors.base import Census

    with _opened(given) as (parts, row), recorded() as calls:
        own = parts.crm(row).reader()
        reader = CountedWithIds(own) if isinstance(own, Census) else Counted(own)
        report = _refresh(parts, row, reader)
    if given.get("calls"):
        Path(given["calls"]).write_text(json.dumps([call.as_json() for call in calls]))
    assert report.calls == len(calls) == sum(reader.by_stream.values())
    return {"calls": dict(reader.by_stream), "read": report.read, "changes": report.changes}


def bare(given: dict[str, Any]) -> dict[str, Any]:
    """The bare loop over the calls that `traffic` kept."""
    from sync_bare import replay
    from sync_traffic import Exchange

    calls = [Exchange(**each) for each in json.loads(Path(given["calls"]).read_text())]
    before, cpu = _peak_mb(), time.process_time()
    rows = replay(calls, Path(given["data"]) / "bare.db")
    told = sum(call.got for call in calls)
    assert rows == told, f"the bare loop read {rows} rows instead of {told}"
    return {"cpu_seconds": time.process_time() - cpu, "mb_before": before, "read": rows}


def write(given: dict[str, Any]) -> dict[str, Any]:
    """Score, switch to `write` and write back: calls that write, those that only look."""
    from sync_traffic import recorded

    from app.services import setup, work
    from app.services.switch import switch_mode
    from app.store import outbox

    with _opened(given) as (parts, row):
        proposal = setup.propose(parts.db, row.id)
        setup.accept(parts.db, row.id, proposal, by="bench", clock=parts.clock)
        work.perform(parts, row, "score", arguments={})
        parts.crm(row).setup().install()
        switch_mode(parts.db, row.id, "write", clock=parts.clock)
        with parts.db.read() as conn:
            waiting = outbox.rows(conn, row.id)
        with recorded() as calls:
            report = work.perform(parts, row, "write_back", arguments={})
    writes = [call for call in calls if call.writes]
    return {
        "flags": report["flags"]["written"],
        "flagged_deals": len({row.payload["deal_crm_id"] for row in waiting if row.kind == "flag"}),
        "tasks": report["tasks"]["written"],
        "writing": len(writes),
        "rows_a_writing_call": [call.sent for call in writes],
        "looking": len(calls) - len(writes),
    }


def _refresh(parts: Any, row: Any, reader: Any) -> Any:
    from app.services.refresh import refresh

    return refresh(parts.db, row.id, reader, clock=parts.clock)


def _opened(given: dict[str, Any]) -> Any:
    from contextlib import contextmanager

    from app import bootstrap
    from app.services.connect import chosen
    from app.settings import load

    @contextmanager
    def opened() -> Iterator[Any]:
        with bootstrap.opened(load(data_dir=Path(given["data"])), purpose="the bench") as parts:
            yield parts, chosen(parts, NAME)

    return opened()


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


STEPS = {each.__name__: each for each in (connect, sync, traffic, bare, write)}


def main() -> None:
    """One step; its figures go to stdout as JSON."""
    result = STEPS[sys.argv[1]](json.loads(sys.argv[2]))
    print(json.dumps({**result, "peak_mb": _peak_mb()}))


if __name__ == "__main__":
    main()
