"""A Redis that several sidecars share: standalone, over a unix socket, or behind Sentinels."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from aiocache import RedisCache  # type: ignore[import-untyped]  # it ships no types
from aiocache.serializers import NullSerializer  # type: ignore[import-untyped]  # it ships no types
from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import ResponseError

from config import settings
from proxy.cache.redis_client import Login, failure_of, pool
from proxy.cache.store import Persistence, Put, StoreFacts, StoreFailed

TIMEOUT_S = 0.5
"""For a command, a free connection and connecting included. Callers of a read wait far less."""
SETS_AT_ONCE = 200
"""Entries in one round trip, so that a bulk of writes keeps no read waiting."""

T = TypeVar("T")


class Hold:
    """Bounds how many commands run at once and for how long, and says in our words what failed."""

    def __init__(self, connections: int, timeout_s: float) -> None:
        self._slots = asyncio.Semaphore(connections)
        self._timeout_s = timeout_s
        self._writing: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Raises `StoreFailed`."""
        try:
            with _in_our_words(is_closed=self._is_closed):
                async with asyncio.timeout(self._timeout_s), self._slots:
                    return await work
        finally:
            work.close()

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """As `run`, and it goes on to its end when the caller is cancelled."""
        task = asyncio.get_running_loop().create_task(self.run(work))
        self._writing.add(task)
        task.add_done_callback(self._written)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """What is still being written ends by itself, within the timeout."""
        self._is_closed = True
        if self._writing:
            await asyncio.wait(tuple(self._writing))

    def _written(self, task: asyncio.Task[Any]) -> None:
        self._writing.discard(task)
        if not task.cancelled():
            task.exception()  # told to whoever waits; nobody may be left


class RedisStore:
    """Through aiocache and redis-py, on a pool of our own."""

    def __init__(self, connections: ConnectionPool, *, kind: str, timeout_s: float) -> None:
        self._kind = kind
        self._cache = RedisCache(
            serializer=NullSerializer(encoding=None),
            timeout=0,  # its own wrapper costs more than the whole of ours
            connection_pool_class=lambda **_: connections,
        )
        self._client: Redis = self._cache.client
        self._hold = Hold(connections.max_connections, timeout_s)

    @classmethod
    def of(
        cls, setting: settings.Redis, login: Login, *, timeout_s: float = TIMEOUT_S
    ) -> "RedisStore":
        """Connects to nobody yet. Raises `ValueError` for a setting that names no Redis."""
        kind = "redis-sentinel" if setting.sentinels else "redis"
        return cls(pool(setting, login, timeout_s=timeout_s), kind=kind, timeout_s=timeout_s)

    async def get_many(self, names: Sequence[bytes]) -> Sequence[bytes | None]:
        if not names:
            return []
        return bytes_only(await self._hold.run(self._cache.multi_get(names)), len(names))

    async def put_many(self, entries: Sequence[Put]) -> None:
        for start in range(0, len(entries), SETS_AT_ONCE):
            await self._hold.finish(self._put(entries[start : start + SETS_AT_ONCE]))

    async def forget(
        self, names: Sequence[bytes], tombstones: Sequence[bytes], ttl_s: float
    ) -> None:
        await self._hold.finish(self._forget(names, tombstones, ttl_s))

    async def facts(self) -> StoreFacts:
        info = await self._hold.run(info_of(self._client))
        return facts_of(self._kind, info)

    async def aclose(self) -> None:
        await self._hold.close()
        await self._client.aclose()

    async def _put(self, entries: Sequence[Put]) -> None:
        """A tombstone that comes later removes what is written here: it is put before it does."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for put in entries:
                pipeline.set(put.name, put.value, px=milliseconds(put.ttl_s))
            guarded = [put for put in entries if put.unless]
            for put in guarded:
                pipeline.exists(*put.unless)
            replies = await pipeline.execute(raise_on_error=False)
        forgotten = doomed(guarded, replies[len(entries) :])
        if forgotten:
            await self._client.delete(*forgotten)
        raise_first(replies)

    async def _forget(
        self, names: Sequence[bytes], tombstones: Sequence[bytes], ttl_s: float
    ) -> None:
        async with self._client.pipeline(transaction=False) as pipeline:
            for tombstone in tombstones:
                pipeline.set(tombstone, b"1", px=milliseconds(ttl_s))
            if names:
                pipeline.delete(*names)
            raise_first(await pipeline.execute(raise_on_error=False))


def bytes_only(values: object, number: int) -> list[bytes | None]:
    """What a server that lies may say instead of bytes is nothing. Raises `StoreFailed`."""
    if not isinstance(values, list) or len(values) != number:
        raise StoreFailed("protocol")
    return [value if isinstance(value, bytes) else None for value in values]


def milliseconds(ttl_s: float) -> int:
    return max(1, int(ttl_s * 1000))


def doomed(guarded: Sequence[Put], tombstones_there: Sequence[object]) -> list[bytes]:
    """Whose tombstone is there, or may be."""
    replies = zip(guarded, tombstones_there, strict=True)
    return [put.name for put, there in replies if there != 0]


def raise_first(replies: Sequence[object]) -> None:
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply


async def info_of(client: Redis) -> Mapping[str, Any] | None:
    """`None` where it is forbidden or makes no sense."""
    try:
        info: object = await client.info("persistence")
    except ResponseError:
        return None
    if not isinstance(info, dict):
        return None
    try:
        saves: object = await client.config_get("save")
    except ResponseError:
        return info
    return {**info, "save": saves.get("save") if isinstance(saves, dict) else None}


def facts_of(kind: str, info: Mapping[str, Any] | None) -> StoreFacts:
    persistence = _persistence(info)
    return StoreFacts(kind=kind, persistence=persistence, warning=_warning(persistence))


def _persistence(info: Mapping[str, Any] | None) -> Persistence:
    if info is None or "aof_enabled" not in info:
        return "unknown"
    has_aof = bool(info["aof_enabled"])
    save = info.get("save")
    if save is None:
        has_saved = info.get("rdb_last_bgsave_time_sec", -1) != -1
        if not has_saved:
            return "aof" if has_aof else "unknown"
        save = "seen"
    if save:
        return "rdb+aof" if has_aof else "rdb"
    return "aof" if has_aof else "none"


def _warning(persistence: Persistence) -> str:
    if persistence == "none":
        return ""
    if persistence == "unknown":
        return "it can't be told whether Redis writes sealed entries to a disk"
    return f"Redis writes sealed entries to a disk ({persistence}), where they outlive their time"


@contextmanager
def _in_our_words(*, is_closed: bool) -> Iterator[None]:
    if is_closed:
        raise StoreFailed("closed")
    try:
        yield
    except StoreFailed:
        raise
    except Exception as error:  # noqa: BLE001  (what a server that lies may cause has no one type)
        raise failure_of(error) from None
