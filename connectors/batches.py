"""Rows sent in batches, whatever the CRM: one bad row never stops the others."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Any, Literal

from connectors.errors import Retry, Skip
from connectors.records import WriteResult

TRIES_ALONE = 3

_PAUSE_S = 0.3
_RANDOM = SystemRandom()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row on its way: its place in the caller's order, its key and its fields."""

    place: int
    key: str
    row: dict[str, Any]


Send = Callable[[Sequence[Outgoing]], Sequence[WriteResult]]
Pause = Callable[[float], None]


def run(rows: Sequence[Outgoing], send: Send, *, size: int, pause: Pause) -> Sequence[WriteResult]:
    """Send in batches of `size`, halved for rows that may pass in a smaller one.

    Raises `Retry` where nothing was answered yet; after that, what could not be sent
    comes back as `retry`, so that the caller knows what stands.
    """
    results: dict[int, WriteResult] = {}
    waiting = [rows[start : start + size] for start in range(0, len(rows), size)]
    tries_alone: Counter[int] = Counter()
    while waiting:
        batch = waiting.pop(0)
        tries_alone.update([batch[0].place] if len(batch) == 1 else [])
        try:
            done = _attempt(batch, send)
        except Retry as error:
            if not results:
                raise
            waiting.insert(0, batch)
            unsent = [each for part in waiting for each in part]
            results.update({each.place: refused(each, str(error), "retry") for each in unsent})
            break
        results.update(done)
        again = [each for each in batch if _is_worth_another(done.get(each.place))]
        if again and tries_alone[again[0].place] < TRIES_ALONE:
            pause(_PAUSE_S + _RANDOM.random() * _PAUSE_S)
            half = max(1, len(batch) // 2)
            waiting[:0] = [again[start : start + half] for start in range(0, len(again), half)]
    return [results[place] for place in sorted(results)]


def refused(each: Outgoing, words: str, outcome: Literal["retry", "parked"]) -> WriteResult:
    """The result of a row that was not written, with the CRM's own words."""
    return WriteResult(key=each.key, outcome=outcome, error=words)


def _attempt(batch: Sequence[Outgoing], send: Send) -> dict[int, WriteResult]:
    """The results by place; none where the call was refused as a whole, which is one row's
    fault: which one, only halving tells.
    """
    try:
        answers = send(batch)
    except Skip as error:
        if len(batch) > 1:
            return {}
        return {batch[0].place: refused(batch[0], str(error), "parked")}
    return {each.place: answer for each, answer in zip(batch, answers, strict=True)}


def _is_worth_another(result: WriteResult | None) -> bool:
    return result is None or result.outcome == "retry"
