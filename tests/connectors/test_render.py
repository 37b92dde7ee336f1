import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.render import ELLIPSIS, csv_cell, cut, html_text, markdown, one_line, plain, units


def test_text_is_cut_on_a_word_with_an_ellipsis() -> None:
    assert cut("The close date moved out four times", 24) == "The close date moved" + ELLIPSIS
    assert cut("fits", 4) == "fits"
    assert cut("The close date", 10) == "The close" + ELLIPSIS


def test_a_long_word_is_cut_where_the_limit_falls() -> None:
    assert cut("abcdefghij", 5) == "abcd" + ELLIPSIS


def test_an_emoji_counts_as_two_and_is_never_halved() -> None:
    assert cut("\U0001f600\U0001f600\U0001f600", 5) == "\U0001f600\U0001f600" + ELLIPSIS
    assert units("\U0001f600a") == 3


@given(st.text(max_size=80), st.integers(0, 40))
def test_cut_text_keeps_its_limit_and_its_beginning(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert units(short) <= limit
    assert short == text or text.startswith(short.removesuffix(ELLIPSIS))


@given(st.text(max_size=80))
def test_plain_text_is_stable_and_can_be_encoded(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    plain(text).encode()


def test_control_characters_go_and_line_feeds_are_single() -> None:
    assert plain("a\x00b\r\nc\rd\ud800 ") == "ab\nc\nd"
    assert one_line(" a\n\n b\tc ") == "a b c"


def test_html_is_escaped_for_content_and_attributes() -> None:
    assert html_text("<b>\"A\" & 'B'</b>\nC") == (
        "&lt;b&gt;&quot;A&quot; &amp; &#x27;B&#x27;&lt;/b&gt;<br>C"
    )


def test_markdown_shows_text_as_it_is() -> None:
    assert markdown("# [x](javascript:1) *b*\n- c") == (r"\# \[x\]\(javascript:1\) \*b\* \- c")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_a_csv_cell_is_never_a_formula(text: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerow([csv_cell(text)])
    assert next(csv.reader(io.StringIO(written.getvalue(), newline="")))[0] == f"'{text}"


def test_an_ordinary_csv_cell_is_left_alone() -> None:
    assert csv_cell("Acme, 100 seats") == "Acme, 100 seats"
