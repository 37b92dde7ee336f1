"""Trouble on demand: which calls shall fail, and how."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

KINDS = frozenset({"401", "403_limit", "429", "500", "503", "slow", "cut", "lock"})


@dataclass(slots=True, kw_only=True)
class Fault:
    """Fails the calls whose number is `at_call` or later, or whose `METHOD path` has `path`
    in it (a regular expression), `times` times. `seconds` is for `slow`.
    """

    kind: str
    at_call: int | None = None
    path: re.Pattern[str] | None = None
    times: int = 1
    seconds: float = 1.0

    def hits(self, number: int, target: str) -> bool:
        """Whether it strikes this call."""
        if self.times < 1 or (self.at_call is not None and number < self.at_call):
            return False
        return self.path is None or self.path.search(target) is not None


class Faults:
    """The faults still to come. Thread-safe."""

    def __init__(self, kinds: frozenset[str] = KINDS) -> None:
        self._kinds = kinds
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def replace(self, told: Sequence[Any], calls_so_far: int) -> int:
        """Take the list as it came in; `at` counts calls from now. ValueError on nonsense."""
        faults = [_read(entry, calls_so_far, self._kinds) for entry in told]
        with self._lock:
            self._waiting = faults
        return len(faults)

    def strike(self, number: int, target: str) -> Fault | None:
        """The fault that this call meets, used up once."""
        with self._lock:
            for fault in self._waiting:
                if fault.hits(number, target):
                    fault.times -= 1
                    return fault
        return None

    def waiting(self) -> list[dict[str, object]]:
        """What has not struck yet."""
        with self._lock:
            return [
                {"kind": each.kind, "times": each.times} for each in self._waiting if each.times
            ]


def _read(entry: Any, calls_so_far: int, kinds: frozenset[str]) -> Fault:
    kind = str(entry["kind"])
    if kind not in kinds:
        raise ValueError(f"kind must be one of {', '.join(sorted(kinds))}")
    path = entry.get("path")
    at = entry.get("at")
    return Fault(
        kind=kind,
        at_call=None if at is None else calls_so_far + int(at),
        path=None if path is None else re.compile(str(path)),
        times=int(entry.get("times", 1)),
        seconds=float(entry.get("seconds", 1.0)),
    )
