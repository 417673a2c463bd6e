"""What a store that fails says, what its callers pay for it, and how soon it is used again."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from ssl import SSLContext, create_default_context

import pytest
from redis.exceptions import MovedError

from proxy.cache.gather import BREAKER, GatheredReads
from proxy.cache.redis_client import Login
from proxy.cache.redis_store import TIMEOUT_S
from proxy.cache.store import Put, Store, StoreFailed
from proxy.guard.breaker import Breaker
from tests.integration.storing import HASTY_S, LONG_S, NAMES, eventually, failure_of, opened
from tests.servers.hung import hung_server
from tests.servers.redis import RedisServer
from tests.servers.redis_kinds import CONNECTIONS, Kind, certificates, running_kind, short_folder

BUDGET_S = 0.005
LEEWAY_S = 0.01
"""Turns of the event loop before the budget begins and after it is over, on a machine that others
use too."""


@pytest.fixture(params=["tcp", "unix", "tls", "sentinel", "cluster"])
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    with running_kind(request.param) as kind:
        yield kind


@pytest.fixture
def tcp() -> Iterator[Kind]:
    with running_kind("tcp") as kind:
        yield kind


@asynccontextmanager
async def reading(store: Store) -> AsyncIterator[GatheredReads]:
    reads = GatheredReads(store, budget_s=BUDGET_S, breaker=Breaker("store", BREAKER))
    try:
        yield reads
    finally:
        await reads.aclose()


def everything(kind: Kind) -> Sequence[RedisServer]:
    """Who answers for names."""
    return kind.servers[:1] if kind.name == "sentinel" else kind.servers


async def fill(store: Store) -> None:
    await store.put_many([Put(name, b"of " + name, LONG_S) for name in NAMES])


async def is_used(reads: GatheredReads) -> bool:
    return (await reads.get_many(NAMES)).values == [b"of " + name for name in NAMES]


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds, each sorted."""

    reads: Sequence[float]
    timers: Sequence[float]
    """Of as many timers of the budget's length, set at the same moments: our own loop's lateness
    is in them, and nothing of Redis."""

    def excess_s(self) -> float:
        """Of the 99th percentile."""
        return self.reads[len(self.reads) * 99 // 100] - self.timers[len(self.timers) * 99 // 100]


async def waits(reads: GatheredReads, number: int = 500) -> Waits:
    loop = asyncio.get_running_loop()

    async def read() -> float:
        begin = loop.time()
        answer = await reads.get_many(NAMES[:10])
        assert set(answer.values) <= {None, *(b"of " + name for name in NAMES)}
        return loop.time() - begin

    async def wait() -> float:
        begin = loop.time()
        await asyncio.sleep(BUDGET_S)
        return loop.time() - begin

    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(number // 10):
        works = [work() for _ in range(10) for work in (read, wait)]
        done = await asyncio.gather(*works)
        took[0].extend(done[::2])
        took[1].extend(done[1::2])
    return Waits(sorted(took[0]), sorted(took[1]))


async def test_a_hung_redis_costs_the_budget_and_is_used_again_soon(kind: Kind) -> None:
    async with opened(kind, timeout_s=TIMEOUT_S) as store, reading(store) as reads:
        await fill(store)
        await eventually(lambda: is_used(reads))
        with ExitStack() as stopped:
            for server in everything(kind):
                stopped.enter_context(server.hung())
            took = await waits(reads)
        assert took.excess_s() <= LEEWAY_S
        assert (
            statistics.median(took.reads) < BUDGET_S / 2
        )  # once the breaker is open, nobody waits
        await eventually(lambda: is_used(reads), within_s=5)


async def test_a_redis_that_was_killed_costs_nothing_and_is_used_again_soon(kind: Kind) -> None:
    async with opened(kind, timeout_s=TIMEOUT_S) as store, reading(store) as reads:
        await fill(store)
        await eventually(lambda: is_used(reads))
        for server in everything(kind):
            server.kill()
        assert (await waits(reads)).excess_s() <= LEEWAY_S
        for server in everything(kind):
            server.start()

        async def is_back() -> bool:
            try:
                await fill(store)
            except StoreFailed:
                return False
            return await is_used(reads)

        await eventually(is_back)


async def test_a_redis_that_was_restarted_is_used_at_once(tcp: Kind) -> None:
    """Connections to the one before are seen to be dead, and nobody fails by one of them."""
    async with opened(tcp) as store:
        await asyncio.gather(*(store.get_many(NAMES) for _ in range(10)))
        await asyncio.to_thread(tcp.servers[0].restart)
        await fill(store)
        every = await asyncio.gather(*(store.get_many(NAMES) for _ in range(10)))
        assert [list(one) for one in every] == [[b"of " + name for name in NAMES]] * 10


async def test_a_full_redis_is_read_and_takes_nothing(tcp: Kind) -> None:
    (server,) = tcp.servers
    async with opened(tcp) as store:
        await fill(store)
        server.fill()
        assert await failure_of(fill(store)) == "full"
        assert list(await store.get_many(NAMES[:1])) == [b"of " + NAMES[0]]
        assert await failure_of(store.forget(NAMES[:1], [b"bss1:stone"], LONG_S)) == "full"
        assert list(await store.get_many(NAMES[:2])) == [None, b"of " + NAMES[1]]
        server.empty()
        await fill(store)


async def test_a_replica_is_read_and_takes_nothing(tcp: Kind) -> None:
    (server,) = tcp.servers
    async with opened(tcp) as store:
        await fill(store)
        server.become_replica()
        assert await failure_of(fill(store)) == "readonly"
        assert await failure_of(store.forget(NAMES[:1], [b"bss1:stone"], LONG_S)) == "readonly"
        assert list(await store.get_many(NAMES[:1])) == [b"of " + NAMES[0]]
        server.become_master()
        await fill(store)


@pytest.mark.parametrize("name", ["tcp", "cluster"])
async def test_what_is_no_bytes_is_not_there_and_can_be_replaced(name: str) -> None:
    with running_kind(name) as kind:
        async with opened(kind) as store:
            await fill(store)
            for number, command in enumerate(("LPUSH", "SADD", "HSET", "XADD", "ZADD")):
                more = {"HSET": ["f", "v"], "XADD": ["*", "f", "v"], "ZADD": [1, "v"]}
                for server in kind.servers:
                    _tell_if_its_own(server, "DEL", NAMES[number])
                    _tell_if_its_own(server, command, NAMES[number], *more.get(command, ["v"]))
            found = await store.get_many(NAMES[:7])
            assert list(found) == [None] * 5 + [b"of " + one for one in NAMES[5:7]]
            assert list(await store.get_many(NAMES[:5])) == [None] * 5
            await fill(store)
            assert list(await store.get_many(NAMES[:1])) == [b"of " + NAMES[0]]


def _tell_if_its_own(server: RedisServer, *command: str | bytes | int) -> None:
    """In a cluster, one node has it and the others say who."""
    with suppress(MovedError):
        server.tell(*command)


async def test_who_accepts_and_never_answers_is_given_up(tcp: Kind) -> None:
    async with hung_server() as port:
        kind = Kind("hung", {"url": f"redis://127.0.0.1:{port}"})
        async with opened(kind, timeout_s=0.05) as store:
            works = [store.get_many(NAMES) for _ in range(20)]
            assert {await failure_of(work) for work in works[:3]} == {"timeout"}
            assert await failure_of(store.facts()) == "timeout"
            for work in works[3:]:
                work.close()


async def test_another_password_is_refused_in_our_words() -> None:
    with running_kind("acl") as kind:
        over_unix = {**(kind.redis or {}), "url": kind.servers[0].unix_url}
        for redis in (kind.redis, over_unix):
            other = Kind("acl", redis, Login(password="another"))
            async with opened(other) as store:
                assert await failure_of(store.get_many(NAMES)) == "auth"
        async with opened(kind) as store:
            assert await failure_of(store.get_many([b"not ours"])) == "auth"
            assert await failure_of(store.put_many([Put(b"not ours", b"", LONG_S)])) == "auth"


async def test_a_redis_of_another_authority_or_one_that_wants_a_certificate() -> None:
    with running_kind("tls") as kind, short_folder() as elsewhere:
        stranger = Kind("tls", kind.redis, Login(tls=certificates(elsewhere)))
        async with opened(stranger) as store:
            assert await failure_of(store.get_many(NAMES)) == "tls"
        bare = Kind("tls", kind.redis, Login(tls=_without_certificate(kind)))
        async with opened(bare) as store:
            assert await failure_of(store.get_many(NAMES)) in {"tls", "refused"}
        named = {**(kind.redis or {}), "tls": {"server_name": "another.test"}}
        async with opened(Kind("tls", named, kind.login)) as store:
            assert await failure_of(store.get_many(NAMES)) == "tls"


def _without_certificate(kind: Kind) -> SSLContext:
    return create_default_context(cafile=str(kind.servers[0].folder.parent / "ca.pem"))


async def test_sentinels_lead_to_the_new_master() -> None:
    with running_kind("sentinel") as kind:
        master, replica, _ = kind.servers
        async with opened(kind) as store, reading(store) as reads:
            await fill(store)
            await eventually(lambda: _has_all(replica))
            master.kill()
            await eventually(lambda: is_used(reads))  # what was put before
            await eventually(lambda: _takes(store, Put(NAMES[0], b"again", LONG_S)))
            assert replica.tell("ROLE")[0] == b"master"


async def _has_all(server: RedisServer) -> bool:
    return int(server.tell("DBSIZE")) >= len(NAMES)


async def _takes(store: Store, put: Put) -> bool:
    try:
        await store.put_many([put])
    except StoreFailed:
        return False
    return True


async def test_a_cluster_goes_on_without_a_node() -> None:
    with running_kind("cluster") as kind:
        async with opened(kind) as store, reading(store) as reads:
            await fill(store)
            kind.servers[1].kill()

            async def is_used_in_part() -> bool:
                found = (await reads.get_many(NAMES)).values
                return 0 < sum(value is not None for value in found) < len(NAMES)

            await eventually(is_used_in_part)
            assert await failure_of(fill(store)) in {"refused", "starting"}
            kind.servers[1].start()

            async def is_back() -> bool:
                try:
                    await fill(store)
                except StoreFailed:
                    return False
                return await is_used(reads)

            await eventually(is_back)


async def test_names_that_move_to_another_node_are_found_there() -> None:
    with running_kind("cluster") as kind:
        giving, taking = kind.servers[:2]
        async with opened(kind) as store, reading(store) as reads:
            await fill(store)
            own = next(one for one in taking.slots() if one[2] == giving.port)
            for server in (giving, taking):
                server.tell("CLUSTER DELSLOTSRANGE", *own[:2])
            giving.tell("FLUSHALL")
            taking.tell("CLUSTER ADDSLOTSRANGE", *own[:2])
            taking.tell("CLUSTER BUMPEPOCH")

            async def is_back() -> bool:
                try:
                    await fill(store)
                except StoreFailed:
                    return False
                return await is_used(reads)

            await eventually(is_back)
            assert int(giving.tell("DBSIZE")) == 0


async def test_what_was_written_unseen_is_removed_with_the_next(tcp: Kind) -> None:
    """A write that was cut off may have been done, beside a tombstone that nobody saw."""
    (server,) = tcp.servers
    stone = b"bss1:stone"
    async with opened(tcp, timeout_s=HASTY_S) as store:
        await store.forget(NAMES[:1], [stone], LONG_S)
        with server.hung():
            entry = Put(NAMES[0], b"forgotten", LONG_S, [stone])
            assert await failure_of(store.put_many([entry])) == "timeout"
        await eventually(lambda: _takes(store, Put(NAMES[1], b"1", LONG_S, [b"bss1:another"])))
        async with opened(tcp) as patient:
            assert list(await patient.get_many(NAMES[:2])) == [None, b"1"]


async def test_no_connection_is_lost_to_faults(tcp: Kind) -> None:
    """Timeouts, cancellations and failures over and over; then all of them still serve."""
    (server,) = tcp.servers
    async with opened(tcp, timeout_s=HASTY_S) as store:
        for _ in range(5):
            with server.hung():
                works = [asyncio.ensure_future(store.get_many(NAMES)) for _ in range(12)]  # noqa: TID251  (to be cancelled by hand)
                await asyncio.sleep(0)
                for work in works[::2]:
                    work.cancel()
                done = await asyncio.gather(*works, return_exceptions=True)
                kinds = {one.kind for one in done if isinstance(one, StoreFailed)}
                assert kinds == {"timeout"}

        async def all_serve() -> bool:
            asking = (store.get_many(NAMES) for _ in range(CONNECTIONS))
            every = await asyncio.gather(*asking, return_exceptions=True)
            return all(isinstance(one, list) for one in every)

        await eventually(all_serve)
        assert server.connections() == CONNECTIONS


async def test_what_reaches_the_other_nodes_of_a_cluster_stays_there() -> None:
    """Nothing that was kept is removed because another node is gone."""
    with running_kind("cluster") as kind:
        async with opened(kind) as store:
            puts = [Put(name, b"1", LONG_S, [b"bss1:stone-%d" % n]) for n, name in enumerate(NAMES)]
            await store.put_many(puts)
            kind.servers[2].kill()
            for _ in range(3):
                assert await failure_of(store.put_many(puts)) in {"refused", "starting"}
            found = await store.get_many(NAMES)
            kept = sum(int(server.tell("DBSIZE")) for server in kind.servers[:2])
            assert sum(value is not None for value in found) == kept > len(NAMES) / 5
