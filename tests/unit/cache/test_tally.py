"""`Cache-Status`, as RFC 9211 has it."""

import pytest

from proxy.cache.tally import Tally, cache_status


def tally(**counts: int) -> Tally:
    return Tally(**counts)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (tally(hits=1, fresh_for_ms=21_999), "hit; ttl=21"),
        (tally(hits=1, fresh_for_ms=0), "hit; ttl=0"),
        (tally(misses=1), "fwd=uri-miss"),
        (tally(misses=1, outdated=1), "fwd=stale"),
        (tally(misses=1, outdated=1, stale=1), 'fwd=stale; detail="served-stale"'),
        (tally(misses=1, bypassed=1), "fwd=bypass"),
        (tally(misses=1, unopenable=1), 'fwd=uri-miss; detail="unopenable"'),
    ],
)
def test_one_customer(made: Tally, said: str) -> None:
    assert cache_status(made, is_batch=False) == f"bss-sidecar; {said}"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (tally(hits=3, fresh_for_ms=4_200), 'hit; ttl=4; detail="hits=3,misses=0"'),
        (tally(hits=180, misses=20), 'fwd=partial; detail="hits=180,misses=20"'),
        (tally(misses=20), 'fwd=uri-miss; detail="hits=0,misses=20"'),
        (tally(misses=2, bypassed=2), 'fwd=bypass; detail="hits=0,misses=2,bypassed=2"'),
        (
            tally(hits=5, negative=1, misses=4, outdated=2, stale=2, unopenable=1),
            'fwd=partial; detail="hits=5,misses=4,negative=1,stale=2,unopenable=1"',
        ),
    ],
)
def test_a_batch_tells_its_counts(made: Tally, said: str) -> None:
    assert cache_status(made, is_batch=True) == f"bss-sidecar; {said}"


def test_a_cache_that_was_not_asked_says_nothing() -> None:
    assert cache_status(Tally(), is_batch=True) == ""
    assert cache_status(Tally(), is_batch=False) == ""


def test_a_batch_is_fresh_for_as_long_as_the_first_of_its_hits() -> None:
    made = Tally()
    made.hit(fresh_for_ms=9_000, negative=False)
    made.hit(fresh_for_ms=5_000, negative=True)
    made.hit(fresh_for_ms=7_000, negative=False)
    assert (made.hits, made.negative, made.fresh_for_ms) == (3, 1, 5_000)
