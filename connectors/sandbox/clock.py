"""The sandbox's own time: real time that can be moved ahead, never back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Wall = Callable[[], datetime]


def wall_clock() -> datetime:
    """Real time, UTC."""
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class SandboxClock:
    """`began_at` is the simulated instant that was the present at real `started_at`."""

    began_at: datetime
    started_at: datetime
    advanced: timedelta = timedelta()
    wall: Wall = wall_clock

    def now(self) -> datetime:
        """The simulated present, UTC, in whole seconds."""
        return self.precisely().replace(microsecond=0)

    def precisely(self) -> datetime:
        """The simulated present, UTC."""
        return self.began_at + (self.wall() - self.started_at) + self.advanced

    def advance(self, days: float) -> None:
        """Move `days` ahead."""
        self.advanced += timedelta(days=days)

    def as_json(self) -> dict[str, object]:
        """What a restart needs."""
        return {
            "began_at": self.began_at.isoformat(),
            "started_at": self.started_at.isoformat(),
            "advanced_seconds": self.advanced.total_seconds(),
        }

    @classmethod
    def from_json(cls, saved: dict[str, object], wall: Wall = wall_clock) -> "SandboxClock":
        """The clock as it was saved; what has passed since counts."""
        return cls(
            began_at=datetime.fromisoformat(str(saved["began_at"])),
            started_at=datetime.fromisoformat(str(saved["started_at"])),
            advanced=timedelta(seconds=float(str(saved["advanced_seconds"]))),
            wall=wall,
        )
