import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import settings
from proxy.guard.backoff import USEFUL_S, backoff_s, is_worth_it

SETTING = settings.Retry.model_validate({"first_backoff": "25ms", "longest_backoff": "250ms"})


def test_the_bound_of_the_wait_doubles_up_to_the_longest() -> None:
    waits = [backoff_s(retry, 1.0, SETTING) for retry in range(1, 7)]
    assert waits == pytest.approx([0.025, 0.05, 0.1, 0.2, 0.25, 0.25])


@given(st.integers(1, 100_000), st.floats(0, 1))
def test_the_wait_is_anything_from_nothing_to_its_bound(retry: int, luck: float) -> None:
    assert backoff_s(retry, 0.0, SETTING) == 0.0
    assert backoff_s(retry, luck, SETTING) == pytest.approx(luck * backoff_s(retry, 1, SETTING))
    assert backoff_s(retry, luck, SETTING) <= SETTING.longest_backoff


@pytest.mark.parametrize(
    ("wait_s", "remaining_s", "worth_it"),
    [
        (0.0, USEFUL_S, True),
        (0.0, USEFUL_S * 0.99, False),
        (0.1, USEFUL_S, False),
        (0.1, 0.1 + 2 * USEFUL_S, True),
        (0.0, 0.0, False),
    ],
)
def test_a_retry_needs_some_of_the_budget_after_its_wait(
    wait_s: float,
    remaining_s: float,
    worth_it: bool,  # noqa: FBT001
) -> None:
    assert is_worth_it(wait_s, remaining_s) is worth_it
