"""Every fault at every call of a sync and of a write-back: right in the end, or a clear stop."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConnectorError
from connectors.sandbox.faults import KINDS as SALESFORCE_FAULTS
from connectors.sandbox.hubspot.api import FAULTS as HUBSPOT_FAULTS
from tests.contract import hubspot as hs
from tests.contract import salesforce as sf
from tests.contract.copy import copied
from tests.contract.test_promises import Board, standing

STEP = 1 if "FORESTAGE_HISTORIES" in os.environ else 9
"""A normal run strikes every ninth call, each kind of fault others; the long run strikes all."""
HARMLESS = {"slow"}
KINDS_OF = {
    "salesforce": sorted(SALESFORCE_FAULTS - HARMLESS),
    "hubspot": sorted(HUBSPOT_FAULTS - HARMLESS),
}
OPENERS: dict[str, Any] = {"salesforce": sf.salesforce, "hubspot": hs.hubspot}
TOKEN_PATHS = {"salesforce": sf.TOKEN_PATH, "hubspot": hs.TOKEN_PATH}
EVERY = [(crm, place, kind) for crm, kinds in KINDS_OF.items() for place, kind in enumerate(kinds)]


def struck(calls: int, place: int) -> range:
    """Numbers of the calls to strike with the fault at `place` in its list."""
    return range(1 + place % STEP, calls + 1, STEP)


class Clerk:
    """Makes one call after another fail, and counts the tokens that were asked for."""

    def __init__(self, door: Any, crm: str, kind: str) -> None:
        self._door, self._path, self.kind = door, TOKEN_PATHS[crm], kind

    def fail(self, at: int) -> None:
        self._door.faults({"kind": self.kind, "at": at, "times": 1})

    def tokens(self) -> int:
        return int(self._door.calls_by_path().get(self._path, 0))


@pytest.mark.slow
@pytest.mark.parametrize("fault", EVERY, ids=str)
def test_a_fault_at_any_call_of_a_sync_loses_and_doubles_nothing(
    fault: tuple[str, int, str], migrated_file: Path, tmp_path: Path
) -> None:
    crm, place, kind = fault
    with OPENERS[crm](tmp_path / "crm", deals=5) as door:
        with copied(migrated_file, tmp_path / "whole.db") as whole:
            calls = whole.sync(door.reader()).calls
            expected = whole.content()
        clerk = Clerk(door, crm, kind)
        for at in struck(calls, place):
            with copied(migrated_file, tmp_path / f"{at}.db") as copy:
                clerk.fail(at)
                asked, readers = clerk.tokens(), 1
                try:
                    is_thin = bool(copy.sync(door.reader()).warnings)
                except ConnectorError:
                    is_thin, readers = False, 2
                    copy.sync(door.reader())
                # A missing scope leaves something out, which is told; then all is read anew.
                if is_thin and kind == "403":
                    copy.sync(door.reader(), full=True)
                    readers = 2
                assert copy.content() == expected, f"after {kind} at call {at}"
                # One token a reader, and one more where it had ended, or its call was cut.
                assert clerk.tokens() - asked <= readers + 1, f"after {kind} at call {at}"


@pytest.mark.slow
@pytest.mark.parametrize("fault", EVERY, ids=str)
def test_a_fault_at_any_call_of_a_write_back_writes_everything_once(
    fault: tuple[str, int, str], tmp_path: Path
) -> None:
    crm, place, kind = fault
    with OPENERS[crm](tmp_path / "crm", deals=5) as door:
        board = Board(door)
        calls = written(board, door.writer())
        expected = standing(door.writer())
        clerk = Clerk(door, crm, kind)
        for at in struck(calls, place):
            wipe(door)
            clerk.fail(at)
            asked = clerk.tokens()
            with suppress(ConnectorError):
                written(board, door.writer())
            assert clerk.tokens() - asked <= 2, f"after {kind} at call {at}"
            door.faults()
            written(board, door.writer())
            found = standing(door.writer())
            assert {key: values for key, (_, values) in found.items()} == {
                key: values for key, (_, values) in expected.items()
            }, f"after {kind} at call {at}"


def written(board: Board, writer: Any) -> int:
    """Write flags and tasks, once more those that shall be tried again; gives the calls."""
    results = [*writer.write_flags(board.flags()), *writer.write_tasks(board.tasks())]
    assert {result.outcome for result in results} <= {"written", "retry"}
    return int(writer.calls)


def wipe(door: Any) -> None:
    writer = door.writer()
    writer.remove("flag", [each.crm_id for each in writer.standing_flags().values()])
    writer.remove("task", [each.crm_id for each in writer.standing_tasks().values()])
    assert not standing(writer)
