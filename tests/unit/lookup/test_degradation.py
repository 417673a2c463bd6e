import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import Billing, Found, Lookup, Missing, Reason, Unavailable
from proxy.lookup.degradation import degradation

LIVE = Found(Billing())

lookups = st.lists(
    st.one_of(
        st.builds(Found, st.just(Billing()), st.booleans()),
        st.builds(Missing, st.booleans()),
        st.builds(
            Unavailable, st.sampled_from(Reason), st.none() | st.floats(0, 1e9, allow_nan=False)
        ),
    ),
    max_size=30,
)


def test_live_answers_are_not_degraded() -> None:
    assert degradation([LIVE, Missing()]) is None
    assert degradation([]) is None


def test_the_most_frequent_reason_is_told_with_the_number_of_customers() -> None:
    slow, full = Unavailable(Reason.DEADLINE), Unavailable(Reason.OVERLOAD)
    told = degradation([LIVE, slow, full, slow])
    assert told is not None
    assert told.header == "deadline;unavailable=3"


def test_of_reasons_equally_frequent_the_first_of_the_closed_list_is_told() -> None:
    auth, limited = Unavailable(Reason.AUTH), Unavailable(Reason.RATE_LIMITED)
    told = degradation([auth, limited])
    assert told is not None
    assert told.reason is Reason.RATE_LIMITED


def test_stale_answers_alone_leave_nobody_unavailable() -> None:
    told = degradation([LIVE, Missing(stale=True)])
    assert told is not None
    assert told.header == "stale;unavailable=0"


def test_an_unavailable_customer_outweighs_any_number_of_stale_ones() -> None:
    told = degradation([Found(Billing(), stale=True)] * 9 + [Unavailable(Reason.TLS)])
    assert told is not None
    assert told.header == "tls;unavailable=1"


@pytest.mark.parametrize(
    ("known", "told"), [(0.0, 1), (0.2, 1), (7.1, 8), (60.0, 60), (3600.0, 60), (None, 5)]
)
def test_retry_after_is_whole_seconds_between_one_and_sixty(known: float | None, told: int) -> None:
    one = degradation([Unavailable(Reason.RATE_LIMITED, known)])
    assert one is not None
    assert one.retry_after_s == told


def test_retry_after_is_the_earliest_moment_at_which_anybody_may_be_answered() -> None:
    told = degradation([Unavailable(Reason.RATE_LIMITED, s) for s in (30.0, 4.0, None)])
    assert told is not None
    assert told.retry_after_s == 4


@given(lookups)
def test_it_is_degraded_exactly_when_something_is_not_live(those: list[Lookup[Billing]]) -> None:
    told = degradation(those)
    unavailable = sum(isinstance(one, Unavailable) for one in those)
    stale = any(not isinstance(one, Unavailable) and one.stale for one in those)
    assert (told is not None) == (unavailable > 0 or stale)
    if told is not None:
        assert told.unavailable == unavailable
        assert 1 <= told.retry_after_s <= 60
        assert (told.reason in {getattr(one, "reason", None) for one in those}) == (unavailable > 0)
