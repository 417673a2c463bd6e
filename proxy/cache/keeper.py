"""Writes what was learned to the store, when its question is answered, and forgets it at once.

Nobody waits for a write. What was learned a moment ago is known here until the store has it, so
that nobody asks again in between.
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast
from uuid import UUID

from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.cache.envelope import Key, Section
from proxy.cache.means import Means, Spawn
from proxy.cache.names import Question
from proxy.cache.rules import Entry
from proxy.cache.store import Put, StoreFailed
from proxy.cache.witness import Dropped, Witness
from proxy.guard.breaker import Breaker, PermitHeld

T = TypeVar("T")

QUIET_S = 0.02
"""Nothing is sealed and written before nothing was learned for so long: who asks one question after
another, and a batch whose answers come in waves, would meet that work each time."""
LINGER_S = 0.1
"""The first entry waits for others so long at most. Other sidecars may ask about its customer
meanwhile, as they may while a vendor takes its time."""
AT_ONCE = 500
"""Entries that are written together."""
_SLICE = 10
"""Entries that are sealed in one turn of the event loop: a question that is under way waits for
them once a turn."""
HOLD_S = 0.1
"""How long what was written is still known here: longer than any read that began before."""
WRITE_S = 1.0
"""How long a write may take."""


class _Learned(NamedTuple):
    entry: Entry[Any]
    until: float
    """On the event loop's clock."""


_NOTHING: Mapping[UUID, _Learned] = {}
_Place: TypeAlias = tuple[str, str, Question]
"""What a section, and the keys of it, begin with."""


class Keeper:
    """One for all that share a store."""

    def __init__(
        self,
        means: Means,
        *,
        spawn: Spawn,
        most: int,
        witness: Witness,
        breaker: Breaker | None = None,
    ) -> None:
        """`most` entries may wait to be written. Above it they are dropped, and so they are while
        `breaker` is open.
        """
        self._means = means
        self._spawn = spawn
        self._most = most
        self._witness = witness
        self._breaker = breaker
        self._recent: dict[_Place, dict[UUID, _Learned]] = {}
        self._queue: dict[Key, _Learned] = {}
        self._full = max(1, min(AT_ONCE, most // 2))
        self._writer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._latest = 0.0
        """When something was learned, on the event loop's clock."""

    @property
    def pending(self) -> int:
        """Entries that wait to be written."""
        return len(self._queue)

    def keep(self, key: Key, entry: Entry[Any], *, left_s: float) -> None:
        """`left_s`: until it ends."""
        if self._is_closed:
            return
        if len(self._queue) >= self._most and key not in self._queue:
            self._witness.dropped(1, "queue_full")
            return
        now = self._latest = asyncio.get_running_loop().time()
        learned = _Learned(entry, now + left_s)
        self._recent.setdefault(key[:3], {})[key.customer_id] = self._queue[key] = learned
        if self._writer is None:
            if len(self._queue) >= self._full:
                self._begin()
            elif self._timer is None:
                self._linger()

    @property
    def knows_any(self) -> bool:
        return bool(self._recent)

    def recall(self, section: Section[T], customer_id: UUID) -> Entry[T] | None:
        """What was learned a moment ago, on the same basis."""
        learned = self._recent.get(section[:3], _NOTHING).get(customer_id)
        if learned is None or learned.entry.basis != section.basis:
            return None
        # Under a key of this section there are only entries of its kind.
        return cast("Entry[T]", learned.entry)

    def forget(self, key: Key) -> None:
        """A write that has begun goes on: the tombstone is for it."""
        self._queue.pop(key, None)
        self._drop(key)

    async def written(self) -> None:
        """Writes at once, and returns when nothing waits any more."""
        while self._timer is not None or self._writer is not None:
            if self._writer is None:
                self._begin()
            await asyncio.wait({cast("asyncio.Task[None]", self._writer)})

    async def aclose(self) -> None:
        """What is not written by now is dropped, and so is what is learned later."""
        self._is_closed = True
        self._queue.clear()
        self._recent.clear()
        self._stop_timer()
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.wait({self._writer})

    def _linger(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timer = loop.call_at(now + QUIET_S, self._look, now + LINGER_S)

    def _look(self, latest: float) -> None:
        """Whether it is quiet, or `latest` has come."""
        loop = asyncio.get_running_loop()
        due = min(self._latest + QUIET_S, latest)
        if not self._queue:  # all of it is forgotten
            self._timer = None
        elif loop.time() >= due:
            self._begin()
        else:
            self._timer = loop.call_at(due, self._look, latest)

    def _begin(self) -> None:
        self._stop_timer()
        self._writer = self._spawn(self._write())
        self._writer.add_done_callback(self._ended)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._writer is task:
            self._writer = None

    async def _write(self) -> None:
        while self._queue:
            batch = dict(islice(self._queue.items(), AT_ONCE))
            for key in batch:
                del self._queue[key]
            try:
                await self._write_out(batch)
            finally:
                asyncio.get_running_loop().call_later(HOLD_S, self._let_go, batch)
            if len(self._queue) < self._full:
                break
        self._writer = None  # and not a turn later, when something may have been learned
        if self._queue:
            self._linger()

    def _let_go(self, batch: Mapping[Key, _Learned]) -> None:
        for key, learned in batch.items():
            if self._lately(key) is learned:
                self._drop(key)

    def _lately(self, key: Key) -> _Learned | None:
        return self._recent.get(key[:3], _NOTHING).get(key.customer_id)

    def _drop(self, key: Key) -> None:
        place = key[:3]
        of_place = self._recent.get(place)
        if of_place is not None:
            of_place.pop(key.customer_id, None)
            if not of_place:
                del self._recent[place]

    async def _write_out(self, batch: Mapping[Key, _Learned]) -> None:
        try:
            permit = None if self._breaker is None else self._breaker.permit()
        except NotAsked:
            self._witness.dropped(len(batch), "breaker_open")
            return
        try:
            if puts := await self._sealed(batch):
                await self._put(puts, permit)
        finally:
            if permit is not None:
                permit.neither()

    async def _put(self, puts: Sequence[Put], permit: PermitHeld | None) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        why = await self._failure(puts)
        took_s = loop.time() - began
        if why is None:
            self._witness.written(len(puts), took_s)
        else:
            self._witness.dropped(len(puts), why)
        if permit is not None:
            if why is None:
                permit.success(took_s)
            else:
                permit.failure(took_s, LookupFailed(Reason.UNREACHABLE, f"not written: {why}"))

    async def _failure(self, puts: Sequence[Put]) -> Dropped | None:
        """Why they are not kept, if they are not."""
        try:
            async with asyncio.timeout(WRITE_S):
                await self._means.store.put_many(puts)
        except StoreFailed as failure:
            return failure.kind
        except TimeoutError:
            return "timeout"
        except Exception as error:  # noqa: BLE001  (told to the witness; it is not kept)
            self._witness.broke(type(error).__qualname__)
            return "protocol"
        return None

    async def _sealed(self, batch: Mapping[Key, _Learned]) -> list[Put]:
        """A few at a time: meanwhile others have their turns."""
        puts: list[Put] = []
        envelopes = self._means.envelopes
        for number, (key, learned) in enumerate(batch.items(), start=1):
            if self._lately(key) is not learned:  # forgotten meanwhile, or also learned anew
                continue
            ttl_s = learned.until - asyncio.get_running_loop().time()
            if ttl_s <= 0:
                self._witness.dropped(1, "outlived")
                continue
            try:
                name, value = envelopes.close(key, learned.entry)
            except ValueError:
                self._witness.dropped(1, "unfit")
                continue
            puts.append(Put(name, value, ttl_s, envelopes.names.tombstones(*key[:2], key[3])))
            if not number % _SLICE:
                await asyncio.sleep(0)
        return puts
