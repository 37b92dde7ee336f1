"""The worker and the clock of `serve`: runs are done once, in order, and taken up again."""

import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app import bootstrap, settings
from app.jobs.schedule import enqueue_due, scheduler
from app.jobs.worker import Do, Worker
from app.services import connect, work
from app.services.importing import import_files
from app.services.parts import Parts
from app.services.progress import Progress
from app.store import connections, runs
from app.store.connections import ConnectionRow
from app.store.runs import RunKind, RunRow
from tests.app.practice import write_export


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    """A store with two imported deals as the connection `files`."""
    for name, _ in settings.variables():
        monkeypatch.delenv(name, raising=False)
    now = datetime.now(UTC).replace(microsecond=0)
    with bootstrap.opened(settings.load(data_dir=tmp_path / "data"), purpose="a test") as built:
        source = bootstrap.open_files(write_export(tmp_path, now), name="files", now=now)
        import_files(built.db, source, name="files", clock=built.clock)
        yield built


@pytest.fixture
def files(parts: Parts) -> ConnectionRow:
    return connect.chosen(parts, "files")


def queue(parts: Parts, row: ConnectionRow, kind: RunKind = "score", **arguments: Any) -> int:
    with parts.db.write() as conn:
        return runs.enqueue(conn, row.id, kind, arguments, at=parts.clock.now())


def present(parts: Parts, run_id: int) -> RunRow:
    with parts.db.read() as conn:
        return runs.get(conn, run_id)


def ended(parts: Parts, run_id: int) -> RunRow:
    for _ in range(300):
        run = present(parts, run_id)
        if run.status in ("done", "failed"):
            return run
        time.sleep(0.05)
    raise AssertionError(f"run {run_id} did not end")


def working(parts: Parts, do: Do = work.concluded) -> Worker:
    worker = Worker(parts, do=do)
    worker.start()
    return worker


def test_a_queued_run_is_done_and_keeps_its_result(parts: Parts, files: ConnectionRow) -> None:
    run_id = queue(parts, files)
    worker = working(parts)
    run = ended(parts, run_id)
    worker.stop(5)
    assert (run.status, run.error) == ("done", None)
    assert run.result is not None
    assert run.result["deals"] == 2


def test_an_equal_run_that_still_waits_is_taken_instead_of_a_second(
    parts: Parts, files: ConnectionRow
) -> None:
    assert queue(parts, files) == queue(parts, files)
    assert queue(parts, files) != queue(parts, files, dry_run=True)
    assert queue(parts, files) != queue(parts, files, "sync")


def test_a_run_that_a_killed_process_left_is_taken_up_again(
    parts: Parts, files: ConnectionRow
) -> None:
    with parts.db.write() as conn:
        left = runs.begin(conn, files.id, "score", arguments={}, at=parts.clock.now())
    worker = working(parts)
    assert ended(parts, left).status == "done"
    worker.stop(5)


def test_an_import_that_was_cut_is_told_and_not_tried_without_its_files(
    parts: Parts, files: ConnectionRow
) -> None:
    with parts.db.write() as conn:
        left = runs.begin(conn, files.id, "import", arguments={}, at=parts.clock.now())
    working(parts).stop(5)
    run = present(parts, left)
    assert run.status == "failed"
    assert "again" in (run.error or "")


def test_a_failed_run_says_why_and_the_next_one_is_done(parts: Parts, files: ConnectionRow) -> None:
    bad = queue(parts, files, "sync")  # files are not read again
    good = queue(parts, files)
    worker = working(parts)
    assert ended(parts, good).status == "done"
    worker.stop(5)
    run = present(parts, bad)
    assert run.status == "failed"
    assert "import" in (run.error or "")


def test_a_crash_in_a_run_ends_neither_the_worker_nor_shows_its_insides(
    parts: Parts, files: ConnectionRow
) -> None:
    def crash(*_: Any, **__: Any) -> Mapping[str, Any]:
        raise RuntimeError("hush")

    queue(parts, files)
    worker = working(parts, do=crash)
    time.sleep(0.3)
    assert worker.alive
    worker.stop(5)
    assert not worker.alive


def test_a_stop_leaves_the_run_in_progress_queued(parts: Parts, files: ConnectionRow) -> None:
    begun = threading.Event()

    def endless(*_: Any, progress: Progress | None = None, **__: Any) -> Mapping[str, Any]:
        assert progress is not None
        while True:
            progress("deals", 1, 2)
            begun.set()
            time.sleep(0.01)

    run_id = queue(parts, files)
    worker = working(parts, do=endless)
    assert begun.wait(5)
    assert present(parts, run_id).progress == {"step": "deals", "done": 1, "total": 2}
    worker.stop(5)
    assert not worker.alive
    run = present(parts, run_id)
    assert (run.status, run.started_at, run.progress) == ("queued", None, None)


def test_a_tick_queues_what_each_connection_needs_and_never_doubles_it(parts: Parts) -> None:
    with parts.db.write() as conn:
        acme = connections.create(
            conn, name="acme", crm="salesforce", config={}, secret=None, at=parts.clock.now()
        )
        connections.update(conn, acme, mode="write")
    assert enqueue_due(parts) == 4
    enqueue_due(parts)
    with parts.db.read() as conn:
        waiting = [(run.connection_id == acme, run.kind) for run in runs.queued(conn)]
    assert waiting == [(True, "sync"), (True, "score"), (True, "write_back"), (False, "score")]


def test_the_clock_ticks_at_its_start_so_that_nothing_missed_waits(parts: Parts) -> None:
    woken = threading.Event()
    clock = scheduler(parts, minutes=60, wake=woken.set)
    clock.start()
    try:
        assert woken.wait(5)
    finally:
        clock.shutdown()


def test_without_an_interval_the_clock_never_ticks(parts: Parts) -> None:
    assert scheduler(parts, minutes=0, wake=threading.Event().set).get_jobs() == []
