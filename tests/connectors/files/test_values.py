from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.files import values
from connectors.files.problems import BadCell
from connectors.files.values import DecimalMark


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("15000", None, 150_000_000),
        ("15000.0", None, 150_000_000),
        ("1,234.56", None, 12_345_600),
        ("1.234,56", None, 12_345_600),
        ("1 234,56", None, 12_345_600),
        ("1\u202f234,56 €", None, 12_345_600),
        ("1'234.50", None, 12_345_000),
        ("$15,000", None, 150_000_000),
        ("1,234", None, 12_340_000),  # nothing says otherwise: a group
        ("1,234", ",", 12_340),
        ("1.234", None, 12_340),  # nothing says otherwise: a fraction
        ("1.234", ",", 12_340_000),
        ("1,234,567", None, 12_345_670_000),
        ("1.234.567", None, 12_345_670_000),
        ("1.234.567,8", None, 12_345_678_000),
        ("12,34,567.80", None, 12_345_678_000),  # as India groups
        ("0,5", None, 5_000),
        ("0.125", ",", 1_250),
        (".5", None, 5_000),
        ("-42.10", None, -421_000),
        ("(1,250.50)", None, -12_505_000),
        ("+7", None, 70_000),
        ("1.5E+05", None, 1_500_000_000),
        ("1,5e3", None, 15_000_000),
        ("0.00005", None, 0),  # half of the smallest amount goes to the even one
        ("0.00015", None, 2),
    ],
)
def test_an_amount_of_any_usual_form_is_read(
    text: str, mark: DecimalMark | None, expected: int
) -> None:
    assert values.money(text, mark) == (expected, None)


@pytest.mark.parametrize(
    ("text", "code"), [("USD 15,000", "USD"), ("15000EUR", "EUR"), ("CHF15'000.00", "CHF")]
)
def test_a_currency_code_beside_an_amount_is_kept(text: str, code: str) -> None:
    assert values.money(text, None) == (150_000_000, code)


@pytest.mark.parametrize(
    "text",
    ["NaN", "inf", "-Infinity", "a lot", "1.2.3", "12,34,5", "1.5,000,00", "1,2345.6", "--5", "5-",
     "99999999999999999999", "1e400", "ten EUR", "EUR", "$", "12 % off", ",", "1.000,00.0"],
)  # fmt: skip
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadCell) as caught:
        values.money(text, None)
    assert caught.value.kind == "amount"


@given(st.decimals(-(10**13), 10**13, places=2), st.booleans())
def test_an_amount_written_with_groups_is_read_back(amount: Decimal, european: bool) -> None:
    written = f"{amount:,.2f}"
    if european:
        written = written.translate(str.maketrans(",.", ".,"))
    assert values.money(written, None).amount == int(amount * 10_000)


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1.234,50", "1.234"], ","),
        (["1,234.50", "1,234"], "."),
        (["1.234.567"], ","),
        (["1,234,567"], "."),
        (["12,5"], ","),
        (["1.234", "1,234"], None),
        (["12,5", "12.5"], None),
        (["abc", ""], None),
    ],
)
def test_the_decimal_mark_is_what_the_column_gives_away(
    texts: list[str], mark: DecimalMark | None
) -> None:
    assert values.weigh_decimal_mark(texts) == mark


def test_yes_and_no_have_many_words_and_nothing_else_has() -> None:
    assert [values.truth(text) for text in ("TRUE", "1", "Yes", "y", "t")] == [True] * 5
    assert [values.truth(text) for text in ("false", "0", "No", "n", "F")] == [False] * 5
    with pytest.raises(BadCell):
        values.truth("perhaps")


def test_a_short_salesforce_id_becomes_the_full_one() -> None:
    assert values.crm_id("006bm00000LKJNN") == "006bm00000LKJNNAA5"
    assert values.crm_id("006bm00000LKJNa") == "006bm00000LKJNaAAP"
    assert values.crm_id("005bm00000NCJmQ") == "005bm00000NCJmQAAX"


@pytest.mark.parametrize("text", ["006bm00000LKJNNAA5", "1244495215", "123456789012345", "deal 1"])
def test_any_other_id_stays_as_it_is(text: str) -> None:
    assert values.crm_id(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("BestCase", "best_case"), ("Best Case", "best_case"), ("Forecast", "commit"),
     ("OMIT", "omitted"), ("MOST_LIKELY", "most_likely"), ("Upside", None)],
)  # fmt: skip
def test_forecast_categories_of_both_crms_are_known(text: str, expected: str | None) -> None:
    assert values.forecast(text) == expected


def test_a_source_that_says_nothing_is_unknown() -> None:
    told = ("CRM_UI", "WORKFLOWS", "IMPORT", "INTEGRATION", "CALCULATED", "BATCH_UPDATE")
    expected = ["user", "workflow", "import", "api", "system", "unknown"]
    assert [values.source(text) for text in told] == expected
