"""When connections are opened ahead: at once where one sidecar begins, by chance where all do."""

from hypothesis import given
from hypothesis import strategies as st

from proxy.exchange.warmth import LONGEST_REST_S, SPREAD_S, Warmth


def warmth(luck: float = 0.5) -> Warmth:
    return Warmth(lambda: luck)


def test_what_was_never_there_is_opened_at_once() -> None:
    assert warmth(1.0).is_due(100.0, lacks=True)


def test_nothing_is_opened_where_nothing_lacks() -> None:
    assert not warmth().is_due(100.0, lacks=False)


@given(st.floats(0.01, 1))
def test_what_a_vendor_closed_for_all_at_once_comes_back_at_a_moment_by_chance(
    luck: float,
) -> None:
    one = warmth(luck)
    one.opened(were_lost=True)
    assert not one.is_due(100.0, lacks=True)
    assert not one.is_due(100.0 + luck * SPREAD_S * 0.99, lacks=True)
    assert one.is_due(100.0 + luck * SPREAD_S * 1.01, lacks=True)


def test_what_only_grew_old_is_replaced_without_chance() -> None:
    one = warmth(1.0)
    one.opened(were_lost=True)
    assert one.is_due(100.0, lacks=True, at_once=True)


def rests(one: Warmth, now: float) -> float:
    """Seconds until it is due."""
    assert not one.is_due(now, lacks=True)
    waited = 0.0
    while not one.is_due(now + waited, lacks=True):
        waited += 0.25
    return waited


def test_a_vendor_that_lets_nobody_connect_is_tried_less_and_less() -> None:
    one, now, rested = warmth(), 100.0, list[float]()
    for _ in range(12):
        one.failed(now)
        rested.append(rests(one, now))
        now += rested[-1]
    assert rested == sorted(rested)
    assert rested[0] < rested[3] < rested[6]
    assert LONGEST_REST_S / 2 <= rested[-1] <= LONGEST_REST_S


def test_a_vendor_that_closes_what_nobody_uses_is_offered_less_and_less() -> None:
    one, rested = warmth(), list[float]()
    for round_number in range(6):
        one.opened(were_lost=True)
        rested.append(rests(one, 1000.0 * round_number))
    assert rested[1:] == sorted(rested[1:])
    assert rested[-1] > 4 * rested[1]


def test_an_exchange_shows_that_they_are_wanted() -> None:
    one = warmth()
    for _ in range(8):
        one.opened(were_lost=True)
    assert not one.is_due(100.0, lacks=True)
    one.used()
    assert rests(one, 100.0) <= SPREAD_S


def test_exchanges_do_not_bring_back_those_whom_a_vendor_does_not_let_connect() -> None:
    one, now, rested = warmth(), 100.0, list[float]()
    for _ in range(8):
        one.failed(now)
        one.used()
        rested.append(rests(one, now))
        now += rested[-1]
    assert rested[-1] > 16 * rested[0]
    one.opened(were_lost=False)
    assert rests(one, now) <= SPREAD_S


def test_renewing_by_age_is_not_in_vain() -> None:
    one = warmth()
    for _ in range(50):
        one.opened(were_lost=False)
    assert rests(one, 100.0) <= SPREAD_S
