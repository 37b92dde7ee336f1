"""What was wrong in an export: told row by row, never guessed around."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from connectors.errors import Fatal

Level = Literal["refused", "noted"]
NOTES_KEPT = 1000


class FileError(Fatal):
    """A file or option that can't be used at all. `option` names it without dashes."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem with one row. `refused`: the row was left out; `noted`: it was kept.

    `line` counts from 1, the header included (Parquet: the row's number). `column` is the
    file's own name for it; None where the row as a whole is at fault.
    """

    level: Level
    kind: str
    file: str
    line: int
    column: str | None
    value: str | None
    reason: str

    def as_json(self) -> Mapping[str, Any]:
        """The fields as JSON can carry them."""
        return asdict(self)


class BadCell(ValueError):
    """A cell that can't be read; the row is refused."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class Problems:
    """Collects problems. Every refused row is kept, of one kind of note the first 1,000."""

    def __init__(self) -> None:
        self._all: list[Problem] = []
        self._counts: dict[Level, Counter[str]] = {"refused": Counter(), "noted": Counter()}

    def add(self, problem: Problem) -> None:
        """Count one, and keep it."""
        counts = self._counts[problem.level]
        counts[problem.kind] += 1
        if problem.level == "refused" or counts[problem.kind] <= NOTES_KEPT:
            self._all.append(problem)

    def in_order(self) -> Sequence[Problem]:
        """All of them, by file, line and kind; a stable order for the report."""
        return sorted(self._all, key=lambda p: (p.file, p.line, p.level == "noted", p.kind))

    def by_kind(self) -> Mapping[Level, Mapping[str, int]]:
        """Numbers by level and kind."""
        return {level: dict(sorted(count.items())) for level, count in self._counts.items()}
