"""What travels with a question through every layer, its budget above all."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from math import inf
from types import TracebackType
from typing import Self


class Budget:
    """When the time of a question ends, on the event loop's clock (`loop.time()`).

    Several callers may wait for the same exchange. It lives as long as the most patient of them,
    so the end may move away while the exchange is under way; its timers move along.
    """

    __slots__ = ("_deadline", "_parts", "_timers")

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._timers: set[Timer] = set()
        self._parts: list[tuple[Budget, Callable[[float], float]]] = []

    @property
    def deadline(self) -> float:
        return self._deadline

    def extend(self, deadline: float) -> None:
        """To a later end; an earlier one changes nothing."""
        if deadline > self._deadline:
            self._deadline = deadline
            for timer in self._timers:
                timer.move(deadline)
            for part, ends in self._parts:
                part.extend(ends(deadline))

    def part(self, ends: Callable[[float], float]) -> "Budget":
        """What one step may use of it: from the end of the whole, `ends` gives the part's.

        When the whole grows, so does the part.
        """
        part = Budget(ends(self._deadline))
        self._parts.append((part, ends))
        return part

    def timer(self, latest: float = inf) -> "Timer":
        """Ends what is done under it (`async with`) with `TimeoutError`, at `latest` at the latest.

        It is `asyncio.timeout_at` for an end that may move.
        """
        return Timer(self, latest)

    def watch(self, timer: "Timer") -> None:
        self._timers.add(timer)

    def forget(self, timer: "Timer") -> None:
        self._timers.discard(timer)


class Timer:
    """Ends what is done under it when a budget ends."""

    __slots__ = ("_budget", "_latest", "_timeout")

    def __init__(self, budget: Budget, latest: float) -> None:
        self._budget = budget
        self._latest = latest

    def move(self, deadline: float) -> None:
        if not self._timeout.expired():
            self._timeout.reschedule(min(deadline, self._latest))

    async def __aenter__(self) -> Self:
        self._timeout = asyncio.timeout_at(min(self._budget.deadline, self._latest))
        await self._timeout.__aenter__()
        self._budget.watch(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._budget.forget(self)
        await self._timeout.__aexit__(kind, error, trace)


class Call:
    """One question on its way. Immutable, but for the end of its budget and its time aside."""

    __slots__ = (
        "_aside_s",
        "_whole",
        "asked_at",
        "budget",
        "correlation_id",
        "is_batch",
        "tally",
        "tenant",
        "traceparent",
        "tracestate",
    )

    def __init__(
        self,
        *,
        deadline: float | Budget,
        asked_at: datetime,
        correlation_id: str = "-",
        traceparent: str | None = None,
        tracestate: str | None = None,
        tenant: str = "-",
        is_batch: bool = False,
        tally: object = None,
    ) -> None:
        """`deadline`: in seconds of `loop.time()`, or the budget itself.

        `asked_at` is the wall clock at the edge, with a zone, and the only `now` that an adapter
        may use. `is_batch`: about more than one customer; `tenant` and it decide who is served next
        where there is a queue. `tally`: where a layer notes for the edge what it did; nobody else's
        concern.
        """
        self.budget = deadline if isinstance(deadline, Budget) else Budget(deadline)
        self.asked_at = asked_at
        self.correlation_id = correlation_id
        self.traceparent = traceparent
        self.tracestate = tracestate
        self.tenant = tenant
        self.is_batch = is_batch
        self.tally = tally
        self._aside_s = 0.0
        self._whole: Call | None = None

    @property
    def aside_s(self) -> float:
        """Seconds that went by `aside`."""
        return self._aside_s

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is waited for under it, such as a token, is not the time of who is asked.

        Who measures an exchange gives it a call of its own (`until`), for several may share one.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            yield
        finally:
            self.spend_aside(loop.time() - began)

    @property
    def deadline(self) -> float:
        """End of the budget as it is now; for what waits, `budget.timer()` follows it."""
        return self.budget.deadline

    def remaining_s(self, now: float) -> float:
        """Seconds of the budget that are left at `now` (`loop.time()`); never negative."""
        return max(0.0, self.deadline - now)

    def until(self, deadline: float | Budget) -> "Call":
        """The same question with a budget of its own."""
        call = Call(
            deadline=deadline,
            asked_at=self.asked_at,
            correlation_id=self.correlation_id,
            traceparent=self.traceparent,
            tracestate=self.tracestate,
            tenant=self.tenant,
            is_batch=self.is_batch,
            tally=self.tally,
        )
        call._whole = self
        return call

    def spend_aside(self, seconds: float) -> None:
        """Counts for the calls that this one was made of too: each layer that measures has one."""
        self._aside_s += seconds
        if self._whole is not None:
            self._whole.spend_aside(seconds)
