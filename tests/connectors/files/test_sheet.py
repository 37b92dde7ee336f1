import csv
import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.files import FileError
from connectors.files.sheet import Row, open_sheet
from tests.connectors.files.export import DEALS, HISTORY, Export, changes, deals

STAGE_HEADER = "stage,position,is_closed,is_won"


def rows_of(path: Path) -> list[Row]:
    return list(open_sheet("stages", path, {}).rows())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_a_csv_of_any_dialect_is_read(
    tmp_path: Path, delimiter: str, line_end: str, encoding: str
) -> None:
    text = f"{STAGE_HEADER}\nPrüfung € groß,0,no,no\nWon,1,yes,yes\n"
    path = tmp_path / "stages.csv"
    path.write_bytes(text.replace(",", delimiter).replace("\n", line_end).encode(encoding))
    sheet = open_sheet("stages", path, {})
    assert [row.cells[0] for row in sheet.rows()] == ["Prüfung € groß", "Won"]
    assert (sheet.warning is not None) == (encoding in ("cp1252", "utf-16-le", "utf-16-be"))


def test_bytes_that_windows_never_used_are_latin_1(tmp_path: Path) -> None:
    path = tmp_path / "stages.csv"
    path.write_bytes(f"{STAGE_HEADER}\nGro\xdf \x81,0,no,no\n".encode("latin-1"))
    sheet = open_sheet("stages", path, {})
    assert sheet.warning == "not UTF-8; read as Latin-1"
    assert next(sheet.rows()).cells[0] == "Groß \x81"


def test_line_numbers_count_across_quoted_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "stages.csv"
    path.write_text(f'{STAGE_HEADER}\n"One\nand more",0,no,no\n\n\nTwo,1,no,no\n')
    assert [(row.line, row.cells[0]) for row in rows_of(path)] == [(2, "One\nand more"), (6, "Two")]


def test_a_stray_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    path = tmp_path / "stages.csv"
    path.write_text(f'{STAGE_HEADER}\n"One,0,no,no\nTwo,1,no,no\n"Three",2,no,no\n')
    rows = rows_of(path)
    assert [(row.line, row.fault is None) for row in rows] == [(2, False), (3, True), (4, True)]
    assert [row.cells[0] for row in rows[1:]] == ["Two", "Three"]


def test_a_quote_that_never_closes_in_a_long_file_is_found_in_time(tmp_path: Path) -> None:
    good = "".join(f"S{number},{number},no,no\n" for number in range(30_000))
    path = tmp_path / "stages.csv"
    path.write_text(f'{STAGE_HEADER}\n"open,0,no,no\n{good}')
    rows = rows_of(path)
    assert len(rows) == 30_001
    assert [row.line for row in rows if row.fault] == [2]


def test_a_hint_for_spreadsheets_and_empty_lines_may_stand_before_the_header(
    tmp_path: Path,
) -> None:
    path = tmp_path / "stages.csv"
    path.write_text("\n\nsep=;\n" + f"{STAGE_HEADER}\nOne,0,no,no\n".replace(",", ";"))
    assert [(row.line, row.cells[0]) for row in rows_of(path)] == [(5, "One")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xff\xfe\x41", "breaks off"),
        (b"PK\x03\x04rest", "save it as CSV"),
        (b"\xd0\xcf\x11\xe0rest", "save it as CSV"),
        (gzip.compress(b"stage", mtime=0), "unpack it"),
        (b"PAR1 and no more", "no Parquet file"),
        (b"colour,taste\nred,sweet\n", "no column for stage"),
        (b"stage,position,is_closed\nOne,0,no\n", "no column for is_won"),
        (b'"stage,position\nOne,0\n', "no column for stage"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_error(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "stages.csv"
    path.write_bytes(content)
    with pytest.raises(FileError, match=message) as caught:
        open_sheet("stages", path, {})
    assert caught.value.option == "stages"


def test_a_file_that_is_not_there_names_its_option(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file") as caught:
        open_sheet("people", tmp_path / "people.csv", {})
    assert caught.value.option == "people"
    with pytest.raises(FileError, match="directory"):
        open_sheet("people", tmp_path, {})


def test_a_missing_column_is_told_with_the_names_it_could_have(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("Ref,Phase\n1,Proposal\n")
    with pytest.raises(FileError) as caught:
        open_sheet("deals", path, {})
    message = str(caught.value)
    assert "OpportunityId" in message
    assert "Ref, Phase" in message
    assert "--mapping" in message


def test_parquet_says_the_same_as_csv(export: Export) -> None:
    from_csv = export.open()
    frame = pl.read_csv(DEALS.encode()).with_columns(
        created_at=pl.Series([datetime(2026, 1, 5, 9, tzinfo=UTC)]),
        close_date=pl.Series([date(2026, 6, 30)]),
        amount=pl.Series([1000.0]),
        tags=pl.Series([["a", "b"]]),
    )
    frame.write_parquet(export.directory / "deals.parquet")
    history = pl.read_csv(HISTORY.encode(), try_parse_dates=True)
    history.write_parquet(export.directory / "history.parquet")
    export.paths["deals"] = export.directory / "deals.parquet"
    export.paths["history"] = export.directory / "history.parquet"
    from_parquet = export.open()
    assert not from_parquet.problems
    assert deals(from_parquet) == deals(from_csv)
    assert [(c.field, c.at, c.old, c.new) for c in changes(from_parquet)] == [
        (c.field, c.at, c.old, c.new) for c in changes(from_csv)
    ]


def test_a_nan_in_parquet_is_refused_by_the_number_of_its_row(export: Export) -> None:
    frame = pl.read_csv((DEALS + DEALS.splitlines()[1].replace("D1", "D2")).encode())
    frame = frame.with_columns(amount=pl.Series([float("nan"), 5.0]))
    frame.write_parquet(export.directory / "deals.parquet")
    export.paths["deals"] = export.directory / "deals.parquet"
    export.write("history", HISTORY.replace("D1", "D2"))
    [problem] = export.open().problems
    assert (problem.line, problem.column, problem.value) == (1, "amount", "NaN")


cell = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\x00", exclude_categories=["Cs"]),
    max_size=12,
)


@given(st.lists(st.tuples(cell, cell), max_size=8))
def test_whatever_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("law") / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["person_id", "name"])
        writer.writerows(pairs)
    expected = [list(pair) for pair in pairs if any(text.strip() for text in pair)]
    rows = list(open_sheet("people", path, {}).rows())
    assert [list(row.cells) for row in rows] == expected
    assert all(row.fault is None for row in rows)
