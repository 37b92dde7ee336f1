"""The compiler against a reading of SOQL in a few lines of Python, on random conditions."""

import fnmatch
import re
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox.salesforce.query import Queries
from connectors.sandbox.salesforce.soql_dates import Calendar
from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.values import Row

CALENDAR = Calendar(now=datetime(2026, 5, 20, 12, tzinfo=UTC), time_zone="UTC")
NAMES = [None, "Acme", "acme east", "ACME", "Über", "50% off", "a_b", "O'Hara", "Back\\slash"]
AMOUNTS = [None, 0.0, 10.5, 100.0, -3.0]
DATES = [None, "2026-05-19", "2026-05-20", "2026-05-21", "2025-01-01"]
INSTANTS = ["2026-05-20T00:00:00.000+0000", "2026-05-19T23:59:59.000+0000"]
Test = Callable[[Row], bool]


@dataclass(frozen=True)
class Condition:
    soql: str
    holds: Test


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def folded(value: Any) -> Any:
    """Plain text compares without regard to the case of ASCII letters."""
    return (
        re.sub("[A-Z]", lambda found: found[0].lower(), value) if isinstance(value, str) else value
    )


def compare(field: str, sign: str, value: Any) -> Test:
    def holds(row: Row) -> bool:
        mine, theirs = folded(row[field]), folded(value)
        if sign == "=":
            return bool(mine == theirs)
        if sign == "!=":
            return bool(mine != theirs)
        if mine is None or theirs is None:
            return False
        results = {"<": mine < theirs, "<=": mine <= theirs, ">": mine > theirs}
        return bool(results.get(sign, mine >= theirs))

    return holds


SIGNS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def literal(value: Any, *, is_text: bool) -> str:
    if value is None:
        return "null"
    return quoted(value) if is_text else str(value)


def compared(
    field: str, values: list[Any], *, is_text: bool = False
) -> st.SearchStrategy[Condition]:
    def make(sign: str, value: Any) -> Condition:
        soql = f"{field} {sign} {literal(value, is_text=is_text)}"
        return Condition(soql, compare(field, sign, value))

    return st.builds(make, SIGNS, st.sampled_from(values))


def listed(field: str, values: list[Any], *, is_text: bool) -> st.SearchStrategy[Condition]:
    def make(is_negated: bool, chosen: list[Any]) -> Condition:
        words = ", ".join(literal(each, is_text=is_text) for each in chosen)
        wanted = {folded(each) for each in chosen}
        word = "NOT IN" if is_negated else "IN"
        return Condition(
            f"{field} {word} ({words})", lambda row: (folded(row[field]) in wanted) != is_negated
        )

    return st.builds(make, st.booleans(), st.lists(st.sampled_from(values), min_size=1, max_size=3))


def like(pattern: str) -> Condition:
    shell = "".join(
        {"%": "*", "_": "?"}.get(char, f"[{char}]" if char in "*?[" else char) for char in pattern
    )

    def holds(row: Row) -> bool:
        return row["Name"] is not None and fnmatch.fnmatchcase(folded(row["Name"]), folded(shell))

    return Condition(f"Name LIKE {quoted(pattern)}", holds)


def around(condition: Condition) -> Condition:
    return Condition(f"NOT ({condition.soql})", lambda row: not condition.holds(row))


def joined(word: str, parts: list[Condition]) -> Condition:
    decide = all if word == "AND" else any
    soql = f" {word} ".join(f"({part.soql})" for part in parts)
    return Condition(soql, lambda row: decide(part.holds(row) for part in parts))


SIMPLE = st.one_of(
    compared("Name", NAMES, is_text=True),
    compared("Amount", AMOUNTS),
    compared("CloseDate", DATES),
    compared("CreatedDate", INSTANTS),
    listed("Name", NAMES, is_text=True),
    listed("Amount", AMOUNTS, is_text=False),
    listed("CloseDate", DATES, is_text=False),
    st.builds(like, st.sampled_from(["%acme%", "A%", "_cme", "%é%", "O'%", "%"])),
    st.sampled_from(
        [
            Condition("IsWon = true", lambda row: bool(row["IsWon"])),
            Condition("IsWon != true", lambda row: not row["IsWon"]),
            Condition("CloseDate = TODAY", lambda row: row["CloseDate"] == "2026-05-20"),
            Condition("CloseDate != TODAY", lambda row: row["CloseDate"] != "2026-05-20"),
            Condition(
                "CreatedDate < TODAY", lambda row: row["CreatedDate"] < "2026-05-20T00:00:00"
            ),
            Condition("Owner.Name = 'Rep'", lambda row: row["OwnerId"] is not None),
            Condition("Owner.Name != 'Rep'", lambda row: row["OwnerId"] is None),
        ]
    ),
)
CONDITIONS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(around, inner),
        st.builds(joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def organisation() -> Any:
    with (
        tempfile.TemporaryDirectory() as directory,
        closing(Store(Path(directory) / "crm.db")) as store,
    ):
        user = store.blank("User") | {"Id": store.new_id("User"), "Name": "Rep"}
        store.insert("User", [user])
        rows = []
        for number in range(90):
            row = store.blank("Opportunity") | {
                "Id": store.new_id("Opportunity"),
                "Name": NAMES[number % len(NAMES)],
                "Amount": AMOUNTS[number % len(AMOUNTS)],
                "CloseDate": DATES[number // 2 % len(DATES)],
                "IsWon": number % 2,
                "OwnerId": user["Id"] if number % 3 else None,
                "CreatedDate": INSTANTS[number // 3 % 2],
            }
            rows.append(row)
        store.insert("Opportunity", rows)
        yield Queries(store, lambda: CALENDAR), rows


@settings(max_examples=300, deadline=None)
@given(condition=CONDITIONS)
def test_a_condition_selects_what_plain_python_selects(
    organisation: tuple[Queries, list[Row]], condition: Condition
) -> None:
    queries, rows = organisation
    soql = f"SELECT Id FROM Opportunity WHERE {condition.soql} ORDER BY Id"
    found = [record["Id"] for record in queries.run(soql, base="")["records"]]
    assert found == [row["Id"] for row in rows if condition.holds(row)]


@settings(max_examples=60, deadline=None)
@given(
    field=st.sampled_from(["Name", "Amount", "CloseDate"]),
    is_descending=st.booleans(),
    nulls=st.sampled_from(["", " NULLS FIRST", " NULLS LAST"]),
    limit=st.integers(1, 90),
    offset=st.integers(0, 90),
)
def test_order_limit_and_offset_cut_the_sorted_list(
    *,
    organisation: tuple[Queries, list[Row]],
    field: str,
    is_descending: bool,
    nulls: str,
    limit: int,
    offset: int,
) -> None:
    queries, rows = organisation
    word = "DESC" if is_descending else "ASC"
    cut = f"LIMIT {limit} OFFSET {offset}"
    soql = f"SELECT Id FROM Opportunity ORDER BY {field} {word}{nulls}, Id {cut}"
    filled = [row for row in rows if row[field] is not None]
    filled.sort(key=lambda row: folded(row[field]), reverse=is_descending)
    empty = [row for row in rows if row[field] is None]
    expected = filled + empty if nulls.endswith("LAST") else empty + filled
    found = [record["Id"] for record in queries.run(soql, base="")["records"]]
    assert found == [row["Id"] for row in expected][offset : offset + limit]
