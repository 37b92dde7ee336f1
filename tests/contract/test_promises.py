"""The promises of `connectors.base`, kept by every connector."""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Reader, Stream, Writer
from connectors.errors import Retry
from connectors.records import FlagWrite, Page, TaskWrite
from rules.tables import SOURCES
from tests.contract.copy import Content, Copy, copied
from tests.contract.door import PEOPLE
from tests.contract.files import FilesDoor
from tests.contract.hubspot import hubspot
from tests.contract.salesforce import salesforce

CRMS = ("salesforce", "hubspot", "files")
REP = PEOPLE[1]


@pytest.fixture(params=CRMS)
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "files":
        yield FilesDoor(tmp_path / "crm", deals=6)
        return
    opener = salesforce if request.param == "salesforce" else hubspot
    with opener(tmp_path / "crm", deals=6) as opened:
        yield opened


@pytest.fixture
def copies(migrated_file: Path, tmp_path: Path) -> Iterator[Sequence[Copy]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(copied(migrated_file, tmp_path / f"copy{n}.db")) for n in range(3)
        ]


class Pages:
    """A reader whose pages are cut to single deals and come in another order, or twice."""

    def __init__(self, reader: Reader, *, shuffle: int | None = None, times: int = 1) -> None:
        self._reader = reader
        self._shuffle = shuffle
        self._times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def read(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        pages = [part for page in self._reader.read(stream, cursor) for part in _cut(page)]
        pages *= self._times
        if self._shuffle is not None:
            random.Random(self._shuffle).shuffle(pages)
        yield from pages


class Stopping:
    """A reader that is cut off after so many pages of all streams."""

    def __init__(self, reader: Reader, *, pages: int) -> None:
        self._reader = reader
        self._left = pages

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def read(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        for page in self._reader.read(stream, cursor):
            if self._left == 0:
                raise Retry("the line was cut")
            self._left -= 1
            yield page


def _cut(page: Page) -> list[Page]:
    bare = replace(
        page, cursor=None, companies=(), deals=(), changes=(), activities=(), contacts=(),
        complete_histories=frozenset(), complete_contacts=frozenset(),
    )  # fmt: skip
    parts = [replace(bare, deals=[deal]) for deal in page.deals]
    for crm_id in sorted(page.complete_histories):
        own = [change for change in page.changes if change.deal_crm_id == crm_id]
        parts.append(replace(bare, changes=own, complete_histories=frozenset({crm_id})))
    parts += [replace(bare, activities=[each]) for each in page.activities]
    parts += [replace(bare, contacts=[each]) for each in page.contacts]
    return [*parts, replace(bare, companies=page.companies)]


def edit_everything(door: Any) -> None:
    """Each kind of edit once, on different deals."""
    first, second, third, fourth, *_ = door.deals()
    door.wall.wait(3_600)
    door.edit(first, by=REP, stage=door.stages(first)[1], amount=4_000)
    door.edit(second, by=REP, close_on=date(2026, 12, 31))
    door.edit(second, by=PEOPLE[3], owner=PEOPLE[2])
    door.wall.wait(40)
    door.edit_by_program(second, next_step="Ask the CFO", close_on=date(2027, 1, 31))
    door.delete(third, by=REP)
    door.edit(fourth, by=REP, amount=4_500)
    door.delete(fourth, by=REP)
    door.wall.wait(60)
    door.undelete(fourth)


def same(one: Content, other: Content) -> bool:
    """Equal but for what only a poll can see: owner and next step where nothing tells them."""
    names = ("told", "deals", "activities", "roles", "companies")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def test_increments_hold_what_a_full_pass_holds(door: Any, copies: Sequence[Copy]) -> None:
    often, once, _ = copies
    often.sync(door.reader())
    edit_everything(door)
    often.sync(door.reader())
    once.sync(door.reader())
    assert same(often.content(), once.content())


def test_reading_again_changes_nothing(door: Any, copies: Sequence[Copy]) -> None:
    copy = copies[0]
    copy.sync(door.reader())
    edit_everything(door)
    copy.sync(door.reader())
    before = copy.content()
    for full in (False, True):
        report = copy.sync(door.reader(), full=full)
        assert (report.inserted, report.updated, report.changes) == (0, 0, 0)
    assert copy.content() == before


def test_a_page_may_come_twice_and_pages_in_any_order(door: Any, copies: Sequence[Copy]) -> None:
    straight, twice, shuffled = copies
    edit_everything(door)
    straight.sync(door.reader())
    twice.sync(Pages(door.reader(), times=2))
    shuffled.sync(Pages(door.reader(), times=2, shuffle=3))
    assert twice.content() == straight.content()
    assert shuffled.content() == straight.content()


def test_nothing_is_lost_at_equal_instants(door: Any, copies: Sequence[Copy]) -> None:
    often, once, _ = copies
    often.sync(door.reader())
    deals = door.deals()
    for amount in (1_001, 2_002, 3_003):  # at the very instant of the sync before, and of the next
        for deal in deals:
            door.edit(deal, by=REP, amount=amount)
        often.sync(door.reader())
    once.sync(door.reader())
    content = often.content()
    assert same(content, once.content())
    for deal in deals:
        told = [e.new for e in content.told if (e.deal, e.field) == (door.crm_id(deal), "amount")]
        assert {10_010_000, 20_020_000, 30_030_000} <= set(told)


def test_deletions_are_seen_and_taken_back(door: Any, copies: Sequence[Copy]) -> None:
    copy, deal = copies[0], door.deals()[0]
    copy.sync(door.reader())
    before = copy.content().activities
    for is_deleted in (True, False):
        door.wall.wait(4_000)
        if is_deleted:
            door.delete(deal, by=REP)
        else:
            door.undelete(deal)
        copy.sync(door.reader())
        found = copy.content()
        assert (found.deals[door.crm_id(deal)]["deleted_at"] is not None) is is_deleted
    assert copy.content().activities == before


def test_a_merge_is_seen_with_all_that_moves_to_the_new_deal(
    tmp_path: Path, copies: Sequence[Copy]
) -> None:
    with hubspot(tmp_path / "crm", deals=6) as door:
        often, once, _ = copies
        often.sync(door.reader())
        first, second, *_ = door.deals()
        old = {door.crm_id(first), door.crm_id(second)}
        door.wall.wait(4_000)
        door.merge(first, second)
        often.sync(door.reader())
        once.sync(door.reader())
        content = often.content()
        assert all(content.deals[crm_id]["deleted_at"] is not None for crm_id in old)
        new = door.crm_id(first)
        assert content.deals[new]["deleted_at"] is None
        assert not {each["deal_crm_id"] for each in content.activities.values()} & old
        assert content.activities == once.content().activities
        pushes = [e for e in content.ledger if e.deal == new and e.old is not None]
        assert {SOURCES[entry.source] for entry in pushes} == {"system"}  # proves nothing


def test_a_contact_taken_off_a_deal_plays_no_part_any_more(
    tmp_path: Path, copies: Sequence[Copy]
) -> None:
    with hubspot(tmp_path / "crm", deals=6) as door:
        often, once, _ = copies
        often.sync(door.reader())
        role, (deal, *_rest) = next(iter(often.content().roles.items()))
        door.wall.wait(4_000)
        door.unlink(deal, role.partition(":")[2])
        often.sync(door.reader())
        once.sync(door.reader())
        assert role not in often.content().roles
        assert often.content().roles == once.content().roles


@pytest.mark.parametrize(
    ("door", "pages"),
    [("files", 1), *((crm, pages) for crm in CRMS[:2] for pages in (0, 1, 2, 4))],
    indirect=["door"],
)
def test_a_stopped_pass_goes_on_from_its_last_cursor(
    door: Any, copies: Sequence[Copy], pages: int
) -> None:
    stopped, whole, _ = copies
    with pytest.raises(Retry):
        stopped.sync(Stopping(door.reader(), pages=pages))
    edit_everything(door)
    stopped.sync(door.reader())
    whole.sync(door.reader())
    assert same(stopped.content(), whole.content())


class Board:
    """Flags and tasks to write on a door's deals."""

    def __init__(self, door: Any) -> None:
        door.set_up()
        self._owner = next(p.crm_id for p in door.reader().people() if p.is_active)
        records = [deal for page in door.reader().read("deals", None) for deal in page.deals]
        self.deals = [deal for deal in records if not deal.is_deleted]

    def flags(self, **values: Any) -> list[FlagWrite]:
        base: dict[str, Any] = {
            "rule": "stage-regression",
            "title": "It went back",
            "severity": "warning",
            "status": "open",
            "rank": 50,
            "reason": "Back from Proposal",
            "evidence": "1 June",
            "questions": "Why?",
            "opened_at": datetime(2026, 6, 1, tzinfo=UTC),
        }
        return [
            FlagWrite(
                key=f"FLAG{deal.crm_id}", deal_crm_id=deal.crm_id, deal_name=deal.name,
                owner_crm_id=self._owner, **{**base, **values},
            )
            for deal in self.deals
        ]  # fmt: skip

    def tasks(self, count: int = 3) -> list[TaskWrite]:
        due_on = date(2026, 7, 1)
        return [
            TaskWrite(
                key=f"TASK{n}", owner_crm_id=self._owner, subject="1:1", body="Ask", due_on=due_on
            )
            for n in range(count)
        ]


def standing(writer: Writer) -> dict[str, tuple[str, Any]]:
    found = {**writer.standing_flags(), **writer.standing_tasks()}
    return {key: (each.crm_id, each.values) for key, each in found.items()}


@pytest.mark.parametrize("door", CRMS[:2], indirect=True)
def test_writing_twice_writes_once(door: Any) -> None:
    board, writer = Board(door), door.writer()
    for _ in range(2):
        results = [*writer.write_flags(board.flags()), *writer.write_tasks(board.tasks())]
        assert {result.outcome for result in results} == {"written"}
        found = standing(door.writer())
        assert len(found) == len(results)
    assert standing(door.writer()) == found
    records: list[FlagWrite | TaskWrite] = [*board.flags(), *board.tasks()]
    for record in records:
        assert found[record.key][1] == writer.as_stored(record)


@pytest.mark.parametrize("door", CRMS[:2], indirect=True)
def test_one_bad_row_is_parked_alone(door: Any) -> None:
    board, writer = Board(door), door.writer()
    flags = board.flags()
    flags[2] = replace(flags[2], deal_crm_id=f"{flags[2].deal_crm_id[:-4]}0000")
    results = writer.write_flags(flags)
    assert [result.key for result in results] == [flag.key for flag in flags]
    assert [result.outcome for result in results].count("parked") == 1
    assert results[2].outcome == "parked"
    assert results[2].error
    assert set(standing(door.writer())) == {flag.key for flag in flags} - {flags[2].key}


def test_an_older_page_never_overwrites_a_newer_one(door: Any, copies: Sequence[Copy]) -> None:
    copy = copies[0]
    early = list(door.reader().read("deals", None))
    edit_everything(door)
    copy.sync(door.reader())
    before = copy.content().deals
    late = door.reader()

    class Stale(Pages):
        def read(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
            del cursor
            pages = early if stream == "deals" else ()
            return iter([replace(page, cursor=None, changes=(), contacts=()) for page in pages])

    copy.sync(Stale(late))
    assert copy.content().deals == before
