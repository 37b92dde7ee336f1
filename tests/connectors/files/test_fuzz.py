"""Whatever happens to a file on its way: rows are read or told, and nothing else breaks."""

from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.files import KINDS, FileError, FilesReader
from tests.connectors.files.export import Export, changes, deals

TWENTY = Path(__file__).parents[2] / "data" / "import" / "twenty"
FILES = {kind: (TWENTY / f"{kind}.csv").read_bytes() for kind in KINDS}
HURT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

junk = st.one_of(
    st.binary(min_size=1, max_size=6),
    st.sampled_from([b'"', b"\n", b",", b";", b"\x00", b"\xff", b"\r", b"=1+1", b"NaN", b"\t"]),
)
wounds = st.lists(
    st.tuples(st.sampled_from(KINDS), st.floats(0, 1), st.integers(0, 30), junk),
    min_size=1,
    max_size=12,
)


@HURT
@given(wounds)
def test_a_hurt_export_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, hurts: list[tuple[str, float, int, bytes]]
) -> None:
    files = dict(FILES)
    for kind, where, gone, put in hurts:
        at = int(where * len(files[kind]))
        files[kind] = files[kind][:at] + put + files[kind][at + gone :]
    export = Export(tmp_path_factory.mktemp("hurt"))
    for kind, data in files.items():
        export.write(kind, data)
    told: str | None = None
    try:
        reader = export.open()
    except FileError as error:
        told = error.option
    else:
        _is_sound(reader)
    assert told in (None, *KINDS, "date-order")


def _is_sound(reader: FilesReader) -> None:
    for deal in deals(reader).values():
        assert deal.created_at.tzinfo is UTC
        assert 0 < len(deal.crm_id) <= 64
        assert "\x00" not in f"{deal.name}{deal.stage_crm_id}{deal.pipeline_crm_id}"
    seen = {(c.deal_crm_id, c.field, c.at, c.source_ref) for c in changes(reader)}
    assert len(seen) == len(changes(reader))
    assert all(problem.reason for problem in reader.problems)


@HURT
@given(st.binary(max_size=300), st.sampled_from(KINDS))
def test_bytes_of_any_kind_are_one_clear_error_or_a_file(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, kind: str
) -> None:
    export = Export(tmp_path_factory.mktemp("any"))
    for other, good in FILES.items():
        export.write(other, data if other == kind else good)
    with pytest.raises(FileError) as caught:
        export.open()
    assert caught.value.option == kind
