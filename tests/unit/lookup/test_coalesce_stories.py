"""Whatever joins, leaves, fails and is cancelled: who still waits is told the truth, in time."""

from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import Found, LookupFailed, Reason, Unavailable
from tests.servers.leaping import LeapingClock, leaping_clock
from tests.unit.lookup.flying import Asked, Bench, Question, fee, settled

CUSTOMERS = [UUID(int=number) for number in range(1, 6)]
BUDGETS_S = (100.0, 200.0, 400.0)
LEAPS_S = (1.0, 30.0, 60.0, 150.0)
MARGIN_S = 1.0
"""Real time that a story may take, which moves along with the leaps."""

some = st.integers(0, 50)
asks = st.tuples(
    st.just("ask"),
    st.lists(st.sampled_from(CUSTOMERS), min_size=1, max_size=4, unique=True),
    st.sampled_from(BUDGETS_S),
)
hang_ups = st.tuples(st.just("hang up"), some)
words = st.tuples(st.just("word"), some, some)
failures = st.tuples(st.just("fail"), some, st.sampled_from([Reason.UNREACHABLE, Reason.OVERLOAD]))
leaps = st.tuples(st.just("leap"), st.sampled_from(LEAPS_S))
Step: TypeAlias = (
    tuple[str, list[UUID], float]
    | tuple[str, int]
    | tuple[str, int, int]
    | tuple[str, int, Reason]
    | tuple[str, float]
)
stories = st.lists(st.one_of(asks, asks, hang_ups, words, words, failures, leaps), max_size=25)


@dataclass
class Story:
    """What happened, and what must be true of it after each step."""

    bench: Bench
    clock: LeapingClock
    questions: list[tuple[Question, list[UUID], int]] = field(default_factory=list)
    """Each with its customers, and the number of words that had been given when it was asked."""
    spoken: list[tuple[UUID, int]] = field(default_factory=list)
    """Words of the vendor: about whom, and the fee, which is never the same twice."""
    worded: dict[Asked, set[UUID]] = field(default_factory=dict)

    async def ask(self, ids: list[UUID], budget_s: float) -> None:
        before = len(self.spoken)
        self.questions.append((await self.bench.ask(*ids, budget_s=budget_s), ids, before))

    async def hang_up(self, which: int) -> None:
        if self.questions:
            self.questions[which % len(self.questions)][0].task.cancel()
            await settled()

    async def word(self, which: int, whom: int) -> None:
        if (asked := self._one(which)) is not None:
            customer_id = asked.ids[whom % len(asked.ids)]
            if customer_id not in self._worded(asked):
                self.spoken.append((customer_id, len(self.spoken)))
                asked.learn(customer_id, fee(len(self.spoken) - 1))
                self._worded(asked).add(customer_id)
            if self._worded(asked) == set(asked.ids):
                asked.end()
            await settled()

    async def fail(self, which: int, reason: Reason) -> None:
        if (asked := self._one(which)) is not None:
            asked.end(LookupFailed(reason))
            await settled()

    async def leap(self, seconds: float) -> None:
        self.clock.leap(seconds)
        await settled()
        self.clock.leap(MARGIN_S)  # what ends by a deadline has ended
        await settled()

    def check(self) -> None:
        for question, ids, before in self.questions:
            self._is_told_the_truth(question, before)
            if not question.task.done():
                for customer_id in set(ids) - question.learned.keys():
                    assert self._lookups(customer_id), "somebody is asking for whoever waits"
        for customer_id in CUSTOMERS:
            lookups = self._lookups(customer_id)
            assert len(lookups) <= 2
            assert sum(one.call.is_batch for one in lookups) <= 1
            assert sum(not one.call.is_batch for one in lookups) <= 1

    def _is_told_the_truth(self, question: Question, before: int) -> None:
        since = self.spoken[before:]
        for customer_id, lookup in question.learned.items():
            if isinstance(lookup, Found):
                assert (customer_id, int(lookup.value.monthly_fee)) in since, "no word of before"
            else:
                assert isinstance(lookup, Unavailable), "failed, and never missing"

    async def end(self) -> None:
        """Everybody is answered by the deadline, and nothing is left."""
        await self.leap(2 * max(BUDGETS_S))
        assert all(question.task.done() for question, _, _ in self.questions)
        assert await self.bench.is_idle()
        assert not self.bench.vendor.under_way or all(
            one.cancelled for one in self.bench.vendor.under_way
        )

    def _one(self, which: int) -> Asked | None:
        under_way = [one for one in self.bench.vendor.under_way if not one.cancelled]
        return under_way[which % len(under_way)] if under_way else None

    def _lookups(self, customer_id: UUID) -> list[Asked]:
        return [
            one
            for one in self.bench.vendor.under_way
            if customer_id in one.ids and customer_id not in self._worded(one) and not one.cancelled
        ]

    def _worded(self, asked: Asked) -> set[UUID]:
        return self.worded.setdefault(asked, set())


@given(stories)
async def test_whoever_still_waits_is_told_the_truth_in_time_and_nothing_is_left(
    steps: list[Step],
) -> None:
    with leaping_clock() as clock:
        story = Story(Bench(), clock)
        acts = {
            "ask": story.ask,
            "hang up": story.hang_up,
            "word": story.word,
            "fail": story.fail,
            "leap": story.leap,
        }
        for name, *details in steps:
            await acts[name](*details)
            story.check()
        await story.end()
        await story.bench.close()


@given(stories, st.integers(1, 6))
async def test_the_bound_holds_and_everything_is_given_back(steps: list[Step], most: int) -> None:
    with leaping_clock() as clock:
        story = Story(Bench(most_customers=most), clock)
        acts = {
            "ask": story.ask,
            "hang up": story.hang_up,
            "word": story.word,
            "fail": story.fail,
            "leap": story.leap,
        }
        for name, *details in steps:
            await acts[name](*details)
            assert 0 <= story.bench.layer.customers_in_flight <= most
        await story.end()
        await story.bench.close()
