"""What the layers below are asked, and what is kept of what they say."""

from __future__ import annotations  # an inner function is made for each question

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from adapters.call import Call
from adapters.lookup import LookUp
from adapters.outcome import Learn, Lookup, Unavailable
from proxy.cache.rules import Known, entry_of
from proxy.cache.vault import Inquiry, Vault

T = TypeVar("T")

LAST_WORD_S = 0.025
"""Stale answers are given so long before the deadline, or a fifth of the budget if that is less:
well before whoever answers the question has to let go."""


class Moment:
    """When a question began, by both clocks: entries age by the wall's, the loop's never jumps."""

    __slots__ = ("_began", "_clock", "asked_at", "asked_at_ms")

    def __init__(self, asked_at: datetime) -> None:
        self.asked_at = asked_at
        self.asked_at_ms = round(asked_at.timestamp() * 1000)
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()

    def elapsed_s(self) -> float:
        return self._clock() - self._began

    def now_ms(self) -> int:
        return self.asked_at_ms + round(self.elapsed_s() * 1000)

    def now(self) -> datetime:
        return self.asked_at + timedelta(seconds=self.elapsed_s())


def keep(
    vault: Vault, inquiry: Inquiry[T], customer_id: UUID, lookup: Lookup[T], moment: Moment
) -> bool:
    """The first live word about a customer who was asked about, and not forgotten since.

    Whether it is one.
    """
    if customer_id not in inquiry.open:
        return False
    learned_at_ms = moment.now_ms()
    entry = entry_of(
        lookup,
        asked_at_ms=moment.asked_at_ms,
        learned_at_ms=learned_at_ms,
        lives=vault.lives,
        luck=vault.luck(),
        basis=inquiry.section.basis,
    )
    if entry is None:
        return False
    inquiry.open.discard(customer_id)
    left_s = (entry.ends_at_ms - learned_at_ms) / 1000
    vault.keeper.keep(inquiry.section.key(customer_id), entry, left_s=left_s)
    return True


async def ask_below(
    look_up: LookUp[T],
    customer_ids: Sequence[UUID],
    call: Call,
    hear: Learn[T],
    stand_ins: StandIns[T],
) -> None:
    """`hear` gets what the layers below say, and `stand_ins` say something where they can't."""
    loop = asyncio.get_running_loop()
    if not stand_ins:
        await look_up(customer_ids, call, hear)
        return

    def hear_or_stand_in(customer_id: UUID, lookup: Lookup[T]) -> None:
        if not isinstance(lookup, Unavailable):
            stand_ins.drop(customer_id)
        elif stand_ins.stand_in(customer_id):
            return
        hear(customer_id, lookup)

    early_s = min(LAST_WORD_S, call.remaining_s(loop.time()) / 5)
    timer = loop.call_at(call.deadline - early_s, stand_ins.stand_in_for_all)
    try:
        await look_up(customer_ids, call, hear_or_stand_in)
    finally:
        timer.cancel()
        stand_ins.stand_in_for_all()


class StandIns(Generic[T]):
    """Stale answers, for customers of whom nobody can say. Each is given once at most."""

    def __init__(
        self, known: Mapping[UUID, Known[T]], learn: Learn[T], tell: Callable[[], object]
    ) -> None:
        self._known = dict(known)
        self._learn = learn
        self._tell = tell

    def __bool__(self) -> bool:
        return bool(self._known)

    def drop(self, customer_id: UUID) -> None:
        self._known.pop(customer_id, None)

    def stand_in(self, customer_id: UUID) -> bool:
        known = self._known.pop(customer_id, None)
        if known is None:
            return False
        self._learn(customer_id, replace(known, stale=True))
        self._tell()
        return True

    def stand_in_for_all(self) -> None:
        for customer_id in tuple(self._known):
            self.stand_in(customer_id)
