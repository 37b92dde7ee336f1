from datetime import UTC, datetime

import pytest

from connectors.errors import Retry
from connectors.salesforce.client import Client
from connectors.salesforce.fields import Fields, Shape
from connectors.salesforce.keyset import Cursor, by_id, portions
from tests.connectors.salesforce.fake import Answer, FakeOrg

SHAPE = Shape(sobject="Deal", needed=("Id", "SystemModstamp"))
UNTIL = datetime(2026, 6, 1, 12, tzinfo=UTC)
LOST = Answer([{"message": "gone", "errorCode": "INVALID_QUERY_LOCATOR"}], status=400)
DONE = {"since": "2026-06-01T12:00:00+00:00"}


def row(number: int, hour: int) -> dict[str, str]:
    return {"Id": str(number), "SystemModstamp": f"2026-06-01T{hour:02d}:00:00.000+0000"}


def page(*rows: dict[str, str], more: str | None = None) -> dict[str, object]:
    body: dict[str, object] = {"totalSize": 9, "done": more is None, "records": list(rows)}
    return {**body, "nextRecordsUrl": f"/services/data/v66.0/query/{more}"} if more else body


@pytest.fixture
def fields(org: FakeOrg, client: Client) -> Fields:
    org.describe("Deal", "Id", "SystemModstamp")
    return Fields(client)


def run(fields: Fields, cursor: Cursor | None = None) -> list[tuple[list[str], Cursor]]:
    found = portions(fields, SHAPE, cursor, until=UNTIL)
    return [([row["Id"] for row in part.rows], part.cursor) for part in found]


def wheres(org: FakeOrg) -> list[str]:
    return [r.path.partition(" WHERE ")[2] for r in org.sent("GET", r"/queryAll/\?q=")]


def test_a_full_run_stores_a_place_after_each_page_and_its_end_after_the_last(
    org: FakeOrg, fields: Fields
) -> None:
    org.answer("GET", "/queryAll/", page(row(1, 8), row(2, 9), more="x"))
    org.answer("GET", "/query/x", page(row(3, 9)))
    assert run(fields) == [
        (["1", "2"], {"until": DONE["since"], "at": "2026-06-01T09:00:00.000+0000", "id": "2"}),
        (["3"], DONE),
    ]
    assert wheres(org) == ["SystemModstamp <= 2026-06-01T12:00:00.000Z ORDER BY SystemModstamp, Id"]


def test_the_next_run_looks_back_ten_minutes(org: FakeOrg, fields: Fields) -> None:
    org.answer("GET", "/queryAll/", page())
    assert run(fields, {"since": "2026-06-01T11:00:00+00:00"}) == [([], DONE)]
    assert "AND SystemModstamp >= 2026-06-01T10:50:00.000Z ORDER" in wheres(org)[0]


def test_an_interrupted_run_goes_on_after_its_last_row(org: FakeOrg, fields: Fields) -> None:
    org.answer("GET", "/queryAll/", page())
    place = {"until": "2026-06-01T11:00:00+00:00", "at": row(0, 9)["SystemModstamp"], "id": "2"}
    run(fields, place)
    assert (
        "AND ((SystemModstamp = 2026-06-01T09:00:00.000Z AND Id > '2') "
        "OR SystemModstamp > 2026-06-01T09:00:00.000Z)"
    ) in wheres(org)[0]


def test_a_run_interrupted_within_the_look_back_goes_back_for_rows_that_came_late(
    org: FakeOrg, fields: Fields
) -> None:
    org.answer("GET", "/queryAll/", page())
    place = {"until": "2026-06-01T11:05:00+00:00", "at": row(0, 11)["SystemModstamp"], "id": "2"}
    run(fields, place)
    assert "AND SystemModstamp >= 2026-06-01T10:55:00.000Z ORDER" in wheres(org)[0]


@pytest.mark.parametrize("trouble", [LOST, Answer(page(row(1, 8), row(2, 9), more="x"))])
def test_a_lost_query_or_a_page_sent_twice_costs_a_new_query_from_the_last_row(
    org: FakeOrg, fields: Fields, trouble: Answer
) -> None:
    first = Answer(page(row(1, 8), row(2, 9), more="x"))
    org.answer("GET", "/queryAll/", first, Answer(page(row(3, 9))))
    org.answer("GET", "/query/x", trouble)
    assert [ids for ids, _ in run(fields)] == [["1", "2"], ["3"]]
    assert "Id > '2'" in wheres(org)[1]


def test_a_query_lost_again_and_again_is_left_to_a_later_run(org: FakeOrg, fields: Fields) -> None:
    org.answer("GET", "/queryAll/", page(row(1, 8), more="x"))
    org.answer("GET", "/query/x", LOST)
    with pytest.raises(Retry):
        run(fields)
    assert len(wheres(org)) == 5


def test_a_row_touched_while_we_read_is_no_place_to_go_on_from(
    org: FakeOrg, fields: Fields
) -> None:
    org.answer("GET", "/queryAll/", page(row(1, 8), row(2, 13), more="x"))
    org.answer("GET", "/query/x", page(row(3, 9)))
    assert run(fields)[0][1]["id"] == "1"


def test_reading_by_id_goes_on_after_the_last_id_too(org: FakeOrg, fields: Fields) -> None:
    org.answer("GET", "/queryAll/", page(row(1, 8), row(2, 9), more="x"), page(row(3, 9)))
    org.answer("GET", "/query/x", LOST)
    assert [len(part.rows) for part in by_id(fields, SHAPE, None)] == [2, 1]
    assert wheres(org) == ["", "Id > '2' ORDER BY Id"]
