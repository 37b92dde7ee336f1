"""One export file as numbered rows: CSV of any dialect, or Parquet.

The standard library's csv reads the text, not Polars: it numbers lines across quoted line
breaks, keeps ragged rows, and goes on after a stray quote, so that every bad row can be
told with its place.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import polars as pl

from connectors.files.columns import COLUMNS, REQUIRED, index_columns
from connectors.files.problems import FileError
from connectors.files.text import decode

_DELIMITERS = (",", ";", "\t", "|")
_SPREADSHEET, _OLD_SPREADSHEET, _GZIP = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b"


class Row(NamedTuple):
    """A row as it stands in the file. `fault` says why it could not be split into cells."""

    line: int
    cells: Sequence[str]
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file whose columns are understood. `rows()` starts anew at each call."""

    kind: str
    path: Path
    headers: Sequence[str]
    index: Mapping[str, int]
    rows: Callable[[], Iterator[Row]]
    warning: str | None = None

    def texts(self, columns: Iterable[str]) -> Mapping[str, Iterable[str]]:
        """What stands in these columns, trimmed and each once, by one reading of the file."""
        found: dict[str, dict[str, None]] = {name: {} for name in columns}
        places = [(self.index[name], found[name]) for name in found if name in self.index]
        for row in self.rows() if places else ():
            for place, texts in places:
                if len(row.cells) > place:
                    texts[row.cells[place].strip()] = None
        return found


def open_sheet(kind: str, path: Path, chosen: Mapping[str, str]) -> Sheet:
    """Open an export. `chosen`: our name -> their header. Raises FileError naming `kind`."""
    data = _read(kind, path)
    if data.startswith(b"PAR1"):
        return _parquet(kind, path, chosen)
    for magic, advice in (
        (_SPREADSHEET, "is a spreadsheet or an archive; save it as CSV"),
        (_OLD_SPREADSHEET, "is a spreadsheet; save it as CSV"),
        (_GZIP, "is compressed; unpack it first"),
    ):
        if data.startswith(magic):
            raise FileError(kind, f"{path.name} {advice}")
    try:
        text, warning = decode(data)
    except UnicodeDecodeError as error:
        raise FileError(
            kind, f"{path.name}: its text breaks off at byte {error.start:,}"
        ) from error
    return _csv(kind, path, text, chosen=chosen, warning=warning)


def _read(kind: str, path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(kind, f"{path}: {error.strerror}") from error
    if not data.strip():
        raise FileError(kind, f"{path.name} is empty")
    return data


def _csv(
    kind: str, path: Path, text: str, *, chosen: Mapping[str, str], warning: str | None
) -> Sheet:
    lines = [f"{line}\n" for line in _unix(text).split("\n")]
    start = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if lines[start].lower().startswith("sep="):  # a hint for spreadsheets
        start += 1
    best: tuple[Sequence[str], Mapping[str, int], int] = ((), {}, start)
    delimiter = ","
    for candidate in _DELIMITERS:
        first = next(_split(lines, start, candidate), Row(1, ()))
        headers = [cell.strip() for cell in first.cells]
        index = _index(kind, path, headers, chosen, strict=False)
        if len(index) > len(best[1]) or (not best[1] and len(headers) > len(best[0])):
            best = (headers, index, start)
            delimiter = candidate
    headers = list(best[0])
    index = _index(kind, path, headers, chosen, strict=True)

    def rows() -> Iterator[Row]:
        for row in list_after_header():
            if row.fault or any(cell.strip() for cell in row.cells):
                yield row

    def list_after_header() -> Iterator[Row]:
        split = _split(lines, start, delimiter)
        next(split)
        return split

    return Sheet(kind=kind, path=path, headers=headers, index=index, rows=rows, warning=warning)


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Lines:
    """Lines that can be taken up again at an earlier place."""

    def __init__(self, lines: Sequence[str], at: int) -> None:
        self._lines = lines
        self.at = at

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.at >= len(self._lines):
            raise StopIteration
        self.at += 1
        return self._lines[self.at - 1]


def _split(lines: Sequence[str], start: int, delimiter: str) -> Iterator[Row]:
    source = _Lines(lines, start)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        first = source.at
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # A quote that never closes swallows good rows: go on with the very next line.
            source.at = first + 1
            yield Row(first + 1, (lines[first].rstrip("\n"),), f"its quotes don't match: {error}")
            continue
        if cells:
            yield Row(first + 1, cells)


def _parquet(kind: str, path: Path, chosen: Mapping[str, str]) -> Sheet:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FileError(kind, f"{path.name} is no Parquet file: {error}") from error
    headers = frame.columns
    index = _index(kind, path, headers, chosen, strict=True)
    used = sorted(set(index.values()))
    texts = frame.select(_as_text(frame, headers[place]) for place in used)
    index = {name: used.index(place) for name, place in index.items()}
    headers = [headers[place] for place in used]

    def rows() -> Iterator[Row]:
        for line, cells in enumerate(texts.iter_rows(), 1):
            yield Row(line, cells)

    return Sheet(kind=kind, path=path, headers=headers, index=index, rows=rows)


def _as_text(frame: pl.DataFrame, name: str) -> pl.Expr:
    dtype = frame.schema[name]
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        zone = "" if dtype.time_zone is None else "Z"
        if zone:
            column = column.dt.convert_time_zone("UTC")
        return column.dt.strftime(f"%Y-%m-%dT%H:%M:%S%.6f{zone}").fill_null("")
    if dtype.is_nested() or dtype == pl.Binary:
        return pl.lit("").alias(name)
    return column.cast(pl.String).fill_null("")


def _index(
    kind: str, path: Path, headers: Sequence[str], chosen: Mapping[str, str], *, strict: bool
) -> Mapping[str, int]:
    try:
        index = index_columns(kind, headers, chosen)
    except KeyError as error:
        if not strict:
            return {}
        shown = ", ".join(headers)
        raise FileError(
            "mapping", f"[{kind}]: {path.name} has no column {error.args[0]!r}; it has {shown}"
        ) from error
    if not strict:
        return index
    for name in REQUIRED[kind]:
        if not any(either in index for either in name.split("|")):
            raise FileError(kind, _missing(kind, path, name, headers))
    return index


def _missing(kind: str, path: Path, name: str, headers: Sequence[str]) -> str:
    wanted = " or ".join(name.split("|"))
    known = ", ".join(alias for either in name.split("|") for alias in COLUMNS[kind][either])
    return (
        f"{path.name} has no column for {wanted} (understood: {known}); "
        f"its header is: {', '.join(headers) or 'empty'}. Name it with --mapping"
    )
