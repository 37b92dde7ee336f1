"""From evidence that points at our rows to evidence that a person, or the CRM, can check.

Natural keys: a proving row is named `ledger|microseconds|the CRM's row id`, so that the
fingerprint of a flag survives a rebuilt database and tells which rows are newer.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.store import ledger
from app.store.activities import ACTIVITIES
from app.store.columns import to_micros
from app.store.deals import DEALS
from app.store.people import PEOPLE
from connectors.records import MONEY_SCALE
from rules.tables import ACTIVITY_KINDS

Pointer = Mapping[str, Any]
"""One item of a finding's evidence: `kind, ledger, row_id, at`."""


@dataclass(frozen=True, slots=True)
class ProvingRow:
    """A row of ours that proves something, in people's words."""

    ref: str
    old: str | None = None
    new: str | None = None
    by: str | None = None
    source: str = "unknown"


def money(value: int) -> str:
    """A decimal string of 1/10,000ths, with two to four decimals."""
    whole, _, decimals = str((Decimal(value) / MONEY_SCALE).quantize(Decimal("0.0001"))).partition(
        "."
    )
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def change_text(field: str, value: Any) -> str | None:
    """A ledger's value as text: a label or name, an ISO day, a decimal."""
    if value is None:
        return None
    return money(value) if field == "amount" else str(value)  # a day's text is its ISO form


def instant(at: datetime) -> str:
    """An instant as it stands in JSON: ISO 8601, UTC, `Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


class ProvingRows:
    """The rows that a set of findings rests on, fetched together."""

    def __init__(self, rows: Mapping[tuple[str, int], ProvingRow]) -> None:
        self._rows = rows

    @classmethod
    def load(
        cls, conn: sa.Connection, connection_id: int, evidence: Iterable[Sequence[Pointer]]
    ) -> "ProvingRows":
        """Fetch what `evidence` points at."""
        wanted: dict[str, set[int]] = defaultdict(set)
        for pointers in evidence:
            for pointer in pointers:
                wanted[pointer["ledger"]].add(pointer["row_id"])
        rows = {
            **_deals(conn, wanted.pop("deal", set())),
            **_activities(conn, wanted.pop("activity", set())),
        }
        for key, change in ledger.rows_by_id(conn, connection_id, wanted).items():
            rows[key] = ProvingRow(
                ref=change.ref,
                old=change_text(change.field, change.old),
                new=change_text(change.field, change.new),
                by=change.by,
                source=change.source,
            )
        return cls(rows)

    def fingerprint(self, evidence: Sequence[Pointer]) -> str:
        """The sorted natural keys of the proving rows, a line each."""
        return "\n".join(sorted({self._natural_key(pointer) for pointer in evidence}))

    def expand(self, evidence: Sequence[Pointer]) -> list[dict[str, Any]]:
        """Evidence as `{kind, field, ref, at, old, new, by, source}`, oldest first."""
        return [
            {
                "kind": pointer["kind"],
                "field": pointer["ledger"],
                "at": instant(pointer["at"]),
                **asdict(self._rows[pointer["ledger"], pointer["row_id"]]),
            }
            for pointer in evidence
        ]

    def _natural_key(self, pointer: Pointer) -> str:
        row = self._rows[pointer["ledger"], pointer["row_id"]]
        return f"{pointer['ledger']}|{to_micros(pointer['at'])}|{row.ref}"


def gains(fingerprint: str, before: str, *, since: datetime) -> bool:
    """Whether `fingerprint` has a row that `before` had not, later than `since`."""
    added = set(fingerprint.split("\n")) - set(before.split("\n"))
    return any(int(key.split("|", 2)[1]) > to_micros(since) for key in added if key)


def _deals(conn: sa.Connection, ids: Collection[int]) -> dict[tuple[str, int], ProvingRow]:
    query = (
        sa.select(DEALS.c.id, DEALS.c.crm_id, PEOPLE.c.name)
        .select_from(DEALS)
        .outerjoin(PEOPLE, PEOPLE.c.id == DEALS.c.created_by_id)
    )
    return {
        ("deal", row[0]): ProvingRow(ref=row[1], by=row[2])
        for chunk in chunks(sorted(ids))
        for row in conn.execute(query.where(DEALS.c.id.in_(chunk)))
    }


def _activities(conn: sa.Connection, ids: Collection[int]) -> dict[tuple[str, int], ProvingRow]:
    query = (
        sa.select(ACTIVITIES.c.id, ACTIVITIES.c.crm_id, ACTIVITIES.c.kind, PEOPLE.c.name)
        .select_from(ACTIVITIES)
        .outerjoin(PEOPLE, PEOPLE.c.id == ACTIVITIES.c.owner_id)
    )
    return {
        ("activity", row[0]): ProvingRow(ref=row[1], new=ACTIVITY_KINDS[row[2]], by=row[3])
        for chunk in chunks(sorted(ids))
        for row in conn.execute(query.where(ACTIVITIES.c.id.in_(chunk)))
    }


def chunks(ids: Sequence[int], size: int = 1_000) -> Iterator[Sequence[int]]:
    """Ids in lots that one query can name."""
    return (ids[start : start + size] for start in range(0, len(ids), size))
