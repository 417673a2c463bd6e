"""What is kept and counted of one who is asked: a vendor, a token endpoint, a database."""

import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from adapters.outcome import LookupFailed
from config import settings
from proxy.guard.breaker import Breaker
from proxy.guard.clock import Clock, loop_time
from proxy.guard.lag import LoopLag
from proxy.guard.latencies import Latencies
from proxy.guard.limit import AdaptiveLimit
from proxy.guard.rest import Rest
from proxy.guard.retry_budget import RetryBudget
from proxy.guard.slots import Slots
from proxy.guard.switch import Switch
from proxy.guard.witness import Nobody, Witness


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a guard needs of the outside."""

    switch: Switch = field(default_factory=Switch)
    """What an operator wants of its breaker."""
    rest: Rest = field(default_factory=Rest)
    """What who is asked wants of it."""
    lag: LoopLag = field(default_factory=LoopLag)
    """Of the event loop: all guards may watch the same."""
    witness: Witness = field(default_factory=Nobody)
    clock: Clock = loop_time
    luck: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The counters that the layers of one stack share.

    They outlive what is replaced below, such as sockets, tokens and database engines. Two guards
    may have some in common (`dataclasses.replace`).
    """

    setting: settings.Guard
    breaker: Breaker
    slots: Slots
    limit: AdaptiveLimit | None
    """`None`: there are always as many slots as at the beginning."""
    retries: RetryBudget
    hedges: RetryBudget
    latencies: Latencies
    around: Surroundings
    retryable: Callable[[LookupFailed], bool] | None = None
    """Which failures are tried again, where that is not as of a vendor."""
    kind: Callable[[Any], Hashable] | None = None
    """Which requests take about equally long, as `Bulkhead` wants to know; `None`: all."""

    @classmethod
    def of(
        cls,
        name: str,
        setting: settings.Guard,
        *,
        concurrency: int = 1,
        queue_length: int = 0,
        kind: Callable[[Any], Hashable] | None = None,
        retryable: Callable[[LookupFailed], bool] | None = None,
        around: Surroundings | None = None,
    ) -> "Guard":
        """`name`: of the breaker, as an operator knows it."""
        around = around or Surroundings()
        clock, retry, adaptive = around.clock, setting.retry, setting.adaptive_concurrency
        return cls(
            setting=setting,
            breaker=Breaker(
                name,
                setting.breaker,
                clock=clock,
                luck=around.luck,
                switch=around.switch,
                rest=around.rest,
            ),
            slots=Slots(concurrency, queue_length=queue_length),
            limit=AdaptiveLimit(adaptive.floor, concurrency) if adaptive.enabled else None,
            retries=RetryBudget(retry.budget_share, retry.budget_floor, clock),
            hedges=RetryBudget(setting.hedging.budget_share, 0, clock),
            latencies=Latencies(),
            around=around,
            kind=kind,
            retryable=retryable,
        )

    def may_repeat(self) -> bool:
        """Whether one more request may go out. It counts as gone when it may."""
        may = self.retries.take()
        if may:
            self.around.witness.reconnected()
        return may
