"""The cache of one process: what the layers of all desks share.

Forgetting is done here, for whatever still knows of a customer: questions that have begun, early
refreshes, writes that wait, and the store.
"""

import asyncio
import random
from collections.abc import Sequence
from itertools import chain, cycle
from typing import Any, Generic, NamedTuple, Self, TypeVar, cast
from uuid import UUID

from proxy.cache.envelope import QUESTIONS, Key, Section
from proxy.cache.gather import Bypassed, Gathered
from proxy.cache.glance import Glance, glance
from proxy.cache.keeper import Keeper
from proxy.cache.means import Means, Spawn
from proxy.cache.refresh import Refreshes
from proxy.cache.rules import Entry, Lives, Luck
from proxy.cache.seal import LONGEST_MS, Refused
from proxy.cache.store import StoreFailed
from proxy.cache.witness import Nobody, Witness
from proxy.guard.breaker import Breaker

T = TypeVar("T")

FORGET_S = 1.0
"""How long the store may take to forget."""
LONGEST_S = LONGEST_MS / 1000
"""A tombstone outlives everything that was learned before it, whatever settings a sidecar has."""


class NotForgotten(Exception):  # noqa: N818  (says what happened, as `StoreFailed` does)
    """The store could not be told to forget a customer. This process has forgotten."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"the store has not forgotten: {kind}")
        self.gone_after_s = LONGEST_S
        """Seconds after which nothing can be left, for everything kept has ended."""


class Inquiry(Generic[T]):
    """A question under way. With it (`with`), it is known to whoever forgets a customer."""

    __slots__ = ("_under_way", "forgotten", "open", "section")

    def __init__(
        self, section: Section[T], forgotten: set[UUID], under_way: "set[Inquiry[Any]]"
    ) -> None:
        self.section = section
        self.forgotten = forgotten
        """Of them nothing may be used or kept that was known before."""
        self.open: set[UUID] = set()
        """Those of whom the next live word may be kept."""
        self._under_way = under_way

    def ask_about(self, customer_ids: Sequence[UUID]) -> None:
        """From now on, of the layers below."""
        self.open = set(customer_ids) - self.forgotten

    def forget(self, customer_id: UUID) -> None:
        self.forgotten.add(customer_id)
        self.open.discard(customer_id)

    def __enter__(self) -> Self:
        self._under_way.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._under_way.discard(self)
        self.open.clear()


class Reading(NamedTuple, Generic[T]):
    """What is kept of the customers asked."""

    entries: Sequence[Entry[T] | None]
    """Of each of them."""
    refused: int = 0
    """Of so many only what does not open."""
    bypassed: Bypassed | None = None


class Vault:
    """One for each store and its settings."""

    def __init__(
        self,
        means: Means,
        lives: Lives,
        *,
        spawn: Spawn,
        pending_writes: int,
        early_refresh: bool = True,
        witness: Witness | None = None,
        write_breaker: Breaker | None = None,
        luck: Luck = random.random,
    ) -> None:
        self.means = means
        self.lives = lives
        self.spawn = spawn
        self.luck = luck
        self.witness = witness or Nobody()
        self.keeper = Keeper(
            means, spawn=spawn, most=pending_writes, witness=self.witness, breaker=write_breaker
        )
        self.refreshes = Refreshes() if early_refresh else Refreshes(most=0)
        self.inquiries: set[Inquiry[Any]] = set()
        self._forgetting: dict[tuple[str, str, UUID], int] = {}

    def inquiry(self, section: Section[T]) -> Inquiry[T]:
        """To be entered at once, and left when nothing of it is used or kept any more."""
        forgotten: set[UUID] = set()
        if self._forgetting:
            place = section[:2]
            forgotten.update(one for *where, one in self._forgetting if tuple(where) == place)
        return Inquiry(section, forgotten, self.inquiries)

    def names(self, section: Section[T], customer_ids: Sequence[UUID]) -> list[bytes]:
        """Where their entries may be: for each key of the ring, those of all of them."""
        tenant, connection, question, _, _ = section
        of = self.means.envelopes.names
        if len(customer_ids) == 1:
            return of.of_one(tenant, connection, question, customer_ids[0])
        by_key = of.of_all(tenant, connection, question, customer_ids)
        return by_key[0] if len(by_key) == 1 else list(chain.from_iterable(by_key))

    async def gathered(self, names: Sequence[bytes]) -> Gathered:
        """What is under each of them. Raises nothing of the store's."""
        gathered = await self.means.reads.get_many(names)
        if gathered.bypassed is not None:
            self.witness.bypassed(gathered.bypassed)
        return gathered

    def at_a_glance(
        self,
        section: Section[T],
        customer_id: UUID,
        name: bytes,
        gathered: Gathered,
        *,
        now_ms: int,
    ) -> Entry[T] | None:
        """The one entry that was asked for, where nothing else is known that has to be weighed
        against it; `understood` has a closer look at the others.
        """
        value = gathered.values[0]
        if value is None:
            return None
        if self.keeper.knows_any and self.keeper.recall(section, customer_id) is not None:
            return None
        entry = self.means.envelopes.open_one(section, name, value, now_ms=now_ms)
        return None if isinstance(entry, Refused) else entry

    def glance(
        self,
        section: Section[T],
        customer_ids: Sequence[UUID],
        names: Sequence[bytes],
        values: Sequence[bytes | None],
        *,
        asked_at_ms: int,
        now_ms: int,
        fees_only: bool,
    ) -> Glance[T]:
        """As `at_a_glance`, at many customers, each of whom has one name."""
        if self.keeper.knows_any:
            recall, both = self.keeper.recall, zip(customer_ids, values, strict=True)
            values = [value if recall(section, one) is None else None for one, value in both]
        return glance(
            section,
            self.means.envelopes.insides(section, names, values),
            lives=self.lives,
            luck=self.luck,
            asked_at_ms=asked_at_ms,
            now_ms=now_ms,
            fees_only=fees_only,
        )

    async def understood(
        self,
        section: Section[T],
        customer_ids: Sequence[UUID],
        names: Sequence[bytes],
        gathered: Gathered,
        *,
        now_ms: int,
    ) -> Reading[T]:
        """Raises nothing of the store's. What was learned here while it was asked is known too."""
        envelopes = self.means.envelopes
        opened = envelopes.open_all(section, names, gathered.values, now_ms=now_ms)
        entries, refused = self._sifted(opened, len(customer_ids))
        if gathered.bypassed is None and self.keeper.knows_any:
            await self._recall(section, customer_ids, entries)
            refused = [place for place in refused if entries[place] is None]
        return Reading(entries, len(refused), gathered.bypassed)

    def _sifted(
        self, opened: Sequence[Entry[T] | Refused | None], customers: int
    ) -> tuple[list[Entry[T] | None], list[int]]:
        """The latest entry of each, and the places of those of whom only what does not open is
        kept. The ring's keys come one after the other, with all customers each.
        """
        if len(opened) == customers and not any(isinstance(one, Refused) for one in opened):
            return cast("list[Entry[T] | None]", opened), []
        entries: list[Entry[T] | None] = [None] * customers
        refused: set[int] = set()
        for place, found in zip(cycle(range(customers)), opened, strict=False):
            if isinstance(found, Refused):
                self.witness.refused(found)
                refused.add(place)
            elif found is not None and _is_later(found, entries[place]):
                entries[place] = found
        return entries, [place for place in refused if entries[place] is None]

    async def forget(self, tenant: str, connection: str, customer_id: UUID) -> None:
        """Of all questions. What this process knows is gone when it suspends for the first time.

        Raises `NotForgotten`.
        """
        whose = (tenant, connection, customer_id)
        self._forgetting[whose] = self._forgetting.get(whose, 0) + 1
        try:
            self._forget_here(*whose)
            await self._forget_in_store(*whose)
        finally:
            self._forgetting[whose] -= 1
            if not self._forgetting[whose]:
                del self._forgetting[whose]

    async def aclose(self) -> None:
        """Ends refreshes and writes. The store is not closed."""
        await self.refreshes.aclose()
        await self.keeper.aclose()

    async def _recall(
        self, section: Section[T], customer_ids: Sequence[UUID], entries: list[Entry[T] | None]
    ) -> None:
        """What was learned here a moment ago, and the store did not have yet.

        So it could not remove it either: it is asked whether another sidecar has forgotten them.
        """
        recalled: dict[int, Entry[T]] = {}
        for place, customer_id in enumerate(customer_ids):
            learned = self.keeper.recall(section, customer_id)
            if learned is not None and _is_later(learned, entries[place]):
                recalled[place] = learned
        if not recalled:
            return
        names = self.means.envelopes.names
        graves = [
            (place, name)
            for place in recalled
            for name in names.tombstones(*section[:2], customer_ids[place])
        ]
        marks = await self.gathered([name for _, name in graves])
        if marks.bypassed is not None:
            return
        for (place, _), mark in zip(graves, marks.values, strict=True):
            if mark is not None:
                recalled.pop(place, None)
        for place, learned in recalled.items():
            entries[place] = learned

    def _forget_here(self, tenant: str, connection: str, customer_id: UUID) -> None:
        for inquiry in self.inquiries:
            if inquiry.section[:2] == (tenant, connection):
                inquiry.forget(customer_id)
        for question in QUESTIONS:
            key = Key(tenant, connection, question, customer_id)
            self.keeper.forget(key)
            self.refreshes.forget(key)

    async def _forget_in_store(self, tenant: str, connection: str, customer_id: UUID) -> None:
        names = self.means.envelopes.names
        entries = [
            name
            for question in QUESTIONS
            for name in names.every(tenant, connection, question, customer_id)
        ]
        tombstones = names.tombstones(tenant, connection, customer_id)
        try:
            async with asyncio.timeout(FORGET_S):
                await self.means.store.forget(entries, tombstones, LONGEST_S)
        except StoreFailed as failure:
            raise NotForgotten(failure.kind) from None
        except TimeoutError:
            raise NotForgotten("timeout") from None


def _is_later(found: Entry[T], known: Entry[T] | None) -> bool:
    return known is None or found.asked_at_ms > known.asked_at_ms
