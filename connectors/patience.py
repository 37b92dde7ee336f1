"""How a connector waits out passing trouble, whatever the CRM: tries, pauses, Retry-After."""

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from tenacity import (
    RetryCallState,
    Retrying,
    nap,
    retry_if_exception_type,
    wait_exponential_jitter,
)

from connectors.errors import Retry

LONGEST_WAIT_S = 20.0
ATTEMPTS = 5
_WAIT = wait_exponential_jitter(multiplier=0.5, max=LONGEST_WAIT_S, jitter=0.5)


def retrying(
    *, attempts: int = ATTEMPTS, waiter: Callable[[float], None] | None = None
) -> Retrying:
    """Tries again on `Retry`, as told by it and with jitter; what lasts longer is raised.

    `waiter` sleeps; a test gives its own.
    """
    return Retrying(
        retry=retry_if_exception_type(Retry),
        stop=lambda state: state.attempt_number >= attempts or _told_to_wait_long(state),
        wait=_wait_as_told,
        sleep=waiter or nap.sleep,
        reraise=True,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header, given as a number or as a date."""
    told = headers.get("Retry-After")
    if told is None:
        return None
    if told.strip().isdigit():
        return float(told)
    try:
        at = parsedate_to_datetime(told)
        base = parsedate_to_datetime(headers["Date"])
    except (ValueError, KeyError):
        return None
    return max(0.0, (at - base).total_seconds())


def _told(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome else None
    return error.after if isinstance(error, Retry) else None


def _told_to_wait_long(state: RetryCallState) -> bool:
    return (_told(state) or 0.0) > LONGEST_WAIT_S


def _wait_as_told(state: RetryCallState) -> float:
    return max(_WAIT(state), _told(state) or 0.0)
