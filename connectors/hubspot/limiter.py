"""Keeps calls below HubSpot's rate limits, as its own headers tell them."""

import time
from collections.abc import Callable, Mapping

# What any portal grants; the first answer tells the real figure.
FIRST_MAX = 100
FIRST_INTERVAL_S = 10.0
SHARE = 0.8
SEARCHES_PER_S = 4.0  # of five; searches carry no headers and count apart
_MS = 1000.0


class Limiter:
    """A token bucket over HubSpot's rolling window, and a pace for searches.

    Takes a share of what is allowed, and no more than what other programs of the same app
    left over. Not for sharing between threads. `waiter` sleeps and `tick` tells seconds; a
    test gives its own.
    """

    def __init__(
        self,
        *,
        waiter: Callable[[float], None] = time.sleep,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiter = waiter
        self._tick = tick
        self._most = FIRST_MAX * SHARE
        self._per_s = self._most / FIRST_INTERVAL_S
        self._tokens = self._most
        self._at = tick()
        self._next_search = self._at
        self.daily: tuple[int, int] | None = None  # left, of

    def wait(self, *, is_search: bool) -> None:
        """Sleep until one more call is allowed, and count it."""
        now = self._tick()
        if is_search:
            pause = self._next_search - now
            self._next_search = max(now, self._next_search) + 1 / SEARCHES_PER_S
        else:
            self._fill(now)
            self._tokens -= 1
            pause = -self._tokens / self._per_s
        if pause > 0:
            self._waiter(pause)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take in what an answer tells of the limits."""
        left_today = _number(headers, "X-HubSpot-RateLimit-Daily-Remaining")
        daily = _number(headers, "X-HubSpot-RateLimit-Daily")
        if left_today is not None and daily:
            self.daily = int(left_today), int(daily)
        most = _number(headers, "X-HubSpot-RateLimit-Max")
        interval = _number(headers, "X-HubSpot-RateLimit-Interval-Milliseconds")
        if not most or not interval:
            return
        self._fill(self._tick())
        used = self._most - self._tokens
        self._most = most * SHARE
        self._per_s = self._most / (interval / _MS)
        self._tokens = self._most - used
        left = _number(headers, "X-HubSpot-RateLimit-Remaining")
        if left is not None:
            self._tokens = min(self._tokens, left)

    def _fill(self, now: float) -> None:
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._per_s)
        self._at = now


def _number(headers: Mapping[str, str], name: str) -> float | None:
    told = headers.get(name)
    return float(told) if told is not None and told.strip().isdigit() else None
