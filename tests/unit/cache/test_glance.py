"""A glance says what the longer way says, only sooner; what it does not say, that way does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.outcome import Billing, Dispute, Found, Missing
from proxy.cache.envelope import (
    Envelopes,
    Key,
    Section,
    basis_of,
    billing_section,
    dispute_section,
)
from proxy.cache.glance import Glance, glance
from proxy.cache.keys import KeyRings
from proxy.cache.rules import NO_BASIS, Entry, Known, Lives
from proxy.cache.seal import CLOCK_TOLERANCE_MS, Refused
from proxy.cache.sorting import Sorted, sort
from proxy.cache.tally import Tally
from tests.unit.cache.sealing import NOW_MS, ring
from tests.unit.cache.test_codec import BILLINGS

PLACE = ("acme_uk", "amdocs_uk")
OTHERS = basis_of("another configuration")
BILLING, DISPUTES = billing_section(*PLACE), dispute_section(*PLACE)
LIVES = Lives(ttl_ms=30_000, negative_ttl_ms=5_000, staleness_ms=60_000)
OURS, STRANGERS = KeyRings(ring(1), ring(2)), KeyRings(ring(3), ring(2))
FULL = Billing(UUID(int=7), "Fibre 900", Decimal("129.90"), "GBP")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is under one name, and how it got there."""

    known: Known[Billing] | Known[Dispute]
    age_ms: int = 100
    fresh_ms: int = 30_000
    stale_ms: int = 0
    basis: bytes = NO_BASIS
    sealed_by: KeyRings = OURS
    is_moved: bool = False
    """It lies under somebody else's name."""
    flipped: int | None = None
    """A byte that somebody changed."""


PLAIN = st.builds(Kept, known=st.builds(Found, BILLINGS))
AGES = st.integers(-CLOCK_TOLERANCE_MS - 50, 31_000) | st.sampled_from(
    [-CLOCK_TOLERANCE_MS - 1, -CLOCK_TOLERANCE_MS, 4_999, 5_000, 29_999, 30_000]
)
ANY = st.builds(
    Kept,
    known=st.builds(Found, BILLINGS) | st.builds(Missing),
    age_ms=AGES,
    fresh_ms=st.integers(1, 60_000),
    stale_ms=st.integers(-30_000, 60_000),
    basis=st.sampled_from([NO_BASIS, NO_BASIS, OTHERS]),
    sealed_by=st.sampled_from([OURS, OURS, STRANGERS]),
    is_moved=st.booleans(),
    flipped=st.none() | st.integers(0, 160),
)


class Shelf:
    """Entries of customers, one each."""

    def __init__(
        self, section: Section[Billing] | Section[Dispute], kept: Sequence[Kept | None]
    ) -> None:
        self.section = section
        self.customer_ids = [UUID(int=n) for n in range(len(kept))]
        self.envelopes = Envelopes(OURS)
        self.sealers = {rings: Envelopes(rings) for rings in (STRANGERS,)} | {OURS: self.envelopes}
        (self.names,) = self.envelopes.names.of_all(*section[:3], self.customer_ids)
        self.values = [
            None if one is None else self._value(one, customer_id)
            for one, customer_id in zip(kept, self.customer_ids, strict=True)
        ]
        self.longer(NOW_MS)  # whoever seals is known by now

    def _value(self, one: Kept, customer_id: UUID) -> bytes:
        whose = UUID(int=10**9) if one.is_moved else customer_id
        asked_at_ms = NOW_MS - one.age_ms
        fresh_until_ms = asked_at_ms + one.fresh_ms
        ends_at_ms = max(asked_at_ms + 1, fresh_until_ms + one.stale_ms)
        entry = Entry(one.known, asked_at_ms, fresh_until_ms, ends_at_ms, 20, one.basis)
        _, value = self.sealers[one.sealed_by].close(Key(*self.section[:3], whose), entry)  # type: ignore[misc]  # of either kind
        if one.flipped is not None:
            at = one.flipped % len(value)
            value = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
        return value

    def seen(
        self, *, took_ms: int = 0, luck: float = 0.5, fees_only: bool = False
    ) -> Glance[Billing]:
        section: Section[Billing] = self.section  # type: ignore[assignment]  # of either kind
        return glance(
            section,
            self.envelopes.insides(section, self.names, self.values),
            lives=LIVES,
            luck=lambda: luck,
            asked_at_ms=NOW_MS,
            now_ms=NOW_MS + took_ms,
            fees_only=fees_only,
        )

    def longer(
        self, now_ms: int, *, places: Sequence[int] | None = None, luck: float = 0.5
    ) -> Sorted[Billing]:
        """As the layer does without a glance, of those at `places`."""
        section: Section[Billing] = self.section  # type: ignore[assignment]  # of either kind
        places = range(len(self.names)) if places is None else places
        opened = self.envelopes.open_all(
            section,
            [self.names[place] for place in places],
            [self.values[place] for place in places],
            now_ms=NOW_MS,
        )
        return sort(
            [self.customer_ids[place] for place in places],
            [None if isinstance(one, Refused) else one for one in opened],
            now_ms=now_ms,
            lives=LIVES,
            luck=lambda: luck,
            tally=Tally(),
        )


def _adds_up(known: Known[Billing] | Known[Dispute]) -> object:
    if not isinstance(known, Found) or not isinstance(known.value, Billing):
        return known
    fee = known.value.monthly_fee
    return None if fee is None else fee.as_tuple(), known.value.currency, known.stale


def _check(shelf: Shelf, *, took_ms: int, luck: float, fees_only: bool) -> None:
    seen = shelf.seen(took_ms=took_ms, luck=luck, fees_only=fees_only)
    whole = shelf.longer(NOW_MS + took_ms, luck=luck)
    rest = shelf.longer(NOW_MS + took_ms, places=seen.rest, luck=luck)
    ids = shelf.customer_ids
    both = {ids[place]: known for place, known in enumerate(seen.known) if known is not None}
    assert both.keys().isdisjoint(dict(rest.fresh))
    both |= dict(rest.fresh)
    if fees_only:
        expected = {one: _adds_up(known) for one, known in whole.fresh}
        assert {one: _adds_up(known) for one, known in both.items()} == expected
    else:
        assert both == dict(whole.fresh)
    assert rest.unknown == whole.unknown
    assert rest.stale == whole.stale
    assert {ids[place] for place in seen.due} | {*rest.due} == {*whole.due}
    assert seen.negative + rest.tally.negative == whole.tally.negative
    ends = [one for one in (seen.fresh_for_ms, rest.tally.fresh_for_ms) if one is not None]
    assert min(ends, default=None) == whole.tally.fresh_for_ms


@given(
    st.lists(st.none() | ANY | PLAIN, max_size=8),
    st.integers(0, 1_000),
    st.floats(0, 1, exclude_max=True),
    st.booleans(),
)
@example([Kept(known=Found(FULL), age_ms=29_500)], 400, 0.99, True)
@example([Kept(known=Found(FULL), age_ms=29_500)], 500, 0.5, True)
@example([Kept(known=Found(FULL), age_ms=28_000, fresh_ms=60_000)], 0, 0.999, False)
@example([Kept(known=Missing(), age_ms=4_999), Kept(known=Missing(), age_ms=5_000)], 0, 0.5, True)
@example([Kept(known=Found(FULL)), Kept(known=Found(FULL), fresh_ms=101)], 1, 0.5, True)
@example([Kept(known=Found(replace(FULL, monthly_fee=Decimal("-0"))))], 0, 0.5, True)
@example([Kept(known=Found(FULL), stale_ms=-29_900)], 0, 0.5, True)
@example([Kept(known=Found(FULL), stale_ms=-29_895)], 5, 0.5, True)
@example([Kept(known=Found(FULL), age_ms=-CLOCK_TOLERANCE_MS - 1)], 900, 0.5, False)
def test_with_a_glance_or_without_the_same_is_found(
    kept: list[Kept | None],
    took_ms: int,
    luck: float,
    fees_only: bool,  # noqa: FBT001  (hypothesis gives it)
) -> None:
    _check(Shelf(BILLING, kept), took_ms=took_ms, luck=luck, fees_only=fees_only)


@given(
    st.lists(
        st.none()
        | st.builds(
            replace,
            ANY,
            known=st.builds(Missing) | st.builds(Found, st.builds(Dispute, st.booleans())),
        ),
        max_size=8,
    ),
    st.booleans(),
)
def test_so_it_is_with_disputes(kept: list[Kept | None], fees_only: bool) -> None:  # noqa: FBT001  (hypothesis gives it)
    _check(Shelf(DISPUTES, kept), took_ms=0, luck=0.5, fees_only=fees_only)


@pytest.mark.parametrize("fees_only", [True, False])
@given(st.lists(PLAIN, min_size=1, max_size=8))
def test_what_is_plain_is_seen_at_a_glance(fees_only: bool, kept: list[Kept]) -> None:  # noqa: FBT001  (a parameter of the test)
    seen = Shelf(BILLING, kept).seen(fees_only=fees_only)
    assert not seen.rest
    assert None not in seen.known


def test_of_fees_alone_nothing_else_is_read() -> None:
    (known,) = Shelf(BILLING, [Kept(known=Found(FULL))]).seen(fees_only=True).known
    assert known == Found(Billing(monthly_fee=FULL.monthly_fee, currency=FULL.currency))


def test_who_pays_the_same_shares_the_price() -> None:
    """Nothing is made for each of them."""
    other = replace(FULL, account_id=UUID(int=8), plan_name="Another")
    one, two = (
        Shelf(BILLING, [Kept(known=Found(FULL)), Kept(known=Found(other))])
        .seen(fees_only=True)
        .known
    )
    assert one is two


def test_a_glance_tells_nobody_what_it_saw() -> None:
    assert repr(Shelf(BILLING, [Kept(known=Found(FULL))]).seen()) == "Glance()"
