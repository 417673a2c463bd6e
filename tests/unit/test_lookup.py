"""What every adapter has in common: what is learned counts, what is not is unavailable."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bss_adapter import BillingAccountInfo, BSSAdapter, RevenueResult
from adapters.call import Budget, Call
from adapters.lookup import LookupAdapter, WrappedAdapter, collect, distinct, rest_of
from adapters.outcome import (
    Billing,
    Dispute,
    Found,
    Learn,
    Lookup,
    LookupFailed,
    Missing,
    Reason,
    Unavailable,
)
from tests.servers.leaping import leaping_clock

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
IDS = [uuid5(NAMESPACE_URL, f"customer/{n}") for n in range(8)]
PRICED = Found(Billing(monthly_fee=Decimal("20.00"), currency="GBP"))


def call(budget_s: float = 60.0) -> Call:
    return Call(deadline=asyncio.get_running_loop().time() + budget_s, asked_at=NOW)


class Scripted(LookupAdapter):
    """Learns what it was given, in the order asked, and then ends as it was told."""

    source = "scripted"

    def __init__(
        self, known: Mapping[UUID, Lookup[Billing]], error: BaseException | None = None
    ) -> None:
        self.known = known
        self.error = error
        self.asked: list[list[UUID]] = []
        self.calls: list[Call] = []
        self.hangs: asyncio.Event | None = None
        self.given_back = False

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        self.asked.append(list(customer_ids))
        self.calls.append(call)
        for customer_id in customer_ids:
            if customer_id in self.known:
                learn(customer_id, self.known[customer_id])
        if self.error is not None:
            raise self.error
        if self.hangs is not None:
            self.hangs.set()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self.given_back = True

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        for customer_id in customer_ids:
            learn(customer_id, Found(Dispute(active=customer_id in self.known)))


_lookups = st.one_of(
    st.decimals(0, 1000, places=2).map(lambda fee: Found(Billing(monthly_fee=fee, currency="GBP"))),
    st.just(Found(Billing())),
    st.just(Missing()),
    st.sampled_from(list(Reason)).map(Unavailable),
)
_knowledge = st.dictionaries(st.sampled_from(IDS), _lookups)
_asked = st.lists(st.sampled_from(IDS), max_size=20)


# Rule 1


@given(_knowledge, _asked)
async def test_rule_1_a_customer_asked_for_twice_counts_once(
    known: dict[UUID, Lookup[Billing]], asked: list[UUID]
) -> None:
    adapter = Scripted(known)
    found = await collect(adapter.look_up_billing, asked, call())
    assert list(found) == distinct(asked)
    once = await adapter.get_revenue_at_risk(distinct(asked))
    assert await adapter.get_revenue_at_risk(asked) == once
    assert once.priced_customer_count + once.unpriced_customer_count == len(set(asked))


async def test_rule_1_an_empty_list_is_answered_without_asking_anybody() -> None:
    adapter = Scripted({}, error=LookupFailed(Reason.UNREACHABLE))
    answer = await adapter.get_revenue_at_risk([])
    assert answer == RevenueResult(is_estimate=False, source="scripted")
    assert await adapter.check_disputes([]) == []
    assert adapter.asked == []


# Rules 5 and 6


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LookupFailed(Reason.BREAKER_OPEN), Reason.BREAKER_OPEN),
        (LookupFailed(Reason.AUTH, "expired"), Reason.AUTH),
        (ValueError("a bug"), Reason.VENDOR_ERROR),
        (TimeoutError("its own"), Reason.VENDOR_ERROR),
        (ExceptionGroup("several", [KeyError("x")]), Reason.VENDOR_ERROR),
        (ExceptionGroup("all", [LookupFailed(Reason.TLS)] * 2), Reason.TLS),
        (ExceptionGroup("some", [LookupFailed(Reason.TLS), KeyError("x")]), Reason.VENDOR_ERROR),
        (
            ExceptionGroup("within", [ExceptionGroup("a group", [LookupFailed(Reason.TLS)])]),
            Reason.TLS,
        ),
        (None, Reason.BAD_RESPONSE),
    ],
)
async def test_what_breaks_costs_only_the_customers_not_yet_learned(
    error: Exception | None, reason: Reason
) -> None:
    adapter = Scripted({IDS[0]: PRICED, IDS[1]: Missing()}, error)
    found = await collect(adapter.look_up_billing, IDS[:3], call())
    assert found == {IDS[0]: PRICED, IDS[1]: Missing(), IDS[2]: Unavailable(reason)}


async def test_only_surprises_are_handed_to_the_one_who_logs() -> None:
    surprise, heard = ValueError("a bug"), []
    for error in (surprise, LookupFailed(Reason.TLS), None):
        adapter = Scripted({}, error)
        await collect(adapter.look_up_billing, IDS, call(), on_error=heard.append)
    late = Scripted({})
    late.hangs = asyncio.Event()
    await collect(late.look_up_billing, IDS, call(budget_s=0), on_error=heard.append)
    assert heard == [surprise]


async def test_a_failure_keeps_the_time_after_which_asking_again_may_help() -> None:
    adapter = Scripted({}, LookupFailed(Reason.RATE_LIMITED, retry_after_s=7.0))
    found = await collect(adapter.look_up_billing, IDS[:1], call())
    assert found == {IDS[0]: Unavailable(Reason.RATE_LIMITED, 7.0)}


@given(_knowledge, _asked)
async def test_rule_6_at_the_deadline_what_is_known_is_summed_and_the_rest_is_unpriced(
    known: dict[UUID, Lookup[Billing]], asked: list[UUID]
) -> None:
    adapter = Scripted(known)
    adapter.hangs = asyncio.Event()
    found = await collect(adapter.look_up_billing, asked, call(budget_s=0))
    assert found == {one: known.get(one, Unavailable(Reason.DEADLINE)) for one in distinct(asked)}
    assert adapter.given_back or not asked


async def test_a_budget_that_grows_keeps_the_question_up() -> None:
    adapter = Scripted({})
    adapter.hangs = asyncio.Event()
    asked = call(budget_s=60)
    with leaping_clock() as clock:
        question = asyncio.get_running_loop().create_task(
            collect(adapter.look_up_billing, IDS[:1], asked)
        )
        await adapter.hangs.wait()
        asked.budget.extend(asked.deadline + 60)
        for seconds, is_over in ((61, False), (60, True)):
            clock.leap(seconds)
            for _ in range(5):
                await asyncio.sleep(0)
            assert question.done() == is_over
    assert await question == {IDS[0]: Unavailable(Reason.DEADLINE)}


async def test_a_budget_of_its_own_ends_a_lookup_instead_of_the_calls() -> None:
    adapter = Scripted({})
    adapter.hangs = asyncio.Event()
    own = Budget(asyncio.get_running_loop().time())
    rest = await rest_of(adapter.look_up_billing, IDS, call(), {}.setdefault, within=own)
    assert rest == Unavailable(Reason.DEADLINE)


@pytest.mark.parametrize("customers", [0, 1, 2])
async def test_a_direct_question_about_several_customers_is_a_batch(customers: int) -> None:
    adapter = Scripted({})
    await adapter.get_revenue_at_risk(IDS[:customers])
    assert [one.is_batch for one in adapter.calls] == [customers > 1] * min(customers, 1)


async def test_the_first_word_about_a_customer_stands() -> None:
    async def twice(ids: Sequence[UUID], _call: Call, learn: Learn[Billing]) -> None:
        learn(ids[0], PRICED)
        learn(ids[0], Unavailable(Reason.OVERLOAD))

    assert await collect(twice, IDS[:1], call()) == {IDS[0]: PRICED}


async def test_a_customer_who_was_not_asked_for_is_not_in_the_answer() -> None:
    async def talkative(ids: Sequence[UUID], _call: Call, learn: Learn[Billing]) -> None:
        learn(ids[0], PRICED)
        learn(IDS[7], PRICED)

    assert await collect(talkative, IDS[:1], call()) == {IDS[0]: PRICED}


async def test_cancellation_passes_and_ends_the_question() -> None:
    adapter = Scripted({IDS[0]: PRICED})
    adapter.hangs = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        question = tasks.create_task(collect(adapter.look_up_billing, IDS, call()))
        await adapter.hangs.wait()
        question.cancel()
    assert question.cancelled()
    assert adapter.given_back


# Rule 7, and the three methods of the contract


@given(_knowledge)
async def test_rule_7_the_singles_come_to_the_batch(known: dict[UUID, Lookup[Billing]]) -> None:
    adapter = Scripted(known)
    fees = []
    for customer_id in IDS:
        try:
            info = await adapter.get_billing_account(customer_id)
        except LookupFailed:
            continue
        if info is not None and info.monthly_fee is not None:
            fees.append(Decimal(str(info.monthly_fee)))
    batch = await adapter.get_revenue_at_risk(IDS)
    assert batch.priced_customer_count == len(fees)
    assert batch.total_revenue_at_risk == (float(sum(fees)) if fees else None)


async def test_a_direct_call_has_a_budget_within_the_sla_and_the_adapters_clock() -> None:
    adapter = Scripted({IDS[0]: PRICED})
    adapter.clock = lambda: NOW
    before = asyncio.get_running_loop().time()
    await adapter.get_billing_account(IDS[0])
    await adapter.get_revenue_at_risk(IDS)
    after = asyncio.get_running_loop().time()
    single, batch = adapter.calls
    assert before + 0.45 <= single.deadline <= after + 0.5
    assert before + 1.9 <= batch.deadline <= after + 2.0
    assert single.asked_at == NOW
    assert single.remaining_s(single.deadline + 1) == 0.0
    assert single.remaining_s(single.deadline - 1) == pytest.approx(1.0)


async def test_a_direct_call_that_nobody_can_answer_raises_its_reason() -> None:
    adapter = Scripted({}, LookupFailed(Reason.UNREACHABLE))
    with pytest.raises(LookupFailed, match="unreachable"):
        await adapter.get_billing_account(IDS[0])


async def test_disputes_come_in_the_order_asked_and_once() -> None:
    adapter = Scripted({IDS[2]: PRICED, IDS[0]: PRICED})
    assert await adapter.check_disputes([IDS[2], IDS[1], IDS[0], IDS[2]]) == [IDS[2], IDS[0]]


# A bare adapter


class Bare(BSSAdapter):
    """Only the three methods of the contract."""

    def __init__(self, known: Mapping[UUID, BillingAccountInfo | Exception]) -> None:
        self.known = known
        self.in_flight = self.most_in_flight = 0

    async def get_billing_account(self, customer_id: UUID) -> BillingAccountInfo | None:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0)
        self.in_flight -= 1
        found = self.known.get(customer_id)
        if isinstance(found, Exception):
            raise found
        return found

    async def get_revenue_at_risk(self, customer_ids: list[UUID]) -> RevenueResult:
        raise AssertionError("an aggregate does not tell who was priced")

    async def check_disputes(self, customer_ids: list[UUID]) -> list[UUID]:
        return [one for one in reversed(customer_ids) if one in self.known]


def info(customer_id: UUID, fee: float | None, currency: str = "GBP") -> BillingAccountInfo:
    return BillingAccountInfo(customer_id=customer_id, monthly_fee=fee, currency=currency)


async def test_a_bare_adapters_exception_costs_one_customer_and_never_the_batch() -> None:
    bare = Bare(
        {
            IDS[0]: info(IDS[0], 20.1),
            IDS[1]: RuntimeError("down"),
            IDS[2]: LookupFailed(Reason.AUTH),
            IDS[3]: info(IDS[3], None),
            IDS[4]: info(IDS[4], 1e300),
        }
    )
    wrapped = WrappedAdapter(bare, source="bare")
    found = await collect(wrapped.look_up_billing, IDS[:6], call())
    assert found == {
        IDS[0]: Found(Billing(monthly_fee=Decimal("20.10"), currency="GBP")),
        IDS[1]: Unavailable(Reason.VENDOR_ERROR),
        IDS[2]: Unavailable(Reason.AUTH),
        IDS[3]: Found(Billing(currency="GBP")),
        IDS[4]: Found(Billing(currency="GBP")),
        IDS[5]: Missing(),
    }


@given(st.lists(st.decimals(0, 10_000, places=2), max_size=8))
async def test_a_bare_adapters_floats_add_up_to_the_penny(fees: list[Decimal]) -> None:
    bare = Bare({one: info(one, float(fee)) for one, fee in zip(IDS, fees, strict=False)})
    answer = await WrappedAdapter(bare, source="bare").get_revenue_at_risk(IDS)
    assert answer.priced_customer_count == len(fees)
    assert answer.total_revenue_at_risk == (float(sum(fees)) if fees else None)


async def test_a_bare_adapter_is_asked_side_by_side_up_to_a_bound() -> None:
    bare = Bare({})
    await WrappedAdapter(bare, source="bare", concurrency=3).get_revenue_at_risk(IDS)
    assert bare.most_in_flight == 3


async def test_a_bare_adapters_disputes_come_back_in_the_order_asked() -> None:
    bare = Bare({IDS[1]: info(IDS[1], 1.0), IDS[3]: info(IDS[3], 1.0)})
    assert await WrappedAdapter(bare, source="bare").check_disputes(IDS) == [IDS[1], IDS[3]]


async def test_a_bare_adapter_that_estimates_still_says_so_when_wrapped() -> None:
    wrapped = WrappedAdapter(Bare({}), source="mock", is_estimate=True)
    assert (await wrapped.get_revenue_at_risk([])).is_estimate is True
