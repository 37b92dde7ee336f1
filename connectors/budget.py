"""How many calls Forestage may make to one CRM account in a day."""

import threading

from connectors.errors import Fatal, Retry

DEFAULT_SHARE = 0.25
"""Of the CRM's daily limit, for Forestage; the rest belongs to the CRM's other programs."""
KEPT_FREE = 0.1
"""Of the CRM's daily limit, whoever uses it: the last tenth is never taken by Forestage."""
PAUSE_S = 3600.0
"""The limits roll over 24 hours, so an hour frees calls again."""
USED_UP = "CALL_BUDGET"


class Budget:
    """Counts the calls of one connection. Shared by its reader and writer; thread-safe.

    `share`: of the daily limit, above 0 and up to 1. `spent`: calls of the last 24 hours
    that were counted elsewhere (by earlier processes).
    """

    def __init__(self, share: float = DEFAULT_SHARE, *, spent: int = 0) -> None:
        if not 0 < share <= 1:
            raise Fatal(f"call_share: {share} is not above 0 and at most 1")
        self.share = share
        self._is_lifted = False
        self._spent = spent
        self._made = 0
        self._used = 0
        self._daily: int | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, share: object) -> "Budget":
        """The budget for the setting `call_share` (None: not set). Raises `Fatal`."""
        try:
            return cls(DEFAULT_SHARE if share is None else float(str(share)))
        except ValueError:
            raise Fatal(f"call_share: {share!r} is not a number") from None

    @property
    def made(self) -> int:
        """Calls counted here."""
        return self._made

    @property
    def spent(self) -> int:
        """Calls of the last 24 hours, those counted elsewhere too."""
        return self._spent + self._made

    @property
    def allowed(self) -> int | None:
        """Calls a day that are Forestage's; None before the CRM has told its limit."""
        return None if self._daily is None else int(self._daily * self.share)

    def carry(self, spent: int) -> None:
        """Take over what was spent in the last 24 hours, counted elsewhere."""
        with self._lock:
            self._spent = spent

    def lift(self) -> None:
        """Refuse nothing from now on: for the few calls that tell a person what is wrong, such
        as a budget used up.
        """
        self._is_lifted = True

    def of_day(self, daily: int) -> str:
        """How this budget stands where the CRM has `daily` calls a day, in words."""
        return (
            f"Forestage has made {self.spent:,} in 24 hours and may make {daily * self.share:,.0f} "
            f"(call_share {self.share:g})"
        )

    def take(self) -> None:
        """Count a call that is about to be made. Raises `Retry` with the code `USED_UP` where
        there is none left: it must not be made then.
        """
        with self._lock:
            self._check()
            self._made += 1
            self._used += 1

    def told(self, used: int, daily: int) -> None:
        """What the CRM says: calls used by everybody in its day, and how many there are."""
        with self._lock:
            self._used, self._daily = used, daily

    def _check(self) -> None:
        if self._daily is None or self._is_lifted:
            return
        ours, allowed = self._spent + self._made, self._daily * self.share
        if ours >= allowed:
            raise Retry(
                f"Forestage has used its share of the day's calls: {ours:,} of "
                f"{self._daily:,} x {self.share:g} (call_share)",
                code=USED_UP,
                after=PAUSE_S,
            )
        if self._used >= self._daily * (1 - KEPT_FREE):
            raise Retry(
                f"{self._used:,} of the CRM's {self._daily:,} calls a day are used by all its "
                "programs; the last tenth is left to the others",
                code=USED_UP,
                after=PAUSE_S,
            )
