"""Rows sent in batches: one bad row never stops the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

from connectors.errors import Fatal, Retry, Skip
from connectors.records import WriteResult
from connectors.salesforce.client import Row
from connectors.salesforce.faults import row_error

BATCH = 200  # the most that a collection call takes

_PAUSE_S = 0.3
_RANDOM = SystemRandom()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row on its way: its place in the caller's order, its key and its fields."""

    place: int
    key: str
    row: Row


Send = Callable[[Sequence[Outgoing]], Sequence[Row]]
Pause = Callable[[float], None]


def run(rows: Sequence[Outgoing], send: Send, *, pause: Pause) -> Sequence[WriteResult]:
    """Send in full batches, halved for rows that may pass in a smaller one.

    Raises `Retry` where nothing was answered yet; after that, what could not be sent
    comes back as `retry`, so that the caller knows what stands.
    """
    results: dict[int, WriteResult] = {}
    waiting = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    while waiting:
        batch = waiting.pop(0)
        try:
            done, again = _attempt(batch, send)
        except Retry as error:
            if not results:
                raise
            unsent = [each for part in (batch, *waiting) for each in part]
            done, again, waiting = _refusals(unsent, str(error)), [], []
        results.update(done)
        if again:
            pause(_PAUSE_S + _RANDOM.random() * _PAUSE_S)
            half = max(1, len(batch) // 2)
            waiting[:0] = [again[start : start + half] for start in range(0, len(again), half)]
    return [results[place] for place in sorted(results)]


def _attempt(
    batch: Sequence[Outgoing], send: Send
) -> tuple[dict[int, WriteResult], Sequence[Outgoing]]:
    """(what is settled, what is worth a smaller batch). A refusal of the whole call is one
    row's fault; which one, only halving tells.
    """
    try:
        answers = _answers(batch, send)
    except Skip as error:
        if len(batch) > 1:
            return {}, batch
        only = batch[0]
        return {only.place: _refused(only, str(error), is_passing=False)}, []
    settled = {
        each.place: _result(each, answer) for each, answer in zip(batch, answers, strict=True)
    }
    if len(batch) == 1:
        return settled, []
    again = [each for each in batch if settled[each.place].outcome == "retry"]
    return {k: result for k, result in settled.items() if result.outcome != "retry"}, again


def _refusals(rows: Sequence[Outgoing], words: str) -> dict[int, WriteResult]:
    return {each.place: _refused(each, words, is_passing=True) for each in rows}


def _answers(batch: Sequence[Outgoing], send: Send) -> Sequence[Row]:
    answers: Sequence[Row] = send(batch)
    if len(answers) != len(batch):
        raise Fatal(f"Salesforce answered {len(answers)} rows for {len(batch)}")
    return answers


def _result(each: Outgoing, answer: Mapping[str, Any]) -> WriteResult:
    if answer["success"]:
        return WriteResult(
            key=each.key,
            outcome="written",
            crm_id=answer.get("id") or each.key,
            created=bool(answer.get("created")),
        )
    words, is_passing = row_error(answer.get("errors") or [])
    return _refused(each, words, is_passing=is_passing)


def _refused(each: Outgoing, words: str, *, is_passing: bool) -> WriteResult:
    return WriteResult(key=each.key, outcome="retry" if is_passing else "parked", error=words)
