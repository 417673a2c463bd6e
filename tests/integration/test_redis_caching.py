"""A cache on a real Redis whose keys, password and certificates rotate under it."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import generate_latest

from adapters.call import Call
from adapters.lookup import collect, wall_clock
from adapters.outcome import Billing, Found
from config import settings
from proxy.cache.keys import new_key
from proxy.cache.layer import Cache
from proxy.cache.store import Put
from proxy.cache.tally import Tally
from proxy.cache.vault import NotForgotten
from proxy.caching import Environs
from proxy.guard.lag import LoopLag
from proxy.lifecycle import Tasks
from proxy.redis_caching import RedisCaching, open_cache
from proxy.telemetry import Telemetry
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics
from tests.servers.redis import CONTROL, RedisServer, running_redis
from tests.servers.redis_kinds import running_kind, short_folder
from tests.unit.cache.caching import Vendor

ANN, BOB = UUID(int=1), UUID(int=2)
ANSWER = Found(Billing(plan_name="Plan", monthly_fee=Decimal("9.99"), currency="GBP"))


class Pod:
    """One sidecar's cache, before a vendor of its own."""

    def __init__(self, folder: Path, redis: dict[str, Any]) -> None:
        self.folder = folder
        self.out = io.StringIO()
        self.telemetry = Telemetry(Log(self.out), Metrics())
        self.vendor = Vendor()
        self.tasks = Tasks(self.telemetry.error)
        setting = settings.Cache.model_validate(
            {
                "store": "redis",
                "master_keys_file": str(folder / "master"),
                "name_keys_file": str(folder / "names"),
                "read_budget": "2s",
                "redis": redis,
            }
        )
        environs = Environs(
            spawn=self.tasks.spawn, clock=wall_clock, telemetry=self.telemetry, lag=LoopLag()
        )
        opened = open_cache(setting, environs)
        assert isinstance(opened, RedisCaching)
        self.caching = opened
        self.cache = Cache(
            self.vendor, tenant="acme", connection="amdocs", vault=self.caching.vault
        )

    async def ask(self, one: UUID) -> bool:
        """Whether it was a hit."""
        tally = Tally()
        deadline = asyncio.get_running_loop().time() + 10
        call = Call(deadline=deadline, asked_at=wall_clock(), tally=tally)
        lookups = await collect(self.cache.look_up_billing, [one], call)
        assert lookups[one] == self.vendor.price(one)
        await self.caching.vault.keeper.written()
        # What was learned just now is known here for a moment, whatever the store has.
        self.caching.vault.keeper._recent.clear()
        return tally.hits == 1

    async def look(self) -> None:
        await self.caching.look()

    @property
    def reloads(self) -> list[str]:
        lines = [json.loads(line) for line in self.out.getvalue().splitlines()]
        return [line["what"] for line in lines if line["event"] == "reloaded"]


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as one:
        for name in ("master", "names"):
            (one / name).write_text(new_key())
        yield one


@asynccontextmanager
async def pod(folder: Path, server: RedisServer, **redis: str) -> AsyncIterator[Pod]:
    one = Pod(folder, {"url": server.unix_url, **redis})
    await one.look()
    try:
        yield one
    finally:
        await one.caching.aclose()
        await one.tasks.cancel()


async def test_keys_rotate_old_entries_open_while_their_key_is_in_the_ring_and_not_after(
    folder: Path,
) -> None:
    with running_redis(folder / "a") as server:
        async with pod(folder, server) as one:
            assert [await one.ask(ANN), await one.ask(ANN)] == [False, True]
            for name in ("master", "names"):
                old = (folder / name).read_text()
                (folder / name).write_text(f"{new_key()}\n{old}")
            await one.look()
            assert await one.ask(ANN) is True, "the former keys are in the rings"
            (folder / "names").write_text("no key")
            await one.look()
            assert await one.ask(ANN) is True, "a bad file leaves the last good one"
            assert [file.kind for file in one.caching.file_problems()] == ["cache_keys"]
            for name in ("master", "names"):
                (folder / name).write_text(new_key())
            await one.look()
            assert one.caching.file_problems() == ()
            assert await one.ask(ANN) is False
            assert one.reloads == ["cache_keys", "cache_keys"]


async def test_keys_that_a_cancelled_look_has_read_are_at_work_after_the_next(
    folder: Path,
) -> None:
    """A configuration that is taken up cancels the looks of the one before it."""
    with running_redis(folder / "a") as server:
        async with pod(folder, server) as one:
            assert [await one.ask(ANN), await one.ask(ANN)] == [False, True]
            (folder / "master").write_text(new_key())
            await asyncio.to_thread(one.caching._look)  # all that is left of one that is cancelled
            await one.look()
            assert await one.ask(ANN) is False
            assert one.reloads == ["cache_keys"]


async def test_a_password_rotates_under_questions(folder: Path) -> None:
    rights = "user sidecar on {} ~bss1:* +get +mget +set +del +info +hello"
    users = folder / "users"
    users.write_text(f"{rights.format('>first')}\nuser default on >{CONTROL} ~* +@all\n")
    password = folder / "password"
    password.write_text("first")
    login = {"username": "sidecar", "password_file": str(password)}
    with running_redis(folder / "a", "--aclfile", str(users), password=CONTROL) as server:
        async with pod(folder, server, **login) as one:
            assert [await one.ask(ANN), await one.ask(ANN)] == [False, True]
            server.tell("ACL", "SETUSER", "sidecar", ">second")
            password.write_text("second")
            await one.look()
            assert await one.ask(ANN) is True
            server.tell("ACL", "SETUSER", "sidecar", "<first")
            assert await one.ask(ANN) is True
            assert one.reloads == ["cache_login"]


async def test_files_that_come_later_open_a_cache_that_had_none(folder: Path) -> None:
    master = (folder / "master").read_text()
    (folder / "master").unlink()
    with running_redis(folder / "a") as server:
        async with pod(folder, server) as one:
            assert [await one.ask(ANN), await one.ask(ANN)] == [False, False]
            assert one.caching.record().problem != ""
            with pytest.raises(NotForgotten):
                await one.cache.forget(ANN)
            (folder / "master").write_text(master)
            await one.look()
            assert [await one.ask(ANN), await one.ask(ANN)] == [False, True]
            assert one.reloads == [], "it is the first, and replaces nothing"
            await one.cache.forget(ANN)
            assert await one.ask(ANN) is False


@pytest.mark.parametrize("name", ["tls", "sentinel_tls", "cluster_tls"])
async def test_a_store_closes_although_its_redis_hangs_and_says_no_goodbye(name: str) -> None:
    with running_kind(name) as kind, ExitStack() as hung:
        store = kind.open(connect_timeout="200ms")
        await store.put_many([Put(b"bss1:one", b"sealed", 10.0)])
        for server in kind.servers:
            hung.enter_context(server.hung())
        async with asyncio.timeout(5):
            await store.aclose()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  (a real process is waited for)
            await asyncio.sleep(0.01)


async def test_a_redis_that_writes_to_a_disk_is_told_of_at_the_start(folder: Path) -> None:
    with running_redis(folder / "a", "--appendonly", "yes") as server:
        async with pod(folder, server) as one:
            await until(lambda: one.caching.record().persistence)
            record = one.caching.record()
            assert (record.store, record.persistence) == ("redis", "aof")
            assert "disk" in record.warning
            assert "doubtful_cache" in one.out.getvalue()


async def test_a_redis_that_comes_back_is_used_again_and_both_are_told_once(folder: Path) -> None:
    with running_redis(folder / "a") as server:
        async with pod(folder, server) as one:
            assert [await one.ask(ANN), await one.ask(ANN)] == [False, True]
            server.kill()
            for _ in range(20):
                assert await one.ask(ANN) is False
            assert one.caching.record().failure == "refused"
            server.start()
            hits = [await one.ask(ANN)]
            async with asyncio.timeout(10):
                while not hits[-1]:
                    await asyncio.sleep(0.02)
                    hits.append(await one.ask(ANN))
            told = [json.loads(line) for line in one.out.getvalue().splitlines()]
            failing = [
                line["what"]
                for line in told
                if line["event"] == "cache_failing" and line["level"] == "warning"
            ]
            assert sorted(failing) == ["reads", "writes"]
            await until(lambda: "cache_recovered" in one.out.getvalue())
            figures = generate_latest(one.telemetry.metrics.registry).decode()
            assert 'bss_sidecar_cache_dropped_entries_total{why="refused"}' in figures
