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
    """Ends what is done under it when a budget ends. Entered once, in a task."""

    __slots__ = ("_budget", "_cancelling", "_handle", "_has_rung", "_latest", "_task")

    def __init__(self, budget: Budget, latest: float) -> None:
        self._budget = budget
        self._latest = latest
        self._has_rung = False
        self._handle: asyncio.Handle | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0

    def move(self, deadline: float) -> None:
        if not self._has_rung:
            if self._handle is not None:
                self._handle.cancel()
            self._set(min(deadline, self._latest))

    def _set(self, when: float) -> None:
        loop = asyncio.get_running_loop()
        if when <= loop.time():
            self._handle = loop.call_soon(self._ring)
        else:
            self._handle = loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._has_rung, self._handle = True, None
        if self._task is not None:
            self._task.cancel()

    async def __aenter__(self) -> Self:
        task = self._task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a timer is for what a task does")
        self._cancelling = task.cancelling()
        self._set(min(self._budget.deadline, self._latest))
        self._budget.watch(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._budget.forget(self)
        task, self._task = self._task, None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if not self._has_rung or task is None:
            return
        # Who was cancelled by somebody else as well is cancelled, and not out of time.
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error


class Call:
    """One question on its way. Immutable, but for the end of its budget and its time aside."""

    __slots__ = (
        "_aside_s",
        "_whole",
        "asked_at",
        "budget",
        "correlation_id",
        "fees_only",
        "is_batch",
        "tally",
        "tenant",
        "traceparent",
        "tracestate",
    )

    def __init__(  # noqa: PLR0913  (what travels with a question is many things)
        self,
        *,
        deadline: float | Budget,
        asked_at: datetime,
        correlation_id: str = "-",
        traceparent: str | None = None,
        tracestate: str | None = None,
        tenant: str = "-",
        is_batch: bool = False,
        fees_only: bool = False,
        tally: object = None,
    ) -> None:
        """`deadline`: in seconds of `loop.time()`, or the budget itself.

        `asked_at` is the wall clock at the edge, with a zone, and the only `now` that an adapter
        may use. `is_batch`: about more than one customer; `tenant` and it decide who is served next
        where there is a queue. `fees_only`: who asks adds fees up, so that a cache need not read
        what else it knows; whoever is asked below it tells all the same. `tally`: where a layer
        notes for the edge what it did; nobody else's concern.
        """
        self.budget = deadline if isinstance(deadline, Budget) else Budget(deadline)
        self.asked_at = asked_at
        self.correlation_id = correlation_id
        self.traceparent = traceparent
        self.tracestate = tracestate
        self.tenant = tenant
        self.is_batch = is_batch
        self.fees_only = fees_only
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
            fees_only=self.fees_only,
            tally=self.tally,
        )
        call._whole = self
        return call

    def spend_aside(self, seconds: float) -> None:
        """Counts for the calls that this one was made of too: each layer that measures has one."""
        call: Call | None = self
        while call is not None:
            call._aside_s += seconds  # noqa: SLF001  (of its own kind)
            call = call._whole  # noqa: SLF001  (the same)
