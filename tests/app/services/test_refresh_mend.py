"""Laws of the observed rows: mending twice changes nothing, told rows are never touched."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.services.refresh_ledger import Change, Mended, Subject, mend
from app.store.ledger import OBSERVED
from rules.tables import SOURCES

USER = SOURCES.index("user")
MINUTE = 60_000_000
Reading = tuple[Any, int, int]  # value, modified_at, read_at
VALUES = st.one_of(st.none(), st.integers(1, 3))


@st.composite
def told_histories(draw: st.DrawFn) -> list[Change]:
    """What a CRM tells of one field: chained from the creation, sometimes two rows at once."""
    rows, at, old = [], 0, None
    for number in range(draw(st.integers(0, 5))):
        new = draw(VALUES)
        rows.append(Change(at, f"h{number}", old, new, 7, USER, 0))
        at, old = at + draw(st.sampled_from([0, 1, 30, 600])) * MINUTE, new
    return rows


def subject(value: Any, modified_at: int, read_at: int) -> Subject:
    return Subject(
        field="amount",
        value=value,
        created_at=0,
        created_by_id=7,
        modified_at=modified_at,
        seen_at=read_at,
        read_at=read_at,
    )


@st.composite
def readings(draw: st.DrawFn) -> list[Reading]:
    """What a deal said at several readings; a value may change without a modification."""
    found, modified_at, read_at = [], 0, 1
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            modified_at = read_at + draw(st.integers(0, 900)) * MINUTE
        read_at = max(read_at, modified_at) + draw(st.integers(1, 900)) * MINUTE
        found.append((draw(VALUES), modified_at, read_at))
    return found


def applied(rows: list[Change], plan: Mended) -> list[Change]:
    written = {(row.at, row.ref): row for row in plan.write}
    gone = set(plan.take_back)
    kept = [row for row in rows if (row.at, row.ref) not in gone | written.keys()]
    return [*kept, *written.values()]


def after(told: list[Change], seen: list[Reading]) -> list[Change]:
    """The ledger after the CRM was read several times, each time with its history till then."""
    ours: list[Change] = []
    for reading in seen:
        rows = [*(row for row in told if row.at <= reading[2]), *ours]
        ours = [row for row in applied(rows, mend(rows, subject(*reading))) if row.is_ours]
    return [*(row for row in told if row.at <= seen[-1][2]), *ours]


@given(told_histories(), readings())
def test_looking_again_at_the_same_deal_changes_nothing(
    told: list[Change], seen: list[Reading]
) -> None:
    rows = after(told, seen)
    value, modified_at, read_at = seen[-1]
    again = mend(rows, subject(value, modified_at, read_at + MINUTE))
    assert (again.write, again.take_back) == ([], [])


@given(told_histories(), readings())
def test_what_the_crm_told_stays_as_it_told_it(told: list[Change], seen: list[Reading]) -> None:
    kept = [row for row in after(told, seen) if row.source == USER]
    assert kept == [row for row in told if row.at <= seen[-1][2]]


@given(readings())
def test_without_any_history_the_ledger_ends_with_the_last_reading(seen: list[Reading]) -> None:
    rows = sorted(after([], seen), key=lambda row: (row.at, row.seen_at))
    assert rows[-1].new == seen[-1][0]
    assert rows[0].old is None
    assert all(row.source == OBSERVED for row in rows)
    assert [row.old for row in rows[1:]] == [row.new for row in rows[:-1]]


@given(told_histories())
def test_observed_rows_that_the_whole_history_explains_are_taken_back(
    told: list[Change],
) -> None:
    """The history comes late: until then every state of it was read as it came."""
    instants = [row.at for row in told]
    if not told or len(set(instants)) < len(instants):
        return
    observed = after([], [(row.new, row.at, row.at + 1) for row in told])
    last = subject(told[-1].new, told[-1].at, told[-1].at + MINUTE)
    assert applied([*observed, *told], mend([*observed, *told], last)) == told
