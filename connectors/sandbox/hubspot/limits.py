"""The rate limiter: a rolling window per app, a day's calls, and searches per second."""

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.hubspot.values import stamp
from connectors.sandbox.loopback import Response, reply_json

WINDOW_SECONDS = 10


@dataclass(slots=True, kw_only=True)
class Allowed:
    """How many calls are allowed. More than any portal grants by default, so that tests and
    demonstrations need not wait; `edition.EDITIONS` has what portals grant.
    """

    ten_secondly: int = 10_000
    daily: int = 1_000_000
    search_per_second: int = 1_000


class Limits:
    """Counts calls, and refuses those beyond. Thread-safe."""

    def __init__(self, practice: Practice, tick: Callable[[], float] = time.monotonic) -> None:
        self.allowed = Allowed()
        self._practice = practice
        self._tick = tick
        self._lock = threading.Lock()
        self._windows: dict[str, deque[float]] = {}
        self._searches: deque[float] = deque()
        self._day = ""
        self._today = 0

    def set(self, told: Mapping[str, Any]) -> dict[str, int]:
        """Change what is allowed; ValueError on a name or number that makes no sense."""
        values = {name: int(value) for name, value in told.items()}
        if any(value < 1 for value in values.values()):
            raise ValueError("a limit must be at least 1")
        unknown = set(values) - set(asdict(self.allowed))
        if unknown:
            raise ValueError(f"no limit {', '.join(sorted(unknown))}")
        with self._lock:
            self.allowed = Allowed(**{**asdict(self.allowed), **values})
            self._windows.clear()
            self._searches.clear()
        return asdict(self.allowed)

    def refuse(self, app: str, *, is_search: bool) -> Response | None:
        """The 429 that a call meets, None if it may pass."""
        with self._lock:
            now = self._tick()
            if is_search:
                _forget(self._searches, now - 1)
                if len(self._searches) >= self.allowed.search_per_second:
                    return too_many("SECONDLY", "You have reached your secondly limit.")
                self._searches.append(now)
                return None
            window = self._windows.setdefault(app, deque())
            _forget(window, now - WINDOW_SECONDS)
            if len(window) >= self.allowed.ten_secondly:
                return ten_secondly()
            if self._used_today() >= self.allowed.daily:
                return daily()
            window.append(now)
            self._today += 1
            return None

    def headers(self, app: str, *, is_static: bool) -> dict[str, str]:
        """What every reply but a search's tells; the day only to static tokens."""
        with self._lock:
            window = self._windows.setdefault(app, deque())
            _forget(window, self._tick() - WINDOW_SECONDS)
            told = {
                "X-HubSpot-RateLimit-Max": self.allowed.ten_secondly,
                "X-HubSpot-RateLimit-Remaining": self.allowed.ten_secondly - len(window),
                "X-HubSpot-RateLimit-Interval-Milliseconds": WINDOW_SECONDS * 1000,
            }
            if is_static:
                told |= {
                    "X-HubSpot-RateLimit-Daily": self.allowed.daily,
                    "X-HubSpot-RateLimit-Daily-Remaining": max(
                        0, self.allowed.daily - self._used_today()
                    ),
                }
        return {name: str(value) for name, value in told.items()}

    def daily(self) -> tuple[int, int]:
        """Calls used today, and allowed a day."""
        with self._lock:
            return self._used_today(), self.allowed.daily

    def resets_at(self) -> str:
        """When the day's count begins anew: midnight in the portal's zone."""
        zone = ZoneInfo(self._practice.time_zone())
        day = self._practice.clock.now().astimezone(zone).date() + timedelta(days=1)
        return stamp(datetime(day.year, day.month, day.day, tzinfo=zone))

    def _used_today(self) -> int:
        zone = ZoneInfo(self._practice.time_zone())
        day = self._practice.clock.now().astimezone(zone).date().isoformat()
        if day != self._day:
            self._day, self._today = day, 0
        return self._today


def _forget(calls: deque[float], before: float) -> None:
    while calls and calls[0] <= before:
        calls.popleft()


def ten_secondly() -> Response:
    """Too many calls in ten seconds."""
    return too_many("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.")


def daily() -> Response:
    """No call left today."""
    return too_many("DAILY", "You have reached your daily limit.")


def too_many(policy: str, message: str) -> Response:
    """A 429 as HubSpot words it."""
    return reply_json(
        {
            "status": "error",
            "message": message,
            "errorType": "RATE_LIMIT",
            "correlationId": str(uuid.uuid4()),
            "policyName": policy,
            "groupName": f"sandbox:{policy.lower()}",
        },
        429,
    )
