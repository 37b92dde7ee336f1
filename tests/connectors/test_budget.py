"""The call budget: a share for Forestage, a rest for others, and never one call too many."""

import threading

import pytest

from connectors.budget import PAUSE_S, USED_UP, Budget
from connectors.errors import Fatal, Retry


def calls_until_refused(budget: Budget, *, at_most: int = 1000) -> int:
    for made in range(at_most):
        try:
            budget.take()
        except Retry:
            return made
    return at_most


def test_before_the_crm_has_told_its_limit_calls_are_counted_and_allowed() -> None:
    budget = Budget(0.25)
    assert budget.allowed is None
    assert calls_until_refused(budget, at_most=50) == 50
    assert budget.made == 50


def test_its_share_of_the_day_and_no_call_more_is_forestages() -> None:
    budget = Budget(0.25)
    budget.told(0, 100)
    assert budget.allowed == 25
    assert calls_until_refused(budget) == 25
    assert budget.made == 25


def test_a_refusal_says_how_long_to_wait_and_whose_setting_it_is() -> None:
    budget = Budget(0.25, spent=25)
    budget.told(30, 100)
    with pytest.raises(Retry, match=r"25 of 100 x 0\.25 \(call_share\)") as refused:
        budget.take()
    assert (refused.value.code, refused.value.after) == (USED_UP, PAUSE_S)


def test_what_earlier_processes_spent_counts() -> None:
    budget = Budget(0.25, spent=20)
    budget.told(20, 100)
    assert calls_until_refused(budget) == 5


def test_the_last_tenth_is_left_to_other_programs_whoever_used_the_rest() -> None:
    budget = Budget(1.0)
    budget.told(85, 100)
    assert calls_until_refused(budget) == 5
    budget.told(60, 100)
    assert calls_until_refused(budget) == 30


def test_threads_together_make_no_call_too_many() -> None:
    budget = Budget(0.5)
    budget.told(0, 400)
    made: list[int] = []

    def work() -> None:
        made.append(calls_until_refused(budget))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(made) == 200


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5])
def test_a_share_outside_the_day_is_refused(share: float) -> None:
    with pytest.raises(Fatal, match="call_share"):
        Budget(share)
