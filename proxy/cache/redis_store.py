"""A Redis that several sidecars share: standalone, over a unix socket, or behind Sentinels."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from math import inf
from typing import Any, Protocol, TypeAlias, TypeVar

from aiocache import RedisCache  # type: ignore[import-untyped]  # it ships no types
from aiocache.serializers import NullSerializer  # type: ignore[import-untyped]  # it ships no types
from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import RedisError

from config import settings
from proxy.cache.redis_client import Login, failure_of, pool
from proxy.cache.redis_facts import facts_of, persistence_of
from proxy.cache.store import MOST_NAMES, Persistence, Put, StoreFacts, StoreFailed

TIMEOUT_S = 0.5
"""For a command, a free connection and connecting included. Callers of a read wait far less."""
PUTS_AT_ONCE = 50
"""Entries in one round trip, whose replies are read without a pause: a bulk of writes keeps no read
waiting."""
MOST_OWED = 10_000
"""Names of entries that are still to be removed. Beyond it their time removes them."""

Command: TypeAlias = tuple[str | bytes | int, ...]
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
            if self._is_closed:
                raise StoreFailed("closed")  # noqa: TRY301  (passes at once)
            async with asyncio.timeout(self._timeout_s), self._slots:
                return await work
        except StoreFailed:
            raise
        except Exception as error:  # noqa: BLE001  (what a server that lies may cause has no one type)
            raise failure_of(error) from None
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


class Wire(Protocol):
    """The way to Redis. It raises what redis-py raises."""

    keeps_order: bool
    """Whether the commands of one trip are done in their order."""

    async def get_many(self, names: Sequence[bytes]) -> object:
        """What is said for each of the names."""
        ...

    async def send(self, commands: Sequence[Command]) -> Sequence[object]:
        """In one trip. A reply may be an exception."""
        ...

    def questions(self, names: Sequence[bytes]) -> Sequence[Command]:
        """That bring what is under each of the names."""
        ...

    def removals(self, names: Sequence[bytes]) -> Sequence[Command]: ...

    async def persistence(self) -> Persistence: ...

    async def aclose(self) -> None: ...


class RedisStore:
    """Puts and forgets so that what is forgotten stays so, whoever else writes meanwhile."""

    def __init__(self, wire: Wire, *, kind: str, connections: int, timeout_s: float) -> None:
        self._wire = wire
        self._kind = kind
        self._hold = Hold(connections, timeout_s)
        self._owed: set[bytes] = set()

    async def get_many(self, names: Sequence[bytes]) -> Sequence[bytes | None]:
        if not names:
            return []
        return bytes_only(await self._hold.run(self._wire.get_many(names)), len(names))

    async def put_many(self, entries: Sequence[Put]) -> None:
        for start in range(0, len(entries), PUTS_AT_ONCE):
            await self._hold.finish(self._put(entries[start : start + PUTS_AT_ONCE]))

    async def forget(
        self, names: Sequence[bytes], tombstones: Sequence[bytes], ttl_s: float
    ) -> None:
        await self._hold.finish(self._forget(names, tombstones, ttl_s))

    async def facts(self) -> StoreFacts:
        return facts_of(self._kind, await self._hold.run(self._wire.persistence()))

    async def aclose(self) -> None:
        """Raises nothing: a Redis that hangs does not say goodbye over TLS, and need not."""
        await self._hold.close()
        with suppress(RedisError, OSError):
            await self._wire.aclose()

    async def _put(self, entries: Sequence[Put]) -> None:
        """An entry is there before its tombstone is looked for, so that one of two sees the other:
        this, or whoever puts a tombstone and removes the entry then. Those whose tombstone is there
        already are never put: who is cut off before it removes them leaves nothing.
        """
        asked, forgotten = await self._forgotten(entries)
        entries = [put for put in entries if put.name not in forgotten]
        guarded = [put for put in entries if put.unless]
        stones = [name for put in guarded for name in put.unless]
        sets = [("SET", put.name, put.value, "PX", milliseconds(put.ttl_s)) for put in entries]
        owed = (*forgotten, *self._owed)[:MOST_NAMES]
        removals, questions = self._wire.removals(owed), self._wire.questions(stones)
        unsure = [put.name for put in guarded]
        try:
            replies = await self._in_order(removals, sets, questions)
            removed, said = replies[: len(removals)], replies[len(removals) + len(sets) :]
            unsure = _doomed(guarded, _each(said, len(stones)))
            last = await self._in_order(self._wire.removals(unsure))
            unsure = [] if not _failures(last) else unsure
        finally:
            self._owe(unsure)
        if not _failures(removed):
            self._owed.difference_update(set(owed) - set(unsure))
        raise_first([*asked, *replies, *last])

    async def _forgotten(self, entries: Sequence[Put]) -> tuple[list[object], frozenset[bytes]]:
        """What is said of their tombstones, and the names of those whose own may be there."""
        guarded = [put for put in entries if put.unless]
        stones = [name for put in guarded for name in put.unless]
        said = await self._in_order(self._wire.questions(stones))
        return said, frozenset(_doomed(guarded, _each(said, len(stones))))

    def _owe(self, names: Sequence[bytes]) -> None:
        """They may be there beside a tombstone: they are removed with the next that are put."""
        if len(self._owed) < MOST_OWED:
            self._owed.update(names)

    async def _forget(
        self, names: Sequence[bytes], tombstones: Sequence[bytes], ttl_s: float
    ) -> None:
        sets = [("SET", name, b"1", "PX", milliseconds(ttl_s)) for name in tombstones]
        raise_first(await self._in_order(sets, self._wire.removals(names)))

    async def _in_order(self, *steps: Sequence[Command]) -> list[object]:
        """All of the first step before any of the next."""
        trips = [[one for step in steps for one in step]] if self._wire.keeps_order else steps
        return [reply for trip in trips if trip for reply in await self._wire.send(trip)]


class _Cache(RedisCache):  # type: ignore[misc]  # it ships no types
    """aiocache's, whose values come over a connection of redis-py in the shortest way.

    `Redis.mget` waits for a connection that `Hold` keeps free already, packs each name by itself
    and looks after retries and figures that are switched off: three times the time of the trip.
    `multi_get` goes through plugins, a timeout and a serializer that are not there.
    """

    async def get_at_once(self, keys: Sequence[bytes]) -> object:
        connections: ConnectionPool = self.client.connection_pool
        connection = connections.get_available_connection()  # type: ignore[no-untyped-call]  # redis-py's is not typed
        try:
            await connections.ensure_connection(connection)
            await connection.send_packed_command(mget(keys), check_health=False)
            return await connection.read_response(disable_decoding=True, timeout=inf)
        finally:
            await connections.release(connection)


class SingleWire:
    """One Redis that answers for every name, through aiocache and redis-py."""

    keeps_order = True

    def __init__(self, connections: ConnectionPool) -> None:
        self._cache = _Cache(
            serializer=NullSerializer(encoding=None),
            timeout=0,  # its own wrapper costs more than ours
            key_builder=_as_it_is,
            connection_pool_class=lambda **_: connections,
        )
        self._client: Redis = self._cache.client

    async def get_many(self, names: Sequence[bytes]) -> object:
        return await self._cache.get_at_once(names)

    async def send(self, commands: Sequence[Command]) -> Sequence[object]:
        async with self._client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            return await pipeline.execute(raise_on_error=False)

    def questions(self, names: Sequence[bytes]) -> Sequence[Command]:
        return [("MGET", *names)] if names else []

    def removals(self, names: Sequence[bytes]) -> Sequence[Command]:
        return [("DEL", *names)] if names else []

    async def persistence(self) -> Persistence:
        return await persistence_of(self._client.execute_command)

    async def aclose(self) -> None:
        await self._client.aclose()


def single_store(
    setting: settings.Redis, login: Login, *, timeout_s: float = TIMEOUT_S
) -> RedisStore:
    """Connects to nobody yet. Raises `ValueError` for a setting that names no Redis."""
    return RedisStore(
        SingleWire(pool(setting, login, timeout_s=timeout_s)),
        kind="redis-sentinel" if setting.sentinels else "redis",
        connections=setting.connections,
        timeout_s=timeout_s,
    )


def mget(names: Sequence[bytes]) -> bytes:
    """The command as RESP. Names are alike in length, as a rule: then they are put in at one go."""
    head = b"*%d\r\n$4\r\nMGET\r\n" % (len(names) + 1)
    first, *others = {len(name) for name in names}
    if others:
        return head + b"".join([b"$%d\r\n%b\r\n" % (len(name), name) for name in names])
    before = b"$%d\r\n" % first
    return head + before + (b"\r\n" + before).join(names) + b"\r\n"


def bytes_only(values: object, number: int) -> list[bytes | None]:
    """What a server that lies may say instead of bytes is nothing. Raises `StoreFailed`."""
    if not isinstance(values, list) or len(values) != number:
        raise StoreFailed("protocol")
    return [value if type(value) is bytes else None for value in values]


def _as_it_is(key: bytes, namespace: str) -> bytes:  # noqa: ARG001  (aiocache's signature)
    return key


def milliseconds(ttl_s: float) -> int:
    return max(1, int(ttl_s * 1000))


def _each(replies: Sequence[object], number: int) -> Sequence[object]:
    """What is said for each of the names, whether they were asked for at once or one by one."""
    each = replies[0] if len(replies) == 1 and isinstance(replies[0], list) else replies
    return each if len(each) == number else [StoreFailed("protocol")] * number


def _doomed(guarded: Sequence[Put], said: Sequence[object]) -> list[bytes]:
    """Whose tombstone is there, or may be. `said`: of each tombstone; `None`: it is not there."""
    doomed, position = [], 0
    for put in guarded:
        end = position + len(put.unless)
        if any(stone is not None for stone in said[position:end]):
            doomed.append(put.name)
        position = end
    return doomed


def _failures(replies: Sequence[object]) -> list[Exception]:
    return [reply for reply in replies if isinstance(reply, Exception)]


def raise_first(replies: Sequence[object]) -> None:
    for failure in _failures(replies):
        raise failure
