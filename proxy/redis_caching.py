"""A cache in a Redis that several sidecars share, under keys that they share too.

Key rings and logins are renewed while questions go on; what was good last serves on. Until there
are keys and a login nothing is kept, which is no question's concern.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from config import settings
from proxy.cache.envelope import Envelopes
from proxy.cache.gather import BREAKER, DirectReads, GatheredReads, Reads
from proxy.cache.keys import KeyRings
from proxy.cache.store import Put, Store, StoreFacts, StoreFailed
from proxy.cache_files import KeyFiles, LoginFiles, is_secure
from proxy.caching import Caching, Environs, MemoryCaching, new_means
from proxy.credentials.snapshot import Credentials
from proxy.guard.breaker import Breaker, BreakerStatus
from proxy.reporting import breaker_record, certificate_records
from proxy.telemetry.records import CacheRecord, CertificateRecord, FileRecord

READS, WRITES = "reads", "writes"
"""Names of the breakers. A Redis that takes no writes may well answer."""
RETIRE_S = 1.0
"""For what has begun on a store that was replaced: longer than any command takes."""
ASK_AGAIN_S, ASK_AGAIN_AT_MOST_S = 1.0, 60.0
"""Until a Redis is asked again how it writes to a disk, while it has not said; it doubles."""


class Unopened:
    """The store before there are keys and a login."""

    async def get_many(self, _names: Sequence[bytes]) -> Sequence[bytes | None]:
        _is_closed()

    async def put_many(self, _entries: Sequence[Put]) -> None:
        _is_closed()

    async def forget(
        self, _names: Sequence[bytes], _tombstones: Sequence[bytes], _ttl_s: float
    ) -> None:
        _is_closed()

    async def facts(self) -> StoreFacts:
        _is_closed()

    async def aclose(self) -> None: ...


class RedisCaching(Caching):
    """Opens no socket before somebody asks."""

    def __init__(self, setting: settings.Cache, redis: settings.Redis, environs: Environs) -> None:
        self._setting = setting
        self._redis = redis
        self._environs = environs
        self._keys = KeyFiles(setting.master_keys_file or "", setting.name_keys_file or "")
        self._login = LoginFiles(redis)
        self._looking = asyncio.Lock()
        self._keys_at_work: KeyRings | None = None
        self._login_at_work: Credentials | None = None
        self._breakers = {name: Breaker(name, BREAKER) for name in (READS, WRITES)}
        self._is_open = False
        self._problem = "its files have not been read yet"
        self._persistence = Persistence(environs)
        self._retiring: set[asyncio.Task[None]] = set()
        unopened = Unopened()
        means = new_means(unopened, DirectReads(unopened))
        super().__init__(setting, means, environs, write_breaker=self._breakers[WRITES])
        for breaker in self._breakers.values():
            breaker.on_change(self._tell)

    async def look(self) -> None:
        async with self._looking:
            await asyncio.to_thread(self._look)
        is_known = self._is_open
        # What is at work is compared, and not what this look found: the one before it may have been
        # cancelled when it had found something.
        keys, login = self._keys.current, self._login.current
        if keys is not None and keys is not self._keys_at_work:
            self.means.envelopes, self._keys_at_work = Envelopes(keys), keys
            if is_known:
                self._environs.telemetry.reloaded("cache_keys")
        if keys is None or login is None:
            self._problem = "keys or login can't be read yet"
        elif login is not self._login_at_work or not is_known:
            self._open(login)
            self._login_at_work = login
            if is_known:
                self._environs.telemetry.reloaded("cache_login")
        if self._is_open:
            self._persistence.ask(self.means.store)

    def files(self) -> frozenset[Path]:
        return frozenset((*self._keys.paths(), *self._login.paths()))

    def file_problems(self) -> tuple[FileRecord, ...]:
        return (*self._keys.problems, *self._login.problems)

    def certificates(self) -> tuple[CertificateRecord, ...]:
        current = self._login.current
        return () if current is None else tuple(certificate_records(current, "redis_"))

    def record(self) -> CacheRecord:
        rings, facts = self._keys.current, self._persistence.facts
        breakers = tuple(breaker_record("-", one.status()) for one in self._breakers.values())
        return CacheRecord(
            store=_kind(self._redis),
            problem=self._problem,
            pending=self.vault.keeper.pending,
            refreshing=len(self.vault.refreshes),
            breakers=breakers,
            failure=self.meter.failure if any(one.because for one in breakers) else "",
            persistence=facts.persistence if facts else "",
            warning=facts.warning if facts else "",
            master_keys=len(rings.master.keys) if rings else 0,
            name_keys=len(rings.names.keys) if rings else 0,
        )

    async def aclose(self) -> None:
        await self._persistence.aclose()
        for task in tuple(self._retiring):
            task.cancel()
        if self._retiring:
            await asyncio.wait(set(self._retiring))
        await _end(self.means.reads)
        await super().aclose()

    def _look(self) -> None:
        """In a thread."""
        self._keys.look()
        self._login.look(self._environs.clock())

    def _open(self, credentials: Credentials) -> None:
        """Another login needs another store; what has begun on the old one may end there."""
        try:
            store = store_of(self._redis, credentials)
        except ValueError as error:  # what the rules of the configuration let pass
            self._problem = str(error)
            return
        reads = GatheredReads(
            store,
            budget_s=self._setting.read_budget,
            breaker=self._breakers[READS],
            lag=self._environs.lag,
        )
        old = self.means.reads, self.means.store
        self.means.reads, self.means.store = reads, store
        self._is_open, self._problem = True, ""
        for breaker in self._breakers.values():
            breaker.try_anew()
        task = self._environs.spawn(_retire(*old))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    def _tell(self, status: BreakerStatus) -> None:
        self.meter.breaker_changed(breaker_record("-", status))


class Persistence:
    """How a Redis writes to a disk: asked until it has said so, at growing intervals."""

    def __init__(self, environs: Environs) -> None:
        self.facts: StoreFacts | None = None
        self._environs = environs
        self._due = 0.0
        self._wait_s = ASK_AGAIN_S
        self._asking: asyncio.Task[None] | None = None

    def ask(self, store: Store) -> None:
        """Begins to, where it is time."""
        busy = self._asking is not None and not self._asking.done()
        if self.facts is None and not busy and asyncio.get_running_loop().time() >= self._due:
            self._asking = self._environs.spawn(self._ask(store))

    async def aclose(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})

    async def _ask(self, store: Store) -> None:
        try:
            self.facts = await store.facts()
        except StoreFailed:
            self._due = asyncio.get_running_loop().time() + self._wait_s
            self._wait_s = min(2 * self._wait_s, ASK_AGAIN_AT_MOST_S)
            return
        if self.facts.warning:
            self._environs.telemetry.cache_doubt(self.facts.warning)


def store_of(setting: settings.Redis, credentials: Credentials) -> Store:
    """Connects to nobody yet. Raises `ValueError` for a setting that names no Redis."""
    from proxy.cache.opening import redis_store  # noqa: PLC0415  (80 ms, for a Redis alone)
    from proxy.cache.redis_client import Login  # noqa: PLC0415  (as above)

    secret = credentials.client_secret
    login = Login(
        password=secret.get_secret_value() if secret else None,
        tls=credentials.tls if is_secure(setting) else None,
    )
    return redis_store(setting, login)


def open_cache(setting: settings.Cache, environs: Environs) -> Caching:
    """The cache of a store that is not `off`."""
    if setting.store == "redis" and setting.redis is not None:
        return RedisCaching(setting, setting.redis, environs)
    return MemoryCaching(setting, environs)


async def _retire(reads: Reads, store: Store) -> None:
    try:
        await asyncio.sleep(RETIRE_S)
    finally:
        await _end(reads)
        await store.aclose()


async def _end(reads: Reads) -> None:
    if isinstance(reads, GatheredReads):
        await reads.aclose()


def _kind(setting: settings.Redis) -> str:
    if setting.sentinels:
        return "redis-sentinel"
    return "redis-cluster" if setting.cluster else "redis"


def _is_closed() -> NoReturn:
    raise StoreFailed("closed")
