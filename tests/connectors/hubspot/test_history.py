"""Revisions to changes: what each proves, whatever was written and however it is told."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.hubspot import history
from connectors.hubspot.client import Client
from connectors.hubspot.history import changes, source_of
from connectors.hubspot.mapping import day, deal, instant, merged_ids, money
from connectors.hubspot.structure import Portal, Structure
from connectors.records import ChangeRecord, ChangeSource
from tests.connectors.hubspot.fake import FakePortal

MADE = datetime(2026, 3, 2, 9, tzinfo=UTC)
STAGES = ("s0", "s1", "s2", "won", "lost")


@pytest.fixture
def structure(portal: FakePortal, client: Client) -> Structure:
    return structure_of(portal, client)


def structure_of(portal: FakePortal, client: Client) -> Structure:
    stages = [
        {
            "id": name,
            "label": name,
            "displayOrder": place,
            "metadata": {
                "isClosed": str(name in {"won", "lost"}).lower(),
                "probability": "1.0" if name == "won" else "0.0" if name == "lost" else "0.5",
            },
        }
        for place, name in enumerate(STAGES)
    ]
    pipeline = {"id": "p", "label": "New", "displayOrder": 0, "stages": stages}
    portal.answer("GET", "/pipelines", {"results": [pipeline]})
    owner = {"id": "11", "userId": 1, "userIdIncludingInactive": 1, "firstName": "Ada"}
    portal.answer("GET", "archived=false", {"results": [owner]})
    portal.answer("GET", "archived=true", {"results": []})
    return Structure(client, Portal())


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def entry(value: str, at: datetime, source: str = "CRM_UI", **more: Any) -> dict[str, Any]:
    return {"value": value, "timestamp": stamp(at), "sourceType": source, **more}


def row(made: datetime = MADE, /, **entries: list[dict[str, Any]]) -> dict[str, Any]:
    """A deal with these revisions, given oldest first and told newest first."""
    told = {name: list(reversed(found)) for name, found in entries.items()}
    return {
        "id": "500",
        "createdAt": stamp(made),
        "updatedAt": stamp(MADE + timedelta(days=400)),
        "properties": {
            "dealname": "Ada",
            "pipeline": "p",
            "dealstage": "s0",
            **{name: found[0]["value"] for name, found in told.items() if found},
        },
        "propertiesWithHistory": told,
    }


def hours(count: float) -> datetime:
    return MADE + timedelta(hours=count)


def test_each_revision_is_compared_with_the_one_before(structure: Structure) -> None:
    told = row(
        dealstage=[
            entry("s0", MADE, sourceId="userId:1"),
            entry("s1", hours(5), "AUTOMATION_PLATFORM", sourceId="enrollment:9"),
            entry("s2", hours(9), "CRM_UI", updatedByUserId=2),
        ]
    )
    found = changes(told, structure)
    assert [(each.old, each.new, each.at) for each in found] == [
        (None, "s0", MADE),
        ("s0", "s1", hours(5)),
        ("s1", "s2", hours(9)),
    ]
    assert [each.source for each in found] == ["user", "workflow", "user"]
    assert [each.by_crm_id for each in found] == ["11", None, "user:2"]
    assert found == changes(told, structure)
    assert len({each.source_ref for each in found}) == 3


def test_a_field_that_was_empty_at_first_begins_empty_at_creation(structure: Structure) -> None:
    found = changes(row(amount=[entry("10.5", hours(30))]), structure)
    assert [(each.old, each.new, each.at) for each in found] == [
        (None, None, MADE),
        (None, 105_000, hours(30)),
    ]


def test_a_field_without_revisions_tells_nothing(structure: Structure) -> None:
    assert changes(row(amount=[]), structure) == []


def test_a_cut_history_has_no_false_creation(structure: Structure) -> None:
    entries = [entry(f"s{number % 3}", hours(10 + number)) for number in range(20)]
    found = changes(row(dealstage=entries), structure)
    assert len(found) == 19
    assert found[0].old == "s0"
    assert all(each.old is not None for each in found)


def test_twenty_revisions_from_the_creation_on_are_whole(structure: Structure) -> None:
    entries = [entry(f"s{number % 3}", hours(number)) for number in range(20)]
    found = changes(row(dealstage=entries), structure)
    assert len(found) == 20
    assert found[0].old is None


def test_close_dates_are_days_of_the_portals_zone(structure: Structure) -> None:
    late = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)  # 1 July in Berlin
    found = changes(row(closedate=[entry(stamp(late), MADE)]), structure)
    assert found[0].new == date(2026, 7, 1)


def test_the_date_that_closing_writes_is_the_systems(structure: Structure) -> None:
    planned, closing = datetime(2026, 4, 10, 9, tzinfo=UTC), hours(2400)
    told = row(
        dealstage=[entry("s0", MADE), entry("won", closing)],
        closedate=[entry(stamp(planned), MADE), entry(stamp(closing), closing)],
    )
    written = [each for each in changes(told, structure) if each.field == "close_date"]
    assert [each.source for each in written] == ["user", "system"]


def test_a_date_that_a_person_chose_stays_a_persons(structure: Structure) -> None:
    chosen = stamp(datetime(2026, 9, 10, 9, tzinfo=UTC))
    told = row(
        dealstage=[entry("s0", MADE), entry("s1", hours(50))],
        closedate=[entry(stamp(hours(200)), MADE), entry(chosen, hours(50))],
    )
    written = [each for each in changes(told, structure) if each.field == "close_date"]
    assert [each.source for each in written] == ["user", "user"]


def test_only_the_first_move_away_from_hubspots_default_date_proves_nothing(
    structure: Structure,
) -> None:
    month_end = stamp(datetime(2026, 3, 31, 9, tzinfo=UTC))
    later = [stamp(datetime(2026, month, 10, 9, tzinfo=UTC)) for month in (5, 7)]
    told = row(
        closedate=[
            entry(month_end, MADE),
            entry(later[0], hours(100)),
            entry(later[1], hours(900)),
        ]
    )
    assert [each.source for each in changes(told, structure)] == ["user", "system", "user"]


def test_what_was_before_a_merge_proves_nothing_and_what_comes_after_does(
    structure: Structure,
) -> None:
    merged = "hs_merged_object_ids"
    told = row(
        dealstage=[
            entry("s2", MADE),
            entry("s0", hours(1)),
            entry("s2", hours(2)),
            entry("s1", hours(100)),
        ],
        hs_merged_object_ids=[entry("400;401", hours(50), "MERGE_OBJECTS")],
    )
    assert merged_ids(told) == ["400", "401"]
    assert merged in told["properties"]
    found = [each for each in changes(told, structure) if each.field == "stage"]
    assert [each.source for each in found[1:]] == ["system", "system", "user"]


@pytest.mark.parametrize(
    ("told", "is_person", "meant"),
    [
        ("CRM_UI", True, "user"),
        ("CRM_UI_BULK_ACTION", True, "user"),
        ("MOBILE_IOS", True, "user"),
        ("AUTOMATION_PLATFORM", False, "workflow"),
        ("IMPORT", True, "import"),
        ("INTEGRATION", True, "api"),
        ("INTEGRATION", False, "system"),
        ("CALCULATED", False, "system"),
        ("HUBSPOT_INTERNAL", False, "system"),
        ("SOMETHING_NEW", True, "user"),
        ("SOMETHING_NEW", False, "unknown"),
        ("", False, "unknown"),
    ],
)
def test_sources_say_who_was_behind_a_revision(
    told: str, *, is_person: bool, meant: ChangeSource
) -> None:
    assert source_of(told, is_person=is_person) == meant


TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "S", "Zs")), max_size=12)


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[float, str, str]]:
    """Hours after creation (equal ones too), values, sources; the first at the creation."""
    count = draw(st.integers(0, 30))
    moments = sorted(draw(st.lists(st.integers(0, 400), min_size=count, max_size=count)))
    values = draw(st.lists(TEXTS, min_size=count + 1, max_size=count + 1))
    sources = draw(
        st.lists(
            st.sampled_from(("CRM_UI", "IMPORT", "AUTOMATION_PLATFORM", "NEW")),
            min_size=count + 1,
            max_size=count + 1,
        )
    )
    return list(zip([0.0, *map(float, moments)], values, sources, strict=True))


class Laws:
    """One structure for all examples: hypothesis calls a test many times."""

    @pytest.fixture(autouse=True)
    def _structure(self, structure: Structure) -> None:
        structure.stages()
        structure.people()
        structure.account()
        self.structure = structure

    def told(self, made: list[tuple[float, str, str]]) -> list[ChangeRecord]:
        entries = [entry(value, hours(at), source) for at, value, source in made]
        return changes(row(hs_next_step=entries[-20:]), self.structure)


class TestLaws(Laws):
    @given(made=edits())
    def test_changes_chain_from_creation_to_the_value_of_now(
        self, made: list[tuple[float, str, str]]
    ) -> None:
        found = self.told(made)
        assert [each.at for each in found] == sorted(each.at for each in found)
        for before, after in pairwise(found):
            assert after.old == before.new
            assert after.new != after.old
        if found:
            assert found[-1].new == (made[-1][1] or None)

    @given(made=edits())
    def test_a_first_row_without_an_old_value_stands_at_the_creation_alone(
        self, made: list[tuple[float, str, str]]
    ) -> None:
        found = self.told(made)
        if len(made) <= 20:
            assert found[0].old is None
            assert found[0].at == MADE
        for each in found[1:]:
            assert each.at >= MADE

    @given(made=edits(), more=edits())
    def test_reading_again_after_more_edits_tells_the_same_rows_again(
        self, made: list[tuple[float, str, str]], more: list[tuple[float, str, str]]
    ) -> None:
        """What HubSpot still remembers has the same refs, values and sources."""
        later = [(at + 500, value, source) for at, value, source in more[:8]]
        before = {(each.at, each.source_ref): each for each in self.told(made)}
        after = {(each.at, each.source_ref): each for each in self.told([*made, *later])}
        for key in before.keys() & after.keys():
            assert after[key].new == before[key].new
            assert after[key].source == before[key].source
        if len(made) + len(later) <= 20:
            assert before.keys() <= after.keys()


@given(units=st.integers(-(10**14), 10**14), scale=st.integers(0, 4))
def test_money_is_exact_to_a_ten_thousandth(units: int, scale: int) -> None:
    text = f"{units}" if not scale else f"{units / 10**scale:.{scale}f}"
    exact = int(text.replace(".", "")) * 10 ** (4 - scale)
    assert money(text) == exact


@pytest.mark.parametrize("text", [None, "", "NaN", "Infinity", "1e40", "a lot"])
def test_what_is_no_amount_is_none(text: str | None) -> None:
    assert money(text) is None


@given(
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=st.sampled_from(("UTC", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata")),
)
def test_an_instant_shows_one_day_however_it_is_written(at: datetime, zone: str) -> None:
    from zoneinfo import ZoneInfo

    at = at.replace(microsecond=0)
    shown = at.astimezone(ZoneInfo(zone)).date()
    assert day(stamp(at), ZoneInfo(zone)) == shown
    assert day(str(int(at.timestamp() * 1000)), ZoneInfo(zone)) == shown
    assert instant(stamp(at)) == at


def test_a_deal_takes_closed_and_won_from_its_stage(structure: Structure) -> None:
    for stage, closed, won in (("s1", False, False), ("lost", True, False), ("won", True, True)):
        told = row(dealstage=[entry(stage, MADE)])
        made = deal(told, structure=structure, created_at=MADE, company=None)
        assert (made.is_closed, made.is_won) == (closed, won)
    gone = row(dealstage=[entry("deleted-stage", MADE)])
    gone["properties"] |= {"hs_is_closed": "true", "hs_is_closed_won": "true"}
    made = deal(gone, structure=structure, created_at=MADE, company=None)
    assert (made.is_closed, made.is_won) == (True, True)


def test_an_import_with_older_revisions_than_its_row_was_made_by_them() -> None:
    told = row(dealstage=[entry("s0", hours(-100))])
    assert history.created_at(told) == hours(-100)
