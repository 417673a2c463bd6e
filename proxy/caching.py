"""One cache at work: a vault, and under it the keys and the store of the moment."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config import settings
from proxy.cache.envelope import Envelopes
from proxy.cache.gather import DirectReads, Reads
from proxy.cache.keys import new_rings
from proxy.cache.means import Means
from proxy.cache.memory import MemoryStore
from proxy.cache.rules import Lives
from proxy.cache.store import Store
from proxy.cache.vault import Vault
from proxy.guard.breaker import Breaker
from proxy.guard.lag import LoopLag
from proxy.telemetry import Telemetry
from proxy.telemetry.records import CacheRecord, CertificateRecord, FileRecord
from proxy.watching import Spawn

LAST_WRITES_S = 0.5
"""How long what was learned last may take to be written at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environs:
    """What a cache needs of the sidecar around it."""

    spawn: Spawn
    clock: Callable[[], datetime]
    telemetry: Telemetry
    lag: LoopLag


class Caching:
    """What every cache does, whatever its store. It outlives the runtime that it is made for."""

    def __init__(
        self,
        setting: settings.Cache,
        means: Means,
        environs: Environs,
        *,
        write_breaker: Breaker | None = None,
    ) -> None:
        self.means = means
        self.meter = environs.telemetry.cache_meter()
        self.vault = Vault(
            means,
            Lives.of(setting),
            spawn=environs.spawn,
            pending_writes=setting.pending_writes,
            early_refresh=setting.early_refresh,
            witness=self.meter,
            write_breaker=write_breaker,
        )

    async def look(self) -> None:
        """Takes up files that have changed. It waits for no store."""

    def files(self) -> frozenset[Path]:
        """Those that may change."""
        return frozenset()

    def file_problems(self) -> tuple[FileRecord, ...]:
        return ()

    def certificates(self) -> tuple[CertificateRecord, ...]:
        return ()

    def record(self) -> CacheRecord:
        raise NotImplementedError

    async def aclose(self) -> None:
        """What was learned last is still written, within a short time."""
        await self.vault.refreshes.aclose()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WRITES_S):
                await self.vault.keeper.written()
        await self.vault.aclose()
        await self.means.store.aclose()


class MemoryCaching(Caching):
    """In this process alone, under keys that are made now and that nobody else has."""

    def __init__(self, setting: settings.Cache, environs: Environs) -> None:
        self._store = MemoryStore(entries=setting.entries, size=setting.size)
        super().__init__(setting, new_means(self._store, DirectReads(self._store)), environs)

    def record(self) -> CacheRecord:
        return CacheRecord(
            store="memory",
            pending=self.vault.keeper.pending,
            refreshing=len(self.vault.refreshes),
            entries=self._store.entries,
            size=self._store.size,
        )


def new_means(store: Store, reads: Reads) -> Means:
    return Means(Envelopes(new_rings()), reads, store)
