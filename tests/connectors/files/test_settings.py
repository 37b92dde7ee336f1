from pathlib import Path

import pytest

from connectors.files import FileError, load_settings
from tests.connectors.files.export import Export, changes, deals

MAPPING = """\
[options]
time_zone = "Europe/Berlin"
date_order = "dmy"
decimal_mark = ","
fiscal_start_month = 4
home_currency = "EUR"

[deals]
deal_id = "Ref"
stage = "Phase"
close_date = "Fällig"
created_at = "Angelegt"
amount = "Wert"
forecast_category = "Einschätzung"

[history]
deal_id = "Ref"
stage = "Phase"
changed_at = "Wann"

[forecast_categories]
Sicher = "commit"
"""


def test_a_mapping_names_columns_and_values_that_nobody_else_has(export: Export) -> None:
    export.write(
        "deals",
        "Ref;Phase;Fällig;Angelegt;Wert;Einschätzung\n"
        "A1;Proposal;03/04/26;02/02/26 09:00;1.234;Sicher\n",
    )
    export.write(
        "history", "Ref;Phase;Wann\nA1;Prospecting;02/02/26 09:00\nA1;Proposal;05/02/26 10:30\n"
    )
    mapping = export.directory / "mapping.toml"
    mapping.write_text(MAPPING, encoding="utf-8")

    reader = export.open(load_settings(mapping))

    assert not reader.problems
    deal = deals(reader)["A1"]
    assert (str(deal.close_on), deal.amount, deal.forecast) == ("2026-04-03", 12_340_000, "commit")
    assert [change.at.isoformat() for change in changes(reader, "stage")] == [
        "2026-02-02T08:00:00+00:00",
        "2026-02-05T09:30:00+00:00",
    ]
    account = reader.account()
    assert (account.time_zone, account.fiscal_year_start_month, account.home_currency) == (
        "Europe/Berlin",
        4,
        "EUR",
    )


def test_what_is_stated_beside_a_mapping_wins(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    chosen = load_settings(mapping, time_zone="America/New_York", date_order="mdy")
    assert (chosen.time_zone.key, chosen.date_order) == ("America/New_York", "mdy")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[deal]\nstage = 'x'", "'deal' is not among.*nearest: deals"),
        ("[deals]\nstge = 'x'", r"'stge' is not among .*\[deals\] \(nearest: stage\)"),
        ("[options]\ntimezone = 'UTC'", "nearest: time_zone"),
        ("[deals]\nstage = 3", "column name in quotes"),
        ("stage = 'x'", "outside of a table"),
        ("[deals\n", "no TOML"),
        ("[options]\ndecimal_mark = ';'", "neither"),
        ("[options]\nfiscal_start_month = 13", "1 to 12"),
        ("[forecast_categories]\nUpside = 'best'", "nearest: best_case"),
    ],
)
def test_a_wrong_mapping_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(text)
    with pytest.raises(FileError, match=message) as caught:
        load_settings(mapping)
    assert caught.value.option == "mapping"


def test_a_column_that_a_mapping_names_must_be_there(export: Export) -> None:
    mapping = export.directory / "mapping.toml"
    mapping.write_text("[deals]\nstage = 'Phase'\n")
    with pytest.raises(FileError, match="no column 'Phase'; it has deal_id") as caught:
        export.open(load_settings(mapping))
    assert caught.value.option == "mapping"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../etc/passwd", "UTC+1"])
def test_a_time_zone_must_be_an_iana_name(zone: str) -> None:
    with pytest.raises(FileError) as caught:
        load_settings(time_zone=zone or " ")
    assert caught.value.option == "time-zone"
