"""How long to wait before asking again, and whether there is time to. Pure.

The wait is anything from nothing to a bound that doubles ("full jitter"), so that those who failed
together do not come back together.
"""

from config import settings

USEFUL_S = 0.05
"""A retry with less time than this would only be cut off, and the vendor asked for nothing."""


def backoff_s(retry: int, luck: float, setting: settings.Retry) -> float:
    """Seconds before the `retry`th retry, counted from 1; `luck` is from 0 to 1."""
    bound = setting.first_backoff * 2.0 ** min(retry - 1, 16)
    return luck * min(bound, setting.longest_backoff)


def is_worth_it(wait_s: float, remaining_s: float) -> bool:
    """Whether enough of a budget is left after the wait."""
    return remaining_s - wait_s >= USEFUL_S
