"""Rows sent to Salesforce's collection calls, and what each row's answer means."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors import batches
from connectors.batches import Outgoing, Pause, refused
from connectors.errors import Fatal
from connectors.records import WriteResult
from connectors.salesforce.client import Row
from connectors.salesforce.faults import row_error

BATCH = 200  # the most that a collection call takes

Send = Callable[[Sequence[Outgoing]], Sequence[Row]]


def run(rows: Sequence[Outgoing], send: Send, *, pause: Pause) -> Sequence[WriteResult]:
    """Send in full batches; see `connectors.batches.run`."""

    def answered(batch: Sequence[Outgoing]) -> Sequence[WriteResult]:
        answers = send(batch)
        if len(answers) != len(batch):
            raise Fatal(f"Salesforce answered {len(answers)} rows for {len(batch)}")
        return [_result(each, answer) for each, answer in zip(batch, answers, strict=True)]

    return batches.run(rows, answered, size=BATCH, pause=pause)


def _result(each: Outgoing, answer: Mapping[str, Any]) -> WriteResult:
    if answer["success"]:
        return WriteResult(
            key=each.key,
            outcome="written",
            crm_id=answer.get("id") or each.key,
            created=bool(answer.get("created")),
        )
    words, is_passing = row_error(answer.get("errors") or [])
    return refused(each, words, "retry" if is_passing else "parked")
