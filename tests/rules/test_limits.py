"""Limits are checked where they are set, and say what to write instead."""

from typing import Any

import polars as pl
import pytest

from rules.deal import close_date_slippage
from rules.limits import LimitError, Limits

SLUG = "close-date-slippage"


def value(limits: Limits, name: str) -> Any:
    bound = limits.bind(SLUG, close_date_slippage.Limits)
    return pl.select(getattr(bound, name)).item()


def test_nothing_overridden_is_all_defaults() -> None:
    assert value(Limits.load({}), "big_push_days") == 21


def test_an_override_counts_for_its_limit_alone() -> None:
    limits = Limits.load({SLUG: {"big_push_days": 30}})
    assert value(limits, "big_push_days") == 30
    assert value(limits, "warn_pushes") == 2
    assert limits.overrides == {SLUG: {"big_push_days": 30}}


@pytest.mark.parametrize(
    ("overrides", "field", "message"),
    [
        ({"close-date-slipage": {}}, "close-date-slipage", "'close-date-slippage'"),
        ({SLUG: {"big_push_day": 30}}, f"{SLUG}.big_push_day", "'big_push_days'"),
        ({SLUG: {"big_push_days": "30"}}, f"{SLUG}.big_push_days", "a whole number"),
        ({SLUG: {"big_push_days": 30.5}}, f"{SLUG}.big_push_days", "a whole number"),
        ({SLUG: {"big_push_days": True}}, f"{SLUG}.big_push_days", "a whole number"),
        ({SLUG: {"big_push_days": 6}}, f"{SLUG}.big_push_days", "at least 7"),
        ({SLUG: {"big_push_days": 91}}, f"{SLUG}.big_push_days", "at most 90"),
        ({SLUG: 30}, SLUG, "a table of limits"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    overrides: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(LimitError, match=message) as refused:
        Limits.load(overrides)
    assert refused.value.field == field


@pytest.mark.parametrize("at_the_edge", [7, 90])
def test_floor_and_ceiling_themselves_are_allowed(at_the_edge: int) -> None:
    limits = Limits.load({SLUG: {"big_push_days": at_the_edge}})
    assert value(limits, "big_push_days") == at_the_edge


def test_a_limit_that_a_rule_does_not_have_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no_such"):
        value(Limits.load({}), "no_such")
