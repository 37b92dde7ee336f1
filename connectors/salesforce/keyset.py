"""Reading an sObject along its SystemModstamp: incremental, resumable, losing nothing.

A cursor is a small mapping. `{since}`: everything up to that instant was read. `{until,
at, id}`: a run that ends at `until` has stored everything up to the row (at, id). `{until,
job, locator}`: a first read by bulk, which has stored everything before that page of the job.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.errors import Retry, Skip
from connectors.salesforce import bulk
from connectors.salesforce.client import Row, Rows, quoted
from connectors.salesforce.faults import LOST_QUERY
from connectors.salesforce.fields import Fields, Shape
from connectors.salesforce.mapping import instant

# Rows may appear with a stamp below one already seen: their transaction ended later.
LOOKBACK = timedelta(minutes=10)
# How often a run may begin a query: anew from its last row when the server lost the old one.
ATTEMPTS = 5
Cursor = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows and the cursor to store with them; `total` counts the rows of the query."""

    rows: Sequence[Row]
    cursor: Cursor
    total: int


def soql_instant(at: datetime) -> str:
    """An instant as SOQL writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def since_of(cursor: Cursor) -> datetime:
    """The instant before which a run along `cursor` need not look again."""
    told = datetime.fromisoformat(cursor.get("since") or cursor["until"])
    return told - LOOKBACK


def portions(
    fields: Fields, shape: Shape, cursor: Cursor | None, *, until: datetime, where: str = ""
) -> Iterator[Portion]:
    """The rows of `shape` changed since `cursor`, up to `until`, oldest change first.

    Always ends with a portion, maybe empty, whose cursor closes the run. A query that the
    server loses on the way costs a new one from the last row.
    """
    if cursor is None or "job" in cursor:
        if (yield from _in_bulk(fields, shape, cursor, until=until, where=where)):
            return
        cursor = None
    yield from _by_rest(fields, shape, cursor, until=until, where=where)


def _in_bulk(
    fields: Fields, shape: Shape, cursor: Cursor | None, *, until: datetime, where: str
) -> Generator[Portion, None, bool]:
    """A first read by a bulk job, a new one or that of `cursor`. False where there is nothing
    left but to read by REST, from the beginning.
    """
    place = cursor or _new_job(fields, shape, until=until, where=where)
    if place is None:
        return False
    if cursor is None:
        yield Portion((), place, 0)  # so that a read that is killed now finds its job again
    done = {"since": place["until"]}
    try:
        for part in bulk.parts(fields, shape, place["job"], place["locator"]):
            following = part.following
            here = done if following is None else {**place, "locator": following}
            yield Portion(part.rows, here, place["total"])
    except Skip as error:
        if not bulk.is_lost(error):
            raise
        fields.warn(f"{shape.sobject} is read by REST: {error}")
        return False
    return True


def _new_job(fields: Fields, shape: Shape, *, until: datetime, where: str) -> Cursor | None:
    bound = " AND ".join(_fixed(until, where))
    job = bulk.begin(fields, shape, bound)
    if job is None:
        return None
    return {"until": until.isoformat(), "job": job.id, "locator": "", "total": job.rows}


def _fixed(until: datetime, where: str) -> list[str]:
    return [f"SystemModstamp <= {soql_instant(until)}", *([f"({where})"] if where else [])]


def _by_rest(
    fields: Fields, shape: Shape, cursor: Cursor | None, *, until: datetime, where: str
) -> Iterator[Portion]:
    fixed = _fixed(until, where)
    bound = _resumed(cursor) if cursor else None
    place: Cursor = cursor or {"since": datetime(1970, 1, 1, tzinfo=UTC).isoformat()}
    for attempt in range(ATTEMPTS):
        rest = f"WHERE {' AND '.join([*fixed, *([bound] if bound else [])])}"
        try:
            for page in fields.query(shape, f"{rest} ORDER BY SystemModstamp, Id", deleted=True):
                place = _done(until) if page.is_last else _after(page.rows, place, until)
                yield Portion(page.rows, place, page.total)
        except Retry as lost:
            if lost.code != LOST_QUERY or attempt == ATTEMPTS - 1:
                raise
            bound = _beyond(place) if "at" in place else bound
        else:
            return


def by_id(
    fields: Fields, shape: Shape, after: str | None, *, deleted: bool = True
) -> Iterator[Rows]:
    """All rows of `shape` beyond the id `after`, by id; a lost query is made anew likewise."""
    for attempt in range(ATTEMPTS):
        rest = f"WHERE Id > {quoted(after)} ORDER BY Id" if after else "ORDER BY Id"
        try:
            for page in fields.query(shape, rest, deleted=deleted):
                yield page
                after = page.rows[-1]["Id"] if page.rows else after
        except Retry as lost:
            if lost.code != LOST_QUERY or attempt == ATTEMPTS - 1:
                raise
        else:
            return


def _done(until: datetime) -> Cursor:
    return {"since": until.isoformat()}


def _after(rows: Sequence[Row], place: Cursor, until: datetime) -> Cursor:
    """The cursor after `rows`. A row touched while we read carries a stamp beyond `until`
    and is no place to go on from; it will be read again.
    """
    inside = [row for row in rows if instant(row["SystemModstamp"]) <= until]
    if not inside:
        return place
    last = inside[-1]
    return {"until": until.isoformat(), "at": last["SystemModstamp"], "id": last["Id"]}


def _resumed(cursor: Cursor) -> str:
    """The lower bound of a new run. A run that stopped within the look-back of its end goes
    back to where a finished one would begin, for rows that came late.
    """
    earliest = since_of(cursor)
    if "at" not in cursor or instant(cursor["at"]) > earliest:
        return f"SystemModstamp >= {soql_instant(earliest)}"
    return _beyond(cursor)


def _beyond(place: Cursor) -> str:
    at = soql_instant(instant(place["at"]))
    return f"((SystemModstamp = {at} AND Id > {quoted(place['id'])}) OR SystemModstamp > {at})"
