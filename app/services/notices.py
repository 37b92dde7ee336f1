"""Notices as other programs see them: whole incidents that are no flag, such as a batch."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from app.errors import BadInput
from app.services.evidence import instant
from app.store import notices
from app.store.database import Database
from app.store.ids import LARGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePage:
    """Some notices, newest first; `next` asks for those after them, None: there are none."""

    items: Sequence[Mapping[str, Any]]
    next: str | None

    def as_json(self) -> dict[str, Any]:
        """The answer of `notices --json`."""
        return {"items": list(self.items), "next": self.next}


def list_notices(
    db: Database, connection_id: int, *, limit: int | None = None, after: str | None = None
) -> NoticePage:
    """`{kind, at, first_seen_at, deals, sentence}` each; `deals` are the CRM's ids. `limit`
    None: all of them. BadInput for an `after` that is none.
    """
    place = None if after is None else _decode(after)
    with db.read() as conn:
        rows = notices.page(
            conn, connection_id, after=place, limit=None if limit is None else limit + 1
        )
    page = rows if limit is None else rows[:limit]
    more = len(rows) > len(page)
    return NoticePage(
        items=[_view(row) for row in page],
        next=_encode(page[-1].at, page[-1].id) if more and page else None,
    )


def _view(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "at": instant(row.at),
        "first_seen_at": instant(row.first_seen_at),
        "deals": row.deal_crm_ids,
        "sentence": row.sentence,
    }


def _encode(at: datetime, notice_id: int) -> str:
    return urlsafe_b64encode(f"{at.isoformat()}|{notice_id}".encode()).decode().rstrip("=")


def _decode(token: str) -> tuple[datetime, int]:
    try:
        text = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        moment, _, number = text.partition("|")
        at, notice_id = datetime.fromisoformat(moment).astimezone(UTC), int(number)
    except (ValueError, OverflowError):
        notice_id = -1
    if not 0 <= notice_id <= LARGEST:
        raise BadInput("after", "give the `next` of the page before")
    return at, notice_id
