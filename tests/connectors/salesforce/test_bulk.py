"""First reads by Bulk API 2.0, against the practice Salesforce."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from connectors.base import STREAMS, Stream
from connectors.errors import Retry
from connectors.salesforce import bulk, client
from tests.connectors.salesforce.practice import PracticeOrg, practising
from tests.connectors.salesforce.test_reading_practice import Copy


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeOrg]:
    directory = tmp_path_factory.mktemp("org")
    with practising(directory, deals=120, seed=11, tracked_days=900) as made:
        yield made


@pytest.fixture(scope="module")
def by_rest(org: PracticeOrg) -> Copy:
    copy = Copy()
    copy.read(org)
    return copy


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bulk from few rows on, in pages that cut histories in two; nobody waits."""
    monkeypatch.setattr(bulk, "FROM_ROWS", 20)
    monkeypatch.setattr(bulk, "POLLS_S", (0.0,) * 5)
    monkeypatch.setattr(client, "BULK_PAGE", 37)


def jobs(org: PracticeOrg) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = org.connect().reader()._client.get("jobs/query")["records"]
    return told


def same(copy: Copy, other: Copy) -> None:
    for name in ("companies", "deals", "contacts", "activities"):
        assert getattr(copy, name) == getattr(other, name), name
    assert set(copy.histories) == set(other.histories)
    for crm_id, rows in copy.histories.items():
        assert rows == other.histories[crm_id]


@pytest.fixture(autouse=True)
def no_jobs_left(org: PracticeOrg) -> Iterator[None]:
    yield
    api = org.connect().reader()._client
    for job in jobs(org):
        while api.get(f"jobs/query/{job['id']}")["state"] != "JobComplete":
            pass
        api.discard(f"jobs/query/{job['id']}")


@pytest.mark.usefixtures("small_pages")
def test_a_first_read_by_bulk_equals_one_by_rest_and_leaves_no_job(
    org: PracticeOrg, by_rest: Copy
) -> None:
    copy = Copy()
    copy.read(org)
    same(copy, by_rest)
    assert copy.warnings == by_rest.warnings
    assert jobs(org) == []
    assert all("since" in (cursor or "") for cursor in copy.cursors.values())


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("pages", [1, 2, 5])
def test_a_read_by_bulk_that_is_killed_again_and_again_goes_on_with_its_job(
    org: PracticeOrg, by_rest: Copy, pages: int
) -> None:
    copy, made = Copy(), set()
    for _ in range(150):
        copy.read(org, pages=pages)
        made |= {job["object"] for job in jobs(org)}
        assert len(jobs(org)) <= 7
        if all('"job"' not in (cursor or "") for cursor in copy.cursors.values()):
            break
    else:
        pytest.fail("the read makes no progress")
    copy.read(org)
    same(copy, by_rest)
    assert {"Opportunity", "OpportunityHistory"} <= made


@pytest.mark.usefixtures("small_pages")
def test_a_job_that_is_gone_is_read_by_rest_with_a_warning(org: PracticeOrg, by_rest: Copy) -> None:
    copy = Copy()
    copy.read(org, pages=1)
    api = org.connect().reader()._client
    for job in jobs(org):
        while api.get(f"jobs/query/{job['id']}")["state"] != "JobComplete":
            pass
        api.discard(f"jobs/query/{job['id']}")
    copy.read(org)
    same(copy, by_rest)
    assert any("Opportunity is read by REST" in warning for warning in copy.warnings)


@pytest.mark.usefixtures("small_pages")
def test_an_object_that_bulk_does_not_support_is_read_by_rest(
    org: PracticeOrg, by_rest: Copy
) -> None:
    org.settings(not_in_bulk=["OpportunityHistory", "Task"])
    copy = Copy()
    copy.read(org)
    org.settings(not_in_bulk=[])
    same(copy, by_rest)
    named = sorted(warning.split()[0] for warning in copy.warnings)
    assert named == ["OpportunityHistory", "Task"]


@pytest.mark.usefixtures("small_pages")
def test_trouble_in_the_middle_of_a_job_is_not_noticed(org: PracticeOrg, by_rest: Copy) -> None:
    kinds = ("401", "429", "cut", "503", "500", "401", "cut")
    org.faults(*({"kind": kind, "at": 9 + 11 * place} for place, kind in enumerate(kinds)))
    copy = Copy()
    copy.read(org)
    same(copy, by_rest)


@pytest.mark.usefixtures("small_pages")
def test_a_job_that_takes_too_long_is_waited_for_by_the_next_run(
    org: PracticeOrg, by_rest: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Copy()
    with monkeypatch.context() as hurried:
        hurried.setattr(bulk, "POLLS_S", (0.0,))
        for stream in STREAMS:
            with pytest.raises(Retry, match="still at work"):
                read(copy, org, stream)
    waiting = {job["id"] for job in jobs(org)}
    assert {orjson.loads(copy.cursors[stream] or "").get("job") for stream in ("deals",)} <= waiting
    copy.read(org)
    same(copy, by_rest)
    assert jobs(org) == []


def read(copy: Copy, org: PracticeOrg, stream: Stream) -> None:
    for page in org.connect().reader().read(stream, copy.cursors.get(stream)):
        copy.take(stream, page)


def test_few_rows_are_read_by_rest_after_one_count(org: PracticeOrg) -> None:
    before = org.connect().reader()
    list(before.read("companies", None))
    assert jobs(org) == []
    assert before.calls <= 6
