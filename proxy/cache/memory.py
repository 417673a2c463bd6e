"""The store that needs nothing: this process's memory, bounded by entries and by bytes."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from proxy.cache.store import Put, StoreFacts
from proxy.guard.clock import Clock, loop_time

OVERHEAD = 256
"""Bytes that an entry takes besides its name and its value: measured, and rounded up."""


class _Kept(NamedTuple):
    value: bytes
    until: float


class MemoryStore:
    """Who was used least recently goes first. Every step takes the same time, however full.

    What has expired is removed when it is asked for, or when its turn to go has come.
    """

    def __init__(self, *, entries: int, size: int, clock: Clock = loop_time) -> None:
        self._most_entries = entries
        self._most_bytes = size
        self._clock = clock
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._size = 0

    @property
    def entries(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """Bytes."""
        return self._size

    async def get_many(self, names: Sequence[bytes]) -> Sequence[bytes | None]:
        now = self._clock()
        return [self._get(name, now) for name in names]

    async def put_many(self, entries: Sequence[Put]) -> None:
        now = self._clock()
        for put in entries:
            if any(self._get(tombstone, now) is not None for tombstone in put.unless):
                self._remove(put.name)
            else:
                self._put(put.name, _Kept(put.value, now + put.ttl_s))

    async def forget(
        self, names: Sequence[bytes], tombstones: Sequence[bytes], ttl_s: float
    ) -> None:
        until = self._clock() + ttl_s
        for tombstone in tombstones:
            self._put(tombstone, _Kept(b"", until))
        for name in names:
            self._remove(name)

    async def facts(self) -> StoreFacts:
        return StoreFacts(
            kind="memory", entries=len(self._kept), size=self._size, persistence="none"
        )

    async def aclose(self) -> None:
        self._kept.clear()
        self._size = 0

    def _get(self, name: bytes, now: float) -> bytes | None:
        kept = self._kept.get(name)
        if kept is None:
            return None
        if kept.until <= now:
            self._remove(name)
            return None
        self._kept.move_to_end(name)
        return kept.value

    def _put(self, name: bytes, kept: _Kept) -> None:
        self._remove(name)
        if (cost := _cost(name, kept)) > self._most_bytes:
            return
        self._kept[name] = kept
        self._size += cost
        while len(self._kept) > self._most_entries or self._size > self._most_bytes:
            self._remove(next(iter(self._kept)))

    def _remove(self, name: bytes) -> None:
        if (kept := self._kept.pop(name, None)) is not None:
            self._size -= _cost(name, kept)


def _cost(name: bytes, kept: _Kept) -> int:
    return len(name) + len(kept.value) + OVERHEAD
